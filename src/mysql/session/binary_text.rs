//! Texts with bytes in them, as drivers write binary parameters: `'…'` or `_binary '…'` with anything between the quotes.
//!
//! Such a literal is written in hexadecimal digits, so that what is decided and sent is text. Bytes anywhere else are not
//! text of the connection's character set.

use std::fmt::Write;

use crate::sql::mysql::lexer::Lexer;
use crate::sql::mysql::{Flavour, SqlMode};
use crate::sql::{Token, TokenKind};

/// The text with such literals in hexadecimal digits; nothing where bytes stand outside of them.
pub(super) fn readable(bytes: &[u8], mode: SqlMode, flavour: Flavour) -> Option<String> {
    let mut seen = String::with_capacity(bytes.len());
    let mut strange = Vec::new();
    for chunk in bytes.utf8_chunks() {
        seen.push_str(chunk.valid());
        for _ in chunk.invalid() {
            strange.push(seen.len());
            // As long as the byte, and nothing that ends a string.
            seen.push('?');
        }
    }
    let mut strange = strange.into_iter().peekable();
    let mut lexer = Lexer::new(&seen, mode, flavour);
    let mut text = String::with_capacity(bytes.len() * 2);
    let mut done = 0;
    let mut before: Option<Token> = None;
    while let Some(token) = lexer.next_token().ok()? {
        let (start, end) = (token.start as usize, token.end as usize);
        if strange.peek().is_some_and(|at| *at < end) {
            if token.kind != TokenKind::String || strange.next_if(|at| *at < start).is_some() {
                return None;
            }
            let introduced = before.is_some_and(|before| before.text(&seen).starts_with('_'));
            while strange.next_if(|at| *at < end).is_some() {}
            text.push_str(seen.get(done..start)?);
            text.push_str(if introduced { " 0x" } else { " _binary 0x" });
            for byte in content(bytes.get(start..end)?, mode.no_backslash_escapes)? {
                let _ = write!(text, "{byte:02x}");
            }
            done = end;
        }
        before = Some(token);
    }
    if strange.peek().is_some() {
        return None;
    }
    text.push_str(seen.get(done..)?);
    Some(text)
}

/// What a literal stands for (MySQL manual, "String Literals").
fn content(literal: &[u8], no_backslash_escapes: bool) -> Option<Vec<u8>> {
    let (quote, rest) = literal.split_first()?;
    let (_, inside) = rest.split_last()?;
    let mut content = Vec::with_capacity(inside.len());
    let mut bytes = inside.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte == *quote {
            bytes.next();
            content.push(byte);
        } else if byte == b'\\' && !no_backslash_escapes {
            match bytes.next()? {
                b'0' => content.push(0),
                b'b' => content.push(8),
                b'n' => content.push(b'\n'),
                b'r' => content.push(b'\r'),
                b't' => content.push(b'\t'),
                b'Z' => content.push(26),
                wildcard @ (b'%' | b'_') => content.extend_from_slice(&[b'\\', wildcard]),
                other => content.push(other),
            }
        } else {
            content.push(byte);
        }
    }
    Some(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Option<String> {
        readable(bytes, SqlMode::default(), Flavour::MySql)
    }

    #[test]
    fn literals_of_bytes_are_written_in_digits() {
        let text = b"insert into t values ('\xc3\xa9', _binary '\xff''\\0\\'\\\\\x80', '\xfe')";
        let expected = "insert into t values ('é', _binary  0xff2700275c80,  _binary 0xfe)";
        assert_eq!(read(text).as_deref(), Some(expected));
        let mode = SqlMode { no_backslash_escapes: true, ..SqlMode::default() };
        let text = b"select _binary'\\\xfe', _latin1'\xe9' /* x */";
        let expected = "select _binary 0x5cfe, _latin1 0xe9 /* x */";
        assert_eq!(readable(text, mode, Flavour::MariaDb).as_deref(), Some(expected));
    }

    #[test]
    fn bytes_elsewhere_are_no_text() {
        for text in [
            &b"select \xff, _binary '\xfe'"[..],
            b"select _binary '\xfe' /* \xff */",
            b"select `\xff`",
            b"select _binary '\xff",
            b"select N'\xff'",
            b"select 1 \xff",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }
}
