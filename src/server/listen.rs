//! Listening for clients.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol as Transport, Socket, Type};
use tokio::net::{TcpListener, TcpStream};

use super::Workers;
use crate::session::Node;
use crate::{mysql, pg};

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 4096;
/// After an error of the operating system, such as too many open files, before the next try.
const PAUSE: Duration = Duration::from_millis(50);

/// What clients of a listener speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// PostgreSQL's.
    Postgres,
    /// MySQL's and MariaDB's.
    MySql,
}

/// A listener for clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    /// The address.
    pub address: SocketAddr,
    /// What its clients speak.
    pub protocol: Protocol,
    /// Whether sessions in clear text are refused.
    pub tls_required: bool,
}

/// Listens on an address; what is given back has the port that the system chose for port 0.
pub async fn bind(address: &Address) -> io::Result<(TcpListener, Address)> {
    let listener = bind_tcp(address.address).await?;
    let bound = Address { address: listener.local_addr()?, ..*address };
    Ok((listener, bound))
}

/// Listens on an address.
#[expect(clippy::unused_async, reason = "tokio's listener must be made inside a runtime")]
pub async fn bind_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let listen = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Transport::TCP))?;
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        TcpListener::from_std(socket.into())
    };
    listen().map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}")))
}

/// Accepts clients for ever and hands each to a worker.
pub async fn accept(node: Arc<Node>, workers: Arc<Workers>, listener: TcpListener, address: Address) {
    loop {
        let accepted = match listener.accept().await {
            Ok((tcp, peer)) => tcp.into_std().map(|tcp| (tcp, peer)),
            Err(error) => Err(error),
        };
        let (tcp, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a client could not be accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let node = Arc::clone(&node);
        workers.run(move || async move {
            let Ok(tcp) = TcpStream::from_std(tcp) else { return };
            match address.protocol {
                Protocol::Postgres => pg::serve(node, tcp, peer, address.tls_required).await,
                Protocol::MySql => mysql::login::serve(node, tcp, peer, address.tls_required).await,
            }
        });
    }
}
