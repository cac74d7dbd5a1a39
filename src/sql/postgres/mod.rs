//! PostgreSQL's lexical rules and grammar.
//!
//! In: text. Out: tokens and [`ast`](super::ast). What the grammar does not list is an error, never skipped.
//! Never knows: what names mean, rules, the network.

pub mod keywords;
pub mod lexer;
pub mod naming;

use std::ops::Range;

use super::ast::Statement;
use super::syntax_error::SyntaxError;
use super::token::Token;

/// Parses the tokens of one statement, `range` of a script's.
pub fn parse(_text: &str, _tokens: &[Token], _range: Range<usize>) -> Result<Statement, SyntaxError> {
    Err(SyntaxError { message: "not yet read".into(), token: None })
}
