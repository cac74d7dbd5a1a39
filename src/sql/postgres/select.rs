//! One SELECT: select list, FROM, WHERE, GROUP BY, HAVING, WINDOW (`simple_select`).

use super::{expression, from, function, names};
use crate::sql::ast::{Expr, ExprKind, Into, Select, SelectItem};
use crate::sql::cursor::Cursor;
use crate::sql::syntax_error::SyntaxError;

/// One SELECT; the word stands here.
pub fn select(c: &mut Cursor<'_>) -> Result<Select, SyntaxError> {
    let start = c.at();
    c.expect_word("select")?;
    let mut distinct_on = Vec::new();
    let distinct = !c.take_word("all") && c.take_word("distinct");
    if distinct && c.take_word("on") {
        distinct_on = names::parenthesized(c, expression::list)?;
    }
    let items = if !distinct && at_end_of_list(c) { Vec::new() } else { items(c)? };
    let into = into(c)?;
    let from = from::clause(c)?;
    let filter = condition(c, "where")?;
    let mut select = Select {
        distinct_on,
        items,
        into,
        from,
        filter,
        group_by: Vec::new(),
        grouping_sets: false,
        group_by_end: 0,
        having: None,
        windows: Vec::new(),
        tokens: 0..0,
    };
    group_by(c, &mut select)?;
    select.having = condition(c, "having")?;
    windows(c, &mut select.windows)?;
    select.tokens = c.since(start);
    Ok(select)
}

/// `WHERE a`, `HAVING a`, if they stand here.
pub fn condition(c: &mut Cursor<'_>, word: &str) -> Result<Option<Expr>, SyntaxError> {
    if c.take_word(word) { expression::any(c).map(Some) } else { Ok(None) }
}

/// A select list may be empty: whether what stands here comes behind it.
fn at_end_of_list(c: &Cursor<'_>) -> bool {
    match names::keyword_text(c) {
        "" => c.is_at_end() || c.is_symbol(")"),
        "into" | "from" | "where" | "group" | "having" | "window" | "order" | "limit" | "offset" | "fetch" | "for"
        | "union" | "intersect" | "except" | "with" | "on" | "returning" => true,
        _ => false,
    }
}

/// A select list, RETURNING's list (`target_list`).
pub fn items(c: &mut Cursor<'_>) -> Result<Vec<SelectItem>, SyntaxError> {
    names::comma_list(c, item)
}

/// RETURNING, if it stands here.
pub fn returning(c: &mut Cursor<'_>) -> Result<Vec<SelectItem>, SyntaxError> {
    if !c.take_word("returning") {
        return Ok(Vec::new());
    }
    if c.is_word("with") {
        return Err(c.unsupported("`RETURNING WITH`"));
    }
    items(c)
}

fn item(c: &mut Cursor<'_>) -> Result<SelectItem, SyntaxError> {
    let start = c.at();
    if c.take_symbol("*") {
        return Ok(SelectItem::Star { token: start });
    }
    let expr = expression::any(c)?;
    let Expr { kind: ExprKind::Star(qualifier), tokens } = expr else {
        let alias = if c.take_word("as") { Some(names::label(c)?) } else { names::bare_label(c) };
        return Ok(SelectItem::Expr { expr, alias });
    };
    // The server takes `(t.*)` and `t.* AS a` as `t.*`; nobody writes that.
    match qualifier {
        Some(qualifier) if tokens.start == start && tokens.end == c.at() && !c.is_word("as") => {
            Ok(SelectItem::QualifiedStar { qualifier, token: c.at() - 1 })
        }
        Some(_) | None => Err(c.unsupported("a star in parentheses or with a label")),
    }
}

/// `INTO TEMP t`.
fn into(c: &mut Cursor<'_>) -> Result<Option<Into>, SyntaxError> {
    if !c.take_word("into") {
        return Ok(None);
    }
    let temporary = take_temporary(c);
    if !temporary && c.is_word("unlogged") && goes_on(c, 1) {
        c.advance();
    }
    c.take_word("table");
    Ok(Some(Into::Table { name: names::qualified(c)?, temporary }))
}

/// Passes `TEMP`, `LOCAL TEMPORARY` …; each of the words may be a table's name too.
pub fn take_temporary(c: &mut Cursor<'_>) -> bool {
    let scope = usize::from(c.is_word("local") || c.is_word("global"));
    let temporary = c.is_word_ahead(scope, "temp") || c.is_word_ahead(scope, "temporary");
    let found = temporary && goes_on(c, scope + 1);
    if found {
        c.advance_by(scope + 1);
    }
    found
}

/// Whether the object's name or kind stands `ahead`, so that the word before it is not the name.
fn goes_on(c: &Cursor<'_>, ahead: usize) -> bool {
    names::is_column_id(c, ahead) || c.is_word_ahead(ahead, "table")
}

fn group_by(c: &mut Cursor<'_>, select: &mut Select) -> Result<(), SyntaxError> {
    if !c.take_word("group") {
        return Ok(());
    }
    c.expect_word("by")?;
    if !c.take_word("all") {
        c.take_word("distinct");
    }
    group_items(c, select)?;
    select.group_by_end = c.at();
    Ok(())
}

fn group_items(c: &mut Cursor<'_>, select: &mut Select) -> Result<(), SyntaxError> {
    let level = c.enter()?;
    loop {
        if c.is_symbol("(") && c.is_symbol_ahead(1, ")") {
            c.advance_by(2);
            select.grouping_sets = true;
        } else if c.take_words(&["grouping", "sets"]) {
            select.grouping_sets = true;
            names::parenthesized(c, |c| group_items(c, select))?;
        } else if (c.is_word("rollup") || c.is_word("cube")) && c.is_symbol_ahead(1, "(") {
            select.grouping_sets = true;
            c.advance();
            select.group_by.extend(names::parenthesized(c, expression::list)?);
        } else {
            select.group_by.push(expression::any(c)?);
        }
        if !c.take_symbol(",") {
            return c.leave(level);
        }
    }
}

fn windows(c: &mut Cursor<'_>, windows: &mut Vec<Expr>) -> Result<(), SyntaxError> {
    if !c.take_word("window") {
        return Ok(());
    }
    loop {
        names::column_id(c)?;
        c.expect_word("as")?;
        windows.extend(function::window(c)?);
        if !c.take_symbol(",") {
            return Ok(());
        }
    }
}
