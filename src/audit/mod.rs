//! Who asked what, what was decided, what came of it: records, written before the first row leaves.
//!
//! In: facts about sessions, statements and results. Out: JSON lines in segment files, chained by SHA-256.
//! Never knows: sockets, rules, syntax trees. Only `log`, `writer`, `segment`, `sync`, `recovery`,
//! `verify` and `reading` touch files; everything else is pure.

mod chain;
mod facts;
mod front;
mod json;
mod line;
mod log;
pub mod reading;
mod record;
mod recovery;
mod render;
mod segment;
mod settings;
mod sync;
#[cfg(test)]
mod tests;
mod timestamp;
pub mod verify;
mod writer;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

pub use facts::{Facts, ObjectUse, Ran, Rendered, Shown};
pub use record::{
    AlertRecord, Ending, Ground, Listener, MetLimit, Outcome, ResultRecord, Sequence, StatementRecord, Subject, Totals,
};
pub use settings::{Durability, OnFailure, Settings, StatementText};

use json::{push_field, push_number_field};
use log::Log;
use render::TextRules;

/// The audit log of this node; cheap to clone, shared by all sessions and threads.
///
/// Records are made into one buffer, in order, each chained to the one before it, and written together: by
/// [`Audit::flush`] when a thread's event loop is about to sleep, or by whoever needs its record written sooner.
///
/// The default one keeps nothing; it is for tests and for commands that run no statement.
#[derive(Debug, Clone, Default)]
pub struct Audit {
    log: Option<Arc<Log>>,
    listener: Option<Arc<dyn Listener>>,
}

/// Records cannot be written now, so nothing may run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the audit log cannot be written: {reason}")]
pub struct Unavailable {
    /// What the operating system said.
    pub reason: Arc<str>,
}

/// The log cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("the audit log in `{}` cannot be opened: {source}", dir.display())]
pub struct OpenError {
    /// The folder.
    pub dir: PathBuf,
    /// Why not.
    pub source: io::Error,
}

/// How the log fares, for metrics and readiness.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// The sequence number of the last record made.
    pub last: u64,
    /// Its hash. Noted elsewhere, it proves later that nothing up to it was changed or removed.
    pub last_hash: String,
    /// The last record written.
    pub written: u64,
    /// Bytes of records that wait to be written.
    pub waiting_bytes: u64,
    /// Bytes written since the start.
    pub written_bytes: u64,
    /// Statements and logins refused because they could not be recorded.
    pub refused: u64,
    /// Records dropped because memory for them ran out while they could not be written.
    pub dropped: u64,
    /// Attempts to write that failed.
    pub failures: u64,
    /// Why records cannot be written now; `None` when they can.
    pub broken: Option<Arc<str>>,
}

impl Audit {
    /// Opens the log of a folder: takes the lock, mends what a crash left, goes on with the chain in a new segment.
    /// `node` is the name of this proxy in the records.
    pub fn open(settings: Settings, node: &str) -> Result<Self, OpenError> {
        let dir = settings.dir.clone();
        let open = || {
            let lock = segment::claim(&settings.dir)?;
            let former = recovery::recover(&settings.dir)?;
            Log::open(settings, node, lock, former.as_ref())
        };
        match open() {
            Ok(log) => Ok(Self { log: Some(Arc::new(log)), listener: None }),
            Err(source) => Err(OpenError { dir, source }),
        }
    }

    /// The same log, of whose records a listener hears.
    #[must_use]
    pub fn heard_by(mut self, listener: Arc<dyn Listener>) -> Self {
        self.listener = Some(listener);
        self
    }

    /// Notes a statement. The caller sends nothing of its result before [`Audit::is_written`] says so.
    pub fn statement(&self, record: &StatementRecord<'_>) -> Result<Sequence, Unavailable> {
        let Some(log) = &self.log else { return Ok(Sequence::default()) };
        let rules =
            TextRules { statement_text: log.settings.statement_text, max_length: log.settings.max_statement_text };
        let noted = log.require("statement", |out| render::statement(out, record, rules));
        if let Some(listener) = &self.listener {
            if let Ok(sequence) = &noted {
                listener.statement(self, record, *sequence);
            }
            self.tell_failure(log, listener.as_ref(), record.subject, &noted);
        }
        noted
    }

