//! From the startup packet to a session: who it is, on which source, in which role.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use ring::rand::{SecureRandom, SystemRandom};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::accept::refuse;
use super::parameters::{ForServer, Parameters};
use super::session::Connected;
use super::upstream::UpstreamError;
use super::wire::backend::{self, Authentication};
use super::wire::startup::{StartupMessage, VERSION_3_2};
use super::wire::{HEADER, Header, WireError, frontend};
use crate::audit::Subject;
use crate::auth::scram::{self, Exchange, NONCE_BYTES, SCRAM_SHA_256, SCRAM_SHA_256_PLUS, ScramError};
use crate::auth::users::Verifier;
use crate::auth::{User, Users};
use crate::net::Stream;
use crate::session::{Acting, Begun, Entry, Node, NotBegun, Source, admission};
use crate::sql::Engine;

/// The longest message of a SASL exchange (PostgreSQL's `PG_MAX_SASL_MESSAGE_LENGTH`).
const MAX_SASL_MESSAGE: usize = 1024;
/// Bytes of a cancel key: what version 3.0 has room for, and what later ones allow.
const KEY_3_0: usize = 4;
const KEY_3_2: usize = 32;

/// A client that has proved who it is.
#[derive(Debug)]
pub struct LoggedIn {
    /// The client.
    pub stream: Stream,
    /// Its place in the registry.
    pub entry: Arc<Entry>,
    /// The name logged in with.
    pub user: Arc<User>,
    /// Role and source.
    pub acting: Acting,
    /// What the startup packet asked for.
    pub parameters: Parameters,
    /// What of it goes to the server in the role of the beginning.
    pub for_server: ForServer,
    /// The connection to the server, where the login already needed one.
    pub upstream: Option<Connected>,
    /// Settings that the client was told.
    pub reported: BTreeMap<String, String>,
}

/// Why a login failed. What the client was told has been sent.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The client went away.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The client sent what is no message of a login.
    #[error("{0}")]
    Wire(#[from] WireError),
    /// Name or password are wrong, or what was asked for may not be had.
    #[error("{0}")]
    Refused(String),
}

/// What the client is told when a login is refused.
struct Refusal {
    sqlstate: &'static str,
    message: String,
}

impl Refusal {
    fn new(sqlstate: &'static str, message: impl Into<String>) -> Self {
        Self { sqlstate, message: message.into() }
    }
}

/// Goes through the login.
pub async fn log_in(
    node: &Node,
    mut stream: Stream,
    startup: &StartupMessage,
    peer: SocketAddr,
) -> Result<LoggedIn, LoginError> {
    let mut subject = Subject {
        session: node.registry.next_session(),
        protocol: "postgres",
        client: Arc::from(peer.to_string()),
        user: lossy(startup.get("user").unwrap_or_default()),
        source: lossy(startup.get("database").unwrap_or_default()),
        ..Subject::default()
    };
    let user = match authenticate(node, &mut stream, startup, peer).await? {
        Ok(user) => user,
        Err(refusal) => return Err(turn_away(node, stream, &subject, refusal).await),
    };
    let mut chosen = match choose(node, &user, startup) {
        Ok(chosen) => chosen,
        Err(refusal) => return Err(turn_away(node, stream, &subject, refusal).await),
    };
    subject.role = Arc::clone(&chosen.acting.role().name);
    subject.source = Arc::clone(&chosen.source.spec.name);
    if let Some(denial) = admission::forbid_login(node, chosen.acting.last_database(), peer.ip()) {
        return Err(turn_away(node, stream, &subject, Refusal::new(denial.sqlstate, denial.in_one_line())).await);
    }
    subject.application = chosen.parameters.application();
    let mut upstream = None;
    let reported = match chosen.parameters.reported(&chosen.source) {
        Some(reported) => reported,
        None => match super::session::connect(node, &chosen.source, &chosen.for_server.parameters).await {
            Ok(connected) => {
                let reported = connected.0.parameters.clone();
                upstream = Some(connected);
                reported
            }
            Err(error) => {
                let refusal = server_refusal(&chosen.source, &error);
                return Err(turn_away(node, stream, &subject, refusal).await);
            }
        },
    };
    let key_length = if startup.spoken_version() >= VERSION_3_2 { KEY_3_2 } else { KEY_3_0 };
    let begun = match Begun::new(node, &subject, key_length) {
        Ok(begun) => begun,
        Err(NotBegun::Unrecorded(_)) => {
            let refusal = Refusal::new("58030", "the login cannot be recorded in the audit log");
            return Err(turn_away(node, stream, &subject, refusal).await);
        }
        Err(error @ NotBegun::NoRandom) => {
            return Err(turn_away(node, stream, &subject, Refusal::new("58000", error.to_string())).await);
        }
    };
    node.metrics.logins.add_one();
    let mut out = Vec::with_capacity(512);
    greet(&mut out, &reported, begun.entry());
    write(&mut stream, &out).await?;
    let entry = Arc::clone(begun.entry());
    begun.go_on();
    let _ = chosen.acting.database(node);
    let Chosen { acting, parameters, for_server, .. } = chosen;
    Ok(LoggedIn { stream, entry, user, acting, parameters, for_server, upstream, reported })
}

