//! Whether a login or a statement may be now: what depends on the moment, the place and what was learned, and so is asked
//! anew for each, however often its text was decided before.

use std::net::{IpAddr, SocketAddr};

use jiff::Timestamp;

use super::concurrency::Turn;
use super::node::Node;
use crate::audit::Subject;
use crate::pipeline::{Decision, Denial, Verdict, VirtualDatabase};
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
pub fn admit(database: &VirtualDatabase, decision: &mut Decision) {
    if !database.is_admitted_by_moment() || matches!(decision.verdict, Verdict::Denial(_)) || is_control(decision) {
        return;
    }
    let observes = database.role().observe;
    if let Some(limits) = database.limits()
        && let Some(met) = limits.forbid_moment(Timestamp::now())
    {
        decision.refuse(Denial::of_limit(&met), observes);
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
