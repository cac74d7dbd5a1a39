//! `[[block]]` and `[[learn]]`.

use std::sync::Arc;

use regex::RegexBuilder;

use super::Surroundings;
use super::audience::Audience;
use super::draft::Header;
use super::patterns;
use crate::policy::guard::{Action, Block, Learn, Learning, Missing, StatementKind};
use crate::policy::reader::{Table, Value};

/// A `[[block]]` before its roles are looked up.
#[derive(Debug)]
pub(super) struct BlockDraft {
    pub(super) header: Header,
    pub(super) audience: Audience,
    pub(super) block: Arc<Block>,
}

/// A `[[learn]]` before its roles are looked up.
#[derive(Debug)]
pub(super) struct LearnDraft {
    pub(super) header: Header,
    pub(super) audience: Audience,
    pub(super) learn: Arc<Learn>,
}

/// The keys of `[[block]]` that say which statements are meant.
const CONDITIONS: [&str; 6] = ["statements", "missing", "tables", "functions", "fingerprints", "literals"];

pub(super) fn read_block(value: Value<'_>, surroundings: &Surroundings) -> Option<BlockDraft> {
    value.table("`[[block]]`", |table| {
        let header = Header::read(table);
        let audience = Audience::read(table);
        let block = Block {
            rule: header.as_ref().map(|header| Arc::clone(&header.info)).unwrap_or_default(),
            action: action(table),
            statements: table.list("statements", |value| value.choice(&StatementKind::EACH)).unwrap_or_default(),
            missing: table
                .list("missing", |value| value.choice(&[("where", Missing::Where), ("limit", Missing::Limit)]))
                .unwrap_or_default(),
            tables: patterns::tables(table, surroundings),
            functions: table
                .list("functions", |value| Some(Arc::from(value.text()?.to_lowercase())))
                .unwrap_or_default(),
            fingerprints: fingerprints(table),
            literals: table.optional("literals", literals),
        };
        if CONDITIONS.iter().all(|key| table.get(key).is_none()) {
            table.error("missing-key", "`[[block]]` does not say what it blocks; give `statements`, `missing`, `tables`, `functions`, `fingerprints` or `literals`");
        }
        Some(BlockDraft { header: header?, audience, block: Arc::new(block) })
    })
}

fn action(table: &Table<'_>) -> Action {
    let actions = [("refuse", Action::Refuse), ("report", Action::Report)];
    table.optional("action", |value| value.choice(&actions)).unwrap_or_default()
}

/// A regular expression over literals, bounded in size because it runs on every statement.
fn literals(value: Value<'_>) -> Option<regex::Regex> {
    value.parsed(|text| {
        RegexBuilder::new(text).size_limit(1 << 20).build().map_err(|error| {
            // The last line says what is wrong; those before repeat the pattern.
            let reason = error.to_string();
            format!("not a regular expression: {}", reason.lines().last().unwrap_or_default().trim())
        })
    })
}

fn fingerprints(table: &Table<'_>) -> Vec<u64> {
    table.list("fingerprints", |value| value.parsed(fingerprint)).unwrap_or_default()
}

fn fingerprint(text: &str) -> Result<u64, String> {
    let bad = || format!("`{text}` is no fingerprint; copy its 16 hex digits from an audit record");
    if text.len() == 16 { u64::from_str_radix(text, 16).map_err(|_| bad()) } else { Err(bad()) }
}

pub(super) fn read_learn(value: Value<'_>) -> Option<LearnDraft> {
    value.table("`[[learn]]`", |table| {
        let header = Header::read(table);
        let audience = Audience::read(table);
        let modes = [("record", Learning::Record), ("report", Learning::Report), ("refuse", Learning::Refuse)];
        let mode = table.required("mode", |value| value.choice(&modes));
        let fingerprints = fingerprints(table);
        let file = table.optional("file", Value::text);
        match (mode, &file, fingerprints.is_empty()) {
            (Some(Learning::Record), None, _) => {
                table.error("missing-key", "`[[learn]]` with `mode = \"record\"` has no `file` to record in");
            }
            (Some(Learning::Report | Learning::Refuse), None, true) => {
                table.error("missing-key", "`[[learn]]` has neither `file` nor `fingerprints`, so nothing is known");
            }
            (Some(_) | None, _, _) => {}
        }
        let (header, mode) = (header?, mode?);
        let learn = Learn { rule: Arc::clone(&header.info), mode, fingerprints, file };
        Some(LearnDraft { header, audience, learn: Arc::new(learn) })
    })
}
