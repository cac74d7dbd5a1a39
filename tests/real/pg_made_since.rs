//! Functions, operators and types that somebody makes in a searched schema: none of them comes in the place of a built-in
//! one, neither when the catalog knows it nor in the moment before.

use std::time::{Duration, Instant};

use crate::support::pg_client::PostgresClient;
use crate::support::pg_proxy::PostgresProxy;
use crate::support::postgres;

const SCHEMA: &str = "
    create table people(id int primary key, name varchar(20), email varchar(40), region varchar(5));
    insert into people values (1, 'Ann', 'canary@example.com', 'EU'), (2, 'Bob', 'canary@example.org', 'US');
    create type tier as enum ('gold');
    create table tiers(id int, tier tier);
    insert into tiers values (1, 'gold');
    grant all on all tables in schema public to public";

const RULES: &str = "[role.viewer]
grant = [ { on = 'shop.public.*', allow = ['read', 'create'] } ]
[[protect]]\nname = 'mail'\ncolumns = ['shop.public.people.email']\nmask = { kind = 'fixed', value = 'hidden' }
[[filter]]\nname = 'here'\ntables = ['shop.public.people']\nwhere = \"region = 'EU'\"\n";

/// Functions that are a better match than the built-in one, and read what the role must not.
const TRAPS: &str = "
    create function public.lower(varchar) returns text language sql as 'select email::text from public.people limit 1';
    create function public.lower(tier) returns text language sql as 'select email::text from public.people limit 1';
    create function public.substring(varchar, int, int) returns text language sql
        as 'select email::text from public.people limit 1';
    create function public.count(tier) returns text language sql as 'select email::text from public.people limit 1';
    create function public.generate_series(varchar, varchar) returns setof text language sql
        as 'select email::text from public.people'";

fn clean(client: &mut PostgresClient, sql: &str) -> Vec<String> {
    let lines = client.run(sql);
    assert!(!lines.concat().contains("canary"), "{sql}: {lines:?}");
    lines
}

#[test]
fn a_builtin_function_stays_the_one_that_is_called() {
    let database = postgres().database(SCHEMA);
    let proxy = PostgresProxy::start(&database, RULES);
    let mut client = PostgresClient::connect(proxy.port, "viewer");
    assert_eq!(client.run("select 1 as one"), ["T one", "D 1", "C SELECT 1", "Z I"]);
    database.execute(TRAPS);
    for (sql, label, value) in [
        ("select lower(name) from people", "lower", "ann"),
        ("select substring(name, 1, 2) from people", "substring", "An"),
        ("select Lower(tier::text) from tiers", "lower", "gold"),
        ("select \"lower\"(name) from people", "lower", "ann"),
        ("select count(tier) from tiers", "count", "1"),
        ("select max(lower(name)) from people group by lower(name)", "max", "ann"),
        ("select f.* from lower('A') f", "f", "a"),
        ("with x as (select lower(name) from people) select * from x", "lower", "ann"),
    ] {
        assert_eq!(
            clean(&mut client, sql),
            [format!("T {label}"), format!("D {value}"), "C SELECT 1".into(), "Z I".into()],
            "{sql}"
        );
    }
    for sql in ["select lower('gold'::tier)", "select * from generate_series('a'::varchar, 'b')"] {
        assert!(clean(&mut client, sql)[0].starts_with("E 42883"), "{sql}");
    }
    // The place of an error is that of the client's own name.
    let error = clean(&mut client, "select  lower(id, 1) from people");
    assert!(error[0].starts_with("E 42883"), "{error:?}");
}

#[test]
fn operators_that_the_catalog_does_not_have_are_refused() {
    let database = postgres().database(SCHEMA);
    let proxy = PostgresProxy::start(&database, RULES);
    let mut client = PostgresClient::connect(proxy.port, "viewer");
    client.run("select 1");
    database.execute(
        "create function spy(varchar, varchar) returns boolean language plpgsql
             as 'begin raise exception ''canary %'', $1; end';
         create operator ### (function = spy, leftarg = varchar, rightarg = varchar);
         create operator ~~ (function = spy, leftarg = varchar, rightarg = varchar);
         create operator = (function = spy, leftarg = varchar, rightarg = varchar);
         create operator >= (function = spy, leftarg = varchar, rightarg = varchar)",
    );
    assert!(clean(&mut client, "select name ### name from people")[0].starts_with("E "));
    // Within moments the catalog knows the others.
    let end = Instant::now() + Duration::from_secs(20);
    while client.run("select id from people where name = region")[0] != refused("=") {
        assert!(Instant::now() < end, "the operator is not known");
        std::thread::sleep(Duration::from_millis(200));
    }
    for (sql, symbol) in [
        ("select id from people where name like region", "~~"),
        ("select id from people where name not like all (array[region])", "~~"),
        ("select id from people where name between region and region", ">="),
        ("select id from people where name in (region)", "="),
        ("select id from people where name = any (array[region])", "="),
        ("select id from people where name in (select region from people)", "="),
        ("select id from people where (id, name) in (select id, region from people)", "="),
        ("select id from people where name is distinct from region", "="),
        ("select case name when region then 1 end from people", "="),
        ("select nullif(name, region) from people", "="),
        ("select 1 from people join people x using (name)", "="),
        ("select 1 from people natural join people x", "="),
    ] {
        assert_eq!(clean(&mut client, sql)[0], refused(symbol), "{sql}");
    }
    let meant = "select id from tiers where id operator(pg_catalog.=) 1";
    assert_eq!(clean(&mut client, meant), ["T id", "D 1", "C SELECT 1", "Z I"]);
    assert_eq!(clean(&mut client, "set search_path = ''"), ["C SET", "Z I"]);
    let meant = "select id from public.tiers where id = 1";
    assert_eq!(clean(&mut client, meant), ["T id", "D 1", "C SELECT 1", "Z I"]);
}

