//! `[role.NAME]`.

use std::sync::Arc;

use super::Surroundings;
use super::patterns;
use crate::policy::diagnostics::{Finding, Located, Place};
use crate::policy::model::{Role, Verb, Verbs};
use crate::policy::reader::{Table, Value, not_a_name};
use crate::policy::set::Grant;

/// A role before the roles that it extends are looked up.
#[derive(Debug)]
pub(super) struct RoleDraft {
    pub(super) place: Place,
    pub(super) role: Arc<Role>,
    pub(super) extends: Vec<Located<Arc<str>>>,
    pub(super) grants: Vec<Located<Grant>>,
}

pub(super) fn read(name: &Located<Arc<str>>, value: Value<'_>, surroundings: &Surroundings) -> Option<RoleDraft> {
    if let Some(reason) = not_a_role(&name.value) {
        let finding = Finding::error("bad-name", name.place, format!("the name of a role {reason}"));
        value.findings().add(finding.help("name it like `analyst` or `data-team`"));
    }
    value.table(format!("`[role.{}]`", name.value), |table| {
        let description = table.optional("description", Value::string);
        let owner = table.optional("owner", Value::text);
        let note = table.optional("note", Value::text);
        let unrestricted = table.optional("unrestricted", Value::boolean).unwrap_or(false);
        let mode = [("enforce", false), ("observe", true)];
        let observe = table.optional("mode", |value| value.choice(&mode)).unwrap_or(false);
        let extends = table.list("extends", Value::name).unwrap_or_default();
        let grants = table.list("grant", |value| grant(value, surroundings)).unwrap_or_default();
        if unrestricted {
            for key in ["grant", "extends", "mode"] {
                without_effect(table, key, &name.value);
            }
        }
        let role = Role { name: Arc::clone(&name.value), description, owner, note, unrestricted, observe };
        let grants = grants.into_iter().flatten().collect();
        Some(RoleDraft { place: name.place, role: Arc::new(role), extends, grants })
    })
}

/// Why nobody could change to a role of this name by `SET ROLE`, or the files that name roles could not hold it.
fn not_a_role(name: &str) -> Option<&'static str> {
    if name.contains(['\'', '"', '`', '\\']) {
        Some("must not hold quotes or backslashes")
    } else if matches!(name.to_ascii_lowercase().as_str(), "none" | "default") {
        Some("must not be `none` or `default`, which `SET ROLE` has for other things")
    } else {
        not_a_name(name)
    }
}

fn without_effect(table: &Table<'_>, key: &'static str, role: &str) {
    if let Some(place) = table.key_place(key) {
        let message = format!("`{key}` does nothing here, because role `{role}` is unrestricted");
        table.findings().add(Finding::warning("no-effect", place, message).help("leave one of the two out"));
    }
}

fn grant(value: Value<'_>, surroundings: &Surroundings) -> Option<Vec<Located<Grant>>> {
    value.table("a grant", |table| {
        let on = table.required_list("on", |value| patterns::table(value, surroundings));
        let allow = table.required_list("allow", |value| value.choice(&words()));
        let verbs = allow?.into_iter().fold(Verbs::NONE, Verbs::union);
        Some(on?.into_iter().map(|on| on.map(|on| Grant { on, verbs })).collect())
    })
}

/// The words of `allow`: each verb, and the words that stand for several.
fn words() -> Vec<(&'static str, Verbs)> {
    let groups = [("write", Verbs::WRITE), ("define", Verbs::DEFINE), ("all", Verbs::ALL)];
    Verb::EACH.iter().map(|verb| (verb.word(), Verbs::NONE.with(*verb))).chain(groups).collect()
}
