//! The rules of the house that a compiler does not know: which folder may import which, what stays pure, how long a
//! file may be, and names that say nothing.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Each top-level module and those that it may import. Imports point downward, so that a reader of one folder needs to
/// know only the folders above its line.
const MAY_IMPORT: [(&str, &[&str]); 16] = [
    ("sql", &[]),
    ("catalog", &["sql"]),
    ("policy", &["sql", "catalog"]),
    ("resolve", &["sql", "catalog", "policy"]),
    ("audit", &["sql", "catalog", "policy"]),
    ("auth", &["sql", "catalog", "policy"]),
    ("net", &[]),
    ("rewrite", &["sql", "catalog", "policy", "resolve"]),
    ("pipeline", &["sql", "catalog", "policy", "resolve", "audit", "rewrite"]),
    ("session", &["sql", "catalog", "policy", "resolve", "audit", "auth", "net", "rewrite", "pipeline"]),
    ("pg", &["sql", "catalog", "policy", "resolve", "audit", "auth", "net", "rewrite", "pipeline", "session"]),
    ("mysql", &["sql", "catalog", "policy", "resolve", "audit", "auth", "net", "rewrite", "pipeline", "session"]),
    ("console", &["sql", "catalog", "policy", "audit", "auth", "net", "pipeline", "session"]),
    ("server", &["sql", "catalog", "policy", "audit", "auth", "net", "pipeline", "session", "pg", "mysql", "console"]),
    ("config", &["sql", "catalog", "policy", "audit", "auth", "net", "rewrite", "session", "server"]),
    (
        "cli",
        &[
            "sql", "catalog", "policy", "resolve", "audit", "auth", "net", "rewrite", "pipeline", "session", "pg",
            "mysql", "console", "server", "config",
        ],
    ),
];

/// What decides about statements depends on its arguments alone.
const PURE: [&str; 6] = ["sql", "catalog", "policy", "resolve", "rewrite", "pipeline"];
/// What a pure module does not touch: the runtime, files, the environment, sockets, the clock.
const IMPURE: [&str; 9] = [
    "tokio::",
    "std::fs",
    "std::env",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "SystemTime::now",
    "Instant::now",
    "Timestamp::now",
];

/// Longer files hold more than one purpose. Tests beside the code do not count.
const MAX_LINES: usize = 500;
/// Files that are longer and wait to be split, and how long they may be until then.
const LONG: [(&str, usize); 3] =
    [("sql/ast.rs", 1000), ("sql/mysql/grammar/function.rs", 650), ("audit/writer.rs", 503)];
/// Names that say nothing about what a file holds.
const EMPTY_NAMES: [&str; 6] = ["util", "utils", "common", "helper", "helpers", "manager"];

struct Source {
    /// Relative to `src`.
    path: PathBuf,
    text: String,
}

impl Source {
    /// The top-level module that the file belongs to; `None` for the crate's own root.
    fn module(&self) -> Option<String> {
        let first = self.path.components().next()?.as_os_str().to_string_lossy().into_owned();
        let name = first.strip_suffix(".rs").map(str::to_owned).unwrap_or(first);
        (name != "lib" && name != "main").then_some(name)
    }

    /// The code without comments and without tests, which may import what they like.
    fn code(&self) -> String {
        let is_test =
            self.path.components().any(|part| matches!(part.as_os_str().to_str(), Some("tests" | "tests.rs")));
        if is_test {
            return String::new();
        }
        let code = self.text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let lines = code.lines().map(|line| line.split("//").next().unwrap());
        lines.collect::<Vec<_>>().join("\n")
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                sources.push(Source { path: path.strip_prefix(&root).unwrap().to_owned(), text });
            }
        }
    }
    assert!(sources.len() > 50, "the sources are not where they should be");
    sources
}

/// The top-level modules that a code names: after each `crate::`, one word or the words of a `{ … }`.
fn imports(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = code.get(at + "crate::".len()..).unwrap();
        if let Some(group) = rest.strip_prefix('{') {
            found.extend(group_heads(group));
        } else {
            found.insert(word(rest));
        }
    }
    found
}

/// The first words of the items of a group, whose opening brace was read.
fn group_heads(group: &str) -> Vec<String> {
    let mut depth = 0;
    let mut heads = vec![word(group.trim_start())];
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => heads.push(word(group.get(at + 1..).unwrap().trim_start())),
            _ => {}
        }
    }
    heads
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

#[test]
fn imports_point_downward() {
    let table: BTreeMap<&str, &[&str]> = MAY_IMPORT.into_iter().collect();
    let mut wrong = Vec::new();
    for source in sources() {
        let Some(module) = source.module() else { continue };
        let Some(allowed) = table.get(module.as_str()) else {
            wrong.push(format!("src/{module} is not in the table of tests/architecture.rs"));
            continue;
        };
        for import in imports(&source.code()) {
            let known = table.contains_key(import.as_str());
            if known && import != module && !allowed.contains(&import.as_str()) {
                wrong.push(format!("src/{} imports `{import}`, which `{module}` may not", source.path.display()));
            }
        }
    }
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_itself_has_no_knots() {
    let mut above = BTreeSet::new();
    for (module, imports) in MAY_IMPORT {
        let upward: Vec<_> = imports.iter().filter(|import| !above.contains(*import)).collect();
        assert!(upward.is_empty(), "`{module}` imports {upward:?}, which stand below it");
        above.insert(module);
    }
}

#[test]
fn what_decides_is_pure() {
    let mut wrong = Vec::new();
    for source in sources() {
        let pure = source.module().is_some_and(|module| PURE.contains(&module.as_str()));
        if pure {
            let code = source.code();
            let touched = IMPURE.iter().filter(|word| code.contains(*word));
            wrong.extend(touched.map(|word| format!("src/{} uses `{word}`", source.path.display())));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_have_one_purpose_and_a_name_that_says_it() {
    let mut wrong = Vec::new();
    for source in sources() {
        let path = source.path.display();
        let lines = source.text.lines().take_while(|line| *line != "#[cfg(test)]").count();
        let most = LONG.iter().find(|(long, _)| Path::new(long) == source.path).map_or(MAX_LINES, |(_, lines)| *lines);
        if lines > most {
            wrong.push(format!("src/{path} has {lines} lines, more than {most}"));
        }
        for part in source.path.components() {
            let name = part.as_os_str().to_string_lossy();
            let name = name.strip_suffix(".rs").unwrap_or(&name);
            if name.split('_').any(|word| EMPTY_NAMES.contains(&word)) {
                wrong.push(format!("src/{path}: `{name}` says nothing about what is in it"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_module_begins_with_its_purpose() {
    let without: Vec<_> = sources()
        .into_iter()
        .filter(|source| !source.text.starts_with("//!"))
        .map(|source| format!("src/{} does not begin with `//!` and what it is for", source.path.display()))
        .collect();
    assert!(without.is_empty(), "{}", without.join("\n"));
}

#[test]
fn imports_are_found_in_every_form() {
    let code = "use crate::a::b;\nuse crate::{c::{d, e}, f};\nfn g() { crate::h::i() }\npub(in crate::j) use k;";
    assert_eq!(imports(code).into_iter().collect::<Vec<_>>(), ["a", "c", "f", "h", "j"]);
}
