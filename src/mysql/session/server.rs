//! The server's end of a session: opened when it is first needed, set up for the role, never used by another session.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::OwnedSemaphorePermit;

use super::{Session, Step};
use crate::audit::Ending;
use crate::mysql::pending::{Kind, Next, Pending, Sort};
use crate::mysql::reply;
use crate::mysql::upstream::{self, Upstream, UpstreamError, Wishes};
use crate::mysql::wire::err;
use crate::mysql::wire::prepared::Prepared;
use crate::mysql::wire::reader::Put;
use crate::mysql::wire::{Capabilities, HEADER, Malformed, command, packet};
use crate::net::Stream;
use crate::session::{Secret, ServerSession, buffers};
use crate::sql::mysql::SqlMode;

/// Variables whose changes a restricted session must hear of.
const TRACKED: &str =
    "sql_mode,character_set_client,character_set_connection,character_set_results,autocommit,time_zone";
/// Values of `sql_mode` under which MariaDB reads another language, or under which values and assignments mean others.
const FOREIGN_MODES: [&str; 8] = [
    "ORACLE",
    "MSSQL",
    "DB2",
    "MAXDB",
    "POSTGRESQL",
    "EMPTY_STRING_IS_NULL",
    "SIMULTANEOUS_ASSIGNMENT",
    "PAD_CHAR_TO_FULL_LENGTH",
];

/// A connection to a server in use by a session.
#[derive(Debug)]
pub struct Server {
    stream: Stream,
    // Bytes that came. Lent by the thread while there are any.
    input: Vec<u8>,
    /// What is in use on the connection.
    pub capabilities: Capabilities,
    /// Status flags of the last OK or EOF packet.
    pub status: u16,
    // The server's number of the connection, for KILL.
    number: u32,
    // One of the source's connections.
    place: OwnedSemaphorePermit,
}

/// A reply that is not for the client.
#[derive(Debug, Default)]
pub struct Swallowed {
    /// What the server said to a statement prepared.
    pub prepared: Option<Prepared>,
    /// The error that ended it.
    pub error: Option<err::Err>,
    /// Column definitions.
    pub columns: Vec<Vec<u8>>,
}

impl Server {
    fn new(upstream: Upstream, place: OwnedSemaphorePermit) -> Self {
        Self {
            stream: upstream.stream,
            input: Vec::new(),
            capabilities: upstream.capabilities,
            status: upstream.status,
            number: upstream.connection,
            place,
        }
    }

    /// Bytes that were not used up.
    pub fn unread(&self) -> &[u8] {
        &self.input
    }

    /// The same, to be changed in place.
    pub fn unread_mut(&mut self) -> &mut [u8] {
        &mut self.input
    }

    /// Uses up bytes.
    pub fn consume(&mut self, len: usize) {
        if len >= self.input.len() {
            buffers::give_back(std::mem::take(&mut self.input));
        } else {
            self.input.drain(..len);
        }
    }

