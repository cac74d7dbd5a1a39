//! The extended protocol: statements are decided when they are parsed, and again when they are bound if rules, catalog or
//! settings have changed since.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use super::Session;
use super::client_side::Step;
use super::cursors::deny_portal;
use super::decide::{Asked, Decided, Ruling, denial, refusal};
use crate::pg::fault::Fault;
use crate::pg::names::{self, Statement};
use crate::pg::pending::{Owed, Running};
use crate::pg::wire::frontend::{self, Parse, Target};
use crate::pipeline::{Decision, Denial, Verdict};
use crate::session::{Prepared, admission};

/// The name under which a text that fails is parsed in place of a Bind: never defined, and the unnamed statement stays.
const REFUSED: &[u8] = b"sekisho_refused";

/// Whether a name is one of those that the proxy itself uses at the server.
pub(super) fn is_own(name: &[u8]) -> bool {
    name.starts_with(b"sekisho_")
}

/// The refusal of such a name.
pub(super) fn taken(name: &[u8]) -> Denial {
    let message = format!("the name \"{}\" is the proxy's own", String::from_utf8_lossy(name));
    denial("42939", message, Some("take another name"))
}

impl Session {
    /// Parse.
    pub(super) async fn parse(&self, parse: Parse<'_>, batch: &mut Vec<u8>) -> Result<(), Fault> {
        self.ensure_open().await?;
        let text = match self.text(parse.text) {
            Ok(text) => text,
            Err(denial) => {
                let (text, facts) = (String::from_utf8_lossy(parse.text), Arc::default());
                self.refuse(&Asked::undecided(&text, &facts, Ruling::Denial(&denial)), parse.name, batch);
                return Ok(());
            }
        };
        if is_own(parse.name) {
            let facts = Arc::default();
            self.refuse(&Asked::undecided(&text, &facts, Ruling::Denial(&taken(parse.name))), REFUSED, batch);
            return Ok(());
        }
        let decided = self.decide(&text, parse.types, batch).await?;
        if self.is_skipped() {
            return Ok(());
        }
        if matches!(decided.decision.verdict, Verdict::Denial(_)) {
            self.refuse(&Asked::new(&text, &decided), parse.name, batch);
            return Ok(());
        }
        let statement = Rc::new(Statement::new(&text, decided, Some(parse.types)));
        statement.write_parse(parse, batch);
        let name = names::of_message(parse.name);
        let mut state = self.state.borrow_mut();
        state.pending.push(Owed::Parse { name: name.into(), statement: Rc::clone(&statement), visible: true });
        state.statements.define(name.into(), statement);
        Ok(())
    }

    /// Sends a text that fails in place of what was refused.
    pub(super) fn refuse(&self, asked: &Asked<'_>, name: &[u8], batch: &mut Vec<u8>) {
        let running = self.begin(asked, None);
        Parse { name, text: &refusal(), types: &[0, 0] }.write(batch);
        self.state.borrow_mut().pending.push(Owed::Refused(Box::new(running)));
    }

    /// Bind: the client's message goes on, behind whatever it needs.
    /// `whole` is all of the message's body, unless that is too long to be looked at.
    pub(super) async fn bind(
        &self,
        portal: &[u8],
        statement: &[u8],
        whole: Option<&[u8]>,
        batch: &mut Vec<u8>,
    ) -> Result<Step, Fault> {
        self.ensure_open().await?;
        if let Some(own) = [portal, statement].into_iter().find(|name| is_own(name)) {
            let facts = Arc::default();
            self.refuse(&Asked::undecided("(bind)", &facts, Ruling::Denial(&taken(own))), REFUSED, batch);
            return Ok(Step::Handled);
        }
        let (portal, name) = (names::of_message(portal), names::of_message(statement));
        let known = self.state.borrow().statements.get(name).cloned();
        let statement = match known {
            // The server says that it does not exist.
            None => None,
            Some(statement) if self.is_current(&statement)? => Some(statement),
            Some(statement) => match self.renew(name, &statement, batch).await? {
                Some(renewed) => Some(renewed),
                None => return Ok(Step::Handled),
            },
        };
        if let Some(statement) = &statement
            && self.estimates()
            && !self.estimate_bind(statement, whole, REFUSED, batch).await?
        {
            return Ok(Step::Handled);
        }
        if self.is_skipped() {
            return Ok(Step::Handled);
        }
        let mut state = self.state.borrow_mut();
        state.pending.push(Owed::Bind { portal: portal.into(), statement: statement.clone() });
        state.fetched.forget(portal);
        match statement {
            Some(statement) => state.portals.define(portal.into(), statement),
            None => state.portals.close(portal.into()),
        }
        Ok(Step::Forward)
    }

