//! Why a sequence of tokens is no statement that the grammar knows.

use thiserror::Error;

/// A text that is not understood.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct SyntaxError {
    /// What is wrong, for the person who wrote the statement.
    pub message: Box<str>,
    /// The token that is not expected; `None` at the end of the text.
    pub token: Option<u32>,
}
