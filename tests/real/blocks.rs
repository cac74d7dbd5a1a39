//! `[[block]]`, `[[learn]]` and `max_cost` against real servers.

use std::time::Duration;

use sekisho::net::TlsMode;
use tokio_postgres::NoTls;

use crate::support::mysql_client::{Client, Options};
use crate::support::mysql_proxy::{MySqlProxy, VIEWER, source};
use crate::support::pg_client::{PostgresClient, bind, execute, parse, sync};
use crate::support::pg_proxy::PostgresProxy;
use crate::support::{Sekisho, mariadb, mysql, postgres};

const NUMBERS: &str = "create table numbers as select n, repeat('x', 100) as pad from generate_series(1, 20000) n;
    create unique index on numbers (n); analyze; grant all on all tables in schema public to public";
const ROLE: &str = "[role.viewer]\ngrant = [ { on = 'shop.public.*', allow = 'all' } ]\n";

fn proxy(rules: &str) -> (crate::support::PostgresDatabase, PostgresProxy) {
    let database = postgres().database(NUMBERS);
    let proxy = PostgresProxy::start(&database, &format!("{ROLE}{rules}"));
    (database, proxy)
}

#[test]
fn blocked_statements_are_refused_in_both_protocols_and_recorded() {
    let block =
        "[[block]]\nname = 'no-bare-deletes'\nowner = 'ops'\nnote = 'see the runbook'\nroles = ['viewer', 'admin']
                 statements = 'delete'\nmissing = 'where'\n
                 [[block]]\nname = 'cards'\nroles = 'viewer'\nliterals = '^[0-9]{16}$'\naction = 'report'\n";
    let (database, proxy) = proxy(block);
    for user in ["viewer", "admin"] {
        let mut client = PostgresClient::connect(proxy.port, user);
        assert_eq!(client.run("delete from numbers"), ["E 42501 statement refused by block `no-bare-deletes`", "Z I"]);
        client.send(&[parse("", "delete from numbers where true"), bind("", "", &[]), execute("", 0), sync()]);
        assert_eq!(client.until_ready(), ["E 42501 statement refused by block `no-bare-deletes`", "Z I"]);
        assert_eq!(client.run("delete from numbers where n = 0"), ["C DELETE 0", "Z I"]);
    }
    let mut client = PostgresClient::connect(proxy.port, "viewer");
    client.run("select 1 from numbers where pad = '4111111111111111'");
    let records = proxy.records();
    let refused = records.iter().find(|record| record["verdict"] == "refused").unwrap();
    assert_eq!((&refused["rule"], &refused["ground"]), (&"no-bare-deletes".into(), &"block".into()));
    assert!(records.iter().any(|record| record["reported"] == serde_json::json!(["cards"])));
    assert_eq!(database.rows("select count(*) from numbers"), [["20000"]]);
    // Rules that come into force while statements are prepared.
    let mut admin = PostgresClient::connect(proxy.port, "admin");
    admin.send(&[parse("s", "select 1 as one"), sync()]);
    admin.until_ready();
    proxy.reload(&format!("{ROLE}[[block]]\nname = 'b'\nroles = 'admin'\nstatements = 'select'\n"));
    admin.send(&[bind("", "s", &[]), execute("", 0), sync()]);
    assert_eq!(admin.until_ready(), ["E 42501 statement refused by block `b`", "Z I"]);
}

#[test]
fn blocks_hold_on_mysql() {
    for server in [Some(mariadb()), mysql()].into_iter().flatten() {
        let database = server.database("create table t(n int primary key); insert into t values (1), (2)");
        let block = "[[block]]\nname = 'b'\nroles = ['viewer', 'admin']\nstatements = ['update', 'delete']\nmissing = 'where'\n";
        let rules = format!("{VIEWER}{block}");
        let proxy = MySqlProxy::start(vec![source("shop", server, TlsMode::Disable)], &rules, |_, _| {});
        for (user, password) in [("viewer", "viewer-pw"), ("admin", "admin-pw")] {
            let mut client = Client::connect(proxy.port, &Options::user(user, password).on(&database.name)).unwrap();
            let error = client.error("delete from t");
            assert!(error.code == 1142 && error.message.starts_with("statement refused by block `b`"), "{error:?}");
            let error = client.command(b"\x16update t set n = n + 10").unwrap_err();
            assert!(error.message.starts_with("statement refused by block `b`"), "{error:?}");
            assert_eq!(client.rows("select count(*) from t"), [["2"]]);
        }
    }
}

