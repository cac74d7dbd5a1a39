//! Asking the pipeline about a text, and recording the answer.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use tokio::time::{Duration, timeout};

use super::Session;
use super::cursors::deny_fetch;
use super::extended::{is_own, taken};
use super::state::State;
use crate::audit::{Facts, Ground, Outcome, Ran, Sequence, StatementRecord};
use crate::pg::fault::Fault;
use crate::pg::names::{self, Statement};
use crate::pg::pending::{Rewritten, Running};
use crate::pipeline::{Decision, Denial, Effect, Permit, Settings, Verdict, VirtualDatabase};
use crate::policy::RuleInfo;
use crate::session::{Acting, Prepared, Watch, admission};

/// The longest wait for a newer catalog; after it the decision is made with the old one.
const CATALOG_TIMEOUT: Duration = Duration::from_secs(10);

/// A decision, and what it was made with.
pub(super) struct Decided {
    pub decision: Decision,
    pub database: Arc<VirtualDatabase>,
    pub settings: Settings,
}

/// A statement about to be recorded and sent.
pub(super) struct Asked<'a> {
    pub text: &'a str,
    pub annotation: Option<&'a str>,
    pub facts: &'a Arc<Facts>,
    pub ruling: Ruling<'a>,
    /// By what and with which settings it was decided, where it was.
    pub grounds: Option<(&'a Arc<VirtualDatabase>, &'a Settings)>,
    /// Rules that met it and only report.
    pub reported: &'a [Arc<RuleInfo>],
}

/// How it was decided.
pub(super) enum Ruling<'a> {
    Permit(&'a Permit),
    /// It runs though it would have been refused: the role is in observe mode.
    Observed(&'a Permit, &'a Denial),
    Denial(&'a Denial),
    /// It has no text to decide about: a portal of SQL's DECLARE, whose query was decided then; a function call of a
    /// role without rules.
    NoText,
}

impl<'a> Asked<'a> {
    /// A text as it was decided.
    pub fn new(text: &'a str, decided: &'a Decided) -> Self {
        Self::decided(text, &decided.decision, &decided.database, &decided.settings)
    }

    /// A prepared text.
    pub fn prepared(prepared: &'a Prepared) -> Self {
        Self::prepared_as(prepared, &prepared.decision)
    }

    /// A prepared text as it was decided about this execution of it.
    pub fn prepared_as(prepared: &'a Prepared, decision: &'a Decision) -> Self {
        Self::decided(&prepared.text, decision, &prepared.database, &prepared.settings)
    }

    fn decided(
        text: &'a str,
        decision: &'a Decision,
        database: &'a Arc<VirtualDatabase>,
        settings: &'a Settings,
    ) -> Self {
        let ruling = match (&decision.verdict, &decision.observed) {
            (Verdict::Permit(permit), None) => Ruling::Permit(permit),
            (Verdict::Permit(permit), Some(denial)) => Ruling::Observed(permit, denial),
            (Verdict::Denial(denial), _) => Ruling::Denial(denial),
        };
        let grounds = Some((database, settings));
        let Decision { annotation, facts, reported, .. } = decision;
        Self { text, annotation: annotation.as_deref(), facts, ruling, grounds, reported }
    }

    /// A text that was not asked about.
    pub fn undecided(text: &'a str, facts: &'a Arc<Facts>, ruling: Ruling<'a>) -> Self {
        Self { text, annotation: None, facts, ruling, grounds: None, reported: &[] }
    }

    fn outcome(&self) -> Outcome<'a> {
        match self.ruling {
            Ruling::Permit(_) | Ruling::NoText => Outcome::Permitted,
            Ruling::Observed(_, denial) => denial.observed(),
            Ruling::Denial(denial) => denial.refused(),
        }
    }

    /// What the server gets, where it is not the client's own text.
    fn sent(&self) -> Option<&'a str> {
        match self.ruling {
            Ruling::Permit(permit) | Ruling::Observed(permit, _) => {
                Some(&**permit.sql()).filter(|sql| *sql != self.text)
            }
            Ruling::Denial(_) | Ruling::NoText => None,
        }
    }
}

