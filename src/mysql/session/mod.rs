//! A session: the loop between one client and its connection to a server.
//!
//! ```text
//! command ──▶ texts: decide ──▶ record ──▶ send by a Permit ──▶ relay the reply ──▶ record what came of it
//!         ├─▶ prepared statements: the decision made for their text, looked up again
//!         ├─▶ other databases, users, roles, kills: handled here, for they are the proxy's own notions
//!         └─▶ everything else: passed where it is harmless, refused where not
//! ```

mod account;
mod binary_text;
mod columns;
mod cost;
mod files;
mod input;
pub mod place;
mod relay;
mod server;
mod statements;
mod stop;
mod text;
mod words;

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use super::client::{Client, ClientError};
use super::pending::Kind;
use super::reply;
use super::wire::capability::status;
use super::wire::command::Command;
use super::wire::err::Err;
use super::wire::{HEADER, Header};
use crate::audit::{Ending, ResultRecord, Sequence, Subject, Totals};
use crate::auth::User;
use crate::pipeline::{Settings, VirtualDatabase};
use crate::session::{Acting, Entry, Node, Ticket, Turn, Wish};

use server::Server;
use statements::Statements;

/// A session that has logged in.
#[derive(Debug)]
pub struct Session {
    node: Arc<Node>,
    client: Client,
    user: Arc<User>,
    acting: Acting,
    entry: Arc<Entry>,
    subject: Subject,
    settings: Settings,
    server: Option<Box<Server>>,
    statements: Statements,
    // A catalog read after DDL of this session, which the next decision waits for.
    catalog: Option<Ticket>,
    // The leave of the statement under way to run among those of its role, where their number is limited.
    turn: Option<Turn>,
    // The record of a statement that was permitted, and when that was, until its result is recorded.
    unfinished: Cell<Option<(Sequence, Instant)>>,
    // The error by which the proxy itself answered the command under way.
    failed: Option<Box<str>>,
    totals: Totals,
}

/// What ends a session or a wait; the ending of the audit log.
type Step<T> = Result<T, Ending>;

/// What came first while a session waited.
enum Event {
    /// More bytes of the client.
    Client,
    /// More bytes of the server.
    Server,
}

impl Session {
    /// A session that begins.
    pub fn new(
        node: Arc<Node>,
        client: Client,
        user: Arc<User>,
        acting: Acting,
        entry: Arc<Entry>,
        subject: Subject,
    ) -> Self {
        Self {
            node,
            client,
            user,
            acting,
            entry,
            subject,
            settings: Settings::default(),
            server: None,
            statements: Statements::default(),
            catalog: None,
            turn: None,
            unfinished: Cell::default(),
            failed: None,
            totals: Totals::default(),
        }
    }

    /// Its place among the live sessions.
    pub fn entry(&self) -> &Arc<Entry> {
        &self.entry
    }

    /// Runs until it ends; says why, and what it did in all.
    pub async fn run(mut self) -> (Subject, Ending, Totals) {
        let ending = loop {
            let done = self.next().await;
            self.note_unfinished(done.is_err());
            self.turn = None;
            if let Err(ending) = done {
                break ending;
            }
        };
        self.entry.set_server(None);
        if let Some(server) = self.server.take() {
            server.close().await;
        }
        (self.subject, ending, self.totals)
    }

    /// Waits for a command and carries it out.
    async fn next(&mut self) -> Step<()> {
        let header = loop {
            match Header::read(self.client.unread()) {
                Some(header) if self.client.unread().len() > HEADER || header.len == 0 => break header,
                _ => self.idle().await?,
            }
        };
        if header.sequence != 0 {
            return self.violation("packets out of order").await;
        }
        let Some(command) = self.client.unread().get(HEADER).filter(|_| header.len > 0) else {
            return self.violation("packet without a command").await;
        };
        match Command::from_byte(*command) {
            Command::Query => self.query().await,
            Command::Execute => self.execute(Command::Execute).await,
            Command::BulkExecute => self.execute(Command::BulkExecute).await,
            Command::Prepare => self.prepare().await,
            Command::Close => self.close_statement().await,
            Command::LongData => self.long_data().await,
            Command::Reset => self.reset_statement().await,
            Command::Fetch => self.fetch().await,
            Command::Ping => self.ping().await,
            Command::InitDb => self.init_db().await,
            Command::FieldList => self.field_list().await,
            Command::SetOption => self.set_option().await,
            Command::Statistics => self.statistics().await,
            Command::ProcessKill => self.process_kill().await,
            Command::ChangeUser => self.change_user().await,
            Command::ResetConnection => self.reset_connection().await,
            Command::Quit => Err(Ending::Terminated),
            Command::Refused(byte) => {
                let whole = self.whole(input::MAX_SHORT).await?;
                self.take(&whole);
                let message = format!("{} is not passed on", Command::refused_name(byte));
                self.fail(whole.reply, &Err::new(1235, "42000", message)).await
            }
        }
    }

