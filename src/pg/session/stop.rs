//! Stopping statements that met a limit: the server is asked to cancel them, and its error is put in the limit's words.
//!
//! ```text
//! a row too many ──▶ Stop::Wanted ──▶ UnderWay: cancel request ──▶ No
//!                         └─ the server says ERROR          the client gets the limit's words
//!                         └─ the server was done before     the client gets them all the same (`end_cut`); inside a
//!                                                           transaction, `Owed::Failing` makes it fail
//! ```
//!
//! Until all of that is over the client side handles no message that needs a decision ([`State::may_go_on`]).

use std::convert::Infallible;
use std::time::Instant;

use tokio::time::sleep_until;

use super::Session;
use super::decide::refusal;
use super::output::Output;
use super::replies::Pass;
use super::state::{State, Stop};
use crate::pg::cancel;
use crate::pg::fault::Fault;
use crate::pg::pending::Owed;
use crate::pg::reply::write_denial;
use crate::pg::wire::frontend;
use crate::session::Watch;

/// `query_canceled`.
pub(super) const CANCELED: [u8; 5] = *b"57014";

impl Session {
    /// Stops statements whose time is up, and those that the server side says must be stopped, as long as the session
    /// lasts.
    pub(super) async fn stop_statements(&self) -> Infallible {
        loop {
            let due = {
                let mut state = self.state.borrow_mut();
                if state.stop == Stop::Wanted {
                    Some(Instant::now())
                } else {
                    state.pending.watched().and_then(|watch| watch.deadline())
                }
            };
            match due {
                None => self.overtime.notified().await,
                Some(due) if due > Instant::now() => {
                    tokio::select! {
                        () = sleep_until(due.into()) => {}
                        () = self.overtime.notified() => {}
                    }
                }
                Some(_) => self.stop_overdue().await,
            }
        }
    }

    async fn stop_overdue(&self) {
        {
            let mut state = self.state.borrow_mut();
            let is_due = |due: Instant| due <= Instant::now();
            let overdue = state.pending.watched().filter(|watch| watch.deadline().is_some_and(is_due));
            let is_up = overdue.is_some_and(Watch::time_is_up);
            if state.stop != Stop::Wanted && !is_up {
                return;
            }
            state.stop = Stop::UnderWay;
        }
        if let Some(server) = self.entry.server() {
            cancel::send(&self.source, &server).await;
        }
        {
            let mut state = self.state.borrow_mut();
            if state.stop == Stop::UnderWay {
                state.stop = Stop::No;
            }
            // A client that does not read the rest keeps others of the role from nothing.
            state.turn = None;
        }
        self.progress.notify_waiters();
    }

    /// Sends the text that makes the transaction fail, where it must.
    pub(super) async fn fail_transaction(&self) -> Result<(), Fault> {
        if !std::mem::take(&mut self.state.borrow_mut().must_fail) {
            return Ok(());
        }
        let mut out = Vec::new();
        frontend::write_query(&mut out, &refusal());
        self.send(&mut out).await
    }

    /// A statement whose result was cut off came to its own end before the server heard that it should stop: the client
    /// gets the error all the same, and nothing that follows up to the next Sync.
    pub(super) fn end_cut(&self, state: &mut State, input: &[u8], out: &mut Output) -> Pass {
        let Some(running) = state.pending.front().and_then(Owed::running) else { return Pass::Handled };
        let refusal = running.watch.as_ref().and_then(|watch| watch.refusal());
        running.sqlstate = Some(CANCELED);
        if let Some(refusal) = refusal.filter(|_| !state.draining) {
            write_denial(out.edit(input), &refusal);
        }
        state.draining = true;
        state.pending.end_late();
        self.drop_failed(state, CANCELED);
        Pass::Handled
    }
}
