//! CREATE: views, indexes, sequences, schemas, types; tables are in [`table`].

use super::ddl::{self, finished, incomplete, new};
use super::{constraint, dml, expression, from, names, query, select, sequence, table, types};
use crate::sql::ast::{CreateAs, CreateAsKind, Ddl, DdlAction, Statement};
use crate::sql::cursor::Cursor;
use crate::sql::syntax_error::SyntaxError;

/// CREATE behind its word.
pub(super) fn create(c: &mut Cursor<'_>) -> Result<Statement, SyntaxError> {
    let start = c.at() - 1;
    let replace = c.take_words(&["or", "replace"]);
    let temporary = select::take_temporary(c);
    let mut unlogged = false;
    if !temporary {
        unlogged = c.take_word("unlogged");
    }
    let word = names::keyword_text(c);
    let plain = !replace && !unlogged && !temporary;
    match word {
        "table" if !replace => table::create(c, start, temporary),
        "view" | "recursive" if !unlogged => view(c, start, temporary, replace),
        "materialized" if !replace && !temporary => materialized_view(c, start),
        "sequence" if !replace => create_sequence(c, temporary).map(finished),
        "unique" | "index" if plain => index(c).map(finished),
        "schema" if plain => schema(c).map(finished),
        "type" if plain => create_type(c).map(finished),
        "domain" if plain => domain(c).map(finished),
        "extension" if plain => {
            let mut ddl = new(DdlAction::Create, "EXTENSION");
            c.advance();
            if_not_exists(c);
            ddl.names.push(ddl::single(c)?);
            Ok(finished(incomplete(c, ddl)))
        }
        _ if unlogged || temporary => Err(c.expected("`TABLE`, `SEQUENCE` or `VIEW`")),
        "function" | "procedure" | "aggregate" | "trigger" | "constraint" | "rule" | "language" | "trusted"
        | "procedural" | "transform" => other(c).map(finished),
        _ if replace => Err(c.expected("what can be replaced, such as `VIEW`")),
        _ => other(c).map(finished),
    }
}

/// `IF NOT EXISTS`, if it stands here.
pub(super) fn if_not_exists(c: &mut Cursor<'_>) -> bool {
    c.take_words(&["if", "not", "exists"])
}

/// Objects whose definition is not read.
fn other(c: &mut Cursor<'_>) -> Result<Ddl, SyntaxError> {
    for word in ["trusted", "procedural", "default", "constraint"] {
        c.take_word(word);
    }
    let (object, naming) = ddl::object(c)?;
    let mut ddl = new(DdlAction::Create, &object);
    if matches!(&*object, "FUNCTION" | "PROCEDURE") {
        body_is_one_literal(c)?;
    }
    if_not_exists(c);
    if naming == ddl::Naming::OnTable {
        names::column_id(c)?;
        on_table(c, &mut ddl)?;
    } else {
        ddl::routine_names(c, &mut ddl)?;
    }
    Ok(incomplete(c, ddl))
}

/// A body of statements has semicolons that end no statement; what was taken for the end would not be it.
fn body_is_one_literal(c: &Cursor<'_>) -> Result<(), SyntaxError> {
    let mut ahead = 0;
    while c.peek(ahead).is_some() {
        if c.is_word_ahead(ahead, "begin") && c.is_word_ahead(ahead + 1, "atomic") {
            return Err(c.unsupported("a function with `BEGIN ATOMIC`"));
        }
        ahead += 1;
    }
    Ok(())
}

