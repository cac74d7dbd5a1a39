//! What names mean for one role: the catalog, the schemas searched, and what the rules say.

use std::sync::Arc;

use super::refusal::Refusal;
use super::resolved::ExpandedView;
use super::temporary::TEMPORARY_SCHEMA;
use crate::catalog::known::{BuiltinRule, SystemView};
use crate::catalog::{Relation, Snapshot};
use crate::policy::RelationAccess;
use crate::sql::Engine;
use crate::sql::mysql::SqlMode;

/// What the rules say of the things that names refer to.
pub trait Rules {
    /// What the role may do with a relation and how it sees it.
    fn access(&self, relation: &Relation) -> Arc<RelationAccess>;
    /// A view's definition, resolved for the role.
    fn expand(&self, view: &Relation) -> Result<Arc<ExpandedView>, Refusal>;
    /// Whether the role was granted `call` on a function, or the function is declared safe.
    fn may_call(&self, schema: &str, function: &str) -> bool;
    /// How a relation of the server's own catalogs appears.
    fn system(&self, relation: &Relation) -> SystemView;
    /// What may be done with a built-in function.
    fn builtin(&self, function: &str) -> BuiltinRule;
    /// Whether the role was granted `create` for an object of this name.
    fn may_create(&self, schema: &str, object: &str) -> bool;
    /// Whether the role was granted `drop` for an object of this name.
    fn may_drop(&self, schema: &str, object: &str) -> bool;
    /// Whether functions and operators of an extension that are immutable only compute.
    fn computes(&self, extension: &str) -> bool;
    /// Whether reading a setting or system variable is harmless.
    fn may_read_setting(&self, name: &str) -> bool;
    /// The settings that may be read where their names are not in the text, in lower case; `None` is every one.
    fn readable_settings(&self) -> Option<Vec<&'static str>>;
    /// Whether a user variable of MySQL may be read, its name without `@`.
    fn may_read_variable(&self, name: &str) -> bool;
    /// The columns that the row filters of a relation read, by position.
    fn filter_columns(&self, relation: &Relation) -> Vec<usize>;
}

/// Everything that resolving depends on.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// The catalog.
    pub snapshot: &'a Snapshot,
    /// The rules, for one role.
    pub rules: &'a dyn Rules,
    /// PostgreSQL: the schemas that unqualified names are looked for in, `pg_catalog` not among them. MySQL: the current
    /// database, if there is one.
    pub search_path: &'a [Box<str>],
    /// MySQL: how the text was read.
    pub sql_mode: SqlMode,
    /// The name of the role, for messages.
    pub role: &'a str,
    /// Whether a view's definition is resolved: its author's grants count, not the role's.
    pub inside_view: bool,
    /// Whether names can mean what only the session has, its temporary tables for example. Never those in rules and views: the session would choose
    /// what they read.
    pub sees_temporary: bool,
    /// PostgreSQL: parameters are of no type but that of what they are compared with, or of one that is converted itself.
    pub plain_parameters: bool,
}

impl<'a> World<'a> {
    /// The family of the server.
    pub fn engine(&self) -> Engine {
        self.snapshot.engine()
    }

    /// The relation that a name means. On PostgreSQL the session's temporary tables come first, then `pg_catalog`,
    /// as on the server.
    pub fn relation(&self, schema: Option<&str>, name: &str) -> Option<&'a Relation> {
        match (schema, self.engine()) {
            (Some(schema), _) => self.find(schema, name),
            (None, Engine::Postgres) => self
                .find(TEMPORARY_SCHEMA, name)
                .or_else(|| self.snapshot.find("pg_catalog", name))
                .or_else(|| self.search_path.iter().find_map(|schema| self.find(schema, name))),
            (None, Engine::MySql) => self.search_path.first().and_then(|schema| self.find(schema, name)),
        }
    }

    fn find(&self, schema: &str, name: &str) -> Option<&'a Relation> {
        // Rules and views mean what the catalog has of this name, which the open transaction gave to something else.
        if !self.sees_temporary && self.snapshot.is_gone(schema, name) {
            return None;
        }
        let found = self.snapshot.find(schema, name)?;
        (self.sees_temporary || !self.snapshot.is_temporary(found.id)).then_some(found)
    }

    /// Whether two names of columns or aliases are one to the server.
    pub fn same_name(&self, a: &str, b: &str) -> bool {
        match self.engine() {
            Engine::Postgres => a == b,
            Engine::MySql => a == b || a.to_lowercase() == b.to_lowercase(),
        }
    }

    /// Whether a schema is the server's own.
    pub fn is_system_schema(&self, schema: &str) -> bool {
        match self.engine() {
            Engine::Postgres => matches!(schema, "pg_catalog" | "information_schema"),
            Engine::MySql => ["information_schema", "performance_schema", "mysql", "sys"]
                .iter()
                .any(|system| schema.eq_ignore_ascii_case(system)),
        }
    }
}
