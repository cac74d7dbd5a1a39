//! A private MariaDB, and a private MySQL where `SEKISHO_TEST_MYSQLD` names one.
//!
//! Accounts: `root`/`my-pw` (all rights), `app`/`app-pw` (all on every database, `mysql_native_password` on MariaDB and
//! `caching_sha2_password` on MySQL), `ed`/`ed-pw` (MariaDB's `client_ed25519`), `tlsonly`/`tls-pw`,
//! `certuser`/`cert-pw` (client certificate).

use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::certificates::{self, Certificates};
use sekisho::catalog::Snapshot;
use sekisho::mysql::upstream::{Wishes, connect};
use sekisho::net::TlsMode;
use sekisho::session::{Secret, Source, SourceSpec};
use sekisho::sql::Engine;

use super::process::{Process, command, folder, free_port, on_a_thread, run};

/// A server of this test process.
pub struct MySqlServer {
    /// Where it listens, on 127.0.0.1 with TLS.
    pub port: u16,
    /// Its certificates.
    pub certificates: Certificates,
    /// Its Unix socket.
    pub socket: PathBuf,
    client: PathBuf,
    made: AtomicU32,
    process: Process,
}

/// A fresh database on a server.
pub struct MySqlDatabase {
    /// Its name.
    pub name: String,
    /// The server it stands on.
    pub server: &'static MySqlServer,
}

/// The MariaDB of this test process, started on first use.
pub fn mariadb() -> &'static MySqlServer {
    static SERVER: LazyLock<MySqlServer> = LazyLock::new(|| MySqlServer::start_mariadb(&[]));
    &SERVER
}

/// The MySQL of this test process, or `None` (said once on standard error) where none is at hand.
pub fn mysql() -> Option<&'static MySqlServer> {
    static SERVER: LazyLock<Option<MySqlServer>> = LazyLock::new(|| {
        let Some(program) = std::env::var_os("SEKISHO_TEST_MYSQLD") else {
            eprintln!("no MySQL: SEKISHO_TEST_MYSQLD names no mysqld; its tests are skipped");
            return None;
        };
        Some(MySqlServer::start_mysql(Path::new(&program)))
    });
    SERVER.as_ref()
}

impl MySqlServer {
    /// A server of its own with more options, for what other tests must not see.
    pub fn with_options(options: &[&str]) -> &'static Self {
        Box::leak(Box::new(Self::start_mariadb(options)))
    }

    fn start_mariadb(more: &[&str]) -> Self {
        let program = Path::new("/usr/sbin/mariadbd");
        assert!(program.exists(), "tests need MariaDB: apt-get install mariadb-server");
        let folder = folder("mariadb");
        let mut install = command(Path::new("mariadb-install-db"));
        install.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]);
        install.args(["--innodb-log-file-size=8M", "--innodb-flush-log-at-trx-commit=0"]);
        run(install.arg(format!("--datadir={}", folder.join("data").display())), "mariadb-server");
        let options = [&["--skip-log-bin", "--sync-frm=OFF"], more].concat();
        let server = Self::start(folder, program, PathBuf::from("mariadb"), &options);
        server
            .on("", "install soname 'auth_ed25519'; create user ed@'%' identified via ed25519 using password('ed-pw')")
            .unwrap();
        server
    }

    fn start_mysql(program: &Path) -> Self {
        let folder = folder("mysql");
        let root = program.ancestors().nth(2).unwrap();
        let mut options =
            vec!["--skip-log-bin".to_owned(), "--mysqlx=OFF".to_owned(), "--secure-file-priv=NULL".to_owned()];
        if root != Path::new("/usr") {
            options.push(format!("--basedir={}", root.display()));
            options.push(format!("--lc-messages-dir={}", root.join("share/mysql").display()));
            options.push(format!("--character-sets-dir={}", root.join("share/mysql/charsets").display()));
            options.push(format!("--plugin-dir={}", root.join("lib/mysql/plugin").display()));
        }
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let mut install = command(program);
        install.arg("--no-defaults").arg("--initialize-insecure").args(&options);
        run(install.arg(format!("--datadir={}", folder.join("data").display())), "mysql-server");
        let client = root.join("bin/mysql");
        let client = if client.exists() { client } else { PathBuf::from("mariadb") };
        Self::start(folder, program, client, &options)
    }

    fn start(folder: PathBuf, program: &Path, client: PathBuf, options: &[&str]) -> Self {
        let certificates = certificates::make(&folder);
        let (port, socket, log) = (free_port(), folder.join("socket"), folder.join("log"));
        let mut server = command(program);
        server.arg("--no-defaults").args(options);
        server.args(["--bind-address=127.0.0.1", "--skip-name-resolve", "--local-infile=ON"]);
        server.args(["--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M"]);
        for (name, value) in [
            ("port", port.to_string()),
            ("datadir", folder.join("data").display().to_string()),
            ("tmpdir", folder.display().to_string()),
            ("socket", socket.display().to_string()),
            ("pid-file", folder.join("pid").display().to_string()),
            ("ssl-ca", certificates.ca.display().to_string()),
            ("ssl-cert", certificates.server.display().to_string()),
            ("ssl-key", certificates.server_key.display().to_string()),
        ] {
            server.arg(format!("--{name}={value}"));
        }
        let process =
            Process::start(folder, &server, &log, || socket.exists() && ask(&client, &socket, "", "select 1").is_ok());
        let started = Self { port, certificates, socket, client, made: AtomicU32::new(0), process };
        started.on("", ACCOUNTS).unwrap();
        started
    }

    /// A fresh database, prepared by `root` with this script.
    pub fn database(&'static self, script: &str) -> MySqlDatabase {
        let name = format!("test_{}", self.made.fetch_add(1, Ordering::Relaxed));
        self.on("", &format!("create database {name} character set utf8mb4")).unwrap();
        let database = MySqlDatabase { name, server: self };
        if !script.trim().is_empty() {
            database.execute(script);
        }
        database
    }

    /// This server as a source of the proxy, whose account has all rights.
    pub fn source(&self) -> SourceSpec {
        SourceSpec {
            name: "legacy".into(),
            engine: Engine::MySql,
            host: "127.0.0.1".into(),
            port: self.port,
            dbname: "legacy".into(),
            user: "root".into(),
            password: Some(Secret::new("my-pw")),
            tls: TlsMode::Disable,
            ca: None,
            max_connections: 50,
            tls_server_name: None,
        }
    }

    /// The catalog of this server, read as the proxy reads it.
    pub fn snapshot(&self) -> Snapshot {
        let source = Source::new(self.source()).unwrap();
        on_a_thread(async move {
            let mut upstream = connect(&source, &Wishes::own()).await.unwrap();
            sekisho::mysql::introspect::load(&mut upstream, &source.spec.name, 1).await.unwrap()
        })
    }

    /// The folder with the server's log (`log`), its Unix socket and its certificates.
    pub fn folder(&self) -> &Path {
        &self.process.folder
    }

    fn on(&self, database: &str, sql: &str) -> Result<Vec<Vec<String>>, String> {
        ask(&self.client, &self.socket, database, sql)
    }
}

