//! The audit promise on the whole product: no row leaves before its record is written, whatever happens to the process,
//! the disk and the folder.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use crate::support::{self, PostgresDatabase, Sekisho};

const RULES: &str = "
    [role.viewer]
    grant = [{ on = \"shop.public.*\", allow = [\"read\"] }]
    [[protect]]
    name = \"contact\"
    columns = [\"*.*.*.email\"]
    mask = \"email\"
";

fn shop() -> PostgresDatabase {
    support::postgres().database(
        "create table numbers (n int primary key, email text);
         insert into numbers select n, 'hanako' || n || '@example.jp' from generate_series(1, 1000) as n",
    )
}

fn start(folder: &Path, shop: &PostgresDatabase, prelude: &str) -> Sekisho {
    Sekisho::start(folder, shop, RULES, &[("hanako", "viewer")], prelude)
}

/// Every record, also those that a `lost` one repeats.
fn records(folder: &Path) -> Vec<Value> {
    let mut paths: Vec<_> =
        std::fs::read_dir(folder.join("audit")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    paths.sort();
    let text: String = paths.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let mut all = Vec::new();
    for line in text.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        all.extend(record["records"].as_array().into_iter().flatten().cloned());
        all.push(record);
    }
    all
}

fn texts(folder: &Path) -> BTreeSet<String> {
    records(folder).iter().filter_map(|record| record["text"].as_str().map(str::to_owned)).collect()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

async fn connect(sekisho: &Sekisho) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = sekisho.login("hanako").connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Asks a question that no other has; gives its text when a row came back.
async fn ask(client: &Client, number: u64) -> Result<String, tokio_postgres::Error> {
    let text = format!("select email, {number} as asked from numbers where n = 7");
    let messages = client.simple_query(&text).await?;
    let row = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    assert_eq!(row, Some("h***@example.jp"));
    Ok(text)
}

/// Clients that ask one question after another on three connections until told to stop or cut off; gives the questions
/// whose rows arrived, with the time when each was asked.
fn load(sekisho: &Sekisho, stop: &AtomicBool, meanwhile: impl FnOnce()) -> Vec<(Instant, String)> {
    let client = |lane: u64| {
        runtime().block_on(async {
            let mut answered = Vec::new();
            let Ok(client) = connect(sekisho).await else { return answered };
            for number in 0.. {
                let asked = Instant::now();
                match ask(&client, lane * 1_000_000 + number).await {
                    Ok(text) => answered.push((asked, text)),
                    Err(_) if stop.load(Ordering::Relaxed) || client.is_closed() => break,
                    Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                }
                if stop.load(Ordering::Relaxed) {
                    break;
                }
            }
            answered
        })
    };
    std::thread::scope(|scope| {
        let lanes = [scope.spawn(|| client(1)), scope.spawn(|| client(2)), scope.spawn(|| client(3))];
        meanwhile();
        stop.store(true, Ordering::Relaxed);
        lanes.into_iter().flat_map(|lane| lane.join().unwrap()).collect()
    })
}

#[test]
fn a_session_s_records_say_who_asked_what_and_what_came_of_it() {
    let (folder, shop) = (tempfile::tempdir().unwrap(), shop());
    let mut sekisho = start(folder.path(), &shop, "");
    runtime().block_on(async {
        let client = connect(&sekisho).await.unwrap();
        let text = ask(&client, 1).await.unwrap();
        client.simple_query("delete from numbers").await.unwrap_err();
        drop(client);
        let mut wrong = sekisho.login("hanako");
        assert!(wrong.password("wrong").connect(NoTls).await.is_err());
        assert!(texts(folder.path()).contains(&text));
    });
    assert_eq!(sekisho.stop(), Some(0));
    let all = records(folder.path());
    let find = |kind: &str, verdict: Option<&str>| {
        let is = |record: &&Value| record["kind"] == kind && verdict.is_none_or(|verdict| record["verdict"] == verdict);
        all.iter().find(is).unwrap_or_else(|| panic!("no {kind} {verdict:?} in {all:#?}"))
    };
    let permitted = find("statement", Some("permitted"));
    assert_eq!((&permitted["user"], &permitted["role"]), (&"hanako".into(), &"viewer".into()));
    assert_eq!(permitted["rules"], serde_json::json!(["contact"]));
    assert_eq!(permitted["objects"][0]["masked"], serde_json::json!(["email"]));
    assert!(permitted["sent"].as_str().unwrap().contains("public"));
    let result = all.iter().find(|record| record["statement"] == permitted["seq"]).unwrap();
    assert_eq!((&result["kind"], &result["rows"]), (&"result".into(), &1.into()));
    assert_eq!(find("statement", Some("refused"))["text"], "delete from numbers");
    for kind in ["started", "session_opened", "session_closed", "login_refused"] {
        find(kind, None);
    }
    assert_eq!(all.last().unwrap()["kind"], "stopped");
    assert_eq!(sekisho.command(&["audit", "verify"]).0, 0);
    let (_, tail) = sekisho.command(&["audit", "tail", "-n", "1", "--refused", "--kind", "statement"]);
    assert!(tail.contains("hanako/viewer@shop") && tail.contains("delete from numbers"), "{tail}");
}

#[test]
fn killed_under_load_no_row_was_delivered_without_its_record() {
    let (folder, shop) = (tempfile::tempdir().unwrap(), shop());
    let mut sekisho = start(folder.path(), &shop, "");
    for round in 1..=3 {
        let pid = sekisho.pid();
        let answered = load(&sekisho, &AtomicBool::new(false), || {
            std::thread::sleep(Duration::from_millis(200 + 97 * round));
            Command::new("kill").args(["-9", &pid]).status().unwrap();
        });
        assert!(answered.len() > 20, "{}", sekisho.log());
        sekisho.restart();
        let recorded = texts(folder.path());
        assert!(answered.iter().all(|(_, text)| recorded.contains(text)));
        let (status, report) = sekisho.command(&["audit", "verify"]);
        assert_eq!(status, 0, "{report}");
        assert!(report.contains(&format!("{round} start")), "{report}");
    }
}

#[test]
fn with_a_full_disk_nothing_is_answered_and_all_is_well_when_there_is_room() {
    let (folder, shop) = (tempfile::tempdir().unwrap(), shop());
    let mut sekisho = start(folder.path(), &shop, "trap '' XFSZ; ulimit -S -f 200;");
    runtime().block_on(async {
        let client = connect(&sekisho).await.unwrap();
        let mut number = 0;
        let error = loop {
            number += 1;
            match ask(&client, number).await {
                Ok(_) => assert!(number < 2000, "the disk is never full"),
                Err(error) => break error,
            }
        };
        let words = error.as_db_error().map_or_else(|| error.to_string(), |error| error.message().to_owned());
        assert!(words.contains("audit log cannot be written"), "{words}");
        let limit = Command::new("prlimit").args(["--pid", &sekisho.pid(), "--fsize=unlimited:unlimited"]).status();
        assert!(limit.unwrap().success());
        tokio::time::sleep(Duration::from_millis(300)).await;
        let client = if client.is_closed() { connect(&sekisho).await.unwrap() } else { client };
        ask(&client, 999_999).await.unwrap();
    });
    assert_eq!(sekisho.stop(), Some(0));
    let (status, report) = sekisho.command(&["audit", "verify"]);
    assert_eq!(status, 0, "{report}");
    assert!(records(folder.path()).iter().any(|record| record["kind"] == "gap"));
}

#[test]
fn a_folder_removed_under_load_comes_back_with_a_note_and_no_later_row_lacks_its_record() {
    let (folder, shop) = (tempfile::tempdir().unwrap(), shop());
    let sekisho = start(folder.path(), &shop, "");
    let mut removed = Instant::now();
    let answered = load(&sekisho, &AtomicBool::new(false), || {
        std::thread::sleep(Duration::from_millis(200));
        while std::fs::remove_dir_all(folder.path().join("audit")).is_err() {}
        removed = Instant::now();
        std::thread::sleep(Duration::from_millis(400));
    });
    let recorded = texts(folder.path());
    let later: Vec<_> = answered.into_iter().filter(|(asked, _)| *asked > removed).collect();
    assert!(later.len() > 10 && later.iter().all(|(_, text)| recorded.contains(text)));
    assert!(records(folder.path()).iter().any(|record| record["kind"] == "lost"));
    let (status, report) = sekisho.command(&["audit", "verify"]);
    assert!(status == 1 && report.contains("is missing"), "{report}");
}
