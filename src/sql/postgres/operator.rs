//! Operators: which token is one, and how close it binds.

use super::expression::level;
use super::names;
use crate::sql::ast::{Name, Operator};
use crate::sql::cursor::Cursor;
use crate::sql::syntax_error::SyntaxError;
use crate::sql::token::TokenKind;

/// How an operator between or behind operands is read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Signs, `OPERATOR(…)`, AND, OR: an operand follows.
    Symbol,
    /// Words with a grammar of their own.
    Word,
    /// `::`.
    Cast,
}

/// An operator behind an operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Infix {
    /// Its level of precedence.
    pub level: u8,
    /// How it is read on.
    pub form: Form,
}

/// The operator that stands here behind an operand; `None` when the expression ends.
pub(super) fn infix(c: &Cursor<'_>, any: bool) -> Option<Infix> {
    let (level, form) = match c.kind(0)? {
        TokenKind::Operator => (sign_level(c.source(0))?, Form::Symbol),
        TokenKind::Punctuation if c.is_symbol("::") => (level::CAST, Form::Cast),
        TokenKind::Word => word_level(c, any)?,
        _ => return None,
    };
    Some(Infix { level, form })
}

/// `=>` names an argument and is no operator.
fn sign_level(source: &str) -> Option<u8> {
    match source {
        "+" | "-" => Some(level::ADD),
        "*" | "/" | "%" => Some(level::MULTIPLY),
        "^" => Some(level::POWER),
        "<" | ">" | "=" | "<=" | ">=" | "<>" | "!=" => Some(level::COMPARISON),
        "=>" => None,
        _ => Some(level::OPERATOR),
    }
}

fn word_level(c: &Cursor<'_>, any: bool) -> Option<(u8, Form)> {
    let word = names::keyword_text(c);
    if word == "operator" && c.is_symbol_ahead(1, "(") {
        return Some((level::OPERATOR, Form::Symbol));
    }
    if !any {
        let test = usize::from(c.is_word_ahead(1, "not")) + 1;
        let follows = c.is_word_ahead(test, "distinct") || c.is_word_ahead(test, "document");
        return (word == "is" && follows).then_some((level::IS, Form::Word));
    }
    match word {
        "or" => Some((level::OR, Form::Symbol)),
        "and" => Some((level::AND, Form::Symbol)),
        "is" | "isnull" | "notnull" => Some((level::IS, Form::Word)),
        "in" | "like" | "ilike" | "between" => Some((level::MATCH, Form::Word)),
        "similar" if c.is_word_ahead(1, "to") => Some((level::MATCH, Form::Word)),
        "not" => match names::keyword(c, 1)?.word {
            "in" | "like" | "ilike" | "between" | "similar" => Some((level::MATCH, Form::Word)),
            _ => None,
        },
        "collate" => Some((level::COLLATE, Form::Word)),
        "at" if c.is_word_ahead(1, "time") || c.is_word_ahead(1, "local") => Some((level::AT, Form::Word)),
        _ => None,
    }
}

/// Passes an operator before its operand and gives the level that its operand's operators must have.
pub(super) fn prefix(c: &mut Cursor<'_>, any: bool) -> Result<Option<(Operator, u8)>, SyntaxError> {
    let level = match c.kind(0) {
        Some(TokenKind::Operator) => match sign_level(c.source(0)) {
            Some(level::ADD) => level::SIGN,
            Some(level::OPERATOR) => level::OPERATOR + 1,
            _ => return Err(c.expected("an expression")),
        },
        Some(TokenKind::Word) if any && c.is_word("not") => level::NOT,
        Some(TokenKind::Word) if c.is_word("operator") && c.is_symbol_ahead(1, "(") => level::OPERATOR + 1,
        _ => return Ok(None),
    };
    Ok(Some((take(c)?, level)))
}

/// Passes a sign, `OPERATOR(schema.sign)`, AND, OR or NOT.
pub(super) fn take(c: &mut Cursor<'_>) -> Result<Operator, SyntaxError> {
    let token = c.at();
    if c.kind(0) == Some(TokenKind::Operator) {
        let symbol = sign(c)?;
        return Ok(Operator { schema: None, symbol, token });
    }
    if c.is_word("operator") {
        c.advance();
        let (schema, symbol) = names::parenthesized(c, qualified_sign)?;
        return Ok(Operator { schema, symbol, token });
    }
    let symbol = names::keyword_text(c).into();
    c.advance();
    Ok(Operator { schema: None, symbol, token })
}

/// Passes a sign or `OPERATOR(schema.sign)` (`qual_all_Op`).
pub(super) fn take_sign(c: &mut Cursor<'_>) -> Result<Operator, SyntaxError> {
    if c.kind(0) == Some(TokenKind::Operator) || c.is_word("operator") {
        take(c)
    } else {
        Err(c.expected("an operator"))
    }
}

/// `+`, `schema.+` (`any_operator`).
pub(super) fn qualified_sign(c: &mut Cursor<'_>) -> Result<(Option<Name>, Box<str>), SyntaxError> {
    let mut schema = None;
    if c.kind(0) != Some(TokenKind::Operator) {
        schema = Some(names::column_id(c)?);
        c.expect_symbol(".")?;
    }
    if c.kind(0) == Some(TokenKind::Operator) && !c.is_symbol("=>") {
        return Ok((schema, sign(c)?));
    }
    Err(c.expected("an operator"))
}

/// The server reads `!=` as `<>`.
fn sign(c: &mut Cursor<'_>) -> Result<Box<str>, SyntaxError> {
    let source = c.source(0);
    if sign_level(source).is_none() {
        return Err(c.expected("an operator"));
    }
    c.advance();
    Ok(if source == "!=" { "<>".into() } else { source.into() })
}
