//! PostgreSQL sessions through the proxy, message by message, against a real server.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::pg_client::{
    PostgresClient, bind, close, describe, execute, field, flush, message, parse, query, show, startup, sync,
};
use crate::support::pg_proxy::PostgresProxy;
use crate::support::{PostgresDatabase, postgres};

const PEOPLE: &str = "create table people(id int primary key, email text);
    insert into people values (1, 'ann@example.com'), (2, 'bob@example.com'), (3, null);
    grant all on all tables in schema public to public";

const VIEWER: &str = "[role.viewer]\ngrant = [ { on = 'shop.public.*', allow = ['read', 'insert'] } ]\n";

const MASKED: &str = "[role.viewer]\ngrant = [ { on = 'shop.public.*', allow = ['read'] } ]
[[protect]]\nname = 'mail'\ncolumns = ['shop.public.people.email']\nmask = { kind = 'fixed', value = 'hidden' }\n";

fn people() -> (PostgresDatabase, PostgresProxy) {
    let database = postgres().database(PEOPLE);
    let proxy = PostgresProxy::start(&database, VIEWER);
    (database, proxy)
}

fn lines<const N: usize>(lines: [&str; N]) -> Vec<String> {
    lines.map(str::to_owned).to_vec()
}

#[test]
fn a_text_of_several_statements_ends_at_its_first_error() {
    let (_database, proxy) = people();
    for user in ["admin", "viewer"] {
        let mut client = PostgresClient::connect(proxy.port, user);
        let done = client.run("select id as n from people order by id limit 2; select 1/0; select 3");
        assert_eq!(done, lines(["T n", "D 1", "D 2", "C SELECT 2", "E 22012 division by zero", "Z I"]));
        assert_eq!(client.run(""), lines(["I", "Z I"]));
        assert_eq!(client.run("begin; select 1 as one"), lines(["C BEGIN", "T one", "D 1", "C SELECT 1", "Z T"]));
        let failed = client.run("selec");
        assert!(failed[0].starts_with("E 42601") && failed[1] == "Z E", "{failed:?}");
        assert_eq!(client.run("rollback"), lines(["C ROLLBACK", "Z I"]));
    }
}

#[test]
fn a_pipeline_skips_to_the_next_sync_after_an_error() {
    let (_database, proxy) = people();
    for user in ["admin", "viewer"] {
        let mut client = PostgresClient::connect(proxy.port, user);
        client.send(&[
            parse("", "select $1::int / (id - $2::int) as q from people where id = 1"),
            bind("", "", &["6", "1"]),
            execute("", 0),
            bind("", "", &["6", "0"]),
            execute("", 0),
            sync(),
            bind("", "", &["6", "3"]),
            describe(b'P', ""),
            execute("", 0),
            sync(),
        ]);
        let first = lines(["1", "2", "E 22012 division by zero", "Z I"]);
        assert_eq!(client.until_ready(), first, "{user}");
        assert_eq!(client.until_ready(), lines(["2", "T q", "D -3", "C SELECT 1", "Z I"]), "{user}");
    }
}

#[test]
fn portals_give_their_rows_in_parts() {
    let (_database, proxy) = people();
    for user in ["admin", "viewer"] {
        let mut client = PostgresClient::connect(proxy.port, user);
        client.send(&[
            parse("s", "select id from people order by id"),
            describe(b'S', "s"),
            bind("p", "s", &[]),
            execute("p", 2),
            execute("p", 2),
            close(b'P', "p"),
            close(b'S', "s"),
            sync(),
        ]);
        let expected = ["1", "t 0", "T id", "2", "D 1", "D 2", "s", "D 3", "C SELECT 1", "3", "3", "Z I"];
        assert_eq!(client.until_ready(), lines(expected), "{user}");
        // Flush brings answers without an end of the batch.
        client.send(&[parse("", "select 1 as x"), flush()]);
        assert_eq!(client.until(|line| line == "1"), lines(["1"]));
        client.send(&[bind("", "", &[]), execute("", 0), sync()]);
        assert_eq!(client.until_ready(), lines(["2", "D 1", "C SELECT 1", "Z I"]));
    }
}

