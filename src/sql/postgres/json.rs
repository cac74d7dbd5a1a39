//! SQL/JSON functions of PostgreSQL 16 to 18 and JSON_TABLE.

use super::xml::{TableColumns, cast_result};
use super::{expression, function, names, query, special, strings, types};
use crate::sql::ast::{Expr, ExprKind, Literal, TypeName};
use crate::sql::cursor::Cursor;
use crate::sql::syntax_error::SyntaxError;

/// Operands and the type behind RETURNING.
#[derive(Default)]
struct Parts {
    operands: Vec<Expr>,
    order_by: Vec<Expr>,
    returning: Option<TypeName>,
}

/// One of the functions; its keyword stands here.
pub(super) fn function(c: &mut Cursor<'_>, word: &'static str) -> Result<Expr, SyntaxError> {
    let level = c.enter()?;
    let start = c.at();
    c.advance();
    c.expect_symbol("(")?;
    let mut parts = Parts::default();
    let mut plain = false;
    match word {
        "json_object" => plain = object(c, &mut parts)?,
        "json_objectagg" => {
            let key = expression::any(c)?;
            pair(c, &mut parts, key)?;
            null_and_unique(c)?;
        }
        "json_array" => array(c, &mut parts)?,
        "json_arrayagg" => {
            parts.operands.push(value(c)?);
            parts.order_by = query::order_by(c)?;
            null_and_unique(c)?;
        }
        "json_scalar" => parts.operands.push(expression::any(c)?),
        "json" | "json_serialize" => {
            parts.operands.push(value(c)?);
            expression::unique_keys(c);
        }
        _ => path_function(c, &mut parts)?,
    }
    returning(c, &mut parts)?;
    if word == "json_query" {
        wrapper_and_quotes(c)?;
    }
    behaviors(c, &mut parts.operands)?;
    c.expect_symbol(")")?;
    c.leave(level)?;
    finished(c, word, start, parts, plain)
}

fn finished(
    c: &mut Cursor<'_>,
    word: &'static str,
    start: u32,
    parts: Parts,
    plain: bool,
) -> Result<Expr, SyntaxError> {
    let mut kind = if plain || word.ends_with("agg") {
        special::call(word, start, parts.operands)
    } else {
        ExprKind::Special { name: word, operands: parts.operands }
    };
    if let ExprKind::Call(call) = &mut kind {
        call.order_by = parts.order_by;
        if !plain {
            function::aggregate_clauses(c, call)?;
        }
    }
    let call = Expr { kind, tokens: c.since(start) };
    cast_result(c, call, parts.returning)
}

/// JSON_OBJECT's operands; whether it is the function of that name, which older servers have too.
fn object(c: &mut Cursor<'_>, parts: &mut Parts) -> Result<bool, SyntaxError> {
    if c.is_symbol(")") || c.is_word("returning") {
        return Ok(false);
    }
    let first = function::argument(c)?;
    if !c.is_symbol(":") && !c.is_word("value") {
        parts.operands.push(first);
        while c.take_symbol(",") {
            parts.operands.push(function::argument(c)?);
        }
        return Ok(true);
    }
    pair(c, parts, first)?;
    while c.take_symbol(",") {
        let key = expression::any(c)?;
        pair(c, parts, key)?;
    }
    null_and_unique(c)?;
    Ok(false)
}

/// `: value`, `VALUE value` behind a key.
fn pair(c: &mut Cursor<'_>, parts: &mut Parts, key: Expr) -> Result<(), SyntaxError> {
    parts.operands.push(key);
    if !c.take_symbol(":") {
        c.expect_word("value")?;
    }
    parts.operands.push(value(c)?);
    Ok(())
}

fn array(c: &mut Cursor<'_>, parts: &mut Parts) -> Result<(), SyntaxError> {
    if c.is_symbol(")") || c.is_word("returning") {
        return Ok(());
    }
    if query::starts(c) {
        let query = Box::new(query::query(c)?);
        let tokens = query.tokens.clone();
        parts.operands.push(Expr { kind: ExprKind::Subquery(query), tokens });
        return format(c);
    }
    parts.operands = names::comma_list(c, value)?;
    null_and_unique(c)
}

/// JSON_QUERY, JSON_VALUE, JSON_EXISTS: value, path, PASSING.
fn path_function(c: &mut Cursor<'_>, parts: &mut Parts) -> Result<(), SyntaxError> {
    parts.operands.push(value(c)?);
    c.expect_symbol(",")?;
    parts.operands.push(expression::any(c)?);
    passing(c, &mut parts.operands)
}

fn passing(c: &mut Cursor<'_>, operands: &mut Vec<Expr>) -> Result<(), SyntaxError> {
    if !c.take_word("passing") {
        return Ok(());
    }
    operands.extend(names::comma_list(c, |c| {
        let argument = value(c)?;
        c.expect_word("as")?;
        names::label(c)?;
        Ok(argument)
    })?);
    Ok(())
}

