//! What a server contains, as an immutable snapshot that every decision is made against.
//!
//! In: rows that the loader (`pg::catalog`) read from the server's own catalog. Out: [`Snapshot`] with name look-up.
//! Never knows: connections, roles, rules, statements.

pub mod known;
pub mod snapshot;
pub mod store;
pub mod types;

pub use snapshot::{
    Column, Function, FunctionKind, Relation, RelationId, RelationKind, Snapshot, SnapshotBuilder, UserOperator,
    Volatility,
};
pub use store::CatalogStore;
pub use types::{ColumnType, TypeClass, TypeExtra};
