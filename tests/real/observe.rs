//! `mode = "observe"` on both protocols: everything is decided and recorded as it would be, and goes through unchanged.

use sekisho::net::TlsMode;
use serde_json::Value;

use crate::support::mysql_client::{Client, Options};
use crate::support::mysql_proxy::{MySqlProxy, source};
use crate::support::pg_client::{PostgresClient, bind, execute, parse, sync};
use crate::support::pg_proxy::PostgresProxy;
use crate::support::{mariadb, mysql, postgres};

const PEOPLE: &str = "create table people(id int primary key, email varchar(80), region varchar(8));
    insert into people values (1, 'ann@example.com', 'eu'), (2, 'bob@example.com', 'us');
    create table secrets(id int primary key)";

fn rules(schema: &str) -> String {
    format!(
        "[role.viewer]\nmode = 'observe'\ngrant = [ {{ on = 'shop.{schema}.people', allow = ['read', 'delete'] }} ]
        [[protect]]\nname = 'mail'\ncolumns = '*.*.*.email'\nmask = 'email'
        [[filter]]\nname = 'eu'\ntables = 'shop.{schema}.people'\nwhere = \"region = 'eu'\"
        [[block]]\nname = 'no-bare-deletes'\nstatements = 'delete'\nmissing = 'where'
        [[learn]]\nname = 'known'\nroles = 'viewer'\nmode = 'refuse'\nfingerprints = ['0000000000000001']
        [[limit]]\nname = 'small'\nroles = 'viewer'\nmax_rows = 1\nmax_concurrent = 1\nmax_cost = 1\n"
    )
}

/// What the records say of a statement: verdict, rule, and the text sent if it is another.
fn said<'r>(records: &'r [Value], text: &str) -> (&'r Value, &'r Value, &'r Value) {
    let record = records.iter().find(|record| record["text"] == text).unwrap_or_else(|| panic!("{text}: {records:#?}"));
    (&record["verdict"], &record["rule"], &record["sent"])
}

#[test]
fn postgres_statements_go_through_unchanged_and_are_recorded_as_decided() {
    let database = postgres().database(&format!("{PEOPLE}; grant all on all tables in schema public to public"));
    let proxy = PostgresProxy::start(&database, &rules("public"));
    let mut client = PostgresClient::connect(proxy.port, "viewer");
    let read = "select email from people order by id";
    assert_eq!(client.run(read), ["T email", "D ann@example.com", "D bob@example.com", "C SELECT 2", "Z I"]);
    client.send(&[parse("", read), bind("", "", &[]), execute("", 0), sync()]);
    assert_eq!(client.until_ready(), ["1", "2", "D ann@example.com", "D bob@example.com", "C SELECT 2", "Z I"]);
    assert_eq!(client.run("select id from secrets"), ["T id", "C SELECT 0", "Z I"]);
    assert_eq!(client.run("delete from people"), ["C DELETE 2", "Z I"]);
    assert_eq!(client.run("select pg_backend_pid() > 0 as up"), ["T up", "D t", "C SELECT 1", "Z I"]);
    assert!(client.run("selec")[0].starts_with("E 42601"));

    let records = proxy.records();
    let none = &Value::Null;
    assert_eq!(said(&records, read), (&"observed".into(), &"known".into(), none));
    let record = records.iter().find(|record| record["text"] == read).unwrap();
    assert_eq!(record["objects"][0]["masked"], serde_json::json!(["email"]), "{record}");
    assert_eq!(record["objects"][0]["filters"], serde_json::json!(["eu"]));
    let secret = records.iter().find(|record| record["text"] == "select id from secrets").unwrap();
    assert_eq!(
        (&secret["verdict"], &secret["ground"]),
        (&"observed".into(), none),
        "refused for want of a grant: {secret}"
    );
    assert_eq!(said(&records, "delete from people"), (&"observed".into(), &"no-bare-deletes".into(), none));
    assert_eq!(said(&records, "selec").0, "observed");
    let result = records.iter().find(|r| r["kind"] == "result" && r["limit"] == "max_rows").unwrap();
    assert_eq!((&result["action"], &result["rows"]), (&"observed".into(), &2.into()));
    assert!(!records.iter().any(|record| record["verdict"] == "refused"));
}

#[test]
fn mysql_statements_go_through_unchanged_and_are_recorded_as_decided() {
    for server in [Some(mariadb()), mysql()].into_iter().flatten() {
        let database = server.database(PEOPLE);
        let rules = rules(&database.name);
        let proxy = MySqlProxy::start(vec![source("shop", server, TlsMode::Disable)], &rules, |_, _| {});
        let options = Options::user("viewer", "viewer-pw").on(&database.name);
        let mut client = Client::connect(proxy.port, &options).unwrap();
        let read = "select email from people order by id";
        assert_eq!(client.rows(read), [["ann@example.com"], ["bob@example.com"]]);
        assert_eq!(client.rows("select id from secrets").len(), 0);
        client.query("delete from people").unwrap();
        assert_eq!(client.error("selec").code, 1064);
        let records = proxy.records();
        let none = &Value::Null;
        assert_eq!(said(&records, read), (&"observed".into(), &"known".into(), none));
        assert_eq!(said(&records, "select id from secrets").0, "observed");
        assert_eq!(said(&records, "delete from people"), (&"observed".into(), &"no-bare-deletes".into(), none));
        let result = records.iter().find(|r| r["kind"] == "result" && r["limit"] == "max_rows").unwrap();
        assert_eq!((&result["action"], &result["rows"]), (&"observed".into(), &2.into()));
        assert!(!records.iter().any(|record| record["verdict"] == "refused"));
    }
}
