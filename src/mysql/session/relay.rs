//! A reply on its way from the server to the client.

use std::time::Instant;

use super::server::read_sql_mode;
use super::stop::{Stop, is_interruption};
use super::{Event, Session, Step, client_gone, unrecorded};
use crate::audit::{Ending, Facts, ResultRecord, Sequence};
use crate::mysql::cancel;
use crate::mysql::pending::{Kind, Next, Pending, Sort};
use crate::mysql::reply;
use crate::mysql::wire::column::Column;
use crate::mysql::wire::err::Err;
use crate::mysql::wire::ok::{Ok as OkPacket, StateChange};
use crate::mysql::wire::prepared::{ID_AT, Prepared};
use crate::mysql::wire::{Capabilities, HEADER, packet};
use crate::pipeline::VirtualDatabase;
use crate::session::Watch;

/// Bytes of column definitions that are held back until the second lock has seen them all.
const MAX_HELD: usize = 32 << 20;

/// The statement that a reply belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Running<'a> {
    /// Its record; none for what is recorded when it is executed.
    pub record: Option<Sequence>,
    /// When it arrived.
    pub arrived: Instant,
    /// Whether restricted relations are read, so that words and warnings can quote values.
    pub guarded: bool,
    /// The second lock, for restricted roles.
    pub lock: Option<&'a VirtualDatabase>,
    /// What the role sees; its limits hold for other roles too.
    pub database: &'a VirtualDatabase,
    /// What is known about its text.
    pub facts: Option<&'a Facts>,
    /// Rows and bytes of earlier fetches of the same cursor.
    pub fetched: (u64, u64),
    /// The number that the client is to know a prepared statement by.
    pub statement: u32,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Outcome {
    /// The error that ended it.
    pub error: Option<Err>,
    /// Results that came to their end.
    pub results: usize,
    /// What the server said to a statement prepared.
    pub prepared: Option<Prepared>,
    /// Rows and bytes of the last result.
    pub last: (u64, u64),
}

/// A reply in the middle of being relayed.
pub(super) struct Progress {
    pub(super) pending: Pending,
    pub(super) outcome: Outcome,
    /// Bytes at the front of the server's buffer that were looked at.
    pub(super) seen: usize,
    /// Where the definitions held back begin, among them.
    held: Option<usize>,
    rows_changed: u64,
    bytes: u64,
    first_byte: Option<Instant>,
    /// The rest of the reply is not for the client: the second lock has ended it, or a limit has cut it off.
    pub(super) ended: bool,
    /// The limits that could stop the statement.
    pub(super) watch: Option<Watch>,
    /// Where a limit cut the result off: the sequence number of the first packet that did not go out, and the rows
    /// before it.
    pub(super) cut: Option<(u8, u64)>,
}

impl Session {
    /// Relays the reply to the command just sent, to its end.
    pub(super) async fn relay(&mut self, kind: Kind, running: Option<&Running<'_>>) -> Step<Outcome> {
        let Some(server) = &self.server else { return Err(Ending::ServerGone) };
        let mut progress = Progress {
            pending: Pending::new(kind, server.capabilities),
            outcome: Outcome::default(),
            seen: 0,
            held: None,
            rows_changed: 0,
            bytes: 0,
            first_byte: None,
            ended: false,
            watch: running.filter(|running| running.record.is_some()).and_then(watch),
            cut: None,
        };
        if let Some(watch) = &progress.watch {
            progress.pending.limit(watch.most_rows(), watch.most_bytes());
        }
        let done = self.relay_to_end(&mut progress, running).await;
        self.note_result(&progress, running, done.as_ref().err());
        done.map(|()| progress.outcome)
    }

    async fn relay_to_end(&mut self, progress: &mut Progress, running: Option<&Running<'_>>) -> Step<()> {
        while !progress.pending.is_over() {
            if let Err(ending) = self.await_reply(&mut progress.watch).await {
                return Err(self.give_up(ending, progress).await);
            }
            if progress.first_byte.is_none() {
                progress.first_byte = Some(Instant::now());
                if let Some(record) = running.and_then(|running| running.record) {
                    self.ensure_written(record).await?;
                }
            }
            self.look(progress, running).await?;
            self.forward(progress).await?;
        }
        progress.outcome.last = progress.pending.result();
        self.end_cut(progress).await?;
        if let Some(server) = &mut self.server
            && progress.outcome.error.is_none()
        {
            server.status = progress.pending.status;
        }
        Ok(())
    }

