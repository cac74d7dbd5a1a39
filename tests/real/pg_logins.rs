//! How clients of PostgreSQL get in, and how the proxy gets into servers: TLS, certificates, proofs, limits.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use sekisho::net::{ServerTls, TlsMode};
use sekisho::pg::accept::ALPN;
use sekisho::pg::upstream::{UpstreamError, connect};
use sekisho::session::{Secret, SourceSpec, Timeouts};

use crate::support::certificates::Certificates;
use crate::support::pg_client::{PostgresClient, query, startup};
use crate::support::pg_proxy::PostgresProxy;
use crate::support::process::on_a_thread;
use crate::support::relay::{Trouble, relay};
use crate::support::{PostgresDatabase, postgres};

const VIEWER: &str = "[role.viewer]\ngrant = [ { on = 'shop.public.*', allow = ['read'] } ]\n";

fn shop() -> PostgresDatabase {
    postgres().database("create table t(a int); insert into t values (5)")
}

/// A TLS client that trusts the authority of a folder of certificates.
fn tls(folder: &Path, alpn: &[&[u8]], identity: Option<&Certificates>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(folder.join("ca.crt")).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let builder = builder.with_root_certificates(roots);
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some(files) => {
            let chain = vec![CertificateDer::from_pem_file(&files.client).unwrap()];
            builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_file(&files.client_key).unwrap()).unwrap()
        }
    };
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    Arc::new(config)
}

/// Begins a session inside TLS, after a request for it or directly, and gives the type of the first message, or how it
/// failed.
fn first_message(port: u16, config: &Arc<ClientConfig>, directly: bool) -> std::io::Result<u8> {
    let mut tcp = TcpStream::connect(("127.0.0.1", port))?;
    tcp.set_read_timeout(Some(Duration::from_secs(20)))?;
    if !directly {
        tcp.write_all(&[0, 0, 0, 8, 4, 210, 22, 47])?;
        let mut answer = [0];
        tcp.read_exact(&mut answer)?;
        assert_eq!(&answer, b"S");
    }
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = StreamOwned::new(ClientConnection::new(Arc::clone(config), name).unwrap(), tcp);
    stream.write_all(&startup(3 << 16, &[("user", "viewer"), ("database", "shop")]))?;
    let mut first = [0];
    stream.read_exact(&mut first)?;
    Ok(first[0])
}

#[test]
fn tls_without_a_request_must_name_the_protocol() {
    let proxy = PostgresProxy::start(&shop(), VIEWER);
    let folder = proxy.folder.path();
    assert_eq!(first_message(proxy.port, &tls(folder, &[ALPN], None), true).unwrap(), b'R');
    assert_eq!(first_message(proxy.port, &tls(folder, &[ALPN], None), false).unwrap(), b'R');
    assert_eq!(first_message(proxy.port, &tls(folder, &[], None), false).unwrap(), b'R');
    assert!(first_message(proxy.port, &tls(folder, &[], None), true).is_err(), "without a name");
    assert!(first_message(proxy.port, &tls(folder, &[b"http/1.1"], None), true).is_err(), "another protocol");
}

#[test]
fn client_certificates_are_demanded_where_an_authority_is_named() {
    let mut made = None;
    let proxy = PostgresProxy::start_as(shop().source(), VIEWER, Timeouts::default(), |listeners, files| {
        let tls = ServerTls::load(&files.server, &files.server_key, Some(&files.ca), &[ALPN]).unwrap();
        listeners.postgres_tls = Some(tls);
        made = Some((files.client.clone(), files.client_key.clone()));
    });
    let (client, client_key) = made.unwrap();
    let folder = proxy.folder.path();
    let own = Certificates {
        client,
        client_key,
        ca: folder.join("ca.crt"),
        server: folder.join("server.crt"),
        server_key: folder.join("server.key"),
    };
    assert_eq!(first_message(proxy.port, &tls(folder, &[ALPN], Some(&own)), true).unwrap(), b'R');
    assert_eq!(first_message(proxy.port, &tls(folder, &[ALPN], Some(&own)), false).unwrap(), b'R');
    assert!(first_message(proxy.port, &tls(folder, &[ALPN], None), false).is_err(), "without a certificate");
    let strangers = &postgres().certificates;
    assert!(first_message(proxy.port, &tls(folder, &[ALPN], Some(strangers)), false).is_err(), "of another authority");
}

