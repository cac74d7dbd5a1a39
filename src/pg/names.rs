//! Prepared statements and portals by name, as they are and as they will be when what was sent is done.

use std::collections::HashMap;
use std::rc::Rc;

use super::pending::Owed;
use super::wire::frontend::Target;
use crate::pipeline::Verdict;
use crate::session::Prepared;

/// Bytes of a name that count (`NAMEDATALEN` less one).
const MAX_NAME: usize = 63;

/// A name of a prepared statement or portal; empty for the unnamed one.
pub type Name = Box<[u8]>;

/// A prepared statement of this protocol.
#[derive(Debug)]
pub struct Statement {
    /// Text and decision.
    pub prepared: Prepared,
    /// Count and numbers of parameter types as Parse had them; nothing for one that SQL's PREPARE made.
    pub types: Option<Box<[u8]>>,
}

impl Statement {
    /// Whether errors and notices must be cleaned.
    pub fn is_guarded(&self) -> bool {
        match &self.prepared.decision.verdict {
            Verdict::Permit(permit) => permit.guarded(),
            Verdict::Denial(_) => true,
        }
    }

    /// Where in the client's text a place in the server's is; nothing where it is of the proxy's making.
    pub fn position(&self, position: u32) -> Option<u32> {
        let prepared = &self.prepared;
        match &prepared.decision.verdict {
            Verdict::Permit(permit) if **permit.sql() != *prepared.text => {
                prepared.database.position_in_source(&prepared.settings, &prepared.text, permit.sql(), position)
            }
            Verdict::Permit(_) => Some(position),
            Verdict::Denial(_) => None,
        }
    }
}

/// What a name in a message is to the server: its tables of names look at no more.
pub fn of_message(name: &[u8]) -> &[u8] {
    name.get(..MAX_NAME).unwrap_or(name)
}

/// What a name in SQL is to the server: cut between characters.
pub fn of_sql(name: &str) -> Name {
    let mut end = name.len().min(MAX_NAME);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.as_bytes().get(..end).unwrap_or_default().into()
}

/// Names of one kind.
#[derive(Debug, Default)]
pub struct Names {
    confirmed: HashMap<Name, Rc<Statement>>,
    // What was sent and not confirmed: defined, or closed.
    sent: HashMap<Name, Option<Rc<Statement>>>,
}

impl Names {
    /// What a name will mean to the message sent next.
    pub fn get(&self, name: &[u8]) -> Option<&Rc<Statement>> {
        match self.sent.get(name) {
            Some(sent) => sent.as_ref(),
            None => self.confirmed.get(name),
        }
    }

    /// A definition was sent.
    pub fn define(&mut self, name: Name, statement: Rc<Statement>) {
        self.sent.insert(name, Some(statement));
    }

    /// A Close was sent.
    pub fn close(&mut self, name: Name) {
        self.sent.insert(name, None);
    }

    /// A definition was confirmed.
    pub fn defined(&mut self, name: Name, statement: Rc<Statement>) {
        if self.sent.get(&name).is_some_and(|sent| sent.as_ref().is_some_and(|sent| Rc::ptr_eq(sent, &statement))) {
            self.sent.remove(&name);
        }
        self.confirmed.insert(name, statement);
    }

    /// A Close was confirmed.
    pub fn closed(&mut self, name: &[u8]) {
        if matches!(self.sent.get(name), Some(None)) {
            self.sent.remove(name);
        }
        self.confirmed.remove(name);
    }

    /// All that was confirmed is gone: DISCARD, the end of a transaction for portals.
    pub fn clear(&mut self) {
        self.confirmed.clear();
        // An idle session keeps no empty table.
        if self.confirmed.capacity() > 32 {
            self.confirmed.shrink_to_fit();
        }
    }

    /// What was sent and not confirmed failed, but for what is still owed.
    pub fn failed<'a>(&mut self, owed: impl Iterator<Item = &'a Owed>, kind: Target) {
        self.sent.clear();
        for owed in owed {
            match (owed, kind) {
                (Owed::Parse { name, statement, .. }, Target::Statement) => {
                    self.define(name.clone(), Rc::clone(statement));
                }
                (Owed::Bind { portal, statement: Some(statement) }, Target::Portal) => {
                    self.define(portal.clone(), Rc::clone(statement));
                }
                (Owed::Bind { portal, statement: None }, Target::Portal) => self.close(portal.clone()),
                (Owed::Close { target, name, .. }, _) if *target == kind => self.close(name.clone()),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::Arc;

    use super::*;
    use crate::audit::Facts;
    use crate::catalog::Snapshot;
    use crate::pipeline::{Decision, Permit, Settings, VirtualDatabase};
    use crate::policy::{PolicySet, Role};

    fn statement() -> Rc<Statement> {
        let database = VirtualDatabase::new(
            Arc::new(PolicySet::default()),
            Arc::new(Snapshot::default()),
            Arc::new(Role::default()),
            Arc::default(),
        );
        let decision = Decision {
            annotation: None,
            facts: Arc::new(Facts::default()),
            verdict: Verdict::Permit(Permit::refusal()),
            observed: None,
            reported: Vec::new(),
        };
        let prepared = Prepared {
            text: "".into(),
            decision,
            database: Arc::new(database),
            settings: Settings::default(),
            described: Cell::new(false),
        };
        Rc::new(Statement { prepared, types: None })
    }

    fn name(text: &str) -> Name {
        text.as_bytes().into()
    }

    #[test]
    fn what_was_sent_counts_until_it_fails() {
        let mut names = Names::default();
        let (old, new) = (statement(), statement());
        names.define(name("s"), Rc::clone(&old));
        names.defined(name("s"), Rc::clone(&old));
        names.define(name("s"), Rc::clone(&new));
        assert!(Rc::ptr_eq(names.get(b"s").unwrap(), &new));
        // The server refuses a second statement of the name: the first one stays.
        names.failed([].iter(), Target::Statement);
        assert!(Rc::ptr_eq(names.get(b"s").unwrap(), &old));
    }

    #[test]
    fn close_and_define_again() {
        let mut names = Names::default();
        let (old, new) = (statement(), statement());
        names.defined(name("s"), Rc::clone(&old));
        names.close(name("s"));
        assert!(names.get(b"s").is_none());
        names.define(name("s"), Rc::clone(&new));
        names.closed(b"s");
        assert!(Rc::ptr_eq(names.get(b"s").unwrap(), &new));
        names.defined(name("s"), Rc::clone(&new));
        assert!(names.sent.is_empty());
    }

    #[test]
    fn names_in_sql_are_cut_between_characters() {
        assert_eq!(of_sql(&"é".repeat(40)).len(), 62);
        assert_eq!(&*of_sql("abc"), b"abc");
    }
}
