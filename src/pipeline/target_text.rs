//! What changes around the target of a write: masks in the place of its columns, filters in its condition, checks of
//! the rows that are made.

use std::collections::BTreeMap;

use super::row_filter::{RowFilter, column_name, conjunction};
use super::stored;
use super::virtual_database::VirtualDatabase;
use crate::catalog::{Column, Relation, TypeClass};
use crate::policy::Treatment;
use crate::resolve::{NewRow, Refusal, RelationUse, Resolved, TargetColumn, TargetFilter};
use crate::rewrite::emit::{Replacement, source_of};
use crate::rewrite::masks;
use crate::sql::ast::Tokens;
use crate::sql::{Engine, Script};

/// The changes for all targets of a statement.
pub(super) fn replacements(
    database: &VirtualDatabase,
    text: &str,
    script: &Script,
    resolved: &Resolved,
) -> Result<Vec<Replacement>, Refusal> {
    let mut all = Vec::new();
    for column in &resolved.target_columns {
        if let Some((relation, used)) = target(database, resolved, column.place) {
            all.extend(masked_reference(database, relation, used, column)?);
        }
    }
    for filter in &resolved.target_filters {
        filtered_condition(database, resolved, filter, &mut all)?;
    }
    for row in &resolved.found_rows {
        if let Some((relation, _)) = target(database, resolved, row.target.place) {
            let condition = visible(database, relation, &row.target.qualifier)?;
            let filters = database.rules().filters(relation)?;
            let (start, end) = (row.value.start, row.value.end);
            all.push(Replacement::new(&(start..start), format!("CASE WHEN {condition} THEN (")));
            all.push(Replacement::new(&(end..end), format!(") ELSE {} END", raise(database.engine(), "", &filters))));
        }
    }
    for row in &resolved.new_rows {
        if let Some((relation, _)) = target(database, resolved, row.place) {
            checked_row(database, relation, row, |tokens| source_of(text, &script.tokens, tokens), &mut all)?;
        }
    }
    Ok(all)
}

fn target<'a>(
    database: &'a VirtualDatabase,
    resolved: &'a Resolved,
    place: usize,
) -> Option<(&'a Relation, &'a RelationUse)> {
    let used = resolved.relations.get(place)?;
    Some((database.snapshot().relation(used.relation)?, used))
}

/// The masked value in the place of a reference; nothing where the column is seen as it is.
fn masked_reference(
    database: &VirtualDatabase,
    relation: &Relation,
    used: &RelationUse,
    reference: &TargetColumn,
) -> Result<Option<Replacement>, Refusal> {
    let engine = database.engine();
    let context = database.mask_context(relation, Some(&reference.qualifier));
    let value = |position: usize, label: bool| -> Result<Option<String>, Refusal> {
        let (Some(column), Some(access)) = (relation.columns.get(position), used.access.columns.get(position)) else {
            return Ok(None);
        };
        let raw = column_name(engine, relation, Some(&reference.qualifier), position);
        match &access.treatment {
            Treatment::Denied => Ok(None),
            Treatment::Raw => Ok(Some(raw)),
            Treatment::Masked(mask) => {
                let masked = masks::render(engine, mask, column, &raw, &context)
                    .map_err(|error| Refusal::forbidden(error.to_string()).by(access.rule.as_ref()))?;
                let label =
                    if label { format!(" AS {}", engine.quote_identifier(&column.name)) } else { String::new() };
                Ok(Some(format!("({masked}){label}")))
            }
        }
    };
    if let Some(position) = reference.column {
        let text = match used.access.columns.get(position).map(|access| &access.treatment) {
            Some(Treatment::Raw) => return Ok(None),
            Some(Treatment::Masked(_)) => value(position, reference.label)?,
            Some(Treatment::Denied) | None => None,
        };
        let denied = || Refusal::forbidden("a denied column stands in the statement").at(Some(reference.tokens.start));
        return Ok(Some(Replacement::new(&reference.tokens, text.ok_or_else(denied)?)));
    }
    let mut columns = Vec::new();
    for position in 0..relation.columns.len() {
        columns.extend(value(position, true)?);
    }
    Ok(Some(Replacement::new(&reference.tokens, columns.join(", "))))
}

/// The filters go before the condition. A condition that could fail on hidden rows or observe them is looked at only
/// where the filters hold: CASE is what makes the server keep that order.
fn filtered_condition(
    database: &VirtualDatabase,
    resolved: &Resolved,
    filter: &TargetFilter,
    all: &mut Vec<Replacement>,
) -> Result<(), Refusal> {
    let mut conditions = Vec::new();
    for filtered in &filter.targets {
        if let Some((relation, _)) = target(database, resolved, filtered.place) {
            conditions.push(visible(database, relation, &filtered.qualifier)?);
        }
    }
    let condition = conditions.join(" AND ");
    let (start, end) = (filter.condition.start, filter.condition.end);
    if filter.missing {
        all.push(Replacement::new(&(start..start), format!("WHERE {condition}")));
    } else if filter.harmless {
        all.push(Replacement::new(&(start..start), format!("{condition} AND (")));
        all.push(Replacement::new(&(end..end), ")"));
    } else {
        // MySQL reads a joined table only for rows that conditions of their own have let through.
        let early = if database.engine() == Engine::MySql { format!("{condition} AND ") } else { String::new() };
        all.push(Replacement::new(&(start..start), format!("{early}CASE WHEN {condition} THEN (")));
        all.push(Replacement::new(&(end..end), ") ELSE false END"));
    }
    Ok(())
}

/// The condition under which a target's row is visible.
fn visible(database: &VirtualDatabase, relation: &Relation, qualifier: &str) -> Result<String, Refusal> {
    let filters = database.rules().filters(relation)?;
    let engine = database.engine();
    Ok(conjunction(&filters, |position| column_name(engine, relation, Some(qualifier), position)))
}

