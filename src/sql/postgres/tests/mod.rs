//! Tests of the grammar as a whole.

mod accounting;
mod bounds;
mod definitions;
mod expressions;
mod queries;
mod utility;
mod writes;

use crate::sql::ast::Statement;
use crate::sql::postgres::{lexer, parse};
use crate::sql::syntax_error::SyntaxError;

/// Lexes and parses one statement.
fn read(text: &str) -> Result<Statement, SyntaxError> {
    let tokens = lexer::tokens(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    parse(text, &tokens, 0..tokens.len())
}

/// The statement, which must be one.
fn statement(text: &str) -> Statement {
    read(text).unwrap_or_else(|error| panic!("{text}: {} (token {:?})", error.message, error.token))
}
