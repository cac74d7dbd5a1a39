//! Reading a server's catalog into a [`Snapshot`].
//!
//! In: a connection of the proxy's own account. Out: the snapshot. The number of questions does not depend on the number
//! of objects, but for tables of MariaDB with JSON. Never knows: roles, rules, sessions.

mod relations;
mod sql;
mod types;

use std::str::FromStr;
use std::sync::Arc;

use super::upstream::{Row, Upstream, UpstreamError};
use crate::catalog::{Function, FunctionKind, FunctionResult, Snapshot, SnapshotBuilder, Volatility};
use crate::sql::Engine;
use crate::sql::mysql::Flavour;

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

/// Reads the whole catalog, of all databases that the account may see. The connection is idle before and after; after
/// an error it is of no more use.
pub async fn load(upstream: &mut Upstream, source: &Arc<str>, version: u64) -> Result<Snapshot, CatalogError> {
    upstream.query(sql::BEGIN).await?;
    let server = upstream.query(sql::SERVER).await?;
    let server = server.iter().next().ok_or(CatalogError::Malformed("its version"))?;
    let (flavour, number_of_version) =
        read_version(text(server, 0, "its version")?).ok_or(CatalogError::Malformed("its version"))?;
    let mut builder = SnapshotBuilder::new(version, Arc::clone(source), Engine::MySql, number_of_version);
    builder.flavour(flavour);
    builder.lower_case_table_names(number(server, 1, "names of tables")?);
    for row in upstream.query(sql::SCHEMAS).await?.iter() {
        builder.schema(text(row, 0, "databases")?);
    }
    relations::load(upstream, &mut builder, flavour).await?;
    for row in upstream.query(sql::ROUTINES).await?.iter() {
        builder.function(read_routine(row)?);
    }
    upstream.query(sql::END).await?;
    Ok(builder.build())
}

/// `10.11.6-MariaDB-log` is MariaDB's 101106, `8.4.3` MySQL's 80403.
fn read_version(version: &str) -> Option<(Flavour, u32)> {
    let flavour = if version.contains("MariaDB") { Flavour::MariaDb } else { Flavour::MySql };
    let digits = version.split(|c: char| !c.is_ascii_digit() && c != '.').next()?;
    let mut parts = digits.split('.').map(str::parse::<u32>);
    let mut part = || parts.next()?.ok();
    Some((flavour, part()? * 10_000 + part()? * 100 + part()?))
}

fn read_routine(row: Row<'_>) -> Result<Function, CatalogError> {
    const WHAT: &str = "routines";
    let is_procedure = match text(row, 2, WHAT)? {
        "FUNCTION" => false,
        // MariaDB's packages are called like procedures.
        "PROCEDURE" | "PACKAGE" | "PACKAGE BODY" => true,
        _ => return Err(CatalogError::Malformed(WHAT)),
    };
    let reads = matches!(text(row, 5, WHAT)?, "READS SQL DATA" | "MODIFIES SQL DATA");
    let volatility = match row.get(4) {
        Some("YES") if !reads => Volatility::Immutable,
        _ => Volatility::Volatile,
    };
    Ok(Function {
        schema: text(row, 0, WHAT)?.into(),
        name: text(row, 1, WHAT)?.into(),
        kind: if is_procedure { FunctionKind::Procedure } else { FunctionKind::Function },
        volatility,
        language: Arc::from("sql"),
        result: match row.get(3) {
            Some(data_type) if !is_procedure => FunctionResult::Scalar { class: types::class(data_type), column: None },
            _ => FunctionResult::Void,
        },
        ..Function::default()
    })
}

fn text<'r>(row: Row<'r>, column: usize, what: &'static str) -> Result<&'r str, CatalogError> {
    row.get(column).ok_or(CatalogError::Malformed(what))
}

fn number<N: FromStr>(row: Row<'_>, column: usize, what: &'static str) -> Result<N, CatalogError> {
    text(row, column, what)?.parse().map_err(|_| CatalogError::Malformed(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_flavours() {
        assert_eq!(read_version("10.11.19-MariaDB-0+deb12u1"), Some((Flavour::MariaDb, 101_119)));
        assert_eq!(read_version("9.7.4-2"), Some((Flavour::MySql, 90_704)));
        assert_eq!(read_version("8.0.36"), Some((Flavour::MySql, 80_036)));
        assert_eq!(read_version("unknown"), None);
    }
}
