//! Who may log in, and how they prove it.
//!
//! In: `users.toml`, and the messages of an authentication exchange as bytes. Out: a user, or why not. Pure: no sockets,
//! no files; randomness is an argument.

pub mod caching_sha2_password;
pub mod ed25519;
pub mod lockout;
pub mod native_password;
pub mod scram;
pub mod users;

pub use lockout::Lockout;
pub use users::{User, Users};
