//! What was decided about a statement text, as types that make skipping the decision impossible.

use std::sync::Arc;

use crate::policy::{RuleInfo, Verb};

/// How a column was shown to the role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shown {
    /// As it is.
    Raw,
    /// Through a mask.
    Masked,
}

/// What a statement does with one relation, for the audit record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectUse {
    /// `schema.table`.
    pub relation: Box<str>,
    /// What is done with it.
    pub verb: Verb,
    /// The columns touched and how each was shown.
    pub columns: Vec<(Box<str>, Shown)>,
    /// The row filters that applied.
    pub filters: Vec<Arc<str>>,
}

/// What is known about a text whatever the verdict; shared by all its executions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// Hash of the text with literals removed; 0 where the text could not be read.
    pub fingerprint: u64,
    /// The text with literals removed and white space folded.
    pub normalized: Box<str>,
    /// The kind of each statement in the text: `select`, `insert`, `set` …
    pub kinds: Vec<&'static str>,
    /// Names of the rules that decided something.
    pub rules: Vec<Arc<str>>,
    /// Relations read and written.
    pub objects: Vec<ObjectUse>,
}

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
    /// `PREPARE name AS …`; the decision about the inner statement is the one that this effect came with.
    Prepare(Box<str>),
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
}