impl Session {
    /// Decides about a text.
    /// `types` are those that the client declares for parameters, as its message has them.
    pub(super) async fn decide(&self, text: &str, types: &[u8], batch: &mut Vec<u8>) -> Result<Decided, Fault> {
        let ticket = self.state.borrow_mut().catalog.take();
        if let Some(ticket) = ticket
            && self.is_restricted()
        {
            let _ = timeout(CATALOG_TIMEOUT, self.source.refresh.served(ticket)).await;
        }
        let decided = self.decide_now(text, types)?;
        match &decided.decision.verdict {
            // Whether a transaction is open is known once everything is answered.
            Verdict::Permit(permit) if changes_role(permit) && !self.state.borrow().pending.is_empty() => {
                self.answered(batch, |state| state.pending.is_empty()).await?;
                self.decide_now(text, types)
            }
            // Objects that the open transaction has locked could make the reading wait for this very session.
            Verdict::Denial(denial) if is_unknown_name(denial) && !self.state.borrow().has_ddl => {
                // The object may have been made since the catalog was read.
                let Some(ticket) = self.source.refresh.ask_rarely(Instant::now()) else { return Ok(decided) };
                let _ = timeout(CATALOG_TIMEOUT, self.source.refresh.served(ticket)).await;
                self.decide_now(text, types)
            }
            Verdict::Permit(_) | Verdict::Denial(_) => Ok(decided),
        }
    }

    fn decide_now(&self, text: &str, types: &[u8]) -> Result<Decided, Fault> {
        let mut state = self.state.borrow_mut();
        let database = match state.acting.database(&self.node) {
            Ok(database) => Arc::clone(database),
            Err(revoked) => return Err(Fault::closed("role revoked", "57P01", revoked.to_string())),
        };
        let settings = state.current_settings().clone();
        let mut decision = if are_odd(types) {
            database.decide(&Settings { odd_parameters: true, ..settings.clone() }, text)
        } else {
            database.decide(&settings, text)
        };
        if let Verdict::Permit(permit) = &decision.verdict
            && let Some(denial) = self.deny_effects(&state, permit, &database)
        {
            decision.verdict = Verdict::Denial(denial);
        }
        Ok(Decided { decision, database, settings })
    }

    /// What only the session knows of a statement's effects: whether a transaction is open, which statements are
    /// prepared.
    fn deny_effects(&self, state: &State, permit: &Permit, database: &Arc<VirtualDatabase>) -> Option<Denial> {
        let (mut made, mut declared) = (Vec::new(), Vec::new());
        permit.effects().iter().find_map(|effect| match effect {
            Effect::SetRole(role) => self.deny_role(state, role),
            Effect::Prepare(name) | Effect::Declare(name) if is_own(name.as_bytes()) => Some(taken(name.as_bytes())),
            Effect::Prepare(name) => {
                made.push(names::of_sql(name));
                None
            }
            Effect::Declare(name) => {
                declared.push(name);
                None
            }
            Effect::Fetch(name) if declared.contains(&name) => None,
            Effect::Fetch(name) => deny_fetch(state, name, database),
            Effect::Execute(name) if made.contains(&names::of_sql(name)) => None,
            Effect::Execute(name) => deny_execute(state, name, database),
            Effect::None
            | Effect::SetSearchPath { .. }
            | Effect::ResetAll { .. }
            | Effect::Savepoint(_)
            | Effect::RollbackTo(_)
            | Effect::Release(_)
            | Effect::Use(_)
            | Effect::SetSqlMode(_)
            | Effect::Deallocate(_)
            | Effect::MakeTemporary { .. }
            | Effect::DropTemporary(_)
            | Effect::ChangeObjects(_)
            | Effect::Ddl => None,
        })
    }

    fn deny_role(&self, state: &State, role: &str) -> Option<Denial> {
        if *state.acting.role().name == *role {
            return None;
        }
        if state.pending.status() != b'I' {
            let message = "SET ROLE cannot run inside a transaction block".to_owned();
            return Some(denial("25001", message, Some("end the transaction first")));
        }
        let acting = Acting::new(&self.node, Arc::clone(&self.source), &self.user.name, role);
        let Ok(acting) = acting else {
            return Some(denial("42501", format!("permission denied to set role \"{role}\""), None));
        };
        if let Some(denial) = admission::forbid_peer(&self.node, acting.last_database(), &self.subject.borrow()) {
            return Some(denial);
        }
        match self.parameters.for_server(&self.source, acting.last_database()) {
            Ok(_) => None,
            Err(error) => Some(denial("42501", error.to_string(), Some("connect again without it"))),
        }
    }

