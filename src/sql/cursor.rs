//! How far a grammar has read: a place in the tokens of one statement, and the bounds of what it builds.
//!
//! Both grammars read through this. It knows tokens and their text, no engine's rules.

use std::ops::Range;

use super::ast::Tokens;
use super::syntax_error::SyntaxError;
use super::token::{Token, TokenKind};

/// How many levels a tree may have. Bounds what every walk over a tree, and its `Clone` and `Drop`, need of the stack:
/// a flat chain such as `a - b + c - d` is as deep as it is long.
pub const MAX_HEIGHT: u16 = 250;

/// A place in the tokens of one statement.
#[derive(Debug, Clone)]
pub struct Cursor<'t> {
    text: &'t str,
    tokens: &'t [Token],
    at: usize,
    /// How deep the grammar has recursed, and how deep it may.
    depth: u16,
    max_depth: u16,
    height: u16,
}

/// A place to come back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    at: usize,
    depth: u16,
    height: u16,
}

impl<'t> Cursor<'t> {
    /// At the first token of `range`; the tokens behind the range are not seen. The grammar may recurse `max_depth`
    /// levels deep, as many as its frames leave room for on a stack of 2 MiB in a build without optimization.
    pub fn new(text: &'t str, tokens: &'t [Token], range: Range<usize>, max_depth: u16) -> Self {
        let tokens = tokens.get(..range.end).unwrap_or(tokens);
        Self { text, tokens, at: range.start, depth: 0, max_depth, height: 0 }
    }

    /// The number of the current token; behind the last one at the end.
    #[inline]
    pub fn at(&self) -> u32 {
        u32::try_from(self.at).unwrap_or(u32::MAX)
    }

    /// The tokens from `start` to the current one, which is left out.
    #[inline]
    pub fn since(&self, start: u32) -> Tokens {
        start..self.at()
    }

    /// Whether every token has been read.
    #[inline]
    pub fn is_at_end(&self) -> bool {
        self.at >= self.tokens.len()
    }

    /// The current token.
    #[inline]
    pub fn token(&self) -> Option<Token> {
        self.tokens.get(self.at).copied()
    }

    /// The token `ahead` tokens behind the current one; 0 is the current one.
    #[inline]
    pub fn peek(&self, ahead: usize) -> Option<Token> {
        self.tokens.get(self.at + ahead).copied()
    }

    /// The kind of the token `ahead` tokens behind the current one.
    #[inline]
    pub fn kind(&self, ahead: usize) -> Option<TokenKind> {
        self.peek(ahead).map(|token| token.kind)
    }

