//! SQL that authors of rules wrote, made safe to stand inside parentheses.
//!
//! It is read token by token and put together again with single spaces, so that no comment in it reaches beyond
//! its end; it must not close a parenthesis that it did not open, and must not end the statement.

use thiserror::Error;

use crate::sql::mysql::{Flavour, SqlMode};
use crate::sql::{Engine, LexError, Token, TokenKind, mysql, postgres};

/// Why a fragment cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FragmentError {
    /// Nothing is in it.
    #[error("it is empty")]
    Empty,
    /// It does not consist of tokens.
    #[error("{0}")]
    Lex(#[from] LexError),
    /// Parentheses or brackets do not match.
    #[error("its parentheses do not match")]
    Unbalanced,
    /// A semicolon.
    #[error("it contains `;`; write one expression")]
    Semicolon,
}

/// The tokens of a fragment, checked.
pub(super) fn tokens(engine: Engine, text: &str) -> Result<Vec<Token>, FragmentError> {
    let tokens = match engine {
        Engine::Postgres => postgres::lexer::tokens(text)?,
        // Rules are read in one way, whatever a session's `sql_mode` is.
        Engine::MySql => mysql::lexer::tokens(text, SqlMode::default(), Flavour::MySql)?,
    };
    if tokens.is_empty() {
        return Err(FragmentError::Empty);
    }
    let mut open = Vec::new();
    for token in tokens.iter().filter(|token| token.kind == TokenKind::Punctuation) {
        match token.text(text) {
            "(" => open.push(")"),
            "[" => open.push("]"),
            close @ (")" | "]") if open.pop() != Some(close) => return Err(FragmentError::Unbalanced),
            ";" => return Err(FragmentError::Semicolon),
            _ => {}
        }
    }
    if open.is_empty() { Ok(tokens) } else { Err(FragmentError::Unbalanced) }
}

/// A fragment put together again. `replace` gives what stands in the place of the first tokens and how many they are;
/// `None` leaves the first token.
pub(super) fn emit<E>(
    text: &str,
    tokens: &[Token],
    mut replace: impl FnMut(&[Token]) -> Result<Option<(String, usize)>, E>,
) -> Result<String, E> {
    let mut out = String::with_capacity(text.len());
    let mut rest = tokens;
    let mut end = None;
    while let Some(token) = rest.first() {
        // Blanks are kept as one: MySQL takes `count (` for something else than `count(`.
        if end.is_some_and(|end| end != token.start) {
            out.push(' ');
        }
        let count = if let Some((replacement, count)) = replace(rest)? {
            out.push_str(&replacement);
            count.max(1)
        } else {
            out.push_str(token.text(text));
            1
        };
        end = rest.get(count - 1).map(|token| token.end);
        rest = rest.get(count..).unwrap_or_default();
    }
    Ok(out)
}

/// A fragment as one expression.
pub(super) fn expression(engine: Engine, text: &str) -> Result<String, FragmentError> {
    let tokens = tokens(engine, text)?;
    emit(text, &tokens, |_| Ok(None))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pg(text: &str) -> Result<String, FragmentError> {
        expression(Engine::Postgres, text)
    }

    #[test]
    fn comments_and_loose_parentheses_do_not_reach_out() {
        assert_eq!(pg("a||b -- c\n  <> 'x' /* ) */").unwrap(), "a||b <> 'x'");
        assert_eq!(pg("a) or (true"), Err(FragmentError::Unbalanced));
        assert_eq!(pg("a[1)"), Err(FragmentError::Unbalanced));
        assert_eq!(pg("(a"), Err(FragmentError::Unbalanced));
        assert_eq!(pg("a; drop table b"), Err(FragmentError::Semicolon));
        assert_eq!(pg(" -- nothing"), Err(FragmentError::Empty));
        assert!(matches!(pg("'a"), Err(FragmentError::Lex(_))));
        assert_eq!(expression(Engine::MySql, "count(a) # b\n+ 1").unwrap(), "count(a) + 1");
    }
}
