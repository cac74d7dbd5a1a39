//! No text makes the grammar or a walk over its tree overflow a stack, or panic.

use std::thread;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use crate::sql::ast::Statement;
use crate::sql::mentions::Mentions;
use crate::sql::postgres::{MAX_DEPTH, lexer, parse};

/// Three quarters of what threads have by default, so that what calls the grammar has room too.
const STACK: usize = 1536 << 10;

/// Reads a text, walks over, clones, compares and drops what came out.
fn survives(text: &str) -> bool {
    let Ok(tokens) = lexer::tokens(text) else { return false };
    let Ok(statement) = parse(text, &tokens, 0..tokens.len()) else { return false };
    let copy: Statement = statement.clone();
    assert!(copy == statement);
    Mentions::of(&copy);
    true
}

fn on_small_stack(run: impl FnOnce() + Send + 'static) {
    thread::Builder::new().stack_size(STACK).spawn(run).unwrap().join().unwrap();
}

/// Ways to nest: what comes before, inside and behind.
const NESTS: &[(&str, &str, &str, &str, &str)] = &[
    ("select ", "(", "1", ")", ""),
    ("select ", "(1 + ", "1", ")", ""),
    ("select ", "(1, ", "1", ")", ""),
    ("select ", "f(", "1", ")", ""),
    ("select ", "f(a => ", "1", ")", ""),
    ("select ", "coalesce(", "1", ")", ""),
    ("select ", "json_object('a': ", "1", ")", ""),
    ("select ", "xmlforest(", "1", ")", ""),
    ("select ", "- ", "1", "", ""),
    ("select ", "not ", "true", "", ""),
    ("select ", "~ ", "1", "", ""),
    ("select ", "case when ", "true", " then 1 end", ""),
    ("select ", "array[", "1", "]", ""),
    ("select ", "array[1 - ", "1", "]", ""),
    ("select array", "[", "1", "]", ""),
    ("select ", "a[", "1", "]", ""),
    ("select ", "cast(", "1", " as int)", ""),
    ("select ", "1 or 2 and not 3 = 4 || 5 + 6 * 7 ^ (", "1", ")", ""),
    ("select ", "a between 1 and (", "1", ")", ""),
    ("select ", "1 in (", "1", ")", ""),
    ("select ", "1 = any (", "1", ")", ""),
    ("select ", "sum(1) over (order by ", "1", ")", ""),
    ("", "select (", "select 1", ")", ""),
    ("", "select 1 where exists (", "select 1", ")", ""),
    ("", "select * from (", "select 1", ") a", ""),
    ("", "select * from (", "select 1", ") a join b on true", ""),
    ("", "(", "select 1", ")", ""),
    ("", "(", "select 1", " union select 2)", ""),
    ("", "select 1 union (", "select 1", ")", ""),
    ("select * from ", "(", "a cross join b", ")", ""),
    ("select * from ", "(", "a cross join b", " cross join c)", ""),
    ("select * from ", "(", "(select 1) a", " cross join b)", ""),
    ("select * from ", "a join ", "a", " on true", ""),
    ("", "with a as (", "select 1", ") select 1", ""),
    ("", "select * from lateral (", "select 1", ") a", ""),
    ("select 1 group by ", "grouping sets (", "a", ")", ""),
    ("select ", "array(select ", "1", ")", ""),
    ("explain ", "select (", "select 1", ")", ""),
    ("select * from json_table(a, '$' ", "columns (nested path '$' ", "columns (b int)", ")", ")"),
];

fn nested((before, open, inside, close, behind): (&str, &str, &str, &str, &str), times: usize) -> String {
    format!("{before}{}{inside}{}{behind}", open.repeat(times), close.repeat(times))
}

#[test]
fn nesting_has_a_bound_that_keeps_the_stack_safe() {
    on_small_stack(|| {
        for nest in NESTS {
            let times: Vec<usize> = (1..usize::from(MAX_DEPTH) + 2).collect();
            let deepest = times.partition_point(|times| survives(&nested(*nest, *times)));
            assert!((12..=usize::from(MAX_DEPTH)).contains(&deepest), "{nest:?}: {deepest}");
            assert!(!survives(&nested(*nest, 5_000)), "{nest:?}");
        }
    });
}

/// Chains: the first, what is repeated, and whether their length is not bounded.
const CHAINS: &[(&str, &str, bool)] = &[
    ("select 1", " or 2", true),
    ("select 1", " and 2", true),
    ("select 'a'", " || 'b'", true),
    ("select 1", " + 2", true),
    ("select 1", " * 2", true),
    ("select 1", " - 2", false),
    ("select 1", " + 2 - 3", false),
    ("select 1", "::int", false),
    ("select 1", " is null", false),
    ("select a", "[1]", true),
    ("select (a)", ".b", false),
    ("select (a)", ".b[1]", false),
    ("select a", " at time zone 'x'", false),
    ("select a", " collate x", false),
    ("select 1", " union select 2", true),
    ("select 1", " intersect select 2", true),
    ("select 1", " union select 2 intersect select 3 except select 4", true),
    ("select * from a", " cross join b", false),
    ("select * from a", " join b on true", false),
    ("select 1 in (1", ", 2", true),
    ("select 1", ", 2", true),
    ("values (1)", ", (2)", true),
];

