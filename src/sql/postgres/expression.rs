//! Expressions: operators and their precedence (`a_expr`, `b_expr`).
//!
//! Precedence climbing over the levels that `gram.y` declares. An operator's level decides what is on its left; what
//! is on its right ends before the next operator that does not bind closer.

use super::{names, operator, primary, types};
use crate::sql::ast::{Expr, ExprKind, Operation, Operator};
use crate::sql::cursor::Cursor;
use crate::sql::syntax_error::SyntaxError;

/// The levels of precedence, loosest first, as declared in `gram.y`.
pub(super) mod level {
    pub const OR: u8 = 1;
    pub const AND: u8 = 2;
    pub const NOT: u8 = 3;
    pub const IS: u8 = 4;
    pub const COMPARISON: u8 = 5;
    pub const MATCH: u8 = 6;
    pub const ESCAPE: u8 = 7;
    pub const OPERATOR: u8 = 8;
    pub const ADD: u8 = 9;
    pub const MULTIPLY: u8 = 10;
    pub const POWER: u8 = 11;
    pub const AT: u8 = 12;
    pub const COLLATE: u8 = 13;
    pub const SIGN: u8 = 14;
    pub const CAST: u8 = 15;
}

/// Which operators an expression may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `a_expr`.
    Any,
    /// `b_expr`: without AND, OR, NOT, IN, LIKE, BETWEEN and most of IS.
    Restricted,
}

/// An expression (`a_expr`).
pub fn any(c: &mut Cursor<'_>) -> Result<Expr, SyntaxError> {
    at_level(c, 0, Kind::Any)
}

/// An expression that ends before AND, IN and their kin (`b_expr`).
pub fn restricted(c: &mut Cursor<'_>) -> Result<Expr, SyntaxError> {
    at_level(c, 0, Kind::Restricted)
}

/// At least one expression (`expr_list`).
pub fn list(c: &mut Cursor<'_>) -> Result<Vec<Expr>, SyntaxError> {
    names::comma_list(c, any)
}

/// An expression whose operators all bind at least as close as `min`.
fn at_level(c: &mut Cursor<'_>, min: u8, kind: Kind) -> Result<Expr, SyntaxError> {
    let level = c.enter()?;
    let start = c.at();
    let left = prefix(c, kind)?;
    let whole = extend(c, start, left, min, kind)?;
    c.leave(level)?;
    Ok(whole)
}

/// Goes on behind `left`, which begins at token `start` with its parentheses.
pub(super) fn continue_any(c: &mut Cursor<'_>, start: u32, left: Expr) -> Result<Expr, SyntaxError> {
    extend(c, start, left, 0, Kind::Any)
}

fn prefix(c: &mut Cursor<'_>, kind: Kind) -> Result<Expr, SyntaxError> {
    let Some(operator) = operator::prefix(c, kind == Kind::Any)? else {
        if kind == Kind::Any && c.is_word("default") {
            c.advance();
            return Ok(Expr { kind: ExprKind::Default, tokens: c.since(c.at() - 1) });
        }
        return primary::primary(c);
    };
    let (operator, level) = operator;
    let operand = at_level(c, level, kind)?;
    let tokens = c.since(operator.token);
    Ok(Expr { kind: ExprKind::Operation(Box::new(Operation { operator, operands: vec![operand] })), tokens })
}

fn extend(c: &mut Cursor<'_>, start: u32, mut left: Expr, min: u8, kind: Kind) -> Result<Expr, SyntaxError> {
    // The level of the last operator if an operand was the last thing read: operators of IS, comparison and matching
    // do not follow each other then.
    let mut open = 0;
    while let Some(infix) = operator::infix(c, kind == Kind::Any) {
        if infix.level < min {
            break;
        }
        if infix.level == open && (level::IS..=level::MATCH).contains(&open) {
            return Err(c.expected("the end of the expression or parentheses around one of the comparisons"));
        }
        (left, open) = match infix.form {
            operator::Form::Symbol => symbol(c, start, left, infix.level, kind, open)?,
            operator::Form::Word => word(c, start, left, kind)?,
            operator::Form::Cast => (cast(c, start, left)?, 0),
        };
    }
    Ok(left)
}

