//! What a table consists of: columns, keys, constraints, options.

use super::{Grammar, Parsed};
use crate::sql::ast::{Ddl, DdlAction, Expr, Name, ObjectName, TypeName};
use crate::sql::token::TokenKind;

/// The names and expressions in the definition of a table.
#[derive(Default)]
pub(super) struct Definition {
    pub columns: Vec<Name>,
    pub types: Vec<TypeName>,
    pub expressions: Vec<Expr>,
    pub references: Vec<ObjectName>,
}

impl Definition {
    /// A statement that makes or changes a table so.
    pub(super) fn into_ddl(self, action: DdlAction, object: &str, names: Vec<ObjectName>, temporary: bool) -> Ddl {
        Ddl {
            action,
            object: object.into(),
            names,
            temporary,
            drops_on_commit: false,
            cascades: Vec::new(),
            new_name: None,
            new_schema: None,
            if_exists: false,
            if_not_exists: false,
            takes_columns: false,
            column_changes: Vec::new(),
            references: self.references,
            columns: self.columns,
            expressions: self.expressions,
            types: self.types,
            complete: true,
        }
    }
}

/// A statement known by its action, object and names only.
pub(super) fn incomplete(action: DdlAction, object: &str, names: Vec<ObjectName>, temporary: bool) -> Ddl {
    Ddl { complete: false, ..Definition::default().into_ddl(action, object, names, temporary) }
}

/// Options of a table that say how rows are kept and nothing of other tables, files or servers.
const OPTIONS: &[&str] = &[
    "auto_increment",
    "avg_row_length",
    "checksum",
    "comment",
    "delay_key_write",
    "engine",
    "key_block_size",
    "max_rows",
    "min_rows",
    "pack_keys",
    "row_format",
    "stats_auto_recalc",
    "stats_persistent",
    "stats_sample_pages",
    "table_checksum",
];

/// Engines that keep rows themselves.
const ENGINES: &[&str] = &["aria", "heap", "innodb", "memory", "myisam", "rocksdb"];

