//! SELECT and what it is built of.

use super::sketch::Sketch;
use super::{BOTH, is_refused, only, query_of, read, refused, select};
use crate::sql::ast::{Into, Statement};
use crate::sql::mysql::{Flavour, SqlMode};

fn sketch_of(text: &str, flavour: Flavour) -> String {
    let (script, statement) =
        read(text, SqlMode::default(), flavour).unwrap_or_else(|error| panic!("{flavour:?}: {text}: {error}"));
    let Statement::Query(query) = statement else { panic!("{text}") };
    Sketch { text, tokens: &script.tokens }.query(&query)
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
fn select_lists() {
    reads(&[
        ("SELECT a, b AS c, d e, f 'g h', i AS \"j\"", "{a c:b e:d g h:f j:i}"),
        ("SELECT 1 AS ' \\t x ', 2 AS `  y`", "{x :1 y:2}"),
        ("SELECT DISTINCT SQL_CALC_FOUND_ROWS STRAIGHT_JOIN a FROM t", "{a from t}"),
        ("SELECT *, t.*, s.t.* FROM t", "{* t.* s.t.* from t}"),
        ("SELECT `t`.* FROM t", "{t.* from t}"),
        ("SELECT t.a * 2 FROM t", "{(* t.a 2) from t}"),
        ("SELECT 1 FROM DUAL WHERE a", "{1 where a}"),
        (
            "SELECT a FROM t WHERE b GROUP BY c, d HAVING e ORDER BY f DESC, g LIMIT 1, 2",
            "{a from t where b having e group c d order f g limit 1 2}",
        ),
        ("SELECT a FROM t GROUP BY b WITH ROLLUP LIMIT 5 OFFSET ?", "{a from t group sets b limit 5 ?}"),
        ("SELECT a FROM t FOR UPDATE SKIP LOCKED", "{a from t lock}"),
        ("SELECT a FROM t LOCK IN SHARE MODE", "{a from t lock}"),
        ("(SELECT 1)", "{1}"),
    ]);
    reads_in(
        Flavour::MariaDb,
        &[
            ("SELECT SQL_CACHE * FROM t", "{* from t}"),
            ("SELECT SQL_CACHE * FROM(users)", "{* from users}"),
            ("SELECT a FROM t GROUP BY b DESC", "{a from t group b}"),
            ("SELECT a FROM t OFFSET 1 ROW FETCH NEXT 2 ROWS WITH TIES", "{a from t limit 1 2}"),
            ("SELECT a FROM t FETCH FIRST ROW ONLY", "{a from t}"),
            ("SELECT a FROM t FOR UPDATE WAIT 5", "{a from t lock}"),
            ("VALUES (1, 2), (3, 4) ORDER BY 1", "{values [1 2][3 4] order 1}"),
            ("WITH RECURSIVE x AS (SELECT 1 AS a) CYCLE a RESTRICT SELECT * FROM x", "{x={a:1} * from x}"),
        ],
    );
    reads_in(
        Flavour::MySql,
        &[
            ("SELECT a FROM t FOR SHARE OF t, s.u NOWAIT FOR UPDATE OF v", "{a from t lock t s.u lock v}"),
            ("VALUES ROW(1, 2), ROW(3, 4) LIMIT 1", "{values [1 2][3 4] limit 1}"),
            ("TABLE s.t ORDER BY a", "{table s.t order a}"),
            ("SELECT a UNION TABLE users", "{set {a} {table users}}"),
        ],
    );
    assert_eq!(sketch_of("SELECT a FROM t GROUP BY ROLLUP (b, c)", Flavour::MySql), "{a from t group sets b c}");
    let select = select("SELECT a FROM t GROUP BY b, c WITH ROLLUP HAVING d");
    assert_eq!(select.group_by_end, 9);
    refused(&[
        "SELECT",
        "SELECT FROM t",
        "SELECT a, * FROM t",
        "SELECT a FROM",
        "SELECT a FROM t WHERE",
        "SELECT a FROM t LIMIT a",
        "SELECT a FROM t PROCEDURE ANALYSE()",
        "SELECT a FROM t FOR UPDATE t",
        "SELECT a; b",
        "SELECT a FROM t t2 t3",
        "SELECT 1 2",
        "SELECT a FROM t ORDER BY a LIMIT 1 UNION SELECT b",
        "SELECT a FROM t QUALIFY 1",
    ]);
}

#[test]
fn set_operations_and_with() {
    reads(&[
        ("SELECT 1 UNION ALL SELECT 2 ORDER BY 1 LIMIT 3", "{set {1} {2} order 1 limit 3}"),
        ("SELECT 1 UNION SELECT 2 EXCEPT SELECT 3 INTERSECT SELECT 4", "{set {set {1} {2}} {set {3} {4}}}"),
        ("(SELECT 1 LIMIT 1) UNION (SELECT 2 ORDER BY 1)", "{set {1 limit 1} {2 order 1}}"),
        ("(SELECT 1) ORDER BY 1", "{nested {1} order 1}"),
        ("((SELECT 1) UNION SELECT 2) LIMIT 1", "{nested {set {1} {2}} limit 1}"),
        ("WITH x (a, b) AS (SELECT 1, 2), y AS (SELECT 3) SELECT * FROM x, y", "{x(a b)={1 2} y={3} * from x, y}"),
        ("WITH x AS (SELECT 1) (SELECT * FROM x)", "{x={1} nested {* from x}}"),
        (
            "WITH RECURSIVE x AS (SELECT 1 UNION ALL SELECT a + 1 FROM x) SELECT * FROM x",
            "{x={set {1} {(+ a 1) from x}} * from x}",
        ),
    ]);
    refused(&["SELECT 1 UNION", "WITH x AS SELECT 1 SELECT 2", "WITH x AS (1) SELECT 2", "SELECT 1 UNION (2)"]);
}

#[test]
fn tables_and_joins() {
    reads(&[
        ("SELECT * FROM a, s.b AS c", "{* from a, s.b c}"),
        ("SELECT * FROM (a, b) JOIN c ON x", "{* from ([a, b] * c on x)}"),
        ("SELECT * FROM a JOIN b JOIN c ON x ON y", "{* from (a * (b * c on x) on y)}"),
        ("SELECT * FROM a JOIN b ON x JOIN c ON y", "{* from ((a * b on x) * c on y)}"),
        ("SELECT * FROM a JOIN b JOIN c", "{* from ((a * b) * c)}"),
        ("SELECT * FROM a JOIN b JOIN c ON x", "{* from ((a * b) * c on x)}"),
        ("SELECT * FROM a JOIN (b JOIN c ON x)", "{* from (a * (b * c on x))}"),
        ("SELECT * FROM a CROSS JOIN b LEFT JOIN c USING (d, e)", "{* from ((a * b) * c using (d e))}"),
        ("SELECT * FROM a STRAIGHT_JOIN b ON x", "{* from (a * b on x)}"),
        ("SELECT * FROM a NATURAL LEFT OUTER JOIN b NATURAL JOIN c", "{* from ((a * b natural) * c natural)}"),
        ("SELECT * FROM a LEFT JOIN b RIGHT JOIN c ON x ON y", "{* from (a * (b * c on x) on y)}"),
        ("SELECT * FROM {oj a LEFT JOIN b ON x}", "{* from (a * b on x)}"),
        ("SELECT * FROM ((a))", "{* from a}"),
        ("SELECT * FROM ((a JOIN b), c)", "{* from [(a * b), c]}"),
        ("SELECT * FROM (SELECT 1) AS x", "{* from {1} x}"),
        ("SELECT * FROM ((SELECT 1)) x", "{* from {1} x}"),
        ("SELECT * FROM ((SELECT 1) UNION SELECT 2) x", "{* from {set {1} {2}} x}"),
        ("SELECT * FROM ((SELECT 1) x JOIN t)", "{* from ({1} x * t)}"),
        ("SELECT * FROM ((SELECT 1) x)", "{* from {1} x}"),
        ("SELECT * FROM t PARTITION (p0, p1) AS x USE INDEX (i, PRIMARY) IGNORE KEY FOR ORDER BY (j)", "{* from t x!}"),
        ("SELECT * FROM t USE INDEX ()", "{* from t!}"),
        (
            "SELECT * FROM t, JSON_TABLE(t.a, '$[*]' COLUMNS (b INT PATH '$.b' DEFAULT '1' ON EMPTY, \
             c FOR ORDINALITY, NESTED PATH '$.d' COLUMNS (e VARCHAR(10) PATH '$'))) AS j",
            "{* from t, <json_table t.a '$[*]'> j(b c e)}",
        ),
    ]);
    reads_in(Flavour::MySql, &[("SELECT * FROM t, LATERAL (SELECT t.a) AS x (b)", "{* from t, lateral {t.a} x(b)}")]);
    reads_in(
        Flavour::MariaDb,
        &[
            ("SELECT * FROM t FOR SYSTEM_TIME AS OF TIMESTAMP '2024-01-01' AS x", "{* from t@'2024-01-01' x}"),
            ("SELECT * FROM t FOR SYSTEM_TIME BETWEEN a AND b", "{* from t@a b}"),
            ("SELECT * FROM t FOR SYSTEM_TIME ALL", "{* from t@}"),
        ],
    );
    refused(&[
        "SELECT * FROM (SELECT 1)",
        "SELECT * FROM a LEFT JOIN b",
        "SELECT * FROM a JOIN",
        "SELECT * FROM a ON x",
        "SELECT * FROM a FULL OUTER JOIN b ON x",
        "SELECT * FROM a JOIN b USING c",
        "SELECT * FROM 'a'",
        "SELECT * FROM a.b.c",
        "SELECT * FROM f(1)",
        "SELECT * FROM t USE INDEX i",
        "SELECT * FROM ONLY (t)",
        "SELECT * FROM t TABLESAMPLE SYSTEM (10)",
        "SELECT * FROM (SELECT 1 INTO @a) x",
    ]);
    only(Flavour::MariaDb, &["SELECT * FROM a rank"]);
}

#[test]
fn into_is_found_in_every_place() {
    for text in [
        "SELECT a INTO @x FROM t",
        "SELECT a FROM t INTO @x, @y",
        "SELECT a FROM t ORDER BY a LIMIT 1 INTO OUTFILE '/tmp/x' CHARACTER SET utf8mb4 FIELDS TERMINATED BY ',' \
         OPTIONALLY ENCLOSED BY '\"' LINES TERMINATED BY '\\n'",
        "SELECT a FROM t INTO DUMPFILE '/tmp/x' FOR UPDATE",
        "SELECT a FROM t FOR UPDATE INTO @x",
    ] {
        assert_eq!(select(text).into, Some(Into::Outside), "{text}");
    }
    for flavour in BOTH {
        let text = "SELECT a FROM t UNION SELECT b FROM u INTO OUTFILE '/tmp/x'";
        assert!(sketch_of(text, flavour).contains("into"), "{text}");
    }
    refused(&["SELECT 1 INTO @a UNION SELECT 2", "SELECT 1 INTO @a INTO @b", "SELECT (SELECT 1 INTO @a)"]);
}

#[test]
fn tokens_of_parts() {
    let query = query_of("SELECT (a) FROM t PARTITION (p) x", Flavour::MySql);
    assert_eq!(query.tokens, 0..11);
    let select = select("SELECT (a + 1) FROM t PARTITION (p) x USE INDEX (i) WHERE b");
    let crate::sql::ast::TableRef::Relation(relation) = &select.from[0] else { panic!() };
    assert_eq!((relation.tokens.clone(), relation.partitions.clone()), (7..8, 8..12));
    assert_eq!(relation.hints, 13..18);
    assert_eq!(super::only_item(select).tokens, 2..5);
}
