//! What breaks: clients that do not speak the protocol, servers that go away, results that nobody reads.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use sekisho::mysql::wire::packet;
use sekisho::net::TlsMode;

use crate::support::mariadb;
use crate::support::mysql_client::{Client, Options};
use crate::support::mysql_proxy::{MySqlProxy, VIEWER, source};

static PROXY: LazyLock<MySqlProxy> = LazyLock::new(|| {
    MySqlProxy::start(vec![source("maria", mariadb(), TlsMode::Disable)], VIEWER, |_, timeouts| {
        timeouts.login = Duration::from_secs(3);
    })
});

fn admin() -> Client {
    Client::connect(PROXY.port, &Options::user("admin", "admin-pw")).unwrap()
}

/// The proxy still serves others.
fn assert_alive() {
    assert_eq!(admin().rows("select 1"), [["1"]]);
}

/// Sends bytes in the place of a login and waits until the connection is closed.
fn knock(bytes: &[u8]) -> Duration {
    let mut stream = TcpStream::connect(("127.0.0.1", PROXY.port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let begun = Instant::now();
    let _ = stream.write_all(bytes);
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    begun.elapsed()
}

#[test]
fn rubbish_in_the_place_of_a_login_closes_that_connection() {
    let mut login = Vec::new();
    packet::append(&mut login, 1, &[0xff; 60]);
    for rubbish in [
        &b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..],
        &[0xff; 5000],
        &[0, 0, 0, 1],
        &[0xff, 0xff, 0xff, 1, 0],
        &[31, 0, 0, 1],
        &login,
        // A request for TLS, then no TLS.
        &[&[32, 0, 0, 1, 0, 0x0a, 0, 0][..], &[0; 28], &[9; 100]].concat(),
    ] {
        knock(rubbish);
    }
    assert_alive();
    assert!(PROXY.node.metrics.protocol_errors.get() >= 3);
}

#[test]
fn a_login_that_takes_for_ever_is_cut_off() {
    let waited = knock(&[100, 0, 0, 1, 1, 2]);
    assert!((2..8).contains(&waited.as_secs()), "{waited:?}");
    assert_alive();
}

#[test]
fn cut_short_logins_are_refused_at_any_length() {
    let whole = {
        use sekisho::mysql::wire::Capabilities;
        use sekisho::mysql::wire::login::Login;
        let mut payload = Vec::new();
        let capabilities = Capabilities::SPOKEN;
        Login { capabilities, collation: 45, user: b"admin", auth: &[7; 32], ..Login::default() }.write(&mut payload);
        payload
    };
    for len in 0..whole.len() {
        let mut out = Vec::new();
        packet::append(&mut out, 1, &whole[..len]);
        let mut stream = TcpStream::connect(("127.0.0.1", PROXY.port)).unwrap();
        stream.write_all(&out).unwrap();
        drop(stream);
    }
    assert_alive();
}

#[test]
fn commands_out_of_form_end_their_session_with_an_error() {
    let mut endless = vec![0x03];
    endless.resize(1000, b' ');
    for (sequence, payload) in [
        (1, &b"\x03select 1"[..]),
        (0, b""),
        (0, b"\x17\x01"),
        (0, b"\x18"),
        (0, b"\x19\x01\x02"),
        (0, b"\x0c\x01"),
        (0, b"\x11no end"),
    ] {
        let mut client = admin();
        client.send(sequence, payload);
        let error = client.next().unwrap_err();
        assert_eq!((error.code, error.sqlstate()), (1835, "08S01"), "{payload:?}");
        assert!(client.receive().is_none());
    }
    assert_alive();
}

#[test]
fn texts_beyond_the_limit_are_refused_without_being_kept() {
    let mut client = admin();
    let piece = [&[0xff, 0xff, 0xff][..]].concat();
    for sequence in 0..5 {
        let mut bytes = [&piece[..], &[sequence]].concat();
        bytes.resize(4 + 0xff_ffff, b' ');
        bytes[4] = 3;
        client.write(&bytes);
    }
    let error = client.next().unwrap_err();
    assert_eq!(error.code, 1153);
    assert_alive();
}

#[test]
fn a_server_that_goes_away_is_told() {
    let database = mariadb().database("");
    let mut client = admin();
    let number = client.rows("select connection_id()")[0][0].clone();
    client.send(0, b"\x03select sleep(20)");
    std::thread::sleep(Duration::from_millis(200));
    database.execute(&format!("kill {number}"));
    let error = client.next().unwrap_err();
    assert!([1927, 2013, 1317].contains(&error.code), "{error:?}");
    // Between two commands.
    let mut client = admin();
    let number = client.rows("select connection_id()")[0][0].clone();
    database.execute(&format!("kill {number}"));
    std::thread::sleep(Duration::from_millis(200));
    assert!(client.query("select 1").is_err());
    assert_alive();
}

#[test]
fn a_client_that_vanishes_in_the_middle_leaves_nothing() {
    let proxy = MySqlProxy::start(vec![source("maria", mariadb(), TlsMode::Disable)], VIEWER, |_, _| {});
    let admin = || Client::connect(proxy.port, &Options::user("admin", "admin-pw")).unwrap();
    for payload in [&b"\x03select repeat('x', 10000000)"[..], b"\x03select sleep(5)"] {
        let mut client = admin();
        client.send(0, payload);
        drop(client);
    }
    let mut client = admin();
    client.write(&[100, 0, 0, 0, 3]);
    drop(client);
    let begun = Instant::now();
    while !proxy.node.registry.live().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_alive();
}

fn resident_megabytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096 / 1_000_000
}

#[test]
fn a_large_result_takes_no_memory_even_when_it_is_not_read() {
    let mut client = admin();
    let text = "with recursive n as (select 1 a union all select a + 1 from n where a < 400)
        select a, repeat('x', 1000000) from n";
    let before = resident_megabytes();
    client.send(0, &[&[3], text.as_bytes()].concat());
    std::thread::sleep(Duration::from_secs(1));
    let unread = resident_megabytes();
    assert!(unread < before + 200, "{before} MB before, {unread} MB with a result that is not read");
    let mut rows = 0;
    client.next().unwrap();
    client.next().unwrap();
    client.next().unwrap();
    while client.next().unwrap()[0] != 0xfe {
        rows += 1;
    }
    assert_eq!(rows, 400);
    let after = resident_megabytes();
    assert!(after < before + 200, "{before} MB before, {after} MB after");
    assert_eq!(client.rows("select 1"), [["1"]]);
}

#[test]
fn a_thousand_wrong_passwords_harm_nobody() {
    let guess = || {
        for _ in 0..125 {
            let mut client = Client::greet(PROXY.port);
            assert!(client.log_in(&Options::user("viewer", "guess")).is_err());
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(guess);
        }
    });
    assert!(PROXY.node.metrics.login_failures.get() >= 1000);
    assert_alive();
}