impl Grammar<'_> {
    /// `(a INT, PRIMARY KEY (a), …)`
    pub(super) fn table_elements(&mut self, into: &mut Definition) -> Parsed<()> {
        self.parenthesized_list(|g| g.table_element(into))?;
        Ok(())
    }

    pub(super) fn table_element(&mut self, into: &mut Definition) -> Parsed<()> {
        if self.starts_key() { self.table_key(into) } else { self.column_definition(into) }
    }

    /// Whether a key or constraint stands here rather than a column.
    pub(super) fn starts_key(&self) -> bool {
        self.cursor.is_one_of(&[
            "constraint",
            "primary",
            "unique",
            "foreign",
            "check",
            "index",
            "key",
            "fulltext",
            "spatial",
        ])
    }

    /// `[CONSTRAINT c] PRIMARY KEY (a)`, `INDEX i (a, (b + 1))`, `FOREIGN KEY (a) REFERENCES t (b)`, `CHECK (a > 0)`
    pub(super) fn table_key(&mut self, into: &mut Definition) -> Parsed<()> {
        if self.cursor.take_word("constraint") && !self.starts_key() {
            self.name()?;
        }
        if self.cursor.is_word("check") {
            return self.check(into);
        }
        if self.cursor.take_words(&["foreign", "key"]) {
            self.if_exists();
            if self.is_name(0) {
                self.name()?;
            }
            self.name_list()?;
            return self.foreign_key(into);
        }
        let known = self.cursor.take_words(&["primary", "key"])
            || ["unique", "fulltext", "spatial", "index", "key"].iter().any(|word| self.cursor.take_word(word));
        if !known {
            return Err(self.cursor.expected("a key"));
        }
        if !self.cursor.take_word("index") {
            self.cursor.take_word("key");
        }
        self.if_exists();
        if self.is_name(0) && !self.cursor.is_word("using") {
            self.name()?;
        }
        self.index_type()?;
        self.key_parts(into)?;
        self.key_options()
    }

    fn index_type(&mut self) -> Parsed<()> {
        if self.cursor.take_word("using") || self.cursor.take_word("type") {
            self.name()?;
        }
        Ok(())
    }

    /// `(a, b (10) DESC, (c + 1))`
    pub(super) fn key_parts(&mut self, into: &mut Definition) -> Parsed<()> {
        self.parenthesized_list(|g| {
            if g.cursor.take_symbol("(") {
                into.expressions.push(g.expr()?);
                g.cursor.expect_symbol(")")?;
            } else {
                g.name()?;
                if g.cursor.take_symbol("(") {
                    g.number()?;
                    g.cursor.expect_symbol(")")?;
                }
            }
            if !g.cursor.take_word("asc") {
                g.cursor.take_word("desc");
            }
            Ok(())
        })?;
        Ok(())
    }

    /// `USING BTREE COMMENT 'x' INVISIBLE`
    pub(super) fn key_options(&mut self) -> Parsed<()> {
        loop {
            if self.cursor.is_one_of(&["using", "type"]) {
                self.index_type()?;
            } else if self.cursor.take_word("comment") {
                self.string()?;
            } else if self.cursor.take_word("key_block_size") {
                self.cursor.take_symbol("=");
                self.number()?;
            } else if !["visible", "invisible", "ignored"].iter().any(|word| self.cursor.take_word(word))
                && !self.cursor.take_words(&["not", "ignored"])
            {
                return Ok(());
            }
        }
    }

    /// `CHECK (x) [[NOT] ENFORCED]`
    fn check(&mut self, into: &mut Definition) -> Parsed<()> {
        self.cursor.expect_word("check")?;
        self.cursor.expect_symbol("(")?;
        into.expressions.push(self.expr()?);
        self.cursor.expect_symbol(")")?;
        if !self.cursor.take_words(&["not", "enforced"]) {
            self.cursor.take_word("enforced");
        }
        Ok(())
    }

    /// `REFERENCES t (a) MATCH FULL ON DELETE CASCADE ON UPDATE SET NULL`
    fn foreign_key(&mut self, into: &mut Definition) -> Parsed<()> {
        self.cursor.expect_word("references")?;
        into.references.push(self.table_name()?);
        if self.cursor.is_symbol("(") {
            self.name_list()?;
        }
        if self.cursor.take_word("match") && !["full", "partial", "simple"].iter().any(|w| self.cursor.take_word(w)) {
            return Err(self.cursor.expected("`FULL`, `PARTIAL` or `SIMPLE`"));
        }
        while self.cursor.take_words(&["on", "delete"]) || self.cursor.take_words(&["on", "update"]) {
            let actions: [&[&str]; 5] =
                [&["restrict"], &["cascade"], &["set", "null"], &["no", "action"], &["set", "default"]];
            if !actions.iter().any(|words| self.cursor.take_words(words)) {
                return Err(self.cursor.expected("what to do with rows that refer"));
            }
        }
        Ok(())
    }

    /// `a INT NOT NULL DEFAULT 1 …`
    pub(super) fn column_definition(&mut self, into: &mut Definition) -> Parsed<()> {
        into.columns.push(self.name()?);
        into.types.push(self.data_type()?);
        while self.column_attribute(into)? {}
        Ok(())
    }

    /// Passes one attribute; whether there was one.
    fn column_attribute(&mut self, into: &mut Definition) -> Parsed<bool> {
        let lower = self.lower();
        match lower.as_str() {
            "not" => {
                self.cursor.advance();
                self.cursor.expect_word("null")?;
            }
            "null" | "auto_increment" | "key" | "visible" | "invisible" => self.cursor.advance(),
            "primary" | "unique" => {
                self.cursor.advance();
                self.cursor.take_word("key");
            }
            "default" => {
                self.cursor.advance();
                into.expressions.push(self.default_value()?);
            }
            "on" => {
                self.cursor.advance();
                self.cursor.expect_word("update")?;
                into.expressions.push(self.bit_expr()?);
            }
            "comment" => {
                self.cursor.advance();
                self.string()?;
            }
            "collate" => {
                self.cursor.advance();
                self.cursor.take_symbol("=");
                self.character_set_name()?;
            }
            "generated" => {
                self.cursor.advance();
                self.cursor.expect_word("always")?;
                self.generated(into)?;
            }
            "as" => self.generated(into)?,
            "references" => self.foreign_key(into)?,
            "constraint" | "check" => {
                if self.cursor.take_word("constraint") && !self.cursor.is_word("check") {
                    self.name()?;
                }
                self.check(into)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// A literal, NOW or an expression in parentheses; MariaDB takes expressions without them.
    fn default_value(&mut self) -> Parsed<Expr> {
        if self.is_maria() { self.bit_expr() } else { self.operand() }
    }

    /// `AS (x) [VIRTUAL | STORED]`
    fn generated(&mut self, into: &mut Definition) -> Parsed<()> {
        self.cursor.expect_word("as")?;
        self.cursor.expect_symbol("(")?;
        into.expressions.push(self.expr()?);
        self.cursor.expect_symbol(")")?;
        let _ = ["virtual", "stored", "persistent"].iter().any(|word| self.cursor.take_word(word));
        Ok(())
    }

    /// Options of the table as a whole without commas between them; ends where something else stands.
    pub(super) fn table_options(&mut self) -> Parsed<()> {
        loop {
            let default = usize::from(self.cursor.is_word("default"));
            let lower = self.lower_ahead(default);
            match lower.as_str() {
                "charset" | "collate" => self.cursor.advance_by(default + 1),
                "character" | "char" if self.cursor.is_word_ahead(default + 1, "set") => {
                    self.cursor.advance_by(default + 2);
                }
                word if default == 0 && OPTIONS.contains(&word) => {
                    self.cursor.advance();
                    self.cursor.take_symbol("=");
                    self.option_value(word)?;
                    continue;
                }
                _ => return Ok(()),
            }
            self.cursor.take_symbol("=");
            if !self.cursor.take_word("default") {
                self.character_set_name()?;
            }
        }
    }

    fn option_value(&mut self, option: &str) -> Parsed<()> {
        if option == "engine" {
            let token = self.cursor.at();
            let name = if self.cursor.kind(0) == Some(TokenKind::String) {
                self.cursor.advance();
                self.string_value(token)
            } else {
                self.name()?.value
            };
            if ENGINES.contains(&name.to_ascii_lowercase().as_str()) {
                return Ok(());
            }
            return Err(self.cursor.unsupported("this storage engine"));
        }
        if self.cursor.kind(0) == Some(TokenKind::String) {
            return self.string().map(|_| ());
        }
        if self.cursor.kind(0) == Some(TokenKind::Word) {
            self.cursor.advance();
            return Ok(());
        }
        self.number().map(|_| ())
    }

    /// `IF EXISTS`, `IF NOT EXISTS`; whether one of them stood here.
    pub(super) fn if_exists(&mut self) -> bool {
        self.cursor.take_words(&["if", "exists"]) || self.cursor.take_words(&["if", "not", "exists"])
    }
}
