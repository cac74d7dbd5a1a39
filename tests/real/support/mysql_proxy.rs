//! A proxy in this process, in front of MySQL and MariaDB servers.
//!
//! Users: `admin`/`admin-pw` with the unrestricted role `admin`, who may become `viewer`; `viewer`/`viewer-pw` with the
//! restricted role `viewer`; `old`/`old-pw` like `admin`, with a verifier for `mysql_native_password` too.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use ring::{hmac, pbkdf2};
use sekisho::audit::{Audit, Settings};
use sekisho::auth::users::Verifier;
use sekisho::auth::{User, Users};
use sekisho::mysql;
use sekisho::net::{ServerTls, TlsMode};
use sekisho::policy::{Surroundings, parse};
use sekisho::server::Workers;
use sekisho::session::{Listeners, Node, Rules, Secret, Source, SourceSpec, Timeouts};
use sekisho::sql::Engine;
use tokio::runtime::Runtime;

use super::MySqlServer;

/// A restricted role that reads and writes everything, with addresses masked.
pub const VIEWER: &str = r#"
[role.viewer]
grant = [ { on = "*.*.*", allow = ["read", "write"] } ]
[[protect]]
name = "addresses"
columns = ["*.*.customers.email"]
mask = "email"
"#;

/// A proxy that listens.
pub struct MySqlProxy {
    /// Where, on 127.0.0.1.
    pub port: u16,
    /// What its sessions share.
    pub node: Arc<Node>,
    /// Its audit log.
    pub audit: tempfile::TempDir,
}

/// A source on a server.
pub fn source(name: &str, server: &MySqlServer, tls: TlsMode) -> SourceSpec {
    SourceSpec {
        name: Arc::from(name),
        engine: Engine::MySql,
        host: Arc::from("127.0.0.1"),
        port: server.port,
        dbname: Arc::from(name),
        user: Arc::from("app"),
        password: Some(Secret::new("app-pw")),
        tls,
        ca: Some(server.certificates.ca.clone()),
        max_connections: 200,
        tls_server_name: None,
    }
}

impl MySqlProxy {
    /// Starts a proxy over these sources; `rules` are added to the roles.
    pub fn start(sources: Vec<SourceSpec>, rules: &str, change: impl FnOnce(&mut Listeners, &mut Timeouts)) -> Self {
        Self::start_with(sources, rules, false, change)
    }

    /// The same, with sessions in clear text refused.
    pub fn start_demanding_tls(sources: Vec<SourceSpec>, rules: &str) -> Self {
        Self::start_with(sources, rules, true, |_, _| {})
    }

    fn start_with(
        sources: Vec<SourceSpec>,
        rules: &str,
        tls_required: bool,
        change: impl FnOnce(&mut Listeners, &mut Timeouts),
    ) -> Self {
        let audit = tempfile::tempdir().unwrap();
        let rules = Rules { policy: Arc::new(policy(&sources, rules)), users: Arc::new(users()) };
        let certificates = super::certificates::make(audit.path());
        let mut listeners = Listeners {
            postgres_tls: None,
            mysql_tls: Some(ServerTls::load(&certificates.server, &certificates.server_key, None, &[]).unwrap()),
            max_clients: 1000,
            max_unauthenticated: 1000,
        };
        let mut timeouts = Timeouts::default();
        change(&mut listeners, &mut timeouts);
        let log = Audit::open(Settings::new(audit.path().join("audit")), "test").unwrap();
        let sources = sources.into_iter().map(super::keyed);
        let node = Arc::new(Node::new(rules, sources, log, listeners, timeouts));
        read_catalogs(&node);
        let port = listen(Arc::clone(&node), tls_required);
        keep_catalogs(&node);
        Self { port, node, audit }
    }

    /// Reads the catalogs again, as after DDL.
    pub fn refresh(&self) {
        read_catalogs(&self.node);
    }

    /// Keeps the catalogs current from now on, as a serving proxy does.
    pub fn keep_current(&self) {
        for source in self.node.sources.values().map(Arc::clone) {
            let node = Arc::clone(&self.node);
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                let every = std::time::Duration::from_hours(1);
                runtime.block_on(sekisho::server::catalogs::keep_current(&node, &source, every));
            });
        }
    }

    /// Puts other rules in force.
    pub fn reload(&self, rules: &str) {
        let sources: Vec<SourceSpec> = self.node.sources.values().map(|source| source.spec.clone()).collect();
        let rules = Rules { policy: Arc::new(policy(&sources, rules)), users: Arc::new(users()) };
        self.node.rules.store(Arc::new(rules));
    }

    /// All records of the audit log so far.
    pub fn records(&self) -> Vec<serde_json::Value> {
        self.node.audit.flush();
        let mut files: Vec<_> =
            std::fs::read_dir(self.audit.path().join("audit")).unwrap().map(|e| e.unwrap().path()).collect();
        files.sort();
        let text: String = files
            .iter()
            .filter(|f| f.extension().is_some_and(|e| e == "jsonl"))
            .map(|f| std::fs::read_to_string(f).unwrap())
            .collect();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// Reads the catalog of each source, after which clients are greeted in its server's words.
fn read_catalogs(node: &Node) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    node.sources.values().for_each(|source| read_catalog(&runtime, source));
}

