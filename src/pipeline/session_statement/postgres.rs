//! PostgreSQL's settings: which may be changed, read, reset.

use super::super::virtual_database::VirtualDatabase;
use super::word;
use crate::catalog::known::{self, SettingRule};
use crate::resolve::{Refusal, Rules};
use crate::sql::ast::Assignment;

/// Whether a SET is harmless.
pub(super) fn check_assignments(database: &VirtualDatabase, assignments: &[Assignment]) -> Result<(), Refusal> {
    assignments.iter().try_for_each(|assignment| check_assignment(database, assignment))
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

/// Whether a setting may be reset.
pub(super) fn changeable(name: &str) -> Result<(), Refusal> {
    match known::postgres::setting(name) {
        SettingRule::Harmless | SettingRule::Pinned(_) => Ok(()),
        SettingRule::Refused(why) => Err(Refusal::forbidden(format!("setting `{name}` may not be reset")).because(why)),
    }
}

/// Whether a setting may be shown.
pub(super) fn readable(database: &VirtualDatabase, name: &str) -> Result<(), Refusal> {
    if database.setting(name).may_read() || matches!(name, "role" | "session_authorization") {
        return Ok(());
    }
    Err(Refusal::forbidden(format!("setting `{name}` is not readable by role `{}`", database.role().name)))
}

/// What answers `SHOW ALL`: the settings that `pg_settings` shows, as SHOW writes them.
pub(super) fn every_setting(database: &VirtualDatabase) -> Result<String, Refusal> {
    let refusal = || Refusal::unsupported("`SHOW ALL` is not allowed").advise("show one setting by name");
    let settings = database.snapshot().find("pg_catalog", "pg_settings").ok_or_else(refusal)?;
    let view = database.rules().system(settings);
    let shown = database.system_table(settings, view, &[])?.ok_or_else(refusal)?;
    Ok(format!(
        "SELECT name, pg_catalog.current_setting(name, true) AS setting, short_desc AS description \
         FROM {shown} AS pg_settings ORDER BY name"
    ))
}
