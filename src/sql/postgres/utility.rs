//! EXPLAIN, PREPARE, cursors, LOCK, CALL and what is known by its first words only.

use super::{ddl, expression, from, function, names, query, statement, strings, types};
use crate::sql::ast::{DeclareCursor, Explain, Expr, ExprKind, LockTables, Name, Prepare, Statement};
use crate::sql::cursor::Cursor;
use crate::sql::syntax_error::SyntaxError;
use crate::sql::token::TokenKind;

/// EXPLAIN; the word stands here.
pub fn explain(c: &mut Cursor<'_>) -> Result<Statement, SyntaxError> {
    c.advance();
    let mut analyze = false;
    if c.is_symbol("(") && !query::starts_behind_parentheses(c) {
        names::parenthesized(c, |c| names::comma_list(c, |c| option(c, &mut analyze)))?;
    } else {
        analyze = c.take_word("analyze") || c.take_word("analyse");
        c.take_word("verbose");
    }
    Ok(Statement::Explain(Box::new(Explain { analyze, statement: explained(c)? })))
}

/// An option of EXPLAIN. Where ANALYZE is named several times, one that is not off counts.
fn option(c: &mut Cursor<'_>, analyze: &mut bool) -> Result<(), SyntaxError> {
    let is_analyze = c.is_word("analyze") || c.is_word("analyse");
    let name = if is_analyze { names::take(c) } else { names::non_reserved(c)? };
    let mut off = false;
    if !c.is_symbol(",") && !c.is_symbol(")") {
        off = c.is_one_of(&["false", "off"]) || c.source(0) == "0";
        let number = matches!(c.kind(0), Some(TokenKind::Integer | TokenKind::Decimal));
        if strings::is_string(c.kind(0)) {
            strings::string(c)?;
        } else if number || c.is_one_of(&["true", "false", "on"]) {
            c.advance();
        } else {
            names::non_reserved(c)?;
        }
    }
    // A quoted or older spelling of the word is the same option to the server.
    *analyze |= matches!(&*name.value, "analyze" | "analyse") && !off;
    Ok(())
}

/// What EXPLAIN can explain (`ExplainableStmt`).
fn explained(c: &mut Cursor<'_>) -> Result<Statement, SyntaxError> {
    match names::keyword_text(c) {
        "declare" => declare(c),
        "execute" => execute(c),
        "create" | "refresh" => {
            let start = c.at();
            match ddl::statement(c)? {
                statement @ Statement::CreateAs(_) => Ok(statement),
                Statement::Ddl(ddl) if ddl.action == crate::sql::ast::DdlAction::Refresh => Ok(Statement::Ddl(ddl)),
                _ => Err(SyntaxError { token: Some(start), ..c.expected("a statement that can be explained") }),
            }
        }
        _ => statement::preparable(c),
    }
}

/// DECLARE; the word stands here.
pub fn declare(c: &mut Cursor<'_>) -> Result<Statement, SyntaxError> {
    c.advance();
    let name = names::column_id(c)?;
    loop {
        let known = c.take_words(&["no", "scroll"])
            || c.take_word("scroll")
            || c.take_word("binary")
            || c.take_word("asensitive")
            || c.take_word("insensitive");
        if !known {
            break;
        }
    }
    c.expect_word("cursor")?;
    let hold = c.take_words(&["with", "hold"]);
    if !hold {
        c.take_words(&["without", "hold"]);
    }
    c.expect_word("for")?;
    Ok(Statement::DeclareCursor(Box::new(DeclareCursor { name, hold, query: query::query(c)? })))
}

/// PREPARE; the word stands here.
pub fn prepare(c: &mut Cursor<'_>) -> Result<Statement, SyntaxError> {
    c.advance();
    let name = names::column_id(c)?;
    let mut types = Vec::new();
    if c.is_symbol("(") {
        types = names::parenthesized(c, |c| names::comma_list(c, types::type_name))?;
    }
    c.expect_word("as")?;
    Ok(Statement::Prepare(Box::new(Prepare { name, types, statement: statement::preparable(c)? })))
}

/// EXECUTE; the word stands here.
pub fn execute(c: &mut Cursor<'_>) -> Result<Statement, SyntaxError> {
    c.advance();
    let name = names::column_id(c)?;
    let arguments = if c.is_symbol("(") { names::parenthesized(c, expression::list)? } else { Vec::new() };
    Ok(Statement::Execute { name, arguments })
}

