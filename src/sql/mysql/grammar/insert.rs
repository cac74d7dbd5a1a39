//! INSERT and REPLACE.

use super::{Grammar, Parsed};
use crate::sql::ast::{Alias, Expr, Insert, Name, OnConflict, Query, QueryBody, SetClause, Statement};
use crate::sql::row_limit::RowLimit;

impl Grammar<'_> {
    /// `INSERT [IGNORE] [INTO] t …`, `REPLACE [INTO] t …`
    pub(super) fn insert(&mut self) -> Parsed<Statement> {
        let replace = self.cursor.is_word("replace");
        self.cursor.advance();
        if !self.cursor.take_word("low_priority") && !self.cursor.take_word("delayed") && !replace {
            self.cursor.take_word("high_priority");
        }
        let ignore = !replace && self.cursor.take_word("ignore");
        self.cursor.take_word("into");
        let target = self.target()?;
        let mut insert = Insert {
            with: None,
            target,
            columns: Vec::new(),
            replace,
            ignore,
            source: None,
            assignments: Vec::new(),
            on_conflict: None,
            returning: Vec::new(),
            row_alias: None,
        };
        if self.cursor.take_word("set") {
            insert.assignments = self.comma_list(Self::set_clause)?;
            insert.row_alias = self.row_alias()?;
        } else {
            if self.cursor.is_symbol("(") && self.is_column_list() {
                insert.columns = self.insert_columns()?;
            }
            insert.source = Some(Box::new(self.insert_source(&mut insert.row_alias)?));
        }
        if !replace && self.cursor.take_words(&["on", "duplicate", "key", "update"]) {
            self.in_on_duplicate = true;
            let assignments = self.comma_list(Self::set_clause)?;
            self.in_on_duplicate = false;
            insert.on_conflict = Some(OnConflict {
                target: Vec::new(),
                target_filter: None,
                assignments,
                filter: None,
                filter_at: None,
            });
        }
        insert.returning = self.returning()?;
        Ok(Statement::Insert(Box::new(insert)))
    }

    /// Whether the parenthesis here holds columns rather than a query.
    fn is_column_list(&self) -> bool {
        self.cursor.is_symbol_ahead(1, ")") || self.is_name(1)
    }

    /// `()`, `(a, t.b)`
    fn insert_columns(&mut self) -> Parsed<Vec<Name>> {
        if self.cursor.is_symbol_ahead(1, ")") {
            self.cursor.advance_by(2);
            return Ok(Vec::new());
        }
        self.parenthesized_list(|g| {
            let mut name = g.column_name()?;
            name.parts.pop().ok_or_else(|| g.cursor.expected("a column"))
        })
    }

    /// `VALUES (1), (DEFAULT)`, a query.
    fn insert_source(&mut self, row_alias: &mut Option<Alias>) -> Parsed<Query> {
        let start = self.cursor.at();
        let values = self.cursor.is_one_of(&["values", "value"]) && self.cursor.is_symbol_ahead(1, "(");
        if !values {
            return self.query();
        }
        self.cursor.advance();
        let rows = self.comma_list(Self::insert_row)?;
        let tokens = self.cursor.since(start);
        *row_alias = self.row_alias()?;
        Ok(Query {
            with: None,
            body: QueryBody::Values(rows),
            order_by: Vec::new(),
            limit: RowLimit::default(),
            locking: Vec::new(),
            tokens,
        })
    }

    fn insert_row(&mut self) -> Parsed<Vec<Expr>> {
        if self.cursor.is_symbol("(") && self.cursor.is_symbol_ahead(1, ")") {
            self.cursor.advance_by(2);
            return Ok(Vec::new());
        }
        self.parenthesized_list(Self::expr_or_default)
    }

    /// MySQL's `AS new (a, b)`.
    fn row_alias(&mut self) -> Parsed<Option<Alias>> {
        if self.is_maria() || !self.cursor.take_word("as") {
            return Ok(None);
        }
        let name = self.name()?;
        let columns = if self.cursor.is_symbol("(") { self.name_list()? } else { Vec::new() };
        Ok(Some(Alias { name, columns }))
    }

    /// `a = 1`, `t.a := DEFAULT`
    pub(super) fn set_clause(&mut self) -> Parsed<SetClause> {
        let columns = vec![self.column_name()?];
        if !self.cursor.take_symbol("=") {
            self.cursor.expect_symbol(":=")?;
        }
        Ok(SetClause { columns, values: vec![self.expr_or_default()?] })
    }
}
