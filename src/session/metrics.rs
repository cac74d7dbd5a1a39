//! Counters of what happened since the start; the admin port renders them.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::audit::Ground;
use crate::policy::LimitKey;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn add_one(&self) {
        self.add(1);
    }

    /// So many more.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// How many so far.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How often limits were met, by their kind.
#[derive(Debug, Default)]
pub struct LimitCounters([Counter; LimitKey::EACH.len()]);

impl LimitCounters {
    /// One more.
    pub fn count(&self, limit: LimitKey) {
        if let Some(counter) = self.0.get(limit as usize) {
            counter.add_one();
        }
    }

    /// How often each kind was met.
    pub fn get(&self) -> impl Iterator<Item = (LimitKey, u64)> {
        LimitKey::EACH.into_iter().zip(self.0.iter().map(Counter::get))
    }
}

impl Metrics {
    /// A statement was refused, or would have been in observe mode: counts what it met.
    pub fn met(&self, ground: Ground) {
        match ground {
            Ground::Rules => {}
            Ground::Limit(limit) => self.limits.count(limit),
            Ground::Block | Ground::Learn => self.statements_blocked.add_one(),
        }
    }
}

/// All counters of the node.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Connections accepted.
    pub connections: Counter,
    /// Connections turned away because there were too many.
    pub connections_refused: Counter,
    /// Logins that succeeded.
    pub logins: Counter,
    /// Logins that failed: unknown user, wrong password, no right to the source.
    pub login_failures: Counter,
    /// Statements sent to a server.
    pub statements_permitted: Counter,
    /// Statements refused.
    pub statements_refused: Counter,
    /// Statements refused because the audit log could not be written.
    pub statements_unrecorded: Counter,
    /// Logins and statements that met a limit.
    pub limits: LimitCounters,
    /// Statements that met a `[[block]]`, or a `[[learn]]` that did not know them.
    pub statements_blocked: Counter,
    /// Rows of results sent to clients.
    pub rows: Counter,
    /// Bytes of results sent to clients.
    pub result_bytes: Counter,
    /// Connections ended because the client broke the protocol.
    pub protocol_errors: Counter,
    /// Results stopped because a protected column arrived raw.
    pub second_lock_hits: Counter,
    /// Cancel requests passed on to servers.
    pub cancels: Counter,
    /// Connections to servers that could not be made.
    pub server_connect_errors: Counter,
    /// Connections that a server ended.
    pub server_disconnects: Counter,
    /// Times that a source's catalog was read.
    pub catalog_refreshes: Counter,
    /// Times that a source's catalog could not be read.
    pub catalog_failures: Counter,
    /// Times that rules were put in force.
    pub reloads: Counter,
    /// Times that new rules were broken and the old ones stayed.
    pub reload_failures: Counter,
}
