//! Settings that the pipeline depends on, kept as the server keeps them through transactions and savepoints.
//!
//! ```text
//! SET x            seen at once; stays after COMMIT, undone by ROLLBACK and by ROLLBACK TO an earlier savepoint
//! SET LOCAL x      seen at once; gone with the transaction, or with ROLLBACK TO an earlier savepoint
//! SAVEPOINT s      the level above begins with the values of the one below
//! RELEASE s        the values of the released level become those of the one below
//! ROLLBACK TO s    the values are those at SAVEPOINT s; s itself stays
//! ```

use crate::pipeline::Settings;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Values {
    // What holds after COMMIT.
    session: Settings,
    // What holds now: `session` unless SET LOCAL changed it.
    current: Settings,
}

/// The session's settings with what a ROLLBACK would bring back.
#[derive(Debug, Default)]
pub struct TransactionalSettings {
    committed: Settings,
    // The transaction's own level, then one for each savepoint; empty while nothing was changed and no savepoint set.
    levels: Vec<(Option<Box<str>>, Values)>,
}

impl TransactionalSettings {
    /// Settings of a session that has changed none.
    pub fn new(initial: Settings) -> Self {
        Self { committed: initial, levels: Vec::new() }
    }

    /// What holds now.
    pub fn current(&self) -> &Settings {
        self.levels.last().map_or(&self.committed, |(_, values)| &values.current)
    }

    /// A setting was changed by `SET`, or by `SET LOCAL`.
    pub fn change(&mut self, local: bool, change: impl Fn(&mut Settings)) {
        let values = self.top();
        change(&mut values.current);
        if !local {
            change(&mut values.session);
        }
    }

    /// `SAVEPOINT name`.
    pub fn savepoint(&mut self, name: Box<str>) {
        let values = self.top().clone();
        self.levels.push((Some(name), values));
    }

    /// `RELEASE SAVEPOINT name`.
    pub fn release(&mut self, name: &str) {
        let Some(at) = self.position(name) else { return };
        let kept = self.levels.last().map(|(_, values)| values.clone());
        self.levels.truncate(at);
        if let (Some(kept), Some((_, values))) = (kept, self.levels.last_mut()) {
            *values = kept;
        }
    }

    /// `ROLLBACK TO SAVEPOINT name`.
    pub fn rollback_to(&mut self, name: &str) {
        let Some(at) = self.position(name) else { return };
        self.levels.truncate(at + 1);
        // The level below holds what was in force when the savepoint was set: only the topmost level changes.
        let before = at.checked_sub(1).and_then(|below| self.levels.get(below)).map(|(_, values)| values.clone());
        if let (Some(before), Some((_, values))) = (before, self.levels.last_mut()) {
            *values = before;
        }
    }

    /// The transaction ended: `COMMIT`, `ROLLBACK`, or the end of an implicit one.
    pub fn end(&mut self, committed: bool) {
        if let Some((_, values)) = self.levels.pop()
            && committed
        {
            self.committed = values.session;
        }
        self.levels.clear();
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.levels.iter().rposition(|(savepoint, _)| savepoint.as_deref() == Some(name))
    }

    fn top(&mut self) -> &mut Values {
        if self.levels.is_empty() {
            let values = Values { session: self.committed.clone(), current: self.committed.clone() };
            self.levels.push((None, values));
        }
        // Not empty: pushed just now if it was.
        let last = self.levels.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "the vector was made non-empty above")]
        &mut self.levels[last].1
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn path(name: &str) -> Settings {
        Settings { search_path: Some(Arc::from([Box::from(name)])), ..Settings::default() }
    }

    fn set(settings: &mut TransactionalSettings, local: bool, name: &str) {
        let value = path(name);
        settings.change(local, |s| *s = value.clone());
    }

    #[test]
    fn commit_keeps_and_rollback_brings_back() {
        let mut s = TransactionalSettings::default();
        set(&mut s, false, "a");
        s.end(true);
        assert_eq!(*s.current(), path("a"));
        set(&mut s, false, "b");
        assert_eq!(*s.current(), path("b"));
        s.end(false);
        assert_eq!(*s.current(), path("a"));
    }

    #[test]
    fn local_values_end_with_the_transaction() {
        let mut s = TransactionalSettings::default();
        set(&mut s, false, "a");
        set(&mut s, true, "b");
        assert_eq!(*s.current(), path("b"));
        s.end(true);
        assert_eq!(*s.current(), path("a"));
    }

    #[test]
    fn savepoints_nest() {
        let mut s = TransactionalSettings::default();
        set(&mut s, false, "a");
        s.savepoint("one".into());
        set(&mut s, false, "b");
        s.savepoint("two".into());
        set(&mut s, false, "c");
        s.rollback_to("two");
        assert_eq!(*s.current(), path("b"));
        set(&mut s, false, "d");
        s.release("two");
        assert_eq!(*s.current(), path("d"));
        s.rollback_to("one");
        assert_eq!(*s.current(), path("a"));
        set(&mut s, false, "e");
        s.end(true);
        assert_eq!(*s.current(), path("e"));
    }

    #[test]
    fn an_unknown_savepoint_changes_nothing() {
        let mut s = TransactionalSettings::default();
        set(&mut s, false, "a");
        s.rollback_to("none");
        s.release("none");
        assert_eq!(*s.current(), path("a"));
    }
}