/// The table of a trigger, policy or rule stands behind the first ON, a rule's behind the first TO.
fn on_table(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<(), SyntaxError> {
    let before = if &*ddl.object == "RULE" { "to" } else { "on" };
    while !c.is_at_end() {
        if c.take_word(before) {
            ddl.names.push(names::qualified(c)?);
            return Ok(());
        }
        c.advance();
    }
    Err(c.expected("a table"))
}

fn view(c: &mut Cursor<'_>, start: u32, temporary: bool, replace: bool) -> Result<Statement, SyntaxError> {
    let recursive = c.take_word("recursive");
    c.expect_word("view")?;
    let name = names::qualified(c)?;
    let columns = if recursive { names::list(c)? } else { names::optional_list(c)? };
    table::with_options(c)?;
    c.expect_word("as")?;
    let source = Statement::Query(Box::new(query::query(c)?));
    if c.take_word("with") {
        if !c.take_word("cascaded") {
            c.take_word("local");
        }
        c.expect_word("check")?;
        c.expect_word("option")?;
    }
    Ok(Statement::CreateAs(Box::new(CreateAs {
        kind: CreateAsKind::View,
        name,
        columns,
        temporary,
        drops_on_commit: false,
        replace,
        if_not_exists: false,
        recursive,
        source,
        tokens: c.since(start),
    })))
}

fn materialized_view(c: &mut Cursor<'_>, start: u32) -> Result<Statement, SyntaxError> {
    c.advance();
    c.expect_word("view")?;
    let if_not_exists = if_not_exists(c);
    let name = names::qualified(c)?;
    let columns = names::optional_list(c)?;
    table::storage(c)?;
    c.expect_word("as")?;
    let source = Statement::Query(Box::new(query::query(c)?));
    table::with_data(c)?;
    Ok(Statement::CreateAs(Box::new(CreateAs {
        kind: CreateAsKind::MaterializedView,
        name,
        columns,
        temporary: false,
        drops_on_commit: false,
        replace: false,
        if_not_exists,
        recursive: false,
        source,
        tokens: c.since(start),
    })))
}

fn create_sequence(c: &mut Cursor<'_>, temporary: bool) -> Result<Ddl, SyntaxError> {
    let mut ddl = new(DdlAction::Create, "SEQUENCE");
    ddl.temporary = temporary;
    c.advance();
    if_not_exists(c);
    ddl.names.push(names::qualified(c)?);
    sequence::options(c, &mut ddl)?;
    Ok(ddl)
}

fn index(c: &mut Cursor<'_>) -> Result<Ddl, SyntaxError> {
    let mut ddl = new(DdlAction::Create, "INDEX");
    c.take_word("unique");
    c.expect_word("index")?;
    c.take_word("concurrently");
    if_not_exists(c);
    if !c.is_word("on") {
        names::column_id(c)?;
    }
    c.expect_word("on")?;
    ddl.names.push(from::relation(c)?.name);
    if c.take_word("using") {
        names::column_id(c)?;
    }
    ddl.expressions = names::parenthesized(c, dml::index_elements)?;
    if c.take_word("include") {
        ddl.expressions.extend(names::parenthesized(c, dml::index_elements)?);
    }
    constraint::nulls_distinct(c)?;
    table::with_options(c)?;
    table::tablespace(c)?;
    ddl.expressions.extend(select::condition(c, "where")?);
    Ok(ddl)
}

fn schema(c: &mut Cursor<'_>) -> Result<Ddl, SyntaxError> {
    let mut ddl = new(DdlAction::Create, "SCHEMA");
    c.advance();
    if_not_exists(c);
    if names::is_column_id(c, 0) {
        ddl.names.push(ddl::single(c)?);
    }
    if c.take_word("authorization") {
        super::grant::role(c)?;
    } else if ddl.names.is_empty() {
        return Err(c.expected("a name"));
    }
    if c.is_at_end() { Ok(ddl) } else { Ok(incomplete(c, ddl)) }
}

/// CREATE TYPE: composite types and enumerations are read, ranges and base types are not.
fn create_type(c: &mut Cursor<'_>) -> Result<Ddl, SyntaxError> {
    let mut ddl = new(DdlAction::Create, "TYPE");
    c.advance();
    ddl.names.push(names::qualified(c)?);
    if c.is_at_end() {
        return Ok(ddl);
    }
    if !c.take_word("as") {
        return Ok(incomplete(c, ddl));
    }
    if c.is_symbol("(") {
        names::parenthesized(c, |c| {
            if c.is_symbol(")") { Ok(()) } else { from::column_definitions(c, &mut ddl.columns, &mut ddl.types) }
        })?;
        return Ok(ddl);
    }
    if !c.take_word("enum") {
        return Ok(incomplete(c, ddl));
    }
    names::parenthesized(c, |c| {
        if !c.is_symbol(")") {
            names::comma_list(c, super::strings::string)?;
        }
        Ok(())
    })?;
    Ok(ddl)
}

fn domain(c: &mut Cursor<'_>) -> Result<Ddl, SyntaxError> {
    let mut ddl = new(DdlAction::Create, "DOMAIN");
    c.advance();
    ddl.names.push(names::qualified(c)?);
    c.take_word("as");
    ddl.types.push(types::type_name(c)?);
    constraint::of_column(c, &mut ddl)?;
    Ok(ddl)
}

/// `CHECK (a)`'s expression in parentheses.
pub(super) fn check(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<(), SyntaxError> {
    ddl.expressions.push(names::parenthesized(c, expression::any)?);
    Ok(())
}
