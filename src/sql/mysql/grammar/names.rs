//! Names: plain, quoted, qualified, and aliases.

use super::{Grammar, Parsed};
use crate::sql::ast::{Alias, Name, ObjectName};
use crate::sql::mysql::keywords::{is_function, is_introducer, is_reserved};
use crate::sql::token::TokenKind;

/// A word in lower case without allocation, for looking it up in a `match`.
pub(super) struct Lower {
    bytes: [u8; 32],
    length: usize,
}

impl Lower {
    /// A longer word is none that any rule asks for, and gives the empty one.
    fn new(word: &str) -> Self {
        let mut bytes = [0; 32];
        let length = match bytes.get_mut(..word.len()) {
            Some(place) => {
                place.copy_from_slice(word.as_bytes());
                place.make_ascii_lowercase();
                word.len()
            }
            None => 0,
        };
        Self { bytes, length }
    }

    pub(super) fn as_str(&self) -> &str {
        self.bytes.get(..self.length).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

impl Grammar<'_> {
    /// The current token in lower case if it is a word that may be a keyword; empty otherwise.
    pub(super) fn lower(&self) -> Lower {
        self.lower_ahead(0)
    }

    pub(super) fn lower_ahead(&self, ahead: usize) -> Lower {
        Lower::new(if self.cursor.kind(ahead) == Some(TokenKind::Word) { self.cursor.source(ahead) } else { "" })
    }

    /// Whether the token may be a name.
    pub(super) fn is_name(&self, ahead: usize) -> bool {
        match self.cursor.kind(ahead) {
            Some(TokenKind::QuotedWord | TokenKind::PlainName) => true,
            Some(TokenKind::Word) => {
                let word = self.cursor.source(ahead);
                let function = self.parenthesis_follows(ahead) && is_function(word, self.flavour);
                let introducer = is_introducer(word, self.flavour) || word == "\\N";
                !function && !introducer && !is_reserved(word, self.flavour)
            }
            _ => false,
        }
    }

    /// Whether a parenthesis follows so directly that a built-in function's name is a keyword.
    pub(super) fn parenthesis_follows(&self, ahead: usize) -> bool {
        if !self.cursor.is_symbol_ahead(ahead + 1, "(") {
            return false;
        }
        let (Some(word), Some(next)) = (self.cursor.peek(ahead), self.cursor.peek(ahead + 1)) else { return false };
        let between = self.text.get(word.end as usize..next.start as usize).unwrap_or("-");
        between.is_empty() || (self.mode.ignore_space && between.bytes().all(|b| matches!(b, b' ' | b'\t'..=b'\r')))
    }

    /// A name.
    pub(super) fn name(&mut self) -> Parsed<Name> {
        if !self.is_name(0) {
            return Err(self.cursor.expected("a name"));
        }
        Ok(self.any_word())
    }

    /// The current token as a name, whatever it is.
    pub(super) fn any_word(&mut self) -> Name {
        let token = self.cursor.at();
        let source = self.cursor.source(0);
        let value = match self.cursor.kind(0) {
            Some(TokenKind::QuotedWord) => unquoted(source),
            _ => source.into(),
        };
        self.cursor.advance();
        Name { value, token }
    }

    /// `a`, `a.b` … with at most `most` parts.
    pub(super) fn object_name(&mut self, most: usize) -> Parsed<ObjectName> {
        let start = self.cursor.at();
        let mut parts = vec![self.name()?];
        while parts.len() < most && self.cursor.is_symbol(".") && self.is_name(1) {
            self.cursor.advance();
            parts.push(self.any_word());
        }
        Ok(ObjectName { parts, tokens: self.cursor.since(start) })
    }

    /// `table`, `schema.table`
    pub(super) fn table_name(&mut self) -> Parsed<ObjectName> {
        self.object_name(2)
    }

    /// `column`, `table.column`, `schema.table.column`
    pub(super) fn column_name(&mut self) -> Parsed<ObjectName> {
        self.object_name(3)
    }

    /// `(a, b)`
    pub(super) fn name_list(&mut self) -> Parsed<Vec<Name>> {
        self.parenthesized_list(Self::name)
    }

    /// `[AS] name` of a table.
    pub(super) fn table_alias(&mut self) -> Parsed<Option<Alias>> {
        let named = self.cursor.take_word("as");
        // WINDOW is MariaDB's one word that may be any name but this.
        let possible = self.is_name(0) && !self.cursor.is_word("window");
        if !named && !possible {
            return Ok(None);
        }
        if !possible {
            return Err(self.cursor.expected("an alias"));
        }
        let name = self.name()?;
        Ok(Some(Alias { name, columns: Vec::new() }))
    }

    /// `[AS] name` or `[AS] 'name'` of an entry of a select list.
    pub(super) fn item_alias(&mut self) -> Parsed<Option<Name>> {
        let named = self.cursor.take_word("as");
        if self.cursor.kind(0) == Some(TokenKind::String) {
            let token = self.cursor.at();
            let value = without_leading_blanks(&self.string_value(token)).into();
            self.cursor.advance();
            return Ok(Some(Name { value, token }));
        }
        if !named && !self.is_name(0) {
            return Ok(None);
        }
        let Name { value, token } = self.name()?;
        Ok(Some(Name { value: without_leading_blanks(&value).into(), token }))
    }

    /// A name or a string where the server takes either: engines, users, collations.
    pub(super) fn name_or_string(&mut self) -> Parsed<()> {
        if self.is_name(0) || matches!(self.cursor.kind(0), Some(TokenKind::String)) {
            self.cursor.advance();
            return Ok(());
        }
        Err(self.cursor.expected("a name or string"))
    }
}

/// A quoted name without its quotes.
pub(in crate::sql::mysql) fn unquoted(source: &str) -> Box<str> {
    let quote = source.get(..1).unwrap_or("`");
    let inner = source.get(1..source.len().saturating_sub(1)).unwrap_or_default();
    if inner.contains(quote) { inner.replace(&quote.repeat(2), quote).into() } else { inner.into() }
}

/// Servers drop what cannot be seen at the beginning of a label.
pub(in crate::sql::mysql) fn without_leading_blanks(label: &str) -> &str {
    label.trim_start_matches(|c: char| c.is_ascii() && !c.is_ascii_graphic())
}
