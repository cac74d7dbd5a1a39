//! The temporary tables of a session: their own layer over the catalog, for as long as the session has them.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use super::verdict::{Effect, QualifiedName};
use super::virtual_database::VirtualDatabase;
use crate::catalog::{Relation, Snapshot};
use crate::policy::Verb;
use crate::resolve::{Refusal, Resolved};

/// What a statement does to the session's temporary tables, if anything.
pub(super) fn effect(snapshot: &Snapshot, resolved: Resolved) -> Result<Option<Effect>, Refusal> {
    if let Some(made) = resolved.temporary {
        return Ok(Some(Effect::MakeTemporary { table: Arc::new(made.table), drops_on_commit: made.drops_on_commit }));
    }
    let dropped = resolved.relations.iter().filter(|used| used.verb == Verb::Drop);
    let names: Vec<_> = dropped
        .clone()
        .filter(|used| snapshot.is_temporary(used.relation))
        .filter_map(|used| snapshot.relation(used.relation))
        .map(|table| (table.schema.clone(), table.name.clone()))
        .collect();
    if names.is_empty() {
        return Ok(None);
    }
    if names.len() < dropped.count() {
        return Err(Refusal::unsupported("temporary tables and others cannot be dropped together")
            .advise("drop them by statements of their own"));
    }
    Ok(Some(Effect::DropTemporary(Some(names.into()))))
}

/// The temporary tables of a session; two of equal tables are equal.
#[derive(Debug, Clone)]
pub struct TemporaryTables(Arc<Layer>);

#[derive(Debug)]
struct Layer {
    tables: Vec<Arc<Relation>>,
    // What the role sees with the tables; made when it is first asked for.
    seen: Mutex<Option<Arc<VirtualDatabase>>>,
}

impl TemporaryTables {
    /// The tables with another, unless one of its name is there: that one stays, as `IF NOT EXISTS` has it.
    pub fn with(before: Option<&Self>, table: &Arc<Relation>) -> Self {
        let mut tables = before.map(|before| before.0.tables.clone()).unwrap_or_default();
        if !tables.iter().any(|known| known.schema == table.schema && known.name == table.name) {
            tables.push(Arc::clone(table));
        }
        Self::new(tables)
    }

    /// The tables without those of these schemas and names, or without all.
    pub fn without(&self, names: Option<&[QualifiedName]>) -> Option<Self> {
        let is_dropped =
            |table: &Relation| names?.iter().find(|name| (&name.0, &name.1) == (&table.schema, &table.name));
        let kept = self.0.tables.iter().filter(|table| names.is_some() && is_dropped(table).is_none());
        let kept: Vec<_> = kept.cloned().collect();
        (!kept.is_empty()).then(|| Self::new(kept))
    }

    fn new(tables: Vec<Arc<Relation>>) -> Self {
        Self(Arc::new(Layer { tables, seen: Mutex::default() }))
    }

    /// What a role sees with the tables.
    pub(super) fn over(&self, database: &VirtualDatabase) -> Arc<VirtualDatabase> {
        let mut seen = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seen) = seen.as_ref().filter(|seen| seen.differs_in_temporary_tables_only(database)) {
            return Arc::clone(seen);
        }
        let tables = self.0.tables.iter().map(|table| Relation::clone(table));
        let with_tables = Arc::new(database.with_snapshot(database.snapshot().with_temporary(tables)));
        *seen = Some(Arc::clone(&with_tables));
        with_tables
    }
}

impl PartialEq for TemporaryTables {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.tables == other.0.tables
    }
}

impl Eq for TemporaryTables {}

impl Hash for TemporaryTables {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for table in &self.0.tables {
            (&table.schema, &table.name, table.columns.len()).hash(state);
        }
    }
}
