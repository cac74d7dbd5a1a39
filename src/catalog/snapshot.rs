//! The immutable picture of one source.

use std::borrow::Cow;
use std::sync::Arc;

use foldhash::{HashMap, HashSet};
use serde::{Deserialize, Serialize};

use super::function::{Function, UserOperator, UserType};
use super::relation::{ForeignKey, Relation, RelationId};
use crate::sql::Engine;
use crate::sql::mysql::Flavour;

/// Everything known about one source at one moment, and what only one session knows on top. Cheap to share, never changed.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    contents: Arc<Contents>,
    session: Arc<SessionRelations>,
}

/// What a session has made or changed and others do not see. Numbers of relations are assigned by the snapshot.
#[derive(Debug, Clone, Default)]
pub struct SessionRelations {
    /// Its temporary tables, which hide others of their names.
    pub temporary: Vec<Relation>,
    /// What its open transaction made or changed, as it is now. What the catalog has under another name, or with other
    /// columns, keeps its `oid`.
    pub made: Vec<Relation>,
    /// Schemas and names that mean nothing of the catalog's any more, because the open transaction dropped or renamed it.
    pub gone: Vec<(Box<str>, Box<str>)>,
}

/// What is the same for all sessions.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Contents {
    version: u64,
    source: Arc<str>,
    engine: Option<Engine>,
    server_version: u32,
    database: Box<str>,
    account: Box<str>,
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
    keys_of: HashMap<RelationId, Vec<ForeignKey>>,
    keys_to: HashMap<RelationId, Vec<ForeignKey>>,
}

/// A snapshot as it is kept in a file.
#[derive(Debug, Serialize, Deserialize)]
struct Saved<C> {
    // Of the file; another number is not read.
    sekisho_catalog: u32,
    catalog: C,
}

/// The form of files that this version writes and reads.
const SAVED: u32 = 2;

/// A file that holds no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum NotSaved {
    /// It is no JSON of this form.
    #[error("it is no saved catalog: {0}")]
    Json(#[from] serde_json::Error),
    /// Another version of the program wrote it.
    #[error("it has the form {0}, and this version reads {SAVED}; save the catalog again")]
    Form(u32),
}

