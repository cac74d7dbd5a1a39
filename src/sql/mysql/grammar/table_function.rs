//! JSON_TABLE.

use super::{Grammar, Parsed};
use crate::sql::ast::{ExprKind, Name, TableFunction, TableRef, TypeName};

impl Grammar<'_> {
    /// `JSON_TABLE (x, '$' COLUMNS (…)) AS a`
    pub(super) fn json_table(&mut self) -> Parsed<TableRef> {
        let start = self.cursor.at();
        self.cursor.advance();
        self.cursor.expect_symbol("(")?;
        let document = self.expr()?;
        self.cursor.expect_symbol(",")?;
        let path = self.string()?;
        let mut columns = Vec::new();
        let mut types = Vec::new();
        self.json_columns(&mut columns, &mut types)?;
        self.cursor.expect_symbol(")")?;
        let form = ExprKind::Special { name: "json_table", operands: vec![document, path] };
        let functions = vec![self.outer_node(form, start)?];
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
            types,
            tokens,
        })))
    }

    /// `COLUMNS (a INT PATH '$.a', NESTED PATH '$.b' COLUMNS (…))`
    fn json_columns(&mut self, columns: &mut Vec<Name>, types: &mut Vec<TypeName>) -> Parsed<()> {
        self.cursor.expect_word("columns")?;
        let level = self.cursor.enter()?;
        self.parenthesized_list(|g| g.json_column(columns, types))?;
        self.cursor.leave(level)
    }

    fn json_column(&mut self, columns: &mut Vec<Name>, types: &mut Vec<TypeName>) -> Parsed<()> {
        if self.cursor.is_word("nested") && self.cursor.is_word_ahead(1, "path") {
            self.cursor.advance_by(2);
            self.string()?;
            return self.json_columns(columns, types);
        }
        columns.push(self.name()?);
        if self.cursor.take_words(&["for", "ordinality"]) {
            return Ok(());
        }
        types.push(self.data_type()?);
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
