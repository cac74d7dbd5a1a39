//! What the catalog of a real PostgreSQL looks like as a snapshot.

use std::time::{Duration, Instant};

use sekisho::catalog::known::postgres::system_relation;
use sekisho::catalog::known::{BuiltinRule, SystemView, postgres::function};
use sekisho::catalog::{
    CheckOption, Column, FunctionKind, FunctionResult, Relation, RelationKind, Snapshot, TypeClass,
};

use crate::support;

fn table<'s>(snapshot: &'s Snapshot, name: &str) -> &'s Relation {
    snapshot.find("public", name).unwrap_or_else(|| panic!("no {name}"))
}

fn column<'r>(relation: &'r Relation, name: &str) -> &'r Column {
    &relation.columns[relation.column(name).unwrap_or_else(|| panic!("no {name}"))]
}

#[test]
fn tables_have_columns_types_and_keys() {
    let shop = support::postgres().database(
        r#"create schema app;
        create type app.tier as enum ('free', 'it''s paid', 'Gold');
        create domain app.email as varchar(80) check (value like '%@%');
        create domain app.work_email as app.email;
        create table "Mixed Case"("Id" bigint generated always as identity primary key, "select" text);
        create table t(
            a int not null, gone int, b numeric(10,2), c app.tier, d app.work_email, e text[], f char(3), g text collate "C",
            h timestamptz(3), i jsonb, j bytea, k inet, l uuid, m int generated always as (a * 2) stored, n int4range,
            o app.tier[], p "char", q interval, unique (b, a), primary key (f, a));
        alter table t drop column gone;
        create unique index on t (lower(f)); create unique index on t (g) where a > 0"#,
    );
    let snapshot = shop.snapshot();
    assert_eq!(snapshot.database(), shop.name);
    assert_eq!(snapshot.server_version() / 10_000, shop.server.major());
    assert_eq!(snapshot.search_path(), [Box::from("public")]);
    assert!(snapshot.has_schema("app") && !snapshot.has_schema("pg_toast"));

    let mixed = table(&snapshot, "Mixed Case");
    assert_eq!(mixed.columns[1].name.as_ref(), "select");
    assert_eq!(mixed.primary_key, [0]);

    let t = table(&snapshot, "t");
    let types: Vec<(&str, TypeClass)> = t.columns.iter().map(|c| (&*c.ty.sql, c.ty.class)).collect();
    assert_eq!(
        types,
        [
            ("integer", TypeClass::Integer),
            ("numeric(10,2)", TypeClass::Numeric),
            ("app.tier", TypeClass::Enum),
            ("app.work_email", TypeClass::Text),
            ("text[]", TypeClass::Array),
            ("character(3)", TypeClass::Text),
            ("text", TypeClass::Text),
            ("timestamp(3) with time zone", TypeClass::TimestampTz),
            ("jsonb", TypeClass::Jsonb),
            ("bytea", TypeClass::Bytes),
            ("inet", TypeClass::Inet),
            ("uuid", TypeClass::Uuid),
            ("integer", TypeClass::Integer),
            ("int4range", TypeClass::Other),
            ("app.tier[]", TypeClass::Array),
            ("\"char\"", TypeClass::Text),
            ("interval", TypeClass::Interval),
        ]
    );
    assert_eq!(column(t, "b").number, 3);
    assert_eq!(&**column(t, "d").ty.base_sql(), "character varying(80)");
    let labels: Vec<&str> = column(t, "c").ty.labels().iter().map(|label| &**label).collect();
    assert_eq!(labels, ["free", "it's paid", "Gold"]);
    assert_eq!(column(t, "g").ty.collation(), Some("pg_catalog.\"C\""));
    assert_eq!(column(t, "f").ty.collation(), None);
    assert_eq!(column(t, "m").generated.as_deref(), Some("(a * 2)"));
    assert!(column(t, "a").not_null && !column(t, "b").not_null);
    let position = |name| t.column(name).unwrap();
    assert_eq!(t.primary_key, [position("f"), position("a")]);
    assert_eq!(t.unique.len(), 2);
    assert!(t.unique.contains(&vec![position("b"), position("a")]));
    assert_eq!(t.indexes.len(), 4);
    assert_eq!(snapshot.by_oid(t.oid).unwrap().id, t.id);
}

