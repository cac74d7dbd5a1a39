//! CREATE, ALTER and DROP: which object, and the short forms.

use super::definition::{Definition, incomplete};
use super::{Grammar, Parsed};
use crate::sql::ast::{CreateAs, CreateAsKind, Ddl, DdlAction, ObjectName, Statement};
use crate::sql::token::TokenKind;

/// Objects that are known by their kind and name only: their words and the name of the kind.
const OBJECTS: &[(&[&str], &str)] = &[
    (&["user"], "USER"),
    (&["role"], "ROLE"),
    (&["function"], "FUNCTION"),
    (&["procedure"], "PROCEDURE"),
    (&["trigger"], "TRIGGER"),
    (&["event"], "EVENT"),
    (&["server"], "SERVER"),
    (&["sequence"], "SEQUENCE"),
    (&["package"], "PACKAGE"),
    (&["library"], "LIBRARY"),
    (&["tablespace"], "TABLESPACE"),
    (&["undo", "tablespace"], "UNDO TABLESPACE"),
    (&["logfile", "group"], "LOGFILE GROUP"),
    (&["resource", "group"], "RESOURCE GROUP"),
    (&["spatial", "reference", "system"], "SPATIAL REFERENCE SYSTEM"),
    (&["instance"], "INSTANCE"),
    (&["prepare"], "PREPARE"),
];

