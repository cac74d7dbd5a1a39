//! CREATE TABLE, CREATE TABLE AS, and what their clauses share with other statements.

use super::create::if_not_exists;
use super::ddl::{finished, new};
use super::{constraint, dml, expression, names, query, select, sequence, strings, types, utility};
use crate::sql::ast::{CreateAs, CreateAsKind, Ddl, DdlAction, Expr, ExprKind, Statement, TypeName};
use crate::sql::cursor::Cursor;
use crate::sql::syntax_error::SyntaxError;
use crate::sql::token::TokenKind;

/// CREATE TABLE at TABLE; `start` is CREATE.
pub(super) fn create(c: &mut Cursor<'_>, start: u32, temporary: bool) -> Result<Statement, SyntaxError> {
    c.advance();
    let mut ddl = new(DdlAction::Create, "TABLE");
    ddl.if_not_exists = if_not_exists(c);
    ddl.temporary = temporary;
    ddl.names.push(names::qualified(c)?);
    let names_only = c.is_symbol("(") && (c.is_symbol_ahead(2, ",") || c.is_symbol_ahead(2, ")"));
    if names_only || c.is_one_of(&["as", "using", "with", "without", "on", "tablespace"]) {
        return create_as(c, start, ddl);
    }
    if c.take_word("of") {
        let name = names::qualified(c)?;
        ddl.types.push(TypeName { tokens: name.tokens.clone(), name });
        ddl.takes_columns = true;
        typed_elements(c, &mut ddl)?;
    } else if c.take_words(&["partition", "of"]) {
        ddl.references.push(names::qualified(c)?);
        ddl.takes_columns = true;
        typed_elements(c, &mut ddl)?;
        partition_bound(c, &mut ddl)?;
    } else {
        names::parenthesized(c, |c| {
            if !c.is_symbol(")") {
                names::comma_list(c, |c| element(c, &mut ddl))?;
            }
            Ok(())
        })?;
        if c.take_word("inherits") {
            let parents = names::parenthesized(c, names::qualified_list)?;
            ddl.references.extend(parents);
            ddl.takes_columns = true;
        }
    }
    partition_by(c, &mut ddl)?;
    ddl.drops_on_commit = storage(c)?;
    Ok(finished(ddl))
}

fn create_as(c: &mut Cursor<'_>, start: u32, mut ddl: Ddl) -> Result<Statement, SyntaxError> {
    let name = ddl.names.pop().ok_or_else(|| c.expected("a name"))?;
    let columns = names::optional_list(c)?;
    let drops_on_commit = storage(c)?;
    c.expect_word("as")?;
    let source = if c.is_word("execute") { utility::execute(c)? } else { Statement::Query(Box::new(query::query(c)?)) };
    with_data(c)?;
    Ok(Statement::CreateAs(Box::new(CreateAs {
        kind: CreateAsKind::Table,
        name,
        columns,
        temporary: ddl.temporary,
        drops_on_commit,
        replace: false,
        if_not_exists: ddl.if_not_exists,
        recursive: false,
        source,
        tokens: c.since(start),
    })))
}

/// `WITH NO DATA`, if it stands here.
pub(super) fn with_data(c: &mut Cursor<'_>) -> Result<(), SyntaxError> {
    if c.take_word("with") {
        c.take_word("no");
        c.expect_word("data")?;
    }
    Ok(())
}

/// USING, WITH, WITHOUT OIDS, ON COMMIT, TABLESPACE: none of them names what can be read. Gives whether the table is
/// dropped on commit.
pub(super) fn storage(c: &mut Cursor<'_>) -> Result<bool, SyntaxError> {
    if c.take_word("using") {
        names::column_id(c)?;
    }
    with_options(c)?;
    c.take_words(&["without", "oids"]);
    let mut drops_on_commit = false;
    if c.take_words(&["on", "commit"]) {
        drops_on_commit = c.take_word("drop");
        let known = drops_on_commit || c.take_words(&["delete", "rows"]) || c.take_words(&["preserve", "rows"]);
        if !known {
            return Err(c.expected("`DROP`, `DELETE ROWS` or `PRESERVE ROWS`"));
        }
    }
    tablespace(c)?;
    Ok(drops_on_commit)
}

/// `TABLESPACE a`, if it stands here.
pub(super) fn tablespace(c: &mut Cursor<'_>) -> Result<(), SyntaxError> {
    if c.take_word("tablespace") { names::column_id(c).map(|_| ()) } else { Ok(()) }
}

/// `WITH (fillfactor = 70)`, if it stands here.
pub(super) fn with_options(c: &mut Cursor<'_>) -> Result<(), SyntaxError> {
    if c.is_word("with") && c.is_symbol_ahead(1, "(") {
        c.advance();
        storage_options(c)?;
    }
    Ok(())
}