#[test]
fn partitions_and_children_know_their_parents() {
    let shop = support::postgres().database(
        "create table sales(region text, day date) partition by list (region);
        create table sales_eu partition of sales for values in ('EU') partition by range (day);
        create table sales_eu_1 partition of sales_eu for values from ('2020-01-01') to ('2021-01-01');
        create table a(x int); create table b(y int); create table c(z int) inherits (a, b);
        create index on sales (day)",
    );
    let snapshot = shop.snapshot();
    let (sales, eu, leaf) = (table(&snapshot, "sales"), table(&snapshot, "sales_eu"), table(&snapshot, "sales_eu_1"));
    assert_eq!((sales.kind, eu.kind), (RelationKind::PartitionedTable, RelationKind::PartitionedTable));
    assert_eq!((leaf.kind, &leaf.parents, &eu.parents), (RelationKind::Table, &vec![eu.id], &vec![sales.id]));
    assert_eq!(snapshot.children(sales.id), [eu.id]);
    let c = table(&snapshot, "c");
    assert_eq!(c.parents, [table(&snapshot, "a").id, table(&snapshot, "b").id]);
}

#[test]
fn views_are_defined_with_full_names() {
    let shop = support::postgres().database(
        r#"create schema app; create table app.people(id int, email text, "Odd.Name" int);
        create function app.shout(text) returns text language sql immutable as 'select upper($1)';
        create view top as select id, app.shout(email) as loud, "Odd.Name" from app.people where id > 0;
        create view over_top as select loud from top;
        create view guarded with (security_barrier, check_option = local) as select id from app.people where id > 1;
        create view checked as select id from app.people where id > 1 with cascaded check option;
        create materialized view stored as select email from app.people"#,
    );
    let snapshot = shop.snapshot();
    let top = table(&snapshot, "top").definition.as_deref().unwrap();
    assert!(top.contains("FROM app.people") && top.contains("app.shout("), "{top}");
    assert!(!top.ends_with(';'));
    let over = table(&snapshot, "over_top").definition.as_deref().unwrap();
    assert!(over.contains("FROM public.top"), "{over}");
    let guarded = table(&snapshot, "guarded");
    assert!(guarded.security_barrier);
    assert_eq!(guarded.check_option, Some(CheckOption::Local));
    assert_eq!(table(&snapshot, "checked").check_option, Some(CheckOption::Cascaded));
    assert!(!table(&snapshot, "checked").security_barrier);
    let stored = table(&snapshot, "stored");
    assert_eq!(stored.kind, RelationKind::MaterializedView);
    assert!(stored.definition.as_deref().unwrap().contains("app.people"));
}

