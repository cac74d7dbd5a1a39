//! Looks names up across all files, and compiles.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::audience::{Audience, Roles};
use super::conflict::{self, Resolved};
use super::draft::{Draft, Header};
use super::filter::BUILT_IN_ATTRIBUTES;
use super::inherit;
use super::mask::{MaskDraft, Masks};
use super::names;
use super::protect::{ProtectDraft, RulingDraft, TagDraft};
use super::test_case::TestDraft;
use super::uses;
use super::{AttributeUse, KeyUse, PersonUse, Reading};
use crate::policy::diagnostics::{Finding, Findings, Located, Place};
use crate::policy::guard::{Alert, Limit};
use crate::policy::model::Filter;
use crate::policy::pattern::TablePattern;
use crate::policy::set::{ColumnRule, PolicySet, Protect, RoleRules, Ruling, TableFilter, Trust};

/// Makes the set out of what all files say.
pub(super) fn link(findings: &Findings, draft: &Draft, version: u64) -> Reading {
    let roles = Roles::new(findings, &draft.roles);
    let empty = roles.iter().map(|draft| {
        let empty = RoleRules { role: Arc::clone(&draft.role), ..RoleRules::default() };
        (Arc::clone(&draft.role.name), empty)
    });
    let set = PolicySet { version, roles: empty.collect(), ..PolicySet::default() };
    let masks = Masks::new(findings, &draft.masks);
    masks.check_all();
    let tags = names::tags(findings, &draft.tags);
    let mut linker = Linker { findings, roles, masks, tags, set, attributes: Vec::new(), keys: Vec::new() };

    inherit::grants(findings, &linker.roles, &mut linker.set);
    linker.protects(draft);
    linker.filters(draft);
    linker.guards(draft);
    linker.trusts(draft);
    let places = names::rules(findings, draft);
    linker.tests(draft, &places);
    names::learned(findings, draft);
    names::unused(findings, draft);
    let uses = uses::all(draft);
    let places = places.into_iter().map(|(name, place)| (Arc::from(name), place)).collect();
    let (attributes, keys, persons) = (linker.attributes, linker.keys, persons(draft));
    let functions = draft.blocks.iter().flat_map(|block| &block.functions).cloned().collect();
    Reading { set: linker.set, attributes, keys, uses, persons, functions, rules: places }
}

struct Linker<'d> {
    findings: &'d Findings,
    roles: Roles<'d>,
    masks: Masks<'d>,
    tags: BTreeMap<&'d str, &'d TagDraft>,
    set: PolicySet,
    attributes: Vec<AttributeUse>,
    keys: Vec<KeyUse>,
}

impl<'d> Linker<'d> {
    fn protects(&mut self, draft: &'d Draft) {
        let drafts = draft.protects.iter().enumerate();
        let resolved: Vec<_> = drafts.filter_map(|(order, draft)| self.protect(order, draft)).collect();
        conflict::warn(self.findings, &resolved);
        for rule in &resolved {
            for role in &rule.roles {
                if let Some(rules) = self.set.roles.get_mut(role) {
                    rules.columns.extend(rule.columns.iter().cloned());
                }
            }
        }
        for rules in self.set.roles.values_mut() {
            rules.columns.sort_by_key(ColumnRule::precedence);
        }
    }

    fn protect(&mut self, order: usize, draft: &'d ProtectDraft) -> Option<Resolved<'d>> {
        let roles = self.roles.of(&draft.audience, &draft.header.name, true);
        let tagged: Vec<_> = draft.tags.iter().filter_map(|name| self.tag(name)).collect();
        let ruling = match &draft.ruling {
            RulingDraft::Deny => Ruling::Deny,
            RulingDraft::Reveal => Ruling::Reveal,
            RulingDraft::Mask(mask) => self.mask(mask, draft)?,
        };
        let protect = Arc::new(Protect { rule: Arc::clone(&draft.header.info), ruling, order });
        let of = |pattern: &Located<_>, tag| ColumnRule {
            protect: Arc::clone(&protect),
            pattern: Arc::clone(&pattern.value),
            tag,
        };
        let mut columns: Vec<_> = draft.columns.iter().map(|pattern| of(pattern, None)).collect();
        for tag in tagged {
            columns.extend(tag.columns.iter().map(|pattern| of(pattern, Some(Arc::clone(&tag.name.value)))));
        }
        Some(Resolved { draft, roles, protect, columns })
    }

    fn mask(&mut self, mask: &'d Located<MaskDraft>, draft: &ProtectDraft) -> Option<Ruling> {
        let spec = self.masks.resolve(&mask.value)?;
        self.keys.extend(spec.keys().into_iter().map(|id| KeyUse {
            id: id.cloned(),
            rule: Arc::clone(&draft.header.name.value),
            place: mask.place,
        }));
        Some(Ruling::Mask { spec: Arc::new(spec), writable: draft.writable })
    }

    fn tag(&self, name: &Located<Arc<str>>) -> Option<&'d TagDraft> {
        let found = self.tags.get(&*name.value).copied();
        if found.is_none() && !self.findings.has_gaps() {
            let finding = Finding::error("unknown-tag", name.place, format!("unknown tag `{}`", name.value))
                .help("tags are the `[tag.\"NAME\"]` tables of the rule files")
                .nearest(&name.value, self.tags.keys().copied());
            self.findings.add(finding);
        }
        found
    }

