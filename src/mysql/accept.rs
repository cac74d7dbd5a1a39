//! From a TCP connection to a client that said who it wants to be: greeting, TLS, login packet.
//!
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html>

use std::sync::Arc;

use ring::rand::{SecureRandom, SystemRandom};
use rustls::ServerConfig;

use super::client::{Client, ClientError};
use super::upstream::UTF8MB4;
use super::wire::capability::status;
use super::wire::compressed::Algorithm;
use super::wire::err::Err;
use super::wire::greeting::{Greeting, SCRAMBLE};
use super::wire::login::Login;
use super::wire::{Capabilities, Extensions, HEADER, Header, Malformed, packet};
use crate::auth::caching_sha2_password;
use crate::net::Stream;
use crate::session::{MySqlServer, Node};
use crate::sql::Engine;

/// The largest login packet: user, database and attributes (64 KiB) with room to spare.
pub const MAX_LOGIN: usize = 128 << 10;
/// Greeted with until a source is known.
const DEFAULT_VERSION: &str = "8.0.36";
/// Set in every connection number that the proxy gives, so that none is a server's own.
const OURS: u32 = 1 << 30;

/// What a client said about itself at login.
#[derive(Debug)]
pub struct Hello {
    /// The user, perhaps with a source behind `@`.
    pub user: String,
    /// The database asked for.
    pub database: Option<Box<str>>,
    /// Its authentication plugin and the answer of that to the greeting.
    pub plugin: String,
    /// See `plugin`. It was made from [`Client::nonce`].
    pub answer: Vec<u8>,
    /// `program_name`.
    pub application: Arc<str>,
    /// The frames wanted after the login.
    pub compression: Option<Algorithm>,
    /// The sequence number of the next packet to the client.
    pub sequence: u8,
}

/// The number that a client is given for a session.
pub fn connection_number(session: u64) -> u32 {
    let [a, b, c, d, ..] = session.to_le_bytes();
    OURS | (u32::from_le_bytes([a, b, c, d]) & (OURS - 1))
}

/// A random scramble without bytes that end strings or mean something to old clients.
pub fn nonce() -> Option<[u8; SCRAMBLE]> {
    let mut bytes = [0; SCRAMBLE];
    SystemRandom::new().fill(&mut bytes).ok()?;
    // 7 bits, and neither NUL nor `$`, as the servers' own.
    for byte in &mut bytes {
        *byte &= 0x7f;
        *byte += u8::from(matches!(*byte, 0 | b'$'));
    }
    Some(bytes)
}

/// Greets a client and reads its login packet; TLS where it asks for it.
pub async fn accept(stream: Stream, node: &Node, session: u64) -> Result<(Client, Hello), ClientError> {
    let tls = node.listeners.load().mysql_tls.as_ref().map(|tls| Arc::clone(&tls.config));
    let nonce = nonce().ok_or(Malformed("no random bytes"))?;
    let greeting = greeting(node, connection_number(session), nonce, tls.is_some());
    let mut client = Client::new(stream, greeting.connection);
    client.nonce = nonce;
    client.send_packet(0, |out| greeting.write(out)).await?;
    let (payload, sequence) = read_login(&mut client, tls).await?;
    if let Some(fault) = (sequence > 2).then_some("login packet out of order") {
        return Err(Malformed(fault).into());
    }
    let login = match Login::read(&payload) {
        Ok(login) => login,
        Err(fault) => {
            let error = Err::new(1043, "08S01", format!("bad handshake: {fault}"));
            client.send_error(sequence.wrapping_add(1), &error).await?;
            return Err(fault.into());
        }
    };
    client.capabilities = login.capabilities & greeting.capabilities;
    client.extensions = login.extensions & greeting.extensions;
    client.collation = login.collation;
    let hello = Hello {
        user: String::from_utf8_lossy(login.user).into_owned(),
        database: text(login.database),
        plugin: String::from_utf8_lossy(login.plugin).into_owned(),
        answer: login.auth.to_vec(),
        application: text(login.attribute("program_name").unwrap_or_default()).unwrap_or_default().into(),
        compression: compression(client.capabilities),
        sequence: sequence.wrapping_add(1),
    };
    Ok((client, hello))
}

