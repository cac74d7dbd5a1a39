//! The planner: decides about texts and remembers what it decided.

use std::sync::Arc;

use super::verdict::{Decision, Denial, Effect, Facts, Permit, Verdict};
use crate::catalog::Snapshot;
use crate::policy::{Attributes, PolicySet, Role};

/// Everything that a decision depends on beside the text.
#[derive(Debug, Clone, Copy)]
pub struct PlanContext<'a> {
    /// The rules in force.
    pub policy: &'a PolicySet,
    /// The role of the session.
    pub role: &'a Role,
    /// The name that the user logged in with.
    pub user: &'a str,
    /// Attributes of the user, for row filters.
    pub attributes: &'a Attributes,
    /// Every role that the user may change to.
    pub roles: &'a [Arc<str>],
    /// The catalog of the session's source.
    pub snapshot: &'a Snapshot,
    /// The schemas searched by the session; `None` for the source's default.
    pub search_path: Option<&'a [Box<str>]>,
}

/// Decides about statement texts of one source; shared by all its sessions.
#[derive(Debug, Default)]
pub struct Planner {}

impl Planner {
    /// A planner with an empty cache.
    pub fn new() -> Self {
        Self::default()
    }

    /// Decides about a text. Never fails: what is not understood is a [`Denial`].
    pub fn decide(&self, context: &PlanContext<'_>, text: &str) -> Decision {
        let verdict = if context.role.unrestricted {
            Verdict::Permit(Permit::new(Arc::from(text), Arc::from([Effect::None]), false))
        } else {
            Verdict::Denial(Denial {
                sqlstate: "0A000",
                message: format!("statement is not understood, for role `{}`", context.role.name),
                detail: None,
                hint: None,
                position: None,
                rule: None,
            })
        };
        Decision { annotation: None, facts: Arc::new(Facts::default()), verdict }
    }
}