#[test]
fn names_are_those_of_the_server() {
    let (_database, proxy) = people();
    let mut client = PostgresClient::connect(proxy.port, "viewer");
    let (long, cut) = ("n".repeat(70), "n".repeat(63));
    client.send(&[parse(&long, "select 1 as x"), bind("", &cut, &[]), execute("", 0), sync()]);
    assert_eq!(client.until_ready(), lines(["1", "2", "D 1", "C SELECT 1", "Z I"]));
    // A second statement of the name is refused, and the first one stays.
    client.send(&[parse(&cut, "select 2 as y"), sync(), bind("", &long, &[]), execute("", 0), sync()]);
    assert!(client.until_ready()[0].starts_with("E 42P05"));
    assert_eq!(client.until_ready(), lines(["2", "D 1", "C SELECT 1", "Z I"]));
    client.send(&[bind("", "none", &[]), execute("", 0), sync()]);
    assert_eq!(client.until_ready(), lines(["E 26000 prepared statement \"none\" does not exist", "Z I"]));
    client.send(&[execute("none", 0), sync()]);
    assert_eq!(client.until_ready(), lines(["E 34000 portal \"none\" does not exist", "Z I"]));
    // Statements of SQL and of the protocol share names.
    assert_eq!(client.run("prepare q as select 7 as z"), lines(["C PREPARE", "Z I"]));
    client.send(&[bind("", "q", &[]), execute("", 0), sync()]);
    assert_eq!(client.until_ready(), lines(["2", "D 7", "C SELECT 1", "Z I"]));
    assert_eq!(client.run("execute q"), lines(["T z", "D 7", "C SELECT 1", "Z I"]));
    assert_eq!(client.run("deallocate all"), lines(["C DEALLOCATE ALL", "Z I"]));
    assert!(client.run("execute q")[0].starts_with("E 26000"));
}

#[test]
fn copy_goes_both_ways_and_fails_in_every_way() {
    let (database, proxy) = people();
    let data = |text: &str| message(b'd', &[text.as_bytes()]);
    let done = || message(b'c', &[]);
    for user in ["admin", "viewer"] {
        let mut client = PostgresClient::connect(proxy.port, user);
        database.execute("delete from people where id > 3");
        client.send(&[query("copy people from stdin")]);
        assert_eq!(client.until(|line| line == "G"), lines(["G"]), "{user}");
        client.send(&[data("10\tx\n11\t"), data("y\n"), done()]);
        assert_eq!(client.until_ready(), lines(["C COPY 2", "Z I"]));
        // Given up by the client.
        client.send(&[query("copy people from stdin"), data("12\tz\n"), message(b'f', &[b"no\0"])]);
        let failed = client.until_ready();
        assert_eq!((failed[0].as_str(), &failed[1][..7]), ("G", "E 57014"), "{failed:?}");
        // Wrong data, while more is on its way, and what follows is answered.
        client.send(&[
            query("copy people from stdin"),
            data("bad\tz\n"),
            data("13\tz\n"),
            done(),
            query("select 1 as x"),
        ]);
        assert!(client.until_ready()[1].starts_with("E 22P02"));
        assert_eq!(client.until_ready(), lines(["T x", "D 1", "C SELECT 1", "Z I"]));
        // The extended protocol, with the Sync that libpq sends ahead.
        client.send(&[parse("", "copy people from stdin"), bind("", "", &[]), execute("", 0), sync()]);
        assert_eq!(client.until(|line| line == "G"), lines(["1", "2", "G"]));
        client.send(&[data("14\tw\n"), done(), sync()]);
        assert_eq!(client.until_ready(), lines(["C COPY 1", "Z I"]));
        client.send(&[parse("", "copy people from stdin"), bind("", "", &[]), execute("", 0), sync()]);
        client.until(|line| line == "G");
        client.send(&[data("bad\tw\n"), done(), sync(), query("select 2 as x")]);
        assert!(client.until_ready()[0].starts_with("E 22P02"));
        assert_eq!(client.until_ready(), lines(["T x", "D 2", "C SELECT 1", "Z I"]));
        // Out, and a COPY in one go with a setting before it.
        let out = client.run("copy (select id from people where id > 9 order by id) to stdout");
        assert_eq!(out, lines(["H", "d 10", "d 11", "d 14", "c", "C COPY 3", "Z I"]));
        client.send(&[query("set search_path to public; copy people from stdin"), data("15\tv\n"), done()]);
        assert_eq!(client.until_ready(), lines(["C SET", "G", "C COPY 1", "Z I"]));
    }
    let count = database.rows("select count(*) from people where id >= 10");
    assert_eq!(count, [["4"]]);
}

#[test]
fn a_message_that_has_no_place_in_copy_ends_the_session() {
    let (_database, proxy) = people();
    let mut client = PostgresClient::connect(proxy.port, "admin");
    client.send(&[query("copy people from stdin")]);
    client.until(|line| line == "G");
    client.send(&[query("select 1")]);
    assert!(client.until_end()[0].starts_with("E 08P01"));
}

