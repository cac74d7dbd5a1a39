//! What is counted of a running statement against the limits of its role.

use std::sync::Arc;
use std::time::Instant;

use crate::audit::MetLimit;
use crate::pipeline::{Denial, VirtualDatabase};
use crate::policy::{LimitKey, LimitMet, Limits};

/// The limits on one running statement. There is one only where some limit could stop it.
#[derive(Debug)]
pub struct Watch {
    limits: Arc<Limits>,
    // The role is in observe mode: what is met is noted, and nothing is stopped.
    observes: bool,
    began: Instant,
    // What a result may have, less what earlier fetches of its cursor gave.
    most_rows: u64,
    most_bytes: u64,
    met: Option<LimitMet>,
}

impl Watch {
    /// A statement that begins to run now.
    pub fn new(database: &VirtualDatabase, began: Instant) -> Option<Self> {
        let limits = database.limits().filter(|limits| limits.may_stop())?;
        let observes = database.role().observe;
        let mut watch = Self { limits: Arc::clone(limits), observes, began, most_rows: 0, most_bytes: 0, met: None };
        watch.begin_result(0, 0);
        Some(watch)
    }

    /// A result begins, of which the client has so many rows and bytes from earlier fetches.
    pub fn begin_result(&mut self, rows: u64, bytes: u64) {
        let rest = |most: Option<u64>, had| most.map_or(u64::MAX, |most: u64| most.saturating_sub(had));
        self.most_rows = rest(self.limits.max_rows.as_ref().map(|bound| bound.value), rows);
        self.most_bytes = rest(self.limits.max_bytes.as_ref().map(|bound| bound.value), bytes);
    }

    /// Rows that the result may still have.
    pub fn most_rows(&self) -> u64 {
        self.most_rows
    }

    /// Bytes that the result may still have.
    pub fn most_bytes(&self) -> u64 {
        self.most_bytes
    }

    /// When the statement's time is up; nothing where it has no limit or has met one.
    pub fn deadline(&self) -> Option<Instant> {
        if self.met.is_some() {
            return None;
        }
        self.began.checked_add(self.limits.statement_timeout.as_ref()?.value)
    }

    /// The statement's time is up. Gives whether it is to be stopped.
    pub fn time_is_up(&mut self) -> bool {
        self.meet(self.limits.time_is_up())
    }

    /// A result has so many rows and bytes with the row that is about to go out. Gives whether it is to be stopped
    /// before that row.
    pub fn count(&mut self, rows: u64, bytes: u64) -> bool {
        if rows <= self.most_rows && bytes <= self.most_bytes {
            return false;
        }
        let most = |limit: u64, seen: u64| if seen > limit { u64::MAX } else { 0 };
        self.meet(self.limits.forbid_result(most(self.most_rows, rows), most(self.most_bytes, bytes)))
    }

    fn meet(&mut self, met: Option<LimitMet>) -> bool {
        if self.met.is_some() || met.is_none() {
            return false;
        }
        self.met = met;
        !self.observes
    }

    /// Whether the result was cut off, so that the client must be told, however the statement ends. One whose time is
    /// up may still come to its own end.
    pub fn is_cut(&self) -> bool {
        let is_size = |met: &LimitMet| matches!(met.limit, LimitKey::MaxRows | LimitKey::MaxBytes);
        !self.observes && self.met.as_ref().is_some_and(is_size)
    }

    /// What the client of a stopped statement is told.
    pub fn refusal(&self) -> Option<Denial> {
        self.met.as_ref().filter(|_| !self.observes).map(Denial::of_limit)
    }

    /// Which limit was met.
    pub fn met(&self) -> Option<&LimitMet> {
        self.met.as_ref()
    }

    /// The same for the audit record.
    pub fn noted(&self) -> Option<MetLimit<'_>> {
        let met = self.met.as_ref()?;
        Some(MetLimit { limit: met.limit, rule: &met.rule.name, stopped: !self.observes })
    }
}
