//! The memory of decisions: by exact text, and by shape.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};

use super::template::Template;
use super::verdict::Decision;
use super::virtual_database::Settings;

/// Texts longer than this are planned each time that they come.
const MAX_TEXT: usize = 64 << 10;
/// Bytes of texts that are remembered for a role, of each kind of key.
const CAPACITY: u64 = 8 << 20;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    settings: Settings,
    text: Box<str>,
}

#[derive(Debug, Clone, Copy)]
struct Lookup<'a> {
    settings: &'a Settings,
    text: &'a str,
}

impl Hash for Lookup<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.settings.hash(state);
        self.text.hash(state);
    }
}

impl Equivalent<Key> for Lookup<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        *self.settings == key.settings && *self.text == *key.text
    }
}

#[derive(Debug, Clone)]
struct ByLength;

impl<V> Weighter<Key, V> for ByLength {
    fn weight(&self, key: &Key, _value: &V) -> u64 {
        // A plan is some times the size of its text.
        key.text.len() as u64 * 4 + 1024
    }
}

/// What was decided before.
#[derive(Debug)]
pub(super) struct Plans {
    exact: Cache<Key, Decision, ByLength>,
    shapes: Cache<Key, Arc<Template>, ByLength>,
}

impl Plans {
    pub(super) fn new() -> Self {
        let items = usize::try_from(CAPACITY / 2048).unwrap_or(1024);
        Self {
            exact: Cache::with_weighter(items, CAPACITY, ByLength),
            shapes: Cache::with_weighter(items, CAPACITY, ByLength),
        }
    }

    pub(super) fn exact(&self, settings: &Settings, text: &str) -> Option<Decision> {
        self.exact.get(&Lookup { settings, text })
    }

    pub(super) fn shape(&self, settings: &Settings, shape: &str) -> Option<Arc<Template>> {
        self.shapes.get(&Lookup { settings, text: shape })
    }

    pub(super) fn remember_exact(&self, settings: &Settings, text: &str, decision: &Decision) {
        if text.len() <= MAX_TEXT {
            self.exact.insert(Key { settings: settings.clone(), text: text.into() }, decision.clone());
        }
    }

    pub(super) fn remember_shape(&self, settings: &Settings, shape: &str, template: Arc<Template>) {
        if shape.len() <= MAX_TEXT {
            self.shapes.insert(Key { settings: settings.clone(), text: shape.into() }, template);
        }
    }
}
