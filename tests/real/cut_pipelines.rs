//! What a PostgreSQL client sent behind a statement that a limit cuts off, inside a transaction: every message is answered,
//! the transaction has failed, and the session can go on or end.

use std::time::{Duration, Instant};

use sekisho::session::Timeouts;

use crate::support::pg_client::{PostgresClient, bind, execute, flush, message, parse, query, sync};
use crate::support::pg_proxy::PostgresProxy;
use crate::support::{PostgresDatabase, postgres};

const PEOPLE: &str = "create table people(id int primary key);
    insert into people select generate_series(1, 20); analyze; grant all on people to public";
const RULES: &str = "[role.viewer]\ngrant = [ { on = 'shop.public.*', allow = ['read', 'write'] } ]
[[trust]]\nname = 'sleep'\nfunctions = ['shop.pg_catalog.pg_sleep']
[[limit]]\nname = 'small'\nroles = ['viewer', 'admin']\nmax_rows = 10\n";

fn start(timeouts: Timeouts) -> (PostgresDatabase, PostgresProxy) {
    let database = postgres().database(PEOPLE);
    let proxy = PostgresProxy::start_with(database.source(), RULES, timeouts);
    (database, proxy)
}

/// Messages as letters: `X` is the cut's error, `A` that the transaction is aborted.
fn letters(lines: &[String]) -> String {
    let letter = |line: &String| match line.as_str() {
        "Z I" | "Z T" | "Z E" => format!("{} ", &line[2..]),
        line if line.starts_with("E 57014 result cut off: it has more than 10 rows") => "X".to_owned(),
        line if line.starts_with("E 25P02") => "A".to_owned(),
        line if line.starts_with("D ") || line.starts_with('T') => String::new(),
        line => line[..1].to_owned(),
    };
    lines.iter().map(letter).collect()
}

fn answers(client: &mut PostgresClient, count: usize) -> String {
    let lines: Vec<_> = (0..count).flat_map(|_| client.until_ready()).collect();
    letters(&lines)
}

fn cut() -> Vec<u8> {
    query("select id from people")
}

fn prepared(text: &str) -> Vec<u8> {
    [parse("", text), bind("", "", &[]), execute("", 0)].concat()
}

#[test]
fn what_follows_a_cut_in_a_transaction_is_answered_and_the_transaction_has_failed() {
    let (_database, proxy) = start(Timeouts::default());
    let select = "select id from people";
    // What is sent in one write, how many ReadyForQuery it is owed, and what comes.
    let cases: Vec<(&str, Vec<Vec<u8>>, usize, &str)> = vec![
        ("Query, Query", vec![cut(), query("select 7")], 2, "XE AE "),
        ("Query, Sync", vec![cut(), sync()], 2, "XE E "),
        ("Query, Sync, Query", vec![cut(), sync(), query("rollback")], 3, "XE E CI "),
        ("Query, Flush, Query", vec![cut(), flush(), query("rollback")], 2, "XE CI "),
        ("Query, Parse, Sync", vec![cut(), prepared("select 7"), sync()], 2, "XE AE "),
        ("Query, CopyData, Query", vec![cut(), message(b'd', &[b"1\n"]), query("rollback")], 2, "XE CI "),
        ("Query, CopyDone, Query", vec![cut(), message(b'c', &[]), query("rollback")], 2, "XE CI "),
        ("several, Query", vec![query("select id from people; select 8"), query("rollback")], 2, "XE CI "),
        ("COPY, Query", vec![query("copy (select id from people) to stdout"), query("rollback")], 2, "HXE CI "),
        ("Execute, Sync", vec![prepared(select), sync()], 1, "12XE "),
        ("Execute, Sync, Query", vec![prepared(select), sync(), query("rollback")], 2, "12XE CI "),
        ("Execute, Sync, Sync", vec![prepared(select), sync(), sync()], 2, "12XE E "),
        ("Execute, Sync, Execute", vec![prepared(select), sync(), prepared("select 7"), sync()], 2, "12XE AE "),
        ("Execute, Execute, Sync", vec![prepared(select), execute("", 0), sync(), query("rollback")], 2, "12XE CI "),
        ("Execute, Flush, Query", vec![prepared(select), flush(), query("select 7"), sync()], 1, "12XE "),
        (
            "part, part, Sync",
            vec![parse("", select), bind("", "", &[]), execute("", 6), execute("", 6), sync()],
            1,
            "12sXE ",
        ),
    ];
    for user in ["viewer", "admin"] {
        let mut client = PostgresClient::connect(proxy.port, user);
        for (name, messages, owed, expected) in &cases {
            for at_once in [true, false] {
                client.run("rollback");
                assert_eq!(client.run("begin"), ["C BEGIN", "Z T"]);
                let messages: Vec<_> = messages.clone();
                if at_once {
                    client.send(&messages);
                } else {
                    for message in messages {
                        client.send(&[message]);
                        std::thread::sleep(Duration::from_millis(2));
                    }
                }
                let seen = answers(&mut client, *owed);
                // Rows of COPY say `d`; how many came is another test's business.
                let seen = seen.replace('d', "");
                assert_eq!(&seen, expected, "{name} as {user}, at once: {at_once}");
            }
        }
        client.run("rollback");
        // The next refusal has its own words.
        let refused = client.run("select secret from nowhere");
        assert!(refused[0].starts_with("E 42P01"), "{refused:?}");
        assert_eq!(client.run("select 1 as one"), ["T one", "D 1", "C SELECT 1", "Z I"]);
    }
}

