//! Type names (`Typename`, `ConstTypename`).

use super::names;
use crate::sql::ast::{Name, ObjectName, TypeName};
use crate::sql::cursor::Cursor;
use crate::sql::syntax_error::SyntaxError;
use crate::sql::token::TokenKind;

/// The words with which a type begins that is no plain name.
fn is_built_in(word: &str) -> bool {
    matches!(
        word,
        "int"
            | "integer"
            | "smallint"
            | "bigint"
            | "real"
            | "float"
            | "decimal"
            | "dec"
            | "numeric"
            | "boolean"
            | "bit"
            | "character"
            | "char"
            | "varchar"
            | "national"
            | "nchar"
            | "time"
            | "timestamp"
            | "interval"
            | "json"
    )
}

/// Whether a type with a grammar of its own stands here, as in `character varying(3) 'x'`.
pub fn is_constant_type(c: &Cursor<'_>) -> bool {
    let word = names::keyword_text(c);
    is_built_in(word) || (word == "double" && c.is_word_ahead(1, "precision"))
}

/// A type with array brackets (`Typename`); SETOF too, which only functions' results may be.
pub fn type_name(c: &mut Cursor<'_>) -> Result<TypeName, SyntaxError> {
    let start = c.at();
    c.take_word("setof");
    let mut ty = simple(c)?;
    if c.take_word("array") {
        if c.take_symbol("[") {
            integer(c)?;
            c.expect_symbol("]")?;
        }
    } else {
        while c.take_symbol("[") {
            if c.kind(0) == Some(TokenKind::Integer) {
                c.advance();
            }
            c.expect_symbol("]")?;
        }
    }
    ty.tokens = c.since(start);
    Ok(ty)
}

/// A type without array brackets (`SimpleTypename`).
pub fn simple(c: &mut Cursor<'_>) -> Result<TypeName, SyntaxError> {
    if is_constant_type(c) {
        let ty = constant(c)?;
        if ty.name.parts.first().is_some_and(|name| &*name.value == "interval") {
            interval_fields(c)?;
        }
        return Ok(TypeName { tokens: c.since(ty.tokens.start), ..ty });
    }
    let start = c.at();
    let first = names::type_or_function(c)?;
    let name = names::parts(c, first)?;
    modifiers(c)?;
    Ok(TypeName { name, tokens: c.since(start) })
}

/// A type that may stand before a literal, without an interval's fields (`ConstTypename`, `ConstInterval`).
pub fn constant(c: &mut Cursor<'_>) -> Result<TypeName, SyntaxError> {
    let start = c.at();
    let word = names::keyword_text(c);
    c.advance();
    let value = match word {
        "double" => {
            c.expect_word("precision")?;
            "double precision"
        }
        "decimal" | "dec" | "numeric" => {
            modifiers(c)?;
            word
        }
        "float" if c.is_symbol("(") => {
            let digits = c.source(1).parse().unwrap_or(u32::MAX);
            precision(c)?;
            if digits <= 24 { "real" } else { "double precision" }
        }
        "bit" => {
            let varying = c.take_word("varying");
            modifiers(c)?;
            if varying { "bit varying" } else { "bit" }
        }
        "national" => {
            if !c.take_word("character") && !c.take_word("char") {
                return Err(c.expected("`CHARACTER`"));
            }
            character(c, "national character", "national character varying")?
        }
        "character" => character(c, "character", "character varying")?,
        "char" => character(c, "char", "character varying")?,
        "nchar" => character(c, "nchar", "national character varying")?,
        "varchar" => {
            precision(c)?;
            "varchar"
        }
        "time" | "timestamp" => {
            precision(c)?;
            with_time_zone(c, word)?
        }
        "interval" => {
            precision(c)?;
            "interval"
        }
        other => other,
    };
    let name = Name { value: value.into(), token: start };
    let tokens = c.since(start);
    Ok(TypeName { name: ObjectName { parts: vec![name], tokens: tokens.clone() }, tokens })
}

