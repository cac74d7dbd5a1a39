//! Stopping statements that met a limit: the server is asked to cancel them, and its error is put in the limit's words.

use std::convert::Infallible;
use std::time::Instant;

use tokio::time::sleep_until;

use super::Session;
use super::decide::refusal;
use super::output::Output;
use super::replies::Pass;
use super::state::State;
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
                let must_stop = state.must_stop;
                if must_stop { Some(Instant::now()) } else { state.pending.watched().and_then(|w| w.deadline()) }
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
            let must_stop = std::mem::take(&mut state.must_stop);
            let is_due = |due: Instant| due <= Instant::now();
            let overdue = state.pending.watched().filter(|watch| watch.deadline().is_some_and(is_due));
            let is_up = overdue.is_some_and(Watch::time_is_up);
            if !must_stop && !is_up {
                return;
            }
            state.is_stopping = true;
        }
        if let Some(server) = self.entry.server() {
            cancel::send(&self.source, &server).await;
        }
        self.state.borrow_mut().is_stopping = false;
        self.progress.notify_waiters();
    }

    /// The batch of a statement that was cut off late has ended. Inside a transaction, what fails makes all of it fail:
    /// where the server does not know that, a text that fails is sent to it, and ReadyForQuery is held back until then.
    pub(super) fn must_fail(state: &mut State, status: u8) -> bool {
        let must_fail = std::mem::take(&mut state.is_late) && status == b'T';
        state.must_fail = must_fail;
        state.is_failing = must_fail;
        must_fail
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
        state.is_late = true;
        self.drop_failed(state, CANCELED);
        Pass::Handled
    }
}
