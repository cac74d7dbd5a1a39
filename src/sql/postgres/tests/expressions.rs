//! How operators group, and what the specials of the grammar hold.

use super::{read, statement};
use crate::sql::ast::{Expr, ExprKind, Literal, QueryBody, SelectItem, Statement};
use crate::sql::mentions::{Mentions, Role};
use crate::sql::postgres::lexer;

/// An expression with the parentheses that its tree has.
fn show(expr: &Expr) -> String {
    let all = |operands: &[Expr]| operands.iter().map(show).collect::<Vec<_>>().join(" ");
    match &expr.kind {
        ExprKind::Column(name) => name.parts.iter().map(|part| &*part.value).collect::<Vec<_>>().join("."),
        ExprKind::Star(_) => "*".into(),
        ExprKind::Literal(Literal::Number) => "1".into(),
        ExprKind::Literal(Literal::String) => "''".into(),
        ExprKind::Literal(Literal::Boolean) => "bool".into(),
        ExprKind::Literal(Literal::Null) => "null".into(),
        ExprKind::Literal(Literal::Bits) => "bits".into(),
        ExprKind::Parameter => "$".into(),
        ExprKind::Operation(operation) => {
            let schema = operation.operator.schema.as_ref().map(|name| format!("{}.", name.value)).unwrap_or_default();
            format!("[{schema}{} {}]", operation.operator.symbol, all(&operation.operands))
        }
        ExprKind::Call(call) => format!("{}({})", call.name.object().unwrap().value, all(&call.arguments)),
        ExprKind::Special { name, operands } => format!("{name}<{}>", all(operands)),
        ExprKind::InList(operands) => format!("in{{{}}}", all(operands)),
        ExprKind::InQuery { operand, operator, .. } => format!("{} {} query", show(operand), operator.symbol),
        ExprKind::Quantified { operator, operands } => format!("{}~[{}]", operator.symbol, all(operands)),
        ExprKind::Exists(_) => "exists".into(),
        ExprKind::Subquery(_) => "query".into(),
        ExprKind::ArrayQuery(_) => "array query".into(),
        ExprKind::Case { operands, otherwise } => format!("case{otherwise:?} {}", all(operands)),
        ExprKind::Cast { operand, ty } => format!("{}::{}", show(operand), ty.name.object().unwrap().value),
        ExprKind::Row(items) => format!("row({})", all(items)),
        ExprKind::Array(items) => format!("array({})", all(items)),
        ExprKind::Field { base, field } => format!("{}->{}", show(base), field.value),
        ExprKind::AllFields(base) => format!("{}->*", show(base)),
        ExprKind::Subscript(parts) => format!("at({})", all(parts)),
        ExprKind::Argument { value } => format!("={}", show(value)),
        ExprKind::Default => "default".into(),
        ExprKind::CurrentOf(_) | ExprKind::Variable { .. } | ExprKind::AssignVariable(_) => panic!(),
    }
}

fn expr(text: &str) -> Expr {
    let Statement::Query(query) = statement(&format!("select {text}")) else { panic!("{text}") };
    let QueryBody::Select(mut select) = query.body else { panic!("{text}") };
    match select.items.remove(0) {
        SelectItem::Expr { expr, .. } => expr,
        other => panic!("{other:?}"),
    }
}

fn tree(text: &str) -> String {
    show(&expr(text))
}

fn refused(text: &str) {
    assert!(read(&format!("select {text}")).is_err(), "{text}");
}

