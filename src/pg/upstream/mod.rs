//! Connections to servers: address, TLS, startup, and what the server said at login.

mod login;
mod query;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub use query::{Row, Rows};

use super::wire::startup::write_ssl_request;
use super::wire::{HEADER, Header, WireError, backend};
use crate::net::{Address, ClientTls, Stream, TlsMode};
use crate::session::SourceSpec;

/// The longest that connecting and logging in may take.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(30);
/// The largest message that is read whole.
const MAX_MESSAGE: usize = 64 << 20;
/// Bytes asked for by one read.
const READ_SIZE: usize = 64 << 10;

/// Why there is no connection to a server, or no longer one.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// The operating system's word.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The server's own words.
    #[error("{message}")]
    Server {
        /// SQLSTATE.
        sqlstate: String,
        /// The message.
        message: String,
        /// The whole ErrorResponse, without its header.
        fields: Vec<u8>,
    },
    /// Bytes that are no message.
    #[error("the server sent what is no message: {0}")]
    Wire(#[from] WireError),
    /// A message that does not belong where it came.
    #[error("the server sent a message of type `{0}` out of turn")]
    Unexpected(char),
    /// The server wants a proof of identity that is not known or not configured.
    #[error("{0}")]
    Login(String),
    /// The server offers no TLS and the source demands it.
    #[error("the server offers no TLS, which `tls` of the source demands")]
    NoTls,
    /// It took too long.
    #[error("no answer within {} s", LOGIN_TIMEOUT.as_secs())]
    TimedOut,
}

/// What names a server's session to those who may cancel its query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelKey {
    /// The number of the session.
    pub process: u32,
    /// The secret.
    pub secret: Vec<u8>,
}

/// Parameters for the server's startup packet, beside user and database.
pub type StartupParameters = [(String, Vec<u8>)];

/// A connection to a server, logged in and idle.
#[derive(Debug)]
pub struct Upstream {
    /// The connection.
    pub stream: Stream,
    input: Vec<u8>,
    // Bytes at the front of `input` that were read.
    taken: usize,
    /// For cancelling.
    pub key: Option<CancelKey>,
    /// Settings that the server reported (ParameterStatus).
    pub parameters: BTreeMap<String, String>,
    /// Transaction status of the last ReadyForQuery.
    pub status: u8,
}

/// Connects to a source and logs in.
pub async fn connect(
    spec: &SourceSpec,
    tls: &ClientTls,
    parameters: &StartupParameters,
) -> Result<Upstream, UpstreamError> {
    let login = async {
        let stream = open(spec, tls).await?;
        match login::log_in(stream, spec, parameters).await {
            // Like libpq: `prefer` falls back to clear text where the server's rules refuse the TLS connection.
            Err(UpstreamError::Server { sqlstate, .. }) if tls.mode == TlsMode::Prefer && sqlstate == "28000" => {
                login::log_in(address(spec).connect().await?, spec, parameters).await
            }
            done => done,
        }
    };
    tokio::time::timeout(LOGIN_TIMEOUT, login).await.map_err(|_| UpstreamError::TimedOut)?
}

/// Where a source listens: a host that begins with `/` is the folder of a Unix socket.
fn address(spec: &SourceSpec) -> Address {
    if spec.host.starts_with('/') {
        Address::Unix(Path::new(&*spec.host).join(format!(".s.PGSQL.{}", spec.port)))
    } else {
        Address::Tcp(spec.host.as_ref().into(), spec.port)
    }
}

/// Opens a connection as a source's `tls` asks, without logging in: for sessions and for cancel requests.
pub async fn open(spec: &SourceSpec, tls: &ClientTls) -> Result<Stream, UpstreamError> {
    let address = address(spec);
    let mut stream = address.connect().await?;
    let (Address::Tcp(..), Some((config, name))) = (&address, tls.handshake()) else { return Ok(stream) };
    let mut request = Vec::new();
    write_ssl_request(&mut request);
    stream.write_all(&request).await?;
    match stream.read_u8().await? {
        b'S' => match stream.connect_tls(config, name).await {
            Err(_) if tls.mode == TlsMode::Prefer => Ok(address.connect().await?),
            connected => Ok(connected?),
        },
        // `E`: a server older than TLS; it has closed the connection's use with its error.
        b'N' if tls.mode == TlsMode::Prefer => Ok(stream),
        b'E' if tls.mode == TlsMode::Prefer => Ok(address.connect().await?),
        b'N' | b'E' => Err(UpstreamError::NoTls),
        other => Err(UpstreamError::Unexpected(char::from(other))),
    }
}

impl Upstream {
    fn new(stream: Stream) -> Self {
        Self { stream, input: Vec::new(), taken: 0, key: None, parameters: BTreeMap::new(), status: b'I' }
    }

    /// Sends bytes.
    async fn send(&mut self, message: &[u8]) -> Result<(), UpstreamError> {
        self.stream.write_all(message).await?;
        self.stream.flush().await?;
        Ok(())
    }

    /// Reads one message whole into `body` and gives its type. Parameters and notices, which come at any time, are
    /// handled here; errors come out as errors.
    async fn receive(&mut self, body: &mut Vec<u8>) -> Result<u8, UpstreamError> {
        loop {
            let header = self.header().await?;
            self.body(header, body).await?;
            match header.tag {
                backend::PARAMETER_STATUS => {
                    let (name, value) = backend::read_parameter(body)?;
                    self.parameters.insert(lossy(name), lossy(value));
                }
                backend::NOTICE_RESPONSE | backend::NOTIFICATION_RESPONSE => {}
                backend::ERROR_RESPONSE => return Err(server_error(body)),
                tag => return Ok(tag),
            }
        }
    }

    async fn header(&mut self) -> Result<Header, UpstreamError> {
        loop {
            if let Some(header) = Header::read(self.unread())? {
                if header.body > MAX_MESSAGE {
                    return Err(WireError::Length.into());
                }
                return Ok(header);
            }
            self.fill().await?;
        }
    }

    async fn body(&mut self, header: Header, body: &mut Vec<u8>) -> Result<(), UpstreamError> {
        while self.unread().len() < header.total() {
            self.fill().await?;
        }
        body.clear();
        body.extend_from_slice(self.unread().get(HEADER..header.total()).unwrap_or_default());
        self.taken += header.total();
        Ok(())
    }

    /// Bytes that came after the last message that was read.
    pub fn unread(&self) -> &[u8] {
        self.input.get(self.taken..).unwrap_or_default()
    }

    async fn fill(&mut self) -> Result<(), UpstreamError> {
        self.input.drain(..self.taken);
        self.taken = 0;
        self.input.reserve(READ_SIZE);
        if self.stream.read_buf(&mut self.input).await? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        Ok(())
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn server_error(body: &[u8]) -> UpstreamError {
    let field = |letter| lossy(backend::error_field(body, letter).unwrap_or_default());
    UpstreamError::Server { sqlstate: field(b'C'), message: field(b'M'), fields: body.to_vec() }
}
