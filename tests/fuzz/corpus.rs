//! Statements to begin with: those of the tests.

use std::path::{Path, PathBuf};

/// The texts in the unit tests of a grammar, and what tools send.
pub fn statements(grammar: &str, tools: &str) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts = Vec::new();
    for file in files(&root.join("src/sql").join(grammar), "rs") {
        if file.components().any(|part| part.as_os_str() == "tests") {
            literals(&std::fs::read_to_string(file).unwrap(), &mut texts);
        }
    }
    for file in files(&root.join("tests/cases/tools").join(tools), "sql") {
        let text = std::fs::read_to_string(file).unwrap();
        texts.extend(text.split(";\n").map(|statement| statement.trim().to_owned()));
    }
    texts.retain(|text| text.len() > 7 && text.len() < 4000 && text.contains(' '));
    assert!(texts.len() > 300, "the statements of the tests are not where they should be");
    texts.into_iter().map(String::into_bytes).collect()
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The string literals of a file of Rust, as far as they have no escapes but those of quotes and line ends.
fn literals(file: &str, texts: &mut Vec<String>) {
    let mut rest = file;
    while let Some(begin) = rest.find('"') {
        rest = &rest[begin + 1..];
        let mut text = String::new();
        let mut characters = rest.char_indices();
        while let Some((at, c)) = characters.next() {
            match c {
                '"' => {
                    rest = &rest[at + 1..];
                    texts.push(text);
                    break;
                }
                '\\' => match characters.next() {
                    Some((_, 'n' | '\n')) => text.push('\n'),
                    Some((_, c)) => text.push(c),
                    None => return,
                },
                c => text.push(c),
            }
            if characters.as_str().is_empty() {
                return;
            }
        }
    }
}
