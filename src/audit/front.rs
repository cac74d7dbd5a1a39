//! Where records are made: the end of the chain, and what is known about a failure to write it.

use std::sync::Arc;
use std::time::SystemTime;

use super::chain::{Chain, Link};

/// Bytes of records kept in memory while they cannot be written.
const MOST_WAITING: usize = 8 << 20;

/// Where records are made.
#[derive(Debug)]
pub struct Front {
    /// The end of the chain.
    pub chain: Chain,
    /// Bytes that were taken out of the chain and are not written.
    pub taken: usize,
    /// Set while records cannot be written.
    pub breakage: Option<Breakage>,
    /// The last record was made.
    pub stopped: bool,
    /// Since the log was opened.
    pub counts: Counts,
}

/// Since when and why records cannot be written, and what that cost.
#[derive(Debug, Clone)]
pub struct Breakage {
    /// What the operating system said last.
    pub reason: Arc<str>,
    /// When it began.
    pub since: SystemTime,
    /// Statements refused since.
    pub refused: u64,
    /// Records dropped since.
    pub dropped: u64,
}

impl Breakage {
    /// A failure that begins now and has cost nothing yet.
    pub fn begin(since: SystemTime) -> Self {
        Self { reason: Arc::default(), since, refused: 0, dropped: 0 }
    }
}

/// What failures to write have cost.
#[derive(Debug, Default, Clone, Copy)]
pub struct Counts {
    /// Statements and logins refused.
    pub refused: u64,
    /// Records dropped.
    pub dropped: u64,
    /// Attempts to write that failed.
    pub failures: u64,
}

impl Front {
    /// Nothing waits; the next record goes on after `last`.
    pub fn after(last: Link) -> Self {
        Self { chain: Chain::after(last), taken: 0, breakage: None, stopped: false, counts: Counts::default() }
    }

    /// Whether memory for records that cannot be written has run out.
    pub fn is_full(&self) -> bool {
        self.chain.waiting() + self.taken > MOST_WAITING
    }
}