/// What follows the proof: settings, cancel key, readiness.
fn greet(out: &mut Vec<u8>, reported: &BTreeMap<String, String>, entry: &Entry) {
    Authentication::Ok.write(out);
    for (name, value) in reported {
        backend::write_parameter(out, name.as_bytes(), value.as_bytes());
    }
    backend::write_key(out, entry.process, &entry.secret);
    backend::write_ready(out, b'I');
}

struct Chosen {
    source: Arc<Source>,
    acting: Acting,
    parameters: Parameters,
    for_server: ForServer,
}

/// Source, role and settings, as the startup packet asks and the rules allow.
fn choose(node: &Node, user: &User, startup: &StartupMessage) -> Result<Chosen, Refusal> {
    let name = startup.get("database").filter(|name| !name.is_empty());
    let name = name.map(|name| String::from_utf8_lossy(name).into_owned());
    let source = node
        .source_for(user, name.as_deref())
        .filter(|source| source.spec.engine == Engine::Postgres)
        .ok_or_else(|| match name {
            // The same words whether it does not exist or the user may not use it.
            Some(name) => Refusal::new("3D000", format!("database \"{name}\" does not exist")),
            None => Refusal::new("3D000", "no database for this user; name one"),
        })?;
    let parameters = Parameters::read(startup).map_err(|e| Refusal::new("42601", e.to_string()))?;
    let role = match &parameters.role {
        Some(role) => user.roles.iter().find(|r| ***r == **role),
        None => user.roles.first(),
    };
    let role = role.ok_or_else(|| {
        let asked = parameters.role.as_deref().unwrap_or_default();
        Refusal::new("42501", format!("permission denied to set role \"{asked}\""))
    })?;
    let mut acting = Acting::new(node, Arc::clone(&source), &user.name, role)
        .map_err(|revoked| Refusal::new("28000", revoked.to_string()))?;
    let database = acting.database(node).map_err(|revoked| Refusal::new("28000", revoked.to_string()))?;
    let for_server = parameters.for_server(&source, database).map_err(|e| Refusal::new("42501", e.to_string()))?;
    Ok(Chosen { source, acting, parameters, for_server })
}

/// The server did not let us in: its own words where they are about what the client asked for.
fn server_refusal(source: &Source, error: &UpstreamError) -> Refusal {
    match error {
        // 22: a value of a startup parameter; 42: its name; 53, 57: no room, not up.
        UpstreamError::Server { sqlstate, message, .. }
            if ["22", "42", "53", "57"].iter().any(|class| sqlstate.starts_with(class)) =>
        {
            let known = ["22023", "42704", "42501", "53300", "57P03"].into_iter().find(|code| code == sqlstate);
            Refusal::new(known.unwrap_or("08006"), message.clone())
        }
        _ => Refusal::new("08006", format!("source \"{}\" cannot be reached: {error}", source.spec.name)),
    }
}

/// Proves who the client is; the refusal is for the client.
async fn authenticate(
    node: &Node,
    stream: &mut Stream,
    startup: &StartupMessage,
    peer: SocketAddr,
) -> Result<Result<Arc<User>, Refusal>, LoginError> {
    let Some(name) = startup.get("user").filter(|name| !name.is_empty()) else {
        return Ok(Err(Refusal::new("28000", "no PostgreSQL user name specified in startup packet")));
    };
    let users = Arc::clone(&node.rules.load().users);
    let user = std::str::from_utf8(name).ok().and_then(|name| users.get(name)).cloned();
    match exchange(node, stream, startup, &users, name, user.as_deref()).await? {
        Ok(()) if let Some(user) = user => {
            node.lockout.succeeded(name, Some(peer.ip()));
            Ok(Ok(user))
        }
        Err(ScramError::Malformed) => Ok(Err(Refusal::new("08P01", "malformed SCRAM message"))),
        Err(ScramError::Binding) => Ok(Err(Refusal::new("28000", "SCRAM channel binding check failed"))),
        Err(ScramError::WrongPassword) | Ok(()) => {
            let delay = node.lockout.failed(name, Some(peer.ip()), Instant::now());
            tokio::time::sleep(delay).await;
            let name = String::from_utf8_lossy(name);
            Ok(Err(Refusal::new("28P01", format!("password authentication failed for user \"{name}\""))))
        }
    }
}

