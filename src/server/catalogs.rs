//! Keeping the catalogs current: one task a source reads again on a timer and whenever a session asks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::catalog::Snapshot;
use crate::pg::introspect::{self, CatalogError};
use crate::pg::upstream::{self, Upstream};
use crate::session::{Node, Source};
use crate::sql::Engine;

/// After a failed reading; while it fails, sessions that ask are told at once that there is nothing newer.
const RETRY: Duration = Duration::from_secs(5);
/// The name under which the server shows the connection.
const APPLICATION: &str = "sekisho catalog";

/// Reads a source's catalog for ever.
pub async fn keep_current(node: &Node, source: &Source, every: Duration) {
    let mut connection = None;
    let mut version = 0;
    let mut was_broken = false;
    loop {
        let ticket = source.refresh.taken();
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
                connection = None;
                if !was_broken {
                    tracing::warn!(source = %source.spec.name, %error, "catalog not read");
                }
                was_broken = true;
                RETRY
            }
        };
        source.refresh.done(ticket);
        let _ = tokio::time::timeout(pause, source.refresh.wanted()).await;
    }
}

async fn read(source: &Source, connection: &mut Option<Upstream>, version: u64) -> Result<Snapshot, CatalogError> {
    match source.spec.engine {
        Engine::Postgres => {
            // A connection that lay idle may have died unnoticed: one more try on a new one.
            if let Some(upstream) = connection
                && let Ok(snapshot) = introspect::load(upstream, &source.spec.name, version).await
            {
                return Ok(snapshot);
            }
            let mut upstream = connect(source).await?;
            let snapshot = introspect::load(&mut upstream, &source.spec.name, version).await?;
            *connection = Some(upstream);
            Ok(snapshot)
        }
        Engine::MySql => Err(CatalogError::Malformed("MySQL")),
    }
}

/// Connects with the settings of a plain session, and remembers what the server reports about them.
async fn connect(source: &Source) -> Result<Upstream, CatalogError> {
    let parameters = [("application_name".to_owned(), APPLICATION.as_bytes().to_vec())];
    let upstream = upstream::connect(&source.spec, &source.tls, &parameters).await?;
    let reported: BTreeMap<String, String> = upstream.parameters.clone();
    source.parameters.store(Arc::new(reported));
    Ok(upstream)
}
