//! GRANT and REVOKE.

use super::ddl::{self, incomplete, new};
use super::names;
use crate::sql::ast::{Ddl, DdlAction};
use crate::sql::cursor::Cursor;
use crate::sql::syntax_error::SyntaxError;

/// GRANT or REVOKE behind its first word.
pub(super) fn grant(c: &mut Cursor<'_>, revoke: bool) -> Result<Ddl, SyntaxError> {
    let mut ddl = new(DdlAction::Grant, "ROLE");
    if revoke {
        // `GRANT OPTION FOR`, `ADMIN OPTION FOR`: neither OPTION nor FOR can stand behind a privilege or a role.
        if c.is_word_ahead(1, "option") && c.is_word_ahead(2, "for") {
            c.advance_by(3);
        }
    }
    privileges(c, &mut ddl)?;
    if c.take_word("on") {
        target(c, &mut ddl)?;
        if !ddl.complete {
            return Ok(ddl);
        }
    }
    c.expect_word(if revoke { "from" } else { "to" })?;
    names::comma_list(c, grantee)?;
    if c.take_word("with") {
        names::comma_list(c, |c| {
            names::label(c)?;
            if c.take_word("option") || c.take_word("true") || c.take_word("false") {
                Ok(())
            } else {
                Err(c.expected("`OPTION`"))
            }
        })?;
    }
    if c.take_words(&["granted", "by"]) {
        grantee(c)?;
    }
    ddl::drop_behavior(c, &mut ddl);
    Ok(ddl)
}

/// `SELECT (a, b), UPDATE`, `ALL PRIVILEGES`, or roles: the columns are kept.
fn privileges(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<(), SyntaxError> {
    if c.take_word("all") {
        c.take_word("privileges");
        ddl.columns.extend(names::optional_list(c)?);
        return Ok(());
    }
    names::comma_list(c, |c| {
        if c.take_words(&["alter", "system"]) {
            return Ok(());
        }
        if c.is_one_of(&["select", "references", "create"]) {
            c.advance();
        } else {
            names::non_reserved(c)?;
        }
        ddl.columns.extend(names::optional_list(c)?);
        Ok(())
    })?;
    Ok(())
}

/// What the privileges are on.
fn target(c: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<(), SyntaxError> {
    ddl.object = "TABLE".into();
    let qualified = c.take_word("table") || !is_kind(c);
    if qualified {
        ddl.names = names::qualified_list(c)?;
        return Ok(());
    }
    if c.take_word("sequence") {
        ddl.object = "SEQUENCE".into();
        ddl.names = names::qualified_list(c)?;
        return Ok(());
    }
    if c.is_word("schema") || c.is_word("database") || c.is_word("tablespace") {
        ddl.object = names::keyword_text(c).to_ascii_uppercase().into();
        c.advance();
        ddl.names = names::comma_list(c, ddl::single)?;
        return Ok(());
    }
    ddl.object = c.source(0).to_ascii_uppercase().into();
    *ddl = incomplete(c, ddl.clone());
    Ok(())
}

/// Whether a word for a kind of object stands here rather than a table's name.
fn is_kind(c: &Cursor<'_>) -> bool {
    let kind = c.is_one_of(&[
        "sequence",
        "schema",
        "database",
        "tablespace",
        "function",
        "procedure",
        "routine",
        "language",
        "domain",
        "type",
        "parameter",
    ]);
    c.is_word("all")
        || c.are_words(&["large", "object"])
        || (c.is_word("foreign") && names::is_label(c, 1))
        || (kind && names::is_column_id(c, 1))
}

/// A role, PUBLIC, CURRENT_USER; `GROUP` may stand before it.
fn grantee(c: &mut Cursor<'_>) -> Result<(), SyntaxError> {
    c.take_word("group");
    role(c)
}

/// A role (`RoleSpec`).
pub(super) fn role(c: &mut Cursor<'_>) -> Result<(), SyntaxError> {
    if c.is_one_of(&["current_user", "current_role", "session_user"]) {
        c.advance();
        return Ok(());
    }
    names::non_reserved(c).map(|_| ())
}
