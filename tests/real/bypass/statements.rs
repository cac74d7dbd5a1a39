//! Reads `tests/bypass`: attacks, and statements that must work with the rows that they must give.
//!
//! ```text
//! @ name kind [editor] [simple|extended|text|ps] [needs=EXTENSION] [any|all|last] [advisory]: title
//! first statement
//! ;;
//! \ {"session": "b", "role": "admin"}
//! second statement
//! ```
//!
//! Kinds: `leak` and `infer` must neither show a protected value nor tell the two databases apart, `write` and `deny`
//! must be refused. In `benign.statements` the words are `ordered`, `editor` or `admin`, and what stands behind `---` is
//! expected: names of the columns, then rows, with `|` between values and `\N` for NULL; or `= ` and a number of rows;
//! or nothing, where only an error would be wrong.

use std::path::Path;

use serde_json::Value;

/// A statement of an attack.
#[derive(Debug, Default, Clone)]
pub struct Step {
    pub sql: String,
    /// Another connection than the attacker's own.
    pub session: Option<String>,
    pub role: Option<String>,
    /// Its outcome is of no interest: it prepares what follows.
    pub is_setup: bool,
    pub parameters: Option<Vec<String>>,
}

/// An attack, or a statement that must work.
#[derive(Debug)]
pub struct Entry {
    pub name: String,
    pub words: Vec<String>,
    pub steps: Vec<Step>,
    /// A pattern that must not be met.
    pub forbidden: Option<regex::Regex>,
    /// Outcomes of two databases may differ: they show the time, a process id …
    pub is_comparable: bool,
    pub expected: Vec<String>,
}

impl Entry {
    /// Whether a word stands in its first line.
    pub fn is(&self, word: &str) -> bool {
        self.words.iter().any(|found| found == word)
    }

    /// What it needs of the server.
    pub fn needs(&self) -> impl Iterator<Item = &str> {
        self.words.iter().filter_map(|word| word.strip_prefix("needs="))
    }

    /// The only role that it is for.
    pub fn role(&self) -> &str {
        ["editor", "admin"].into_iter().find(|role| self.is(role)).unwrap_or("analyst")
    }
}

/// All entries of the files with this ending, each file with its name.
pub fn read(folder: &Path, ending: &str) -> Vec<(String, Vec<Entry>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|found| found == ending));
    files.sort();
    let name = |file: &Path| file.file_stem().unwrap().to_string_lossy().into_owned();
    files.iter().map(|file| (name(file), entries(&std::fs::read_to_string(file).unwrap()))).collect()
}

fn entries(text: &str) -> Vec<Entry> {
    let mut all = Vec::new();
    for line in text.lines() {
        if let Some(first) = line.strip_prefix("@ ") {
            let head = first.split_once(": ").map_or(first, |(head, _)| head);
            let mut words = head.split(' ').map(str::to_owned);
            let name = words.next().unwrap();
            all.push(Entry {
                name,
                words: words.collect(),
                steps: vec![Step::default()],
                forbidden: None,
                is_comparable: true,
                expected: Vec::new(),
            });
            continue;
        }
        let entry = all.last_mut().unwrap();
        let step = entry.steps.last_mut().unwrap();
        if !entry.expected.is_empty() || line == "---" {
            entry.expected.push(line.to_owned());
        } else if line == ";;" {
            entry.steps.push(Step::default());
        } else if let Some(directive) = line.strip_prefix("\\ ") {
            direct(entry, &serde_json::from_str(directive).unwrap());
        } else {
            if !step.sql.is_empty() {
                step.sql.push('\n');
            }
            step.sql.push_str(line);
        }
    }
    all
}

fn direct(entry: &mut Entry, directive: &Value) {
    let text = |name: &str| directive.get(name).and_then(Value::as_str).map(str::to_owned);
    if let Some(pattern) = text("leak_regex") {
        entry.forbidden = Some(regex::Regex::new(&pattern).unwrap());
    }
    entry.is_comparable &= directive.get("compare") != Some(&Value::Bool(false));
    let step = entry.steps.last_mut().unwrap();
    step.session = text("session").or(step.session.take());
    step.role = text("role").or(step.role.take());
    step.is_setup |= directive.get("check") == Some(&Value::Bool(false)) || directive.get("setup").is_some();
    if let Some(parameters) = directive.get("params").and_then(Value::as_array) {
        let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        step.parameters = Some(parameters.iter().map(shown).collect());
    }
}
