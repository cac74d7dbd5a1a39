//! What tools and people send to PostgreSQL every day, and what they get back: labels, notices, types, new tables.

use crate::support::pg_client::{PostgresClient, bind, execute, parse, sync};
use crate::support::pg_proxy::PostgresProxy;
use crate::support::{PostgresDatabase, postgres};

const SCHEMA: &str = "create schema lab; create schema ext; create schema secret;
    create extension hstore schema ext;
    create type tier as enum ('gold', 'silver');
    create table people(id int primary key, region text, tier tier, paid numeric(6,2), seen timestamptz, note varchar(5));
    insert into people values (1, 'EU', 'gold', 1.5, null, 'a'), (2, 'US', null, 2.5, null, 'b');
    create table lab.plain(a int, b text);
    insert into lab.plain values (1, 'x');
    create view lab.shown as select a, b from lab.plain;
    create table secret.keys(k text);
    grant usage on schema lab, ext to public;
    grant create on schema lab to public;
    grant all on all tables in schema public, lab to public";

const RULES: &str = "[role.viewer]
grant = [ { on = 'shop.public.people', allow = ['read', 'insert'] }, { on = 'shop.lab.*', allow = ['all'] } ]
[[filter]]\nname = 'here'\ntables = ['shop.public.people']\nwhere = \"region = 'EU'\"\n";

fn viewer() -> (PostgresDatabase, PostgresProxy, PostgresClient) {
    let database = postgres().database(SCHEMA);
    let proxy = PostgresProxy::start(&database, RULES);
    let client = PostgresClient::connect(proxy.port, "viewer");
    (database, proxy, client)
}

#[test]
fn a_call_that_is_not_made_still_gives_its_label() {
    let (_database, _proxy, mut client) = viewer();
    for (text, label) in [
        ("select pg_relation_size('people')", "pg_relation_size"),
        ("select pg_relation_size('people')::text", "pg_relation_size"),
        ("select pg_catalog.pg_get_viewdef(1)", "pg_get_viewdef"),
        ("select inet_server_port()", "inet_server_port"),
        ("select current_query()", "current_query"),
        ("select (select pg_relation_size('people'))", "pg_relation_size"),
        ("select pg_relation_size('people') as size", "size"),
    ] {
        assert_eq!(client.run(text), [&format!("T {label}"), "D NULL", "C SELECT 1", "Z I"], "{text}");
    }
}

#[test]
fn what_a_statement_makes_is_known_behind_it() {
    let (_database, _proxy, mut client) = viewer();
    assert_eq!(client.run("select a, b into lab.made from lab.plain"), ["C SELECT 1", "Z I"]);
    assert_eq!(client.run("select * from lab.made"), ["T a b", "D 1|x", "C SELECT 1", "Z I"]);
    assert_eq!(client.run("select 1 as x into lab.more union all select 2"), ["C SELECT 2", "Z I"]);
    assert_eq!(client.run("select count(*) from lab.more"), ["T count", "D 2", "C SELECT 1", "Z I"]);
}

#[test]
fn dropping_what_is_not_there_is_no_error_with_if_exists() {
    let (_database, _proxy, mut client) = viewer();
    for kind in ["table", "view", "materialized view", "sequence"] {
        let done = format!("C DROP {}", kind.to_uppercase());
        let said = format!("N 00000 {kind} \"nope\" does not exist, skipping");
        assert_eq!(client.run(&format!("drop {kind} if exists lab.nope")), [&*said, &done, "Z I"]);
    }
    let said = "N 00000 table \"nope\" does not exist, skipping";
    client.run("create table lab.there(a int)");
    assert_eq!(client.run("drop table if exists lab.nope, lab.there"), [said, "C DROP TABLE", "Z I"]);
    assert!(client.run("drop table lab.nope")[0].contains("42P01"));
    for text in
        ["drop table if exists nope", "drop table if exists secret.nope", "drop table if exists pg_catalog.nope"]
    {
        assert!(client.run(text)[0].starts_with("E 42501"), "{text}");
    }
    client.run("set search_path = lab");
    assert_eq!(client.run("drop table if exists nope"), [said, "C DROP TABLE", "Z I"]);
}

#[test]
fn strings_may_go_on_in_the_next_line() {
    let (_database, _proxy, mut client) = viewer();
    let answers = |value: &str| [format!("D {value}"), "C SELECT 1".to_owned(), "Z I".to_owned()];
    for (text, value) in [
        ("select 'a'\n'b'", "ab"),
        ("select 'a''' \r\n\t 'b'\n'c'", "a'bc"),
        ("select E'a'\n'\\x41'", "aA"),
        ("select U&'a'\n'\\0041'", "aA"),
        ("select N'a'\n'b'", "ab"),
        ("select 'a'\n'b' || 'c'\n'd' from people where region = 'E'\n'U'", "abcd"),
        // The same shape with other literals: the plan that is kept has the whole string in its place.
        ("select 'e' || 'f'\n'g' from people where region = 'EU'", "efg"),
    ] {
        assert_eq!(client.run(text)[1..], answers(value), "{text}");
    }
    for text in ["select 'a' 'b'", "select 'a' -- c\n'b'", "select 'a' /* c */\n'b'", "select X'4'\n'1'"] {
        assert!(client.run(text)[0].starts_with("E 42601"), "{text}");
    }
    assert!(client.run("select current_setting('sekisho'\n'.key_i')")[0].starts_with("E "));
    assert!(client.run("select set_config('sekisho'\n'.key_i', '', false)")[0].starts_with("E "));
}

