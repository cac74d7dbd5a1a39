//! Rows and bytes that cursors gave so far: a result that is fetched in parts is one result to its limits.

use std::collections::HashMap;

use crate::pg::names::{self, Name};
use crate::pg::pending::Running;
use crate::pipeline::Effect;

/// Cursors that are counted at the most; a session with more of them begins to count anew.
const MAX_CURSORS: usize = 1000;

/// By portal, of which SQL's cursors are some. Empty but for roles with a limit on results.
#[derive(Debug, Default)]
pub struct Fetched(HashMap<Name, (u64, u64)>);

impl Fetched {
    /// A result of a statement begins: what its cursor gave so far counts.
    pub fn begin(&self, running: &mut Running) {
        let had = cursor(running).and_then(|name| self.0.get(&name).copied());
        let (rows, bytes) = had.unwrap_or_default();
        if let Some(watch) = &mut running.watch {
            watch.begin_result(rows, bytes);
        }
    }

    /// A statement ended, or paused, with so many rows.
    pub fn end(&mut self, running: &Running, rows: u64) {
        if running.watch.is_none() {
            return;
        }
        if let Some(Effect::Declare(name)) = running.effects.get(running.done) {
            self.0.remove(&names::of_sql(name));
        }
        let Some(name) = cursor(running).filter(|_| rows > 0) else { return };
        if self.0.len() >= MAX_CURSORS {
            self.0.clear();
        }
        let (had_rows, had_bytes) = self.0.entry(name).or_default();
        *had_rows += rows;
        *had_bytes += running.bytes - running.earlier_bytes;
    }

    /// A portal is made anew.
    pub fn forget(&mut self, portal: &[u8]) {
        if !self.0.is_empty() {
            self.0.remove(portal);
        }
    }
}

/// The cursor that the statement under way reads.
fn cursor(running: &Running) -> Option<Name> {
    match running.effects.get(running.done) {
        Some(Effect::Fetch(name)) => Some(names::of_sql(name)),
        _ => running.portal.clone(),
    }
}
