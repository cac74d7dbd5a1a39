//! Runs a target for its time: makes cases, watches for those that do not end, shortens what fails.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, Once};
use std::time::{Duration, Instant};

use super::dice::Dice;

/// One case may take so long at the most, on a busy machine and without optimization.
const PATIENCE: Duration = Duration::from_secs(20);
/// Cases that are kept to go on from.
const KEPT: usize = 4000;

/// What a target made of a case.
pub enum Found {
    /// It was understood: worth going on from.
    Good,
    /// It was refused.
    Refused,
}

/// Fuzzes one target until its time is over.
pub fn run(
    name: &str,
    mut corpus: Vec<Vec<u8>>,
    mutate: impl Fn(&mut Dice, &[Vec<u8>]) -> Vec<u8>,
    check: impl Fn(&[u8]) -> Found,
) {
    let seconds = std::env::var("SEKISHO_FUZZ_SECONDS").map_or(2, |seconds| seconds.parse().unwrap());
    be_quiet();
    let current = Arc::new(Mutex::new((Instant::now(), Vec::new())));
    let (alive, ended) = channel::<()>();
    let seen = Arc::clone(&current);
    let watcher = std::thread::spawn(move || {
        while ended.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout) {
            let (begun, case) = seen.lock().unwrap().clone();
            if begun.elapsed() > PATIENCE {
                eprintln!("a case does not end: {}", shown(&case));
                std::process::abort();
            }
        }
    });
    let fails = |case: &[u8]| {
        *current.lock().unwrap() = (Instant::now(), case.to_vec());
        catch_unwind(AssertUnwindSafe(|| check(case)))
    };
    let begun = Instant::now();
    let mut dice = Dice::new(name);
    let (mut cases, mut good, mut slowest) = (0_u64, 0_u64, (Duration::ZERO, Vec::new()));
    let originals = corpus.clone();
    while begun.elapsed() < Duration::from_secs(seconds) {
        // First all that is good as it is.
        let case = match originals.get(usize::try_from(cases).unwrap()) {
            Some(case) => case.clone(),
            // Half of them from the beginning again: what was understood gets simpler and simpler otherwise.
            None if dice.below(2) == 0 => mutate(&mut dice, &originals),
            None => mutate(&mut dice, &corpus),
        };
        cases += 1;
        let started = Instant::now();
        let outcome = fails(&case);
        if started.elapsed() > slowest.0 {
            slowest = (started.elapsed(), case.clone());
        }
        match outcome {
            Ok(Found::Refused) => {}
            Ok(Found::Good) => {
                good += 1;
                if corpus.len() < KEPT + originals.len() {
                    corpus.push(case);
                } else {
                    let place = originals.len() + dice.below(KEPT);
                    corpus[place] = case;
                }
            }
            Err(what) => {
                let short = shorten(case, |case| fails(case).is_err());
                let why = fails(&short).err().unwrap_or(what);
                let why = why.downcast_ref::<String>().map_or("", String::as_str);
                panic!("{name}, case {cases}: {}\n{why}", shown(&short));
            }
        }
    }
    drop(alive);
    watcher.join().unwrap();
    println!("{name}: {cases} cases, {good} understood, from {} seeds", originals.len());
    println!("{name}: the slowest took {:?}: {}", slowest.0, shown(&slowest.1));
    assert!(good > 0, "{name}: nothing was understood, so nothing was tried");
}

/// Leaves out what the failure does not need.
fn shorten(mut case: Vec<u8>, fails: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let begun = Instant::now();
    let mut size = case.len() / 2;
    while size > 0 && begun.elapsed() < Duration::from_secs(20) {
        let mut at = 0;
        while at < case.len() {
            let shorter = [&case[..at], &case[case.len().min(at + size)..]].concat();
            if fails(&shorter) {
                case = shorter;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    case
}

/// As it can stand in a test.
fn shown(case: &[u8]) -> String {
    std::str::from_utf8(case).map_or_else(|_| format!("b\"{}\"", case.escape_ascii()), |text| format!("{text:?}"))
}

/// Panics of cases are caught and told once, in the end.
fn be_quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let tell = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let text = info.payload().downcast_ref::<String>();
            if text.is_some_and(|text| text.contains(", case ")) {
                tell(info);
            }
        }));
    });
}