    /// Waits until the server says more. What the client says meanwhile waits.
    pub(super) async fn await_server(&mut self) -> Step<()> {
        loop {
            if let Event::Server = self.event(false).await? {
                return Ok(());
            }
        }
    }

    /// A session that cannot wait for its reply: the server is told to stop, the client why.
    async fn give_up(&mut self, ending: Ending, progress: &Progress) -> Ending {
        if ending != Ending::ServerGone {
            cancel::stop_later(&self.entry, self.acting.source());
            return self.farewell(ending).await;
        }
        self.node.metrics.server_disconnects.add_one();
        if progress.bytes == 0 {
            let _ = self.client.send_error(1, &Err::new(2013, "HY000", "lost connection to the server")).await;
        }
        ending
    }

    /// No byte of a result leaves before the record of its statement is written.
    async fn ensure_written(&mut self, record: Sequence) -> Step<()> {
        let audit = &self.node.audit;
        if audit.is_written(record) {
            return Ok(());
        }
        audit.flush();
        if audit.is_written(record) {
            return Ok(());
        }
        if let Err(error) = audit.written(record).await {
            self.node.metrics.statements_unrecorded.add_one();
            let _ = self.client.send_error(1, &unrecorded(&error)).await;
            return Err(Ending::Closed("the audit log cannot be written"));
        }
        Ok(())
    }

    /// Looks at what came: rows are passed over, everything else is read.
    async fn look(&mut self, progress: &mut Progress, running: Option<&Running<'_>>) -> Step<()> {
        while !progress.pending.is_over() {
            let Some(server) = &mut self.server else { return Err(Ending::ServerGone) };
            let rest = server.unread().get(progress.seen..).unwrap_or_default();
            let scan = progress.pending.scan(rest).map_err(|_| Ending::ServerGone)?;
            progress.seen += scan.passed;
            let (sort, len) = match scan.next {
                Next::More => return Ok(()),
                Next::Packet(sort, len) => (sort, len),
                Next::Full { rows, bytes } => {
                    self.cut(progress, rows, bytes).await?;
                    continue;
                }
            };
            let at = progress.seen;
            if progress.held.is_none()
                && matches!(sort, Sort::Count | Sort::Prepared)
                && running.is_some_and(|r| r.lock.is_some())
            {
                progress.held = Some(at);
            }
            self.treat(progress, running, sort, at, len).await?;
            if progress.pending.is_in_rows() || progress.pending.is_over() || progress.pending.is_at_head() {
                progress.held = None;
            }
        }
        Ok(())
    }

