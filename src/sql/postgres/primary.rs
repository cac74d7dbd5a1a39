//! Expressions without operators: values, columns, parentheses, subscripts and fields (`c_expr`).

use super::keywords::Class;
use super::{expression, function, names, query, special, strings, types};
use crate::sql::ast::{Expr, ExprKind, Literal, Name, ObjectName, Operation, Operator, Query, TypeName};
use crate::sql::cursor::Cursor;
use crate::sql::syntax_error::SyntaxError;
use crate::sql::token::TokenKind;

/// What parentheses hold.
pub(super) enum Inside {
    /// A sub-select.
    Query(Box<Query>),
    /// One expression.
    Expr(Expr),
    /// Several with commas between them.
    Row(Vec<Expr>),
}

/// An expression without operators.
pub(super) fn primary(c: &mut Cursor<'_>) -> Result<Expr, SyntaxError> {
    let start = c.at();
    match c.kind(0) {
        Some(TokenKind::Word) => word(c),
        Some(TokenKind::QuotedWord) => name(c),
        Some(TokenKind::Integer | TokenKind::Decimal) => Ok(literal(c, Literal::Number)),
        Some(TokenKind::BitString | TokenKind::HexString) => Ok(literal(c, Literal::Bits)),
        Some(
            TokenKind::String
            | TokenKind::EscapeString
            | TokenKind::UnicodeString
            | TokenKind::NationalString
            | TokenKind::DollarString,
        ) => string(c),
        Some(TokenKind::Parameter) => {
            c.advance();
            let parameter = Expr { kind: ExprKind::Parameter, tokens: c.since(start) };
            indirection(c, start, parameter)
        }
        Some(TokenKind::Punctuation) if c.is_symbol("(") => parentheses(c),
        _ => Err(c.expected("an expression")),
    }
}

pub(super) fn literal(c: &mut Cursor<'_>, literal: Literal) -> Expr {
    c.advance();
    Expr { kind: ExprKind::Literal(literal), tokens: c.since(c.at() - 1) }
}

/// A string literal.
pub(super) fn string(c: &mut Cursor<'_>) -> Result<Expr, SyntaxError> {
    let string = literal(c, Literal::String);
    strings::no_escape_character(c)?;
    Ok(string)
}

fn word(c: &mut Cursor<'_>) -> Result<Expr, SyntaxError> {
    let Some(keyword) = names::keyword(c, 0) else { return name(c) };
    match keyword.class {
        Class::Reserved => reserved(c, keyword.word),
        Class::ColumnName if c.is_symbol_ahead(1, "(") && keyword.word != "row" => {
            special::column_word(c, keyword.word)
        }
        Class::ColumnName if keyword.word == "row" && c.is_symbol_ahead(1, "(") => {
            let start = c.at();
            let row = explicit_row(c)?;
            overlaps(c, start, row)
        }
        Class::ColumnName | Class::Unreserved if is_typed_literal(c) => typed_literal(c),
        Class::TypeOrFunction if keyword.word == "current_schema" && !c.is_symbol_ahead(1, "(") => {
            Ok(special::bare(c, "current_schema"))
        }
        Class::TypeOrFunction if keyword.word == "collation" && c.is_word_ahead(1, "for") => special::collation_for(c),
        Class::ColumnName | Class::Unreserved | Class::TypeOrFunction => name(c),
    }
}

/// What a reserved word begins.
fn reserved(c: &mut Cursor<'_>, word: &'static str) -> Result<Expr, SyntaxError> {
    match word {
        "null" => Ok(literal(c, Literal::Null)),
        "true" | "false" => Ok(literal(c, Literal::Boolean)),
        "case" => case(c),
        "cast" => cast(c),
        "array" => array(c),
        "current_catalog" | "current_date" | "current_role" | "current_user" | "session_user" | "system_user"
        | "user" => Ok(special::bare(c, word)),
        "current_time" | "current_timestamp" | "localtime" | "localtimestamp" => special::time(c, word),
        _ => Err(c.expected("an expression")),
    }
}

/// Parentheses: an expression, a row, a sub-select, with subscripts and fields behind them.
fn parentheses(c: &mut Cursor<'_>) -> Result<Expr, SyntaxError> {
    let start = c.at();
    let inside = in_parentheses(c)?;
    behind_parentheses(c, start, inside)
}

fn behind_parentheses(c: &mut Cursor<'_>, start: u32, inside: Inside) -> Result<Expr, SyntaxError> {
    match inside {
        Inside::Query(query) => {
            let query = Expr { kind: ExprKind::Subquery(query), tokens: c.since(start) };
            indirection(c, start, query)
        }
        Inside::Expr(expr) => indirection(c, start, expr),
        Inside::Row(row) => {
            let row = Expr { kind: ExprKind::Row(row), tokens: c.since(start) };
            overlaps(c, start, row)
        }
    }
}

