//! Statements as text: decided, recorded, sent, relayed.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use super::binary_text;
use super::input::{MAX_TEXT, Whole};
use super::relay::{Outcome, Running};
use super::words::{self, Words};
use super::{Session, Step, server, unrecorded};
use crate::audit::{Ending, Facts, Ground, Outcome as Verdict, Sequence, StatementRecord, Unavailable};
use crate::mysql::pending::Kind;
use crate::mysql::reply;
use crate::mysql::wire::attributes::{Head, Query};
use crate::mysql::wire::err::Err;
use crate::mysql::wire::{Capabilities, packet};
use crate::pipeline::{Decision, Effect, Permit, Verdict as Decided, VirtualDatabase};
use crate::session::admission;
use crate::sql::mysql::Flavour;

impl Session {
    /// `COM_QUERY`.
    pub(super) async fn query(&mut self) -> Step<()> {
        let whole = self.whole(MAX_TEXT).await?;
        let arrived = Instant::now();
        self.totals.statements += 1;
        let attributes = self.client.capabilities.has(Capabilities::QUERY_ATTRIBUTES);
        let Ok(query) = Query::read(whole.payload(self.client.unread()), attributes) else {
            return self.violation("query attributes").await;
        };
        let head = query.head;
        let text = match self.readable(query.text) {
            Ok(text) => text.into_owned(),
            Err(error) => {
                let text = String::from_utf8_lossy(query.text).into_owned();
                return self.refuse(&whole, &text, None, &error).await;
            }
        };
        let words =
            if words::may_be(&text) { words::read(&text, self.settings.sql_mode, self.flavour()) } else { None };
        match words {
            Some(Words::Use(schema)) if self.is_elsewhere(&schema) => self.use_elsewhere(&whole, &text, &schema).await,
            Some(Words::Kill { query, number }) => self.kill(&whole, Some(&text), query, number).await,
            Some(Words::Use(_)) | None => self.run_text(&whole, &head, &text, arrived).await,
        }
    }

    /// Decides about the text of a command and runs it.
    async fn run_text(&mut self, whole: &Whole, head: &Head, text: &str, arrived: Instant) -> Step<()> {
        if !self.knows_reading(whole).await? {
            return Ok(());
        }
        let (database, mut decision) = self.decide(text).await?;
        admission::admit(&self.node, &database, &mut decision);
        self.turn = admission::take_turn(&self.node, &database, &mut decision).await;
        if let Some(statements) = admission::estimable(&database, &self.settings, &mut decision) {
            if !self.open_for(whole).await? {
                return Ok(());
            }
            self.weigh(&database, &mut decision, &statements).await?;
        }
        let permit = match &decision.verdict {
            Decided::Permit(permit) => permit,
            Decided::Denial(denial) => {
                let error = reply::refusal(denial);
                return self.refuse(whole, text, Some(&decision), &error).await;
            }
        };
        if let Some(role) = changes_role(permit) {
            return self.set_role(whole, text, &decision, &role).await;
        }
        let restricted = self.is_restricted();
        let sent = whole.payload(self.client.unread()).get(head.len..);
        let rewritten = restricted && sent != Some(permit.sql().as_bytes());
        let record = match self.record(text, &decision, rewritten.then_some(&**permit.sql())) {
            Ok(record) => record,
            Err(error) => {
                self.take(whole);
                return self.fail(whole.reply, &unrecorded(&error)).await;
            }
        };
        if !self.open_for(whole).await? {
            return Ok(());
        }
        let Some(server) = &mut self.server else { return Err(Ending::ServerGone) };
        let payload = whole.payload(self.client.unread());
        let (client_head, client_text) = payload.split_at_checked(head.len).unwrap_or_default();
        let head = head.bytes(server.capabilities.has(Capabilities::QUERY_ATTRIBUTES));
        if rewritten || head != client_head {
            let text = if rewritten { permit.sql().as_bytes() } else { client_text };
            if packet::count(head.len() + text.len()) != packet::count(payload.len()) {
                return self.too_long(whole).await;
            }
            let out = packet::of_parts(head, text);
            server.send(&out).await?;
            self.take(whole);
        } else {
            self.pass(whole).await?;
        }
        self.node.metrics.statements_permitted.add_one();
        let facts = Some(&*decision.facts);
        let running = Running { facts, ..self.running(Some(record), arrived, &database, permit.guarded(), 0) };
        let outcome = self.relay(Kind::Results, Some(&running)).await?;
        self.apply(permit.effects(), &outcome);
        self.read_mode_again(permit.effects()).await
    }

