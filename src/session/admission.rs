//! Whether a login or a statement may be now: what depends on the moment, the place and what was learned, and so is asked
//! anew for each, however often its text was decided before.

use std::net::{IpAddr, SocketAddr};

use jiff::Timestamp;

use super::concurrency::Turn;
use super::node::Node;
use crate::audit::Subject;
use crate::pipeline::{Decision, Denial, Estimable, Settings, Verdict, VirtualDatabase};
use crate::policy::Limits;

/// The refusal of a login from an address, by the limits of the role that it begins in.
pub fn forbid_login(node: &Node, database: &VirtualDatabase, peer: IpAddr) -> Option<Denial> {
    let limits = database.limits()?;
    let met = limits.forbid_address(peer).or_else(|| limits.forbid_moment(Timestamp::now()))?;
    if database.role().observe {
        tracing::warn!(role = %database.role().name, limit = met.limit.word(), rule = %met.rule.name, met = %met.met, "a login would be refused");
        return None;
    }
    node.metrics.limits.count(met.limit);
    Some(Denial { sqlstate: "28000", ..Denial::of_limit(&met) })
}

/// The same for a session that changes to another role.
pub fn forbid_peer(node: &Node, database: &VirtualDatabase, subject: &Subject) -> Option<Denial> {
    let peer: SocketAddr = subject.client.parse().ok()?;
    let denial = forbid_login(node, database, peer.ip())?;
    Some(Denial { sqlstate: "42501", ..denial })
}

/// Refuses a permitted statement that may not run at this moment, or that is not among those which its role is known to
/// use. Does nothing for a role without such rules.
pub fn admit(node: &Node, database: &VirtualDatabase, decision: &mut Decision) {
    if !database.is_admitted_by_moment() || matches!(decision.verdict, Verdict::Denial(_)) || is_control(decision) {
        return;
    }
    let observes = database.role().observe;
    if let Some(limits) = database.limits()
        && let Some(met) = limits.forbid_moment(Timestamp::now())
    {
        decision.refuse(Denial::of_limit(&met), observes);
    }
    for learn in database.learns() {
        node.learning.ask(learn, database.role(), decision);
    }
}

/// The statements of a permitted text that the planner is to be asked about; nothing where the role has no `max_cost`. A
/// text that cannot be asked about is refused.
pub fn estimable(database: &VirtualDatabase, settings: &Settings, decision: &mut Decision) -> Option<Vec<String>> {
    let limits = database.limits().filter(|limits| limits.max_cost.is_some())?;
    let Verdict::Permit(permit) = &decision.verdict else { return None };
    match database.estimable(settings, permit.sql()) {
        Estimable::Statements(statements) => Some(statements),
        Estimable::OneByOne => {
            let what = "of several statements of which one prepares for another";
            refuse_unweighed(limits, decision, what, database.role().observe);
            None
        }
    }
}

/// Refuses what the planner cannot be asked about.
pub fn refuse_unweighed(limits: &Limits, decision: &mut Decision, what: &str, observes: bool) {
    if let Some(met) = limits.forbid_cost(f64::NAN) {
        let name = &met.rule.name;
        let message = format!(
            "statement refused: the planner cannot be asked about a text {what}, as `max_cost` of limit `{name}` demands"
        );
        let hint =
            "send the statements one by one, large values as literals, and prepare again what was prepared before";
        let hint = Some(hint.to_owned());
        decision.refuse(Denial { message, hint, ..Denial::of_limit(&met) }, observes);
    }
}

/// Refuses a statement about which the planner gave no answer: it was cancelled, waited too long for a lock, or the server
/// had other troubles. Were it let through, who can disturb the question could run anything.
pub fn refuse_unanswered(database: &VirtualDatabase, decision: &mut Decision) {
    if let Some(met) = database.limits().and_then(|limits| limits.forbid_cost(f64::NAN)) {
        let name = &met.rule.name;
        let message = format!(
            "statement refused: the planner gave no answer about it in time, as `max_cost` of limit `{name}` demands"
        );
        let hint = Some("try again; a table may be locked".to_owned());
        decision.refuse(Denial { message, hint, ..Denial::of_limit(&met) }, database.role().observe);
    }
}

/// Refuses a statement that costs too much.
pub fn weigh(database: &VirtualDatabase, decision: &mut Decision, cost: f64) {
    if let Some(met) = database.limits().and_then(|limits| limits.forbid_cost(cost)) {
        decision.refuse(Denial::of_limit(&met), database.role().observe);
    }
}

/// Whether a text only begins or ends transactions: who is no longer admitted may still do that.
fn is_control(decision: &Decision) -> bool {
    decision.facts.kinds.iter().all(|kind| *kind == "transaction")
}

/// Takes the turn of a statement among those of its role, waiting a little. Where none comes free the statement is
/// refused. Nothing is taken for roles without a limit on that.
pub async fn take_turn(node: &Node, database: &VirtualDatabase, decision: &mut Decision) -> Option<Turn> {
    let (limits, most) = crowd(database)?;
    if matches!(decision.verdict, Verdict::Denial(_)) || is_control(decision) {
        return None;
    }
    let role = database.role();
    let turn = if role.observe {
        node.concurrency.try_turn(&role.name, most)
    } else {
        node.concurrency.turn(&role.name, most).await
    };
    if turn.is_none()
        && let Some(met) = limits.crowded()
    {
        decision.refuse(Denial::of_limit(&met), role.observe);
    }
    turn
}

/// Whether statements of the role take turns.
pub fn takes_turns(database: &VirtualDatabase) -> bool {
    crowd(database).is_some()
}

fn crowd(database: &VirtualDatabase) -> Option<(&Limits, u32)> {
    let limits = database.limits()?;
    Some((limits, limits.max_concurrent.as_ref()?.value))
}
