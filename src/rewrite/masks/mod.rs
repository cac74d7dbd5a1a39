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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::catalog::{ColumnType, Relation, TypeClass, TypeExtra};
    use crate::policy::TruncUnit;

    fn column(class: TypeClass, sql: &str) -> Column {
        let ty = ColumnType::new(0, class, sql);
        Column { name: "c".into(), number: 1, ty, not_null: false, generated: None }
    }

    fn masked(engine: Engine, mask: &MaskSpec, column: &Column) -> Result<String, Unservable> {
        let relation = Relation { columns: vec![column.clone()], ..Relation::default() };
        let key_ids = [Arc::from("k1")];
        let context = RelationContext { relation: &relation, qualifier: None, key_ids: &key_ids };
        render(engine, mask, column, &engine.quote_identifier("c"), &context)
    }

    fn reason(engine: Engine, mask: &MaskSpec, class: TypeClass, sql: &str) -> String {
        masked(engine, mask, &column(class, sql)).unwrap_err().to_string()
    }

    fn pg(mask: &MaskSpec, class: TypeClass, sql: &str) -> String {
        reason(Engine::Postgres, mask, class, sql)
    }

    const fn trunc(unit: TruncUnit) -> MaskSpec {
        MaskSpec::Trunc { unit }
    }

    fn hash(key_id: Option<&str>) -> MaskSpec {
        MaskSpec::Hash { length: 32, key_id: key_id.map(Arc::from) }
    }

    fn round(to: &str) -> MaskSpec {
        MaskSpec::Round { to: Arc::from(to) }
    }

    fn fixed(value: &str) -> MaskSpec {
        MaskSpec::Fixed { value: Arc::from(value) }
    }

    #[test]
    fn masks_are_refused_for_types_that_they_do_not_serve() {
        assert_eq!(
            pg(&MaskSpec::Email, TypeClass::Integer, "integer"),
            "mask `email` cannot serve column `c` of type `integer`: it serves text"
        );
        assert!(pg(&hash(None), TypeClass::Date, "date").contains("it serves text, integers, uuid and bytes"));
        assert!(pg(&round("10"), TypeClass::Text, "text").contains("it serves numbers"));
        assert!(pg(&trunc(TruncUnit::Year), TypeClass::Interval, "interval").contains("it serves dates and times"));
        assert!(pg(&MaskSpec::Ip { v4: 8, v6: 8 }, TypeClass::Uuid, "uuid").contains("it serves inet, cidr and text"));
        assert!(pg(&MaskSpec::Redact { with: '*' }, TypeClass::Enum, "app.tier").contains("it serves text"));
        assert!(pg(&MaskSpec::Redact { with: '*' }, TypeClass::Array, "text[]").contains("it serves text"));
        assert!(pg(&MaskSpec::Redact { with: '*' }, TypeClass::Text, "\"char\"").contains("holds one byte"));
    }

    #[test]
    fn masks_that_would_leave_values_as_they_are_are_refused() {
        assert!(pg(&trunc(TruncUnit::Day), TypeClass::Date, "date").contains("would stay as they are"));
        assert!(pg(&round("1"), TypeClass::Integer, "integer").contains("would stay as they are"));
        assert!(pg(&round("0.01"), TypeClass::Numeric, "numeric(8,2)").contains("would stay as they are"));
        assert!(masked(Engine::Postgres, &round("0.01"), &column(TypeClass::Numeric, "numeric(8,3)")).is_ok());
    }

    #[test]
    fn hashes_need_room_and_a_known_key() {
        assert!(pg(&hash(None), TypeClass::Text, "character varying(7)").contains("fewer than 8 digits"));
        assert!(reason(Engine::MySql, &hash(None), TypeClass::Integer, "tinyint").contains("too small"));
        assert!(pg(&hash(Some("k9")), TypeClass::Text, "text").contains("no masking key has the id `k9`"));
        let sql = masked(Engine::MySql, &hash(Some("k1")), &column(TypeClass::Text, "text")).unwrap();
        assert!(sql.contains("@sekisho_key_i_k1") && sql.contains("@sekisho_key_o_k1"), "{sql}");
    }

    #[test]
    fn fixed_values_are_read_before_a_server_sees_them() {
        for (class, sql, bad) in [
            (TypeClass::Integer, "smallint", "32768"),
            (TypeClass::Numeric, "numeric(4,1)", "1234.5"),
            (TypeClass::Numeric, "numeric(4,1)", "0.25"),
            (TypeClass::Date, "date", "31/12/2024"),
            (TypeClass::Timestamp, "timestamp without time zone", "tomorrow"),
            (TypeClass::Uuid, "uuid", "abc"),
            (TypeClass::Jsonb, "jsonb", "{"),
            (TypeClass::Inet, "inet", "1.2.3"),
            (TypeClass::Bytes, "bytea", "\\xABC"),
            (TypeClass::Boolean, "boolean", "maybe"),
            (TypeClass::Enum, "app.tier", "c"),
        ] {
            assert!(pg(&fixed(bad), class, sql).ends_with(&format!("`{bad}` is no value of the type")), "{sql}");
        }
        let extra = TypeExtra { labels: vec!["a".into(), "b".into()], ..TypeExtra::default() };
        let mut tier = column(TypeClass::Enum, "app.tier");
        tier.ty.extra = Some(Arc::new(extra));
        assert_eq!(masked(Engine::Postgres, &fixed("b"), &tier).unwrap(), "'b'::app.tier");
        let born = column(TypeClass::TimestampTz, "timestamp with time zone");
        let sql = masked(Engine::Postgres, &fixed("2024-01-01 09:00:00"), &born).unwrap();
        assert_eq!(sql, "'2024-01-01 09:00:00+00'::timestamp with time zone");
    }

    #[test]
    fn shifts_need_a_key() {
        let born = column(TypeClass::Date, "date");
        let shift = |key: Option<&str>| MaskSpec::Shift { days: 30, key: key.map(Arc::from), key_id: None };
        let refused = |mask: &MaskSpec| masked(Engine::Postgres, mask, &born).unwrap_err().reason.into_owned();
        assert_eq!(refused(&shift(None)), "the table has no primary key; name the column that gives the `key`");
        assert_eq!(refused(&shift(Some("d"))), "its key column `d` does not exist");
        assert_eq!(
            refused(&shift(Some("c"))),
            "its key `c` must be text, a number, uuid or bytes; name another column"
        );
    }

    #[test]
    fn characters_must_fit_the_character_set() {
        let extra = TypeExtra { collation: Some(Arc::from("latin1_swedish_ci")), ..TypeExtra::default() };
        let mut name = column(TypeClass::Text, "varchar(20)");
        name.ty.extra = Some(Arc::new(extra));
        let error = masked(Engine::MySql, &MaskSpec::Redact { with: '＊' }, &name).unwrap_err();
        assert_eq!(error.reason, "`＊` cannot be written in character set `latin1`; use ASCII");
    }

    #[test]
    fn masks_in_documents_name_each_place_once() {
        let json =
            |paths: &[&str]| MaskSpec::Json { paths: paths.iter().map(|path| (Arc::from(*path), None)).collect() };
        assert!(pg(&json(&["a", "a.b"]), TypeClass::Jsonb, "jsonb").contains("path `a.b` meets another one"));
        assert!(pg(&json(&["a.b", "a"]), TypeClass::Jsonb, "jsonb").contains("path `a` meets another one"));
        assert!(pg(&json(&["a..b"]), TypeClass::Jsonb, "jsonb").contains("is no path"));
        let dated = MaskSpec::Json { paths: vec![(Arc::from("a"), Some(trunc(TruncUnit::Year)))] };
        assert!(pg(&dated, TypeClass::Jsonb, "jsonb").contains("takes masks of text and numbers"));
    }

    #[test]
    fn expressions_of_authors_stay_inside_their_parentheses() {
        let sql = |text: &str| MaskSpec::Sql { postgres: Some(Arc::from(text)), mysql: None };
        let name = column(TypeClass::Text, "character varying(9)");
        assert_eq!(
            masked(Engine::Postgres, &sql("upper({column}) -- loud"), &name).unwrap(),
            r#"(upper(("c")))::character varying(9)"#
        );
        let error = masked(Engine::Postgres, &sql("'x') , (select 1"), &name).unwrap_err();
        assert_eq!(error.reason, "its expression is wrong: its parentheses do not match");
        let error = masked(Engine::MySql, &sql("{column}"), &name).unwrap_err();
        assert_eq!(error.reason, "it has no expression for mysql; add `mysql = …`");
    }
}
