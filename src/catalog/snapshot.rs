//! The immutable picture of one source.

use std::borrow::Cow;
use std::sync::Arc;

use foldhash::{HashMap, HashSet};

use super::function::{Function, UserOperator, UserType};
use super::relation::{Relation, RelationId};
use crate::sql::Engine;
use crate::sql::mysql::Flavour;

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
    flavour: Flavour,
    children: HashMap<RelationId, Vec<RelationId>>,
    relations: Vec<Relation>,
    by_name: HashMap<Box<str>, HashMap<Box<str>, RelationId>>,
    by_oid: HashMap<u32, RelationId>,
    functions: HashMap<Box<str>, Vec<Function>>,
    operators: HashMap<Box<str>, Vec<UserOperator>>,
    types: HashMap<Box<str>, Vec<UserType>>,
    schemas: HashSet<Box<str>>,
}

impl Snapshot {
    /// Whether another reading of the source gave the same, whatever its version.
    pub fn is_same_as(&self, other: &Self) -> bool {
        // Named one by one, so that a field added later is not forgotten.
        let Self {
            version: _,
            source,
            engine,
            server_version,
            database,
            search_path,
            lower_case_table_names,
            flavour,
            children,
            relations,
            by_name,
            by_oid,
            functions,
            operators,
            types,
            schemas,
        } = self;
        (source, engine, server_version) == (&other.source, &other.engine, &other.server_version)
            && (database, search_path, lower_case_table_names)
                == (&other.database, &other.search_path, &other.lower_case_table_names)
            && (flavour, children, relations) == (&other.flavour, &other.children, &other.relations)
            && (by_name, by_oid, functions) == (&other.by_name, &other.by_oid, &other.functions)
            && (operators, types, schemas) == (&other.operators, &other.types, &other.schemas)
    }

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

    /// MySQL or MariaDB, where the server is of that family.
    pub fn flavour(&self) -> Flavour {
        self.flavour
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

    /// A relation by schema and name: exact on PostgreSQL, on MySQL with case as `lower_case_table_names` says.
    pub fn find(&self, schema: &str, name: &str) -> Option<&Relation> {
        let (schema, name) = (self.fold_schema(schema), self.fold_name(schema, name));
        self.by_name.get(&*schema)?.get(&*name).and_then(|id| self.relation(*id))
    }

    /// The direct partitions or inheritance children of a relation.
    pub fn children(&self, id: RelationId) -> &[RelationId] {
        self.children.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Whether a schema exists.
    pub fn has_schema(&self, schema: &str) -> bool {
        self.schemas.contains(&*self.fold_schema(schema))
    }

    /// All schemas, in no order; on MySQL with case as the server stores it.
    pub fn schemas(&self) -> impl Iterator<Item = &str> {
        self.schemas.iter().map(|name| &**name)
    }

    /// A relation by the number that result descriptions carry.
    pub fn by_oid(&self, oid: u32) -> Option<&Relation> {
        self.by_oid.get(&oid).and_then(|id| self.relation(*id))
    }

    /// All functions of a name, in every schema, `pg_catalog` included.
    pub fn functions(&self, name: &str) -> &[Function] {
        self.functions.get(name).map_or(&[], Vec::as_slice)
    }

    /// All functions of every name, in no order.
    pub fn every_function(&self) -> impl Iterator<Item = &Function> {
        self.functions.values().flatten()
    }

    /// The operators of this name outside `pg_catalog`.
    pub fn user_operators(&self, name: &str) -> &[UserOperator] {
        self.operators.get(name).map_or(&[], Vec::as_slice)
    }

    /// The types of this name outside `pg_catalog`, those of tables' rows left out.
    pub fn user_types(&self, name: &str) -> &[UserType] {
        self.types.get(name).map_or(&[], Vec::as_slice)
    }

    /// MySQL manual, "Identifier Case Sensitivity": `information_schema` and what is in it never has case.
    fn fold_schema<'n>(&self, schema: &'n str) -> Cow<'n, str> {
        if self.engine() == Engine::MySql && (self.lower_case_table_names != 0 || is_information_schema(schema)) {
            return fold(schema);
        }
        Cow::Borrowed(schema)
    }