/// Reads from `(` to its `)`. What is in several parentheses is a query if what is inside all of them is one.
pub(super) fn in_parentheses(c: &mut Cursor<'_>) -> Result<Inside, SyntaxError> {
    let level = c.enter()?;
    c.expect_symbol("(")?;
    let inside = if query::starts_behind_parentheses(c) { query_or_list(c)? } else { list(c, None)? };
    c.expect_symbol(")")?;
    c.leave(level)?;
    Ok(inside)
}

fn query_or_list(c: &mut Cursor<'_>) -> Result<Inside, SyntaxError> {
    if !c.is_symbol("(") {
        return Ok(Inside::Query(Box::new(query::query(c)?)));
    }
    let start = c.at();
    match in_parentheses(c)? {
        Inside::Query(query) if c.is_symbol(")") => Ok(Inside::Query(query)),
        Inside::Query(query) if query::continues(c) => {
            Ok(Inside::Query(Box::new(query::continue_nested(c, start, query)?)))
        }
        inside => {
            let first = behind_parentheses(c, start, inside)?;
            let first = expression::continue_any(c, start, first)?;
            list(c, Some(first))
        }
    }
}

fn list(c: &mut Cursor<'_>, first: Option<Expr>) -> Result<Inside, SyntaxError> {
    let first = match first {
        Some(first) => first,
        None => expression::any(c)?,
    };
    if !c.is_symbol(",") {
        return Ok(Inside::Expr(first));
    }
    let mut items = vec![first];
    while c.take_symbol(",") {
        items.push(expression::any(c)?);
    }
    Ok(Inside::Row(items))
}

/// `ROW (a, b)`, `ROW ()`.
fn explicit_row(c: &mut Cursor<'_>) -> Result<Expr, SyntaxError> {
    let start = c.at();
    c.expect_word("row")?;
    c.expect_symbol("(")?;
    let items = if c.is_symbol(")") { Vec::new() } else { expression::list(c)? };
    c.expect_symbol(")")?;
    Ok(Expr { kind: ExprKind::Row(items), tokens: c.since(start) })
}

/// `(a, b) OVERLAPS (c, d)` binds closer than every operator: the server's grammar knows it between rows only.
fn overlaps(c: &mut Cursor<'_>, start: u32, left: Expr) -> Result<Expr, SyntaxError> {
    if !c.is_word("overlaps") {
        return Ok(left);
    }
    let operator = Operator { schema: None, symbol: "overlaps".into(), token: c.at() };
    c.advance();
    let begin = c.at();
    let right = if c.is_word("row") {
        explicit_row(c)?
    } else {
        match in_parentheses(c)? {
            Inside::Row(row) => Expr { kind: ExprKind::Row(row), tokens: c.since(begin) },
            Inside::Query(_) | Inside::Expr(_) => return Err(c.expected("a row of two before this")),
        }
    };
    let pair = |row: &Expr| matches!(&row.kind, ExprKind::Row(items) if items.len() == 2);
    if !pair(&left) || !pair(&right) {
        return Err(c.expected("a row of two on each side of `OVERLAPS`"));
    }
    c.grow()?;
    let operation = Operation { operator, operands: vec![left, right] };
    Ok(Expr { kind: ExprKind::Operation(Box::new(operation)), tokens: c.since(start) })
}

/// A column, a call or a literal with its type's name before it.
fn name(c: &mut Cursor<'_>) -> Result<Expr, SyntaxError> {
    let start = c.at();
    let column = names::is_column_id(c, 0);
    let function = names::is_type_or_function(c, 0);
    let mut parts = vec![names::take(c)];
    while c.is_symbol(".") && names::is_label(c, 1) {
        c.advance();
        parts.push(names::take(c));
    }
    let callable = if parts.len() == 1 { function } else { column };
    let name = ObjectName { parts, tokens: c.since(start) };
    if callable && c.is_symbol("(") {
        return function::call(c, name);
    }
    if callable && strings::is_string(c.kind(0)) {
        let ty = TypeName { tokens: name.tokens.clone(), name };
        return literal_of_type(c, start, ty, false);
    }
    if !column || c.is_symbol("(") {
        return Err(c.expected("an operator or the end of the expression"));
    }
    if c.is_symbol(".") && c.is_symbol_ahead(1, "*") {
        c.advance_by(2);
        return Ok(Expr { kind: ExprKind::Star(Some(name)), tokens: c.since(start) });
    }
    let column = Expr { kind: ExprKind::Column(name), tokens: c.since(start) };
    indirection(c, start, column)
}

/// Whether a built-in type with a literal behind it stands here rather than a column of that name.
fn is_typed_literal(c: &Cursor<'_>) -> bool {
    if !types::is_constant_type(c) {
        return false;
    }
    strings::is_string(c.kind(1))
        || c.is_symbol_ahead(1, "(")
        || ["varying", "precision", "character", "char"].iter().any(|word| c.is_word_ahead(1, word))
        || (c.is_word_ahead(2, "time") && (c.is_word_ahead(1, "with") || c.is_word_ahead(1, "without")))
}

/// `date '2020-01-01'` for types with a grammar of their own: `interval '1' day`, `varchar(3) 'abc'`.
pub(super) fn typed_literal(c: &mut Cursor<'_>) -> Result<Expr, SyntaxError> {
    let start = c.at();
    let ty = types::constant(c)?;
    let fields = ty.name.parts.first().is_some_and(|name| &*name.value == "interval");
    literal_of_type(c, start, ty, fields)
}

