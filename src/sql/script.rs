//! A client's text taken apart: leading comment, statements, and the same text without its literals.

use std::ops::Range;

use super::mysql::{self, Flavour, SqlMode};
use super::postgres;
use super::token::{LexError, LexErrorKind, MAX_BYTES, Token};

/// The longest leading comment that is kept, in bytes.
const MAX_ANNOTATION: usize = 1024;

/// By whose lexical rules a text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reading {
    /// PostgreSQL's.
    Postgres,
    /// MySQL's or MariaDB's in a session with this mode.
    MySql(SqlMode, Flavour),
}

/// A text as tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Script {
    /// All tokens, statements' ends included.
    pub tokens: Vec<Token>,
    /// The tokens of each statement that is not empty, without the semicolon.
    pub statements: Vec<Range<usize>>,
    /// The leading comment of a BI tool, or the trailing one that sqlcommenter writes; delimiters left out.
    pub annotation: Option<Box<str>>,
    /// MySQL's optimizer hints: the bytes of each `/*+ … */`.
    pub hints: Vec<Range<usize>>,
    /// The text with a sign for each plain literal, white space folded and comments left out: two texts of one
    /// shape differ only in those literals. The signs are control characters, which begin no token.
    pub shape: String,
}

/// What stands in [`Script::shape`] for a literal of each kind.
pub mod hole {
    use crate::sql::token::TokenKind;

    /// The sign for a plain literal of this kind.
    pub fn sign(kind: TokenKind) -> char {
        match kind {
            TokenKind::Integer => '\u{1}',
            TokenKind::Decimal => '\u{2}',
            _ => '\u{3}',
        }
    }
}

impl Script {
    /// Takes a text apart.
    pub fn read(text: &str, reading: Reading) -> Result<Self, LexError> {
        if text.len() > MAX_BYTES {
            return Err(LexError { kind: LexErrorKind::TooLong, at: 0 });
        }
        match reading {
            Reading::Postgres => Self::collect(text, postgres::lexer::Lexer::new(text)),
            Reading::MySql(mode, flavour) => Self::collect(text, mysql::lexer::Lexer::new(text, mode, flavour)),
        }
    }

    fn collect(text: &str, mut lexer: impl Lexer) -> Result<Self, LexError> {
        let mut script = Self { shape: String::with_capacity(text.len()), ..Self::default() };
        let mut comment = None;
        let mut depth = 0_i32;
        let mut begin = 0;
        while let Some(token) = lexer.next_token()? {
            let passed = lexer.take_comment();
            if script.tokens.is_empty() {
                comment = passed;
                script.tokens.reserve(text.len() / 5 + 4);
            }
            script.hints.extend(lexer.take_hint().map(|(start, end)| start..end));
            let source = token.text(text);
            match source {
                "(" | "[" => depth += 1,
                ")" | "]" => depth -= 1,
                ";" if depth <= 0 => {
                    script.end_statement(begin);
                    begin = script.tokens.len() + 1;
                }
                _ => {}
            }
            script.push_shape(text, token);
            script.tokens.push(token);
        }
        script.end_statement(begin);
        let comment = comment.or_else(|| lexer.take_comment());
        script.annotation =
            comment.and_then(|(start, end)| clean_annotation(text.get(start + 2..end.saturating_sub(2))?));
        Ok(script)
    }

    fn end_statement(&mut self, begin: usize) {
        if self.tokens.len() > begin {
            self.statements.push(begin..self.tokens.len());
        }
    }

    /// Tokens that stood together stay together: what the server reads as one sequence without blanks is read
    /// the same way again.
    fn push_shape(&mut self, text: &str, token: Token) {
        if self.tokens.last().is_some_and(|last| last.end != token.start) {
            self.shape.push(' ');
        }
        if token.is_plain_literal() {
            self.shape.push(hole::sign(token.kind));
        } else {
            self.shape.push_str(token.text(text));
        }
    }

    /// The text with `?` for each literal of any kind, for audit records.
    pub fn normalized(&self, text: &str) -> String {
        let mut out = String::with_capacity(self.shape.len());
        let mut end = None;
        for token in &self.tokens {
            if end.is_some_and(|end| end != token.start) {
                out.push(' ');
            }
            end = Some(token.end);
            out.push_str(if token.is_literal() { "?" } else { token.text(text) });
        }
        out
    }
}

/// What [`Script`] needs of an engine's lexer.
trait Lexer {
    fn next_token(&mut self) -> Result<Option<Token>, LexError>;
    fn take_comment(&mut self) -> Option<(usize, usize)>;
    fn take_hint(&mut self) -> Option<(usize, usize)>;
}

impl Lexer for postgres::lexer::Lexer<'_> {
    #[inline]
    fn next_token(&mut self) -> Result<Option<Token>, LexError> {
        self.next_token()
    }

    #[inline]
    fn take_comment(&mut self) -> Option<(usize, usize)> {
        self.take_comment()
    }

    #[inline]
    fn take_hint(&mut self) -> Option<(usize, usize)> {
        None
    }
}

