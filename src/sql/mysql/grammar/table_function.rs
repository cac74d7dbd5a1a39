//! JSON_TABLE.

use super::{Grammar, Parsed};
use crate::sql::ast::{Call, ExprKind, Name, ObjectName, TableFunction, TableRef};

impl Grammar<'_> {
    /// `JSON_TABLE (x, '$' COLUMNS (…)) AS a`
    pub(super) fn json_table(&mut self) -> Parsed<TableRef> {
        let start = self.cursor.at();
        let name = self.any_word();
        let name = ObjectName { parts: vec![name], tokens: self.cursor.since(start) };
        self.cursor.expect_symbol("(")?;
        let document = self.expr()?;
        self.cursor.expect_symbol(",")?;
        let path = self.string()?;
        let mut columns = Vec::new();
        self.json_columns(&mut columns)?;
        self.cursor.expect_symbol(")")?;
        let call = Call { name, arguments: vec![document, path], order_by: Vec::new(), filter: None, over: None };
        let functions = vec![self.outer_node(ExprKind::Call(Box::new(call)), start)?];
        let alias = self.table_alias()?;
        if alias.is_none() {
            return Err(self.cursor.expected("an alias"));
        }
        let tokens = self.cursor.since(start);
        Ok(TableRef::Function(Box::new(TableFunction {
            lateral: false,
            functions,
            ordinality: false,
            alias,
            columns,
            tokens,
        })))
    }

    /// `COLUMNS (a INT PATH '$.a', NESTED PATH '$.b' COLUMNS (…))`
    fn json_columns(&mut self, columns: &mut Vec<Name>) -> Parsed<()> {
        self.cursor.expect_word("columns")?;
        let level = self.cursor.enter()?;
        self.parenthesized_list(|g| g.json_column(columns))?;
        self.cursor.leave(level)
    }

    fn json_column(&mut self, columns: &mut Vec<Name>) -> Parsed<()> {
        if self.cursor.is_word("nested") && self.cursor.is_word_ahead(1, "path") {
            self.cursor.advance_by(2);
            self.string()?;
            return self.json_columns(columns);
        }
        columns.push(self.name()?);
        if self.cursor.take_words(&["for", "ordinality"]) {
            return Ok(());
        }
        self.data_type()?;
        if self.cursor.take_word("collate") {
            self.character_set_name()?;
        }
        self.cursor.take_word("exists");
        self.cursor.expect_word("path")?;
        self.string()?;
        self.json_responses()
    }

    /// `NULL ON EMPTY ERROR ON ERROR DEFAULT '1' ON EMPTY`
    pub(super) fn json_responses(&mut self) -> Parsed<()> {
        while self.cursor.is_one_of(&["null", "error", "default"]) {
            if self.cursor.take_word("default") {
                if !self.cursor.take_symbol("-") {
                    self.cursor.take_symbol("+");
                }
                if !self.cursor.take_word("null") && !self.cursor.take_word("true") && !self.cursor.take_word("false") {
                    if self.cursor.is_one_of(&["date", "time", "timestamp"]) {
                        self.cursor.advance();
                    }
                    if self.literal()?.is_none() {
                        return Err(self.cursor.expected("a literal"));
                    }
                }
            } else {
                self.cursor.advance();
            }
            self.cursor.expect_word("on")?;
            if !self.cursor.take_word("empty") {
                self.cursor.expect_word("error")?;
            }
        }
        Ok(())
    }
}
