//! Messages of PostgreSQL's protocol, version 3 (manual, "Frontend/Backend Protocol").
//!
//! In: bytes. Out: headers, and the fields of those messages that must be read; bytes of messages that the proxy says
//! itself. Never knows: sockets, sessions, what a message means for the next one.

pub mod backend;
pub mod fields;
pub mod frame;
pub mod frontend;
pub mod startup;

pub use fields::{Fields, MessageWriter};
pub use frame::{HEADER, Header};

/// Bytes that are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// A length below the least or above what is accepted.
    #[error("invalid message length")]
    Length,
    /// A message ends before its fields do.
    #[error("insufficient data left in message")]
    Truncated,
    /// A message goes on after its fields.
    #[error("invalid message format")]
    Trailing,
    /// A string without its end.
    #[error("invalid string in message")]
    Unterminated,
    /// A type that the protocol does not have here.
    #[error("invalid frontend message type {0}")]
    UnknownType(u8),
    /// Bytes that are not the text they must be.
    #[error("invalid byte sequence for encoding \"UTF8\"")]
    NotUtf8,
}