#[test]
fn notices_notifications_and_parameters_arrive() {
    let (_database, proxy) = people();
    let mut client = PostgresClient::connect(proxy.port, "admin");
    assert_eq!(client.run("do $$ begin raise notice 'hello'; end $$"), lines(["N 00000 hello", "C DO", "Z I"]));
    assert_eq!(client.run("listen news"), lines(["C LISTEN", "Z I"]));
    assert_eq!(client.run("notify news, 'now'"), lines(["C NOTIFY", "A news now", "Z I"]));
    client.run("set timezone to 'Asia/Tokyo'");
    assert_eq!(client.parameter("TimeZone"), Some("Asia/Tokyo"));
    // While nothing runs.
    let mut other = PostgresClient::connect(proxy.port, "admin");
    other.run("notify news, 'later'");
    assert_eq!(client.until(|_| true), lines(["A news later"]));
}

#[test]
fn a_cancel_request_reaches_its_own_session_only() {
    let (_database, proxy) = people();
    let mut client = PostgresClient::connect(proxy.port, "viewer");
    let cancel = |process: &[u8], secret: &[u8]| {
        let mut canceller = PostgresClient::open(proxy.port);
        let body = [&80_877_102_u32.to_be_bytes()[..], process, secret].concat();
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        canceller.send(&[length.to_vec(), body]);
        assert!(canceller.until_end().is_empty());
    };
    client.send(&[query("select pg_sleep(1)")]);
    std::thread::sleep(Duration::from_millis(300));
    let key = client.key.clone();
    cancel(&key[..4], b"nope");
    assert_eq!(client.until_ready().last().unwrap(), "Z I");
    client.send(&[query("select pg_sleep(30)")]);
    std::thread::sleep(Duration::from_millis(300));
    cancel(&key[..4], &key[4..]);
    let cancelled = client.until_ready();
    assert_eq!(cancelled[1], "E 57014 canceling statement due to user request");
}

#[test]
fn a_large_value_streams_in_constant_memory() {
    let (_database, proxy) = people();
    let mut client = PostgresClient::connect(proxy.port, "admin");
    client.send(&[query("select repeat('x', 200000000)")]);
    assert_eq!(show(client.read().0, &[0, 0]), "T");
    let before = resident();
    let (tag, body) = client.read();
    assert_eq!((tag, body.len()), (b'D', 200_000_006));
    // The client of this test holds the value itself.
    assert!(resident() < before + 260_000_000, "{} → {}", before, resident());
    assert_eq!(client.until_ready(), lines(["C SELECT 1", "Z I"]));
}

/// Resident memory of this process in bytes, proxy and client together.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

#[test]
fn any_split_of_the_bytes_gives_the_same() {
    let (_database, proxy) = people();
    let mut client = PostgresClient::connect(proxy.port, "viewer");
    let script = [
        parse("s", "select id, $1::text as t from people where id = 1"),
        describe(b'S', "s"),
        bind("", "s", &["abc"]),
        execute("", 0),
        sync(),
        query("select 'simple' as kind"),
    ];
    let expected = ["1", "t 1", "T id t", "2", "D 1|abc", "C SELECT 1", "Z I"];
    for size in [1, 2, 3, 7] {
        for piece in script.concat().chunks(size) {
            client.send(&[piece.to_vec()]);
            std::thread::sleep(Duration::from_micros(200));
        }
        assert_eq!(client.until_ready(), lines(expected), "{size}");
        assert_eq!(client.until_ready(), lines(["T kind", "D simple", "C SELECT 1", "Z I"]));
        client.send(&[close(b'S', "s"), sync()]);
        client.until_ready();
    }
}

