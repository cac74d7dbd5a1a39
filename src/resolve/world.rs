//! What names mean for one role: the catalog, the schemas searched, and what the rules say.

use std::sync::Arc;

use crate::catalog::known::{BuiltinRule, SystemView};
use crate::catalog::{Relation, Snapshot};
use crate::policy::RelationAccess;

/// What the rules say of the things that names refer to.
pub trait Rules {
    /// What the role may do with a relation and how it sees it.
    fn access(&self, relation: &Relation) -> Arc<RelationAccess>;
    /// Whether the role was granted `call` on a function, or the function is declared safe.
    fn may_call(&self, schema: &str, function: &str) -> bool;
    /// How a relation of `pg_catalog` or `information_schema` appears.
    fn system(&self, relation: &Relation) -> SystemView;
    /// What may be done with a built-in function.
    fn builtin(&self, function: &str) -> BuiltinRule;
    /// Whether functions and operators of an extension that are immutable only compute.
    fn computes(&self, extension: &str) -> bool;
    /// Whether reading or changing a setting is harmless.
    fn setting(&self, name: &str) -> bool;
}

/// Everything that resolving depends on.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// The catalog.
    pub snapshot: &'a Snapshot,
    /// The rules, for one role.
    pub rules: &'a dyn Rules,
    /// The schemas that unqualified names are looked for in, `pg_catalog` not among them.
    pub search_path: &'a [Box<str>],
    /// How deep views are nested here.
    pub view_depth: usize,
}

impl<'a> World<'a> {
    /// The relation that a name means; `pg_catalog` comes first, as on the server.
    pub fn relation(&self, schema: Option<&str>, name: &str) -> Option<&'a Relation> {
        match schema {
            Some(schema) => self.snapshot.find(schema, name),
            None => self
                .snapshot
                .find("pg_catalog", name)
                .or_else(|| self.search_path.iter().find_map(|schema| self.snapshot.find(schema, name))),
        }
    }
}

/// Whether a schema is the server's own.
pub fn is_system_schema(schema: &str) -> bool {
    matches!(schema, "pg_catalog" | "information_schema")
}
