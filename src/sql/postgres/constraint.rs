//! Constraints of columns, domains and tables (`ColConstraint`, `TableConstraint`).

use super::create::check;
use super::table::with_options;
use super::{dml, expression, names, operator, sequence};
use crate::sql::ast::{Ddl, Name};
use crate::sql::cursor::Cursor;
use crate::sql::syntax_error::SyntaxError;

/// Whether a table's constraint stands here; EXCLUDE may be a column's name.
pub(super) fn begins(c: &Cursor<'_>) -> bool {
    match names::keyword_text(c) {
        "constraint" | "check" | "unique" | "primary" | "foreign" => true,
        "exclude" => c.is_word_ahead(1, "using") || c.is_symbol_ahead(1, "("),
        "not" => c.is_word_ahead(1, "null"),
        _ => false,
    }
}

/// Constraints of a column or domain (`ColQualList`).
pub(super) fn of_column(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<(), SyntaxError> {
    loop {
        if c.take_word("constraint") {
            names::column_id(c)?;
        }
        match names::keyword_text(c) {
            "null" | "enforced" => c.advance(),
            "not" | "deferrable" | "initially" | "no" => {
                if !attribute(c)? {
                    return Ok(());
                }
            }
            "unique" | "primary" => {
                c.advance();
                c.take_word("key");
                nulls_distinct(c)?;
                with_options(c)?;
                index_tablespace(c)?;
            }
            "check" => {
                c.advance();
                check(c, ddl)?;
            }
            "default" => {
                c.advance();
                ddl.expressions.push(expression::restricted(c)?);
            }
            "generated" => generated(c, ddl)?,
            "references" => references(c, ddl)?,
            "collate" => {
                c.advance();
                names::qualified(c)?;
            }
            _ => return Ok(()),
        }
    }
}

/// `NOT NULL`, `NOT VALID`, `INITIALLY DEFERRED`, `NO INHERIT` …, if it stands here.
fn attribute(c: &mut Cursor<'_>) -> Result<bool, SyntaxError> {
    if c.take_word("initially") {
        if !c.take_word("deferred") {
            c.expect_word("immediate")?;
        }
        return Ok(true);
    }
    Ok(c.take_word("deferrable")
        || c.take_word("enforced")
        || c.take_words(&["not", "null"])
        || c.take_words(&["not", "deferrable"])
        || c.take_words(&["not", "valid"])
        || c.take_words(&["not", "enforced"])
        || c.take_words(&["no", "inherit"]))
}

/// `NULLS NOT DISTINCT`, if it stands here.
pub(super) fn nulls_distinct(c: &mut Cursor<'_>) -> Result<(), SyntaxError> {
    if c.take_word("nulls") {
        c.take_word("not");
        c.expect_word("distinct")?;
    }
    Ok(())
}

fn index_tablespace(c: &mut Cursor<'_>) -> Result<(), SyntaxError> {
    if c.take_words(&["using", "index", "tablespace"]) { names::column_id(c).map(|_| ()) } else { Ok(()) }
}

/// `GENERATED ALWAYS AS IDENTITY`, `GENERATED ALWAYS AS (a) STORED`.
fn generated(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<(), SyntaxError> {
    c.advance();
    generated_when(c)?;
    c.expect_word("as")?;
    if c.take_word("identity") {
        return sequence::in_parentheses(c, ddl);
    }
    check(c, ddl)?;
    if !c.take_word("stored") {
        c.take_word("virtual");
    }
    Ok(())
}

/// `ALWAYS`, `BY DEFAULT`.
pub(super) fn generated_when(c: &mut Cursor<'_>) -> Result<(), SyntaxError> {
    if c.take_word("always") || c.take_words(&["by", "default"]) {
        Ok(())
    } else {
        Err(c.expected("`ALWAYS` or `BY DEFAULT`"))
    }
}

/// `REFERENCES a (b) MATCH FULL ON DELETE CASCADE`.
fn references(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<(), SyntaxError> {
    c.expect_word("references")?;
    ddl.references.push(names::qualified(c)?);
    if c.is_symbol("(") {
        ddl.columns.extend(column_list(c)?);
    }
    if c.take_word("match") && !c.take_word("full") && !c.take_word("partial") {
        c.expect_word("simple")?;
    }
    while c.take_words(&["on", "update"]) || c.take_words(&["on", "delete"]) {
        key_action(c, ddl)?;
    }
    Ok(())
}

fn key_action(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<(), SyntaxError> {
    if c.take_words(&["no", "action"]) || c.take_word("restrict") || c.take_word("cascade") {
        return Ok(());
    }
    c.expect_word("set")?;
    if !c.take_word("null") {
        c.expect_word("default")?;
    }
    if c.is_symbol("(") {
        ddl.columns.extend(names::list(c)?);
    }
    Ok(())
}

/// `(a, b, PERIOD c)`, `(a, b WITHOUT OVERLAPS)`.
fn column_list(c: &mut Cursor<'_>) -> Result<Vec<Name>, SyntaxError> {
    names::parenthesized(c, |c| {
        names::comma_list(c, |c| {
            if c.is_word("period") && names::is_column_id(c, 1) {
                c.advance();
            }
            let column = names::column_id(c)?;
            c.take_words(&["without", "overlaps"]);
            Ok(column)
        })
    })
}

/// A table's constraint (`TableConstraint`).
pub(super) fn of_table(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<(), SyntaxError> {
    if c.take_word("constraint") {
        names::column_id(c)?;
    }
    match names::keyword_text(c) {
        "check" => {
            c.advance();
            check(c, ddl)?;
        }
        "not" => {
            c.advance();
            c.expect_word("null")?;
            ddl.columns.push(names::column_id(c)?);
        }
        "unique" | "primary" => {
            if c.take_word("primary") {
                c.expect_word("key")?;
            } else {
                c.advance();
                nulls_distinct(c)?;
            }
            if c.take_words(&["using", "index"]) {
                names::column_id(c)?;
            } else {
                ddl.columns.extend(column_list(c)?);
                behind_index_columns(c, ddl)?;
            }
        }
        "exclude" => exclude(c, ddl)?,
        "foreign" => {
            c.advance();
            c.expect_word("key")?;
            ddl.columns.extend(column_list(c)?);
            references(c, ddl)?;
        }
        _ => return Err(c.expected("a constraint")),
    }
    while attribute(c)? {}
    Ok(())
}

fn behind_index_columns(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<(), SyntaxError> {
    if c.take_word("include") {
        ddl.columns.extend(names::list(c)?);
    }
    with_options(c)?;
    index_tablespace(c)
}

/// `EXCLUDE USING gist (a WITH &&) WHERE (b)`.
fn exclude(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<(), SyntaxError> {
    c.advance();
    if c.take_word("using") {
        names::column_id(c)?;
    }
    names::parenthesized(c, |c| {
        loop {
            ddl.expressions.push(dml::index_element(c)?);
            dml::index_element_options(c)?;
            c.expect_word("with")?;
            if c.is_word("operator") && c.is_symbol_ahead(1, "(") {
                operator::take_sign(c)?;
            } else {
                operator::qualified_sign(c)?;
            }
            if !c.take_symbol(",") {
                return Ok(());
            }
        }
    })?;
    behind_index_columns(c, ddl)?;
    if c.take_word("where") {
        check(c, ddl)?;
    }
    Ok(())
}
