//! A decision as text: what `sekisho explain` prints, and what the reviewed cases in `tests/cases/decisions` hold.

use std::fmt::Write as _;

use super::verdict::{Decision, Denial, Verdict};
use crate::audit::{Facts, ObjectUse, Shown};

/// How much of a line is shown before and behind the place of an error, in characters.
const AROUND: usize = 60;

/// Tells a decision about a text: the verdict, what is done with which relation and how its columns are shown, the rules
/// that decided, and the text for the server.
///
/// ```text
/// permitted
///
///   read public.customers
///     rows      filtered by `eu-rows`
///     raw       id
///     masked    email
///
///   rules: `contact-data`, `eu-rows`
///
/// sent to the server:
///   select …
/// ```
pub fn trace(text: &str, decision: &Decision) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    match &decision.verdict {
        Verdict::Permit(permit) => {
            let _ = writeln!(out, "permitted");
            objects(&mut out, &decision.facts);
            let _ = writeln!(out, "\nsent to the server:\n  {}", permit.sql());
        }
        Verdict::Denial(denial) => {
            refusal(&mut out, text, denial);
            objects(&mut out, &decision.facts);
        }
    }
    if let Some(observed) = &decision.observed {
        let _ = writeln!(out, "\nthe role is in observe mode; otherwise refused: {}", observed.message);
    }
    out
}

fn refusal(out: &mut String, text: &str, denial: &Denial) {
    let _ = writeln!(out, "refused: {}", denial.message);
    let _ = writeln!(out, "  SQLSTATE  {}", denial.sqlstate);
    for (label, words) in [("why", &denial.detail), ("hint", &denial.hint)] {
        if let Some(words) = words {
            let _ = writeln!(out, "  {label:<8}  {words}");
        }
    }
    if let Some((number, line, column)) = denial.position.and_then(|position| place(text, position)) {
        let _ = writeln!(out, "  {:<8}  {line}", format!("line {number}"));
        let _ = writeln!(out, "  {:<8}  {}^", "", " ".repeat(column));
    }
}

/// The line of a position, in characters from 1; what of it is shown; and how many characters are before the place.
fn place(text: &str, position: u32) -> Option<(usize, String, usize)> {
    let at = usize::try_from(position).ok()?.checked_sub(1)?;
    let mut before: Vec<char> = text.chars().take(at).collect();
    let number = before.iter().filter(|c| **c == '\n').count() + 1;
    let start = before.iter().rposition(|c| *c == '\n').map_or(0, |end| end + 1);
    before.drain(..start);
    let cut = before.len().saturating_sub(AROUND);
    let behind = text.chars().skip(at).take_while(|c| *c != '\n').take(AROUND);
    let line = before.iter().skip(cut).copied().chain(behind).map(|c| if c.is_control() { ' ' } else { c }).collect();
    Some((number, line, before.len() - cut))
}

fn objects(out: &mut String, facts: &Facts) {
    for ObjectUse { relation, verb, columns, filters } in &facts.objects {
        let _ = writeln!(out, "\n  {} {relation}", verb.word());
        for filter in filters {
            let _ = writeln!(out, "    rows      filtered by `{filter}`");
        }
        for (shown, word) in [(Shown::Raw, "raw"), (Shown::Masked, "masked")] {
            let names: Vec<&str> = columns.iter().filter(|(_, how)| *how == shown).map(|(name, _)| &**name).collect();
            if !names.is_empty() {
                let _ = writeln!(out, "    {word:<8}  {}", names.join(", "));
            }
        }
    }
    if !facts.rules.is_empty() {
        let rules: Vec<String> = facts.rules.iter().map(|rule| format!("`{rule}`")).collect();
        let _ = writeln!(out, "\n  rules: {}", rules.join(", "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_shown_in_its_line() {
        assert_eq!(place("select a\nfrom 'あ', b", 19), Some((2, "from 'あ', b".to_owned(), 9)));
        assert_eq!(place("x", 1), Some((1, "x".to_owned(), 0)));
        assert_eq!(place("x", 0), None);
        let long = format!("select {}\tb", "a, ".repeat(100));
        let (_, line, column) = place(&long, 309).unwrap();
        assert_eq!((column, line.len(), line.chars().nth(column)), (60, 61, Some('b')));
    }
}