    /// Decides again about a prepared statement; where it may not run any more, refuses the Bind and gives nothing.
    async fn renew(
        &self,
        name: &[u8],
        statement: &Statement,
        batch: &mut Vec<u8>,
    ) -> Result<Option<Rc<Statement>>, Fault> {
        let old = &statement.prepared;
        let decided = self.decide(&old.text, statement.types.as_deref().unwrap_or_default(), batch).await?;
        if self.is_skipped() {
            return Ok(None);
        }
        let is_same = match (&old.decision.verdict, &decided.decision.verdict) {
            (_, Verdict::Denial(_)) => {
                self.refuse(&Asked::new(&old.text, &decided), REFUSED, batch);
                return Ok(None);
            }
            (Verdict::Permit(old), Verdict::Permit(new)) => old.sql() == new.sql(),
            (Verdict::Denial(_), Verdict::Permit(_)) => false,
        };
        let new = Rc::new(Statement::new(&old.text, decided, statement.types.as_deref()));
        if is_same {
            self.state.borrow_mut().statements.defined(name.into(), Rc::clone(&new));
            return Ok(Some(new));
        }
        let Some(types) = statement.types.as_deref() else {
            let name = String::from_utf8_lossy(name);
            let message = format!("prepared statement \"{name}\" was prepared under rules that have changed since");
            let denial = denial("0A000", message, Some("prepare it again"));
            let ruling = Ruling::Denial(&denial);
            self.refuse(&Asked { ruling, annotation: None, ..Asked::prepared(&new.prepared) }, REFUSED, batch);
            return Ok(None);
        };
        let looks = |prepared: &Prepared| prepared.database.result_columns(&prepared.settings, &prepared.text);
        if looks(old) != looks(&new.prepared) {
            // The client knows the result as it was described before. Drivers prepare again when they read these words.
            let message = "cached plan must not change result type".to_owned();
            let denial = denial("0A000", message, Some("prepare the statement again"));
            let ruling = Ruling::Denial(&denial);
            self.refuse(&Asked { ruling, annotation: None, ..Asked::prepared(&new.prepared) }, REFUSED, batch);
            return Ok(None);
        }
        // Close and Parse of ours, whose replies the client does not see.
        frontend::write_close(batch, Target::Statement, name);
        new.write_parse(Parse { name, text: old.text.as_bytes(), types }, batch);
        let mut state = self.state.borrow_mut();
        state.pending.push(Owed::Close { target: Target::Statement, name: name.into(), visible: false });
        state.pending.push(Owed::Parse { name: name.into(), statement: Rc::clone(&new), visible: false });
        state.statements.define(name.into(), Rc::clone(&new));
        Ok(Some(new))
    }

    fn is_current(&self, statement: &Statement) -> Result<bool, Fault> {
        let mut state = self.state.borrow_mut();
        let database = match state.acting.database(&self.node) {
            Ok(database) => Arc::clone(database),
            Err(revoked) => return Err(Fault::closed("role revoked", "57P01", revoked.to_string())),
        };
        if !state.is_restricted() && !database.is_guarded() {
            return Ok(true);
        }
        Ok(statement.prepared.is_current(&database, state.current_settings()))
    }

    /// Describe.
    pub(super) async fn describe(&self, target: Target, name: &[u8]) -> Result<Step, Fault> {
        self.ensure_open().await?;
        let mut state = self.state.borrow_mut();
        let name = names::of_message(name);
        let statement = match target {
            Target::Statement => state.statements.get(name),
            Target::Portal => state.portals.get(name),
        };
        if let Some(statement) = statement {
            // The reply comes before that of any Execute sent from now on.
            statement.prepared.described.set(true);
        }
        let statement = statement.cloned();
        let lock = state.is_restricted().then(|| match &statement {
            Some(statement) => Arc::clone(&statement.prepared.database),
            None => Arc::clone(state.acting.last_database()),
        });
        state.pending.push(Owed::Describe { statement, lock, visible: true });
        Ok(Step::Forward)
    }

    /// Close.
    pub(super) async fn close(&self, target: Target, name: &[u8]) -> Result<Step, Fault> {
        self.ensure_open().await?;
        let mut state = self.state.borrow_mut();
        let name = names::of_message(name);
        state.pending.push(Owed::Close { target, name: name.into(), visible: true });
        match target {
            Target::Statement => state.statements.close(name.into()),
            Target::Portal => state.portals.close(name.into()),
        }
        Ok(Step::Forward)
    }

