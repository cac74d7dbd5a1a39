//! Stopping statements that met a limit: by KILL QUERY on another connection, so that the session goes on.

use std::time::Duration;

use tokio::time::{timeout, timeout_at};

use super::relay::Progress;
use super::{Session, Step, client_gone};
use crate::audit::Ending;
use crate::mysql::wire::err::Err;
use crate::mysql::{cancel, reply};
use crate::session::Watch;

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

    /// Asks the server to stop what the session runs. When this returns the server has heard it, so that it cannot hit a
    /// later statement; or it cannot be reached, and the statement goes on.
    pub(super) async fn stop_statement(&self) {
        let Some(server) = self.entry.server() else { return };
        let stopping = cancel::stop_number(self.acting.source(), true, u64::from(server.number));
        match timeout(PATIENCE, stopping).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(session = self.entry.session, error = %error.message, "a statement over its limits was not stopped");
            }
            Err(_) => {
                tracing::warn!(session = self.entry.session, "a statement over its limits was not stopped in time");
            }
        }
    }
}
