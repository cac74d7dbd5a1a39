//! FROM: relations, sub-selects, functions, joins (`from_list`, `table_ref`).

use super::keywords::Class;
use super::{expression, function, json, names, primary, query, types, xml};
use crate::sql::ast::{
    Alias, Expr, ExprKind, Join, JoinConstraint, Name, ObjectName, Outer, Query, Relation, Sample, TableFunction,
    TableRef, TypeName,
};
use crate::sql::cursor::Cursor;
use crate::sql::syntax_error::SyntaxError;

/// FROM, if it stands here.
pub fn clause(c: &mut Cursor<'_>) -> Result<Vec<TableRef>, SyntaxError> {
    if c.take_word("from") { list(c) } else { Ok(Vec::new()) }
}

/// At least one entry.
pub fn list(c: &mut Cursor<'_>) -> Result<Vec<TableRef>, SyntaxError> {
    names::comma_list(c, table)
}

/// An entry with the joins behind it (`table_ref`).
pub fn table(c: &mut Cursor<'_>) -> Result<TableRef, SyntaxError> {
    let level = c.enter()?;
    let first = entry(c)?;
    let joined = joins(c, first)?;
    c.leave(level)?;
    Ok(joined)
}

/// How a join begins.
enum JoinKind {
    Cross,
    Natural(Option<Outer>),
    Qualified(Option<Outer>),
}

fn join_kind(c: &mut Cursor<'_>) -> Result<Option<JoinKind>, SyntaxError> {
    let kind = match names::keyword_text(c) {
        "cross" => {
            c.advance();
            JoinKind::Cross
        }
        "natural" => {
            c.advance();
            JoinKind::Natural(join_type(c))
        }
        "join" | "inner" | "left" | "right" | "full" => JoinKind::Qualified(join_type(c)),
        _ => return Ok(None),
    };
    c.expect_word("join")?;
    Ok(Some(kind))
}

fn join_type(c: &mut Cursor<'_>) -> Option<Outer> {
    let sides = [("left", Outer::Left), ("right", Outer::Right), ("full", Outer::Full)];
    let outer = sides.into_iter().find(|(word, _)| c.take_word(word)).map(|(_, outer)| outer);
    c.take_word(if outer.is_some() { "outer" } else { "inner" });
    outer
}

/// Joins group to the left; behind `JOIN` whole joins may stand up to the ON that belongs to it.
fn joins(c: &mut Cursor<'_>, mut left: TableRef) -> Result<TableRef, SyntaxError> {
    while let Some(kind) = join_kind(c)? {
        let (right, outer, constraint) = match kind {
            JoinKind::Cross => (entry(c)?, None, JoinConstraint::None),
            JoinKind::Natural(outer) => (entry(c)?, outer, JoinConstraint::Natural),
            JoinKind::Qualified(outer) => (table(c)?, outer, qualification(c)?),
        };
        c.grow()?;
        left = TableRef::Join(Box::new(Join { left, right, outer, constraint, alias: None }));
    }
    Ok(left)
}

fn qualification(c: &mut Cursor<'_>) -> Result<JoinConstraint, SyntaxError> {
    if c.take_word("using") {
        let columns = names::list(c)?;
        let alias = if c.take_word("as") { Some(names::column_id(c)?) } else { None };
        return Ok(JoinConstraint::Using { columns, alias });
    }
    c.expect_word("on")?;
    Ok(JoinConstraint::On(expression::any(c)?))
}

/// One entry without the joins behind it.
fn entry(c: &mut Cursor<'_>) -> Result<TableRef, SyntaxError> {
    if c.take_word("lateral") {
        return lateral(c);
    }
    if c.is_symbol("(") {
        return parentheses(c);
    }
    if is_function(c) {
        return table_function(c, false);
    }
    let mut relation = relation(c)?;
    relation.alias = alias(c)?;
    relation.sample = sample(c)?;
    Ok(TableRef::Relation(relation))
}

fn lateral(c: &mut Cursor<'_>) -> Result<TableRef, SyntaxError> {
    if !c.is_symbol("(") {
        return table_function(c, true);
    }
    match primary::in_parentheses(c)? {
        primary::Inside::Query(query) => Ok(TableRef::Derived { lateral: true, query, alias: alias(c)? }),
        primary::Inside::Expr(_) | primary::Inside::Row(_) => Err(c.expected("a sub-select before this")),
    }
}

