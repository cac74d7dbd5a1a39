//! ALTER: tables, views, indexes and sequences are read; other objects are known by their names.

use super::ddl::{self, Naming, incomplete, new};
use super::{constraint, from, grant, names, sequence, strings, table, types};
use crate::sql::ast::{ColumnChange, Ddl, DdlAction};
use crate::sql::cursor::Cursor;
use crate::sql::syntax_error::SyntaxError;

/// ALTER behind its word.
pub(super) fn alter(c: &mut Cursor<'_>) -> Result<Ddl, SyntaxError> {
    let (object, naming) = ddl::object(c)?;
    let mut ddl = new(DdlAction::Alter, &object);
    if c.is_word("all") {
        return Ok(incomplete(c, ddl));
    }
    ddl::if_exists(c);
    match naming {
        Naming::Qualified if object == "COLUMN" => Err(c.expected("a kind of object before this")),
        Naming::Qualified => {
            ddl.names.push(from::relation(c)?.name);
            match &*object {
                "TABLE" | "VIEW" | "MATERIALIZED VIEW" | "INDEX" => relation(c, ddl),
                "SEQUENCE" => alter_sequence(c, ddl),
                _ => whole(c, ddl),
            }
        }
        Naming::Single => {
            ddl.names.push(ddl::single(c)?);
            whole(c, ddl)
        }
        Naming::OnTable => {
            names::column_id(c)?;
            c.expect_word("on")?;
            ddl.names.push(names::qualified(c)?);
            Ok(incomplete(c, ddl))
        }
        Naming::Other => {
            ddl::routine_names(c, &mut ddl)?;
            Ok(incomplete(c, ddl))
        }
    }
}

