//! `[[block]]` and `[[learn]]`.

use std::path::{Component, Path};
use std::sync::Arc;

use regex::RegexBuilder;

use super::Surroundings;
use super::audience::Audience;
use super::draft::Header;
use super::futile;
use super::patterns;
use crate::policy::diagnostics::{Finding, Located, Place};
use crate::policy::guard::{Action, Block, Learn, Learning, Missing, StatementKind};
use crate::policy::pattern::TablePattern;
use crate::policy::reader::{Table, Value};

/// A `[[block]]` before its roles are looked up.
#[derive(Debug)]
pub(super) struct BlockDraft {
    pub(super) header: Header,
    pub(super) audience: Audience,
    pub(super) block: Arc<Block>,
    /// Its functions as written.
    pub(super) functions: Vec<Located<Arc<str>>>,
    /// Its tables.
    pub(super) patterns: Vec<Located<TablePattern>>,
}

/// A `[[learn]]` before its roles are looked up.
#[derive(Debug)]
pub(super) struct LearnDraft {
    pub(super) header: Header,
    pub(super) audience: Audience,
    pub(super) learn: Arc<Learn>,
    /// Where its file is named.
    pub(super) place: Option<Place>,
}

/// The keys of `[[block]]` that say which statements are meant.
const CONDITIONS: [&str; 6] = ["statements", "missing", "tables", "functions", "fingerprints", "literals"];

pub(super) fn read_block(value: Value<'_>, surroundings: &Surroundings) -> Option<BlockDraft> {
    value.table("`[[block]]`", |table| {
        let header = Header::read(table);
        let audience = Audience::read(table);
        let mut kinds = Vec::new();
        let statements = table.list("statements", |value| {
            let kind = value.choice(&StatementKind::EACH)?;
            kinds.push((kind, value.place()));
            Some(kind)
        });
        let mut functions = Vec::new();
        let (tables, patterns) = patterns::tables(table, surroundings);
        let block = Block {
            rule: header.as_ref().map(|header| Arc::clone(&header.info)).unwrap_or_default(),
            action: action(table),
            statements: statements.unwrap_or_default(),
            missing: table
                .list("missing", |value| value.choice(&[("where", Missing::Where), ("limit", Missing::Limit)]))
                .unwrap_or_default(),
            tables,
            functions: table.list("functions", |value| function(value, &mut functions)).unwrap_or_default(),
            fingerprints: fingerprints(table),
            literals: table.optional("literals", literals),
        };
        if CONDITIONS.iter().all(|key| table.get(key).is_none()) {
            table.error("missing-key", "`[[block]]` does not say what it blocks; give `statements`, `missing`, `tables`, `functions`, `fingerprints` or `literals`");
        }
        futile::block(table, &block, &kinds);
        Some(BlockDraft { header: header?, audience, block: Arc::new(block), functions, patterns })
    })
}

/// The name of a function in lower case; `written` gets it as it was written.
fn function(value: Value<'_>, written: &mut Vec<Located<Arc<str>>>) -> Option<Arc<str>> {
    let name = value.name()?;
    if name.value.contains(['.', '(', ')', '*', '"', '`']) {
        let bare = name.value.split('(').next().and_then(|name| name.rsplit('.').next()).unwrap_or_default();
        let bare = bare.trim_matches(['"', '`', ' ']);
        let message =
            format!("`{}` is no name of a function: they are named without schema and parentheses", name.value);
        let finding = Finding::error("bad-value", name.place, message);
        let is_one = !bare.is_empty() && !name.value.contains('*');
        value.findings().add(if is_one { finding.help(format!("write `{bare}`")) } else { finding });
        return None;
    }
    let lower = Arc::from(name.value.to_lowercase());
    written.push(name);
    Some(lower)
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
        let place = table.get("file").map(|value| value.place());
        let file = table.optional("file", file);
        match (mode, &file, fingerprints.is_empty()) {
            (Some(Learning::Record), None, _) if place.is_none() => {
                table.error("missing-key", "`[[learn]]` with `mode = \"record\"` has no `file` to record in");
            }
            (Some(Learning::Report | Learning::Refuse), None, true) if place.is_none() => {
                table.error("missing-key", "`[[learn]]` has neither `file` nor `fingerprints`, so nothing is known");
            }
            (Some(_) | None, _, _) => {}
        }
        let (header, mode) = (header?, mode?);
        let learn = Learn { rule: Arc::clone(&header.info), mode, fingerprints, file };
        Some(LearnDraft { header, audience, learn: Arc::new(learn), place })
    })
}

/// A path that stays in the state folder.
fn file(value: Value<'_>) -> Option<Arc<str>> {
    let text = value.text()?;
    let parts: Option<Vec<&str>> = Path::new(&*text)
        .components()
        .map(|part| match part {
            Component::Normal(part) => part.to_str(),
            Component::Prefix(_) | Component::RootDir | Component::CurDir | Component::ParentDir => None,
        })
        .collect();
    let is_folder = text.ends_with(['/', '\\']);
    match parts {
        Some(parts) if !is_folder => Some(parts.join("/").into()),
        Some(_) | None => {
            let finding = Finding::error("bad-path", value.place(), format!("`{text}` is no file in the state folder"));
            let finding = finding.help(
                "write a relative path without `.` and `..`, like `viewer.statements`; the folder is `state` of sekisho.toml",
            );
            value.findings().add(finding);
            None
        }
    }
}
