//! Row filters: the predicate of a rule with what is known of the person in place of `:name`.
//!
//! `:name` is an attribute of the user, `:user` the name logged in with, `:role` the session's role. Each becomes a string
//! literal, on PostgreSQL one without a type, so that `id = :id` compares numbers when `id` is one. A colon that is
//! doubled (`::`), stands before `=`, or has a blank behind it is no placeholder; nor is one in a literal or comment.

use thiserror::Error;

use super::fragment::{self, FragmentError};
use super::literal;
use crate::policy::Attributes;
use crate::sql::{Engine, Token, TokenKind};

/// Why a filter cannot be applied. Nobody may read the table until it is mended.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FilterError {
    /// The person has no such attribute.
    #[error("user `{user}` has no attribute `{name}`, which a row filter needs; add it in users.toml")]
    MissingAttribute {
        /// The person.
        user: String,
        /// The attribute.
        name: String,
    },
    /// The predicate is not SQL that can stand in a condition.
    #[error("the row filter cannot be read: {0}")]
    Fragment(#[from] FragmentError),
}

/// The predicate as SQL for one person, without comments. It can stand in parentheses.
pub fn render(
    engine: Engine,
    predicate: &str,
    attributes: &Attributes,
    user: &str,
    role: &str,
) -> Result<String, FilterError> {
    let tokens = fragment::tokens(engine, predicate)?;
    fragment::emit(predicate, &tokens, |rest| {
        let Some(name) = placeholder(predicate, rest) else { return Ok(None) };
        let value = match name {
            "user" => user,
            "role" => role,
            name => attributes
                .get(name)
                .map(|value| &**value)
                .ok_or_else(|| FilterError::MissingAttribute { user: user.to_owned(), name: name.to_owned() })?,
        };
        Ok(Some((literal::string(engine, value), 2)))
    })
}

/// The name of the placeholder at the beginning of these tokens: a colon and, directly behind it, a word.
fn placeholder<'t>(text: &'t str, tokens: &[Token]) -> Option<&'t str> {
    let [colon, name, ..] = tokens else { return None };
    let joined = colon.text(text) == ":" && name.kind == TokenKind::Word && colon.end == name.start;
    joined.then(|| name.text(text))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn attributes() -> Attributes {
        let pairs = [("region", "EU"), ("team", r"O'Neill\"), ("evil", "' or true --")];
        pairs.iter().map(|(name, value)| (Arc::from(*name), Arc::from(*value))).collect()
    }

    fn pg(predicate: &str) -> Result<String, FilterError> {
        render(Engine::Postgres, predicate, &attributes(), "hanako", "analyst")
    }

    fn my(predicate: &str) -> Result<String, FilterError> {
        render(Engine::MySql, predicate, &attributes(), "hanako", "analyst")
    }

    #[test]
    fn placeholders_become_literals() {
        assert_eq!(pg("region = :region").unwrap(), "region = 'EU'");
        assert_eq!(pg("owner=:user and :role <> 'x'").unwrap(), "owner='hanako' and 'analyst' <> 'x'");
        assert_eq!(pg("region = :region::text").unwrap(), "region = 'EU'::text");
        assert_eq!(my("region = :region").unwrap(), "region = 'EU'");
    }

    #[test]
    fn values_cannot_end_their_literal() {
        assert_eq!(pg("team = :team").unwrap(), r"team = E'O''Neill\\'");
        assert_eq!(pg("a = :evil").unwrap(), "a = ''' or true --'");
        assert_eq!(my("team = :team").unwrap(), "team = _utf8mb4 0x4f274e65696c6c5c");
        assert_eq!(my("a = :evil").unwrap(), "a = _utf8mb4 0x27206f722074727565202d2d");
    }

    #[test]
    fn other_colons_stay() {
        assert_eq!(pg("a::text = ':region' -- :nothing").unwrap(), "a::text = ':region'");
        assert_eq!(pg("a[1 : 2] = b[lo : hi]").unwrap(), "a[1 : 2] = b[lo : hi]");
        assert_eq!(pg(r#"f(a := 1, ":region")"#).unwrap(), r#"f(a := 1, ":region")"#);
    }

    #[test]
    fn what_is_not_known_or_not_a_condition_is_refused() {
        let error = pg("country = :country").unwrap_err();
        assert_eq!(
            error.to_string(),
            "user `hanako` has no attribute `country`, which a row filter needs; add it in users.toml"
        );
        assert!(matches!(pg("a = 1) or (true"), Err(FilterError::Fragment(FragmentError::Unbalanced))));
        assert!(matches!(my("a = 1; delete from t"), Err(FilterError::Fragment(FragmentError::Semicolon))));
    }
}