impl Snapshot {
    /// The snapshot as JSON, without what sessions know: objects, types and definitions, no data.
    pub fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(&Saved { sekisho_catalog: SAVED, catalog: &*self.contents })
    }

    /// A snapshot that was saved.
    pub fn from_json(json: &[u8]) -> Result<Self, NotSaved> {
        let Saved { sekisho_catalog, catalog }: Saved<Contents> = serde_json::from_slice(json)?;
        if sekisho_catalog != SAVED {
            return Err(NotSaved::Form(sekisho_catalog));
        }
        Ok(Self { contents: Arc::new(catalog), session: Arc::default() })
    }

    /// Whether another reading of the source gave the same, whatever its version.
    pub fn is_same_as(&self, other: &Self) -> bool {
        // Named one by one, so that a field added later is not forgotten.
        let Contents {
            version: _,
            source,
            engine,
            server_version,
            database,
            account,
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
            keys_of,
            keys_to: _,
        } = &*self.contents;
        let other = &*other.contents;
        (source, engine, server_version, account)
            == (&other.source, &other.engine, &other.server_version, &other.account)
            && (database, search_path, lower_case_table_names)
                == (&other.database, &other.search_path, &other.lower_case_table_names)
            && (flavour, children, relations) == (&other.flavour, &other.children, &other.relations)
            && (by_name, by_oid, functions) == (&other.by_name, &other.by_oid, &other.functions)
            && (operators, types, schemas, keys_of) == (&other.operators, &other.types, &other.schemas, &other.keys_of)
    }

    /// Grows with each refresh; plans made with another version are made again.
    pub fn version(&self) -> u64 {
        self.contents.version
    }

    /// The name of the source.
    pub fn source(&self) -> &Arc<str> {
        &self.contents.source
    }

    /// The family of the server.
    pub fn engine(&self) -> Engine {
        self.contents.engine()
    }

    /// `server_version_num`, for example 150018.
    pub fn server_version(&self) -> u32 {
        self.contents.server_version
    }

    /// The database on the server; clients may write it before a schema (PostgreSQL).
    pub fn database(&self) -> &str {
        &self.contents.database
    }

    /// The server's account of the proxy, which `"$user"` in a search path means (PostgreSQL).
    pub fn account(&self) -> &str {
        &self.contents.account
    }

    /// The schemas that a new session of the proxy's account searches, in order, `"$user"` and absent ones left out.
    pub fn search_path(&self) -> &[Box<str>] {
        &self.contents.search_path
    }

    /// MySQL or MariaDB, where the server is of that family.
    pub fn flavour(&self) -> Flavour {
        self.contents.flavour
    }

    /// MySQL's `lower_case_table_names`: 0 is names of tables and databases with case, 1 and 2 without.
    pub fn lower_case_table_names(&self) -> u8 {
        self.contents.lower_case_table_names
    }

    /// All relations of the catalog; a [`RelationId`] is the position here.
    pub fn relations(&self) -> &[Relation] {
        &self.contents.relations
    }

    /// A relation by its place.
    pub fn relation(&self, id: RelationId) -> Option<&Relation> {
        let place = usize::try_from(id.0).ok()?;
        let relations = &self.contents.relations;
        match place.checked_sub(relations.len()) {
            None => relations.get(place),
            Some(own) => self.session.all().nth(own),
        }
    }

    /// A relation by schema and name: exact on PostgreSQL, on MySQL with case as `lower_case_table_names` says.
    pub fn find(&self, schema: &str, name: &str) -> Option<&Relation> {
        let (schema, name) = (self.contents.fold_schema(schema), self.contents.fold_name(schema, name));
        let is_meant = |relation: &&Relation| {
            self.contents.fold_schema(&relation.schema) == schema
                && self.contents.fold_name(&schema, &relation.name) == name
        };
        if let Some(own) = self.session.all().find(is_meant) {
            return Some(own);
        }
        if self.is_gone(&schema, &name) {
            return None;
        }
        self.contents.by_name.get(&*schema)?.get(&*name).and_then(|id| self.relation(*id))
    }

    /// The same with what a session knows.
    #[must_use]
    pub fn with_session(&self, mut session: SessionRelations) -> Self {
        let first = self.contents.relations.len();
        for (relation, place) in session.temporary.iter_mut().chain(&mut session.made).zip(first..) {
            relation.id = RelationId(u32::try_from(place).unwrap_or(u32::MAX));
            if let Some(committed) = self.contents.by_oid.get(&relation.oid).and_then(|id| self.relation(*id)) {
                // The places of others, which are not the same in each snapshot.
                relation.parents.clone_from(&committed.parents);
            }
        }
        Self { contents: Arc::clone(&self.contents), session: Arc::new(session) }
    }

    /// Whether two snapshots are one but for what a session knows.
    pub fn differs_in_session_only(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.contents, &other.contents)
    }

    /// Whether a relation is a temporary table of the session.
    pub fn is_temporary(&self, id: RelationId) -> bool {
        let first = self.contents.relations.len();
        usize::try_from(id.0).is_ok_and(|place| (first..first + self.session.temporary.len()).contains(&place))
    }

    /// Whether the session's transaction took this name from what the catalog has, or gave it to something else.
    pub fn is_gone(&self, schema: &str, name: &str) -> bool {
        self.session.gone.iter().any(|gone| (&*gone.0, &*gone.1) == (schema, name))
    }

    /// The place in the catalog of a relation that the session changed; otherwise the relation itself.
    fn committed(&self, id: RelationId) -> RelationId {
        let place = usize::try_from(id.0).unwrap_or(usize::MAX);
        let own = place.checked_sub(self.contents.relations.len()).and_then(|own| self.session.all().nth(own));
        own.and_then(|own| self.contents.by_oid.get(&own.oid).copied()).unwrap_or(id)
    }

    /// The direct partitions or inheritance children of a relation.
    pub fn children(&self, id: RelationId) -> &[RelationId] {
        self.contents.children.get(&self.committed(id)).map_or(&[], Vec::as_slice)
    }

    /// The foreign keys that a table has.
    pub fn keys_of(&self, id: RelationId) -> &[ForeignKey] {
        self.contents.keys_of.get(&self.committed(id)).map_or(&[], Vec::as_slice)
    }

    /// The foreign keys of other tables, or its own, that refer to a table.
    pub fn keys_to(&self, id: RelationId) -> &[ForeignKey] {
        self.contents.keys_to.get(&self.committed(id)).map_or(&[], Vec::as_slice)
    }

    /// Whether a schema exists.
    pub fn has_schema(&self, schema: &str) -> bool {
        self.contents.schemas.contains(&*self.contents.fold_schema(schema))
    }

    /// All schemas, in no order; on MySQL with case as the server stores it.
    pub fn schemas(&self) -> impl Iterator<Item = &str> {
        self.contents.schemas.iter().map(|name| &**name)
    }

    /// A relation by the number that result descriptions carry.
    pub fn by_oid(&self, oid: u32) -> Option<&Relation> {
        self.contents.by_oid.get(&oid).and_then(|id| self.relation(*id))
    }

    /// The table that an index of this schema and name belongs to (PostgreSQL).
    pub fn index(&self, schema: &str, name: &str) -> Option<&Relation> {
        let in_schema = self.contents.by_name.get(schema)?.values().filter_map(|id| self.relation(*id));
        let mut tables = in_schema.filter(|table| !self.is_gone(schema, &table.name));
        tables.find(|table| table.indexes.iter().any(|index| *index.name == *name))
    }

    /// All functions of a name, in every schema, `pg_catalog` included.
    pub fn functions(&self, name: &str) -> &[Function] {
        self.contents.functions.get(name).map_or(&[], Vec::as_slice)
    }

    /// All functions of every name, in no order.
    pub fn every_function(&self) -> impl Iterator<Item = &Function> {
        self.contents.functions.values().flatten()
    }

    /// The operators of this name outside `pg_catalog`.
    pub fn user_operators(&self, name: &str) -> &[UserOperator] {
        self.contents.operators.get(name).map_or(&[], Vec::as_slice)
    }

    /// The types of this name outside `pg_catalog`, those of tables' rows left out.
    pub fn user_types(&self, name: &str) -> &[UserType] {
        self.contents.types.get(name).map_or(&[], Vec::as_slice)
    }
}