async fn login(proxy: &Sekisho) -> tokio_postgres::Client {
    let (client, connection) = proxy.login("hanako").connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

#[tokio::test]
async fn statements_are_learned_kept_and_then_allowed_alone() {
    let folder = tempfile::tempdir().unwrap();
    let database =
        postgres().database(&format!("{NUMBERS}; create schema s2; create table s2.numbers(n int, pad text)"));
    let file = folder.path().join("state/learned/viewer.statements");
    let rules = |mode: &str| {
        let learn = format!(
            "[[learn]]\nname = 'known'\nowner = 'ops'\nroles = 'viewer'\nmode = '{mode}'\nfile = 'learned/viewer.statements'\n",
        );
        format!("[role.viewer]\ngrant = {{ on = 'shop.*.*', allow = 'read' }}\n{learn}")
    };
    let mut proxy = Sekisho::start(folder.path(), &database, &rules("record"), &[("hanako", "viewer")], "");
    let client = login(&proxy).await;
    client.simple_query("select n from numbers where n = 1").await.unwrap();
    client.query("select pad from numbers where n = $1", &[&1_i32]).await.unwrap();
    drop(client);
    assert_eq!(proxy.stop(), Some(0));
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text.lines().filter(|line| line.starts_with("viewer ")).count(), 2, "{text}");
    assert!(text.contains(" select n from numbers where n = ?\n"), "{text}");

    std::fs::write(folder.path().join("rules/rules.toml"), rules("refuse")).unwrap();
    proxy.restart();
    let client = login(&proxy).await;
    client.simple_query("select n from numbers where n = 20").await.unwrap();
    client.query("select pad from numbers where n = $1", &[&2_i32]).await.unwrap();
    let error = client.simple_query("select n, pad from numbers").await.unwrap_err();
    let error = error.as_db_error().unwrap();
    assert_eq!(error.message(), "statement refused: role `viewer` is not known to use it, and `known` allows no other");
    assert!(error.detail().unwrap().contains("rule `known`, owned by ops; the statement's fingerprint is "));
    assert!(client.query("select pad from numbers where n > $1", &[&2_i32]).await.is_err());
    // The same words mean other tables where other schemas are searched.
    let (elsewhere, connection) = proxy.login("hanako").options("-c search_path=s2").connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    let refused = elsewhere.simple_query("select n from numbers where n = 20").await.unwrap_err();
    let detail = refused.as_db_error().unwrap().detail().unwrap().to_owned();
    assert!(detail.contains("the statement's fingerprint, with names in \"s2\" is "), "{detail}");
    // What people add to the file is known soon, and what they take out is not.
    let fingerprint = error.detail().unwrap().rsplit(' ').next().unwrap().to_owned();
    let kept = text.lines().find(|line| line.contains("select pad")).unwrap();
    std::fs::write(&file, format!("{kept}\nviewer {fingerprint} by hand\n")).unwrap();
    for _ in 0..200 {
        if client.simple_query("select n, pad from numbers").await.is_ok() {
            assert!(client.simple_query("select n from numbers where n = 20").await.is_err());
            client.query("select pad from numbers where n = $1", &[&2_i32]).await.unwrap();
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the file was not read again: {}", proxy.log());
}

const COST: &str = "[[limit]]\nname = 'cheap'\nowner = 'ops'\nroles = ['viewer', 'admin']\nmax_cost = 100\n";

#[test]
fn statements_that_the_planner_finds_too_costly_are_refused() {
    let (_database, proxy) = proxy(COST);
    for user in ["viewer", "admin"] {
        let mut client = PostgresClient::connect(proxy.port, user);
        let is_refused = |lines: &[String]| {
            lines.iter().any(|line| line.starts_with("E 54000 statement refused: the planner expects it to cost "))
        };
        for text in [
            "select pad from numbers",
            "copy numbers to stdout",
            "copy (select pad from numbers) to stdout",
            "declare c cursor with hold for select pad from numbers",
            "explain analyze select pad from numbers",
            "create table copy_of_it as select * from numbers",
            "update numbers set pad = ''",
            "select 1; select pad from numbers",
            "select 1 where exists (select count(pad) from numbers)",
            "select 1 order by (select count(pad) from numbers)",
            "select 1 limit (select count(pad) from numbers)",
            "select 1 where 1 in (select 1 from numbers, numbers as more)",
            "with d as (delete from numbers where n > 0 returning 1) select 1",
        ] {
            let lines = client.run(text);
            assert!(is_refused(&lines) && lines.last().unwrap() == "Z I", "{text}: {lines:?}");
        }
        if user == "viewer" {
            let said = client.run("set seq_page_cost = 0");
            assert!(said[0].starts_with("E 42501 setting `seq_page_cost` may not be changed"), "{said:?}");
        }
        assert_eq!(client.run("select n from numbers where n = 7"), ["T n", "D 7", "C SELECT 1", "Z I"]);
        assert_eq!(client.run("select 1 as one"), ["T one", "D 1", "C SELECT 1", "Z I"]);
        // With parameters, as they are bound.
        for (most, refused) in [("20000", true), ("2", false)] {
            client.send(&[
                parse("", "select count(pad) from numbers where n <= $1::int"),
                bind("", "", &[most]),
                execute("", 0),
                sync(),
            ]);
            let lines = client.until_ready();
            assert_eq!(is_refused(&lines), refused, "{lines:?}");
            assert_eq!(lines.last().unwrap(), "Z I");
        }
        client.send(&[
            parse("s", "select n from numbers where n = $1::int"),
            bind("", "s", &["1"]),
            execute("", 0),
            bind("", "s", &["2"]),
            execute("", 0),
            sync(),
        ]);
        assert_eq!(client.until_ready(), ["1", "2", "D 1", "C SELECT 1", "2", "D 2", "C SELECT 1", "Z I"]);
        // What cannot be planned says so itself, and the session goes on.
        client.send(&[bind("", "s", &["x"]), execute("", 0), sync()]);
        let lines = client.until_ready();
        assert!(lines[0].starts_with("E 22P02") && lines[1] == "Z I", "{lines:?}");
        client.send(&[bind("", "s", &["3"]), execute("", 0), sync()]);
        assert_eq!(client.until_ready(), ["2", "D 3", "C SELECT 1", "Z I"]);
        if user == "admin" {
            assert!(client.run("select nothing from numbers")[0].starts_with("E 42703"));
        }
        // Inside a transaction a question that fails does not spoil it, and a failed one is not asked about.
        client.run("begin");
        assert_eq!(client.run("select n from numbers where n = 7"), ["T n", "D 7", "C SELECT 1", "Z T"]);
        if user == "admin" {
            let lines = client.run("select nothing from numbers");
            assert!(lines[0].starts_with("E 42703") && lines[1] == "Z E", "{lines:?}");
        } else {
            let lines = client.run("select pad from numbers");
            assert!(is_refused(&lines) && lines[1] == "Z E", "{lines:?}");
        }
        let lines = client.run("select n from numbers where n = 7");
        assert!(lines[0].starts_with("E 25P02") && lines[1] == "Z E", "{lines:?}");
        assert_eq!(client.run("rollback"), ["C ROLLBACK", "Z I"]);
    }
    let refused = proxy.records().into_iter().find(|record| record["verdict"] == "refused").unwrap();
    assert_eq!((&refused["limit"], &refused["rule"]), (&"max_cost".into(), &"cheap".into()));
}

#[test]
fn statements_too_costly_are_refused_on_mysql() {
    let script = "create table t(n int primary key, pad varchar(100));
        insert into t select seq.n, repeat('x', 100) from (with recursive s(n) as (select 1 union all select n + 1 from s
        where n < 900) select n from s) seq; analyze table t";
    for server in [Some(mariadb()), mysql()].into_iter().flatten() {
        let database = server.database(script);
        // MariaDB 11 and later count in milliseconds.
        let is_new = server.database("select 1").rows("select version()")[0][0].starts_with("11");
        let cost = if is_new { COST.replace("100", "1") } else { COST.replace("100", "50") };
        let proxy =
            MySqlProxy::start(vec![source("shop", server, TlsMode::Disable)], &format!("{VIEWER}{cost}"), |_, _| {});
        for (user, password) in [("viewer", "viewer-pw"), ("admin", "admin-pw")] {
            let mut client = Client::connect(proxy.port, &Options::user(user, password).on(&database.name)).unwrap();
            let error = client.error("select count(pad) from t a join t b using (pad)");
            let refused = "statement refused: the planner expects it to cost ";
            assert!(error.code == 1226 && error.message.starts_with(refused), "{error:?}");
            assert_eq!(client.rows("select n from t where n = 7"), [["7"]]);
            assert_eq!(client.rows("select 1"), [["1"]]);
            let prepared = client.command(b"\x16select pad from t where n between ? and ?").unwrap();
            let number: [u8; 4] = prepared[1..5].try_into().unwrap();
            for _ in 0..3 {
                client.next().unwrap();
            }
            let bound = |from: i32, to: i32| {
                let head = [&[0x17][..], &number, &[0], &1_u32.to_le_bytes(), &[0, 1, 3, 0, 3, 0]].concat();
                [&head[..], &from.to_le_bytes(), &to.to_le_bytes()].concat()
            };
            let error = client.command(&bound(1, 900)).unwrap_err();
            assert!(error.message.starts_with(refused), "{error:?}");
            client.command(&bound(5, 6)).unwrap();
            let mut packets = 0;
            while client.next().unwrap()[0] != 0xfe {
                packets += 1;
            }
            assert_eq!(packets, 3, "a definition and two rows");
            assert_eq!(client.rows("select 2"), [["2"]]);
        }
    }
}

#[test]
fn a_question_to_the_planner_that_is_disturbed_lets_nothing_through() {
    let (database, proxy) = proxy(&format!("{COST}statement_timeout = '1s'\n"));
    let mut client = PostgresClient::connect(proxy.port, "viewer");
    let refused = "E 54000 statement refused: the planner gave no answer about it in time";
    let mut locker = PostgresClient::connect(proxy.port, "admin");
    assert_eq!(locker.run("begin; lock table numbers in access exclusive mode").last().unwrap(), "Z T");
    let begun = std::time::Instant::now();
    let lines = client.run("select n from numbers where n = 7");
    assert!(lines[0].starts_with(refused), "{lines:?}");
    assert!(begun.elapsed() < std::time::Duration::from_secs(8));
    client.run("set lock_timeout = '100ms'");
    let lines = client.run("select n from numbers where n = 7");
    assert!(lines[0].starts_with(refused), "{lines:?}");
    locker.run("rollback");
    assert_eq!(client.run("begin; select 1/0").last().unwrap(), "Z E");
    assert!(client.run("rollback; select count(pad) from numbers")[0].starts_with(refused));
    client.run("rollback");
    // What the planner was asked is nobody's to read.
    client.send(&[parse("sekisho_cost", "select 1"), sync()]);
    assert!(client.until_ready()[0].starts_with("E 42939"));
    client.send(&[parse("u", "select n from numbers where n = $1::int"), bind("", "u", &["1"]), execute("", 0)]);
    client.send(&[bind("", "sekisho_cost", &["1"]), execute("", 0), sync()]);
    assert!(client.until_ready().iter().any(|line| line.starts_with("E 42939")));
    assert!(client.run("prepare sekisho_cost as select 1")[0].starts_with("E 42939"));
    assert_eq!(client.run("select n from numbers where n = 7"), ["T n", "D 7", "C SELECT 1", "Z I"]);
    drop(database);
}

#[test]
fn what_the_planner_cannot_be_asked_about_is_refused_and_observed_roles_are_left_alone() {
    let (_database, proxy) = proxy(COST);
    let unasked = "E 54000 statement refused: the planner cannot be asked about a text ";
    // The server takes the isolation level before the transaction's first query only.
    let serializable = "set transaction isolation level repeatable read; select n from numbers where n = 7";
    let long = "7".repeat(17 << 20);
    let long = || {
        let select = parse("", "select length($1::text) as l from numbers where n = 1");
        [select, bind("", "", &[&long]), execute("", 0), sync()]
    };
    for user in ["viewer", "admin"] {
        let mut client = PostgresClient::connect(proxy.port, user);
        client.run("begin");
        let lines = client.run(serializable);
        assert!(lines[0].starts_with(unasked), "{lines:?}");
        client.run("rollback");
        client.run("begin");
        assert_eq!(client.run("set transaction isolation level repeatable read"), ["C SET", "Z T"]);
        assert_eq!(client.run("select n from numbers where n = 7"), ["T n", "D 7", "C SELECT 1", "Z T"]);
        client.run("rollback");
        let whole = format!("begin; {serializable}; commit");
        assert_eq!(client.run(&whole).last().unwrap(), "Z I");
        client.send(&long());
        let lines = client.until_ready();
        assert!(lines[1].starts_with(unasked), "{lines:?}");
        assert_eq!(client.run("select 1 as one"), ["T one", "D 1", "C SELECT 1", "Z I"]);
    }
    let observed = ROLE.replace("[role.viewer]", "[role.viewer]\nmode = 'observe'");
    proxy.reload(&format!("{observed}{COST}"));
    let mut client = PostgresClient::connect(proxy.port, "viewer");
    client.run("begin");
    assert_eq!(client.run(serializable), ["C SET", "T n", "D 7", "C SELECT 1", "Z T"]);
    client.run("rollback");
    client.send(&long());
    assert_eq!(client.until_ready(), ["1", "2", "D 17825792", "C SELECT 1", "Z I"]);
}
