//! ALTER TABLE, RENAME TABLE, TRUNCATE.

use super::definition::Definition;
use super::{Grammar, Parsed};
use crate::sql::ast::{Ddl, DdlAction, Statement};

impl Grammar<'_> {
    /// Behind `ALTER [IGNORE] TABLE`.
    pub(super) fn alter_table(&mut self) -> Parsed<Statement> {
        self.if_exists();
        let name = self.table_name()?;
        let mark = self.cursor.mark();
        let mut definition = Definition::default();
        if self.alterations(&mut definition).is_err() || !self.cursor.is_at_end() {
            self.cursor.reset(mark);
            return Ok(self.incomplete_table(DdlAction::Alter, name, false));
        }
        let ddl = definition.into_ddl(DdlAction::Alter, "TABLE", vec![name], false);
        Ok(Statement::Ddl(Box::new(ddl)))
    }

    fn alterations(&mut self, into: &mut Definition) -> Parsed<()> {
        self.comma_list(|g| g.alteration(into))?;
        Ok(())
    }

    fn alteration(&mut self, into: &mut Definition) -> Parsed<()> {
        let lower = self.lower();
        match lower.as_str() {
            "add" => self.add(into),
            "drop" => self.drop_element(),
            "change" | "modify" => {
                self.cursor.advance();
                self.cursor.take_word("column");
                self.if_exists();
                if lower.as_str() == "change" {
                    self.name()?;
                }
                self.column_definition(into)?;
                self.place()
            }
            "rename" => self.rename_element(into),
            "alter" => self.alter_default(into),
            "enable" | "disable" => {
                self.cursor.advance();
                self.cursor.expect_word("keys")
            }
            "force" => {
                self.cursor.advance();
                Ok(())
            }
            "convert" => {
                self.cursor.advance();
                self.cursor.expect_word("to")?;
                self.table_options()
            }
            "algorithm" | "lock" => {
                self.cursor.advance();
                self.cursor.take_symbol("=");
                if self.cursor.take_word("default") { Ok(()) } else { self.name().map(|_| ()) }
            }
            _ => {
                let before = self.cursor.at();
                self.table_options()?;
                if self.cursor.at() == before { Err(self.cursor.expected("a change")) } else { Ok(()) }
            }
        }
    }

    /// `ADD [COLUMN] a INT [FIRST | AFTER b]`, `ADD (a INT, b INT)`, `ADD INDEX …`
    fn add(&mut self, into: &mut Definition) -> Parsed<()> {
        self.cursor.advance();
        if self.starts_key() {
            return self.table_key(into);
        }
        self.cursor.take_word("column");
        self.if_exists();
        if self.cursor.is_symbol("(") {
            return self.table_elements(into);
        }
        self.column_definition(into)?;
        self.place()
    }

    fn place(&mut self) -> Parsed<()> {
        if self.cursor.take_word("after") {
            return self.name().map(|_| ());
        }
        self.cursor.take_word("first");
        Ok(())
    }

    /// `DROP [COLUMN] a`, `DROP INDEX i`, `DROP PRIMARY KEY`, `DROP CONSTRAINT c`
    fn drop_element(&mut self) -> Parsed<()> {
        self.cursor.advance();
        if self.cursor.take_words(&["primary", "key"]) {
            return Ok(());
        }
        if !self.cursor.take_words(&["foreign", "key"]) {
            let _ = ["column", "index", "key", "check", "constraint"].iter().any(|word| self.cursor.take_word(word));
        }
        self.if_exists();
        self.name()?;
        if !self.cursor.take_word("restrict") {
            self.cursor.take_word("cascade");
        }
        Ok(())
    }

    /// `RENAME [TO] t`, `RENAME COLUMN a TO b`, `RENAME INDEX i TO j`
    fn rename_element(&mut self, into: &mut Definition) -> Parsed<()> {
        self.cursor.advance();
        if ["column", "index", "key"].iter().any(|word| self.cursor.take_word(word)) {
            self.if_exists();
            self.name()?;
            self.cursor.expect_word("to")?;
            return self.name().map(|_| ());
        }
        if !self.cursor.take_word("to") && !self.cursor.take_word("as") {
            self.cursor.take_symbol("=");
        }
        into.references.push(self.table_name()?);
        Ok(())
    }

    /// `ALTER [COLUMN] a SET DEFAULT 1`, `ALTER a DROP DEFAULT`
    fn alter_default(&mut self, into: &mut Definition) -> Parsed<()> {
        self.cursor.advance();
        self.cursor.take_word("column");
        self.if_exists();
        self.name()?;
        if self.cursor.take_words(&["drop", "default"]) {
            return Ok(());
        }
        self.cursor.expect_word("set")?;
        self.cursor.expect_word("default")?;
        into.expressions.push(self.bit_expr()?);
        Ok(())
    }

    /// `RENAME TABLE a TO b, c TO d`: the new names are references.
    pub(super) fn rename(&mut self) -> Parsed<Statement> {
        self.cursor.advance();
        if !self.cursor.take_word("table") && !self.cursor.take_word("tables") {
            return Ok(self.incomplete(DdlAction::Alter, "USER"));
        }
        self.if_exists();
        let mut names = Vec::new();
        let mut references = Vec::new();
        self.comma_list(|g| {
            names.push(g.table_name()?);
            g.cursor.expect_word("to")?;
            references.push(g.table_name()?);
            Ok(())
        })?;
        let definition = Definition { references, ..Definition::default() };
        Ok(Statement::Ddl(Box::new(definition.into_ddl(DdlAction::Alter, "TABLE", names, false))))
    }

    /// `TRUNCATE [TABLE] t`
    pub(super) fn truncate(&mut self) -> Parsed<Statement> {
        self.cursor.advance();
        self.cursor.take_word("table");
        let names = vec![self.table_name()?];
        let ddl: Ddl = Definition::default().into_ddl(DdlAction::Truncate, "TABLE", names, false);
        Ok(Statement::Ddl(Box::new(ddl)))
    }
}
