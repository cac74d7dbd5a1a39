//! Patterns as values of keys, checked against the sources there are.

use std::sync::Arc;

use super::Surroundings;
use crate::policy::diagnostics::{Finding, Located};
use crate::policy::guard::Tables;
use crate::policy::pattern::{BadPattern, ColumnPattern, TablePattern};
use crate::policy::reader::{Table, Value};

/// A pattern over tables.
pub(super) fn table(value: Value<'_>, surroundings: &Surroundings) -> Option<Located<TablePattern>> {
    let text = value.string()?;
    let pattern = parsed(value, &text, TablePattern::parse)?;
    known_source(value, &text, &pattern, surroundings).then(|| Located { value: pattern, place: value.place() })
}

/// The tables that a guard is about, every table when it names none; and the patterns where they stand.
pub(super) fn tables(table: &Table<'_>, surroundings: &Surroundings) -> (Tables, Vec<Located<TablePattern>>) {
    let patterns = table.list("tables", |value| self::table(value, surroundings)).unwrap_or_default();
    (Tables(patterns.iter().map(|pattern| pattern.value.clone()).collect()), patterns)
}

/// A pattern over columns.
pub(super) fn column(value: Value<'_>, surroundings: &Surroundings) -> Option<Located<Arc<ColumnPattern>>> {
    let text = value.string()?;
    let pattern = parsed(value, &text, ColumnPattern::parse)?;
    known_source(value, &text, pattern.table(), surroundings)
        .then(|| Located { value: Arc::new(pattern), place: value.place() })
}

/// A source by its exact name.
pub(super) fn source(value: Value<'_>, surroundings: &Surroundings) -> Option<Arc<str>> {
    let name = value.text()?;
    let Some(sources) = &surroundings.sources else { return Some(name) };
    if sources.contains_key(&name) {
        return Some(name);
    }
    let finding = Finding::error("unknown-source", value.place(), format!("unknown source `{name}`"))
        .help("sources are the `[[source]]` tables of sekisho.toml")
        .nearest(&name, sources.keys().map(|name| &**name));
    value.findings().add(finding);
    None
}

fn parsed<T>(value: Value<'_>, text: &str, parse: fn(&str) -> Result<T, BadPattern>) -> Option<T> {
    match parse(text) {
        Ok(pattern) => Some(pattern),
        Err(bad) => {
            let place = value.place().within(text, bad.span.start, bad.span.len());
            let finding = Finding::error("bad-pattern", place, format!("`{text}` is no pattern")).label(bad.reason);
            value.findings().add(finding);
            None
        }
    }
}

fn known_source(value: Value<'_>, text: &str, pattern: &TablePattern, surroundings: &Surroundings) -> bool {
    let Some(sources) = &surroundings.sources else { return true };
    if sources.keys().any(|source| pattern.in_source(source)) {
        return true;
    }
    let written = pattern.source_text();
    let finding = Finding::error(
        "unknown-source",
        value.place().within(text, 0, written.len()),
        format!("no source is named `{written}`"),
    )
    .help("sources are the `[[source]]` tables of sekisho.toml")
    .nearest(written, sources.keys().map(|name| &**name));
    value.findings().add(finding);
    false
}
