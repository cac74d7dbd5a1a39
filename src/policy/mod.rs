//! Rules: who sees what, and how.
//!
//! In: the texts of rule files, and a relation of a catalog snapshot. Out: a [`PolicySet`] or [`Diagnostics`], and from
//! the set [`RelationAccess`]. Never knows: syntax trees, connections, files, the clock.

pub mod diagnostics;
pub mod guard;
pub mod hours;
pub mod limits;
pub mod load;
pub mod mask;
pub mod model;
pub mod reader;
pub mod scalar;

mod decide;
mod family;
mod glob;
mod pattern;
mod set;

pub use diagnostics::Diagnostics;
pub use guard::{
    Action, Alert, Block, Expectation, Learn, Learning, Limit, Missing, Occasion, StatementKind, Tables, Test,
};
pub use hours::Hours;
pub use limits::{LimitKey, LimitMet, Limits};
pub use load::{Surroundings, parse};
pub use mask::{MaskSpec, TruncUnit};
pub use model::{Attributes, ColumnAccess, Filter, RelationAccess, Role, RuleInfo, Treatment, Verb, Verbs};
pub use pattern::{BadPattern, ColumnPattern, TablePattern};
pub use set::PolicySet;
