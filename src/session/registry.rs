//! The live sessions: for cancelling, for ending them, for being shown.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use ring::rand::{SecureRandom, SystemRandom};
use subtle::ConstantTimeEq;
use tokio::sync::Notify;

use crate::audit::Subject;

/// What a server calls the session that it keeps for one of ours: what cancelling needs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServerSession {
    /// PostgreSQL's process number, MySQL's connection number.
    pub number: u32,
    /// PostgreSQL's secret.
    pub secret: Vec<u8>,
}

/// What the node wants of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Wish {
    /// To go on.
    GoOn = 0,
    /// To end when no statement and no transaction is under way: the proxy shuts down.
    EndWhenIdle = 1,
    /// To end now: the proxy shuts down and the time for ending is over.
    EndNow = 2,
    /// To end now: somebody asked for it.
    Killed = 3,
}

/// A live session.
#[derive(Debug)]
pub struct Entry {
    /// Unique within the node's life; audit records carry it.
    pub session: u64,
    /// The number that the client was given for cancelling; unique among live sessions.
    pub process: u32,
    /// The secret that goes with it.
    pub secret: Box<[u8]>,
    /// When the session began.
    pub since: SystemTime,
    subject: Mutex<Subject>,
    server: Mutex<Option<ServerSession>>,
    wish: AtomicU8,
    wake: Notify,
}

impl Entry {
    /// Who this is.
    pub fn subject(&self) -> Subject {
        lock(&self.subject).clone()
    }

    /// Who this is, changed with role or application name.
    pub fn set_subject(&self, subject: Subject) {
        *lock(&self.subject) = subject;
    }

    /// The session at the server, while there is one.
    pub fn server(&self) -> Option<ServerSession> {
        lock(&self.server).clone()
    }

    /// A connection to the server was made or ended.
    pub fn set_server(&self, server: Option<ServerSession>) {
        *lock(&self.server) = server;
    }

    /// What the node wants.
    pub fn wish(&self) -> Wish {
        match self.wish.load(Ordering::Acquire) {
            0 => Wish::GoOn,
            1 => Wish::EndWhenIdle,
            2 => Wish::EndNow,
            _ => Wish::Killed,
        }
    }

    /// Tells the session what is wanted; a stronger wish is not taken back.
    pub fn want(&self, wish: Wish) {
        self.wish.fetch_max(wish as u8, Ordering::AcqRel);
        self.wake.notify_one();
    }

    /// Waits until something is wanted, or wanted more strongly.
    pub async fn wanted(&self) {
        self.wake.notified().await;
    }
}

/// All live sessions, and how many connections there are.
#[derive(Debug, Default)]
pub struct Registry {
    sessions: AtomicU64,
    processes: AtomicU32,
    live: Mutex<HashMap<u32, Arc<Entry>>>,
    clients: Arc<AtomicUsize>,
    unauthenticated: Arc<AtomicUsize>,
    emptied: Notify,
    // What is wanted of all, also of those who come later.
    wish: AtomicU8,
}

/// One of a limited number of places; given back when dropped.
#[derive(Debug)]
pub struct Slot(Arc<AtomicUsize>);

impl Slot {
    fn take(counter: &Arc<AtomicUsize>, limit: usize) -> Option<Self> {
        let free = |taken: usize| (taken < limit).then_some(taken + 1);
        counter.fetch_update(Ordering::AcqRel, Ordering::Acquire, free).ok().map(|_| Self(Arc::clone(counter)))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Registry {
    /// A place for a client, if there is one.
    pub fn client_slot(&self, limit: usize) -> Option<Slot> {
        Slot::take(&self.clients, limit)
    }

    /// A place for a client that is logging in, if there is one.
    pub fn login_slot(&self, limit: usize) -> Option<Slot> {
        Slot::take(&self.unauthenticated, limit)
    }

    /// Clients connected, those that are logging in included.
    pub fn clients(&self) -> usize {
        self.clients.load(Ordering::Acquire)
    }

    /// The number for a session that is about to log in.
    pub fn next_session(&self) -> u64 {
        self.sessions.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Enters a session; `subject.session` names it. The secret has so many bytes. Nothing when the operating
    /// system gives no random bytes.
    pub fn enter(&self, subject: Subject, secret_length: usize) -> Option<Arc<Entry>> {
        let mut secret = vec![0; secret_length];
        SystemRandom::new().fill(&mut secret).ok()?;
        let mut live = lock(&self.live);
        let process = loop {
            // Positive as a 32-bit integer, which some drivers take it for.
            let number = self.processes.fetch_add(1, Ordering::Relaxed) & 0x7fff_ffff;
            if number != 0 && !live.contains_key(&number) {
                break number;
            }
        };
        let entry = Arc::new(Entry {
            session: subject.session,
            process,
            secret: secret.into(),
            since: SystemTime::now(),
            subject: Mutex::new(subject),
            server: Mutex::new(None),
            wish: AtomicU8::new(self.wish.load(Ordering::Acquire)),
            wake: Notify::new(),
        });
        live.insert(process, Arc::clone(&entry));
        Some(entry)
    }

    /// Removes a session.
    pub fn leave(&self, entry: &Entry) {
        let mut live = lock(&self.live);
        live.remove(&entry.process);
        if live.is_empty() {
            self.emptied.notify_waiters();
        }
    }

    /// The session that a cancel request speaks of, if the secret is right.
    pub fn find(&self, process: u32, secret: &[u8]) -> Option<Arc<Entry>> {
        let entry = lock(&self.live).get(&process).cloned()?;
        bool::from(entry.secret.ct_eq(secret)).then_some(entry)
    }

    /// The session of a number, for those who need no secret.
    pub fn get(&self, process: u32) -> Option<Arc<Entry>> {
        lock(&self.live).get(&process).cloned()
    }

    /// All live sessions, in no order.
    pub fn live(&self) -> Vec<Arc<Entry>> {
        lock(&self.live).values().cloned().collect()
    }

    /// Tells all sessions what is wanted, also those that begin later.
    pub fn want(&self, wish: Wish) {
        let live = lock(&self.live);
        self.wish.fetch_max(wish as u8, Ordering::AcqRel);
        for entry in live.values() {
            entry.want(wish);
        }
    }

    /// Waits until there is no session.
    pub async fn emptied(&self) {
        loop {
            let emptied = self.emptied.notified();
            if lock(&self.live).is_empty() {
                return;
            }
            emptied.await;
        }
    }
}

/// A thread that panicked with the lock held left a whole value behind: every holder only assigns.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_secret_finds_a_session() {
        let registry = Registry::default();
        let entry = registry.enter(Subject { session: 5, ..Subject::default() }, 4).unwrap();
        assert!(registry.find(entry.process, &entry.secret).is_some());
        assert!(registry.find(entry.process, b"").is_none());
        let mut wrong = entry.secret.to_vec();
        wrong[3] ^= 1;
        assert!(registry.find(entry.process, &wrong).is_none());
        registry.leave(&entry);
        assert!(registry.find(entry.process, &entry.secret).is_none());
    }

    #[test]
    fn places_are_limited_and_given_back() {
        let registry = Registry::default();
        let first = registry.client_slot(1);
        assert!(first.is_some());
        assert!(registry.client_slot(1).is_none());
        drop(first);
        assert!(registry.client_slot(1).is_some());
    }

    #[test]
    fn a_stronger_wish_stays() {
        let registry = Registry::default();
        let entry = registry.enter(Subject::default(), 4).unwrap();
        entry.want(Wish::Killed);
        entry.want(Wish::EndWhenIdle);
        assert_eq!(entry.wish(), Wish::Killed);
    }
}
