//! What people are told about mistakes in their files: each `tests/cases/config/*.case` holds files and the exact text
//! of `sekisho check` about them. `UPDATE=1` rewrites the texts; review them as a diff.
//!
//! A case is a description, then files after lines `--- NAME`, then the text after `=== check`. Files that a case
//! leaves out are those of `BASE`; a case needs no rule file, users or configuration of its own.
//!
//! The examples of the documentation are files too, and without mistakes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sekisho::config::{Secrets, load_with};
use sekisho::policy::diagnostics::Style;

/// The files that a case need not spell out.
const BASE: [(&str, &str); 4] = [
    (
        "config/sekisho.toml",
        r#"listen = { postgres = "127.0.0.1:6432" }
audit = { dir = "../audit" }
masking = { key = { file = "masking.key" } }

[[source]]
name = "shop"
engine = "postgres"
host = "127.0.0.1"
user = "sekisho"

[[source]]
name = "legacy"
engine = "mysql"
host = "127.0.0.1"
user = "sekisho"
"#,
    ),
    ("config/masking.key", "0123456789abcdef0123456789abcdef\n"),
    ("config/users.toml", ""),
    ("rules/00-roles.toml", "[role.viewer]\ngrant = { on = \"shop.mart.*\", allow = \"read\" }\n"),
];

struct Case<'a> {
    description: &'a str,
    files: Vec<(&'a str, String)>,
}

#[test]
fn mistakes_are_told_as_the_cases_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/config");
    let mut cases: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() > 10, "the cases are not where they should be");
    let update = std::env::var_os("UPDATE").is_some();
    let mut differences = String::new();
    for path in cases {
        let text = std::fs::read_to_string(&path).unwrap();
        let (source, expected) = text.split_once("=== check\n").unwrap_or((&text, ""));
        let told = told_about(&parse(source));
        if update {
            std::fs::write(&path, format!("{source}=== check\n{told}")).unwrap();
        } else if told != expected {
            let name = path.file_name().unwrap().to_string_lossy();
            write!(differences, "\n{name} expected:\n{expected}\n{name} told:\n{told}").unwrap();
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

fn parse(source: &str) -> Case<'_> {
    let mut parts = source.split("--- ");
    let description = parts.next().unwrap();
    let files = parts.map(|part| {
        let (name, text) = part.split_once('\n').unwrap();
        (name, text.trim_end().to_owned() + "\n")
    });
    Case { description, files: files.collect() }
}

fn told_about(case: &Case<'_>) -> String {
    assert!(!case.description.trim().is_empty(), "a case says what it is about");
    let folder = tempfile::tempdir().unwrap();
    let own = |name: &str| case.files.iter().any(|(other, _)| *other == name);
    let no_roles = |name: &str| name.starts_with("rules/") && own("rules/10-roles.toml");
    let base = BASE.iter().filter(|(name, _)| !own(name) && !no_roles(name)).map(|(name, text)| (*name, *text));
    for (name, text) in base.chain(case.files.iter().map(|(name, text)| (*name, text.as_str()))) {
        // A case takes a file of the base away by leaving it empty but for this word.
        if text.trim() == "(absent)" {
            continue;
        }
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let found = match load_with(&folder.path().join("config/sekisho.toml"), Secrets::Read, 1) {
        Ok(loaded) => loaded.warnings,
        Err(mistakes) => mistakes,
    };
    let text = found.render(Style::Plain).replace(&format!("{}/", folder.path().display()), "");
    format!("{text}{} mistakes, {} warnings\n", found.errors(), found.warnings())
}

/// The blocks of TOML in a page, each with the file that its first line names.
fn examples(page: &str) -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(page);
    let text = std::fs::read_to_string(path).unwrap();
    let blocks = text.split("```toml\n# ").skip(1).map(|block| block.split("```").next().unwrap());
    blocks
        .map(|block| {
            let (name, text) = block.split_once('\n').unwrap();
            (name.to_owned(), text.to_owned())
        })
        .collect()
}

#[test]
fn the_examples_of_the_documentation_have_no_mistakes() {
    let examples = [examples("configuration.md"), examples("rules.md")].concat();
    assert!(examples.len() > 8, "the examples are not where they should be");
    let secrets = [("config/shop.password", "a password"), ("config/masking.key", "0123456789abcdef0123456789abcdef")];
    let secrets = secrets.map(|(name, text)| (name.to_owned(), text.to_owned()));
    let files: Vec<_> = examples.iter().chain(&secrets).map(|(name, text)| (name.as_str(), text.clone())).collect();
    let told = told_about(&Case { description: "the documentation", files });
    assert_eq!(told, "0 mistakes, 0 warnings\n");
}
