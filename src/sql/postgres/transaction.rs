//! Transactions (`TransactionStmt`).

use super::{names, strings};
use crate::sql::ast::{Statement, Transaction};
use crate::sql::cursor::Cursor;
use crate::sql::syntax_error::SyntaxError;

/// BEGIN, COMMIT, ROLLBACK and their kin; the word stands here.
pub fn transaction(c: &mut Cursor<'_>) -> Result<Statement, SyntaxError> {
    let word = names::keyword_text(c);
    c.advance();
    Ok(Statement::Transaction(match word {
        "begin" => {
            work(c);
            modes(c)?;
            Transaction::Begin
        }
        "start" => {
            c.expect_word("transaction")?;
            modes(c)?;
            Transaction::Begin
        }
        "prepare" => {
            c.expect_word("transaction")?;
            strings::string(c)?;
            Transaction::TwoPhase
        }
        "commit" | "rollback" if c.take_word("prepared") => {
            strings::string(c)?;
            Transaction::TwoPhase
        }
        "savepoint" => Transaction::Savepoint(names::column_id(c)?),
        "release" => Transaction::Release(savepoint(c)?),
        "rollback" => {
            work(c);
            if c.take_word("to") {
                Transaction::RollbackTo(savepoint(c)?)
            } else {
                chain(c)?;
                Transaction::Rollback
            }
        }
        "abort" => {
            work(c);
            chain(c)?;
            Transaction::Rollback
        }
        _ => {
            work(c);
            chain(c)?;
            Transaction::Commit
        }
    }))
}

fn work(c: &mut Cursor<'_>) {
    if !c.take_word("work") {
        c.take_word("transaction");
    }
}

/// `SAVEPOINT a`, `a`; the word alone is a name.
fn savepoint(c: &mut Cursor<'_>) -> Result<crate::sql::ast::Name, SyntaxError> {
    if c.is_word("savepoint") && names::is_column_id(c, 1) {
        c.advance();
    }
    names::column_id(c)
}

fn chain(c: &mut Cursor<'_>) -> Result<(), SyntaxError> {
    if c.take_word("and") {
        c.take_word("no");
        c.expect_word("chain")?;
    }
    Ok(())
}

/// `ISOLATION LEVEL READ COMMITTED, READ ONLY` …, perhaps none (`transaction_mode_list_or_empty`).
pub fn modes(c: &mut Cursor<'_>) -> Result<(), SyntaxError> {
    loop {
        let known = c.take_words(&["read", "only"])
            || c.take_words(&["read", "write"])
            || c.take_word("deferrable")
            || c.take_words(&["not", "deferrable"]);
        if !known {
            if !c.take_words(&["isolation", "level"]) {
                return Ok(());
            }
            let level = c.take_words(&["read", "uncommitted"])
                || c.take_words(&["read", "committed"])
                || c.take_words(&["repeatable", "read"])
                || c.take_word("serializable");
            if !level {
                return Err(c.expected("an isolation level"));
            }
        }
        c.take_symbol(",");
    }
}
