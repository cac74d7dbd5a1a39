//! Statements about the session rather than about data: settings, transactions, roles, cursors.

use std::sync::Arc;

use super::verdict::Effect;
use super::virtual_database::VirtualDatabase;
use crate::catalog::known::{self, SettingRule};
use crate::resolve::Refusal;
use crate::sql::Engine;
use crate::sql::ast::{Assignment, CreateAsKind, SetScope, SetValue, Statement, Transaction};

/// What becomes of a statement.
pub(super) enum Course {
    /// Its own tokens go to the server.
    Unchanged(Effect),
    /// Something else goes to the server, whose answer looks the same.
    Instead {
        /// The text.
        sql: String,
        /// What it changes.
        effect: Effect,
    },
    /// It names objects: it is resolved and rewritten.
    Resolve(Effect),
}

/// Decides which course a statement takes. `alone`: it is the only one of its text.
pub(super) fn course(database: &VirtualDatabase, statement: &Statement, alone: bool) -> Result<Course, Refusal> {
    if let Some(role) = set_role(database, statement) {
        let effect = role?;
        if !alone {
            return Err(
                Refusal::unsupported("`SET ROLE` must be the only statement of its text").advise("send it on its own")
            );
        }
        return Ok(Course::Instead { sql: role_marker(database, &effect), effect });
    }
    Ok(match statement {
        Statement::Set(assignments) => {
            for assignment in assignments {
                check_assignment(database, assignment)?;
            }
            Course::Unchanged(effect(statement))
        }
        Statement::Reset(Some(name)) => {
            changeable(name)?;
            Course::Unchanged(effect(statement))
        }
        Statement::ShowSetting(Some(name)) => {
            readable(database, name)?;
            Course::Unchanged(Effect::None)
        }
        Statement::ShowSetting(None) => {
            return Err(Refusal::unsupported("`SHOW ALL` is not allowed").advise("show one setting by name"));
        }
        Statement::Transaction(Transaction::TwoPhase) => {
            return Err(Refusal::unsupported("two-phase commit is not allowed")
                .because("a prepared transaction outlives the session that was checked"));
        }
        Statement::Reset(None)
        | Statement::Transaction(_)
        | Statement::Discard { .. }
        | Statement::Listen
        | Statement::Notify
        | Statement::Fetch(_)
        | Statement::Close(_)
        | Statement::Deallocate(_) => Course::Unchanged(effect(statement)),
        Statement::Query(_)
        | Statement::Insert(_)
        | Statement::Update(_)
        | Statement::Delete(_)
        | Statement::Merge(_)
        | Statement::Copy(_)
        | Statement::Explain(_)
        | Statement::DeclareCursor(_)
        | Statement::Prepare(_)
        | Statement::Execute { .. }
        | Statement::CreateAs(_)
        | Statement::Ddl(_)
        | Statement::LockTables(_)
        | Statement::UnlockTables
        | Statement::Show(_)
        | Statement::Use(_)
        | Statement::Call { .. }
        | Statement::Kill { .. }
        | Statement::Other { .. } => Course::Resolve(effect(statement)),
    })
}

