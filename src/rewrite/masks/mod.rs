//! Masks as SQL: one file a kind.

use crate::catalog::Column;
use crate::policy::MaskSpec;
use crate::sql::Engine;

/// A mask that cannot serve a column's type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("mask `{mask}` cannot serve type `{ty}`: {reason}")]
pub struct Unservable {
    /// The kind of mask.
    pub mask: &'static str,
    /// The column's type.
    pub ty: String,
    /// Why.
    pub reason: String,
}

/// The masked value of a column, as SQL. `column_sql` is the reference to the raw value.
pub fn render(_engine: Engine, _mask: &MaskSpec, column: &Column, _column_sql: &str) -> Result<String, Unservable> {
    Ok(format!("CAST(NULL AS {})", column.ty.sql))
}