/// An operation around what has been read; `start` is where its first operand begins with its parentheses.
fn operation(c: &mut Cursor<'_>, start: u32, operator: Operator, operands: Vec<Expr>) -> Result<Expr, SyntaxError> {
    c.grow()?;
    Ok(Expr { kind: ExprKind::Operation(Box::new(Operation { operator, operands })), tokens: c.since(start) })
}

fn cast(c: &mut Cursor<'_>, start: u32, left: Expr) -> Result<Expr, SyntaxError> {
    c.expect_symbol("::")?;
    let ty = types::type_name(c)?;
    c.grow()?;
    Ok(Expr { kind: ExprKind::Cast { operand: Box::new(left), ty }, tokens: c.since(start) })
}

/// An operator of signs, `OPERATOR(…)`, AND, OR; also before ANY, SOME and ALL.
fn symbol(
    c: &mut Cursor<'_>,
    start: u32,
    left: Expr,
    level: u8,
    kind: Kind,
    open: u8,
) -> Result<(Expr, u8), SyntaxError> {
    let operator = operator::take(c)?;
    if kind == Kind::Any && level > level::AND && c.is_one_of(&["any", "some", "all"]) {
        return Ok((quantified(c, start, left, operator)?, 0));
    }
    let right = at_level(c, level + 1, kind)?;
    match left {
        Expr { kind: ExprKind::Operation(mut chain), .. } if open == level && continues(&chain, &operator) => {
            chain.operands.push(right);
            Ok((Expr { kind: ExprKind::Operation(chain), tokens: c.since(start) }, level))
        }
        left => Ok((operation(c, start, operator, vec![left, right])?, level)),
    }
}

/// A chain of one of these operators is one operation, so that its length does not become depth.
fn continues(chain: &Operation, next: &Operator) -> bool {
    matches!(&*next.symbol, "and" | "or" | "||" | "+" | "*")
        && next.schema.is_none()
        && chain.operator.schema.is_none()
        && chain.operator.symbol == next.symbol
        && chain.operands.len() > 1
}

/// `= ANY (array)`, `LIKE ALL (SELECT …)`.
fn quantified(c: &mut Cursor<'_>, start: u32, left: Expr, operator: Operator) -> Result<Expr, SyntaxError> {
    c.advance();
    let kind = match primary::in_parentheses(c)? {
        primary::Inside::Query(query) => ExprKind::InQuery { operand: Box::new(left), operator, query },
        primary::Inside::Expr(array) => ExprKind::Quantified { operator, operands: vec![left, array] },
        primary::Inside::Row(_) => return Err(c.expected("one array or a sub-select in the parentheses")),
    };
    c.grow()?;
    Ok(Expr { kind, tokens: c.since(start) })
}

/// The operators that are words; with the level they leave open for the next one.
fn word(c: &mut Cursor<'_>, start: u32, left: Expr, kind: Kind) -> Result<(Expr, u8), SyntaxError> {
    let token = c.at();
    let negated = c.take_word("not");
    let word = names::keyword_text(c);
    c.advance();
    let operator = |symbol: &str| Operator { schema: None, symbol: symbol.into(), token };
    match word {
        "is" => is_test(c, start, left, token, kind),
        "isnull" => Ok((operation(c, start, operator("is null"), vec![left])?, 0)),
        "notnull" => Ok((operation(c, start, operator("is not null"), vec![left])?, 0)),
        "in" => Ok((in_list(c, start, left, operator("="))?, 0)),
        "between" => between(c, start, left, operator(if negated { "not between" } else { "between" })),
        "like" | "ilike" | "similar" => {
            let symbol = match (word, negated) {
                ("like", false) => "like",
                ("like", true) => "not like",
                ("ilike", false) => "ilike",
                ("ilike", true) => "not ilike",
                (_, false) => "similar to",
                (_, true) => "not similar to",
            };
            if word == "similar" {
                c.expect_word("to")?;
            } else if c.is_one_of(&["any", "some", "all"]) {
                return Ok((quantified(c, start, left, operator(symbol))?, 0));
            }
            let mut operands = vec![left, at_level(c, level::ESCAPE, kind)?];
            if c.take_word("escape") {
                operands.push(at_level(c, level::ESCAPE, kind)?);
            }
            Ok((operation(c, start, operator(symbol), operands)?, level::MATCH))
        }
        "collate" => {
            names::qualified(c)?;
            Ok((operation(c, start, operator("collate"), vec![left])?, 0))
        }
        "at" if c.take_word("local") => Ok((operation(c, start, operator("at local"), vec![left])?, 0)),
        "at" => {
            c.expect_word("time")?;
            c.expect_word("zone")?;
            let zone = at_level(c, level::COLLATE, kind)?;
            Ok((operation(c, start, operator("at time zone"), vec![left, zone])?, level::AT))
        }
        _ => Err(c.expected("an operator")),
    }
}

