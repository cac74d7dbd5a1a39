//! Comparisons: whether the server compares values as they are, or converts one side first, row by row, which can fail on
//! rows that a filter hides. The kinds here are PostgreSQL's.

use std::sync::Arc;

use super::binder::{Binder, Sources};
use super::query::Output;
use super::refusal::Refusal;
use super::resolved::Source;
use super::scope::ScopeId;
use crate::catalog::{Column, TypeClass};
use crate::sql::Engine;
use crate::sql::ast::{Expr, ExprKind, TypeName};

/// What a value is compared as. Values of one kind are compared without converting any that can fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Compared {
    /// Integers and exact numbers.
    Number,
    /// Text, with its collation.
    Text(Option<Arc<str>>),
    /// Dates and points in time: PostgreSQL has operators for all pairs of them.
    Moment,
    /// Of the types that go with themselves only.
    Of(TypeClass),
    /// It goes with everything: it takes the other side's type, or is converted once.
    Anything,
    /// It may have to be converted.
    Unknown,
}

/// Where an operand's value comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value<'a> {
    /// The columns in it.
    pub sources: &'a [Source],
    /// It is one column, unchanged.
    pub direct: bool,
}

impl Compared {
    /// Whether two are compared as they are.
    pub fn goes_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Unknown, _) | (_, Self::Unknown) => false,
            (Self::Anything, _) | (_, Self::Anything) => true,
            (one, other) => one == other,
        }
    }
}

