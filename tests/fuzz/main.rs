//! Random input against everything that reads bytes of strangers: frames of both protocols, statements of both
//! grammars, decisions.
//!
//! Each target takes good input apart, changes it, and looks for panics, for endless work, and for what a reader and a
//! writer do not agree on. `SEKISHO_FUZZ_SECONDS` is the time for each target (2 by default, 60 in CI),
//! `SEKISHO_FUZZ_SEED` another beginning. What fails is made shorter, and printed so that it can become a unit test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, helpers outside of test functions too"
)]

mod corpus;
mod decisions;
mod dice;
mod drive;
mod frames;
mod mutate;
mod statements;
