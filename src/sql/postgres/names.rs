//! Names: which words may be one in which place, and what the server makes of them.
//!
//! The rules are those of `gram.y`: `ColId`, `type_function_name`, `NonReservedWord`, `ColLabel`, `BareColLabel`.

use super::keywords::{Class, Keyword};
use crate::sql::ast::{Name, ObjectName};
use crate::sql::cursor::Cursor;
use crate::sql::syntax_error::SyntaxError;
use crate::sql::token::TokenKind;

/// A name is cut to so many bytes (`NAMEDATALEN - 1`).
const MAX_NAME_BYTES: usize = 63;

/// The keyword that a token is; `None` for quoted names and everything else.
#[inline]
pub fn keyword(c: &Cursor<'_>, ahead: usize) -> Option<Keyword> {
    if c.kind(ahead) == Some(TokenKind::Word) { Keyword::find(c.source(ahead)) } else { None }
}

/// The current token as a keyword in lower case; empty when it is none.
#[inline]
pub fn keyword_text(c: &Cursor<'_>) -> &'static str {
    keyword(c, 0).map_or("", |keyword| keyword.word)
}

fn is_name(c: &Cursor<'_>, ahead: usize, allowed: impl Fn(Class) -> bool) -> bool {
    match c.kind(ahead) {
        Some(TokenKind::QuotedWord) => true,
        Some(TokenKind::Word) => Keyword::find(c.source(ahead)).is_none_or(|keyword| allowed(keyword.class)),
        _ => false,
    }
}

/// Whether a name of a table, column or alias can stand here (`ColId`).
#[inline]
pub fn is_column_id(c: &Cursor<'_>, ahead: usize) -> bool {
    is_name(c, ahead, |class| matches!(class, Class::Unreserved | Class::ColumnName))
}

/// Whether a name of a function or type can stand here (`type_function_name`).
#[inline]
pub fn is_type_or_function(c: &Cursor<'_>, ahead: usize) -> bool {
    is_name(c, ahead, |class| matches!(class, Class::Unreserved | Class::TypeOrFunction))
}

/// Whether any word that is not reserved stands here (`NonReservedWord`).
pub fn is_non_reserved(c: &Cursor<'_>, ahead: usize) -> bool {
    is_name(c, ahead, |class| class != Class::Reserved)
}

/// Whether the token is a word or quoted name, reserved or not (`ColLabel`).
#[inline]
pub fn is_label(c: &Cursor<'_>, ahead: usize) -> bool {
    matches!(c.kind(ahead), Some(TokenKind::Word | TokenKind::QuotedWord))
}

/// The current token as a name, whatever word it is.
#[inline]
pub fn take(c: &mut Cursor<'_>) -> Name {
    let name = Name { value: fold(c.source(0), c.kind(0) == Some(TokenKind::QuotedWord)), token: c.at() };
    c.advance();
    name
}

/// A name of a table, column, alias, cursor, constraint … (`ColId`, `name`).
pub fn column_id(c: &mut Cursor<'_>) -> Result<Name, SyntaxError> {
    if is_column_id(c, 0) { Ok(take(c)) } else { Err(c.expected("a name")) }
}

/// A name of a function or type (`type_function_name`).
pub fn type_or_function(c: &mut Cursor<'_>) -> Result<Name, SyntaxError> {
    if is_type_or_function(c, 0) { Ok(take(c)) } else { Err(c.expected("the name of a type or function")) }
}

/// Any word that is not reserved (`NonReservedWord`).
pub fn non_reserved(c: &mut Cursor<'_>) -> Result<Name, SyntaxError> {
    if is_non_reserved(c, 0) { Ok(take(c)) } else { Err(c.expected("a name")) }
}

/// A name behind a point or AS: every word may be one (`ColLabel`).
pub fn label(c: &mut Cursor<'_>) -> Result<Name, SyntaxError> {
    if is_label(c, 0) { Ok(take(c)) } else { Err(c.expected("a name")) }
}

/// A label without AS before it (`BareColLabel`); `None` when the current token cannot be one.
pub fn bare_label(c: &mut Cursor<'_>) -> Option<Name> {
    let may_be_one = match c.kind(0)? {
        TokenKind::QuotedWord => true,
        TokenKind::Word => Keyword::find(c.source(0)).is_none_or(|keyword| keyword.bare_label),
        _ => false,
    };
    may_be_one.then(|| take(c))
}

/// `a`, `a.b`, `a.b.c` (`qualified_name`, `any_name`).
pub fn qualified(c: &mut Cursor<'_>) -> Result<ObjectName, SyntaxError> {
    let first = column_id(c)?;
    parts(c, first)
}

/// The parts behind the first one.
pub fn parts(c: &mut Cursor<'_>, first: Name) -> Result<ObjectName, SyntaxError> {
    let start = first.token;
    let mut parts = vec![first];
    while c.take_symbol(".") {
        parts.push(label(c)?);
    }
    Ok(ObjectName { parts, tokens: c.since(start) })
}

/// At least one `qualified_name`.
pub fn qualified_list(c: &mut Cursor<'_>) -> Result<Vec<ObjectName>, SyntaxError> {
    comma_list(c, qualified)
}

/// `(a, b)` (`opt_name_list`, `opt_column_list`); empty when there is no parenthesis.
pub fn optional_list(c: &mut Cursor<'_>) -> Result<Vec<Name>, SyntaxError> {
    if c.is_symbol("(") { list(c) } else { Ok(Vec::new()) }
}

/// `(a, b)`.
pub fn list(c: &mut Cursor<'_>) -> Result<Vec<Name>, SyntaxError> {
    parenthesized(c, |c| comma_list(c, column_id))
}

/// At least one item, further ones behind commas.
pub fn comma_list<'t, T>(
    c: &mut Cursor<'t>,
    mut item: impl FnMut(&mut Cursor<'t>) -> Result<T, SyntaxError>,
) -> Result<Vec<T>, SyntaxError> {
    let mut items = vec![item(c)?];
    while c.take_symbol(",") {
        items.push(item(c)?);
    }
    Ok(items)
}

/// Something in parentheses.
pub fn parenthesized<'t, T>(
    c: &mut Cursor<'t>,
    inside: impl FnOnce(&mut Cursor<'t>) -> Result<T, SyntaxError>,
) -> Result<T, SyntaxError> {
    c.expect_symbol("(")?;
    let inside = inside(c)?;
    c.expect_symbol(")")?;
    Ok(inside)
}

/// What the server compares: quotes taken off or letters of ASCII in lower case, then cut at a character's end.
pub fn fold(source: &str, quoted: bool) -> Box<str> {
    if !quoted {
        return cut(source).to_ascii_lowercase().into_boxed_str();
    }
    let inside = source.get(1..source.len().saturating_sub(1)).unwrap_or_default();
    if inside.contains('"') { cut(&inside.replace("\"\"", "\"")).into() } else { cut(inside).into() }
}

fn cut(name: &str) -> &str {
    if name.len() <= MAX_NAME_BYTES {
        return name;
    }
    let end = (0..=MAX_NAME_BYTES).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
    name.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_the_server_compares() {
        assert_eq!(&*fold("EMail", false), "email");
        assert_eq!(&*fold("STRASSE_Ä", false), "strasse_Ä");
        assert_eq!(&*fold("\"E\"\"Mail\"", true), "E\"Mail");
        assert_eq!(fold(&"x".repeat(70), false).len(), 63);
        let wide = format!("\"{}é\"", "x".repeat(62));
        assert_eq!(fold(&wide, true).len(), 62);
    }
}
