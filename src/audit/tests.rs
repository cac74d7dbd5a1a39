//! The log as a whole: rotation, crashes, full disks, vanished folders. Crashes happen in child processes, which are
//! this test program run with one ignored test.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::verify::{Fault, Report, verify};
use super::*;

fn subject() -> Subject {
    Subject { session: 1, user: "hanako".into(), role: "viewer".into(), protocol: "postgres", ..Subject::default() }
}

/// Notes a statement and has it written, as a session does before it delivers a row.
fn run(audit: &Audit, text: &str) -> Result<Sequence, Unavailable> {
    let facts = Facts::default();
    let who = subject();
    let outcome = Outcome::Permitted;
    let record =
        StatementRecord { subject: &who, text, annotation: None, sent: None, facts: &facts, outcome, reported: &[] };
    let sequence = audit.statement(&record)?;
    audit.flush();
    if audit.is_written(sequence) {
        return Ok(sequence);
    }
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(audit.written(sequence))?;
    Ok(sequence)
}

fn records(dir: &Path) -> Vec<serde_json::Value> {
    let mut all = Vec::new();
    for name in segment::list(dir).unwrap() {
        let text = fs::read_to_string(dir.join(name.as_str())).unwrap();
        all.extend(text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()));
    }
    all
}

fn kinds(dir: &Path) -> Vec<String> {
    records(dir).iter().map(|record| record["kind"].as_str().unwrap().to_owned()).collect()
}

fn check(dir: &Path) -> Report {
    verify(dir, None, |_, _| {}).unwrap()
}

#[test]
fn a_run_is_a_chain_from_start_to_stop_and_the_next_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let audit = Audit::open(Settings::new(dir.path()), "node-a").unwrap();
        audit.session_opened(&subject()).unwrap();
        let statement = run(&audit, "select 1").unwrap();
        let who = subject();
        audit.result(&ResultRecord {
            subject: &who,
            statement,
            rows: 1,
            bytes: 20,
            first_row_us: 5,
            total_us: 9,
            sqlstate: None,
            limit: None,
            facts: None,
        });
        audit.session_closed(&who, Ending::Terminated, Totals { statements: 1, rows: 1, bytes: 20 });
        audit.login_refused(&who, "wrong password");
        audit.second_lock(&who, statement, "public.customers.email");
        audit.reloaded(2, Some("rules/a.toml:1:1: no"));
        audit.stop();
        assert!(run(&audit, "select 2").is_err());
    }
    let run = [
        "segment",
        "started",
        "session_opened",
        "statement",
        "result",
        "session_closed",
        "login_refused",
        "second_lock",
        "reload",
        "stopped",
    ];
    assert_eq!(kinds(dir.path()), [run, run].concat());
    let report = check(dir.path());
    assert!(report.is_whole() && report.crashes == 0 && !report.running, "{report:?}");
    assert_eq!((report.segments, report.last), (2, Some(20)));
    assert_eq!(records(dir.path())[10]["after"].as_str(), Some(segment::list(dir.path()).unwrap()[0].as_str()));
}

#[test]
fn many_threads_write_one_chain_over_many_segments() {
    let dir = tempfile::tempdir().unwrap();
    for durability in [Durability::Os, Durability::Disk] {
        let dir = dir.path().join(format!("{durability:?}"));
        let settings = Settings { max_segment_size: 100_000, durability, ..Settings::new(&dir) };
        let audit = Audit::open(settings, "node-a").unwrap();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let audit = audit.clone();
                scope.spawn(move || {
                    for index in 0..500 {
                        let sequence = run(&audit, &format!("select {thread}, {index}")).unwrap();
                        assert!(audit.is_written(sequence));
                    }
                });
            }
        });
        audit.stop();
        let report = check(&dir);
        assert!(report.is_whole() && report.segments > 5, "{report:?}");
        assert_eq!(kinds(&dir).iter().filter(|kind| *kind == "statement").count(), 2000);
    }
}

#[test]
fn records_nobody_flushes_are_bounded_in_memory_and_written_at_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let audit = Audit::open(Settings::new(dir.path()), "node-a").unwrap();
    let long = "x".repeat(10_000);
    for _ in 0..500 {
        audit.login_refused(&subject(), &long);
        assert!(audit.status().waiting_bytes < 2 << 20);
    }
    drop(audit);
    let report = check(dir.path());
    assert!(report.is_whole());
    assert_eq!(report.last, Some(502));
}

