//! `roles` and `except`: whom a rule is about.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::role::RoleDraft;
use crate::policy::diagnostics::{Finding, Findings, Located, Place};
use crate::policy::reader::{Table, Value};

/// Whom a rule names.
#[derive(Debug, Clone)]
pub(super) enum Audience {
    /// Every restricted role.
    Everyone,
    /// These roles.
    Roles(Vec<Located<Arc<str>>>),
    /// Every restricted role but these.
    Except(Vec<Located<Arc<str>>>),
}

impl Audience {
    /// Reads `roles` and `except`.
    pub(super) fn read(table: &Table<'_>) -> Self {
        let roles = table.list("roles", Value::name);
        let except = table.list("except", Value::name);
        match (roles, except) {
            (None, None) => Self::Everyone,
            (Some(_), Some(_)) => {
                table.error("contradiction", "`roles` and `except` say the same thing twice; leave one of them out");
                Self::Everyone
            }
            (Some(roles), None) => Self::Roles(roles),
            (None, Some(except)) => Self::Except(except),
        }
    }
}

/// The roles that there are.
#[derive(Debug)]
pub(super) struct Roles<'d> {
    findings: &'d Findings,
    by_name: BTreeMap<&'d str, &'d RoleDraft>,
}

impl<'d> Roles<'d> {
    pub(super) fn new(findings: &'d Findings, drafts: &'d [RoleDraft]) -> Self {
        let mut by_name: BTreeMap<&str, &RoleDraft> = BTreeMap::new();
        for draft in drafts {
            if let Some(first) = by_name.get(&*draft.role.name) {
                let message = format!("role `{}` is defined twice", draft.role.name);
                findings.add(Finding::error("duplicate", draft.place, message).also(first.place, "first here"));
            } else {
                by_name.insert(&draft.role.name, draft);
            }
        }
        Self { findings, by_name }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &'d RoleDraft> {
        self.by_name.values().copied()
    }

    /// A role by name; an unknown one is noted.
    pub(super) fn get(&self, name: &Located<Arc<str>>) -> Option<&'d RoleDraft> {
        let found = self.by_name.get(&*name.value).copied();
        if found.is_none() && !self.findings.has_gaps() {
            let finding = Finding::error("unknown-role", name.place, format!("unknown role `{}`", name.value))
                .help("roles are the `[role.NAME]` tables of the rule files")
                .nearest(&name.value, self.by_name.keys().copied());
            self.findings.add(finding);
        }
        found
    }

    /// The names of the roles that a rule is about. `restricting` rules do nothing to unrestricted roles.
    pub(super) fn of(&self, audience: &Audience, rule: &Located<Arc<str>>, restricting: bool) -> Vec<Arc<str>> {
        let restricted = |draft: &&RoleDraft| !draft.role.unrestricted;
        let audience: Vec<&RoleDraft> = match audience {
            Audience::Everyone => self.iter().filter(restricted).collect(),
            Audience::Roles(names) => {
                let known = names.iter().filter_map(|name| Some((name.place, self.get(name)?)));
                known.filter(|(place, draft)| self.takes_part(*place, draft, restricting)).map(|(_, d)| d).collect()
            }
            Audience::Except(names) => {
                let except: Vec<&str> = names.iter().filter_map(|name| Some(&*self.get(name)?.role.name)).collect();
                self.iter().filter(restricted).filter(|draft| !except.contains(&&*draft.role.name)).collect()
            }
        };
        if audience.is_empty() && !self.findings.has_errors() {
            let message = format!("rule `{}` is about no role", rule.value);
            self.findings.add(Finding::warning("no-effect", rule.place, message));
        }
        audience.into_iter().map(|draft| Arc::clone(&draft.role.name)).collect()
    }

    fn takes_part(&self, place: Place, draft: &RoleDraft, restricting: bool) -> bool {
        let useless = restricting && draft.role.unrestricted;
        if useless {
            let message = format!("role `{}` is unrestricted, so the rule does nothing to it", draft.role.name);
            self.findings.add(Finding::warning("no-effect", place, message));
        }
        !useless
    }
}
