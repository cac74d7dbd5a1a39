//! Masks as rules write them: a word, a table with `kind`, or the name of a `[mask.NAME]`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::number;
use crate::policy::diagnostics::{Finding, Findings, Located, nearest};
use crate::policy::mask::{MaskSpec, TruncUnit};
use crate::policy::reader::{Table, Value};

/// A mask before the names in it are looked up.
#[derive(Debug, Clone)]
pub(super) enum MaskDraft {
    /// Complete.
    Spec(MaskSpec),
    /// A kind without arguments, or a `[mask.NAME]`.
    Named(Located<Arc<str>>),
    /// Paths and what becomes of them; `None` removes.
    Json(Vec<(Arc<str>, Option<MaskDraft>)>),
}

/// A `[mask.NAME]`.
#[derive(Debug)]
pub(super) struct NamedMask {
    pub(super) name: Located<Arc<str>>,
    pub(super) mask: MaskDraft,
}

/// Digits of a hash where a rule does not say how many: 128 bits, so that equal hashes are equal values.
const HASH_LENGTH: u8 = 32;

/// Every kind, and how it is written with arguments where it cannot do without.
const KINDS: [(&str, Option<&str>); 18] = [
    ("null", None),
    ("fixed", Some("value = \"…\"")),
    ("redact", None),
    ("keep", Some("last = 4")),
    ("email", None),
    ("phone", None),
    ("card", None),
    ("regex", Some("pattern = \"[0-9]\", replace = \"*\"")),
    ("hash", None),
    ("pseudonym", Some("list = [\"…\", \"…\"]")),
    ("round", Some("to = 100")),
    ("bucket", Some("width = 10")),
    ("noise", Some("percent = 5")),
    ("trunc", Some("unit = \"month\"")),
    ("shift", Some("days = 30")),
    ("ip", None),
    ("json", Some("paths = { \"a.b\" = \"redact\" }")),
    ("sql", Some("postgres = \"left({column}, 3)\"")),
];

const ARGUMENTS: [&str; 20] = [
    "value", "char", "first", "last", "pattern", "replace", "length", "list", "to", "width", "percent", "unit", "days",
    "key", "key_id", "v4", "v6", "paths", "postgres", "mysql",
];

const UNITS: [(&str, TruncUnit); 5] = [
    ("year", TruncUnit::Year),
    ("quarter", TruncUnit::Quarter),
    ("month", TruncUnit::Month),
    ("day", TruncUnit::Day),
    ("hour", TruncUnit::Hour),
];

/// Reads `[mask.NAME]`.
pub(super) fn read_named(name: Located<Arc<str>>, value: Value<'_>) -> Option<NamedMask> {
    if KINDS.iter().any(|(kind, _)| **kind == *name.value) || &*name.value == REMOVE {
        let message = format!("`{}` is a mask of its own; give yours another name", name.value);
        value.findings().add(Finding::error("reserved-name", name.place, message));
    }
    value.table(format!("`[mask.{}]`", name.value), |table| {
        table.optional("description", Value::string);
        table.optional("owner", Value::text);
        table.optional("note", Value::text);
        Some(NamedMask { name, mask: with_kind(table)? })
    })
}

/// Reads the value of `mask`.
pub(super) fn read(value: Value<'_>) -> Option<MaskDraft> {
    if value.raw().is_str() {
        return value.name().map(MaskDraft::Named);
    }
    if value.raw().is_table() {
        return value.table("the mask", with_kind);
    }
    value.wrong_type("the name of a mask, or a table with `kind`")
}

fn with_kind(table: &Table<'_>) -> Option<MaskDraft> {
    let kinds: Vec<(&'static str, &'static str)> = KINDS.iter().map(|(kind, _)| (*kind, *kind)).collect();
    let Some(kind) = table.required("kind", |value| value.choice(&kinds)) else {
        // Which arguments belong here is not known, so none of them is wrong.
        for argument in ARGUMENTS {
            table.get(argument);
        }
        return None;
    };
    if kind == "json" {
        return json(table);
    }
    arguments(kind, table).map(MaskDraft::Spec)
}

