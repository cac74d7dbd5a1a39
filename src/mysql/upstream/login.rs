//! Logging in to a server: greeting, TLS, and the authentication that the server chooses.
//!
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html>

use bytes::BytesMut;

use super::{Upstream, UpstreamError, Wishes, address, receive, send};
use crate::auth::{caching_sha2_password, ed25519, native_password};
use crate::mysql::wire::greeting::Greeting;
use crate::mysql::wire::login::Login;
use crate::mysql::wire::ok::{self, Ok as OkPacket};
use crate::mysql::wire::{Capabilities, Extensions, Malformed, Reader, err, packet};
use crate::net::{Stream, TlsMode};
use crate::session::{MySqlServer, Source};

/// `sha256_password`, MySQL's plugin before `caching_sha2_password`.
const SHA256_PASSWORD: &str = "sha256_password";
/// The password as it is; only where nobody can listen.
const CLEAR_PASSWORD: &str = "mysql_clear_password";
/// From the server: more data of the plugin.
const MORE_DATA: u8 = 0x01;
/// From a client of `sha256_password`: send the RSA key.
const REQUEST_SHA256_KEY: u8 = 0x01;
/// The most messages of an authentication; none takes more than seven.
const MAX_ROUNDS: usize = 12;

/// One connection on its way to being logged in.
struct Exchange {
    stream: Stream,
    input: BytesMut,
    body: Vec<u8>,
    sequence: u8,
}

pub(super) async fn log_in(source: &Source, wishes: &Wishes, may_use_tls: bool) -> Result<Upstream, UpstreamError> {
    let stream = address(&source.spec).connect().await?;
    let mut exchange = Exchange { stream, input: BytesMut::new(), body: Vec::new(), sequence: 0 };
    exchange.receive().await?;
    if exchange.body.first() == Some(&err::MARK) {
        return Err(UpstreamError::Server(err::Err::read(&exchange.body)?));
    }
    let greeting = Greeting::read(&exchange.body)?;
    source.remember_mysql(MySqlServer {
        version: greeting.version.as_str().into(),
        capabilities: greeting.capabilities.0,
        extensions: greeting.extensions.0,
        collation: greeting.collation,
    });
    let mut login = request(&greeting, wishes)?;
    if let Some((config, name)) = source.tls.handshake().filter(|_| may_use_tls && exchange.stream.tcp().is_some()) {
        if greeting.capabilities.has(Capabilities::SSL) {
            login.capabilities = login.capabilities | Capabilities::SSL;
            exchange.send(|out| login.write_fixed(out)).await?;
            exchange.stream = std::mem::replace(&mut exchange.stream, Stream::Closed).connect_tls(config, name).await?;
        } else if source.tls.mode != TlsMode::Prefer {
            return Err(UpstreamError::NoTls);
        }
    }
    let password = source.spec.password.as_ref().map(|secret| secret.expose().as_bytes()).unwrap_or_default();
    let mut plugin = Plugin::new(&greeting.plugin, &greeting.scramble);
    // A plugin that is not known here is left to the server's request to switch.
    let auth = plugin.first_answer(password, exchange.is_private()).unwrap_or_default();
    login.user = source.spec.user.as_bytes();
    login.auth = &auth;
    login.plugin = greeting.plugin.as_bytes();
    exchange.send(|out| login.write(out)).await?;
    let status = exchange.authenticate(&mut plugin, password, login.capabilities).await?;
    let Exchange { stream, input, .. } = exchange;
    let (capabilities, extensions) = (login.capabilities, login.extensions);
    Ok(Upstream { stream, input, connection: greeting.connection, capabilities, extensions, status })
}

/// The login packet without what the authentication adds.
fn request<'a>(greeting: &Greeting, wishes: &'a Wishes) -> Result<Login<'a>, UpstreamError> {
    // A client that named its database at login said so with a flag of its own.
    let wanted = wishes.capabilities.without(Capabilities::OWN);
    let mariadb = greeting.is_mariadb();
    let wanted =
        if mariadb { wanted.without(Capabilities::LONG_PASSWORD) } else { wanted | Capabilities::LONG_PASSWORD };
    let lacking = wanted.without(greeting.capabilities | CLIENT_SIDE);
    if lacking != Capabilities::default() {
        return Err(UpstreamError::Lacks(lacking.0));
    }
    let needed = Capabilities::PROTOCOL_41 | Capabilities::SECURE_CONNECTION | Capabilities::PLUGIN_AUTH;
    if !greeting.capabilities.has(needed | Capabilities::PLUGIN_AUTH_LENENC) {
        return Err(UpstreamError::Login("the server is older than MySQL 5.6 and MariaDB 10.0".to_owned()));
    }
    let welcome = wishes.welcome & greeting.capabilities;
    let mut capabilities = wanted | welcome | needed | Capabilities::PLUGIN_AUTH_LENENC;
    if !wishes.database.is_empty() {
        capabilities = capabilities | Capabilities::CONNECT_WITH_DB;
    }
    if !wishes.attributes.is_empty() && greeting.capabilities.has(Capabilities::CONNECT_ATTRS) {
        capabilities = capabilities | Capabilities::CONNECT_ATTRS;
    }
    Ok(Login {
        capabilities,
        extensions: if mariadb { wishes.extensions & greeting.extensions } else { Extensions::default() },
        collation: wishes.collation,
        max_packet: 1 << 30,
        database: wishes.database.as_bytes(),
        attributes: wishes.attributes.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect(),
        ..Login::default()
    })
}

