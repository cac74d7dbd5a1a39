//! A client's text taken apart: leading comment, statements, and the same text without its literals.

use std::ops::Range;

use super::postgres::lexer::Lexer;
use super::token::{LexError, LexErrorKind, MAX_BYTES, Token};

/// The longest leading comment that is kept, in bytes.
const MAX_ANNOTATION: usize = 1024;

/// A text as tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Script {
    /// All tokens, statements' ends included.
    pub tokens: Vec<Token>,
    /// The tokens of each statement that is not empty, without the semicolon.
    pub statements: Vec<Range<usize>>,
    /// The leading comment of a BI tool, or the trailing one that sqlcommenter writes; delimiters left out.
    pub annotation: Option<Box<str>>,
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
    pub fn read(text: &str) -> Result<Self, LexError> {
        if text.len() > MAX_BYTES {
            return Err(LexError { kind: LexErrorKind::TooLong, at: 0 });
        }
        let mut lexer = Lexer::new(text);
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

/// A hash of a normalized text that stays the same between runs and versions of the proxy (FNV-1a, 64 bits).
pub fn fingerprint(normalized: &str) -> u64 {
    normalized.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

/// Leaves nothing in a comment that could end it or mean something to a server or a terminal.
fn clean_annotation(comment: &str) -> Option<Box<str>> {
    let mut clean = String::with_capacity(comment.len().min(MAX_ANNOTATION));
    for c in comment.trim().chars() {
        if clean.len() + c.len_utf8() > MAX_ANNOTATION {
            break;
        }
        let last = clean.chars().next_back();
        let unsafe_pair = matches!((last, c), (Some('*'), '/') | (Some('/'), '*'));
        if c.is_control() || unsafe_pair || (clean.is_empty() && matches!(c, '!' | '+' | 'M')) {
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

    #[test]
    fn texts_that_differ_in_literals_have_one_shape() {
        let a = Script::read("select a  from t where b = 'x''y' and c=10").unwrap();
        let b = Script::read("select a from t where b = '' and c=7 ").unwrap();
        assert_eq!(a.shape, b.shape);
        assert_eq!(a.normalized("select a  from t where b = 'x''y' and c=10"), "select a from t where b = ? and c=?");
        let c = Script::read("select a from t where b = '' and c=7.5").unwrap();
        assert_ne!(a.shape, c.shape);
        let d = Script::read("select a from t where b = '' and c=?").unwrap();
        assert_ne!(a.shape, d.shape);
    }

    #[test]
    fn statements_end_at_semicolons_outside_parentheses() {
        let script = Script::read(";select 1;; select (2); ").unwrap();
        assert_eq!(script.statements, [1..3, 5..9]);
        assert!(Script::read(" -- nothing\n").unwrap().statements.is_empty());
    }

    #[test]
    fn annotations_are_kept_and_harmless() {
        let read = |sql: &str| Script::read(sql).unwrap().annotation.map(String::from);
        assert_eq!(read("/* Username: a@b, Query ID: 3 */ select 1").as_deref(), Some("Username: a@b, Query ID: 3"));
        assert_eq!(read("select 1 /*route='x'*/").as_deref(), Some("route='x'"));
        assert_eq!(read("/*! x */ select 1").as_deref(), Some("x"));
        assert_eq!(read("/* a /* b */ c\u{7} */ select 1").as_deref(), Some("a /  b *  c"));
        assert_eq!(read("select /* middle */ 1"), None);
        assert!(read(&format!("/*{}*/ select 1", "x".repeat(5000))).unwrap().len() <= 1024);
    }
}
