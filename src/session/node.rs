//! What all sessions of this process share.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

use super::alerts::Alerts;
use super::concurrency::Concurrency;
use super::learning::Learning;
use super::metrics::Metrics;
use super::registry::Registry;
use super::source::Source;
use crate::audit::Audit;
use crate::auth::caching_sha2_password::Passwords;
use crate::auth::{Lockout, User, Users};
use crate::net::ServerTls;
use crate::policy::PolicySet;

/// Rules and users as read from files at one moment, put in force together.
#[derive(Debug, Default)]
pub struct Rules {
    /// Who may see what.
    pub policy: Arc<PolicySet>,
    /// Who may log in.
    pub users: Arc<Users>,
}

/// How clients are let in.
#[derive(Debug, Clone)]
pub struct Listeners {
    /// TLS for PostgreSQL's clients.
    pub postgres_tls: Option<ServerTls>,
    /// TLS for MySQL's clients.
    pub mysql_tls: Option<ServerTls>,
    /// Clients at the most, those that are logging in included.
    pub max_clients: usize,
    /// Clients at the most that have not logged in yet.
    pub max_unauthenticated: usize,
}

impl Default for Listeners {
    fn default() -> Self {
        Self { postgres_tls: None, mysql_tls: None, max_clients: 10_000, max_unauthenticated: 1_000 }
    }
}

/// How long things may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeouts {
    /// From the connection's first byte to the end of the login.
    pub login: Duration,
    /// Without a message from the client and without a running statement; none is for ever.
    pub idle: Option<Duration>,
    /// For a place among the connections that a source allows, when all are in use.
    pub connection_wait: Duration,
    /// For running statements when the proxy shuts down.
    pub shutdown: Duration,
    /// For a running statement whose client has closed its side and may still read.
    pub half_closed: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            login: Duration::from_secs(30),
            idle: None,
            connection_wait: Duration::from_secs(15),
            shutdown: Duration::from_mins(1),
            half_closed: Duration::from_secs(10),
        }
    }
}

/// One running proxy.
#[derive(Debug)]
pub struct Node {
    /// Rules and users in force; swapped whole on reload.
    pub rules: ArcSwap<Rules>,
    /// The backends by name.
    pub sources: BTreeMap<Arc<str>, Arc<Source>>,
    /// The audit log.
    pub audit: Audit,
    /// How clients are let in; swapped when certificates change.
    pub listeners: ArcSwap<Listeners>,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// Who is connected.
    pub registry: Registry,
    /// Wrong passwords of late.
    pub lockout: Lockout,
    /// Passwords proved by MySQL's clients, and the key under which they may come.
    pub passwords: Arc<Passwords>,
    /// Statements of roles that may run a limited number at a time.
    pub concurrency: Concurrency,
    /// What people are told about at once.
    pub alerts: Arc<Alerts>,
    /// Statements that roles are known to use.
    pub learning: Learning,
    /// What happened since the start.
    pub metrics: Metrics,
}

impl Node {
    /// A proxy in which nobody is connected yet.
    pub fn new(
        rules: Rules,
        sources: impl IntoIterator<Item = Source>,
        audit: Audit,
        listeners: Listeners,
        timeouts: Timeouts,
    ) -> Self {
        let sources = sources.into_iter().map(|source| (Arc::clone(&source.spec.name), Arc::new(source))).collect();
        let alerts = Arc::new(Alerts::default());
        alerts.load(&rules.policy);
        let audit = audit.heard_by(Arc::<Alerts>::clone(&alerts));
        Self {
            rules: ArcSwap::from_pointee(rules),
            sources,
            audit,
            listeners: ArcSwap::from_pointee(listeners),
            timeouts,
            registry: Registry::default(),
            lockout: Lockout::default(),
            passwords: Arc::default(),
            concurrency: Concurrency::default(),
            alerts,
            learning: Learning::default(),
            metrics: Metrics::default(),
        }
    }

    /// A source that a user may connect to: the one named, or without a name the first.
    pub fn source_for(&self, user: &User, name: Option<&str>) -> Option<Arc<Source>> {
        match name {
            Some(name) => self.sources.get(name).filter(|source| self.may_use(user, source)).cloned(),
            None => match &user.sources {
                Some(named) => named.iter().find_map(|name| self.sources.get(name)).cloned(),
                None => self.sources.values().find(|source| self.may_use(user, source)).cloned(),
            },
        }
    }

    /// Whether a user may connect to a source: it is in the user's list, or one of the user's roles has a grant in it.
    pub fn may_use(&self, user: &User, source: &Source) -> bool {
        let name = &source.spec.name;
        if let Some(named) = &user.sources {
            return named.contains(name);
        }
        let policy = Arc::clone(&self.rules.load().policy);
        let mut roles = user.roles.iter().filter_map(|role| policy.role(role));
        roles.any(|role| role.unrestricted || policy.sees_source(role, name))
    }
}
