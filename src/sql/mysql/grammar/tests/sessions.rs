//! SET, SHOW, transactions, and what else is about the session.

use super::sketch::object;
use super::{BOTH, is_refused, refused, statement, statement_of};
use crate::sql::ast::{Assignment, SetScope, SetValue, Show, Statement, Transaction};
use crate::sql::mysql::Flavour;

fn assignments(text: &str) -> Vec<Assignment> {
    let Statement::Set(assignments) = statement(text) else { panic!("{text}") };
    assignments
}

/// Scope, name and plain value of each.
fn settings(text: &str) -> Vec<(SetScope, String, String)> {
    let value = |value: &SetValue| match value {
        SetValue::Word(word) => word.to_string(),
        SetValue::String(string) => format!("'{string}'"),
        SetValue::Number(number) => format!("#{number}"),
        SetValue::Expr(_) => "…".to_owned(),
    };
    let setting = |set: Assignment| {
        (set.scope, String::from(set.name), set.values.iter().map(value).collect::<Vec<_>>().join(" "))
    };
    assignments(text).into_iter().map(setting).collect()
}

#[test]
fn settings_in_all_forms() {
    use SetScope::{Global, Session, UserVariable};
    let one = |text: &str, scope: SetScope, name: &str, value: &str| {
        assert_eq!(settings(text), [(scope, name.to_owned(), value.to_owned())], "{text}");
    };
    one("SET SQL_MODE = 'ANSI_QUOTES'", Session, "sql_mode", "'ANSI_QUOTES'");
    one("SET @@SESSION.sql_mode = 1048576", Session, "sql_mode", "#1048576");
    one("SET LOCAL sql_mode := ANSI", Session, "sql_mode", "ANSI");
    one("SET GLOBAL x = ON", Global, "x", "ON");
    one("SET @@global.x = DEFAULT", Global, "x", "");
    one("SET x = -1", Session, "x", "#-1");
    one("SET x = concat('a', @@y)", Session, "x", "…");
    one("SET @a := 1", UserVariable, "a", "…");
    one("SET hot.key_buffer_size = 1", Session, "hot.key_buffer_size", "#1");
    one("SET NAMES utf8mb4", Session, "names", "utf8mb4");
    one("SET NAMES 'utf8mb4' COLLATE 'utf8mb4_bin'", Session, "names", "'utf8mb4' 'utf8mb4_bin'");
    one("SET NAMES DEFAULT", Session, "names", "");
    one("SET CHARACTER SET binary", Session, "character set", "binary");
    one("SET CHARSET latin1", Session, "character set", "latin1");
    one("SET PASSWORD = 'x'", Session, "password", "'x'");
    one("SET PASSWORD FOR u = 'x'", Session, "password", "");
    one("SET ROLE admin", Session, "role", "admin");
    one("SET ROLE DEFAULT", Session, "role", "");
    one("SET DEFAULT ROLE r TO u", Session, "default role", "");
    one("SET GLOBAL TRANSACTION READ ONLY", Global, "transaction", "");
    one("SET time_zone = \"+00:00\"", Session, "time_zone", "'+00:00'");
    assert_eq!(settings("SET @a = 1, SESSION b = 2, @@c = d, NAMES utf8, GLOBAL e = 3").len(), 5);
    let Statement::Set(persist) = statement_of("SET PERSIST x = 1, @@PERSIST_ONLY.y = 2", Flavour::MySql) else {
        panic!()
    };
    assert!(persist.iter().all(|set| set.scope == Global));
    let transaction = statement("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY");
    assert_eq!(transaction, Statement::Transaction(Transaction::Characteristics));
    assert_eq!(assignments("SET x = (SELECT email FROM users)").len(), 1);
    refused(&["SET", "SET x", "SET = 1", "SET x = ", "SET NAMES", "SET TRANSACTION", "SET @a = 1 b"]);
    assert!(matches!(
        statement_of("SET STATEMENT max_statement_time=1 FOR SELECT 1", Flavour::MariaDb),
        Statement::Other { .. }
    ));
}

