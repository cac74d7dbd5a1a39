//! From an accepted connection to a running session.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::accept::{Hello, accept};
use super::auth::{Login, authenticate};
use super::cancel::PROTOCOL;
use super::client::{Client, ClientError};
use super::reply;
use super::session::Session;
use super::session::place::choose;
use super::wire::err::Err;
use super::wire::packet;
use crate::audit::Subject;
use crate::auth::User;
use crate::net::{Stream, tune};
use crate::session::{Acting, Begun, Node, NotBegun, Slot, admission};

/// The longest wait for a client to take the words that it is turned away with.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Serves one connection from its first byte to its last. `tls_required` says whether its listener refuses clear text.
pub async fn serve(node: Arc<Node>, tcp: tokio::net::TcpStream, peer: SocketAddr, tls_required: bool) {
    node.metrics.connections.add_one();
    tune(&tcp);
    let listeners = node.listeners.load_full();
    let client_slot = node.registry.client_slot(listeners.max_clients);
    let login_slot = node.registry.login_slot(listeners.max_unauthenticated);
    let (Some(_client), Some(login_place)) = (client_slot, login_slot) else {
        node.metrics.connections_refused.add_one();
        return turn_away(tcp).await;
    };
    let number = node.registry.next_session();
    let subject =
        Subject { session: number, protocol: PROTOCOL, client: Arc::from(peer.to_string()), ..Subject::default() };
    let login = begin(&node, Stream::Tcp(tcp), peer, subject, login_place, tls_required);
    let begun = tokio::time::timeout(node.timeouts.login, login).await;
    let Ok(Ok(Some(session))) = begun else {
        if let Ok(Err(ClientError::Malformed(_))) = begun {
            node.metrics.protocol_errors.add_one();
        }
        return;
    };
    let entry = Arc::clone(session.entry());
    let (subject, ending, totals) = Box::pin(session.run()).await;
    node.registry.leave(&entry);
    node.audit.session_closed(&subject, ending, totals);
}

/// There is no room.
async fn turn_away(tcp: tokio::net::TcpStream) {
    let mut client = Client::new(Stream::Tcp(tcp), 0);
    let mut out = Vec::new();
    packet::append_with(&mut out, 0, |out| Err::new(1040, "08004", "too many connections").write_early(out));
    let _ = tokio::time::timeout(LAST_WORDS, client.send(&out)).await;
}

/// A user's name and, where `user@source` is no user of its own, the source.
pub fn split<'a>(node: &Node, claimed: &'a str) -> (&'a str, Option<&'a str>) {
    if node.rules.load().users.get(claimed).is_some() {
        return (claimed, None);
    }
    match claimed.rsplit_once('@') {
        Some((user, source)) if !source.is_empty() => (user, Some(source)),
        Some(_) | None => (claimed, None),
    }
}

/// Logs a client in. Nothing when it was refused, and told so.
async fn begin(
    node: &Arc<Node>,
    stream: Stream,
    peer: SocketAddr,
    mut subject: Subject,
    _login: Slot,
    tls_required: bool,
) -> Result<Option<Session>, ClientError> {
    let (mut client, mut hello) = accept(stream, node, subject.session).await?;
    let claimed = hello.user.clone();
    let (name, source) = split(node, &claimed);
    subject.user = Arc::from(name);
    subject.application = Arc::clone(&hello.application);
    if tls_required && !client.stream.is_tls() {
        node.audit.login_refused(&subject, "connection without TLS");
        let error = Err::new(3159, "HY000", "connections using insecure transport are prohibited; connect with TLS");
        client.send_error(hello.sequence, &error).await?;
        return Ok(None);
    }
    let user = match authenticate(&mut client, node, name, &mut hello).await? {
        Login::Proved(user) => user,
        Login::Refused => {
            let error = refused(node, &subject, name, Some(peer), "wrong password or unknown user").await;
            client.send_error(hello.sequence, &error).await?;
            return Ok(None);
        }
        Login::Impossible(why) => {
            node.metrics.login_failures.add_one();
            node.audit.login_refused(&subject, why);
            client.send_error(hello.sequence, &Err::new(1251, "08004", why)).await?;
            return Ok(None);
        }
    };
    node.lockout.succeeded(name.as_bytes(), Some(peer.ip()));
    match enter(node, &user, peer, source, &hello, &mut subject) {
        Ok(entered) => start(node, client, user, entered, subject, hello).await,
        Err(error) => {
            node.metrics.login_failures.add_one();
            node.audit.login_refused(&subject, &error.message);
            client.send_error(hello.sequence, &error).await?;
            Ok(None)
        }
    }
}

/// Finds the role and the source for a user who has proved who it is.
fn enter(
    node: &Node,
    user: &User,
    peer: SocketAddr,
    source: Option<&str>,
    hello: &Hello,
    subject: &mut Subject,
) -> Result<Acting, Err> {
    let denied = |why: String| Err::new(1045, "28000", why);
    let role = user.roles.first().ok_or_else(|| denied(format!("user `{}` has no role", user.name)))?;
    let source = choose(node, user, source, hello.database.as_deref())?;
    subject.user = Arc::clone(&user.name);
    subject.role = Arc::clone(role);
    subject.source = Arc::clone(&source.spec.name);
    let acting = Acting::new(node, source, &user.name, role).map_err(|revoked| denied(revoked.to_string()))?;
    match admission::forbid_login(node, acting.last_database(), peer.ip()) {
        None => Ok(acting),
        Some(denial) => Err(reply::refusal(&denial)),
    }
}

/// Enters the session into registry and audit log and lets it begin.
async fn start(
    node: &Arc<Node>,
    mut client: Client,
    user: Arc<User>,
    acting: Acting,
    subject: Subject,
    hello: Hello,
) -> Result<Option<Session>, ClientError> {
    let begun = match Begun::new(node, &subject, 0) {
        Ok(begun) => begun,
        Err(NotBegun::Unrecorded(unavailable)) => {
            client.send_error(hello.sequence, &reply::unrecorded(&unavailable)).await?;
            return Ok(None);
        }
        Err(NotBegun::NoRandom) => return Ok(None),
    };
    node.metrics.logins.add_one();
    let entry = Arc::clone(begun.entry());
    let mut session = Session::new(Arc::clone(node), client, user, acting, entry, subject);
    session.set_schema(hello.database.as_deref());
    match session.welcome(hello.sequence, hello.compression).await {
        Ok(()) => {
            begun.go_on();
            Ok(Some(session))
        }
        Err(ending) => {
            begun.end(ending);
            Ok(None)
        }
    }
}

/// Records a refused login and holds its answer back where many came before; gives the answer.
pub async fn refused(node: &Node, subject: &Subject, name: &str, peer: Option<SocketAddr>, why: &str) -> Err {
    node.metrics.login_failures.add_one();
    node.audit.login_refused(subject, why);
    let delay = node.lockout.failed(name.as_bytes(), peer.map(|peer| peer.ip()), Instant::now());
    tokio::time::sleep(delay).await;
    Err::new(1045, "28000", format!("access denied for user `{name}`"))
}