    /// Reads some bytes; an error at the end.
    pub fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.input.capacity() == 0 {
            self.input = buffers::lend();
        }
        if self.input.len() == self.input.capacity() {
            self.input.reserve(buffers::SIZE);
        }
        match pin!(self.stream.read_buf(&mut self.input)).poll(cx) {
            Poll::Ready(Ok(0)) => Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
            Poll::Ready(read) => Poll::Ready(read.map(drop)),
            Poll::Pending => {
                if self.input.is_empty() {
                    buffers::give_back(std::mem::take(&mut self.input));
                }
                Poll::Pending
            }
        }
    }

    /// Reads some bytes.
    pub async fn fill(&mut self) -> Step<()> {
        poll_fn(|cx| self.poll_fill(cx)).await.map_err(|_| Ending::ServerGone)
    }

    /// Sends bytes.
    pub async fn send(&mut self, bytes: &[u8]) -> Step<()> {
        self.stream.write_all(bytes).await.map_err(|_| Ending::ServerGone)?;
        self.stream.flush().await.map_err(|_| Ending::ServerGone)
    }

    /// Reads the reply to a command of the proxy's own to its end.
    pub async fn swallow(&mut self, kind: Kind) -> Step<Swallowed> {
        let mut pending = Pending::new(kind, self.capabilities);
        let mut swallowed = Swallowed::default();
        while !pending.is_over() {
            let scan = pending.scan(&self.input).map_err(|_| Ending::ServerGone)?;
            self.consume(scan.passed);
            // Replies that are not for the client have no limits.
            let Next::Packet(sort, len) = scan.next else {
                self.fill().await?;
                continue;
            };
            let payload = self.input.get(HEADER..len).unwrap_or_default();
            match sort {
                Sort::Err => swallowed.error = err::Err::read(payload).ok(),
                Sort::Prepared => {
                    let optional = self.capabilities.has(Capabilities::OPTIONAL_METADATA);
                    swallowed.prepared = Prepared::read(payload, optional).ok();
                }
                Sort::Column => swallowed.columns.push(payload.to_vec()),
                Sort::Ok | Sort::Eof | Sort::Count | Sort::LocalFile => {}
            }
            pending.pass(sort, payload).map_err(|_| Ending::ServerGone)?;
            self.consume(len);
        }
        Ok(swallowed)
    }

    /// Prepares a statement of the proxy's own making. The inner error is the server's.
    pub async fn prepare(&mut self, sql: &str) -> Step<Result<Prepared, err::Err>> {
        let mut out = Vec::with_capacity(sql.len() + HEADER + 1);
        packet::append(&mut out, 0, &[&[command::STMT_PREPARE], sql.as_bytes()].concat());
        self.send(&out).await?;
        match self.swallow(Kind::Prepare).await? {
            Swallowed { error: Some(error), .. } => Ok(Err(error)),
            Swallowed { prepared: Some(prepared), .. } => Ok(Ok(prepared)),
            Swallowed { .. } => Err(Ending::ServerGone),
        }
    }

    /// Closes a statement of the server.
    pub async fn close_statement(&mut self, number: u32) -> Step<()> {
        let mut out = Vec::with_capacity(16);
        packet::append_with(&mut out, 0, |out| {
            out.push(command::STMT_CLOSE);
            out.put_le32(number);
        });
        self.send(&out).await
    }

    /// Makes the server forget parameters of a statement that came ahead of its execution, and closes its cursor.
    pub async fn reset_statement(&mut self, number: u32) -> Step<()> {
        let mut out = Vec::with_capacity(16);
        packet::append_with(&mut out, 0, |out| {
            out.push(command::STMT_RESET);
            out.put_le32(number);
        });
        self.send(&out).await?;
        self.swallow(Kind::Short).await.map(drop)
    }

    /// The connection, for questions of the proxy's own between two commands, and what goes with it.
    pub fn into_upstream(self) -> (Upstream, OwnedSemaphorePermit) {
        let Self { stream, capabilities, status, number, place, .. } = self;
        (Upstream::resume(stream, number, capabilities, status), place)
    }

    /// The same connection, to go on with.
    pub fn from_upstream(upstream: Upstream, place: OwnedSemaphorePermit) -> Self {
        Self::new(upstream, place)
    }

    /// Says goodbye.
    pub async fn close(mut self) {
        let _ = self.stream.write_all(&[1, 0, 0, 0, command::QUIT]).await;
        let _ = self.stream.shutdown().await;
    }
}

impl Session {
    /// Opens the connection to the server unless it is open. The inner error is for the client.
    pub(super) async fn open(&mut self) -> Step<Result<(), err::Err>> {
        if self.server.is_some() {
            return Ok(Ok(()));
        }
        let source = Arc::clone(self.acting.source());
        let place =
            tokio::time::timeout(self.node.timeouts.connection_wait, Arc::clone(&source.connections).acquire_owned())
                .await;
        let Ok(Ok(place)) = place else {
            let message =
                format!("all {} connections to source `{}` are in use", source.spec.max_connections, source.spec.name);
            return Ok(Err(err::Err::new(1040, "08004", message)));
        };
        let opened = async {
            let mut upstream = upstream::connect(&source, &self.wishes()).await?;
            let mode =
                if self.is_restricted() { Some(set_up(&mut upstream, &source.secret_settings).await?) } else { None };
            Ok((upstream, mode))
        };
        match opened.await {
            Ok((upstream, mode)) => {
                let server = Box::new(Server::new(upstream, place));
                self.entry.set_server(Some(ServerSession { number: server.number, secret: Vec::new() }));
                self.server = Some(server);
                self.settings.sql_mode = mode.unwrap_or_default();
                Ok(Ok(()))
            }
            Err(error) => {
                self.node.metrics.server_connect_errors.add_one();
                Ok(Err(reply::unreachable(&source.spec.name, &error)))
            }
        }
    }

    fn wishes(&self) -> Wishes {
        let restricted = self.is_restricted();
        let capabilities = self.client.capabilities;
        Wishes {
            capabilities: if restricted { capabilities.without(Capabilities::LOCAL_FILES) } else { capabilities },
            // What changes in a restricted session is heard of even where its client does not want to know.
            welcome: if restricted { Capabilities::SESSION_TRACK } else { Capabilities::default() },
            extensions: self.client.extensions,
            collation: if restricted { utf8mb4(self.client.collation) } else { self.client.collation },
            database: self.schema().unwrap_or_default().into(),
            attributes: vec![
                ("program_name".to_owned(), self.subject.application.to_string()),
                ("sekisho_user".to_owned(), self.subject.user.to_string()),
            ],
        }
    }