/// Runs the SCRAM exchange, with a made-up verifier for a user who does not exist.
async fn exchange(
    node: &Node,
    stream: &mut Stream,
    startup: &StartupMessage,
    users: &Users,
    name: &[u8],
    user: Option<&User>,
) -> Result<Result<(), ScramError>, LoginError> {
    let verifier: Verifier = user.map_or_else(|| scram::mock_verifier(users, name), |user| user.verifier.clone());
    let listeners = node.listeners.load();
    let tls = listeners.postgres_tls.as_ref().filter(|_| stream.is_tls());
    let endpoint = tls.and_then(|tls| tls.endpoint.clone());
    drop(listeners);

    let mut out = Vec::new();
    if startup.needs_negotiation() {
        let unknown = startup.protocol_options.iter().map(String::as_bytes);
        backend::write_negotiation(&mut out, startup.spoken_version(), unknown);
    }
    let mut mechanisms = Vec::new();
    for mechanism in endpoint.iter().map(|_| SCRAM_SHA_256_PLUS).chain([SCRAM_SHA_256]) {
        mechanisms.extend_from_slice(mechanism.as_bytes());
        mechanisms.push(0);
    }
    mechanisms.push(0);
    Authentication::Sasl(&mechanisms).write(&mut out);
    write(stream, &out).await?;

    let body = read_password_message(stream).await?;
    let (mechanism, client_first) = frontend::read_sasl_initial(&body)?;
    let plus = mechanism == SCRAM_SHA_256_PLUS.as_bytes();
    if !plus && mechanism != SCRAM_SHA_256.as_bytes() {
        return Ok(Err(ScramError::Malformed));
    }
    let mut random = [0; NONCE_BYTES];
    SystemRandom::new().fill(&mut random).map_err(|_| io::Error::other("no random bytes"))?;
    let (exchange, server_first) = match Exchange::begin(verifier, plus, endpoint.as_deref(), client_first, random) {
        Ok(begun) => begun,
        Err(error) => return Ok(Err(error)),
    };
    out.clear();
    Authentication::SaslContinue(&server_first).write(&mut out);
    write(stream, &out).await?;

    let client_final = read_password_message(stream).await?;
    match exchange.finish(&client_final) {
        Ok(server_final) => {
            out.clear();
            Authentication::SaslFinal(&server_final).write(&mut out);
            write(stream, &out).await?;
            Ok(Ok(()))
        }
        Err(error) => Ok(Err(error)),
    }
}

async fn read_password_message(stream: &mut Stream) -> Result<Vec<u8>, LoginError> {
    let mut header = [0; HEADER];
    stream.read_exact(&mut header).await?;
    let header = Header::read(&header)?.ok_or(WireError::Truncated)?;
    if header.tag != frontend::PASSWORD {
        return Err(WireError::UnknownType(header.tag).into());
    }
    if header.body > MAX_SASL_MESSAGE {
        return Err(WireError::Length.into());
    }
    let mut body = vec![0; header.body];
    stream.read_exact(&mut body).await?;
    Ok(body)
}

async fn write(stream: &mut Stream, out: &[u8]) -> io::Result<()> {
    stream.write_all(out).await?;
    stream.flush().await
}

/// Records a refused login and tells the client.
async fn turn_away(node: &Node, mut stream: Stream, subject: &Subject, refusal: Refusal) -> LoginError {
    node.metrics.login_failures.add_one();
    node.audit.login_refused(subject, &refusal.message);
    let _ = refuse(&mut stream, refusal.sqlstate, &refusal.message).await;
    LoginError::Refused(refusal.message)
}

fn lossy(bytes: &[u8]) -> Arc<str> {
    Arc::from(String::from_utf8_lossy(bytes))
}
