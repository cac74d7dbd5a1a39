//! Reaching a server.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpStream, UnixStream};

use super::Stream;

/// Silence after which the operating system asks whether the other side is still there.
const KEEPALIVE_IDLE: Duration = Duration::from_mins(1);
/// Time between its questions.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);
/// Unanswered questions after which the connection is dead.
const KEEPALIVE_PROBES: u32 = 4;

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// Host name or address, and port.
    Tcp(Box<str>, u16),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

impl Address {
    /// Connects; names are resolved and every address is tried in turn.
    pub async fn connect(&self) -> io::Result<Stream> {
        match self {
            Self::Tcp(host, port) => {
                let tcp = TcpStream::connect((&**host, *port)).await?;
                tune(&tcp);
                Ok(Stream::Tcp(tcp))
            }
            Self::Unix(path) => Ok(Stream::Unix(UnixStream::connect(path).await?)),
        }
    }
}

/// Sets what every connection needs: small messages leave at once, and a dead peer is noticed. A socket that
/// refuses an option works without it.
pub fn tune(tcp: &TcpStream) {
    let _ = tcp.set_nodelay(true);
    let keepalive =
        TcpKeepalive::new().with_time(KEEPALIVE_IDLE).with_interval(KEEPALIVE_INTERVAL).with_retries(KEEPALIVE_PROBES);
    let _ = SockRef::from(tcp).set_tcp_keepalive(&keepalive);
}
