//! Texts that were once read differently from the server, each a way to protected data. They are read as the server
//! reads them, or refused.

use super::{BOTH, is_refused, read};
use crate::sql::mentions::{Mentions, Role};
use crate::sql::mysql::{Flavour, SqlMode};

/// The tables that a text mentions, in each family; `None` where it is refused.
fn relations(text: &str) -> [Option<Vec<String>>; 2] {
    BOTH.map(|flavour| {
        let (_, statement) = read(text, SqlMode::default(), flavour).ok()?;
        Some(Mentions::of(&statement).of_role(Role::Relation))
    })
}

fn mentions_users(text: &str) {
    for found in relations(text) {
        assert!(found.is_none_or(|tables| tables.contains(&"users".to_owned())), "{text}");
    }
}

fn never_read(text: &str) {
    assert_eq!(relations(text), [None, None], "{text}");
}

#[test]
fn relations_behind_words() {
    mentions_users("SELECT a UNION TABLE users");
    mentions_users("UPDATE IGNORE users SET a = 1");
    mentions_users("UPDATE LOW_PRIORITY users SET a = 1");
    mentions_users("SELECT SQL_CACHE * FROM(users)");
    mentions_users("SELECT SQL_CACHE * FROM users");
    mentions_users("SELECT SQL_NO_CACHE * FROM(users)");
    mentions_users("SELECT a RLIKE NULL FROM users");
    mentions_users("SELECT * FROM (a, users)");
    mentions_users("SELECT * FROM {oj a LEFT JOIN users ON 1}");
    mentions_users("INSERT INTO t SELECT email FROM users");
    mentions_users("INSERT INTO t SET a = (SELECT email FROM users)");
    mentions_users("REPLACE INTO t VALUES ((SELECT email FROM users))");
    mentions_users("SELECT BINARY a = (SELECT email FROM users)");
    mentions_users("SELECT 1 ORDER BY (SELECT email FROM users)");
    mentions_users("SELECT sum(a) OVER (ORDER BY (SELECT email FROM users))");
    mentions_users("SELECT group_concat(a ORDER BY (SELECT email FROM users))");
    mentions_users("SELECT interval 1 day + (SELECT email FROM users)");
    mentions_users("DELETE a FROM a JOIN users ON 1");
    mentions_users("DO (SELECT email FROM users)");
    mentions_users("CREATE TABLE t SELECT email FROM users");
    mentions_users("SELECT * FROM users FULL JOIN a");
    mentions_users("SELECT 1 FROM a WHERE (SELECT 1) IN (TABLE users)");
}

#[test]
fn strings_and_comments_end_where_the_server_ends_them() {
    mentions_users(r"SELECT '\'', (SELECT email FROM users) -- '");
    // One literal: a string, and another one that a double quote begins.
    let none = Some(Vec::new());
    assert_eq!(relations(r#"SELECT 'a\\' "' , (SELECT email FROM users) -- ""#), [none.clone(), none]);
    for text in [
        "SELECT 1 /*M! , (SELECT email FROM users) */",
        "SELECT id /*!50000 , email */ FROM users",
        "SELECT 1 /*!99999 , (SELECT email FROM users) */",
        "SELECT email /*!999999 , 1 FROM products -- */ FROM users",
        "SELECT 1 --\u{a0}, (SELECT email FROM users)",
        "SELECT 1 --\u{2003}, (SELECT email FROM users)",
        "SELECT 1\0",
        "SELECT /*+ x(`*/`) , (SELECT email FROM users) */ 1",
        "SELECT $$ , (SELECT email FROM users) , $$",
    ] {
        never_read(text);
    }
    mentions_users("SELECT a FROM products --\u{1} x\nUNION ALL SELECT email FROM users");
    mentions_users("SELECT 1 # x\r, 2\n, (SELECT email FROM users)");
    let plain = SqlMode { no_backslash_escapes: true, ..SqlMode::default() };
    let ansi = SqlMode { ansi_quotes: true, ..SqlMode::default() };
    for flavour in BOTH {
        for (text, mode) in [
            (r"SELECT '\', (SELECT email FROM users) -- '", plain),
            ("SELECT 1 AS \"\\\", (SELECT email FROM users) -- \"", ansi),
        ] {
            let (_, statement) = read(text, mode, flavour).unwrap();
            assert_eq!(Mentions::of(&statement).of_role(Role::Relation), ["users"], "{text}");
        }
    }
}

#[test]
fn other_expressions() {
    for flavour in BOTH {
        for text in ["SELECT 0x1F", "SELECT 1 FROM a WHERE b ISNULL", "SELECT U&'x'", "SELECT email.users FROM a"] {
            let mentioned =
                read(text, SqlMode::default(), flavour).map(|(_, s)| Mentions::of(&s).of_role(Role::Column));
            match text {
                "SELECT 0x1F" => assert_eq!(mentioned.unwrap(), [""; 0]),
                "SELECT email.users FROM a" => assert_eq!(mentioned.unwrap(), ["email.users"]),
                // A column and an alias; a column, an operator and a string.
                _ => assert!(mentioned.is_err() || mentioned.unwrap().contains(&"U".to_owned()), "{text}"),
            }
        }
        assert!(is_refused("SELECT 0o17 17", flavour));
        assert!(is_refused("SELECT count (email) FROM users", flavour), "another function in the server's eyes");
    }
    // No alias, but a table of its own that no server has.
    assert!(is_refused("SELECT * FROM ONLY users WHERE", Flavour::MySql));
}