    /// Adds to what is known about a text what it runs by name, as the names are now.
    pub(super) fn name_runs(&self, decision: &mut Decision) {
        if let Verdict::Permit(permit) = &decision.verdict
            && let Some(facts) = runs(&self.state.borrow(), permit, &decision.facts)
        {
            decision.facts = facts;
        }
    }

    /// Records a statement and gives what is known of it while it runs. One that cannot be recorded is refused.
    pub(super) fn begin(&self, asked: &Asked<'_>, statement: Option<Rc<Statement>>) -> Running {
        let started = Instant::now();
        let subject = self.subject.borrow();
        let facts = match &asked.ruling {
            Ruling::Permit(permit) | Ruling::Observed(permit, _) => runs(&self.state.borrow(), permit, asked.facts),
            Ruling::Denial(_) | Ruling::NoText => None,
        };
        let facts = facts.as_ref().unwrap_or(asked.facts);
        let record = self.node.audit.statement(&StatementRecord {
            subject: &subject,
            text: asked.text,
            annotation: asked.annotation,
            sent: asked.sent(),
            facts,
            outcome: asked.outcome(),
            reported: asked.reported,
        });
        let mut state = self.state.borrow_mut();
        state.active = started;
        state.totals.statements += 1;
        let mut running = Running::new(record.as_ref().copied().unwrap_or_default(), started);
        running.statement = statement;
        if state.is_restricted() {
            let database = asked.grounds.map_or_else(|| state.acting.last_database(), |(database, _)| database);
            running.lock = Some(Arc::clone(database));
        }
        running.facts = Some(Arc::clone(facts));
        let metrics = &self.node.metrics;
        match (&asked.ruling, record) {
            (_, Err(unavailable)) => {
                metrics.statements_unrecorded.add_one();
                let message = format!("statement refused because {unavailable}");
                running.denial = Some(Box::new(denial("58030", message, None)));
            }
            (Ruling::Denial(denial), Ok(Sequence { .. })) => {
                metrics.statements_refused.add_one();
                metrics.met(denial.ground);
                running.denial = Some(Box::new(Denial::clone(denial)));
            }
            (Ruling::Permit(permit) | Ruling::Observed(permit, _), Ok(_)) => {
                metrics.statements_permitted.add_one();
                if let Ruling::Observed(_, denial) = &asked.ruling {
                    metrics.met(denial.ground);
                }
                running.guarded = permit.guarded() || executes_guarded(&state, permit);
                if let Some((_, settings)) = asked.grounds
                    && running.statement.is_none()
                    && **permit.sql() != *asked.text
                {
                    let (text, settings) = (Box::from(asked.text), settings.clone());
                    running.rewritten = Some(Rewritten { text, settings, sent: Arc::clone(permit.sql()) });
                }
                running.effects = Arc::clone(permit.effects());
                state.is_guarded |= running.guarded;
            }
            (Ruling::NoText, Ok(_)) => {
                metrics.statements_permitted.add_one();
                running.guarded = state.is_restricted();
            }
        }
        if !asked.reported.is_empty() {
            metrics.statements_blocked.add_one();
        }
        if running.denial.is_none() {
            self.watch(&mut state, &mut running);
        }
        running
    }

    /// Watches a statement that is about to run, where a limit could stop it.
    fn watch(&self, state: &mut State, running: &mut Running) {
        running.watch = Watch::new(state.acting.last_database(), running.started).map(Box::new);
        if running.watch.is_some() {
            state.fetched.begin(running);
            self.is_watching.set(true);
            self.overtime.notify_one();
        }
    }

    /// Waits for the turn of a statement where its role has a limit on statements at one time.
    pub(super) async fn take_turn(
        &self,
        database: &VirtualDatabase,
        decision: &mut Decision,
        batch: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        if !admission::takes_turns(database) || self.state.borrow().turn.is_some() {
            return Ok(());
        }
        // What came before does not wait with it.
        self.send(batch).await?;
        let turn = admission::take_turn(&self.node, database, decision).await;
        self.state.borrow_mut().turn = turn;
        Ok(())
    }

    /// A statement's text: UTF-8 for a restricted role, whatever it is for others.
    pub(super) fn text<'a>(&self, bytes: &'a [u8]) -> Result<Cow<'a, str>, Denial> {
        let text = String::from_utf8_lossy(bytes);
        if matches!(text, Cow::Owned(_)) && self.is_restricted() {
            return Err(denial("22021", "invalid byte sequence for encoding \"UTF8\"".to_owned(), None));
        }
        Ok(text)
    }
}

