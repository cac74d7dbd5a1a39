//! Operators, operands, functions.

use super::sketch::Sketch;
use super::{BOTH, is_refused, only, only_item, query_of, read, refused, select, select_in};
use crate::sql::ast::Statement;
use crate::sql::mysql::{Flavour, SqlMode};

fn sketch_of(expr: &str, mode: SqlMode, flavour: Flavour) -> String {
    let text = format!("SELECT {expr}");
    let (script, statement) = read(&text, mode, flavour).unwrap_or_else(|error| panic!("{expr}: {error}"));
    let Statement::Query(query) = statement else { panic!() };
    let tokens = &script.tokens;
    Sketch { text: &text, tokens }.expr(&only_item(select_in(*query)))
}

fn reads(cases: &[(&str, &str)]) {
    for (expr, expected) in cases {
        for flavour in BOTH {
            assert_eq!(sketch_of(expr, SqlMode::default(), flavour), *expected, "{flavour:?}: {expr}");
        }
    }
}

fn reads_in(flavour: Flavour, cases: &[(&str, &str)]) {
    for (expr, expected) in cases {
        assert_eq!(sketch_of(expr, SqlMode::default(), flavour), *expected, "{flavour:?}: {expr}");
    }
}

#[test]
fn operators_bind_as_in_the_manual() {
    reads(&[
        ("a or b and c xor d", "(or a (xor (and b c) d))"),
        ("a || b && c", "(or a (and b c))"),
        ("a or b or c or d", "(or a b c d)"),
        ("(a or b) or c", "(or (or a b) c)"),
        ("not a = b and c", "(and (not (= a b)) c)"),
        ("not a is null", "(not (is null a))"),
        ("!a = b", "(= (! a) b)"),
        ("a = b = c", "(= (= a b) c)"),
        ("a <=> b is not null", "(is not null (<=> a b))"),
        ("a is null = b", "(= (is null a) b)"),
        ("a between b and c and d", "(and (between a b c) d)"),
        ("a not between 1 and 2 or b", "(or (not between a 1 2) b)"),
        ("a between 1 and 2 like 3", "(between a 1 (like 2 3))"),
        ("a between 1 and b between 2 and 3", "(between a 1 (between b 2 3))"),
        ("a = b like c", "(= a (like b c))"),
        ("a like 'x' escape '!' and b", "(and (like a 'x' '!') b)"),
        ("a not like b", "(not like a b)"),
        ("a rlike b + 1 and a not regexp c", "(and (regexp a (+ b 1)) (not regexp a c))"),
        ("a sounds like b", "(sounds like a b)"),
        ("a in (1, 2) = b", "(= (in a 1 2) b)"),
        ("a not in (1)", "(in a 1)"),
        ("(a, b) in ((1, 2), (3, 4))", "(in (row a b) (row 1 2) (row 3 4))"),
        ("a | b & c << d + e * f ^ g", "(| a (& b (<< c (+ d (* e (^ f g))))))"),
        ("a + b + c - d - e", "(- (- (+ a b c) d) e)"),
        ("a * b * c / d % e div f mod g", "(mod (div (% (/ (* a b c) d) e) f) g)"),
        ("- - a", "(- (- a))"),
        ("-a ^ b", "(^ (- a) b)"),
        ("~a + +b", "(+ (~ a) (+ b))"),
        ("-a collate utf8mb4_bin", "(- (collate a))"),
        ("a + b collate 'x' = c", "(= (+ a (collate b)) c)"),
        ("binary a = b", "(= (cast a binary) b)"),
        ("binary a and b", "(and (cast a binary) b)"),
        ("@x := a or b", "(:= (or a b))"),
        ("1 + @x := 2 + 3", "(+ 1 (:= (+ 2 3)))"),
        ("a + interval 1 day + b", "(+ a <interval 1> b)"),
        ("a - interval b + 1 hour_minute", "(- a <interval (+ b 1)>)"),
        ("interval 1 day + a = b", "(+ <interval 1> (= a b))"),
        ("interval(a, b) + 1", "(+ <interval a b> 1)"),
        ("interval (a) + 1 day + b", "(+ <interval (+ a 1)> b)"),
        ("((a))", "a"),
        ("((a) + 1) * 2", "(* (+ a 1) 2)"),
        ("a is not true", "(is not true a)"),
    ]);
    refused(&[
        "SELECT a = not b",
        "SELECT a in ()",
        "SELECT a is 1",
        "SELECT a + ",
        "SELECT not",
        "SELECT a is null + 1",
        "SELECT a in (1) | b",
        "SELECT a like",
        "SELECT (a, )",
        "SELECT ()",
        "SELECT a between 1 or 2",
        "SELECT interval 1 day",
        "SELECT interval 1 day - a",
        "SELECT a b c",
    ]);
    reads_in(
        Flavour::MariaDb,
        &[
            ("a like b not in (c)", "(like a (in b c))"),
            ("a like b in (c)", "(in (like a b) c)"),
            ("a rlike b not like c not between 1 and 2", "(regexp a (not like b (not between c 1 2)))"),
        ],
    );
    only(Flavour::MariaDb, &["SELECT a between b like c and d", "SELECT a is true is true", "SELECT a like b + c"]);
}

