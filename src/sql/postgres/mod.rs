//! PostgreSQL's lexical rules and grammar.
//!
//! In: text. Out: tokens and [`ast`](super::ast). What the grammar does not list is an error, never skipped.
//! Never knows: what names mean, rules, the network.
//!
//! A recursive descent after the server's `gram.y` (versions 13 to 18), a file a subject. Where versions differ, the
//! newest spelling is read; a server that does not know it answers with a syntax error. Where a word would be a name
//! to one version and syntax to another, it is read as syntax.

mod alter;
mod constraint;
mod copy;
mod create;
mod ddl;
mod dml;
mod expression;
mod from;
mod function;
mod grant;
mod json;
pub mod keywords;
pub mod lexer;
mod names;
pub mod naming;
mod operator;
mod primary;
mod query;
mod select;
mod sequence;
mod session;
mod special;
mod statement;
mod strings;
mod table;
mod transaction;
mod types;
mod utility;
mod xml;

#[cfg(test)]
mod tests;

pub use strings::content as string_content;

use std::ops::Range;

use super::ast::Statement;
use super::cursor::Cursor;
use super::syntax_error::SyntaxError;
use super::token::Token;

/// How many levels deep the grammar may recurse. Parentheses in an expression take two or three of them, a sub-query
/// three, so that at least sixty of either can be nested.
const MAX_DEPTH: u16 = 200;

/// Parses the tokens of one statement, `range` of a script's.
pub fn parse(text: &str, tokens: &[Token], range: Range<usize>) -> Result<Statement, SyntaxError> {
    let mut cursor = Cursor::new(text, tokens, range, MAX_DEPTH);
    let statement = statement::statement(&mut cursor)?;
    cursor.expect_end()?;
    Ok(statement)
}
