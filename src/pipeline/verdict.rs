//! What was decided about a statement text, as types that make skipping the decision impossible.

use std::sync::Arc;

use crate::audit::Facts;
use crate::policy::RuleInfo;
use crate::sql::mysql::SqlMode;

/// What a statement changes in the session once the server has confirmed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Nothing that the proxy has to know.
    None,
    /// The role of the session changes.
    SetRole(Arc<str>),
    /// The schemas searched change; `None` is back to the default.
    SetSearchPath {
        /// The new schemas.
        path: Option<Arc<[Box<str>]>>,
        /// Only until the end of the transaction (`SET LOCAL`).
        local: bool,
    },
    /// `RESET ALL` or `DISCARD ALL`: every setting is back to its default.
    ResetAll {
        /// Prepared statements and cursors are gone too (`DISCARD ALL`).
        discard: bool,
    },
    /// A savepoint was set.
    Savepoint(Box<str>),
    /// Back to a savepoint, settings too.
    RollbackTo(Box<str>),
    /// A savepoint was forgotten.
    Release(Box<str>),
    /// `PREPARE name AS …`; what was decided holds for each `EXECUTE`.
    Prepare(Box<str>),
    /// MySQL's USE.
    Use(Box<str>),
    /// MySQL: `sql_mode` is now this.
    SetSqlMode(SqlMode),
    /// `EXECUTE name`; allowed only while the named statement's decision is up to date.
    Execute(Box<str>),
    /// `DEALLOCATE name`, or all.
    Deallocate(Option<Box<str>>),
    /// Objects were made, changed or dropped: the catalog must be read again.
    Ddl,
}

/// Leave to send one text to the server. Only the pipeline makes it.
#[derive(Debug, Clone)]
pub struct Permit {
    sql: Arc<str>,
    effects: Arc<[Effect]>,
    guarded: bool,
}

impl Permit {
    pub(in crate::pipeline) fn new(sql: Arc<str>, effects: Arc<[Effect]>, guarded: bool) -> Self {
        Self { sql, effects, guarded }
    }

    /// A text that every server answers with a syntax error and nothing else. Sent in the place of a refused
    /// statement, it makes the server end the transaction and skip to the next Sync exactly as it would for any
    /// failed statement; the session replaces the error's words by the [`Denial`]'s.
    pub fn refusal() -> Self {
        Self { sql: Arc::from("REFUSED BY SEKISHO"), effects: Arc::from([]), guarded: true }
    }

    /// The text for the server.
    pub fn sql(&self) -> &Arc<str> {
        &self.sql
    }

    /// One effect for each statement in the text, in order.
    pub fn effects(&self) -> &Arc<[Effect]> {
        &self.effects
    }

    /// Whether restricted relations are read: errors and notices must be cleaned of values.
    pub fn guarded(&self) -> bool {
        self.guarded
    }
}

/// A refusal, worded for the person who reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// The SQLSTATE that the client gets: `42501` for what rules refuse, `0A000` for what is not understood.
    pub sqlstate: &'static str,
    /// What was refused, for which role.
    pub message: String,
    /// By which rule, whom to ask.
    pub detail: Option<String>,
    /// What to do.
    pub hint: Option<String>,
    /// Where in the client's text, in characters from 1.
    pub position: Option<u32>,
    /// The rule that refused.
    pub rule: Option<Arc<RuleInfo>>,
}

/// Whether a text may run.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// It may, as the permit has it.
    Permit(Permit),
    /// It may not.
    Denial(Denial),
}

/// A verdict with what the audit record says about it.
#[derive(Debug, Clone)]
pub struct Decision {
    /// The leading comment of the text, as BI tools send it, cleaned; at most 1 KiB.
    pub annotation: Option<Box<str>>,
    /// What is known about the text.
    pub facts: Arc<Facts>,
    /// Whether it may run.
    pub verdict: Verdict,
    /// What would have been said if the role were not in observe mode.
    pub observed: Option<Arc<Denial>>,
}