/// `a FORMAT JSON` (`json_value_expr`).
fn value(c: &mut Cursor<'_>) -> Result<Expr, SyntaxError> {
    let value = expression::any(c)?;
    format(c)?;
    Ok(value)
}

fn format(c: &mut Cursor<'_>) -> Result<(), SyntaxError> {
    if c.take_words(&["format", "json"]) && c.take_word("encoding") {
        names::column_id(c)?;
    }
    Ok(())
}

fn null_and_unique(c: &mut Cursor<'_>) -> Result<(), SyntaxError> {
    if c.take_word("null") || c.take_word("absent") {
        c.expect_word("on")?;
        c.expect_word("null")?;
    }
    expression::unique_keys(c);
    Ok(())
}

fn returning(c: &mut Cursor<'_>, parts: &mut Parts) -> Result<(), SyntaxError> {
    if c.take_word("returning") {
        parts.returning = Some(types::type_name(c)?);
        format(c)?;
    }
    Ok(())
}

/// `WITH CONDITIONAL ARRAY WRAPPER`, `OMIT QUOTES ON SCALAR STRING`.
fn wrapper_and_quotes(c: &mut Cursor<'_>) -> Result<(), SyntaxError> {
    let with = c.take_word("with");
    if with || c.take_word("without") {
        if with && c.is_one_of(&["conditional", "unconditional"]) {
            c.advance();
        }
        c.take_word("array");
        c.expect_word("wrapper")?;
    }
    if c.take_word("keep") || c.take_word("omit") {
        c.expect_word("quotes")?;
        if c.take_word("on") {
            c.expect_word("scalar")?;
            c.expect_word("string")?;
        }
    }
    Ok(())
}

/// `DEFAULT a ON EMPTY`, `ERROR ON ERROR`: at most one of each.
fn behaviors(c: &mut Cursor<'_>, operands: &mut Vec<Expr>) -> Result<(), SyntaxError> {
    for _ in 0..2 {
        if c.take_word("default") {
            operands.push(expression::any(c)?);
        } else if c.take_word("empty") {
            if c.is_one_of(&["array", "object"]) {
                c.advance();
            }
        } else if c.is_one_of(&["error", "null", "true", "false", "unknown"]) {
            c.advance();
        } else {
            return Ok(());
        }
        c.expect_word("on")?;
        if !c.take_word("error") {
            c.expect_word("empty")?;
        }
    }
    Ok(())
}

/// `JSON_TABLE (…)`; the keyword stands here.
pub(super) fn table(c: &mut Cursor<'_>) -> Result<TableColumns, SyntaxError> {
    let (mut columns, mut types) = (Vec::new(), Vec::new());
    let function = special::keyword_call(c, "json_table", |c| {
        let mut operands = vec![value(c)?];
        c.expect_symbol(",")?;
        operands.push(expression::any(c)?);
        if c.take_word("as") {
            names::column_id(c)?;
        }
        passing(c, &mut operands)?;
        table_columns(c, &mut operands, &mut columns, &mut types)?;
        behaviors(c, &mut operands)?;
        Ok(operands)
    })?;
    Ok(TableColumns { function, columns, types })
}

fn table_columns(
    c: &mut Cursor<'_>,
    operands: &mut Vec<Expr>,
    columns: &mut Vec<crate::sql::ast::Name>,
    types: &mut Vec<TypeName>,
) -> Result<(), SyntaxError> {
    let level = c.enter()?;
    c.expect_word("columns")?;
    c.expect_symbol("(")?;
    loop {
        let nested = c.is_word("nested") && (strings::is_string(c.kind(1)) || c.is_word_ahead(1, "path"));
        if nested {
            c.advance();
            c.take_word("path");
            path(c, operands)?;
            if c.take_word("as") {
                names::column_id(c)?;
            }
            table_columns(c, operands, columns, types)?;
        } else {
            columns.push(names::column_id(c)?);
            if !c.take_words(&["for", "ordinality"]) {
                types.push(types::type_name(c)?);
                column_clauses(c, operands)?;
            }
        }
        if !c.take_symbol(",") {
            break;
        }
    }
    c.expect_symbol(")")?;
    c.leave(level)
}

fn column_clauses(c: &mut Cursor<'_>, operands: &mut Vec<Expr>) -> Result<(), SyntaxError> {
    if !c.take_word("exists") {
        format(c)?;
    }
    if c.take_word("path") {
        path(c, operands)?;
    }
    wrapper_and_quotes(c)?;
    behaviors(c, operands)
}

fn path(c: &mut Cursor<'_>, operands: &mut Vec<Expr>) -> Result<(), SyntaxError> {
    if !strings::is_string(c.kind(0)) {
        return Err(c.expected("a string"));
    }
    operands.push(super::primary::literal(c, Literal::String));
    strings::no_escape_character(c)
}
