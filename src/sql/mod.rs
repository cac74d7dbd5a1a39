//! SQL text: tokens, grammar, and text again.
//!
//! In: what a client sent. Out: tokens, a syntax tree whose nodes know their tokens, a fingerprint, the leading comment.
//! Never knows: what a name means, who asks, what is allowed.
//!
//! Both engines have a lexer and a grammar of their own, which follow the server's rule for rule, and share one tree.
//! A parser crate is not used: printing or reading differently from the server is how injections are made, and what
//! decides about protected data must read every token the way that the server does.

pub mod ast;
pub mod cursor;
pub mod dialect;
pub mod literal;
#[cfg(test)]
mod mentions;
pub mod mysql;
pub mod postgres;
pub mod row_limit;
pub mod script;
pub mod syntax_error;
pub mod token;

pub use dialect::Engine;
pub use script::{Reading, Script};
pub use syntax_error::SyntaxError;
pub use token::{LexError, LexErrorKind, Token, TokenKind};
