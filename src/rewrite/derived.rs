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
    /// Partitions, TABLESAMPLE, index hints.
    pub behind: &'a str,
    /// `FOR UPDATE` and the like.
    pub lock: Option<&'a str>,
    /// For each column whether it has to be there; `None` is every one.
    pub used: Option<&'a [bool]>,
}

impl Options<'_> {
    fn needs(&self, column: usize) -> bool {
        self.used.is_none_or(|used| used.get(column).copied().unwrap_or(true))
    }
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
    let mut columns = Vec::new();
    for (position, (column, access)) in relation.columns.iter().zip(&access.columns).enumerate() {
        let name = engine.quote_identifier(&column.name);
        match &access.treatment {
            Treatment::Denied => {}
            Treatment::Raw | Treatment::Masked(_) if !options.needs(position) => {}
            Treatment::Raw => columns.push(name),
            Treatment::Masked(mask) => {
                columns.push(format!("{} AS {name}", masks::render(engine, mask, column, &name, &context)?));
            }
        }
    }
    if columns.is_empty() && engine == Engine::MySql {
        columns.push(placeholder(relation, access));
    }
    let mut sql = format!("(SELECT {}", columns.join(", "));
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
    if options.fence {
        sql.push_str(fence(engine));
    }
    if let Some(lock) = options.lock {
        let _ = write!(sql, " {lock}");
    }
    sql.push(')');
    Ok(sql)
}

/// MySQL wants a column where none is asked for: one of the relation's own, so that no join by name finds it on both sides.
fn placeholder(relation: &Relation, access: &RelationAccess) -> String {
    let mut columns = relation.columns.iter().zip(&access.columns);
    match columns.find(|(_, access)| access.treatment != Treatment::Denied) {
        Some((column, access)) if access.treatment == Treatment::Raw => Engine::MySql.quote_identifier(&column.name),
        Some((column, _)) => format!("NULL AS {}", Engine::MySql.quote_identifier(&column.name)),
        None => "NULL".to_owned(),
    }
}

/// A relation's full name.
pub fn qualified(engine: Engine, relation: &Relation) -> String {
    format!("{}.{}", engine.quote_identifier(&relation.schema), engine.quote_identifier(&relation.name))
}

/// What keeps a server from moving predicates into a derived table: PostgreSQL's planner pulls up no sub-select with
/// OFFSET; MySQL and MariaDB neither merge a derived table with LIMIT nor push conditions into it, whatever
/// `optimizer_switch` says.
fn fence(engine: Engine) -> &'static str {
    match engine {
        Engine::Postgres => " OFFSET 0",
        Engine::MySql => " LIMIT 18446744073709551615",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Column, ColumnType, TypeClass};
    use crate::policy::{ColumnAccess, MaskSpec, Verbs};

    /// `shop.customers` with a plain, a masked and a denied column, as `(name, treatment)`.
    fn customers(treatments: &[(&str, Treatment)]) -> (Relation, RelationAccess) {
        let columns = treatments.iter().zip(1..).map(|((name, _), number)| Column {
            name: (*name).into(),
            number,
            ty: ColumnType::new(25, TypeClass::Text, "text"),
            not_null: false,
            generated: None,
        });
        let relation = Relation {
            schema: "shop".into(),
            name: "customers".into(),
            columns: columns.collect(),
            ..Relation::default()
        };
        let columns = treatments.iter().map(|(_, treatment)| ColumnAccess {
            treatment: treatment.clone(),
            rule: None,
            writable: false,
        });
        let access =
            RelationAccess { verbs: Verbs::ALL, columns: columns.collect(), filters: Vec::new(), trusted: None };
        (relation, access)
    }

    fn mixed() -> Vec<(&'static str, Treatment)> {
        let redact = Treatment::Masked(Arc::new(MaskSpec::Redact { with: '*' }));
        vec![("id", Treatment::Raw), ("email", redact), ("salary", Treatment::Denied), ("no\"te", Treatment::Raw)]
    }

    fn sql(engine: Engine, treatments: &[(&str, Treatment)], filters: &[&str], options: Options<'_>) -> String {
        let (relation, access) = customers(treatments);
        let filters: Vec<String> = filters.iter().map(|filter| (*filter).to_owned()).collect();
        render(engine, &relation, &access, &filters, &[], options).unwrap()
    }

    #[test]
    fn columns_stand_in_order_without_the_denied_ones() {
        assert_eq!(
            sql(Engine::Postgres, &mixed(), &[], Options::default()),
            r#"(SELECT "id", pg_catalog.repeat('*', pg_catalog.length("email")) AS "email", "no""te" FROM "shop"."customers")"#
        );
    }

    #[test]
    fn filters_are_joined_and_fenced() {
        let options = Options { fence: true, only: true, behind: "TABLESAMPLE system (1)", ..Options::default() };
        assert_eq!(
            sql(Engine::Postgres, &[("id", Treatment::Raw)], &["a or b", "c"], options),
            r#"(SELECT "id" FROM ONLY "shop"."customers" TABLESAMPLE system (1) WHERE (a or b) AND (c) OFFSET 0)"#
        );
        let options = Options { fence: true, ..Options::default() };
        assert_eq!(
            sql(Engine::MySql, &[("id", Treatment::Raw)], &["a"], options),
            "(SELECT `id` FROM `shop`.`customers` WHERE (a) LIMIT 18446744073709551615)"
        );
    }

    #[test]
    fn columns_that_nobody_asks_for_are_left_out() {
        let used = [true, false, false, true];
        let options = Options { fence: true, used: Some(&used), ..Options::default() };
        assert_eq!(
            sql(Engine::MySql, &mixed(), &["f"], options),
            "(SELECT `id`, `no\"te` FROM `shop`.`customers` WHERE (f) LIMIT 18446744073709551615)"
        );
        let used = [false, true, true, false];
        let options = Options { used: Some(&used), ..Options::default() };
        assert_eq!(
            sql(Engine::Postgres, &mixed(), &[], options),
            r#"(SELECT pg_catalog.repeat('*', pg_catalog.length("email")) AS "email" FROM "shop"."customers")"#
        );
    }

    #[test]
    fn rows_are_counted_without_any_column() {
        let options = Options { used: Some(&[false; 4]), ..Options::default() };
        assert_eq!(sql(Engine::Postgres, &mixed(), &[], options), r#"(SELECT  FROM "shop"."customers")"#);
        assert_eq!(sql(Engine::MySql, &mixed(), &[], options), "(SELECT `id` FROM `shop`.`customers`)");
    }

    #[test]
    fn a_table_without_visible_columns_still_has_rows() {
        let denied = [("id", Treatment::Denied)];
        assert_eq!(sql(Engine::Postgres, &denied, &[], Options::default()), r#"(SELECT  FROM "shop"."customers")"#);
        assert_eq!(sql(Engine::MySql, &denied, &[], Options::default()), "(SELECT NULL FROM `shop`.`customers`)");
    }
}
