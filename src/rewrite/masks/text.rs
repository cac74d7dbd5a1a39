//! Text columns: reading them in a mask, and giving the result the column's own type and collation.

use super::postgres as pg;
use super::target::{Target, Unservable};
use crate::catalog::TypeClass;
use crate::rewrite::literal;
use crate::sql::Engine;

/// Where the characters of a masked text come from; on MySQL the result's collation follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The column's value and constants of ASCII.
    Column,
    /// Constants and functions that give ASCII.
    Ascii,
    /// Constants of any characters.
    Constants,
}

impl Target<'_> {
    /// Refuses columns that do not hold text, for masks that serve nothing else.
    pub fn require_text(&self) -> Result<(), Unservable> {
        if self.class() != TypeClass::Text {
            return Err(self.wrong_type("text"));
        }
        match self.type_name().name {
            "\"char\"" => Err(self.refuse("it holds one byte; use `null` or `fixed`")),
            _ => Ok(()),
        }
    }

    /// The most characters that the column holds, where its type says so.
    pub fn max_length(&self) -> Option<i64> {
        let name = self.type_name();
        match name.name {
            "character varying" | "character" | "varchar" | "char" => name.argument(0),
            _ => None,
        }
    }

    /// The value as an argument of text functions.
    pub fn text(&self) -> String {
        match (self.engine, self.type_name().name) {
            (Engine::Postgres, "text" | "character varying") => self.sql.to_owned(),
            (Engine::Postgres, _) => format!("({}::pg_catalog.text)", self.sql),
            // `PAD_CHAR_TO_FULL_LENGTH` would add blanks.
            (Engine::MySql, "char") => format!("RTRIM({})", self.sql),
            (Engine::MySql, _) => self.sql.to_owned(),
        }
    }

    /// The value as an argument of functions that look for characters in it: compared by code point. On MySQL not
    /// for parts of the result, which would take this collation on.
    pub fn searchable(&self) -> String {
        match self.engine {
            // Functions that search do not take nondeterministic collations.
            Engine::Postgres if self.column.ty.collation().is_some() => {
                format!("({} COLLATE pg_catalog.\"C\")", self.text())
            }
            Engine::Postgres => self.text(),
            Engine::MySql => format!("{} COLLATE utf8mb4_bin", self.utf8()),
        }
    }

    /// The bytes of the value in UTF-8.
    pub fn bytes_of_text(&self) -> String {
        match self.engine {
            Engine::Postgres => pg::call("convert_to", &[&self.text(), "'UTF8'"]),
            Engine::MySql => self.utf8(),
        }
    }

    /// MySQL: the value in utf8mb4.
    fn utf8(&self) -> String {
        match self.charset() {
            Some("utf8mb4") => self.text(),
            _ => format!("CONVERT({} USING utf8mb4)", self.text()),
        }
    }

    /// MySQL: the column's character set.
    fn charset(&self) -> Option<&str> {
        self.column.ty.collation().map(|name| name.split_once('_').map_or(name, |(charset, _)| charset))
    }

    /// Refuses constants that the column's character set cannot hold.
    pub fn require_writable(&self, text: &str) -> Result<(), Unservable> {
        let writable = match (self.engine, self.charset()) {
            (Engine::Postgres, _) | (_, None | Some("utf8mb4" | "utf16" | "utf16le" | "utf32")) => true,
            (Engine::MySql, Some("utf8mb3" | "utf8" | "ucs2")) => text.chars().all(|c| c <= '\u{ffff}'),
            (Engine::MySql, Some(_)) => text.is_ascii(),
        };
        if writable {
            return Ok(());
        }
        let charset = self.charset().unwrap_or_default();
        Err(self.refuse(format!("`{text}` cannot be written in character set `{charset}`; use ASCII")))
    }

    /// A constant that becomes part of the result.
    pub fn constant(&self, text: &str) -> String {
        let literal = literal::string(self.engine, text);
        match (self.engine, self.charset()) {
            (Engine::MySql, Some(charset)) if charset != "utf8mb4" && !text.is_ascii() => {
                format!("CONVERT({literal} USING {charset})")
            }
            _ => literal,
        }
    }

    /// A masked text as a value of the column's type, cut where the type is shorter; NULL where the column is NULL.
    pub fn text_result(&self, masked: &str, source: Source) -> String {
        match self.engine {
            Engine::Postgres => self.postgres_text_result(masked),
            Engine::MySql => self.mysql_text_result(&format!("{} IS NULL", self.sql), masked, source),
        }
    }

    /// MySQL: a constant as a value of the column's type, also where the column is NULL.
    pub fn mysql_constant_result(&self, constant: &str) -> String {
        self.mysql_text_result("FALSE", constant, Source::Constants)
    }

    fn postgres_text_result(&self, masked: &str) -> String {
        match self.type_name().name {
            "text" if self.column.ty.collation().is_none() && masked.starts_with("pg_catalog.") => masked.to_owned(),
            _ => self.postgres_cast(&format!("({masked})")),
        }
    }

    /// PostgreSQL: an expression cast to the column's type, with its collation. A cast like this one to `varchar(n)` or
    /// `char(n)` cuts and never fails.
    pub fn postgres_cast(&self, expression: &str) -> String {
        // What is computed has the database's collation; `name` is the one type with another.
        let own = (self.type_name().name == "name").then_some("pg_catalog.\"C\"");
        match self.column.ty.collation().or(own) {
            Some(collation) => format!("({expression}::{} COLLATE {collation})", self.cast_type()),
            None => format!("{expression}::{}", self.cast_type()),
        }
    }

    /// MySQL: an expression of a rule's author as a value of the column's type, also where the column is NULL.
    pub fn mysql_expression_result(&self, expression: &str) -> String {
        self.mysql_text_result("FALSE", expression, Source::Column)
    }

    /// `IF(…, column, masked)` gives the result the column's character set and collation as an implicit one, so that
    /// comparisons come out as with the column itself.
    fn mysql_text_result(&self, keep: &str, masked: &str, source: Source) -> String {
        let masked = match self.max_length() {
            Some(length) => format!("LEFT({masked}, {length})"),
            None => masked.to_owned(),
        };
        let masked = match (source, self.charset(), self.column.ty.collation()) {
            (Source::Ascii | Source::Constants, Some(charset), Some(collation)) if charset != "utf8mb4" => {
                format!("CONVERT({masked} USING {charset}) COLLATE {collation}")
            }
            _ => masked,
        };
        format!("IF({keep}, {}, {masked})", self.sql)
    }
}
