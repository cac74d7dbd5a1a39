//! Statements and cursors that a PostgreSQL session reaches by name: what runs is in the record, is asked about by
//! `[[learn]]` and `[[alert]]`, and follows the rules in force.

use serde_json::Value;

use crate::support::pg_client::{PostgresClient, bind, execute, parse, query, sync};
use crate::support::pg_proxy::PostgresProxy;
use crate::support::{PostgresDatabase, postgres};

const PEOPLE: &str = "create table people(id int primary key, email text);
    insert into people select n, 'p' || n || '@secret.example' from generate_series(1, 20) n;
    analyze; grant all on people to public";
const ROLE: &str = "[role.viewer]\ngrant = [ { on = 'shop.public.*', allow = ['read', 'write'] } ]\n";

fn start(rules: &str) -> (PostgresDatabase, PostgresProxy) {
    let database = postgres().database(PEOPLE);
    let proxy = PostgresProxy::start(&database, &format!("{ROLE}{rules}"));
    (database, proxy)
}

fn rows(lines: &[String]) -> Vec<&str> {
    lines.iter().filter_map(|line| line.strip_prefix("D ")).collect()
}

fn permitted<'r>(records: &'r [Value], text: &str) -> Vec<&'r Value> {
    records.iter().filter(|record| record["text"] == text && record["verdict"] == "permitted").collect()
}

#[test]
fn a_record_of_execute_and_fetch_has_what_they_run() {
    let (_database, proxy) =
        start("[[alert]]\nname = 'people-read'\non = 'statement'\ntables = 'shop.public.people'\nwithin = '1ms'\n");
    let select = "select email as zebra from people where id = 7";
    for user in ["viewer", "admin"] {
        let mut client = PostgresClient::connect(proxy.port, user);
        client.send(&[parse("stm", select), sync()]);
        client.until_ready();
        assert_eq!(rows(&client.run("execute stm")), ["p7@secret.example"]);
        client.send(&[parse("", "execute stm"), bind("", "", &[]), execute("", 0), sync()]);
        assert_eq!(rows(&client.until_ready()), ["p7@secret.example"]);
        client.run("begin");
        client.send(&[bind("pp", "stm", &[]), query("fetch all from pp")]);
        assert_eq!(rows(&client.until_ready()), ["p7@secret.example"]);
        client.run("commit");
        let records = proxy.records();
        let ran: Vec<_> = ["execute stm", "fetch all from pp"].iter().flat_map(|t| permitted(&records, t)).collect();
        let ran: Vec<_> = ran.into_iter().filter(|record| record["user"] == user).collect();
        assert_eq!(ran.len(), 3, "{ran:#?}");
        for record in ran {
            assert_eq!(record["runs"][0]["text"], select, "{record}");
            assert_eq!(record["runs"][0]["fingerprint"].as_str().unwrap().len(), 16);
            if user == "viewer" {
                assert_eq!(record["objects"][0]["relation"], "public.people", "{record}");
                assert_eq!(record["objects"][0]["raw"][1], "email", "{record}");
            }
        }
    }
    let alerts = proxy.records().into_iter().filter(|record| record["alert"] == "people-read").count();
    assert!(alerts >= 2, "{alerts}");
}

#[test]
fn learn_asks_about_what_execute_and_fetch_run() {
    let (_database, proxy) = start("");
    let known = ["execute stm", "fetch all from pp", "select id from people where id = 1"];
    let mut client = PostgresClient::connect(proxy.port, "viewer");
    for text in known {
        client.run(text);
    }
    let records = proxy.records();
    let fingerprint = |text: &str| records.iter().find(|r| r["text"] == text).unwrap()["fingerprint"].to_string();
    let known = known.map(fingerprint).join(", ");
    proxy.reload(&format!(
        "{ROLE}[[learn]]\nname = 'known'\nroles = ['viewer', 'admin']\nmode = 'refuse'\nfingerprints = [{known}]\n"
    ));
    for user in ["viewer", "admin"] {
        let mut client = PostgresClient::connect(proxy.port, user);
        client.send(&[parse("stm", "select id from people where id = 2"), sync()]);
        client.until_ready();
        assert_eq!(rows(&client.run("execute stm")), ["2"], "the same but for a literal");
        client.send(&[crate::support::pg_client::close(b'S', "stm"), parse("stm", "select email from people"), sync()]);
        client.until_ready();
        assert!(client.run("execute stm")[0].starts_with("E 42501"), "as {user}");
        client.run("begin");
        client.send(&[bind("pp", "stm", &[]), query("fetch all from pp")]);
        let refused = client.until_ready();
        assert!(refused.iter().any(|line| line.starts_with("E 42501")) && rows(&refused).is_empty(), "{refused:?}");
        client.run("rollback");
    }
}
