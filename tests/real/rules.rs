//! Rules that change while the proxy runs, and what `sekisho check` says of them, against a real server.

use std::path::Path;
use std::time::{Duration, Instant};

use tokio_postgres::{Client, NoTls};

use crate::support::{self, Sekisho};

const SCHEMA: &str = "create table customers(id int primary key, email text);
    insert into customers values (1, 'taro@example.jp');
    create table old_customers(id int primary key, email text);";
const ROLES: &str = "[role.viewer]\ngrant = { on = 'shop.public.*', allow = 'read' }\n";
const MASK: &str = "[[protect]]\nname = 'mail'\ncolumns = 'shop.public.customers.email'\nmask = 'email'\n";

async fn login(proxy: &Sekisho) -> Client {
    let (client, connection) = proxy.login("hanako").connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn email(client: &Client) -> String {
    client.query_one("select email from customers", &[]).await.unwrap().get(0)
}

/// Asks until the answer is the one expected; the last answer is given.
async fn email_in_time(client: &Client, expected: &str) -> String {
    let begun = Instant::now();
    loop {
        let email = email(client).await;
        if email == expected || begun.elapsed() > Duration::from_secs(15) {
            return email;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn started(folder: &Path) -> Sekisho {
    let shop = support::postgres().database(SCHEMA);
    Sekisho::start(folder, &shop, ROLES, &[("hanako", "viewer")], "")
}

#[tokio::test]
async fn a_running_session_decides_by_the_rules_as_they_are_now() {
    let folder = tempfile::tempdir().unwrap();
    let proxy = started(folder.path());
    let client = login(&proxy).await;
    let prepared = client.prepare("select email from customers").await.unwrap();
    assert_eq!(email(&client).await, "taro@example.jp");

    let rule = folder.path().join("rules/20-mail.toml");
    std::fs::write(&rule, MASK).unwrap();
    assert_eq!(email_in_time(&client, "t***@example.jp").await, "t***@example.jp");
    match client.query_one(&prepared, &[]).await {
        Ok(row) => assert_eq!(row.get::<_, String>(0), "t***@example.jp", "a statement prepared before"),
        Err(error) => assert!(error.as_db_error().is_some(), "{error}"),
    }

    std::fs::write(&rule, MASK.replace("mask =", "maks =")).unwrap();
    let begun = Instant::now();
    while !proxy.log().contains("NOT reloaded") && begun.elapsed() < Duration::from_secs(15) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(proxy.log().contains("did you mean `mask`?"), "{}", proxy.log());
    assert_eq!(email(&client).await, "t***@example.jp", "the old rules stay in force");

    std::fs::remove_file(&rule).unwrap();
    assert_eq!(email_in_time(&client, "taro@example.jp").await, "taro@example.jp");
}

#[tokio::test]
async fn rules_and_users_are_read_again_when_told_and_kept_when_broken() {
    let folder = tempfile::tempdir().unwrap();
    let mut proxy = started(folder.path());
    let client = login(&proxy).await;
    let user = async |name: &str| proxy.login(name).connect(NoTls).await;
    let reloads = |result: &str| proxy.metric(&format!("sekisho_reloads_total{{result=\"{result}\"}}"));
    let wait_for = async |condition: &dyn Fn() -> bool| {
        let begun = Instant::now();
        while !condition() {
            assert!(begun.elapsed() < Duration::from_secs(15), "{}", proxy.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    // A user that is added logs in without a restart; one that is removed cannot, and its session ends.
    assert!(user("taro").await.is_err());
    let users = folder.path().join("users.toml");
    let hanako = std::fs::read_to_string(&users).unwrap();
    let taro = support::sekisho::verifier("taro", "viewer");
    std::fs::write(&users, [hanako.as_str(), &taro].concat()).unwrap();
    wait_for(&|| reloads("success") == "1").await;
    assert!(user("taro").await.is_ok());

    // A broken file of users keeps users and rules as they were, though the rules' own change is fine.
    std::fs::write(folder.path().join("rules/20-mail.toml"), MASK).unwrap();
    std::fs::write(&users, taro.replace("roles", "rolls")).unwrap();
    wait_for(&|| proxy.log().contains("did you mean `roles`?")).await;
    assert_eq!(email(&client).await, "taro@example.jp");
    assert!(user("taro").await.is_ok());

    // The signal reads all files though none has changed.
    let failures: u32 = reloads("failure").parse().unwrap();
    proxy.signal("HUP");
    wait_for(&|| reloads("failure").parse::<u32>().unwrap() > failures).await;
    std::fs::write(&users, &taro).unwrap();
    wait_for(&|| reloads("success") == "2").await;
    proxy.signal("HUP");
    wait_for(&|| reloads("success") == "3").await;
    let ended = client.query_one("select 1", &[]).await.unwrap_err();
    assert_eq!(ended.as_db_error().map(|e| e.code().code().to_owned()).as_deref(), Some("57P01"), "{ended}");
    let again = user("taro").await.map(|(client, connection)| (client, tokio::spawn(connection))).unwrap().0;
    assert_eq!(email(&again).await, "t***@example.jp");

    let begun = Instant::now();
    assert_eq!(proxy.stop(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    let (_, records) = proxy.command(&["audit", "tail", "-n", "100", "--kind", "reload", "--json"]);
    let records: Vec<serde_json::Value> = records.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(
        records.iter().any(|r| r["error"].is_string()) && records.iter().filter(|r| r["error"].is_null()).count() >= 3
    );
}

#[test]
fn check_tells_what_only_the_server_knows() {
    let folder = tempfile::tempdir().unwrap();
    let proxy = started(folder.path());
    assert_eq!(proxy.command(&["check", "--live"]), (0, "no mistakes\n".to_owned()));

    let more = "[[filter]]\nname = 'typo'\ntables = 'shop.public.custmers'\nwhere = 'true'\n
                [[protect]]\nname = 'wrong'\ncolumns = 'shop.public.customers.id'\nmask = 'email'\n
                [[block]]\nname = 'no-sleep'\nfunctions = ['pg_sleep', 'pg_slep', 'coalesce']\ntables = 'shop.public.no_such'\n";
    std::fs::write(folder.path().join("rules/20.toml"), [MASK, more].concat()).unwrap();
    assert_eq!(proxy.command(&["check"]).0, 0, "nothing is wrong with the files");
    let (status, told) = proxy.command(&["check", "--live"]);
    assert_eq!(status, 1, "{told}");
    for expected in [
        "no table matches `shop.public.custmers`",
        "no table matches `shop.public.no_such`",
        "no source is known to have a function `pg_slep`",
        "mask `email` cannot serve column `id` of type `integer`",
        "`viewer` sees `email` in `shop.public.old_customers` as it is, though `mail` protects columns of that name",
    ] {
        assert!(told.contains(expected), "{expected} is not in:\n{told}");
    }
    let (status, told) = proxy.command(&["check", "--live", "--json"]);
    let findings: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!((status, findings.as_array().unwrap().len()), (1, 6), "{told}");
    assert!(findings.as_array().unwrap().iter().all(|finding| finding["line"].as_u64().unwrap() > 0));

    std::fs::write(folder.path().join("rules/20.toml"), MASK.replace("mask =", "maks =")).unwrap();
    let (status, told) = proxy.command(&["check"]);
    assert!(status == 1 && told.contains("20.toml:4:1"), "{told}");
    std::fs::remove_file(folder.path().join("sekisho.toml")).unwrap();
    assert_eq!(proxy.command(&["check"]).0, 2);
}
