//! `WHERE` of MySQL's SHOW: comparisons of the columns that it gives with constants, written out anew.

use super::super::set_config::Source;
use super::show::hex;
use crate::resolve::Refusal;
use crate::sql::Engine;
use crate::sql::ast::{Expr, ExprKind, Literal};

const INFIX: [&str; 11] = ["=", "<>", "!=", "<=>", "<", "<=", ">", ">=", "like", "not like", "and"];

/// The condition, in parentheses.
pub(super) fn written(source: Source<'_>, condition: &Expr) -> Result<String, Refusal> {
    part(source, condition).ok_or_else(|| {
        Refusal::unsupported("this `SHOW … WHERE` is not allowed")
            .advise("compare its columns with constants, use `LIKE`, or `information_schema`")
            .at(Some(condition.tokens.start))
    })
}

/// What a plain string holds.
fn content<'t>(source: Source<'t>, expr: &Expr) -> Option<&'t str> {
    let text = source.text_of(&expr.tokens);
    let quote = text.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
    let inside = text.strip_prefix(quote)?.strip_suffix(quote)?;
    (!inside.contains([quote, '\\'])).then_some(inside)
}

/// Whether `IN` has NOT before it, of which the tree says nothing.
fn is_negated(source: Source<'_>, list: &Expr) -> Option<bool> {
    let ExprKind::InList(operands) = &list.kind else { return None };
    let behind = operands.first()?.tokens.end;
    let word = source.text_of(&(behind..behind + 1));
    match word.to_ascii_lowercase().as_str() {
        "in" => Some(false),
        "not" => Some(true),
        _ => None,
    }
}

fn part(source: Source<'_>, expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Column(name) => match name.parts.as_slice() {
            [column] => Some(Engine::MySql.quote_identifier(&column.value)),
            _ => None,
        },
        ExprKind::Literal(Literal::String) => Some(hex(content(source, expr)?)),
        ExprKind::Literal(Literal::Number | Literal::Null | Literal::Boolean) if expr.tokens.len() == 1 => {
            Some(source.text_of(&expr.tokens).to_owned())
        }
        ExprKind::Operation(operation) => {
            let symbol = &*operation.operator.symbol;
            let operands: Option<Vec<String>> =
                operation.operands.iter().map(|operand| part(source, operand)).collect();
            match (symbol, operands?.as_slice()) {
                ("not", [only]) => Some(format!("(NOT {only})")),
                ("is null" | "is not null", [only]) => Some(format!("({only} {})", symbol.to_uppercase())),
                ("or", [left, right]) => Some(format!("({left} OR {right})")),
                (infix, [left, right]) if INFIX.contains(&infix) => {
                    Some(format!("({left} {} {right})", infix.to_uppercase()))
                }
                _ => None,
            }
        }
        ExprKind::InList(operands) => {
            let operands: Option<Vec<String>> = operands.iter().map(|operand| part(source, operand)).collect();
            let operands = operands?;
            let (value, list) = operands.split_first()?;
            let word = if is_negated(source, expr)? { "NOT IN" } else { "IN" };
            Some(format!("({value} {word} ({}))", list.join(", ")))
        }
        ExprKind::Star(_)
        | ExprKind::Literal(_)
        | ExprKind::Parameter
        | ExprKind::Variable { .. }
        | ExprKind::Call(_)
        | ExprKind::Special { .. }
        | ExprKind::InQuery { .. }
        | ExprKind::Quantified { .. }
        | ExprKind::Exists(_)
        | ExprKind::Subquery(_)
        | ExprKind::ArrayQuery(_)
        | ExprKind::Case { .. }
        | ExprKind::Cast { .. }
        | ExprKind::Row(_)
        | ExprKind::Array(_)
        | ExprKind::Field { .. }
        | ExprKind::AllFields(_)
        | ExprKind::Subscript(_)
        | ExprKind::Argument { .. }
        | ExprKind::Default
        | ExprKind::AssignVariable(_)
        | ExprKind::CurrentOf(_) => None,
    }
}