#[test]
fn a_refusal_is_to_the_client_as_any_failed_statement() {
    let (database, proxy) = people();
    database.execute("create table secret(a int)");
    let rules = "[role.viewer]\ngrant = [ { on = 'shop.public.people', allow = ['read'] } ]\n";
    proxy.reload(rules);
    let mut client = PostgresClient::connect(proxy.port, "viewer");
    let refused = |line: &String| line.starts_with("E 42501") && line.contains("secret");
    assert_eq!(client.run("begin"), lines(["C BEGIN", "Z T"]));
    let answer = client.run("select * from secret");
    assert!(refused(&answer[0]) && answer[1] == "Z E", "{answer:?}");
    assert!(client.run("select 1")[0].starts_with("E 25P02"));
    assert_eq!(client.run("commit"), lines(["C ROLLBACK", "Z I"]));
    // In a pipeline: the rest up to Sync is skipped, other names stay usable.
    client.send(&[parse("good", "select 1 as x"), sync()]);
    client.until_ready();
    client.send(&[parse("bad", "select a from secret"), bind("", "bad", &[]), execute("", 0), sync()]);
    client.send(&[bind("", "good", &[]), execute("", 0), sync()]);
    let answer = client.until_ready();
    assert!(refused(&answer[0]) && answer[1] == "Z I" && answer.len() == 2, "{answer:?}");
    assert_eq!(client.until_ready(), lines(["2", "D 1", "C SELECT 1", "Z I"]));
    // The record says so, and what came of it.
    let records = proxy.records();
    let refusals: Vec<_> = records.iter().filter(|r| r["verdict"] == "refused" || r["outcome"] == "refused").collect();
    assert!(refusals.len() >= 2, "{records:#?}");
}

#[test]
fn function_calls_by_number_are_for_roles_without_rules() {
    let (database, proxy) = people();
    let oid = database.rows("select 'pg_catalog.int4pl'::regproc::oid")[0][0].parse::<u32>().unwrap();
    // Two text arguments, result as text.
    let body = [&oid.to_be_bytes()[..], &[0, 0, 0, 2, 0, 0, 0, 1, b'2', 0, 0, 0, 1, b'3', 0, 0]].concat();
    let mut admin = PostgresClient::connect(proxy.port, "admin");
    admin.send(&[message(b'F', &[&body])]);
    assert_eq!(admin.until_ready(), lines(["V", "Z I"]));
    let mut viewer = PostgresClient::connect(proxy.port, "viewer");
    viewer.send(&[message(b'F', &[&body])]);
    assert!(viewer.until_ready()[0].starts_with("E 0A000"));
    assert_eq!(viewer.run("select 1 as x")[1], "D 1");
}

#[test]
fn errors_over_protected_tables_quote_no_values() {
    let database = postgres().database(PEOPLE);
    let proxy = PostgresProxy::start(&database, MASKED);
    let mut viewer = PostgresClient::connect(proxy.port, "viewer");
    assert_eq!(viewer.run("select email from people where id = 1")[1], "D hidden");
    viewer.send(&[query("select id from people where email::int = 1")]);
    let (tag, body) = viewer.read();
    assert_eq!((tag, field(&body, b'C').as_str()), (b'E', "22P02"));
    assert!(!field(&body, b'M').contains("hidden") && !field(&body, b'M').contains("ann"), "{}", field(&body, b'M'));
    for letter in *b"DWPq" {
        assert_eq!(field(&body, letter), "");
    }
}

#[test]
fn prepared_statements_follow_the_rules_in_force() {
    let database = postgres().database(PEOPLE);
    let proxy = PostgresProxy::start(&database, VIEWER);
    let mut client = PostgresClient::connect(proxy.port, "viewer");
    client.send(&[parse("s", "select email from people where id = $1"), sync()]);
    client.until_ready();
    let run = || [bind("", "s", &["1"]), execute("", 0), sync()];
    client.send(&run());
    assert_eq!(client.until_ready(), lines(["2", "D ann@example.com", "C SELECT 1", "Z I"]));
    // Prepared anew behind the client's back.
    proxy.reload(MASKED);
    client.send(&run());
    assert_eq!(client.until_ready(), lines(["2", "D hidden", "C SELECT 1", "Z I"]));
    // And refused where it may not run any more.
    proxy.reload("[role.viewer]\ngrant = [ { on = 'shop.public.other', allow = ['read'] } ]\n");
    client.send(&run());
    let refused = client.until_ready();
    assert!(refused[0].starts_with("E 42") && refused.len() == 2, "{refused:?}");
    proxy.reload(VIEWER);
    client.send(&run());
    assert_eq!(client.until_ready()[1], "D ann@example.com");
    // The role is gone: so is the session.
    proxy.reload("");
    client.send(&[query("select 1")]);
    assert!(client.until_end()[0].starts_with("E 57P01"));
}