#[test]
fn operators_group_as_in_the_server() {
    for (text, grouped) in [
        ("a or b and c or d", "[or a [and b c] d]"),
        ("not a = b and c", "[and [not [= a b]] c]"),
        ("a = b is null", "[is null [= a b]]"),
        ("a is null = b", "[= [is null a] b]"),
        ("a is null is not true", "[is not true [is null a]]"),
        ("a + b * c ^ d ^ e", "[+ a [* b [^ [^ c d] e]]]"),
        ("a - b - c", "[- [- a b] c]"),
        ("a + b + c", "[+ a b c]"),
        ("(a + b) + c", "[+ [+ a b] c]"),
        ("a + (b + c)", "[+ a [+ b c]]"),
        ("a || b || c = d", "[= [|| a b c] d]"),
        ("- a ^ b", "[^ [- a] b]"),
        ("- a::int", "[- a::int]"),
        ("- a[1]", "[- at(a 1)]"),
        ("a * - b + c", "[+ [* a [- b]] c]"),
        ("~ a + b", "[~ [+ a b]]"),
        ("@ a @ b", "[@ [@ a] b]"),
        ("a -> 'b' ->> 'c' = d", "[= [->> [-> a ''] ''] d]"),
        ("a <> b or c != d", "[or [<> a b] [<> c d]]"),
        ("a + not b = c", "[+ a [not [= b c]]]"),
        ("a collate \"C\" || b", "[|| [collate a] b]"),
        ("a at time zone 'x' + b", "[+ [at time zone a ''] b]"),
        ("a at time zone 'x' at local", "[at local [at time zone a '']]"),
        ("- a collate \"C\"", "[collate [- a]]"),
        ("a like b || c escape d and e", "[and [like a [|| b c] d] e]"),
        ("not a not like b", "[not [not like a b]]"),
        ("a not ilike b or c similar to d", "[or [not ilike a b] [similar to c d]]"),
        ("a between b and c and d", "[and [between a b c] d]"),
        ("a not between symmetric b + 1 and c or d", "[or [not between symmetric a [+ b 1] c] d]"),
        ("a between b < c and d", "[between a [< b c] d]"),
        ("a = b in (1, c)", "[= a in{b 1 c}]"),
        ("a in (1) in (2)", "in{in{a 1} 1}"),
        ("a not in (select 1) and b", "[and a = query b]"),
        ("a in ((select 1), 2)", "in{a query 1}"),
        ("a in ((select 1))", "a = query"),
        ("a + b = any (c) or d", "[or =~[[+ a b] c] d]"),
        ("a = any (b) = c", "[= =~[a b] c]"),
        ("a not like all ((select 1))", "a not like query"),
        ("a is distinct from b + c and d", "[and [is distinct from a [+ b c]] d]"),
        ("a is not distinct from b", "[is not distinct from a b]"),
        ("a isnull or b notnull", "[or [is null a] [is not null b]]"),
        ("a is not unknown", "[is not unknown a]"),
        ("a is document and b is not nfkc normalized", "[and [is document a] [is not normalized b]]"),
        ("a is json array with unique keys or b is not json", "[or [is json a] [is not json b]]"),
        ("a operator(s.+) b * c", "[s.+ a [* b c]]"),
        ("operator(-) a", "[- a]"),
        ("a operator(pg_catalog.=) any (b)", "=~[a b]"),
        ("(a, b) overlaps row(c, d) = e", "[= [overlaps row(a b) row(c d)] e]"),
        ("(a, b) < (c, d)", "[< row(a b) row(c d)]"),
        ("(a, b) = (select 1, 2)", "[= row(a b) query]"),
        ("case a when b then c else d end::int", "caseSome(3) a b c d::int"),
        ("case when a then b when c then d end", "caseNone a b c d"),
    ] {
        assert_eq!(tree(text), grouped, "{text}");
    }
}

#[test]
fn comparisons_do_not_follow_each_other() {
    for text in [
        "a = b = c",
        "a < b > c",
        "a like b like c",
        "a between 1 and 2 between 3 and 4",
        "a is distinct from b is null",
        "a = b <> c",
        "a in (1) like b like c",
        "a like b in (1)",
        "a escape b",
        "a not b",
        "a and",
        "or a",
        "* a",
        "a *",
        "a between b and",
        "a is",
        "a is not distinct b",
        "(a) overlaps (b)",
        "(a, b, c) overlaps (d, e, f)",
        "a => b",
        "a in ()",
        "any (a)",
        "a = some",
        "a operator() b",
        "a operator(+",
        "not",
        "case end",
        "case a end",
    ] {
        refused(text);
    }
}