#[test]
fn rows_of_a_query_take_the_types_of_their_columns() {
    let (database, _proxy, mut client) = viewer();
    let text = "insert into people(id, region, tier, paid, seen, note) select $1, $2, $3, $4, '2026-01-02', 'n'";
    client.send(&[parse("", text), bind("", "", &["3", "EU", "silver", "3.456"]), execute("", 0), sync()]);
    assert_eq!(client.until_ready(), ["1", "2", "C INSERT 0 1", "Z I"]);
    let text = "insert into people(id, region, tier) (select 4, 'EU', null) returning tier";
    assert_eq!(client.run(text), ["T tier", "D NULL", "C INSERT 0 1", "Z I"]);
    let rows = database.rows("select id, tier, paid, seen is not null, note from people where id > 2 order by id");
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0], ["3", "silver", "3.46", "t", "n"]);
    // Too long for its column, and not cut; of another region.
    let text = "insert into people(id, region, note) select 5, 'EU', 'too long'";
    assert!(client.run(text)[0].starts_with("E 22001"));
    let said = client.run("insert into people(id, region, tier) select 5, 'US', 'gold'");
    assert_eq!(said[0], "E 42501 new row is refused by row filter `here`");
    assert_eq!(database.rows("select count(*) from people"), [["4"]]);
}

#[test]
fn a_view_is_not_written() {
    let (database, _proxy, mut client) = viewer();
    for text in [
        "insert into lab.shown values (2, 'y')",
        "update lab.shown set b = 'y'",
        "delete from lab.shown",
        "merge into lab.shown s using lab.plain p on s.a = p.a when matched then delete",
    ] {
        assert_eq!(client.run(text)[0], "E 0A000 view `lab.shown` may not be written", "{text}");
    }
    assert_eq!(database.rows("select * from lab.plain"), [["1", "x"]]);
}

#[test]
fn types_of_extensions_and_enumerations_are_found() {
    let (_database, _proxy, mut client) = viewer();
    let text = "select n.nspname from pg_type t join pg_namespace n on n.oid = t.typnamespace where typname = 'hstore'";
    assert_eq!(client.run(text), ["T nspname", "D ext", "C SELECT 1", "Z I"]);
    let text = "select nspname from pg_namespace where nspname !~ '^pg_' order by 1";
    assert_eq!(
        client.run(text),
        ["T nspname", "D ext", "D information_schema", "D lab", "D public", "C SELECT 4", "Z I"]
    );
    let text = "select enum_range(null::tier)";
    assert_eq!(client.run(text), ["T enum_range", "D {gold,silver}", "C SELECT 1", "Z I"]);
    // \dl
    let text = "SELECT oid as \"ID\", pg_catalog.pg_get_userbyid(lomowner) as \"Owner\", \
                pg_catalog.obj_description(oid, 'pg_largeobject') as \"Description\" \
                FROM pg_catalog.pg_largeobject_metadata ORDER BY oid";
    assert_eq!(client.run(text), ["T ID Owner Description", "C SELECT 0", "Z I"]);
}

#[test]
fn settings_by_names_that_are_columns_or_parameters_are_the_readable_ones() {
    let (_database, _proxy, mut client) = viewer();
    let rows = |client: &mut PostgresClient, sql: &str| -> Vec<String> {
        client.run(sql).into_iter().filter(|line| line.starts_with("D ") || line.starts_with("E ")).collect()
    };
    let config = "select s.name, pg_catalog.current_setting(s.name) as v from pg_catalog.pg_settings s
        where s.name in ('work_mem', 'ssl_key_file') order by 1";
    assert_eq!(rows(&mut client, config), ["D work_mem|4MB"]);
    let values = "select current_setting(x.k), current_setting(k, true) from (values ('Work_Mem'), ('ssl_key_file'),
        ('sekisho.key_i'), ('no_such')) x(k)";
    assert_eq!(rows(&mut client, values), ["D 4MB|4MB", "D NULL|NULL", "D NULL|NULL", "D NULL|NULL"]);
    client.run("prepare p(text) as select current_setting($1)");
    assert_eq!(rows(&mut client, "execute p('work_mem')"), ["D 4MB"]);
    assert_eq!(rows(&mut client, "execute p('data_directory')"), ["D NULL"]);
    for sql in [
        "select current_setting(lower(k)) from (values ('ssl_key_file')) x(k)",
        "select current_setting(case when true then 'ssl_key_file' end)",
        "select current_setting((select 'ssl_key_file'))",
    ] {
        assert!(
            rows(&mut client, sql)[0].starts_with("E 42501") || rows(&mut client, sql)[0].starts_with("E 0A000"),
            "{sql}"
        );
    }
}
