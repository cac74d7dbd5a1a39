//! Keeping the catalogs current: one task a source reads again on a timer and whenever a session asks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::catalog::Snapshot;
use crate::session::{Node, Source};
use crate::sql::Engine;
use crate::{mysql, pg};

/// After a failed reading; while it fails, sessions that ask are told at once that there is nothing newer.
const RETRY: Duration = Duration::from_secs(5);
/// Between two readings lies at least the time that one took, so that a server on which objects are made all the time is
/// not kept busy by this; but not more than this.
const MAX_REST: Duration = Duration::from_secs(5);
/// How often a PostgreSQL server is asked whether functions, operators or casts were made, while sessions use it.
const WATCH: Duration = Duration::from_secs(1);
/// The name under which PostgreSQL shows the connection.
const APPLICATION: &str = "sekisho catalog";

/// Why a catalog could not be read, by the source's engine.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// On PostgreSQL.
    #[error(transparent)]
    Postgres(#[from] pg::introspect::CatalogError),
    /// On MySQL or MariaDB.
    #[error(transparent)]
    MySql(#[from] mysql::introspect::CatalogError),
}

/// The connection that the catalog was last read through.
enum Connection {
    Postgres(pg::upstream::Upstream),
    MySql(mysql::upstream::Upstream),
}

/// Reads a source's catalog for ever.
pub async fn keep_current(node: &Node, source: &Source, every: Duration) {
    let mut connection = None;
    let mut version = 0;
    let mut was_broken = false;
    loop {
        let ticket = source.refresh.taken();
        let begun = Instant::now();
        // Asked for before, so that what is made while the catalog is read counts as made since.
        let code = code(&mut connection).await;
        version += 1;
        let pause = match read(source, &mut connection, version).await {
            Ok(snapshot) => {
                node.metrics.catalog_refreshes.add_one();
                // What is the same stays: plans made with it hold.
                if !snapshot.is_same_as(&source.catalog.current()) {
                    let relations = snapshot.relations().len();
                    tracing::info!(source = %source.spec.name, version, relations, "catalog read");
                    source.catalog.replace(snapshot);
                }
                was_broken = false;
                every
            }
            Err(error) => {
                node.metrics.catalog_failures.add_one();
                if !was_broken {
                    tracing::warn!(source = %source.spec.name, %error, "catalog not read");
                }
                was_broken = true;
                RETRY
            }
        };
        source.refresh.done(ticket);
        tokio::time::sleep(begun.elapsed().min(MAX_REST)).await;
        rest(source, &mut connection, code.as_deref(), pause).await;
    }
}

/// Waits until the catalog has to be read again.
async fn rest(source: &Source, connection: &mut Option<Connection>, code_then: Option<&str>, pause: Duration) {
    let end = Instant::now() + pause;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() || tokio::time::timeout(left.min(WATCH), source.refresh.wanted()).await.is_ok() {
            return;
        }
        let is_used = source.connections.available_permits() < source.spec.max_connections;
        if is_used
            && let Some(now) = code(connection).await
            && code_then != Some(&*now)
        {
            return;
        }
    }
}

/// What changes with functions, operators and casts of PostgreSQL; nothing where it cannot be had.
async fn code(connection: &mut Option<Connection>) -> Option<Box<str>> {
    match connection {
        Some(Connection::Postgres(upstream)) => {
            let code = pg::introspect::code(upstream).await.ok();
            if code.is_none() {
                *connection = None;
            }
            code
        }
        Some(Connection::MySql(_)) | None => None,
    }
}

/// Reads a source's catalog once, on a connection of its own.
pub async fn read_once(source: &Source) -> Result<Snapshot, ReadError> {
    read(source, &mut None, 1).await
}

async fn read(source: &Source, kept: &mut Option<Connection>, version: u64) -> Result<Snapshot, ReadError> {
    // A connection that lay idle may have died unnoticed: one more try on a new one.
    if let Some(mut connection) = kept.take()
        && let Ok(snapshot) = load(&mut connection, source, version).await
    {
        *kept = Some(connection);
        return Ok(snapshot);
    }
    let mut connection = connect(source).await?;
    let snapshot = load(&mut connection, source, version).await?;
    *kept = Some(connection);
    Ok(snapshot)
}

async fn load(connection: &mut Connection, source: &Source, version: u64) -> Result<Snapshot, ReadError> {
    let name = &source.spec.name;
    match connection {
        Connection::Postgres(upstream) => Ok(pg::introspect::load(upstream, name, version).await?),
        Connection::MySql(upstream) => Ok(mysql::introspect::load(upstream, name, version).await?),
    }
}

async fn connect(source: &Source) -> Result<Connection, ReadError> {
    match source.spec.engine {
        Engine::Postgres => {
            let parameters = [("application_name".to_owned(), APPLICATION.as_bytes().to_vec())];
            let connected = pg::upstream::connect(&source.spec, &source.tls, &parameters).await;
            let upstream = connected.map_err(pg::introspect::CatalogError::from)?;
            // What a plain session of the proxy's account is told about its settings.
            source.parameters.store(Arc::new(upstream.parameters.clone()));
            Ok(Connection::Postgres(upstream))
        }
        Engine::MySql => {
            let connected = mysql::upstream::connect(source, &mysql::upstream::Wishes::own()).await;
            Ok(Connection::MySql(connected.map_err(mysql::introspect::CatalogError::from)?))
        }
    }
}
