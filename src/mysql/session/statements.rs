//! Prepared statements: the client knows them by the proxy's numbers, the decision made for their text holds for each
//! execution until rules, catalog or settings change.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use super::input::{MAX_SHORT, MAX_TEXT};
use super::relay::Running;
use super::text::changes_role;
use super::{Session, Step, client_ending, unrecorded};
use crate::audit::Sequence;
use crate::mysql::pending::Kind;
use crate::mysql::reply;
use crate::mysql::wire::command::Command;
use crate::mysql::wire::err::Err;
use crate::mysql::wire::execute::{self, ID_AT, LAST_PREPARED};
use crate::mysql::wire::{Capabilities, HEADER, Header, command, packet};
use crate::pipeline::{Decision, Verdict, VirtualDatabase};
use crate::session::{Prepared, admission};

/// Statements that a session may hold at a time, as MySQL's own default limit.
const MAX_STATEMENTS: usize = 16_382;
/// Bytes of an execution that must be there before it is passed on.
const EXECUTE_HEAD: usize = HEADER + 10;

/// The statements of a session.
#[derive(Debug, Default)]
pub(super) struct Statements {
    by_number: HashMap<u32, Statement>,
    last: u32,
    // The one prepared last, if preparing it succeeded: MariaDB's clients may execute it without its number.
    last_prepared: Option<u32>,
}

#[derive(Debug)]
struct Statement {
    prepared: Prepared,
    // The server's number.
    server: u32,
    parameters: u16,
    // The record of the execution that opened its cursor.
    record: Option<Sequence>,
    // The server's number of the question to its planner about this statement; the question has been told the types of the
    // parameters.
    explain: Option<u32>,
    // Whether parameters came ahead of the next execution.
    has_long_data: bool,
    // Rows and bytes that its cursor gave so far.
    fetched: (u64, u64),
}

impl Statements {
    /// Forgets all: the server's session is gone.
    pub(super) fn clear(&mut self) {
        self.by_number.clear();
        self.last_prepared = None;
    }

    fn number(&self, number: u32) -> u32 {
        if number == LAST_PREPARED { self.last_prepared.unwrap_or(0) } else { number }
    }
}

fn unknown(number: u32, what: &str) -> Err {
    Err::new(1243, "HY000", format!("unknown prepared statement handler ({number}) given to {what}"))
}

impl Session {
    /// `COM_STMT_PREPARE`.
    pub(super) async fn prepare(&mut self) -> Step<()> {
        let whole = self.whole(MAX_TEXT).await?;
        let arrived = Instant::now();
        self.statements.last_prepared = None;
        let bytes = whole.payload(self.client.unread()).get(1..).unwrap_or_default();
        let text = match self.readable(bytes) {
            Ok(text) => text.into_owned(),
            Err(error) => {
                let text = String::from_utf8_lossy(bytes).into_owned();
                return self.refuse(&whole, &text, None, &error).await;
            }
        };
        if self.statements.by_number.len() >= MAX_STATEMENTS {
            self.take(&whole);
            let message = format!("more than {MAX_STATEMENTS} prepared statements; close some");
            return self.fail(whole.reply, &Err::new(1461, "42000", message)).await;
        }
        if !self.knows_reading(&whole).await? {
            return Ok(());
        }
        let (database, decision) = self.decide(&text).await?;
        let permit = match &decision.verdict {
            Verdict::Permit(permit) => permit.clone(),
            Verdict::Denial(denial) => {
                let error = reply::refusal(denial);
                return self.refuse(&whole, &text, Some(&decision), &error).await;
            }
        };
        if changes_role(&permit).is_some() {
            let error = Err::new(1295, "HY000", "SET ROLE cannot be prepared; send it as it is");
            return self.refuse(&whole, &text, Some(&decision), &error).await;
        }
        if !self.open_for(&whole).await? {
            return Ok(());
        }
        let sent = whole.payload(self.client.unread()).get(1..);
        if !self.is_restricted() || sent == Some(permit.sql().as_bytes()) {
            self.pass(&whole).await?;
        } else {
            let payload = [&[command::STMT_PREPARE], permit.sql().as_bytes()].concat();
            if packet::count(payload.len()) != packet::count(whole.payload(self.client.unread()).len()) {
                return self.too_long(&whole).await;
            }
            self.take(&whole);
            self.send_instead(&payload).await?;
        }
        let number = self.statements.last.wrapping_add(1).max(1);
        self.statements.last = number;
        let running = self.running(None, arrived, &database, permit.guarded(), number);
        let outcome = self.relay(Kind::Prepare, Some(&running)).await?;
        if let (Some(known), None) = (outcome.prepared, &outcome.error) {
            let settings = self.settings.clone();
            let prepared =
                Prepared { text: text.into(), decision, database, settings, described: Cell::new(known.described) };
            let statement = Statement {
                prepared,
                server: known.id,
                parameters: known.parameters,
                record: None,
                explain: None,
                has_long_data: false,
                fetched: (0, 0),
            };
            self.statements.by_number.insert(number, statement);
            self.statements.last_prepared = Some(number);
        }
        Ok(())
    }

