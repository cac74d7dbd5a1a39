//! DDL in an open transaction: what it makes, renames, changes and drops is known to the session before COMMIT.

use crate::support::pg_client::{PostgresClient, bind, execute, parse, sync};
use crate::support::pg_proxy::PostgresProxy;
use crate::support::{PostgresDatabase, postgres};

const SCHEMA: &str = "create table people(id int primary key, email text, region text);
    insert into people values (1, 'canary@example.com', 'EU'), (2, 'canary@example.org', 'US');
    create schema mart;
    create table mart.model(id int, note text);
    insert into mart.model values (7, 'old');
    create view mart.over_model as select id from mart.model;
    create table mart.parent(id int primary key);
    grant all on all tables in schema public, mart to public; grant all on schema mart to public";

const RULES: &str = "[role.viewer]
grant = [ { on = 'shop.public.*', allow = ['read'] }, { on = 'shop.mart.*', allow = ['all'] },
          { on = 'shop.pg_temp.*', allow = ['create'] } ]
[[protect]]\nname = 'mail'\ncolumns = ['shop.public.people.email']\nmask = { kind = 'fixed', value = 'hidden' }
[[protect]]\nname = 'secret'\ncolumns = ['*.*.*.secret']\nmask = 'null'
[[filter]]\nname = 'here'\ntables = ['shop.public.people']\nwhere = \"region = 'EU'\"\n";

fn viewer() -> (PostgresDatabase, PostgresProxy, PostgresClient) {
    let database = postgres().database(SCHEMA);
    let proxy = PostgresProxy::start(&database, RULES);
    let client = PostgresClient::connect(proxy.port, "viewer");
    (database, proxy, client)
}

/// Runs a statement that must succeed; its lines but for the last.
fn runs(client: &mut PostgresClient, sql: &str) -> Vec<String> {
    let mut lines = client.run(sql);
    assert!(lines.iter().all(|line| !line.starts_with("E ") && !line.contains("canary")), "{sql}: {lines:?}");
    lines.pop();
    lines
}

fn refusal(client: &mut PostgresClient, sql: &str) -> String {
    let lines = client.run(sql);
    assert!(lines[0].starts_with("E "), "{sql}: {lines:?}");
    lines[0].clone()
}

#[test]
fn a_model_is_built_and_put_in_place() {
    let (_database, _proxy, mut client) = viewer();
    runs(&mut client, "begin");
    runs(&mut client, "create table mart.model__tmp as select id, email, upper(region) as r from people");
    assert_eq!(runs(&mut client, "select * from mart.model__tmp"), ["T id email r", "D 1|hidden|EU", "C SELECT 1"]);
    runs(&mut client, "create index on mart.model__tmp(id)");
    runs(&mut client, "alter table mart.model rename to model__backup");
    assert!(runs(&mut client, "select id from mart.model__backup").contains(&"D 7".into()));
    runs(&mut client, "alter table mart.model__tmp rename to model");
    assert_eq!(runs(&mut client, "select email from mart.model"), ["T email", "D hidden", "C SELECT 1"]);
    runs(&mut client, "insert into mart.model select 9, 'x', note from mart.model__backup");
    runs(&mut client, "drop table if exists mart.absent");
    runs(&mut client, "commit");
    assert_eq!(
        runs(&mut client, "select id, r from mart.model order by 1"),
        ["T id r", "D 1|EU", "D 9|old", "C SELECT 2"]
    );
    assert_eq!(runs(&mut client, "select id from mart.over_model"), ["T id", "D 7", "C SELECT 1"]);
}

