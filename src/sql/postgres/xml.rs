//! SQL/XML functions and XMLTABLE.

use super::{expression, names, primary, special, types};
use crate::sql::ast::{Expr, ExprKind, Name, TypeName};
use crate::sql::cursor::Cursor;
use crate::sql::syntax_error::SyntaxError;

/// One of the functions; its keyword stands here.
pub(super) fn function(c: &mut Cursor<'_>, word: &'static str) -> Result<Expr, SyntaxError> {
    match word {
        "xmlelement" => special::keyword_call(c, word, element),
        "xmlexists" => special::keyword_call(c, word, |c| {
            let mut operands = vec![primary::primary(c)?];
            passing(c, &mut operands)?;
            Ok(operands)
        }),
        "xmlforest" => special::keyword_call(c, word, attribute_list),
        "xmlparse" => special::keyword_call(c, word, |c| {
            document_or_content(c)?;
            let operand = expression::any(c)?;
            if c.take_word("preserve") || c.take_word("strip") {
                c.expect_word("whitespace")?;
            }
            Ok(vec![operand])
        }),
        "xmlpi" => special::keyword_call(c, word, |c| {
            c.expect_word("name")?;
            names::label(c)?;
            if c.take_symbol(",") { Ok(vec![expression::any(c)?]) } else { Ok(Vec::new()) }
        }),
        "xmlroot" => special::keyword_call(c, word, root),
        _ => serialize(c),
    }
}

/// `NAME a, XMLATTRIBUTES (b AS c), d`.
fn element(c: &mut Cursor<'_>) -> Result<Vec<Expr>, SyntaxError> {
    c.expect_word("name")?;
    names::label(c)?;
    let mut operands = Vec::new();
    if !c.take_symbol(",") {
        return Ok(operands);
    }
    if c.is_word("xmlattributes") && c.is_symbol_ahead(1, "(") {
        c.advance();
        operands = names::parenthesized(c, attribute_list)?;
        if !c.take_symbol(",") {
            return Ok(operands);
        }
    }
    operands.extend(expression::list(c)?);
    Ok(operands)
}

/// `a AS b, c` (`xml_attribute_list`).
fn attribute_list(c: &mut Cursor<'_>) -> Result<Vec<Expr>, SyntaxError> {
    names::comma_list(c, |c| {
        let attribute = expression::any(c)?;
        if c.take_word("as") {
            names::label(c)?;
        }
        Ok(attribute)
    })
}

fn document_or_content(c: &mut Cursor<'_>) -> Result<(), SyntaxError> {
    if c.take_word("document") || c.take_word("content") { Ok(()) } else { Err(c.expected("`DOCUMENT` or `CONTENT`")) }
}

fn root(c: &mut Cursor<'_>) -> Result<Vec<Expr>, SyntaxError> {
    let mut operands = vec![expression::any(c)?];
    c.expect_symbol(",")?;
    c.expect_word("version")?;
    if !c.take_words(&["no", "value"]) {
        operands.push(expression::any(c)?);
    }
    if c.take_symbol(",") {
        c.expect_word("standalone")?;
        if !c.take_words(&["no", "value"]) && !c.take_word("no") && !c.take_word("yes") {
            return Err(c.expected("`YES` or `NO`"));
        }
    }
    Ok(operands)
}

/// `XMLSERIALIZE (CONTENT a AS type)`: the function's result is cast.
fn serialize(c: &mut Cursor<'_>) -> Result<Expr, SyntaxError> {
    let mut ty = None;
    let call = special::keyword_call(c, "xmlserialize", |c| {
        document_or_content(c)?;
        let operand = expression::any(c)?;
        c.expect_word("as")?;
        ty = Some(types::simple(c)?);
        if !c.take_words(&["no", "indent"]) {
            c.take_word("indent");
        }
        Ok(vec![operand])
    })?;
    cast_result(c, call, ty)
}

/// A function's result as a type that its own syntax names.
pub(super) fn cast_result(c: &mut Cursor<'_>, call: Expr, ty: Option<TypeName>) -> Result<Expr, SyntaxError> {
    let Some(ty) = ty else { return Ok(call) };
    c.grow()?;
    let tokens = call.tokens.clone();
    Ok(Expr { kind: ExprKind::Cast { operand: Box::new(call), ty }, tokens })
}

/// `PASSING BY REF a BY VALUE` (`xmlexists_argument`).
fn passing(c: &mut Cursor<'_>, operands: &mut Vec<Expr>) -> Result<(), SyntaxError> {
    let mechanism = |c: &mut Cursor<'_>| c.take_words(&["by", "ref"]) || c.take_words(&["by", "value"]);
    c.expect_word("passing")?;
    mechanism(c);
    operands.push(primary::primary(c)?);
    mechanism(c);
    Ok(())
}

/// What a function in FROM with columns of its own has: XMLTABLE, JSON_TABLE.
pub(super) struct TableColumns {
    /// The function.
    pub function: Expr,
    /// Its columns.
    pub columns: Vec<Name>,
    /// Their types.
    pub types: Vec<TypeName>,
}

/// `XMLTABLE (…)`; the keyword stands here.
pub(super) fn table(c: &mut Cursor<'_>) -> Result<TableColumns, SyntaxError> {
    let (mut columns, mut types) = (Vec::new(), Vec::new());
    let function = special::keyword_call(c, "xmltable", |c| {
        let mut operands = Vec::new();
        if c.is_word("xmlnamespaces") && c.is_symbol_ahead(1, "(") {
            c.advance();
            operands = names::parenthesized(c, namespaces)?;
            c.expect_symbol(",")?;
        }
        operands.push(primary::primary(c)?);
        passing(c, &mut operands)?;
        c.expect_word("columns")?;
        loop {
            columns.push(names::column_id(c)?);
            if !c.take_words(&["for", "ordinality"]) {
                types.push(types::type_name(c)?);
                column_options(c, &mut operands)?;
            }
            if !c.take_symbol(",") {
                return Ok(operands);
            }
        }
    })?;
    Ok(TableColumns { function, columns, types })
}

fn namespaces(c: &mut Cursor<'_>) -> Result<Vec<Expr>, SyntaxError> {
    names::comma_list(c, |c| {
        if c.take_word("default") {
            return expression::restricted(c);
        }
        let namespace = expression::restricted(c)?;
        c.expect_word("as")?;
        names::label(c)?;
        Ok(namespace)
    })
}

fn column_options(c: &mut Cursor<'_>, operands: &mut Vec<Expr>) -> Result<(), SyntaxError> {
    loop {
        if c.take_word("path") || c.take_word("default") {
            operands.push(expression::restricted(c)?);
        } else if !c.take_word("null") && !c.take_words(&["not", "null"]) {
            return Ok(());
        }
    }
}
