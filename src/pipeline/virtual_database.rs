//! A role's own database: rules and catalog joined, every decision about a text, and the memory of those decisions.

use std::sync::Arc;

use super::verdict::{Decision, Denial, Effect, Permit, Verdict};
use crate::audit::Facts;
use crate::catalog::Snapshot;
use crate::policy::{Attributes, PolicySet, Role};
use crate::sql::mysql::SqlMode;

/// What a decision depends on in the session, beside the text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Settings {
    /// PostgreSQL: the schemas searched; MySQL: the current database, if any. `None` is the source's default.
    pub search_path: Option<Arc<[Box<str>]>>,
    /// MySQL: how text is read.
    pub sql_mode: SqlMode,
}

/// The person for whom row filters are made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Person {
    /// The name logged in with.
    pub user: Arc<str>,
    /// `attributes` of `users.toml`.
    pub attributes: Attributes,
    /// Every role that the user may change to.
    pub roles: Vec<Arc<str>>,
}

/// What one role sees of one source. Immutable but for its memory of decisions; a new one is made when rules or
/// catalog change, so nothing in it can be out of date. Shared by all sessions of the role.
#[derive(Debug)]
pub struct VirtualDatabase {
    policy: Arc<PolicySet>,
    snapshot: Arc<Snapshot>,
    role: Arc<Role>,
    person: Arc<Person>,
}

impl VirtualDatabase {
    /// Joins rules and catalog for a role. `person` matters where filters use attributes.
    pub fn new(policy: Arc<PolicySet>, snapshot: Arc<Snapshot>, role: Arc<Role>, person: Arc<Person>) -> Self {
        Self { policy, snapshot, role, person }
    }

    /// The rules in force.
    pub fn policy(&self) -> &Arc<PolicySet> {
        &self.policy
    }

    /// The catalog.
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// The role.
    pub fn role(&self) -> &Arc<Role> {
        &self.role
    }

    /// The person.
    pub fn person(&self) -> &Arc<Person> {
        &self.person
    }

    /// Decides about a text. Never fails: what is not understood is a [`Denial`]. A text seen before, or one that
    /// differs from it in plain literals only, is not parsed again.
    pub fn decide(&self, _settings: &Settings, text: &str) -> Decision {
        let verdict = if self.role.unrestricted {
            Verdict::Permit(Permit::new(Arc::from(text), Arc::from([Effect::None]), false))
        } else {
            Verdict::Denial(Denial {
                sqlstate: "0A000",
                message: format!("statement is not understood, for role `{}`", self.role.name),
                detail: None,
                hint: None,
                position: None,
                rule: None,
            })
        };
        Decision { annotation: None, facts: Arc::new(Facts::default()), verdict }
    }

    /// The second lock: the name of a column that must not arrive raw, given where the server says a result column
    /// comes from. PostgreSQL's numbers.
    pub fn protected_column(&self, _table_oid: u32, _attribute: i16) -> Option<String> {
        None
    }

    /// The second lock on MySQL: by database, table and column as the server's column definitions have them.
    pub fn is_protected_column(&self, _schema: &str, _table: &str, _column: &str) -> bool {
        false
    }
}
