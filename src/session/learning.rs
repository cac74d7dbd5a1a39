//! `[[learn]]`: which statements roles are known to use, in memory and in files that people review.
//!
//! Memory follows the files: what people or other nodes write into them is known within seconds, and what people take out
//! is not known any more.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use arc_swap::ArcSwap;

use super::learned_file::{self, Content, Stamp, Statements, shown};
use crate::audit::{Facts, Ground};
use crate::pipeline::{Decision, Denial, Verdict};
use crate::policy::{Learn, Learning as Mode, PolicySet, Role, RuleInfo};

/// Statements that a rule learns at the most.
const MAX_STATEMENTS: usize = 100_000;

/// What is known of the statements of all roles.
#[derive(Debug, Default)]
pub struct Learning {
    // Where files are; nothing is kept beyond the process without.
    folder: Option<PathBuf>,
    // By the name of the rule.
    rules: ArcSwap<HashMap<Arc<str>, Arc<Known>>>,
    following: Mutex<()>,
}

/// What is known for one rule.
#[derive(Debug, Default)]
struct Known {
    file: Option<PathBuf>,
    // Locked before `news` where both are.
    statements: RwLock<Statements>,
    // Of the statements, those that the file has not yet.
    news: Mutex<Statements>,
    file_state: Mutex<FileState>,
}

#[derive(Debug, Default)]
struct FileState {
    // As it was when it was last read or written, and when it was last looked at.
    read: Stamp,
    seen: Stamp,
    // What was last said about it, which is not said every second.
    complaint: Option<String>,
}

impl Learning {
    /// Files are in this folder.
    pub fn in_folder(folder: PathBuf) -> Self {
        Self { folder: Some(folder), ..Self::default() }
    }

    /// Reads what is known for the rules of a set, which are about to be put in force. What was learned and not written
    /// is written before. A file that cannot be read is as if nothing were known.
    pub fn load(&self, policy: &PolicySet) {
        self.follow_files();
        let mut rules = HashMap::new();
        for learn in policy.roles().flat_map(|role| policy.learns(role)) {
            let entry = rules.entry(Arc::clone(&learn.rule.name));
            entry.or_insert_with(|| Arc::new(self.read(learn)));
        }
        self.rules.store(Arc::new(rules));
    }

    fn read(&self, learn: &Learn) -> Known {
        let file = self.folder.as_ref().zip(learn.file.as_ref()).map(|(folder, name)| folder.join(&**name));
        let known = Known { file, ..Known::default() };
        if let Some(path) = &known.file {
            known.take(&learn.rule.name, path, learned_file::read(path));
        }
        known
    }

    /// Whether there are files to follow.
    pub fn has_files(&self) -> bool {
        self.rules.load().values().any(|known| known.file.is_some())
    }

