//! From statement text to verdict: the pure part of a statement's life.
//!
//! In: text, and what the role sees ([`VirtualDatabase`]). Out: a [`Decision`]. Never knows: sockets, files, clocks.

mod cache;
mod derivation;
mod estimate;
mod facts;
mod firewall;
mod fragments;
mod observation;
mod plan;
mod position;
mod read_back;
mod reading;
mod result_columns;
mod role_rules;
mod row_filter;
mod session_objects;
mod session_statement;
mod set_config;
mod stored;
mod system_table;
mod target_text;
mod template;
mod trace;
pub mod verdict;
pub mod virtual_database;

pub use estimate::Estimable;
pub use session_objects::SessionObjects;
pub use target_text::ROW_FILTER_MARK;
pub use trace::trace;
pub use verdict::{Decision, Denial, Effect, Permit, Verdict};
pub use virtual_database::{Person, Settings, VirtualDatabase};
