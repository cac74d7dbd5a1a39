//! Puts the text for the server together: the source's own tokens, and what stands in the place of some of them.
//!
//! Tokens that stood together stay together, everything else is one space apart, comments are left out. Each part
//! remembers whether it is a token of the source or was made here, which is what [`verify`](super::verify) checks.

use std::cmp::Reverse;
use std::ops::Range;

use crate::resolve::{Edit, Resolved};
use crate::sql::ast::Tokens;
use crate::sql::{Script, Token};

/// A run of the emitted text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its bytes in the emitted text.
    pub bytes: Range<usize>,
    /// The token of the source that it is; `None` for what was made here.
    pub token: Option<usize>,
}

/// The text for the server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Emitted {
    /// The text.
    pub sql: String,
    /// What it is made of, in order; the spaces between are in no part.
    pub parts: Vec<Part>,
}

/// Something that stands in the place of tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    /// The tokens left out; empty to insert before a token.
    pub tokens: Range<usize>,
    /// What stands there.
    pub text: String,
}

impl Replacement {
    /// Replaces tokens of a tree.
    pub fn new(tokens: &Tokens, text: impl Into<String>) -> Self {
        let index = |token: u32| usize::try_from(token).unwrap_or(usize::MAX);
        Self { tokens: index(tokens.start)..index(tokens.end), text: text.into() }
    }
}

impl From<&Edit> for Replacement {
    fn from(edit: &Edit) -> Self {
        Self::new(&edit.tokens, edit.text.clone())
    }
}

/// The changes that do not depend on how relations appear.
pub fn plain_edits(resolved: &Resolved) -> Vec<Replacement> {
    resolved.edits.iter().map(Replacement::from).collect()
}

/// A token at which two replacements meet of which neither holds the other: one of them would be lost.
pub fn conflict(replacements: &[Replacement]) -> Option<usize> {
    let mut ranges: Vec<&Replacement> = replacements.iter().filter(|one| !one.tokens.is_empty()).collect();
    ranges.sort_by_key(|one| (one.tokens.start, Reverse(one.tokens.end)));
    let mut around: Option<&Replacement> = None;
    for one in ranges {
        match around {
            Some(outer) if one.tokens.start < outer.tokens.end => {
                let is_twice = one.tokens == outer.tokens && one.text != outer.text;
                if is_twice || one.tokens.end > outer.tokens.end {
                    return Some(one.tokens.start);
                }
            }
            Some(_) | None => around = Some(one),
        }
    }
    None
}

/// The text of a token as it stands in SQL, given all tokens.
pub fn source_of<'t>(text: &'t str, tokens: &[Token], range: &Tokens) -> &'t str {
    let at = |token: u32| tokens.get(usize::try_from(token).ok()?);
    let last = range.end.checked_sub(1);
    match (at(range.start), last.and_then(at)) {
        (Some(first), Some(last)) => text.get(first.start as usize..last.end as usize).unwrap_or_default(),
        _ => "",
    }
}

impl Emitted {
    /// Appends the tokens `range` of a script, changed. Replacements may stand in any order; where several begin at one
    /// token, insertions come first, in their order, and a schema put before a name comes last of them. What stands inside
    /// of something replaced goes with it; see [`conflict`].
    pub fn append(&mut self, text: &str, script: &Script, range: Range<usize>, mut replacements: Vec<Replacement>) {
        replacements.sort_by_key(|replacement| {
            let len = replacement.tokens.len();
            (replacement.tokens.start, len > 0, Reverse(len), is_qualifier(&replacement.text))
        });
        let mut waiting = replacements.into_iter().peekable();
        let mut at = range.start;
        let mut last_end = None;
        while at <= range.end {
            while let Some(replacement) = waiting.next_if(|replacement| replacement.tokens.start <= at) {
                if replacement.tokens.start < at {
                    // Inside of what was left out.
                    continue;
                }
                self.push_made(&replacement.text);
                last_end = None;
                if !replacement.tokens.is_empty() {
                    at = at.max(replacement.tokens.end);
                }
            }
            let Some(token) = script.tokens.get(at).filter(|_| at < range.end) else { break };
            self.push_token(text, token, at, last_end == Some(token.start));
            last_end = Some(token.end);
            at += 1;
        }
    }

    fn push_token(&mut self, text: &str, token: &Token, number: usize, joined: bool) {
        let source = token.text(text);
        // On MySQL two minus signs are a comment if a blank follows, which what was put behind them could begin with.
        let qualified = self.parts.last().is_some_and(|part| part.token.is_none()) && is_qualifier(&self.sql);
        if !(joined || qualified) || (source == "-" && self.sql.ends_with('-')) {
            self.space();
        }
        let start = self.sql.len();
        self.sql.push_str(source);
        self.parts.push(Part { bytes: start..self.sql.len(), token: Some(number) });
    }

    /// What was emitted from the part numbered `from` on for these source tokens, before which and behind which others
    /// stand, or the end.
    pub fn between(&self, from: usize, tokens: &Tokens) -> Option<Box<str>> {
        let parts = self.parts.get(from..)?;
        let of = |number: u32| {
            let number = usize::try_from(number).ok()?;
            parts.iter().find(|part| part.token == Some(number)).map(|part| part.bytes.clone())
        };
        let start = of(tokens.start.checked_sub(1)?)?.end;
        let end = of(tokens.end).map_or(self.sql.len(), |next| next.start);
        self.sql.get(start..end).map(|text| text.trim().into())
    }

    /// Appends something made here.
    pub fn push_made(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.space();
        let start = self.sql.len();
        self.sql.push_str(text);
        self.parts.push(Part { bytes: start..self.sql.len(), token: None });
    }

    fn space(&mut self) {
        if !self.sql.is_empty() && !self.sql.ends_with(' ') {
            self.sql.push(' ');
        }
    }
}

/// Whether a text ends in a schema for the name behind it.
pub fn is_qualifier(text: &str) -> bool {
    text.ends_with('.')
}
