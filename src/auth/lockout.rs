//! Slowing down those who guess passwords.
//!
//! A wrong password costs its sender time, more with each one, counted by user and address; nobody else waits, and a
//! right password is never delayed or refused. So nobody can lock another out.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Wrong passwords that cost nothing: people mistype.
const FREE: u32 = 5;
/// What each further one adds to the delay.
const STEP: Duration = Duration::from_millis(1);
/// The greatest delay.
const MAX_DELAY: Duration = Duration::from_millis(50);
/// Wrong passwords are forgotten after so long without another.
const MEMORY: Duration = Duration::from_mins(10);
/// Pairs of user and address remembered at the most. When full, those that were forgotten leave, then all: an attacker
/// with that many addresses is not slowed by delays anyway.
const PAIRS: usize = 10_000;

/// Wrong passwords of late.
#[derive(Debug, Default)]
pub struct Lockout {
    // Names are hashed: they are the client's own and may be long.
    hasher: RandomState,
    failures: Mutex<HashMap<u64, (u32, Instant)>>,
}

impl Lockout {
    /// A wrong password was given: how long its answer is to be held back.
    pub fn failed(&self, user: &[u8], address: Option<IpAddr>, now: Instant) -> Duration {
        let key = self.hasher.hash_one((user, address));
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= PAIRS {
            failures.retain(|_, (_, last)| now.duration_since(*last) < MEMORY);
            if failures.len() >= PAIRS {
                failures.clear();
            }
        }
        let (count, last) = failures.entry(key).or_insert((0, now));
        if now.duration_since(*last) >= MEMORY {
            *count = 0;
        }
        *count = count.saturating_add(1);
        *last = now;
        (STEP * count.saturating_sub(FREE)).min(MAX_DELAY)
    }

    /// The right password was given.
    pub fn succeeded(&self, user: &[u8], address: Option<IpAddr>) {
        let key = self.hasher.hash_one((user, address));
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_for_the_pair_alone_and_end_with_success() {
        let lockout = Lockout::default();
        let now = Instant::now();
        for _ in 0..FREE {
            assert_eq!(lockout.failed(b"a", None, now), Duration::ZERO);
        }
        assert_eq!(lockout.failed(b"a", None, now), STEP);
        assert_eq!(lockout.failed(b"b", None, now), Duration::ZERO);
        for _ in 0..200 {
            lockout.failed(b"a", None, now);
        }
        assert_eq!(lockout.failed(b"a", None, now), MAX_DELAY);
        lockout.succeeded(b"a", None);
        assert_eq!(lockout.failed(b"a", None, now), Duration::ZERO);
    }

    #[test]
    fn memory_is_bounded() {
        let lockout = Lockout::default();
        let now = Instant::now();
        for n in 0..3 * PAIRS {
            lockout.failed(&n.to_be_bytes(), None, now);
        }
        assert!(lockout.failures.lock().unwrap().len() <= PAIRS);
    }
}