/// DEALLOCATE; the word stands here.
pub fn deallocate(c: &mut Cursor<'_>) -> Result<Statement, SyntaxError> {
    c.advance();
    if c.is_word("prepare") && names::is_label(c, 1) {
        c.advance();
    }
    Ok(Statement::Deallocate(name_or_all(c)?))
}

/// CLOSE; the word stands here.
pub fn close(c: &mut Cursor<'_>) -> Result<Statement, SyntaxError> {
    c.advance();
    Ok(Statement::Close(name_or_all(c)?))
}

fn name_or_all(c: &mut Cursor<'_>) -> Result<Option<Name>, SyntaxError> {
    if c.take_word("all") { Ok(None) } else { names::column_id(c).map(Some) }
}

/// FETCH and MOVE; the word stands here.
pub fn fetch(c: &mut Cursor<'_>) -> Result<Statement, SyntaxError> {
    c.advance();
    // Each word of a direction may be a cursor's name, which stands last.
    if c.peek(1).is_some() {
        direction(c)?;
        if !c.take_word("from") {
            c.take_word("in");
        }
    }
    Ok(Statement::Fetch(names::column_id(c)?))
}

fn direction(c: &mut Cursor<'_>) -> Result<(), SyntaxError> {
    match names::keyword_text(c) {
        "from" | "in" => {}
        "next" | "prior" | "first" | "last" | "all" => c.advance(),
        "absolute" | "relative" => {
            c.advance();
            count(c)?;
        }
        "forward" | "backward" => {
            c.advance();
            let number = matches!(c.kind(0), Some(TokenKind::Integer)) || c.is_symbol("-") || c.is_symbol("+");
            if number {
                count(c)?;
            } else {
                c.take_word("all");
            }
        }
        _ => count(c)?,
    }
    Ok(())
}

/// `-3` (`SignedIconst`).
fn count(c: &mut Cursor<'_>) -> Result<(), SyntaxError> {
    if !c.take_symbol("-") {
        c.take_symbol("+");
    }
    if c.kind(0) == Some(TokenKind::Integer) {
        c.advance();
        Ok(())
    } else {
        Err(c.expected("a number of rows"))
    }
}

/// CALL; the word stands here.
pub fn call(c: &mut Cursor<'_>) -> Result<Statement, SyntaxError> {
    c.advance();
    let name = from::function_name(c)?;
    match function::windowless(c, name)? {
        Expr { kind: ExprKind::Call(call), .. } if call.order_by.is_empty() => {
            Ok(Statement::Call { name: Some(call.name), arguments: call.arguments })
        }
        _ => Err(c.expected("a plain list of arguments before this")),
    }
}

/// LOCK; the word stands here.
pub fn lock(c: &mut Cursor<'_>) -> Result<Statement, SyntaxError> {
    c.advance();
    c.take_word("table");
    let tables = names::comma_list(c, from::relation)?;
    let mut access_share = false;
    if c.take_word("in") {
        access_share = c.are_words(&["access", "share", "mode"]);
        while c.is_one_of(&["access", "row", "share", "update", "exclusive"]) {
            c.advance();
        }
        c.expect_word("mode")?;
    }
    c.take_word("nowait");
    let tables = tables.into_iter().map(|table| table.name).collect();
    Ok(Statement::LockTables(LockTables { tables, access_share }))
}

/// LISTEN, UNLISTEN, NOTIFY; the word stands here.
pub fn notification(c: &mut Cursor<'_>) -> Result<Statement, SyntaxError> {
    let word = names::keyword_text(c);
    c.advance();
    if word != "unlisten" || !c.take_symbol("*") {
        names::column_id(c)?;
    }
    if word != "notify" {
        return Ok(Statement::Listen);
    }
    if c.take_symbol(",") {
        strings::string(c)?;
    }
    Ok(Statement::Notify)
}

/// Statements that are known by their words only.
const OTHER: [&[&str]; 10] = [
    &["analyse"],
    &["analyze"],
    &["checkpoint"],
    &["cluster"],
    &["do"],
    &["import", "foreign", "schema"],
    &["load"],
    &["reassign", "owned"],
    &["security", "label"],
    &["vacuum"],
];

/// A statement of that list: nothing behind its words is read.
pub fn other(c: &mut Cursor<'_>) -> Result<Statement, SyntaxError> {
    let Some(words) = OTHER.iter().find(|words| c.are_words(words)) else {
        return Err(c.expected("a statement"));
    };
    while !c.is_at_end() {
        c.advance();
    }
    Ok(Statement::Other { words: words.join(" ").to_ascii_uppercase().into() })
}