    fn fold_name<'n>(&self, schema: &str, name: &'n str) -> Cow<'n, str> {
        if self.engine() == Engine::MySql && (self.lower_case_table_names != 0 || is_information_schema(schema)) {
            return fold(name);
        }
        Cow::Borrowed(name)
    }
}

fn is_information_schema(schema: &str) -> bool {
    schema.eq_ignore_ascii_case("information_schema")
}

fn fold(name: &str) -> Cow<'_, str> {
    if name.chars().any(char::is_uppercase) { Cow::Owned(name.to_lowercase()) } else { Cow::Borrowed(name) }
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

    /// Sets whether the server is MySQL or MariaDB.
    pub fn flavour(&mut self, flavour: Flavour) {
        self.snapshot.flavour = flavour;
    }

    /// Sets MySQL's `lower_case_table_names`; before anything is added.
    pub fn lower_case_table_names(&mut self, value: u8) {
        self.snapshot.lower_case_table_names = value;
    }

    /// Adds a relation; its `id` is assigned here and returned.
    pub fn relation(&mut self, mut relation: Relation) -> RelationId {
        let id = RelationId(u32::try_from(self.snapshot.relations.len()).unwrap_or(u32::MAX));
        relation.id = id;
        let schema = self.snapshot.fold_schema(&relation.schema);
        let name = self.snapshot.fold_name(&relation.schema, &relation.name);
        let (schema, name) = (Box::from(&*schema), Box::from(&*name));
        if !self.snapshot.schemas.contains(&schema) {
            self.snapshot.schemas.insert(Box::clone(&schema));
        }
        self.snapshot.by_name.entry(schema).or_default().insert(name, id);
        if relation.oid != 0 {
            self.snapshot.by_oid.insert(relation.oid, id);
        }
        self.snapshot.relations.push(relation);
        id
    }

    /// Adds a schema, also one without relations.
    pub fn schema(&mut self, name: &str) {
        let name = Box::from(&*self.snapshot.fold_schema(name));
        self.snapshot.schemas.insert(name);
    }

    /// A relation added before, to complete it (parents, keys, definition).
    pub fn relation_mut(&mut self, id: RelationId) -> Option<&mut Relation> {
        self.snapshot.relations.get_mut(usize::try_from(id.0).ok()?)
    }

    /// The place of a relation added before.
    pub fn id_of(&self, oid: u32) -> Option<RelationId> {
        self.snapshot.by_oid.get(&oid).copied()
    }

    /// Adds a function. On MySQL, where routines' names have no case, it is found by the lower-case name.
    pub fn function(&mut self, function: Function) {
        let name = match self.snapshot.engine() {
            Engine::Postgres => Box::clone(&function.name),
            Engine::MySql => function.name.to_lowercase().into(),
        };
        self.snapshot.functions.entry(name).or_default().push(function);
    }

    /// Adds a type of a schema other than `pg_catalog`.
    pub fn user_type(&mut self, name: Box<str>, ty: UserType) {
        self.snapshot.types.entry(name).or_default().push(ty);
    }

    /// Notes an operator of a schema other than `pg_catalog`.
    pub fn operator(&mut self, name: Box<str>, operator: UserOperator) {
        self.snapshot.operators.entry(name).or_default().push(operator);
    }

    /// The finished snapshot.
    pub fn build(mut self) -> Snapshot {
        let mut children: HashMap<RelationId, Vec<RelationId>> = HashMap::default();
        for relation in &self.snapshot.relations {
            for parent in &relation.parents {
                children.entry(*parent).or_default().push(relation.id);
            }
        }
        self.snapshot.children = children;
        self.snapshot
    }
}