#[test]
fn a_prepared_result_keeps_its_columns_or_fails_as_on_the_server() {
    let database = postgres().database(PEOPLE);
    let proxy = PostgresProxy::start(&database, MASKED);
    let mut client = PostgresClient::connect(proxy.port, "viewer");
    client.send(&[parse("s", "select * from people where id = 1"), describe(b'S', "s"), sync()]);
    assert_eq!(client.until_ready(), lines(["1", "t 0", "T id email", "Z I"]));
    let run = || [bind("", "s", &[]), execute("", 0), sync()];
    let mut admin = PostgresClient::connect(proxy.port, "admin");
    admin.send(&[parse("s", "select * from people where id = 1"), sync()]);
    admin.until_ready();
    admin.run("alter table people add column note text");
    let changed = lines(["E 0A000 cached plan must not change result type", "Z I"]);
    admin.send(&run());
    assert_eq!(admin.until_ready(), changed, "the server's own words");
    // What was sent lists the columns, so the proxy says it.
    let mut answer = Vec::new();
    for _ in 0..200 {
        client.send(&run());
        answer = client.until_ready();
        if answer == changed {
            break;
        }
        assert_eq!(answer, lines(["2", "D 1|hidden", "C SELECT 1", "Z I"]));
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(answer, changed);
    client.send(&[close(b'S', "s"), parse("s", "select * from people where id = 1"), describe(b'S', "s"), sync()]);
    assert_eq!(client.until_ready(), lines(["3", "1", "t 0", "T id email note", "Z I"]));
    client.send(&run());
    assert_eq!(client.until_ready(), lines(["2", "D 1|hidden|NULL", "C SELECT 1", "Z I"]));
}

#[test]
fn the_second_lock_withholds_what_arrives_raw() {
    let database = postgres().database(&PEOPLE.replace("email text", "email text, note text"));
    let proxy = PostgresProxy::start(&database, MASKED);
    let mut client = PostgresClient::connect(proxy.port, "viewer");
    // Decided by the catalog as it was; when the server reads the name, it is that of the protected column.
    client.send(&[query("select pg_sleep(1); select note from people; select 3"), query("select 4 as x")]);
    std::thread::sleep(Duration::from_millis(400));
    database.execute("alter table people rename note to n; alter table people rename email to note");
    let answer = client.until_ready();
    assert!(answer.iter().all(|line| !line.contains("example.com")), "{answer:?}");
    assert!(answer.iter().any(|line| line.starts_with("E 42501") && line.contains("email")), "{answer:?}");
    assert_eq!(answer.last().unwrap(), "Z I");
    assert_eq!(client.until_ready(), lines(["T x", "D 4", "C SELECT 1", "Z I"]));
    assert_eq!(proxy.node.metrics.second_lock_hits.get(), 1);
    assert!(proxy.records().iter().any(|record| record["kind"] == "second_lock"));
}

#[test]
fn the_second_lock_asks_the_rules_that_decided() {
    let database = postgres().database(PEOPLE);
    let proxy = PostgresProxy::start(&database, VIEWER);
    let mut client = PostgresClient::connect(proxy.port, "viewer");
    client.send(&[query("select pg_sleep(0.6); select email from people where id = 1"), query("select 4 as x")]);
    std::thread::sleep(Duration::from_millis(200));
    proxy.reload(MASKED);
    let answer = client.until_ready();
    assert_eq!(answer[3..], lines(["T email", "D ann@example.com", "C SELECT 1", "Z I"]));
    client.until_ready();
    assert_eq!(client.run("select email from people where id = 1")[1], "D hidden");
    // A portal that was opened before gives no more rows than the rules of now would.
    proxy.reload(VIEWER);
    client.run("begin");
    client.send(&[parse("", "select email from people order by id"), bind("p", "", &[]), execute("p", 1), flush()]);
    assert_eq!(client.until(|line| line == "s"), lines(["1", "2", "D ann@example.com", "s"]));
    proxy.reload(MASKED);
    client.send(&[execute("p", 1), sync()]);
    let refused = "E 0A000 cursor \"p\" was opened under rules that have changed since";
    assert_eq!(client.until_ready(), lines([refused, "Z E"]));
    assert_eq!(proxy.node.metrics.second_lock_hits.get(), 0);
}

#[test]
fn errors_point_into_the_clients_own_text() {
    let database = postgres().database(PEOPLE);
    let proxy = PostgresProxy::start(&database, MASKED);
    let mut viewer = PostgresClient::connect(proxy.port, "viewer");
    let mut position = |messages: &[Vec<u8>]| {
        viewer.send(messages);
        let (tag, body) = loop {
            let (tag, body) = viewer.read();
            if tag == b'E' {
                break (tag, body);
            }
        };
        viewer.until_ready();
        assert_eq!((tag, field(&body, b'C').as_str()), (b'E', "42883"), "{}", field(&body, b'M'));
        field(&body, b'P')
    };
    let text = "/* tool */ select 'あいう' as x,\n  email,\n  id + 'x'::text\nfrom people where id = 7";
    let place = (text.chars().position(|c| c == '+').unwrap() + 1).to_string();
    // Twice: planned, then from a plan that is remembered.
    for again in ["7", "71"] {
        let text = text.replace('7', again);
        assert_eq!(position(&[query(&text)]), place);
        assert_eq!(position(&[parse("", &text), sync()]), place);
    }
    // What is wrong with the text of a mask is at no place of the client's.
    proxy
        .reload(&MASKED.replace("{ kind = 'fixed', value = 'hidden' }", "{ kind = 'sql', postgres = '{column} + 1' }"));
    assert_eq!(position(&[query("select email from people")]), "");
}

#[test]
fn the_role_changes_between_statements_only() {
    let database = postgres().database(PEOPLE);
    let proxy = PostgresProxy::start(&database, MASKED);
    let mut client = PostgresClient::connect(proxy.port, "admin");
    client.run("create temporary table mine(a int); set work_mem to '8MB'");
    assert_eq!(client.run("set role viewer"), lines(["C SET", "Z I"]));
    assert_eq!(client.run("select email from people where id = 1")[1], "D hidden");
    // In one go, by both protocols; nothing of the other role's session is left.
    client.send(&[query("set role admin"), query("select email from people where id = 1")]);
    client.until_ready();
    assert_eq!(client.until_ready()[1], "D ann@example.com");
    client.send(&[parse("", "set role viewer"), bind("", "", &[]), execute("", 0), sync()]);
    client.send(&[parse("", "select email from people where id = 1"), bind("", "", &[]), execute("", 0), sync()]);
    assert_eq!(client.until_ready(), lines(["1", "2", "C SET", "Z I"]));
    assert_eq!(client.until_ready(), lines(["1", "2", "D hidden", "C SELECT 1", "Z I"]));
    client.run("begin");
    assert!(client.run("set role admin")[0].starts_with("E 25001"));
    assert_eq!(
        client.run("set role viewer")[0],
        "E 25P02 current transaction is aborted, commands ignored until end of transaction block"
    );
    client.run("rollback");
    assert!(client.run("set role nobody")[0].starts_with("E 42501"));
    client.run("set role admin");
    assert!(client.run("select * from mine")[0].starts_with("E 42P01"));
    // Roles of the server are the server's where no rules apply, and the way back from them is.
    client.run("create temporary table kept(a int); set role app");
    assert_eq!(client.run("select current_user")[1], "D app");
    assert_eq!(client.run("reset role"), lines(["C RESET", "Z I"]));
    assert_eq!(client.run("select current_user, count(*) from kept")[1], "D postgres|0");
}

#[test]
fn new_tables_are_known_to_the_next_statement() {
    let (_database, proxy) = people();
    proxy.reload("[role.viewer]\ngrant = [ { on = 'shop.public.*', allow = ['all'] } ]\n");
    let mut admin = PostgresClient::connect(proxy.port, "admin");
    let mut viewer = PostgresClient::connect(proxy.port, "viewer");
    admin.run("create table later(a int); insert into later values (5)");
    assert_eq!(viewer.run("select a from later")[1], "D 5");
    assert_eq!(viewer.run("create table own(b int)"), lines(["C CREATE TABLE", "Z I"]));
    assert_eq!(viewer.run("insert into own values (6)"), lines(["C INSERT 0 1", "Z I"]));
    assert_eq!(viewer.run("select b from own")[1], "D 6");
}

#[test]
fn malformed_input_ends_only_its_own_connection() {
    let (_database, proxy) = people();
    let mut good = PostgresClient::connect(proxy.port, "viewer");
    good.run("select 1");
    let attacks: Vec<Vec<u8>> = vec![
        message(b'?', &[b"x"]),
        b"Q\0\0\0\x03".to_vec(),
        b"Q\xff\xff\xff\xff".to_vec(),
        b"Q\x7f\xff\xff\xff".to_vec(),
        message(b'Q', &[b"no end"]),
        message(b'Q', &[b"select 1\0trailing\0"]),
        message(b'P', &[b"a\0b\0\0\x05"]),
        message(b'B', &[&[b'x'; 6000]]),
        message(b'D', &[b"Xname\0"]),
        message(b'E', &[b"p\0\0"]),
        message(b'S', &[b"x"]),
        message(b'p', &[b"password\0"]),
        message(b'E', &[&[0; 9000]]),
    ];
    for attack in &attacks {
        let mut bad = PostgresClient::connect(proxy.port, "viewer");
        bad.send(std::slice::from_ref(attack));
        let answer = bad.until_end();
        let is_told = answer.iter().all(|line| line.starts_with("E 08P01") || line.starts_with("E 54000"));
        assert!(is_told && answer.len() == 1, "{attack:?} {answer:?}");
    }
    for garbage in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        b"\0\0\0\x04",
        b"\0\0\x27\x11\0\x03\0\0",
        &[0xff; 64],
        b"\x16\x03\x01junkjunkjunk",
    ] {
        let mut bad = PostgresClient::open(proxy.port);
        bad.send(&[garbage.to_vec()]);
        bad.half_close();
        let answer = bad.until_end();
        assert!(answer.is_empty() || (answer == ["?"] && garbage[0] == 0x16), "{garbage:?} {answer:?}");
    }
    // Truncated at every place.
    let whole = startup(3 << 16, &[("user", "viewer"), ("database", "shop")]);
    for cut in 1..whole.len() {
        let mut bad = PostgresClient::open(proxy.port);
        bad.send(&[whole[..cut].to_vec()]);
        bad.half_close();
        assert_eq!(bad.until_end(), lines([]));
    }
    assert_eq!(good.run("select 1 as x")[1], "D 1");
    assert!(proxy.node.metrics.protocol_errors.get() >= attacks.len() as u64);
}