#[test]
fn old_segments_are_removed_when_asked_for_and_the_rest_still_verifies() {
    let dir = tempfile::tempdir().unwrap();
    let settings =
        Settings { max_segment_size: 5_000, retain: Some(Duration::from_millis(50)), ..Settings::new(dir.path()) };
    let audit = Audit::open(settings, "node-a").unwrap();
    for _ in 0..3 {
        for _ in 0..20 {
            run(&audit, "select 1").unwrap();
        }
        std::thread::sleep(Duration::from_millis(80));
    }
    for _ in 0..20 {
        run(&audit, "select 1").unwrap();
    }
    audit.stop();
    let report = check(dir.path());
    assert!(report.is_whole() && report.first > Some(20), "{report:?}");
    fs::remove_file(dir.path().join(segment::list(dir.path()).unwrap()[0].as_str())).unwrap();
    let fault = check(dir.path()).findings.swap_remove(0).fault;
    assert!(matches!(fault, Fault::MissingSegment { .. }), "{fault:?}");
}

#[test]
fn a_second_proxy_is_kept_out() {
    let dir = tempfile::tempdir().unwrap();
    let audit = Audit::open(Settings::new(dir.path()), "a").unwrap();
    let error = Audit::open(Settings::new(dir.path()), "b").unwrap_err().to_string();
    assert!(error.ends_with("another sekisho writes its audit log here"), "{error}");
    assert!(check(dir.path()).running);
    audit.stop();
    Audit::open(Settings::new(dir.path()), "b").unwrap();
}

#[test]
fn a_folder_removed_under_load_comes_back_and_no_statement_after_it_is_lost() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("audit");
    let audit = Audit::open(Settings::new(&dir), "a").unwrap();
    let stop = AtomicBool::new(false);
    let delivered = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let mut delivered = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        let asked = Instant::now();
                        if let Ok(sequence) = run(&audit, "select 1") {
                            delivered.push((asked, sequence.0));
                        }
                    }
                    delivered
                })
            })
            .collect();
        std::thread::sleep(Duration::from_millis(50));
        // The segment goes first; from then on every record must be in a file that is there.
        while fs::remove_dir_all(&dir).is_err() {}
        let removed = Instant::now();
        std::thread::sleep(Duration::from_millis(400));
        stop.store(true, Ordering::Relaxed);
        let all: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        all.into_iter().filter(|(asked, _)| *asked > removed).map(|(_, sequence)| sequence).collect::<BTreeSet<_>>()
    });
    audit.stop();
    let all = records(&dir);
    let again: Vec<_> = all.iter().filter_map(|record| record["records"].as_array()).flatten().cloned().collect();
    let present: BTreeSet<u64> = all.iter().chain(&again).map(|record| record["seq"].as_u64().unwrap()).collect();
    assert!(!delivered.is_empty() && delivered.is_subset(&present));
    assert!(kinds(&dir).contains(&"lost".to_owned()));
    let findings = check(&dir).findings;
    assert!(matches!(findings[0].fault, Fault::MissingSegment { .. }), "{findings:?}");
}

#[test]
fn a_segment_moved_away_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let audit = Audit::open(Settings::new(dir.path()), "a").unwrap();
    run(&audit, "select 1").unwrap();
    let segment = dir.path().join(segment::list(dir.path()).unwrap()[0].as_str());
    fs::rename(&segment, dir.path().join("elsewhere")).unwrap();
    std::thread::sleep(Duration::from_millis(1100));
    run(&audit, "select 2").unwrap();
    run(&audit, "select 3").unwrap();
    assert_eq!(kinds(dir.path()), ["segment", "lost", "statement"]);
    fs::rename(dir.path().join("elsewhere"), &segment).unwrap();
    assert!(check(dir.path()).is_whole());
}

#[test]
fn a_disk_that_fails_gets_no_more_records_into_the_same_segment() {
    let dir = tempfile::tempdir().unwrap();
    let audit = Audit::open(Settings { durability: Durability::Disk, ..Settings::new(dir.path()) }, "a").unwrap();
    run(&audit, "select 1").unwrap();
    audit.login_refused(&subject(), "not written yet");
    audit.log.as_ref().unwrap().progress.set_sync_error("fdatasync: Input/output error".to_owned());
    let error = run(&audit, "select 2").unwrap_err();
    assert!(error.to_string().ends_with("Input/output error"), "{error}");
    std::thread::sleep(Duration::from_millis(2300));
    run(&audit, "select 3").unwrap();
    audit.stop();
    let expected = ["segment", "started", "statement", "segment", "lost", "gap", "statement", "stopped"];
    assert_eq!(kinds(dir.path()), expected);
    assert!(records(dir.path())[4]["records"].to_string().contains("not written yet"));
}

