//! INSERT, UPDATE, DELETE, MERGE.

use super::{expression, from, names, primary, query, select};
use crate::sql::ast::{
    Alias, Delete, Expr, ExprKind, Insert, Merge, MergeAction, MergeClause, Name, ObjectName, OnConflict, Relation,
    SetClause, TableRef, Update, With,
};
use crate::sql::cursor::Cursor;
use crate::sql::syntax_error::SyntaxError;

/// INSERT; the word stands here.
pub fn insert(c: &mut Cursor<'_>, with: Option<With>) -> Result<Insert, SyntaxError> {
    c.expect_word("insert")?;
    c.expect_word("into")?;
    let start = c.at();
    let name = names::qualified(c)?;
    let mut target = Relation {
        tokens: c.since(start),
        name,
        only: false,
        alias: None,
        sample: None,
        partitions: 0..0,
        hints: 0..0,
    };
    if c.take_word("as") {
        target.alias = Some(Alias { name: names::column_id(c)?, columns: Vec::new() });
    }
    let mut columns = Vec::new();
    if c.is_symbol("(") && !query::starts_behind_parentheses(c) {
        columns = target_columns(c)?;
    }
    overriding(c)?;
    let source = if columns.is_empty() && c.take_words(&["default", "values"]) {
        None
    } else {
        Some(Box::new(query::query(c)?))
    };
    Ok(Insert {
        with,
        target,
        columns,
        replace: false,
        ignore: false,
        source,
        assignments: Vec::new(),
        on_conflict: on_conflict(c)?,
        returning: select::returning(c)?,
        row_alias: None,
    })
}

/// `(a, b[1], c.d)`: what is behind a column's name may hold no names that matter.
fn target_columns(c: &mut Cursor<'_>) -> Result<Vec<Name>, SyntaxError> {
    names::parenthesized(c, |c| {
        names::comma_list(c, |c| {
            let name = names::column_id(c)?;
            for subscript in target_path(c)? {
                if !is_constant(&subscript) {
                    return Err(c.expected("a plain number in the subscript before this"));
                }
            }
            Ok(name)
        })
    })
}

fn is_constant(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Literal(_) => true,
        ExprKind::Operation(operation) => operation.operands.iter().all(is_constant),
        _ => false,
    }
}

/// Subscripts and fields behind a column that is written to: the subscripts' expressions.
fn target_path(c: &mut Cursor<'_>) -> Result<Vec<Expr>, SyntaxError> {
    let mut subscripts = Vec::new();
    loop {
        if c.is_symbol("[") {
            primary::subscript(c, &mut subscripts)?;
        } else if c.take_symbol(".") {
            names::label(c)?;
        } else {
            return Ok(subscripts);
        }
    }
}

/// `OVERRIDING SYSTEM VALUE`.
fn overriding(c: &mut Cursor<'_>) -> Result<(), SyntaxError> {
    if c.take_word("overriding") {
        if !c.take_word("system") {
            c.expect_word("user")?;
        }
        c.expect_word("value")?;
    }
    Ok(())
}

fn on_conflict(c: &mut Cursor<'_>) -> Result<Option<OnConflict>, SyntaxError> {
    if !c.take_words(&["on", "conflict"]) {
        return Ok(None);
    }
    let mut conflict =
        OnConflict { target: Vec::new(), target_filter: None, assignments: Vec::new(), filter: None, filter_at: None };
    if c.take_words(&["on", "constraint"]) {
        names::column_id(c)?;
    } else if c.is_symbol("(") {
        conflict.target = names::parenthesized(c, index_elements)?;
        conflict.target_filter = select::condition(c, "where")?;
    }
    c.expect_word("do")?;
    if !c.take_word("nothing") {
        c.expect_word("update")?;
        c.expect_word("set")?;
        conflict.assignments = set_clauses(c)?;
        conflict.filter_at = Some(c.at());
        conflict.filter = select::condition(c, "where")?;
    }
    Ok(Some(conflict))
}

/// Columns and expressions of an index (`index_params`).
pub fn index_elements(c: &mut Cursor<'_>) -> Result<Vec<Expr>, SyntaxError> {
    names::comma_list(c, |c| {
        let element = index_element(c)?;
        index_element_options(c)?;
        Ok(element)
    })
}

/// Collation, operator class, ASC, DESC, NULLS (`index_elem_options`).
pub fn index_element_options(c: &mut Cursor<'_>) -> Result<(), SyntaxError> {
    if c.take_word("collate") {
        names::qualified(c)?;
    }
    if names::is_column_id(c, 0) && !c.is_word("nulls") {
        names::qualified(c)?;
        if c.is_symbol("(") {
            super::table::storage_options(c)?;
        }
    }
    if !c.take_word("asc") {
        c.take_word("desc");
    }
    query::nulls_order(c)
}

/// A column, a function or an expression in parentheses.
pub fn index_element(c: &mut Cursor<'_>) -> Result<Expr, SyntaxError> {
    if c.is_symbol("(") {
        return names::parenthesized(c, expression::any);
    }
    if names::is_column_id(c, 0) && !c.is_symbol_ahead(1, "(") && !c.is_symbol_ahead(1, ".") {
        let name = names::take(c);
        let tokens = c.since(name.token);
        return Ok(Expr { kind: ExprKind::Column(primary::single(name)), tokens });
    }
    from::windowless(c)
}

