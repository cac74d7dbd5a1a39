//! What stands in parentheses: a query or expressions, which only the inside tells.

use super::{Grammar, Parsed};
use crate::sql::ast::{Expr, ExprKind, Query};

/// The inside of a pair of parentheses.
pub(super) enum Inside {
    /// A query, perhaps in more parentheses.
    Query(Query),
    /// One expression or several.
    Exprs(Vec<Expr>),
}

impl Grammar<'_> {
    /// `( … )`
    ///
    /// A query in more parentheses can turn out to be the first operand of a set operation or of an expression:
    /// `((SELECT 1) UNION SELECT 2)`, `((SELECT 1) + 1)`. It is read once and handed on.
    pub(super) fn parentheses(&mut self) -> Parsed<Inside> {
        self.cursor.expect_symbol("(")?;
        let outer = std::mem::take(&mut self.into_allowed);
        let start = self.cursor.at();
        let inside = if self.starts_query() {
            Inside::Query(self.query()?)
        } else if self.cursor.is_symbol("(") {
            let level = self.cursor.enter()?;
            let first = self.parentheses()?;
            self.cursor.leave(level)?;
            self.go_on(first, start)?
        } else {
            Inside::Exprs(self.comma_list(Self::expr)?)
        };
        self.cursor.expect_symbol(")")?;
        self.into_allowed = outer;
        Ok(inside)
    }

    /// From behind parentheses in parentheses on.
    fn go_on(&mut self, first: Inside, start: u32) -> Parsed<Inside> {
        Ok(match first {
            Inside::Query(query) if self.cursor.is_symbol(")") => Inside::Query(query),
            Inside::Query(query) if self.continues_query() => Inside::Query(self.query_from(query, start)?),
            Inside::Query(query) => {
                let kind = ExprKind::Subquery(Box::new(query));
                self.expressions_from(kind, start)?
            }
            Inside::Exprs(mut several) => match (several.pop(), several.is_empty()) {
                (Some(one), true) => {
                    self.pending = Some((one, start));
                    Inside::Exprs(self.comma_list(Self::expr)?)
                }
                (Some(last), false) => {
                    several.push(last);
                    self.expressions_from(ExprKind::Row(several), start)?
                }
                (None, _) => return Err(self.cursor.expected("an expression")),
            },
        })
    }

    /// Expressions whose first begins with a node that was read already.
    fn expressions_from(&mut self, kind: ExprKind, start: u32) -> Parsed<Inside> {
        self.pending = Some((self.node(kind, start), start));
        Ok(Inside::Exprs(self.comma_list(Self::expr)?))
    }

    /// A query in parentheses where nothing else may stand.
    pub(super) fn subquery(&mut self) -> Parsed<Query> {
        let at = self.cursor.at();
        match self.parentheses()? {
            Inside::Query(query) => Ok(query),
            Inside::Exprs(_) => Err(crate::sql::SyntaxError {
                message: "a query in parentheses is expected here".into(),
                token: Some(at),
            }),
        }
    }
}
