//! CREATE TABLE, also from a query.

use super::definition::{Definition, incomplete};
use super::{Grammar, Parsed};
use crate::sql::ast::{CreateAs, CreateAsKind, Ddl, DdlAction, ObjectName, Statement};

impl Grammar<'_> {
    /// Behind `CREATE [OR REPLACE] [TEMPORARY] TABLE`.
    pub(super) fn create_table(&mut self, start: u32, replace: bool, temporary: bool) -> Parsed<Statement> {
        self.if_exists();
        let name = self.table_name()?;
        if let Some(like) = self.like_table()? {
            let definition = Definition { references: vec![like], ..Definition::default() };
            return Ok(Self::made(definition, name, replace, temporary));
        }
        let mark = self.cursor.mark();
        let Ok(definition) = self.table_definition() else {
            self.cursor.reset(mark);
            return Ok(self.incomplete_table(DdlAction::Create, name, temporary));
        };
        if self.cursor.is_at_end() {
            return Ok(Self::made(definition, name, replace, temporary));
        }
        if !self.passes_to_query() || !definition.expressions.is_empty() || !definition.references.is_empty() {
            return Ok(self.incomplete_table(DdlAction::Create, name, temporary));
        }
        let source = Statement::Query(Box::new(self.query()?));
        Ok(Statement::CreateAs(Box::new(CreateAs {
            kind: CreateAsKind::Table,
            name,
            columns: definition.columns,
            temporary,
            drops_on_commit: false,
            replace,
            if_not_exists: false,
            recursive: false,
            source,
            tokens: self.cursor.since(start),
        })))
    }

    /// MariaDB's OR REPLACE drops a table, which nobody looks after here.
    fn made(definition: Definition, name: ObjectName, replace: bool, temporary: bool) -> Statement {
        let ddl = definition.into_ddl(DdlAction::Create, "TABLE", vec![name], temporary);
        Statement::Ddl(Box::new(Ddl { complete: !replace, ..ddl }))
    }

    /// A table statement whose clauses are not all known.
    pub(super) fn incomplete_table(&mut self, action: DdlAction, name: ObjectName, temporary: bool) -> Statement {
        self.pending = None;
        self.pass_rest();
        Statement::Ddl(Box::new(incomplete(action, "TABLE", vec![name], temporary)))
    }

    /// `LIKE t`, `(LIKE t)`
    fn like_table(&mut self) -> Parsed<Option<ObjectName>> {
        if self.cursor.take_word("like") {
            return self.table_name().map(Some);
        }
        if self.cursor.is_symbol("(") && self.cursor.is_word_ahead(1, "like") {
            self.cursor.advance_by(2);
            let like = self.table_name()?;
            self.cursor.expect_symbol(")")?;
            return Ok(Some(like));
        }
        Ok(None)
    }

    /// Columns, keys and options.
    fn table_definition(&mut self) -> Parsed<Definition> {
        let mut definition = Definition::default();
        let query = ["select", "with", "values", "table"].iter().any(|word| self.cursor.is_word_ahead(1, word))
            || self.cursor.is_symbol_ahead(1, "(");
        if self.cursor.is_symbol("(") && !query {
            self.table_elements(&mut definition)?;
        }
        self.table_options()?;
        while self.cursor.take_symbol(",") {
            self.table_options()?;
        }
        Ok(definition)
    }

    /// Passes what stands before the query; whether one follows.
    fn passes_to_query(&mut self) -> bool {
        if !self.cursor.take_word("ignore") {
            self.cursor.take_word("replace");
        }
        self.cursor.take_word("as");
        self.cursor.is_symbol("(") || self.starts_query()
    }
}
