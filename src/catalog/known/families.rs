//! Names in families that share one rule: the form in which the lists are written and reviewed.

use std::collections::HashMap;

/// A look-up of names.
#[derive(Debug)]
pub(super) struct Families<R> {
    by_name: HashMap<&'static str, R>,
}

impl<R: Copy> Families<R> {
    /// Reads families: a rule and the names it holds for, divided by white space.
    pub(super) fn new(families: &[(R, &'static str)]) -> Self {
        let names = families.iter().flat_map(|(rule, names)| names.split_ascii_whitespace().map(|name| (name, *rule)));
        Self { by_name: names.collect() }
    }

    /// The rule for a name.
    pub(super) fn get(&self, name: &str) -> Option<R> {
        self.by_name.get(name).copied()
    }

    /// All names with their rules, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, R)> {
        self.by_name.iter().map(|(name, rule)| (*name, *rule))
    }
}

/// Fails where a list is not sorted or names something twice.
#[cfg(test)]
pub(super) fn check<R: Copy>(families: &[(R, &'static str)]) {
    let mut seen = std::collections::HashSet::new();
    for (_, names) in families {
        let names: Vec<&str> = names.split_ascii_whitespace().collect();
        for pair in names.windows(2) {
            assert!(pair[0] < pair[1], "{} stands before {}", pair[0], pair[1]);
        }
        for name in names {
            assert!(seen.insert(name), "{name} is listed twice");
        }
    }
}
