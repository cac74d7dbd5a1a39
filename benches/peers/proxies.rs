//! Sekisho and its peers, before the same private servers.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::load::MASKED;
use super::support::process::{command, folder, free_port, give, run};
use super::support::sekisho::verifier;
use super::support::{MySqlDatabase, PostgresDatabase, mariadb, postgres};

const MILLION: &str = "select n as id, lpad(md5(n::text), 92, 'x') as v from generate_series(1, 1000000) as n";

/// A place to connect to.
pub struct Proxy {
    /// What it is.
    pub name: &'static str,
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    /// Who connects.
    pub user: &'static str,
    /// With which password.
    pub password: &'static str,
    /// To which database.
    pub database: String,
    pid: u32,
}

impl Proxy {
    /// CPU time of the process until now (`proc_pid_schedstat`, all threads).
    pub fn cpu(&self) -> Duration {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.pid)).unwrap();
        let spent = threads.filter_map(|thread| {
            let text = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
            text.split_whitespace().next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(spent.sum())
    }

    /// Resident memory in bytes.
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }
}

/// Who Sekisho is compared with.
#[derive(Clone, Copy)]
pub enum Peer {
    /// Transaction pooling.
    PgBouncer,
    /// Session pooling: Debian's version cannot keep prepared statements otherwise.
    PgBouncerSession,
    /// TCP mode, one thread.
    HaProxy,
}

/// All of them; ended when dropped.
pub struct Proxies {
    /// Sekisho's PostgreSQL side.
    pub postgres: Proxy,
    /// Sekisho's MySQL side.
    pub mariadb: Proxy,
    /// PostgreSQL itself.
    pub server: Proxy,
    pgbouncer: Proxy,
    pgbouncer_session: Proxy,
    haproxy: Proxy,
    children: Vec<Child>,
    folder: tempfile::TempDir,
}

impl Proxies {
    /// Starts servers and proxies and fills the tables.
    pub fn start() -> Self {
        let (shop, legacy) = (fill_postgres(), fill_mariadb());
        let folder = tempfile::tempdir().unwrap();
        let ports = [(); 4].map(|()| free_port());
        let children = vec![
            start_sekisho(folder.path(), &shop, &legacy, ports[0], ports[1]),
            start_pgbouncer(folder.path(), &shop, ports[2]),
            start_haproxy(folder.path(), &legacy, ports[3]),
        ];
        for (port, log) in ports.into_iter().zip(["sekisho.log", "sekisho.log", "pgbouncer.log", "haproxy.log"]) {
            wait_for(port, &folder.path().join(log));
        }
        let proxy = |name, at: usize, port: usize, user, password, database: &str| Proxy {
            name,
            port: ports[port],
            user,
            password,
            database: database.to_owned(),
            pid: children[at].id(),
        };
        Self {
            postgres: proxy("sekisho", 0, 0, "bench", "bench", "shop"),
            mariadb: proxy("sekisho", 0, 1, "bench", "bench", &legacy.name),
            server: Proxy { port: shop.server.port, ..proxy("server", 0, 0, "postgres", "pg-pw", &shop.name) },
            pgbouncer: proxy("PgBouncer", 1, 2, "postgres", "pg-pw", &shop.name),
            pgbouncer_session: proxy(
                "PgBouncer, session pooling",
                1,
                2,
                "postgres",
                "pg-pw",
                &format!("{}_session", shop.name),
            ),
            haproxy: proxy("HAProxy", 2, 3, "root", "my-pw", &legacy.name),
            children,
            folder,
        }
    }

    /// A peer, and Sekisho.
    pub fn pair(&self, peer: Peer) -> (&Proxy, &Proxy) {
        match peer {
            Peer::PgBouncer => (&self.pgbouncer, &self.postgres),
            Peer::PgBouncerSession => (&self.pgbouncer_session, &self.postgres),
            Peer::HaProxy => (&self.haproxy, &self.mariadb),
        }
    }
}

impl Drop for Proxies {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = std::fs::remove_dir_all(self.folder.path());
    }
}

fn fill_postgres() -> PostgresDatabase {
    let shop = postgres().database(&format!("create table plain as {MILLION}"));
    for (name, ..) in MASKED {
        let value = if *name == "email" { "'user' || id || '@mail.example.com'" } else { "v" };
        shop.execute(&format!("create table masked_{name} as select id, {value} as v from plain"));
    }
    let port = shop.server.port.to_string();
    let mut init = Command::new("pgbench");
    init.args(["-i", "-q", "-s", "1", "-h", "127.0.0.1", "-p", &port, "-U", "postgres", &shop.name]);
    run(init.env("PGPASSWORD", "pg-pw"), "postgresql");
    shop.execute("vacuum analyze");
    shop
}

