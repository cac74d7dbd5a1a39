//! The current snapshot of a source, swapped whole on refresh.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::Snapshot;

/// Holds the current [`Snapshot`]; readers never wait for a refresh.
#[derive(Debug, Default)]
pub struct CatalogStore {
    current: ArcSwap<Snapshot>,
}

impl CatalogStore {
    /// A store that begins with this snapshot.
    pub fn new(snapshot: Snapshot) -> Self {
        Self { current: ArcSwap::from_pointee(snapshot) }
    }

    /// The snapshot in force.
    pub fn current(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// Whether a snapshot is the one in force. One atomic load.
    pub fn is_current(&self, snapshot: &Arc<Snapshot>) -> bool {
        Arc::ptr_eq(&self.current.load(), snapshot)
    }

    /// Puts a newer snapshot in force.
    pub fn replace(&self, snapshot: Snapshot) {
        self.current.store(Arc::new(snapshot));
    }
}
