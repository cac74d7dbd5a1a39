//! CREATE TABLE, CREATE TABLE AS, and what their clauses share with other statements.

use super::create::{check, if_not_exists};
use super::ddl::{finished, new};
use super::{dml, expression, names, operator, query, select, sequence, strings, types, utility};
use crate::sql::ast::{CreateAs, CreateAsKind, Ddl, DdlAction, Expr, ExprKind, Statement, TypeName};
use crate::sql::cursor::Cursor;
use crate::sql::syntax_error::SyntaxError;
use crate::sql::token::TokenKind;

/// CREATE TABLE at TABLE; `start` is CREATE.
pub(super) fn create(c: &mut Cursor<'_>, start: u32, temporary: bool) -> Result<Statement, SyntaxError> {
    c.advance();
    if_not_exists(c);
    let mut ddl = new(DdlAction::Create, "TABLE");
    ddl.temporary = temporary;
    ddl.names.push(names::qualified(c)?);
    let names_only = c.is_symbol("(") && (c.is_symbol_ahead(2, ",") || c.is_symbol_ahead(2, ")"));
    if names_only || c.is_one_of(&["as", "using", "with", "without", "on", "tablespace"]) {
        return create_as(c, start, ddl);
    }
    if c.take_word("of") {
        let name = names::qualified(c)?;
        ddl.types.push(TypeName { tokens: name.tokens.clone(), name });
        typed_elements(c, &mut ddl)?;
    } else if c.take_words(&["partition", "of"]) {
        ddl.references.push(names::qualified(c)?);
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
        }
    }
    partition_by(c, &mut ddl)?;
    storage(c)?;
    Ok(finished(ddl))
}

