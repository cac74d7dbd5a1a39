//! Logging in to MariaDB and MySQL by every plugin, with and without TLS, and asking small questions.

use std::sync::Arc;

use sekisho::mysql::upstream::{self, UpstreamError, Wishes};
use sekisho::mysql::wire::Capabilities;
use sekisho::net::TlsMode;
use sekisho::session::{Secret, Source, SourceSpec};
use sekisho::sql::Engine;

use crate::support::{MySqlServer, mariadb, mysql};

fn source(server: &MySqlServer, user: &str, password: &str, tls: TlsMode) -> Source {
    Source::new(SourceSpec {
        name: Arc::from("legacy"),
        engine: Engine::MySql,
        host: Arc::from("127.0.0.1"),
        port: server.port,
        dbname: Arc::from("legacy"),
        user: Arc::from(user),
        password: Some(Secret::new(password)),
        tls,
        ca: Some(server.certificates.ca.clone()),
        max_connections: 10,
        tls_server_name: None,
    })
    .unwrap()
}

fn ask(source: &Source, sql: &str) -> Result<Vec<Vec<String>>, UpstreamError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut upstream = upstream::connect(source, &Wishes::own()).await?;
        let rows = upstream.query(sql).await?;
        let text = rows.iter().map(|row| (0..).map_while(|at| row.get(at).map(str::to_owned)).collect()).collect();
        upstream.quit().await;
        Ok(text)
    })
}

const CIPHER: &str = "show session status like 'Ssl_cipher'";

fn cipher(source: &Source) -> String {
    ask(source, CIPHER).unwrap()[0][1].clone()
}

#[test]
fn mariadb_is_reached_by_each_plugin_and_tls_mode() {
    let server = mariadb();
    for (user, password) in [("app", "app-pw"), ("ed", "ed-pw")] {
        assert_eq!(cipher(&source(server, user, password, TlsMode::Disable)), "");
        for tls in [TlsMode::Prefer, TlsMode::Require, TlsMode::VerifyCa, TlsMode::VerifyFull] {
            assert_ne!(cipher(&source(server, user, password, tls)), "", "{user} {tls:?}");
        }
    }
    let refused = ask(&source(server, "app", "wrong", TlsMode::Disable), "select 1").unwrap_err();
    assert!(matches!(&refused, UpstreamError::Server(error) if error.code == 1045), "{refused}");
    let refused = ask(&source(server, "tlsonly", "tls-pw", TlsMode::Disable), "select 1").unwrap_err();
    assert!(matches!(&refused, UpstreamError::Server(error) if error.code == 1045), "{refused}");
    assert_eq!(ask(&source(server, "tlsonly", "tls-pw", TlsMode::Prefer), "select 1").unwrap(), [["1"]]);
}

#[test]
fn mysql_is_reached_with_the_password_in_full_and_by_the_fast_path() {
    let Some(server) = mysql() else { return };
    let fresh =
        server.database("create user fresh@'%' identified by 'fresh-pw'; create user sealed@'%' identified by 'tls'");
    // The first login has to give the password: under the server's RSA key here, over TLS there; the next ones prove it.
    for _ in 0..2 {
        assert_eq!(cipher(&source(server, "fresh", "fresh-pw", TlsMode::Disable)), "");
        assert_ne!(cipher(&source(server, "sealed", "tls", TlsMode::VerifyFull)), "");
    }
    let refused = ask(&source(server, "fresh", "wrong", TlsMode::Disable), "select 1").unwrap_err();
    assert!(matches!(&refused, UpstreamError::Server(error) if error.code == 1045), "{refused}");
    fresh.execute("drop user fresh@'%'; drop user sealed@'%'");
}

#[test]
fn questions_are_answered_and_errors_leave_the_connection_of_use() {
    for server in [Some(mariadb()), mysql()].into_iter().flatten() {
        let source = source(server, "app", "app-pw", TlsMode::Disable);
        assert_eq!(
            ask(&source, "select 'é', '', 7 union all select 'b', 'c', 8").unwrap(),
            [["é", "", "7"], ["b", "c", "8"]]
        );
        let large = ask(&source, "select repeat('x', 15000000)").unwrap();
        assert_eq!(large[0][0].len(), 15_000_000);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut upstream = upstream::connect(&source, &Wishes::own()).await.unwrap();
            let error = upstream.query("select nonsense").await.unwrap_err();
            assert!(matches!(&error, UpstreamError::Server(error) if error.sqlstate() == "42S22"), "{error}");
            assert_eq!(upstream.query("do 0").await.unwrap().len(), 0);
            assert_eq!(upstream.query("select 1").await.unwrap().iter().next().unwrap().get(0), Some("1"));
        });
        let known = source.mysql().unwrap();
        assert_eq!(known.version.contains("MariaDB"), server.port == mariadb().port);
    }
}

#[test]
fn variables_travel_as_parameters_whatever_was_agreed_on() {
    for server in [Some(mariadb()), mysql()].into_iter().flatten() {
        let source = source(server, "app", "app-pw", TlsMode::Disable);
        let spoken = Capabilities::SPOKEN.without(Capabilities(
            Capabilities::OPTIONAL_METADATA.0 | Capabilities::CONNECT_WITH_DB.0 | Capabilities::CONNECT_ATTRS.0,
        ));
        for capabilities in [Capabilities::default(), spoken] {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let wishes = Wishes { welcome: capabilities, ..Wishes::own() };
                let mut upstream = upstream::connect(&source, &wishes).await.unwrap();
                upstream.set_variables(&["a", "b`c"], &["9c36", "é"]).await.unwrap();
                let rows = upstream.query("select @a, @`b``c`").await.unwrap();
                let row = rows.iter().next().unwrap();
                assert_eq!((row.get(0), row.get(1)), (Some("9c36"), Some("é")));
            });
        }
    }
}
