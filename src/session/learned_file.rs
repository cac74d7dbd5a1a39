//! Files of learned statements: a line a statement, with role, fingerprint, and what the statement is, its literals left
//! out.
//!
//! People read and edit them, and several nodes may share them. So lines are only ever added, by one process at a time,
//! and what is no line is left where it is.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Characters of a statement that its line shows.
const SHOWN: usize = 400;
/// First line of each file.
const HEADER: &str = "# sekisho: statements learned; each line is role, fingerprint, statement without its literals\n";
/// In the state folder: who holds it may add lines.
const LOCK: &str = ".learned.lock";
/// How often another process's lock is tried, and how long after.
const TRIES: (u32, Duration) = (20, Duration::from_millis(25));

/// Role and fingerprint.
type Key = (Arc<str>, u64);
/// The statements that are known, without their literals.
pub(super) type Statements = BTreeMap<Key, Box<str>>;

/// When a file was last written and how long it was; nothing where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Stamp(Option<(SystemTime, u64)>);

/// What a file holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) statements: Statements,
    /// The first line that is no statement, from 1.
    pub(super) bad_line: Option<usize>,
    pub(super) stamp: Stamp,
}

/// The stamp of a file as it is now.
pub(super) fn stamp(path: &Path) -> Stamp {
    let of = |data: fs::Metadata| Some((data.modified().ok()?, data.len()));
    Stamp(fs::metadata(path).ok().and_then(of))
}

/// Reads a file; a file that is not there holds nothing.
pub(super) fn read(path: &Path) -> io::Result<Content> {
    // Before the text: what is written in between is read again later.
    let stamp = stamp(path);
    let text = read_text(path)?;
    Ok(Content { stamp, ..parse(&text) })
}

/// Adds the statements that a file has not, and gives everything that it has then. `folder` is the state folder.
pub(super) fn add(folder: &Path, path: &Path, new: &Statements) -> io::Result<Content> {
    fs::create_dir_all(path.parent().unwrap_or(folder))?;
    let _lock = lock(folder)?;
    let text = read_text(path)?;
    let mut content = parse(&text);
    let mut lines = String::new();
    for (key, statement) in new.iter().filter(|(key, _)| !content.statements.contains_key(*key)) {
        let _ = writeln!(lines, "{}", line(key, statement));
    }
    if !lines.is_empty() {
        let before = match text.chars().next_back() {
            None => HEADER,
            Some('\n') => "",
            // The last line was cut off, or written by hand.
            Some(_) => "\n",
        };
        let mut file = File::options().append(true).create(true).open(path)?;
        file.write_all([before, &lines].concat().as_bytes())?;
        file.sync_all()?;
    }
    content.stamp = stamp(path);
    content.statements.extend(new.iter().map(|(key, statement)| (key.clone(), statement.clone())));
    Ok(content)
}

/// Bytes that are no UTF-8 spoil their own line only.
fn read_text(path: &Path) -> io::Result<String> {
    match fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error),
    }
}

/// The right to add lines, until it is dropped. Another node on the same folder holds it for moments.
fn lock(folder: &Path) -> io::Result<File> {
    fs::create_dir_all(folder)?;
    let file = File::options().write(true).create(true).truncate(false).open(folder.join(LOCK))?;
    for _ in 0..TRIES.0 {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => std::thread::sleep(TRIES.1),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::WouldBlock, format!("another process holds `{LOCK}`")))
}

/// Names of roles hold no quotes.
fn line((role, fingerprint): &Key, statement: &str) -> String {
    let quote = if role.starts_with('#') || role.contains(char::is_whitespace) { "\"" } else { "" };
    format!("{quote}{role}{quote} {fingerprint:016x} {statement}")
}

fn parse(text: &str) -> Content {
    let mut content = Content::default();
    for (line, number) in text.lines().map(str::trim).zip(1..) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match statement(line) {
            Some((key, statement)) => {
                content.statements.insert(key, statement);
            }
            None => content.bad_line = content.bad_line.or(Some(number)),
        }
    }
    content
}

