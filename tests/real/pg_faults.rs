//! What goes wrong around a session, and how much memory the proxy takes meanwhile: against a real server.

use std::io::{ErrorKind, Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use sekisho::session::{SourceSpec, Timeouts};

use crate::support::pg_client::{
    PostgresClient, bind, close, describe, execute, flush, message, parse, query, startup, sync,
};
use crate::support::pg_proxy::PostgresProxy;
use crate::support::relay::{Trouble, relay};
use crate::support::{PostgresDatabase, Sekisho, postgres};

const SCHEMA: &str = "create table t(a int, b text);
    insert into t select n, repeat('x', 1000) from generate_series(1, 20000) as n;
    create table sink(a int, b text)";
const VIEWER: &str = "[role.viewer]\ngrant = [ { on = 'shop.public.*', allow = ['read', 'insert'] } ]\n";
/// What buffers of the proxy and of its memory's keeper may take beside what was there before.
const BUFFERS: u64 = 12 << 20;

fn shop() -> PostgresDatabase {
    postgres().database(SCHEMA)
}

fn connect(sekisho: &Sekisho) -> PostgresClient {
    let mut client = PostgresClient::open(sekisho.port);
    client.send(&[startup(3 << 16, &[("user", "hanako"), ("database", "shop")])]);
    client.log_in("hanako").unwrap();
    client
}

/// Reads one message and forgets its body; gives its type and length.
fn skim(client: &mut PostgresClient) -> (u8, usize) {
    let mut header = [0; 5];
    client.tcp.read_exact(&mut header).unwrap();
    let length = u32::from_be_bytes(header[1..].try_into().unwrap()) as usize - 4;
    let read = std::io::copy(&mut (&mut client.tcp).take(length as u64), &mut std::io::sink()).unwrap();
    assert_eq!(read, length as u64);
    (header[0], length)
}

/// Parse, and a Bind of one parameter of so many bytes, and Execute, in pieces.
fn send_large_parameter(client: &mut PostgresClient, length: usize) {
    let head = [&b"\0\0\0\0\0\x01"[..], &u32::try_from(length).unwrap().to_be_bytes()].concat();
    let total = u32::try_from(4 + head.len() + length + 2).unwrap().to_be_bytes();
    client.send(&[parse("", "select length($1::text) as n"), [&b"B"[..], &total, &head].concat()]);
    let piece = vec![b'y'; 1 << 20];
    for _ in 0..length >> 20 {
        client.tcp.write_all(&piece).unwrap();
    }
    client.send(&[b"\0\0".to_vec(), execute("", 0), sync()]);
}

#[test]
fn memory_is_constant_however_large_a_value_or_slow_a_side() {
    let (folder, shop) = (tempfile::tempdir().unwrap(), shop());
    let sekisho = Sekisho::start(folder.path(), &shop, VIEWER, &[("hanako", "viewer")], "");
    let mut client = connect(&sekisho);
    client.run("select a from t limit 1");
    let before = sekisho.memory().0;
    let stays_small = |what: &str| {
        let highest = sekisho.memory().1;
        assert!(highest < before + BUFFERS, "{what}: {before} → {highest}");
    };
    // `SEKISHO_LARGE_VALUE=1000000000` is what PostgreSQL allows at the most.
    let size = std::env::var("SEKISHO_LARGE_VALUE").map_or(128 << 20, |size| size.parse().unwrap());

    client.send(&[query(&format!("select repeat('x', {size}) as x"))]);
    assert_eq!(client.read().0, b'T');
    assert_eq!(skim(&mut client), (b'D', size + 6));
    assert_eq!(client.until_ready(), ["C SELECT 1", "Z I"]);
    stays_small("a large value");

    let parameter = size.min(512 << 20) >> 20 << 20;
    send_large_parameter(&mut client, parameter);
    assert_eq!(client.until_ready(), ["1", "2", &format!("D {parameter}"), "C SELECT 1", "Z I"]);
    stays_small("a large parameter");

    // The client does not read.
    client.send(&[query("select a.b from t as a, generate_series(1, 10)")]);
    std::thread::sleep(Duration::from_millis(700));
    stays_small("a client that does not read");
    assert_eq!(client.read().0, b'T');
    let rows = std::iter::repeat_with(|| skim(&mut client)).take_while(|(tag, _)| *tag == b'D').count();
    assert_eq!((rows, client.until_ready()), (200_000, vec!["Z I".to_owned()]));

    // The server does not read.
    client.send(&[query("select pg_sleep(1)")]);
    send_large_parameter(&mut client, 64 << 20);
    assert!(client.until_ready()[1].starts_with('D'));
    assert_eq!(client.until_ready()[2], format!("D {}", 64 << 20));
    stays_small("a server that does not read");
}

#[test]
fn a_client_that_says_nothing_for_too_long_is_sent_away() {
    let timeouts = Timeouts { idle: Some(Duration::from_millis(700)), ..Timeouts::default() };
    let proxy = PostgresProxy::start_with(shop().source(), VIEWER, timeouts);
    let mut never = PostgresClient::connect(proxy.port, "viewer");
    let mut busy = PostgresClient::connect(proxy.port, "viewer");
    // A statement that runs is no silence.
    let answer = busy.run("select pg_sleep(1.5), 1 as x");
    assert_eq!(answer[1], "D |1");
    let farewell = "E 57P05 terminating connection due to idle-session timeout";
    assert_eq!(busy.until_end(), [farewell]);
    assert_eq!(never.until_end(), [farewell]);
}

#[test]
fn a_server_that_is_gone_in_the_middle_of_a_result_ends_only_its_sessions() {
    let shop = shop();
    let port = relay(postgres().port, Trouble::CutAfter(12_000_000));
    let proxy = PostgresProxy::start_with(SourceSpec { port, ..shop.source() }, VIEWER, Timeouts::default());
    let mut client = PostgresClient::connect(proxy.port, "viewer");
    let mut other = PostgresClient::connect(proxy.port, "viewer");
    other.run("select 1");
    client.send(&[query("select b from t")]);
    let lines = client.until_end();
    let rows = lines.iter().filter(|line| line.starts_with("D ")).count();
    assert!((10_000..13_000).contains(&rows), "{rows}");
    assert!(!lines.iter().any(|line| line.starts_with('C') || line.starts_with('Z')));
    assert_eq!(other.run("select 1 as x")[1], "D 1");
    let records = proxy.records();
    let result = records.iter().rfind(|r| r["kind"] == "result" && r["rows"].as_u64() > Some(1000)).unwrap();
    assert_eq!(result["sqlstate"], "57P01");
    assert!(records.iter().any(|r| r["kind"] == "session_closed" && r["reason"].as_str().unwrap().contains("server")));
    assert_eq!(proxy.node.metrics.server_disconnects.get(), 1);
}

#[test]
fn clients_that_vanish_leave_no_session_at_the_server() {
    let shop = shop();
    let proxy = PostgresProxy::start(&shop, VIEWER);
    for text in ["select b from t", "select pg_sleep(60)", "begin; select 1", "copy sink from stdin"] {
        for _ in 0..3 {
            let mut client = PostgresClient::connect(proxy.port, "viewer");
            client.send(&[query(text)]);
            client.send(&[b"Q\0\0\x10\0half of a message".to_vec()]);
        }
    }
    let begun = Instant::now();
    let left = "select state, wait_event, query from pg_stat_activity
        where datname = current_database() and application_name <> 'sekisho catalog' and pid <> pg_backend_pid()";
    while proxy.node.registry.clients() > 0 || !shop.rows(left).is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", shop.rows(left));
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn ten_thousand_wrong_passwords_cost_little_and_are_counted() {
    const EACH: usize = 10_000 / 50;
    let (folder, shop) = (tempfile::tempdir().unwrap(), shop());
    let sekisho = Sekisho::start(folder.path(), &shop, VIEWER, &[("hanako", "viewer")], "");
    let mut good = connect(&sekisho);
    good.run("select 1");
    guess(sekisho.port, "hanako");
    let before = sekisho.memory().0;
    let refused = AtomicUsize::new(1);
    std::thread::scope(|scope| {
        for number in 0..50 {
            let (refused, port) = (&refused, sekisho.port);
            let user = if number % 2 == 0 { "hanako".to_owned() } else { format!("nobody{number}") };
            scope.spawn(move || {
                for _ in 0..EACH {
                    refused.fetch_add(usize::from(guess(port, &user)), Ordering::Relaxed);
                }
            });
        }
        // Others are served meanwhile.
        let begun = Instant::now();
        assert_eq!(connect(&sekisho).run("select 1 as x")[1], "D 1");
        assert_eq!(good.run("select 2 as x")[1], "D 2");
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    });
    assert_eq!(refused.into_inner(), 50 * EACH + 1);
    assert_eq!(sekisho.metric("sekisho_logins_total{result=\"failure\"}"), (50 * EACH + 1).to_string());
    let after = sekisho.memory().0;
    assert!(after < before + (16 << 20), "{before} → {after}");
}

/// Logs in with a proof that is none, which costs this side nothing; gives whether it was refused as a wrong password.
fn guess(port: u16, user: &str) -> bool {
    let mut client = PostgresClient::open(port);
    client.send(&[startup(3 << 16, &[("user", user), ("database", "shop")])]);
    assert_eq!(client.read().0, b'R');
    let first = b"n,,n=,r=aaaaaaaaaaaaaaaaaaaaaaaa";
    let length = u32::try_from(first.len()).unwrap().to_be_bytes();
    client.send(&[message(b'p', &[b"SCRAM-SHA-256\0", &length, first])]);
    let (_, body) = client.read();
    let challenge = String::from_utf8(body[4..].to_vec()).unwrap();
    let nonce = challenge.split(',').next().unwrap();
    let proof = "A".repeat(43);
    client.send(&[message(b'p', &[format!("c=biws,{nonce},p={proof}=").as_bytes()])]);
    client.until_end().iter().any(|line| line.starts_with("E 28P01"))
}

#[test]
fn messages_that_are_too_long_are_refused_before_they_are_read() {
    let proxy = PostgresProxy::start(&shop(), VIEWER);
    for (tag, length, sqlstate) in [(b'Q', 17 << 20, "54000"), (b'P', 1 << 30, "54000"), (b'D', 1 << 20, "08P01")] {
        let mut client = PostgresClient::connect(proxy.port, "viewer");
        let header = [&[tag][..], &u32::to_be_bytes(length), b"beginning"].concat();
        client.send(&[header]);
        let told = client.until_end();
        assert!(told.len() == 1 && told[0].starts_with(&format!("E {sqlstate}")), "{told:?}");
    }
    // In the place of a password.
    for bytes in [query("select 1"), message(b'p', &[&[0; 5000]]), message(b'p', &[b"PLAIN\0\0\0\0\0"])] {
        let mut client = PostgresClient::open(proxy.port);
        client.send(&[startup(3 << 16, &[("user", "viewer"), ("database", "shop")]), bytes]);
        assert_eq!(client.read().0, b'R');
        let told = client.until_end();
        assert!(told.is_empty() || told[0].starts_with("E 08P01"), "{told:?}");
    }
}

/// Numbers that look random and are the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

/// A message that may or may not have a place where it comes.
fn any_message(dice: &mut Dice) -> Vec<u8> {
    const NAMES: [&str; 3] = ["", "a", "b"];
    const TEXTS: [&str; 10] = [
        "select a from t where a < 4 order by a",
        "select 1 as one",
        "select 1 / (a - 2) as q from t where a < 4 order by a",
        "begin",
        "commit",
        "rollback",
        "savepoint s",
        "copy (select a from t where a < 4 order by a) to stdout",
        "insert into sink values (1, 'x')",
        "",
    ];
    const SCRIPTS: [&str; 6] = [
        "select 1 as one; select 1/0; select 2 as two",
        "begin; select 3 as three",
        "prepare a as select 4 as four",
        "deallocate a",
        "copy sink from stdin",
        "select 5 as five; commit",
    ];
    match dice.below(16) {
        0..=2 => parse(dice.pick(&NAMES), dice.pick(&TEXTS)),
        3..=5 => bind(dice.pick(&NAMES), dice.pick(&NAMES), &[]),
        6 | 7 => execute(dice.pick(&NAMES), [0, 2][dice.below(2)]),
        8 => describe([b'S', b'P'][dice.below(2)], dice.pick(&NAMES)),
        9 => close([b'S', b'P'][dice.below(2)], dice.pick(&NAMES)),
        10 => flush(),
        11 => query(dice.pick(&SCRIPTS)),
        12 => query(dice.pick(&TEXTS)),
        13 => [message(b'd', &[b"7\tz\n"]), message(b'c', &[])].concat(),
        14 => message(b'f', &[b"given up\0"]),
        _ => sync(),
    }
}

#[test]
fn any_order_of_messages_is_answered_as_the_server_answers_it() {
    let shop = shop();
    let proxy = PostgresProxy::start(&shop, VIEWER);
    let direct = || {
        let mut client = PostgresClient::open(postgres().port);
        client.send(&[startup(3 << 16, &[("user", "postgres"), ("database", &shop.name)])]);
        client.log_in("pg-pw").unwrap();
        client
    };
    let rounds = std::env::var("SEKISHO_ROUNDS").map_or(150, |rounds| rounds.parse().unwrap());
    let mut dice = Dice(7);
    for round in 0..rounds {
        let script: Vec<Vec<u8>> = (0..3 + dice.below(14)).map(|_| any_message(&mut dice)).collect();
        let end = [message(b'f', &[b"end\0"]), sync(), query("rollback"), query("select 'end' as over")];
        let whole = [script, end.to_vec()].concat();
        let mut told: Vec<Vec<String>> = Vec::new();
        for mut client in [direct(), PostgresClient::connect(proxy.port, "admin"), connect_viewer(&proxy)] {
            client.tcp.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            client.send(&whole);
            told.push(answers(&mut client));
        }
        let sent = || whole.iter().map(|m| String::from_utf8_lossy(m).replace('\0', "·")).collect::<Vec<_>>();
        assert_eq!(told[1], told[0], "round {round}, unrestricted: {:#?}", sent());
        assert_eq!(told[2], told[0], "round {round}, restricted: {:#?}", sent());
    }
}

fn connect_viewer(proxy: &PostgresProxy) -> PostgresClient {
    PostgresClient::connect(proxy.port, "viewer")
}

/// All answers up to the last one, or to the end of the connection.
fn answers(client: &mut PostgresClient) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        let mut header = [0; 5];
        match client.tcp.read_exact(&mut header) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                lines.push("(no answer)".to_owned());
                return lines;
            }
            Err(_) => {
                lines.push("(end)".to_owned());
                return lines;
            }
        }
        let mut body = vec![0; u32::from_be_bytes(header[1..].try_into().unwrap()) as usize - 4];
        client.tcp.read_exact(&mut body).unwrap();
        let mut line = crate::support::pg_client::show(header[0], &body);
        if line.contains("during COPY from stdin") {
            // The proxy may have asked for the description of a portal before the Execute.
            line = line.replace("0x44", "0x45");
        }
        let is_last = line == "D end";
        if header[0] != b'S' {
            lines.push(line);
        }
        if is_last {
            return lines;
        }
    }
}