impl SessionRelations {
    fn all(&self) -> impl Iterator<Item = &Relation> {
        self.temporary.iter().chain(&self.made)
    }
}

impl Contents {
    fn engine(&self) -> Engine {
        self.engine.unwrap_or(Engine::Postgres)
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
    contents: Contents,
}

impl SnapshotBuilder {
    /// Starts a snapshot of a source.
    pub fn new(version: u64, source: impl Into<Arc<str>>, engine: Engine, server_version: u32) -> Self {
        Self {
            contents: Contents {
                version,
                source: source.into(),
                engine: Some(engine),
                server_version,
                ..Contents::default()
            },
        }
    }

    /// Sets the database's name on the server.
    pub fn database(&mut self, name: impl Into<Box<str>>) {
        self.contents.database = name.into();
    }

    /// Sets the proxy's account on the server.
    pub fn account(&mut self, name: impl Into<Box<str>>) {
        self.contents.account = name.into();
    }

    /// Sets the schemas searched by default.
    pub fn search_path(&mut self, schemas: Vec<Box<str>>) {
        self.contents.search_path = schemas;
    }

    /// Sets whether the server is MySQL or MariaDB.
    pub fn flavour(&mut self, flavour: Flavour) {
        self.contents.flavour = flavour;
    }

    /// Sets MySQL's `lower_case_table_names`; before anything is added.
    pub fn lower_case_table_names(&mut self, value: u8) {
        self.contents.lower_case_table_names = value;
    }

    /// Adds a relation; its `id` is assigned here and returned.
    pub fn relation(&mut self, mut relation: Relation) -> RelationId {
        let id = RelationId(u32::try_from(self.contents.relations.len()).unwrap_or(u32::MAX));
        relation.id = id;
        let schema = self.contents.fold_schema(&relation.schema);
        let name = self.contents.fold_name(&relation.schema, &relation.name);
        let (schema, name) = (Box::from(&*schema), Box::from(&*name));
        if !self.contents.schemas.contains(&schema) {
            self.contents.schemas.insert(Box::clone(&schema));
        }
        self.contents.by_name.entry(schema).or_default().insert(name, id);
        if relation.oid != 0 {
            self.contents.by_oid.insert(relation.oid, id);
        }
        self.contents.relations.push(relation);
        id
    }

    /// Adds a schema, also one without relations.
    pub fn schema(&mut self, name: &str) {
        let name = Box::from(&*self.contents.fold_schema(name));
        self.contents.schemas.insert(name);
    }

    /// A relation added before, to complete it (parents, keys, definition).
    pub fn relation_mut(&mut self, id: RelationId) -> Option<&mut Relation> {
        self.contents.relations.get_mut(usize::try_from(id.0).ok()?)
    }

    /// The place of a relation added before.
    pub fn id_of(&self, oid: u32) -> Option<RelationId> {
        self.contents.by_oid.get(&oid).copied()
    }

    /// A relation added before, by its name.
    pub fn named(&self, schema: &str, name: &str) -> Option<&Relation> {
        let (schema, name) = (self.contents.fold_schema(schema), self.contents.fold_name(schema, name));
        let id = self.contents.by_name.get(&*schema)?.get(&*name)?;
        self.contents.relations.get(usize::try_from(id.0).ok()?)
    }

    /// Adds a foreign key.
    pub fn foreign_key(&mut self, key: ForeignKey) {
        self.contents.keys_to.entry(key.parent).or_default().push(key.clone());
        self.contents.keys_of.entry(key.child).or_default().push(key);
    }

    /// Adds a function. On MySQL, where routines' names have no case, it is found by the lower-case name.
    pub fn function(&mut self, function: Function) {
        let name = match self.contents.engine() {
            Engine::Postgres => Box::clone(&function.name),
            Engine::MySql => function.name.to_lowercase().into(),
        };
        self.contents.functions.entry(name).or_default().push(function);
    }

    /// Adds a type of a schema other than `pg_catalog`.
    pub fn user_type(&mut self, name: Box<str>, ty: UserType) {
        self.contents.types.entry(name).or_default().push(ty);
    }

    /// Notes an operator of a schema other than `pg_catalog`.
    pub fn operator(&mut self, name: Box<str>, operator: UserOperator) {
        self.contents.operators.entry(name).or_default().push(operator);
    }

    /// The finished snapshot.
    pub fn build(mut self) -> Snapshot {
        let mut children: HashMap<RelationId, Vec<RelationId>> = HashMap::default();
        for relation in &self.contents.relations {
            for parent in &relation.parents {
                children.entry(*parent).or_default().push(relation.id);
            }
        }
        self.contents.children = children;
        Snapshot { contents: Arc::new(self.contents), session: Arc::default() }
    }
}