    /// Execute: recorded as a statement.
    pub(super) async fn execute(&self, portal: &[u8], batch: &mut Vec<u8>) -> Result<Step, Fault> {
        self.ensure_open().await?;
        let name = names::of_message(portal);
        let statement = self.state.borrow().portals.get(name).cloned();
        let is_outdated = match &statement {
            Some(statement) => !self.is_current(statement)?,
            None => false,
        };
        let running = if let Some(statement) = &statement {
            let prepared = &statement.prepared;
            let kept = Some(Rc::clone(statement));
            let admitted = self.admitted(prepared, batch).await?;
            if self.is_skipped() {
                return Ok(Step::Handled);
            }
            let outdated = if is_outdated {
                let state = self.state.borrow();
                deny_portal(&state, name, statement, state.acting.last_database())
            } else {
                None
            };
            match (&outdated, admitted) {
                (Some(denial), _) => {
                    self.begin(&Asked { ruling: Ruling::Denial(denial), ..Asked::prepared(prepared) }, kept)
                }
                (None, None) => self.begin(&Asked::prepared(prepared), kept),
                (None, Some(decision)) => self.begin(&Asked::prepared_as(prepared, &decision), kept),
            }
        } else {
            // A cursor of SQL's DECLARE; or nothing, which the server will say.
            let text = format!("(portal \"{}\")", String::from_utf8_lossy(name));
            let guarded = self.state.borrow().acting.last_database().is_guarded();
            let denial = guarded.then(|| {
                let message = "cursors of DECLARE cannot be read by an Execute message for this role".to_owned();
                denial("0A000", message, Some("use FETCH"))
            });
            let ruling = denial.as_ref().map_or(Ruling::NoText, Ruling::Denial);
            self.begin(&Asked::undecided(&text, &Arc::default(), ruling), None)
        };
        let running = self.of_portal(running, name);
        let mut state = self.state.borrow_mut();
        if running.denial.is_some() {
            // It could not be recorded, or may not run now.
            Parse { name: REFUSED, text: &refusal(), types: &[0, 0] }.write(batch);
            state.pending.push(Owed::Refused(Box::new(running)));
            return Ok(Step::Handled);
        }
        let is_described = !is_outdated && statement.as_ref().is_some_and(|s| s.prepared.described.get());
        if (running.guarded || is_outdated) && state.is_restricted() && !is_described {
            // Nobody asked for the result's columns; the second lock does.
            // What is left of a portal that was opened under other rules must suit those of now, too.
            let lock = if is_outdated { Some(Arc::clone(state.acting.last_database())) } else { running.lock.clone() };
            frontend::write_describe(batch, Target::Portal, name);
            if let Some(statement) = &statement {
                statement.prepared.described.set(true);
            }
            state.pending.push(Owed::Describe { statement, lock, visible: false });
        }
        state.pending.push(Owed::Execute(Box::new(running)));
        Ok(Step::Forward)
    }
}

impl Session {
    /// Asks about an execution what depends on its moment. Gives the decision where it is not the statement's own.
    async fn admitted(&self, prepared: &Prepared, batch: &mut Vec<u8>) -> Result<Option<Decision>, Fault> {
        let database = Arc::clone(self.state.borrow().acting.last_database());
        if !database.is_admitted_by_moment() {
            return Ok(None);
        }
        let mut decision = prepared.decision.clone();
        self.name_runs(&mut decision);
        admission::admit(&self.node, &database, &mut decision);
        self.take_turn(&database, &mut decision, batch).await?;
        Ok(Some(decision))
    }

    /// Rows of a portal are counted over all its executions.
    fn of_portal(&self, mut running: Running, name: &[u8]) -> Running {
        if running.watch.is_some() {
            running.portal = Some(name.into());
            self.state.borrow().fetched.begin(&mut running);
        }
        running
    }
}

impl Statement {
    fn new(text: &str, decided: Decided, types: Option<&[u8]>) -> Self {
        let Decided { decision, database, settings } = decided;
        let prepared = Prepared { text: text.into(), decision, database, settings, described: Cell::new(false) };
        Self { prepared, types: types.map(Into::into) }
    }

    /// Writes the Parse of what was permitted. `parse` is the client's, whose own bytes go where they are that.
    fn write_parse(&self, parse: Parse<'_>, batch: &mut Vec<u8>) {
        let text = match &self.prepared.decision.verdict {
            Verdict::Permit(permit) if **permit.sql() == *self.prepared.text => parse.text,
            Verdict::Permit(permit) => permit.sql().as_bytes(),
            Verdict::Denial(_) => &refusal(),
        };
        Parse { text, ..parse }.write(batch);
    }
}
