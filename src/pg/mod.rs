//! The PostgreSQL side: sessions of clients, connections to servers, and what goes between them.
//!
//! In: a socket and the [`Node`]. Out: bytes on wires, audit records. A statement goes to a server only with a
//! [`Permit`](crate::pipeline::Permit). Never knows: how decisions are made, MySQL.

pub mod accept;
pub mod auth;
pub mod cancel;
pub mod fault;
pub mod introspect;
pub mod names;
pub mod parameters;
pub mod pending;
pub mod reply;
pub mod session;
pub mod upstream;
pub mod wire;

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::time::timeout;

use self::accept::{AcceptError, Accepted, accept, refuse};
use self::auth::{LoggedIn, LoginError};
use crate::net::{Stream, tune};
use crate::session::{Node, Slot};

/// Serves one connection of a client to its end. `tls_required` says whether its listener refuses clear text.
pub async fn serve(node: Arc<Node>, tcp: TcpStream, peer: SocketAddr, tls_required: bool) {
    tune(&tcp);
    node.metrics.connections.add_one();
    let mut stream = Stream::Tcp(tcp);
    let Some((client, login)) = places(&node) else {
        node.metrics.connections_refused.add_one();
        let _ = timeout(node.timeouts.login, refuse(&mut stream, "53300", "sorry, too many clients already")).await;
        return;
    };
    // Boxed: what a login needs is gone when the session runs.
    let login_ends = timeout(node.timeouts.login, Box::pin(begin(&node, stream, peer, tls_required))).await;
    let logged_in = login_ends.unwrap_or_else(|_| {
        tracing::debug!(%peer, "login took too long");
        None
    });
    drop(login);
    if let Some(logged_in) = logged_in {
        session::run(node, logged_in).await;
    }
    drop(client);
}

/// A place among all clients and one among those that are logging in.
fn places(node: &Node) -> Option<(Slot, Slot)> {
    let listeners = node.listeners.load();
    let client = node.registry.client_slot(listeners.max_clients)?;
    Some((client, node.registry.login_slot(listeners.max_unauthenticated)?))
}

/// Everything up to the first statement; nothing where there is no session to run.
async fn begin(node: &Node, stream: Stream, peer: SocketAddr, tls_required: bool) -> Option<LoggedIn> {
    let listeners = node.listeners.load_full();
    match accept(stream, &listeners, tls_required).await {
        Ok(Accepted::Startup(stream, startup)) => match auth::log_in(node, stream, &startup, peer).await {
            Ok(logged_in) => return Some(logged_in),
            Err(LoginError::Wire(error)) => {
                node.metrics.protocol_errors.add_one();
                tracing::debug!(%peer, %error, "login broken off");
            }
            Err(error) => tracing::debug!(%peer, %error, "login failed"),
        },
        Ok(Accepted::Cancel { process, secret }) => cancel::serve(node, process, &secret).await,
        Err(AcceptError::Wire(error)) => {
            node.metrics.protocol_errors.add_one();
            tracing::debug!(%peer, %error, "no startup packet");
        }
        Err(error) => tracing::debug!(%peer, %error, "connection broken off"),
    }
    None
}
