//! What a session is on either protocol: who, as which role, on which source; and what all sessions of a node share.
//!
//! In: rules, users, sources, the audit log. Out: the current [`VirtualDatabase`](crate::pipeline::VirtualDatabase) of a
//! role, the registry of live sessions, limits. Never knows: bytes on a wire.

pub mod node;
pub mod source;

pub use node::{Node, Rules};
pub use source::{MySqlServer, Secret, Source, SourceSpec};

pub use crate::net::TlsMode;
