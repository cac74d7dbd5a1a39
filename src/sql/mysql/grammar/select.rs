//! One SELECT.

use super::{Grammar, Parsed};
use crate::sql::ast::{Expr, Into, Select, SelectItem};

/// Words between SELECT and its list that both families read.
const OPTIONS: [&str; 9] = [
    "all",
    "distinct",
    "distinctrow",
    "high_priority",
    "sql_big_result",
    "sql_buffer_result",
    "sql_calc_found_rows",
    "sql_no_cache",
    "sql_small_result",
];

/// GROUP BY: its expressions, whether it makes sums of groups, and where more could be put.
#[derive(Default)]
struct Grouping {
    exprs: Vec<Expr>,
    sets: bool,
    end: u32,
}

impl Grammar<'_> {
    /// From SELECT to WINDOW.
    pub(super) fn select(&mut self) -> Parsed<Select> {
        let start = self.cursor.at();
        self.cursor.expect_word("select")?;
        self.options();
        let items = self.select_items()?;
        let mut into = None;
        if self.cursor.is_word("into") {
            self.outside()?;
            into = Some(Into::Outside);
        }
        let from = if self.cursor.take_word("from") { self.from()? } else { Vec::new() };
        let filter = self.filter()?;
        let grouping = self.grouping()?;
        let having = if self.cursor.take_word("having") { Some(self.expr()?) } else { None };
        let windows = if self.cursor.take_word("window") { self.window_definitions()? } else { Vec::new() };
        Ok(Select {
            distinct_on: Vec::new(),
            items,
            into,
            from,
            filter,
            group_by: grouping.exprs,
            grouping_sets: grouping.sets,
            group_by_end: grouping.end,
            having,
            windows,
            tokens: self.cursor.since(start),
        })
    }

    /// Words that say how, not what.
    fn options(&mut self) {
        while OPTIONS.iter().any(|option| self.cursor.take_word(option))
            || self.cursor.take_word("straight_join")
            || (self.is_maria() && (self.cursor.take_word("sql_cache") || self.cursor.take_word("unique")))
        {}
    }

    /// `*`, `t.*`, `a + 1 AS b`
    pub(super) fn select_items(&mut self) -> Parsed<Vec<SelectItem>> {
        let mut items = Vec::new();
        let token = self.cursor.at();
        if self.cursor.take_symbol("*") {
            items.push(SelectItem::Star { token });
        } else {
            items.push(self.select_item()?);
        }
        while self.cursor.take_symbol(",") {
            items.push(self.select_item()?);
        }
        Ok(items)
    }

    fn select_item(&mut self) -> Parsed<SelectItem> {
        for parts in [1, 2] {
            if self.is_qualified_star(parts) {
                let qualifier = self.object_name(parts)?;
                let token = self.cursor.at() + 1;
                self.cursor.advance_by(2);
                return Ok(SelectItem::QualifiedStar { qualifier, token });
            }
        }
        let expr = self.expr()?;
        let alias = self.item_alias()?;
        Ok(SelectItem::Expr { expr, alias })
    }

    /// Whether names with points between them, and a star behind the last point, stand here.
    fn is_qualified_star(&self, parts: usize) -> bool {
        let name_and_point = |at: usize| self.is_name(at) && self.cursor.is_symbol_ahead(at + 1, ".");
        (0..parts).all(|part| name_and_point(2 * part)) && self.cursor.is_symbol_ahead(2 * parts, "*")
    }

    /// WHERE.
    pub(super) fn filter(&mut self) -> Parsed<Option<Expr>> {
        if self.cursor.take_word("where") { self.expr().map(Some) } else { Ok(None) }
    }

    fn grouping(&mut self) -> Parsed<Grouping> {
        if !self.cursor.take_words(&["group", "by"]) {
            return Ok(Grouping::default());
        }
        if self.is_mysql() {
            if self.cursor.is_one_of(&["rollup", "cube"]) && self.cursor.is_symbol_ahead(1, "(") {
                self.cursor.advance();
                let exprs = self.parenthesized_list(Self::expr)?;
                return Ok(Grouping { exprs, sets: true, end: self.cursor.at() });
            }
            if self.cursor.take_words(&["grouping", "sets"]) {
                let sets = self.parenthesized_list(Self::grouping_set)?;
                let exprs = sets.into_iter().flatten().collect();
                return Ok(Grouping { exprs, sets: true, end: self.cursor.at() });
            }
        }
        let exprs = if self.is_maria() { self.order_list()? } else { self.comma_list(Self::expr)? };
        let end = self.cursor.at();
        let sets = self.cursor.take_words(&["with", "rollup"]);
        Ok(Grouping { exprs, sets, end })
    }

    /// `(a, b)`, `()`
    fn grouping_set(&mut self) -> Parsed<Vec<Expr>> {
        self.cursor.expect_symbol("(")?;
        let exprs = if self.cursor.is_symbol(")") { Vec::new() } else { self.comma_list(Self::expr)? };
        self.cursor.expect_symbol(")")?;
        Ok(exprs)
    }
}
