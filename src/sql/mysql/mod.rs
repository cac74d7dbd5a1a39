//! The lexical rules and grammar of MySQL and MariaDB.
//!
//! In: text, the session's `sql_mode` and the family of its server. Out: tokens and [`ast`](super::ast). What the
//! grammar does not list is an error, never skipped. Never knows: what names mean, rules, the network.
//!
//! Versions: MySQL 8.0 to 9, MariaDB 10.6 to 11.8. MariaDB's `ORACLE` and `MSSQL` modes read a different language and
//! are not served.

mod driver_comments;
mod grammar;
mod inner;
pub mod keywords;
pub mod lexer;

pub use grammar::parse;
pub(in crate::sql) use grammar::string_content;
pub use inner::{Inner, inner};

/// Which family of servers reads the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
pub enum Flavour {
    /// MySQL.
    #[default]
    MySql,
    /// MariaDB.
    MariaDb,
}

pub mod naming;

/// The flags of `sql_mode` that change how text is read (MySQL manual, "Server SQL Modes").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
// Independent flags, as the server has them.
#[allow(clippy::struct_excessive_bools)]
pub struct SqlMode {
    /// `ANSI_QUOTES`: double quotes hold names.
    pub ansi_quotes: bool,
    /// `PIPES_AS_CONCAT`: `||` concatenates.
    pub pipes_as_concat: bool,
    /// `NO_BACKSLASH_ESCAPES`: a backslash in a string is a backslash.
    pub no_backslash_escapes: bool,
    /// `HIGH_NOT_PRECEDENCE`: NOT binds like `!`.
    pub high_not_precedence: bool,
    /// `IGNORE_SPACE`: blanks may stand between a built-in function's name and its parenthesis.
    pub ignore_space: bool,
    /// Neither `STRICT_TRANS_TABLES` nor `STRICT_ALL_TABLES`: values that do not fit are changed until they do.
    pub lenient: bool,
}