impl MySqlDatabase {
    /// Runs a script as `root`, directly on the server.
    pub fn execute(&self, script: &str) {
        self.rows(script);
    }

    /// Rows as text, NULL as `NULL`, asked for by `root` directly on the server. All statements' rows in order.
    pub fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        self.server.on(&self.name, sql).unwrap_or_else(|error| panic!("{error}\n{sql}"))
    }

    /// Rows as [`rows`](Self::rows) gives them, or the error.
    pub fn try_rows(&self, sql: &str) -> Result<Vec<Vec<String>>, String> {
        self.server.on(&self.name, sql)
    }

    /// The error that a statement gives directly on the server: `ERROR 1064 (42000) at line 1: …`.
    pub fn error(&self, sql: &str) -> String {
        self.server.on(&self.name, sql).expect_err("the statement should fail")
    }
}

const ACCOUNTS: &str = "
    create user app@'%' identified by 'app-pw'; grant all on *.* to app@'%';
    create user tlsonly@'%' identified by 'tls-pw' require ssl;
    create user certuser@'%' identified by 'cert-pw' require x509;
    drop user if exists root@'127.0.0.1';
    create user root@'127.0.0.1' identified by 'my-pw'; grant all on *.* to root@'127.0.0.1' with grant option;";

/// The server's own client in batch mode.
fn ask(client: &Path, socket: &Path, database: &str, sql: &str) -> Result<Vec<Vec<String>>, String> {
    let mut command = Command::new(client);
    command.args(["--no-defaults", "--batch", "--skip-column-names", "--default-character-set=utf8mb4", "-uroot"]);
    command.arg("-S").arg(socket).arg(format!("--database={database}"));
    // A script can be longer than an argument may be.
    let mut script = tempfile::tempfile().map_err(|e| e.to_string())?;
    script.write_all(sql.as_bytes()).and_then(|()| script.rewind()).map_err(|e| e.to_string())?;
    let output = command.stdin(Stdio::from(script)).output().map_err(|e| format!("{}: {e}", client.display()))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(text.find("ERROR ").map_or(text.clone(), |start| text[start..].trim_end().to_owned()));
    }
    let text = String::from_utf8(output.stdout).map_err(|e| e.to_string())?;
    Ok(text.lines().map(|line| line.split('\t').map(unescape).collect()).collect())
}

/// Batch mode writes tab, line feed, NUL and backslash with a backslash.
fn unescape(field: &str) -> String {
    let mut out = String::with_capacity(field.len());
    let mut chars = field.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('t') => out.push('\t'),
                Some('n') => out.push('\n'),
                Some('0') => out.push('\0'),
                Some(other) => out.push(other),
                None => out.push('\\'),
            },
            (c, false) => out.push(c),
        }
    }
    out
}
