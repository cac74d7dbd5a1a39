//! `[[limit]]` on PostgreSQL, message by message, against a real server.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::pg_client::{PostgresClient, bind, close, describe, execute, flush, message, parse, query, sync};
use crate::support::pg_proxy::PostgresProxy;
use crate::support::{PostgresDatabase, postgres};

const NUMBERS: &str = "create table numbers as select n, repeat('x', 100) as pad from generate_series(1, 20000) n;
    create table people(id int primary key, email text);
    insert into people select n, 'p' || n || '@example.com' from generate_series(1, 20) n;
    analyze; grant all on all tables in schema public to public";

const ROLE: &str = "[role.viewer]\ngrant = [ { on = 'shop.public.*', allow = ['read', 'write'] } ]
[[trust]]\nname = 'sleep'\nfunctions = ['shop.pg_catalog.pg_sleep']\n";

fn limited(limit: &str) -> (PostgresDatabase, PostgresProxy) {
    let database = postgres().database(NUMBERS);
    let rules =
        format!("{ROLE}[[limit]]\nname = 'small'\nowner = 'data platform'\nroles = ['viewer', 'admin']\n{limit}\n");
    let proxy = PostgresProxy::start(&database, &rules);
    (database, proxy)
}

fn shape(lines: &[String]) -> Vec<String> {
    // Rows folded to their number.
    let mut out: Vec<String> = Vec::new();
    let mut rows = 0;
    for line in lines.iter().map(String::as_str).chain(["end"]) {
        if line == "D" || line.starts_with("D ") || line.starts_with("d ") {
            rows += 1;
            continue;
        }
        if rows > 0 {
            out.push(format!("{rows} rows"));
            rows = 0;
        }
        if line != "end" {
            out.push(line.to_owned());
        }
    }
    out
}

const CUT: &str = "E 57014 result cut off: it has more than 10 rows, the `max_rows` of limit `small`";