fn fill_mariadb() -> MySqlDatabase {
    let legacy = mariadb().database(
        "create table plain as select seq as id, lpad(md5(seq), 92, 'x') as v from seq_1_to_1000000;
         create user sekisho@'%' identified by 'sekisho'; grant all on *.* to sekisho@'%'",
    );
    let mut prepare = Command::new("sysbench");
    prepare.args([
        "oltp_point_select",
        "--tables=1",
        "--table-size=10000",
        "--mysql-host=127.0.0.1",
        "--mysql-user=root",
    ]);
    prepare.args(["--mysql-password=my-pw", "--mysql-ssl=off"]).arg(format!("--mysql-port={}", legacy.server.port));
    run(prepare.arg(format!("--mysql-db={}", legacy.name)).arg("prepare"), "sysbench");
    legacy
}

fn start_sekisho(folder: &Path, shop: &PostgresDatabase, legacy: &MySqlDatabase, postgres: u16, mysql: u16) -> Child {
    let config = format!(
        "rules = \"rules\"\nusers = \"users.toml\"\n[listen]\npostgres = \"127.0.0.1:{postgres}\"\n\
         mysql = \"127.0.0.1:{mysql}\"\n[masking]\nkey = \"0123456789abcdef0123456789abcdef\"\n[audit]\ndir = \"audit\"\n\
         [[source]]\nname = \"shop\"\nengine = \"postgres\"\nhost = \"127.0.0.1\"\nport = {}\ndbname = \"{}\"\n\
         user = \"postgres\"\npassword = \"pg-pw\"\ntls = \"disable\"\n\
         [[source]]\nname = \"legacy\"\nengine = \"mysql\"\nhost = \"127.0.0.1\"\nport = {}\n\
         user = \"sekisho\"\npassword = \"sekisho\"\ntls = \"disable\"\n",
        shop.server.port, shop.name, legacy.server.port,
    );
    let masked = |kind: &str| {
        let mask =
            if kind == "keep" { "{ kind = 'keep', first = 2, last = 2 }".to_owned() } else { format!("'{kind}'") };
        format!("[[protect]]\nname = '{kind}'\ncolumns = 'shop.public.masked_{kind}.v'\nmask = {mask}\n")
    };
    let rules = format!(
        "[role.bench]\ngrant = {{ on = ['shop.public.*', 'legacy.*.*'], allow = 'read' }}\n\
         [[protect]]\nname = 'filler'\ncolumns = 'shop.public.pgbench_accounts.filler'\nmask = 'redact'\n\
         [[protect]]\nname = 'pad'\ncolumns = 'legacy.*.sbtest1.pad'\nmask = 'redact'\n{}",
        MASKED.iter().map(|(name, ..)| masked(name)).collect::<String>()
    );
    std::fs::create_dir_all(folder.join("rules")).unwrap();
    std::fs::write(folder.join("sekisho.toml"), config).unwrap();
    std::fs::write(folder.join("users.toml"), verifier("bench", "bench")).unwrap();
    std::fs::write(folder.join("rules/rules.toml"), rules).unwrap();
    let mut sekisho = Command::new(env!("CARGO_BIN_EXE_sekisho"));
    sekisho.arg("--config").arg(folder.join("sekisho.toml")).arg("serve");
    spawn(&mut sekisho, &folder.join("sekisho.log"))
}

fn start_pgbouncer(logs: &Path, shop: &PostgresDatabase, port: u16) -> Child {
    let folder = folder("pgbouncer");
    let config = format!(
        "[databases]\n{0} = host=127.0.0.1 port={1} dbname={0} user=postgres password=pg-pw\n\
         {0}_session = host=127.0.0.1 port={1} dbname={0} user=postgres password=pg-pw pool_mode=session\n\
         [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = any\npool_mode = transaction\n\
         default_pool_size = 20\nserver_tls_sslmode = disable\nunix_socket_dir =\n",
        shop.name, shop.server.port
    );
    let path = folder.join("pgbouncer.ini");
    std::fs::write(&path, config).unwrap();
    give(&path);
    spawn(command(Path::new("/usr/sbin/pgbouncer")).arg(&path), &logs.join("pgbouncer.log"))
}

fn start_haproxy(folder: &Path, legacy: &MySqlDatabase, port: u16) -> Child {
    let config = format!(
        "global\n  nbthread 1\ndefaults\n  mode tcp\n  timeout connect 5s\n  timeout client 1h\n  timeout server 1h\n\
         listen mysql\n  bind 127.0.0.1:{port}\n  server one 127.0.0.1:{}\n",
        legacy.server.port
    );
    let path = folder.join("haproxy.cfg");
    std::fs::write(&path, config).unwrap();
    spawn(Command::new("/usr/sbin/haproxy").arg("-db").arg("-f").arg(path), &folder.join("haproxy.log"))
}

fn spawn(command: &mut Command, log: &Path) -> Child {
    let log = std::fs::File::create(log).unwrap();
    let child = command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn();
    child.unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

fn wait_for(port: u16, log: &Path) {
    let begun = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        let is_late = begun.elapsed() > Duration::from_secs(20);
        assert!(!is_late, "{} not started: {}", log.display(), std::fs::read_to_string(log).unwrap_or_default());
        std::thread::sleep(Duration::from_millis(50));
    }
    // Sekisho listens before its catalogs are read.
    std::thread::sleep(Duration::from_secs(1));
}
