//! How many statements of a role run at one time, and who waits for one of them to end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// The longest that a statement waits for its turn.
pub const WAIT: Duration = Duration::from_secs(5);

/// The statements of all roles that have a limit on them.
#[derive(Debug, Default)]
pub struct Concurrency(Mutex<HashMap<Arc<str>, Arc<Queue>>>);

#[derive(Debug, Default)]
struct Queue {
    state: Mutex<State>,
    ended: Notify,
}

#[derive(Debug, Default)]
struct State {
    running: u32,
    waiting: u32,
}

/// The leave to run; another statement may when it is dropped.
#[derive(Debug)]
pub struct Turn(Arc<Queue>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.with(|state| state.running = state.running.saturating_sub(1));
        self.0.ended.notify_one();
    }
}

impl Concurrency {
    /// The turn of a role's statement, if one is free now.
    pub fn try_turn(&self, role: &Arc<str>, most: u32) -> Option<Turn> {
        self.queue(role).take(most)
    }

    /// Waits for the turn of a role's statement. Nothing where as many wait as may run, or where the wait is too long.
    pub async fn turn(&self, role: &Arc<str>, most: u32) -> Option<Turn> {
        self.turn_within(role, most, WAIT).await
    }

    async fn turn_within(&self, role: &Arc<str>, most: u32, wait: Duration) -> Option<Turn> {
        let queue = self.queue(role);
        if let Some(turn) = queue.take(most) {
            return Some(turn);
        }
        let has_room = queue.with(|state| {
            let has_room = state.waiting < most;
            state.waiting += u32::from(has_room);
            has_room
        });
        if !has_room {
            return None;
        }
        let _waiting = Waiting(&queue);
        let until = Instant::now() + wait;
        loop {
            let ended = queue.ended.notified();
            if let Some(turn) = queue.take(most) {
                return Some(turn);
            }
            if timeout_at(until, ended).await.is_err() {
                return queue.take(most);
            }
        }
    }

    fn queue(&self, role: &Arc<str>) -> Arc<Queue> {
        let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(queues.entry(Arc::clone(role)).or_default())
    }
}

/// One that waits; no longer when dropped.
struct Waiting<'q>(&'q Queue);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.with(|state| state.waiting = state.waiting.saturating_sub(1));
        // Whoever was told that a turn is free and went away passes it on.
        self.0.ended.notify_one();
    }
}

impl Queue {
    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn take(self: &Arc<Self>, most: u32) -> Option<Turn> {
        let taken = self.with(|state| {
            let is_free = state.running < most;
            state.running += u32::from(is_free);
            is_free
        });
        taken.then(|| Turn(Arc::clone(self)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(test: impl Future<Output = ()>) {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(test);
    }

    #[test]
    fn turns_are_limited_for_each_role_and_given_back() {
        run(async {
            let (node, viewer, other) = (Concurrency::default(), Arc::from("viewer"), Arc::from("other"));
            let first = node.turn(&viewer, 1).await;
            assert!(first.is_some());
            assert!(node.try_turn(&viewer, 1).is_none());
            assert!(node.try_turn(&other, 1).is_some());
            drop(first);
            assert!(node.try_turn(&viewer, 1).is_some());
        });
    }

    #[test]
    fn one_waits_for_each_that_runs_and_not_for_long() {
        run(async {
            let (node, viewer) = (Concurrency::default(), Arc::from("viewer"));
            let first = node.turn(&viewer, 1).await.unwrap();
            let short = Duration::from_millis(50);
            let waiting = node.turn(&viewer, 1);
            let mut waiting = std::pin::pin!(waiting);
            assert!(tokio::time::timeout(short, waiting.as_mut()).await.is_err());
            assert!(node.turn(&viewer, 1).await.is_none(), "the queue is full");
            drop(first);
            let second = waiting.await;
            assert!(second.is_some());
            let before = Instant::now();
            assert!(node.turn_within(&viewer, 1, short).await.is_none());
            assert!(before.elapsed() >= short);
        });
    }
}
