//! INSERT, REPLACE, UPDATE, DELETE.

// Tests' time does not matter, their text does.
#![allow(clippy::format_push_string, clippy::format_collect)]

use super::sketch::{Sketch, names, object};
use super::{BOTH, is_refused, only, read, refused, statement_of};
use crate::sql::ast::{Statement, TableRef};
use crate::sql::mysql::{Flavour, SqlMode};

/// Target, columns, source, assignments, and what is behind them.
fn sketch_of(text: &str, flavour: Flavour) -> String {
    let (script, statement) =
        read(text, SqlMode::default(), flavour).unwrap_or_else(|error| panic!("{flavour:?}: {text}: {error}"));
    let sketch = Sketch { text, tokens: &script.tokens };
    let table = |relation| sketch.table(&TableRef::Relation(relation));
    let list = |exprs: &[_]| exprs.iter().map(|expr| " ".to_owned() + &sketch.expr(expr)).collect::<String>();
    match statement {
        Statement::Insert(insert) => {
            let mut out = format!("{}{} ", object(&insert.target.name), names(&insert.columns));
            out.push_str(&insert.source.as_ref().map(|query| sketch.query(query)).unwrap_or_default());
            out.push_str(&sketch.set(&insert.assignments));
            if let Some(alias) = insert.row_alias {
                out.push_str(&format!(" as {}{}", alias.name.value, names(&alias.columns)));
            }
            out.push_str(
                &insert.on_conflict.map(|c| format!(" dup {}", sketch.set(&c.assignments))).unwrap_or_default(),
            );
            out + if insert.returning.is_empty() { "" } else { " returning" }
        }
        Statement::Update(update) => {
            let with = if update.with.is_some() { "with " } else { "" };
            let mut out = format!("{with}{} set {}", sketch.table(&update.target), sketch.set(&update.assignments));
            out.push_str(&update.filter.as_ref().map(|e| format!(" where {}", sketch.expr(e))).unwrap_or_default());
            out + &list(&update.order_by) + &list(&update.limit)
        }
        Statement::Delete(delete) => {
            let mut out = if delete.with.is_some() { "with ".to_owned() } else { String::new() };
            out.push_str(&delete.targets.into_iter().map(table).collect::<Vec<_>>().join(" "));
            if delete.multi_table {
                out.push_str(&format!(" using {}", sketch.tables(&delete.using)));
            }
            out.push_str(&delete.filter.as_ref().map(|e| format!(" where {}", sketch.expr(e))).unwrap_or_default());
            out + &list(&delete.order_by)
                + &list(&delete.limit)
                + if delete.returning.is_empty() { "" } else { " returning" }
        }
        other => panic!("{other:?}"),
    }
}

fn reads(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        for flavour in BOTH {
            assert_eq!(sketch_of(text, flavour), *expected, "{flavour:?}: {text}");
        }
    }
}

fn reads_in(flavour: Flavour, cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(sketch_of(text, flavour), *expected, "{flavour:?}: {text}");
        let other = if flavour == Flavour::MySql { Flavour::MariaDb } else { Flavour::MySql };
        assert!(is_refused(text, other), "{other:?}: {text}");
    }
}

#[test]
fn inserts() {
    reads(&[
        ("INSERT INTO t VALUES (1, DEFAULT), (a, NULL)", "t {values [1 default][a null]}"),
        ("INSERT IGNORE s.t (a, t.b) VALUE (1, 2)", "s.t(a b) {values [1 2]}"),
        ("INSERT LOW_PRIORITY INTO t () VALUES ()", "t {values []}"),
        ("INSERT INTO t PARTITION (p) SET a = 1, t.b := DEFAULT", "t a=1 t.b=default"),
        ("INSERT INTO t SELECT * FROM u", "t {* from u}"),
        ("INSERT INTO t (SELECT 1)", "t {1}"),
        ("INSERT INTO t (a) (SELECT 1)", "t(a) {1}"),
        ("INSERT INTO t (a) WITH x AS (SELECT 1) SELECT * FROM x", "t(a) {x={1} * from x}"),
        (
            "INSERT INTO t (a) VALUES (1) ON DUPLICATE KEY UPDATE a = VALUES(a) + 1, b = (SELECT 1)",
            "t(a) {values [1]} dup a=(+ <values a> 1) b={1}",
        ),
        ("INSERT INTO t (a) VALUES (1) ON DUPLICATE KEY UPDATE a = (VALUES (b))", "t(a) {values [1]} dup a=<values b>"),
        ("INSERT INTO t SELECT a FROM u JOIN v ON x ON DUPLICATE KEY UPDATE a = 1", "t {a from (u * v on x)} dup a=1"),
        ("REPLACE DELAYED INTO t (a) VALUES (1)", "t(a) {values [1]}"),
        ("REPLACE t SET a = (SELECT email FROM users)", "t a={email from users}"),
    ]);
    reads_in(
        Flavour::MySql,
        &[
            (
                "INSERT INTO t (a) VALUES (1) AS n (m) ON DUPLICATE KEY UPDATE a = n.m",
                "t(a) {values [1]} as n(m) dup a=n.m",
            ),
            ("INSERT INTO t SET a = 1 AS n ON DUPLICATE KEY UPDATE a = n.a", "t a=1 as n dup a=n.a"),
            ("INSERT INTO t VALUES ROW(1), ROW(2)", "t {values [1][2]}"),
            ("INSERT INTO t TABLE u", "t {table u}"),
        ],
    );
    reads_in(
        Flavour::MariaDb,
        &[
            ("INSERT INTO t (a) VALUES (1) RETURNING a, b", "t(a) {values [1]} returning"),
            ("REPLACE INTO t SELECT 1 RETURNING *", "t {1} returning"),
            ("INSERT INTO t VALUES (IGNORE)", "t {values [default]}"),
        ],
    );
    refused(&[
        "INSERT INTO t",
        "INSERT INTO t VALUES 1",
        "INSERT INTO t (a VALUES (1)",
        "INSERT t a VALUES (1)",
        "INSERT INTO t SET a",
        "REPLACE INTO t VALUES (1) ON DUPLICATE KEY UPDATE a = 1",
        "INSERT INTO t SELECT * FROM a JOIN b ON DUPLICATE KEY UPDATE c = 1",
        "INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING",
    ]);
}