/// `(fillfactor = 70, toast.autovacuum_enabled)` (`reloptions`, `definition`): values are plain words or constants.
pub(super) fn storage_options(c: &mut Cursor<'_>) -> Result<(), SyntaxError> {
    names::parenthesized(c, |c| {
        names::comma_list(c, |c| {
            names::label(c)?;
            if c.take_symbol(".") {
                names::label(c)?;
            }
            if c.take_symbol("=") {
                option_value(c)?;
            }
            Ok(())
        })
    })?;
    Ok(())
}

fn option_value(c: &mut Cursor<'_>) -> Result<(), SyntaxError> {
    if strings::is_string(c.kind(0)) {
        return strings::string(c).map(|_| ());
    }
    if names::is_label(c, 0) { names::label(c).map(|_| ()) } else { sequence::number(c) }
}

/// `(a WITH OPTIONS NOT NULL, CHECK (b))` behind OF and PARTITION OF, if it stands here.
fn typed_elements(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<(), SyntaxError> {
    if !c.is_symbol("(") {
        return Ok(());
    }
    names::parenthesized(c, |c| {
        names::comma_list(c, |c| {
            if constraint::begins(c) {
                return constraint::of_table(c, ddl);
            }
            ddl.columns.push(names::column_id(c)?);
            c.take_words(&["with", "options"]);
            constraint::of_column(c, ddl)
        })
    })?;
    Ok(())
}

/// A column, a constraint or LIKE.
fn element(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<(), SyntaxError> {
    if c.take_word("like") {
        ddl.takes_columns = true;
        ddl.references.push(names::qualified(c)?);
        while c.take_word("including") || c.take_word("excluding") {
            names::label(c)?;
        }
        return Ok(());
    }
    if constraint::begins(c) { constraint::of_table(c, ddl) } else { column(c, ddl) }
}

/// A column's definition (`columnDef`).
pub(super) fn column(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<(), SyntaxError> {
    ddl.columns.push(names::column_id(c)?);
    ddl.types.push(types::type_name(c)?);
    for word in ["storage", "compression"] {
        if c.take_word(word) && !c.take_word("default") {
            names::column_id(c)?;
        }
    }
    constraint::of_column(c, ddl)
}

/// `FOR VALUES IN (1, 2)`, `FOR VALUES FROM (1) TO (MAXVALUE)`, `DEFAULT`.
pub(super) fn partition_bound(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<(), SyntaxError> {
    if c.take_word("default") {
        return Ok(());
    }
    c.expect_word("for")?;
    c.expect_word("values")?;
    if c.take_word("with") {
        names::parenthesized(c, |c| {
            names::comma_list(c, |c| {
                names::non_reserved(c)?;
                if c.kind(0) != Some(TokenKind::Integer) {
                    return Err(c.expected("a number"));
                }
                c.advance();
                Ok(())
            })
        })?;
        return Ok(());
    }
    if c.take_word("in") {
        bounds(c, ddl)?;
        return Ok(());
    }
    c.expect_word("from")?;
    bounds(c, ddl)?;
    c.expect_word("to")?;
    bounds(c, ddl)
}

/// MINVALUE and MAXVALUE look like columns here and are none.
fn bounds(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<(), SyntaxError> {
    let bounds = names::parenthesized(c, expression::list)?;
    let is_end = |bound: &Expr| match &bound.kind {
        ExprKind::Column(name) => {
            matches!(name.parts.as_slice(), [end] if matches!(&*end.value, "minvalue" | "maxvalue"))
        }
        _ => false,
    };
    ddl.expressions.extend(bounds.into_iter().filter(|bound| !is_end(bound)));
    Ok(())
}

/// `PARTITION BY RANGE (a, lower(b), (c + 1))`, if it stands here.
fn partition_by(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<(), SyntaxError> {
    if !c.take_word("partition") {
        return Ok(());
    }
    c.expect_word("by")?;
    names::column_id(c)?;
    let elements = names::parenthesized(c, |c| {
        names::comma_list(c, |c| {
            let element = dml::index_element(c)?;
            dml::index_element_options(c)?;
            Ok(element)
        })
    })?;
    ddl.expressions.extend(elements);
    Ok(())
}

/// `DEFAULT a` behind SET, for a column that is altered.
pub(super) fn default(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<(), SyntaxError> {
    c.expect_word("default")?;
    ddl.expressions.push(expression::any(c)?);
    Ok(())
}

/// `USING a` behind a new type.
pub(super) fn using(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<(), SyntaxError> {
    ddl.expressions.extend(select::condition(c, "using")?);
    Ok(())
}