#[test]
fn functions_tell_what_they_give() {
    let shop = support::postgres().database(
        "create type pair as (left_side int, right_side text); create table kept(a int, b int);
        create function one(int, int default 1) returns int language sql as 'select $1';
        create function named(out answer int) language sql as 'select 1';
        create function two_out(a int, out x int, out int) language sql as 'select 1, 2';
        create function tabled() returns table (p int, q text) language sql stable as 'select 1, ''x''';
        create function paired() returns setof pair language sql as 'select 1, ''x''';
        create function rows_of() returns setof kept language sql as 'select 1, 2';
        create function loose() returns record language sql as 'select 1, 2';
        create function any_of(anyelement) returns anyelement language sql as 'select $1';
        create function many(variadic int[]) returns void language sql as '';
        create procedure work() language sql as 'select 1';
        create operator public.=== (leftarg = int, rightarg = int, function = pg_catalog.int4eq)",
    );
    let snapshot = shop.snapshot();
    let one = |name: &str| {
        let [function] = snapshot.functions(name) else { panic!("{name}") };
        function
    };
    let row = |names: &[&str]| FunctionResult::Row(names.iter().map(|name| Box::from(*name)).collect());
    assert_eq!(one("one").result, FunctionResult::Scalar { class: TypeClass::Integer, column: None });
    assert_eq!((one("one").required_arguments, one("one").most_arguments), (1, Some(2)));
    let named = FunctionResult::Scalar { class: TypeClass::Integer, column: Some("answer".into()) };
    assert_eq!(one("named").result, named);
    assert_eq!(one("two_out").result, row(&["x", "column2"]));
    assert_eq!(one("tabled").result, row(&["p", "q"]));
    assert!(one("tabled").returns_set);
    assert_eq!(one("paired").result, row(&["left_side", "right_side"]));
    assert_eq!(one("rows_of").result, row(&["a", "b"]));
    assert_eq!(one("loose").result, FunctionResult::Record);
    assert_eq!(one("any_of").result, FunctionResult::Polymorphic);
    assert_eq!((&one("many").result, one("many").most_arguments), (&FunctionResult::Void, None));
    assert_eq!(one("work").kind, FunctionKind::Procedure);
    assert_eq!(snapshot.user_operators("===")[0].schema.as_ref(), "public");
    assert!(snapshot.functions("count").iter().any(|f| f.kind == FunctionKind::Aggregate));
    let each = &snapshot.functions("jsonb_each")[0];
    assert_eq!(each.result, row(&["key", "value"]));
}

#[test]
fn types_tell_whether_making_a_value_runs_functions() {
    let shop = support::postgres().database(
        "create function looks_good(text) returns bool language plpgsql as 'begin return true; end';
        create domain plain as text check (value <> ''); create domain judged as text check (looks_good(value));
        create domain above as judged; create type holder as (a int, b above); create type color as enum ('red');
        create function to_color(int) returns color language sql as 'select ''red''::color';
        create cast (int as color) with function to_color(int);
        create function to_point(text) returns point language sql as 'select point(0, 0)';
        create cast (text as point) with function to_point(text) as assignment",
    );
    let snapshot = shop.snapshot();
    let runs = |name: &str| {
        let [ty] = snapshot.user_types(name) else { panic!("{name}: {:?}", snapshot.user_types(name)) };
        ty.runs_functions
    };
    assert!(!runs("plain"));
    for name in ["judged", "above", "holder", "color", "point"] {
        assert!(runs(name), "{name}");
    }
    assert!(snapshot.user_types("int4").is_empty());
}