/// What parentheses in FROM hold.
enum Inside {
    Query(Box<Query>),
    Join(Box<Join>),
}

/// A sub-select or a join.
fn parentheses(c: &mut Cursor<'_>) -> Result<TableRef, SyntaxError> {
    let inside = in_parentheses(c)?;
    behind_parentheses(c, inside)
}

fn behind_parentheses(c: &mut Cursor<'_>, inside: Inside) -> Result<TableRef, SyntaxError> {
    Ok(match inside {
        Inside::Query(query) => TableRef::Derived { lateral: false, query, alias: alias(c)? },
        Inside::Join(mut join) => {
            if let Some(alias) = alias(c)?
                && join.alias.replace(alias).is_some()
            {
                return Err(c.expected("one name for the join before this"));
            }
            TableRef::Join(join)
        }
    })
}

fn in_parentheses(c: &mut Cursor<'_>) -> Result<Inside, SyntaxError> {
    let level = c.enter()?;
    c.expect_symbol("(")?;
    let inside = query_or_join(c)?;
    c.expect_symbol(")")?;
    c.leave(level)?;
    Ok(inside)
}

fn query_or_join(c: &mut Cursor<'_>) -> Result<Inside, SyntaxError> {
    let start = c.at();
    if query::starts(c) {
        return Ok(Inside::Query(Box::new(query::query(c)?)));
    }
    let table = if c.is_symbol("(") {
        let inside = match in_parentheses(c)? {
            Inside::Query(query) if c.is_symbol(")") => return Ok(Inside::Query(query)),
            Inside::Query(query) if query::continues(c) => {
                return Ok(Inside::Query(Box::new(query::continue_nested(c, start, query)?)));
            }
            inside => inside,
        };
        let first = behind_parentheses(c, inside)?;
        joins(c, first)?
    } else {
        table(c)?
    };
    match table {
        TableRef::Join(join) => Ok(Inside::Join(join)),
        TableRef::Relation(_) | TableRef::Derived { .. } | TableRef::Function(_) | TableRef::List(_) => {
            Err(c.expected("a join"))
        }
    }
}

/// `t`, `t *`, `ONLY t`, `ONLY (t)` (`relation_expr`).
pub fn relation(c: &mut Cursor<'_>) -> Result<Relation, SyntaxError> {
    let start = c.at();
    let only = c.take_word("only");
    let name = if only && c.is_symbol("(") {
        names::parenthesized(c, names::qualified)?
    } else {
        let name = names::qualified(c)?;
        if !only {
            c.take_symbol("*");
        }
        name
    };
    Ok(Relation { name, only, alias: None, sample: None, partitions: 0..0, tokens: c.since(start), hints: 0..0 })
}

/// `AS a`, `a (b, c)` (`opt_alias_clause`).
pub fn alias(c: &mut Cursor<'_>) -> Result<Option<Alias>, SyntaxError> {
    if !c.take_word("as") && !names::is_column_id(c, 0) {
        return Ok(None);
    }
    let name = names::column_id(c)?;
    Ok(Some(Alias { name, columns: names::optional_list(c)? }))
}

fn sample(c: &mut Cursor<'_>) -> Result<Option<Sample>, SyntaxError> {
    let start = c.at();
    if !c.take_word("tablesample") {
        return Ok(None);
    }
    let method = function_name(c)?;
    let mut arguments = names::parenthesized(c, expression::list)?;
    if c.take_word("repeatable") {
        arguments.push(names::parenthesized(c, expression::any)?);
    }
    Ok(Some(Sample { method, arguments, tokens: c.since(start) }))
}

/// `func_name`.
pub fn function_name(c: &mut Cursor<'_>) -> Result<ObjectName, SyntaxError> {
    let first = if c.is_symbol_ahead(1, ".") { names::column_id(c)? } else { names::type_or_function(c)? };
    names::parts(c, first)
}

/// Whether a function rather than a relation stands here.
fn is_function(c: &Cursor<'_>) -> bool {
    if let Some(keyword) = names::keyword(c, 0) {
        match keyword.word {
            "current_date" | "current_time" | "current_timestamp" | "localtime" | "localtimestamp" | "current_role"
            | "current_user" | "session_user" | "system_user" | "user" | "current_catalog" | "current_schema"
            | "cast" => return true,
            "rows" if c.is_word_ahead(1, "from") && c.is_symbol_ahead(2, "(") => return true,
            "collation" if c.is_word_ahead(1, "for") => return true,
            _ if keyword.class == Class::Reserved => return false,
            _ => {}
        }
    }
    let mut ahead = 1;
    while c.is_symbol_ahead(ahead, ".") && names::is_label(c, ahead + 1) {
        ahead += 2;
    }
    names::is_label(c, 0) && c.is_symbol_ahead(ahead, "(")
}

