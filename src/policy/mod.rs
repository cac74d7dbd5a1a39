//! Rules: who sees what, and how.
//!
//! In: rule files, and a relation of a catalog snapshot. Out: [`RelationAccess`]. Never knows: syntax trees, connections.

pub mod model;

pub use model::{
    Attributes, ColumnAccess, Filter, MaskSpec, PolicySet, RelationAccess, Role, RuleInfo, Treatment, TruncUnit, Verb,
    Verbs,
};
