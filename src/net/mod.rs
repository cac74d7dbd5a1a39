//! Sockets and TLS, as both protocols use them.
//!
//! In: addresses, certificates, a stream on which TLS was agreed. Out: a [`Stream`] that reads and writes bytes,
//! whatever carries them. Never knows: messages of a database protocol, users, rules.

pub mod certificate;
pub mod connect;
pub mod stream;
pub mod tls;

pub use connect::{Address, tune};
pub use stream::Stream;
pub use tls::{ClientTls, ServerTls, TlsError, TlsMode};