/// What a statement changes in the session.
pub(super) fn effect(statement: &Statement) -> Effect {
    match statement {
        Statement::Set(assignments) => {
            assignments.iter().map(set_effect).find(|e| *e != Effect::None).unwrap_or(Effect::None)
        }
        Statement::Reset(None) => Effect::ResetAll { discard: false },
        Statement::Reset(Some(name)) if **name == *"search_path" => Effect::SetSearchPath { path: None, local: false },
        Statement::Discard { all: true } => Effect::ResetAll { discard: true },
        Statement::Transaction(Transaction::Savepoint(name)) => Effect::Savepoint(name.value.clone()),
        Statement::Transaction(Transaction::RollbackTo(name)) => Effect::RollbackTo(name.value.clone()),
        Statement::Transaction(Transaction::Release(name)) => Effect::Release(name.value.clone()),
        Statement::Prepare(prepare) => Effect::Prepare(prepare.name.value.clone()),
        Statement::Execute { name, .. } => Effect::Execute(name.value.clone()),
        Statement::Deallocate(name) => Effect::Deallocate(name.as_ref().map(|name| name.value.clone())),
        Statement::Use(name) => Effect::Use(name.value.clone()),
        Statement::CreateAs(create) if create.temporary && create.kind == CreateAsKind::Table => Effect::None,
        Statement::CreateAs(_) | Statement::Ddl(_) | Statement::Call { name: Some(_), .. } => Effect::Ddl,
        Statement::Other { words } if is_ddl(words) => Effect::Ddl,
        Statement::Reset(Some(_))
        | Statement::Query(_)
        | Statement::Insert(_)
        | Statement::Update(_)
        | Statement::Delete(_)
        | Statement::Merge(_)
        | Statement::Copy(_)
        | Statement::Explain(_)
        | Statement::DeclareCursor(_)
        | Statement::Fetch(_)
        | Statement::Close(_)
        | Statement::LockTables(_)
        | Statement::UnlockTables
        | Statement::Transaction(_)
        | Statement::ShowSetting(_)
        | Statement::Show(_)
        | Statement::Discard { all: false }
        | Statement::Listen
        | Statement::Notify
        | Statement::Call { name: None, .. }
        | Statement::Kill { .. }
        | Statement::Other { .. } => Effect::None,
    }
}

/// Whether a statement known by its first words can change what the catalog holds.
fn is_ddl(words: &str) -> bool {
    let first = words.split_whitespace().next().unwrap_or_default();
    matches!(first, "CREATE" | "ALTER" | "DROP" | "DO" | "IMPORT" | "RENAME" | "REASSIGN")
}

fn set_effect(assignment: &Assignment) -> Effect {
    let local = assignment.scope == SetScope::Local;
    match &*assignment.name {
        "search_path" => {
            let words = assignment.values.iter().map(word);
            let path: Option<Vec<Box<str>>> = words.collect();
            let path = path.filter(|path| !path.is_empty()).map(Arc::from);
            Effect::SetSearchPath { path, local }
        }
        _ => Effect::None,
    }
}

/// The text of a value that is one word or string.
fn word(value: &SetValue) -> Option<Box<str>> {
    match value {
        SetValue::Word(text) | SetValue::String(text) | SetValue::Number(text) => Some(text.clone()),
        SetValue::Expr(_) => None,
    }
}

/// `SET ROLE x` where `x` is a role of the user's rules, or back to the first one. `None` when the statement is none
/// or, for an unrestricted role, when it means a role of the server.
pub(super) fn set_role(database: &VirtualDatabase, statement: &Statement) -> Option<Result<Effect, Refusal>> {
    let person = database.person();
    let first = || person.roles.first().cloned().unwrap_or_else(|| Arc::clone(&database.role().name));
    let wanted = match statement {
        Statement::Set(assignments) => match assignments.as_slice() {
            [only] if *only.name == *"role" => match only.values.first() {
                None => first(),
                Some(value) => Arc::from(word(value)?),
            },
            _ => return None,
        },
        Statement::Reset(Some(name)) if **name == *"role" => first(),
        _ => return None,
    };
    let wanted = if *wanted == *"none" { first() } else { wanted };
    if person.roles.contains(&wanted) {
        return Some(Ok(Effect::SetRole(wanted)));
    }
    if database.role().unrestricted {
        return None;
    }
    let own: Vec<String> = person.roles.iter().map(|role| format!("`{role}`")).collect();
    Some(Err(Refusal::forbidden(format!("user `{}` does not have role `{wanted}`", person.user))
        .advise(format!("roles of this user: {}", own.join(", ")))))
}

