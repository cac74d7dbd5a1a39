//! `[[test]]`.

use std::sync::Arc;

use super::Surroundings;
use super::patterns;
use crate::policy::diagnostics::{Located, Place};
use crate::policy::guard::{Expectation, Test};
use crate::policy::reader::{Table, Value};

/// A `[[test]]` before the names in it are looked up.
#[derive(Debug)]
pub(super) struct TestDraft {
    pub(super) place: Place,
    pub(super) role: Located<Arc<str>>,
    /// The rules that the expectation names.
    pub(super) rules: Vec<Located<Arc<str>>>,
    /// The user that it names.
    pub(super) user: Option<Located<Arc<str>>>,
    pub(super) test: Test,
}

pub(super) fn read(value: Value<'_>, surroundings: &Surroundings) -> Option<TestDraft> {
    value.table("`[[test]]`", |table| {
        let name = table.required("name", Value::name);
        table.optional("owner", Value::text);
        table.optional("note", Value::text);
        let role = table.required("role", Value::name);
        let source = table.required("source", |value| patterns::source(value, surroundings));
        let sql = table.required("sql", Value::text);
        let user = table.optional("user", Value::name);
        let mut rules = Vec::new();
        let expect = table.required("expect", |value| expectation(value, &mut rules));
        let (name, role) = (name?, role?);
        let test = Test {
            name: name.value,
            role: Arc::clone(&role.value),
            source: source?,
            sql: sql?,
            user: user.as_ref().map(|user| Arc::clone(&user.value)),
            expect: expect?,
        };
        Some(TestDraft { place: name.place, role, rules, user, test })
    })
}

/// `"allow"`, `"deny"`, or a table that says more.
fn expectation(value: Value<'_>, rules: &mut Vec<Located<Arc<str>>>) -> Option<Expectation> {
    if value.raw().is_str() {
        let allowed = value.choice(&[("allow", true), ("deny", false)])?;
        return Some(Expectation { allowed: Some(allowed), ..Expectation::default() });
    }
    value.table("`expect`", |table| {
        let denied_by = table.optional("denied_by", Value::name);
        let filtered_by = table.list("filtered_by", Value::name).unwrap_or_default();
        let masked = table.list("masked", Value::text).unwrap_or_default();
        let raw = table.list("raw", Value::text).unwrap_or_default();
        let allows = !(masked.is_empty() && raw.is_empty() && filtered_by.is_empty());
        meaningful(table, denied_by.is_some(), allows)?;
        rules.extend(denied_by.clone());
        rules.extend(filtered_by.iter().cloned());
        Some(Expectation {
            allowed: Some(denied_by.is_none()),
            denied_by: denied_by.map(|rule| rule.value),
            masked,
            raw,
            filtered_by: filtered_by.into_iter().map(|rule| rule.value).collect(),
        })
    })
}

fn meaningful(table: &Table<'_>, denies: bool, allows: bool) -> Option<()> {
    match (denies, allows) {
        (true, true) => {
            let message = "a statement that is denied shows no columns; leave `denied_by` or the other keys out";
            table.error("contradiction", message);
            None
        }
        (false, false) => {
            table.error("missing-key", "`expect` says nothing; give `masked`, `raw`, `filtered_by` or `denied_by`");
            None
        }
        (true, false) | (false, true) => Some(()),
    }
}
