//! One part of a pattern: a word in which `*` stands for any run of characters, compiled for quick matching.

/// A compiled word with `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Glob {
    /// `*`.
    Any,
    /// A word without `*`.
    Exact(Box<str>),
    /// What stands before the first `*`, between two of them, and after the last.
    Pieces { first: Box<str>, middle: Box<[Box<str>]>, last: Box<str> },
}

impl Glob {
    /// Compiles a word given as the literal texts between its `*`: `a*b` is `["a", "b"]`, `*` is `["", ""]`.
    pub(super) fn new(literals: &[String]) -> Self {
        match literals {
            [] => Self::Exact("".into()),
            [word] => Self::Exact(word.as_str().into()),
            [first, middle @ .., last] => {
                let middle: Box<[Box<str>]> =
                    middle.iter().filter(|piece| !piece.is_empty()).map(|piece| piece.as_str().into()).collect();
                if first.is_empty() && middle.is_empty() && last.is_empty() {
                    Self::Any
                } else {
                    Self::Pieces { first: first.as_str().into(), middle, last: last.as_str().into() }
                }
            }
        }
    }

    /// Whether a word is one that the pattern stands for. The earliest place is taken for each piece in the middle,
    /// which finds a match whenever there is one.
    pub(super) fn matches(&self, word: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(exact) => **exact == *word,
            Self::Pieces { first, middle, last } => {
                let Some(rest) = word.strip_prefix(&**first) else { return false };
                let Some(mut rest) = rest.strip_suffix(&**last) else { return false };
                for piece in middle {
                    let Some((_, after)) = rest.split_once(&**piece) else { return false };
                    rest = after;
                }
                true
            }
        }
    }

    /// Whether some word is matched by both.
    pub(super) fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) | (_, Self::Any) => return true,
            (Self::Exact(word), pattern) | (pattern, Self::Exact(word)) => return pattern.matches(word),
            (Self::Pieces { .. }, Self::Pieces { .. }) => {}
        }
        let (a, b) = (self.symbols(), other.symbols());
        // `reach[j]`: whether the part of `a` read so far and `b[..j]` have a word in common.
        let mut reach = vec![false; b.len() + 1];
        for i in 0..=a.len() {
            let mut row = vec![false; b.len() + 1];
            for j in 0..=b.len() {
                let (left, right) = (i.checked_sub(1), j.checked_sub(1));
                let at = |row: &[bool], j: Option<usize>| j.and_then(|j| row.get(j)).copied().unwrap_or(false);
                let x = left.and_then(|i| a.get(i)).copied();
                let y = right.and_then(|j| b.get(j)).copied();
                let yes = match (x, y) {
                    (None, None) => true,
                    (Some(None), _) if at(&reach, Some(j)) => true,
                    (_, Some(None)) if at(&row, right) => true,
                    (Some(None), Some(_)) => at(&row, right),
                    (Some(_), Some(None)) => at(&reach, Some(j)),
                    (Some(Some(x)), Some(Some(y))) => x == y && at(&reach, right),
                    (Some(_), None) | (None, Some(_)) => false,
                };
                if let Some(cell) = row.get_mut(j) {
                    *cell = yes;
                }
            }
            reach = row;
        }
        reach.last().copied().unwrap_or(false)
    }

    /// The characters of the pattern; `None` is `*`.
    fn symbols(&self) -> Vec<Option<char>> {
        match self {
            Self::Any => vec![None],
            Self::Exact(word) => word.chars().map(Some).collect(),
            Self::Pieces { first, middle, last } => {
                let mut symbols: Vec<_> = first.chars().map(Some).collect();
                symbols.push(None);
                for piece in middle {
                    symbols.extend(piece.chars().map(Some));
                    symbols.push(None);
                }
                symbols.extend(last.chars().map(Some));
                symbols
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn glob(pattern: &str) -> Glob {
        Glob::new(&pattern.split('*').map(str::to_owned).collect::<Vec<_>>())
    }

    /// What `*` means, in the fewest words.
    fn naive(pattern: &[char], word: &[char]) -> bool {
        match pattern {
            [] => word.is_empty(),
            ['*', rest @ ..] => (0..=word.len()).any(|skip| naive(rest, &word[skip..])),
            [c, rest @ ..] => word.first() == Some(c) && naive(rest, &word[1..]),
        }
    }

    fn chars(text: &str) -> Vec<char> {
        text.chars().collect()
    }

    #[test]
    fn examples() {
        assert_eq!(glob("*"), Glob::Any);
        assert_eq!(glob("**"), Glob::Any);
        assert!(glob("daily_*").matches("daily_sales"));
        assert!(!glob("daily_*").matches("weekly_sales"));
        assert!(glob("*_at").matches("created_at"));
        assert!(!glob("a*a").matches("a"), "the ends do not overlap");
        assert!(glob("a*b*c").matches("a-b-b-c"));
        assert!(!glob("a*b*b*c").matches("abc"));
        assert!(glob("顧*").matches("顧客"));
    }

    proptest! {
        #[test]
        fn matches_what_the_naive_matcher_matches(pattern in "[abé*]{0,8}", word in "[abé]{0,10}") {
            prop_assert_eq!(glob(&pattern).matches(&word), naive(&chars(&pattern), &chars(&word)));
        }

        #[test]
        fn patterns_that_match_one_word_meet(a in "[ab*]{0,6}", b in "[ab*]{0,6}", word in "[ab]{0,6}") {
            if glob(&a).matches(&word) && glob(&b).matches(&word) {
                prop_assert!(glob(&a).meets(&glob(&b)));
            }
            prop_assert_eq!(glob(&a).meets(&glob(&b)), glob(&b).meets(&glob(&a)));
        }

        #[test]
        fn meeting_an_exact_word_is_matching_it(pattern in "[ab*]{0,6}", word in "[ab]{0,6}") {
            prop_assert_eq!(glob(&pattern).meets(&glob(&word)), glob(&pattern).matches(&word));
        }
    }
}