#[test]
fn versions_options_and_replication_are_answered() {
    let (_database, proxy) = people();
    let parameters = [("user", "viewer"), ("database", "shop")];
    let ask = |version: u32, more: &[(&str, &str)]| {
        let mut client = PostgresClient::open(proxy.port);
        client.send(&[startup(version, &[&parameters[..], more].concat())]);
        let (tag, body) = client.read();
        (client, tag, body)
    };
    assert_eq!(ask(3 << 16, &[]).1, b'R');
    let (mut client, tag, _) = ask(3 << 16 | 2, &[]);
    assert_eq!(tag, b'R');
    drop(client);
    client = PostgresClient::open(proxy.port);
    client.send(&[startup(3 << 16 | 2, &parameters)]);
    client.log_in("viewer-pw").unwrap();
    assert_eq!(client.key.len(), 36);
    let (_, tag, body) = ask(0x0003_0063, &[("_pq_.unknown", "1")]);
    assert_eq!((tag, &body[..8], &body[8..]), (b'v', &[0, 3, 0, 2, 0, 0, 0, 1][..], &b"_pq_.unknown\0"[..]));
    let refusal = |(_, tag, body): (PostgresClient, u8, Vec<u8>)| show(tag, &body);
    assert!(refusal(ask(2 << 16, &[])).starts_with("E 0A000 unsupported frontend protocol 2.0"));
    assert!(refusal(ask(3 << 16, &[("replication", "database")])).starts_with("E 0A000 replication"));
    // GSSAPI encryption is declined, and the connection goes on.
    let mut client = PostgresClient::open(proxy.port);
    client.send(&[vec![0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30]]);
    let mut answer = [0];
    std::io::Read::read_exact(&mut client.tcp, &mut answer).unwrap();
    assert_eq!(&answer, b"N");
    client.send(&[startup(3 << 16, &parameters)]);
    client.log_in("viewer-pw").unwrap();
}

