//! What is run on the proxies.

use std::process::{Command, Stdio};

use super::cpu_of;
use super::proxies::{Peer, Proxy};

/// Seconds of each run of statements.
const SECONDS: &str = "4";

/// Rows whose values are masked: name of the table, the mask written by hand, the mask's kind.
pub const MASKED: &[(&str, &str, &str)] = &[
    ("redact", "repeat('*', length(v)) as v", "redact"),
    ("keep", "left(v, 2) || repeat('*', greatest(length(v) - 4, 0)) || right(v, 2) as v", "keep"),
    ("email", "left(v, 1) || '***@' || split_part(v, '@', 2) as v", "email"),
    ("hash", "encode(sha256(convert_to(v, 'UTF8')), 'hex') as v", "hash"),
];

/// A load, run by a program of its own.
pub struct Load {
    /// What it is called in the table.
    pub name: &'static str,
    /// What Sekisho is compared with.
    pub peer: Peer,
    run: fn(&Proxy) -> u64,
}

impl Load {
    /// Loads that are counted in statements.
    pub const STATEMENTS: &[Self] = &[
        Self { name: "pgbench -S, simple", peer: Peer::PgBouncer, run: |proxy| pgbench(proxy, "simple") },
        Self { name: "pgbench -S, prepared", peer: Peer::PgBouncerSession, run: |proxy| pgbench(proxy, "prepared") },
        Self {
            name: "oltp_point_select, text",
            peer: Peer::HaProxy,
            run: |proxy| sysbench(proxy, "oltp_point_select", "disable"),
        },
        Self {
            name: "oltp_point_select, prepared",
            peer: Peer::HaProxy,
            run: |proxy| sysbench(proxy, "oltp_point_select", "auto"),
        },
        Self {
            name: "select_random_ranges, text",
            peer: Peer::HaProxy,
            run: |proxy| sysbench(proxy, "select_random_ranges", "disable"),
        },
        Self {
            name: "select_random_ranges, prepared",
            peer: Peer::HaProxy,
            run: |proxy| sysbench(proxy, "select_random_ranges", "auto"),
        },
    ];

    /// Loads that are counted in whole results.
    pub const STREAMS: &[Self] = &[
        Self {
            name: "a million rows, PostgreSQL",
            peer: Peer::PgBouncer,
            run: |proxy| {
                read_rows(proxy, "select * from plain");
                1
            },
        },
        Self { name: "a million rows, MySQL", peer: Peer::HaProxy, run: read_mysql_rows },
    ];

    /// Seconds of CPU for each statement or result.
    pub fn cost(&self, proxy: &Proxy) -> f64 {
        let (cpu, done) = cpu_of(proxy, || (self.run)(proxy));
        cpu.as_secs_f64() / done as f64
    }
}

/// Reads a result with psql and throws it away.
pub fn read_rows(proxy: &Proxy, sql: &str) {
    let mut psql = Command::new("psql");
    psql.args(["-q", "-At", "-h", "127.0.0.1", "-p", &proxy.port.to_string(), "-U", proxy.user, "-d", &proxy.database]);
    psql.env("PGPASSWORD", proxy.password).env("PGSSLMODE", "disable");
    assert!(psql.args(["-c", sql]).stdout(Stdio::null()).status().unwrap().success());
}

fn read_mysql_rows(proxy: &Proxy) -> u64 {
    let mut mariadb = Command::new("mariadb");
    mariadb.args(["-h", "127.0.0.1", "-P", &proxy.port.to_string(), "-u", proxy.user, "--skip-ssl", "--quick", "-N"]);
    mariadb.arg(format!("-p{}", proxy.password)).args([&proxy.database, "-e", "select * from plain"]);
    assert!(mariadb.stdout(Stdio::null()).status().unwrap().success());
    1
}

fn pgbench(proxy: &Proxy, mode: &str) -> u64 {
    let mut pgbench = Command::new("pgbench");
    pgbench.args(["-n", "-S", "-M", mode, "-c", "8", "-j", "1", "-T", SECONDS, "-h", "127.0.0.1"]);
    pgbench.args(["-p", &proxy.port.to_string(), "-U", proxy.user, &proxy.database]);
    pgbench.env("PGPASSWORD", proxy.password).env("PGSSLMODE", "disable");
    counted(&mut pgbench, "number of transactions actually processed: ")
}

fn sysbench(proxy: &Proxy, script: &str, prepared: &str) -> u64 {
    let mut sysbench = Command::new("sysbench");
    sysbench.args([script, "--threads=8", "--tables=1", "--table-size=10000", "--skip-trx=on", "--mysql-ssl=off"]);
    sysbench.arg(format!("--time={SECONDS}")).arg(format!("--db-ps-mode={prepared}"));
    sysbench.arg("--mysql-host=127.0.0.1").arg(format!("--mysql-port={}", proxy.port));
    sysbench.arg(format!("--mysql-user={}", proxy.user)).arg(format!("--mysql-password={}", proxy.password));
    sysbench.arg(format!("--mysql-db={}", proxy.database));
    counted(sysbench.arg("run"), "queries:")
}

/// The number behind a label in a program's output.
fn counted(command: &mut Command, label: &str) -> u64 {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout);
    let found = text.lines().find_map(|line| line.trim().strip_prefix(label)?.split_whitespace().next()?.parse().ok());
    found.unwrap_or_else(|| panic!("{command:?}: {text}{}", String::from_utf8_lossy(&output.stderr)))
}
