//! COPY with its options in the old and the new spelling.

use super::{names, select, statement, strings};
use crate::sql::ast::{Copy, CopySource, Statement};
use crate::sql::cursor::Cursor;
use crate::sql::syntax_error::SyntaxError;
use crate::sql::token::TokenKind;

/// COPY; the word stands here.
pub fn copy(c: &mut Cursor<'_>) -> Result<Statement, SyntaxError> {
    c.advance();
    let start;
    let what = if c.is_symbol("(") {
        start = c.at();
        let inside = names::parenthesized(c, statement::preparable)?;
        CopySource::Query(Box::new(inside))
    } else {
        if c.is_word("binary") {
            c.advance();
        }
        start = c.at();
        CopySource::Table { name: names::qualified(c)?, columns: names::optional_list(c)? }
    };
    let tokens = c.since(start);
    let from = matches!(what, CopySource::Table { .. }) && c.take_word("from");
    if !from {
        c.expect_word("to")?;
    }
    let client = !c.take_word("program") && (c.take_word("stdin") || c.take_word("stdout"));
    if !client {
        strings::string(c)?;
    }
    options(c)?;
    let filter = if from { select::condition(c, "where")? } else { None };
    Ok(Statement::Copy(Box::new(Copy { what, from, client, filter, tokens })))
}

fn options(c: &mut Cursor<'_>) -> Result<(), SyntaxError> {
    if c.take_words(&["using", "delimiters"]) || c.take_word("delimiters") {
        strings::string(c)?;
    }
    c.take_word("with");
    if c.is_symbol("(") {
        names::parenthesized(c, |c| names::comma_list(c, option))?;
        return Ok(());
    }
    while old_option(c)? {}
    Ok(())
}

/// `FORMAT csv`, `FORCE_QUOTE (a, b)`, `DELIMITER ','` (`copy_generic_opt_elem`).
fn option(c: &mut Cursor<'_>) -> Result<(), SyntaxError> {
    names::label(c)?;
    if c.is_symbol(",") || c.is_symbol(")") || c.take_symbol("*") {
        return Ok(());
    }
    if c.is_symbol("(") {
        names::parenthesized(c, |c| names::comma_list(c, word_or_string))?;
        return Ok(());
    }
    if c.take_symbol("-") || c.take_symbol("+") || matches!(c.kind(0), Some(TokenKind::Integer | TokenKind::Decimal)) {
        if !matches!(c.kind(0), Some(TokenKind::Integer | TokenKind::Decimal)) {
            return Err(c.expected("a number"));
        }
        c.advance();
        return Ok(());
    }
    if c.take_word("default") { Ok(()) } else { word_or_string(c) }
}

fn word_or_string(c: &mut Cursor<'_>) -> Result<(), SyntaxError> {
    if strings::is_string(c.kind(0)) {
        strings::string(c)?;
    } else if !c.take_word("true") && !c.take_word("false") && !c.take_word("on") {
        names::non_reserved(c)?;
    }
    Ok(())
}

/// `CSV`, `QUOTE AS '"'`, `FORCE NOT NULL a, b` (`copy_opt_item`).
fn old_option(c: &mut Cursor<'_>) -> Result<bool, SyntaxError> {
    let word = names::keyword_text(c);
    match word {
        "binary" | "freeze" | "csv" | "header" => c.advance(),
        "delimiter" | "null" | "quote" | "escape" => {
            c.advance();
            c.take_word("as");
            strings::string(c)?;
        }
        "encoding" => {
            c.advance();
            strings::string(c)?;
        }
        "force" => {
            c.advance();
            if !c.take_word("quote") {
                c.take_word("not");
                c.expect_word("null")?;
            }
            if !c.take_symbol("*") {
                names::comma_list(c, names::column_id)?;
            }
        }
        _ => return Ok(false),
    }
    Ok(true)
}
