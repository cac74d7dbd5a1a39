//! The PostgreSQL side: sessions of clients, connections to servers, and what goes between them.
//!
//! In: a socket and the [`Node`](crate::session::Node). Out: bytes on wires, audit records. A statement goes to a server
//! only with a [`Permit`](crate::pipeline::Permit). Never knows: how decisions are made, MySQL.

pub mod introspect;
pub mod upstream;
pub mod wire;