impl Lexer for mysql::lexer::Lexer<'_> {
    #[inline]
    fn next_token(&mut self) -> Result<Option<Token>, LexError> {
        self.next_token()
    }

    #[inline]
    fn take_comment(&mut self) -> Option<(usize, usize)> {
        self.take_comment()
    }

    #[inline]
    fn take_hint(&mut self) -> Option<(usize, usize)> {
        self.take_hint()
    }
}

/// A hash of a normalized text that stays the same between runs and versions of the proxy: the first 64 bits of its
/// SHA-256, because lists of known statements must not be met by a text made for it.
pub fn fingerprint(normalized: &str) -> u64 {
    let hash = ring::digest::digest(&ring::digest::SHA256, normalized.as_bytes());
    hash.as_ref().first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
}

/// Leaves nothing in a comment that could end it or mean something to a server or a terminal.
fn clean_annotation(comment: &str) -> Option<Box<str>> {
    // What would make it an executable comment or a hint of MySQL or MariaDB (`/*M!`).
    let comment = comment.trim();
    let comment = comment.strip_prefix("M!").unwrap_or(comment);
    let mut clean = String::with_capacity(comment.len().min(MAX_ANNOTATION));
    for c in comment.chars() {
        if clean.len() + c.len_utf8() > MAX_ANNOTATION {
            break;
        }
        let last = clean.chars().next_back();
        let unsafe_pair = matches!((last, c), (Some('*'), '/') | (Some('/'), '*'));
        if c.is_control() || unsafe_pair || (clean.is_empty() && matches!(c, '!' | '+')) {
            clean.push(' ');
        } else {
            clean.push(c);
        }
    }
    let clean = clean.trim();
    if clean.is_empty() { None } else { Some(clean.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(sql: &str) -> Result<Script, LexError> {
        Script::read(sql, Reading::Postgres)
    }

    fn read_mysql(sql: &str) -> Script {
        Script::read(sql, Reading::MySql(SqlMode::default(), Flavour::MySql)).unwrap()
    }

    #[test]
    fn texts_that_differ_in_literals_have_one_shape() {
        let a = read("select a  from t where b = 'x''y' and c=10").unwrap();
        let b = read("select a from t where b = '' and c=7 ").unwrap();
        assert_eq!(a.shape, b.shape);
        assert_eq!(a.normalized("select a  from t where b = 'x''y' and c=10"), "select a from t where b = ? and c=?");
        let c = read("select a from t where b = '' and c=7.5").unwrap();
        assert_ne!(a.shape, c.shape);
        let d = read("select a from t where b = '' and c=?").unwrap();
        assert_ne!(a.shape, d.shape);
    }

    #[test]
    fn statements_end_at_semicolons_outside_parentheses() {
        let script = read(";select 1;; select (2); ").unwrap();
        assert_eq!(script.statements, [1..3, 5..9]);
        assert!(read(" -- nothing\n").unwrap().statements.is_empty());
    }

    #[test]
    fn annotations_are_kept_and_harmless() {
        let annotation = |sql: &str| read(sql).unwrap().annotation.map(String::from);
        assert_eq!(
            annotation("/* Username: a@b, Query ID: 3 */ select 1").as_deref(),
            Some("Username: a@b, Query ID: 3")
        );
        assert_eq!(annotation("select 1 /*route='x'*/").as_deref(), Some("route='x'"));
        assert_eq!(annotation("/*! x */ select 1").as_deref(), Some("x"));
        assert_eq!(annotation("/*M! x */ select 1").as_deref(), Some("x"));
        assert_eq!(annotation("/* M!M!x */ select 1").as_deref(), Some("M!x"));
        assert_eq!(annotation("/* Metabase:: userID: 7 */ select 1").as_deref(), Some("Metabase:: userID: 7"));
        assert_eq!(annotation("/* a /* b */ c\u{7} */ select 1").as_deref(), Some("a /  b *  c"));
        assert_eq!(annotation("select /* middle */ 1"), None);
        assert!(annotation(&format!("/*{}*/ select 1", "x".repeat(5000))).unwrap().len() <= 1024);
    }

    #[test]
    fn mysql_texts_are_taken_apart_by_their_own_rules() {
        let a = read_mysql("select `a`, \"x;y\" from t where b = 'it\\'s' # c;\n and c=1.5; select 2");
        let b = read_mysql("select `a`, 'z' from t where b = 'q' and c=2.5; select 3");
        assert_eq!(a.shape, b.shape);
        assert_eq!(a.statements.len(), 2);
        let c = read_mysql("/* app */ select /*+ NO_ICP(t) */ @x, x'41' from t");
        assert_eq!(c.annotation.as_deref(), Some("app"));
        assert_eq!(c.hints.first(), Some(&(17..33)));
        assert_eq!(c.shape, "select @x, x'41' from t");
    }
}