fn read_catalog(runtime: &Runtime, source: &Source) {
    runtime.block_on(async {
        let mut upstream = mysql::upstream::connect(source, &mysql::upstream::Wishes::own()).await.unwrap();
        let version = source.catalog.current().version() + 1;
        let snapshot = mysql::introspect::load(&mut upstream, &source.spec.name, version).await.unwrap();
        source.catalog.replace(snapshot);
    });
}

/// Reads catalogs again when a session asks, as long as somebody else holds the node.
fn keep_catalogs(node: &Arc<Node>) {
    let node = Arc::downgrade(node);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        while let Some(node) = node.upgrade() {
            for source in node.sources.values() {
                let wanted = async { tokio::time::timeout(Duration::from_millis(20), source.refresh.wanted()).await };
                if let Ok(ticket) = runtime.block_on(wanted) {
                    read_catalog(&runtime, source);
                    source.refresh.done(ticket);
                }
            }
        }
    });
}

/// A source's catalog without the tables of all databases but one.
pub fn only(source: &Source, database: &str) -> sekisho::catalog::Snapshot {
    let whole = source.catalog.current();
    let mut builder =
        sekisho::catalog::SnapshotBuilder::new(whole.version() + 1, Arc::clone(&source.spec.name), Engine::MySql, 0);
    builder.schema(database);
    for relation in whole.relations().iter().filter(|relation| &*relation.schema == database) {
        builder.relation(relation.clone());
    }
    builder.build()
}

fn listen(node: Arc<Node>, tls_required: bool) -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", port_wanted())).unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let audit = node.audit.clone();
    let workers = Workers::start(2, move || audit.flush()).unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            loop {
                let (tcp, peer) = listener.accept().await.unwrap();
                let tcp = tcp.into_std().unwrap();
                let node = Arc::clone(&node);
                workers.run(move || async move {
                    mysql::login::serve(node, tokio::net::TcpStream::from_std(tcp).unwrap(), peer, tls_required).await;
                });
            }
        });
    });
    port
}

/// `SEKISHO_TEST_PROXY_PORT` fixes the port, for trying a proxy by hand.
fn port_wanted() -> u16 {
    std::env::var("SEKISHO_TEST_PROXY_PORT").map_or(0, |port| port.parse().unwrap())
}

fn policy(sources: &[SourceSpec], rules: &str) -> sekisho::policy::PolicySet {
    let text = format!("[role.admin]\nunrestricted = true\n{rules}");
    let surroundings = Surroundings::new(sources.iter().map(|spec| (Arc::clone(&spec.name), spec.engine)));
    let (policy, _) = parse(&[("rules.toml", text.as_str())], &surroundings, 1).unwrap_or_else(|e| panic!("{e:?}"));
    policy
}

fn users() -> Users {
    let user = |name: &str, roles: &[&str]| User {
        name: Arc::from(name),
        verifier: verifier(&format!("{name}-pw")),
        native_password: None,
        roles: roles.iter().map(|role| Arc::from(*role)).collect(),
        sources: None,
        attributes: BTreeMap::default(),
    };
    let sha1 = |bytes: &[u8]| digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes);
    let native = sha1(sha1(b"old-pw").as_ref()).as_ref().try_into().unwrap();
    let old = User { native_password: Some(native), ..user("old", &["admin"]) };
    Users::new([user("admin", &["admin", "viewer"]), user("viewer", &["viewer"]), old])
}

pub(super) fn verifier(password: &str) -> Verifier {
    let (iterations, salt): (u32, Box<[u8]>) = (4096, Box::from(*b"0123456789abcdef"));
    let mut salted = [0; 32];
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA256,
        NonZeroU32::new(iterations).unwrap(),
        &salt[..],
        password.as_bytes(),
        &mut salted,
    );
    let key = |text: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &salted), text);
    Verifier {
        iterations,
        salt,
        stored_key: digest(&SHA256, key(b"Client Key").as_ref()).as_ref().try_into().unwrap(),
        server_key: key(b"Server Key").as_ref().try_into().unwrap(),
    }
}
