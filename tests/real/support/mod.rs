//! Private servers for tests.
//!
//! One server of each kind for a test process, started on first use, on a free port of loopback, in a folder of its
//! own that is gone when the process has ended, however it ended. Each test takes a fresh database:
//!
//! ```text
//! let shop = support::postgres().database("create table customers(id int primary key, email text)");
//! assert_eq!(shop.rows("select count(*) from customers"), [["0"]]);
//! ```
//!
//! Needs Debian's `postgresql` and `mariadb-server`. `SEKISHO_TEST_POSTGRES_BIN` names the folder of another
//! PostgreSQL's programs, `SEKISHO_TEST_MYSQLD` the `mysqld` of a MySQL; without the latter, tests of MySQL itself are
//! skipped by [`mysql`] giving `None`.
#![allow(dead_code, unused_imports, reason = "a tool box for all modules of this test binary")]

pub mod certificates;
mod mariadb;
pub mod mysql_client;
pub mod mysql_proxy;
pub mod pg_client;
pub mod pg_proxy;
mod postgres;
pub mod process;
pub mod relay;
pub mod sekisho;
pub mod side;

use ::sekisho::rewrite::masks::{MaskingKey, SessionKeys};
use ::sekisho::session::{Source, SourceSpec};

/// A source of a proxy, with a key for its masks.
fn keyed(spec: SourceSpec) -> Source {
    let mut source = Source::new(spec).unwrap();
    let key = MaskingKey { id: "k1".into(), bytes: b"a key of the tests, 32 bytes long".to_vec() };
    source.give_masking_keys(&SessionKeys::new(&[key]));
    source
}

pub use mariadb::{MySqlDatabase, MySqlServer, mariadb, mysql};
pub use postgres::{PostgresDatabase, PostgresServer, postgres};
pub use sekisho::Sekisho;
