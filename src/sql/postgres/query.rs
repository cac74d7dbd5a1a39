//! Queries: WITH, set operations, ORDER BY, LIMIT, locking (`SelectStmt`).

use super::{expression, from, names, operator, primary, select, statement};
use crate::sql::ast::{
    CommonTable, Expr, ExprKind, Locking, Name, Operation, Query, QueryBody, Statement, TableRef, Tokens, With,
};
use crate::sql::cursor::Cursor;
use crate::sql::row_limit::{RowCount, RowLimit};
use crate::sql::syntax_error::SyntaxError;

/// Whether a query without parentheses begins here. VALUES may be a column's name.
pub fn starts(c: &Cursor<'_>) -> bool {
    starts_ahead(c, 0)
}

/// Whether a query begins behind any number of parentheses.
pub fn starts_behind_parentheses(c: &Cursor<'_>) -> bool {
    let mut ahead = 0;
    while c.is_symbol_ahead(ahead, "(") {
        ahead += 1;
    }
    starts_ahead(c, ahead)
}

fn starts_ahead(c: &Cursor<'_>, ahead: usize) -> bool {
    match names::keyword(c, ahead).map_or("", |keyword| keyword.word) {
        "select" | "with" | "table" => true,
        "values" => c.is_symbol_ahead(ahead + 1, "("),
        _ => false,
    }
}

/// Whether what stands here goes on with a query in parentheses.
pub fn continues(c: &Cursor<'_>) -> bool {
    c.is_one_of(&["union", "intersect", "except", "order", "limit", "offset", "fetch", "for"])
}

/// A query, perhaps as a whole in parentheses.
pub fn query(c: &mut Cursor<'_>) -> Result<Query, SyntaxError> {
    let start = c.at();
    let with = with(c)?;
    behind_with(c, start, with)
}

/// The query behind its WITH, which began at `start`.
pub fn behind_with(c: &mut Cursor<'_>, start: u32, with: Option<With>) -> Result<Query, SyntaxError> {
    let level = c.enter()?;
    let first = operand(c)?;
    let query = finish(c, start, with, first)?;
    c.leave(level)?;
    Ok(query)
}

/// A query whose first part in parentheses has been read; they begin at `start`.
pub fn continue_nested(c: &mut Cursor<'_>, start: u32, first: Box<Query>) -> Result<Query, SyntaxError> {
    let tokens = c.since(start);
    finish(c, start, None, bare(QueryBody::Nested(first), tokens))
}

fn bare(body: QueryBody, tokens: Tokens) -> Query {
    Query { with: None, body, order_by: Vec::new(), limit: RowLimit::default(), locking: Vec::new(), tokens }
}

/// Set operations behind the first operand, then what belongs to the whole.
fn finish(c: &mut Cursor<'_>, start: u32, with: Option<With>, first: Query) -> Result<Query, SyntaxError> {
    let body = set_operations(c, first)?;
    let mut query = Query { with, ..body };
    query.order_by = order_by(c)?;
    query.locking = locking(c)?;
    query.limit = limit(c)?;
    if query.locking.is_empty() {
        query.locking = locking(c)?;
    }
    query.tokens = c.since(start);
    Ok(query)
}

/// One operand of a set operation (`select_clause`).
fn operand(c: &mut Cursor<'_>) -> Result<Query, SyntaxError> {
    let start = c.at();
    let body = match names::keyword_text(c) {
        "select" => QueryBody::Select(Box::new(select::select(c)?)),
        "values" => values(c)?,
        "table" => {
            c.advance();
            QueryBody::Table(Box::new(TableRef::Relation(from::relation(c)?)))
        }
        "" if c.is_symbol("(") => match primary::in_parentheses(c)? {
            primary::Inside::Query(query) => QueryBody::Nested(query),
            primary::Inside::Expr(_) | primary::Inside::Row(_) => return Err(c.expected("a query before this")),
        },
        _ => return Err(c.expected("`SELECT`, `VALUES` or `TABLE`")),
    };
    Ok(bare(body, c.since(start)))
}