#[test]
fn logins_are_refused_in_the_servers_words_and_recorded() {
    let (_database, proxy) = people();
    for (user, password) in [("viewer", "wrong"), ("nobody", "viewer-pw")] {
        let mut client = PostgresClient::open(proxy.port);
        client.send(&[startup(3 << 16, &[("user", user), ("database", "shop")])]);
        let error = client.log_in(password).unwrap_err();
        assert_eq!(error, format!("E 28P01 password authentication failed for user \"{user}\""));
    }
    let refused = proxy.records().iter().filter(|record| record["kind"] == "login_refused").count();
    assert_eq!(refused, 2);
    let mut client = PostgresClient::open(proxy.port);
    client.send(&[startup(3 << 16, &[("user", "viewer"), ("database", "other")])]);
    assert_eq!(client.log_in("viewer-pw").unwrap_err(), "E 3D000 database \"other\" does not exist");
}

#[test]
fn startup_settings_of_a_restricted_role_are_a_fixed_list() {
    let (_database, proxy) = people();
    let mut client = PostgresClient::connect_with(
        proxy.port,
        "viewer",
        &[("application_name", "tool"), ("client_encoding", "utf-8"), ("options", "-c statement_timeout=77s")],
    );
    assert_eq!(client.run("show statement_timeout")[1], "D 77s");
    assert_eq!(client.parameter("application_name"), Some("tool"));
    assert_eq!(client.parameter("client_encoding"), Some("UTF8"));
    for (name, value) in [
        ("standard_conforming_strings", "off"),
        ("client_encoding", "LATIN1"),
        ("session_preload_libraries", "x"),
        ("role", "postgres"),
        ("sekisho.key_i", "00"),
        ("options", "-c session_authorization=postgres"),
        ("options", "-B 5"),
        ("search_path", "public; drop table people"),
    ] {
        let mut client = PostgresClient::open(proxy.port);
        client.send(&[startup(3 << 16, &[("user", "viewer"), ("database", "shop"), (name, value)])]);
        let error = client.log_in("viewer-pw").unwrap_err();
        assert!(error.starts_with("E 42501"), "{name}: {error}");
    }
    let mut admin = PostgresClient::connect_with(proxy.port, "admin", &[("standard_conforming_strings", "off")]);
    assert_eq!(admin.run("show standard_conforming_strings")[1], "D off");
}