#[test]
fn modes_change_operators() {
    let mode =
        |pipes_as_concat, high_not_precedence| SqlMode { pipes_as_concat, high_not_precedence, ..SqlMode::default() };
    for flavour in BOTH {
        assert_eq!(sketch_of("a || b || c and d", mode(true, false), flavour), "(and (|| a b c) d)");
        assert_eq!(sketch_of("a ^ b || c", mode(true, false), flavour), "(^ a (|| b c))");
        assert_eq!(sketch_of("-a || b", mode(true, false), flavour), "(|| (- a) b)");
        assert_eq!(sketch_of("not a = b", mode(false, true), flavour), "(= (not a) b)");
        assert_eq!(sketch_of("a not in (b)", mode(false, true), flavour), "(in a b)");
        let ansi = SqlMode { ansi_quotes: true, ..SqlMode::default() };
        assert_eq!(sketch_of("\"a\" + 'b'", ansi, flavour), "(+ a 'b')");
        let ignore_space = SqlMode { ignore_space: true, ..SqlMode::default() };
        assert_eq!(sketch_of("count (a)", ignore_space, flavour), "count[a]");
    }
}

#[test]
fn literals() {
    reads(&[
        ("'a' 'b' \"c\"", "'a' 'b' \"c\""),
        ("_utf8mb4'a' 'b'", "_utf8mb4'a' 'b'"),
        ("_binary x'41'", "_binary x'41'"),
        ("n'a'", "n'a'"),
        ("0x41 + b'1'", "(+ 0x41 b'1')"),
        ("date '2024-01-31'", "date '2024-01-31'"),
        ("{ts '2024-01-31 00:00:00'}", "{ts '2024-01-31 00:00:00'}"),
        ("{fn concat(a)}", "concat[a]"),
        ("true and null", "(and true null)"),
        ("? + 1", "(+ ? 1)"),
        ("date(a)", "date[a]"),
        ("date + 1", "(+ date 1)"),
    ]);
    refused(&["SELECT _utf8mb4 a", "SELECT {d '2024-01-31'", "SELECT _utf8mb4"]);
    only(Flavour::MariaDb, &["SELECT \\N"]);
}

#[test]
fn names_and_variables() {
    reads(&[
        ("a.b.c", "a.b.c"),
        ("`a`.`b c`", "a.b c"),
        ("`a``b`", "a`b"),
        ("t.select", "t.select"),
        ("t.1a + 1a", "(+ t.1a 1a)"),
        ("@x + @'y z' + @`w`", "(+ @x @y z @w)"),
        ("@@global.max_connections", "@@global.max_connections"),
        ("@@SQL_MODE", "@@sql_mode"),
        ("@@`x`", "@@x"),
        ("default(a) + values(t.b)", "(+ <default a> <values t.b>)"),
        ("month + day", "(+ month day)"),
    ]);
    refused(&[
        "SELECT select",
        "SELECT a.b.c.d",
        "SELECT .a",
        "SELECT @@global",
        "SELECT 1 AS from",
        "SELECT a.",
        "SELECT group FROM t",
        "SELECT _utf8.x",
    ]);
    only(Flavour::MariaDb, &["SELECT rank", "SELECT lateral", "SELECT 1 system"]);
    only(Flavour::MySql, &["SELECT offset", "SELECT 1 returning", "SELECT a->'$.b'", "SELECT a->>'$.b'"]);
    reads_in(Flavour::MySql, &[("t.a->'$.b' = 1", "(= (-> t.a '$.b') 1)"), ("a member of (b)", "(member of a b)")]);
}