    /// Records the end of a statement that the proxy carried out, or could not pass on.
    fn note_unfinished(&mut self, is_over: bool) {
        let failed = self.failed.take();
        let Some((statement, began)) = self.unfinished.take() else { return };
        let total = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.node.audit.result(&ResultRecord {
            subject: &self.subject,
            statement,
            rows: 0,
            bytes: 0,
            first_row_us: total,
            total_us: total,
            sqlstate: failed.as_deref().or(is_over.then_some("08S01")),
            limit: None,
            facts: None,
        });
    }

    /// Whether the role's statements are rewritten. Those of an observed role go through as they are.
    fn is_restricted(&self) -> bool {
        let role = self.acting.role();
        !role.unrestricted && !role.observe
    }

    /// What the role sees now. A restricted role's statements are read by the catalog, which first catches up with
    /// the session's own DDL.
    async fn database(&mut self) -> Step<Arc<VirtualDatabase>> {
        if let Some(ticket) = self.catalog.take()
            && self.is_restricted()
        {
            let source = Arc::clone(self.acting.source());
            let _ = tokio::time::timeout(CATALOG_WAIT, source.refresh.served(ticket)).await;
        }
        match self.acting.database(&self.node) {
            Ok(database) => Ok(Arc::clone(database)),
            Err(revoked) => {
                let error = Err::new(1045, "28000", revoked.to_string());
                let _ = self.client.send_error(1, &error).await;
                Err(Ending::Closed("the user's rights changed"))
            }
        }
    }

    /// Whether the server has a transaction open.
    fn in_transaction(&self) -> bool {
        self.server.as_ref().is_some_and(|server| server.status & status::IN_TRANSACTION != 0)
    }

    /// The status flags to answer with where no server is asked.
    fn status(&self) -> u16 {
        self.server.as_ref().map_or(status::AUTOCOMMIT, |server| {
            server.status & (status::IN_TRANSACTION | status::AUTOCOMMIT | status::NO_BACKSLASH_ESCAPES)
        })
    }

    /// Answers a command with an error of the proxy's own.
    async fn fail(&mut self, sequence: u8, error: &Err) -> Step<()> {
        if self.unfinished.get().is_some() {
            self.failed = Some(error.sqlstate().into());
        }
        self.client.send_error(sequence, error).await.map_err(client_gone)
    }

    /// Answers a command with OK.
    async fn succeed(&mut self, sequence: u8) -> Step<()> {
        let status = self.status();
        self.client.send_ok(sequence, status).await.map_err(client_gone)
    }

    /// The client broke the protocol.
    async fn violation<T>(&mut self, what: &str) -> Step<T> {
        self.node.metrics.protocol_errors.add_one();
        let _ = self
            .client
            .send_error(1, &Err::new(1835, "08S01", format!("malformed communication packet: {what}")))
            .await;
        Err(Ending::ProtocolViolation)
    }

    /// Waits for the client while nothing is under way.
    async fn idle(&mut self) -> Step<()> {
        let limit = self.node.timeouts.idle;
        let waited = match limit {
            None => Ok(self.event(true).await),
            Some(limit) => tokio::time::timeout(limit, self.event(true)).await,
        };
        match waited {
            Ok(Ok(Event::Client)) => Ok(()),
            // A server that speaks unasked says why it ends the connection.
            Ok(Ok(Event::Server)) => {
                let last = self.server.as_ref().map(|server| server.unread().to_vec()).unwrap_or_default();
                let _ = self.client.send(&last).await;
                self.node.metrics.server_disconnects.add_one();
                Err(Ending::ServerGone)
            }
            Ok(Err(ending)) => Err(self.farewell(ending).await),
            Err(_) => {
                let ending = Ending::Closed("idle time-out");
                Err(self.farewell(ending).await)
            }
        }
    }

    /// Tells a client why the proxy ends its session.
    async fn farewell(&mut self, ending: Ending) -> Ending {
        if let Ending::Closed(why) = ending {
            let _ = self
                .client
                .send_error(1, &Err::new(1927, "70100", format!("connection was ended by the proxy: {why}")))
                .await;
        }
        ending
    }