#[test]
fn a_server_that_goes_away_is_said_and_ends_the_session() {
    let (database, proxy) = people();
    let mut client = PostgresClient::connect(proxy.port, "admin");
    let pid = client.run("select pg_backend_pid()")[1].trim_start_matches("D ").to_owned();
    database.execute(&format!("select pg_terminate_backend({pid})"));
    let last = client.until_end();
    assert_eq!(last, lines(["E 57P01 terminating connection due to administrator command"]));
}

#[test]
fn a_half_closed_client_gets_its_answers() {
    let (_database, proxy) = people();
    let mut client = PostgresClient::connect(proxy.port, "viewer");
    client.send(&[query("select pg_sleep(0.5)"), query("select 2 as x")]);
    client.half_close();
    let answer = client.until_end();
    assert_eq!(answer[answer.len() - 4..], lines(["T x", "D 2", "C SELECT 1", "Z I"]));
}

#[test]
fn a_slow_login_is_cut_off() {
    let database = postgres().database(PEOPLE);
    let timeouts = sekisho::session::Timeouts { login: Duration::from_millis(500), ..Default::default() };
    let proxy = PostgresProxy::start_with(database.source(), VIEWER, timeouts);
    let begun = Instant::now();
    let mut client = PostgresClient::open(proxy.port);
    for byte in startup(3 << 16, &[("user", "viewer"), ("database", "shop")]) {
        if std::io::Write::write_all(&mut client.tcp, &[byte]).is_err() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(client.until_end(), lines([]));
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn shutting_down_lets_statements_and_transactions_end() {
    let (_database, proxy) = people();
    let mut idle = PostgresClient::connect(proxy.port, "viewer");
    let mut running = PostgresClient::connect(proxy.port, "viewer");
    let mut open = PostgresClient::connect(proxy.port, "viewer");
    open.run("begin");
    running.send(&[query("select pg_sleep(1), 7 as x")]);
    std::thread::sleep(Duration::from_millis(200));
    proxy.stop();
    let farewell = "E 57P01 terminating connection because the proxy is shutting down";
    assert_eq!(idle.until_end(), lines([farewell]));
    let answer = running.until_end();
    assert_eq!(answer[1..], lines(["D |7", "C SELECT 1", "Z I", farewell]));
    assert_eq!(open.run("select 1 as x")[1], "D 1");
    open.send(&[query("commit")]);
    assert_eq!(open.until_end(), lines(["C COMMIT", "Z I", farewell]));
}

#[test]
fn psql_speaks_to_it_by_tls_with_channel_binding() {
    let (_database, proxy) = people();
    let ask = |options: &str| {
        let text = format!("host=127.0.0.1 port={} user=viewer dbname=shop {options}", proxy.port);
        let done = Command::new(postgres().bin.join("psql"))
            .args(["-XAtc", "select 1", &text])
            .env("PGPASSWORD", "viewer-pw")
            .output()
            .unwrap();
        (String::from_utf8(done.stdout).unwrap(), String::from_utf8(done.stderr).unwrap())
    };
    assert_eq!(ask("sslmode=require channel_binding=require").0, "1\n");
    assert_eq!(ask("sslmode=disable").0, "1\n");
    let ca = proxy.folder.path().join("ca.crt");
    assert_eq!(ask(&format!("sslmode=verify-full sslrootcert={}", ca.display())).0, "1\n");
}