/// What goes to the server for a statement that was begun: the permit's text, the client's own bytes where they are what
/// was permitted, or a text that fails.
pub(super) fn for_server<'a>(running: &Running, decision: &'a Decision, text: &str, bytes: &'a [u8]) -> Cow<'a, [u8]> {
    match &decision.verdict {
        _ if running.denial.is_some() => Cow::Owned(refusal()),
        Verdict::Denial(_) => Cow::Owned(refusal()),
        // A role without rules may send text in other encodings, of which `text` is a reading.
        Verdict::Permit(permit) if **permit.sql() == *text => Cow::Borrowed(bytes),
        Verdict::Permit(permit) => Cow::Borrowed(permit.sql().as_bytes()),
    }
}

/// The text that fails.
pub(super) fn refusal() -> Vec<u8> {
    Permit::refusal().sql().as_bytes().to_vec()
}

/// A refusal of the session's own.
pub(super) fn denial(sqlstate: &'static str, message: String, hint: Option<&str>) -> Denial {
    Denial {
        sqlstate,
        message,
        detail: None,
        hint: hint.map(str::to_owned),
        position: None,
        rule: None,
        ground: Ground::Rules,
    }
}

/// SQL's EXECUTE runs what was decided at PREPARE, so that decision must hold.
fn deny_execute(state: &State, name: &str, database: &Arc<VirtualDatabase>) -> Option<Denial> {
    if !state.is_restricted() {
        return None;
    }
    match state.statements.get(&names::of_sql(name)) {
        Some(known) if known.prepared.is_current(database, state.current_settings()) => None,
        Some(_) => {
            let what = "was prepared under rules, a catalog or settings that have changed since";
            Some(denial("0A000", format!("prepared statement \"{name}\" {what}"), Some("prepare it again")))
        }
        None => Some(denial("26000", format!("prepared statement \"{name}\" does not exist"), None)),
    }
}

/// The facts of a text together with those of what it runs that was prepared or bound before; nothing where they are the
/// text's own, or have been put together already.
fn runs(state: &State, permit: &Permit, facts: &Facts) -> Option<Arc<Facts>> {
    let mut runs: Vec<&Rc<Statement>> = Vec::new();
    for effect in permit.effects().iter() {
        let ran = match effect {
            Effect::Execute(name) => state.statements.get(&names::of_sql(name)),
            // Of a cursor that SQL's DECLARE made, that text was recorded.
            Effect::Fetch(name) => state.portals.get(&names::of_sql(name)),
            _ => None,
        };
        runs.extend(ran.filter(|ran| !runs.iter().any(|known| Rc::ptr_eq(known, ran))));
    }
    if runs.is_empty() || !facts.runs.is_empty() {
        return None;
    }
    let ran = |statement: &&Rc<Statement>| {
        let prepared = &statement.prepared;
        Ran { text: prepared.text.clone(), facts: Arc::clone(&prepared.decision.facts) }
    };
    Some(Arc::new(facts.running(runs.iter().map(ran).collect())))
}

fn executes_guarded(state: &State, permit: &Permit) -> bool {
    permit.effects().iter().any(|effect| match effect {
        Effect::Execute(name) => state.statements.get(&names::of_sql(name)).is_none_or(|s| s.is_guarded()),
        _ => false,
    })
}

/// Types of parameters that make the server convert nothing but the parameter: none, truth values, bytes, integers,
/// text, dates and times, `numeric`, `uuid` (`pg_type.oid`).
const PLAIN_TYPES: &[u32] =
    &[0, 16, 17, 20, 21, 23, 25, 705, 1042, 1043, 1082, 1083, 1114, 1184, 1186, 1266, 1700, 2950];

/// Whether some declared type is another: `numeric` is converted to `double precision`, `bigint` to `oid`.
pub(super) fn are_odd(types: &[u8]) -> bool {
    let numbers = types.get(2..).unwrap_or_default();
    numbers.chunks_exact(4).any(|number| {
        let number = number.try_into().map_or(u32::MAX, u32::from_be_bytes);
        !PLAIN_TYPES.contains(&number)
    })
}

fn changes_role(permit: &Permit) -> bool {
    permit.effects().iter().any(|effect| matches!(effect, Effect::SetRole(_)))
}

/// Whether a refusal may come of a catalog that is out of date: an unknown table, column, function, schema, type.
fn is_unknown_name(denial: &Denial) -> bool {
    matches!(denial.sqlstate, "42P01" | "42703" | "42883" | "3F000" | "42704")
}
