//! What writing a plain table reaches on PostgreSQL: rows behind foreign keys, triggers, dependent objects, and what the
//! server says about them.

use crate::support::pg_client::{PostgresClient, bind, execute, message, parse, sync};
use crate::support::pg_proxy::PostgresProxy;
use crate::support::postgres;

const SCHEMA: &str = "
    create table region(name text primary key);
    insert into region values ('EU'), ('US');
    create table people(id int primary key, region text references region on delete set null on update cascade,
        email text, constraint pair check (region is not null));
    insert into people values (1, 'EU', 'canary@example.com');
    create table notes(id int primary key, person int references people);
    create table loud(id int, secret text);
    create function shout() returns trigger language plpgsql as $$ begin
        raise notice using message = 'canary ' || new.id, errcode = '00000';
        if new.id < 0 then raise exception using message = 'canary', hint = 'canary', errcode = '42501'; end if;
        return new; end $$;
    create trigger shout before insert on loud for each row execute function shout();
    create table wide(id bigint, price numeric, day date, name text, other text collate \"C\");
    insert into wide values (5000000000, 1, '2020-01-01', 'a', 'a');
    create materialized view stored as select id from people where id > 0;
    create table contacts(id int, mail text);
    create materialized view shown as select id, mail from contacts;
    create materialized view told as select id from contacts where mail like 'c%';
    create type tier as enum ('gold'); create schema elsewhere; create schema postgres;
    create function postgres.upper(tier) returns text language sql as 'select email from public.people limit 1';
    create view over_loud as select id from loud;
    grant all on all tables in schema public to public";

const RULES: &str = "[role.viewer]
grant = [ { on = 'shop.public.*', allow = ['all'] } ]
[[protect]]\nname = 'mail'\ncolumns = ['shop.public.people.email', 'shop.public.contacts.mail']\nmask = 'null'
[[filter]]\nname = 'here'\ntables = ['shop.public.people', 'shop.public.wide']\nwhere = 'id = 0'\n";

fn refused(client: &mut PostgresClient, sql: &str) -> String {
    let lines = client.run(sql);
    assert!(!lines.concat().contains("canary"), "{sql}: {lines:?}");
    let error = lines.iter().find(|line| line.starts_with("E "));
    error.unwrap_or_else(|| panic!("{sql}: {lines:?}")).clone()
}

#[test]
fn what_depends_on_a_table_is_not_reached_without_the_verb() {
    let database = postgres().database(SCHEMA);
    let proxy = PostgresProxy::start(&database, RULES);
    let mut client = PostgresClient::connect(proxy.port, "viewer");
    for (sql, why) in [
        ("delete from region where name = 'EU'", "a foreign key joins it with `public.people`"),
        ("update region set name = 'X' where name = 'EU'", "a foreign key joins it with `public.people`"),
        ("insert into notes values (1, 1)", "a foreign key joins it with `public.people`"),
        ("update notes set person = 2", "a foreign key joins it with `public.people`"),
        ("copy notes from stdin", "a foreign key joins it with `public.people`"),
        ("select count(*) from stored", "is not granted"),
        ("select count(*) from told", "is not granted"),
        ("set search_path from current", "FROM CURRENT"),
        ("alter table loud set schema elsewhere", "may not create `elsewhere.loud`"),
        ("alter table loud owner to app", "not allowed"),
        ("truncate region cascade", "0A000"),
        ("drop table loud cascade", "2BP01"),
        ("prepare p as select 1; explain (analyze) execute p", "`EXPLAIN EXECUTE` is not allowed"),
    ] {
        let said = refused(&mut client, sql);
        assert!(said.contains(why), "{sql}: {said}");
    }
    let said = refused(&mut client, "insert into people(id, region) values (5, 'EU')");
    assert_eq!(said, "E 42501 new row is refused by row filter `here`");
    assert_eq!(client.run("select id, mail from shown"), ["T id mail", "C SELECT 0", "Z I"]);
    assert_eq!(client.run("set search_path to \"$user\", public"), ["C SET", "Z I"]);
    let said = refused(&mut client, "select upper('gold'::tier)");
    assert!(said.contains("42883"), "{said}");
    assert_eq!(client.run("update notes set id = 2"), ["C UPDATE 0", "Z I"]);
    assert_eq!(client.run("alter table notes rename to remarks"), ["C ALTER TABLE", "Z I"]);
    assert_eq!(client.run("drop table remarks cascade"), ["C DROP TABLE", "Z I"]);
    assert_eq!(database.rows("select region from people"), [["EU"]]);
}

#[test]
fn words_of_triggers_and_of_the_servers_log_stay_away() {
    let database = postgres().database(SCHEMA);
    let proxy = PostgresProxy::start(&database, RULES);
    let mut client = PostgresClient::connect(proxy.port, "viewer");
    let lines = client.run("insert into loud values (1, 'x')");
    assert!(lines.contains(&"C INSERT 0 1".to_owned()) && !lines.concat().contains("canary"), "{lines:?}");
    refused(&mut client, "insert into loud values (-1, 'x')");
    client.run("set client_min_messages = debug5");
    let lines = client.run("select 1 as a");
    assert_eq!(lines, ["T a", "D 1", "C SELECT 1", "Z I"]);
}

#[test]
fn hidden_rows_are_not_converted_for_comparisons() {
    let database = postgres().database(SCHEMA);
    let proxy = PostgresProxy::start(&database, RULES);
    let mut client = PostgresClient::connect(proxy.port, "viewer");
    for condition in [
        "id < '7'::oid",
        "id < '7'::regclass",
        "id in (select oid from pg_class)",
        "id = any (select '7'::oid)",
        "name < other",
        "id between '1'::oid and 2",
    ] {
        let lines = client.run(&format!("select name from wide where {condition}"));
        assert_eq!(lines, ["T name", "C SELECT 0", "Z I"], "{condition}");
    }
    // The client says that the parameter is an `oid`.
    let text = "select name from wide where id < $1";
    let mut body = [b"\0", text.as_bytes(), b"\0", &[0, 1], &26_u32.to_be_bytes()[..]].concat();
    client.send(&[message(b'P', &[&std::mem::take(&mut body)]), bind("", "", &["7"]), execute("", 0), sync()]);
    assert_eq!(client.until_ready(), ["1", "2", "C SELECT 0", "Z I"]);
    client.send(&[parse("", text), bind("", "", &["7"]), execute("", 0), sync()]);
    assert_eq!(client.until_ready(), ["1", "2", "C SELECT 0", "Z I"]);
}

#[test]
fn names_that_may_be_a_functions_columns_are_not_those_of_a_written_table() {
    let database = postgres().database(SCHEMA);
    let proxy = PostgresProxy::start(&database, RULES);
    let mut client = PostgresClient::connect(proxy.port, "viewer");
    for sql in [
        "update people p set region = array(select format('%s', p) from generate_series(1, 1))::text",
        "update people set region = (select email from generate_series(1, 1))",
        "update people p set region = p::text from generate_series(1, 1)",
        "delete from people p where (select p::text from generate_series(1, 1)) > ''",
        "update people set region = (select format('%s', email) from generate_series(1, 1)) returning region",
    ] {
        assert!(refused(&mut client, sql).starts_with("E 0A000"), "{sql}");
    }
    assert_eq!(
        client.run("update people set region = (select g::text from generate_series(1, 1) g) where id < 0"),
        ["C UPDATE 0", "Z I"]
    );
}

#[test]
fn a_written_tables_columns_are_masked_by_whatever_name_they_go() {
    let database = postgres().database(SCHEMA);
    let rules = RULES.replace("where = 'id = 0'", "where = 'id = 1'");
    let proxy = PostgresProxy::start(&database, &rules.replace("mask = 'null'", "mask = 'null'\nwritable = true"));
    let mut client = PostgresClient::connect(proxy.port, "viewer");
    for sql in [
        "update public.people set id = 1 returning public.people.email || ''",
        "update public.people set id = 1 returning (select public.people.email || '')",
        "update public.people set id = 1 where public.people.email like 'can%' returning id",
        "update public.people set email = upper(public.people.email) returning email || ''",
        "update public.people set (email) = row(public.people.email) returning email || ''",
        "delete from public.people where public.people.email > '' returning public.people.email || ''",
        "insert into public.people(id, region, email) values (1, 'EU', 'x')
            on conflict (id) do update set id = 1 where public.people.email like 'can%' returning public.people.id",
        "merge into public.people using (values (1)) v(k) on id = k
            when matched and public.people.email like 'can%' then delete",
        "with d as (update public.people set id = 1 returning public.people.email || '' as p) select p from d",
        "copy (update public.people set id = 1 returning public.people.email || '') to stdout",
    ] {
        client.run("begin");
        let lines = client.run(sql);
        assert!(!lines.concat().to_lowercase().contains("canary"), "{sql}: {lines:?}");
        for count in ["D 1", "C MERGE 1", "C DELETE 1"] {
            assert!(!lines.iter().any(|line| line == count), "{sql}: {lines:?}");
        }
        client.run("rollback");
    }
}
