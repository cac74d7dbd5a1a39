//! A private PostgreSQL.
//!
//! Accounts: `postgres`/`pg-pw` (superuser), `app`/`app-pw` (SCRAM), `md5user`/`md5-pw`, `clear`/`clear-pw` (clear text
//! over TLS), `certuser` (client certificate).

use std::path::PathBuf;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use sekisho::catalog::Snapshot;
use sekisho::net::TlsMode;
use sekisho::pg::upstream::connect;
use sekisho::session::{Secret, SourceSpec};
use sekisho::sql::Engine;
use tokio_postgres::{Config, NoTls, SimpleQueryMessage};

use super::certificates::{self, Certificates};
use super::process::{Process, command, folder, free_port, give, on_a_thread, run};

/// The server of this test process.
pub struct PostgresServer {
    /// Where it listens, on 127.0.0.1 with TLS.
    pub port: u16,
    /// Its certificates.
    pub certificates: Certificates,
    /// The folder of its programs, `psql` among them.
    pub bin: PathBuf,
    process: Process,
    made: AtomicU32,
}

/// A fresh database on the server.
pub struct PostgresDatabase {
    /// Its name.
    pub name: String,
    /// The server it stands on.
    pub server: &'static PostgresServer,
}

/// The server, started on first use.
pub fn postgres() -> &'static PostgresServer {
    static SERVER: LazyLock<PostgresServer> = LazyLock::new(PostgresServer::start);
    &SERVER
}

