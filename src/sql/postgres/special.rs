//! Functions with a grammar of their own (`func_expr_common_subexpr`), those of XML and JSON apart.

use super::{expression, function, json, names, primary, strings, xml};
use crate::sql::ast::{Call, Expr, ExprKind, Name};
use crate::sql::cursor::Cursor;
use crate::sql::syntax_error::SyntaxError;
use crate::sql::token::TokenKind;

/// What a keyword that is no function's name means before a parenthesis.
pub(super) fn column_word(c: &mut Cursor<'_>, word: &'static str) -> Result<Expr, SyntaxError> {
    match word {
        "coalesce" | "greatest" | "least" | "grouping" | "xmlconcat" => keyword_call(c, word, expression::list),
        "exists" => primary::exists(c),
        "extract" => keyword_call(c, word, extract),
        "normalize" => keyword_call(c, word, normalize),
        "nullif" => keyword_call(c, word, |c| {
            let first = expression::any(c)?;
            c.expect_symbol(",")?;
            Ok(vec![first, expression::any(c)?])
        }),
        "overlay" => plain_or_keywords(c, word, overlay),
        "position" => keyword_call(c, word, |c| {
            let first = expression::restricted(c)?;
            c.expect_word("in")?;
            Ok(vec![first, expression::restricted(c)?])
        }),
        "substring" => plain_or_keywords(c, word, substring),
        "trim" => keyword_call(c, word, trim),
        "merge_action" => keyword_call(c, word, |_| Ok(Vec::new())),
        "xmlelement" | "xmlexists" | "xmlforest" | "xmlparse" | "xmlpi" | "xmlroot" | "xmlserialize" => {
            xml::function(c, word)
        }
        "json" | "json_array" | "json_arrayagg" | "json_exists" | "json_object" | "json_objectagg" | "json_query"
        | "json_scalar" | "json_serialize" | "json_value" => json::function(c, word),
        "bit" | "char" | "character" | "dec" | "decimal" | "float" | "interval" | "nchar" | "numeric" | "time"
        | "timestamp" | "varchar" => primary::typed_literal(c),
        _ => Err(c.expected("an expression")),
    }
}

/// Syntax without operands.
pub(super) fn bare(c: &mut Cursor<'_>, name: &'static str) -> Expr {
    c.advance();
    Expr { kind: ExprKind::Special { name, operands: Vec::new() }, tokens: c.since(c.at() - 1) }
}

/// CURRENT_TIMESTAMP and its kin, perhaps with a precision.
pub(super) fn time(c: &mut Cursor<'_>, name: &'static str) -> Result<Expr, SyntaxError> {
    let mut time = bare(c, name);
    if c.take_symbol("(") {
        if c.kind(0) != Some(TokenKind::Integer) {
            return Err(c.expected("a number"));
        }
        c.advance();
        c.expect_symbol(")")?;
        time.tokens = c.since(time.tokens.start);
    }
    Ok(time)
}

/// `COLLATION FOR (a)`.
pub(super) fn collation_for(c: &mut Cursor<'_>) -> Result<Expr, SyntaxError> {
    let start = c.at();
    c.advance_by(2);
    let operand = names::parenthesized(c, expression::any)?;
    Ok(Expr { kind: ExprKind::Special { name: "collation for", operands: vec![operand] }, tokens: c.since(start) })
}

/// A keyword and its operands in parentheses.
pub(super) fn keyword_call<'t>(
    c: &mut Cursor<'t>,
    name: &'static str,
    operands: impl FnOnce(&mut Cursor<'t>) -> Result<Vec<Expr>, SyntaxError>,
) -> Result<Expr, SyntaxError> {
    let level = c.enter()?;
    let start = c.at();
    c.advance();
    let operands = names::parenthesized(c, operands)?;
    c.leave(level)?;
    Ok(Expr { kind: ExprKind::Special { name, operands }, tokens: c.since(start) })
}