#[test]
fn places_for_clients_are_limited() {
    let proxy = PostgresProxy::start_as(
        shop().source(),
        VIEWER,
        Timeouts { login: Duration::from_secs(3), ..Timeouts::default() },
        |listeners, _| (listeners.max_clients, listeners.max_unauthenticated) = (6, 3),
    );
    let too_many = "E 53300 sorry, too many clients already";
    let ask = || {
        let mut client = PostgresClient::open(proxy.port);
        client.send(&[startup(3 << 16, &[("user", "viewer"), ("database", "shop")])]);
        client.log_in("viewer-pw").map(|()| client)
    };
    // Logins that go on for ever keep others from logging in, for as long as a login may take.
    let good = ask().unwrap();
    let slow: Vec<_> = (0..3).map(|_| PostgresClient::open(proxy.port)).collect();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(ask().err().as_deref(), Some(too_many));
    for mut client in slow {
        assert!(client.until_end().is_empty());
    }
    let more: Vec<_> = (0..5).map(|_| ask().unwrap()).collect();
    assert_eq!(ask().err().as_deref(), Some(too_many));
    drop((good, more));
    std::thread::sleep(Duration::from_millis(300));
    assert!(ask().is_ok());
    assert!(proxy.node.metrics.connections_refused.get() >= 2);
}

#[test]
fn places_at_the_server_are_limited() {
    let proxy = PostgresProxy::start_with(
        SourceSpec { max_connections: 2, ..shop().source() },
        VIEWER,
        Timeouts { connection_wait: Duration::from_millis(600), ..Timeouts::default() },
    );
    let mut clients: Vec<_> = (0..3).map(|_| PostgresClient::connect(proxy.port, "viewer")).collect();
    assert_eq!(clients[0].run("select a from t")[1], "D 5");
    assert_eq!(clients[1].run("select a from t")[1], "D 5");
    clients[2].send(&[query("select a from t")]);
    let words = "all 2 connections that `max_connections` of source `shop` allows are in use";
    let told = clients[2].until_end();
    assert_eq!(told, [format!("E 53300 source \"shop\" cannot be reached: {words}")]);
    // Who waits gets the place of one who leaves.
    let mut waiting = PostgresClient::connect(proxy.port, "viewer");
    waiting.send(&[query("select a from t")]);
    std::thread::sleep(Duration::from_millis(100));
    drop(clients);
    assert_eq!(waiting.until_ready()[1], "D 5");
}

/// Whether a connection to the server is by TLS, or why there is none.
fn reach(source: SourceSpec) -> Result<bool, UpstreamError> {
    on_a_thread(async move {
        let tls = source.client_tls().unwrap();
        connect(&source, &tls, &[]).await.map(|upstream| upstream.stream.is_tls())
    })
}

#[test]
fn servers_are_reached_as_each_tls_mode_says() {
    let server = postgres();
    let database = shop();
    let ca = Some(server.certificates.ca.clone());
    let with = |tls, ca| SourceSpec { tls, ca, ..database.source() };
    assert!(!reach(with(TlsMode::Disable, None)).unwrap());
    for mode in [TlsMode::Prefer, TlsMode::Require] {
        assert!(reach(with(mode, None)).unwrap(), "{mode:?}");
    }
    for mode in [TlsMode::VerifyCa, TlsMode::VerifyFull] {
        assert!(reach(with(mode, ca.clone())).unwrap(), "{mode:?}");
        let folder = tempfile::tempdir().unwrap();
        let stranger = crate::support::certificates::make(folder.path()).ca;
        let error = reach(with(mode, Some(stranger))).unwrap_err().to_string();
        assert!(error.contains("certificate"), "{mode:?}: {error}");
    }
    // The certificate is for localhost.
    let named = |tls| SourceSpec { tls_server_name: Some("db.example".into()), ..with(tls, ca.clone()) };
    assert!(reach(named(TlsMode::VerifyCa)).unwrap());
    let error = reach(named(TlsMode::VerifyFull)).unwrap_err().to_string();
    assert!(error.contains("not valid for name"), "{error}");
}

