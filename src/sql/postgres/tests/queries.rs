//! What a query's tree holds: relations, columns, functions, and where clauses begin and end.

use super::{read, statement};
use crate::sql::ast::{
    ExprKind, Into, JoinConstraint, Query, QueryBody, Select, SelectItem, Statement, TableRef, Tokens,
};
use crate::sql::mentions::{Mentions, Role};
use crate::sql::postgres::lexer;

fn query(text: &str) -> Query {
    match statement(text) {
        Statement::Query(query) => *query,
        other => panic!("{other:?}"),
    }
}

fn select(text: &str) -> Select {
    match query(text).body {
        QueryBody::Select(select) => *select,
        other => panic!("{other:?}"),
    }
}

fn of(role: Role, text: &str) -> Vec<String> {
    Mentions::of(&statement(text)).of_role(role)
}

fn relations(text: &str) -> Vec<String> {
    of(Role::Relation, text)
}

fn columns(text: &str) -> Vec<String> {
    of(Role::Column, text)
}

fn functions(text: &str) -> Vec<String> {
    of(Role::Function, text)
}

/// The source of some tokens.
fn source(text: &str, at: &Tokens) -> String {
    let tokens = lexer::tokens(text).unwrap();
    let (first, last) = (tokens[at.start as usize], tokens[at.end as usize - 1]);
    text[first.start as usize..last.end as usize].to_owned()
}

fn refused(text: &str) {
    assert!(read(text).is_err(), "{text}");
}

#[test]
fn relations_are_found_wherever_they_stand() {
    assert_eq!(
        relations("select 1 from a, only b, only (s.c), d *, lateral (select 1 from e) f"),
        ["a", "b", "s.c", "d", "e"]
    );
    assert_eq!(relations("table users"), ["users"]);
    assert_eq!(relations("select 1 union table users"), ["users"]);
    assert_eq!(relations("(select 1 from a) except (table only b) order by (select 1 from c)"), ["a", "b", "c"]);
    assert_eq!(relations("with x as (table y) select (select 1 from z), exists (values ((table w)))"), ["y", "z", "w"]);
    assert_eq!(
        relations("select * from (a join b using (c)) as d, ((e cross join f) natural left join g)"),
        ["a", "b", "e", "f", "g"]
    );
    assert_eq!(relations("select * from ((select 1 from a) union select 2 from b) c"), ["a", "b"]);
    assert_eq!(relations("select * from (((select 1 from a))) c"), ["a"]);
    assert_eq!(
        relations("select array(select 1 from a), 1 in (select 2 from b), 3 = any (select 4 from c)"),
        ["a", "b", "c"]
    );
    assert_eq!(relations("select ((select 1 from a) + 1), (((select 2 from b)), 3)"), ["a", "b"]);
    assert_eq!(relations("with x as (delete from a using b returning *) select * from x"), ["a", "b", "x"]);
    assert_eq!(relations("with \"only\" as (select 1) select * from only users"), ["users"]);
}

#[test]
fn a_relations_tokens_are_what_replacing_it_replaces() {
    let relation_of = |text: &str| match &select(text).from[0] {
        TableRef::Relation(relation) => (source(text, &relation.tokens), source(text, &relation.name.tokens)),
        other => panic!("{other:?}"),
    };
    assert_eq!(relation_of("select 1 from only (s.t) as u"), ("only (s.t)".into(), "s.t".into()));
    assert_eq!(relation_of("select 1 from s.t * u"), ("s.t *".into(), "s.t".into()));
    assert_eq!(relation_of("select 1 from t tablesample system (1)"), ("t".into(), "t".into()));
}

#[test]
fn words_are_names_where_the_server_takes_them_for_names() {
    assert_eq!(
        columns("select name, value, values, \"select\", over from t"),
        ["name", "value", "values", "select", "over"]
    );
    assert_eq!(
        columns("select int, time, timestamp, interval, bit, char, json"),
        ["int", "time", "timestamp", "interval", "bit", "char", "json"]
    );
    assert_eq!(
        functions("select left(a, 1), right(b, 1), like(c, d), s.left(e), collation(f)"),
        ["left", "right", "like", "s.left", "collation"]
    );
    assert_eq!(columns("select at, at at time zone 'x' from t"), ["at", "at"]);
    assert_eq!(columns("select set.select, a.b.c.d from set"), ["set.select", "a.b.c.d"]);
    for text in [
        "select left from t",
        "select coalesce from select",
        "select * from left",
        "select a from t user",
        "select int(1)",
        "select values(1)",
        "select 1 from t where user.a = 1",
        "select window",
        "select natural",
        "select a over from t",
        "select collation from t",
        "select a from current_user.t",
    ] {
        refused(text);
    }
    // Labels: with AS every word, without only those that the server takes.
    assert!(matches!(&select("select a as select").items[0], SelectItem::Expr { alias: Some(_), .. }));
    assert!(matches!(&select("select a select").items[0], SelectItem::Expr { alias: Some(_), .. }));
    assert!(matches!(&select("select a isnull").items[0], SelectItem::Expr { alias: None, .. }));
    refused("select a year");
}