fn text(bytes: &[u8]) -> Option<Box<str>> {
    (!bytes.is_empty()).then(|| String::from_utf8_lossy(bytes).into())
}

/// zstd is chosen only by clients that leave zlib out.
fn compression(capabilities: Capabilities) -> Option<Algorithm> {
    if capabilities.has(Capabilities::COMPRESS) {
        Some(Algorithm::Zlib)
    } else {
        capabilities.has(Capabilities::ZSTD).then_some(Algorithm::Zstd)
    }
}

/// Reads the login packet, behind TLS when a request for it came first.
async fn read_login(client: &mut Client, tls: Option<Arc<ServerConfig>>) -> Result<(Vec<u8>, u8), ClientError> {
    let mut first = [0; HEADER + super::wire::login::FIXED];
    read_exactly(&mut client.stream, first.get_mut(..HEADER).unwrap_or_default()).await?;
    let header = Header::read(&first).ok_or(Malformed("no header"))?;
    if header.len < super::wire::login::FIXED || header.len > MAX_LOGIN {
        return Err(Malformed("no login packet").into());
    }
    read_exactly(&mut client.stream, first.get_mut(HEADER..).unwrap_or_default()).await?;
    let fixed = packet::payload(&first).unwrap_or_default();
    if Login::is_tls_request(fixed) {
        let asks = Login::read(fixed)?.capabilities.has(Capabilities::SSL);
        let Some(config) = tls.filter(|_| asks) else { return Err(Malformed("login packet is cut short").into()) };
        // Nothing behind the request was read: all that follows is TLS.
        client.stream = std::mem::replace(&mut client.stream, Stream::Closed).accept_tls(config).await?;
        return client.receive(MAX_LOGIN).await;
    }
    let mut payload = first.get(HEADER..).unwrap_or_default().to_vec();
    payload.resize(header.len, 0);
    read_exactly(&mut client.stream, payload.get_mut(super::wire::login::FIXED..).unwrap_or_default()).await?;
    Ok((payload, header.sequence))
}

async fn read_exactly(stream: &mut Stream, bytes: &mut [u8]) -> Result<(), ClientError> {
    tokio::io::AsyncReadExt::read_exact(stream, bytes).await?;
    Ok(())
}

/// Offers what every MySQL source can do, in the words of the first.
fn greeting(node: &Node, connection: u32, scramble: [u8; SCRAMBLE], tls: bool) -> Greeting {
    let servers = node.sources.values().filter(|source| source.spec.engine == Engine::MySql);
    let known: Vec<Arc<MySqlServer>> = servers.filter_map(|source| source.mysql()).collect();
    let mut capabilities = Capabilities::SPOKEN;
    let mut extensions = if known.is_empty() { Extensions::default() } else { Extensions::SPOKEN };
    for server in &known {
        capabilities =
            capabilities & (Capabilities(server.capabilities) | Capabilities::OWN | Capabilities::LONG_PASSWORD);
        extensions = extensions & Extensions(server.extensions);
    }
    // Without this flag the server is MariaDB to clients that look at its own extensions.
    if !known.is_empty()
        && known.iter().all(|server| !Capabilities(server.capabilities).has(Capabilities::LONG_PASSWORD))
    {
        capabilities = capabilities.without(Capabilities::LONG_PASSWORD);
    } else {
        extensions = Extensions::default();
    }
    capabilities = capabilities | Capabilities::COMPRESS | Capabilities::ZSTD;
    if tls {
        capabilities = capabilities | Capabilities::SSL;
    }
    Greeting {
        version: known.first().map_or(DEFAULT_VERSION, |server| &server.version).to_owned(),
        connection,
        scramble,
        capabilities,
        extensions,
        collation: known.first().map_or(UTF8MB4, |server| server.collation),
        status: status::AUTOCOMMIT,
        plugin: caching_sha2_password::NAME.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_numbers_are_never_small() {
        assert_eq!(connection_number(7), 0x4000_0007);
        assert_eq!(connection_number(u64::from(u32::MAX) + 9), 0x4000_0008);
    }

    #[test]
    fn scrambles_are_of_harmless_bytes() {
        for _ in 0..200 {
            assert!(nonce().unwrap().iter().all(|byte| *byte < 0x80 && !matches!(*byte, 0 | b'$')));
        }
    }
}