fn show(text: &str) -> Show {
    let Statement::Show(show) = statement(text) else { panic!("{text}") };
    *show
}

#[test]
fn shows() {
    for (text, what) in [
        ("SHOW TABLES", "TABLES"),
        ("SHOW FULL TABLES FROM d LIKE 'x%'", "TABLES"),
        ("SHOW TABLE STATUS IN d WHERE Name = 'x'", "TABLE STATUS"),
        ("SHOW FULL COLUMNS FROM t FROM d LIKE '%'", "COLUMNS"),
        ("SHOW FIELDS IN s.t", "COLUMNS"),
        ("SHOW KEYS FROM t WHERE Key_name = 'PRIMARY'", "INDEX"),
        ("SHOW INDEXES IN t", "INDEX"),
        ("SHOW DATABASES", "DATABASES"),
        ("SHOW SESSION VARIABLES LIKE 'sql_mode'", "VARIABLES"),
        ("SHOW VARIABLES WHERE Variable_name IN ('a', 'b')", "VARIABLES"),
        ("SHOW GLOBAL STATUS", "STATUS"),
        ("SHOW WARNINGS LIMIT 1, 2", "WARNINGS"),
        ("SHOW COUNT(*) WARNINGS", "COUNT WARNINGS"),
        ("SHOW CREATE TABLE s.t", "CREATE TABLE"),
        ("SHOW CREATE DATABASE IF NOT EXISTS d", "CREATE DATABASE"),
        ("SHOW FULL PROCESSLIST", "PROCESSLIST"),
        ("SHOW GRANTS", "GRANTS"),
        ("SHOW GRANTS FOR root@localhost", "GRANTS FOR"),
        ("SHOW ENGINES", "ENGINES"),
        ("SHOW CHARACTER SET LIKE 'utf8%'", "CHARACTER SET"),
        ("SHOW COLLATION WHERE Charset = 'utf8mb4'", "COLLATION"),
        ("SHOW PROCEDURE STATUS", "PROCEDURE STATUS"),
        ("DESCRIBE s.t", "COLUMNS"),
        ("DESC t a", "COLUMNS"),
        ("EXPLAIN t 'a%'", "COLUMNS"),
    ] {
        assert_eq!(&*show(text).what, what, "{text}");
    }
    let columns = show("SHOW EXTENDED FULL COLUMNS FROM t FROM d WHERE Field = 'x'");
    assert_eq!((columns.modifiers.len(), object(&columns.object.unwrap())), (2, "t".into()));
    assert!(columns.database.is_some() && columns.filter.is_some());
    assert!(show("DESCRIBE t 'a%'").pattern.is_some());
    for text in ["SHOW ENGINE INNODB STATUS", "SHOW BINARY LOGS", "SHOW SLAVE STATUS", "SHOW MASTER STATUS"] {
        assert!(matches!(statement(text), Statement::Other { .. }), "{text}");
    }
    refused(&["SHOW", "SHOW TABLES t", "SHOW COLUMNS", "SHOW TABLES LIKE x", "DESCRIBE", "SHOW CREATE TABLE"]);
}

