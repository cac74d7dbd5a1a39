//! What is known beforehand about a server's built-in functions, catalogs and settings: reviewed lists, each family
//! with its reason. What is in no list is refused, so that a new server version adds nothing unseen.
//!
//! In: a name. Out: a rule about it. Never knows: snapshots, roles, statements.

mod families;
pub mod mysql;
pub mod postgres;

use families::Families;

use crate::sql::Engine;

/// Whether a schema is the server's own.
pub fn is_system(engine: Engine, schema: &str) -> bool {
    match engine {
        Engine::Postgres => matches!(schema, "pg_catalog" | "information_schema"),
        Engine::MySql => matches!(
            schema.to_ascii_lowercase().as_str(),
            "information_schema" | "performance_schema" | "mysql" | "sys"
        ),
    }
}

/// How a relation of the server's own catalogs appears to restricted roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemView {
    /// As it is.
    Open,
    /// Some columns replaced, some rows left out.
    Replaced(&'static SystemRule),
    /// Not at all, and why.
    Refused(&'static str),
}

impl SystemView {
    /// What stands in the place of a column: `None` is the column itself, `"NULL"` a NULL of the column's type.
    pub fn replacement(self, column: &str) -> Option<&'static str> {
        match self {
            Self::Open => None,
            Self::Replaced(rule) => rule.replacement(column),
            Self::Refused(_) => Some("NULL"),
        }
    }
}

/// The change to a relation of the server's own catalogs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SystemRule {
    /// Which columns are shown.
    pub columns: SystemColumns,
    /// SQL over the relation's columns that rows have to satisfy.
    pub filter: Option<&'static str>,
    /// Which relations or schemas a row is about. A row is left out when the role cannot see one of them.
    pub about: &'static [About],
}

impl SystemRule {
    /// What stands in the place of a column, by name without case: `None` is the column itself, `"NULL"` a NULL of the
    /// column's type.
    pub fn replacement(&self, column: &str) -> Option<&'static str> {
        match self.columns {
            SystemColumns::All => None,
            SystemColumns::Except(list) => {
                list.iter().find(|(name, _)| name.eq_ignore_ascii_case(column)).map(|(_, sql)| *sql)
            }
            SystemColumns::Only(list) => (!list.iter().any(|name| name.eq_ignore_ascii_case(column))).then_some("NULL"),
        }
    }
}

/// Which columns of a system relation are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemColumns {
    /// Every one.
    All,
    /// Every one but these, each with the SQL in its place; `NULL` stands for a NULL of the column's type.
    Except(&'static [(&'static str, &'static str)]),
    /// These; all others, those of later versions too, are NULL.
    Only(&'static [&'static str]),
}

/// Which relation or schema a row of a system relation is about, by columns of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// The column holds `pg_class.oid`, of a table, view, sequence or index. NULL and 0 are about none.
    Relation(&'static str),
    /// Two columns hold schema and name of a relation. NULL is about none.
    Names(&'static str, &'static str),
    /// The second column holds the oid of an object of the catalog whose oid the first holds; about a relation
    /// only if the first is `pg_class`.
    Object(&'static str, &'static str),
    /// The column holds the name of a schema. NULL is about none.
    Schema(&'static str),
    /// The column holds `pg_namespace.oid`.
    SchemaOid(&'static str),
}

/// What may be done with a built-in function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuiltinRule {
    /// It only computes.
    Allowed,
    /// Allowed with a literal first argument that names a harmless setting (`current_setting`).
    SettingName,
    /// Tools ask for it, but its answer shows what the role may not see: the call is replaced by a NULL of this type.
    Withheld(&'static str),
    /// Refused, and why.
    Refused(&'static str),
    /// In no list.
    Unknown,
}

/// What may be done with a setting or a system variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingRule {
    /// Reading and changing it for the session is harmless.
    Harmless,
    /// It may be read. Changing it is refused, and why; giving it the value it has is no change.
    Pinned(&'static str),
    /// Neither, and why.
    Refused(&'static str),
}

impl SettingRule {
    /// Whether SHOW may give its value.
    pub fn may_read(self) -> bool {
        !matches!(self, Self::Refused(_))
    }
}
