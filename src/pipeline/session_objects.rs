//! What only a session has, as its own layer over the catalog: temporary tables for as long as the session has them, and
//! what its open transaction made, renamed, changed and dropped.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use super::verdict::{Effect, QualifiedName};
use super::virtual_database::VirtualDatabase;
use crate::catalog::{Relation, SessionRelations, Snapshot};
use crate::policy::Verb;
use crate::resolve::{ObjectChanges, Refusal, Resolved};

/// What a statement does to what the session knows, if anything.
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
        let changes = resolved.objects;
        return Ok((!changes.is_empty()).then(|| Effect::ChangeObjects(Arc::new(changes))));
    }
    if names.len() < dropped.count() {
        return Err(Refusal::unsupported("temporary tables and others cannot be dropped together")
            .advise("drop them by statements of their own"));
    }
    Ok(Some(Effect::DropTemporary(Some(names.into()))))
}

/// What only a session has; two of the same are equal.
#[derive(Debug, Clone)]
pub struct SessionObjects(Arc<Layer>);

#[derive(Debug)]
struct Layer {
    tables: Vec<Arc<Relation>>,
    changes: ObjectChanges,
    // What the role sees with them; made when it is first asked for.
    seen: Mutex<Option<Arc<VirtualDatabase>>>,
}

impl SessionObjects {
    /// With another temporary table, unless one of its name is there: that one stays, as `IF NOT EXISTS` has it.
    pub fn with(before: Option<&Self>, table: &Arc<Relation>) -> Self {
        let (mut tables, changes) = Self::parts(before);
        if !tables.iter().any(|known| known.schema == table.schema && known.name == table.name) {
            tables.push(Arc::clone(table));
        }
        Self::new(tables, changes)
    }

    /// With what a statement did to other objects.
    pub fn changed(before: Option<&Self>, changes: &ObjectChanges) -> Self {
        let (tables, mut all) = Self::parts(before);
        for name in &changes.gone {
            all.made.retain(|made| (&made.schema, &made.name) != (&name.0, &name.1));
            if !all.gone.contains(name) {
                all.gone.push(name.clone());
            }
        }
        for made in &changes.made {
            all.made.retain(|known| (&known.schema, &known.name) != (&made.schema, &made.name));
            all.made.push(made.clone());
        }
        Self::new(tables, all)
    }

    /// Without the temporary tables of these schemas and names, or without all.
    pub fn without(&self, names: Option<&[QualifiedName]>) -> Option<Self> {
        let is_dropped =
            |table: &Relation| names?.iter().find(|name| (&name.0, &name.1) == (&table.schema, &table.name));
        let kept = self.0.tables.iter().filter(|table| names.is_some() && is_dropped(table).is_none());
        let kept: Vec<_> = kept.cloned().collect();
        let changes = self.0.changes.clone();
        (!kept.is_empty() || !changes.is_empty()).then(|| Self::new(kept, changes))
    }

    fn parts(before: Option<&Self>) -> (Vec<Arc<Relation>>, ObjectChanges) {
        before.map(|before| (before.0.tables.clone(), before.0.changes.clone())).unwrap_or_default()
    }

    fn new(tables: Vec<Arc<Relation>>, changes: ObjectChanges) -> Self {
        Self(Arc::new(Layer { tables, changes, seen: Mutex::default() }))
    }

    /// What a role sees with them.
    pub(super) fn over(&self, database: &VirtualDatabase) -> Arc<VirtualDatabase> {
        let mut seen = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seen) = seen.as_ref().filter(|seen| seen.differs_in_session_only(database)) {
            return Arc::clone(seen);
        }
        let session = SessionRelations {
            temporary: self.0.tables.iter().map(|table| Relation::clone(table)).collect(),
            made: self.0.changes.made.clone(),
            gone: self.0.changes.gone.clone(),
        };
        let own = Arc::new(database.with_snapshot(database.snapshot().with_session(session)));
        *seen = Some(Arc::clone(&own));
        own
    }
}

impl PartialEq for SessionObjects {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || (self.0.tables == other.0.tables && self.0.changes == other.0.changes)
    }
}

impl Eq for SessionObjects {}

impl Hash for SessionObjects {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for table in self.0.tables.iter().map(|table| &**table).chain(&self.0.changes.made) {
            (&table.schema, &table.name, table.columns.len()).hash(state);
        }
        self.0.changes.gone.hash(state);
    }
}