/// `a = 1, (b, c) = (2, 3)` (`set_clause_list`).
fn set_clauses(c: &mut Cursor<'_>) -> Result<Vec<SetClause>, SyntaxError> {
    names::comma_list(c, |c| {
        let mut clause = SetClause { columns: Vec::new(), values: Vec::new() };
        if c.take_symbol("(") {
            loop {
                clause.columns.push(set_target(c, &mut clause.values)?);
                if !c.take_symbol(",") {
                    break;
                }
            }
            c.expect_symbol(")")?;
        } else {
            clause.columns.push(set_target(c, &mut clause.values)?);
        }
        c.expect_symbol("=")?;
        clause.values.push(expression::any(c)?);
        Ok(clause)
    })
}

fn set_target(c: &mut Cursor<'_>, values: &mut Vec<Expr>) -> Result<ObjectName, SyntaxError> {
    let name = names::column_id(c)?;
    values.extend(target_path(c)?);
    Ok(primary::single(name))
}

/// A target with its alias; SET is no alias without AS (`relation_expr_opt_alias`).
fn target(c: &mut Cursor<'_>) -> Result<Relation, SyntaxError> {
    let mut target = from::relation(c)?;
    if c.take_word("as") || (names::is_column_id(c, 0) && !c.is_word("set")) {
        target.alias = Some(Alias { name: names::column_id(c)?, columns: Vec::new() });
    }
    Ok(target)
}

/// UPDATE; the word stands here.
pub fn update(c: &mut Cursor<'_>, with: Option<With>) -> Result<Update, SyntaxError> {
    let start = c.at();
    c.expect_word("update")?;
    let target = TableRef::Relation(target(c)?);
    c.expect_word("set")?;
    let assignments = set_clauses(c)?;
    let from = from::clause(c)?;
    let filter_at = c.at();
    Ok(Update {
        with,
        target,
        ignore: false,
        assignments,
        from,
        filter: filter_or_cursor(c)?,
        order_by: Vec::new(),
        limit: Vec::new(),
        returning: select::returning(c)?,
        filter_at,
        tokens: c.since(start),
    })
}

/// WHERE, also `WHERE CURRENT OF cursor`.
fn filter_or_cursor(c: &mut Cursor<'_>) -> Result<Option<Expr>, SyntaxError> {
    if c.is_word("where") && c.is_word_ahead(1, "current") && c.is_word_ahead(2, "of") {
        c.advance();
        let start = c.at();
        c.advance_by(2);
        let cursor = names::column_id(c)?;
        return Ok(Some(Expr { kind: ExprKind::CurrentOf(cursor), tokens: c.since(start) }));
    }
    select::condition(c, "where")
}

/// DELETE; the word stands here.
pub fn delete(c: &mut Cursor<'_>, with: Option<With>) -> Result<Delete, SyntaxError> {
    let start = c.at();
    c.expect_word("delete")?;
    c.expect_word("from")?;
    let targets = vec![target(c)?];
    let using = if c.take_word("using") { from::list(c)? } else { Vec::new() };
    let filter_at = c.at();
    Ok(Delete {
        with,
        targets,
        using,
        multi_table: false,
        filter: filter_or_cursor(c)?,
        order_by: Vec::new(),
        limit: Vec::new(),
        returning: select::returning(c)?,
        filter_at,
        tokens: c.since(start),
    })
}

/// MERGE; the word stands here.
pub fn merge(c: &mut Cursor<'_>, with: Option<With>) -> Result<Merge, SyntaxError> {
    let start = c.at();
    c.expect_word("merge")?;
    c.expect_word("into")?;
    let target = target(c)?;
    c.expect_word("using")?;
    let source = from::table(c)?;
    c.expect_word("on")?;
    let on = expression::any(c)?;
    let mut clauses = vec![merge_clause(c)?];
    while c.is_word("when") {
        clauses.push(merge_clause(c)?);
    }
    let returning = select::returning(c)?;
    Ok(Merge { with, target, source, on, clauses, returning, tokens: c.since(start) })
}

fn merge_clause(c: &mut Cursor<'_>) -> Result<MergeClause, SyntaxError> {
    c.expect_word("when")?;
    let not = c.take_word("not");
    c.expect_word("matched")?;
    let mut by_source = false;
    if not && c.take_word("by") {
        by_source = c.take_word("source");
        if !by_source {
            c.expect_word("target")?;
        }
    }
    let inserts = not && !by_source;
    let condition = select::condition(c, "and")?;
    c.expect_word("then")?;
    Ok(MergeClause { by_source, condition, action: merge_action(c, inserts)? })
}

fn merge_action(c: &mut Cursor<'_>, inserts: bool) -> Result<MergeAction, SyntaxError> {
    if c.take_words(&["do", "nothing"]) {
        return Ok(MergeAction::Nothing);
    }
    if !inserts {
        if c.take_word("delete") {
            return Ok(MergeAction::Delete);
        }
        c.expect_word("update")?;
        c.expect_word("set")?;
        return Ok(MergeAction::Update(set_clauses(c)?));
    }
    c.expect_word("insert")?;
    let columns = if c.is_symbol("(") { target_columns(c)? } else { Vec::new() };
    if columns.is_empty() && c.take_words(&["default", "values"]) {
        return Ok(MergeAction::Insert { columns, values: Vec::new() });
    }
    overriding(c)?;
    c.expect_word("values")?;
    let values = names::parenthesized(c, expression::list)?;
    Ok(MergeAction::Insert { columns, values })
}
