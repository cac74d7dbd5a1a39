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

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_make_a_reader_panic(bytes in vec(any::<u8>(), 0..200)) {
            let _ = Header::read(&bytes);
            let _ = startup::read(&bytes);
            let _ = frontend::Parse::read(&bytes);
            let _ = frontend::read_query(&bytes);
            let _ = frontend::read_bind_names(&bytes);
            let _ = frontend::read_target(&bytes);
            let _ = frontend::read_execute(&bytes);
            let _ = frontend::read_sasl_initial(&bytes);
            let _ = backend::Authentication::read(&bytes);
            let _ = backend::read_parameter(&bytes);
            let _ = backend::read_command_tag(&bytes).map(backend::rows_of_tag);
            let _ = backend::read_key(&bytes);
            // Both walks end, however broken the message.
            let _ = backend::columns(&bytes).count();
            let _ = backend::error_fields(&bytes).count();
        }

        #[test]
        fn a_message_that_was_written_is_read_back(
            name in "[a-z]{0,70}", text in "[^\0]{0,60}", types in vec(any::<u32>(), 0..4),
        ) {
            let mut encoded = u16::try_from(types.len()).unwrap().to_be_bytes().to_vec();
            encoded.extend(types.iter().flat_map(|t| t.to_be_bytes()));
            let parse = frontend::Parse { name: name.as_bytes(), text: text.as_bytes(), types: &encoded };
            let mut out = Vec::new();
            parse.write(&mut out);
            let header = Header::read(&out).unwrap().unwrap();
            prop_assert_eq!(header.total(), out.len());
            prop_assert_eq!(frontend::Parse::read(&out[HEADER..]), Ok(parse));
        }
    }
}
