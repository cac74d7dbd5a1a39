//! Stopping statements that met a limit: by KILL QUERY on another connection, so that the session goes on.

use std::io;
use std::pin::pin;
use std::time::Duration;

use tokio::time::{timeout, timeout_at};

use super::relay::Progress;
use super::{Session, Step, client_gone};
use crate::audit::Ending;
use crate::mysql::wire::err::Err;
use crate::mysql::{cancel, reply};
use crate::session::{Entry, Source, Turn, Watch};

/// The longest that the server may take to hear that it should stop.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether an error says that the statement was interrupted: `ER_QUERY_INTERRUPTED`, or a time-out of the server's own
/// (MySQL's 3024, MariaDB's 1969).
pub(super) fn is_interruption(error: &Err) -> bool {
    matches!(error.code, 1317 | 1969 | 3024)
}

impl Session {
    /// Waits until the server says more, and stops the statement when its time is up.
    pub(super) async fn await_reply(&mut self, watch: &mut Option<Watch>) -> Step<()> {
        while let Some(watch) = watch.as_mut()
            && let Some(due) = watch.deadline()
        {
            if let Ok(waited) = timeout_at(due.into(), self.await_server()).await {
                return waited;
            }
            if watch.time_is_up() {
                self.stop_statement().await;
            }
        }
        self.await_server().await
    }

    /// A row would make the result larger than it may be: nothing more of the reply reaches the client but an error.
    pub(super) async fn cut(&mut self, progress: &mut Progress, rows: u64, bytes: u64) -> Step<()> {
        progress.pending.limit(u64::MAX, u64::MAX);
        if !progress.watch.as_mut().is_some_and(|watch| watch.count(rows, bytes)) {
            // In observe mode it is noted only.
            return Ok(());
        }
        self.forward(progress).await?;
        let server = self.server.as_ref().ok_or(Ending::ServerGone)?;
        // Behind the packets that went out comes the error.
        let sequence = server.unread().get(progress.seen + 3).copied().ok_or(Ending::ServerGone)?;
        progress.cut = Some((sequence, progress.pending.rows));
        progress.ended = true;
        self.stop_statement().await;
        Ok(())
    }

    /// Tells the client that its result was cut off, now that the server has done with it.
    pub(super) async fn end_cut(&mut self, progress: &mut Progress) -> Step<()> {
        let refusal = progress.watch.as_ref().and_then(Watch::refusal);
        let (Some((sequence, _)), Some(refusal)) = (progress.cut, refusal) else { return Ok(()) };
        let error = reply::refusal(&refusal);
        self.client.send_error(sequence, &error).await.map_err(client_gone)?;
        progress.outcome.error = Some(error);
        Ok(())
    }

    /// Asks the server to stop what the session runs.
    pub(super) async fn stop_statement(&self) {
        stop_statement(&self.entry, self.acting.source()).await;
    }
}

/// What it takes to stop a statement while its rows are written to the client.
pub(super) struct Stop<'s> {
    pub entry: &'s Entry,
    pub source: &'s Source,
    /// Its turn among those of its role, which is over when it is stopped.
    pub turn: &'s mut Option<Turn>,
}

impl Stop<'_> {
    /// Writes to the client, which may not read: when the statement's time is up meanwhile, it is stopped at the server, and
    /// the client has a little more time to take what is there.
    pub(super) async fn within(
        self,
        watch: &mut Option<Watch>,
        sending: impl Future<Output = io::Result<()>>,
    ) -> Step<()> {
        let mut sending = pin!(sending);
        let Some((watch, due)) = watch.as_mut().and_then(|watch| watch.deadline().map(|due| (watch, due))) else {
            return sending.await.map_err(client_gone);
        };
        if let Ok(sent) = timeout_at(due.into(), sending.as_mut()).await {
            return sent.map_err(client_gone);
        }
        if !watch.time_is_up() {
            return sending.await.map_err(client_gone);
        }
        stop_statement(self.entry, self.source).await;
        *self.turn = None;
        match timeout(PATIENCE, sending).await {
            Ok(sent) => sent.map_err(client_gone),
            Err(_) => Err(Ending::Closed("statement_timeout: the client does not read the result")),
        }
    }
}

/// Asks the server to stop what a session runs. When this returns the server has heard it, so that it cannot hit a later
/// statement; or it cannot be reached, and the statement goes on.
async fn stop_statement(entry: &Entry, source: &Source) {
    let Some(server) = entry.server() else { return };
    let stopping = cancel::stop_number(source, true, u64::from(server.number));
    match timeout(PATIENCE, stopping).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!(session = entry.session, error = %error.message, "a statement over its limits was not stopped");
        }
        Err(_) => {
            tracing::warn!(session = entry.session, "a statement over its limits was not stopped in time");
        }
    }
}
