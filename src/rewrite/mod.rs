//! From what was found to text: derived tables with masks and filters in the place of relations, and the check that the
//! text reads as it was meant.
//!
//! In: [`Resolved`](crate::resolve::Resolved), a role's access. Out: the text for the server. Never knows: who asks, how
//! names were resolved, the network, the masking keys themselves.

pub mod derived;
pub mod emit;
pub mod filter;
mod fragment;
mod literal;
pub mod masks;
pub mod verify;
