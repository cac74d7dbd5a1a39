//! `max_cost`: the planner is asked about a statement, as it would run, on the session's own connection, before it runs.
//!
//! ```text
//! Query   Query "EXPLAIN …", inside a transaction between SAVEPOINT and RELEASE; where that fails, back to the savepoint,
//!         and the statement itself says what is wrong with it
//! Bind    Parse, Bind, Execute of "EXPLAIN …" with the client's parameters; where that fails, its error is the
//!         statement's, as the server skips to the next Sync
//! ```

use std::time::Duration;

use tokio::time::timeout;

use super::Session;
use super::decide::{Asked, Decided};
use super::state::State;
use crate::pg::fault::Fault;
use crate::pg::names::Statement;
use crate::pg::pending::Owed;
use crate::pg::wire::frontend::{self, Parse, Target};
use crate::pg::wire::{Header, backend};
use crate::pipeline::{Decision, Verdict};
use crate::session::{Prepared, admission};

/// The longest that the planner may take.
const PLANNING: Duration = Duration::from_secs(30);

/// The name of the savepoint, and of statement and portal of the extended protocol.
const OWN: &str = "sekisho_cost";

/// What the planner said of the statements asked about.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Estimate {
    /// The highest cost.
    pub cost: f64,
    /// SQLSTATE, where the server could not plan it.
    pub failed: Option<[u8; 5]>,
    // The first line of a plan has been seen.
    in_plan: bool,
}

impl Session {
    /// Asks about a text of the simple protocol, and refuses it where it costs too much.
    pub(super) async fn estimate_query(&self, decided: &mut Decided, batch: &mut Vec<u8>) -> Result<(), Fault> {
        let Decided { decision, database, settings } = decided;
        let Some(statements) = admission::estimable(database, settings, decision) else { return Ok(()) };
        // Whether a transaction is open, and whether it has failed, is known once everything is answered.
        self.answered(batch, |state| state.pending.is_empty()).await?;
        let status = self.state.borrow().pending.status();
        if statements.is_empty() {
            return Ok(());
        }
        if status == b'E' {
            // Nothing runs in a failed transaction, unless the text ends it first.
            if decision.facts.kinds.contains(&"transaction") {
                admission::refuse_unanswered(database, decision);
            }
            return Ok(());
        }
        let explains: Vec<String> = statements.iter().map(|statement| format!("EXPLAIN {statement}")).collect();
        let explains = explains.join(";\n");
        let question = match status {
            b'T' => format!("SAVEPOINT {OWN};\n{explains};\nRELEASE SAVEPOINT {OWN}"),
            _ => explains,
        };
        let estimate = self.ask_planner(&question, batch).await?;
        if estimate.failed.is_some() && self.state.borrow().pending.status() == b'E' {
            let back = format!("ROLLBACK TO SAVEPOINT {OWN}; RELEASE SAVEPOINT {OWN}");
            self.ask_planner(&back, batch).await?;
        }
        match estimate.failed {
            None => admission::weigh(database, decision, estimate.cost),
            // The statement itself fails in the same way.
            Some([b'2' | b'4', b'2', ..]) => {}
            Some(_) => admission::refuse_unanswered(database, decision),
        }
        Ok(())
    }

    async fn ask_planner(&self, question: &str, batch: &mut Vec<u8>) -> Result<Estimate, Fault> {
        frontend::write_query(batch, question.as_bytes());
        self.state.borrow_mut().pending.push(Owed::Estimate { whole: true });
        self.estimate(batch).await
    }

    async fn estimate(&self, batch: &mut Vec<u8>) -> Result<Estimate, Fault> {
        self.state.borrow_mut().estimate = Some(Estimate::default());
        let patience = self.state.borrow().acting.last_database().limits().map_or(PLANNING, |limits| {
            limits.statement_timeout.as_ref().map_or(PLANNING, |bound| bound.value.min(PLANNING))
        });
        let has_come = |state: &State| !state.pending.is_estimating();
        self.answered(batch, |_| true).await?;
        if timeout(patience, self.wait_until(has_come)).await.is_err() {
            // It waits for a lock, as the statement would. What the server says then is that it was cancelled.
            self.cancel_running();
            self.wait_until(has_come).await;
        }
        Ok(self.state.borrow_mut().estimate.take().unwrap_or_default())
    }

