//! The server's own catalogs as a role sees them: without what reveals data, and about the role's relations only.

use std::collections::BTreeSet;

use super::virtual_database::VirtualDatabase;
use crate::catalog::Relation;
use crate::catalog::known::is_system;
use crate::catalog::known::{About, SystemView};
use crate::resolve::{Refusal, Rules};
use crate::rewrite::derived;
use crate::sql::Engine;

/// PostgreSQL gives objects of users numbers from here on (`FirstNormalObjectId`).
const FIRST_USER_OID: u32 = 16384;

/// Renders the derived table for a system relation; `None` where it is shown as it is. `system_columns` are those that
/// the statement names, `tableoid` for example.
pub(super) fn render(
    database: &VirtualDatabase,
    relation: &Relation,
    view: SystemView,
    system_columns: &[&'static str],
) -> Result<Option<String>, Refusal> {
    let rule = match view {
        SystemView::Open => return Ok(None),
        SystemView::Replaced(rule) => rule,
        SystemView::Refused(why) => return Err(Refusal::forbidden("a system relation may not be read").because(why)),
    };
    let engine = database.engine();
    let columns = relation.columns.iter().map(|column| {
        let name = engine.quote_identifier(&column.name);
        match rule.replacement(&column.name) {
            None => name,
            Some("NULL") => format!("{} AS {name}", null_of(engine, &column.ty.sql)),
            Some(sql) => format!("{sql} AS {name}"),
        }
    });
    let columns: Vec<String> = columns.chain(system_columns.iter().map(ToString::to_string)).collect();
    let visible = Visible::new(database);
    let mut conditions: Vec<String> = rule.filter.iter().map(|filter| format!("({filter})")).collect();
    conditions.extend(rule.about.iter().filter_map(|about| visible.condition(engine, *about)));
    let mut sql = format!("(SELECT {} FROM {}", columns.join(", "), derived::qualified(engine, relation));
    if !conditions.is_empty() {
        sql.push_str(" WHERE ");
        sql.push_str(&conditions.join(" AND "));
    }
    sql.push(')');
    Ok(Some(sql))
}

fn null_of(engine: Engine, ty: &str) -> String {
    match engine {
        Engine::Postgres => format!("CAST(NULL AS {ty})"),
        Engine::MySql => "NULL".to_owned(),
    }
}

/// The relations and schemas that a role can see.
struct Visible {
    /// Whether nothing is hidden, so that no condition is needed.
    everything: bool,
    oids: Vec<String>,
    names: Vec<String>,
    schemas: Vec<String>,
    /// Schemas whose names are no secret: those of `schemas`, and what a session of anybody's reaches unqualified or by
    /// extensions. Drivers look for the types of extensions by schema.
    named: Vec<String>,
}

impl Visible {
    fn new(database: &VirtualDatabase) -> Self {
        let engine = database.engine();
        let rules = database.rules();
        let mut visible =
            Self { everything: true, oids: Vec::new(), names: Vec::new(), schemas: Vec::new(), named: Vec::new() };
        let mut schemas: BTreeSet<&str> = BTreeSet::new();
        for relation in database.snapshot().relations() {
            if is_system(engine, &relation.schema) {
                continue;
            }
            if rules.access(relation).verbs.is_empty() {
                visible.everything = false;
                continue;
            }
            visible.oids.push(relation.oid.to_string());
            visible.names.push(format!("({}, {})", literal(&relation.schema), literal(&relation.name)));
            schemas.insert(&relation.schema);
        }
        visible.schemas = schemas.iter().map(|schema| literal(schema)).collect();
        if engine == Engine::Postgres {
            let snapshot = database.snapshot();
            let of_extensions = snapshot.every_function().filter(|function| function.extension.is_some());
            schemas.extend(of_extensions.map(|function| &*function.schema));
            schemas.extend(snapshot.search_path().iter().map(|schema| &**schema));
            schemas.insert("public");
        }
        visible.named = schemas.into_iter().map(literal).collect();
        visible
    }

    /// The condition that a row is about nothing that is hidden.
    fn condition(&self, engine: Engine, about: About) -> Option<String> {
        if self.everything {
            return None;
        }
        Some(match about {
            About::Relation(column) => self.relation(&engine.quote_identifier(column)),
            About::Object(class, column) => format!(
                "({} <> 'pg_catalog.pg_class'::pg_catalog.regclass OR {})",
                engine.quote_identifier(class),
                self.relation(&engine.quote_identifier(column))
            ),
            About::Names(schema, name) => self.names(engine, schema, name),
            About::Schema(column) => self.schema(engine, column),
            About::SchemaOid(column) => format!(
                "({} < {FIRST_USER_OID} OR {0} IN (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname IN ({})))",
                engine.quote_identifier(column),
                list(&self.schemas)
            ),
        })
    }

    fn relation(&self, column: &str) -> String {
        let oids = format!("'{{{}}}'::pg_catalog.oid[]", self.oids.join(","));
        format!(
            "({column} IS NULL OR {column} < {FIRST_USER_OID} OR {column} = ANY ({oids}) OR {column} IN \
             (SELECT indexrelid FROM pg_catalog.pg_index WHERE indrelid = ANY ({oids})))"
        )
    }

    fn names(&self, engine: Engine, schema: &str, name: &str) -> String {
        let (schema, name) = (engine.quote_identifier(schema), engine.quote_identifier(name));
        match engine {
            Engine::Postgres => format!(
                "({name} IS NULL OR {schema} IN ('pg_catalog', 'information_schema') OR \
                 ({schema}::pg_catalog.text, {name}::pg_catalog.text) IN ({}))",
                list_of_pairs(&self.names)
            ),
            Engine::MySql => format!(
                "({name} IS NULL OR {schema} = 'information_schema' OR ({schema}, {name}) IN ({}))",
                list_of_pairs(&self.names)
            ),
        }
    }

    fn schema(&self, engine: Engine, column: &str) -> String {
        let column = engine.quote_identifier(column);
        format!("({column} IS NULL OR {column} IN ('pg_catalog', 'information_schema', {}))", list(&self.named))
    }
}

fn list(items: &[String]) -> String {
    if items.is_empty() { "NULL".to_owned() } else { items.join(", ") }
}

fn list_of_pairs(items: &[String]) -> String {
    if items.is_empty() { "(NULL, NULL)".to_owned() } else { items.join(", ") }
}

/// A string that reads the same whatever the server makes of backslashes.
fn literal(text: &str) -> String {
    if text.contains('\\') { "NULL".to_owned() } else { format!("'{}'", text.replace('\'', "''")) }
}
