//! What both directions of a session share.

use std::collections::BTreeMap;
use std::time::Instant;

use super::super::names::Names;
use super::super::parameters::ForServer;
use super::super::pending::Pending;
use super::cost::Estimate;
use super::cursors::Cursors;
use super::fetched::Fetched;
use crate::audit::Totals;
use crate::pipeline::Settings;
use crate::session::{Acting, Ticket, TransactionalSettings, Turn};

/// The request that the server stops the statement under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// There is none.
    No,
    /// It must be sent.
    Wanted,
    /// The server has not said yet that it has it.
    UnderWay,
}

/// The state of a session. Borrowed for a few lines at a time, never across an await.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about the session")]
pub struct State {
    /// Role and source.
    pub acting: Acting,
    /// What goes to the server when the connection is opened.
    pub for_server: ForServer,
    /// Settings that decisions depend on.
    pub settings: TransactionalSettings,
    /// Replies owed.
    pub pending: Pending,
    /// Prepared statements.
    pub statements: Names,
    /// Portals.
    pub portals: Names,
    /// Settings that the client was told.
    pub reported: BTreeMap<String, String>,
    /// Bytes for the client that come before anything of the server's.
    pub prelude: Vec<u8>,
    /// A role to change to as soon as nothing is under way.
    pub role_change: Option<std::sync::Arc<str>>,
    /// Objects changed in the transaction that is open.
    pub has_ddl: bool,
    /// A catalog read after this session's own DDL; what is decided next waits for it.
    pub catalog: Option<Ticket>,
    /// A statement over restricted relations ran in the transaction that is open.
    pub is_guarded: bool,
    /// A Sync that was held back must be sent.
    pub must_sync: bool,
    /// Bytes of the server's that the client has in part, or that the other direction is writing.
    pub mid_message: bool,
    /// The server has told the client that the session is over.
    pub has_said_fatal: bool,
    /// Replies are swallowed up to the next ReadyForQuery: the second lock ended the result.
    pub draining: bool,
    /// When the client last sent something or got an answer.
    pub active: Instant,
    /// What the session did.
    pub totals: Totals,
    /// The leave to run among the statements of the role, where their number is limited.
    pub turn: Option<Turn>,
    /// Cursors of DECLARE.
    pub cursors: Cursors,
    /// What cursors gave so far.
    pub fetched: Fetched,
    /// What the planner says, while it is asked.
    pub estimate: Option<Estimate>,
    /// Whether the statement under way is being stopped at the server.
    pub stop: Stop,
    /// The text that makes the transaction fail must be sent.
    pub must_fail: bool,
}

impl State {
    /// The state at the beginning.
    pub fn new(acting: Acting, for_server: ForServer, reported: BTreeMap<String, String>) -> Self {
        let settings = TransactionalSettings::new(for_server.settings.clone());
        Self {
            cursors: Cursors::new(acting.last_database()),
            acting,
            for_server,
            settings,
            pending: Pending::default(),
            statements: Names::default(),
            portals: Names::default(),
            reported,
            prelude: Vec::new(),
            role_change: None,
            has_ddl: false,
            catalog: None,
            is_guarded: false,
            must_sync: false,
            mid_message: false,
            has_said_fatal: false,
            draining: false,
            active: Instant::now(),
            totals: Totals::default(),
            turn: None,
            fetched: Fetched::default(),
            estimate: None,
            stop: Stop::No,
            must_fail: false,
        }
    }

    /// Whether a message that needs a decision may be handled: what it depends on has happened, and nothing is being
    /// stopped that it could be hit in the place of. One that the server passes over, or that has no place in the data of
    /// COPY, waits for nothing.
    pub fn may_go_on(&self) -> bool {
        let is_free = self.stop == Stop::No && !self.pending.has_barrier();
        is_free || self.pending.is_skipping() || self.pending.is_copy_open()
    }

    /// The turn of a statement is over when none runs.
    pub fn leave_turn(&mut self) {
        if self.turn.is_some() && !self.pending.is_running() {
            self.turn = None;
        }
    }

    /// The settings in force.
    pub fn current_settings(&self) -> &Settings {
        self.settings.current()
    }

    /// Whether the role is bound by rules: what it sends is rewritten, and what comes back is watched.
    pub fn is_restricted(&self) -> bool {
        let role = self.acting.role();
        !role.unrestricted && !role.observe
    }
}