/// Flags by which a client says what it is; servers need not offer them.
const CLIENT_SIDE: Capabilities = Capabilities(
    Capabilities::ODBC.0 | Capabilities::INTERACTIVE.0 | Capabilities::IGNORE_SPACE.0 | Capabilities::LONG_FLAG.0,
);

impl Exchange {
    async fn receive(&mut self) -> Result<(), UpstreamError> {
        self.sequence = receive(&mut self.stream, &mut self.input, &mut self.body).await?.wrapping_add(1);
        Ok(())
    }

    async fn send(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), UpstreamError> {
        let mut out = Vec::with_capacity(256);
        self.sequence = packet::append_with(&mut out, self.sequence, write);
        send(&mut self.stream, &out).await
    }

    /// Whether nobody can listen.
    fn is_private(&self) -> bool {
        self.stream.is_tls() || matches!(self.stream, Stream::Unix(_))
    }

    /// Answers until the server says OK; gives its status flags.
    async fn authenticate(
        &mut self,
        plugin: &mut Plugin,
        password: &[u8],
        capabilities: Capabilities,
    ) -> Result<u16, UpstreamError> {
        for _ in 0..MAX_ROUNDS {
            self.receive().await?;
            match *self.body.first().ok_or(Malformed("empty"))? {
                ok::OK => return Ok(OkPacket::read(&self.body, capabilities)?.status),
                err::MARK => return Err(UpstreamError::Server(err::Err::read(&self.body)?)),
                ok::EOF => {
                    let mut reader = Reader::new(self.body.get(1..).unwrap_or_default());
                    let name = String::from_utf8_lossy(reader.nul_bytes()?).into_owned();
                    // All plugins but Ed25519 end it by a zero, which can be the last byte of Ed25519's own.
                    let nonce = match reader.rest().strip_suffix(&[0]) {
                        Some(nonce) if name != ed25519::NAME => nonce,
                        _ => reader.rest(),
                    };
                    *plugin = Plugin::new(&name, nonce);
                    let answer = plugin.first_answer(password, self.is_private())?;
                    self.send(|out| out.extend_from_slice(&answer)).await?;
                }
                MORE_DATA => {
                    let data = self.body.get(1..).unwrap_or_default();
                    if let Some(answer) = plugin.next_answer(data, password, self.is_private())? {
                        self.send(|out| out.extend_from_slice(&answer)).await?;
                    }
                }
                other => return Err(UpstreamError::Unexpected(other)),
            }
        }
        Err(UpstreamError::Login("the server's authentication does not end".to_owned()))
    }
}

/// The authentication in use and the scramble it answers to.
struct Plugin {
    name: String,
    nonce: Vec<u8>,
}

impl Plugin {
    fn new(name: &str, nonce: &[u8]) -> Self {
        Self { name: name.to_owned(), nonce: nonce.to_vec() }
    }

    /// The answer to the scramble. `private`: nobody can listen.
    fn first_answer(&self, password: &[u8], private: bool) -> Result<Vec<u8>, UpstreamError> {
        match self.name.as_str() {
            caching_sha2_password::NAME => Ok(caching_sha2_password::scramble(password, &self.nonce)),
            native_password::NAME => Ok(native_password::scramble(password, &self.nonce)),
            ed25519::NAME => Ok(ed25519::sign(password, &self.nonce)),
            SHA256_PASSWORD if password.is_empty() => Ok(vec![0]),
            SHA256_PASSWORD | CLEAR_PASSWORD if private => Ok([password, &[0]].concat()),
            SHA256_PASSWORD => Ok(vec![REQUEST_SHA256_KEY]),
            CLEAR_PASSWORD => Err(UpstreamError::Login(
                "the server wants the password in clear text; set `tls` of the source to `require` or more".to_owned(),
            )),
            other => Err(UpstreamError::Login(format!(
                "the server wants authentication plugin `{other}`, which is not supported; give the proxy's account \
                 `caching_sha2_password`, `ed25519` or `mysql_native_password`"
            ))),
        }
    }

    /// The answer to further data; `None` when there is nothing to say.
    fn next_answer(&self, data: &[u8], password: &[u8], private: bool) -> Result<Option<Vec<u8>>, UpstreamError> {
        match (self.name.as_str(), data) {
            (caching_sha2_password::NAME, [caching_sha2_password::FAST_AUTH_SUCCESS]) => Ok(None),
            (caching_sha2_password::NAME, [caching_sha2_password::PERFORM_FULL_AUTH]) if private => {
                Ok(Some([password, &[0]].concat()))
            }
            (caching_sha2_password::NAME, [caching_sha2_password::PERFORM_FULL_AUTH]) => {
                Ok(Some(vec![caching_sha2_password::REQUEST_PUBLIC_KEY]))
            }
            (caching_sha2_password::NAME | SHA256_PASSWORD, key) if !private => {
                caching_sha2_password::seal(key, password, &self.nonce)
                    .map(Some)
                    .ok_or_else(|| UpstreamError::Login("the server's RSA key cannot be used".to_owned()))
            }
            _ => Err(UpstreamError::Login(format!("the server broke the rules of `{}`", self.name))),
        }
    }
}