    /// Writes what was learned since the last time, and reads what others wrote; waits for the disk.
    pub fn follow_files(&self) {
        let Some(folder) = &self.folder else { return };
        let _one_at_a_time = self.following.lock().unwrap_or_else(PoisonError::into_inner);
        for (rule, known) in &**self.rules.load() {
            if let Some(path) = &known.file {
                known.follow(rule, folder, path);
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
        if learn.fingerprints.contains(&facts.meaning) || self.knows(learn, role, facts) {
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
            Mode::Refuse => decision.refuse(denial(learn, role, facts), role.observe),
        }
    }

    fn knows(&self, learn: &Learn, role: &Role, facts: &Facts) -> bool {
        let rules = self.rules.load();
        let Some(known) = rules.get(&learn.rule.name) else { return false };
        let statements = known.statements.read().unwrap_or_else(PoisonError::into_inner);
        statements.contains_key(&(Arc::clone(&role.name), facts.meaning))
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
        let (key, statement) = ((Arc::clone(&role.name), facts.meaning), shown(&facts.normalized, &facts.schemas));
        if known.file.is_some() {
            let mut news = known.news.lock().unwrap_or_else(PoisonError::into_inner);
            news.insert(key.clone(), statement.clone());
        }
        statements.insert(key, statement);
    }
}

impl Known {
    fn follow(&self, rule: &str, folder: &Path, path: &Path) {
        let now = learned_file::stamp(path);
        let news = std::mem::take(&mut *self.news.lock().unwrap_or_else(PoisonError::into_inner));
        let is_changed = {
            let mut state = self.file_state.lock().unwrap_or_else(PoisonError::into_inner);
            // Who writes it may not be done yet.
            let is_settled = std::mem::replace(&mut state.seen, now) == now;
            is_settled && state.read != now
        };
        if news.is_empty() && !is_changed {
            return;
        }
        let outcome = if news.is_empty() { learned_file::read(path) } else { learned_file::add(folder, path, &news) };
        if outcome.is_err() {
            let mut waiting = self.news.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.extend(news);
        }
        self.take(rule, path, outcome);
    }

    /// What the file holds is what is known, and what was learned meanwhile.
    fn take(&self, rule: &str, path: &Path, outcome: std::io::Result<Content>) {
        let complaint = match &outcome {
            Ok(Content { bad_line: None, .. }) => None,
            Ok(Content { bad_line: Some(line), .. }) => Some(format!("line {line} is no `ROLE FINGERPRINT STATEMENT`")),
            Err(error) => Some(error.to_string()),
        };
        let mut state = self.file_state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(content) = outcome {
            (state.read, state.seen) = (content.stamp, content.stamp);
            let mut statements = self.statements.write().unwrap_or_else(PoisonError::into_inner);
            *statements = content.statements;
            let news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
            statements.extend(news.iter().map(|(key, statement)| (key.clone(), statement.clone())));
        }
        if let Some(reason) = complaint.as_ref().filter(|_| complaint != state.complaint) {
            tracing::error!(%rule, file = %path.display(), %reason, "learned statements: not everything is read or written");
        }
        state.complaint = complaint;
    }
}

fn denial(learn: &Learn, role: &Role, facts: &Facts) -> Denial {
    let RuleInfo { name, owner, .. } = &*learn.rule;
    let ask = owner.as_deref().unwrap_or("the owner of the rules");
    let owned = owner.as_ref().map(|owner| format!(", owned by {owner}")).unwrap_or_default();
    let within = if facts.schemas.is_empty() { String::new() } else { format!(", with names in {}", facts.schemas) };
    Denial {
        sqlstate: "42501",
        message: format!(
            "statement refused: role `{}` is not known to use it, and `{name}` allows no other",
            role.name
        ),
        detail: Some(format!("rule `{name}`{owned}; the statement's fingerprint{within} is {:016x}", facts.meaning)),
        hint: Some(format!("ask {ask} to add the fingerprint")),
        position: None,
        rule: Some(Arc::clone(&learn.rule)),
        ground: Ground::Learn,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::policy::{Surroundings, parse};
    use crate::sql::Engine;

    const RULES: &str = "[role.\"data team\"]\n[[learn]]\nname = 'known'\nmode = 'record'\nfile = 'a/known'\n";

    /// A node on a state folder.
    struct Nodelike {
        learning: Learning,
        policy: PolicySet,
    }

    impl Nodelike {
        fn new(folder: &Path) -> Self {
            let (policy, _) = parse(&[("r.toml", RULES)], &Surroundings::new([("shop", Engine::Postgres)]), 1).unwrap();
            let learning = Learning::in_folder(folder.to_owned());
            learning.load(&policy);
            Self { learning, policy }
        }

        fn note(&self, fingerprint: u64) {
            let role = self.policy.role("data team").unwrap();
            let facts = Facts { fingerprint, meaning: fingerprint, normalized: "select ?".into(), ..Facts::default() };
            self.learning.note(&self.policy.learns(role)[0], role, &facts);
        }

        fn knows(&self, fingerprint: u64) -> bool {
            let role = self.policy.role("data team").unwrap();
            let facts = Facts { meaning: fingerprint, ..Facts::default() };
            self.learning.knows(&self.policy.learns(role)[0], role, &facts)
        }

        /// The time of two looks at the files.
        fn a_while(&self) {
            self.learning.follow_files();
            self.learning.follow_files();
        }
    }

    #[test]
    fn nodes_on_one_folder_learn_from_each_other_and_from_people() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a/known");
        let (a, b) = (Nodelike::new(folder.path()), Nodelike::new(folder.path()));
        a.note(1);
        b.note(2);
        a.a_while();
        b.a_while();
        a.a_while();
        assert!(a.knows(1) && a.knows(2) && b.knows(1) && b.knows(2));
        // Someone takes the first out, and writes a third.
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(text.lines().count(), 3, "{text}");
        let kept: Vec<&str> = text.lines().filter(|line| !line.contains("0000000000000001")).collect();
        fs::write(&file, kept.join("\n") + "\n\"data team\" 0000000000000003").unwrap();
        a.note(4);
        a.a_while();
        b.a_while();
        for node in [&a, &b] {
            assert_eq!([1, 2, 3, 4].map(|n| node.knows(n)), [false, true, true, true]);
        }
        assert!(!fs::read_to_string(&file).unwrap().contains("0000000000000001"), "it does not come back");
        let again = Nodelike::new(folder.path());
        assert_eq!([1, 2, 3, 4].map(|n| again.knows(n)), [false, true, true, true]);
    }

    #[test]
    fn what_cannot_be_written_waits() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "a file where the folder should be").unwrap();
        let node = Nodelike::new(folder.path());
        node.note(1);
        node.a_while();
        assert!(node.knows(1));
        fs::remove_file(folder.path().join("a")).unwrap();
        node.a_while();
        assert!(node.knows(1) && Nodelike::new(folder.path()).knows(1));
    }
}