    /// The source of the token `ahead` tokens behind the current one; empty at the end.
    #[inline]
    pub fn source(&self, ahead: usize) -> &'t str {
        self.peek(ahead).map_or("", |token| token.text(self.text))
    }

    /// The source of a token by its number; empty when there is none.
    #[inline]
    pub fn source_of(&self, number: u32) -> &'t str {
        self.tokens.get(number as usize).map_or("", |token| token.text(self.text))
    }

    /// The token before the current one.
    #[inline]
    pub fn previous(&self) -> Option<Token> {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).copied()
    }

    /// Passes the current token.
    #[inline]
    pub fn advance(&mut self) {
        self.at += 1;
    }

    /// Passes several tokens.
    #[inline]
    pub fn advance_by(&mut self, count: usize) {
        self.at += count;
    }

    /// The current place.
    pub fn mark(&self) -> Mark {
        Mark { at: self.at, depth: self.depth, height: self.height }
    }

    /// Back to a place.
    pub fn reset(&mut self, mark: Mark) {
        self.at = mark.at;
        self.depth = mark.depth;
        self.height = mark.height;
    }

    /// Whether the token `ahead` tokens behind the current one is this unquoted word, given in lower case.
    #[inline]
    pub fn is_word_ahead(&self, ahead: usize, word: &str) -> bool {
        self.peek(ahead).is_some_and(|token| {
            token.kind == TokenKind::Word && token.text(self.text).as_bytes().eq_ignore_ascii_case(word.as_bytes())
        })
    }

    /// Whether the current token is this unquoted word, given in lower case.
    #[inline]
    pub fn is_word(&self, word: &str) -> bool {
        self.is_word_ahead(0, word)
    }

    /// Whether the current tokens are these unquoted words in a row.
    pub fn are_words(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(ahead, word)| self.is_word_ahead(ahead, word))
    }

    /// Whether the current token is one of these unquoted words.
    pub fn is_one_of(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is_word(word))
    }

    /// Passes this word if it is the current token.
    #[inline]
    pub fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    /// Passes these words if all of them come in a row.
    pub fn take_words(&mut self, words: &[&str]) -> bool {
        let found = self.are_words(words);
        if found {
            self.at += words.len();
        }
        found
    }

    /// Passes this word or fails.
    pub fn expect_word(&mut self, word: &str) -> Result<(), SyntaxError> {
        if self.take_word(word) { Ok(()) } else { Err(self.expected(&format!("`{}`", word.to_ascii_uppercase()))) }
    }

    /// Whether the token `ahead` tokens behind the current one is this operator or punctuation.
    #[inline]
    pub fn is_symbol_ahead(&self, ahead: usize, symbol: &str) -> bool {
        self.peek(ahead).is_some_and(|token| {
            matches!(token.kind, TokenKind::Operator | TokenKind::Punctuation) && token.text(self.text) == symbol
        })
    }

    /// Whether the current token is this operator or punctuation.
    #[inline]
    pub fn is_symbol(&self, symbol: &str) -> bool {
        self.is_symbol_ahead(0, symbol)
    }

    /// Passes this operator or punctuation if it is the current token.
    #[inline]
    pub fn take_symbol(&mut self, symbol: &str) -> bool {
        let found = self.is_symbol(symbol);
        self.at += usize::from(found);
        found
    }

    /// Passes this operator or punctuation or fails.
    #[inline]
    pub fn expect_symbol(&mut self, symbol: &str) -> Result<(), SyntaxError> {
        if self.take_symbol(symbol) { Ok(()) } else { Err(self.expected(&format!("`{symbol}`"))) }
    }

    /// Fails unless every token has been read.
    pub fn expect_end(&self) -> Result<(), SyntaxError> {
        if self.is_at_end() { Ok(()) } else { Err(self.expected("the end of the statement")) }
    }

    /// Goes one level deeper; give back what this returns to [`Cursor::leave`].
    ///
    /// Between the two, the height counts what is built inside: siblings do not add up, [`Cursor::grow`] does.
    #[inline]
    pub fn enter(&mut self) -> Result<Level, SyntaxError> {
        if self.depth >= self.max_depth {
            return Err(self.too_deep());
        }
        self.depth += 1;
        Ok(Level { outer: std::mem::take(&mut self.height) })
    }

    /// Comes back from a level.
    #[inline]
    pub fn leave(&mut self, level: Level) -> Result<(), SyntaxError> {
        self.depth -= 1;
        self.grow()?;
        self.height = self.height.max(level.outer);
        Ok(())
    }

    /// To be called wherever a node is put around what this level has built so far.
    #[inline]
    pub fn grow(&mut self) -> Result<(), SyntaxError> {
        self.height += 1;
        if self.height > MAX_HEIGHT { Err(self.too_deep()) } else { Ok(()) }
    }

    fn too_deep(&self) -> SyntaxError {
        SyntaxError {
            message: "statement is nested too deeply or has too long a chain of operators; split it".into(),
            token: Some(self.at()),
        }
    }

    /// The error that something else was expected here. Values of literals are not in its text.
    #[cold]
    pub fn expected(&self, what: &str) -> SyntaxError {
        let Some(token) = self.token() else {
            return SyntaxError { message: format!("statement ends where {what} is expected").into(), token: None };
        };
        let found = if token.is_literal() {
            "a literal".to_owned()
        } else {
            let mut source: String = token.text(self.text).chars().take(64).collect();
            source.retain(|c| !c.is_control());
            format!("`{source}`")
        };
        SyntaxError { message: format!("{found} stands where {what} is expected").into(), token: Some(self.at()) }
    }

    /// The error that what stands here is known, but not served.
    #[cold]
    pub fn unsupported(&self, what: &str) -> SyntaxError {
        SyntaxError { message: format!("{what} is not supported here").into(), token: Some(self.at()) }
    }
}

/// What [`Cursor::enter`] keeps for [`Cursor::leave`].
#[derive(Debug, Clone, Copy)]
#[must_use = "give it back to `Cursor::leave`"]
pub struct Level {
    outer: u16,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::postgres::lexer;

    #[test]
    fn reads_words_and_symbols_of_its_range_only() {
        let text = "a; Select \"select\" <= ';' x";
        let tokens = lexer::tokens(text).unwrap();
        let mut cursor = Cursor::new(text, &tokens, 2..6, 9);
        assert!(cursor.take_word("select"));
        assert!(!cursor.is_word("select"));
        assert_eq!(cursor.kind(0), Some(TokenKind::QuotedWord));
        cursor.advance();
        assert!(!cursor.is_symbol("<"));
        assert!(cursor.take_symbol("<="));
        assert!(!cursor.is_symbol(";"));
        assert_eq!(&*cursor.expected("a name").message, "a literal stands where a name is expected");
        cursor.advance();
        assert_eq!(cursor.since(2), 2..6);
        assert!(cursor.is_at_end() && cursor.token().is_none());
        assert_eq!(cursor.expect_word("from").unwrap_err().token, None);
    }

    #[test]
    fn siblings_do_not_add_up_and_chains_do() {
        let mut cursor = Cursor::new("", &[], 0..0, 9);
        for _ in 0..1000 {
            let level = cursor.enter().unwrap();
            cursor.grow().unwrap();
            cursor.leave(level).unwrap();
        }
        let level = cursor.enter().unwrap();
        let failed = (0..1000).position(|_| cursor.grow().is_err());
        assert_eq!(failed, Some(usize::from(MAX_HEIGHT)));
        assert!(cursor.leave(level).is_err());
        let mut cursor = Cursor::new("", &[], 0..0, 9);
        assert_eq!((0..1000).position(|_| cursor.enter().is_err()), Some(9));
    }
}