impl Binder<'_> {
    /// Resolves operands that are compared; whether all of them are harmless.
    pub(super) fn compared(&mut self, operands: &[Expr], scope: ScopeId, sink: &mut Sources) -> Result<bool, Refusal> {
        let mut harmless = true;
        let mut ranges = Vec::new();
        for operand in operands {
            let before = sink.len();
            let nature = self.expr(operand, scope, sink)?;
            harmless &= nature.harmless;
            ranges.push((before..sink.len(), nature.direct));
        }
        let value_of = |(range, direct): (_, bool)| Value { sources: sink.get(range).unwrap_or_default(), direct };
        let values: Vec<Value<'_>> = ranges.into_iter().map(value_of).collect();
        let fits = match self.world.engine() {
            Engine::Postgres => {
                let kinds = operands.iter().zip(values).map(|(operand, value)| self.kind_of(operand, value));
                are_alike(&kinds.collect::<Vec<_>>())
            }
            Engine::MySql => self.mysql_compares(operands, &values),
        };
        Ok(harmless && fits)
    }

    /// Whether columns are compared without converting them.
    pub(super) fn is_one_kind(&self, sources: &[Source]) -> bool {
        match self.world.engine() {
            Engine::Postgres => {
                let kinds: Vec<_> = sources.iter().map(|source| self.kind_of_column(*source)).collect();
                are_alike(&kinds)
            }
            Engine::MySql => self.mysql_joins(sources),
        }
    }

    /// Whether comparing a value with the columns of a sub-select converts nothing.
    pub(super) fn compares_with(&self, operand: &Expr, value: Value<'_>, output: &Output) -> bool {
        let [column] = output.columns.as_slice() else { return false };
        if self.world.engine() == Engine::MySql {
            let other = Value { sources: &column.sources, direct: column.direct };
            return self.mysql_compares_with(operand, value, other);
        }
        let other = match column.sources.as_slice() {
            [source] if column.direct => self.kind_of_column(*source),
            _ => Compared::Unknown,
        };
        self.kind_of(operand, value).goes_with(&other)
    }

    /// Resolves operands of AND, OR, NOT and IS; whether all of them are harmless. MySQL takes a number for a truth value,
    /// and converts anything else to one.
    pub(super) fn logical(
        &mut self,
        operator: &str,
        operands: &[Expr],
        scope: ScopeId,
        sink: &mut Sources,
    ) -> Result<bool, Refusal> {
        let tests_null = matches!(operator, "is null" | "is not null");
        let mut harmless = true;
        for operand in operands {
            let before = sink.len();
            let nature = self.expr(operand, scope, sink)?;
            let value = Value { sources: sink.get(before..).unwrap_or_default(), direct: nature.direct };
            harmless &= nature.harmless && (tests_null || self.is_truth_value(operand, value));
        }
        Ok(harmless)
    }

    /// Whether a condition is a truth value without being converted.
    pub(super) fn is_truth_value(&self, condition: &Expr, value: Value<'_>) -> bool {
        self.world.engine() == Engine::Postgres || self.mysql_is_truth_value(condition, value)
    }

    /// What an operand is compared as.
    fn kind_of(&self, operand: &Expr, value: Value<'_>) -> Compared {
        match (&operand.kind, value.sources) {
            (ExprKind::Column(_), [source]) if value.direct => self.kind_of_column(*source),
            (ExprKind::Cast { ty, .. }, []) => self.kind_of_type(ty),
            // An untyped literal or parameter takes the other side's type; a constant is converted once.
            (ExprKind::Literal(_) | ExprKind::Parameter | ExprKind::Special { .. }, []) => Compared::Anything,
            // A truth value, of which there is one type.
            (ExprKind::Operation(_) | ExprKind::InList(_) | ExprKind::InQuery { .. } | ExprKind::Exists(_), _) => {
                Compared::Of(TypeClass::Boolean)
            }
            _ => Compared::Unknown,
        }
    }

    fn kind_of_column(&self, source: Source) -> Compared {
        let used = self.out.relations.get(source.place);
        let relation = used.and_then(|used| self.world.snapshot.relation(used.relation));
        let column = relation.and_then(|relation| relation.columns.get(source.column));
        column.map_or(Compared::Unknown, of_column)
    }

    /// Whether a constant of a type makes the server convert nothing but the constant. MySQL's casts are looked at where
    /// they are compared.
    pub(super) fn is_known_type(&self, ty: &TypeName) -> bool {
        self.world.engine() == Engine::MySql || self.kind_of_type(ty) != Compared::Unknown
    }

    /// What values of a type that is named are compared as.
    fn kind_of_type(&self, ty: &TypeName) -> Compared {
        let schema_is_builtin = match ty.name.parts.as_slice() {
            [_] => true,
            [schema, _] => *schema.value == *"pg_catalog",
            _ => false,
        };
        let Some(name) = ty.name.object().filter(|_| schema_is_builtin) else { return Compared::Unknown };
        let words: String = self.words(ty).to_ascii_lowercase();
        let is_array = words.contains('[') || words.contains("array");
        match &*name.value {
            _ if is_array => Compared::Unknown,
            "int2" | "int4" | "int8" | "smallint" | "int" | "integer" | "bigint" | "numeric" | "decimal" | "dec" => {
                Compared::Number
            }
            "text" | "varchar" | "character varying" => Compared::Text(None),
            "date" | "timestamp" | "timestamptz" => Compared::Moment,
            "bool" | "boolean" => Compared::Of(TypeClass::Boolean),
            "uuid" => Compared::Of(TypeClass::Uuid),
            "interval" => Compared::Of(TypeClass::Interval),
            "bytea" => Compared::Of(TypeClass::Bytes),
            _ => Compared::Unknown,
        }
    }

    fn words(&self, ty: &TypeName) -> String {
        ty.tokens.clone().map(|token| self.token_text(token)).collect()
    }
}

fn are_alike(kinds: &[Compared]) -> bool {
    let first = kinds.iter().find(|kind| **kind != Compared::Anything);
    first.is_none_or(|first| kinds.iter().all(|kind| first.goes_with(kind)))
}

fn of_column(column: &Column) -> Compared {
    match column.ty.class {
        // `oid` is an integer to masks, not to comparisons.
        TypeClass::Integer if matches!(&**column.ty.base_sql(), "smallint" | "integer" | "bigint") => Compared::Number,
        TypeClass::Numeric => Compared::Number,
        TypeClass::Text => Compared::Text(column.ty.collation().map(Arc::from)),
        TypeClass::Date | TypeClass::Timestamp | TypeClass::TimestampTz => Compared::Moment,
        class @ (TypeClass::Boolean
        | TypeClass::Float
        | TypeClass::Bytes
        | TypeClass::Time
        | TypeClass::Interval
        | TypeClass::Uuid
        | TypeClass::Inet
        // Of one type: the server has no operator between two enumerations.
        | TypeClass::Enum) => Compared::Of(class),
        TypeClass::Integer
        | TypeClass::Json
        | TypeClass::Jsonb
        | TypeClass::Array
        | TypeClass::Other => Compared::Unknown,
    }
}
