//! `users.toml`.

use std::sync::Arc;

use toml::de::{DeInteger, DeValue};

use crate::auth::User;
use crate::auth::users::{Verifier, parse_native_password};
use crate::policy::Attributes;
use crate::policy::diagnostics::{FileId, Finding, Findings, Located};
use crate::policy::load::BUILT_IN_ATTRIBUTES;
use crate::policy::reader::{self, Value, not_a_name};

/// A user before roles and sources are looked up.
#[derive(Debug)]
pub(super) struct UserDraft {
    pub(super) name: Located<Arc<str>>,
    pub(super) user: User,
    pub(super) roles: Vec<Located<Arc<str>>>,
    pub(super) sources: Vec<Located<Arc<str>>>,
}

/// Reads all users. Gives also the names of those with mistakes.
pub(super) fn read(findings: &Findings, file: FileId, text: &str) -> (Vec<UserDraft>, Vec<Arc<str>>) {
    let mut names = Vec::new();
    let mut read = |name: Located<Arc<str>>, value: Value<'_>| {
        names.push(Arc::clone(&name.value));
        user(name, value)
    };
    let users = reader::read_file(findings, file, text, |table| {
        Some(
            table.get("user").map(|users| users.names("tables such as `[user.hanako]`", &mut read)).unwrap_or_default(),
        )
    });
    (users.unwrap_or_default(), names)
}

fn user(name: Located<Arc<str>>, value: Value<'_>) -> Option<UserDraft> {
    if let Some(reason) = not_a_name(&name.value) {
        let message = format!("the name of a user {reason}");
        value.findings().add(Finding::error("bad-name", name.place, message));
    }
    value.table(format!("`[user.{}]`", name.value), |table| {
        table.optional("description", Value::string);
        let verifier = table.required("password", |value| verifier(value, &name.value));
        let native_password = table.optional("native_password", |value| {
            value.hide();
            value.parsed(|text| {
                parse_native_password(text).ok_or_else(|| {
                    "this is no verifier of mysql_native_password, which is `*` and 40 hex digits".to_owned()
                })
            })
        });
        let roles = table.required_list("roles", Value::name);
        let sources = table.list("sources", Value::name);
        let attributes = table.get("attributes").map(attributes).unwrap_or_default();
        let names = |located: &[Located<Arc<str>>]| located.iter().map(|name| Arc::clone(&name.value)).collect();
        let roles = roles?;
        let user = User {
            name: Arc::clone(&name.value),
            verifier: verifier?,
            native_password,
            roles: names(&roles),
            sources: sources.as_deref().map(names),
            attributes,
        };
        Some(UserDraft { name, user, roles, sources: sources.unwrap_or_default() })
    })
}

/// The text is never shown: it could be a password.
fn verifier(value: Value<'_>, user: &str) -> Option<Verifier> {
    value.hide();
    match value.string()?.parse() {
        Ok(verifier) => Some(verifier),
        Err(bad) => {
            let message = format!("the password of `{user}` cannot be used: {bad}");
            let finding = Finding::error("bad-verifier", value.place(), message);
            value.findings().add(finding.help(format!("make one with `sekisho passwd {user}`")));
            None
        }
    }
}

fn integer(value: Value<'_>, digits: &DeInteger<'_>) -> Option<Arc<str>> {
    let number = i64::from_str_radix(digits.as_str(), digits.radix());
    if number.is_err() {
        value.error("bad-value", "this number is too large");
    }
    number.ok().map(|number| Arc::from(number.to_string()))
}

fn attributes(value: Value<'_>) -> Attributes {
    let attributes = value.names("a table such as `{ region = \"EU\" }`", |name, value| {
        if BUILT_IN_ATTRIBUTES.contains(&&*name.value) {
            let message = format!("the attribute `{}` is built in", name.value);
            value.findings().add(Finding::error("reserved-name", name.place, message));
            return None;
        }
        let text: Arc<str> = match value.raw() {
            DeValue::String(text) => Arc::from(&**text),
            DeValue::Integer(digits) => integer(value, digits)?,
            DeValue::Boolean(value) => Arc::from(value.to_string()),
            DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
                return value.wrong_type("a string, an integer or a boolean");
            }
        };
        Some((name.value, text))
    });
    attributes.into_iter().collect()
}
