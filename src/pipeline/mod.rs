//! From statement text to verdict: the pure part of a statement's life.
//!
//! In: text, and a [`PlanContext`] (rules, role, catalog snapshot, session settings). Out: a [`Decision`].
//! Never knows: sockets, files, clocks.

pub mod planner;
pub mod verdict;

pub use planner::{PlanContext, Planner};
pub use verdict::{Decision, Denial, Effect, Facts, ObjectUse, Permit, Shown, Verdict};