    /// `COM_STMT_EXECUTE` and MariaDB's `COM_STMT_BULK_EXECUTE`.
    pub(super) async fn execute(&mut self, kind: Command) -> Step<()> {
        let (header, number) = self.head(EXECUTE_HEAD).await?;
        let number = self.statements.number(number);
        let arrived = Instant::now();
        let database = self.database().await?;
        self.totals.statements += 1;
        let Some(statement) = self.statements.by_number.get(&number) else {
            let reply = self.discard().await?;
            return self.fail(reply, &unknown(number, "execute")).await;
        };
        if !statement.prepared.is_current(&database, &self.settings)
            && let Some(error) = self.decide_again(number, &database, header).await?
        {
            let reply = self.discard().await?;
            self.forget_long_data(number).await?;
            return self.fail(reply, &error).await;
        }
        let Some(statement) = self.statements.by_number.get(&number) else { return Ok(()) };
        if kind == Command::BulkExecute && counts_changes(&statement.prepared.decision) {
            let error = Err::new(1295, "HY000", "this statement is not run in bulk; run it once for each row");
            let noted = self.note_refusal(&statement.prepared.text, Some(&statement.prepared.decision), &error);
            let error = noted.err().map_or(error, |unavailable| unrecorded(&unavailable));
            let reply = self.discard().await?;
            return self.fail(reply, &error).await;
        }
        let (prepared, server_number) = (&statement.prepared, statement.server);
        let mut decision = Cow::Borrowed(&prepared.decision);
        if database.is_admitted_by_moment() {
            admission::admit(&self.node, &database, decision.to_mut());
            self.turn = admission::take_turn(&self.node, &database, decision.to_mut()).await;
        }
        if database.limits().is_some_and(|limits| limits.max_cost.is_some()) {
            let settled = self.estimate(number, header, kind, &database, decision.into_owned()).await?;
            decision = Cow::Owned(settled);
        }
        let Some(statement) = self.statements.by_number.get(&number) else { return Ok(()) };
        let prepared = &statement.prepared;
        let permit = match &decision.verdict {
            Verdict::Permit(permit) => permit,
            Verdict::Denial(denial) => {
                let error = reply::refusal(denial);
                let noted = self.note_refusal(&prepared.text, Some(&decision), &error);
                let error = noted.err().map_or(error, |unavailable| unrecorded(&unavailable));
                let reply = self.discard().await?;
                self.forget_long_data(number).await?;
                return self.fail(reply, &error).await;
            }
        };
        let (guarded, effects) = (permit.guarded(), Arc::clone(permit.effects()));
        let sent = (self.is_restricted() && **permit.sql() != *prepared.text).then_some(&**permit.sql());
        let facts = Arc::clone(&decision.facts);
        let record = match self.record(&prepared.text, &decision, sent) {
            Ok(record) => record,
            Err(error) => {
                let reply = self.discard().await?;
                return self.fail(reply, &unrecorded(&error)).await;
            }
        };
        if let Some(statement) = self.statements.by_number.get_mut(&number) {
            statement.record = Some(record);
            statement.fetched = (0, 0);
            statement.has_long_data = false;
        }
        self.write_number(server_number);
        if kind == Command::Execute && self.client.unread().len() >= HEADER + header.len && !header.is_continued() {
            self.pass_whole(HEADER + header.len).await?;
        } else {
            self.pass_through().await?;
        }
        self.node.metrics.statements_permitted.add_one();
        let facts = Some(&*facts);
        let running = Running { facts, ..self.running(Some(record), arrived, &database, guarded, 0) };
        let outcome = self.relay(Kind::Results, Some(&running)).await?;
        self.apply(&effects, &outcome);
        self.read_mode_again(&effects).await
    }