#[test]
fn the_search_path_is_that_of_the_account() {
    let shop = support::postgres().database("create schema app; create schema other; create schema postgres");
    shop.execute(&format!(r#"alter database {} set search_path = "$user", missing, app"#, shop.name));
    assert_eq!(shop.snapshot().search_path(), [Box::from("postgres"), Box::from("app")]);
}

#[test]
fn foreign_tables_say_where_rows_come_from_and_no_password() {
    let shop = support::postgres().database(
        "create extension postgres_fdw;
        create server self foreign data wrapper postgres_fdw options (host 'localhost', dbname 'x');
        create user mapping for postgres server self options (user 'u', password 'hidden');
        create foreign table far(id int) server self options (schema_name 'public', table_name 'people')",
    );
    let snapshot = shop.snapshot();
    let foreign = table(&snapshot, "far").foreign.as_deref().unwrap();
    assert_eq!((&*foreign.wrapper, &*foreign.server), ("postgres_fdw", "self"));
    let options: Vec<(&str, &str)> = foreign.options.iter().map(|(name, value)| (&**name, &**value)).collect();
    let expected = [("host", "localhost"), ("dbname", "x"), ("schema_name", "public"), ("table_name", "people")];
    assert_eq!(options, expected);
    let [function, ..] = snapshot.functions("postgres_fdw_disconnect") else { panic!() };
    assert_eq!(function.extension.as_deref(), Some("postgres_fdw"));
}

/// A relation in no list is refused; none of the versions that are supported may have one.
#[test]
fn every_system_relation_is_in_a_list() {
    let snapshot = support::postgres().database("").snapshot();
    let system = snapshot.relations().iter().filter(|r| matches!(&*r.schema, "pg_catalog" | "information_schema"));
    let mut replaced = Vec::new();
    for relation in system {
        match system_relation(&relation.schema, &relation.name) {
            SystemView::Refused(why) => assert!(!why.contains("not known"), "{}", relation.name),
            view => replaced.extend(relation.columns.iter().filter_map(|column| {
                view.replacement(&column.name)?;
                Some(format!("{}.{}", relation.name, column.name))
            })),
        }
    }
    // A misspelled column would be open.
    for column in [
        "pg_attribute.attmissingval",
        "pg_attribute.attfdwoptions",
        "pg_class.reltuples",
        "pg_class.relpages",
        "pg_class.relallvisible",
        "pg_class.relfilenode",
        "pg_cursors.statement",
        "pg_foreign_data_wrapper.fdwoptions",
        "pg_foreign_server.srvoptions",
        "pg_foreign_table.ftoptions",
        "pg_matviews.definition",
        "pg_prepared_statements.statement",
        "pg_proc.prosrc",
        "pg_proc.probin",
        "pg_proc.proconfig",
        "pg_publication_tables.rowfilter",
        "pg_rewrite.ev_action",
        "pg_rewrite.ev_qual",
        "pg_roles.rolconfig",
        "pg_rules.definition",
        "pg_sequences.last_value",
        "pg_stat_activity.query",
        "pg_stat_user_tables.n_live_tup",
        "pg_subscription.subconninfo",
        "pg_user.useconfig",
        "pg_views.definition",
        "routines.routine_definition",
        "triggers.action_statement",
        "views.view_definition",
    ] {
        assert!(replaced.iter().any(|found| found == column), "{column}");
    }
}

/// What the lists name must be functions of this server, or forms of the grammar; the other way round, what is callable
/// by its arguments' types and in no list is shown by the number of unknown names, which only grows with new versions.
#[test]
fn functions_that_clients_call_are_in_a_list() {
    let shop = support::postgres().database("");
    let names = shop.rows(
        "select distinct proname from pg_proc p where pronamespace = 'pg_catalog'::regnamespace
         and not 'internal'::regtype = any (proargtypes::oid[]) and not 'cstring'::regtype = any (proargtypes::oid[])
         and proname like 'pg\\_%' and prorettype::regtype::text !~ '^(internal|cstring|trigger|event_trigger)$'
         and proname !~ '^pg_(lsn|snapshot|ndistinct|mcv_list|node_tree|ddl_command|dependencies|brin)_'",
    );
    let unknown: Vec<&str> =
        names.iter().map(|row| &*row[0]).filter(|name| function(name) == BuiltinRule::Unknown).collect();
    assert_eq!(unknown, [""; 0]);
}

#[test]
#[ignore = "makes 10,000 tables; run by hand"]
fn ten_thousand_tables_load_in_five_seconds() {
    let types = ["int", "text", "numeric(10,2)", "timestamptz"];
    let columns: Vec<String> = (1..20).map(|i| format!("column_{i} {}", types[i % types.len()])).collect();
    let columns = columns.join(",");
    let schemas: Vec<String> = (0..10).map(|schema| format!("create schema s{schema}")).collect();
    let shop = support::postgres().database(&schemas.join(";"));
    // All tables in one transaction would be more locks than the server keeps.
    for part in 0..20 {
        let tables = (part * 500..(part + 1) * 500)
            .map(|table| format!("create table s{}.table_{table}(id bigint primary key, {columns})", table % 10));
        shop.execute(&tables.collect::<Vec<_>>().join(";"));
    }
    shop.execute("analyze pg_catalog.pg_class; analyze pg_catalog.pg_attribute; analyze pg_catalog.pg_index");
    for _ in 0..3 {
        let started = Instant::now();
        let snapshot = shop.snapshot();
        let took = started.elapsed();
        let columns: usize = snapshot.relations().iter().map(|relation| relation.columns.len()).sum();
        eprintln!("{} relations, {columns} columns in {took:?}", snapshot.relations().len());
        assert!(columns > 200_000 && took < Duration::from_secs(5));
    }
}
