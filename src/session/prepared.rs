//! A prepared statement: its text and what was decided about it.

use std::cell::Cell;
use std::sync::Arc;

use crate::pipeline::{Decision, Settings, VirtualDatabase};

/// A statement that a client prepared, with the decision that each execution rests on.
#[derive(Debug)]
pub struct Prepared {
    /// What the client sent.
    pub text: Box<str>,
    /// What was decided.
    pub decision: Decision,
    /// By what it was decided.
    pub database: Arc<VirtualDatabase>,
    /// And with which settings.
    pub settings: Settings,
    /// Whether the server has told its result columns, so that the second lock has seen them.
    pub described: Cell<bool>,
}

impl Prepared {
    /// Whether the decision still holds.
    pub fn is_current(&self, database: &Arc<VirtualDatabase>, settings: &Settings) -> bool {
        Arc::ptr_eq(&self.database, database) && self.settings == *settings
    }
}
