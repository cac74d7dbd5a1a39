//! Functions, operators and types that are not built in.

use foldhash::HashMap;

use super::types::Types;
use super::{CatalogError, Shared, flag, number, sql, text};
use crate::catalog::{Function, FunctionKind, FunctionResult, SnapshotBuilder, UserOperator, UserType, Volatility};
use crate::pg::upstream::{Row, Upstream};

const WHAT: &str = "functions";

/// Names of the columns of the rows that functions return, by the number of the row's relation.
type RowColumns = HashMap<u32, Box<[Box<str>]>>;

/// Reads all functions, and the operators and types that are not built in.
pub(super) async fn load(
    upstream: &mut Upstream,
    builder: &mut SnapshotBuilder,
    types: &Types,
) -> Result<(), CatalogError> {
    let rows = read_rows(upstream).await?;
    let mut shared = Shared::default();
    for row in upstream.query(sql::FUNCTIONS).await?.iter() {
        builder.function(read_function(row, types, &rows, &mut shared)?);
    }
    for row in upstream.query(sql::OPERATORS).await?.iter() {
        let operator =
            UserOperator { schema: text(row, 1, "operators")?.into(), extension: row.get(2).map(Into::into) };
        builder.operator(text(row, 0, "operators")?.into(), operator);
    }
    for row in upstream.query(sql::USER_TYPES).await?.iter() {
        let oid = number(row, 0, "types")?;
        let ty = UserType {
            schema: text(row, 1, "types")?.into(),
            oid,
            class: types.class(oid),
            extension: row.get(3).map(|name| shared.share(name)),
            runs_functions: flag(row, 4),
        };
        builder.user_type(text(row, 2, "types")?.into(), ty);
    }
    Ok(())
}

/// The columns of composite types and tables whose rows functions return.
async fn read_rows(upstream: &mut Upstream) -> Result<RowColumns, CatalogError> {
    let mut rows: HashMap<u32, Vec<Box<str>>> = HashMap::default();
    for row in upstream.query(sql::RETURNED_ROWS).await?.iter() {
        rows.entry(number(row, 0, WHAT)?).or_default().push(text(row, 1, WHAT)?.into());
    }
    Ok(rows.into_iter().map(|(relation, names)| (relation, names.into_boxed_slice())).collect())
}

fn read_function(
    row: Row<'_>,
    types: &Types,
    rows: &RowColumns,
    shared: &mut Shared,
) -> Result<Function, CatalogError> {
    let kind = match text(row, 3, WHAT)? {
        "f" => FunctionKind::Function,
        "p" => FunctionKind::Procedure,
        "a" => FunctionKind::Aggregate,
        "w" => FunctionKind::Window,
        _ => return Err(CatalogError::Malformed(WHAT)),
    };
    let volatility = match text(row, 4, WHAT)? {
        "i" => Volatility::Immutable,
        "s" => Volatility::Stable,
        "v" => Volatility::Volatile,
        _ => return Err(CatalogError::Malformed(WHAT)),
    };
    Ok(Function {
        oid: number(row, 0, WHAT)?,
        schema: text(row, 1, WHAT)?.into(),
        name: text(row, 2, WHAT)?.into(),
        kind,
        volatility,
        language: shared.share(text(row, 5, WHAT)?),
        extension: row.get(6).map(|name| shared.share(name)),
        returns_set: flag(row, 7),
        result: read_result(row, types, rows)?,
        required_arguments: number(row, 11, WHAT)?,
        most_arguments: row.get(12).map(|_| number(row, 12, WHAT)).transpose()?,
    })
}

/// `pg_type.oid` of `record`, `void` and of the types that stand for those of arguments (`pg_type.dat`).
const RECORD: u32 = 2249;
const VOID: u32 = 2278;
const POLYMORPHIC: &[u32] = &[2283, 2776, 5077, 5079, 5080, 4537, 4538, 3500, 3831, 2277, 5078];

fn read_result(row: Row<'_>, types: &Types, rows: &RowColumns) -> Result<FunctionResult, CatalogError> {
    let out: Vec<Box<str>> = match row.get(13) {
        None => Vec::new(),
        Some(json) => serde_json::from_str(json).map_err(|_| CatalogError::Malformed(WHAT))?,
    };
    let result: u32 = number(row, 8, WHAT)?;
    let relation: u32 = number(row, 10, WHAT)?;
    Ok(match (out.len(), result) {
        (0, RECORD) => FunctionResult::Record,
        (_, RECORD) => FunctionResult::Row(out.into()),
        (_, VOID) => FunctionResult::Void,
        (_, polymorphic) if POLYMORPHIC.contains(&polymorphic) => FunctionResult::Polymorphic,
        _ => match rows.get(&relation) {
            Some(columns) => FunctionResult::Row(columns.clone()),
            None => FunctionResult::Scalar { class: types.class(result), column: out.into_iter().next() },
        },
    })
}
