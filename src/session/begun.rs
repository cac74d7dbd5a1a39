//! The moment between the proof of who a client is and its session.

use std::sync::Arc;

use super::node::Node;
use super::registry::Entry;
use crate::audit::{Ending, Subject, Totals, Unavailable};

/// A session that is recorded and among the live ones, and ends again unless its login is finished: the client may not
/// take the last words of it, in time or at all.
#[derive(Debug)]
pub struct Begun<'n> {
    node: &'n Node,
    subject: Subject,
    entry: Arc<Entry>,
    ending: Option<Ending>,
}

/// Why a session did not begin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotBegun {
    /// It cannot be recorded.
    #[error(transparent)]
    Unrecorded(#[from] Unavailable),
    /// No secret could be made for cancelling it.
    #[error("the operating system gives no random numbers")]
    NoRandom,
}

impl<'n> Begun<'n> {
    /// Records a session and enters it, in this order: one that cannot be recorded is not among the live ones.
    pub fn new(node: &'n Node, subject: &Subject, secret_length: usize) -> Result<Self, NotBegun> {
        node.audit.session_opened(subject)?;
        let Some(entry) = node.registry.enter(subject.clone(), secret_length) else {
            node.audit.session_closed(subject, Ending::Closed("no random numbers"), Totals::default());
            return Err(NotBegun::NoRandom);
        };
        Ok(Self { node, subject: subject.clone(), entry, ending: Some(Ending::ClientGone) })
    }

    /// Its place among the live sessions.
    pub fn entry(&self) -> &Arc<Entry> {
        &self.entry
    }

    /// The login is finished: whoever runs the session ends it.
    pub fn go_on(mut self) {
        self.ending = None;
    }

    /// It ends for another reason than the client.
    pub fn end(mut self, ending: Ending) {
        self.ending = Some(ending);
    }
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        if let Some(ending) = self.ending {
            self.node.registry.leave(&self.entry);
            self.node.audit.session_closed(&self.subject, ending, Totals::default());
        }
    }
}