/// The mask of a kind, with the arguments that a table gives.
fn arguments(kind: &str, table: &Table<'_>) -> Option<MaskSpec> {
    match kind {
        "null" | "email" | "phone" | "card" => bare(kind),
        "fixed" => Some(MaskSpec::Fixed { value: table.required("value", number::scalar)? }),
        "redact" => Some(MaskSpec::Redact { with: replacing(table) }),
        "keep" => keep(table),
        "regex" => {
            let pattern = table.required("pattern", Value::text);
            let replace = table.required("replace", Value::string);
            Some(MaskSpec::Regex { pattern: pattern?, replace: replace? })
        }
        "hash" => {
            let length = table.optional("length", |value| value.integer(8, 64)).unwrap_or(HASH_LENGTH);
            Some(MaskSpec::Hash { length, key_id: key_id(table) })
        }
        "pseudonym" => {
            let (list, key_id) = (table.required("list", pseudonyms), key_id(table));
            Some(MaskSpec::Pseudonym { list: list?, key_id })
        }
        "round" => Some(MaskSpec::Round { to: table.required("to", number::positive)? }),
        "bucket" => Some(MaskSpec::Bucket { width: table.required("width", number::positive)? }),
        "noise" => {
            let (percent, key_id) = (table.required("percent", percent), key_id(table));
            Some(MaskSpec::Noise { percent: percent?, key_id })
        }
        "trunc" => Some(MaskSpec::Trunc { unit: table.required("unit", |value| value.choice(&UNITS))? }),
        "shift" => {
            let days = table.required("days", |value| value.integer(1, 36_500));
            let key = table.optional("key", Value::text);
            let key_id = key_id(table);
            Some(MaskSpec::Shift { days: days?, key, key_id })
        }
        "ip" => {
            let v4 = table.optional("v4", |value| value.integer(0, 32)).unwrap_or(DEFAULT_V4_BITS);
            let v6 = table.optional("v6", |value| value.integer(0, 128)).unwrap_or(DEFAULT_V6_BITS);
            Some(MaskSpec::Ip { v4, v6 })
        }
        "sql" => {
            let postgres = table.optional("postgres", Value::text);
            let mysql = table.optional("mysql", Value::text);
            if postgres.is_none() && mysql.is_none() {
                table.error("missing-key", "the mask `sql` has neither `postgres` nor `mysql`");
                return None;
            }
            Some(MaskSpec::Sql { postgres, mysql })
        }
        _ => None,
    }
}

/// Networks that providers give to one customer or site.
const DEFAULT_V4_BITS: u8 = 24;
const DEFAULT_V6_BITS: u8 = 48;

/// The mask of a kind that needs no arguments.
fn bare(kind: &str) -> Option<MaskSpec> {
    match kind {
        "null" => Some(MaskSpec::Null),
        "email" => Some(MaskSpec::Email),
        "phone" => Some(MaskSpec::Phone),
        "card" => Some(MaskSpec::Card),
        "redact" => Some(MaskSpec::Redact { with: '*' }),
        "hash" => Some(MaskSpec::Hash { length: HASH_LENGTH, key_id: None }),
        "ip" => Some(MaskSpec::Ip { v4: DEFAULT_V4_BITS, v6: DEFAULT_V6_BITS }),
        _ => None,
    }
}

/// Which of the node's masking keys a keyed mask uses; checked where the keys are known.
fn key_id(table: &Table<'_>) -> Option<Arc<str>> {
    table.optional("key_id", Value::text)
}

fn keep(table: &Table<'_>) -> Option<MaskSpec> {
    let first = table.optional("first", |value| value.integer(0, 1000)).unwrap_or(0);
    let last = table.optional("last", |value| value.integer(0, 1000)).unwrap_or(0);
    let with = replacing(table);
    if first == 0 && last == 0 {
        let given = table.get("first").is_some() || table.get("last").is_some();
        let message =
            if given { "this keeps nothing; use the mask `redact`" } else { "the mask `keep` needs `first` or `last`" };
        table.error("missing-key", message);
        return None;
    }
    Some(MaskSpec::Keep { first, last, with })
}

fn replacing(table: &Table<'_>) -> char {
    table.optional("char", |value| value.parsed(one_character)).unwrap_or('*')
}

fn one_character(text: &str) -> Result<char, String> {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) if !c.is_control() => Ok(c),
        (Some(_) | None, _) => Err(format!("`char` must be one character, and `{text}` is not")),
    }
}

fn pseudonyms(value: Value<'_>) -> Option<Arc<[Arc<str>]>> {
    let names = value.items(Value::text);
    if names.len() < 2 {
        value.error("bad-value", "`list` needs at least two names, or nothing tells one person from another");
        return None;
    }
    Some(names.into())
}

