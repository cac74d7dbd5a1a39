//! The derived table that stands in a restricted relation's place.

use std::fmt::Write;
use std::sync::Arc;

use super::masks::{self, RelationContext, Unservable};
use crate::catalog::Relation;
use crate::policy::{RelationAccess, Treatment};
use crate::sql::Engine;

/// What a derived table reads from, and how.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'a> {
    /// What stands behind FROM; `None` is the relation itself.
    pub from: Option<&'a str>,
    /// `ONLY`.
    pub only: bool,
    /// No predicate from outside may be evaluated on rows that the filter hides.
    pub fence: bool,
    /// TABLESAMPLE or index hints.
    pub behind: &'a str,
}

/// Renders `(SELECT … FROM … WHERE …)`, without an alias. `filters` are the relation's filters as SQL, `key_ids` the
/// node's masking keys.
pub fn render(
    engine: Engine,
    relation: &Relation,
    access: &RelationAccess,
    filters: &[String],
    key_ids: &[Arc<str>],
    options: Options<'_>,
) -> Result<String, Unservable> {
    let context = RelationContext { relation, qualifier: None, key_ids };
    let mut sql = String::from("(SELECT ");
    let mut any = false;
    for (column, access) in relation.columns.iter().zip(&access.columns) {
        let name = engine.quote_identifier(&column.name);
        let value = match &access.treatment {
            Treatment::Denied => continue,
            Treatment::Raw => name,
            Treatment::Masked(mask) => format!("{} AS {name}", masks::render(engine, mask, column, &name, &context)?),
        };
        if any {
            sql.push_str(", ");
        }
        any = true;
        sql.push_str(&value);
    }
    if !any && engine == Engine::MySql {
        sql.push_str("NULL");
    }
    let _ = write!(
        sql,
        " FROM {}{}",
        if options.only { "ONLY " } else { "" },
        match options.from {
            Some(from) => from.to_owned(),
            None => qualified(engine, relation),
        }
    );
    if !options.behind.is_empty() {
        let _ = write!(sql, " {}", options.behind);
    }
    for (position, filter) in filters.iter().enumerate() {
        let _ = write!(sql, " {} ({filter})", if position == 0 { "WHERE" } else { "AND" });
    }
    if options.fence && !filters.is_empty() {
        sql.push_str(fence(engine));
    }
    sql.push(')');
    Ok(sql)
}

/// A relation's full name.
pub fn qualified(engine: Engine, relation: &Relation) -> String {
    format!("{}.{}", engine.quote_identifier(&relation.schema), engine.quote_identifier(&relation.name))
}

/// What keeps a server from moving predicates into a derived table.
fn fence(engine: Engine) -> &'static str {
    match engine {
        Engine::Postgres => " OFFSET 0",
        Engine::MySql => " LIMIT 18446744073709551615",
    }
}
