//! Values in the text.

use super::{Grammar, Parsed};
use crate::sql::ast::{Expr, ExprKind, Literal};
use crate::sql::mysql::keywords::is_introducer;
use crate::sql::token::TokenKind;

impl Grammar<'_> {
    /// A literal that begins with a token that is one, or with an introducer; `None` when there is none here.
    pub(super) fn literal(&mut self) -> Parsed<Option<Expr>> {
        let start = self.cursor.at();
        let literal = match self.cursor.kind(0) {
            Some(TokenKind::Integer | TokenKind::Decimal) => {
                self.cursor.advance();
                Literal::Number
            }
            Some(TokenKind::HexString | TokenKind::BitString) => {
                self.cursor.advance();
                Literal::Bits
            }
            Some(TokenKind::String | TokenKind::NationalString) => self.strings(),
            Some(TokenKind::Word) if is_introducer(self.cursor.source(0), self.flavour) => {
                self.cursor.advance();
                match self.cursor.kind(0) {
                    Some(TokenKind::String) => self.strings(),
                    Some(TokenKind::HexString | TokenKind::BitString) => {
                        self.cursor.advance();
                        Literal::Bits
                    }
                    _ => return Err(self.cursor.expected("a string behind the name of a character set")),
                }
            }
            _ => return Ok(None),
        };
        Ok(Some(self.node(ExprKind::Literal(literal), start)))
    }

    /// Strings in a row are one.
    fn strings(&mut self) -> Literal {
        self.cursor.advance();
        while self.cursor.kind(0) == Some(TokenKind::String) {
            self.cursor.advance();
        }
        Literal::String
    }

    /// A string literal where nothing else may stand.
    pub(super) fn string(&mut self) -> Parsed<Expr> {
        let start = self.cursor.at();
        if matches!(self.cursor.kind(0), Some(TokenKind::Word | TokenKind::String | TokenKind::NationalString))
            && let Some(literal) = self.literal()?
        {
            return Ok(literal);
        }
        if matches!(self.cursor.kind(0), Some(TokenKind::HexString | TokenKind::BitString)) {
            self.cursor.advance();
            return Ok(self.node(ExprKind::Literal(Literal::Bits), start));
        }
        Err(self.cursor.expected("a string"))
    }

    /// A whole number, also as a parameter.
    pub(super) fn number(&mut self) -> Parsed<Expr> {
        let start = self.cursor.at();
        let kind = match self.cursor.kind(0) {
            Some(TokenKind::Integer | TokenKind::Decimal) => ExprKind::Literal(Literal::Number),
            Some(TokenKind::HexString) => ExprKind::Literal(Literal::Bits),
            Some(TokenKind::Parameter) => ExprKind::Parameter,
            _ => return Err(self.cursor.expected("a number")),
        };
        self.cursor.advance();
        Ok(self.node(kind, start))
    }

    /// The content of a string token.
    pub(super) fn string_value(&self, token: u32) -> Box<str> {
        string_content(self.cursor.source_of(token), self.mode.no_backslash_escapes).into()
    }
}

/// What a string literal in quotes holds (MySQL manual, "String Literals").
pub(in crate::sql) fn string_content(source: &str, no_backslash_escapes: bool) -> String {
    let quote = source.chars().next().unwrap_or('\'');
    let mut chars = source.get(1..source.len().saturating_sub(1)).unwrap_or_default().chars();
    let mut content = String::with_capacity(source.len());
    while let Some(c) = chars.next() {
        if c == quote {
            chars.next();
            content.push(c);
        } else if c == '\\' && !no_backslash_escapes {
            match chars.next() {
                Some('n') => content.push('\n'),
                Some('t') => content.push('\t'),
                Some('r') => content.push('\r'),
                Some('b') => content.push('\u{8}'),
                Some('0') => content.push('\0'),
                Some('Z') => content.push('\u{1a}'),
                // Kept, so that LIKE sees the escape.
                Some(wild @ ('_' | '%')) => content.extend(['\\', wild]),
                Some(other) => content.push(other),
                None => {}
            }
        } else {
            content.push(c);
        }
    }
    content
}