    fn filters(&mut self, draft: &Draft) {
        for draft in &draft.filters {
            let roles = self.roles.of(&draft.audience, &draft.header.name, true);
            let filter =
                Arc::new(Filter { rule: Arc::clone(&draft.header.info), predicate: Arc::clone(&draft.predicate) });
            // `:role` is the same for every person in the role.
            let personal = draft.attributes.iter().any(|attribute| &*attribute.value != "role");
            for role in &roles {
                if let Some(rules) = self.set.roles.get_mut(role) {
                    rules.filters.push(TableFilter { tables: bare(&draft.tables), filter: Arc::clone(&filter) });
                    rules.personal |= personal;
                }
            }
            let own = draft.attributes.iter().filter(|name| !BUILT_IN_ATTRIBUTES.contains(&&*name.value));
            self.attributes.extend(own.map(|attribute| AttributeUse {
                attribute: attribute.clone(),
                rule: Arc::clone(&draft.header.name.value),
                roles: roles.clone(),
            }));
        }
    }

    fn guards(&mut self, draft: &Draft) {
        for draft in &draft.limits {
            let limit: Arc<Limit> = Arc::new(draft.limit.clone());
            self.give(&draft.audience, &draft.header, |rules| rules.limits.push(Arc::clone(&limit)));
        }
        for draft in &draft.blocks {
            self.give(&draft.audience, &draft.header, |rules| rules.blocks.push(Arc::clone(&draft.block)));
        }
        for draft in &draft.learns {
            self.give(&draft.audience, &draft.header, |rules| rules.learns.push(Arc::clone(&draft.learn)));
        }
        for draft in &draft.alerts {
            let roles = match &draft.audience {
                // Unlike other rules, an alert that names nobody is about everybody: refused logins have no role.
                Audience::Everyone => None,
                Audience::Roles(_) | Audience::Except(_) => {
                    Some(self.roles.of(&draft.audience, &draft.header.name, false))
                }
            };
            self.set.alerts.push(Arc::new(Alert { roles, ..draft.alert.clone() }));
        }
    }

    /// Hands a rule that also binds unrestricted roles, where it names them, to each of its roles.
    fn give(&mut self, audience: &Audience, header: &Header, mut add: impl FnMut(&mut RoleRules)) {
        for role in self.roles.of(audience, &header.name, false) {
            if let Some(rules) = self.set.roles.get_mut(&role) {
                add(rules);
            }
        }
    }

    fn trusts(&mut self, draft: &Draft) {
        self.set.trusts.extend(draft.trusts.iter().map(|draft| Trust {
            rule: Arc::clone(&draft.header.info),
            views: bare(&draft.views),
            functions: bare(&draft.functions),
        }));
    }

    fn tests(&mut self, draft: &Draft, rules: &BTreeMap<&str, Place>) {
        for draft in &draft.tests {
            self.roles.get(&draft.role);
            for rule in draft.rules.iter().filter(|rule| !rules.contains_key(&*rule.value)) {
                let finding = Finding::error("unknown-rule", rule.place, format!("unknown rule `{}`", rule.value))
                    .help("rules are named by the `name` of `[[protect]]`, `[[filter]]` and the like")
                    .nearest(&rule.value, rules.keys().copied());
                self.findings.add(finding);
            }
            self.set.tests.push(draft.test.clone());
        }
    }
}

/// The users that tests name.
fn persons(draft: &Draft) -> Vec<PersonUse> {
    let person = |draft: &TestDraft| {
        let (role, source) = (Arc::clone(&draft.test.role), Arc::clone(&draft.test.source));
        Some(PersonUse { user: draft.user.clone()?, role, source })
    };
    draft.tests.iter().filter_map(person).collect()
}

/// Patterns without their places.
fn bare(patterns: &[Located<TablePattern>]) -> Vec<TablePattern> {
    patterns.iter().map(|pattern| pattern.value.clone()).collect()
}