fn values(c: &mut Cursor<'_>) -> Result<QueryBody, SyntaxError> {
    c.advance();
    let rows = names::comma_list(c, |c| names::parenthesized(c, expression::list))?;
    Ok(QueryBody::Values(rows))
}

/// UNION and EXCEPT, which group to the left.
fn set_operations(c: &mut Cursor<'_>, first: Query) -> Result<Query, SyntaxError> {
    let mut longest = 1;
    let mut arms = vec![intersections(c, first, &mut longest)?];
    while c.is_one_of(&["union", "except"]) {
        set_operator(c);
        let next = operand(c)?;
        arms.push(intersections(c, next, &mut longest)?);
    }
    for _ in 0..levels(longest) + levels(arms.len()) {
        c.grow()?;
    }
    balanced(arms).ok_or_else(|| c.expected("a query"))
}

/// INTERSECT binds closer.
fn intersections(c: &mut Cursor<'_>, first: Query, longest: &mut usize) -> Result<Query, SyntaxError> {
    if !c.is_word("intersect") {
        return Ok(first);
    }
    let mut arms = vec![first];
    while c.is_word("intersect") {
        set_operator(c);
        arms.push(operand(c)?);
    }
    *longest = arms.len().max(*longest);
    balanced(arms).ok_or_else(|| c.expected("a query"))
}

/// How many levels [`balanced`] puts over so many queries.
fn levels(arms: usize) -> u32 {
    arms.next_power_of_two().trailing_zeros()
}

fn set_operator(c: &mut Cursor<'_>) {
    c.advance();
    if !c.take_word("all") {
        c.take_word("distinct");
    }
}

/// A chain as a tree of small height: which rows come out is the server's matter, names and columns are the same.
fn balanced(mut arms: Vec<Query>) -> Option<Query> {
    while arms.len() > 1 {
        let mut pairs = Vec::with_capacity(arms.len().div_ceil(2));
        let mut rest = arms.into_iter();
        while let Some(left) = rest.next() {
            pairs.push(match rest.next() {
                Some(right) => {
                    let tokens = left.tokens.start..right.tokens.end;
                    bare(QueryBody::SetOperation { left: Box::new(left), right: Box::new(right) }, tokens)
                }
                None => left,
            });
        }
        arms = pairs;
    }
    arms.pop()
}

/// WITH, if it stands here.
pub fn with(c: &mut Cursor<'_>) -> Result<Option<With>, SyntaxError> {
    if !c.take_word("with") {
        return Ok(None);
    }
    // `recursive` may be the name of a common table expression.
    let recursive = c.is_word("recursive") && names::is_column_id(c, 1);
    if recursive {
        c.advance();
    }
    Ok(Some(With { recursive, tables: names::comma_list(c, common_table)? }))
}

fn common_table(c: &mut Cursor<'_>) -> Result<CommonTable, SyntaxError> {
    let level = c.enter()?;
    let name = names::column_id(c)?;
    let columns = names::optional_list(c)?;
    c.expect_word("as")?;
    if !c.take_word("materialized") {
        c.take_words(&["not", "materialized"]);
    }
    c.expect_symbol("(")?;
    let start = c.at();
    let query = match statement::preparable(c)? {
        Statement::Query(query) => *query,
        write => bare(QueryBody::Write(Box::new(write)), c.since(start)),
    };
    c.expect_symbol(")")?;
    let added_columns = added_columns(c)?;
    c.leave(level)?;
    Ok(CommonTable { name, columns, query, added_columns })
}

/// SEARCH and CYCLE: the columns that they add.
fn added_columns(c: &mut Cursor<'_>) -> Result<Vec<Name>, SyntaxError> {
    let mut added = Vec::new();
    if c.take_word("search") {
        if !c.take_word("depth") {
            c.expect_word("breadth")?;
        }
        c.expect_word("first")?;
        c.expect_word("by")?;
        names::comma_list(c, names::column_id)?;
        c.expect_word("set")?;
        added.push(names::column_id(c)?);
    }
    if c.take_word("cycle") {
        names::comma_list(c, names::column_id)?;
        c.expect_word("set")?;
        added.push(names::column_id(c)?);
        if c.take_word("to") {
            constant(c)?;
            c.expect_word("default")?;
            constant(c)?;
        }
        c.expect_word("using")?;
        added.push(names::column_id(c)?);
    }
    Ok(added)
}

