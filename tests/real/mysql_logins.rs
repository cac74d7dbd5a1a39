//! Logins of MySQL clients: every plugin, with and without TLS, right and wrong.

use std::sync::LazyLock;
use std::time::Instant;

use sekisho::mysql::wire::Capabilities;
use sekisho::net::TlsMode;

use crate::support::mariadb;
use crate::support::mysql_client::{Client, Options};
use crate::support::mysql_proxy::{MySqlProxy, VIEWER, source};

static PROXY: LazyLock<MySqlProxy> =
    LazyLock::new(|| MySqlProxy::start(vec![source("maria", mariadb(), TlsMode::Disable)], VIEWER, |_, _| {}));

fn fresh() -> MySqlProxy {
    MySqlProxy::start(vec![source("maria", mariadb(), TlsMode::Disable)], VIEWER, |_, _| {})
}

fn connect(options: &Options) -> Client {
    Client::connect(PROXY.port, options).unwrap()
}

/// What the proxy said in the exchange: `[1, 4]` asks for the password, `[1, 3]` says that the scramble sufficed.
const FULL: [u8; 2] = [1, 4];
const FAST: [u8; 2] = [1, 3];

#[test]
fn the_password_is_asked_for_once_and_proved_from_then_on() {
    let proxy = fresh();
    let admin = Options::user("admin", "admin-pw");
    for (options, expected) in [(admin.clone().tls(), FULL), (admin.clone().tls(), FAST), (admin.clone(), FAST)] {
        let mut client = Client::connect(proxy.port, &options).unwrap();
        assert_eq!(client.exchange[0], expected);
        assert_eq!(client.rows("select 1"), [["1"]]);
    }
    // Without TLS the password comes under the proxy's RSA key.
    let proxy = fresh();
    let mut client = Client::connect(proxy.port, &admin).unwrap();
    assert_eq!(client.exchange[0], FULL);
    assert_eq!(client.exchange[1], *b"\x01-");
    assert_eq!(client.rows("select 1"), [["1"]]);
    assert_eq!(Client::connect(proxy.port, &admin).unwrap().exchange[0], FAST);
}

#[test]
fn other_plugins_are_switched_or_served() {
    let old = Options::user("old", "old-pw").plugin("mysql_native_password");
    assert_eq!(connect(&old).exchange, [[0, 0]]);
    let mut switched = connect(&Options::user("admin", "admin-pw").plugin("mysql_native_password"));
    assert_eq!(switched.exchange[0][0], 0xfe);
    assert_eq!(switched.rows("select 1"), [["1"]]);
    connect(&Options::user("admin", "admin-pw").plugin("client_ed25519").tls());
    let clear = Options::user("admin", "admin-pw").plugin("mysql_clear_password");
    assert_eq!(connect(&clear.clone().tls()).exchange, [[0, 0]]);
    let refused = Client::connect(PROXY.port, &clear).err().unwrap();
    assert_eq!((refused.code, refused.sqlstate()), (1251, "08004"));
}

#[test]
fn wrong_passwords_and_unknown_users_look_the_same() {
    let mut seen = Vec::new();
    for user in ["admin", "nobody"] {
        for options in [
            Options::user(user, "wrong").tls(),
            Options::user(user, "wrong"),
            Options::user(user, "wrong").plugin("mysql_clear_password").tls(),
            Options::user(user, "wrong").plugin("mysql_native_password"),
        ] {
            let mut client = Client::greet(PROXY.port);
            let error = client.log_in(&options).unwrap_err();
            assert_eq!((error.code, error.sqlstate()), (1045, "28000"));
            assert_eq!(error.message, format!("access denied for user `{user}`"));
            seen.push(client.exchange.clone());
        }
    }
    assert_eq!(seen[..4], seen[4..]);
    let empty = Client::connect(PROXY.port, &Options::user("admin", "").tls()).err().unwrap();
    assert_eq!(empty.code, 1045);
    let records = PROXY.records();
    let refused: Vec<_> = records.iter().filter(|r| r["kind"] == "login_refused").collect();
    assert!(refused.iter().any(|r| r["user"] == "nobody"), "{refused:?}");
}

#[test]
fn tls_can_be_demanded() {
    let maria = source("maria", mariadb(), TlsMode::Disable);
    let proxy = MySqlProxy::start_demanding_tls(vec![maria], VIEWER);
    let refused = Client::connect(proxy.port, &Options::user("admin", "admin-pw")).err().unwrap();
    assert_eq!(refused.code, 3159);
    Client::connect(proxy.port, &Options::user("admin", "admin-pw").tls()).unwrap();
}

#[test]
fn databases_and_sources_are_named_at_login() {
    let database = mariadb().database("create table t(a int)");
    let proxy = fresh();
    let admin = Options::user("admin", "admin-pw");
    let mut client = Client::connect(proxy.port, &admin.clone().on(&database.name)).unwrap();
    assert_eq!(client.rows("select database()"), [[database.name.clone()]]);
    let unknown = Client::connect(proxy.port, &admin.clone().on("no_such")).err().unwrap();
    assert_eq!((unknown.code, unknown.sqlstate()), (1049, "42000"));
    let mut client = Client::connect(proxy.port, &Options { user: "admin@maria", ..admin.clone() }).unwrap();
    assert_eq!(client.rows("select 1"), [["1"]]);
    let denied = Client::connect(proxy.port, &Options { user: "admin@other", ..admin }).err().unwrap();
    assert_eq!(denied.code, 1044);
}

#[test]
fn the_greeting_is_the_servers() {
    let greeting = Client::greet(PROXY.port).greeting;
    assert!(greeting.version.contains("MariaDB"));
    assert!(greeting.capabilities.has(Capabilities::SSL | Capabilities::COMPRESS | Capabilities::DEPRECATE_EOF));
    assert!(!greeting.capabilities.has(Capabilities::QUERY_ATTRIBUTES));
    assert!(!greeting.capabilities.has(Capabilities::LONG_PASSWORD));
}

#[test]
fn guesses_are_slowed_and_harm_nobody() {
    let proxy = fresh();
    let begun = Instant::now();
    for _ in 0..40 {
        assert!(Client::connect(proxy.port, &Options::user("viewer", "guess").tls()).is_err());
    }
    assert!(begun.elapsed().as_millis() > 400, "{:?}", begun.elapsed());
    Client::connect(proxy.port, &Options::user("viewer", "viewer-pw").tls()).unwrap();
    assert_eq!(proxy.node.metrics.login_failures.get(), 40);
}