#[test]
fn values_types_and_fields() {
    for (text, grouped) in [
        ("date '2020-01-01' + interval '1' day to second(3) * 2", "[+ ''::date [* ''::interval 1]]"),
        ("interval(3) '1'", "''::interval"),
        ("timestamp(3) with time zone '2020-01-01'", "''::timestamp with time zone"),
        ("double precision '1.5'", "''::double precision"),
        ("character varying(3) 'x'", "''::character varying"),
        ("app.tier_t 'x'", "''::tier_t"),
        ("tier_t E'x'", "''::tier_t"),
        ("\"Tier\" $$x$$", "''::Tier"),
        ("a::app.tier_t[]", "a::tier_t"),
        ("a::int::text", "a::int::text"),
        ("cast(a + b as numeric(10, 2))", "[+ a b]::numeric"),
        ("N'x', b'1'", "''"),
        ("x'1f'", "bits"),
        ("U&'abc'", "''"),
        ("$1.a[2].*", "at($->a 1)->*"),
        ("a.b[1:2][:3][4:][:].c", "at(a.b 1 1 1 1)->c"),
        ("(a).b.c", "a->b->c"),
        ("(a.b).c[1]", "at(a.b->c 1)"),
        ("(select a).b", "query->b"),
        ("(f(a)).b", "f(a)->b"),
        ("(f(a))[1]", "at(f(a) 1)"),
        ("array[[1, 2], [3]]", "array(array(1 1) array(1))"),
        ("array[]::int[]", "array()::int"),
        ("array(select 1)", "array query"),
        ("row()", "row()"),
        ("(a, (b, c))", "row(a row(b c))"),
        ("true and null is not false", "[and bool [is not false null]]"),
    ] {
        assert_eq!(tree(text), grouped, "{text}");
    }
    for text in [
        "f(a).b",
        "f(a)[1]",
        "array[1][1]",
        "case when a then b end.c",
        "f(a) 'x'",
        "int(3)",
        "foo(1) 'x'",
        "a[1",
        "a..b",
        "U&'x' uescape '!'",
        "array[1, [2]]",
        "exists (1)",
        "array(1)",
        "1.5.a",
        "a b c",
    ] {
        refused(text);
    }
}

#[test]
fn calls_keep_every_argument() {
    for (text, grouped) in [
        ("f(a, b => c, d := e, variadic g)", "f(a =c =e =g)"),
        ("f(distinct a, b order by c)", "f(a b)"),
        ("f(all a)", "f(a)"),
        ("f(variadic array[1])", "f(=array(1))"),
        ("s.f()", "f()"),
        ("count(*) filter (where a) over w", "count(*)"),
    ] {
        assert_eq!(tree(text), grouped, "{text}");
    }
    for text in
        ["f(a,)", "f(variadic a, b)", "f(* , a)", "f(distinct)", "f(distinct *)", "f(order by a)", "f(a) filter (b)"]
    {
        refused(text);
    }
}

