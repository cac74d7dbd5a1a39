//! `[[learn]]`: which statements roles are known to use, in memory and in files that people review.
//!
//! A file holds a line a statement: role, fingerprint, and what the statement is, its literals left out. Lines are sorted
//! and those that begin with `#` are comments, so that the file can be kept in git and edited by hand.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use arc_swap::ArcSwap;

use crate::audit::{Facts, Ground};
use crate::pipeline::{Decision, Denial, Verdict};
use crate::policy::{Learn, Learning as Mode, PolicySet, Role, RuleInfo};

/// Statements that a rule learns at the most.
const MAX_STATEMENTS: usize = 100_000;
/// Characters of a statement that its line shows.
const SHOWN: usize = 400;
/// First line of each file.
const HEADER: &str = "# sekisho: statements learned; each line is role, fingerprint, statement without its literals\n";

/// What is known of the statements of all roles.
#[derive(Debug, Default)]
pub struct Learning {
    // Where files are; nothing is kept beyond the process without.
    folder: Option<PathBuf>,
    // By the name of the rule.
    rules: ArcSwap<HashMap<Arc<str>, Arc<Known>>>,
    has_news: AtomicBool,
    saving: Mutex<()>,
}

/// By role and fingerprint: the statement without its literals.
type Statements = BTreeMap<(Arc<str>, u64), Box<str>>;

#[derive(Debug, Default)]
struct Known {
    file: Option<PathBuf>,
    statements: RwLock<Statements>,
    is_changed: AtomicBool,
}

/// A file of learned statements that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The operating system's word.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A line that is none.
    #[error("line {0} is no `ROLE FINGERPRINT STATEMENT`")]
    Line(usize),
}

impl Learning {
    /// Files are in this folder.
    pub fn in_folder(folder: PathBuf) -> Self {
        Self { folder: Some(folder), ..Self::default() }
    }

    /// Reads what is known for the rules of a set, which are about to be put in force. What was learned and not written
    /// is written before. A file that cannot be read is as if nothing were known, and is not written over.
    pub fn load(&self, policy: &PolicySet) {
        self.save();
        let mut rules = HashMap::new();
        for learn in policy.roles().flat_map(|role| policy.learns(role)) {
            let entry = rules.entry(Arc::clone(&learn.rule.name));
            entry.or_insert_with(|| Arc::new(self.read(learn)));
        }
        self.rules.store(Arc::new(rules));
    }

    fn read(&self, learn: &Learn) -> Known {
        let file = self.folder.as_ref().zip(learn.file.as_ref()).map(|(folder, name)| folder.join(&**name));
        let Some(path) = &file else { return Known::default() };
        match read_file(path) {
            Ok(statements) => Known { file, statements: RwLock::new(statements), is_changed: AtomicBool::new(false) },
            Err(error) => {
                let rule = &learn.rule.name;
                tracing::error!(%rule, file = %path.display(), %error, "learned statements not read: none is known");
                Known::default()
            }
        }
    }

    /// Asks a rule about a statement of a role, and notes it where the rule records.
    pub fn ask(&self, learn: &Arc<Learn>, role: &Role, decision: &mut Decision) {
        let facts = Arc::clone(&decision.facts);
        // Who runs a prepared statement by its name runs that statement, too.
        for facts in std::iter::once(&facts).chain(facts.runs.iter().map(|ran| &ran.facts)) {
            self.ask_about(learn, role, facts, decision);
        }
    }

    fn ask_about(&self, learn: &Arc<Learn>, role: &Role, facts: &Facts, decision: &mut Decision) {
        if learn.fingerprints.contains(&facts.fingerprint) || self.knows(learn, role, facts) {
            return;
        }
        match learn.mode {
            Mode::Record => {
                let is_allowed = decision.observed.is_none() && matches!(decision.verdict, Verdict::Permit(_));
                if is_allowed {
                    self.note(learn, role, facts);
                }
            }
            Mode::Report => {
                if !decision.reported.iter().any(|rule| rule.name == learn.rule.name) {
                    decision.reported.push(Arc::clone(&learn.rule));
                }
            }
            Mode::Refuse => decision.refuse(denial(learn, role, facts.fingerprint), role.observe),
        }
    }

    fn knows(&self, learn: &Learn, role: &Role, facts: &Facts) -> bool {
        let rules = self.rules.load();
        let Some(known) = rules.get(&learn.rule.name) else { return false };
        let statements = known.statements.read().unwrap_or_else(PoisonError::into_inner);
        statements.contains_key(&(Arc::clone(&role.name), facts.fingerprint))
    }

