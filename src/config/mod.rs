//! What this node listens on and connects to, and the loading of everything that people write: `sekisho.toml`,
//! `users.toml` and the rule files.
//!
//! In: the path of `sekisho.toml`. Out: [`Loaded`] or every mistake in all files; later, changes of the files
//! ([`watch`]) and what came of reading them again ([`reload`]). Never knows: protocols, statements.

mod audit_log;
mod cross_check;
mod listen;
mod load;
mod masking;
mod path;
mod reload;
mod secret;
mod settings;
mod source;
mod users;
mod watch;

pub use load::{Loaded, Secrets, load, load_with};
pub use reload::{Reloaded, reload};
pub use settings::{Config, Files, Listen, Options, Tls};
pub use watch::{Changes, watch};
