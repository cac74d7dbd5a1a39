//! CREATE, ALTER, DROP, TRUNCATE, COMMENT, GRANT, REVOKE, REFRESH, REINDEX.
//!
//! What is read to its end is marked complete; of the rest action, object and names are known.

use super::{alter, create, from, grant, names, strings, table};
use crate::sql::ast::{Ddl, DdlAction, ObjectName, Statement};
use crate::sql::cursor::Cursor;
use crate::sql::syntax_error::SyntaxError;

/// A statement of these; its first word stands here.
pub fn statement(c: &mut Cursor<'_>) -> Result<Statement, SyntaxError> {
    let word = names::keyword_text(c);
    c.advance();
    match word {
        "create" => create::create(c),
        "alter" => alter::alter(c).map(finished),
        "drop" => drop(c).map(finished),
        "truncate" => truncate(c).map(finished),
        "comment" => comment(c).map(finished),
        "grant" | "revoke" => grant::grant(c, word == "revoke").map(finished),
        "reindex" => reindex(c).map(finished),
        _ => refresh(c).map(finished),
    }
}

/// The statement of what has been read.
pub(super) fn finished(ddl: Ddl) -> Statement {
    Statement::Ddl(Box::new(ddl))
}

/// Nothing but action and object, to be filled in.
pub(super) fn new(action: DdlAction, object: &str) -> Ddl {
    Ddl {
        action,
        object: object.into(),
        names: Vec::new(),
        temporary: false,
        drops_on_commit: false,
        if_exists: false,
        if_not_exists: false,
        takes_columns: false,
        column_changes: Vec::new(),
        references: Vec::new(),
        columns: Vec::new(),
        expressions: Vec::new(),
        types: Vec::new(),
        cascades: Vec::new(),
        new_name: None,
        new_schema: None,
        complete: true,
    }
}

/// What is known of a statement whose other clauses are not read: passes all of them.
pub(super) fn incomplete(c: &mut Cursor<'_>, mut ddl: Ddl) -> Ddl {
    while !c.is_at_end() {
        c.advance();
    }
    ddl.complete = false;
    ddl
}

/// The kinds of objects whose names have parts.
const QUALIFIED: [&[&str]; 16] = [
    &["table"],
    &["sequence"],
    &["view"],
    &["materialized", "view"],
    &["index"],
    &["foreign", "table"],
    &["collation"],
    &["conversion"],
    &["statistics"],
    &["text", "search", "parser"],
    &["text", "search", "dictionary"],
    &["text", "search", "template"],
    &["text", "search", "configuration"],
    &["type"],
    &["domain"],
    &["column"],
];

/// The kinds of objects that have one name.
const SINGLE: [&[&str]; 14] = [
    &["access", "method"],
    &["event", "trigger"],
    &["extension"],
    &["foreign", "data", "wrapper"],
    &["publication"],
    &["schema"],
    &["server"],
    &["database"],
    &["tablespace"],
    &["subscription"],
    &["role"],
    &["user"],
    &["group"],
    &["language"],
];

/// The kinds of objects that belong to a table.
const ON_TABLE: [&[&str]; 4] = [&["policy"], &["rule"], &["trigger"], &["constraint"]];

/// The kinds of objects whose names have arguments or more behind them, which are not read.
const OTHER: [&[&str]; 15] = [
    &["function"],
    &["procedure"],
    &["routine"],
    &["aggregate"],
    &["operator", "class"],
    &["operator", "family"],
    &["operator"],
    &["cast"],
    &["transform"],
    &["owned"],
    &["user", "mapping"],
    &["large", "object"],
    &["default", "privileges"],
    &["system"],
    &["procedural", "language"],
];

/// Which kind of object an object's words belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    Qualified,
    Single,
    OnTable,
    Other,
}

/// Passes the words of an object and gives them in upper case.
pub(super) fn object(c: &mut Cursor<'_>) -> Result<(String, Naming), SyntaxError> {
    let kinds: [(&[&[&str]], Naming); 4] = [
        (&OTHER, Naming::Other),
        (&QUALIFIED, Naming::Qualified),
        (&SINGLE, Naming::Single),
        (&ON_TABLE, Naming::OnTable),
    ];
    for (kinds, naming) in kinds {
        if let Some(words) = kinds.iter().find(|words| c.take_words(words)) {
            return Ok((words.join(" ").to_ascii_uppercase(), naming));
        }
    }
    Err(c.expected("a kind of object, such as `TABLE`"))
}

/// Whether `IF EXISTS` stands here; passes it.
pub(super) fn if_exists(c: &mut Cursor<'_>) -> bool {
    c.take_words(&["if", "exists"])
}

/// `CASCADE`, `RESTRICT`, if they stand here.
pub(super) fn drop_behavior(c: &mut Cursor<'_>, ddl: &mut Ddl) {
    let at = c.at();
    if c.take_word("cascade") {
        ddl.cascades.push(at);
    } else {
        c.take_word("restrict");
    }
}

