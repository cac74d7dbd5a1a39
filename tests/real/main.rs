//! Tests that need real servers: one module a subject, private servers from [`support`].
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, helpers outside of test functions too"
)]

mod alerts;
mod audit;
mod blocks;
mod bypass;
mod cut_pipelines;
mod fence;
mod generated;
mod harness;
mod hidden_reach;
mod indexes;
mod limits;
mod mask_extremes;
mod mask_rules;
mod mask_vectors;
mod masks;
mod mysql_faults;
mod mysql_introspect;
mod mysql_limits;
mod mysql_logins;
mod mysql_sessions;
mod mysql_tables;
mod mysql_upstream;
mod mysql_writes;
mod observe;
mod pg_faults;
mod pg_indexes;
mod pg_introspect;
mod pg_logins;
mod pg_made_since;
mod pg_named;
mod pg_session;
mod pg_temporary;
mod pg_tools;
mod pg_transactions;
mod rules;
mod support;
mod tools;
mod virtual_database;