/// OVERLAY and SUBSTRING: without the words between their operands they are calls like any other, which the server
/// looks up by the search path.
fn plain_or_keywords<'t>(
    c: &mut Cursor<'t>,
    name: &'static str,
    behind_first: impl FnOnce(&mut Cursor<'t>, &mut Vec<Expr>) -> Result<bool, SyntaxError>,
) -> Result<Expr, SyntaxError> {
    let level = c.enter()?;
    let start = c.at();
    c.advance();
    c.expect_symbol("(")?;
    let mut operands = Vec::new();
    let mut keywords = false;
    if !c.is_symbol(")") {
        operands.push(function::argument(c)?);
        keywords = behind_first(c, &mut operands)?;
        while !keywords && c.take_symbol(",") {
            operands.push(function::argument(c)?);
        }
    }
    c.expect_symbol(")")?;
    c.leave(level)?;
    let kind = if keywords { ExprKind::Special { name, operands } } else { call(name, start, operands) };
    Ok(Expr { kind, tokens: c.since(start) })
}

/// A call of a function whose name is the keyword at `token`.
pub(super) fn call(name: &'static str, token: u32, arguments: Vec<Expr>) -> ExprKind {
    let name = primary::single(Name { value: name.into(), token });
    ExprKind::Call(Box::new(Call { name, arguments, order_by: Vec::new(), filter: None, over: None }))
}

fn extract(c: &mut Cursor<'_>) -> Result<Vec<Expr>, SyntaxError> {
    let plain = match c.kind(0) {
        Some(TokenKind::QuotedWord) => true,
        Some(TokenKind::Word) => {
            matches!(names::keyword_text(c), "" | "year" | "month" | "day" | "hour" | "minute" | "second")
        }
        kind => strings::is_string(kind),
    };
    if !plain {
        return Err(c.expected("a field of a time"));
    }
    c.advance();
    strings::no_escape_character(c)?;
    c.expect_word("from")?;
    Ok(vec![expression::any(c)?])
}

fn normalize(c: &mut Cursor<'_>) -> Result<Vec<Expr>, SyntaxError> {
    let operand = expression::any(c)?;
    if c.take_symbol(",") {
        if !c.is_one_of(&["nfc", "nfd", "nfkc", "nfkd"]) {
            return Err(c.expected("`NFC`, `NFD`, `NFKC` or `NFKD`"));
        }
        c.advance();
    }
    Ok(vec![operand])
}

fn overlay(c: &mut Cursor<'_>, operands: &mut Vec<Expr>) -> Result<bool, SyntaxError> {
    if !c.take_word("placing") {
        return Ok(false);
    }
    operands.push(expression::any(c)?);
    c.expect_word("from")?;
    operands.push(expression::any(c)?);
    if c.take_word("for") {
        operands.push(expression::any(c)?);
    }
    Ok(true)
}

fn substring(c: &mut Cursor<'_>, operands: &mut Vec<Expr>) -> Result<bool, SyntaxError> {
    if c.take_word("similar") {
        operands.push(expression::any(c)?);
        c.expect_word("escape")?;
        operands.push(expression::any(c)?);
        return Ok(true);
    }
    let other = match names::keyword_text(c) {
        "from" => "for",
        "for" => "from",
        _ => return Ok(false),
    };
    c.advance();
    operands.push(expression::any(c)?);
    if c.take_word(other) {
        operands.push(expression::any(c)?);
    }
    Ok(true)
}

fn trim(c: &mut Cursor<'_>) -> Result<Vec<Expr>, SyntaxError> {
    if c.is_one_of(&["both", "leading", "trailing"]) {
        c.advance();
    }
    if c.take_word("from") {
        return expression::list(c);
    }
    let mut operands = vec![expression::any(c)?];
    if c.take_word("from") || c.take_symbol(",") {
        operands.extend(expression::list(c)?);
    }
    Ok(operands)
}
