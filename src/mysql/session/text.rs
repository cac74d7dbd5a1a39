//! Statements as text: decided, recorded, sent, relayed.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use super::input::{MAX_TEXT, Whole};
use super::relay::{Outcome, Running};
use super::words::{self, Words};
use super::{Session, Step, unrecorded};
use crate::audit::{Facts, Outcome as Verdict, Sequence, StatementRecord, Unavailable};
use crate::mysql::pending::Kind;
use crate::mysql::reply;
use crate::mysql::wire::attributes::Query;
use crate::mysql::wire::err::Err;
use crate::mysql::wire::{Capabilities, packet};
use crate::pipeline::{Decision, Effect, Permit, Verdict as Decided, VirtualDatabase};
use crate::sql::mysql::Flavour;

impl Session {
    /// `COM_QUERY`.
    pub(super) async fn query(&mut self) -> Step<()> {
        let whole = self.whole(MAX_TEXT).await?;
        let arrived = Instant::now();
        let database = self.database().await?;
        self.totals.statements += 1;
        let attributes = self.client.capabilities.has(Capabilities::QUERY_ATTRIBUTES);
        let Ok(query) = Query::read(whole.payload(self.client.unread()), attributes) else {
            return self.violation("query attributes").await;
        };
        let text = match self.readable(query.text) {
            Ok(text) => text,
            Err(error) => {
                let text = String::from_utf8_lossy(query.text).into_owned();
                return self.refuse(&whole, &text, &Facts::default(), None, &error).await;
            }
        };
        if let Some(words) = words::read(&text, self.settings.sql_mode, self.flavour()) {
            let text = text.into_owned();
            match words {
                Words::Use(schema) if self.is_elsewhere(&schema) => {
                    return self.use_elsewhere(&whole, &text, &schema).await;
                }
                Words::Use(_) => {}
                Words::Kill { query, number } => return self.kill(&whole, Some(&text), query, number).await,
            }
        }
        self.run_text(&whole, arrived, &database).await
    }

    /// Decides about the text of a command and runs it.
    async fn run_text(&mut self, whole: &Whole, arrived: Instant, database: &Arc<VirtualDatabase>) -> Step<()> {
        let attributes = self.client.capabilities.has(Capabilities::QUERY_ATTRIBUTES);
        let payload = whole.payload(self.client.unread());
        let Ok(query) = Query::read(payload, attributes) else { return self.violation("query attributes").await };
        let text = String::from_utf8_lossy(query.text);
        let decision = database.decide(&self.settings, &text);
        let permit = match &decision.verdict {
            Decided::Permit(permit) => permit.clone(),
            Decided::Denial(denial) => {
                let (text, error) = (text.into_owned(), reply::refusal(denial));
                let rule = denial.rule.as_ref().map(|rule| Arc::clone(&rule.name));
                let annotation = decision.annotation.as_deref();
                return self.refuse_as(whole, &text, annotation, &decision.facts, rule.as_deref(), &error).await;
            }
        };
        if let Some(role) = changes_role(&permit) {
            let text = text.into_owned();
            return self.set_role(whole, &text, &decision, &role).await;
        }
        let as_it_came = !self.is_restricted() || **permit.sql() == *text;
        let record = match self.record(&text, &decision, (!as_it_came).then_some(&**permit.sql())) {
            Ok(record) => record,
            Err(error) => {
                self.take(whole);
                return self.fail(whole.reply, &unrecorded(&error)).await;
            }
        };
        let rewritten = (!as_it_came).then(|| [query.head, permit.sql().as_bytes()].concat());
        if self.open_for(whole).await?.is_none() {
            return Ok(());
        }
        match rewritten {
            None => self.pass(whole).await?,
            Some(payload) => {
                self.take(whole);
                self.send_instead(&payload).await?;
            }
        }
        self.node.metrics.statements_permitted.add_one();
        let restricted = self.is_restricted();
        let running = Running {
            record: Some(record),
            arrived,
            guarded: permit.guarded() && restricted,
            lock: restricted.then_some(&**database),
            statement: 0,
        };
        let outcome = self.relay(Kind::Results, Some(&running)).await?;
        self.apply(permit.effects(), &outcome);
        Ok(())
    }

    /// The text of a statement, where it can be read. An unrestricted role's text may be in any character set: what is
    /// not UTF-8 in it is unreadable in the record only.
    pub(super) fn readable<'t>(&self, text: &'t [u8]) -> Result<Cow<'t, str>, Err> {
        match std::str::from_utf8(text) {
            Ok(text) => Ok(Cow::Borrowed(text)),
            Err(_) if !self.is_restricted() => Ok(String::from_utf8_lossy(text)),
            Err(_) => {
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

    /// Sends a payload in the place of the one that came.
    pub(super) async fn send_instead(&mut self, payload: &[u8]) -> Step<()> {
        let mut out = Vec::with_capacity(payload.len() + 4);
        packet::append(&mut out, 0, payload);
        let Some(server) = &mut self.server else { return Err(crate::audit::Ending::ServerGone) };
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
            outcome: Verdict::Permitted,
        });
        if record.is_err() {
            self.node.metrics.statements_unrecorded.add_one();
        }
        record
    }

    /// Answers a command with a refusal, and records it.
    pub(super) async fn refuse(
        &mut self,
        whole: &Whole,
        text: &str,
        facts: &Facts,
        rule: Option<&str>,
        error: &Err,
    ) -> Step<()> {
        self.refuse_as(whole, text, None, facts, rule, error).await
    }

    /// The same for a text with a leading comment.
    pub(super) async fn refuse_as(
        &mut self,
        whole: &Whole,
        text: &str,
        annotation: Option<&str>,
        facts: &Facts,
        rule: Option<&str>,
        error: &Err,
    ) -> Step<()> {
        let recorded = self.note_refusal(text, annotation, facts, rule, error);
        self.take(whole);
        match recorded {
            Ok(()) => self.fail(whole.reply, error).await,
            Err(unavailable) => self.fail(whole.reply, &unrecorded(&unavailable)).await,
        }
    }

    /// Records a refusal.
    pub(super) fn note_refusal(
        &self,
        text: &str,
        annotation: Option<&str>,
        facts: &Facts,
        rule: Option<&str>,
        error: &Err,
    ) -> Result<(), Unavailable> {
        self.node.metrics.statements_refused.add_one();
        let outcome = Verdict::Refused { sqlstate: error.sqlstate(), message: &error.message, rule };
        let record = StatementRecord { subject: &self.subject, text, annotation, sent: None, facts, outcome };
        self.node.audit.statement(&record).map(drop)
    }

    /// What statements that succeeded change in the session.
    pub(super) fn apply(&mut self, effects: &[Effect], outcome: &Outcome) {
        let done = if outcome.error.is_none() { effects.len() } else { outcome.results };
        for effect in effects.iter().take(done) {
            match effect {
                Effect::Use(schema) => self.set_schema(Some(schema)),
                Effect::SetSqlMode(mode) => self.settings.sql_mode = *mode,
                Effect::Ddl => self.catalog = Some(self.acting.source().refresh.ask()),
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
                | Effect::Deallocate(_) => {}
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