fn create_as(c: &mut Cursor<'_>, start: u32, mut ddl: Ddl) -> Result<Statement, SyntaxError> {
    let name = ddl.names.pop().ok_or_else(|| c.expected("a name"))?;
    let columns = names::optional_list(c)?;
    storage(c)?;
    c.expect_word("as")?;
    let source = if c.is_word("execute") { utility::execute(c)? } else { Statement::Query(Box::new(query::query(c)?)) };
    with_data(c)?;
    Ok(Statement::CreateAs(Box::new(CreateAs {
        kind: CreateAsKind::Table,
        name,
        columns,
        temporary: ddl.temporary,
        replace: false,
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

/// USING, WITH, WITHOUT OIDS, ON COMMIT, TABLESPACE: none of them names what can be read.
pub(super) fn storage(c: &mut Cursor<'_>) -> Result<(), SyntaxError> {
    if c.take_word("using") {
        names::column_id(c)?;
    }
    with_options(c)?;
    c.take_words(&["without", "oids"]);
    if c.take_words(&["on", "commit"]) {
        let known = c.take_word("drop") || c.take_words(&["delete", "rows"]) || c.take_words(&["preserve", "rows"]);
        if !known {
            return Err(c.expected("`DROP`, `DELETE ROWS` or `PRESERVE ROWS`"));
        }
    }
    tablespace(c)
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
            if is_table_constraint(c) {
                return table_constraint(c, ddl);
            }
            ddl.columns.push(names::column_id(c)?);
            c.take_words(&["with", "options"]);
            column_constraints(c, ddl)
        })
    })?;
    Ok(())
}

/// A column, a constraint or LIKE.
fn element(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<(), SyntaxError> {
    if c.take_word("like") {
        ddl.references.push(names::qualified(c)?);
        while c.take_word("including") || c.take_word("excluding") {
            names::label(c)?;
        }
        return Ok(());
    }
    if is_table_constraint(c) { table_constraint(c, ddl) } else { column(c, ddl) }
}

/// Whether a table's constraint stands here; EXCLUDE may be a column's name.
pub(super) fn is_table_constraint(c: &Cursor<'_>) -> bool {
    match names::keyword_text(c) {
        "constraint" | "check" | "unique" | "primary" | "foreign" => true,
        "exclude" => c.is_word_ahead(1, "using") || c.is_symbol_ahead(1, "("),
        "not" => c.is_word_ahead(1, "null"),
        _ => false,
    }
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
    column_constraints(c, ddl)
}

/// Constraints of a column or domain (`ColQualList`).
pub(super) fn column_constraints(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<(), SyntaxError> {
    loop {
        if c.take_word("constraint") {
            names::column_id(c)?;
        }
        match names::keyword_text(c) {
            "null" | "enforced" => c.advance(),
            "not" | "deferrable" | "initially" | "no" => {
                if !attribute(c)? {
                    return Ok(());
                }
            }
            "unique" | "primary" => {
                c.advance();
                c.take_word("key");
                nulls_distinct(c)?;
                with_options(c)?;
                index_tablespace(c)?;
            }
            "check" => {
                c.advance();
                check(c, ddl)?;
            }
            "default" => {
                c.advance();
                ddl.expressions.push(expression::restricted(c)?);
            }
            "generated" => generated(c, ddl)?,
            "references" => references(c, ddl)?,
            "collate" => {
                c.advance();
                names::qualified(c)?;
            }
            _ => return Ok(()),
        }
    }
}

/// `NOT NULL`, `NOT VALID`, `INITIALLY DEFERRED`, `NO INHERIT` …, if it stands here.
fn attribute(c: &mut Cursor<'_>) -> Result<bool, SyntaxError> {
    if c.take_word("initially") {
        if !c.take_word("deferred") {
            c.expect_word("immediate")?;
        }
        return Ok(true);
    }
    Ok(c.take_word("deferrable")
        || c.take_word("enforced")
        || c.take_words(&["not", "null"])
        || c.take_words(&["not", "deferrable"])
        || c.take_words(&["not", "valid"])
        || c.take_words(&["not", "enforced"])
        || c.take_words(&["no", "inherit"]))
}

/// `NULLS NOT DISTINCT`, if it stands here.
pub(super) fn nulls_distinct(c: &mut Cursor<'_>) -> Result<(), SyntaxError> {
    if c.take_word("nulls") {
        c.take_word("not");
        c.expect_word("distinct")?;
    }
    Ok(())
}

fn index_tablespace(c: &mut Cursor<'_>) -> Result<(), SyntaxError> {
    if c.take_words(&["using", "index", "tablespace"]) { names::column_id(c).map(|_| ()) } else { Ok(()) }
}

/// `GENERATED ALWAYS AS IDENTITY`, `GENERATED ALWAYS AS (a) STORED`.
fn generated(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<(), SyntaxError> {
    c.advance();
    generated_when(c)?;
    c.expect_word("as")?;
    if c.take_word("identity") {
        return sequence::in_parentheses(c, ddl);
    }
    check(c, ddl)?;
    if !c.take_word("stored") {
        c.take_word("virtual");
    }
    Ok(())
}

/// `ALWAYS`, `BY DEFAULT`.
pub(super) fn generated_when(c: &mut Cursor<'_>) -> Result<(), SyntaxError> {
    if c.take_word("always") || c.take_words(&["by", "default"]) {
        Ok(())
    } else {
        Err(c.expected("`ALWAYS` or `BY DEFAULT`"))
    }
}

/// `REFERENCES a (b) MATCH FULL ON DELETE CASCADE`.
fn references(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<(), SyntaxError> {
    c.expect_word("references")?;
    ddl.references.push(names::qualified(c)?);
    if c.is_symbol("(") {
        ddl.columns.extend(column_list(c)?);
    }
    if c.take_word("match") && !c.take_word("full") && !c.take_word("partial") {
        c.expect_word("simple")?;
    }
    while c.take_words(&["on", "update"]) || c.take_words(&["on", "delete"]) {
        key_action(c, ddl)?;
    }
    Ok(())
}

fn key_action(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<(), SyntaxError> {
    if c.take_words(&["no", "action"]) || c.take_word("restrict") || c.take_word("cascade") {
        return Ok(());
    }
    c.expect_word("set")?;
    if !c.take_word("null") {
        c.expect_word("default")?;
    }
    if c.is_symbol("(") {
        ddl.columns.extend(names::list(c)?);
    }
    Ok(())
}

/// `(a, b, PERIOD c)`, `(a, b WITHOUT OVERLAPS)`.
fn column_list(c: &mut Cursor<'_>) -> Result<Vec<crate::sql::ast::Name>, SyntaxError> {
    names::parenthesized(c, |c| {
        names::comma_list(c, |c| {
            if c.is_word("period") && names::is_column_id(c, 1) {
                c.advance();
            }
            let column = names::column_id(c)?;
            c.take_words(&["without", "overlaps"]);
            Ok(column)
        })
    })
}

/// A table's constraint (`TableConstraint`).
pub(super) fn table_constraint(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<(), SyntaxError> {
    if c.take_word("constraint") {
        names::column_id(c)?;
    }
    match names::keyword_text(c) {
        "check" => {
            c.advance();
            check(c, ddl)?;
        }
        "not" => {
            c.advance();
            c.expect_word("null")?;
            ddl.columns.push(names::column_id(c)?);
        }
        "unique" | "primary" => {
            if c.take_word("primary") {
                c.expect_word("key")?;
            } else {
                c.advance();
                nulls_distinct(c)?;
            }
            if c.take_words(&["using", "index"]) {
                names::column_id(c)?;
            } else {
                ddl.columns.extend(column_list(c)?);
                behind_index_columns(c, ddl)?;
            }
        }
        "exclude" => exclude(c, ddl)?,
        "foreign" => {
            c.advance();
            c.expect_word("key")?;
            ddl.columns.extend(column_list(c)?);
            references(c, ddl)?;
        }
        _ => return Err(c.expected("a constraint")),
    }
    while attribute(c)? {}
    Ok(())
}

fn behind_index_columns(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<(), SyntaxError> {
    if c.take_word("include") {
        ddl.columns.extend(names::list(c)?);
    }
    with_options(c)?;
    index_tablespace(c)
}

/// `EXCLUDE USING gist (a WITH &&) WHERE (b)`.
fn exclude(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<(), SyntaxError> {
    c.advance();
    if c.take_word("using") {
        names::column_id(c)?;
    }
    names::parenthesized(c, |c| {
        loop {
            ddl.expressions.push(dml::index_element(c)?);
            dml::index_element_options(c)?;
            c.expect_word("with")?;
            if c.is_word("operator") && c.is_symbol_ahead(1, "(") {
                operator::take_sign(c)?;
            } else {
                operator::qualified_sign(c)?;
            }
            if !c.take_symbol(",") {
                return Ok(());
            }
        }
    })?;
    behind_index_columns(c, ddl)?;
    if c.take_word("where") {
        check(c, ddl)?;
    }
    Ok(())
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
