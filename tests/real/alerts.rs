//! `[[alert]]`, and `sekisho test` with `sekisho catalog save`, against a real server.

use serde_json::Value;

use crate::support::pg_client::PostgresClient;
use crate::support::pg_proxy::PostgresProxy;
use crate::support::{Sekisho, postgres};

const PEOPLE: &str = "create table people(id int primary key, email text, region text);
    insert into people select n, 'p' || n || '@example.com', 'eu' from generate_series(1, 20) n;
    create table other(id int); grant all on all tables in schema public to public";

#[test]
fn alerts_are_recorded_logged_and_counted() {
    let database = postgres().database(PEOPLE);
    let rules = "[role.viewer]\ngrant = [ { on = 'shop.public.*', allow = ['read', 'drop'] } ]
        [[alert]]\nname = 'probing'\nowner = 'security'\non = 'refused'\ncount = 3\nwithin = '1h'
        [[alert]]\nname = 'people-read'\nroles = 'viewer'\non = 'statement'\ntables = 'shop.public.people'\nwithin = '1ms'
        [[alert]]\nname = 'much'\non = 'statement'\nmore_rows_than = 10\nwithin = '1ms'
        [[alert]]\nname = 'doors'\non = 'login_refused'
        [[alert]]\nname = 'walls'\non = 'blocked'
        [[block]]\nname = 'no-drops'\nstatements = 'drop'\n";
    let proxy = PostgresProxy::start(&database, rules);
    let mut client = PostgresClient::connect(proxy.port, "viewer");
    for _ in 0..5 {
        client.run("select nothing from nowhere");
    }
    client.run("select id from other");
    client.run("select id from people where id = 1");
    std::thread::sleep(std::time::Duration::from_millis(10));
    client.run("select id from people");
    client.run("drop table other");
    PostgresClient::connect(proxy.port, "admin").run("select id from people where id = 1");
    let mut stranger = PostgresClient::open(proxy.port);
    stranger.send(&[crate::support::pg_client::startup(196_608, &[("user", "viewer"), ("database", "shop")])]);
    stranger.log_in("wrong").unwrap_err();

    let records = proxy.records();
    let alerts: Vec<&Value> = records.iter().filter(|record| record["kind"] == "alert").collect();
    let named = |name: &str| alerts.iter().filter(|alert| alert["alert"] == name).copied().collect::<Vec<_>>();
    let probing = named("probing");
    assert_eq!(probing.len(), 1, "once a window: {probing:?}");
    assert_eq!((&probing[0]["events"], &probing[0]["owner"]), (&3.into(), &"security".into()));
    assert_eq!((&probing[0]["user"], &probing[0]["on"]), (&"viewer".into(), &"refused".into()));
    let read = named("people-read");
    assert_eq!(read.len(), 2, "{read:?}");
    let statement = records.iter().find(|record| record["sequence"] == read[0]["statement"]);
    assert!(statement.is_none_or(|record| record["text"] == "select id from people where id = 1"), "{statement:?}");
    assert_eq!(named("much").len(), 1);
    assert_eq!(named("much")[0]["message"], "the result has 20 rows");
    assert_eq!((named("doors").len(), named("walls").len()), (1, 1));
    assert!(proxy.node.alerts.given().contains(&("people-read".into(), 2)));
}

const TESTS: &str = "
[[test]]\nname = 'addresses are masked'\nrole = 'viewer'\nsource = 'shop'\nsql = 'select email, id from people'
expect = { masked = ['email'], raw = ['id'], filtered_by = ['eu-rows'] }
[[test]]\nname = 'nothing is dropped'\nrole = 'viewer'\nsource = 'shop'\nsql = 'drop table people'\nexpect = 'deny'
[[test]]\nname = 'bare deletes are blocked'\nrole = 'viewer'\nsource = 'shop'\nsql = 'delete from other'
expect = { denied_by = 'no-bare-deletes' }
[[test]]\nname = 'others are read'\nrole = 'viewer'\nsource = 'shop'\nsql = 'select * from other'\nexpect = 'allow'\n";

#[test]
fn rules_are_tested_live_and_against_saved_catalogs() {
    let folder = tempfile::tempdir().unwrap();
    let database = postgres().database(PEOPLE);
    let rules = "[role.viewer]\ngrant = { on = 'shop.public.*', allow = ['read', 'delete'] }
        [[protect]]\nname = 'mail'\ncolumns = '*.*.*.email'\nmask = 'email'
        [[filter]]\nname = 'eu-rows'\ntables = 'shop.public.people'\nwhere = \"region = 'eu'\"
        [[block]]\nname = 'no-bare-deletes'\nstatements = 'delete'\nmissing = 'where'\n";
    let mut proxy = Sekisho::start(folder.path(), &database, &format!("{rules}{TESTS}"), &[("hanako", "viewer")], "");
    let (status, out) = proxy.command(&["test"]);
    assert_eq!((status, out.lines().last()), (0, Some("4 tests, all as expected")), "{out}");
    let saved = folder.path().join("catalogs");
    let saved = saved.to_str().unwrap();
    let (status, out) = proxy.command(&["catalog", "save", saved]);
    assert!(status == 0 && out.contains("relations of source `shop`"), "{out}");

    // Without a server, and with one test that fails.
    proxy.kill();
    let failing = "[[test]]\nname = 'wrong'\nrole = 'viewer'\nsource = 'shop'\nsql = 'select email from people'\nexpect = { raw = ['email'] }\n";
    std::fs::write(folder.path().join("rules/rules.toml"), format!("{rules}{TESTS}{failing}")).unwrap();
    let config = std::fs::read_to_string(folder.path().join("sekisho.toml")).unwrap();
    let config = config
        .replace(&format!("port = {}", database.server.port), "port = 1")
        .replace("\"pg-pw\"", "{ env = 'UNSET_PASSWORD' }");
    std::fs::write(folder.path().join("sekisho.toml"), config).unwrap();
    let (status, out) = proxy.command(&["test", "--catalogs", saved]);
    let expected = "ok    others are read\nFAIL  wrong\n      role `viewer` on source `shop`: select email from people\n      \
                    expected  permitted; raw email\n      found     permitted; masked email; filtered by eu-rows\n\
                    5 tests, 1 not as expected\n";
    assert!(status == 1 && out.ends_with(expected), "{status}: {out:?}");
    let (status, out) = proxy.command(&["test", "--catalogs", saved, "--only", "masked", "--json"]);
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((status, report.as_array().unwrap().len(), &report[0]["passed"]), (0, 1, &true.into()));
    let (status, out) = proxy.command(&["test", "--catalogs", saved, "--only", "others are raed"]);
    assert_eq!((status, &*out), (2, ""), "a test that there is not is no test that passed");
    assert_eq!(proxy.command(&["test"]).0, 2, "the server is not there");
}
