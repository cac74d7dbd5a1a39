//! MySQL's SET and USE.

use std::borrow::Cow;

use super::super::set_config::Source;
use super::super::verdict::Effect;
use super::super::virtual_database::{Settings, VirtualDatabase};
use super::{Course, character_set, word};
use crate::catalog::known::{self, SettingRule};
use crate::resolve::{Refusal, Rules};
use crate::sql::Engine;
use crate::sql::ast::{
    Assignment, Call, Ddl, DdlAction, Expr, ExprKind, Name, ObjectName, Query, QueryBody, SelectItem, SetScope,
    SetValue,
};
use crate::sql::mysql::SqlMode;

/// Modes that change how text is read in a way that is not served.
const OTHER_LANGUAGES: &[&str] = &["oracle", "mssql", "db2", "maxdb", "postgresql", "ansi"];

/// Modes that change neither how text is read nor what masks and filters give.
const HARMLESS_MODES: &[&str] = &[
    "allow_invalid_dates",
    "error_for_division_by_zero",
    "ignore_bad_table_options",
    "no_auto_create_user",
    "no_auto_value_on_zero",
    "no_dir_in_create",
    "no_engine_substitution",
    "no_field_options",
    "no_key_options",
    "no_table_options",
    "no_unsigned_subtraction",
    "no_zero_date",
    "no_zero_in_date",
    "only_full_group_by",
    "real_as_float",
    "time_round_fractional",
    "time_truncate_fractional",
];

/// What connectors ask to be told about beside what the proxy needs to be told: the proxy's own list stays.
const TRACKED: &str = "session_track_system_variables";

/// Decides about SET.
pub(super) fn set(
    database: &VirtualDatabase,
    settings: &Settings,
    source: Source<'_>,
    assignments: &[Assignment],
) -> Result<Course, Refusal> {
    let mut effect = Effect::None;
    let mut sent: Vec<Cow<'_, str>> = Vec::with_capacity(assignments.len());
    let mut changed = false;
    for assignment in assignments {
        let session = matches!(assignment.scope, SetScope::Session | SetScope::Local);
        if session && &*assignment.name == TRACKED && assignment.values.iter().all(|value| word(value).is_some()) {
            changed = true;
            continue;
        }
        if let Some(pinned) = character_set::pinned(assignment)? {
            changed = true;
            sent.push(pinned.into());
            continue;
        }
        if session && &*assignment.name == "sql_mode" {
            effect = Effect::SetSqlMode(sql_mode(settings, source, assignment)?);
        } else if !keeps_value(assignment) {
            check(database, assignment)?;
        }
        sent.push(source.text_of(&assignment.tokens).into());
    }
    if !changed {
        return Ok(Course::Unchanged(effect));
    }
    let sql = if sent.is_empty() { "SET @sekisho_tracked = 1".to_owned() } else { format!("SET {}", sent.join(", ")) };
    Ok(Course::Instead { sql, effect })
}

/// Whether a pinned variable is given the value that it is pinned to.
fn keeps_value(assignment: &Assignment) -> bool {
    let [value] = assignment.values.as_slice() else { return false };
    let value = text(value).unwrap_or_default();
    match (&*assignment.name, assignment.scope) {
        ("session_track_schema", SetScope::Session) => matches!(&*value, "1" | "on" | "true"),
        ("sql_auto_is_null", SetScope::Session) => matches!(&*value, "0" | "off" | "false"),
        ("lc_time_names", SetScope::Session) => matches!(&*value, "en_us" | "default"),
        ("default_week_format", SetScope::Session) => matches!(&*value, "0" | "default"),
        ("sql_big_selects", SetScope::Session) => matches!(&*value, "1" | "on" | "true" | "default"),
        ("max_join_size", SetScope::Session) => matches!(&*value, "18446744073709551615" | "default"),
        _ => false,
    }
}

fn check(database: &VirtualDatabase, assignment: &Assignment) -> Result<(), Refusal> {
    let name = &*assignment.name;
    let at = Some(assignment.tokens.start);
    match assignment.scope {
        SetScope::Session | SetScope::Local => {}
        SetScope::Global => return Err(Refusal::forbidden(format!("global variable `{name}` may not be set")).at(at)),
        SetScope::UserVariable => {
            return Err(Refusal::unsupported("user variables are not allowed")
                .advise("use a common table expression or a window function")
                .at(at));
        }
    }
    if !assignment.values.iter().all(is_constant) {
        return Err(Refusal::unsupported(format!("`{name}` may only be set to a constant")).at(at));
    }
    if name == "transaction" {
        return Ok(());
    }
    if name == "sql_select_limit" && !assignment.values.iter().all(lets_rows_through) {
        return Err(Refusal::unsupported("`sql_select_limit` may only be a number above 0, or DEFAULT")
            .because("what the proxy asks the server is answered in rows")
            .at(at));
    }
    match database.setting(name) {
        SettingRule::Harmless => Ok(()),
        SettingRule::Pinned(why) | SettingRule::Refused(why) => {
            Err(Refusal::forbidden(format!("variable `{name}` may not be set by role `{}`", database.role().name))
                .because(why)
                .at(at))
        }
    }
}

fn lets_rows_through(value: &SetValue) -> bool {
    text(value).is_some_and(|value| value == "default" || value.parse::<u64>().is_ok_and(|rows| rows > 0))
}

/// The value as a word, if it is one.
fn text(value: &SetValue) -> Option<String> {
    word(value).map(|word| word.to_lowercase())
}

