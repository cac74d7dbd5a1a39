//! From the texts of rule files to a [`PolicySet`], or to every mistake in them.
//!
//! In: texts, and what they may refer to ([`Surroundings`]). Out: the set, and what only the reader of the users can
//! check. Two steps: each file is read into a [`Draft`] key by key, then names are looked up across all files.

mod alert;
mod audience;
mod conflict;
mod draft;
mod filter;
mod firewall;
mod futile;
mod inherit;
mod limit;
mod link;
mod mask;
mod names;
mod number;
mod patterns;
mod protect;
mod role;
mod test_case;
mod trust;
mod uses;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;

use self::draft::Draft;
use super::diagnostics::{Diagnostics, FileId, Findings, Located, Place};
use super::reader;
use super::set::PolicySet;
use crate::sql::Engine;

pub use self::filter::{BUILT_IN_ATTRIBUTES, attributes_named};
pub use self::uses::PatternUse;

/// What rules may refer to beyond themselves.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The sources of the configuration; when it could not be read, names of sources are not checked.
    pub sources: Option<BTreeMap<Arc<str>, Engine>>,
    /// Looks a time zone up by name.
    pub zone: fn(&str) -> Option<TimeZone>,
}

impl Surroundings {
    /// Rules over these sources, with no time zone but UTC known.
    pub fn new<S: Into<Arc<str>>>(sources: impl IntoIterator<Item = (S, Engine)>) -> Self {
        let sources = sources.into_iter().map(|(name, engine)| (name.into(), engine)).collect();
        Self { sources: Some(sources), zone: |name| (name == "UTC").then_some(TimeZone::UTC) }
    }
}

/// What was read, and what remains to be checked by whoever knows users and keys.
#[derive(Debug)]
pub struct Reading {
    /// The rules; worth something only when nothing found is an error.
    pub set: PolicySet,
    /// Attributes of users that row filters need.
    pub attributes: Vec<AttributeUse>,
    /// Masking keys of the node that masks need.
    pub keys: Vec<KeyUse>,
    /// Patterns that should match something.
    pub uses: Vec<PatternUse>,
    /// Users that tests name.
    pub persons: Vec<PersonUse>,
    /// Functions that blocks name.
    pub functions: Vec<Located<Arc<str>>>,
    /// Where each rule is named.
    pub rules: BTreeMap<Arc<str>, Place>,
}

/// A masking key that the mask of a rule needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUse {
    /// The key's id; the current key when `None`.
    pub id: Option<Arc<str>>,
    /// The rule's name.
    pub rule: Arc<str>,
    /// Where the rule names the mask.
    pub place: Place,
}

/// A user as whom a test sends its statement.
#[derive(Debug, Clone, PartialEq)]
pub struct PersonUse {
    /// The user, where the test names them.
    pub user: Located<Arc<str>>,
    /// The role that the test is about.
    pub role: Arc<str>,
    /// The source.
    pub source: Arc<str>,
}

/// An attribute that the filter of some roles needs.
#[derive(Debug, Clone, PartialEq)]
pub struct AttributeUse {
    /// The attribute, where the filter stands.
    pub attribute: Located<Arc<str>>,
    /// The filter's name.
    pub rule: Arc<str>,
    /// The roles that it holds for.
    pub roles: Vec<Arc<str>>,
}

/// Reads all rule files, in order. Mistakes are noted in `findings`.
pub fn read(findings: &Findings, files: &[(FileId, Arc<str>)], surroundings: &Surroundings, version: u64) -> Reading {
    let mut draft = Draft::default();
    for (file, text) in files {
        reader::read_file(findings, *file, text, |table| {
            draft.read(table, surroundings);
            Some(())
        });
    }
    link::link(findings, &draft, version)
}

/// Reads rules that refer to no users: files by name and text. Gives the rules and warnings, or all mistakes.
pub fn parse(
    files: &[(&str, &str)],
    surroundings: &Surroundings,
    version: u64,
) -> Result<(PolicySet, Diagnostics), Diagnostics> {
    let findings = Findings::default();
    let files: Vec<_> = files.iter().map(|(path, text)| (findings.open(*path, *text), Arc::from(*text))).collect();
    let reading = read(&findings, &files, surroundings, version);
    let failed = findings.has_errors();
    let diagnostics = findings.finish();
    if failed { Err(diagnostics) } else { Ok((reading.set, diagnostics)) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::policy::diagnostics::Style;

    /// Rules of every kind, to be broken.
    const RULES: &str = include_str!("../../../tests/cases/config/everything.case");

    fn survives(text: &str) {
        let sources = Surroundings::new([("shop", Engine::Postgres), ("legacy", Engine::MySql)]);
        if let Err(mistakes) = parse(&[("a.toml", text), ("b.toml", "[role.viewer]\n")], &sources, 1) {
            assert!(mistakes.errors() > 0);
            mistakes.render(Style::Coloured);
            mistakes.to_json().unwrap();
            mistakes.brief();
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        /// A broken file must never end the proxy that reads it again.
        #[test]
        fn no_text_is_too_broken(
            from in 0usize..8000,
            length in 0usize..400,
            inserted in "([\\[\\]{}=\"'.,#\n\r\t*é漢\u{0}\u{feff}🙂a-c0-9]|\"\"\"|\\\\u00e9|role|mask ){0,12}",
            keep in 0usize..1500,
        ) {
            let (_, rules) = RULES.split_once("--- rules/10.toml\n").unwrap();
            let at = |offset: usize| (0..=offset.min(rules.len())).rev().find(|at| rules.is_char_boundary(*at)).unwrap();
            let (cut, end) = (at(from), at(from + length));
            let (start, stop) = (at(cut.saturating_sub(keep)), at(end + keep));
            survives(&[&rules[start..cut], &inserted, &rules[end..stop]].concat());
        }

        #[test]
        fn no_text_at_all_is_too_broken(text in "\\PC{0,200}") {
            survives(&text);
        }
    }
}
