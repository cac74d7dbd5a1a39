//! Attack statements of `tests/bypass` against the proxy on real servers, and statements of BI tools that must work.
//!
//! Each attack runs on two databases that differ in protected values alone, in each protocol. It has succeeded when a
//! protected value comes back in whatever form, when the two answers differ, or, where it writes, when it is not refused
//! or anything has changed.

mod detector;
mod statements;
mod world;

use std::collections::HashMap;

use statements::{Entry, Step, read};
use world::{Rules, World, folder};

use crate::support::side::Side;
use crate::support::{mariadb, mysql};

/// What came back of each step that counts.
type Answers = Vec<Vec<String>>;

/// Runs an attack on a side.
fn run(world: &mut World, entry: &Entry, side: usize, prepared: bool) -> Answers {
    let role = entry.role();
    let mut main = world.take(side, role);
    // What an editor does is taken back.
    if role == "editor" {
        main.run("begin");
    }
    let mut others: HashMap<String, Box<dyn Side>> = HashMap::new();
    let mut answers = Vec::new();
    for step in &entry.steps {
        let session = match &step.session {
            Some(name) if name != "main" => {
                let role = step.role.as_deref().unwrap_or(role);
                others.entry(name.clone()).or_insert_with(|| world.connect(side, role))
            }
            _ => &mut main,
        };
        let lines = answer(session.as_mut(), step, &world.fill(&step.sql, side), prepared);
        if !step.is_setup {
            answers.push(lines.iter().map(|line| world.neutral(line, side)).collect());
        }
    }
    world.give_back(side, role, main);
    answers
}

fn answer(session: &mut dyn Side, step: &Step, sql: &str, prepared: bool) -> Vec<String> {
    match &step.parameters {
        Some(parameters) => session.run_prepared(sql, parameters),
        None if prepared => session.run_prepared(sql, &[]),
        None => session.run(sql),
    }
}

/// Rows of a leak may come in any order; an inference may be drawn from the order.
fn comparable(entry: &Entry, answers: &Answers) -> Answers {
    let mut answers = answers.clone();
    if entry.is("leak") {
        for lines in &mut answers {
            lines.sort();
        }
    }
    answers
}

fn is_refused(entry: &Entry, answers: &Answers) -> bool {
    let mut failed = answers.iter().map(|lines| lines.iter().any(|line| line.starts_with("E ")));
    if entry.is("all") {
        failed.all(|failed| failed)
    } else if entry.is("any") || (entry.is("write") && !entry.is("last")) {
        failed.any(|failed| failed)
    } else {
        failed.next_back().unwrap_or(true)
    }
}

/// What an attack has got out of two sides, if anything.
fn gain(entry: &Entry, answers: &[Answers; 2], again: impl FnOnce() -> Answers) -> Option<String> {
    let sent =
        entry.steps.iter().map(|step| format!("{} {:?}", step.sql, step.parameters)).collect::<Vec<_>>().concat();
    for answers in answers {
        let lines = answers.concat();
        if let Some(canary) = detector::find(&lines, &sent) {
            return Some(format!("leak: `{canary}` in {lines:?}"));
        }
        if let Some(found) =
            entry.forbidden.as_ref().and_then(|pattern| lines.iter().find(|line| pattern.is_match(line)))
        {
            return Some(format!("leak: {found}"));
        }
    }
    let reads = entry.is("leak") || entry.is("infer");
    let [first, second] = answers.each_ref().map(|answers| comparable(entry, answers));
    // What differs from run to run on one side tells nothing.
    if reads && entry.is_comparable && first != second && comparable(entry, &again()) == first {
        let differ = first.concat().into_iter().zip(second.concat()).find(|(one, other)| one != other);
        return Some(format!("the databases are told apart: {differ:?}"));
    }
    if !reads && !answers.iter().all(|answers| is_refused(entry, answers)) {
        return Some("it was not refused".to_owned());
    }
    None
}

/// Runs the attacks of a folder, all or those of some categories; gives those that succeeded and how many there were.
fn attack(world: &mut World, engine: &str, categories: &[&str]) -> (Vec<String>, usize) {
    let mut succeeded = Vec::new();
    let mut count = 0;
    let mut state = world.state();
    for (category, entries) in read(&folder(engine), "attacks") {
        if !categories.is_empty() && !categories.contains(&category.as_str()) {
            continue;
        }
        for entry in &entries {
            if entry.is("advisory") || entry.needs().any(|need| !world.has.iter().any(|has| has == need)) {
                continue;
            }
            count += 1;
            for prepared in [false, true] {
                let left_out = if prepared { ["simple", "text"] } else { ["extended", "ps"] };
                if left_out.iter().any(|word| entry.is(word)) {
                    continue;
                }
                let answers = [0, 1].map(|side| run(world, entry, side, prepared));
                if let Some(gain) = gain(entry, &answers, || run(world, entry, 0, prepared)) {
                    succeeded.push(format!("{category}/{} (prepared: {prepared}): {gain}", entry.name));
                }
            }
        }
        let now = world.state();
        if now != state {
            let changed: Vec<_> = now.iter().filter(|line| !state.contains(line)).collect();
            succeeded.push(format!("{category}: something was changed: {changed:?}"));
            state = now;
        }
    }
    (succeeded, count)
}