#[test]
fn without_tls_on_the_way_only_those_who_allow_it_go_on() {
    let database = shop();
    let port = relay(postgres().port, Trouble::NoTls);
    let ca = Some(postgres().certificates.ca.clone());
    let through = |tls| SourceSpec { port, tls, ca: ca.clone(), ..database.source() };
    assert!(!reach(through(TlsMode::Disable)).unwrap());
    assert!(!reach(through(TlsMode::Prefer)).unwrap());
    for mode in [TlsMode::Require, TlsMode::VerifyCa, TlsMode::VerifyFull] {
        assert!(matches!(reach(through(mode)), Err(UpstreamError::NoTls)), "{mode:?}");
    }
}

#[test]
fn each_proof_of_identity_that_servers_ask_for_is_given() {
    let database = shop();
    database.execute("grant select on t to public");
    let account = |user: &str, password: Option<&str>, tls| SourceSpec {
        user: user.into(),
        password: password.map(Secret::new),
        tls,
        ..database.source()
    };
    let socket =
        SourceSpec { host: postgres().folder().to_str().unwrap().into(), ..account("app", None, TlsMode::Disable) };
    let sources = [
        ("scram", account("app", Some("app-pw"), TlsMode::Disable)),
        ("scram with channel binding", account("app", Some("app-pw"), TlsMode::Require)),
        ("md5", account("md5user", Some("md5-pw"), TlsMode::Disable)),
        ("md5 inside TLS", account("md5user", Some("md5-pw"), TlsMode::Require)),
        ("password", account("clear", Some("clear-pw"), TlsMode::Require)),
        ("trust", socket),
    ];
    for (proof, source) in sources {
        let user = source.user.clone();
        let proxy = PostgresProxy::start_with(source, VIEWER, Timeouts::default());
        let mut viewer = PostgresClient::connect(proxy.port, "viewer");
        assert_eq!(viewer.run("select a from t")[1], "D 5", "{proof}");
        let mut admin = PostgresClient::connect(proxy.port, "admin");
        assert_eq!(admin.run("select session_user")[1], format!("D {user}"), "{proof}");
    }
    for (user, password) in [("app", "wrong"), ("md5user", "wrong"), ("clear", "wrong")] {
        let error = reach(account(user, Some(password), TlsMode::Require)).unwrap_err();
        assert!(matches!(&error, UpstreamError::Server { sqlstate, .. } if sqlstate == "28P01"), "{user}: {error}");
    }
    let error = reach(account("app", None, TlsMode::Disable)).unwrap_err().to_string();
    assert_eq!(error, "the server asks for a password; set `password` of source `shop`");
}

#[test]
fn a_login_that_cannot_be_recorded_leaves_no_session_behind() {
    let database = postgres().database("select 1");
    let proxy =
        PostgresProxy::start(&database, "[role.viewer]\ngrant = [ { on = 'shop.public.*', allow = ['read'] } ]\n");
    let folder = proxy.folder.path().join("audit");
    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::write(&folder, "a file where the folder was").unwrap();
    let log_in = || {
        let mut client = PostgresClient::open(proxy.port);
        client.send(&[startup(3 << 16, &[("user", "viewer"), ("database", "shop")])]);
        client.log_in("viewer-pw").map(|()| client)
    };
    // The first may be let in, before the log knows; a row it does not get.
    let first = log_in();
    for _ in 0..3 {
        let refused = log_in().err().unwrap();
        assert!(refused.contains("58030"), "{refused}");
    }
    drop(first);
    let until = std::time::Instant::now() + std::time::Duration::from_secs(5);
    while !proxy.node.registry.live().is_empty() {
        assert!(std::time::Instant::now() < until, "{:?}", proxy.node.registry.live());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    std::fs::remove_file(&folder).unwrap();
}
