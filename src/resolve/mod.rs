//! Binds every name of a statement to the catalog.
//!
//! In: a statement's tree and tokens, and the [`World`] of a role. Out: which tokens mention which relation, and what of
//! it is used; or a [`Refusal`]. Each kind of node is understood or refused. Never knows: how a mask is written,
//! sockets, files.

mod refusal;
mod world;

pub use refusal::{INSUFFICIENT_PRIVILEGE, NOT_SUPPORTED, Refusal, SYNTAX_ERROR, UNDEFINED_TABLE};
pub use world::{Rules, World, is_system_schema};