#[test]
fn chains_do_not_become_depth() {
    on_small_stack(|| {
        for (first, next, free) in CHAINS {
            let chain = |times: usize| survives(&format!("{first}{}{}", next.repeat(times), closing(first)));
            assert!(chain(20), "{first}{next}");
            assert_eq!(chain(5_000), *free, "{first}{next}");
            chain(20_000);
        }
    });
}

fn closing(first: &str) -> &'static str {
    if first.ends_with("(1") { ")" } else { "" }
}

/// Left-deep trees inside each other add up.
#[test]
fn chains_inside_nests_are_bounded_together() {
    on_small_stack(|| {
        let mut text = "1".to_owned();
        for _ in 0..40 {
            text = format!("({text}{})", " - 1".repeat(100));
        }
        assert!(!survives(&format!("select {text}")));
    });
}

const SEEDS: &[&str] = &[
    "with recursive a (x) as materialized (select 1 union all select x + 1 from a) search depth first by x set o \
     select distinct on (b.c) b.c as d, count(*) filter (where e > 1) over (partition by f order by g rows between 1 \
     preceding and current row exclude ties) from only (s.t) as b join lateral f(1) with ordinality as z (q, r) on \
     true left join (select 2) y using (k) where b.v like 'a%' escape '\\' and x in (1, 2) or not exists (table m) \
     group by rollup (a, b), grouping sets ((), c) having sum(h) > 0 window w as (order by 1) order by 1 desc nulls \
     last limit 3 offset 2 for update of b skip locked",
    "insert into s.t as u (a, b[1]) overriding user value select * from v on conflict (a, lower(b)) where c do update \
     set (a, b) = (excluded.a, 1), c[2] = default where u.d returning *, u.*, (r).f as z",
    "update t * as u set a = case x when 1 then 2 else 3 end from v where current of k returning a",
    "merge into t using (values (1)) s (a) on t.a = s.a when not matched by source and b then delete when not matched \
     then insert (a) values (1) when matched then do nothing",
    "select a::numeric(10, 2)[], date '2020-01-01', interval '1' day to second, extract(year from b), trim(both 'x' \
     from c), substring(d from 1 for 2), position('a' in e), overlay(f placing g from 1), cast(h as app.t), (i).*, \
     j[1:2], array[[1], [2]], row(k, l) overlaps (m, n), o at time zone 'p' collate \"C\", q is not distinct from r, \
     s operator(pg_catalog.+) t, u = any (select 1), v isnull, w is json object with unique keys, $1, x'1f', e'\\n'",
    "select * from xmltable('/a' passing b columns c int path 'd' default 1, e for ordinality) f, json_table(g, '$' \
     passing h as i columns (j int path '$' error on error, nested path '$' columns (k text))) l, rows from (m(1) as \
     (n int), o()) p, q tablesample system (1) repeatable (2)",
    "copy (select 1) to stdout with (format csv, header, force_quote (a, b))",
    "create table if not exists s.t (a int primary key, b text collate \"C\" not null default 'x' check (a > 1), \
     constraint c foreign key (a) references d (e) on delete cascade, exclude using gist (f with &&)) partition by \
     range (a)",
    "alter table t add column a int, drop column if exists b cascade, alter column c type text using c::text",
    "set session search_path to a, \"b\", 'c'",
    "grant select (a, b), update on table t to public with grant option",
    "declare c no scroll cursor with hold for select 1",
    "explain (analyze, verbose off) execute p (1, 2)",
];

#[test]
fn seeds_are_read() {
    for text in SEEDS {
        super::statement(text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Statements with tokens taken out, doubled, exchanged, or from other statements.
    #[test]
    fn broken_statements_never_panic(
        seed in 0..SEEDS.len(),
        changes in prop::collection::vec((0..4_u8, any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..6),
    ) {
        let words = |text: &'static str| -> Vec<&'static str> {
            lexer::tokens(text).unwrap().iter().map(|token| token.text(text)).collect()
        };
        let all: Vec<&str> = SEEDS.iter().flat_map(|text| words(text)).collect();
        let mut tokens = words(SEEDS[seed]);
        for (change, one, other) in changes {
            if tokens.is_empty() {
                break;
            }
            let at = one.index(tokens.len());
            match change {
                0 => { tokens.remove(at); }
                1 => tokens.insert(at, all[other.index(all.len())]),
                2 => { let with = other.index(tokens.len()); tokens.swap(at, with); }
                _ => tokens[at] = all[other.index(all.len())],
            }
        }
        survives(&tokens.join(" "));
        survives(&tokens.concat());
    }

    /// Any characters at all.
    #[test]
    fn any_text_never_panics(text in "\\PC{0,80}") {
        survives(&text);
    }
}

/// Every beginning of every seed: each place where a statement can end too early.
#[test]
fn cut_statements_never_panic() {
    let begin = Instant::now();
    for text in SEEDS {
        let tokens = lexer::tokens(text).unwrap();
        for from in 0..tokens.len() {
            for to in from..tokens.len().min(from + 30) {
                let _ = parse(text, &tokens, from..to);
            }
            let _ = parse(text, &tokens, 0..from);
            if begin.elapsed() > Duration::from_secs(1) {
                return;
            }
        }
    }
}
