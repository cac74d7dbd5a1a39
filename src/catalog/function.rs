//! Functions, operators, types and casts.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::types::TypeClass;

/// What sort of function an entry is (`pg_proc.prokind`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum FunctionKind {
    /// A plain function.
    #[default]
    Function,
    /// A procedure, run with `CALL`.
    Procedure,
    /// An aggregate.
    Aggregate,
    /// A window function.
    Window,
}

/// What a function promises about its results (`pg_proc.provolatile`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Volatility {
    /// Same arguments, same result, for ever.
    Immutable,
    /// Same result within one statement.
    Stable,
    /// Anything goes.
    #[default]
    Volatile,
}

/// What a function gives for one call, or for each row of a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FunctionResult {
    /// One value. In FROM its column goes by the name of the OUT argument, where there is one.
    Scalar {
        /// The kind of value.
        class: TypeClass,
        /// The OUT argument.
        column: Option<Box<str>>,
    },
    /// A row with these columns: OUT arguments, TABLE columns, or those of a composite type.
    Row(Box<[Box<str>]>),
    /// `record` without OUT arguments: the caller writes the columns.
    Record,
    /// The type follows from the arguments, `anyelement` for example; it can be a row.
    Polymorphic,
    /// Nothing.
    Void,
}

impl Default for FunctionResult {
    fn default() -> Self {
        Self::Scalar { class: TypeClass::Other, column: None }
    }
}

/// A function of the server.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Function {
    /// `pg_proc.oid`; 0 on MySQL.
    pub oid: u32,
    /// The schema it stands in.
    pub schema: Box<str>,
    /// Its name; several functions may share it.
    pub name: Box<str>,
    /// Plain function, procedure, aggregate or window function.
    pub kind: FunctionKind,
    /// What it promises.
    pub volatility: Volatility,
    /// `internal`, `c`, `sql`, `plpgsql` …
    pub language: Arc<str>,
    /// The extension that brought it.
    pub extension: Option<Arc<str>>,
    /// Whether it returns a set.
    pub returns_set: bool,
    /// What it gives.
    pub result: FunctionResult,
    /// Arguments that a call gives at least.
    pub required_arguments: u16,
    /// Arguments that a call gives at most; `None` with VARIADIC.
    pub most_arguments: Option<u16>,
}

/// An operator that is not built in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserOperator {
    /// The schema it stands in.
    pub schema: Box<str>,
    /// The extension that brought it.
    pub extension: Option<Box<str>>,
}

/// A type that is not built in and not the row of a relation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserType {
    /// The schema it stands in.
    pub schema: Box<str>,
    /// `pg_type.oid`.
    pub oid: u32,
    /// The kind of values, domains resolved.
    pub class: TypeClass,
    /// The extension that brought it.
    pub extension: Option<Arc<str>>,
    /// Whether making a value of it runs a function outside `pg_catalog`: input function, domain check, or a cast to it.
    pub runs_functions: bool,
}
