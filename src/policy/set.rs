//! The rules compiled for deciding: for each role what is granted, protected and filtered.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::guard::{Alert, Block, Learn, Limit, Test};
use super::limits::Limits;
use super::mask::MaskSpec;
use super::model::{Filter, Role, RuleInfo, Verbs};
use super::pattern::{ColumnPattern, TablePattern};

/// All rules in force, compiled; immutable.
#[derive(Debug, Default)]
pub struct PolicySet {
    pub(super) version: u64,
    pub(super) roles: BTreeMap<Arc<str>, RoleRules>,
    pub(super) trusts: Vec<Trust>,
    pub(super) alerts: Vec<Arc<Alert>>,
    pub(super) tests: Vec<Test>,
}

/// What the rules say about one role.
#[derive(Debug, Default)]
pub(super) struct RoleRules {
    pub(super) role: Arc<Role>,
    /// Own grants and those of every role that this one extends.
    pub(super) grants: Vec<Grant>,
    /// In order of precedence: the first that matches a column decides.
    pub(super) columns: Vec<ColumnRule>,
    pub(super) filters: Vec<TableFilter>,
    pub(super) limits: Vec<Arc<Limit>>,
    pub(super) blocks: Vec<Arc<Block>>,
    pub(super) learns: Vec<Arc<Learn>>,
    pub(super) personal: bool,
}

/// Verbs on the tables of a pattern.
#[derive(Debug, Clone)]
pub(super) struct Grant {
    pub(super) on: TablePattern,
    pub(super) verbs: Verbs,
}

/// What a `[[protect]]` gives.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ruling {
    Deny,
    Reveal,
    Mask { spec: Arc<MaskSpec>, writable: bool },
}

/// A `[[protect]]`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Protect {
    pub(super) rule: Arc<RuleInfo>,
    pub(super) ruling: Ruling,
    /// Its place among all `[[protect]]`.
    pub(super) order: usize,
}

/// A `[[protect]]` on the columns of one pattern.
#[derive(Debug, Clone)]
pub(super) struct ColumnRule {
    pub(super) protect: Arc<Protect>,
    pub(super) pattern: Arc<ColumnPattern>,
    /// The tag that the pattern comes from.
    pub(super) tag: Option<Arc<str>>,
}

impl ColumnRule {
    /// Deny beats reveal beats mask; then `columns` beats `tags`, a longer literal pattern a shorter one, the earlier
    /// rule the later.
    pub(super) fn precedence(&self) -> (u8, bool, Reverse<usize>, usize) {
        let kind = match self.protect.ruling {
            Ruling::Deny => 0,
            Ruling::Reveal => 1,
            Ruling::Mask { .. } => 2,
        };
        (kind, self.tag.is_some(), Reverse(self.pattern.literals()), self.protect.order)
    }
}

/// A `[[filter]]` on its tables.
#[derive(Debug, Clone)]
pub(super) struct TableFilter {
    pub(super) tables: Vec<TablePattern>,
    pub(super) filter: Arc<Filter>,
}

/// A `[[trust]]`.
#[derive(Debug, Clone)]
pub(super) struct Trust {
    pub(super) rule: Arc<RuleInfo>,
    pub(super) views: Vec<TablePattern>,
    pub(super) functions: Vec<TablePattern>,
}

impl PolicySet {
    /// Grows with each reload; shown by `sekisho check`, the metrics and audit records.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// A role by name.
    pub fn role(&self, name: &str) -> Option<&Arc<Role>> {
        self.roles.get(name).map(|rules| &rules.role)
    }

    /// Every role, by name.
    pub fn roles(&self) -> impl Iterator<Item = &Arc<Role>> {
        self.roles.values().map(|rules| &rules.role)
    }

    /// The limits on a role put together; nothing where none names it.
    pub fn strictest(&self, role: &Role) -> Option<Limits> {
        Limits::of(self.limits(role))
    }

    /// The limits on a role; each of them holds.
    pub fn limits(&self, role: &Role) -> &[Arc<Limit>] {
        self.rules(role).map_or(&[], |rules| &rules.limits)
    }

    /// The statements that a role may not run, whatever it is granted.
    pub fn blocks(&self, role: &Role) -> &[Arc<Block>] {
        self.rules(role).map_or(&[], |rules| &rules.blocks)
    }

    /// The rules that learn which statements a role uses.
    pub fn learns(&self, role: &Role) -> &[Arc<Learn>] {
        self.rules(role).map_or(&[], |rules| &rules.learns)
    }

    /// What people are told about at once.
    pub fn alerts(&self) -> &[Arc<Alert>] {
        &self.alerts
    }

    /// The tests that the rules bring along.
    pub fn tests(&self) -> &[Test] {
        &self.tests
    }

    /// Whether the role's filters use attributes of the person, so that each person sees another database.
    pub fn is_personal(&self, role: &Role) -> bool {
        self.rules(role).is_some_and(|rules| rules.personal)
    }

    /// What is in force for a role, found by its name: a `Role` kept from an older set says nothing about this one.
    pub(super) fn rules(&self, role: &Role) -> Option<&RoleRules> {
        self.roles.get(&role.name)
    }
}
