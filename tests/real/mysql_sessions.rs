//! Sessions of MySQL clients through the proxy.

use crate::support::mysql_proxy::{MySqlProxy, source};
use crate::support::{mariadb, mysql};
use sekisho::net::TlsMode;

/// A proxy to try by hand: `SEKISHO_TEST_PROXY_PORT=… cargo test --test real mysql_sessions::by_hand -- --ignored`.
/// It listens until the process is ended.
#[test]
#[ignore = "runs until it is stopped"]
fn by_hand() {
    let mut sources = vec![source("maria", mariadb(), TlsMode::Disable)];
    if let Some(server) = mysql() {
        sources = vec![source("my", server, TlsMode::Disable)];
    }
    for server in [Some(mariadb()), mysql()].into_iter().flatten() {
        server.database("");
    }
    let proxy = MySqlProxy::start(sources, "[role.viewer]\n", |_, _| {});
    eprintln!("port {}", proxy.port);
    loop {
        std::thread::park();
    }
}