    /// Asks the planner about an execution, and refuses it where it costs too much or where it cannot be asked.
    async fn estimate(
        &mut self,
        number: u32,
        header: Header,
        kind: Command,
        database: &Arc<VirtualDatabase>,
        mut decision: Decision,
    ) -> Step<Decision> {
        let statements = admission::estimable(database, &self.settings, &mut decision).unwrap_or_default();
        let [only] = statements.as_slice() else { return Ok(decision) };
        let Some(statement) = self.statements.by_number.get_mut(&number) else { return Ok(decision) };
        let explain = statement.explain;
        let is_bulk = kind == Command::BulkExecute;
        let (parameters, has_long_data) = (statement.parameters, statement.has_long_data);
        let refuse = |mut decision: Decision, what: &str| {
            if let Some(limits) = database.limits() {
                admission::refuse_unweighed(limits, &mut decision, what, database.role().observe);
            }
            decision
        };
        if has_long_data || header.is_continued() || is_bulk {
            return Ok(refuse(decision, "with values this long or in bulk"));
        }
        while self.client.unread().len() < HEADER + header.len {
            self.client.fill().await.map_err(|error| client_ending(&error))?;
        }
        let attributes = self.client.capabilities.has(Capabilities::QUERY_ATTRIBUTES);
        let payload = self.client.unread().get(HEADER..HEADER + header.len).unwrap_or_default();
        if explain.is_none() && execute::binds_types(payload, parameters, attributes) != Some(true) {
            return Ok(refuse(decision, "whose parameters' types came before it could be asked"));
        }
        let explain = self.weigh_execution(database, &mut decision, only, explain).await?;
        if let Some(statement) = self.statements.by_number.get_mut(&number) {
            statement.explain = explain;
        }
        Ok(decision)
    }

    /// Decides again about a statement whose grounds have changed. Gives the error to answer with, if it may no longer
    /// run or cannot.
    async fn decide_again(
        &mut self,
        number: u32,
        database: &Arc<VirtualDatabase>,
        header: Header,
    ) -> Step<Option<Err>> {
        let Some(statement) = self.statements.by_number.get(&number) else {
            return Ok(Some(unknown(number, "execute")));
        };
        let text = statement.prepared.text.clone();
        let decision = database.decide(&self.settings, &text);
        let same_text = match (&decision.verdict, &statement.prepared.decision.verdict) {
            (Verdict::Permit(new), Verdict::Permit(old)) => new.sql() == old.sql(),
            (Verdict::Denial(denial), _) => {
                let error = reply::refusal(denial);
                let noted = self.note_refusal(&text, Some(&decision), &error);
                return Ok(Some(noted.err().map_or(error, |unavailable| unrecorded(&unavailable))));
            }
            (Verdict::Permit(_), Verdict::Denial(_)) => false,
        };
        if !same_text && let Some(error) = self.prepare_again(number, &decision, header).await? {
            return Ok(Some(error));
        }
        let settings = self.settings.clone();
        if let Some(statement) = self.statements.by_number.get_mut(&number) {
            let described = Cell::new(statement.prepared.described.get() && same_text);
            statement.prepared = Prepared { text, decision, database: Arc::clone(database), settings, described };
        }
        Ok(None)
    }

