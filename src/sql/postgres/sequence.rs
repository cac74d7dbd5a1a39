//! Options of sequences and identity columns (`SeqOptList`).

use super::{names, types};
use crate::sql::ast::{Ddl, TypeName};
use crate::sql::cursor::Cursor;
use crate::sql::syntax_error::SyntaxError;
use crate::sql::token::TokenKind;

/// All options that stand here, perhaps none.
pub(super) fn options(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<(), SyntaxError> {
    while option(c, ddl)? {}
    Ok(())
}

/// `(INCREMENT 2)`, if it stands here.
pub(super) fn in_parentheses(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<(), SyntaxError> {
    if c.is_symbol("(") { names::parenthesized(c, |c| options(c, ddl)) } else { Ok(()) }
}

/// One option, if it stands here.
pub(super) fn option(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<bool, SyntaxError> {
    let number_behind: &[&str] = match names::keyword_text(c) {
        "as" => {
            c.advance();
            let ty: TypeName = types::simple(c)?;
            ddl.types.push(ty);
            return Ok(true);
        }
        "no" if c.is_word_ahead(1, "cycle") || c.is_word_ahead(1, "maxvalue") || c.is_word_ahead(1, "minvalue") => {
            c.advance_by(2);
            return Ok(true);
        }
        "cycle" | "logged" | "unlogged" => {
            c.advance();
            return Ok(true);
        }
        "owned" => {
            c.advance();
            c.expect_word("by")?;
            owner(c, ddl)?;
            return Ok(true);
        }
        "sequence" if c.is_word_ahead(1, "name") => {
            c.advance_by(2);
            ddl.references.push(names::qualified(c)?);
            return Ok(true);
        }
        "restart" => {
            c.advance();
            if c.take_word("with") || is_number(c) {
                number(c)?;
            }
            return Ok(true);
        }
        "increment" => &["by"],
        "start" => &["with"],
        "cache" | "maxvalue" | "minvalue" => &[],
        _ => return Ok(false),
    };
    c.advance();
    if c.is_one_of(number_behind) {
        c.advance();
    }
    number(c)?;
    Ok(true)
}

/// `OWNED BY schema.table.column`, `OWNED BY NONE`.
fn owner(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<(), SyntaxError> {
    if c.is_word("none") && !c.is_symbol_ahead(1, ".") {
        c.advance();
        return Ok(());
    }
    let mut table = names::qualified(c)?;
    if table.parts.len() > 1 {
        ddl.columns.extend(table.parts.pop());
        table.tokens.end -= 2;
    }
    ddl.references.push(table);
    Ok(())
}

fn is_number(c: &Cursor<'_>) -> bool {
    matches!(c.kind(0), Some(TokenKind::Integer | TokenKind::Decimal)) || c.is_symbol("-") || c.is_symbol("+")
}

/// `-1` (`NumericOnly`).
pub(super) fn number(c: &mut Cursor<'_>) -> Result<(), SyntaxError> {
    if !c.take_symbol("-") {
        c.take_symbol("+");
    }
    if matches!(c.kind(0), Some(TokenKind::Integer | TokenKind::Decimal)) {
        c.advance();
        Ok(())
    } else {
        Err(c.expected("a number"))
    }
}
