//! LIMIT, OFFSET and FETCH FIRST of a query.

use super::ast::Expr;

/// What bounds the rows that a query gives.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RowLimit {
    /// Every expression in LIMIT, OFFSET and FETCH FIRST.
    pub exprs: Vec<Expr>,
    /// How many rows there are at the most.
    pub count: RowCount,
}

/// How many rows a query gives at the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RowCount {
    /// Any number: no clause, `LIMIT ALL`, OFFSET alone.
    #[default]
    Any,
    /// `FETCH FIRST ROW ONLY`.
    One,
    /// As the expression at this position says.
    Given(usize),
}

impl RowLimit {
    /// Whether nothing of the kind stands there.
    pub fn is_empty(&self) -> bool {
        self.exprs.is_empty() && self.count == RowCount::Any
    }

    /// Adds the expression that says how many rows.
    pub fn push_count(&mut self, expr: Expr) {
        self.count = RowCount::Given(self.exprs.len());
        self.exprs.push(expr);
    }

    /// Adds another expression.
    pub fn push(&mut self, expr: Expr) {
        self.exprs.push(expr);
    }
}
