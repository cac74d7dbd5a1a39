//! The first word of a statement and what it begins.

use super::{Grammar, Parsed};
use crate::sql::ast::{Ddl, DdlAction, Explain, ObjectName, Show, Statement};
use crate::sql::token::TokenKind;

/// Statements that are known by their first words only.
const OTHERS: &[&str] = &[
    "analyze",
    "backup",
    "binlog",
    "cache",
    "change",
    "check",
    "checksum",
    "clone",
    "flush",
    "get",
    "handler",
    "help",
    "import",
    "install",
    "load",
    "optimize",
    "purge",
    "repair",
    "reset",
    "resignal",
    "restart",
    "shutdown",
    "signal",
    "stop",
    "uninstall",
];

/// Second words that tell such statements apart.
const SECOND_WORDS: &[&str] = &[
    "binary",
    "component",
    "data",
    "diagnostics",
    "group_replication",
    "index",
    "instance",
    "local",
    "master",
    "no_write_to_binlog",
    "plugin",
    "replica",
    "slave",
    "soname",
    "stage",
    "table",
    "tables",
    "view",
    "xml",
];

impl Grammar<'_> {
    /// One whole statement.
    pub(super) fn statement(&mut self) -> Parsed<Statement> {
        if self.cursor.is_symbol("(") {
            return self.query_statement();
        }
        let lower = self.lower();
        match lower.as_str() {
            "select" | "values" | "table" => self.query_statement(),
            "with" => self.with_statement(),
            "insert" | "replace" => self.insert(),
            "update" => self.update(None),
            "delete" => self.delete(None),
            "create" => self.create(),
            "alter" => self.alter(),
            "drop" => self.drop(),
            "rename" => self.rename(),
            "truncate" => self.truncate(),
            "grant" | "revoke" => Ok(self.grant()),
            "show" => self.show(),
            "desc" | "describe" | "explain" => self.describe(),
            "analyze" if self.is_maria() && self.analyzes_statement() => self.analyze(),
            "set" => self.set(),
            "use" => {
                self.cursor.advance();
                Ok(Statement::Use(self.name()?))
            }
            "begin" | "start" | "commit" | "rollback" | "savepoint" | "release" | "xa" => self.transaction(),
            "lock" | "unlock" => self.lock_tables(),
            "kill" => self.kill(),
            "call" => self.call_procedure(),
            "do" => self.do_expressions(),
            "prepare" | "execute" | "deallocate" => self.prepared(),
            word if OTHERS.contains(&word) => Ok(self.other()),
            _ => Err(self.cursor.expected("a statement")),
        }
    }

    fn query_statement(&mut self) -> Parsed<Statement> {
        self.into_allowed = true;
        Ok(Statement::Query(Box::new(self.query()?)))
    }

    /// `WITH … SELECT`, MySQL's `WITH … UPDATE` and `WITH … DELETE`.
    fn with_statement(&mut self) -> Parsed<Statement> {
        if self.is_maria() || !self.writes_behind_with() {
            return self.query_statement();
        }
        self.cursor.advance();
        let with = self.with()?;
        if self.cursor.is_word("update") { self.update(Some(with)) } else { self.delete(Some(with)) }
    }

    /// Whether UPDATE or DELETE follow the common table expressions: they are the first words outside parentheses
    /// that can begin a statement.
    fn writes_behind_with(&self) -> bool {
        let mut depth = 0_i32;
        let mut ahead = 1;
        while self.cursor.peek(ahead).is_some() {
            if self.cursor.is_symbol_ahead(ahead, "(") {
                depth += 1;
            } else if self.cursor.is_symbol_ahead(ahead, ")") {
                depth -= 1;
            } else if depth == 0 {
                match self.lower_ahead(ahead).as_str() {
                    "update" | "delete" => return true,
                    "select" | "table" => return false,
                    _ => {}
                }
            }
            ahead += 1;
        }
        false
    }

    /// A statement that is known by its first words only.
    pub(super) fn other(&mut self) -> Statement {
        let mut words = self.cursor.source(0).to_ascii_uppercase();
        let second = self.lower_ahead(1);
        if SECOND_WORDS.contains(&second.as_str()) {
            words.push(' ');
            words.push_str(&second.as_str().to_ascii_uppercase());
        }
        self.pass_rest();
        Statement::Other { words: words.into() }
    }

    /// GRANT and REVOKE.
    fn grant(&mut self) -> Statement {
        self.pass_rest();
        Statement::Ddl(Box::new(Ddl {
            action: DdlAction::Grant,
            object: "PRIVILEGE".into(),
            names: Vec::new(),
            temporary: false,
            drops_on_commit: false,
            if_exists: false,
            if_not_exists: false,
            takes_columns: false,
            column_changes: Vec::new(),
            references: Vec::new(),
            columns: Vec::new(),
            expressions: Vec::new(),
            types: Vec::new(),
            cascades: Vec::new(),
            new_name: None,
            new_schema: None,
            complete: false,
        }))
    }

    /// EXPLAIN of a statement, or DESCRIBE of a table: each word begins both.
    fn describe(&mut self) -> Parsed<Statement> {
        self.cursor.advance();
        let mut analyze = self.is_mysql() && self.cursor.take_word("analyze");
        let detail = self.is_maria() && self.cursor.is_one_of(&["extended", "partitions"]);
        if detail && !self.cursor.is_symbol_ahead(1, ".") && self.cursor.peek(1).is_some() {
            self.cursor.advance();
        }
        if self.cursor.is_word("format") && self.cursor.is_symbol_ahead(1, "=") {
            self.cursor.advance_by(2);
            self.name_or_string()?;
        }
        if self.cursor.are_words(&["for", "connection"]) {
            self.pass_rest();
            return Ok(Statement::Other { words: "EXPLAIN FOR CONNECTION".into() });
        }
        if self.is_maria() && self.cursor.is_word("analyze") {
            self.cursor.advance();
            analyze = true;
        }
        if self.starts_explainable() {
            return self.explain(analyze);
        }
        if analyze {
            return Err(self.cursor.expected("a statement"));
        }
        self.describe_table()
    }

    fn starts_explainable(&self) -> bool {
        self.cursor.is_symbol("(")
            || self.starts_query()
            || self.cursor.is_one_of(&["insert", "replace", "update", "delete"])
    }

    fn explain(&mut self, analyze: bool) -> Parsed<Statement> {
        let statement = self.statement()?;
        Ok(Statement::Explain(Box::new(Explain { analyze, statement })))
    }

    /// `DESCRIBE t [column]`
    fn describe_table(&mut self) -> Parsed<Statement> {
        let object = self.table_name()?;
        let mut show = Show { what: "COLUMNS".into(), object: Some(object), ..Show::default() };
        if !self.cursor.is_at_end() {
            let start = self.cursor.at();
            show.pattern = Some(if self.cursor.kind(0) == Some(TokenKind::String) {
                show.pattern_text = Some(self.string_value(start));
                self.string()?
            } else {
                let name = self.name()?;
                show.pattern_text = Some(name.value.clone());
                let name = ObjectName { parts: vec![name], tokens: self.cursor.since(start) };
                self.node(crate::sql::ast::ExprKind::Column(name), start)
            });
        }
        Ok(Statement::Show(Box::new(show)))
    }

    /// Whether MariaDB's ANALYZE here runs a statement rather than collecting statistics.
    fn analyzes_statement(&self) -> bool {
        let ahead = if self.cursor.is_word_ahead(1, "format") { 4 } else { 1 };
        self.cursor.is_symbol_ahead(ahead, "(")
            || matches!(
                self.lower_ahead(ahead).as_str(),
                "select" | "insert" | "replace" | "update" | "delete" | "with" | "values"
            )
    }

    /// MariaDB's `ANALYZE [FORMAT=JSON] statement`.
    fn analyze(&mut self) -> Parsed<Statement> {
        self.cursor.advance();
        if self.cursor.take_word("format") {
            self.cursor.expect_symbol("=")?;
            self.name_or_string()?;
        }
        self.explain(true)
    }
}
