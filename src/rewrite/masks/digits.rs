//! `phone` and `card`: every digit but the last four replaced by `*`, all else kept; a value with four digits or fewer
//! has all of them replaced. Serves text.
//!
//! Full-width digits and those of scripts in wide use are digits. A value of more than [`LONGEST`] characters is no
//! number and wholly replaced.

use super::postgres as pg;
use super::redact::{length, whole};
use super::target::{Target, Unservable};
use super::text::Source;
use crate::rewrite::literal;
use crate::sql::Engine;

/// The longest value, in characters, that is taken for a number.
const LONGEST: u32 = 200;
/// ASCII, Arabic, extended Arabic, Devanagari, Bengali, Thai, full-width; as PostgreSQL's regular expressions have them.
const POSTGRES_DIGITS: &str = r"0-9\u0660-\u0669\u06f0-\u06f9\u0966-\u096f\u09e6-\u09ef\u0e50-\u0e59\uff10-\uff19";

pub(super) fn render(target: &Target) -> Result<String, Unservable> {
    target.require_text()?;
    let masked = match target.engine {
        Engine::Postgres => postgres(target),
        Engine::MySql => mysql(target),
    };
    Ok(target.text_result(&masked, Source::Column))
}

/// The regular expression needs a microsecond for each digit, so the common case, ASCII with four digits at the end,
/// is done without.
fn postgres(target: &Target) -> String {
    let (text, searchable, length) = (target.text(), target.searchable(), length(target));
    let (front, tail) = (pg::call("left", &[&searchable, "-4"]), pg::call("right", &[&searchable, "4"]));
    let starred = |part: &str| pg::call("translate", &[part, "'0123456789'", "'**********'"]);
    let ascii = pg::op(&pg::call("octet_length", &[&text]), "=", &length);
    let number = pg::op(&pg::call("translate", &[&tail, "'0123456789'", "''"]), "=", "''");
    // Where nothing before them is a digit, the last four are all there are.
    let kept = pg::op(&format!("NULLIF({}, {front})", starred(&front)), "||", &tail);
    let (digit, other) = (format!("[{POSTGRES_DIGITS}]"), format!("[^{POSTGRES_DIGITS}]"));
    let pattern = |text: &str| literal::string(Engine::Postgres, text);
    let five = pattern(&format!("({digit}{other}*){{5}}"));
    let but_four = pattern(&format!("{digit}(?=({other}*{digit}){{4}})"));
    let replace = |pattern: &str| pg::call("regexp_replace", &[&searchable, pattern, "'*'", "'g'"]);
    format!(
        "CASE WHEN {} THEN {} WHEN {ascii} AND {number} THEN COALESCE({kept}, {}) WHEN {} THEN {} ELSE {} END",
        pg::op(&length, ">", &LONGEST.to_string()),
        whole(target, '*'),
        starred(&searchable),
        pg::op(&searchable, "~", &five),
        replace(&but_four),
        replace(&pattern(&digit)),
    )
}

fn mysql(target: &Target) -> String {
    let (text, searchable) = (target.text(), target.searchable());
    let pattern = |text: &str| literal::string(Engine::MySql, text);
    let but_four = pattern(r"\p{Nd}(?=(?:\P{Nd}*\p{Nd}){4})");
    let replace = |pattern: &str| format!("REGEXP_REPLACE({text}, {pattern}, '*')");
    format!(
        "CASE WHEN CHAR_LENGTH({text}) > {LONGEST} THEN {} WHEN {searchable} REGEXP {} THEN {} ELSE {} END",
        whole(target, '*'),
        pattern(r"(?:\p{Nd}\P{Nd}*){5}"),
        replace(&but_four),
        replace(&pattern(r"\p{Nd}")),
    )
}
