//! The immutable picture of one source.

use std::collections::HashMap;
use std::sync::Arc;

use super::types::ColumnType;
use crate::sql::Engine;

/// Names a relation inside one [`Snapshot`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RelationId(pub u32);

/// What sort of relation an entry of the catalog is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RelationKind {
    /// An ordinary table, or a partition that holds rows.
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
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// A table, view or the like.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// Direct parents: the partitioned table, or the tables inherited from.
    pub parents: Vec<RelationId>,
    /// The query of a view, every name in it schema-qualified.
    pub definition: Option<Box<str>>,
}

impl Relation {
    /// The position of a column by exact name.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| &*c.name == name)
    }
}

/// What sort of function an entry is (`pg_proc.prokind`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FunctionKind {
    /// A plain function.
    Function,
    /// A procedure, run with `CALL`.
    Procedure,
    /// An aggregate.
    Aggregate,
    /// A window function.
    Window,
}

/// What a function promises about its results (`pg_proc.provolatile`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Volatility {
    /// Same arguments, same result, for ever.
    Immutable,
    /// Same result within one statement.
    Stable,
    /// Anything goes.
    Volatile,
}

/// A function of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// `pg_proc.oid`.
    pub oid: u32,
    /// The schema it stands in.
    pub schema: Box<str>,
    /// Its name; several functions may share it.
    pub name: Box<str>,
    /// Plain function, procedure, aggregate or window function.
    pub kind: FunctionKind,
    /// What it promises.
    pub volatility: Volatility,
    /// `internal`, `c`, `sql`, `plpgsql` …
    pub language: Box<str>,
    /// The extension that brought it.
    pub extension: Option<Box<str>>,
    /// Whether it returns a set.
    pub returns_set: bool,
}

/// An operator that is not built in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserOperator {
    /// The schema it stands in.
    pub schema: Box<str>,
    /// The extension that brought it.
    pub extension: Option<Box<str>>,
}

/// Everything known about one source at one moment. Cheap to share, never changed.
#[derive(Debug, Default)]
pub struct Snapshot {
    version: u64,
    source: Arc<str>,
    engine: Option<Engine>,
    server_version: u32,
    database: Box<str>,
    search_path: Vec<Box<str>>,
    lower_case_table_names: u8,
    children: HashMap<RelationId, Vec<RelationId>>,
    relations: Vec<Relation>,
    by_name: HashMap<Box<str>, HashMap<Box<str>, RelationId>>,
    by_oid: HashMap<u32, RelationId>,
    functions: HashMap<Box<str>, Vec<Function>>,
    operators: HashMap<Box<str>, Vec<UserOperator>>,
}

impl Snapshot {
    /// Grows with each refresh; plans made with another version are made again.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The name of the source.
    pub fn source(&self) -> &Arc<str> {
        &self.source
    }

    /// The family of the server.
    pub fn engine(&self) -> Engine {
        self.engine.unwrap_or(Engine::Postgres)
    }

    /// `server_version_num`, for example 150018.
    pub fn server_version(&self) -> u32 {
        self.server_version
    }

    /// The database on the server; clients may write it before a schema (PostgreSQL).
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The schemas that a new session of the proxy's account searches, in order, `"$user"` and absent ones left out.
    pub fn search_path(&self) -> &[Box<str>] {
        &self.search_path
    }

    /// MySQL's `lower_case_table_names`: 0 is names of tables and databases with case, 1 and 2 without.
    pub fn lower_case_table_names(&self) -> u8 {
        self.lower_case_table_names
    }

    /// All relations; a [`RelationId`] is the position here.
    pub fn relations(&self) -> &[Relation] {
        &self.relations
    }

    /// A relation by its place.
    pub fn relation(&self, id: RelationId) -> Option<&Relation> {
        self.relations.get(usize::try_from(id.0).ok()?)
    }

    /// A relation by schema and name, both exact.
    pub fn find(&self, schema: &str, name: &str) -> Option<&Relation> {
        self.by_name.get(schema)?.get(name).and_then(|id| self.relation(*id))
    }

    /// The direct partitions or inheritance children of a relation.
    pub fn children(&self, id: RelationId) -> &[RelationId] {
        self.children.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Whether a schema with at least one relation exists.
    pub fn has_schema(&self, schema: &str) -> bool {
        self.by_name.contains_key(schema)
    }

    /// A relation by the number that result descriptions carry.
    pub fn by_oid(&self, oid: u32) -> Option<&Relation> {
        self.by_oid.get(&oid).and_then(|id| self.relation(*id))
    }

    /// All functions of a name, in every schema, `pg_catalog` included.
    pub fn functions(&self, name: &str) -> &[Function] {
        self.functions.get(name).map_or(&[], Vec::as_slice)
    }

    /// The operators of this name outside `pg_catalog`.
    pub fn user_operators(&self, name: &str) -> &[UserOperator] {
        self.operators.get(name).map_or(&[], Vec::as_slice)
    }
}

/// Collects what a loader reads and makes the [`Snapshot`].
#[derive(Debug, Default)]
pub struct SnapshotBuilder {
    snapshot: Snapshot,
}

impl SnapshotBuilder {
    /// Starts a snapshot of a source.
    pub fn new(version: u64, source: impl Into<Arc<str>>, engine: Engine, server_version: u32) -> Self {
        Self {
            snapshot: Snapshot {
                version,
                source: source.into(),
                engine: Some(engine),
                server_version,
                ..Snapshot::default()
            },
        }
    }

    /// Sets the database's name on the server.
    pub fn database(&mut self, name: impl Into<Box<str>>) {
        self.snapshot.database = name.into();
    }

    /// Sets the schemas searched by default.
    pub fn search_path(&mut self, schemas: Vec<Box<str>>) {
        self.snapshot.search_path = schemas;
    }

    /// Sets MySQL's `lower_case_table_names`.
    pub fn lower_case_table_names(&mut self, value: u8) {
        self.snapshot.lower_case_table_names = value;
    }

    /// Adds a relation; its `id` is assigned here and returned.
    pub fn relation(&mut self, mut relation: Relation) -> RelationId {
        let id = RelationId(u32::try_from(self.snapshot.relations.len()).unwrap_or(u32::MAX));
        relation.id = id;
        self.snapshot.by_name.entry(relation.schema.clone()).or_default().insert(relation.name.clone(), id);
        if relation.oid != 0 {
            self.snapshot.by_oid.insert(relation.oid, id);
        }
        self.snapshot.relations.push(relation);
        id
    }

    /// A relation added before, to complete it (parents, keys, definition).
    pub fn relation_mut(&mut self, id: RelationId) -> Option<&mut Relation> {
        self.snapshot.relations.get_mut(usize::try_from(id.0).ok()?)
    }

    /// Adds a function.
    pub fn function(&mut self, function: Function) {
        self.snapshot.functions.entry(function.name.clone()).or_default().push(function);
    }

    /// Notes an operator of a schema other than `pg_catalog`.
    pub fn operator(&mut self, name: Box<str>, operator: UserOperator) {
        self.snapshot.operators.entry(name).or_default().push(operator);
    }

    /// The finished snapshot.
    pub fn build(mut self) -> Snapshot {
        let mut children: HashMap<RelationId, Vec<RelationId>> = HashMap::new();
        for relation in &self.snapshot.relations {
            for parent in &relation.parents {
                children.entry(*parent).or_default().push(relation.id);
            }
        }
        self.snapshot.children = children;
        self.snapshot
    }
}