    /// One packet that is no row. It stands at `at` in the server's buffer.
    async fn treat(
        &mut self,
        progress: &mut Progress,
        running: Option<&Running<'_>>,
        sort: Sort,
        at: usize,
        len: usize,
    ) -> Step<()> {
        let guarded = running.is_some_and(|running| running.guarded);
        let Some(server) = &mut self.server else { return Err(Ending::ServerGone) };
        let capabilities = server.capabilities;
        let bytes = server.unread_mut().get_mut(at..at + len).ok_or(Ending::ServerGone)?;
        let (header, payload) = bytes.split_at_mut_checked(HEADER).ok_or(Ending::ServerGone)?;
        let sequence = header.last().copied().unwrap_or_default();
        progress.pending.pass(sort, payload).map_err(|_| Ending::ServerGone)?;
        progress.seen = at + len;
        let mut instead = None;
        match sort {
            Sort::Count => {
                // Without definitions there is nothing that the second lock could look at.
                if running.is_some_and(|running| running.lock.is_some()) && progress.pending.is_in_rows() {
                    return self.second_lock(progress, running, "of a result without definitions", sequence).await;
                }
            }
            Sort::Column => {
                if let Some(lock) = running.and_then(|running| running.lock).filter(|_| !progress.ended)
                    && let Some(column) = protected(lock, payload)
                {
                    return self.second_lock(progress, running, &column, sequence).await;
                }
            }
            Sort::Eof => {
                progress.outcome.results += usize::from(!progress.pending.is_in_rows());
                if guarded && let Some(warnings) = payload.get_mut(1..3) {
                    warnings.fill(0);
                }
            }
            Sort::Ok => {
                progress.outcome.results += 1;
                let ok = OkPacket::read(payload, capabilities).map_err(|_| Ending::ServerGone)?;
                progress.rows_changed += ok.affected;
                let changes = changes(&ok);
                if guarded
                    || capabilities.has(Capabilities::SESSION_TRACK)
                        != self.client.capabilities.has(Capabilities::SESSION_TRACK)
                {
                    instead = reworded(&ok, payload, guarded, self.client.capabilities, sequence);
                }
                self.note_changes(&changes)?;
            }
            Sort::Err => {
                let error = Err::read(payload).map_err(|_| Ending::ServerGone)?;
                let stopped = progress.watch.as_ref().and_then(Watch::refusal).filter(|_| is_interruption(&error));
                let is_ours = stopped.is_some();
                let cleaned = match stopped {
                    Some(refusal) => reply::refusal(&refusal),
                    None if guarded => reply::clean(error),
                    None => error,
                };
                if guarded || is_ours {
                    let mut out = Vec::new();
                    packet::append_with(&mut out, sequence, |out| cleaned.write(out));
                    instead = Some(out);
                }
                progress.outcome.error = Some(cleaned);
            }
            Sort::Prepared => {
                let optional = capabilities.has(Capabilities::OPTIONAL_METADATA);
                progress.outcome.prepared = Some(Prepared::read(payload, optional).map_err(|_| Ending::ServerGone)?);
                let number = running.map_or(0, |running| running.statement).to_le_bytes();
                if let Some(place) = payload.get_mut(ID_AT..ID_AT + number.len()) {
                    place.copy_from_slice(&number);
                }
            }
            Sort::LocalFile => {
                self.forward(progress).await?;
                return self.local_file().await;
            }
        }
        if let Some(packet) = instead {
            // Everything before the packet as it came, then the packet that stands for it.
            progress.seen = at;
            progress.held = None;
            self.forward(progress).await?;
            if let Some(server) = &mut self.server {
                server.consume(len);
            }
            if !progress.ended {
                progress.bytes += packet.len() as u64;
                self.client.send(&packet).await.map_err(client_gone)?;
            }
        }
        Ok(())
    }

    /// Sends on what was looked at, but for definitions held back.
    pub(super) async fn forward(&mut self, progress: &mut Progress) -> Step<()> {
        let ready = progress.held.unwrap_or(progress.seen);
        let Self { client, server: Some(server), entry, acting, turn, .. } = self else {
            return Err(Ending::ServerGone);
        };
        if progress.seen - ready > MAX_HELD {
            return Err(Ending::ServerGone);
        }
        if ready == 0 {
            return Ok(());
        }
        if !progress.ended {
            progress.bytes += ready as u64;
            let stop = Stop { entry, source: acting.source(), turn };
            let sending = client.send(server.unread().get(..ready).unwrap_or_default());
            stop.within(&mut progress.watch, sending).await?;
        }
        server.consume(ready);
        progress.seen -= ready;
        progress.held = progress.held.map(|_| 0);
        Ok(())
    }

    /// A protected column was about to arrive raw: an error stands for the whole result, and nothing more of the reply
    /// reaches the client.
    async fn second_lock(
        &mut self,
        progress: &mut Progress,
        running: Option<&Running<'_>>,
        column: &str,
        sequence: u8,
    ) -> Step<()> {
        self.node.metrics.second_lock_hits.add_one();
        if let Some(record) = running.and_then(|running| running.record) {
            self.node.audit.second_lock(&self.subject, record, column);
        }
        let held = progress.held.take().unwrap_or(progress.seen);
        let seen = std::mem::replace(&mut progress.seen, held);
        self.forward(progress).await?;
        progress.seen = seen - held;
        progress.ended = true;
        let message = format!("protected column `{column}` was about to arrive as it is; the result was stopped");
        let error = Err::new(1143, "42000", message);
        // The first packet of the result that was held back has this number.
        let first = self.server.as_ref().and_then(|server| server.unread().get(3)).copied().unwrap_or(sequence);
        self.client.send_error(first, &error).await.map_err(client_gone)?;
        progress.outcome.error = Some(error);
        Ok(())
    }

    /// Follows what the server says has changed in its session.
    fn note_changes(&mut self, changes: &Changes) -> Step<()> {
        if let Some(schema) = &changes.schema {
            self.set_schema(Some(schema));
        }
        if self.is_restricted() {
            if let Some(mode) = &changes.sql_mode {
                self.settings.sql_mode = read_sql_mode(mode);
            }
            if changes.left_utf8mb4 {
                return Err(Ending::Closed("the connection's character set is no longer utf8mb4"));
            }
        }
        Ok(())
    }

