//! Statements about the session rather than about data: settings, transactions, roles, cursors.

mod character_set;
mod mysql;
mod postgres;
mod show;
mod show_condition;

use std::sync::Arc;

use super::set_config::Source;
use super::verdict::Effect;
use super::virtual_database::{Settings, VirtualDatabase};
use crate::resolve::Refusal;
use crate::sql::Engine;
use crate::sql::ast::{
    self, Assignment, CreateAsKind, Discarded, Query, QueryBody, SetScope, SetValue, Statement, Transaction,
};

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
pub(super) fn course(
    database: &VirtualDatabase,
    settings: &Settings,
    source: Source<'_>,
    statement: &Statement,
    alone: bool,
) -> Result<Course, Refusal> {
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
            match database.engine() {
                Engine::Postgres => postgres::check_assignments(database, assignments)?,
                Engine::MySql => return mysql::set(database, settings, source, assignments),
            }
            Course::Unchanged(effect(statement))
        }
        Statement::Show(show) => return show::course(database, settings, source, show),
        Statement::Use(name) => return mysql::use_schema(database, name),
        Statement::Reset(Some(name)) => {
            postgres::changeable(name)?;
            Course::Unchanged(effect(statement))
        }
        Statement::ShowSetting(Some(name)) => {
            postgres::readable(database, name)?;
            Course::Unchanged(Effect::None)
        }
        Statement::ShowSetting(None) => {
            return Ok(Course::Instead { sql: postgres::every_setting(database)?, effect: Effect::None });
        }
        Statement::Transaction(Transaction::TwoPhase) => {
            return Err(Refusal::unsupported("two-phase commit is not allowed")
                .because("a prepared transaction outlives the session that was checked"));
        }
        Statement::Reset(None)
        | Statement::Transaction(_)
        | Statement::Discard(_)
        | Statement::Listen
        | Statement::Notify
        | Statement::Fetch(_)
        | Statement::Close(_)
        | Statement::Deallocate(_) => Course::Unchanged(effect(statement)),
        // What is dropped if it is there, and is not.
        Statement::Ddl(ddl) if mysql::drops_nothing(database, settings, ddl) => {
            Course::Instead { sql: "DO 0".to_owned(), effect: Effect::None }
        }
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
        Statement::Discard(Discarded::All) => Effect::ResetAll { discard: true },
        Statement::Discard(Discarded::Temporary) => Effect::DropTemporary(None),
        Statement::Transaction(Transaction::Savepoint(name)) => Effect::Savepoint(name.value.clone()),
        Statement::Transaction(Transaction::RollbackTo(name)) => Effect::RollbackTo(name.value.clone()),
        Statement::Transaction(Transaction::Release(name)) => Effect::Release(name.value.clone()),
        Statement::Prepare(prepare) => Effect::Prepare(prepare.name.value.clone()),
        Statement::Execute { name, .. } => Effect::Execute(name.value.clone()),
        Statement::Deallocate(name) => Effect::Deallocate(name.as_ref().map(|name| name.value.clone())),
        Statement::Use(name) => Effect::Use(name.value.clone()),
        Statement::DeclareCursor(declare) => Effect::Declare(declare.name.value.clone()),
        Statement::Fetch(name) => Effect::Fetch(name.value.clone()),
        Statement::CreateAs(create) if create.temporary && create.kind == CreateAsKind::Table => Effect::None,
        Statement::CreateAs(_) | Statement::Ddl(_) | Statement::Call { name: Some(_), .. } => Effect::Ddl,
        Statement::Query(query) if makes_table(query) => Effect::Ddl,
        Statement::Explain(explain) if explain.analyze && effect(&explain.statement) == Effect::Ddl => Effect::Ddl,
        Statement::Other { words } if is_ddl(words) => Effect::Ddl,
        Statement::Reset(Some(_))
        | Statement::Query(_)
        | Statement::Insert(_)
        | Statement::Update(_)
        | Statement::Delete(_)
        | Statement::Merge(_)
        | Statement::Copy(_)
        | Statement::Explain(_)
        | Statement::Close(_)
        | Statement::LockTables(_)
        | Statement::UnlockTables
        | Statement::Transaction(_)
        | Statement::ShowSetting(_)
        | Statement::Show(_)
        | Statement::Discard(Discarded::Other)
        | Statement::Listen
        | Statement::Notify
        | Statement::Call { name: None, .. }
        | Statement::Kill { .. }
        | Statement::Other { .. } => Effect::None,
    }
}

/// SELECT … INTO a table that stays. INTO stands in the first SELECT of a chain.
fn makes_table(query: &Query) -> bool {
    match &query.body {
        QueryBody::Select(select) => matches!(select.into, Some(ast::Into::Table { temporary: false, .. })),
        QueryBody::SetOperation { left, .. } => makes_table(left),
        QueryBody::Nested(query) => makes_table(query),
        QueryBody::Values(_) | QueryBody::Table(_) | QueryBody::Write(_) => false,
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
pub(super) fn word(value: &SetValue) -> Option<Box<str>> {
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
    let (wanted, names_none) = if *wanted == *"none" { (first(), true) } else { (wanted, false) };
    let goes_back =
        names_none || !matches!(statement, Statement::Set(only) if only.iter().any(|a| !a.values.is_empty()));
    if goes_back && database.role().unrestricted && wanted == database.role().name {
        // Back from a role of the server's.
        return None;
    }
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

/// Decides about one of PostgreSQL's settings, and says what it changes.
pub(super) fn set(database: &VirtualDatabase, assignment: &Assignment) -> Result<Effect, Refusal> {
    postgres::check_assignments(database, std::slice::from_ref(assignment))?;
    Ok(set_effect(assignment))
}