fn constant(c: &mut Cursor<'_>) -> Result<(), SyntaxError> {
    let constant = primary::primary(c)?;
    match constant.kind {
        ExprKind::Literal(_) => Ok(()),
        _ => Err(c.expected("a plain constant before this")),
    }
}

/// ORDER BY, if it stands here.
pub fn order_by(c: &mut Cursor<'_>) -> Result<Vec<Expr>, SyntaxError> {
    if !c.take_word("order") {
        return Ok(Vec::new());
    }
    c.expect_word("by")?;
    names::comma_list(c, |c| {
        let start = c.at();
        let mut key = expression::any(c)?;
        if c.take_word("using") {
            let operator = operator::take_sign(c)?;
            let operation = Operation { operator, operands: vec![key] };
            key = Expr { kind: ExprKind::Operation(Box::new(operation)), tokens: c.since(start) };
            c.grow()?;
        } else if !c.take_word("asc") {
            c.take_word("desc");
        }
        nulls_order(c)?;
        Ok(key)
    })
}

/// `NULLS FIRST`, `NULLS LAST`, if they stand here.
pub fn nulls_order(c: &mut Cursor<'_>) -> Result<(), SyntaxError> {
    if c.take_word("nulls") && !c.take_word("first") {
        c.expect_word("last")?;
    }
    Ok(())
}

/// LIMIT, OFFSET and FETCH FIRST in any order.
fn limit(c: &mut Cursor<'_>) -> Result<RowLimit, SyntaxError> {
    let mut limits = RowLimit::default();
    let (mut counted, mut skipped) = (false, false);
    loop {
        if !counted && c.take_word("limit") {
            counted = true;
            if !c.take_word("all") {
                limits.push_count(expression::any(c)?);
            }
        } else if !counted && c.take_word("fetch") {
            counted = true;
            fetch_first(c, &mut limits)?;
        } else if !skipped && c.take_word("offset") {
            skipped = true;
            limits.push(expression::any(c)?);
            if !c.take_word("row") {
                c.take_word("rows");
            }
        } else {
            return Ok(limits);
        }
    }
}

/// `FIRST 3 ROWS WITH TIES`, `NEXT ROW ONLY`.
fn fetch_first(c: &mut Cursor<'_>, limits: &mut RowLimit) -> Result<(), SyntaxError> {
    if !c.take_word("first") {
        c.expect_word("next")?;
    }
    let rows = |c: &Cursor<'_>| c.is_word("row") || c.is_word("rows");
    if !rows(c) || !(c.is_word_ahead(1, "only") || c.is_word_ahead(1, "with")) {
        limits.push_count(if c.is_symbol("+") || c.is_symbol("-") {
            expression::any(c)?
        } else {
            primary::primary(c)?
        });
    } else {
        limits.count = RowCount::One;
    }
    if !rows(c) {
        return Err(c.expected("`ROW` or `ROWS`"));
    }
    c.advance();
    if c.take_word("only") || c.take_words(&["with", "ties"]) {
        Ok(())
    } else {
        Err(c.expected("`ONLY` or `WITH TIES`"))
    }
}

/// FOR UPDATE and its kin.
fn locking(c: &mut Cursor<'_>) -> Result<Vec<Locking>, SyntaxError> {
    let mut clauses = Vec::new();
    if c.take_words(&["for", "read", "only"]) {
        return Ok(clauses);
    }
    while c.is_word("for") {
        let start = c.at();
        c.advance();
        let known = c.take_word("update")
            || c.take_word("share")
            || c.take_words(&["no", "key", "update"])
            || c.take_words(&["key", "share"]);
        if !known {
            return Err(c.expected("`UPDATE` or `SHARE`"));
        }
        let of = if c.take_word("of") { names::qualified_list(c)? } else { Vec::new() };
        if !c.take_word("nowait") {
            c.take_words(&["skip", "locked"]);
        }
        clauses.push(Locking { of, tokens: c.since(start) });
    }
    Ok(clauses)
}
