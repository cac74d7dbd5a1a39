//! Stopping other sessions: KILL, and what becomes of a running statement when its client has gone.
//!
//! MySQL has no cancel request: a second connection with the proxy's own account sends KILL.

use std::sync::Arc;

use super::accept::connection_number;
use super::reply;
use super::upstream::{self, UpstreamError, Wishes};
use super::wire::err::Err;
use crate::session::{Entry, Node, Source, Wish};

/// The protocol's name in a session's subject.
pub const PROTOCOL: &str = "mysql";

/// The live session that a client means by a number: the proxy's own, or a server's on one source.
pub fn find(node: &Node, source: &Source, number: u64) -> Option<Arc<Entry>> {
    let live = node.registry.live();
    let mut mysql = live.into_iter().filter(|entry| entry.subject().protocol == PROTOCOL);
    mysql.find(|entry| {
        let of_server = || entry.server().map(|server| u64::from(server.number));
        u64::from(connection_number(entry.session)) == number
            || (of_server() == Some(number) && entry.subject().source == source.spec.name)
    })
}

/// Stops a session's running statement, or ends the session.
pub async fn stop(node: &Node, entry: &Entry, query: bool) -> Result<(), Err> {
    let subject = entry.subject();
    let stopped = match (entry.server(), node.sources.get(&subject.source)) {
        (Some(server), Some(source)) => stop_number(source, query, u64::from(server.number)).await,
        _ => Ok(()),
    };
    if !query {
        entry.want(Wish::Killed);
        return Ok(());
    }
    stopped
}

/// Stops a session of a server by the server's number.
pub async fn stop_number(source: &Source, query: bool, number: u64) -> Result<(), Err> {
    let what = if query { "query" } else { "connection" };
    let stopped = async {
        let mut upstream = upstream::connect(source, &Wishes::own()).await?;
        upstream.query(&format!("kill {what} {number}")).await?;
        upstream.quit().await;
        Ok(())
    };
    stopped.await.map_err(|error| match error {
        UpstreamError::Server(error) if error.code == UNKNOWN_THREAD => error,
        error => reply::unreachable(&source.spec.name, &error),
    })
}

const UNKNOWN_THREAD: u16 = 1094;

/// Ends the server's session of a client that has gone, so that its statement does not run on.
pub fn stop_later(entry: &Entry, source: &Arc<Source>) {
    let Some(server) = entry.server() else { return };
    let source = Arc::clone(source);
    tokio::task::spawn_local(async move {
        // The statement may have ended by itself, and its connection with it.
        let _ = stop_number(&source, false, u64::from(server.number)).await;
    });
}
