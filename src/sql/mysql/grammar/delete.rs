//! DELETE in its three forms.

use super::{Grammar, Parsed};
use crate::sql::ast::{Delete, Relation, Statement, TableRef, With};

impl Grammar<'_> {
    /// `DELETE FROM t …`, `DELETE t, u FROM …`, `DELETE FROM t, u USING …`
    pub(super) fn delete(&mut self, with: Option<With>) -> Parsed<Statement> {
        let start = self.cursor.at();
        self.cursor.expect_word("delete")?;
        if self.is_maria() && self.cursor.are_words(&["history", "from"]) {
            return Err(self.cursor.unsupported("`DELETE HISTORY`"));
        }
        while ["quick", "low_priority", "ignore"].iter().any(|option| self.cursor.take_word(option)) {}
        let mut delete = Delete {
            with,
            targets: Vec::new(),
            using: Vec::new(),
            multi_table: false,
            filter: None,
            order_by: Vec::new(),
            limit: Vec::new(),
            returning: Vec::new(),
            filter_at: 0,
            tokens: self.no_tokens(),
        };
        if !self.cursor.take_word("from") {
            delete.targets = self.comma_list(Self::named_target)?;
            self.cursor.expect_word("from")?;
            delete.multi_table = true;
            delete.using = self.joined_tables()?;
        } else if self.names_targets() {
            delete.targets = self.comma_list(Self::named_target)?;
            self.cursor.expect_word("using")?;
            delete.multi_table = true;
            delete.using = self.joined_tables()?;
        } else {
            delete.targets = vec![self.only_target()?];
        }
        delete.filter_at = self.cursor.at();
        delete.filter = self.filter()?;
        if !delete.multi_table {
            (delete.order_by, delete.limit) = self.order_and_limit()?;
            delete.returning = self.returning()?;
        }
        delete.tokens = self.cursor.since(start);
        Ok(Statement::Delete(Box::new(delete)))
    }

    fn joined_tables(&mut self) -> Parsed<Vec<TableRef>> {
        self.comma_list(Self::table_reference)
    }

    /// Whether names and USING follow, so that the names only say which of the joined tables lose rows.
    fn names_targets(&self) -> bool {
        let mut ahead = 0;
        while self.is_name(ahead) {
            ahead += 1;
            while self.cursor.is_symbol_ahead(ahead, ".") {
                ahead += 2;
            }
            if !self.cursor.is_symbol_ahead(ahead, ",") {
                break;
            }
            ahead += 1;
        }
        self.cursor.is_word_ahead(ahead, "using")
    }

    /// `t`, `t.*`, `s.t.*`
    fn named_target(&mut self) -> Parsed<Relation> {
        let mut relation = self.plain_relation()?;
        if self.cursor.is_symbol(".") && self.cursor.is_symbol_ahead(1, "*") {
            self.cursor.advance_by(2);
            relation.tokens.end = self.cursor.at();
        }
        Ok(relation)
    }

    /// The table of `DELETE FROM t [AS a] [PARTITION (p)]`.
    fn only_target(&mut self) -> Parsed<Relation> {
        let mut relation = self.target()?;
        if self.cursor.are_words(&["for", "portion"]) {
            return Err(self.cursor.unsupported("`FOR PORTION OF`"));
        }
        relation.alias = self.table_alias()?;
        if self.cursor.is_word("partition") {
            // Behind the alias it could not be replaced with the table.
            return Err(self.cursor.unsupported("`PARTITION` behind the alias"));
        }
        Ok(relation)
    }
}
