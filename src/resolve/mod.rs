//! Binds every name of a statement to the catalog.
//!
//! In: a statement's tree and tokens, and the [`World`] of a role. Out: [`Resolved`]: which tokens mention which relation,
//! and what of it is used; or a [`Refusal`]. Each kind of node is understood or refused. Never knows: how a mask is
//! written, sockets, files.

mod binder;
mod column;
mod comparison;
mod ddl;
mod dml;
mod duplicate_key;
mod expression;
mod foreign_key;
mod from;
mod function;
mod joined_write;
mod made;
mod mysql_comparison;
mod query;
mod refusal;
mod resolved;
mod scope;
mod select;
mod statement;
mod target;
mod temporary;
mod type_name;
mod variable;
mod world;

pub use binder::resolve;
pub use refusal::{INSUFFICIENT_PRIVILEGE, NOT_SUPPORTED, Refusal, SYNTAX_ERROR, UNDEFINED_TABLE};
pub use resolved::{
    Appearance, Edit, ExpandedView, FilteredTarget, FoundRow, NewRow, NewTemporaryTable, ObjectChanges, OutputColumn,
    Reference, RelationUse, Resolved, Source, TargetColumn, TargetFilter,
};
pub use world::{Rules, World};