    /// Decides about a text by what the role sees now. Where a name is not known, the object may have been made since
    /// the catalog was read.
    pub(super) async fn decide(&mut self, text: &str) -> Step<(Arc<VirtualDatabase>, Decision)> {
        let database = self.database().await?;
        let decision = database.decide(&self.settings, text);
        if let Decided::Denial(denial) = &decision.verdict
            && matches!(denial.sqlstate, "42P01" | "42703" | "42883" | "3F000")
            && let Some(ticket) = self.acting.source().refresh.ask_rarely(Instant::now())
        {
            self.catalog = Some(ticket);
            let database = self.database().await?;
            let decision = database.decide(&self.settings, text);
            return Ok((database, decision));
        }
        Ok((database, decision))
    }

    /// The text of a statement, where it can be read. An unrestricted role's text may be in any character set: what is
    /// not UTF-8 in it is unreadable in the record only.
    pub(super) fn readable<'t>(&self, text: &'t [u8]) -> Result<Cow<'t, str>, Err> {
        match std::str::from_utf8(text) {
            Ok(text) => Ok(Cow::Borrowed(text)),
            Err(_) if !self.is_restricted() => Ok(String::from_utf8_lossy(text)),
            Err(_) => {
                if let Some(text) = binary_text::readable(text, self.settings.sql_mode, self.flavour()) {
                    return Ok(Cow::Owned(text));
                }
                let message = "statement is not in UTF-8; connect with character set utf8mb4";
                Err(Err::new(1300, "HY000", message))
            }
        }
    }

    /// Which family of servers reads the texts.
    pub(super) fn flavour(&self) -> Flavour {
        let mariadb = self.acting.source().mysql().is_some_and(|server| server.version.contains("MariaDB"));
        if mariadb { Flavour::MariaDb } else { Flavour::MySql }
    }

    /// The reply to a text counts on from its last packet: what stands for it must come in as many packets.
    pub(super) async fn too_long(&mut self, whole: &Whole) -> Step<()> {
        self.take(whole);
        let message = "statement is too long as it would be sent to the server; send the data as parameters";
        self.fail(whole.reply, &Err::new(1153, "08S01", message)).await
    }

    /// Sends a payload in the place of the one that came.
    pub(super) async fn send_instead(&mut self, payload: &[u8]) -> Step<()> {
        let mut out = Vec::with_capacity(payload.len() + 4);
        packet::append(&mut out, 0, payload);
        let Some(server) = &mut self.server else { return Err(Ending::ServerGone) };
        server.send(&out).await
    }

    /// Records a statement that is about to run.
    pub(super) fn record(&self, text: &str, decision: &Decision, sent: Option<&str>) -> Result<Sequence, Unavailable> {
        let record = self.node.audit.statement(&StatementRecord {
            subject: &self.subject,
            text,
            annotation: decision.annotation.as_deref(),
            sent,
            facts: &decision.facts,
            outcome: decision.outcome(),
            reported: &decision.reported,
        });
        if let Some(denial) = &decision.observed {
            self.node.metrics.met(denial.ground);
        }
        if !decision.reported.is_empty() {
            self.node.metrics.statements_blocked.add_one();
        }
        match &record {
            Ok(record) => self.unfinished.set(Some((*record, Instant::now()))),
            Err(_) => self.node.metrics.statements_unrecorded.add_one(),
        }
        record
    }

    /// Answers a command with a refusal, and records it with what was found out about the text.
    pub(super) async fn refuse(
        &mut self,
        whole: &Whole,
        text: &str,
        decision: Option<&Decision>,
        error: &Err,
    ) -> Step<()> {
        let recorded = self.note_refusal(text, decision, error);
        self.take(whole);
        match recorded {
            Ok(()) => self.fail(whole.reply, error).await,
            Err(unavailable) => self.fail(whole.reply, &unrecorded(&unavailable)).await,
        }
    }

    /// Records a refusal.
    pub(super) fn note_refusal(&self, text: &str, decision: Option<&Decision>, error: &Err) -> Result<(), Unavailable> {
        self.node.metrics.statements_refused.add_one();
        let denial = decision.and_then(|decision| match &decision.verdict {
            Decided::Denial(denial) => Some(denial),
            Decided::Permit(_) => None,
        });
        let rule = denial.and_then(|denial| denial.rule.as_ref()).map(|rule| &*rule.name);
        let ground = denial.map_or(Ground::Rules, |denial| denial.ground);
        self.node.metrics.met(ground);
        let record = self.node.audit.statement(&StatementRecord {
            subject: &self.subject,
            text,
            annotation: decision.and_then(|decision| decision.annotation.as_deref()),
            sent: None,
            facts: decision.map_or(&Facts::default(), |decision| &decision.facts),
            outcome: Verdict::Refused { sqlstate: error.sqlstate(), message: &error.message, rule, ground },
            reported: decision.map_or(&[], |decision| &decision.reported),
        });
        record.map(drop)
    }

    /// Asks the server how it reads text after a SET of `sql_mode`: it applies assignments one by one, and keeps those
    /// before one that fails.
    pub(super) async fn read_mode_again(&mut self, effects: &[Effect]) -> Step<()> {
        if !self.is_restricted() || !effects.iter().any(|effect| matches!(effect, Effect::SetSqlMode(_))) {
            return Ok(());
        }
        match self.at_server(server::reading).await? {
            Ok(mode) => self.settings.sql_mode = mode,
            Err(_) => return Err(Ending::Closed("the server does not tell how it reads statements")),
        }
        Ok(())
    }

    /// What statements that succeeded change in the session.
    pub(super) fn apply(&mut self, effects: &[Effect], outcome: &Outcome) {
        let done = if outcome.error.is_none() { effects.len() } else { outcome.results };
        for effect in effects.iter().take(done) {
            match effect {
                Effect::Use(schema) => self.set_schema(Some(schema)),
                Effect::SetSqlMode(mode) => self.settings.sql_mode = *mode,
                Effect::MakeTemporary { .. } | Effect::DropTemporary(_) => {
                    let snapshot = self.acting.source().catalog.current();
                    self.settings.apply(effect, &snapshot);
                }
                Effect::Ddl | Effect::ChangeObjects(_) => self.catalog = Some(self.acting.source().refresh.ask()),
                Effect::None
                // The first is handled before anything is sent; the others are PostgreSQL's.
                | Effect::SetRole(_)
                | Effect::SetSearchPath { .. }
                | Effect::ResetAll { .. }
                | Effect::Savepoint(_)
                | Effect::RollbackTo(_)
                | Effect::Release(_)
                | Effect::Prepare(_)
                | Effect::Execute(_)
                | Effect::Deallocate(_)
                | Effect::Declare(_)
                | Effect::Fetch(_) => {}
            }
        }
    }
}

/// The role that a text changes to.
pub(super) fn changes_role(permit: &Permit) -> Option<Arc<str>> {
    permit.effects().iter().find_map(|effect| match effect {
        Effect::SetRole(role) => Some(Arc::clone(role)),
        _ => None,
    })
}
