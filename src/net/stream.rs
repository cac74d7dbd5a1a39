//! One type for every way in which bytes travel.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use super::certificate::endpoint_hash;

/// A connection to a client or a server.
#[derive(Debug)]
pub enum Stream {
    /// TCP in clear.
    Tcp(TcpStream),
    /// A Unix socket.
    Unix(UnixStream),
    /// TLS with a client of ours.
    Accepted(Box<server::TlsStream<TcpStream>>),
    /// TLS with a server.
    Connected(Box<client::TlsStream<TcpStream>>),
    /// Nothing: what a closed connection leaves behind.
    Closed,
}

impl Stream {
    /// Answers the TLS handshake of a client on a clear TCP stream.
    pub async fn accept_tls(self, config: Arc<ServerConfig>) -> io::Result<Self> {
        match self {
            Self::Tcp(tcp) => Ok(Self::Accepted(Box::new(TlsAcceptor::from(config).accept(tcp).await?))),
            _ => Err(io::Error::other("TLS was asked for on a stream that cannot carry it")),
        }
    }

    /// Begins TLS with a server on a clear TCP stream.
    pub async fn connect_tls(self, config: Arc<ClientConfig>, name: ServerName<'static>) -> io::Result<Self> {
        match self {
            Self::Tcp(tcp) => Ok(Self::Connected(Box::new(TlsConnector::from(config).connect(name, tcp).await?))),
            _ => Err(io::Error::other("TLS was asked for on a stream that cannot carry it")),
        }
    }

    /// Whether the bytes are protected.
    pub fn is_tls(&self) -> bool {
        matches!(self, Self::Accepted(_) | Self::Connected(_))
    }

    /// The application protocol that both sides of TLS agreed on (RFC 7301).
    pub fn alpn(&self) -> Option<&[u8]> {
        match self {
            Self::Accepted(tls) => tls.get_ref().1.alpn_protocol(),
            Self::Connected(tls) => tls.get_ref().1.alpn_protocol(),
            Self::Tcp(_) | Self::Unix(_) | Self::Closed => None,
        }
    }

    /// The hash of the server's certificate for channel binding `tls-server-end-point` (RFC 5929), on a connection
    /// to a server; `None` where the certificate's signature names no hash.
    pub fn server_endpoint(&self) -> Option<Vec<u8>> {
        match self {
            Self::Connected(tls) => tls.get_ref().1.peer_certificates()?.first().and_then(|c| endpoint_hash(c)),
            Self::Tcp(_) | Self::Unix(_) | Self::Accepted(_) | Self::Closed => None,
        }
    }

    /// The TCP stream below, for socket options and peeking.
    pub fn tcp(&self) -> Option<&TcpStream> {
        match self {
            Self::Tcp(tcp) => Some(tcp),
            Self::Accepted(tls) => Some(tls.get_ref().0),
            Self::Connected(tls) => Some(tls.get_ref().0),
            Self::Unix(_) | Self::Closed => None,
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(s) => Pin::new(s).poll_read(cx, buf),
            Self::Unix(s) => Pin::new(s).poll_read(cx, buf),
            Self::Accepted(s) => Pin::new(s).poll_read(cx, buf),
            Self::Connected(s) => Pin::new(s).poll_read(cx, buf),
            Self::Closed => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(s) => Pin::new(s).poll_write(cx, buf),
            Self::Unix(s) => Pin::new(s).poll_write(cx, buf),
            Self::Accepted(s) => Pin::new(s).poll_write(cx, buf),
            Self::Connected(s) => Pin::new(s).poll_write(cx, buf),
            Self::Closed => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(s) => Pin::new(s).poll_flush(cx),
            Self::Unix(s) => Pin::new(s).poll_flush(cx),
            Self::Accepted(s) => Pin::new(s).poll_flush(cx),
            Self::Connected(s) => Pin::new(s).poll_flush(cx),
            Self::Closed => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(s) => Pin::new(s).poll_shutdown(cx),
            Self::Unix(s) => Pin::new(s).poll_shutdown(cx),
            Self::Accepted(s) => Pin::new(s).poll_shutdown(cx),
            Self::Connected(s) => Pin::new(s).poll_shutdown(cx),
            Self::Closed => Poll::Ready(Ok(())),
        }
    }
}
