//! SHOW.

use super::{Grammar, Parsed};
use crate::sql::ast::{Show, Statement};
use crate::sql::token::TokenKind;

/// What SHOW can show: its words behind the modifiers, the name for it, and what follows.
const FORMS: &[(&[&str], &str, Follow)] = &[
    (&["tables"], "TABLES", Follow::Database),
    (&["triggers"], "TRIGGERS", Follow::Database),
    (&["events"], "EVENTS", Follow::Database),
    (&["table", "status"], "TABLE STATUS", Follow::Database),
    (&["open", "tables"], "OPEN TABLES", Follow::Database),
    (&["columns"], "COLUMNS", Follow::Table),
    (&["fields"], "COLUMNS", Follow::Table),
    (&["index"], "INDEX", Follow::Table),
    (&["indexes"], "INDEX", Follow::Table),
    (&["keys"], "INDEX", Follow::Table),
    (&["databases"], "DATABASES", Follow::Filter),
    (&["schemas"], "DATABASES", Follow::Filter),
    (&["variables"], "VARIABLES", Follow::Filter),
    (&["status"], "STATUS", Follow::Filter),
    (&["character", "set"], "CHARACTER SET", Follow::Filter),
    (&["char", "set"], "CHARACTER SET", Follow::Filter),
    (&["charset"], "CHARACTER SET", Follow::Filter),
    (&["collation"], "COLLATION", Follow::Filter),
    (&["procedure", "status"], "PROCEDURE STATUS", Follow::Filter),
    (&["function", "status"], "FUNCTION STATUS", Follow::Filter),
    (&["package", "status"], "PACKAGE STATUS", Follow::Filter),
    (&["warnings"], "WARNINGS", Follow::Limit),
    (&["errors"], "ERRORS", Follow::Limit),
    (&["count"], "COUNT", Follow::Count),
    (&["engines"], "ENGINES", Follow::Nothing),
    (&["storage", "engines"], "ENGINES", Follow::Nothing),
    (&["plugins"], "PLUGINS", Follow::Nothing),
    (&["privileges"], "PRIVILEGES", Follow::Nothing),
    (&["processlist"], "PROCESSLIST", Follow::Nothing),
    (&["profiles"], "PROFILES", Follow::Nothing),
    (&["grants"], "GRANTS", Follow::User),
    (&["create", "table"], "CREATE TABLE", Follow::Object),
    (&["create", "view"], "CREATE VIEW", Follow::Object),
    (&["create", "sequence"], "CREATE SEQUENCE", Follow::Object),
    (&["create", "procedure"], "CREATE PROCEDURE", Follow::Object),
    (&["create", "function"], "CREATE FUNCTION", Follow::Object),
    (&["create", "trigger"], "CREATE TRIGGER", Follow::Object),
    (&["create", "event"], "CREATE EVENT", Follow::Object),
    (&["create", "database"], "CREATE DATABASE", Follow::NewDatabase),
    (&["create", "schema"], "CREATE DATABASE", Follow::NewDatabase),
];

/// What follows the words.
#[derive(Debug, Clone, Copy)]
enum Follow {
    /// `[FROM database] [LIKE | WHERE]`
    Database,
    /// `FROM table [FROM database] [LIKE | WHERE]`
    Table,
    /// `[LIKE | WHERE]`
    Filter,
    /// `[LIMIT]`
    Limit,
    /// `(*) WARNINGS`, `(*) ERRORS`
    Count,
    /// `[FOR user]`
    User,
    /// A name.
    Object,
    /// `[IF NOT EXISTS] database`
    NewDatabase,
    Nothing,
}

impl Grammar<'_> {
    /// `SHOW …`; what is not on the list is a statement known by its words only.
    pub(super) fn show(&mut self) -> Parsed<Statement> {
        self.cursor.advance();
        let mut modifiers: Vec<Box<str>> = Vec::new();
        while self.cursor.is_one_of(&["full", "extended", "global", "session", "local"]) {
            modifiers.push(self.cursor.source(0).to_ascii_uppercase().into());
            self.cursor.advance();
        }
        let Some((words, what, follow)) = FORMS.iter().find(|(words, _, _)| self.cursor.are_words(words)) else {
            return self.other_show();
        };
        self.cursor.advance_by(words.len());
        let mut show = Show { what: (*what).into(), modifiers, ..Show::default() };
        self.show_rest(*follow, &mut show)?;
        Ok(Statement::Show(Box::new(show)))
    }

    fn show_rest(&mut self, follow: Follow, show: &mut Show) -> Parsed<()> {
        match follow {
            Follow::Database => {
                self.show_database(show)?;
                self.show_filter(show)
            }
            Follow::Table => {
                if !self.cursor.take_word("from") {
                    self.cursor.expect_word("in")?;
                }
                show.object = Some(self.table_name()?);
                self.show_database(show)?;
                self.show_filter(show)
            }
            Follow::Filter => self.show_filter(show),
            Follow::Limit => self.limit().map(|_| ()),
            Follow::Count => {
                self.cursor.expect_symbol("(")?;
                self.cursor.expect_symbol("*")?;
                self.cursor.expect_symbol(")")?;
                show.what = if self.cursor.take_word("warnings") {
                    "COUNT WARNINGS".into()
                } else {
                    self.cursor.expect_word("errors")?;
                    "COUNT ERRORS".into()
                };
                Ok(())
            }
            Follow::User => {
                if self.cursor.is_word("for") {
                    show.what = "GRANTS FOR".into();
                    self.pass_rest();
                }
                Ok(())
            }
            Follow::Object => {
                show.object = Some(self.table_name()?);
                Ok(())
            }
            Follow::NewDatabase => {
                self.cursor.take_words(&["if", "not", "exists"]);
                show.database = Some(self.name()?);
                Ok(())
            }
            Follow::Nothing => Ok(()),
        }
    }

    fn show_database(&mut self, show: &mut Show) -> Parsed<()> {
        if self.cursor.take_word("from") || self.cursor.take_word("in") {
            show.database = Some(self.name()?);
        }
        Ok(())
    }

    fn show_filter(&mut self, show: &mut Show) -> Parsed<()> {
        if self.cursor.take_word("like") {
            let pattern = self.string()?;
            if pattern.tokens.len() == 1 {
                show.pattern_text = Some(self.string_value(pattern.tokens.start));
            }
            show.pattern = Some(pattern);
        } else {
            show.filter = self.filter()?;
        }
        Ok(())
    }

    /// `SHOW SLAVE STATUS`, `SHOW ENGINE INNODB STATUS`, `SHOW BINLOG EVENTS` …
    fn other_show(&mut self) -> Parsed<Statement> {
        if self.cursor.kind(0) != Some(TokenKind::Word) {
            return Err(self.cursor.expected("what to show"));
        }
        let word = self.cursor.source(0).to_ascii_uppercase();
        self.pass_rest();
        Ok(Statement::Other { words: format!("SHOW {word}").into() })
    }
}