fn is_constant(value: &SetValue) -> bool {
    match value {
        SetValue::Word(_) | SetValue::String(_) | SetValue::Number(_) => true,
        SetValue::Expr(expr) => is_constant_expr(expr),
    }
}

fn is_constant_expr(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Literal(_) | ExprKind::Default => true,
        ExprKind::Operation(operation) => {
            matches!(&*operation.operator.symbol, "-" | "+" | "*") && operation.operands.iter().all(is_constant_expr)
        }
        ExprKind::Variable { system: true, name } => known::mysql::variable(last_part(name)).may_read(),
        _ => false,
    }
}

fn last_part(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// The flags that a new `sql_mode` has, as far as reading text goes.
fn sql_mode(settings: &Settings, source: Source<'_>, assignment: &Assignment) -> Result<SqlMode, Refusal> {
    let at = Some(assignment.tokens.start);
    let refuse = |why: &str| Err(Refusal::unsupported(format!("this `sql_mode` is not allowed: {why}")).at(at));
    let Some(value) = assignment.values.first() else { return refuse("it must be a string") };
    let (mut mode, value) = match (text(value), added_modes(source, value)) {
        (Some(value), _) => (SqlMode { lenient: true, ..SqlMode::default() }, value),
        (None, Some(added)) => (settings.sql_mode, added),
        (None, None) => return refuse("it must be a string"),
    };
    for word in value.split(',').map(str::trim) {
        match word {
            "ansi_quotes" => mode.ansi_quotes = true,
            "pipes_as_concat" => mode.pipes_as_concat = true,
            "no_backslash_escapes" => mode.no_backslash_escapes = true,
            "high_not_precedence" => mode.high_not_precedence = true,
            "ignore_space" => mode.ignore_space = true,
            "strict_trans_tables" | "strict_all_tables" | "traditional" => mode.lenient = false,
            "default" => return refuse("name its modes"),
            "pad_char_to_full_length" | "empty_string_is_null" | "simultaneous_assignment" => {
                return refuse("it changes what rules for tables mean");
            }
            other if OTHER_LANGUAGES.contains(&other) => return refuse("it reads another language"),
            "" => {}
            other if HARMLESS_MODES.contains(&other) => {}
            _ => return refuse("it has an unknown mode"),
        }
    }
    Ok(mode)
}

/// `CONCAT(@@sql_mode, ',STRICT_TRANS_TABLES')`, alone or as `(SELECT CONCAT(…))`, as connectors write it: the modes
/// that are added.
fn added_modes(source: Source<'_>, value: &SetValue) -> Option<String> {
    let SetValue::Expr(expr) = value else { return None };
    let call = match &expr.kind {
        ExprKind::Call(call) => call,
        ExprKind::Subquery(query) => only_call(query)?,
        _ => return None,
    };
    let [function] = call.name.parts.as_slice() else { return None };
    let [Expr { kind: ExprKind::Variable { system: true, name }, .. }, added] = call.arguments.as_slice() else {
        return None;
    };
    let current = matches!(&**name, "sql_mode" | "session.sql_mode" | "local.sql_mode");
    (function.value.eq_ignore_ascii_case("concat") && current)
        .then(|| source.string(added))
        .flatten()
        .filter(|added| added.starts_with(','))
        .map(|added| added.to_lowercase())
}

/// The call that a query consists of: `SELECT f(…)`.
fn only_call(query: &Query) -> Option<&Call> {
    let QueryBody::Select(select) = &query.body else { return None };
    let [SelectItem::Expr { expr: Expr { kind: ExprKind::Call(call), .. }, .. }] = select.items.as_slice() else {
        return None;
    };
    let bare = query.with.is_none()
        && query.order_by.is_empty()
        && query.limit.is_empty()
        && query.locking.is_empty()
        && select.into.is_none()
        && select.from.is_empty()
        && select.filter.is_none()
        && select.group_by.is_empty()
        && select.having.is_none()
        && select.windows.is_empty();
    bare.then_some(call)
}

/// Whether a statement is DROP … IF EXISTS of tables or views none of which is in the catalog, and not all of which
/// the role could drop if they were.
pub(super) fn drops_nothing(database: &VirtualDatabase, settings: &Settings, ddl: &Ddl) -> bool {
    let rules = database.rules();
    let world = database.world(settings, &rules);
    let is_known = |name: &ObjectName| {
        name.object().is_none_or(|object| {
            let schema = name.qualifier().map(|schema| &*schema.value);
            schema.is_none() && world.search_path.is_empty() || world.relation(schema, &object.value).is_some()
        })
    };
    let may_drop = |name: &ObjectName| {
        let schema = name.qualifier().map(|schema| &schema.value).or(world.search_path.first());
        schema.zip(name.object()).is_some_and(|(schema, object)| rules.may_drop(schema, &object.value))
    };
    database.engine() == Engine::MySql
        && ddl.action == DdlAction::Drop
        && ddl.if_exists
        && ddl.complete
        && matches!(&*ddl.object, "TABLE" | "VIEW")
        && !ddl.names.iter().any(is_known)
        && !ddl.names.iter().all(may_drop)
}

/// Decides about USE.
pub(super) fn use_schema(database: &VirtualDatabase, name: &Name) -> Result<Course, Refusal> {
    let own = name.value.eq_ignore_ascii_case("information_schema");
    if own || database.sees_schema(&name.value) {
        return Ok(Course::Unchanged(Effect::Use(name.value.clone())));
    }
    Err(Refusal::forbidden(format!("database `{}` is not granted to role `{}`", name.value, database.role().name))
        .at(Some(name.token)))
}