/// Attacks that read, run without a proxy: those that gain nothing there prove nothing.
fn idle_attacks(world: &World, engine: &str) -> (Vec<String>, usize) {
    let mut idle = Vec::new();
    let mut count = 0;
    let mut sides = [world.direct(0), world.direct(1)];
    let reads = |entry: &Entry| {
        let first = |step: &Step| step.sql.trim_start().to_ascii_lowercase();
        let is_read =
            |step: &Step| ["select", "with", "table", "values", "("].iter().any(|word| first(step).starts_with(word));
        entry.role() == "analyst" && (entry.is("leak") || entry.is("infer")) && entry.steps.iter().all(is_read)
    };
    for (category, entries) in read(&folder(engine), "attacks") {
        for entry in entries.iter().filter(|entry| reads(entry)) {
            if entry.needs().any(|need| !world.has.iter().any(|has| has == need)) {
                continue;
            }
            count += 1;
            let mut run = |side: usize| -> Answers {
                sides[side].run("begin");
                let lines = entry.steps.iter().map(|step| {
                    let lines = answer(sides[side].as_mut(), step, &world.fill(&step.sql, side), false);
                    lines.iter().map(|line| world.neutral(line, side)).collect()
                });
                let lines = lines.collect();
                sides[side].run("rollback");
                lines
            };
            let answers = [run(0), run(1)];
            if gain(entry, &answers, || run(0)).is_none() {
                idle.push(format!("{category}/{}", entry.name));
            }
        }
    }
    (idle, count)
}

/// What is wrong with the answer to a statement that must work, if anything.
fn broken(world: &mut World, entry: &Entry) -> Option<String> {
    let answers = run(world, entry, 0, false);
    if let Some(error) = answers.concat().iter().find(|line| line.starts_with("E ")) {
        return Some(error.clone());
    }
    let last = answers.last().unwrap();
    let expected: Vec<&String> = entry.expected.iter().skip(1).collect();
    if let Some(count) = expected.first().and_then(|line| line.strip_prefix("= ")) {
        return (!last.iter().any(|line| line.contains(count))).then(|| format!("{last:?} instead of {count}"));
    }
    if expected.is_empty() {
        return None;
    }
    let mut got: Vec<&str> =
        last.iter().filter_map(|line| line.strip_prefix("D ").or((line == "D").then_some(""))).collect();
    let mut rows: Vec<String> = expected[1..].iter().map(|row| row.replace("\\N", "NULL")).collect();
    if !entry.is("ordered") {
        got.sort_unstable();
        rows.sort();
    }
    if got.len() != rows.len() {
        return Some(format!("{} rows instead of {}", got.len(), rows.len()));
    }
    let differ = got.iter().zip(&rows).find(|(got, row)| !is_same_row(got, row));
    differ.map(|(got, row)| format!("`{got}` instead of `{row}`"))
}

/// Values are equal as text or as numbers; `#NAME:…#` stands for a keyed hash of the name.
fn is_same_row(got: &str, expected: &str) -> bool {
    let (got, expected): (Vec<&str>, Vec<&str>) = (got.split('|').collect(), expected.split('|').collect());
    let is_number = |text: &str| text.contains('.') && text.parse::<f64>().is_ok();
    let same = |got: &str, wanted: &str| match wanted.strip_prefix("#NAME:") {
        Some(name) => got.len() >= 32 && !got.contains(name.trim_end_matches('#')),
        None if is_number(got) || is_number(wanted) => match (got.parse::<f64>(), wanted.parse::<f64>()) {
            (Ok(got), Ok(wanted)) => (got - wanted).abs() <= 1e-9 * wanted.abs().max(1.0),
            _ => false,
        },
        None => got == wanted,
    };
    got.len() == expected.len() && got.iter().zip(&expected).all(|(got, expected)| same(got, expected))
}

fn prove(world: &mut World, engine: &str, least: usize) {
    let mut bad: Vec<String> = Vec::new();
    let benign = read(&folder(engine), "statements").remove(0).1;
    for entry in &benign {
        bad.extend(broken(world, entry).map(|why| format!("{} is broken: {why}", entry.name)));
    }
    let (idle, tried) = idle_attacks(world, engine);
    let (succeeded, count) = attack(world, engine, &[]);
    eprintln!(
        "{engine}: {count} attacks, {} succeeded; {} statements, {} broken; without a proxy {} of {tried} gain nothing: {}",
        succeeded.len(),
        benign.len(),
        bad.len(),
        idle.len(),
        idle.join(" ")
    );
    bad.extend(succeeded);
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    assert!(count >= least && benign.len() >= 60, "{count} attacks, {} statements", benign.len());
    assert!(idle.len() * 5 < tried, "too many attacks gain nothing without a proxy");
}

#[test]
fn no_attack_succeeds_on_postgresql() {
    prove(&mut World::postgres(Rules::Usual), "postgres", 520);
}

#[test]
fn no_attack_succeeds_on_mariadb() {
    prove(&mut World::mysql(mariadb(), Rules::Usual), "mysql", 380);
}

/// Categories that a costly filter or columns without a rule could let through.
const DEMANDING: &[&str] =
    &["errors", "hidden_rows", "inference", "reading", "value_channels", "whole_rows", "writes", "cursors_and_copy"];

#[test]
fn no_attack_succeeds_against_a_costly_filter() {
    let (succeeded, count) = attack(&mut World::postgres(Rules::Demanding), "postgres", DEMANDING);
    assert!(succeeded.is_empty() && count > 300, "{count}: {}", succeeded.join("\n"));
    let (succeeded, count) = attack(&mut World::mysql(mariadb(), Rules::Demanding), "mysql", DEMANDING);
    assert!(succeeded.is_empty() && count > 200, "{count}: {}", succeeded.join("\n"));
}

#[test]
fn no_attack_succeeds_on_mysql() {
    if let Some(server) = mysql() {
        prove(&mut World::mysql(server, Rules::Usual), "mysql", 300);
    }
}
