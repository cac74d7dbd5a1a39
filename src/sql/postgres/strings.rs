//! String literals: which tokens are one (`Sconst`), and what is in them.

use std::borrow::Cow;

use crate::sql::cursor::Cursor;
use crate::sql::syntax_error::SyntaxError;
use crate::sql::token::{Token, TokenKind};

/// Whether the token is a string of `gram.y`'s `Sconst`. `N'…'` is not: the server reads a type's name and a string.
#[inline]
pub fn is_string(kind: Option<TokenKind>) -> bool {
    matches!(
        kind,
        Some(TokenKind::String | TokenKind::EscapeString | TokenKind::UnicodeString | TokenKind::DollarString)
    )
}

/// Passes a string and gives what is in it.
pub fn string(c: &mut Cursor<'_>) -> Result<Box<str>, SyntaxError> {
    let token = c.token().filter(|token| is_string(Some(token.kind))).ok_or_else(|| c.expected("a string"))?;
    let content = content(token, c.source(0));
    let content = content.ok_or_else(|| c.unsupported("a string with escapes of this kind"))?;
    c.advance();
    no_escape_character(c)?;
    Ok(content.into())
}

/// UESCAPE changes how the string before it is read, which is not followed here.
pub fn no_escape_character(c: &Cursor<'_>) -> Result<(), SyntaxError> {
    let unicode = c.previous().is_some_and(|token| token.kind == TokenKind::UnicodeString);
    if unicode && c.is_word("uescape") { Err(c.unsupported("`UESCAPE`")) } else { Ok(()) }
}

/// What is in a string literal; `None` for other tokens and for escapes that name bytes or code points.
pub fn content(token: Token, source: &str) -> Option<Cow<'_, str>> {
    let inside = |prefix: usize| source.get(prefix + 1..source.len().checked_sub(1)?);
    match token.kind {
        TokenKind::String => Some(undouble(inside(0)?)),
        TokenKind::EscapeString => unescape(inside(1)?),
        TokenKind::UnicodeString => {
            let inside = inside(2)?;
            if inside.contains('\\') { None } else { Some(undouble(inside)) }
        }
        TokenKind::DollarString => {
            let tag = source.get(1..)?.find('$')? + 2;
            source.get(tag..source.len().checked_sub(tag)?).map(Cow::Borrowed)
        }
        _ => None,
    }
}

/// Doubled quotes are one. A single one ends a line of the string, which goes on behind the next.
fn undouble(inside: &str) -> Cow<'_, str> {
    if !inside.contains('\'') {
        return Cow::Borrowed(inside);
    }
    let mut out = String::with_capacity(inside.len());
    let mut rest = inside;
    while let Some((before, behind)) = rest.split_once('\'') {
        out.push_str(before);
        rest = match behind.strip_prefix('\'') {
            Some(behind) => {
                out.push('\'');
                behind
            }
            None => behind.split_once('\'').map_or("", |(_, next)| next),
        };
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The escapes of `E'…'` that stand for one character of ASCII.
fn unescape(inside: &str) -> Option<Cow<'_, str>> {
    if !inside.contains('\\') {
        return Some(undouble(inside));
    }
    let mut out = String::with_capacity(inside.len());
    let mut rest = inside.chars();
    while let Some(c) = rest.next() {
        match c {
            '\'' if rest.as_str().starts_with('\'') => out.extend(rest.next()),
            // The string goes on in the next line.
            '\'' => rest = rest.as_str().split_once('\'')?.1.chars(),
            '\\' => match rest.next()? {
                'b' => out.push('\u{8}'),
                'f' => out.push('\u{c}'),
                'n' => out.push('\n'),
                'r' => out.push('\r'),
                't' => out.push('\t'),
                '0'..='7' | 'x' | 'u' | 'U' => return None,
                other => out.push(other),
            },
            other => out.push(other),
        }
    }
    Some(Cow::Owned(out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::postgres::lexer;

    #[test]
    fn strings_hold_what_the_server_reads() {
        let read = |text: &str| content(lexer::tokens(text).unwrap()[0], text).map(Cow::into_owned);
        assert_eq!(read("'it''s'").as_deref(), Some("it's"));
        assert_eq!(read(r"E'a\'b\n''\\'").as_deref(), Some("a'b\n'\\"));
        assert_eq!(read("'a'\n'b''c' \n 'd'").as_deref(), Some("ab'cd"));
        assert_eq!(read("E'a\\\\''b' \r\n '\\tc'").as_deref(), Some("a\\'b\tc"));
        assert_eq!(read(r"E'\x41'"), None);
        assert_eq!(read(r"'\n'").as_deref(), Some(r"\n"));
        assert_eq!(read("$tag$a'b$$c$tag$").as_deref(), Some("a'b$$c"));
        assert_eq!(read("$$$$").as_deref(), Some(""));
        assert_eq!(read("U&'abc'").as_deref(), Some("abc"));
        assert_eq!(read(r"U&'\0041'"), None);
        assert_eq!(read("N'a'"), None);
    }
}
