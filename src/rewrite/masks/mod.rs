//! Masks as SQL, one file a kind: what it gives, the types it serves, the expression for each engine.
//!
//! In: a [`MaskSpec`] and a column of the catalog. Out: an expression that gives the masked value. Never knows: roles,
//! statements, the masking keys.
//!
//! What every expression keeps to:
//!
//! - **Type**: the value has the column's own type with its modifier, a domain's base type; on MySQL, which has no casts
//!   to most types, the nearest one that can be cast to. Text keeps the column's collation.
//! - **NULL** stays NULL, except under `null` and `fixed`.
//! - **No value makes it fail**, neither at the ends of a type's range nor where the value is not what the mask is for:
//!   an error that depends on the value would tell something of it. On MySQL it gives no warning either.
//! - **No setting changes it**: what a session can set (time zone, date style, digits of floating point, `sql_mode`)
//!   must not give several views of one value.
//! - **Names** of functions, operators and types cannot be shadowed.
//!
//! A mask that would leave every value as it is (`trunc` of a date to the day, `round` of integers to 1) is refused.

mod decimal;
mod digits;
mod email;
mod fixed;
mod hash;
mod ip;
mod json;
mod keep;
mod key;
mod moment;
mod noise;
mod null;
mod number;
mod postgres;
mod pseudonym;
mod redact;
mod regex;
mod round;
mod shift;
mod sql;
mod target;
mod text;
mod trunc;

pub use key::{KEY_VARIABLES, MaskingKey, SessionKeys};
pub use target::{RelationContext, Unservable};

use crate::catalog::Column;
use crate::policy::MaskSpec;
use crate::sql::Engine;
use round::Multiple;
use target::Target;

/// The masked value of a column, as an expression. `column_sql` is the quoted reference to the raw value.
pub fn render(
    engine: Engine,
    mask: &MaskSpec,
    column: &Column,
    column_sql: &str,
    context: &RelationContext,
) -> Result<String, Unservable> {
    let target = Target { engine, mask: kind(mask), column, sql: column_sql, context };
    match mask {
        MaskSpec::Null => Ok(null::render(&target)),
        MaskSpec::Fixed { value } => fixed::render(&target, value),
        MaskSpec::Redact { with } => redact::render(&target, *with),
        MaskSpec::Keep { first, last, with } => keep::render(&target, *first, *last, *with),
        MaskSpec::Email => email::render(&target),
        MaskSpec::Phone | MaskSpec::Card => digits::render(&target),
        MaskSpec::Regex { pattern, replace } => regex::render(&target, pattern, replace),
        MaskSpec::Hash { length, key_id } => hash::render(&target, *length, key_id.as_deref()),
        MaskSpec::Pseudonym { list, key_id } => pseudonym::render(&target, list, key_id.as_deref()),
        MaskSpec::Round { to } => round::render(&target, to, Multiple::Nearest),
        MaskSpec::Bucket { width } => round::render(&target, width, Multiple::Lower),
        MaskSpec::Noise { percent, key_id } => noise::render(&target, percent, key_id.as_deref()),
        MaskSpec::Trunc { unit } => trunc::render(&target, *unit),
        MaskSpec::Shift { days, key, key_id } => shift::render(&target, *days, key.as_deref(), key_id.as_deref()),
        MaskSpec::Ip { v4, v6 } => ip::render(&target, *v4, *v6),
        MaskSpec::Json { paths } => json::render(&target, paths),
        MaskSpec::Sql { postgres, mysql } => sql::render(&target, postgres.as_deref(), mysql.as_deref()),
    }
}

/// The word that rules use.
fn kind(mask: &MaskSpec) -> &'static str {
    match mask {
        MaskSpec::Null => "null",
        MaskSpec::Fixed { .. } => "fixed",
        MaskSpec::Redact { .. } => "redact",
        MaskSpec::Keep { .. } => "keep",
        MaskSpec::Email => "email",
        MaskSpec::Phone => "phone",
        MaskSpec::Card => "card",
        MaskSpec::Regex { .. } => "regex",
        MaskSpec::Hash { .. } => "hash",
        MaskSpec::Pseudonym { .. } => "pseudonym",
        MaskSpec::Round { .. } => "round",
        MaskSpec::Bucket { .. } => "bucket",
        MaskSpec::Noise { .. } => "noise",
        MaskSpec::Trunc { .. } => "trunc",
        MaskSpec::Shift { .. } => "shift",
        MaskSpec::Ip { .. } => "ip",
        MaskSpec::Json { .. } => "json",
        MaskSpec::Sql { .. } => "sql",
    }
}