/// Takes the folder away for a while and gives the records that came after.
fn break_for_a_while(on_failure: OnFailure, during: impl FnOnce(&Audit)) -> (Audit, Vec<serde_json::Value>) {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("audit");
    let audit = Audit::open(Settings { on_failure, ..Settings::new(&dir) }, "a").unwrap();
    fs::remove_dir_all(&dir).unwrap();
    fs::write(&dir, "a file where the folder was").unwrap();
    during(&audit);
    fs::remove_file(&dir).unwrap();
    std::thread::sleep(Duration::from_millis(250));
    run(&audit, "select 'after'").unwrap();
    audit.flush();
    let all = records(&dir);
    (audit, all)
}

#[test]
fn while_nothing_can_be_written_statements_are_refused_and_the_gap_is_recorded() {
    let (audit, all) = break_for_a_while(OnFailure::Refuse, |audit| {
        let error = run(audit, "select 'first'").unwrap_err();
        assert!(error.to_string().starts_with("the audit log cannot be written: "), "{error}");
        for _ in 0..9 {
            run(audit, "select 'refused'").unwrap_err();
        }
        let status = audit.status();
        assert_eq!((status.refused, status.broken.is_some()), (9, true));
    });
    let gap = all.iter().find(|record| record["kind"] == "gap").unwrap();
    assert_eq!((&gap["refused"], &gap["dropped"]), (&9.into(), &0.into()));
    let texts: Vec<_> = all.iter().filter_map(|record| record["text"].as_str()).collect();
    assert_eq!(texts, ["select 'after'"]);
    let again = all.iter().find(|record| record["kind"] == "lost").unwrap();
    assert!(again["records"].to_string().contains("select 'first'"));
    assert_eq!(audit.status().broken, None);
}

#[test]
fn with_continue_statements_run_and_what_memory_cannot_hold_is_counted() {
    let (audit, all) = break_for_a_while(OnFailure::Continue, |audit| {
        let long = format!("select '{}'", "x".repeat(100_000));
        for _ in 0..100 {
            run(audit, &long).unwrap();
        }
    });
    let gap = all.iter().find(|record| record["kind"] == "gap").unwrap();
    let dropped = gap["dropped"].as_u64().unwrap();
    assert!(dropped > 10 && audit.status().dropped == dropped);
    let kept = all.iter().map(|record| record.to_string().matches("\"statement\",").count()).sum::<usize>();
    assert!(kept > 0);
}

#[derive(Debug, Default)]
struct Failures(std::sync::atomic::AtomicUsize);

