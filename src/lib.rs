//! Sekisho: a checkpoint between people with SQL tools and the databases they read.
//!
//! This page is the architecture document. What is promised to users is in `docs/`; here is where things are.
//!
//! # The life of a statement
//!
//! ```text
//! listener → accept → auth → upstream → session loop → frame → statement text
//!   → sql::parse → resolve (with a catalog snapshot) → policy::decide → rewrite → sql::emit → verify
//!   → Verdict: a Permit goes to the server, a Denial goes to the client;
//!     either way an audit entry was opened, and is closed with rows, bytes, time, error
//! ```
//!
//! [`pipeline::VirtualDatabase::decide`] is the pure part as a handful of calls in order; `pg::session` and
//! `mysql::session` show the loop.
//!
//! # Folders
//!
//! | folder | job |
//! | --- | --- |
//! | [`sql`] | lexing, parsing, emitting: text to tokens and tree and back; fingerprints; leading comments |
//! | [`catalog`] | immutable snapshots of a server's tables, columns, keys, views, functions; name look-up |
//! | [`resolve`] | binds every name of a statement to the catalog; each kind of node is understood or refused |
//! | [`policy`] | rules: model, loading with diagnostics, what a role sees of a relation |
//! | [`rewrite`] | relation → derived table; one file a mask kind; filters and their fence; read-back |
//! | [`pipeline`] | `plan()`, verdicts, the plan cache |
//! | [`audit`] | records, chain, segment files, verification |
//! | [`auth`] | users, SCRAM as a pure exchange, lockout |
//! | [`net`] | sockets and TLS as both protocols use them |
//! | [`session`] | identity of a session, registry of the live ones, prepared statements |
//! | [`pg`] | the PostgreSQL side: accept, auth, upstream, session loop, wire format, catalog loading |
//! | [`mysql`] | the MySQL and MariaDB side, with the same file names |
//! | [`server`] | listeners, TLS, reload, admin port, shutdown |
//! | [`config`] | what this node listens on and connects to |
//! | [`cli`] | one file a command |
//!
//! Imports point downward, from `cli` to `sql`; `tests/architecture.rs` holds the table and fails on an edge
//! that is not in it. Everything up to `pipeline` is pure: no network, files, clock or environment.

pub mod audit;
pub mod auth;
pub mod catalog;
pub mod cli;
pub mod config;
pub mod mysql;
pub mod net;
pub mod pg;
pub mod pipeline;
pub mod policy;
pub mod resolve;
pub mod rewrite;
pub mod server;
pub mod session;
pub mod sql;