impl PostgresServer {
    fn start() -> Self {
        let bin = std::env::var_os("SEKISHO_TEST_POSTGRES_BIN").map_or_else(newest_installed, PathBuf::from);
        let folder = folder("postgres");
        let certificates = certificates::make(&folder);
        let (data, password) = (folder.join("data"), folder.join("password"));
        std::fs::write(&password, "pg-pw").unwrap();
        let mut initdb = command(&bin.join("initdb"));
        initdb.args(["-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]);
        run(initdb.arg("-D").arg(&data).arg("--pwfile").arg(&password), "postgresql");
        let hba = "local all all trust\n\
                   hostssl all certuser 127.0.0.1/32 cert\n\
                   hostssl all clear 127.0.0.1/32 password\n\
                   host all md5user 127.0.0.1/32 md5\n\
                   host all all 127.0.0.1/32 scram-sha-256\n";
        std::fs::write(data.join("pg_hba.conf"), hba).unwrap();
        give(&data.join("pg_hba.conf"));
        let port = free_port();
        let mut server = command(&bin.join("postgres"));
        server.arg("-D").arg(&data);
        for (name, value) in [
            ("listen_addresses", "127.0.0.1"),
            ("port", &port.to_string()),
            ("unix_socket_directories", &folder.display().to_string()),
            ("ssl", "on"),
            ("ssl_ca_file", &certificates.ca.display().to_string()),
            ("ssl_cert_file", &certificates.server.display().to_string()),
            ("ssl_key_file", &certificates.server_key.display().to_string()),
            ("fsync", "off"),
            ("synchronous_commit", "off"),
            ("full_page_writes", "off"),
            ("autovacuum", "off"),
            ("max_connections", "300"),
            ("max_prepared_transactions", "10"),
        ] {
            server.arg("-c").arg(format!("{name}={value}"));
        }
        let log = folder.join("log");
        let socket = folder.clone();
        let process = Process::start(folder, &server, &log, || ask(&socket, port, "postgres", "select 1").is_ok());
        let started = Self { port, certificates, bin, process, made: AtomicU32::new(0) };
        started.on("postgres", ACCOUNTS).unwrap();
        started
    }

    /// A fresh database, owned by `app`, prepared by the superuser with this script.
    pub fn database(&'static self, script: &str) -> PostgresDatabase {
        let name = format!("test_{}", self.made.fetch_add(1, Ordering::Relaxed));
        self.on("postgres", &format!("create database {name} owner app")).unwrap();
        let database = PostgresDatabase { name, server: self };
        database.execute("grant all on schema public to public");
        database.execute(script);
        database
    }

    /// The server's major version.
    pub fn major(&'static self) -> u32 {
        let rows = self.on("postgres", "show server_version_num").unwrap();
        rows[0][0].parse::<u32>().unwrap() / 10_000
    }

    /// The folder with the server's log (`log`), its Unix socket and its certificates.
    pub fn folder(&self) -> &std::path::Path {
        &self.process.folder
    }

    fn on(&self, database: &str, sql: &str) -> Result<Vec<Vec<String>>, (String, String)> {
        ask(&self.process.folder, self.port, database, sql)
    }
}

impl PostgresDatabase {
    /// Runs a script as superuser, directly on the server.
    pub fn execute(&self, script: &str) {
        self.rows(script);
    }

    /// Rows as text, NULL as `NULL`, asked for by the superuser directly on the server. All statements' rows in order.
    pub fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        let answer = self.server.on(&self.name, sql);
        answer.unwrap_or_else(|(state, message)| panic!("{state} {message}\n{sql}"))
    }

    /// Rows as [`rows`](Self::rows) gives them, or SQLSTATE and message of the error.
    pub fn try_rows(&self, sql: &str) -> Result<Vec<Vec<String>>, (String, String)> {
        self.server.on(&self.name, sql)
    }

    /// This database as a source of the proxy, whose account is the superuser.
    pub fn source(&self) -> SourceSpec {
        SourceSpec {
            name: "shop".into(),
            engine: Engine::Postgres,
            host: "127.0.0.1".into(),
            port: self.server.port,
            dbname: self.name.as_str().into(),
            user: "postgres".into(),
            password: Some(Secret::new("pg-pw")),
            tls: TlsMode::Disable,
            ca: None,
            max_connections: 50,
            tls_server_name: None,
        }
    }

    /// The catalog of this database, read as the proxy reads it.
    pub fn snapshot(&self) -> Snapshot {
        let source = self.source();
        let load = async move {
            let mut upstream = connect(&source, &source.client_tls().unwrap(), &[]).await.unwrap();
            sekisho::pg::introspect::load(&mut upstream, &source.name, 1).await.unwrap()
        };
        on_a_thread(load)
    }

    /// SQLSTATE and message of the error that a statement gives directly on the server.
    pub fn error(&self, sql: &str) -> (String, String) {
        self.server.on(&self.name, sql).expect_err("the statement should fail")
    }
}

const ACCOUNTS: &str = "
    create role app login password 'app-pw';
    create role clear login password 'clear-pw';
    create role certuser login;
    set password_encryption = md5;
    create role md5user login password 'md5-pw'";

/// The newest version that Debian's packages brought, or whatever is on the path.
fn newest_installed() -> PathBuf {
    let version = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    let entries = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let newest =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|p| version(p).is_some()).max_by_key(version);
    let bin = newest.map(|path| path.join("bin")).filter(|bin| bin.join("initdb").exists());
    bin.expect("tests need PostgreSQL: apt-get install postgresql")
}

/// One connection for one script.
fn ask(socket: &std::path::Path, port: u16, database: &str, sql: &str) -> Result<Vec<Vec<String>>, (String, String)> {
    let mut config = Config::new();
    config.host_path(socket).port(port).user("postgres").dbname(database);
    let ask = async {
        let (client, connection) = config.connect(NoTls).await?;
        let served = tokio::spawn(connection);
        let messages = client.simple_query(sql).await;
        drop(client);
        let _ = served.await;
        messages
    };
    let messages = on_a_thread(ask).map_err(|e| match e.as_db_error() {
        Some(db) => (db.code().code().to_owned(), db.message().to_owned()),
        None => (String::new(), e.to_string()),
    })?;
    let text = |row: tokio_postgres::SimpleQueryRow| {
        (0..row.len()).map(|column| row.get(column).unwrap_or("NULL").to_owned()).collect()
    };
    Ok(messages
        .into_iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(text(row)),
            _ => None,
        })
        .collect())
}
