//! Statements and cursors that a PostgreSQL session reaches by name: what runs is in the record, is asked about by
//! `[[learn]]` and `[[alert]]`, and follows the rules in force.

use serde_json::Value;

use crate::support::pg_client::{PostgresClient, bind, execute, parse, query, sync};
use crate::support::pg_proxy::PostgresProxy;
use crate::support::{PostgresDatabase, postgres};

const PEOPLE: &str = "create table people(id int primary key, email text);
    insert into people select n, 'p' || n || '@secret.example' from generate_series(1, 20) n;
    create table plain as select n as id from generate_series(1, 20) n;
    analyze; grant all on all tables in schema public to public";
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

const MASKED: &str = "[[protect]]\nname = 'contact'\ncolumns = ['*.*.*.email']\nmask = 'email'\n";

#[test]
fn cursors_that_are_open_when_the_rules_change_give_no_more_rows_of_the_old_rules() {
    let (_database, proxy) = start("");
    // A computed column is no business of the second lock.
    let computed = "select email || '' as e from people order by id";
    let other = "select id from plain order by id";
    let mut client = PostgresClient::connect(proxy.port, "viewer");
    client.run("begin");
    client.run(&format!("declare c cursor for {computed}"));
    client.run(&format!("declare d cursor for {other}; declare w cursor with hold for {computed}"));
    client.send(&[
        parse("s", computed),
        bind("p", "s", &[]),
        execute("p", 1),
        parse("o", other),
        bind("q", "o", &[]),
        execute("q", 1),
        parse("f", "fetch 1 from c"),
        bind("pf", "f", &[]),
        sync(),
    ]);
    assert_eq!(rows(&client.until_ready()), ["p1@secret.example", "1"]);
    assert_eq!(rows(&client.run("fetch 1 from c")), ["p1@secret.example"]);
    client.run("savepoint here");
    proxy.reload(&format!("{ROLE}{MASKED}"));
    let changed = |name: &str| format!("E 0A000 cursor \"{name}\" was opened under rules that have changed since");
    let mut refused = |messages: &[Vec<u8>], name: &str| {
        client.send(messages);
        let lines = client.until_ready();
        assert!(lines.contains(&changed(name)) && rows(&lines).is_empty(), "{lines:?}");
        client.run("rollback to here");
    };
    refused(&[query("fetch 1 from c")], "c");
    refused(&[execute("p", 1), sync()], "p");
    refused(&[query("fetch 1 from p")], "p");
    refused(&[bind("", "f", &[]), execute("", 1), sync()], "c");
    refused(&[execute("pf", 0), sync()], "c");
    // What would be the same now goes on.
    client.send(&[execute("q", 1), sync()]);
    assert_eq!(rows(&client.until_ready()), ["2"]);
    assert_eq!(
        rows(&client.run("declare n cursor for select email from people order by id; fetch 1 from n"))[0],
        "p***@secret.example"
    );
    client.run("commit");
    assert_eq!(client.run("fetch 1 from w")[0], changed("w"));
    // One that is opened now is the same until the rules change again.
    client.run("close w");
    client.run(&format!("declare w cursor with hold for {computed}"));
    assert_eq!(rows(&client.run("fetch 1 from w")), ["p***@secret.example"]);
}