/// A text that the server answers as it would answer SET, and that changes nothing.
fn role_marker(database: &VirtualDatabase, effect: &Effect) -> String {
    let role = match effect {
        Effect::SetRole(role) => role.replace('\'', "''"),
        _ => String::new(),
    };
    match database.engine() {
        Engine::Postgres => format!("SET sekisho.role = '{role}'"),
        Engine::MySql => format!("SET @sekisho_role = '{role}'"),
    }
}

/// The text that stands for `SET ROLE` for an unrestricted role.
pub(super) fn unrestricted_role_marker(database: &VirtualDatabase, effect: &Effect) -> String {
    role_marker(database, effect)
}

/// Decides about one setting, and says what it changes.
pub(super) fn set(database: &VirtualDatabase, assignment: &Assignment) -> Result<Effect, Refusal> {
    check_assignment(database, assignment)?;
    Ok(set_effect(assignment))
}

fn check_assignment(database: &VirtualDatabase, assignment: &Assignment) -> Result<(), Refusal> {
    let name = &*assignment.name;
    let at = Some(assignment.tokens.start);
    match name {
        "names" | "client_encoding" => {
            let utf8 = assignment.values.iter().all(|value| word(value).is_some_and(|word| is_utf8(&word)));
            return if utf8 {
                Ok(())
            } else {
                Err(Refusal::unsupported("the client encoding must be UTF8")
                    .because("statements are read as UTF-8 text")
                    .at(at))
            };
        }
        "search_path" => return check_search_path(database, assignment),
        "transaction" | "session characteristics" => return Ok(()),
        _ => {}
    }
    match database.setting(name) {
        SettingRule::Harmless => Ok(()),
        SettingRule::Pinned(_) if keeps_value(name, assignment) => Ok(()),
        SettingRule::Pinned(why) | SettingRule::Refused(why) => {
            Err(Refusal::forbidden(format!("setting `{name}` may not be changed by role `{}`", database.role().name))
                .because(why)
                .at(at))
        }
    }
}

fn is_utf8(word: &str) -> bool {
    matches!(word.to_ascii_lowercase().replace('-', "").as_str(), "utf8" | "unicode" | "utf8mb4" | "default")
}

/// Whether a pinned setting is given the value that it is pinned to.
fn keeps_value(name: &str, assignment: &Assignment) -> bool {
    let value = assignment.values.first().and_then(word).unwrap_or_default().to_ascii_lowercase();
    match name {
        "standard_conforming_strings" => matches!(&*value, "on" | "true" | "1" | "yes"),
        "backslash_quote" => &*value == "safe_encoding",
        "session authorization" | "session_authorization" => value.is_empty(),
        _ => false,
    }
}

/// `pg_catalog` is searched first, as names are resolved here; schemas are words, so that all of them are known.
fn check_search_path(database: &VirtualDatabase, assignment: &Assignment) -> Result<(), Refusal> {
    let late = assignment.values.iter().skip(1).any(|value| word(value).as_deref() == Some("pg_catalog"));
    let temporary = assignment.values.iter().any(|value| word(value).is_some_and(|word| word.starts_with("pg_temp")));
    let unknown = assignment.values.iter().any(|value| word(value).is_none());
    if late || unknown || temporary {
        return Err(Refusal::unsupported(format!(
            "this `search_path` is not allowed for role `{}`",
            database.role().name
        ))
        .because("built-in functions must be found first")
        .advise("leave `pg_catalog` and `pg_temp` out")
        .at(Some(assignment.tokens.start)));
    }
    Ok(())
}

fn changeable(name: &str) -> Result<(), Refusal> {
    match known::postgres::setting(name) {
        SettingRule::Harmless | SettingRule::Pinned(_) => Ok(()),
        SettingRule::Refused(why) => Err(Refusal::forbidden(format!("setting `{name}` may not be reset")).because(why)),
    }
}

fn readable(database: &VirtualDatabase, name: &str) -> Result<(), Refusal> {
    if database.setting(name).may_read() || matches!(name, "role" | "session_authorization") {
        return Ok(());
    }
    Err(Refusal::forbidden(format!("setting `{name}` is not readable by role `{}`", database.role().name)))
}