fn refused(symbol: &str) -> String {
    format!("E 0A000 operator `{symbol}` of schema `public` is not known to be safe")
}

#[test]
fn types_are_those_that_the_catalog_has() {
    let database = postgres().database(SCHEMA);
    database.execute("create schema first; create domain public.code as text");
    let proxy = PostgresProxy::start(&database, RULES);
    let mut client = PostgresClient::connect(proxy.port, "viewer");
    client.run("set search_path = first, public");
    assert_eq!(client.run("select 'x'::code as code"), ["T code", "D x", "C SELECT 1", "Z I"]);
    database.execute(
        "create function first.look(text) returns boolean language plpgsql
             as 'begin raise exception ''canary''; end';
         create domain first.code as text check (first.look(value));
         create domain first.other as text check (first.look(value))",
    );
    let pinned = "select a::code, c.code, d from json_to_recordset('[{\"code\": 1}]') as c(code code), \
                  json_to_record('{\"d\": 2}') as e(d code), (values ('x')) v(a)";
    assert_eq!(clean(&mut client, pinned), ["T a code d", "D x|1|2", "C SELECT 1", "Z I"]);
    for sql in [
        "select 'x'::other",
        "select other 'x'",
        "select cast('x' as other)",
        "select * from json_to_recordset('[{\"code\": 1}]') as c(code other)",
        "prepare p(other) as select $1",
        "create table t(a other)",
        "select 'x'::nothing",
    ] {
        assert!(clean(&mut client, sql)[0].starts_with("E "), "{sql}");
    }
    for sql in ["select null::people", "select null::_tier", "select null::tier[]", "select null::pg_class"] {
        assert!(clean(&mut client, sql)[0].starts_with("T "), "{sql}");
    }
    let sql = "select 1::\"char\", 1::int4, 1::integer, now()::timestamp(3) with time zone::date is null, \
               'a'::information_schema.sql_identifier, 1::pg_catalog.int8, 'a'::name, '1 s'::interval second(2)";
    assert!(clean(&mut client, sql)[0].starts_with("T "), "{:?}", clean(&mut client, sql));
}

#[test]
fn settings_of_applications_are_not_there() {
    let database = postgres().database(SCHEMA);
    let name = format!("\"{}\"", database.name);
    database.execute(&format!("alter database {name} set app.secret = 'canary'"));
    let proxy = PostgresProxy::start(&database, RULES);
    let mut client = PostgresClient::connect(proxy.port, "viewer");
    for sql in ["select current_setting('app.secret', true)", "select pg_catalog.current_setting('App.Secret', TRUE)"] {
        assert_eq!(clean(&mut client, sql), ["T current_setting", "D NULL", "C SELECT 1", "Z I"], "{sql}");
    }
    let absent =
        "select current_setting('app.absent', true) is null as absent, current_setting('sekisho.key_i', true) k";
    assert_eq!(clean(&mut client, absent), ["T absent k", "D t|NULL", "C SELECT 1", "Z I"]);
    for sql in [
        "select current_setting('app.secret')",
        "select current_setting('app.secret', false)",
        "select current_setting('app.' || 'secret', true)",
        "select current_setting('ssl_key_file', true)",
        "show app.secret",
    ] {
        assert!(clean(&mut client, sql)[0].starts_with("E 42501") || clean(&mut client, sql)[0].starts_with("E 0A000"));
    }
    let all = clean(&mut client, "show all");
    assert_eq!(all[0], "T name setting description");
    assert!(all.iter().any(|line| line.starts_with("D work_mem|4MB|")), "{all:?}");
    for hidden in ["app.", "sekisho.", "ssl_key_file|", "data_directory|", "hba_file|"] {
        assert!(!all.iter().any(|line| line.starts_with(&format!("D {hidden}"))), "{hidden}");
    }
}
