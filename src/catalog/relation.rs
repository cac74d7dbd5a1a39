//! Tables, views and their like.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::types::ColumnType;

/// Names a relation inside one [`Snapshot`](super::Snapshot).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct RelationId(pub u32);

/// What sort of relation an entry of the catalog is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum RelationKind {
    /// An ordinary table, or a partition that holds rows.
    #[default]
    Table,
    /// The root or an inner node of a partition tree.
    PartitionedTable,
    /// A view; [`Relation::definition`] holds its query.
    View,
    /// A materialized view; [`Relation::definition`] holds its query.
    MaterializedView,
    /// A table of another server.
    ForeignTable,
    /// A sequence.
    Sequence,
}

/// One column of a relation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// The name, exactly as the server stores it.
    pub name: Box<str>,
    /// `pg_attribute.attnum`, which result descriptions carry; ordinal position on MySQL.
    pub number: i16,
    /// The type.
    pub ty: ColumnType,
    /// Whether NULL is ruled out.
    pub not_null: bool,
    /// The expression of a generated column.
    pub generated: Option<Box<str>>,
}

/// `WITH CHECK OPTION` of a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CheckOption {
    /// New rows are checked against this view's condition.
    Local,
    /// New rows are checked against the conditions of all views below, too.
    Cascaded,
}

/// Where a foreign table's rows come from, as far as the server says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignSource {
    /// The foreign-data wrapper, `postgres_fdw` for example.
    pub wrapper: Arc<str>,
    /// The server's name.
    pub server: Arc<str>,
    /// Options of the server and of the table that say where, of: `host`, `hostaddr`, `port`, `dbname`, `schema_name`,
    /// `table_name`; a `column_name` where some column goes by another name there.
    pub options: Vec<(Arc<str>, Arc<str>)>,
}

/// What the server does with rows whose foreign key loses its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyAction {
    /// `NO ACTION`, `RESTRICT`.
    Refuse,
    /// `CASCADE`.
    Cascade,
    /// `SET NULL`, `SET DEFAULT`.
    Set,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignKey {
    /// The table that refers.
    pub child: RelationId,
    /// Positions of its columns.
    pub columns: Vec<usize>,
    /// The table referred to.
    pub parent: RelationId,
    /// Positions of the columns there.
    pub parent_columns: Vec<usize>,
    /// When the row there is deleted.
    pub on_delete: KeyAction,
    /// When its key changes.
    pub on_update: KeyAction,
}

/// An index of PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// `pg_class.oid`.
    pub oid: u32,
    /// Its name.
    pub name: Box<str>,
}

/// A table, view or the like.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Relation {
    /// Its place in the snapshot.
    pub id: RelationId,
    /// `pg_class.oid`, which result descriptions carry; 0 on MySQL.
    pub oid: u32,
    /// The schema; on MySQL the database.
    pub schema: Box<str>,
    /// The name, exactly as the server stores it.
    pub name: Box<str>,
    /// What sort of relation it is.
    pub kind: RelationKind,
    /// Live columns in the server's order.
    pub columns: Vec<Column>,
    /// Positions in `columns` of the primary key; empty without one.
    pub primary_key: Vec<usize>,
    /// Positions in `columns` of each unique constraint or index over plain columns and all rows, the primary key's too.
    pub unique: Vec<Vec<usize>>,
    /// Whether rows are unique by more than that: by expressions or parts of columns. Read on MySQL only.
    pub unique_by_parts: bool,
    /// Direct parents: the partitioned table, or the tables inherited from.
    pub parents: Vec<RelationId>,
    /// Its indexes, which stand in its schema (PostgreSQL); empty on MySQL.
    pub indexes: Vec<Index>,
    /// The query of a view, every name in it outside `pg_catalog` schema-qualified, without a semicolon.
    pub definition: Option<Box<str>>,
    /// A view with `security_barrier`.
    pub security_barrier: bool,
    /// What a view demands of rows written through it.
    pub check_option: Option<CheckOption>,
    /// The extension that brought it.
    pub extension: Option<Arc<str>>,
    /// Where a foreign table's rows come from.
    pub foreign: Option<Box<ForeignSource>>,
}

impl Relation {
    /// The position of a column by exact name.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| &*c.name == name)
    }
}
