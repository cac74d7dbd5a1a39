//! What a session is on either protocol: who, as which role, on which source; and what all sessions of a node share.
//!
//! In: rules, users, sources, the audit log. Out: the current [`VirtualDatabase`](crate::pipeline::VirtualDatabase) of a
//! role, the registry of live sessions, limits. Never knows: bytes on a wire.

pub mod acting;
pub mod admission;
pub mod alerts;
pub mod begun;
pub mod buffers;
pub mod concurrency;
mod learned_file;
pub mod learning;
pub mod metrics;
pub mod node;
pub mod prepared;
pub mod refresh;
pub mod registry;
pub mod source;
pub mod transaction;
pub mod watch;

pub use acting::{Acting, Revoked};
pub use alerts::Alerts;
pub use begun::{Begun, NotBegun};
pub use concurrency::{Concurrency, Turn};
pub use learning::Learning;
pub use metrics::Metrics;
pub use node::{Listeners, Node, Rules, Timeouts};
pub use prepared::Prepared;
pub use refresh::{Refresh, Ticket};
pub use registry::{Entry, Registry, ServerSession, Slot, Wish};
pub use source::{MySqlServer, Secret, Source, SourceSpec};
pub use transaction::TransactionalSettings;
pub use watch::Watch;

pub use crate::net::TlsMode;