/// `IN (1, 2)`, `IN (SELECT …)`.
fn in_list(c: &mut Cursor<'_>, start: u32, left: Expr, operator: Operator) -> Result<Expr, SyntaxError> {
    let kind = match primary::in_parentheses(c)? {
        primary::Inside::Query(query) => ExprKind::InQuery { operand: Box::new(left), operator, query },
        primary::Inside::Expr(one) => ExprKind::InList(vec![left, one]),
        primary::Inside::Row(mut several) => {
            several.insert(0, left);
            ExprKind::InList(several)
        }
    };
    c.grow()?;
    Ok(Expr { kind, tokens: c.since(start) })
}

fn between(c: &mut Cursor<'_>, start: u32, left: Expr, mut operator: Operator) -> Result<(Expr, u8), SyntaxError> {
    if c.take_word("symmetric") {
        operator.symbol = format!("{} symmetric", operator.symbol).into();
    } else {
        c.take_word("asymmetric");
    }
    let low = restricted(c)?;
    c.expect_word("and")?;
    let high = at_level(c, level::ESCAPE, Kind::Any)?;
    Ok((operation(c, start, operator, vec![left, low, high])?, level::MATCH))
}

/// What stands behind IS.
fn is_test(c: &mut Cursor<'_>, start: u32, left: Expr, token: u32, kind: Kind) -> Result<(Expr, u8), SyntaxError> {
    let negated = c.take_word("not");
    let operator = |test: &str| {
        let symbol = if negated { format!("is not {test}") } else { format!("is {test}") };
        Operator { schema: None, symbol: symbol.into(), token }
    };
    let word = names::keyword_text(c);
    c.advance();
    let operator = match (word, kind) {
        ("distinct", _) => {
            c.expect_word("from")?;
            let right = at_level(c, level::COMPARISON, kind)?;
            let whole = operation(c, start, operator("distinct from"), vec![left, right])?;
            return Ok((whole, level::IS));
        }
        ("document", _) | ("null" | "true" | "false" | "unknown" | "normalized", Kind::Any) => operator(word),
        ("nfc" | "nfd" | "nfkc" | "nfkd", Kind::Any) => {
            c.expect_word("normalized")?;
            operator("normalized")
        }
        ("json", Kind::Any) => {
            if c.is_one_of(&["value", "array", "object", "scalar"]) {
                c.advance();
            }
            unique_keys(c);
            operator("json")
        }
        _ => return Err(c.expected("`NULL`, `TRUE`, `DISTINCT FROM` or another test behind `IS`")),
    };
    Ok((operation(c, start, operator, vec![left])?, 0))
}

/// `WITH UNIQUE KEYS` and its kin (`json_key_uniqueness_constraint_opt`).
pub(super) fn unique_keys(c: &mut Cursor<'_>) {
    if c.take_words(&["with", "unique"]) || c.take_words(&["without", "unique"]) {
        c.take_word("keys");
    }
}
