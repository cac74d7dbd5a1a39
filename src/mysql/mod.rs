//! The MySQL and MariaDB side: clients that log in here, servers that are reached, and the loop between them.
//!
//! In: sockets, a [`Node`](crate::session::Node). Out: packets for both sides; every statement decided and recorded
//! first. Never knows: how a decision is made, the other protocol.

pub mod accept;
pub mod auth;
pub mod cancel;
pub mod client;
pub mod introspect;
pub mod login;
pub mod pending;
pub mod reply;
pub mod session;
pub mod upstream;
pub mod wire;
