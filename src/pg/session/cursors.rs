//! Cursors that are open while the rules change: rows that were left in them are decided by the rules of now.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use super::decide::{are_odd, denial};
use super::state::State;
use crate::pg::names::{self, Name, Statement};
use crate::pipeline::{Denial, Effect, Permit, Settings, Verdict, VirtualDatabase};

/// Cursors of DECLARE that are known at the most; others are taken for as old as the session.
const MAX_CURSORS: usize = 1000;

/// Cursors that DECLARE made, by name, with the text that did.
#[derive(Debug, Default)]
pub struct Cursors {
    by_name: HashMap<Name, Rc<Statement>>,
    // Version of the rules when the role began to act.
    since: u64,
}

impl Cursors {
    /// None, for a role that begins to act under these rules.
    pub fn new(database: &VirtualDatabase) -> Self {
        Self { by_name: HashMap::new(), since: database.policy().version() }
    }

    /// DECLARE was done.
    pub fn declared(&mut self, name: &str, statement: Rc<Statement>) {
        if self.by_name.len() >= MAX_CURSORS {
            self.by_name.clear();
        }
        self.by_name.insert(names::of_sql(name), statement);
    }
}

/// The refusal to read on in a cursor that would be another one now; nothing where it would be the same, and for roles
/// without rules.
pub fn deny_fetch(state: &State, name: &str, database: &VirtualDatabase) -> Option<Denial> {
    if !state.is_restricted() {
        return None;
    }
    let key = names::of_sql(name);
    let known = state.portals.get(&key).or_else(|| state.cursors.by_name.get(&key));
    let is_same = match known {
        Some(statement) => is_same_now(statement, database),
        None => state.cursors.since == database.policy().version(),
    };
    (!is_same).then(|| outdated(name))
}

/// The same for an Execute of a portal.
pub fn deny_portal(state: &State, name: &[u8], statement: &Statement, database: &VirtualDatabase) -> Option<Denial> {
    if !state.is_restricted() {
        return None;
    }
    if !is_same_now(statement, database) {
        return Some(outdated(&String::from_utf8_lossy(name)));
    }
    let permit: &Permit = match &statement.prepared.decision.verdict {
        Verdict::Permit(permit) => permit,
        Verdict::Denial(denial) => return Some(Denial::clone(denial)),
    };
    permit.effects().iter().find_map(|effect| match effect {
        Effect::Fetch(name) => deny_fetch(state, name, database),
        _ => None,
    })
}

/// Whether the rules of now would send the same for a text. Rarely asked about: only the rules are looked at, for tables
/// do not change under an open cursor.
fn is_same_now(statement: &Statement, database: &VirtualDatabase) -> bool {
    let old = &statement.prepared;
    if Arc::ptr_eq(old.database.policy(), database.policy()) {
        return true;
    }
    let odd_parameters = old.settings.odd_parameters || are_odd(statement.types.as_deref().unwrap_or_default());
    let now = database.decide(&Settings { odd_parameters, ..old.settings.clone() }, &old.text);
    match (&now.verdict, &old.decision.verdict) {
        (Verdict::Permit(now), Verdict::Permit(old)) => now.sql() == old.sql(),
        (Verdict::Denial(_), _) | (_, Verdict::Denial(_)) => false,
    }
}

fn outdated(name: &str) -> Denial {
    let message = format!("cursor \"{name}\" was opened under rules that have changed since");
    denial("0A000", message, Some("close it and open it again"))
}