impl Listener for Failures {
    fn statement(&self, _: &Audit, _: &StatementRecord<'_>, _: Sequence) {}
    fn result(&self, _: &Audit, _: &ResultRecord<'_>) {}
    fn login_refused(&self, _: &Audit, _: &Subject, _: &str) {}
    fn second_lock(&self, _: &Audit, _: &Subject, _: Sequence, _: &str) {}
    fn failed(&self, _: &Audit, subject: &Subject, reason: &str) {
        assert!(&*subject.user == "hanako" && reason.contains("audit"), "{reason}");
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn listeners_hear_of_failures_whether_statements_run_or_not() {
    for on_failure in [OnFailure::Refuse, OnFailure::Continue] {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("audit");
        let failures = Arc::new(Failures::default());
        let audit = Audit::open(Settings { on_failure, ..Settings::new(&dir) }, "a").unwrap();
        let audit = audit.heard_by(Arc::<Failures>::clone(&failures));
        run(&audit, "select 'before'").unwrap();
        assert_eq!(failures.0.load(Ordering::Relaxed), 0);
        fs::remove_dir_all(&dir).unwrap();
        fs::write(&dir, "a file where the folder was").unwrap();
        for _ in 0..3 {
            assert_eq!(run(&audit, "select 'unrecorded'").is_ok(), on_failure == OnFailure::Continue);
        }
        let heard = failures.0.load(Ordering::Relaxed);
        assert!(heard >= 2, "{heard} with {on_failure:?}");
        assert_eq!(audit.session_opened(&subject()).is_ok(), on_failure == OnFailure::Continue);
        assert_eq!(failures.0.load(Ordering::Relaxed), heard + 1);
    }
}

/// Starts this test program as a proxy that writes records and prints the number of each that is written.
fn spawn_writer(dir: &Path, limit: Option<u32>) -> (Child, BufReader<ChildStdout>) {
    let program = std::env::current_exe().unwrap();
    let limit = limit.map_or_else(String::new, |kilobytes| format!("trap '' XFSZ; ulimit -S -f {kilobytes};"));
    let script = format!("{limit} exec \"$0\" --exact audit::tests::writer_process --ignored --nocapture");
    let mut child = Command::new("bash")
        .args(["-c", &script])
        .arg(program)
        .env("SEKISHO_TEST_AUDIT", dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    (child, output)
}

#[test]
#[ignore = "the child process of other tests"]
fn writer_process() {
    let Some(dir) = std::env::var_os("SEKISHO_TEST_AUDIT") else { return };
    let audit = Audit::open(Settings { max_segment_size: 300_000, ..Settings::new(dir) }, "child").unwrap();
    let mut out = std::io::stdout();
    loop {
        match run(&audit, "select 'a statement of some length', name from customers where id = 4711") {
            Ok(sequence) => writeln!(out, "written {}", sequence.0).unwrap(),
            Err(error) => {
                writeln!(out, "refused {error}").unwrap();
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

#[test]
fn killed_at_any_moment_no_written_record_is_lost_and_the_chain_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let number = |line: std::io::Result<String>| line.unwrap().strip_prefix("written ")?.parse::<u64>().ok();
    let mut written = BTreeSet::new();
    for round in 0..6 {
        let (mut child, output) = spawn_writer(dir.path(), None);
        let mut lines = output.lines();
        written.extend(lines.by_ref().take(500 + round * 777).filter_map(number));
        child.kill().unwrap();
        child.wait().unwrap();
        // What it printed before it died; the last number may be cut, and is then a smaller one.
        written.extend(lines.filter_map(number));
        // Half a record, as a kill within a write leaves it.
        let last = segment::list(dir.path()).unwrap().pop().unwrap();
        let mut file = fs::OpenOptions::new().append(true).open(dir.path().join(last.as_str())).unwrap();
        file.write_all(b"{\"v\":1,\"seq\":99").unwrap();
        assert!(!check(dir.path()).is_whole());
    }
    let audit = Audit::open(Settings::new(dir.path()), "a").unwrap();
    audit.stop();
    let report = check(dir.path());
    assert!(report.is_whole(), "{report:?}");
    assert_eq!((report.crashes, report.partial.len()), (6, 6));
    let present: BTreeSet<u64> = records(dir.path()).iter().map(|record| record["seq"].as_u64().unwrap()).collect();
    assert!(written.len() > 3000 && written.is_subset(&present));
}

#[test]
fn a_full_disk_refuses_statements_leaves_no_half_record_and_heals() {
    let dir = tempfile::tempdir().unwrap();
    let (mut child, output) = spawn_writer(dir.path(), Some(100));
    let mut lines = output.lines().map(|line| line.unwrap());
    let refusal = lines.by_ref().find(|line| line.starts_with("refused")).unwrap();
    assert!(refusal.contains("File too large"), "{refusal}");
    assert!(lines.by_ref().take(10).all(|line| line.starts_with("refused")));
    let text = fs::read_to_string(dir.path().join(segment::list(dir.path()).unwrap()[0].as_str())).unwrap();
    assert!(text.len() <= 102_400 && text.ends_with("\"}\n"));
    let pid = child.id().to_string();
    let raised = Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited:unlimited"]).status().unwrap();
    assert!(raised.success());
    assert!(lines.by_ref().find(|line| line.starts_with("written")).is_some());
    child.kill().unwrap();
    child.wait().unwrap();
    Audit::open(Settings::new(dir.path()), "a").unwrap().stop();
    let report = check(dir.path());
    assert!(report.is_whole() && report.gaps == 1, "{report:?}");
    let gap = records(dir.path()).into_iter().find(|record| record["kind"] == "gap").unwrap();
    assert!(gap["refused"].as_u64().unwrap() >= 10 && gap["reason"].as_str().unwrap().contains("File too large"));
}
