//! A backend: where it is, what it contains, what each role sees of it.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::sync::Semaphore;

use super::refresh::Refresh;
use crate::catalog::CatalogStore;
use crate::net::{ClientTls, TlsError, TlsMode};
use crate::pipeline::VirtualDatabase;
use crate::pipeline::virtual_database::Person;
use crate::policy::{PolicySet, Role};
use crate::rewrite::masks::SessionKeys;
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
    /// Wishes for a newer catalog.
    pub refresh: Refresh,
    /// Settings that a new session reports to its client, as the connection that read the catalog got them
    /// (PostgreSQL's ParameterStatus).
    pub parameters: ArcSwap<BTreeMap<String, String>>,
    /// Settings given to the server with every connection and kept from clients: keys of masks.
    pub secret_settings: Vec<(String, Secret)>,
    /// The ids of the masking keys among them.
    pub masking_key_ids: Arc<[Arc<str>]>,
    /// Connections to the server that are open.
    pub connections: Arc<Semaphore>,
    // What each role sees.
    databases: Mutex<HashMap<DatabaseKey, Arc<VirtualDatabase>>>,
    mysql: ArcSwapOption<MySqlServer>,
}

/// Role; user where the role's filters are personal; the roles that may be changed to.
type DatabaseKey = (Arc<str>, Option<Arc<str>>, Vec<Arc<str>>);

impl Source {
    /// A backend of which nothing is known yet.
    pub fn new(spec: SourceSpec) -> Result<Self, TlsError> {
        Ok(Self {
            tls: spec.client_tls()?,
            catalog: CatalogStore::default(),
            refresh: Refresh::default(),
            parameters: ArcSwap::default(),
            secret_settings: Vec::new(),
            masking_key_ids: Arc::default(),
            connections: Arc::new(Semaphore::new(spec.max_connections)),
            databases: Mutex::default(),
            mysql: ArcSwapOption::empty(),
            spec,
        })
    }

    /// The keys of masks, from now on given to the server with every connection.
    pub fn give_masking_keys(&mut self, keys: &SessionKeys) {
        let settings = keys.settings(self.spec.engine).into_iter();
        self.secret_settings = settings.map(|(name, value)| (name, Secret::new(value))).collect();
        self.masking_key_ids = Arc::clone(keys.ids());
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

    /// What a role sees by these rules and the current catalog: made once, shared by all sessions. `person` is asked
    /// when it is made.
    pub fn virtual_database(
        &self,
        policy: &Arc<PolicySet>,
        role: &Arc<Role>,
        person: impl FnOnce() -> Person,
    ) -> Arc<VirtualDatabase> {
        let snapshot = self.catalog.current();
        let person = person();
        let user = policy.is_personal(role).then(|| Arc::clone(&person.user));
        let mut databases = self.databases.lock().unwrap_or_else(PoisonError::into_inner);
        let is_current = |database: &Arc<VirtualDatabase>| {
            Arc::ptr_eq(database.policy(), policy) && Arc::ptr_eq(database.snapshot(), &snapshot)
        };
        let key = (Arc::clone(&role.name), user, person.roles.clone());
        if let Some(database) = databases.get(&key).filter(|database| is_current(database)) {
            return Arc::clone(database);
        }
        databases.retain(|_, database| is_current(database));
        let database = VirtualDatabase::new(Arc::clone(policy), snapshot, Arc::clone(role), Arc::new(person));
        let database = Arc::new(database.with_masking_keys(Arc::clone(&self.masking_key_ids)));
        databases.insert(key, Arc::clone(&database));
        database
    }
}
