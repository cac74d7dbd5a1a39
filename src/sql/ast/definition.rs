//! Statements that make, change or drop objects.

use super::{Expr, Name, ObjectName, Statement, Tokens, TypeName};

/// Objects that store a query.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word of its own of the statement")]
pub struct CreateAs {
    /// Table, view or materialized view.
    pub kind: CreateAsKind,
    /// Its name.
    pub name: ObjectName,
    /// `(a, b)` behind the name; on MySQL column definitions' names.
    pub columns: Vec<Name>,
    /// TEMP.
    pub temporary: bool,
    /// ON COMMIT DROP.
    pub drops_on_commit: bool,
    /// OR REPLACE.
    pub replace: bool,
    /// IF NOT EXISTS (PostgreSQL).
    pub if_not_exists: bool,
    /// RECURSIVE (views).
    pub recursive: bool,
    /// AS; `Statement::Execute` for CREATE TABLE AS EXECUTE.
    pub source: Statement,
    /// From CREATE on.
    pub tokens: Tokens,
}

/// What a query is stored as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreateAsKind {
    /// A table.
    Table,
    /// A view.
    View,
    /// A materialized view.
    MaterializedView,
}

/// A statement that makes, changes or drops objects.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word of its own of the statement")]
pub struct Ddl {
    /// What it does.
    pub action: DdlAction,
    /// `TABLE`, `INDEX`, `MATERIALIZED VIEW`, `SEQUENCE`, `SCHEMA`, `FUNCTION`, `ROLE` … in upper case.
    pub object: Box<str>,
    /// The objects; for an index, trigger, policy or rule the table it is on.
    pub names: Vec<ObjectName>,
    /// TEMP.
    pub temporary: bool,
    /// ON COMMIT DROP.
    pub drops_on_commit: bool,
    /// IF EXISTS of DROP.
    pub if_exists: bool,
    /// IF NOT EXISTS of CREATE TABLE (PostgreSQL).
    pub if_not_exists: bool,
    /// A table that has more columns than those defined: LIKE, INHERITS, OF, PARTITION OF (PostgreSQL).
    pub takes_columns: bool,
    /// What ALTER TABLE does to columns, in order (PostgreSQL).
    pub column_changes: Vec<ColumnChange>,
    /// Other relations mentioned: REFERENCES, LIKE, INHERITS, PARTITION OF, ATTACH PARTITION, OWNED BY.
    pub references: Vec<ObjectName>,
    /// The names of the columns that CREATE TABLE defines.
    pub columns: Vec<Name>,
    /// Every expression: defaults, checks, index expressions, generated columns.
    pub expressions: Vec<Expr>,
    /// Every type named.
    pub types: Vec<TypeName>,
    /// The words CASCADE.
    pub cascades: Vec<u32>,
    /// RENAME TO of the object itself.
    pub new_name: Option<Name>,
    /// SET SCHEMA.
    pub new_schema: Option<Name>,
    /// Whether the grammar read every clause; otherwise the statement is known by action, object and names only and
    /// never runs for a restricted role.
    pub complete: bool,
}

/// What ALTER TABLE does to a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnChange {
    /// ADD COLUMN.
    Add(Name),
    /// DROP COLUMN.
    Drop(Name),
    /// RENAME COLUMN.
    Rename {
        /// Its name.
        from: Name,
        /// Its new name.
        to: Name,
    },
    /// ALTER COLUMN … TYPE.
    Retype(Name),
}

/// What a [`Ddl`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DdlAction {
    /// CREATE.
    Create,
    /// ALTER, RENAME.
    Alter,
    /// DROP.
    Drop,
    /// TRUNCATE.
    Truncate,
    /// COMMENT ON.
    Comment,
    /// GRANT, REVOKE.
    Grant,
    /// REFRESH MATERIALIZED VIEW.
    Refresh,
    /// REINDEX of an index or a table.
    Reindex,
}

impl DdlAction {
    /// The statement's first word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Alter => "ALTER",
            Self::Drop => "DROP",
            Self::Truncate => "TRUNCATE",
            Self::Comment => "COMMENT ON",
            Self::Grant => "GRANT",
            Self::Refresh => "REFRESH",
            Self::Reindex => "REINDEX",
        }
    }
}