impl Grammar<'_> {
    /// CREATE.
    pub(super) fn create(&mut self) -> Parsed<Statement> {
        let start = self.cursor.at();
        self.cursor.advance();
        let replace = self.cursor.take_words(&["or", "replace"]);
        let temporary = self.cursor.take_word("temporary");
        if self.cursor.take_word("table") {
            return self.create_table(start, replace, temporary);
        }
        if self.cursor.take_word("database") || self.cursor.take_word("schema") {
            return self.create_database();
        }
        let unique = ["unique", "fulltext"].iter().any(|word| self.cursor.take_word(word))
            || (self.cursor.is_word_ahead(1, "index") && self.cursor.take_word("spatial"));
        if self.cursor.take_word("index") {
            return self.create_index();
        }
        if unique {
            return Err(self.cursor.expected("`INDEX`"));
        }
        self.view_options()?;
        if self.cursor.take_word("view") {
            return self.create_view(start, replace);
        }
        self.cursor.take_word("aggregate");
        self.object_by_name(DdlAction::Create)
    }

    /// `ALGORITHM = x DEFINER = y SQL SECURITY z`, of views and, in part, routines.
    fn view_options(&mut self) -> Parsed<()> {
        if self.cursor.take_word("algorithm") {
            self.cursor.expect_symbol("=")?;
            self.name()?;
        }
        if self.cursor.take_word("definer") {
            self.cursor.expect_symbol("=")?;
            self.user()?;
        }
        if self.cursor.take_words(&["sql", "security"]) && !self.cursor.take_word("definer") {
            self.cursor.expect_word("invoker")?;
        }
        Ok(())
    }

    /// `user`, `user@host`, CURRENT_USER
    fn user(&mut self) -> Parsed<()> {
        if self.cursor.take_word("current_user") || self.cursor.take_word("current_role") {
            if self.cursor.take_symbol("(") {
                self.cursor.expect_symbol(")")?;
            }
            return Ok(());
        }
        self.name_or_string()?;
        if self.cursor.kind(0) == Some(TokenKind::Variable) {
            self.cursor.advance();
        }
        Ok(())
    }

    /// `[IF NOT EXISTS] v [(a, b)] AS query [WITH CHECK OPTION]`
    fn create_view(&mut self, start: u32, replace: bool) -> Parsed<Statement> {
        self.if_exists();
        let name = self.table_name()?;
        let columns = if self.cursor.is_symbol("(") { self.name_list()? } else { Vec::new() };
        self.cursor.expect_word("as")?;
        let source = Statement::Query(Box::new(self.query()?));
        if self.cursor.take_word("with") {
            if !self.cursor.take_word("cascaded") {
                self.cursor.take_word("local");
            }
            self.cursor.expect_word("check")?;
            self.cursor.expect_word("option")?;
        }
        Ok(Statement::CreateAs(Box::new(CreateAs {
            kind: CreateAsKind::View,
            name,
            columns,
            temporary: false,
            drops_on_commit: false,
            replace,
            if_not_exists: false,
            recursive: false,
            source,
            tokens: self.cursor.since(start),
        })))
    }

    /// `[IF NOT EXISTS] d [CHARACTER SET x] [COLLATE y]`
    fn create_database(&mut self) -> Parsed<Statement> {
        self.if_exists();
        let names = vec![self.object_name(1)?];
        let ddl = self.database_options(DdlAction::Create, names)?;
        Ok(Statement::Ddl(Box::new(ddl)))
    }

    fn database_options(&mut self, action: DdlAction, names: Vec<ObjectName>) -> Parsed<Ddl> {
        self.table_options()?;
        if self.cursor.is_at_end() {
            return Ok(Definition::default().into_ddl(action, "SCHEMA", names, false));
        }
        self.pass_rest();
        Ok(incomplete(action, "SCHEMA", names, false))
    }

    /// `i ON t (a, b)`
    fn create_index(&mut self) -> Parsed<Statement> {
        self.if_exists();
        self.name()?;
        if self.cursor.take_word("using") {
            self.name()?;
        }
        self.cursor.expect_word("on")?;
        let names = vec![self.table_name()?];
        let mut definition = Definition::default();
        self.key_parts(&mut definition)?;
        self.key_options()?;
        self.online_options()?;
        let ddl = definition.into_ddl(DdlAction::Create, "INDEX", names, false);
        Ok(Statement::Ddl(Box::new(ddl)))
    }

    /// `ALGORITHM = INPLACE LOCK = NONE`
    fn online_options(&mut self) -> Parsed<()> {
        while self.cursor.take_word("algorithm") || self.cursor.take_word("lock") {
            self.cursor.take_symbol("=");
            if !self.cursor.take_word("default") {
                self.name()?;
            }
        }
        Ok(())
    }

    /// ALTER.
    pub(super) fn alter(&mut self) -> Parsed<Statement> {
        let start = self.cursor.at();
        self.cursor.advance();
        self.cursor.take_word("online");
        self.cursor.take_word("ignore");
        if self.cursor.take_word("table") {
            return self.alter_table();
        }
        if self.cursor.take_word("database") || self.cursor.take_word("schema") {
            let names = if self.is_name(0) { vec![self.object_name(1)?] } else { Vec::new() };
            let ddl = self.database_options(DdlAction::Alter, names)?;
            return Ok(Statement::Ddl(Box::new(ddl)));
        }
        self.view_options()?;
        if self.cursor.take_word("view") {
            return self.create_view(start, true);
        }
        self.object_by_name(DdlAction::Alter)
    }

    /// DROP.
    pub(super) fn drop(&mut self) -> Parsed<Statement> {
        self.cursor.advance();
        let temporary = self.cursor.take_word("temporary");
        if self.cursor.take_words(&["prepare"]) {
            return Ok(Statement::Deallocate(Some(self.name()?)));
        }
        if self.cursor.take_word("index") {
            self.if_exists();
            self.name()?;
            self.cursor.expect_word("on")?;
            let names = vec![self.table_name()?];
            self.online_options()?;
            return Ok(Self::dropped("INDEX", names, false));
        }
        let object = if self.cursor.take_word("table") || self.cursor.take_word("tables") {
            "TABLE"
        } else if self.cursor.take_word("view") {
            "VIEW"
        } else if self.cursor.take_word("database") || self.cursor.take_word("schema") {
            self.if_exists();
            let names = vec![self.object_name(1)?];
            return Ok(Self::dropped("SCHEMA", names, false));
        } else {
            return self.object_by_name(DdlAction::Drop);
        };
        let if_exists = self.if_exists();
        let names = self.comma_list(Self::table_name)?;
        if !self.cursor.take_word("restrict") {
            self.cursor.take_word("cascade");
        }
        let ddl = Definition::default().into_ddl(DdlAction::Drop, object, names, temporary);
        Ok(Statement::Ddl(Box::new(Ddl { if_exists, ..ddl })))
    }

    fn dropped(object: &str, names: Vec<ObjectName>, temporary: bool) -> Statement {
        Statement::Ddl(Box::new(Definition::default().into_ddl(DdlAction::Drop, object, names, temporary)))
    }

    /// An object that is known by its kind and name only.
    fn object_by_name(&mut self, action: DdlAction) -> Parsed<Statement> {
        let Some((words, object)) = OBJECTS.iter().find(|(words, _)| self.cursor.are_words(words)) else {
            return Err(self.cursor.expected("a kind of object"));
        };
        self.cursor.advance_by(words.len());
        Ok(self.incomplete(action, object))
    }

    /// A statement known by its action and object, and the name if one stands here.
    pub(super) fn incomplete(&mut self, action: DdlAction, object: &str) -> Statement {
        self.if_exists();
        let names = if self.is_name(0) { self.object_name(3).into_iter().collect() } else { Vec::new() };
        self.pass_rest();
        Statement::Ddl(Box::new(incomplete(action, object, names, false)))
    }
}
