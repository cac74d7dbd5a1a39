//! A proxy in this process, in front of the private PostgreSQL.
//!
//! Users, each with the password `NAME-pw`: `admin` with the roles `admin` (unrestricted) and `viewer`; `viewer` with
//! `viewer`; what `viewer` may do the test's rules say.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use sekisho::audit::{Audit, Settings};
use sekisho::auth::{User, Users};
use sekisho::net::ServerTls;
use sekisho::pg::accept::ALPN;
use sekisho::policy::{PolicySet, Surroundings, parse};
use sekisho::server::{self, Address, Order, Protocol, Server};
use sekisho::session::{Listeners, Node, Rules, SourceSpec, Timeouts};
use sekisho::sql::Engine;
use tokio::sync::mpsc::{Sender, channel};

use super::PostgresDatabase;
use super::certificates::Certificates;
use super::mysql_proxy::verifier;

/// A proxy that listens.
pub struct PostgresProxy {
    /// Where, on 127.0.0.1.
    pub port: u16,
    /// What its sessions share.
    pub node: Arc<Node>,
    /// Its audit log, and its certificates.
    pub folder: tempfile::TempDir,
    orders: Sender<Order>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl PostgresProxy {
    /// Starts a proxy over a database, which is the source `shop`.
    pub fn start(database: &PostgresDatabase, rules: &str) -> Self {
        Self::start_with(database.source(), rules, Timeouts::default())
    }

    /// Starts a proxy over a source.
    pub fn start_with(spec: SourceSpec, rules: &str, timeouts: Timeouts) -> Self {
        Self::start_as(spec, rules, timeouts, |_, _| {})
    }

    /// Starts a proxy that lets clients in as `change` says.
    pub fn start_as(
        spec: SourceSpec,
        rules: &str,
        timeouts: Timeouts,
        change: impl FnOnce(&mut Listeners, &Certificates),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certificates = super::certificates::make(folder.path());
        let tls = ServerTls::load(&certificates.server, &certificates.server_key, None, &[ALPN]).unwrap();
        let mut listeners = Listeners { postgres_tls: Some(tls), ..Listeners::default() };
        change(&mut listeners, &certificates);
        let audit = Audit::open(Settings::new(folder.path().join("audit")), "test").unwrap();
        let rules = Rules { policy: Arc::new(policy(rules, 1)), users: Arc::new(users()) };
        let node = Arc::new(Node::new(rules, [super::keyed(spec)], audit, listeners, timeouts));
        let (orders, receiver) = channel(4);
        let (started, address) = std::sync::mpsc::channel();
        let running = Arc::clone(&node);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let server = Server::start(running, &settings()).await.unwrap();
                started.send(server.addresses().next().unwrap().address).unwrap();
                server.run(receiver, Arc::new(|_| {})).await;
            });
        });
        let address: SocketAddr = address.recv().unwrap();
        let proxy = Self { port: address.port(), node, folder, orders, thread: Some(thread) };
        proxy.wait_for_catalog();
        proxy
    }

    /// Puts other rules in force.
    pub fn reload(&self, rules: &str) {
        let version = self.node.rules.load().policy.version() + 1;
        self.node.rules.store(Arc::new(Rules { policy: Arc::new(policy(rules, version)), users: Arc::new(users()) }));
    }

    /// Tells the proxy to stop; a second time, at once.
    pub fn stop(&self) {
        self.orders.blocking_send(Order::Stop).unwrap();
    }

    /// All records of the audit log so far.
    pub fn records(&self) -> Vec<serde_json::Value> {
        self.node.audit.flush();
        let read = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().path();
        let mut files: Vec<_> = std::fs::read_dir(self.folder.path().join("audit")).unwrap().map(read).collect();
        files.sort();
        let segments = files.iter().filter(|file| file.extension().is_some_and(|e| e == "jsonl"));
        let text: String = segments.map(|file| std::fs::read_to_string(file).unwrap()).collect();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn wait_for_catalog(&self) {
        let source = self.node.sources.values().next().unwrap();
        for _ in 0..1000 {
            if !source.catalog.current().source().is_empty() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the catalog was not read");
    }
}

impl Drop for PostgresProxy {
    fn drop(&mut self) {
        let _ = self.orders.try_send(Order::Stop);
        let _ = self.orders.try_send(Order::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn settings() -> server::Settings {
    let address = Address { address: ([127, 0, 0, 1], 0).into(), protocol: Protocol::Postgres, tls_required: false };
    server::Settings { clients: vec![address], admin: None, workers: Some(2), catalog_refresh: Duration::from_hours(1) }
}

fn policy(rules: &str, version: u64) -> PolicySet {
    let text = format!("[role.admin]\nunrestricted = true\n{rules}");
    let surroundings = Surroundings::new([(Arc::from("shop"), Engine::Postgres)]);
    parse(&[("rules.toml", text.as_str())], &surroundings, version).unwrap_or_else(|e| panic!("{e:?}")).0
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
    Users::new([user("admin", &["admin", "viewer"]), user("viewer", &["viewer"])])
}
