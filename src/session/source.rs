//! A backend: where it is, what it contains, what each role sees of it.

use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwapOption;

use crate::catalog::CatalogStore;
use crate::net::{ClientTls, TlsError, TlsMode};
use crate::sql::Engine;

/// A password or key; never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Keeps a secret.
    pub fn new(value: impl Into<Arc<str>>) -> Self {
        Self(value.into())
    }

    /// The value, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A `[[source]]` of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSpec {
    /// The name that clients connect to.
    pub name: Arc<str>,
    /// The family of the server.
    pub engine: Engine,
    /// Host name or address, or the folder of a Unix socket.
    pub host: Arc<str>,
    /// Port.
    pub port: u16,
    /// The database on the server (PostgreSQL).
    pub dbname: Arc<str>,
    /// The proxy's account there.
    pub user: Arc<str>,
    /// Its password.
    pub password: Option<Secret>,
    /// How the connection is protected.
    pub tls: TlsMode,
    /// The CA's certificates; `None` is the system's.
    pub ca: Option<PathBuf>,
    /// Server connections at the most.
    pub max_connections: usize,
    /// A name that the server's certificate must bear instead of `host`; none unless configured.
    pub tls_server_name: Option<Arc<str>>,
}

impl SourceSpec {
    /// TLS towards this server, as configured.
    pub fn client_tls(&self) -> Result<ClientTls, TlsError> {
        let name = self.tls_server_name.as_ref().unwrap_or(&self.host);
        // A Unix socket has no name that a certificate could bear, and no TLS.
        let mode = if self.host.starts_with('/') { TlsMode::Disable } else { self.tls };
        ClientTls::new(mode, name, self.ca.as_deref())
    }
}

/// What a MySQL or MariaDB server says of itself before a login, so that clients can be greeted in its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MySqlServer {
    /// `8.4.3`, `5.5.5-10.11.6-MariaDB`.
    pub version: Box<str>,
    /// Capability flags.
    pub capabilities: u32,
    /// MariaDB's own capability flags.
    pub extensions: u32,
    /// The number of the default collation.
    pub collation: u8,
}

/// A backend with what is known about it.
#[derive(Debug)]
pub struct Source {
    /// How to reach it.
    pub spec: SourceSpec,
    /// TLS towards it.
    pub tls: ClientTls,
    /// What it contains.
    pub catalog: CatalogStore,
    mysql: ArcSwapOption<MySqlServer>,
}

impl Source {
    /// A backend of which nothing is known yet.
    pub fn new(spec: SourceSpec) -> Result<Self, TlsError> {
        Ok(Self { tls: spec.client_tls()?, spec, catalog: CatalogStore::default(), mysql: ArcSwapOption::empty() })
    }

    /// What the server was when it was last connected to; nothing before, and on PostgreSQL.
    pub fn mysql(&self) -> Option<Arc<MySqlServer>> {
        self.mysql.load_full()
    }

    /// Notes what the server is.
    pub fn remember_mysql(&self, server: MySqlServer) {
        if self.mysql.load().as_deref() != Some(&server) {
            self.mysql.store(Some(Arc::new(server)));
        }
    }
}
