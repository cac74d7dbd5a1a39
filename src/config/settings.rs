//! `sekisho.toml` as values.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::audit;
use crate::rewrite::masks::MaskingKey;
use crate::session::SourceSpec;
use crate::session::node::Timeouts;

/// Everything that `sekisho.toml` says. Changes of it need a restart, but for what `files` names.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The files that were read, to be watched.
    pub files: Files,
    /// The addresses to listen on.
    pub listen: Listen,
    /// TLS towards clients.
    pub tls: Tls,
    /// The backends, in the order of the file.
    pub sources: Vec<SourceSpec>,
    /// The keys of keyed masks.
    pub masking: Vec<MaskingKey>,
    /// The audit log.
    pub audit: audit::Settings,
    /// The folder of what the process learns.
    pub state: PathBuf,
    /// Everything else about the process.
    pub options: Options,
}

/// Where the files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// `sekisho.toml`.
    pub config: PathBuf,
    /// `users.toml`.
    pub users: PathBuf,
    /// The folder of the rule files.
    pub rules: PathBuf,
}

/// `[listen]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listen {
    /// For PostgreSQL's clients.
    pub postgres: Vec<SocketAddr>,
    /// For MySQL's clients.
    pub mysql: Vec<SocketAddr>,
    /// Console, metrics, health.
    pub admin: Option<SocketAddr>,
}

/// `[tls]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tls {
    /// The certificate with its chain, and its private key.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// The CA of clients' certificates; with it clients must have one.
    pub client_ca: Option<PathBuf>,
    /// What the file says about clear text; `None` is the default of [`Tls::is_required`].
    pub required: Option<bool>,
}

impl Tls {
    /// Whether sessions in clear text are refused on a listener: unless the file says otherwise, on every address that
    /// is not on loopback.
    pub fn is_required(&self, listener: &SocketAddr) -> bool {
        self.required.unwrap_or(!listener.ip().to_canonical().is_loopback())
    }
}

/// `[server]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The name of this proxy in audit records; the host's when absent.
    pub node: Option<Arc<str>>,
    /// Worker threads; one for every two processors when absent.
    pub workers: Option<usize>,
    /// Clients at the most, those that are logging in included.
    pub max_clients: usize,
    /// Clients at the most that have not logged in yet.
    pub max_unauthenticated: usize,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// How often catalogs are read again though nothing is known to have changed.
    pub catalog_refresh: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            node: None,
            workers: None,
            max_clients: 10_000,
            max_unauthenticated: 500,
            timeouts: Timeouts::default(),
            catalog_refresh: Duration::from_mins(5),
        }
    }
}