    fn note(&self, learn: &Learn, role: &Role, facts: &Facts) {
        // What could not be read has no fingerprint.
        if facts.fingerprint == 0 {
            return;
        }
        let rules = self.rules.load();
        let Some(known) = rules.get(&learn.rule.name) else { return };
        let mut statements = known.statements.write().unwrap_or_else(PoisonError::into_inner);
        if statements.len() >= MAX_STATEMENTS {
            return;
        }
        statements.insert((Arc::clone(&role.name), facts.fingerprint), shown(&facts.normalized));
        known.is_changed.store(true, Ordering::Release);
        self.has_news.store(true, Ordering::Release);
    }

    /// Writes what was learned since the last time; waits for the disk.
    pub fn save(&self) {
        let _one_at_a_time = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.has_news.swap(false, Ordering::AcqRel) {
            return;
        }
        for (rule, known) in &**self.rules.load() {
            let Some(path) = known.file.as_ref().filter(|_| known.is_changed.swap(false, Ordering::AcqRel)) else {
                continue;
            };
            let text = render(&known.statements.read().unwrap_or_else(PoisonError::into_inner));
            if let Err(error) = write_file(path, &text) {
                known.is_changed.store(true, Ordering::Release);
                self.has_news.store(true, Ordering::Release);
                tracing::warn!(%rule, file = %path.display(), %error, "learned statements not written");
            }
        }
    }

    /// Whether there is something to write.
    pub fn has_news(&self) -> bool {
        self.has_news.load(Ordering::Acquire)
    }
}

fn denial(learn: &Learn, role: &Role, fingerprint: u64) -> Denial {
    let RuleInfo { name, owner, .. } = &*learn.rule;
    let ask = owner.as_deref().unwrap_or("the owner of the rules");
    let owned = owner.as_ref().map(|owner| format!(", owned by {owner}")).unwrap_or_default();
    Denial {
        sqlstate: "42501",
        message: format!(
            "statement refused: role `{}` is not known to use it, and `{name}` allows no other",
            role.name
        ),
        detail: Some(format!("rule `{name}`{owned}; the statement's fingerprint is {fingerprint:016x}")),
        hint: Some(format!("ask {ask} to add the fingerprint")),
        position: None,
        rule: Some(Arc::clone(&learn.rule)),
        ground: Ground::Learn,
    }
}

/// A statement on one line.
fn shown(normalized: &str) -> Box<str> {
    normalized.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().into()
}

fn render(statements: &Statements) -> String {
    let mut text = HEADER.to_owned();
    for ((role, fingerprint), statement) in statements {
        let _ = writeln!(text, "{role} {fingerprint:016x} {statement}");
    }
    text
}

/// The statements of a file; none where there is no file yet.
fn read_file(path: &Path) -> Result<Statements, FileError> {
    match fs::read_to_string(path) {
        Ok(text) => parse(&text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Statements::new()),
        Err(error) => Err(error.into()),
    }
}

fn parse(text: &str) -> Result<Statements, FileError> {
    let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty() && !line.starts_with('#'));
    let statement = |(line, number): (&str, usize)| {
        let mut words = line.splitn(3, ' ');
        let (role, fingerprint) = (words.next()?, words.next().filter(|word| word.len() == 16)?);
        let fingerprint = u64::from_str_radix(fingerprint, 16).ok()?;
        Some(((Arc::from(role), fingerprint), Box::from(words.next().unwrap_or_default()))).ok_or(number).ok()
    };
    lines.map(|line| statement(line).ok_or(FileError::Line(line.1))).collect()
}

/// Writes a file whole or not at all.
fn write_file(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    let mut file = File::create(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_sorted_and_read_back() {
        let mut statements = Statements::new();
        statements.insert((Arc::from("viewer"), 0xab), "select ?".into());
        statements.insert((Arc::from("analyst"), 1), shown("select \"a\nb\" from t"));
        let text = render(&statements);
        assert_eq!(
            text,
            format!("{HEADER}analyst 0000000000000001 select \"a b\" from t\nviewer 00000000000000ab select ?\n")
        );
        assert_eq!(parse(&text).unwrap(), statements);
        assert_eq!(parse("# none\n\nviewer 00000000000000ab\n").unwrap().len(), 1);
        assert!(matches!(parse("# x\nviewer ab select"), Err(FileError::Line(2))));
    }

    #[test]
    fn a_file_is_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/viewer.statements");
        assert!(read_file(&path).unwrap().is_empty());
        write_file(&path, "viewer 00000000000000ab a\n").unwrap();
        write_file(&path, "viewer 00000000000000ac b\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "viewer 00000000000000ac b\n");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }
}
