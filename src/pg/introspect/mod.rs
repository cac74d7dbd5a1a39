//! Reading a server's catalog into a [`Snapshot`].
//!
//! In: a connection of the proxy's own account. Out: the snapshot. The number of questions does not depend on the number
//! of objects. Never knows: roles, rules, sessions.

mod functions;
mod relations;
mod sql;
mod types;

use std::str::FromStr;
use std::sync::Arc;

use super::upstream::{Row, Upstream, UpstreamError};
use crate::catalog::{Snapshot, SnapshotBuilder};
use crate::sql::Engine;

/// Why a catalog could not be read.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The connection or the server failed.
    #[error("the catalog could not be read: {0}")]
    Upstream(#[from] UpstreamError),
    /// The server answered something else than was asked.
    #[error("the server's answer about {0} is not understood")]
    Malformed(&'static str),
}

/// Reads the whole catalog. The connection is idle before and after, and nothing of its session is changed; after an
/// error it is of no more use.
pub async fn load(upstream: &mut Upstream, source: &Arc<str>, version: u64) -> Result<Snapshot, CatalogError> {
    let search_path = upstream.query(sql::SEARCH_PATH).await?;
    upstream.query(sql::BEGIN).await?;
    let server = upstream.query(sql::SERVER).await?;
    let server = server.iter().next().ok_or(CatalogError::Malformed("its version"))?;
    let mut builder =
        SnapshotBuilder::new(version, Arc::clone(source), Engine::Postgres, number(server, 0, "its version")?);
    builder.database(text(server, 1, "its database")?);
    builder.account(text(server, 2, "the account")?);
    let schemas = search_path.iter().map(|row| Ok(text(row, 0, "the search path")?.into()));
    builder.search_path(schemas.collect::<Result<_, CatalogError>>()?);
    for row in upstream.query(sql::SCHEMAS).await?.iter() {
        builder.schema(text(row, 0, "schemas")?);
    }
    let types = types::load(upstream).await?;
    relations::load(upstream, &mut builder, &types).await?;
    functions::load(upstream, &mut builder, &types).await?;
    upstream.query(sql::END).await?;
    Ok(builder.build())
}

/// What changes whenever somebody makes, changes or drops a function, operator or cast; cheap to ask for. The server
/// picks among those of one name by their arguments, so a new one can come before one that was looked at.
pub async fn code(upstream: &mut Upstream) -> Result<Box<str>, CatalogError> {
    let rows = upstream.query(sql::CODE).await?;
    let row = rows.iter().next().ok_or(CatalogError::Malformed("its functions"))?;
    Ok(text(row, 0, "its functions")?.into())
}

fn text<'r>(row: Row<'r>, column: usize, what: &'static str) -> Result<&'r str, CatalogError> {
    row.get(column).ok_or(CatalogError::Malformed(what))
}

fn number<N: FromStr>(row: Row<'_>, column: usize, what: &'static str) -> Result<N, CatalogError> {
    text(row, column, what)?.parse().map_err(|_| CatalogError::Malformed(what))
}

fn flag(row: Row<'_>, column: usize) -> bool {
    row.get(column) == Some("t")
}

/// Strings that occur again and again, each kept once.
#[derive(Debug, Default)]
struct Shared(foldhash::HashSet<Arc<str>>);

impl Shared {
    fn share(&mut self, text: &str) -> Arc<str> {
        if let Some(kept) = self.0.get(text) {
            return Arc::clone(kept);
        }
        let kept = Arc::from(text);
        self.0.insert(Arc::clone(&kept));
        kept
    }
}
