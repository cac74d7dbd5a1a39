//! What a statement costs the proxy, beside its peers: `PgBouncer` before PostgreSQL, `HAProxy` before `MariaDB`.
//!
//! Everything is measured in turns in one run: figures of different runs or machines do not compare. CPU is user and
//! system time of the proxy's process. Needs Debian's `pgbouncer`, `haproxy` and `sysbench`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::doc_markdown,
    reason = "a benchmark ends where it fails"
)]

mod load;
mod proxies;
#[path = "../../tests/real/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use load::Load;
use proxies::{Proxies, Proxy};
use support::mysql_client::{Client, Options};
use support::pg_client::{PostgresClient, startup};

/// How often each load runs on each proxy.
const ROUNDS: usize = 5;
/// Sessions that do nothing.
const IDLE: usize = 1000;

fn main() {
    let proxies = Proxies::start();
    println!("CPU of the proxy's process for each statement, 8 clients, a masked column in each table, audit on");
    println!("{:<34} {:>10} {:>10} {:>7}", "", "peer µs", "sekisho µs", "ratio");
    for load in Load::STATEMENTS {
        compare(&proxies, load, 1e6);
    }
    println!("\nCPU for each million rows of 100 bytes, none masked");
    println!("{:<34} {:>10} {:>10} {:>7}", "", "peer ms", "sekisho ms", "ratio");
    for load in Load::STREAMS {
        compare(&proxies, load, 1e3);
    }
    masked_rows(&proxies);
    idle_sessions(&proxies);
}

/// Runs a load on the peer and on Sekisho in turns, and says the medians.
fn compare(proxies: &Proxies, load: &Load, unit: f64) {
    let (peer, own) = proxies.pair(load.peer);
    let mut costs = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        costs.0.push(load.cost(peer) * unit);
        costs.1.push(load.cost(own) * unit);
    }
    let (peer_cost, own_cost) = (median(costs.0), median(costs.1));
    println!("{:<34} {peer_cost:>10.1} {own_cost:>10.1} {:>7.2}   ({})", load.name, own_cost / peer_cost, peer.name);
}

/// A million rows with masks, beside the masks written by hand and sent straight to the server.
fn masked_rows(proxies: &Proxies) {
    println!("\nWall time of a million rows with a masked column");
    println!("{:<34} {:>10} {:>10} {:>7}", "", "by hand ms", "sekisho ms", "ratio");
    for (name, by_hand, mask) in load::MASKED {
        let mut times = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            times
                .0
                .push(wall(|| load::read_rows(&proxies.server, &format!("select id, {by_hand} from masked_{name}"))));
            times.1.push(wall(|| load::read_rows(&proxies.postgres, &format!("select id, v from masked_{name}"))));
        }
        let (direct, own) = (median(times.0), median(times.1));
        println!("{:<34} {direct:>10.0} {own:>10.0} {:>7.2}", mask, own / direct);
    }
}

fn idle_sessions(proxies: &Proxies) {
    println!("\nMemory of the proxy for each of {IDLE} idle sessions");
    let before = proxies.postgres.memory();
    // They stay open, so that what follows gets no memory that they gave back.
    let first: Vec<PostgresClient> = (0..IDLE).map(|_| log_in(proxies.postgres.port)).collect();
    println!("{:<34} {:>10} bytes", "PostgreSQL", (proxies.postgres.memory() - before) / IDLE as u64);
    let before = proxies.postgres.memory();
    let options = Options::user("bench", "bench");
    let open: Vec<Client> = (0..IDLE)
        .map(|_| Client::connect(proxies.mariadb.port, &options).unwrap_or_else(|e| panic!("{e:?}")))
        .collect();
    println!("{:<34} {:>10} bytes", "MySQL", proxies.postgres.memory().saturating_sub(before) / IDLE as u64);
    drop((first, open));
}

fn log_in(port: u16) -> PostgresClient {
    let mut client = PostgresClient::open(port);
    client.send(&[startup(3 << 16, &[("user", "bench"), ("database", "shop")])]);
    client.log_in("bench").unwrap();
    client
}

fn wall(run: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    run();
    begun.elapsed().as_secs_f64() * 1e3
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// CPU seconds that a proxy spends while something runs.
fn cpu_of(proxy: &Proxy, run: impl FnOnce() -> u64) -> (Duration, u64) {
    let before = proxy.cpu();
    let done = run();
    (proxy.cpu().saturating_sub(before), done)
}