#[test]
fn sessions_that_were_cut_and_left_are_over_at_once() {
    let (database, proxy) = start(Timeouts { half_closed: Duration::from_millis(500), ..Timeouts::default() });
    for round in 0..8 {
        let mut client = PostgresClient::connect(proxy.port, if round % 2 == 0 { "viewer" } else { "admin" });
        client.run("begin");
        client.send(&[cut(), query("select 7")]);
        if round % 4 > 1 {
            // A client that closes its side and still reads gets all that it is owed.
            client.half_close();
            assert_eq!(letters(&client.until_end()), "XE AE ");
        }
    }
    gone(&database, Duration::from_secs(5));
    let mut client = PostgresClient::connect(proxy.port, "viewer");
    client.run("begin");
    client.send(&[cut()]);
    client.half_close();
    assert_eq!(letters(&client.until_end()), "XE ");
}

/// Waits until no session is in the middle of something at the server.
fn gone(database: &PostgresDatabase, within: Duration) {
    let others = "select state, query from pg_stat_activity where datname = current_database()
                  and pid <> pg_backend_pid() and state <> 'idle'";
    let until = Instant::now() + within;
    loop {
        let left = database.rows(others);
        if left.is_empty() {
            return;
        }
        assert!(Instant::now() < until, "still there: {left:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_client_that_went_away_is_noticed_though_its_next_message_waits() {
    let (database, proxy) = start(Timeouts { half_closed: Duration::from_millis(500), ..Timeouts::default() });
    let slow = "select pg_sleep(20)";
    for messages in [vec![query(slow), query("select 2")], vec![prepared(slow), sync(), query("select 2")]] {
        for user in ["viewer", "admin"] {
            let mut client = PostgresClient::connect(proxy.port, user);
            client.send(&messages);
            std::thread::sleep(Duration::from_millis(200));
            drop(client);
        }
    }
    gone(&database, Duration::from_secs(5));
}

#[test]
fn a_client_that_went_away_is_noticed_while_the_planner_waits_for_a_lock() {
    let database = postgres().database(PEOPLE);
    let rules = RULES.replace("max_rows = 10", "max_cost = 1000000");
    let timeouts = Timeouts { half_closed: Duration::from_millis(500), ..Timeouts::default() };
    let proxy = PostgresProxy::start_with(database.source(), &rules, timeouts);
    let mut holder = PostgresClient::open(postgres().port);
    holder.send(&[crate::support::pg_client::startup(3 << 16, &[("user", "postgres"), ("database", &database.name)])]);
    holder.log_in("pg-pw").unwrap();
    holder.run("begin; lock table people in access exclusive mode");
    for message in [query("select id from people"), [prepared("select id from people"), sync()].concat()] {
        let mut client = PostgresClient::connect(proxy.port, "admin");
        client.send(&[message]);
        std::thread::sleep(Duration::from_millis(200));
        drop(client);
    }
    let waiting = "select query from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()";
    let until = Instant::now() + Duration::from_secs(5);
    while !database.rows(waiting).is_empty() {
        assert!(Instant::now() < until, "the question is still there");
        std::thread::sleep(Duration::from_millis(50));
    }
    holder.run("rollback");
}