    /// Sets a connection up again whose session the server has reset.
    pub(super) async fn set_up_again(&mut self) -> Step<()> {
        let source = Arc::clone(self.acting.source());
        let (restricted, schema) = (self.is_restricted(), self.schema().map(str::to_owned));
        self.settings.objects = None;
        let Some(server) = self.server.take() else { return Ok(()) };
        let Server { stream, capabilities, status, number, place, .. } = *server;
        let mut upstream = Upstream::resume(stream, number, capabilities, status);
        let again = async {
            if let Some(schema) = schema {
                upstream.query(&format!("use {}", crate::sql::Engine::MySql.quote_identifier(&schema))).await?;
            }
            if restricted { set_up(&mut upstream, &source.secret_settings).await.map(Some) } else { Ok(None) }
        };
        let mode = again.await.map_err(|_: UpstreamError| Ending::ServerGone)?;
        self.settings.sql_mode = mode.unwrap_or_default();
        let Upstream { stream, status, .. } = upstream;
        self.server = Some(Box::new(Server { stream, input: Vec::new(), capabilities, status, number, place }));
        Ok(())
    }

    /// Leaves the server: a later command opens a fresh connection, perhaps elsewhere.
    pub(super) async fn leave_server(&mut self) {
        self.entry.set_server(None);
        self.statements.clear();
        self.settings.objects = None;
        if let Some(server) = self.server.take() {
            server.close().await;
        }
    }
}

/// Prepares a connection for a restricted role: how it reads text is known, what changes is told, the keys of masks
/// are in variables. Gives the `sql_mode`.
async fn set_up(upstream: &mut Upstream, secrets: &[(String, Secret)]) -> Result<SqlMode, UpstreamError> {
    let modes = modes(upstream).await?;
    let kept: Vec<&str> = modes.split(',').filter(|mode| !FOREIGN_MODES.contains(mode)).collect();
    let mut settings = Vec::new();
    if kept.len() != modes.split(',').count() {
        settings.push(format!("sql_mode = '{}'", kept.join(",")));
    }
    if upstream.capabilities.has(Capabilities::SESSION_TRACK) {
        settings.push(format!("session_track_system_variables = '{TRACKED}', session_track_schema = on"));
    }
    if !settings.is_empty() {
        upstream.query(&format!("set {}", settings.join(", "))).await?;
    }
    if !secrets.is_empty() {
        let names: Vec<&str> = secrets.iter().map(|(name, _)| name.as_str()).collect();
        let values: Vec<&str> = secrets.iter().map(|(_, value)| value.expose()).collect();
        upstream.set_variables(&names, &values).await?;
    }
    Ok(sql_mode(&kept))
}

/// The session's `sql_mode`.
async fn modes(upstream: &mut Upstream) -> Result<String, UpstreamError> {
    // Whatever `sql_select_limit` says, there is a row.
    let rows = upstream.query("select @@session.sql_mode limit 1").await?;
    let modes = rows.iter().next().and_then(|row| row.get(0));
    Ok(modes.ok_or(Malformed("an answer without a row"))?.to_owned())
}

/// How the session reads text now.
pub(super) async fn reading(upstream: &mut Upstream) -> Result<SqlMode, UpstreamError> {
    Ok(read_sql_mode(modes(upstream).await?.as_bytes()))
}

/// The flags that change how text is read.
fn sql_mode(modes: &[&str]) -> SqlMode {
    SqlMode {
        ansi_quotes: modes.contains(&"ANSI_QUOTES"),
        pipes_as_concat: modes.contains(&"PIPES_AS_CONCAT"),
        no_backslash_escapes: modes.contains(&"NO_BACKSLASH_ESCAPES"),
        high_not_precedence: modes.contains(&"HIGH_NOT_PRECEDENCE"),
        ignore_space: modes.contains(&"IGNORE_SPACE"),
        lenient: !modes.iter().any(|mode| matches!(*mode, "STRICT_TRANS_TABLES" | "STRICT_ALL_TABLES")),
    }
}

/// `sql_mode` as a server reports it.
pub(super) fn read_sql_mode(value: &[u8]) -> SqlMode {
    let text = String::from_utf8_lossy(value);
    sql_mode(&text.split(',').collect::<Vec<_>>())
}

/// A collation of utf8mb4 as it is, any other as the default one.
fn utf8mb4(collation: u8) -> u8 {
    match collation {
        45 | 46 | 224..=255 => collation,
        _ => upstream::UTF8MB4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_that_change_reading_are_known() {
        let mode = read_sql_mode(b"REAL_AS_FLOAT,PIPES_AS_CONCAT,ANSI_QUOTES,IGNORE_SPACE,ANSI");
        assert_eq!(
            mode,
            SqlMode {
                ansi_quotes: true,
                pipes_as_concat: true,
                ignore_space: true,
                lenient: true,
                ..SqlMode::default()
            }
        );
        assert_eq!(read_sql_mode(b"STRICT_TRANS_TABLES"), SqlMode::default());
    }

    #[test]
    fn only_utf8mb4_is_kept() {
        assert_eq!((utf8mb4(255), utf8mb4(8), utf8mb4(33), utf8mb4(0)), (255, 45, 45, 45));
    }
}
