//! From the first byte of a connection to its startup packet: TLS, cancel requests, what is no PostgreSQL at all.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::wire::startup::{self, FirstPacket, StartupMessage};
use super::wire::{WireError, backend::Report};
use crate::net::Stream;
use crate::session::Listeners;

/// The name of the protocol in TLS without a request before it (RFC 7301).
pub const ALPN: &[u8] = b"postgresql";
/// The first byte of a TLS handshake; no startup packet begins with it.
const TLS_HANDSHAKE: u8 = 0x16;

/// What a connection turned out to be.
#[derive(Debug)]
pub enum Accepted {
    /// A session is wanted.
    Startup(Stream, StartupMessage),
    /// A query of another session is to be cancelled.
    Cancel {
        /// The number of the session.
        process: u32,
        /// What proves the right to cancel.
        secret: Vec<u8>,
    },
}

/// Why a connection did not become a session.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// The client went away, or TLS failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The first packet is none.
    #[error("{0}")]
    Wire(#[from] WireError),
    /// The client was told why.
    #[error("{0}")]
    Refused(&'static str),
}

/// Reads up to the startup packet.
/// Sessions in clear text are refused where `tls_required` says so.
pub async fn accept(mut stream: Stream, listeners: &Listeners, tls_required: bool) -> Result<Accepted, AcceptError> {
    stream = direct_tls(stream, listeners).await?;
    // Each request may come once. A second one, or one inside TLS, falls through to the version check as on the server.
    let (mut may_ask_tls, mut may_ask_gss) = (!stream.is_tls(), true);
    loop {
        match read_packet(&mut stream).await? {
            FirstPacket::SslRequest if may_ask_tls => {
                may_ask_tls = false;
                let Some(tls) = &listeners.postgres_tls else {
                    stream.write_all(b"N").await?;
                    continue;
                };
                stream.write_all(b"S").await?;
                // Exactly the request was read: clear text that was sent behind it is read as a TLS record, and
                // fails (CVE-2021-23214).
                stream = stream.accept_tls(tls.config.clone()).await?;
            }
            FirstPacket::GssEncRequest if may_ask_gss => {
                may_ask_gss = false;
                stream.write_all(b"N").await?;
            }
            FirstPacket::Cancel { process, secret } => return Ok(Accepted::Cancel { process, secret }),
            FirstPacket::Startup(startup) => return check(stream, startup, tls_required).await,
            FirstPacket::SslRequest | FirstPacket::GssEncRequest => {
                refuse(&mut stream, "0A000", "unsupported frontend protocol 1234: server supports 3.0 to 3.2").await?;
                return Err(AcceptError::Refused("encryption requested again"));
            }
            FirstPacket::UnsupportedVersion(major, minor) => {
                let message = format!("unsupported frontend protocol {major}.{minor}: server supports 3.0 to 3.2");
                refuse(&mut stream, "0A000", &message).await?;
                return Err(AcceptError::Refused("unsupported protocol version"));
            }
        }
    }
}

/// Answers TLS that begins without a request. The client must name the protocol, so that no client of another one can
/// be tricked into speaking to us.
async fn direct_tls(stream: Stream, listeners: &Listeners) -> Result<Stream, AcceptError> {
    let mut first = [0];
    let is_tls = match stream.tcp() {
        Some(tcp) => tcp.peek(&mut first).await? == 1 && first == [TLS_HANDSHAKE],
        None => false,
    };
    match &listeners.postgres_tls {
        Some(tls) if is_tls => {
            let stream = stream.accept_tls(tls.config.clone()).await?;
            if stream.alpn() == Some(ALPN) { Ok(stream) } else { Err(AcceptError::Refused("no ALPN")) }
        }
        _ => Ok(stream),
    }
}

async fn read_packet(stream: &mut Stream) -> Result<FirstPacket, AcceptError> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).await?;
    let length = StartupMessage::length(length)?;
    let mut packet = vec![0; length - 4];
    stream.read_exact(&mut packet).await?;
    Ok(startup::read(&packet)?)
}

async fn check(mut stream: Stream, startup: StartupMessage, tls_required: bool) -> Result<Accepted, AcceptError> {
    if tls_required && !stream.is_tls() {
        let message = "this server takes encrypted connections only; connect with sslmode=require or stronger";
        refuse(&mut stream, "28000", message).await?;
        return Err(AcceptError::Refused("not encrypted"));
    }
    if startup.get("replication").is_some_and(|value| !is_off(value)) {
        refuse(&mut stream, "0A000", "replication connections are not supported by this proxy").await?;
        return Err(AcceptError::Refused("replication"));
    }
    Ok(Accepted::Startup(stream, startup))
}

/// Whether a Boolean of the startup packet says no; what is no Boolean is not no.
fn is_off(value: &[u8]) -> bool {
    [&b"false"[..], b"off", b"no", b"0", b"f", b"n", b""].iter().any(|off| value.eq_ignore_ascii_case(off))
}

/// Tells a client why there is no session for it.
pub async fn refuse(stream: &mut Stream, sqlstate: &str, message: &str) -> io::Result<()> {
    let mut out = Vec::new();
    Report::fatal(sqlstate, message).write(&mut out);
    stream.write_all(&out).await?;
    stream.flush().await?;
    let _ = stream.shutdown().await;
    Ok(())
}