#[test]
fn explains() {
    for (text, analyze, flavour) in [
        ("EXPLAIN SELECT 1", false, None),
        ("DESC SELECT 1", false, None),
        ("EXPLAIN FORMAT=JSON UPDATE t SET a = 1", false, None),
        ("EXPLAIN (SELECT 1) UNION SELECT 2", false, None),
        ("EXPLAIN ANALYZE FORMAT=TREE SELECT 1", true, Some(Flavour::MySql)),
        ("EXPLAIN TABLE t", false, Some(Flavour::MySql)),
        ("ANALYZE SELECT 1", true, Some(Flavour::MariaDb)),
        ("ANALYZE FORMAT=JSON DELETE FROM t", true, Some(Flavour::MariaDb)),
        ("EXPLAIN EXTENDED SELECT 1", false, Some(Flavour::MariaDb)),
    ] {
        for flavour in BOTH.into_iter().filter(|f| flavour.is_none_or(|only| only == *f)) {
            let Statement::Explain(explain) = statement_of(text, flavour) else { panic!("{text}") };
            assert_eq!(explain.analyze, analyze, "{text}");
        }
    }
    assert!(matches!(statement("EXPLAIN FOR CONNECTION 5"), Statement::Other { .. }));
    refused(&["EXPLAIN ANALYZE t", "EXPLAIN EXPLAIN SELECT 1", "EXPLAIN SET a = 1"]);
}

#[test]
fn transactions_and_the_rest() {
    let transaction = |text: &str| {
        let Statement::Transaction(transaction) = statement(text) else { panic!("{text}") };
        transaction
    };
    assert_eq!(transaction("BEGIN WORK"), Transaction::Begin);
    assert_eq!(transaction("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"), Transaction::Begin);
    assert_eq!(transaction("COMMIT AND NO CHAIN NO RELEASE"), Transaction::Commit);
    assert_eq!(transaction("ROLLBACK"), Transaction::Rollback);
    assert!(matches!(transaction("ROLLBACK TO SAVEPOINT `a`"), Transaction::RollbackTo(name) if &*name.value == "a"));
    assert!(matches!(transaction("SAVEPOINT s"), Transaction::Savepoint(_)));
    assert!(matches!(transaction("RELEASE SAVEPOINT s"), Transaction::Release(_)));
    assert_eq!(transaction("XA START 'x'"), Transaction::TwoPhase);
    assert!(matches!(statement("USE `d`"), Statement::Use(name) if &*name.value == "d"));
    assert!(matches!(statement("KILL QUERY 5"), Statement::Kill { query: true, .. }));
    assert!(matches!(statement("KILL 5"), Statement::Kill { query: false, .. }));
    assert!(
        matches!(statement("LOCK TABLES a READ, b.c AS d LOW_PRIORITY WRITE"), Statement::LockTables(t) if t.tables.len() == 2)
    );
    assert_eq!(statement("UNLOCK TABLES"), Statement::UnlockTables);
    assert!(
        matches!(statement("CALL s.p(1, @a)"), Statement::Call { name: Some(_), arguments } if arguments.len() == 2)
    );
    assert!(
        matches!(statement("DO SLEEP(1), (SELECT 1)"), Statement::Call { name: None, arguments } if arguments.len() == 2)
    );
    assert!(
        matches!(statement("EXECUTE p USING @a, @b"), Statement::Execute { arguments, .. } if arguments.len() == 2)
    );
    assert!(matches!(statement("DEALLOCATE PREPARE p"), Statement::Deallocate(Some(_))));
    assert!(matches!(statement("DROP PREPARE p"), Statement::Deallocate(Some(_))));
    for (text, expected) in [
        ("PREPARE p FROM 'SELECT 1'", "PREPARE"),
        ("HANDLER t OPEN", "HANDLER"),
        ("LOAD DATA INFILE 'x' INTO TABLE t", "LOAD DATA"),
        ("FLUSH TABLES", "FLUSH TABLES"),
        ("ANALYZE TABLE t", "ANALYZE TABLE"),
        ("START SLAVE", "START SLAVE"),
        ("LOCK INSTANCE FOR BACKUP", "LOCK INSTANCE"),
        ("RESET MASTER", "RESET MASTER"),
    ] {
        assert!(matches!(statement(text), Statement::Other { words } if &*words == expected), "{text}");
    }
    refused(&["BEGIN NOT ATOMIC", "COMMIT x", "USE", "LOCK TABLES a", "EXECUTE", "foo", "1", "IF 1 THEN SELECT 1"]);
    assert!(is_refused("EXECUTE p USING 1", Flavour::MySql));
}
