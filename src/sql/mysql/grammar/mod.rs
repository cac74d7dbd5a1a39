//! The grammar: tokens to [`ast`](crate::sql::ast), rule for rule as `sql/sql_yacc.yy` of both families.
//!
//! In: the tokens of one statement. Out: its tree, or why it is none. Every name, operand and query of the text is in
//! the tree. Where the families differ the [`Flavour`] decides; what only one of them knows is an error in the other,
//! unless it could not be anything else. Every token is read once, but for definitions of tables that turn out to have
//! clauses that are not known.

mod alter_table;
mod create;
mod create_table;
mod definition;
mod delete;
mod expression;
mod function;
mod insert;
mod literal;
mod names;
mod operand;
mod parenthesis;
mod query;
mod select;
mod session;
mod set;
mod show;
mod statement;
mod table;
mod table_function;
mod types;
mod update;
mod window;

pub(in crate::sql) use literal::string_content;
pub(super) use names::without_leading_blanks;

#[cfg(test)]
mod tests;

use std::ops::Range;

use super::{Flavour, SqlMode};
use crate::sql::ast::{Expr, ExprKind, Statement, Tokens};
use crate::sql::cursor::Cursor;
use crate::sql::syntax_error::SyntaxError;
use crate::sql::token::Token;

/// What every rule gives.
type Parsed<T> = Result<T, SyntaxError>;

/// How many levels deep the grammar may recurse: 2 MiB of stack are enough without optimization.
const MAX_DEPTH: u16 = 100;

/// Parses the tokens of one statement, `range` of a script's.
pub fn parse(
    text: &str,
    tokens: &[Token],
    range: Range<usize>,
    mode: SqlMode,
    flavour: Flavour,
) -> Result<Statement, SyntaxError> {
    let cursor = Cursor::new(text, tokens, range, MAX_DEPTH);
    let mut grammar =
        Grammar { text, cursor, mode, flavour, pending: None, in_on_duplicate: false, into_allowed: false };
    let statement = grammar.statement()?;
    grammar.cursor.expect_end()?;
    Ok(statement)
}

/// The rules' state.
struct Grammar<'t> {
    text: &'t str,
    cursor: Cursor<'t>,
    mode: SqlMode,
    flavour: Flavour,
    /// An operand that was read already, and where it begins: the next expression begins with it.
    pending: Option<(Expr, u32)>,
    /// Inside ON DUPLICATE KEY UPDATE, where MariaDB reads `VALUES (` as a function.
    in_on_duplicate: bool,
    /// Where INTO may stand: in the query that is the statement, outside parentheses.
    into_allowed: bool,
}

impl Grammar<'_> {
    fn is_maria(&self) -> bool {
        self.flavour == Flavour::MariaDb
    }

    fn is_mysql(&self) -> bool {
        self.flavour == Flavour::MySql
    }

    /// An expression from `start` to the current token.
    fn node(&self, kind: ExprKind, start: u32) -> Expr {
        Expr { kind, tokens: self.cursor.since(start) }
    }

    /// A node around others, which makes the tree higher.
    fn outer_node(&mut self, kind: ExprKind, start: u32) -> Parsed<Expr> {
        self.cursor.grow()?;
        Ok(self.node(kind, start))
    }

    /// `item, item …`
    fn comma_list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.cursor.take_symbol(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// `(item, item …)`
    fn parenthesized_list<T>(&mut self, item: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        self.cursor.expect_symbol("(")?;
        let items = self.comma_list(item)?;
        self.cursor.expect_symbol(")")?;
        Ok(items)
    }

    /// No tokens, here.
    fn no_tokens(&self) -> Tokens {
        self.cursor.at()..self.cursor.at()
    }

    /// Passes the rest of a statement that is known by its beginning only.
    fn pass_rest(&mut self) {
        while !self.cursor.is_at_end() {
            self.cursor.advance();
        }
    }
}
