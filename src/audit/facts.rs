//! What is known about a statement text, made once for all its executions.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use crate::policy::Verb;

/// How a column was shown to the role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shown {
    /// As it is.
    Raw,
    /// Through a mask.
    Masked,
}

/// What a statement does with one relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectUse {
    /// `schema.table`.
    pub relation: Box<str>,
    /// What is done with it.
    pub verb: Verb,
    /// The columns touched and how each was shown.
    pub columns: Vec<(Box<str>, Shown)>,
    /// The row filters that applied.
    pub filters: Vec<Arc<str>>,
}

/// What is known about a text whatever the verdict; shared by all its executions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// Hash of the text with literals removed; 0 where the text could not be read.
    pub fingerprint: u64,
    /// The fingerprint together with the schemas that names were looked up in; where those are the source's default it is
    /// the fingerprint itself. What is learned is told by it.
    pub meaning: u64,
    /// Those schemas, for people; empty where they are the default.
    pub schemas: Box<str>,
    /// The text with literals removed and white space folded.
    pub normalized: Box<str>,
    /// The kind of each statement in the text: `select`, `insert`, `set` …
    pub kinds: Vec<&'static str>,
    /// Names of the rules that decided something.
    pub rules: Vec<Arc<str>>,
    /// Relations read and written.
    pub objects: Vec<ObjectUse>,
    /// What it runs that was prepared or opened before, by EXECUTE and FETCH; the rules and objects of that are among its
    /// own.
    pub runs: Vec<Ran>,
    /// Literals that the message of its refusal repeats, in lower case: what they hold, and as they stand.
    pub told: Vec<Box<str>>,
    /// Made when the first record of the text is; leave it to [`Default`].
    pub rendered: Rendered,
}

/// Whether what a message quotes is a literal, given in lower case, or has a long one in it.
fn tells<'l>(quoted: &str, mut literals: impl Iterator<Item = &'l str>) -> bool {
    let quoted = quoted.to_lowercase();
    literals.any(|literal| quoted == *literal || (literal.chars().count() >= 4 && quoted.contains(literal)))
}

/// A statement that another one runs by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// Its text.
    pub text: Box<str>,
    /// What is known about it.
    pub facts: Arc<Facts>,
}

impl Facts {
    /// The message of a refusal without the literals that it repeats: `?` stands for what it quotes of them.
    pub fn without_literals<'m>(&self, message: &'m str) -> Cow<'m, str> {
        if self.told.is_empty() {
            return Cow::Borrowed(message);
        }
        let quoted = |(at, part): (usize, &'m str)| {
            if at % 2 == 1 && tells(part, self.told.iter().map(|literal| &**literal)) { "?" } else { part }
        };
        Cow::Owned(message.split('`').enumerate().map(quoted).collect::<Vec<_>>().join("`"))
    }

    /// Keeps those literals of a text that a message about it repeats.
    pub fn keep_told(&mut self, message: &str, literals: impl Iterator<Item = Box<str>>) {
        let parts = || message.split('`').skip(1).step_by(2);
        self.told.extend(literals.filter(|literal| parts().any(|part| tells(part, std::iter::once(&**literal)))));
    }

    /// The same of a text that runs these.
    #[must_use]
    pub fn running(&self, runs: Vec<Ran>) -> Self {
        let mut facts = Self { runs, rendered: Rendered::default(), ..self.clone() };
        for ran in &facts.runs {
            for rule in &ran.facts.rules {
                if !facts.rules.contains(rule) {
                    facts.rules.push(Arc::clone(rule));
                }
            }
            for object in &ran.facts.objects {
                if !facts.objects.contains(object) {
                    facts.objects.push(object.clone());
                }
            }
        }
        facts
    }
}

/// The part of a statement's record that follows from its [`Facts`] alone, kept from the first record on.
#[derive(Debug, Clone, Default)]
pub struct Rendered(pub(super) OnceLock<Box<[u8]>>);

/// It follows from the facts beside it.
impl PartialEq for Rendered {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Rendered {}
