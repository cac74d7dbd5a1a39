//! Types, of CAST and of columns.

use super::{Grammar, Parsed};
use crate::sql::ast::{Name, ObjectName, TypeName};
use crate::sql::token::TokenKind;

/// Two words that are one type.
const PAIRS: [[&str; 2]; 11] = [
    ["double", "precision"],
    ["char", "varying"],
    ["character", "varying"],
    ["char", "large"],
    ["national", "char"],
    ["national", "character"],
    ["national", "varchar"],
    ["national", "varcharacter"],
    ["nchar", "varchar"],
    ["long", "varchar"],
    ["long", "varbinary"],
];

/// Words that may follow a type and belong to it.
const ATTRIBUTES: [&str; 7] = ["unsigned", "signed", "zerofill", "ascii", "unicode", "byte", "binary"];

impl Grammar<'_> {
    /// The type of CAST and CONVERT.
    pub(super) fn cast_type(&mut self) -> Parsed<TypeName> {
        let start = self.cursor.at();
        let lower = self.lower();
        let word = lower.as_str();
        if matches!(word, "signed" | "unsigned") {
            let name = self.type_word()?;
            if !self.cursor.take_word("integer") {
                self.cursor.take_word("int");
            }
            return Ok(TypeName { name, tokens: self.cursor.since(start) });
        }
        if word == "interval" && self.cursor.take_words(&["interval", "day_second"]) {
            self.type_length()?;
            let name = Name { value: "interval day_second".into(), token: start };
            let name = ObjectName { parts: vec![name], tokens: start..start + 2 };
            return Ok(TypeName { name, tokens: self.cursor.since(start) });
        }
        self.data_type()
    }

    /// A type with its length, sign and character set.
    pub(super) fn data_type(&mut self) -> Parsed<TypeName> {
        let start = self.cursor.at();
        let name = self.type_word()?;
        self.type_length()?;
        loop {
            if ATTRIBUTES.iter().any(|attribute| self.cursor.take_word(attribute)) {
                continue;
            }
            if self.cursor.take_words(&["character", "set"])
                || self.cursor.take_words(&["char", "set"])
                || self.cursor.take_word("charset")
            {
                self.character_set_name()?;
                continue;
            }
            break;
        }
        Ok(TypeName { name, tokens: self.cursor.since(start) })
    }

    /// The words of a type's name, joined.
    fn type_word(&mut self) -> Parsed<ObjectName> {
        let start = self.cursor.at();
        let words = PAIRS.iter().find(|pair| self.cursor.are_words(&pair[..]));
        let value = match words {
            Some(pair) => {
                self.cursor.advance_by(2);
                pair.join(" ")
            }
            None if self.cursor.kind(0) == Some(TokenKind::Word) => {
                let word = self.cursor.source(0).to_ascii_lowercase();
                self.cursor.advance();
                word
            }
            None => return Err(self.cursor.expected("a type")),
        };
        let name = Name { value: value.into(), token: start };
        Ok(ObjectName { parts: vec![name], tokens: self.cursor.since(start) })
    }

    /// `(10)`, `(10, 2)`, `('a', 'b')`
    fn type_length(&mut self) -> Parsed<()> {
        if !self.cursor.take_symbol("(") {
            return Ok(());
        }
        loop {
            let known = matches!(
                self.cursor.kind(0),
                Some(
                    TokenKind::Integer
                        | TokenKind::Decimal
                        | TokenKind::String
                        | TokenKind::HexString
                        | TokenKind::BitString
                        | TokenKind::NationalString
                )
            );
            if !known {
                return Err(self.cursor.expected("a number or string"));
            }
            self.cursor.advance();
            if !self.cursor.take_symbol(",") {
                break;
            }
        }
        self.cursor.expect_symbol(")")
    }
}