fn table_function(c: &mut Cursor<'_>, lateral: bool) -> Result<TableRef, SyntaxError> {
    let start = c.at();
    let mut table = TableFunction {
        lateral,
        functions: Vec::new(),
        ordinality: false,
        alias: None,
        columns: Vec::new(),
        types: Vec::new(),
        tokens: 0..0,
    };
    let built_in = match names::keyword_text(c) {
        "xmltable" if c.is_symbol_ahead(1, "(") => Some(xml::table(c)?),
        "json_table" if c.is_symbol_ahead(1, "(") => Some(json::table(c)?),
        _ => None,
    };
    if let Some(built_in) = built_in {
        table.functions.push(built_in.function);
        table.columns = built_in.columns;
        table.types = built_in.types;
        table.alias = alias(c)?;
    } else {
        if c.is_word("rows") && c.is_word_ahead(1, "from") {
            c.advance_by(2);
            names::parenthesized(c, |c| rows_from(c, &mut table))?;
        } else {
            table.functions.push(windowless(c)?);
        }
        table.ordinality = c.take_words(&["with", "ordinality"]);
        function_alias(c, &mut table)?;
    }
    table.tokens = c.since(start);
    Ok(TableRef::Function(Box::new(table)))
}

fn rows_from(c: &mut Cursor<'_>, table: &mut TableFunction) -> Result<(), SyntaxError> {
    loop {
        table.functions.push(windowless(c)?);
        if c.take_word("as") {
            names::parenthesized(c, |c| column_definitions(c, &mut table.columns, &mut table.types))?;
        }
        if !c.take_symbol(",") {
            return Ok(());
        }
    }
}

/// A call without FILTER and OVER, or syntax that computes (`func_expr_windowless`).
pub fn windowless(c: &mut Cursor<'_>) -> Result<Expr, SyntaxError> {
    let mut ahead = 1;
    while c.is_symbol_ahead(ahead, ".") && names::is_label(c, ahead + 1) {
        ahead += 2;
    }
    let plain = if ahead == 1 { names::is_type_or_function(c, 0) } else { names::is_column_id(c, 0) };
    if plain && c.is_symbol_ahead(ahead, "(") {
        let name = function_name(c)?;
        return function::windowless(c, name);
    }
    let special = primary::primary(c)?;
    match special.kind {
        ExprKind::Special { .. } | ExprKind::Call(_) => Ok(special),
        ExprKind::Cast { ref operand, .. } if !matches!(operand.kind, ExprKind::Literal(_)) => Ok(special),
        _ => Err(c.expected("a function before this")),
    }
}

/// `AS (a int)`, `AS f (a, b)`, `f (a int)` (`func_alias_clause`).
fn function_alias(c: &mut Cursor<'_>, table: &mut TableFunction) -> Result<(), SyntaxError> {
    let as_word = c.take_word("as");
    if as_word && c.is_symbol("(") {
        return names::parenthesized(c, |c| column_definitions(c, &mut table.columns, &mut table.types));
    }
    if !as_word && !names::is_column_id(c, 0) {
        return Ok(());
    }
    let name = names::column_id(c)?;
    let mut columns = Vec::new();
    if c.is_symbol("(") {
        if c.is_symbol_ahead(2, ",") || c.is_symbol_ahead(2, ")") {
            columns = names::list(c)?;
        } else {
            names::parenthesized(c, |c| column_definitions(c, &mut table.columns, &mut table.types))?;
        }
    }
    table.alias = Some(Alias { name, columns });
    Ok(())
}

/// `a int, b app.tier COLLATE "C"` (`TableFuncElementList`).
pub fn column_definitions(
    c: &mut Cursor<'_>,
    columns: &mut Vec<Name>,
    types: &mut Vec<TypeName>,
) -> Result<(), SyntaxError> {
    loop {
        columns.push(names::column_id(c)?);
        types.push(types::type_name(c)?);
        if c.take_word("collate") {
            names::qualified(c)?;
        }
        if !c.take_symbol(",") {
            return Ok(());
        }
    }
}
