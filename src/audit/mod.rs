//! Who asked what, what was decided, what came of it: records, written before the first row leaves.
//!
//! In: facts about sessions, statements and results. Out: JSON lines in segment files, chained by SHA-256.
//! Never knows: sockets, rules, syntax trees. Only [`writer`] and [`segment`] touch files; everything else is pure.

mod facts;

pub use facts::{Facts, ObjectUse, Shown};

use std::sync::Arc;

/// The audit log of this node; cheap to clone, shared by all sessions and threads.
///
/// Records are made into one buffer, in order, each chained to the one before it, and written together: by
/// [`Audit::flush`] when a thread's event loop is about to sleep, or by whoever needs its record written sooner.
#[derive(Debug, Clone, Default)]
pub struct Audit {}

/// Names a record; later records have greater numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Sequence(pub u64);

/// Records cannot be written now, so nothing may run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the audit log cannot be written: {reason}")]
pub struct Unavailable {
    /// What the operating system said.
    pub reason: Arc<str>,
}

/// What all records of a session say about it. Made again when role or application name change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// Unique within the node's life.
    pub session: u64,
    /// The name logged in with.
    pub user: Arc<str>,
    /// The role acting.
    pub role: Arc<str>,
    /// The source.
    pub source: Arc<str>,
    /// `postgres`, `mysql`.
    pub protocol: &'static str,
    /// Address and port of the client.
    pub client: Arc<str>,
    /// `application_name`, MySQL's `program_name`.
    pub application: Arc<str>,
}

/// A statement, decided and about to run or refused.
#[derive(Debug, Clone, Copy)]
pub struct StatementRecord<'a> {
    /// Whose.
    pub subject: &'a Subject,
    /// What the client sent.
    pub text: &'a str,
    /// The leading comment of its tool.
    pub annotation: Option<&'a str>,
    /// What the server gets; `None` when it is the client's own text or nothing.
    pub sent: Option<&'a str>,
    /// What was found out about the text.
    pub facts: &'a Facts,
    /// How it was decided.
    pub outcome: Outcome<'a>,
}

/// How a statement was decided.
#[derive(Debug, Clone, Copy)]
pub enum Outcome<'a> {
    /// It runs.
    Permitted,
    /// It runs though it would have been refused: the role is in observe mode.
    Observed {
        /// What the refusal would have said.
        message: &'a str,
        /// By which rule.
        rule: Option<&'a str>,
    },
    /// It does not run.
    Refused {
        /// SQLSTATE.
        sqlstate: &'a str,
        /// What the client was told.
        message: &'a str,
        /// By which rule.
        rule: Option<&'a str>,
    },
}

/// What came of a statement.
#[derive(Debug, Clone, Copy)]
pub struct ResultRecord<'a> {
    /// Whose.
    pub subject: &'a Subject,
    /// The record of the statement.
    pub statement: Sequence,
    /// Rows sent to the client, or changed.
    pub rows: u64,
    /// Bytes of results sent to the client.
    pub bytes: u64,
    /// From the statement's arrival to the first byte of its answer, in microseconds.
    pub first_row_us: u64,
    /// From the statement's arrival to the end of its answer, in microseconds.
    pub total_us: u64,
    /// SQLSTATE of the server's or the proxy's error.
    pub sqlstate: Option<&'a str>,
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The client said goodbye.
    Terminated,
    /// The client went away without a word.
    ClientGone,
    /// The server went away.
    ServerGone,
    /// The client broke the protocol.
    ProtocolViolation,
    /// Ended by the proxy: time-out, shutdown, a kill, the audit log, the second lock.
    Closed(&'static str),
}

impl Audit {
    /// Notes a statement. The caller sends nothing of its result before [`Audit::is_written`] says so.
    pub fn statement(&self, _record: &StatementRecord<'_>) -> Result<Sequence, Unavailable> {
        Ok(Sequence::default())
    }

    /// Notes what came of a statement.
    pub fn result(&self, _record: &ResultRecord<'_>) {}

    /// Notes a login.
    pub fn session_opened(&self, _subject: &Subject) -> Result<Sequence, Unavailable> {
        Ok(Sequence::default())
    }

    /// Notes the end of a session.
    pub fn session_closed(&self, _subject: &Subject, _ending: Ending) {}

    /// Notes a refused login; the names are what the client claimed.
    pub fn login_refused(&self, _subject: &Subject, _reason: &str) {}

    /// Notes that rules were loaded, or why they were not.
    pub fn reloaded(&self, _version: u64, _error: Option<&str>) {}

    /// Whether a record is as safe as `durability` asks for. One atomic load.
    pub fn is_written(&self, _sequence: Sequence) -> bool {
        true
    }

    /// Writes what waits, with one call to the operating system; does nothing when nothing waits. With
    /// `durability = "os"` every record made before is written when this returns; with `"disk"` the thread that
    /// synchronises is woken.
    pub fn flush(&self) {}

    /// Waits until a record is as safe as `durability` asks for.
    pub async fn written(&self, _sequence: Sequence) -> Result<(), Unavailable> {
        Ok(())
    }
}