#[test]
fn functions_and_their_own_syntax() {
    reads(&[
        ("concat (a, b)", "concat[a b]"),
        ("s.f(a)", "s.f[a]"),
        ("`s`.`f`()", "s.f[]"),
        ("`concat`(a)", "concat[a]"),
        ("now()", "now[]"),
        ("current_timestamp", "<current_timestamp >"),
        ("current_timestamp(6)", "<current_timestamp >"),
        ("current_user()", "<current_user >"),
        ("utc_date + 1", "(+ <utc_date > 1)"),
        ("cast(a as char(10) character set latin1)", "(cast a char)"),
        ("cast(a as unsigned integer)", "(cast a unsigned)"),
        ("cast(a as decimal(10, 2))", "(cast a decimal)"),
        ("convert(a, signed)", "(cast a signed)"),
        ("convert(a using utf8mb4)", "<convert a>"),
        ("extract(year_month from a)", "<extract a>"),
        ("position(a in b)", "<position a b>"),
        ("trim(both ' ' from a)", "<trim ' ' a>"),
        ("trim(leading from a)", "<trim a>"),
        ("trim(a from b)", "<trim a b>"),
        ("trim(a)", "<trim a>"),
        ("substring(a from 2 for 3)", "<substring a 2 3>"),
        ("substr(a, 2)", "<substring a 2>"),
        ("char(65, a using utf8mb4)", "<char 65 a>"),
        ("weight_string(a as char(4))", "<weight_string a 4>"),
        ("get_format(date, 'eur')", "<get_format 'eur'>"),
        ("timestampdiff(month, a, b)", "<timestampdiff a b>"),
        ("date_add(a, interval 1 day)", "date_add[a <interval 1>]"),
        ("adddate(a, 1)", "adddate[a 1]"),
        ("match (a, t.b) against ('x' in boolean mode)", "<match a t.b 'x'>"),
        ("match a against (b with query expansion)", "<match a b>"),
        ("if(a, b, c) + left(a, 1) + insert(a, 1, 2, b)", "(+ if[a b c] left[a 1] insert[a 1 2 b])"),
        ("replace(a, b, c) = mod(a, 2)", "(= replace[a b c] mod[a 2])"),
        ("case a when b then c else d end", "(case a b c d Some(3))"),
        ("case when a then b end", "(case a b None)"),
        ("exists (select 1)", "(exists {1})"),
        ("a = any (select b from t)", "(= a {b from t})"),
        ("a < all (select b)", "(< a {b})"),
        ("row(a, b) = (1, 2)", "(= (row a b) (row 1 2))"),
    ]);
    refused(&[
        "SELECT count (a)",
        "SELECT count/**/(a)",
        "SELECT sum\n(a)",
        "SELECT `count`(a)",
        "SELECT `left`(a, 1)",
        "SELECT from(a)",
        "SELECT concat(a b)",
        "SELECT extract(a from b)",
        "SELECT cast(a)",
        "SELECT convert(a)",
        "SELECT case end",
        "SELECT a < all (b)",
    ]);
    reads_in(Flavour::MariaDb, &[("next value for s.q", "nextval[s.q]"), ("value(a)", "<values a>")]);
}

#[test]
fn aggregates_and_windows() {
    reads(&[
        ("count(*)", "count[*]"),
        ("count(distinct a, b)", "count[a b]"),
        ("sum(all a) over ()", "sum[a over ]"),
        ("group_concat(distinct a, b order by c desc, d separator ', ')", "group_concat[a b order c d]"),
        ("row_number() over (partition by a order by b)", "row_number[ over a b]"),
        ("sum(a) over (order by b rows between 1 preceding and current row)", "sum[a over b 1]"),
        ("avg(a) over (order by b range unbounded preceding)", "avg[a over b]"),
        ("json_arrayagg(a)", "json_arrayagg[a]"),
    ]);
    let select = select("SELECT sum(a) OVER w, lag(b) OVER (w ORDER BY c) FROM t WINDOW w AS (PARTITION BY d)");
    assert_eq!(select.windows.len(), 1);
    reads_in(Flavour::MySql, &[("lead(a, 1) ignore nulls over (order by b)", "lead[a 1 over b]")]);
    reads_in(
        Flavour::MariaDb,
        &[
            (
                "percentile_cont(0.5) within group (order by a) over (partition by b)",
                "percentile_cont[0.5 order a over b]",
            ),
            ("group_concat(a order by b limit 2)", "group_concat[a order b 2]"),
        ],
    );
    assert!(is_refused("SELECT group_concat(a limit 2)", Flavour::MySql));
}

#[test]
fn sub_queries_in_parentheses() {
    reads(&[
        ("(select 1)", "{1}"),
        ("((select 1))", "{1}"),
        ("((select 1) + 1)", "(+ {1} 1)"),
        ("((select 1) union select 2)", "{set {1} {2}}"),
        ("((select 1) limit 1)", "{nested {1} limit 1}"),
        ("(((select 1) union (select 2)) limit 1) * 2", "(* {nested {set {1} {2}} limit 1} 2)"),
        ("((select 1), 2) = (1, 2)", "(= (row {1} 2) (row 1 2))"),
        ("((a, b) = (1, 2))", "(= (row a b) (row 1 2))"),
        ("a in ((select 1))", "(= a {1})"),
        ("a not in (select 1)", "(<> a {1})"),
        ("a in ((select 1), 2)", "(in a {1} 2)"),
        ("(with x as (select 1) select * from x)", "{x={1} * from x}"),
    ]);
    assert_eq!(query_of("SELECT (TABLE t)", Flavour::MySql).tokens, 0..5);
    refused(&["SELECT (select 1", "SELECT ((select 1) union)", "SELECT exists (1)", "SELECT (select 1 into @x)"]);
}
