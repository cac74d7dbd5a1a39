//! Reads tables of a TOML file key by key, notes every mistake, and goes on.
//!
//! Asking for a key is what makes it known: a [`Table`] remembers what it was asked for, and when its reading is done
//! reports the keys that nobody asked for, each with the nearest known one. So one line of code describes a key, reads
//! it and words its mistakes.

use std::cell::RefCell;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostics::{FileId, Finding, Findings, Located, MISSING_KEY, Place, SYNTAX, nearest};

/// Keys whose values are secrets: what seems to be a slip of one of them is not shown.
const SECRET_KEYS: [&str; 3] = ["password", "native_password", "key"];

/// Reads a whole file. Mistakes in its syntax are noted, and what could be read around them is given to `read`.
pub fn read_file<T>(
    findings: &Findings,
    file: FileId,
    text: &str,
    read: impl FnOnce(&Table<'_>) -> Option<T>,
) -> Option<T> {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        findings.add(Finding::error(SYNTAX, Place::new(file, span), error.message().to_owned()));
    }
    let place = Place::whole(file);
    let path = findings.path(file);
    let what = format!("`{}`", path.rsplit('/').next().unwrap_or(&path));
    let table = Table { findings, place, what, entries: table.get_ref(), known: RefCell::default() };
    let value = read(&table);
    table.finish();
    value
}

/// A table being read.
#[derive(Debug)]
pub struct Table<'a> {
    findings: &'a Findings,
    place: Place,
    what: String,
    entries: &'a DeTable<'a>,
    known: RefCell<Vec<&'static str>>,
}

impl<'a> Table<'a> {
    /// Where the table begins: its header, or its braces.
    pub fn place(&self) -> Place {
        self.place
    }

    /// Where findings go.
    pub fn findings(&self) -> &'a Findings {
        self.findings
    }

    /// The value of a key, which becomes known.
    pub fn get(&self, key: &'static str) -> Option<Value<'a>> {
        self.known.borrow_mut().push(key);
        let (written, value) = self.entries.get_key_value(key)?;
        Some(Value {
            findings: self.findings,
            key: Place::new(self.place.file, written.span()),
            key_name: key,
            inner: value,
        })
    }

    /// Where a key stands.
    pub fn key_place(&self, key: &'static str) -> Option<Place> {
        self.get(key).map(|value| value.key)
    }

    /// A key that may be absent.
    pub fn optional<T>(&self, key: &'static str, read: impl FnOnce(Value<'a>) -> Option<T>) -> Option<T> {
        self.get(key).and_then(read)
    }

    /// A key that must be there.
    pub fn required<T>(&self, key: &'static str, read: impl FnOnce(Value<'a>) -> Option<T>) -> Option<T> {
        let value = self.get(key);
        if value.is_none() {
            self.error(MISSING_KEY, format!("{} has no `{key}`", self.what));
        }
        value.and_then(read)
    }

    /// A key that may be absent and holds one item or an array of them, but not an empty one: "nothing" could be meant
    /// as "none" or as "all". Items with mistakes are left out.
    pub fn list<T>(&self, key: &'static str, read: impl FnMut(Value<'a>) -> Option<T>) -> Option<Vec<T>> {
        self.get(key).map(|value| value.some_items(read))
    }

    /// A key that must be there and holds one item or an array of them.
    pub fn required_list<T>(&self, key: &'static str, read: impl FnMut(Value<'a>) -> Option<T>) -> Option<Vec<T>> {
        self.required(key, |value| Some(value.some_items(read)))
    }

    /// Notes a mistake of the table as a whole.
    pub fn error(&self, code: &'static str, message: impl Into<String>) {
        self.findings.add(Finding::error(code, self.place, message));
    }

    /// Every key, as given by whoever wrote the file: for tables whose keys are names.
    fn entries(&self) -> impl Iterator<Item = (Located<Arc<str>>, Value<'a>)> {
        self.entries.iter().map(|(key, value)| {
            let place = Place::new(self.place.file, key.span());
            let name = Located { value: Arc::from(&**key.get_ref()), place };
            (name, Value { findings: self.findings, key: place, key_name: key.get_ref(), inner: value })
        })
    }

    /// Reports the keys that were never asked for.
    fn finish(&self) {
        let known = self.known.borrow();
        for (key, value) in self.entries.iter().filter(|(key, _)| !known.contains(&&**key.get_ref())) {
            let place = Place::new(self.place.file, key.span());
            let written = key.get_ref();
            let all = || known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
            let finding = Finding::error("unknown-key", place, format!("unknown key `{written}` in {}", self.what))
                .help(format!("known keys are {}", all()))
                .nearest(written, known.iter().copied());
            self.findings.add(finding);
            if nearest(written, known.iter().copied()).is_some_and(|near| SECRET_KEYS.contains(&near)) {
                self.findings.hide(Place::new(self.place.file, value.span()));
            }
        }
    }
}

