//! Connections to servers: address, TLS, login, and what the server said about itself.

mod login;
mod query;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub use query::{Row, Rows};

use super::wire::{Capabilities, Extensions, HEADER, Header, Malformed, err};
use crate::net::{Address, Stream, TlsMode};
use crate::session::{Source, SourceSpec};

/// The longest that connecting and logging in may take.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(30);
/// The largest payload that is read whole.
const MAX_WHOLE: usize = 64 << 20;
/// Bytes asked for by one read of [`Upstream::receive`].
const READ_SIZE: usize = 16 << 10;

/// Why there is no connection to a server, or no longer one.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// The operating system's word.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The server's own words.
    #[error("{}", .0.message)]
    Server(err::Err),
    /// Bytes that are no packet of the protocol.
    #[error("the server sent what is no packet of the protocol: {0}")]
    Malformed(#[from] Malformed),
    /// A packet that does not belong where it came.
    #[error("the server sent a packet beginning with {0:#04x} out of turn")]
    Unexpected(u8),
    /// The server wants a proof of identity that is not known or not configured.
    #[error("{0}")]
    Login(String),
    /// The server offers no TLS and the source demands it.
    #[error("the server offers no TLS, which `tls` of the source demands")]
    NoTls,
    /// The server cannot do what the session has agreed on with its client.
    #[error("the server lacks what other servers behind this address offered at login (capabilities {0:#x})")]
    Lacks(u32),
    /// It took too long.
    #[error("no answer within {} s", LOGIN_TIMEOUT.as_secs())]
    TimedOut,
}

/// What a connection is to be.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// Capabilities agreed on with the client; every one of them is needed.
    pub capabilities: Capabilities,
    /// Capabilities that are used where the server has them.
    pub welcome: Capabilities,
    /// MariaDB's capabilities agreed on with the client.
    pub extensions: Extensions,
    /// Collation of the connection; decides its character set too.
    pub collation: u8,
    /// The current database; none when empty.
    pub database: Box<str>,
    /// Names and values that the server shows in `performance_schema`.
    pub attributes: Vec<(String, String)>,
}

impl Wishes {
    /// For the proxy's own questions.
    pub fn own() -> Self {
        Self {
            collation: UTF8MB4,
            attributes: vec![("program_name".to_owned(), "sekisho".to_owned())],
            ..Self::default()
        }
    }
}

/// `utf8mb4_general_ci`, which every server has.
pub const UTF8MB4: u8 = 45;

/// A connection to a server, logged in and idle.
#[derive(Debug)]
pub struct Upstream {
    /// The connection.
    pub stream: Stream,
    /// Bytes that came and were not read.
    pub input: BytesMut,
    /// The server's number of the connection.
    pub connection: u32,
    /// What is in use on this connection.
    pub capabilities: Capabilities,
    /// What of MariaDB's is in use.
    pub extensions: Extensions,
    /// Status flags of the last OK packet.
    pub status: u16,
}

/// Connects to a source and logs in; the source remembers what the server is.
pub async fn connect(source: &Source, wishes: &Wishes) -> Result<Upstream, UpstreamError> {
    let login = async {
        match login::log_in(source, wishes, source.tls.mode != TlsMode::Disable).await {
            // Like libmysqlclient: `prefer` goes on in clear text where the TLS handshake fails.
            Err(UpstreamError::Io(_)) if source.tls.mode == TlsMode::Prefer => {
                login::log_in(source, wishes, false).await
            }
            done => done,
        }
    };
    tokio::time::timeout(LOGIN_TIMEOUT, login).await.map_err(|_| UpstreamError::TimedOut)?
}

/// Where a source listens: a host that begins with `/` is the path of a Unix socket.
fn address(spec: &SourceSpec) -> Address {
    if spec.host.starts_with('/') {
        Address::Unix(PathBuf::from(&*spec.host))
    } else {
        Address::Tcp(spec.host.as_ref().into(), spec.port)
    }
}

impl Upstream {
    /// A connection that was in use elsewhere, between two commands.
    pub fn resume(stream: Stream, connection: u32, capabilities: Capabilities, status: u16) -> Self {
        Self { stream, input: BytesMut::new(), connection, capabilities, extensions: Extensions::default(), status }
    }

    /// Sends bytes.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), UpstreamError> {
        send(&mut self.stream, bytes).await
    }

    /// Reads one payload whole into `body`, and gives the sequence number of its last packet.
    pub async fn receive(&mut self, body: &mut Vec<u8>) -> Result<u8, UpstreamError> {
        receive(&mut self.stream, &mut self.input, body).await
    }

    /// Says goodbye; what the server makes of it does not matter.
    pub async fn quit(mut self) {
        let _ = self.send(&[1, 0, 0, 0, super::wire::command::QUIT]).await;
        let _ = self.stream.shutdown().await;
    }
}

async fn send(stream: &mut Stream, bytes: &[u8]) -> Result<(), UpstreamError> {
    stream.write_all(bytes).await?;
    stream.flush().await?;
    Ok(())
}

async fn receive(stream: &mut Stream, input: &mut BytesMut, body: &mut Vec<u8>) -> Result<u8, UpstreamError> {
    body.clear();
    loop {
        let header = match Header::read(input) {
            Some(header) if input.len() >= HEADER + header.len => header,
            found => {
                if found.is_some_and(|header| body.len() + header.len > MAX_WHOLE) {
                    return Err(Malformed("larger than anything that is read whole").into());
                }
                input.reserve(READ_SIZE);
                if stream.read_buf(input).await? == 0 {
                    return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
                }
                continue;
            }
        };
        input.advance(HEADER);
        body.extend_from_slice(&input.split_to(header.len));
        if !header.is_continued() {
            return Ok(header.sequence);
        }
    }
}
