//! What is recorded: the values that sessions hand over.

use std::sync::Arc;

use super::Audit;
use super::facts::Facts;
use crate::policy::{LimitKey, RuleInfo};

/// Names a record; later records have greater numbers. 0 names none: with `on_failure = "continue"` a statement may
/// run without a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Sequence(pub u64);

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
    /// Rules that met it and only report.
    pub reported: &'a [Arc<RuleInfo>],
}

/// On what a refusal rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ground {
    /// What is granted and protected, or what is not understood.
    #[default]
    Rules,
    /// A `[[limit]]`, by the key that was met.
    Limit(LimitKey),
    /// A `[[block]]`.
    Block,
    /// A `[[learn]]`.
    Learn,
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
        /// By which kind of rule.
        ground: Ground,
    },
    /// It does not run.
    Refused {
        /// SQLSTATE.
        sqlstate: &'a str,
        /// What the client was told.
        message: &'a str,
        /// By which rule.
        rule: Option<&'a str>,
        /// By which kind of rule.
        ground: Ground,
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
    /// The limit that it met while it ran.
    pub limit: Option<MetLimit<'a>>,
    /// What is known about the statement; alerts ask which tables it touched.
    pub facts: Option<&'a Facts>,
}

/// A limit that a running statement met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetLimit<'a> {
    /// Its kind.
    pub limit: LimitKey,
    /// The rule that sets it.
    pub rule: &'a str,
    /// Whether the statement was stopped; otherwise the role is in observe mode.
    pub stopped: bool,
}

/// People were told of something.
#[derive(Debug, Clone, Copy)]
pub struct AlertRecord<'a> {
    /// The `[[alert]]`.
    pub name: &'a str,
    /// Whose it is.
    pub owner: Option<&'a str>,
    /// What it listened to.
    pub on: &'static str,
    /// How many events it stands for.
    pub events: u64,
    /// Whose the last one was.
    pub subject: &'a Subject,
    /// The statement of the last one; 0 where it has none.
    pub statement: Sequence,
    /// What the last one was.
    pub message: &'a str,
}

/// Hears of what is recorded, while it is recorded.
pub trait Listener: std::fmt::Debug + Send + Sync {
    /// A statement was decided.
    fn statement(&self, audit: &Audit, record: &StatementRecord<'_>, statement: Sequence);
    /// A statement ended.
    fn result(&self, audit: &Audit, record: &ResultRecord<'_>);
    /// A login was refused.
    fn login_refused(&self, audit: &Audit, subject: &Subject, reason: &str);
    /// The second lock ended a result.
    fn second_lock(&self, audit: &Audit, subject: &Subject, statement: Sequence, column: &str);
    /// A statement or login could not be recorded.
    fn failed(&self, audit: &Audit, subject: &Subject, reason: &str);
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

/// What a session did, from login to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Statements decided, refused ones too.
    pub statements: u64,
    /// Rows sent to the client, or changed.
    pub rows: u64,
    /// Bytes of results sent to the client.
    pub bytes: u64,
}