/// A value being read.
#[derive(Debug, Clone, Copy)]
pub struct Value<'a> {
    findings: &'a Findings,
    key: Place,
    key_name: &'a str,
    inner: &'a Spanned<DeValue<'a>>,
}

impl<'a> Value<'a> {
    /// Where the value stands.
    pub fn place(&self) -> Place {
        Place::new(self.key.file, self.inner.span())
    }

    /// Where its key stands.
    pub fn key_place(&self) -> Place {
        self.key
    }

    /// Where findings go.
    pub fn findings(&self) -> &'a Findings {
        self.findings
    }

    /// Keeps the value out of excerpts, because it is a secret or could be one.
    pub fn hide(&self) {
        self.findings.hide(self.place());
    }

    /// The value as the parser has it, for keys that take several types.
    pub fn raw(&self) -> &'a DeValue<'a> {
        self.inner.get_ref()
    }

    /// Notes a mistake in the value.
    pub fn error(&self, code: &'static str, message: impl Into<String>) {
        self.findings.add(Finding::error(code, self.place(), message));
    }

    /// Notes that the value is of a type that the key does not take.
    pub fn wrong_type<T>(&self, expected: &str) -> Option<T> {
        let found = match self.raw() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a float",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "an array",
            DeValue::Table(_) => "a table",
        };
        let finding = Finding::error("wrong-type", self.place(), format!("`{}` must be {expected}", self.key_name));
        self.findings.add(finding.label(format!("this is {found}")));
        None
    }

    /// The items of an array, or the value itself as the only item.
    pub fn items<T>(self, read: impl FnMut(Self) -> Option<T>) -> Vec<T> {
        if let DeValue::Array(array) = self.raw() {
            array.iter().map(|value| Self { inner: value, ..self }).filter_map(read).collect()
        } else {
            std::iter::once(self).filter_map(read).collect()
        }
    }

    fn some_items<T>(self, read: impl FnMut(Self) -> Option<T>) -> Vec<T> {
        if matches!(self.raw(), DeValue::Array(array) if array.is_empty()) {
            self.error("bad-value", format!("`{}` is empty; leave it out or name something", self.key_name));
        }
        self.items(read)
    }

    /// The items of what must be an array.
    pub fn array<T>(self, expected: &str, read: impl FnMut(Self) -> Option<T>) -> Vec<T> {
        if let DeValue::Array(_) = self.raw() {
            self.items(read)
        } else {
            self.wrong_type::<Vec<T>>(expected).unwrap_or_default()
        }
    }

    /// A table, read to its end. `what` is what messages call it.
    pub fn table<T>(self, what: impl Into<String>, read: impl FnOnce(&Table<'a>) -> Option<T>) -> Option<T> {
        let DeValue::Table(entries) = self.raw() else { return self.wrong_type("a table") };
        let (findings, place) = (self.findings, self.place());
        let table = Table { findings, place, what: what.into(), entries, known: RefCell::default() };
        let value = read(&table);
        table.finish();
        value
    }

    /// A table whose keys are names, such as `[role]`.
    pub fn names<T>(self, expected: &str, mut read: impl FnMut(Located<Arc<str>>, Self) -> Option<T>) -> Vec<T> {
        let DeValue::Table(entries) = self.raw() else {
            return self.wrong_type::<Vec<T>>(expected).unwrap_or_default();
        };
        let (findings, place) = (self.findings, self.place());
        let table = Table { findings, place, what: String::new(), entries, known: RefCell::default() };
        table.entries().filter_map(|(name, value)| read(name, value)).collect()
    }

    /// A string.
    pub fn string(self) -> Option<Arc<str>> {
        if let DeValue::String(text) = self.raw() { Some(Arc::from(&**text)) } else { self.wrong_type("a string") }
    }

    /// A string that is not empty.
    pub fn text(self) -> Option<Arc<str>> {
        let text = self.string()?;
        if text.trim().is_empty() {
            self.error("bad-value", format!("`{}` must not be empty", self.key_name));
            return None;
        }
        // Neither errors of a server's protocol nor lines of a log can carry them.
        if text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            self.error("bad-value", format!("`{}` must not hold control characters", self.key_name));
            return None;
        }
        Some(text)
    }

    /// A string that can be a name, with its place.
    pub fn name(self) -> Option<Located<Arc<str>>> {
        let name = Located { value: self.text()?, place: self.place() };
        if let Some(reason) = not_a_name(&name.value) {
            self.error("bad-name", format!("`{}` {reason}", self.key_name));
            return None;
        }
        Some(name)
    }

    /// True or false.
    pub fn boolean(self) -> Option<bool> {
        if let DeValue::Boolean(value) = self.raw() { Some(*value) } else { self.wrong_type("`true` or `false`") }
    }

    /// A whole number of a range.
    pub fn integer<N: TryFrom<i64> + std::fmt::Display + PartialOrd + Copy>(self, least: N, most: N) -> Option<N> {
        self.number(|n| *n >= least && *n <= most, || format!("from {least} to {most}"))
    }

    /// A whole number that is not less than another.
    pub fn at_least<N: TryFrom<i64> + std::fmt::Display + PartialOrd + Copy>(self, least: N) -> Option<N> {
        self.number(|n| *n >= least, || format!("at least {least}, and not too large"))
    }

    fn number<N: TryFrom<i64>>(self, fits: impl FnOnce(&N) -> bool, expected: impl FnOnce() -> String) -> Option<N> {
        let DeValue::Integer(digits) = self.raw() else { return self.wrong_type("a whole number") };
        let number = i64::from_str_radix(digits.as_str(), digits.radix()).ok();
        let number = number.and_then(|number| N::try_from(number).ok()).filter(fits);
        if number.is_none() {
            self.error("bad-value", format!("`{}` must be {}", self.key_name, expected()));
        }
        number
    }

    /// One word of a list.
    pub fn choice<T: Copy>(self, choices: &[(&'static str, T)]) -> Option<T> {
        let word = self.string()?;
        if let Some((_, value)) = choices.iter().find(|(name, _)| **name == *word) {
            return Some(*value);
        }
        let all = choices.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let finding = Finding::error("bad-value", self.place(), format!("`{word}` is no value of `{}`", self.key_name))
            .help(format!("known are {all}"))
            .nearest(&word, choices.iter().map(|(name, _)| *name));
        self.findings.add(finding);
        None
    }

    /// A string read by a function that says what is wrong with it.
    pub fn parsed<T>(self, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        parse(&self.string()?).map_err(|reason| self.error("bad-value", reason)).ok()
    }
}

/// Why a text cannot be a name, which stands in lines of logs and in messages.
pub fn not_a_name(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        Some("must not be empty")
    } else if text.contains(char::is_control) {
        Some("must not hold line breaks or other control characters")
    } else if text.trim() != text {
        Some("must not begin or end with white space")
    } else {
        None
    }
}