/// What every kind of object has: RENAME TO, SET SCHEMA, OWNER TO.
fn common(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<bool, SyntaxError> {
    if c.take_words(&["rename", "to"]) {
        ddl.new_name = Some(names::column_id(c)?);
    } else if c.take_words(&["set", "schema"]) {
        ddl.new_schema = Some(names::column_id(c)?);
    } else if c.take_words(&["owner", "to"]) {
        owner(c, ddl)?;
    } else if !matches!(&*ddl.object, "SCHEMA" | "DOMAIN" | "TYPE") && c.take_word("rename") {
        if c.take_word("constraint") {
            names::column_id(c)?;
        } else {
            c.take_word("column");
            let from = names::column_id(c)?;
            ddl.columns.push(from.clone());
            c.expect_word("to")?;
            let to = names::column_id(c)?;
            ddl.column_changes.push(ColumnChange::Rename { from, to });
            return Ok(true);
        }
        c.expect_word("to")?;
        names::column_id(c)?;
    } else {
        return Ok(false);
    }
    Ok(true)
}

/// Whose an object is: a matter of the server's own roles, like a GRANT, so the statement is known by its names only.
fn owner(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<(), SyntaxError> {
    ddl.complete = false;
    grant::role(c)
}

fn whole(c: &mut Cursor<'_>, mut ddl: Ddl) -> Result<Ddl, SyntaxError> {
    let known = matches!(&*ddl.object, "SCHEMA" | "DOMAIN" | "TYPE" | "FOREIGN TABLE") && common(c, &mut ddl)?;
    if known && c.is_at_end() { Ok(ddl) } else { Ok(incomplete(c, ddl)) }
}

fn relation(c: &mut Cursor<'_>, mut ddl: Ddl) -> Result<Ddl, SyntaxError> {
    if common(c, &mut ddl)? {
        return Ok(ddl);
    }
    loop {
        if !command(c, &mut ddl)? {
            return Ok(incomplete(c, ddl));
        }
        if !c.take_symbol(",") {
            return if c.is_at_end() { Ok(ddl) } else { Ok(incomplete(c, ddl)) };
        }
    }
}

fn alter_sequence(c: &mut Cursor<'_>, mut ddl: Ddl) -> Result<Ddl, SyntaxError> {
    if !common(c, &mut ddl)? {
        c.take_word("set");
        sequence::options(c, &mut ddl)?;
    }
    if c.is_at_end() { Ok(ddl) } else { Ok(incomplete(c, ddl)) }
}

/// One command of ALTER TABLE; false when it is not one of those that are read.
fn command(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<bool, SyntaxError> {
    match names::keyword_text(c) {
        "add" => add(c, ddl)?,
        "alter" if c.is_word_ahead(1, "constraint") => return Ok(false),
        "alter" => return column(c, ddl),
        "drop" => drop(c, ddl)?,
        "attach" | "detach" => return partition(c, ddl),
        "validate" => {
            c.advance();
            c.expect_word("constraint")?;
            names::column_id(c)?;
        }
        "inherit" | "no" => {
            c.take_word("no");
            if !c.take_word("inherit") {
                return Ok(false);
            }
            ddl.references.push(names::qualified(c)?);
        }
        "owner" => {
            c.advance();
            c.expect_word("to")?;
            owner(c, ddl)?;
        }
        "set" | "reset" if c.is_symbol_ahead(1, "(") => {
            c.advance();
            table::storage_options(c)?;
        }
        "set" if c.is_word_ahead(1, "logged") || c.is_word_ahead(1, "unlogged") => c.advance_by(2),
        "set" if c.is_word_ahead(1, "tablespace") => {
            c.advance_by(2);
            names::column_id(c)?;
        }
        "cluster" => {
            c.advance();
            c.expect_word("on")?;
            names::column_id(c)?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn add(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<(), SyntaxError> {
    c.advance();
    if constraint::begins(c) {
        return constraint::of_table(c, ddl);
    }
    c.take_word("column");
    c.take_words(&["if", "not", "exists"]);
    let at = ddl.columns.len();
    table::column(c, ddl)?;
    ddl.column_changes.extend(ddl.columns.get(at).cloned().map(ColumnChange::Add));
    Ok(())
}

fn drop(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<(), SyntaxError> {
    c.advance();
    if c.take_word("constraint") {
        ddl::if_exists(c);
        names::column_id(c)?;
    } else {
        c.take_word("column");
        ddl::if_exists(c);
        let column = names::column_id(c)?;
        ddl.columns.push(column.clone());
        ddl.column_changes.push(ColumnChange::Drop(column));
    }
    ddl::drop_behavior(c, ddl);
    Ok(())
}

fn partition(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<bool, SyntaxError> {
    let attach = c.is_word("attach");
    c.advance();
    c.expect_word("partition")?;
    ddl.references.push(names::qualified(c)?);
    if attach {
        if &*ddl.object == "TABLE" {
            table::partition_bound(c, ddl)?;
        }
    } else if !c.take_word("concurrently") {
        c.take_word("finalize");
    }
    Ok(true)
}

/// `ALTER COLUMN a …`.
fn column(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<bool, SyntaxError> {
    c.advance();
    c.take_word("column");
    if !names::is_column_id(c, 0) {
        return Ok(false);
    }
    ddl.columns.push(names::column_id(c)?);
    if c.take_words(&["drop", "default"]) || c.take_words(&["drop", "not", "null"]) {
        return Ok(true);
    }
    if c.take_words(&["drop", "identity"]) || c.take_words(&["drop", "expression"]) {
        ddl::if_exists(c);
        return Ok(true);
    }
    if c.take_words(&["set", "not", "null"]) {
        return Ok(true);
    }
    if c.is_word("set") && c.is_word_ahead(1, "default") {
        c.advance();
        table::default(c, ddl)?;
        return Ok(true);
    }
    if c.take_words(&["set", "data", "type"]) || c.take_word("type") {
        ddl.types.push(types::type_name(c)?);
        ddl.column_changes.extend(ddl.columns.last().cloned().map(ColumnChange::Retype));
        if c.take_word("collate") {
            names::qualified(c)?;
        }
        table::using(c, ddl)?;
        return Ok(true);
    }
    column_setting(c, ddl)
}

/// Statistics, storage, identity.
fn column_setting(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<bool, SyntaxError> {
    if c.take_words(&["set", "statistics"]) {
        if !c.take_word("default") {
            sequence::number(c)?;
        }
        return Ok(true);
    }
    if c.take_words(&["set", "storage"]) || c.take_words(&["set", "compression"]) {
        if strings::is_string(c.kind(0)) {
            return Ok(false);
        }
        if !c.take_word("default") {
            names::column_id(c)?;
        }
        return Ok(true);
    }
    if c.take_words(&["add", "generated"]) {
        constraint::generated_when(c)?;
        c.expect_word("as")?;
        c.expect_word("identity")?;
        sequence::in_parentheses(c, ddl)?;
        return Ok(true);
    }
    let mut known = false;
    loop {
        if c.take_words(&["set", "generated"]) {
            constraint::generated_when(c)?;
        } else if c.is_word("restart") {
            sequence::option(c, ddl)?;
        } else if c.is_word("set") && !c.is_symbol_ahead(1, "(") {
            c.advance();
            if !sequence::option(c, ddl)? {
                return Ok(false);
            }
        } else {
            return Ok(known);
        }
        known = true;
    }
}
