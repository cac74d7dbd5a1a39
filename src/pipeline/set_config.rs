//! `SELECT set_config('name', 'value', false)`: SET as a function, in the two forms that drivers and `pg_dump` send.
//!
//! The other one asks the catalog whether the server has the setting:
//! `SELECT set_config(name, 'value', false) FROM pg_settings WHERE name = 'name'`.

use super::session_statement::{Course, set};
use super::virtual_database::VirtualDatabase;
use crate::resolve::Refusal;
use crate::sql::Engine;
use crate::sql::ast::{
    Assignment, Call, Expr, ExprKind, Literal, ObjectName, Query, QueryBody, Select, SelectItem, SetScope, SetValue,
    Statement, TableRef, Tokens,
};
use crate::sql::token::{Token, TokenKind};

/// A text and its tokens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: &'a [Token],
}

/// The course of a statement of one of the two forms; `None` for every other statement.
pub(super) fn course(
    database: &VirtualDatabase,
    source: Source<'_>,
    statement: &Statement,
) -> Result<Option<Course>, Refusal> {
    let Some((select, call)) = only_call(statement) else { return Ok(None) };
    let is_ours = |name: &ObjectName| match name.parts.as_slice() {
        [function] => {
            let all = database.snapshot().functions("set_config");
            *function.value == *"set_config" && all.iter().all(|function| *function.schema == *"pg_catalog")
        }
        [schema, function] => *schema.value == *"pg_catalog" && *function.value == *"set_config",
        _ => false,
    };
    let [name, value, local] = call.arguments.as_slice() else { return Ok(None) };
    if database.engine() != Engine::Postgres || !is_ours(&call.name) {
        return Ok(None);
    }
    let named = source.string(name).or_else(|| source.setting_asked_for(select, name));
    let (Some(setting), Some(value), Some(local)) = (named, source.string(value), source.boolean(local)) else {
        return Ok(None);
    };
    let Some(values) = values(&setting, &value) else { return Ok(None) };
    let assignment = Assignment {
        scope: if local { SetScope::Local } else { SetScope::Session },
        name: setting.to_ascii_lowercase().into(),
        values,
        tokens: name.tokens.clone(),
    };
    let effect = set(database, &assignment)?;
    let (setting, value) = (literal(&setting), literal(&value));
    let sql = if select.from.is_empty() {
        format!("SELECT pg_catalog.set_config({setting}, {value}, {local})")
    } else {
        format!(
            "SELECT pg_catalog.set_config(s.name, {value}, {local}) FROM (SELECT name FROM pg_catalog.pg_settings \
             WHERE name = {setting}) AS s"
        )
    };
    Ok(Some(Course::Instead { sql, effect }))
}

/// The call that is all that a statement selects.
fn only_call(statement: &Statement) -> Option<(&Select, &Call)> {
    let Statement::Query(query) = statement else { return None };
    let Query { with: None, body: QueryBody::Select(select), order_by, limit, locking, tokens: _ } = &**query else {
        return None;
    };
    let [SelectItem::Expr { expr: Expr { kind: ExprKind::Call(call), .. }, alias: None }] = select.items.as_slice()
    else {
        return None;
    };
    let bare = order_by.is_empty()
        && limit.is_empty()
        && locking.is_empty()
        && select.distinct_on.is_empty()
        && select.into.is_none()
        && select.group_by.is_empty()
        && !select.grouping_sets
        && select.having.is_none()
        && select.windows.is_empty()
        && select.from.is_empty() == select.filter.is_none()
        && call.order_by.is_empty()
        && call.filter.is_none()
        && call.over.is_none();
    bare.then_some((select, call))
}

impl<'a> Source<'a> {
    /// The text of some tokens.
    pub(super) fn text_of(self, tokens: &Tokens) -> &'a str {
        let at = |token: u32| self.tokens.get(usize::try_from(token).ok()?);
        let bounds = tokens.end.checked_sub(1).and_then(|last| Some((at(tokens.start)?, at(last)?)));
        let text = bounds.and_then(|(first, last)| self.text.get(first.start as usize..last.end as usize));
        text.unwrap_or_default()
    }

    /// The content of a plain string.
    pub(super) fn string(self, expr: &Expr) -> Option<String> {
        let ExprKind::Literal(Literal::String) = expr.kind else { return None };
        let token = self.tokens.get(usize::try_from(expr.tokens.start).ok()?)?;
        if token.kind != TokenKind::String || expr.tokens.len() != 1 {
            return None;
        }
        let inside = token.text(self.text).strip_prefix('\'')?.strip_suffix('\'')?;
        (!inside.contains('\'') && !inside.contains('\\')).then(|| inside.to_owned())
    }

    fn boolean(self, expr: &Expr) -> Option<bool> {
        let ExprKind::Literal(Literal::Boolean) = expr.kind else { return None };
        let token = self.tokens.get(usize::try_from(expr.tokens.start).ok()?)?;
        Some(token.text(self.text).eq_ignore_ascii_case("true"))
    }

    /// `name … FROM pg_settings WHERE name = 'x'`: x.
    fn setting_asked_for(self, select: &Select, name: &Expr) -> Option<String> {
        let [TableRef::Relation(settings)] = select.from.as_slice() else { return None };
        let from_catalog = match settings.name.parts.as_slice() {
            [table] => *table.value == *"pg_settings",
            [schema, table] => *schema.value == *"pg_catalog" && *table.value == *"pg_settings",
            _ => false,
        };
        let is_name = |expr: &Expr| matches!(&expr.kind, ExprKind::Column(column) if is_bare(column, "name"));
        let ExprKind::Operation(operation) = &select.filter.as_ref()?.kind else { return None };
        let [left, right] = operation.operands.as_slice() else { return None };
        let equals = operation.operator.schema.is_none() && *operation.operator.symbol == *"=";
        let plain = from_catalog && settings.alias.is_none() && settings.sample.is_none();
        (plain && equals && is_name(left) && is_name(name)).then(|| self.string(right)).flatten()
    }
}

fn is_bare(column: &ObjectName, name: &str) -> bool {
    matches!(column.parts.as_slice(), [only] if *only.value == *name)
}

/// What SET would be given. A list of schemas is one string here; one whose names need quotes or folding is not
/// understood.
fn values(setting: &str, value: &str) -> Option<Vec<SetValue>> {
    if !setting.eq_ignore_ascii_case("search_path") || value.trim().is_empty() {
        return Some(vec![SetValue::String(value.trim().into())]);
    }
    if value.contains(|c: char| c == '"' || c.is_uppercase()) {
        return None;
    }
    Some(value.split(',').map(|schema| SetValue::String(schema.trim().into())).collect())
}

/// A string that holds neither quote nor backslash.
fn literal(text: &str) -> String {
    format!("'{text}'")
}
