//! Transactions, locks, prepared statements, procedures, KILL.

use super::{Grammar, Parsed};
use crate::sql::ast::{Expr, LockTables, Statement, Transaction};
use crate::sql::token::TokenKind;

impl Grammar<'_> {
    /// BEGIN, START TRANSACTION, COMMIT, ROLLBACK, savepoints, XA.
    pub(super) fn transaction(&mut self) -> Parsed<Statement> {
        let lower = self.lower();
        if lower.as_str() == "start" && !self.cursor.is_word_ahead(1, "transaction") {
            return Ok(self.other());
        }
        self.cursor.advance();
        let transaction = match lower.as_str() {
            "begin" => {
                self.cursor.take_word("work");
                Transaction::Begin
            }
            "start" => {
                self.cursor.advance();
                self.transaction_modes()?;
                Transaction::Begin
            }
            "commit" => {
                self.cursor.take_word("work");
                self.chain_and_release()?;
                Transaction::Commit
            }
            "rollback" => {
                self.cursor.take_word("work");
                if self.cursor.take_word("to") {
                    self.cursor.take_word("savepoint");
                    Transaction::RollbackTo(self.name()?)
                } else {
                    self.chain_and_release()?;
                    Transaction::Rollback
                }
            }
            "savepoint" => Transaction::Savepoint(self.name()?),
            "release" => {
                self.cursor.expect_word("savepoint")?;
                Transaction::Release(self.name()?)
            }
            _ => {
                self.pass_rest();
                Transaction::TwoPhase
            }
        };
        Ok(Statement::Transaction(transaction))
    }

    /// `WITH CONSISTENT SNAPSHOT, READ ONLY`
    fn transaction_modes(&mut self) -> Parsed<()> {
        if self.cursor.is_at_end() {
            return Ok(());
        }
        self.comma_list(|g| {
            let modes: [&[&str]; 3] = [&["with", "consistent", "snapshot"], &["read", "only"], &["read", "write"]];
            if modes.iter().any(|words| g.cursor.take_words(words)) {
                return Ok(());
            }
            Err(g.cursor.expected("`WITH CONSISTENT SNAPSHOT`, `READ ONLY` or `READ WRITE`"))
        })?;
        Ok(())
    }

    /// `AND [NO] CHAIN [NO] RELEASE`
    fn chain_and_release(&mut self) -> Parsed<()> {
        if self.cursor.take_word("and") {
            self.cursor.take_word("no");
            self.cursor.expect_word("chain")?;
        }
        if self.cursor.take_word("no") {
            self.cursor.expect_word("release")?;
        } else {
            self.cursor.take_word("release");
        }
        Ok(())
    }

    /// `LOCK TABLES t [AS a] READ, …`, `UNLOCK TABLES`
    pub(super) fn lock_tables(&mut self) -> Parsed<Statement> {
        let unlock = self.cursor.is_word("unlock");
        if self.cursor.is_word_ahead(1, "instance") {
            self.pass_rest();
            let words = if unlock { "UNLOCK INSTANCE" } else { "LOCK INSTANCE" };
            return Ok(Statement::Other { words: words.into() });
        }
        self.cursor.advance();
        if !self.cursor.take_word("tables") {
            self.cursor.expect_word("table")?;
        }
        if unlock {
            return Ok(Statement::UnlockTables);
        }
        let tables = self.comma_list(|g| {
            let name = g.table_name()?;
            g.table_alias()?;
            let kinds: [&[&str]; 5] =
                [&["read", "local"], &["read"], &["low_priority", "write"], &["write", "concurrent"], &["write"]];
            if kinds.iter().any(|words| g.cursor.take_words(words)) {
                return Ok(name);
            }
            Err(g.cursor.expected("`READ` or `WRITE`"))
        })?;
        if self.is_maria() && self.cursor.take_word("wait") {
            self.number()?;
        } else if self.is_maria() {
            self.cursor.take_word("nowait");
        }
        Ok(Statement::LockTables(LockTables { tables, access_share: false }))
    }

    /// `KILL [CONNECTION | QUERY] id`; MariaDB's other forms are known by their word only.
    pub(super) fn kill(&mut self) -> Parsed<Statement> {
        if self.is_maria() && ["hard", "soft", "user"].iter().any(|word| self.cursor.is_word_ahead(1, word)) {
            return Ok(self.other());
        }
        self.cursor.advance();
        let query = self.cursor.take_word("query");
        if !query {
            self.cursor.take_word("connection");
        }
        if self.is_maria() && query && self.cursor.is_one_of(&["id", "user"]) {
            self.pass_rest();
            return Ok(Statement::Other { words: "KILL".into() });
        }
        Ok(Statement::Kill { query, id: self.expr()? })
    }

    /// `CALL p (a, b)`
    pub(super) fn call_procedure(&mut self) -> Parsed<Statement> {
        self.cursor.advance();
        let name = self.object_name(3)?;
        let arguments = if self.cursor.is_symbol("(") && self.cursor.is_symbol_ahead(1, ")") {
            self.cursor.advance_by(2);
            Vec::new()
        } else if self.cursor.is_symbol("(") {
            self.parenthesized_list(Self::expr)?
        } else {
            Vec::new()
        };
        Ok(Statement::Call { name: Some(name), arguments })
    }

    /// `DO a, b`
    pub(super) fn do_expressions(&mut self) -> Parsed<Statement> {
        self.cursor.advance();
        Ok(Statement::Call { name: None, arguments: self.comma_list(Self::expr)? })
    }

    /// `PREPARE p FROM …`, `EXECUTE p USING @a`, `DEALLOCATE PREPARE p`
    pub(super) fn prepared(&mut self) -> Parsed<Statement> {
        let lower = self.lower();
        match lower.as_str() {
            "prepare" => Ok(self.other()),
            "execute" if self.is_maria() && self.cursor.is_word_ahead(1, "immediate") => {
                self.pass_rest();
                Ok(Statement::Other { words: "EXECUTE IMMEDIATE".into() })
            }
            "execute" => {
                self.cursor.advance();
                let name = self.name()?;
                let arguments = if self.cursor.take_word("using") { self.execute_arguments()? } else { Vec::new() };
                Ok(Statement::Execute { name, arguments })
            }
            _ => {
                self.cursor.advance();
                self.cursor.expect_word("prepare")?;
                Ok(Statement::Deallocate(Some(self.name()?)))
            }
        }
    }

    /// Variables; MariaDB takes expressions.
    fn execute_arguments(&mut self) -> Parsed<Vec<Expr>> {
        if self.is_mysql() && self.cursor.kind(0) != Some(TokenKind::Variable) {
            return Err(self.cursor.expected("a variable"));
        }
        self.comma_list(Self::expr)
    }
}