fn drop(c: &mut Cursor<'_>) -> Result<Ddl, SyntaxError> {
    let (object, naming) = object(c)?;
    let mut ddl = new(DdlAction::Drop, &object);
    if object == "INDEX" {
        c.take_word("concurrently");
    }
    ddl.if_exists = if_exists(c);
    match naming {
        Naming::Qualified if object == "COLUMN" => return Err(c.expected("a kind of object before this")),
        Naming::Qualified if matches!(&*object, "TYPE" | "DOMAIN") => {
            ddl.names = names::comma_list(c, type_as_name)?;
        }
        Naming::Qualified => ddl.names = names::qualified_list(c)?,
        Naming::Single => ddl.names = names::comma_list(c, single)?,
        Naming::OnTable => {
            names::column_id(c)?;
            c.expect_word("on")?;
            ddl.names.push(names::qualified(c)?);
        }
        Naming::Other => {
            routine_names(c, &mut ddl)?;
            return Ok(incomplete(c, ddl));
        }
    }
    drop_behavior(c, &mut ddl);
    if c.is_at_end() { Ok(ddl) } else { Ok(incomplete(c, ddl)) }
}

/// A type as DROP TYPE and COMMENT ON TYPE name it.
fn type_as_name(c: &mut Cursor<'_>) -> Result<ObjectName, SyntaxError> {
    Ok(super::types::type_name(c)?.name)
}

pub(super) fn single(c: &mut Cursor<'_>) -> Result<ObjectName, SyntaxError> {
    Ok(super::primary::single(names::non_reserved(c)?))
}

/// The first name of a function, operator and so on, as far as it is one.
pub(super) fn routine_names(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<(), SyntaxError> {
    if &*ddl.object != "OPERATOR" && names::is_non_reserved(c, 0) {
        let first = names::take(c);
        ddl.names.push(names::parts(c, first)?);
    }
    Ok(())
}

fn truncate(c: &mut Cursor<'_>) -> Result<Ddl, SyntaxError> {
    let mut ddl = new(DdlAction::Truncate, "TABLE");
    c.take_word("table");
    ddl.names = names::comma_list(c, from::relation)?.into_iter().map(|table| table.name).collect();
    if c.take_word("restart") || c.take_word("continue") {
        c.expect_word("identity")?;
    }
    drop_behavior(c, &mut ddl);
    Ok(ddl)
}

fn comment(c: &mut Cursor<'_>) -> Result<Ddl, SyntaxError> {
    c.expect_word("on")?;
    if c.is_word("constraint") {
        c.advance();
        let mut ddl = new(DdlAction::Comment, "CONSTRAINT");
        names::column_id(c)?;
        c.expect_word("on")?;
        if c.take_word("domain") {
            return Ok(incomplete(c, ddl));
        }
        ddl.names.push(names::qualified(c)?);
        return comment_text(c, ddl);
    }
    let (object, naming) = object(c)?;
    let mut ddl = new(DdlAction::Comment, &object);
    match naming {
        Naming::Qualified if object == "COLUMN" => {
            let mut column = names::qualified(c)?;
            let name = column.parts.pop();
            if column.parts.is_empty() {
                return Err(c.expected("the column's table before the column"));
            }
            column.tokens.end -= 2;
            ddl.columns.extend(name);
            ddl.names.push(column);
        }
        Naming::Qualified if matches!(&*object, "TYPE" | "DOMAIN") => ddl.names.push(type_as_name(c)?),
        Naming::Qualified => ddl.names.push(names::qualified(c)?),
        Naming::Single => ddl.names.push(single(c)?),
        Naming::OnTable => {
            names::column_id(c)?;
            c.expect_word("on")?;
            ddl.names.push(names::qualified(c)?);
        }
        Naming::Other => {
            routine_names(c, &mut ddl)?;
            return Ok(incomplete(c, ddl));
        }
    }
    comment_text(c, ddl)
}

fn comment_text(c: &mut Cursor<'_>, ddl: Ddl) -> Result<Ddl, SyntaxError> {
    c.expect_word("is")?;
    if !c.take_word("null") {
        if !strings::is_string(c.kind(0)) {
            return Err(c.expected("a string"));
        }
        c.advance();
        strings::no_escape_character(c)?;
    }
    Ok(ddl)
}

fn refresh(c: &mut Cursor<'_>) -> Result<Ddl, SyntaxError> {
    c.expect_word("materialized")?;
    c.expect_word("view")?;
    let mut ddl = new(DdlAction::Refresh, "MATERIALIZED VIEW");
    c.take_word("concurrently");
    ddl.names.push(names::qualified(c)?);
    table::with_data(c)?;
    Ok(ddl)
}

/// REINDEX of an index or a table; of schemas and databases the rest is not read.
fn reindex(c: &mut Cursor<'_>) -> Result<Ddl, SyntaxError> {
    let mut ddl = new(DdlAction::Reindex, "INDEX");
    if c.is_symbol("(") {
        names::parenthesized(c, |c| names::comma_list(c, reindex_option))?;
    }
    if c.take_word("table") {
        ddl.object = "TABLE".into();
    } else if !c.take_word("index") {
        return Ok(incomplete(c, ddl));
    }
    c.take_word("concurrently");
    ddl.names.push(names::qualified(c)?);
    Ok(ddl)
}

/// `VERBOSE`, `VERBOSE off`, `TABLESPACE fast`.
fn reindex_option(c: &mut Cursor<'_>) -> Result<(), SyntaxError> {
    names::label(c)?;
    if names::is_label(c, 0) {
        names::label(c)?;
    }
    Ok(())
}