/// The record of a kind that names a limit, once it is there.
fn record(proxy: &PostgresProxy, is_it: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..100 {
        if let Some(record) = proxy.records().into_iter().find(|record| is_it(record)) {
            return record;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("no such record among {:#?}", proxy.records());
}

fn statements_running(database: &PostgresDatabase) -> usize {
    let sql = "select 1 from pg_stat_activity where state = 'active' and datname = current_database()
               and pid <> pg_backend_pid()";
    database.rows(sql).len()
}

#[test]
fn a_result_over_max_rows_is_cut_off_in_the_simple_protocol() {
    let (database, proxy) = limited("max_rows = 10");
    for user in ["viewer", "admin"] {
        let mut client = PostgresClient::connect(proxy.port, user);
        assert_eq!(shape(&client.run("select n from numbers")), ["T n", "10 rows", CUT, "Z I"]);
        assert_eq!(statements_running(&database), 0, "the server stopped too");
        assert_eq!(shape(&client.run("select n from numbers where n <= 10")), ["T n", "10 rows", "C SELECT 10", "Z I"]);
        let several = client.run("select 1 as a; select n from numbers; select 3 as c");
        assert_eq!(shape(&several), ["T a", "1 rows", "C SELECT 1", "T n", "10 rows", CUT, "Z I"]);
        // Each statement of a text has its own result.
        let several = client.run("select n from numbers limit 8; select n from numbers limit 8");
        assert_eq!(shape(&several), ["T n", "8 rows", "C SELECT 8", "T n", "8 rows", "C SELECT 8", "Z I"]);
        // Inside a transaction it counts as a failed statement; the session goes on.
        client.run("begin");
        let cut = shape(&client.run("select n, pad from numbers"));
        assert_eq!(cut, ["T n pad", "10 rows", CUT, "Z E"]);
        assert_eq!(client.run("rollback"), ["C ROLLBACK", "Z I"]);
        assert_eq!(shape(&client.run("select n from numbers where n = 7")), ["T n", "1 rows", "C SELECT 1", "Z I"]);
    }
    let result = record(&proxy, |r| r["kind"] == "result" && r["limit"] == "max_rows");
    assert_eq!((&result["rule"], &result["rows"], &result["sqlstate"]), (&"small".into(), &10.into(), &"57014".into()));
    assert!(proxy.node.metrics.limits.get().any(|(limit, count)| limit.word() == "max_rows" && count >= 4));
}

#[test]
fn copy_out_and_cursors_are_cut_off_as_one_result() {
    let (_database, proxy) = limited("max_rows = 10");
    for user in ["viewer", "admin"] {
        let mut client = PostgresClient::connect(proxy.port, user);
        let copied = shape(&client.run("copy (select n from numbers) to stdout"));
        assert_eq!(copied.last().map(String::as_str), Some("Z I"));
        assert!(copied.contains(&"10 rows".to_owned()) && copied.contains(&CUT.to_owned()), "{copied:?}");
        let copied = shape(&client.run("copy people to stdout"));
        assert!(copied.contains(&CUT.to_owned()), "{copied:?}");

        client.run("begin");
        client.run("declare c cursor for select n from numbers");
        assert_eq!(shape(&client.run("fetch 6 from c")), ["T n", "6 rows", "C FETCH 6", "Z T"]);
        assert_eq!(shape(&client.run("fetch 6 from c")), ["T n", "4 rows", CUT, "Z E"], "a cursor is one result");
        client.run("rollback");
        // A cursor that outlives its transaction, and one declared anew.
        client.run("declare c cursor with hold for select n from numbers limit 20");
        assert_eq!(shape(&client.run("fetch 10 from c")), ["T n", "10 rows", "C FETCH 10", "Z I"]);
        assert_eq!(shape(&client.run("fetch 1 from c")), ["T n", CUT, "Z I"]);
        client.run("close c");
        client.run("declare c cursor with hold for select n from numbers limit 20");
        assert_eq!(shape(&client.run("fetch 10 from c")), ["T n", "10 rows", "C FETCH 10", "Z I"]);
        client.run("close c");
    }
}

#[test]
fn portals_and_pipelines_are_cut_off_in_the_extended_protocol() {
    let (_database, proxy) = limited("max_rows = 10");
    for user in ["viewer", "admin"] {
        let mut client = PostgresClient::connect(proxy.port, user);
        let select = || [parse("", "select n from numbers"), bind("", "", &[]), execute("", 0)];
        let [p, b, e] = select();
        client.send(&[p, b, describe(b'P', ""), e, sync()]);
        assert_eq!(shape(&client.until_ready()), ["1", "2", "T n", "10 rows", CUT, "Z I"]);
        // What follows up to Sync is skipped, what follows Sync is not.
        let [p, b, e] = select();
        client.send(&[
            p,
            b,
            e,
            parse("", "insert into people values (100, 'x')"),
            bind("", "", &[]),
            execute("", 0),
            sync(),
            parse("", "select id from people where id = 100"),
            bind("", "", &[]),
            execute("", 0),
            sync(),
        ]);
        assert_eq!(shape(&client.until_ready()), ["1", "2", "10 rows", CUT, "Z I"]);
        assert_eq!(shape(&client.until_ready()), ["1", "2", "C SELECT 0", "Z I"]);
        // A portal read in parts is one result.
        client.run("begin");
        client.send(&[
            parse("s", "select n from numbers"),
            bind("p", "s", &[]),
            execute("p", 6),
            execute("p", 6),
            sync(),
        ]);
        assert_eq!(shape(&client.until_ready()), ["1", "2", "6 rows", "s", "4 rows", CUT, "Z E"]);
        client.run("rollback");
        client.send(&[bind("", "s", &[]), execute("", 10), sync()]);
        assert_eq!(shape(&client.until_ready()), ["2", "10 rows", "s", "Z I"]);
        client.send(&[close(b'S', "s"), sync()]);
        assert_eq!(client.until_ready(), ["3", "Z I"]);
    }
}

#[test]
fn a_result_that_the_server_has_finished_is_cut_off_all_the_same() {
    let (_database, proxy) = limited("max_rows = 10");
    let mut client = PostgresClient::connect(proxy.port, "viewer");
    for _ in 0..30 {
        // Twenty rows are sent before a request to cancel can arrive.
        assert_eq!(shape(&client.run("select id from people; select 2 as b")), ["T id", "10 rows", CUT, "Z I"]);
        client.send(&[parse("", "select id from people"), bind("", "", &[]), execute("", 0), sync()]);
        assert_eq!(shape(&client.until_ready()), ["1", "2", "10 rows", CUT, "Z I"]);
        assert_eq!(client.run("select 1 as one"), ["T one", "D 1", "C SELECT 1", "Z I"]);
    }
}

#[test]
fn bytes_are_counted_for_each_result() {
    let (_database, proxy) = limited("max_bytes = '2KB'");
    let mut client = PostgresClient::connect(proxy.port, "viewer");
    let cut = shape(&client.run("select pad from numbers"));
    assert_eq!(cut[..2], ["T pad", "18 rows"]);
    assert!(
        cut[2].starts_with("E 57014 result cut off: it has more than 2000 bytes, the `max_bytes` of limit"),
        "{cut:?}"
    );
    let twice = "select pad from numbers limit 12; select pad from numbers limit 12";
    assert_eq!(
        shape(&client.run(twice)),
        ["T pad", "12 rows", "C SELECT 12", "T pad", "12 rows", "C SELECT 12", "Z I"]
    );
}

#[test]
fn a_statement_that_runs_too_long_is_cancelled_and_the_session_goes_on() {
    let (database, proxy) = limited("statement_timeout = '300ms'");
    let late = "E 57014 statement cancelled: it ran longer than 300ms, the `statement_timeout` of limit `small`";
    let slow = "select count(*) from numbers a, numbers b, numbers c";
    for user in ["viewer", "admin"] {
        let mut client = PostgresClient::connect(proxy.port, user);
        let begun = Instant::now();
        assert_eq!(shape(&client.run(slow))[..], ["T count", late, "Z I"]);
        assert!(begun.elapsed() >= Duration::from_millis(300), "{:?}", begun.elapsed());
        assert_eq!(statements_running(&database), 0);
        client.run("begin");
        client.send(&[parse("", slow), bind("", "", &[]), execute("", 0), sync()]);
        assert_eq!(shape(&client.until_ready()), ["1", "2", late, "Z E"]);
        assert_eq!(client.run("rollback"), ["C ROLLBACK", "Z I"]);
        // The statements of a text have their time together: the server says nothing before the last one ends.
        if user == "admin" {
            let two = shape(&client.run("select pg_sleep(0.2) as s; select pg_sleep(0.2) as s"));
            assert_eq!(two, ["T s", "1 rows", "C SELECT 1", "T s", late, "Z I"]);
        }
        assert_eq!(client.run("select 1 as one"), ["T one", "D 1", "C SELECT 1", "Z I"]);
        // Time without a statement does not count.
        std::thread::sleep(Duration::from_millis(400));
        assert_eq!(client.run("select 1 as one"), ["T one", "D 1", "C SELECT 1", "Z I"]);
    }
    let result = record(&proxy, |r| r["kind"] == "result" && r["limit"] == "statement_timeout");
    assert_eq!((&result["rule"], &result["action"]), (&"small".into(), &"stopped".into()));
}

#[test]
fn statements_over_max_concurrent_wait_a_little_and_are_refused() {
    let (_database, proxy) = limited("max_concurrent = 1");
    let mut first = PostgresClient::connect(proxy.port, "admin");
    let mut second = PostgresClient::connect(proxy.port, "admin");
    let mut third = PostgresClient::connect(proxy.port, "admin");
    first.send(&[query("select pg_sleep(1) as s")]);
    std::thread::sleep(Duration::from_millis(200));
    second.send(&[query("select 2 as two")]);
    std::thread::sleep(Duration::from_millis(200));
    // One runs, one waits: there is no room for a third.
    let full =
        "E 53400 statement refused: 1 statements of the role are running, and limit `small` has `max_concurrent` 1";
    assert_eq!(third.run("select 3 as three"), [full, "Z I"]);
    third.send(&[parse("", "select 3"), bind("", "", &[]), execute("", 0), sync()]);
    assert_eq!(third.until_ready(), ["1", "2", full, "Z I"]);
    assert_eq!(third.run("begin"), ["C BEGIN", "Z T"], "transactions can be begun and ended");
    assert_eq!(third.run("commit"), ["C COMMIT", "Z I"]);
    assert_eq!(shape(&first.until_ready()), ["T s", "1 rows", "C SELECT 1", "Z I"]);
    assert_eq!(second.until_ready(), ["T two", "D 2", "C SELECT 1", "Z I"]);
    assert_eq!(third.run("select 3 as three"), ["T three", "D 3", "C SELECT 1", "Z I"]);
    // Another role has its own turns.
    let refused = record(&proxy, |r| r["verdict"] == "refused");
    assert_eq!((&refused["limit"], &refused["rule"]), (&"max_concurrent".into(), &"small".into()));
}

#[test]
fn hours_hold_at_login_and_for_each_statement() {
    let (_database, proxy) = limited("hours = 'daily 00:00-24:00'");
    let mut client = PostgresClient::connect(proxy.port, "viewer");
    client.send(&[parse("s", "select 1 as one"), sync()]);
    client.until_ready();
    client.run("begin");
    let closed = |hours: &str| {
        format!("{ROLE}[[limit]]\nname = 'office'\nowner = 'data platform'\nroles = 'viewer'\nhours = '{hours}'\n")
    };
    // A day that is not today.
    let other_day = if chrono_free_weekday() == 3 { "Fri" } else { "Wed" };
    proxy.reload(&closed(other_day));
    let refused = client.run("select 1");
    assert!(
        refused[0].starts_with("E 42501 refused: it is ")
            && refused[0].contains(&format!("and `hours` of limit `office` are {other_day}")),
        "{refused:?}"
    );
    assert_eq!(refused[1], "Z E");
    assert_eq!(client.run("rollback"), ["C ROLLBACK", "Z I"], "a transaction can be ended at any time");
    client.send(&[bind("", "s", &[]), execute("", 0), sync()]);
    assert!(client.until_ready().iter().any(|line| line.starts_with("E 42501 refused: it is ")));
    let mut late = PostgresClient::open(proxy.port);
    late.send(&[crate::support::pg_client::startup(196_608, &[("user", "viewer"), ("database", "shop")])]);
    let error = late.log_in("viewer-pw").unwrap_err();
    assert!(error.contains("28000") && error.contains("rule `office`, owned by data platform"), "{error}");
    PostgresClient::connect(proxy.port, "admin");
    let turned_away = record(&proxy, |r| r["kind"] == "login_refused");
    assert!(turned_away["reason"].as_str().unwrap().contains("`hours` of limit `office`"), "{turned_away}");
}

/// Today's day of the week, Sunday is 0.
fn chrono_free_weekday() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    (now.as_secs() / 86400 + 4) % 7
}

#[test]
fn clients_come_from_the_networks_that_are_named() {
    let (_database, proxy) = limited("from = '10.0.0.0/8'");
    let mut client = PostgresClient::open(proxy.port);
    client.send(&[crate::support::pg_client::startup(196_608, &[("user", "viewer"), ("database", "shop")])]);
    let error = client.log_in("viewer-pw").unwrap_err();
    assert!(error.contains("you come from 127.0.0.1, and `from` of limit `small` is 10.0.0.0/8"), "{error}");
    proxy.reload(&format!("{ROLE}[[limit]]\nname = 'small'\nroles = 'viewer'\nfrom = '10.0.0.0/8'\n"));
    let mut admin = PostgresClient::connect(proxy.port, "admin");
    let refused = admin.run("set role viewer");
    assert!(refused[0].starts_with("E 42501 refused: you come from 127.0.0.1"), "{refused:?}");
}

#[test]
fn observe_mode_notes_limits_and_stops_nothing() {
    let database = postgres().database(NUMBERS);
    let role = ROLE.replace("[role.viewer]\n", "[role.viewer]\nmode = 'observe'\n");
    let other_day = if chrono_free_weekday() == 3 { "Fri" } else { "Wed" };
    let limit = format!("[[limit]]\nname = 'small'\nroles = 'viewer'\nmax_rows = 10\nhours = '{other_day}'\n");
    let proxy = PostgresProxy::start(&database, &format!("{role}{limit}"));
    let mut client = PostgresClient::connect(proxy.port, "viewer");
    assert_eq!(shape(&client.run("select id from people")), ["T id", "20 rows", "C SELECT 20", "Z I"]);
    let statement = record(&proxy, |r| r["kind"] == "statement" && r["verdict"] == "observed");
    assert_eq!((&statement["rule"], &statement["limit"]), (&"small".into(), &"hours".into()));
    let result = record(&proxy, |r| r["kind"] == "result" && r["limit"] == "max_rows");
    assert_eq!((&result["action"], &result["rows"]), (&"observed".into(), &20.into()));
}

#[test]
fn a_message_that_goes_with_a_failed_one_holds_no_turn_and_is_not_remembered() {
    let (_database, proxy) = limited("max_concurrent = 1");
    let mut first = PostgresClient::connect(proxy.port, "admin");
    let mut second = PostgresClient::connect(proxy.port, "admin");
    first.send(&[query("select pg_sleep(1) as s")]);
    std::thread::sleep(Duration::from_millis(200));
    // The execution waits for its turn while the server refuses the value that is bound.
    second.send(&[parse("", "select $1::int as n"), bind("", "", &["abc"]), execute("", 0), sync()]);
    assert!(second.until_ready()[1].starts_with("E 22P02"));
    first.until_ready();
    let mut third = PostgresClient::connect(proxy.port, "admin");
    assert_eq!(third.run("select 3 as three"), ["T three", "D 3", "C SELECT 1", "Z I"]);

    // A statement that is decided while an earlier one fails does not take the name: the server never heard of it.
    let mut fourth = PostgresClient::connect(proxy.port, "admin");
    fourth.send(&[parse("", "select 1 as one"), sync()]);
    fourth.until_ready();
    let slow = "select 1 / ((pg_sleep(0.3)::text = '')::int - 1)";
    fourth.send(&[parse("slow", slow), bind("", "slow", &[]), execute("", 0), flush(), parse("", "set role viewer")]);
    std::thread::sleep(Duration::from_millis(800));
    fourth.send(&[sync()]);
    assert_eq!(fourth.until_ready()[2], "E 22012 division by zero");
    fourth.send(&[bind("", "", &[]), execute("", 0), sync()]);
    assert_eq!(fourth.until_ready(), ["2", "D 1", "C SELECT 1", "Z I"]);
    let last = proxy.records().into_iter().rfind(|record| record["kind"] == "statement").unwrap();
    assert_eq!(last["text"], "select 1 as one");
}

#[test]
fn what_has_no_text_does_not_pass_by_rules_about_statements() {
    let (_database, proxy) = limited("max_concurrent = 5");
    let mut client = PostgresClient::connect(proxy.port, "admin");
    // FunctionCall of `pg_backend_pid`.
    client.send(&[message(b'F', &[&2026_u32.to_be_bytes(), &[0, 0, 0, 0, 0, 0]])]);
    assert!(client.until_ready()[0].starts_with("E 0A000"));
    assert_eq!(client.run("begin; declare c cursor for select 1 as one"), ["C BEGIN", "C DECLARE CURSOR", "Z T"]);
    client.send(&[execute("c", 0), sync()]);
    assert!(client.until_ready()[0].starts_with("E 0A000"));
}

#[test]
fn a_result_that_nobody_reads_holds_no_turn_when_its_time_is_up() {
    let (_database, proxy) = limited("statement_timeout = '2s'\nmax_concurrent = 1");
    let mut lazy = PostgresClient::connect(proxy.port, "viewer");
    lazy.send(&[query("select repeat(a.pad, 20) as r from numbers a, numbers b")]);
    std::thread::sleep(Duration::from_millis(2700));
    let mut other = PostgresClient::connect(proxy.port, "viewer");
    assert_eq!(other.run("select 1 as one"), ["T one", "D 1", "C SELECT 1", "Z I"]);
    let cancelled = lazy.until_ready();
    let late = "E 57014 statement cancelled: it ran longer than 2s";
    assert!(cancelled.iter().any(|line| line.starts_with(late)), "{:?}", cancelled.last());
}