    /// Waits for whichever speaks first. While a reply is under way (`idle` is false) a limited number of the
    /// client's bytes is read ahead, so that its going is noticed.
    async fn event(&mut self, idle: bool) -> Step<Event> {
        let Self { client, server, entry, .. } = self;
        let mut wanted = std::pin::pin!(entry.wanted());
        poll_fn(|cx| {
            if let Some(server) = server
                && let Poll::Ready(read) = server.poll_fill(cx)
            {
                return Poll::Ready(read.map(|()| Event::Server).map_err(|_| Ending::ServerGone));
            }
            while idle || client.unread().len() < READ_AHEAD {
                match client.poll_fill(cx) {
                    Poll::Ready(Ok(())) if !idle => {}
                    Poll::Ready(read) => {
                        return Poll::Ready(read.map(|()| Event::Client).map_err(|error| client_ending(&error)));
                    }
                    Poll::Pending => break,
                }
            }
            match entry.wish() {
                Wish::GoOn => {}
                Wish::EndWhenIdle if !idle || in_transaction(server.as_deref()) => {}
                Wish::EndWhenIdle | Wish::EndNow => return Poll::Ready(Err(Ending::Closed("shutdown"))),
                Wish::Killed => return Poll::Ready(Err(Ending::Closed("killed"))),
            }
            match wanted.as_mut().poll(cx) {
                Poll::Ready(()) => {
                    wanted.set(entry.wanted());
                    cx.waker().wake_by_ref();
                    Poll::Pending
                }
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    async fn ping(&mut self) -> Step<()> {
        self.pass_or_ok(Kind::Short).await
    }

    /// Passes a short command to the server, or answers it where there is no server yet.
    async fn pass_or_ok(&mut self, kind: Kind) -> Step<()> {
        let whole = self.whole(input::MAX_SHORT).await?;
        if self.server.is_none() {
            self.take(&whole);
            return self.succeed(whole.reply).await;
        }
        self.pass(&whole).await?;
        self.relay(kind, None).await.map(drop)
    }

    async fn set_option(&mut self) -> Step<()> {
        use super::wire::Capabilities;
        let whole = self.whole(input::MAX_SHORT).await?;
        let multi = Capabilities::MULTI_STATEMENTS;
        let changed = match whole.payload(self.client.unread()) {
            [_, 0, 0] => self.client.capabilities | multi,
            [_, 1, 0] => self.client.capabilities.without(multi),
            _ => {
                self.take(&whole);
                return self.fail(whole.reply, &Err::new(1047, "08S01", "unknown option")).await;
            }
        };
        if self.server.is_some() {
            self.pass(&whole).await?;
            if self.relay(Kind::Short, None).await?.error.is_none() {
                self.client.capabilities = changed;
            }
            return Ok(());
        }
        self.take(&whole);
        self.client.capabilities = changed;
        let status = self.status();
        self.client.send_eof(whole.reply, status).await.map_err(client_gone)
    }

    /// `COM_STATISTICS`: numbers of the server are not the client's business.
    async fn statistics(&mut self) -> Step<()> {
        let whole = self.whole(input::MAX_SHORT).await?;
        self.take(&whole);
        if self.is_restricted() {
            let hint = "COM_STATISTICS is not answered for restricted roles";
            return self.fail(whole.reply, &Err::new(1227, "42000", hint)).await;
        }
        let text = "Uptime: 1  Threads: 1  Questions: 1  Slow queries: 0";
        let sent = self.client.send_packet(whole.reply, |out| out.extend_from_slice(text.as_bytes())).await;
        sent.map_err(client_gone)
    }

    /// Opens the server before a restricted role's text is decided: how it reads text, its `sql_mode`, is known from then
    /// on. Gives whether it is open, like [`Session::open_for`].
    async fn knows_reading(&mut self, whole: &input::Whole) -> Step<bool> {
        if !self.is_restricted() {
            return Ok(true);
        }
        let is_open = self.open_for(whole).await?;
        // The server tells with each OK whether it reads backslashes, on which everything else that is read depends.
        let told = self.server.as_ref().map(|server| server.status & status::NO_BACKSLASH_ESCAPES != 0);
        if told.is_some_and(|told| told != self.settings.sql_mode.no_backslash_escapes) {
            return Err(Ending::Closed("the server reads statements in another way than was known"));
        }
        Ok(is_open)
    }

    /// Opens the server for a command if it is not open; where it cannot be, answers the command with the reason.
    async fn open_for(&mut self, whole: &input::Whole) -> Step<bool> {
        match self.open().await? {
            Ok(()) => Ok(true),
            Err(error) => {
                self.take(whole);
                self.fail(whole.reply, &error).await?;
                Ok(false)
            }
        }
    }
}

/// The longest that a session waits for the catalog to show its own DDL.
const CATALOG_WAIT: std::time::Duration = std::time::Duration::from_secs(10);
/// Bytes of a client that are read while a reply is under way.
const READ_AHEAD: usize = 64 << 10;

fn in_transaction(server: Option<&Server>) -> bool {
    server.is_some_and(|server| server.status & status::IN_TRANSACTION != 0)
}

fn client_gone(_: io::Error) -> Ending {
    Ending::ClientGone
}

fn client_ending(error: &ClientError) -> Ending {
    match error {
        ClientError::Io(_) => Ending::ClientGone,
        ClientError::Malformed(_) => Ending::ProtocolViolation,
    }
}

/// Why a statement cannot be recorded, as an answer.
fn unrecorded(error: &crate::audit::Unavailable) -> Err {
    reply::unrecorded(error)
}