fn character(c: &mut Cursor<'_>, plain: &'static str, varying: &'static str) -> Result<&'static str, SyntaxError> {
    let name = if c.take_word("varying") { varying } else { plain };
    precision(c)?;
    Ok(name)
}

fn with_time_zone(c: &mut Cursor<'_>, word: &'static str) -> Result<&'static str, SyntaxError> {
    let with = c.are_words(&["with", "time"]);
    if !with && !c.are_words(&["without", "time"]) {
        return Ok(word);
    }
    c.advance_by(2);
    c.expect_word("zone")?;
    Ok(match (with, word) {
        (true, "time") => "time with time zone",
        (true, _) => "timestamp with time zone",
        (false, _) => word,
    })
}

/// `year`, `day to second(3)` … (`opt_interval`).
pub fn interval_fields(c: &mut Cursor<'_>) -> Result<(), SyntaxError> {
    let allowed: &[&str] = match names::keyword_text(c) {
        "year" => &["month"],
        "day" => &["hour", "minute", "second"],
        "hour" => &["minute", "second"],
        "minute" => &["second"],
        "month" => &[],
        "second" => {
            c.advance();
            return precision(c);
        }
        _ => return Ok(()),
    };
    c.advance();
    if allowed.is_empty() || !c.take_word("to") {
        return Ok(());
    }
    if !c.is_one_of(allowed) {
        return Err(c.expected("a field of an interval"));
    }
    let second = c.is_word("second");
    c.advance();
    if second { precision(c) } else { Ok(()) }
}

/// `(3)`.
fn precision(c: &mut Cursor<'_>) -> Result<(), SyntaxError> {
    if c.is_symbol("(") { names::parenthesized(c, integer) } else { Ok(()) }
}

fn integer(c: &mut Cursor<'_>) -> Result<(), SyntaxError> {
    if c.kind(0) == Some(TokenKind::Integer) {
        c.advance();
        Ok(())
    } else {
        Err(c.expected("a number"))
    }
}

/// `(10, 2)`, `(Point, 4326)` (`opt_type_modifiers`): the server takes constants and plain words only.
fn modifiers(c: &mut Cursor<'_>) -> Result<(), SyntaxError> {
    if !c.is_symbol("(") {
        return Ok(());
    }
    names::parenthesized(c, |c| {
        names::comma_list(c, |c| {
            if names::is_column_id(c, 0) && (c.is_symbol_ahead(1, ",") || c.is_symbol_ahead(1, ")")) {
                c.advance();
                return Ok(());
            }
            let signed = c.take_symbol("-") || c.take_symbol("+");
            match c.kind(0) {
                Some(TokenKind::Integer) => c.advance(),
                Some(TokenKind::String) if !signed => c.advance(),
                _ => return Err(c.expected("a constant")),
            }
            Ok(())
        })
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::postgres::lexer;

    fn read(text: &str) -> Result<(String, u32), SyntaxError> {
        let tokens = lexer::tokens(text).unwrap();
        let mut c = Cursor::new(text, &tokens, 0..tokens.len(), 9);
        let ty = type_name(&mut c)?;
        assert_eq!(ty.tokens, 0..c.at());
        let parts: Vec<&str> = ty.name.parts.iter().map(|part| &*part.value).collect();
        Ok((parts.join("."), c.at()))
    }

    #[test]
    fn types_are_read_to_their_end() {
        for (text, name, tokens) in [
            ("int", "int", 1),
            ("Pg_Catalog.\"int4\"[]", "pg_catalog.int4", 5),
            ("double precision, x", "double precision", 2),
            ("double, x", "double", 1),
            ("character varying(10)[3][]", "character varying", 10),
            ("timestamp(3) with time zone x", "timestamp with time zone", 7),
            ("time without time zone", "time", 4),
            ("interval day to second(3) x", "interval", 7),
            ("interval(3)", "interval", 4),
            ("numeric(10, -2) array[4]", "numeric", 11),
            ("geometry(Point, 4326)", "geometry", 6),
            ("setof app.t", "app.t", 4),
            ("bit varying(3)", "bit varying", 5),
            ("name", "name", 1),
            ("left", "left", 1),
        ] {
            assert_eq!(read(text).unwrap(), (name.into(), tokens), "{text}");
        }
        for text in ["select", "values", "timestamp with time", "foo((select 1))", "foo(f(x))", "varchar(a)"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
