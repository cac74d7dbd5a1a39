//! Cancelling what a server's session runs.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Duration, timeout};

use super::upstream::{UpstreamError, open};
use super::wire::startup::write_cancel_request;
use crate::session::{Entry, Node, ServerSession, Source};

/// The longest that a server may take to hear a cancel request.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Serves a client's cancel request: nothing happens unless number and secret are those of a live session. Clients get
/// no answer in any case, as the protocol has it.
pub async fn serve(node: &Node, process: u32, secret: &[u8]) {
    let Some(entry) = node.registry.find(process, secret) else { return };
    cancel_entry(node, &entry).await;
}

/// Cancels what a live session of ours runs.
pub async fn cancel_entry(node: &Node, entry: &Entry) {
    let source = node.sources.get(&entry.subject().source);
    if let (Some(source), Some(server)) = (source, entry.server()) {
        node.metrics.cancels.add_one();
        send(source, &server).await;
    }
}

/// Sends a cancel request to a server. Failure is not reported: the query may have ended by itself, too.
pub async fn send(source: &Source, server: &ServerSession) {
    let request = async {
        let mut stream = open(&source.spec, &source.tls).await?;
        let mut out = Vec::new();
        write_cancel_request(&mut out, server.number, &server.secret);
        stream.write_all(&out).await?;
        stream.flush().await?;
        // The server closes the connection when it has sent the signal.
        let _ = stream.read_u8().await;
        Ok::<_, UpstreamError>(())
    };
    if let Ok(Err(error)) = timeout(TIMEOUT, request).await {
        tracing::debug!(source = %source.spec.name, %error, "cancel request not delivered");
    }
}
