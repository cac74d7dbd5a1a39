//! What can only be checked when rules, users, sources and keys are known together.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::users::UserDraft;
use crate::policy::PolicySet;
use crate::policy::diagnostics::{Finding, Findings, Place};
use crate::policy::load::{AttributeUse, KeyUse, PersonUse, Reading};
use crate::rewrite::masks::MaskingKey;
use crate::sql::Engine;

/// Checks users against rules and sources.
pub(super) fn users(findings: &Findings, users: &[UserDraft], rules: &Reading, sources: &BTreeMap<Arc<str>, Engine>) {
    for user in users {
        roles(findings, user, &rules.set);
        if !sources.is_empty() {
            user_sources(findings, user, &rules.set, sources);
        }
        for attribute in &rules.attributes {
            lacking(findings, user, attribute);
        }
    }
}

/// Checks the users whom tests name: what a test shows must be what some person gets.
pub(super) fn persons(findings: &Findings, users: &[UserDraft], names: &[Arc<str>], rules: &Reading) {
    if findings.has_gaps() {
        return;
    }
    for PersonUse { user: wanted, role, source } in &rules.persons {
        let Some(draft) = users.iter().find(|user| user.name.value == wanted.value) else {
            if names.contains(&wanted.value) {
                // What is wrong with it is said already.
                continue;
            }
            let finding = Finding::error("unknown-user", wanted.place, format!("unknown user `{}`", wanted.value))
                .help("users are the `[user.NAME]` tables of users.toml")
                .nearest(&wanted.value, names.iter().map(|name| &**name));
            findings.add(finding);
            continue;
        };
        let lacks = if !draft.user.roles.contains(role) {
            format!("`{}` does not have role `{role}`", wanted.value)
        } else if draft.user.sources.as_ref().is_some_and(|sources| !sources.contains(source)) {
            format!("`{}` may not connect to `{source}`", wanted.value)
        } else {
            continue;
        };
        findings.add(
            Finding::error("contradiction", wanted.place, format!("{lacks}, so the test shows what nobody gets"))
                .also(draft.name.place, "the user is here"),
        );
    }
}

fn roles(findings: &Findings, user: &UserDraft, policy: &PolicySet) {
    if findings.has_gaps() {
        return;
    }
    for role in user.roles.iter().filter(|role| policy.role(&role.value).is_none()) {
        let finding = Finding::error("unknown-role", role.place, format!("unknown role `{}`", role.value))
            .help("roles are the `[role.NAME]` tables of the rule files")
            .nearest(&role.value, policy.roles().map(|role| &*role.name));
        findings.add(finding);
    }
}

fn user_sources(findings: &Findings, user: &UserDraft, policy: &PolicySet, sources: &BTreeMap<Arc<str>, Engine>) {
    let roles: Vec<_> = user.user.roles.iter().filter_map(|role| policy.role(role)).collect();
    for source in &user.sources {
        if !sources.contains_key(&source.value) {
            let finding = Finding::error("unknown-source", source.place, format!("unknown source `{}`", source.value))
                .help("sources are the `[[source]]` tables of sekisho.toml")
                .nearest(&source.value, sources.keys().map(|name| &**name));
            findings.add(finding);
        } else if !roles.is_empty() && !roles.iter().any(|role| policy.sees_source(role, &source.value)) {
            let message = format!(
                "`{}` may connect to `{}`, where none of their roles has a grant",
                user.name.value, source.value
            );
            findings.add(Finding::warning("no-effect", source.place, message));
        }
    }
}

/// A filter over an attribute that a user lacks leaves that user without the table.
fn lacking(findings: &Findings, user: &UserDraft, need: &AttributeUse) {
    if user.user.attributes.contains_key(&need.attribute.value) {
        return;
    }
    let Some(role) = user.user.roles.iter().find(|role| need.roles.contains(role)) else { return };
    let (user_name, attribute) = (&user.name.value, &need.attribute.value);
    let message = format!("`{user_name}` has no attribute `{attribute}`, which filter `{}` needs", need.rule);
    let finding = Finding::warning("missing-attribute", user.name.place, message)
        .label(format!("can act as `{role}`"))
        .also(need.attribute.place, "needed here")
        .help(format!("add `attributes = {{ {attribute} = \"…\" }}`; without it the filtered tables are refused"));
    findings.add(finding);
}

/// Checks that there is a key for each mask that needs one. `place` is where keys are given.
pub(super) fn keys(findings: &Findings, used: &[KeyUse], keys: &[MaskingKey], place: Option<Place>) {
    for key in used {
        let finding = match &key.id {
            Some(id) if !keys.iter().any(|known| known.id == *id) => {
                let finding = Finding::error("unknown-key-id", key.place, format!("no masking key has the id `{id}`"));
                finding
                    .help("keys are `key = [{ id = \"…\", file = \"…\" }]` of `[masking]` in sekisho.toml")
                    .nearest(id, keys.iter().map(|known| &*known.id))
            }
            None if keys.is_empty() => {
                let message = format!("the mask of rule `{}` needs a masking key, and there is none", key.rule);
                Finding::error("missing-key", key.place, message)
                    .help("write `[masking]` with `key = { file = \"masking.key\" }` in sekisho.toml")
            }
            Some(_) | None => continue,
        };
        let finding = match place {
            Some(place) => finding.also(place, "keys are given here"),
            None => finding,
        };
        findings.add(finding);
    }
}
