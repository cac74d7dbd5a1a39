//! What a server contains, as an immutable snapshot that every decision is made against.
//!
//! In: rows that the loaders (`pg::introspect`, `mysql::introspect`) read from the server's own catalog. Out:
//! [`Snapshot`] with name look-up. Never knows: connections, roles, rules, statements.

pub mod function;
pub mod known;
pub mod relation;
pub mod snapshot;
pub mod store;
pub mod types;

pub use function::{Function, FunctionKind, FunctionResult, UserOperator, UserType, Volatility};
pub use relation::{
    CheckOption, Column, ForeignKey, ForeignSource, Index, KeyAction, Relation, RelationId, RelationKind,
};
pub use snapshot::{SessionRelations, Snapshot, SnapshotBuilder};
pub use store::CatalogStore;
pub use types::{ColumnType, TypeClass, TypeExtra};