fn percent(value: Value<'_>) -> Option<Arc<str>> {
    let percent = number::positive(value)?;
    if percent.parse::<f64>().is_ok_and(|percent| percent <= 100.0) {
        return Some(percent);
    }
    value.error("bad-value", "`percent` must be at most 100");
    None
}

/// What `paths` of the mask `json` says for a path that is left out of the document.
const REMOVE: &str = "remove";

fn json(table: &Table<'_>) -> Option<MaskDraft> {
    let paths = table.required("paths", |value| {
        Some(value.names("a table of paths and masks", |path, value| {
            if path.value.split('.').any(str::is_empty) {
                let message = format!("`{}` is no path; write it like `address.street`", path.value);
                value.findings().add(Finding::error("bad-value", path.place, message));
                return None;
            }
            let removed = matches!(value.raw(), toml::de::DeValue::String(word) if &**word == REMOVE);
            Some((path.value, if removed { None } else { Some(read(value)?) }))
        }))
    })?;
    if paths.is_empty() {
        table.error("missing-key", "the mask `json` names no path");
        return None;
    }
    Some(MaskDraft::Json(paths))
}

/// The named masks of all files.
#[derive(Debug)]
pub(super) struct Masks<'d> {
    findings: &'d Findings,
    by_name: BTreeMap<&'d str, &'d NamedMask>,
}

impl<'d> Masks<'d> {
    pub(super) fn new(findings: &'d Findings, masks: &'d [NamedMask]) -> Self {
        let mut by_name: BTreeMap<&str, &NamedMask> = BTreeMap::new();
        for mask in masks {
            if let Some(first) = by_name.get(&*mask.name.value) {
                let message = format!("mask `{}` is defined twice", mask.name.value);
                findings
                    .add(Finding::error("duplicate", mask.name.place, message).also(first.name.place, "first here"));
            } else {
                by_name.insert(&mask.name.value, mask);
            }
        }
        Self { findings, by_name }
    }

    /// The mask with every name in it looked up.
    pub(super) fn resolve(&self, draft: &'d MaskDraft) -> Option<MaskSpec> {
        self.resolve_within(draft, &mut Vec::new())
    }

    /// Checks the masks that no rule uses.
    pub(super) fn check_all(&self) {
        for mask in self.by_name.values() {
            self.resolve_within(&mask.mask, &mut vec![&mask.name.value]);
        }
    }

    fn resolve_within(&self, draft: &'d MaskDraft, within: &mut Vec<&'d str>) -> Option<MaskSpec> {
        match draft {
            MaskDraft::Spec(spec) => Some(spec.clone()),
            MaskDraft::Named(name) => self.named(name, within),
            MaskDraft::Json(paths) => {
                let mut resolved = Vec::with_capacity(paths.len());
                for (path, mask) in paths {
                    let mask = match mask {
                        Some(mask) => Some(self.resolve_within(mask, within)?),
                        None => None,
                    };
                    resolved.push((Arc::clone(path), mask));
                }
                Some(MaskSpec::Json { paths: resolved })
            }
        }
    }

    fn named(&self, name: &'d Located<Arc<str>>, within: &mut Vec<&'d str>) -> Option<MaskSpec> {
        if let Some((kind, example)) = KINDS.iter().find(|(kind, _)| **kind == *name.value) {
            if let Some(example) = example {
                let message = format!("the mask `{kind}` needs arguments");
                let help = format!("write `{{ kind = \"{kind}\", {example} }}`");
                self.findings.add(Finding::error("missing-key", name.place, message).help(help));
            }
            return bare(kind);
        }
        let Some(mask) = self.by_name.get(&*name.value) else {
            self.unknown(name);
            return None;
        };
        if within.contains(&&*mask.name.value) {
            let message = format!("mask `{}` contains itself", mask.name.value);
            self.findings.add(Finding::error("circle", mask.name.place, message).also(name.place, "here again"));
            return None;
        }
        within.push(&mask.name.value);
        let resolved = self.resolve_within(&mask.mask, within);
        within.pop();
        resolved
    }

    fn unknown(&self, name: &Located<Arc<str>>) {
        if self.findings.has_gaps() {
            return;
        }
        let known = || KINDS.iter().map(|(kind, _)| *kind).chain(self.by_name.keys().copied());
        let help = match nearest(&name.value, known()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known are {}", known().map(|mask| format!("`{mask}`")).collect::<Vec<_>>().join(", ")),
        };
        let message = format!("unknown mask `{}`", name.value);
        self.findings.add(Finding::error("unknown-mask", name.place, message).help(help));
    }
}
