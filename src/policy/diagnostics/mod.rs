//! What is wrong with files that people wrote, with the place of every mistake.
//!
//! In: texts of files, and findings about them as they are read. Out: [`Diagnostics`], for people ([`Diagnostics::render`])
//! or machines ([`Diagnostics::to_json`]). Never knows: what the files are about.

mod render;

pub use render::Style;

use std::cell::RefCell;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is put in force while there is one.
    Error,
    /// Worth a look.
    Warning,
}

/// The code of findings about TOML itself.
pub const SYNTAX: &str = "syntax";
/// The code of findings about what is not there.
pub const MISSING_KEY: &str = "missing-key";

/// Names a file inside one [`Findings`]; ordered as they were opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(usize);

/// A stretch of a file, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl Place {
    /// A stretch of a file.
    pub fn new(file: FileId, span: Range<usize>) -> Self {
        Self { file, start: span.start, end: span.end }
    }

    /// A file as a whole, when it is not about a part of its text.
    pub fn whole(file: FileId) -> Self {
        Self { file, start: 0, end: 0 }
    }

    /// The beginning of a value that stands in quotes, moved by an offset into the value, where the value has no
    /// escapes; the whole value otherwise.
    #[must_use]
    pub fn within(self, value: &str, offset: usize, length: usize) -> Self {
        let quotes = (self.end - self.start).checked_sub(value.len());
        match quotes {
            Some(2) => {
                let start = self.start + 1 + offset;
                Self { file: self.file, start, end: start + length }
            }
            Some(_) | None => self,
        }
    }
}

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}

impl<T> Located<T> {
    /// Another value of the same place.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Located<U> {
        Located { value: change(self.value), place: self.place }
    }
}

/// One mistake or doubt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// A stable word for machines, such as `unknown-key`.
    pub code: &'static str,
    /// What is wrong, in one line.
    pub message: String,
    /// Where.
    pub place: Place,
    /// Short words beside the place.
    pub label: String,
    /// Other places that belong to it.
    pub also: Vec<(Place, String)>,
    /// What to do.
    pub help: Option<String>,
}

impl Finding {
    /// A mistake.
    pub fn error(code: &'static str, place: Place, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            message: message.into(),
            place,
            label: String::new(),
            also: Vec::new(),
            help: None,
        }
    }

    /// Something that is legal and probably not meant.
    pub fn warning(code: &'static str, place: Place, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, place, message) }
    }

    /// Puts words beside the place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Points at another place too.
    #[must_use]
    pub fn also(mut self, place: Place, label: impl Into<String>) -> Self {
        self.also.push((place, label.into()));
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Suggests the known word that is nearest to the one written, if one is near.
    #[must_use]
    pub fn nearest<'k>(self, written: &str, known: impl IntoIterator<Item = &'k str>) -> Self {
        match nearest(written, known) {
            Some(known) => self.help(format!("did you mean `{known}`?")),
            None => self,
        }
    }
}

/// The word most like another, if any is like it.
pub fn nearest<'k>(written: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    known
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(&written.to_lowercase(), &known.to_lowercase()), known))
        .filter(|(distance, known)| *distance <= 1 + known.chars().count() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The path as people know it.
    pub path: Arc<str>,
    /// The text; empty when it could not be read.
    pub text: Arc<str>,
}

/// Collects files and what is found about them while they are read.
#[derive(Debug, Default)]
pub struct Findings {
    files: RefCell<Vec<File>>,
    found: RefCell<Vec<Finding>>,
    hidden: RefCell<Vec<Place>>,
}