    /// Notes what came of a statement.
    pub fn result(&self, record: &ResultRecord<'_>) {
        if record.statement == Sequence::default() {
            return;
        }
        self.note("result", |out| render::result(out, record));
        if let Some(listener) = &self.listener {
            listener.result(self, record);
        }
    }

    /// Notes a login.
    pub fn session_opened(&self, subject: &Subject) -> Result<Sequence, Unavailable> {
        let Some(log) = &self.log else { return Ok(Sequence::default()) };
        let noted = log.require("session_opened", |out| render::subject(out, subject));
        if let Some(listener) = &self.listener {
            self.tell_failure(log, listener.as_ref(), subject, &noted);
        }
        noted
    }

    /// Tells a listener of what was not recorded, also where it is let through for now.
    fn tell_failure(
        &self,
        log: &Log,
        listener: &dyn Listener,
        subject: &Subject,
        noted: &Result<Sequence, Unavailable>,
    ) {
        let reason = match noted {
            Ok(_) => log.goes_on_without(),
            Err(unavailable) => Some(Arc::clone(&unavailable.reason)),
        };
        if let Some(reason) = reason {
            listener.failed(self, subject, &reason);
        }
    }

    /// Notes the end of a session.
    pub fn session_closed(&self, subject: &Subject, ending: Ending, totals: Totals) {
        self.note("session_closed", |out| render::session_closed(out, subject, ending, totals));
    }

    /// Notes a refused login; the names are what the client claimed.
    pub fn login_refused(&self, subject: &Subject, reason: &str) {
        self.note("login_refused", |out| {
            render::subject(out, subject);
            push_field(out, "reason", reason);
        });
        if let Some(listener) = &self.listener {
            listener.login_refused(self, subject, reason);
        }
    }

    /// Notes that the second lock ended a result: `column` was about to arrive as it is.
    pub fn second_lock(&self, subject: &Subject, statement: Sequence, column: &str) {
        self.note("second_lock", |out| {
            render::subject(out, subject);
            push_number_field(out, "statement", statement.0);
            push_field(out, "column", column);
        });
        if let Some(listener) = &self.listener {
            listener.second_lock(self, subject, statement, column);
        }
    }

    /// Notes that people were told of something.
    pub fn alert(&self, record: &AlertRecord<'_>) {
        self.note("alert", |out| render::alert(out, record));
    }

    /// Notes that rules were loaded, or why they were not.
    pub fn reloaded(&self, version: u64, error: Option<&str>) {
        self.note("reload", |out| {
            push_number_field(out, "version", version);
            if let Some(error) = error {
                push_field(out, "error", error);
            }
        });
    }

    /// Whether a record is as safe as `durability` asks for. One atomic load.
    pub fn is_written(&self, sequence: Sequence) -> bool {
        self.log.as_ref().is_none_or(|log| log.is_written(sequence))
    }

    /// Writes what waits, with one call to the operating system; does nothing when nothing waits. With
    /// `durability = "os"` every record made before is written when this returns; with `"disk"` the thread that
    /// synchronises is woken.
    pub fn flush(&self) {
        if let Some(log) = &self.log {
            log.flush();
        }
    }

    /// Like [`Audit::flush`], but only for records that something waits for: those of statements and logins. Others,
    /// such as results, are written with them, or by whoever calls [`Audit::flush`] now and then. For event loops that
    /// are about to sleep; does nothing while another thread writes.
    pub fn flush_required(&self) {
        if let Some(log) = &self.log {
            log.flush_required();
        }
    }

    /// Waits until a record is as safe as `durability` asks for.
    pub async fn written(&self, sequence: Sequence) -> Result<(), Unavailable> {
        match &self.log {
            Some(log) => log.written(sequence).await,
            None => Ok(()),
        }
    }

    /// Notes that the node stops, and returns when all is written. Nothing can be recorded after it.
    pub fn stop(&self) {
        if let Some(log) = &self.log {
            log.stop();
        }
    }

    /// How the log fares.
    pub fn status(&self) -> Status {
        self.log.as_ref().map(|log| log.status()).unwrap_or_default()
    }

    fn note(&self, kind: &str, fields: impl FnOnce(&mut Vec<u8>)) {
        if let Some(log) = &self.log {
            log.note(kind, fields);
        }
    }
}