#[test]
fn updates() {
    reads(&[
        ("UPDATE t SET a = 1, b := DEFAULT WHERE c ORDER BY d LIMIT 5", "t set a=1 b=default where c d 5"),
        ("UPDATE LOW_PRIORITY IGNORE t AS x SET x.a = 1", "t x set x.a=1"),
        ("UPDATE IGNORE users SET a = 1", "users set a=1"),
        ("UPDATE t, u AS v SET t.a = v.b WHERE t.c = v.c", "[t, u v] set t.a=v.b where (= t.c v.c)"),
        ("UPDATE t LEFT JOIN u ON x SET a = (SELECT 1)", "(t * u on x) set a={1}"),
        ("UPDATE t, (SELECT 1 AS a) x SET t.a = x.a", "[t, {a:1} x] set t.a=x.a"),
    ]);
    let Statement::Update(update) = statement_of("UPDATE t SET a = 1 WHERE b", Flavour::MySql) else { panic!() };
    assert_eq!(update.filter_at, 6);
    reads_in(Flavour::MySql, &[("WITH x AS (SELECT 1) UPDATE t, x SET a = 1", "with [t, x] set a=1")]);
    refused(&[
        "UPDATE t",
        "UPDATE t SET",
        "UPDATE t SET a",
        "UPDATE t SET (a, b) = (1, 2)",
        "UPDATE t SET a = 1 LIMIT 1, 2",
        "UPDATE t FOR PORTION OF p FROM 1 TO 2 SET a = 1",
        "UPDATE t SET a = 1 RETURNING a",
    ]);
}

#[test]
fn deletes() {
    reads(&[
        ("DELETE FROM t WHERE a ORDER BY b LIMIT 1", "t where a b 1"),
        ("DELETE QUICK LOW_PRIORITY IGNORE FROM s.t PARTITION (p, q)", "s.t"),
        ("DELETE t FROM t JOIN u ON x WHERE y", "t using (t * u on x) where y"),
        ("DELETE a, s.b.* FROM t AS a, s.b", "a s.b using t a, s.b"),
        ("DELETE FROM t.*, u USING t JOIN u", "t u using (t * u)"),
        ("DELETE FROM a USING t AS a WHERE (SELECT 1)", "a using t a where {1}"),
        ("DELETE FROM t AS x WHERE x.a", "t x where x.a"),
    ]);
    reads_in(Flavour::MariaDb, &[("DELETE FROM t WHERE a RETURNING *", "t where a returning")]);
    reads_in(
        Flavour::MySql,
        &[("WITH x AS (SELECT 1) DELETE FROM t WHERE a IN (SELECT * FROM x)", "with t where (= a {* from x})")],
    );
    let Statement::Delete(delete) = statement_of("DELETE a.* FROM t AS a WHERE b", Flavour::MySql) else { panic!() };
    assert_eq!((delete.targets[0].tokens.clone(), delete.filter_at), (1..4, 8));
    refused(&[
        "DELETE t",
        "DELETE FROM",
        "DELETE FROM t USING",
        "DELETE FROM t, u WHERE a",
        "DELETE t FROM t LIMIT 1",
        "DELETE FROM t FOR PORTION OF p FROM 1 TO 2",
    ]);
    assert!(is_refused("DELETE HISTORY FROM t", Flavour::MariaDb));
    only(Flavour::MariaDb, &["INSERT INTO t VALUES (1) RETURNING a"]);
}