impl Findings {
    /// Registers a file.
    pub fn open(&self, path: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> FileId {
        let mut files = self.files.borrow_mut();
        files.push(File { path: path.into(), text: text.into() });
        FileId(files.len() - 1)
    }

    /// The path of a file.
    pub fn path(&self, file: FileId) -> Arc<str> {
        self.files.borrow().get(file.0).map_or_else(|| Arc::from(""), |file| Arc::clone(&file.path))
    }

    /// Notes a finding.
    pub fn add(&self, finding: Finding) {
        self.found.borrow_mut().push(finding);
    }

    /// Hides a stretch that holds a secret: excerpts of its line show `*` in its place.
    pub fn hide(&self, place: Place) {
        self.hidden.borrow_mut().push(place);
    }

    /// Whether a mistake was found so far.
    pub fn has_errors(&self) -> bool {
        self.found.borrow().iter().any(|finding| finding.severity == Severity::Error)
    }

    /// Whether some text could not be read to its end, so that a name that seems unknown may be defined there.
    pub fn has_gaps(&self) -> bool {
        self.found.borrow().iter().any(|finding| matches!(finding.code, SYNTAX | "unreadable"))
    }

    /// Everything found, in the order of files and lines. Where the syntax is broken, only the first thing said of a
    /// line is kept, and keys of that file are not missed: more would only speak of the parser's guesses.
    pub fn finish(self) -> Diagnostics {
        let mut diagnostics = Diagnostics { files: self.files.into_inner(), found: self.found.into_inner() };
        let line =
            |diagnostics: &Diagnostics, place: Place| (place.file, diagnostics.position(place.file, place.start).0);
        diagnostics.found.sort_by(|a, b| (a.place, a.severity, &a.message).cmp(&(b.place, b.severity, &b.message)));
        diagnostics.found.dedup();

        let syntax = diagnostics.found.iter().filter(|finding| finding.code == SYNTAX);
        let broken: Vec<_> = syntax.map(|finding| (line(&diagnostics, finding.place), finding.place)).collect();
        let worth_saying = |finding: &Finding| {
            let here = line(&diagnostics, finding.place);
            match broken.iter().find(|(line, _)| *line == here) {
                Some((_, first)) => finding.code == SYNTAX && finding.place == *first,
                None => finding.code != MISSING_KEY || broken.iter().all(|((file, _), _)| *file != here.0),
            }
        };
        let found = diagnostics.found.iter().filter(|finding| worth_saying(finding)).cloned().collect();
        diagnostics.found = found;
        for place in self.hidden.into_inner() {
            if let Some(file) = diagnostics.files.get_mut(place.file.0) {
                file.text = without(&file.text, place);
            }
        }
        diagnostics
    }
}

/// A text with a stretch of it unreadable, every byte where it was.
fn without(text: &str, place: Place) -> Arc<str> {
    let (Some(before), Some(hidden), Some(after)) =
        (text.get(..place.start), text.get(place.start..place.end), text.get(place.end..))
    else {
        return Arc::from(text);
    };
    let stars: String = hidden.bytes().map(|byte| if byte == b'\n' { '\n' } else { '*' }).collect();
    [before, &stars, after].concat().into()
}

/// Everything that was found about a set of files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diagnostics {
    files: Vec<File>,
    found: Vec<Finding>,
}

impl Diagnostics {
    /// Adds what was found later about the same files.
    pub fn add(&mut self, finding: Finding) {
        let at = self.found.partition_point(|other| other.place <= finding.place);
        self.found.insert(at, finding);
    }

    /// The findings, in the order of files and lines.
    pub fn findings(&self) -> &[Finding] {
        &self.found
    }

    /// How many mistakes there are.
    pub fn errors(&self) -> usize {
        self.found.iter().filter(|finding| finding.severity == Severity::Error).count()
    }

    /// How many warnings there are.
    pub fn warnings(&self) -> usize {
        self.found.len() - self.errors()
    }

    /// One line a finding: file, line, column and message.
    pub fn brief(&self) -> String {
        let line = |finding: &Finding| {
            let path = self.file(finding.place).map_or("", |file| &*file.path);
            let (line, column) = self.position(finding.place.file, finding.place.start);
            format!("{path}:{line}:{column}: {}", finding.message)
        };
        self.found.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The file of a place.
    pub fn file(&self, place: Place) -> Option<&File> {
        self.files.get(place.file.0)
    }

    /// Line and column of a byte of a file, both from 1; columns count characters.
    fn position(&self, file: FileId, offset: usize) -> (usize, usize) {
        let text = self.files.get(file.0).map_or("", |file| &*file.text);
        let before = text.get(..offset).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before.get(start..).map_or(0, |line| line.chars().count()) + 1)
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Style::Plain))
    }
}

impl std::error::Error for Diagnostics {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_come_in_the_order_of_the_text_and_broken_lines_speak_once() {
        let findings = Findings::default();
        let file = findings.open("a.toml", "one = \ntwo = 2\n");
        findings.add(Finding::error("unknown-key", Place::new(file, 7..10), "unknown key `two`"));
        findings.add(Finding::error("unknown-key", Place::new(file, 0..3), "unknown key `one`"));
        findings.add(Finding::error("syntax", Place::new(file, 6..6), "no value"));
        let found = findings.finish();
        let messages: Vec<_> = found.findings().iter().map(|f| f.message.as_str()).collect();
        assert_eq!(messages, ["no value", "unknown key `two`"]);
        assert_eq!(found.position(file, 7), (2, 1));
    }

    #[test]
    fn secrets_are_not_shown_and_nothing_moves() {
        let findings = Findings::default();
        let file = findings.open("a.toml", "password = \"pä\" # x\n");
        findings.hide(Place::new(file, 11..16));
        findings.add(Finding::error("unknown-key", Place::new(file, 0..8), "unknown key `password`"));
        let found = findings.finish();
        assert!(found.to_string().contains("password = ***** # x\n"), "{found}");
        assert_eq!(found.brief(), "a.toml:1:1: unknown key `password`");
    }

    #[test]
    fn only_a_near_word_is_suggested() {
        assert_eq!(nearest("rolse", ["roles", "name"]), Some("roles"));
        assert_eq!(nearest("colour", ["roles", "name"]), None);
        assert_eq!(nearest("onwer", ["owner", "on"]), Some("owner"));
        assert_eq!(nearest("Viewer", ["viewer"]), Some("viewer"));
    }

    #[test]
    fn a_place_within_a_plain_string_is_exact() {
        let file = FileId(0);
        let place = Place::new(file, 10..17);
        assert_eq!(place.within("a.b.c", 2, 1), Place::new(file, 13..14));
        assert_eq!(place.within("a\tb", 2, 1), place);
    }
}