    /// Prepares the new text of a statement on the server in the place of the old one.
    async fn prepare_again(&mut self, number: u32, decision: &Decision, header: Header) -> Step<Option<Err>> {
        let Verdict::Permit(permit) = &decision.verdict else { return Ok(None) };
        let Some(statement) = self.statements.by_number.get(&number) else { return Ok(None) };
        // The server knows the parameters' types from the execution that told them, and values that came ahead, which the
        // new statement has not seen: only an execution that tells all again can go on.
        let attributes = self.client.capabilities.has(Capabilities::QUERY_ATTRIBUTES);
        let payload = self.client.unread().get(HEADER..).unwrap_or_default();
        let payload = payload.get(..header.len.min(payload.len())).unwrap_or_default();
        let again =
            Err::new(1615, "HY000", "prepared statement needs to be re-prepared: what the role sees has changed");
        let tells_all = execute::binds_types(payload, statement.parameters, attributes) == Some(true);
        if !tells_all || statement.has_long_data {
            return Ok(Some(again));
        }
        let (old, parameters, guarded) = (statement.server, statement.parameters, permit.guarded());
        let Some(server) = &mut self.server else { return Ok(Some(again)) };
        let mut explain = None;
        match server.prepare(permit.sql()).await? {
            Ok(new) if new.parameters == parameters => {
                server.close_statement(old).await?;
                if let Some(statement) = self.statements.by_number.get_mut(&number) {
                    statement.server = new.id;
                    explain = statement.explain.take();
                }
                if let Some(explain) = explain
                    && let Some(server) = &mut self.server
                {
                    server.close_statement(explain).await?;
                }
                Ok(None)
            }
            Ok(new) => {
                server.close_statement(new.id).await?;
                Ok(Some(again))
            }
            Err(error) => Ok(Some(if guarded { reply::clean(error) } else { error })),
        }
    }

    /// `COM_STMT_SEND_LONG_DATA`; has no reply.
    pub(super) async fn long_data(&mut self) -> Step<()> {
        let (_, number) = self.head(HEADER + 7).await?;
        let known = self.statements.number(number);
        if let Some(statement) = self.statements.by_number.get_mut(&known) {
            statement.has_long_data = true;
        }
        self.pass_for(number).await.map(drop)
    }

    /// Values that came ahead of an execution that was refused go with it: they would be those of the next one.
    async fn forget_long_data(&mut self, number: u32) -> Step<()> {
        let Some(statement) = self.statements.by_number.get_mut(&number) else { return Ok(()) };
        if std::mem::take(&mut statement.has_long_data)
            && let Some(server) = &mut self.server
        {
            server.reset_statement(statement.server).await?;
        }
        Ok(())
    }

    /// `COM_STMT_CLOSE`; has no reply.
    pub(super) async fn close_statement(&mut self) -> Step<()> {
        let (_, number) = self.head(HEADER + 5).await?;
        let explain = self.statements.by_number.get(&number).and_then(|statement| statement.explain);
        self.pass_for(number).await?;
        if let (Some(explain), Some(server)) = (explain, &mut self.server) {
            server.close_statement(explain).await?;
        }
        self.statements.by_number.remove(&number);
        if self.statements.last_prepared == Some(number) {
            self.statements.last_prepared = None;
        }
        Ok(())
    }

    /// `COM_STMT_RESET`.
    pub(super) async fn reset_statement(&mut self) -> Step<()> {
        let (_, number) = self.head(HEADER + 5).await?;
        match self.pass_for(number).await? {
            Some(reply) => self.fail(reply, &unknown(number, "reset")).await,
            None => self.relay(Kind::Short, None).await.map(drop),
        }
    }