    /// Records what came of a statement.
    fn note_result(&mut self, progress: &Progress, running: Option<&Running<'_>>, ending: Option<&Ending>) {
        let rows = progress.cut.map_or(progress.pending.rows, |(_, rows)| rows) + progress.rows_changed;
        self.totals.rows += rows;
        self.totals.bytes += progress.bytes;
        self.node.metrics.rows.add(rows);
        self.node.metrics.result_bytes.add(progress.bytes);
        let Some((running, statement)) = running.and_then(|running| Some((running, running.record?))) else { return };
        self.unfinished.set(None);
        let end = Instant::now();
        let since =
            |moment: Instant| u64::try_from(moment.duration_since(running.arrived).as_micros()).unwrap_or(u64::MAX);
        let sqlstate = match (&progress.outcome.error, ending) {
            (Some(error), _) => Some(error.sqlstate()),
            (None, Some(_)) => Some("08S01"),
            (None, None) => None,
        };
        // One whose time was up may have come to its own end all the same.
        let limit = progress.watch.as_ref().and_then(Watch::noted);
        let limit = limit.filter(|met| !met.stopped || progress.outcome.error.is_some());
        if let Some(met) = limit {
            self.node.metrics.limits.count(met.limit);
        }
        self.node.audit.result(&ResultRecord {
            subject: &self.subject,
            statement,
            rows,
            bytes: progress.bytes,
            first_row_us: since(progress.first_byte.unwrap_or(end)),
            total_us: since(end),
            sqlstate,
            limit,
            facts: running.facts,
        });
    }
}

/// The limits on a statement that begins to run now.
fn watch(running: &Running<'_>) -> Option<Watch> {
    let mut watch = Watch::new(running.database, Instant::now())?;
    watch.begin_result(running.fetched.0, running.fetched.1);
    Some(watch)
}

/// State changes that matter here.
#[derive(Debug, Default)]
struct Changes {
    schema: Option<Box<str>>,
    sql_mode: Option<Box<[u8]>>,
    left_utf8mb4: bool,
}

fn changes(ok: &OkPacket<'_>) -> Changes {
    let mut changes = Changes::default();
    for change in ok.state_changes() {
        match change {
            Ok(StateChange::Schema(name)) => changes.schema = Some(String::from_utf8_lossy(name).into()),
            Ok(StateChange::Variable { name: b"sql_mode", value }) => changes.sql_mode = Some(value.into()),
            Ok(StateChange::Variable { name, value }) if name.starts_with(b"character_set_") => {
                changes.left_utf8mb4 |= value != b"utf8mb4";
            }
            Ok(StateChange::Variable { .. } | StateChange::Other) => {}
            // What cannot be read could be such a change.
            Err(_) => changes.left_utf8mb4 = true,
        }
    }
    changes
}

/// An OK packet for the client where it cannot be the server's own; nothing where it can.
fn reworded(ok: &OkPacket<'_>, payload: &[u8], guarded: bool, client: Capabilities, sequence: u8) -> Option<Vec<u8>> {
    let (affected, info) =
        if guarded { reply::clean_counts(ok.affected, ok.info) } else { (ok.affected, ok.info.to_vec()) };
    let ok = OkPacket { affected, info: &info, warnings: if guarded { 0 } else { ok.warnings }, ..ok.clone() };
    let mut out = Vec::new();
    packet::append_with(&mut out, sequence, |out| ok.write(out, client));
    (out.get(HEADER..) != Some(payload)).then_some(out)
}

/// The name of a column that must not arrive raw, if the definition is of one.
pub(super) fn protected(lock: &VirtualDatabase, payload: &[u8]) -> Option<String> {
    let Ok(column) = Column::read(payload) else { return Some("a column without a readable definition".to_owned()) };
    if column.table.is_empty() || column.origin.is_empty() {
        return None;
    }
    let text = std::str::from_utf8;
    let (Ok(schema), Ok(table), Ok(name)) = (text(column.schema), text(column.table), text(column.origin)) else {
        return Some("a column whose name is not UTF-8".to_owned());
    };
    lock.is_protected_column(schema, table, name).then(|| format!("{schema}.{table}.{name}"))
}