#[test]
fn stars_are_told_apart() {
    let items = select("select *, t.*, s.t.*, (f(x)).*, count(*), g(t.*)").items;
    assert!(matches!(items[0], SelectItem::Star { token: 1 }));
    assert!(matches!(&items[1], SelectItem::QualifiedStar { qualifier, token: 5 } if qualifier.parts.len() == 1));
    assert!(matches!(&items[2], SelectItem::QualifiedStar { qualifier, .. } if qualifier.parts.len() == 2));
    assert!(matches!(&items[3], SelectItem::Expr { expr, .. } if matches!(expr.kind, ExprKind::AllFields(_))));
    let star_in = |item: &SelectItem| match item {
        SelectItem::Expr { expr, .. } => match &expr.kind {
            ExprKind::Call(call) => call.arguments[0].kind.clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    assert!(matches!(star_in(&items[4]), ExprKind::Star(None)));
    assert!(matches!(star_in(&items[5]), ExprKind::Star(Some(_))));
    for text in ["select (t.*) from t", "select t.* as a from t", "select t.* a from t", "select t.*.a from t"] {
        refused(text);
    }
}

#[test]
fn joins_are_nested_as_the_server_nests_them() {
    fn shape(table: &TableRef) -> String {
        match table {
            TableRef::Relation(relation) => relation.name.parts[0].value.to_string(),
            TableRef::Join(join) => {
                let on = match &join.constraint {
                    JoinConstraint::None => "x",
                    JoinConstraint::On(_) => "on",
                    JoinConstraint::Using { .. } => "using",
                    JoinConstraint::Natural => "natural",
                };
                format!("({} {on} {})", shape(&join.left), shape(&join.right))
            }
            other => panic!("{other:?}"),
        }
    }
    let shape_of = |from: &str| shape(&select(&format!("select 1 from {from}")).from[0]);
    assert_eq!(shape_of("a join b on 1 = 1 left outer join c using (d)"), "((a on b) using c)");
    assert_eq!(shape_of("a join b join c on true on false"), "(a on (b on c))");
    assert_eq!(shape_of("a cross join b join c on true"), "((a x b) on c)");
    assert_eq!(shape_of("a join b cross join c on true"), "(a on (b x c))");
    assert_eq!(shape_of("a natural full join b natural join c"), "((a natural b) natural c)");
    assert_eq!(shape_of("a inner join (b right join c on true) on true"), "(a on (b on c))");
    refused("select 1 from a join b");
    refused("select 1 from (a)");
    refused("select 1 from a left b on true");
}

#[test]
fn functions_in_from_have_their_columns() {
    let function_of = |from: &str| match select(&format!("select 1 from {from}")).from.remove(0) {
        TableRef::Function(function) => function,
        other => panic!("{other:?}"),
    };
    let listed = function_of("f(1) as (a int, b app.t collate \"C\")");
    assert_eq!((listed.columns.len(), listed.types.len(), listed.alias.is_none()), (2, 2, true));
    let named = function_of("s.f(1) with ordinality g (a, b)");
    assert_eq!((named.columns.len(), named.alias.unwrap().columns.len(), named.ordinality), (0, 2, true));
    let several = function_of("rows from (f(1) as (a int), g(), coalesce(1)) with ordinality as h");
    assert_eq!((several.functions.len(), several.columns.len()), (3, 1));
    assert!(matches!(function_of("current_date").functions[0].kind, ExprKind::Special { name: "current_date", .. }));
    let xml = function_of(
        "xmltable(xmlnamespaces('a' as b), '/c' passing by ref d columns e int path 'f' default g not null, h for \
         ordinality) i",
    );
    assert_eq!((xml.columns.len(), xml.types.len()), (2, 1));
    let json = function_of(
        "json_table(a, '$' as p passing b as c columns (d for ordinality, e int path '$.e' default 1 on empty, f text \
         exists, nested path '$[*]' as g columns (h int)) error on error) as i",
    );
    assert_eq!((json.columns.len(), json.types.len()), (4, 3));
    assert_eq!(
        columns("select 1 from json_table(a, '$' passing b as c columns (d int default e on error))"),
        ["a", "b", "e"]
    );
}

#[test]
fn clauses_end_where_more_may_be_put() {
    let text = "select a from t where b group by c, rollup (d, e), grouping sets ((f), ()) having g limit 1";
    let found = select(text);
    assert!(found.grouping_sets);
    assert_eq!(found.group_by.len(), 4);
    assert_eq!(lexer::tokens(text).unwrap()[found.group_by_end as usize].text(text), "having");
    assert_eq!(source(text, &found.tokens), text.strip_suffix(" limit 1").unwrap());
    assert_eq!(select("select 1").group_by_end, 0);
    assert!(!select("select 1 from t group by distinct a, cube").grouping_sets);
}

#[test]
fn windows_are_read_with_frames() {
    assert_eq!(
        columns(
            "select sum(a) filter (where b) over (w partition by c order by d range between e preceding and f following \
             exclude no others), rank() over w from t window w as (partition by g rows unbounded preceding)"
        ),
        ["a", "b", "c", "d", "e", "f", "g"]
    );
    assert_eq!(columns("select percentile_cont(a) within group (order by b desc) from t"), ["a", "b"]);
    assert_eq!(columns("select string_agg(distinct a, ',' order by b using <) from t"), ["a", "b"]);
    refused("select sum(a) over (rows) from t");
    refused("select sum(a) over (rows between 1 preceding) from t");
}

#[test]
fn limits_and_locks_come_in_any_order() {
    let found = query("select 1 from t for no key update of t nowait for share limit 1 offset $1 rows");
    assert_eq!((found.locking.len(), found.limit.exprs.len()), (2, 2));
    let found = query("select 1 from t offset 1 fetch next (a + 1) rows with ties for key share of s.t skip locked");
    assert_eq!((found.locking.len(), found.limit.exprs.len()), (1, 2));
    assert_eq!(query("select 1 fetch first row only").limit.count, crate::sql::row_limit::RowCount::One);
    assert!(query("select 1 limit all for read only").locking.is_empty());
    refused("select 1 limit 1, 2");
    refused("select 1 limit 1 limit 2");
}

#[test]
fn common_tables_may_write_search_and_cycle() {
    let found = query(
        "with recursive a (x) as not materialized (select 1) search breadth first by x set o cycle x set y to true \
         default false using p, recursive as (insert into t values (1) returning 2) select * from a",
    );
    let with = found.with.unwrap();
    assert!(with.recursive);
    let added: Vec<&str> = with.tables[0].added_columns.iter().map(|name| &*name.value).collect();
    assert_eq!(added, ["o", "y", "p"]);
    assert!(matches!(&with.tables[1].query.body, QueryBody::Write(_)));
    // A common table expression may be called so.
    assert!(!query("with recursive as (select 1) select * from recursive").with.unwrap().recursive);
}

#[test]
fn into_makes_a_table() {
    let into = |text: &str| match select(text).into {
        Some(Into::Table { name, temporary }) => (name.parts[0].value.to_string(), temporary),
        other => panic!("{other:?}"),
    };
    assert_eq!(into("select 1 into temp table a from b"), ("a".into(), true));
    assert_eq!(into("select 1 into unlogged a from b"), ("a".into(), false));
    assert_eq!(into("select 1 into temp from b"), ("temp".into(), false));
    assert_eq!(into("select 1 into local temporary c"), ("c".into(), true));
}

#[test]
fn a_querys_tokens_leave_parentheses_out() {
    let text = "select (select 1 union (select 2 limit 1) order by 1)";
    let SelectItem::Expr { expr, .. } = &select(text).items[0] else { panic!() };
    assert_eq!(source(text, &expr.tokens), "(select 1 union (select 2 limit 1) order by 1)");
    let ExprKind::Subquery(found) = &expr.kind else { panic!() };
    assert_eq!(source(text, &found.tokens), "select 1 union (select 2 limit 1) order by 1");
    let QueryBody::SetOperation { left, right } = &found.body else { panic!() };
    assert_eq!(source(text, &left.tokens), "select 1");
    assert_eq!(source(text, &right.tokens), "(select 2 limit 1)");
    assert!(matches!(&right.body, QueryBody::Nested(inner) if source(text, &inner.tokens) == "select 2 limit 1"));
    let with = "with a as (select 1) select 2 union all table a";
    assert_eq!(source(with, &query(with).tokens), with);
}

#[test]
fn select_lists_may_be_empty() {
    for text in ["select", "select from t", "select where true", "(select) union select", "select for update"] {
        statement(text);
    }
    refused("select distinct from t");
    refused("select distinct");
    refused("select 1,");
}