/// A row that a filter would hide is an error, as it is with the servers' own check options.
fn checked_row<'t>(
    database: &VirtualDatabase,
    relation: &Relation,
    row: &NewRow,
    source: impl Fn(&Tokens) -> &'t str,
    all: &mut Vec<Replacement>,
) -> Result<(), Refusal> {
    let filters = database.rules().filters(relation)?;
    let engine = database.engine();
    if let Some((tokens, columns)) = &row.source {
        let new = "sekisho_new";
        let names: Vec<String> = columns.iter().map(|column| column_name(engine, relation, None, *column)).collect();
        let condition = will_hold(database, relation, &filters, row, |position| {
            Some(column_name(engine, relation, Some(new), position))
        })?;
        let (start, end) = (tokens.start, tokens.end);
        for (column, value) in &row.untyped {
            if let Some(ty) = relation.columns.get(*column).and_then(type_of_literal) {
                all.push(Replacement::new(&(value.start..value.start), "CAST("));
                all.push(Replacement::new(&(value.end..value.end), format!("AS {ty})")));
            }
        }
        let rows = format!("{} ({})", engine.quote_identifier(new), names.join(", "));
        let check = format!("WHERE CASE WHEN {condition} THEN true ELSE {} END", raise(engine, "boolean", &filters));
        // MariaDB names the columns of a common table expression only.
        let (before, behind) = match engine {
            Engine::Postgres => ("SELECT * FROM (".to_owned(), format!(") AS {rows} {check}")),
            Engine::MySql => {
                (format!("WITH {rows} AS ("), format!(") SELECT * FROM {} {check}", engine.quote_identifier(new)))
            }
        };
        all.push(Replacement::new(&(start..start), before));
        all.push(Replacement::new(&(end..end), behind));
        return Ok(());
    }
    let Some((first, tokens)) = row.values.first() else { return Ok(()) };
    let given = |position: usize| row.values.iter().find(|(column, _)| *column == position);
    let condition = will_hold(database, relation, &filters, row, |position| {
        given(position).map(|(_, tokens)| format!("({})", source(tokens)))
    })?;
    let ty = relation.columns.get(*first).map(|column| &*column.ty.sql).unwrap_or_default();
    let value = match engine {
        Engine::Postgres => format!("CAST({} AS {ty})", source(tokens)),
        Engine::MySql => format!("({})", source(tokens)),
    };
    let text = format!("CASE WHEN {condition} THEN {value} ELSE {} END", raise(engine, ty, &filters));
    all.push(Replacement::new(tokens, text));
    Ok(())
}

/// The filters over a row as it will be stored. `given` is what the statement writes for a column; one without keeps its
/// value.
fn will_hold(
    database: &VirtualDatabase,
    relation: &Relation,
    filters: &[RowFilter],
    row: &NewRow,
    given: impl Fn(usize) -> Option<String>,
) -> Result<String, Refusal> {
    let engine = database.engine();
    let mut guards = Vec::new();
    let mut values = BTreeMap::new();
    for position in filters.iter().flat_map(RowFilter::columns) {
        let (Some(column), Some(value)) = (relation.columns.get(position), given(position)) else { continue };
        let Some(stored) = stored::value(engine, column, &value) else {
            let rule = filters.first().map(|filter| &filter.rule);
            return Err(Refusal::forbidden(format!("`{}` may not be written here", column.name))
                .because("a row filter reads it, and how a value of its type is stored cannot be told before")
                .by(rule));
        };
        guards.extend(stored.guard);
        values.insert(position, stored.text);
    }
    let condition = conjunction(filters, |position| match values.get(&position) {
        Some(value) => value.clone(),
        None => column_name(engine, relation, row.qualifier.as_deref(), position),
    });
    guards.dedup();
    guards.push(condition);
    Ok(guards.join(" AND "))
}

/// The type that a literal gets for going into a column; `None` where text does as well, or where a cast would silently
/// cut to a length what is an error when it is assigned.
fn type_of_literal(column: &Column) -> Option<&str> {
    let ty = &column.ty;
    let rounds = match ty.class {
        TypeClass::Text => return None,
        TypeClass::Numeric | TypeClass::Time | TypeClass::Timestamp | TypeClass::TimestampTz | TypeClass::Interval => {
            true
        }
        TypeClass::Boolean
        | TypeClass::Integer
        | TypeClass::Float
        | TypeClass::Bytes
        | TypeClass::Date
        | TypeClass::Uuid
        | TypeClass::Json
        | TypeClass::Jsonb
        | TypeClass::Inet
        | TypeClass::Enum
        | TypeClass::Array
        | TypeClass::Other => false,
    };
    (rounds || !ty.sql.contains('(')).then_some(&*ty.sql)
}

/// The words by which an error that [`raise`] makes is known.
pub const ROW_FILTER_MARK: &str = "sekisho: row filter ";

/// An expression that fails when it is evaluated, and only then. PostgreSQL folds constants before that, so there is
/// something in it that is no constant.
fn raise(engine: Engine, ty: &str, filters: &[RowFilter]) -> String {
    let rule = filters.first().map(|filter| filter.rule.name.replace('\'', "''")).unwrap_or_default();
    match engine {
        Engine::Postgres => format!(
            "CAST(CAST(CAST('{ROW_FILTER_MARK}{rule}' OPERATOR(pg_catalog.||) \
             pg_catalog.left(CAST(pg_catalog.random() AS pg_catalog.text), 0) AS pg_catalog.int4) \
             AS pg_catalog.text) AS {ty})"
        ),
        Engine::MySql => "(SELECT 1 UNION ALL SELECT 2)".to_owned(),
    }
}