#[test]
fn specials_keep_every_operand() {
    for (text, grouped) in [
        ("coalesce(a, b), 1", "coalesce<a b>"),
        ("greatest(a, least(b, c))", "greatest<a least<b c>>"),
        ("nullif(a, b)", "nullif<a b>"),
        ("extract(epoch from a)", "extract<a>"),
        ("extract('year' from a)", "extract<a>"),
        ("overlay(a placing b from c for d)", "overlay<a b c d>"),
        ("overlay(a, b)", "overlay(a b)"),
        ("position(a in b)", "position<a b>"),
        ("substring(a from b for c)", "substring<a b c>"),
        ("substring(a for b)", "substring<a b>"),
        ("substring(a similar b escape c)", "substring<a b c>"),
        ("substring(a, b)", "substring(a b)"),
        ("trim(both a from b)", "trim<a b>"),
        ("trim(from b)", "trim<b>"),
        ("trim(a, b)", "trim<a b>"),
        ("normalize(a, nfkd)", "normalize<a>"),
        ("collation for (a)", "collation for<a>"),
        ("current_timestamp(3)", "current_timestamp<>"),
        ("user", "user<>"),
        ("current_schema", "current_schema<>"),
        ("current_schema()", "current_schema()"),
        ("grouping(a, b)", "grouping<a b>"),
        ("merge_action()", "merge_action<>"),
        ("xmlelement(name a, xmlattributes(b as c, d), e)", "xmlelement<b d e>"),
        ("xmlforest(a as b, c)", "xmlforest<a c>"),
        ("xmlexists(a passing by ref b)", "xmlexists<a b>"),
        ("xmlparse(document a preserve whitespace)", "xmlparse<a>"),
        ("xmlpi(name a, b)", "xmlpi<b>"),
        ("xmlroot(a, version no value, standalone yes)", "xmlroot<a>"),
        ("xmlconcat(a, b)", "xmlconcat<a b>"),
        ("xmlserialize(content a as app.t no indent)", "xmlserialize<a>::t"),
        ("json_object(a: b, c value d absent on null with unique keys returning jsonb)", "json_object<a b c d>::jsonb"),
        ("json_object()", "json_object<>"),
        ("json_object(a, b)", "json_object(a b)"),
        ("json_array(a, b format json null on null)", "json_array<a b>"),
        ("json_array(select a)", "json_array<query>"),
        ("json_objectagg(a: b) filter (where c)", "json_objectagg(a b)"),
        ("json_arrayagg(a order by b returning text)", "json_arrayagg(a)::text"),
        ("json(a with unique)", "json<a>"),
        ("json_scalar(a)", "json_scalar<a>"),
        ("json_serialize(a returning bytea format json encoding utf8)", "json_serialize<a>::bytea"),
        ("json_value(a, b passing c as d returning int default e on empty error on error)", "json_value<a b c e>::int"),
        ("json_query(a, '$' with conditional array wrapper keep quotes on scalar string)", "json_query<a ''>"),
        ("json_exists(a, '$' unknown on error)", "json_exists<a ''>"),
    ] {
        assert_eq!(tree(text), grouped, "{text}");
    }
    for text in [
        "coalesce()",
        "nullif(a)",
        "extract(a)",
        "extract(a + b from c)",
        "position(a)",
        "treat(a as int)",
        "exists(a)",
        "xmlelement(a)",
        "json_value(a)",
        "json_object(a: b, c)",
        "trim()",
        "setof(a)",
        "json_table(a, '$')",
        "xmltable(a)",
    ] {
        refused(text);
    }
}

#[test]
fn every_name_of_an_operand_is_found() {
    let text =
        "select json_arrayagg(a.b order by c) filter (where d) over (partition by e), f::g.h, (i operator(j.+) k)";
    let found = Mentions::of(&statement(text));
    assert_eq!(found.of_role(Role::Column), ["a.b", "c", "d", "e", "f", "i", "k"]);
    assert_eq!(found.of_role(Role::Type), ["g.h"]);
    assert_eq!(found.of_role(Role::OperatorSchema), ["j"]);
    assert_eq!(found.of_role(Role::Function), ["json_arrayagg"]);
}

#[test]
fn an_expressions_tokens_leave_its_own_parentheses_out_and_those_of_its_parts_in() {
    let text = "select ((a) + (b)) * c, (d)";
    let tokens = lexer::tokens(text).unwrap();
    let source = |expr: &Expr| {
        text[tokens[expr.tokens.start as usize].start as usize..tokens[expr.tokens.end as usize - 1].end as usize]
            .to_owned()
    };
    let Statement::Query(query) = statement(text) else { panic!() };
    let QueryBody::Select(select) = query.body else { panic!() };
    let [SelectItem::Expr { expr: product, .. }, SelectItem::Expr { expr: single, .. }] = &select.items[..] else {
        panic!()
    };
    assert_eq!(source(product), "((a) + (b)) * c");
    let ExprKind::Operation(operation) = &product.kind else { panic!() };
    assert_eq!(source(&operation.operands[0]), "(a) + (b)");
    assert_eq!(source(single), "d");
}
