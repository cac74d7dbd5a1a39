//! Which statement stands here.

use super::{copy, ddl, dml, names, query, session, transaction, utility};
use crate::sql::ast::Statement;
use crate::sql::cursor::Cursor;
use crate::sql::syntax_error::SyntaxError;

/// Any statement; what is behind it is not looked at.
pub fn statement(c: &mut Cursor<'_>) -> Result<Statement, SyntaxError> {
    match names::keyword_text(c) {
        "select" | "values" | "table" | "with" | "insert" | "update" | "delete" | "merge" => preparable(c),
        "copy" => copy::copy(c),
        "explain" => utility::explain(c),
        "declare" => utility::declare(c),
        "prepare" if c.is_word_ahead(1, "transaction") => transaction::transaction(c),
        "prepare" => utility::prepare(c),
        "execute" => utility::execute(c),
        "deallocate" => utility::deallocate(c),
        "fetch" | "move" => utility::fetch(c),
        "close" => utility::close(c),
        "call" => utility::call(c),
        "lock" => utility::lock(c),
        "listen" | "unlisten" | "notify" => utility::notification(c),
        "begin" | "start" | "commit" | "end" | "rollback" | "abort" | "savepoint" | "release" => {
            transaction::transaction(c)
        }
        "set" => session::set(c),
        "reset" => session::reset(c),
        "show" => session::show(c),
        "discard" => session::discard(c),
        "create" | "alter" | "drop" | "truncate" | "comment" | "grant" | "revoke" | "refresh" | "reindex" => {
            ddl::statement(c)
        }
        "" if c.is_symbol("(") => preparable(c),
        _ => utility::other(c),
    }
}

/// SELECT, INSERT, UPDATE, DELETE, MERGE (`PreparableStmt`).
pub fn preparable(c: &mut Cursor<'_>) -> Result<Statement, SyntaxError> {
    let level = c.enter()?;
    let start = c.at();
    let with = query::with(c)?;
    let statement = match names::keyword_text(c) {
        "insert" => Statement::Insert(Box::new(dml::insert(c, with)?)),
        "update" => Statement::Update(Box::new(dml::update(c, with)?)),
        "delete" => Statement::Delete(Box::new(dml::delete(c, with)?)),
        "merge" => Statement::Merge(Box::new(dml::merge(c, with)?)),
        _ => Statement::Query(Box::new(query::behind_with(c, start, with)?)),
    };
    c.leave(level)?;
    Ok(statement)
}
