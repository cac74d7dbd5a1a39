//! The simple protocol: a text with any number of statements, and function calls.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use super::Session;
use super::client_side::Step;
use super::decide::{Asked, Decided, Ruling, denial, for_server, refusal};
use crate::pg::fault::Fault;
use crate::pg::names::Statement;
use crate::pg::pending::Owed;
use crate::pg::wire::frontend;
use crate::pipeline::{Effect, Verdict};
use crate::session::{Prepared, admission};

/// What stands for the text of a function call in the audit log.
const FUNCTION_CALL: &str = "(function call)";

impl Session {
    /// Query.
    pub(super) async fn query(&self, bytes: &[u8], batch: &mut Vec<u8>) -> Result<(), Fault> {
        self.ensure_open().await?;
        let text = match self.text(bytes) {
            Ok(text) => text,
            Err(denial) => {
                self.refuse_query(&String::from_utf8_lossy(bytes), &denial, batch);
                return Ok(());
            }
        };
        let mut decided = self.decide(&text, &[], batch).await?;
        self.name_runs(&mut decided.decision);
        admission::admit(&self.node, &decided.database, &mut decided.decision);
        self.take_turn(&decided.database, &mut decided.decision, batch).await?;
        self.estimate_query(&mut decided, batch).await?;
        if self.is_skipped() {
            return Ok(());
        }
        let running = self.begin(&Asked::new(&text, &decided), kept(&text, &decided));
        frontend::write_query(batch, &for_server(&running, &decided.decision, &text, bytes));
        self.state.borrow_mut().pending.push(Owed::Query(Box::new(running)));
        Ok(())
    }

    /// FunctionCall: runs a function by its number, of which rules cannot speak.
    pub(super) async fn function_call(&self, batch: &mut Vec<u8>) -> Result<Step, Fault> {
        self.ensure_open().await?;
        let guarded = self.state.borrow().acting.last_database().is_guarded();
        if guarded || self.is_restricted() {
            let message = "function calls by number are not supported for this role".to_owned();
            self.refuse_query(FUNCTION_CALL, &denial("0A000", message, Some("call the function with SELECT")), batch);
            return Ok(Step::Handled);
        }
        let facts = Arc::default();
        let asked = Asked::undecided(FUNCTION_CALL, &facts, Ruling::NoText);
        let running = self.begin(&asked, None);
        if running.denial.is_some() {
            frontend::write_query(batch, &refusal());
            self.state.borrow_mut().pending.push(Owed::Query(Box::new(running)));
            return Ok(Step::Handled);
        }
        self.state.borrow_mut().pending.push(Owed::Query(Box::new(running)));
        Ok(Step::Forward)
    }

    /// Refuses what the pipeline cannot be asked about.
    fn refuse_query(&self, text: &str, denial: &crate::pipeline::Denial, batch: &mut Vec<u8>) {
        let facts = Arc::default();
        let asked = Asked::undecided(text, &facts, Ruling::Denial(denial));
        let running = self.begin(&asked, None);
        frontend::write_query(batch, &refusal());
        self.state.borrow_mut().pending.push(Owed::Query(Box::new(running)));
    }
}

/// The statement, where SQL's PREPARE or DECLARE will keep it under a name.
fn kept(text: &str, decided: &Decided) -> Option<Rc<Statement>> {
    let Verdict::Permit(permit) = &decided.decision.verdict else { return None };
    if !permit.effects().iter().any(|effect| matches!(effect, Effect::Prepare(_) | Effect::Declare(_))) {
        return None;
    }
    let prepared = Prepared {
        text: text.into(),
        decision: decided.decision.clone(),
        database: Arc::clone(&decided.database),
        settings: decided.settings.clone(),
        described: Cell::new(false),
    };
    Some(Rc::new(Statement { prepared, types: None }))
}
