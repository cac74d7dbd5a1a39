//! OVER and WINDOW.

use super::{Grammar, Parsed};
use crate::sql::ast::{Call, Expr, ExprKind};

impl Grammar<'_> {
    /// A call with what may follow it: WITHIN GROUP, FROM FIRST, RESPECT NULLS, OVER.
    pub(super) fn windowed(&mut self, mut call: Call, start: u32) -> Parsed<Expr> {
        if self.is_maria() && self.cursor.are_words(&["within", "group"]) {
            self.cursor.advance_by(2);
            self.cursor.expect_symbol("(")?;
            self.cursor.expect_word("order")?;
            self.cursor.expect_word("by")?;
            call.order_by.extend(self.order_list()?);
            self.cursor.expect_symbol(")")?;
        }
        if self.is_mysql() && Self::is_window_function(&call) {
            if self.cursor.are_words(&["from", "first"]) || self.cursor.are_words(&["from", "last"]) {
                self.cursor.advance_by(2);
            }
            if self.cursor.are_words(&["respect", "nulls"]) || self.cursor.are_words(&["ignore", "nulls"]) {
                self.cursor.advance_by(2);
            }
        }
        if self.cursor.take_word("over") {
            call.over = Some(if self.cursor.is_symbol("(") { self.window()? } else { self.window_name()? });
        }
        self.outer_node(ExprKind::Call(Box::new(call)), start)
    }

    fn is_window_function(call: &Call) -> bool {
        let [name] = call.name.parts.as_slice() else { return false };
        let name = name.value.to_ascii_lowercase();
        matches!(name.as_str(), "lead" | "lag" | "first_value" | "last_value" | "nth_value")
    }

    /// `OVER w`: its expressions are in the WINDOW clause.
    fn window_name(&mut self) -> Parsed<Vec<Expr>> {
        self.name()?;
        Ok(Vec::new())
    }

    /// `([w] [PARTITION BY …] [ORDER BY …] [frame])`: every expression in it.
    pub(super) fn window(&mut self) -> Parsed<Vec<Expr>> {
        self.cursor.expect_symbol("(")?;
        let mut inside = Vec::new();
        if self.is_name(0) {
            self.name()?;
        }
        if self.cursor.take_words(&["partition", "by"]) {
            inside.extend(self.order_list()?);
        }
        if self.cursor.take_words(&["order", "by"]) {
            inside.extend(self.order_list()?);
        }
        if self.cursor.is_one_of(&["rows", "range", "groups"]) {
            self.cursor.advance();
            self.frame(&mut inside)?;
        }
        self.cursor.expect_symbol(")")?;
        Ok(inside)
    }

    fn frame(&mut self, inside: &mut Vec<Expr>) -> Parsed<()> {
        if self.cursor.take_word("between") {
            self.frame_bound(inside)?;
            self.cursor.expect_word("and")?;
        }
        self.frame_bound(inside)?;
        if self.cursor.take_word("exclude") {
            let kinds: [&[&str]; 4] = [&["current", "row"], &["group"], &["ties"], &["no", "others"]];
            if !kinds.iter().any(|words| self.cursor.take_words(words)) {
                return Err(self.cursor.expected("`CURRENT ROW`, `GROUP`, `TIES` or `NO OTHERS`"));
            }
        }
        Ok(())
    }

    fn frame_bound(&mut self, inside: &mut Vec<Expr>) -> Parsed<()> {
        if self.cursor.take_words(&["current", "row"]) {
            return Ok(());
        }
        if !self.cursor.take_word("unbounded") {
            let bound = if self.cursor.is_word("interval") { self.interval()? } else { self.number()? };
            inside.push(bound);
        }
        if self.cursor.take_word("preceding") || self.cursor.take_word("following") {
            return Ok(());
        }
        Err(self.cursor.expected("`PRECEDING` or `FOLLOWING`"))
    }

    /// `w AS (…), …`
    pub(super) fn window_definitions(&mut self) -> Parsed<Vec<Expr>> {
        let windows = self.comma_list(|g| {
            g.name()?;
            g.cursor.expect_word("as")?;
            g.window()
        })?;
        Ok(windows.into_iter().flatten().collect())
    }
}