    /// `COM_STMT_FETCH`.
    pub(super) async fn fetch(&mut self) -> Step<()> {
        let (_, number) = self.head(HEADER + 9).await?;
        let arrived = Instant::now();
        let database = self.database().await?;
        let known = self.statements.number(number);
        let statement = self.statements.by_number.get(&known);
        if statement.is_some_and(|statement| self.is_outdated(&statement.prepared, &database)) {
            let reply = self.discard().await?;
            let message = "cursor was opened under rules that have changed since; execute the statement again";
            return self.fail(reply, &Err::new(1615, "HY000", message)).await;
        }
        let grounds = statement.map(|s| (s.record, s.fetched, s.prepared.decision.clone()));
        if let Some(reply) = self.pass_for(number).await? {
            return self.fail(reply, &unknown(number, "fetch")).await;
        }
        let Some((record, fetched, decision)) = grounds else { return Ok(()) };
        let Verdict::Permit(permit) = &decision.verdict else { return Ok(()) };
        let facts = Some(&*decision.facts);
        let running = Running { facts, fetched, ..self.running(record, arrived, &database, permit.guarded(), 0) };
        let (rows, bytes) = self.relay(Kind::Rows, Some(&running)).await?.last;
        if let Some(statement) = self.statements.by_number.get_mut(&known) {
            statement.fetched = (fetched.0 + rows, fetched.1 + bytes);
        }
        Ok(())
    }

    /// Whether a cursor that is open would be another one by the rules of now. Only the rules are looked at, for tables do
    /// not change under an open cursor.
    fn is_outdated(&self, opened: &Prepared, database: &Arc<VirtualDatabase>) -> bool {
        if !self.is_restricted() || Arc::ptr_eq(opened.database.policy(), database.policy()) {
            return false;
        }
        let now = database.decide(&opened.settings, &opened.text);
        !matches!(
            (&now.verdict, &opened.decision.verdict),
            (Verdict::Permit(now), Verdict::Permit(old)) if now.sql() == old.sql()
        )
    }

    /// Passes a command on a statement to the server under the server's number. A command on a statement that is not
    /// known is used up; the sequence number of its reply is given.
    async fn pass_for(&mut self, number: u32) -> Step<Option<u8>> {
        let number = self.statements.number(number);
        let Some(server_number) = self.statements.by_number.get(&number).map(|statement| statement.server) else {
            return self.discard().await.map(Some);
        };
        self.write_number(server_number);
        self.pass_through().await?;
        Ok(None)
    }

    /// Waits for the first bytes of a command and gives its header and the statement it names.
    async fn head(&mut self, len: usize) -> Step<(Header, u32)> {
        loop {
            let unread = self.client.unread();
            if let Some(header) = Header::read(unread).filter(|header| unread.len() >= len.min(HEADER + header.len)) {
                let number = unread.get(HEADER..).and_then(execute::statement).filter(|_| header.len > ID_AT + 3);
                return match number {
                    Some(number) => Ok((header, number)),
                    None => self.violation("statement without a number").await,
                };
            }
            self.client.fill().await.map_err(|error| client_ending(&error))?;
        }
    }

    /// Puts the server's number of a statement into the command at the front of the client's buffer.
    fn write_number(&mut self, number: u32) {
        let at = HEADER + ID_AT;
        if let Some(place) = self.client.unread_mut().get_mut(at..at + 4) {
            place.copy_from_slice(&number.to_le_bytes());
        }
    }

    /// Passes bytes that are all there to the server in one write.
    async fn pass_whole(&mut self, len: usize) -> Step<()> {
        let Self { server: Some(server), client, .. } = self else { return Err(crate::audit::Ending::ServerGone) };
        let sent = server.send(client.unread().get(..len).unwrap_or_default()).await;
        client.consume(len);
        sent
    }

    pub(super) fn running<'d>(
        &self,
        record: Option<Sequence>,
        arrived: Instant,
        database: &'d Arc<VirtualDatabase>,
        guarded: bool,
        statement: u32,
    ) -> Running<'d> {
        let restricted = self.is_restricted();
        let lock = restricted.then_some(&**database);
        let guarded = guarded && restricted;
        Running { record, arrived, guarded, lock, database, facts: None, fetched: (0, 0), statement }
    }
}

/// Largest of the commands that are read whole here.
const _: () = assert!(EXECUTE_HEAD < MAX_SHORT);

/// Whether a statement run in bulk would tell how many rows changed, and so which masked values are others than those
/// written: MariaDB counts no matched rows then.
fn counts_changes(decision: &Decision) -> bool {
    let guarded = matches!(&decision.verdict, Verdict::Permit(permit) if permit.guarded());
    guarded && decision.facts.kinds.contains(&"update")
}