fn statement(line: &str) -> Option<(Key, Box<str>)> {
    let (role, rest) = match line.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?,
        None => line.split_once(char::is_whitespace)?,
    };
    let rest = rest.trim_start();
    let (fingerprint, statement) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let is_one = fingerprint.len() == 16 && fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit());
    let fingerprint = u64::from_str_radix(fingerprint, 16).ok().filter(|_| is_one)?;
    Some(((role.into(), fingerprint), statement.trim_start().into()))
}

/// A statement on one line, and the schemas that its names are looked up in, where those are not the usual ones.
pub(super) fn shown(normalized: &str, schemas: &str) -> Box<str> {
    let cut: String = normalized.chars().take(SHOWN).collect();
    let shown = if schemas.is_empty() { cut } else { format!("{cut} -- names in {schemas}") };
    shown.replace(char::is_control, " ").into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one(role: &str, fingerprint: u64, statement: &str) -> Statements {
        [((Arc::from(role), fingerprint), shown(statement, ""))].into()
    }

    #[test]
    fn lines_are_added_and_what_people_wrote_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/viewer.statements");
        assert_eq!(read(&path).unwrap(), Content::default());
        add(folder.path(), &path, &one("viewer", 0xab, "select \"a\nb\" from t")).unwrap();
        add(folder.path(), &path, &one("data team", 1, "select ?")).unwrap();
        add(folder.path(), &path, &one("viewer", 0xab, "select \"a\nb\" from t")).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let lines = "viewer 00000000000000ab select \"a b\" from t\n\"data team\" 0000000000000001 select ?\n";
        assert_eq!(text, format!("{HEADER}{lines}"));
        // A line goes, a line that is none and one that is cut off come.
        fs::write(&path, "# mine\r\n\r\n  viewer  00000000000000AC\nviewer zz select\nviewer 0000").unwrap();
        let content = add(folder.path(), &path, &one("#x", 2, "delete from t")).unwrap();
        assert_eq!((content.statements.len(), content.bad_line), (2, Some(4)));
        assert_eq!(content.statements, read(&path).unwrap().statements);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.ends_with("viewer zz select\nviewer 0000\n\"#x\" 0000000000000002 delete from t\n"), "{text}");
    }

    #[test]
    fn nodes_wait_for_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shared");
        std::thread::scope(|scope| {
            for node in 0..4_u64 {
                let (folder, path) = (folder.path(), &path);
                scope.spawn(move || {
                    for number in 0..10 {
                        add(folder, path, &one("viewer", node * 100 + number, "select ?")).unwrap();
                    }
                });
            }
        });
        let content = read(&path).unwrap();
        assert_eq!((content.statements.len(), content.bad_line), (40, None));
    }

    proptest! {
        /// Whatever a role and a statement are, the line says them again.
        #[test]
        fn every_line_is_read_back(role in "[^\\s\"'`\\\\\\x00-\\x1f\\x7f-\\x9f]([^\"'`\\\\\\x00-\\x1f\\x7f-\\x9f]{0,8}[^\\s\"'`\\\\\\x00-\\x1f\\x7f-\\x9f])?",
            fingerprint: u64, statement in "\\PC{0,40}|(?s).{0,20}") {
            let all = one(&role, fingerprint, &statement);
            let (key, statement) = all.first_key_value().unwrap();
            let text = format!("{HEADER}{}\n", line(key, statement));
            let content = parse(&text);
            prop_assert_eq!(content.bad_line, None);
            prop_assert_eq!(content.statements.keys().collect::<Vec<_>>(), [key]);
        }

        /// No file is so broken that reading it fails, or that a line added to it is lost.
        #[test]
        fn no_file_is_too_broken(text in "(?s).{0,200}|[ #\"a0f\n\r]{0,80}") {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("f");
            fs::write(&path, &text).unwrap();
            let before = read(&path).unwrap();
            let after = add(folder.path(), &path, &one("new role", 7, "select ?")).unwrap();
            prop_assert!(before.statements.keys().all(|key| after.statements.contains_key(key)));
            prop_assert_eq!(after.statements, read(&path).unwrap().statements);
        }
    }
}