#[test]
fn a_migration_uses_what_it_makes() {
    let (_database, _proxy, mut client) = viewer();
    runs(&mut client, "set search_path = mart");
    let text = "create table t(id serial primary key, \"Name\" varchar(10) not null, at timestamp with time zone default now(),
        unique (\"Name\")); insert into t(\"Name\") values ('a'); select id, \"Name\" from t where \"Name\" = 'a'";
    let all = runs(&mut client, text);
    assert_eq!(all, ["C CREATE TABLE", "C INSERT 0 1", "T id Name", "D 1|a", "C SELECT 1"]);
    runs(&mut client, "begin");
    runs(&mut client, "create table child(id int, t int references t)");
    runs(&mut client, "insert into child values (1, 1)");
    runs(&mut client, "alter table child add column extra text default 'e', add column more int");
    assert_eq!(runs(&mut client, "select * from child"), ["T id t extra more", "D 1|1|e|NULL", "C SELECT 1"]);
    runs(&mut client, "alter table child drop column more");
    runs(&mut client, "alter table child rename column extra to other");
    assert_eq!(runs(&mut client, "select other from child"), ["T other", "D e", "C SELECT 1"]);
    assert_eq!(runs(&mut client, "update child set other = 'f' where id = 1 returning other").len(), 3);
    runs(&mut client, "alter table t add column note text");
    runs(&mut client, "update t set note = 'n'");
    client.send(&[parse("q", "select note from t where id = $1"), bind("", "q", &["1"]), execute("", 0), sync()]);
    assert_eq!(client.until_ready(), ["1", "2", "D n", "C SELECT 1", "Z T"]);
    runs(&mut client, "create view seen as select id, email as mail from public.people");
    assert_eq!(runs(&mut client, "select * from seen"), ["T id mail", "D 1|hidden", "C SELECT 1"]);
    runs(&mut client, "create or replace view over_model as select id, note as n from model");
    assert_eq!(runs(&mut client, "select n from over_model"), ["T n", "D old", "C SELECT 1"]);
    runs(&mut client, "select id as a into kept from seen");
    assert_eq!(runs(&mut client, "table kept"), ["T a", "D 1", "C SELECT 1"]);
    runs(&mut client, "copy kept to stdout");
    runs(&mut client, "drop view seen");
    assert!(refusal(&mut client, "select * from seen").contains("42P01"));
    runs(&mut client, "rollback");
    assert!(refusal(&mut client, "select * from child").contains("42P01"));
    assert!(refusal(&mut client, "select note from t").contains("42703"));
    assert_eq!(runs(&mut client, "select id from over_model"), ["T id", "D 7", "C SELECT 1"]);
}

#[test]
fn savepoints_are_followed() {
    let (_database, _proxy, mut client) = viewer();
    runs(&mut client, "set search_path = mart");
    runs(&mut client, "begin");
    runs(&mut client, "create table a(x int)");
    runs(&mut client, "savepoint s");
    runs(&mut client, "create table b(x int)");
    runs(&mut client, "drop table a");
    runs(&mut client, "alter table model rename to was");
    runs(&mut client, "select * from b, was");
    runs(&mut client, "rollback to s");
    runs(&mut client, "select * from a, model");
    runs(&mut client, "savepoint s2");
    runs(&mut client, "alter table model rename to was");
    runs(&mut client, "release s2");
    runs(&mut client, "select * from a, was");
    runs(&mut client, "commit and chain");
    runs(&mut client, "select * from a, was");
    assert!(refusal(&mut client, "select * from model").contains("42P01"));
    runs(&mut client, "rollback");
    runs(&mut client, "select * from a, was");
    assert!(client.run("create table c(x int); select 1/0")[1].contains("22012"));
    assert!(refusal(&mut client, "select * from c").contains("42P01"));
    assert!(refusal(&mut client, "select * from mart.b").contains("42P01"));
}

#[test]
fn protection_goes_by_the_names_of_now() {
    let (_database, proxy, mut client) = viewer();
    runs(&mut client, "set search_path = mart");
    runs(&mut client, "begin");
    runs(&mut client, "create table t(id int, secret text, \"full\" text)");
    runs(&mut client, "savepoint s");
    assert!(refusal(&mut client, "insert into t values (1, 'a')").contains("42501"));
    runs(&mut client, "rollback to s");
    runs(&mut client, "insert into t(id) values (1)");
    assert_eq!(runs(&mut client, "select * from t"), ["T id secret full", "D 1|NULL|NULL", "C SELECT 1"]);
    // Nobody else sees it.
    let mut other = PostgresClient::connect(proxy.port, "viewer");
    assert!(refusal(&mut other, "select * from mart.t").contains("42P01"));
    // Views mean what they were made of, not what took its name.
    runs(&mut client, "alter table model rename to was");
    runs(&mut client, "create table model as select 8 as id");
    assert_eq!(runs(&mut client, "select id from model"), ["T id", "D 8", "C SELECT 1"]);
    runs(&mut client, "savepoint s");
    refusal(&mut client, "select * from over_model");
    runs(&mut client, "rollback to s");
    // What is there already stays what it is.
    runs(&mut client, "create table if not exists was(other text)");
    assert_eq!(runs(&mut client, "select id from was"), ["T id", "D 7", "C SELECT 1"]);
    runs(&mut client, "create temp table was(other text)");
    for sql in [
        "alter table public.people rename to p",
        "alter table was set schema public",
        "create table public.x(a int)",
        "create table t2 (like public.people)",
        "create table t2 (email text) inherits (public.people)",
    ] {
        runs(&mut client, "savepoint s");
        let said = refusal(&mut client, sql);
        assert!(said.contains("42501") || said.contains("0A000"), "{sql}: {said}");
        runs(&mut client, "rollback to s");
    }
    runs(&mut client, "rollback");
}
