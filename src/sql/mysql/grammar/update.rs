//! UPDATE.

use super::{Grammar, Parsed};
use crate::sql::ast::{Expr, Statement, TableRef, Update, With};

impl Grammar<'_> {
    /// `UPDATE [LOW_PRIORITY] [IGNORE] t, u SET … WHERE … ORDER BY … LIMIT …`
    pub(super) fn update(&mut self, with: Option<With>) -> Parsed<Statement> {
        let start = self.cursor.at();
        self.cursor.expect_word("update")?;
        self.cursor.take_word("low_priority");
        let ignore = self.cursor.take_word("ignore");
        let mut tables = self.comma_list(Self::table_reference)?;
        if self.cursor.are_words(&["for", "portion"]) {
            return Err(self.cursor.unsupported("`FOR PORTION OF`"));
        }
        self.cursor.expect_word("set")?;
        let assignments = self.comma_list(Self::set_clause)?;
        let filter_at = self.cursor.at();
        let filter = self.filter()?;
        let (order_by, limit) = self.order_and_limit()?;
        let target = match (tables.pop(), tables.is_empty()) {
            (Some(only), true) => only,
            (Some(last), false) => {
                tables.push(last);
                TableRef::List(tables)
            }
            (None, _) => return Err(self.cursor.expected("a table")),
        };
        Ok(Statement::Update(Box::new(Update {
            with,
            target,
            ignore,
            assignments,
            from: Vec::new(),
            filter,
            order_by,
            limit,
            returning: Vec::new(),
            filter_at,
            tokens: self.cursor.since(start),
        })))
    }

    /// ORDER BY and LIMIT of UPDATE and DELETE.
    pub(super) fn order_and_limit(&mut self) -> Parsed<(Vec<Expr>, Vec<Expr>)> {
        let order_by = if self.cursor.take_words(&["order", "by"]) { self.order_list()? } else { Vec::new() };
        let mut limit = Vec::new();
        if self.cursor.take_word("limit") {
            limit.push(self.number()?);
        }
        Ok((order_by, limit))
    }
}
