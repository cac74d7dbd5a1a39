//! The process around the sessions: threads, listeners, refreshing catalogs, reload, shutdown.
//!
//! In: a [`Node`](crate::session::Node) and where to listen. Out: sessions handed to worker threads. Never knows: messages of a
//! protocol, decisions.

pub mod admin;
pub mod workers;

pub use workers::Workers;