    /// Asks about a statement that is about to be bound with the parameters of the client's Bind, whose body this is unless
    /// it is too long. Gives whether the Bind may go on; otherwise it has been answered.
    pub(super) async fn estimate_bind(
        &self,
        statement: &Statement,
        body: Option<&[u8]>,
        refused: &[u8],
        batch: &mut Vec<u8>,
    ) -> Result<bool, Fault> {
        let prepared = &statement.prepared;
        let database = std::sync::Arc::clone(self.state.borrow().acting.last_database());
        let mut decision = prepared.decision.clone();
        let statements = admission::estimable(&database, &prepared.settings, &mut decision);
        if !self.goes_on(prepared, &decision, refused, batch) {
            return Ok(false);
        }
        let Some([only]) = statements.as_deref() else { return Ok(true) };
        let Some(body) = body else {
            if let Some(limits) = database.limits() {
                admission::refuse_unweighed(limits, &mut decision, "with values this long", database.role().observe);
            }
            return Ok(self.goes_on(prepared, &decision, refused, batch));
        };
        let text = format!("EXPLAIN {only}");
        let types = statement.types.as_deref().unwrap_or(&[0, 0]);
        // What a question that failed left behind goes first.
        frontend::write_close(batch, Target::Portal, OWN.as_bytes());
        frontend::write_close(batch, Target::Statement, OWN.as_bytes());
        Parse { name: OWN.as_bytes(), text: text.as_bytes(), types }.write(batch);
        if frontend::write_bind_again(batch, OWN.as_bytes(), body).is_none() {
            return Err(Fault::Violation("malformed Bind message".into()));
        }
        frontend::write_execute(batch, OWN.as_bytes());
        for _ in 0..5 {
            self.state.borrow_mut().pending.push(Owed::Estimate { whole: false });
        }
        let estimate = self.estimate(batch).await?;
        if estimate.failed.is_some() {
            // The client has the error; the server skips to Sync, and so does what the client sends.
            return Ok(false);
        }
        admission::weigh(&database, &mut decision, estimate.cost);
        Ok(self.goes_on(prepared, &decision, refused, batch))
    }

    /// Whether a Bind goes on by this decision; otherwise it is refused.
    fn goes_on(&self, prepared: &Prepared, decision: &Decision, refused: &[u8], batch: &mut Vec<u8>) -> bool {
        let goes_on = matches!(decision.verdict, Verdict::Permit(_));
        if !goes_on {
            self.refuse(&Asked::prepared_as(prepared, decision), refused, batch);
        }
        goes_on
    }

    /// Whether Bind messages must be read whole, because the planner is asked about them.
    pub(super) fn estimates(&self) -> bool {
        let state = self.state.borrow();
        state.acting.last_database().limits().is_some_and(|limits| limits.max_cost.is_some())
    }
}

/// The first line of a plan has the cost of the whole in a suffix that no name can imitate, for it comes last.
fn cost_of(line: &str) -> Option<f64> {
    let (_, costs) = line.rsplit_once("(cost=")?;
    let (_, total) = costs.split_once("..")?;
    total.split(' ').next()?.parse().ok()
}

/// A row of the planner's answer.
pub(super) fn plan_line(state: &mut State, body: &[u8]) {
    let Some(estimate) = &mut state.estimate else { return };
    if std::mem::replace(&mut estimate.in_plan, true) {
        return;
    }
    // One column: its count, its length, its text.
    let line = body.get(6..).map(String::from_utf8_lossy).unwrap_or_default();
    match cost_of(&line) {
        Some(cost) => estimate.cost = estimate.cost.max(cost),
        // A plan without a cost is no plan that could be weighed.
        None => estimate.cost = f64::NAN,
    }
}

/// A message of the planner's answer that is no row. Gives whether it is an error for the client.
pub(super) fn plan_message(state: &mut State, header: Header, body: &[u8], whole: bool) -> Option<bool> {
    match header.tag {
        backend::PARSE_COMPLETE | backend::BIND_COMPLETE | backend::CLOSE_COMPLETE if !whole => {
            state.pending.answered();
        }
        backend::COMMAND_COMPLETE => {
            if let Some(estimate) = &mut state.estimate {
                estimate.in_plan = false;
            }
            if !whole {
                state.pending.answered();
            }
        }
        backend::ROW_DESCRIPTION | backend::NOTICE_RESPONSE => {}
        backend::ERROR_RESPONSE => {
            if let Some(estimate) = &mut state.estimate {
                estimate.failed = Some(super::replies::sqlstate_of(body));
            }
            return Some(!whole);
        }
        _ => return None,
    }
    Some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cost_is_in_the_last_parentheses_of_the_first_line() {
        assert_eq!(cost_of("Seq Scan on t  (cost=0.00..155.25 rows=1 width=4)"), Some(155.25));
        assert_eq!(cost_of("Seq Scan on \"(cost=0.00..1.00 \"  (cost=10.00..20.00 rows=1 width=4)"), Some(20.0));
        assert_eq!(cost_of("Result"), None);
    }
}
