//! Temporary tables of PostgreSQL sessions: made of what the role sees, known by name, gone when the server drops them.

use crate::support::pg_client::{PostgresClient, bind, execute, parse, sync};
use crate::support::pg_proxy::PostgresProxy;
use crate::support::{PostgresDatabase, postgres};

const SCHEMA: &str = "create table people(id int primary key, email text, region text);
    insert into people values (1, 'ann@example.com', 'EU'), (2, 'bob@example.com', 'US');
    create table allowed(region text);
    insert into allowed values ('EU');
    create type tier as enum ('gold');
    grant all on all tables in schema public to public";

const RULES: &str = "[role.viewer]
grant = [ { on = 'shop.public.*', allow = ['read'] }, { on = 'shop.pg_temp.*', allow = ['create'] } ]
[[protect]]\nname = 'mail'\ncolumns = ['shop.public.people.email']\nmask = { kind = 'fixed', value = 'hidden' }
[[filter]]\nname = 'here'\ntables = ['shop.public.people']\nwhere = 'region in (select region from allowed)'\n";

fn viewer() -> (PostgresDatabase, PostgresProxy, PostgresClient) {
    let database = postgres().database(SCHEMA);
    let proxy = PostgresProxy::start(&database, RULES);
    let client = PostgresClient::connect(proxy.port, "viewer");
    (database, proxy, client)
}

fn refusal(client: &mut PostgresClient, sql: &str) -> String {
    let lines = client.run(sql);
    assert!(lines[0].starts_with("E "), "{sql}: {lines:?}");
    lines[0].clone()
}

#[test]
fn they_hold_what_the_role_sees() {
    let (_database, proxy, mut client) = viewer();
    assert_eq!(client.run("create temp table seen as select id, email from people"), ["C SELECT 1", "Z I"]);
    assert_eq!(client.run("select * from seen"), ["T id email", "D 1|hidden", "C SELECT 1", "Z I"]);
    let text = "select p.id, s.email as mail into temporary more from people p join seen s using (id)";
    assert_eq!(client.run(text), ["C SELECT 1", "Z I"]);
    assert_eq!(client.run("select mail from pg_temp.more"), ["T mail", "D hidden", "C SELECT 1", "Z I"]);
    assert_eq!(
        client.run("create temporary table own(a int primary key, b text default 'x')"),
        ["C CREATE TABLE", "Z I"]
    );
    assert_eq!(client.run("insert into own(a) values (1), (2)"), ["C INSERT 0 2", "Z I"]);
    let said = refusal(&mut client, "insert into own(a) values (1)");
    assert!(said.contains("duplicate key value violates unique constraint"), "{said}");
    assert_eq!(client.run("update own set b = 'y' where a = 2"), ["C UPDATE 1", "Z I"]);
    assert_eq!(client.run("create index on own(b)"), ["C CREATE INDEX", "Z I"]);
    assert_eq!(client.run("select a, b from own order by a"), ["T a b", "D 1|x", "D 2|y", "C SELECT 2", "Z I"]);
    client.send(&[parse("q", "select b from own where a = $1::int"), bind("", "q", &["1"]), execute("", 0), sync()]);
    assert_eq!(client.until_ready(), ["1", "2", "D x", "C SELECT 1", "Z I"]);
    assert_eq!(client.run("drop table own, more"), ["C DROP TABLE", "Z I"]);
    assert!(refusal(&mut client, "select * from own").contains("42P01"));
    // Nobody else knows the table.
    let mut other = PostgresClient::connect(proxy.port, "viewer");
    assert!(refusal(&mut other, "select * from seen").contains("42P01"));
}

#[test]
fn they_come_and_go_with_transactions() {
    let (_database, _proxy, mut client) = viewer();
    let text = "create temp table t as select 1 as a; select a from t";
    assert_eq!(client.run(text), ["C SELECT 1", "T a", "D 1", "C SELECT 1", "Z I"]);
    client.run("begin");
    assert_eq!(client.run("drop table t"), ["C DROP TABLE", "Z T"]);
    assert_eq!(client.run("create temp table t as select 2 as b"), ["C SELECT 1", "Z T"]);
    assert_eq!(client.run("select b from t"), ["T b", "D 2", "C SELECT 1", "Z T"]);
    client.run("rollback");
    assert_eq!(client.run("select a from t"), ["T a", "D 1", "C SELECT 1", "Z I"]);
    client.run("begin");
    client.run("create temp table gone on commit drop as select 1 as a");
    assert_eq!(client.run("select a from gone"), ["T a", "D 1", "C SELECT 1", "Z T"]);
    client.run("commit");
    assert!(refusal(&mut client, "select a from gone").contains("42P01"));
    assert_eq!(client.run("create temp table if not exists t as select 3 as c")[1..], ["C CREATE TABLE AS", "Z I"]);
    assert_eq!(client.run("select a from t"), ["T a", "D 1", "C SELECT 1", "Z I"]);
    // A text that fails is undone as a whole.
    client.run("create temp table undone as select 1 as a; select 1/0");
    assert!(refusal(&mut client, "select a from undone").contains("42P01"));
    assert_eq!(client.run("discard temp"), ["C DISCARD TEMP", "Z I"]);
    assert!(refusal(&mut client, "select a from t").contains("42P01"));
    client.run("create temp table t as select 4 as d");
    assert_eq!(client.run("select d from t"), ["T d", "D 4", "C SELECT 1", "Z I"]);
    assert_eq!(client.run("discard all"), ["C DISCARD ALL", "Z I"]);
    assert!(refusal(&mut client, "select d from t").contains("42P01"));
}

#[test]
fn they_stand_in_nobody_elses_place() {
    let (_database, proxy, mut client) = viewer();
    let unfiltered = ["T id email", "D 1|hidden", "C SELECT 1", "Z I"];
    // What rules read is not what a session made.
    client.run("create temp table allowed as select 'US'::text as region union all select 'EU'");
    assert_eq!(client.run("select id, email from people order by id"), unfiltered);
    assert_eq!(client.run("select region from allowed order by 1").len(), 5);
    client.run("create temp table people as select 9 as id, 'own'::text as email");
    assert_eq!(client.run("select id, email from public.people"), unfiltered);
    assert_eq!(client.run("select id, email from people"), ["T id email", "D 9|own", "C SELECT 1", "Z I"]);
    for name in ["text", "_text", "tier", "pg_class"] {
        let said = refusal(&mut client, &format!("create temp table {name}(a int)"));
        assert!(said.contains("is the name of a type"), "{said}");
    }
    for text in [
        "create temp table x (like people)",
        "create temp table x () inherits (public.people)",
        "create temp view x as select 1",
        "create temp sequence x",
        "create temp table public.x(a int)",
        "create table pg_temp.x(a int)",
        "create temp table x as execute p",
        "create temp table x(a int default (select max(id) from public.people))",
        "select * into temp x from json_to_recordset('[]') as t(a int), generate_series(1, 2), json_each('{}') as u, \
         json_populate_record(null::tier, '{}')",
        "alter table people add column y int",
        "select ctid into temp x from public.people",
    ] {
        refusal(&mut client, text);
    }
    let strict = RULES.replace("{ on = 'shop.pg_temp.*', allow = ['create'] }", "");
    proxy.reload(&strict);
    assert!(refusal(&mut client, "create temp table x(a int)").contains("may not create the temporary table"));
}
