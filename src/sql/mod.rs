//! SQL as text: reading it the way the server does and writing it so that the server reads the same.
//!
//! In: statement text of a client. Out: tokens, a syntax tree whose spans are token numbers, emitted text,
//! fingerprints, the leading comment of a BI tool. Never knows: catalogs, roles, rules.

pub mod dialect;

pub use dialect::Engine;