fn literal_of_type(c: &mut Cursor<'_>, start: u32, ty: TypeName, fields: bool) -> Result<Expr, SyntaxError> {
    if !strings::is_string(c.kind(0)) {
        return Err(c.expected("a string"));
    }
    let operand = Box::new(string(c)?);
    if fields {
        types::interval_fields(c)?;
    }
    Ok(Expr { kind: ExprKind::Cast { operand, ty }, tokens: c.since(start) })
}

/// `CAST (a AS type)`.
fn cast(c: &mut Cursor<'_>) -> Result<Expr, SyntaxError> {
    let start = c.at();
    c.advance();
    c.expect_symbol("(")?;
    let operand = Box::new(expression::any(c)?);
    c.expect_word("as")?;
    let ty = types::type_name(c)?;
    c.expect_symbol(")")?;
    Ok(Expr { kind: ExprKind::Cast { operand, ty }, tokens: c.since(start) })
}

fn case(c: &mut Cursor<'_>) -> Result<Expr, SyntaxError> {
    let start = c.at();
    c.advance();
    let mut operands = Vec::new();
    if !c.is_word("when") {
        operands.push(expression::any(c)?);
    }
    c.expect_word("when")?;
    loop {
        operands.push(expression::any(c)?);
        c.expect_word("then")?;
        operands.push(expression::any(c)?);
        if !c.take_word("when") {
            break;
        }
    }
    let mut otherwise = None;
    if c.take_word("else") {
        otherwise = Some(operands.len());
        operands.push(expression::any(c)?);
    }
    c.expect_word("end")?;
    Ok(Expr { kind: ExprKind::Case { operands, otherwise }, tokens: c.since(start) })
}

/// `ARRAY [1, 2]`, `ARRAY (SELECT …)`.
fn array(c: &mut Cursor<'_>) -> Result<Expr, SyntaxError> {
    let start = c.at();
    c.advance();
    if c.is_symbol("(") {
        let Inside::Query(query) = in_parentheses(c)? else { return Err(c.expected("a sub-select before this")) };
        return Ok(Expr { kind: ExprKind::ArrayQuery(query), tokens: c.since(start) });
    }
    let list = array_list(c)?;
    Ok(Expr { tokens: c.since(start), ..list })
}

/// `[1, 2]`, `[[1], [2]]`: a list holds lists or expressions, not both.
fn array_list(c: &mut Cursor<'_>) -> Result<Expr, SyntaxError> {
    let level = c.enter()?;
    let start = c.at();
    c.expect_symbol("[")?;
    let items = if c.is_symbol("]") {
        Vec::new()
    } else if c.is_symbol("[") {
        names::comma_list(c, array_list)?
    } else {
        expression::list(c)?
    };
    c.expect_symbol("]")?;
    c.leave(level)?;
    Ok(Expr { kind: ExprKind::Array(items), tokens: c.since(start) })
}

/// `EXISTS (SELECT …)`.
pub(super) fn exists(c: &mut Cursor<'_>) -> Result<Expr, SyntaxError> {
    let start = c.at();
    c.advance();
    let Inside::Query(query) = in_parentheses(c)? else { return Err(c.expected("a sub-select before this")) };
    Ok(Expr { kind: ExprKind::Exists(query), tokens: c.since(start) })
}

/// `.field`, `.*`, `[i]`, `[i:j]` behind `base`, which begins at `start` with its parentheses.
pub(super) fn indirection(c: &mut Cursor<'_>, start: u32, mut base: Expr) -> Result<Expr, SyntaxError> {
    loop {
        if c.is_symbol("[") {
            c.grow()?;
            let mut parts = vec![base];
            while c.is_symbol("[") {
                subscript(c, &mut parts)?;
            }
            base = Expr { kind: ExprKind::Subscript(parts), tokens: c.since(start) };
        } else if c.take_symbol(".") {
            c.grow()?;
            if c.take_symbol("*") {
                return Ok(Expr { kind: ExprKind::AllFields(Box::new(base)), tokens: c.since(start) });
            }
            let field = names::label(c)?;
            base = Expr { kind: ExprKind::Field { base: Box::new(base), field }, tokens: c.since(start) };
        } else {
            return Ok(base);
        }
    }
}

/// One subscript; its one or two bounds are added to `parts`.
pub(super) fn subscript(c: &mut Cursor<'_>, parts: &mut Vec<Expr>) -> Result<(), SyntaxError> {
    c.expect_symbol("[")?;
    let lower = !c.is_symbol(":");
    if lower {
        parts.push(expression::any(c)?);
    }
    if c.take_symbol(":") && !c.is_symbol("]") {
        parts.push(expression::any(c)?);
    }
    c.expect_symbol("]")
}

/// A call's name from one word.
pub(super) fn single(name: Name) -> ObjectName {
    ObjectName { tokens: name.token..name.token + 1, parts: vec![name] }
}
