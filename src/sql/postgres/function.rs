//! Function calls (`func_application`, `func_expr`) and windows.

use super::{expression, names, query};
use crate::sql::ast::{Call, Expr, ExprKind, ObjectName};
use crate::sql::cursor::Cursor;
use crate::sql::syntax_error::SyntaxError;

/// A call with WITHIN GROUP, FILTER and OVER; the opening parenthesis stands here.
pub(super) fn call(c: &mut Cursor<'_>, name: ObjectName) -> Result<Expr, SyntaxError> {
    let mut call = application(c, name)?;
    if c.take_words(&["within", "group"]) {
        let sort = names::parenthesized(c, query::order_by)?;
        if sort.is_empty() {
            return Err(c.expected("`ORDER BY` before this"));
        }
        call.order_by.extend(sort);
    }
    aggregate_clauses(c, &mut call)?;
    Ok(finished(c, call))
}

/// A call without any of these clauses, as FROM has it.
pub(super) fn windowless(c: &mut Cursor<'_>, name: ObjectName) -> Result<Expr, SyntaxError> {
    let call = application(c, name)?;
    Ok(finished(c, call))
}

fn finished(c: &Cursor<'_>, call: Call) -> Expr {
    let tokens = c.since(call.name.tokens.start);
    Expr { kind: ExprKind::Call(Box::new(call)), tokens }
}

fn application(c: &mut Cursor<'_>, name: ObjectName) -> Result<Call, SyntaxError> {
    let level = c.enter()?;
    c.expect_symbol("(")?;
    let mut call = Call { name, arguments: Vec::new(), order_by: Vec::new(), filter: None, over: None };
    if c.is_symbol("*") && c.is_symbol_ahead(1, ")") {
        c.advance();
        call.arguments.push(Expr { kind: ExprKind::Star(None), tokens: c.since(c.at() - 1) });
    } else if !c.is_symbol(")") {
        if c.is_word("all") || c.is_word("distinct") {
            c.advance();
            if c.is_word("variadic") {
                return Err(c.expected("an expression"));
            }
        }
        arguments(c, &mut call.arguments)?;
        call.order_by = query::order_by(c)?;
    }
    c.expect_symbol(")")?;
    c.leave(level)?;
    Ok(call)
}

fn arguments(c: &mut Cursor<'_>, into: &mut Vec<Expr>) -> Result<(), SyntaxError> {
    loop {
        let start = c.at();
        let variadic = c.take_word("variadic");
        let argument = argument(c)?;
        if variadic {
            into.push(Expr { kind: ExprKind::Argument { value: Box::new(argument) }, tokens: c.since(start) });
            return Ok(());
        }
        into.push(argument);
        if !c.take_symbol(",") {
            return Ok(());
        }
    }
}

/// `a`, `name => a`, `name := a` (`func_arg_expr`).
pub(super) fn argument(c: &mut Cursor<'_>) -> Result<Expr, SyntaxError> {
    let named = c.is_symbol_ahead(1, "=>") || c.is_symbol_ahead(1, ":=");
    if !named || !names::is_type_or_function(c, 0) {
        return expression::any(c);
    }
    let start = c.at();
    c.advance_by(2);
    let value = Box::new(expression::any(c)?);
    Ok(Expr { kind: ExprKind::Argument { value }, tokens: c.since(start) })
}

/// FILTER and OVER.
pub(super) fn aggregate_clauses(c: &mut Cursor<'_>, call: &mut Call) -> Result<(), SyntaxError> {
    if c.is_word("filter") && c.is_symbol_ahead(1, "(") {
        c.advance();
        call.filter = Some(names::parenthesized(c, |c| {
            c.expect_word("where")?;
            expression::any(c)
        })?);
    }
    if c.take_word("over") {
        call.over = Some(if c.is_symbol("(") {
            window(c)?
        } else {
            names::column_id(c)?;
            Vec::new()
        });
    }
    Ok(())
}

/// A window in parentheses (`window_specification`): its expressions.
pub(super) fn window(c: &mut Cursor<'_>) -> Result<Vec<Expr>, SyntaxError> {
    let level = c.enter()?;
    c.expect_symbol("(")?;
    let mut expressions = Vec::new();
    if names::is_column_id(c, 0) && !c.is_one_of(&["partition", "range", "rows", "groups"]) {
        c.advance();
    }
    if c.take_word("partition") {
        c.expect_word("by")?;
        expressions = expression::list(c)?;
    }
    expressions.extend(query::order_by(c)?);
    if c.is_one_of(&["range", "rows", "groups"]) {
        c.advance();
        frame(c, &mut expressions)?;
    }
    c.expect_symbol(")")?;
    c.leave(level)?;
    Ok(expressions)
}

fn frame(c: &mut Cursor<'_>, expressions: &mut Vec<Expr>) -> Result<(), SyntaxError> {
    if c.take_word("between") {
        frame_bound(c, expressions)?;
        c.expect_word("and")?;
    }
    frame_bound(c, expressions)?;
    if !c.take_word("exclude") {
        return Ok(());
    }
    let known = c.take_words(&["current", "row"])
        || c.take_word("group")
        || c.take_word("ties")
        || c.take_words(&["no", "others"]);
    if known { Ok(()) } else { Err(c.expected("`CURRENT ROW`, `GROUP`, `TIES` or `NO OTHERS`")) }
}

fn frame_bound(c: &mut Cursor<'_>, expressions: &mut Vec<Expr>) -> Result<(), SyntaxError> {
    if c.take_words(&["current", "row"]) {
        return Ok(());
    }
    let unbounded = c.is_word("unbounded") && (c.is_word_ahead(1, "preceding") || c.is_word_ahead(1, "following"));
    if unbounded {
        c.advance();
    } else {
        expressions.push(expression::any(c)?);
    }
    if c.take_word("preceding") || c.take_word("following") {
        Ok(())
    } else {
        Err(c.expected("`PRECEDING` or `FOLLOWING`"))
    }
}
