//! Asking for a newer catalog and waiting for it.
//!
//! Sessions ask and go on, or wait when they must; one task of the server reads the catalog for all of them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};

/// A wish for a catalog read after this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(u64);

/// The least time between two wishes that come of unknown names: whoever sends nonsense must not keep the server busy.
const RARELY: Duration = Duration::from_secs(2);

/// The wishes of one source.
#[derive(Debug)]
pub struct Refresh {
    asked: AtomicU64,
    wake: Notify,
    // The newest ticket that was served, whether the catalog could be read or not.
    served: watch::Sender<u64>,
    last_rare: Mutex<Option<Instant>>,
}

impl Default for Refresh {
    fn default() -> Self {
        Self {
            asked: AtomicU64::new(0),
            wake: Notify::new(),
            served: watch::Sender::new(0),
            last_rare: Mutex::new(None),
        }
    }
}

impl Refresh {
    /// Asks for a catalog that is read from now on.
    pub fn ask(&self) -> Ticket {
        let ticket = Ticket(self.asked.fetch_add(1, Ordering::AcqRel) + 1);
        self.wake.notify_one();
        ticket
    }

    /// The same because of a name that the catalog does not have; nothing if that was asked a moment ago.
    pub fn ask_rarely(&self, now: Instant) -> Option<Ticket> {
        let mut last = self.last_rare.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| now.duration_since(last) < RARELY) {
            return None;
        }
        *last = Some(now);
        drop(last);
        Some(self.ask())
    }

    /// Waits until a wish was served.
    pub async fn served(&self, ticket: Ticket) {
        // The sender lives as long as `self`.
        let _ = self.served.subscribe().wait_for(|served| *served >= ticket.0).await;
    }

    /// For the task that reads the catalog: waits until there are wishes, and takes them all. What is read after
    /// this serves the ticket.
    pub async fn wanted(&self) -> Ticket {
        self.wake.notified().await;
        self.taken()
    }

    /// For the task that reads the catalog without having been asked: the wishes that this reading will serve.
    pub fn taken(&self) -> Ticket {
        Ticket(self.asked.load(Ordering::Acquire))
    }

    /// For the task that reads the catalog: it was read, or could not be.
    pub fn done(&self, ticket: Ticket) {
        self.served.send_if_modified(|served| {
            let newer = ticket.0 > *served;
            *served = ticket.0.max(*served);
            newer
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn a_wish_is_served_by_a_later_reading_only() {
        let refresh = Arc::new(Refresh::default());
        let first = refresh.ask();
        let reading = refresh.wanted().await;
        let second = refresh.ask();
        refresh.done(reading);
        refresh.served(first).await;
        let waiting = tokio::spawn({
            let refresh = Arc::clone(&refresh);
            async move { refresh.served(second).await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        let reading = refresh.wanted().await;
        refresh.done(reading);
        waiting.await.unwrap();
    }
}
