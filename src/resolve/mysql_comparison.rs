//! Comparisons on MySQL and MariaDB: whether what is compared has to be converted row by row.
//!
//! A conversion that does not come out even is a warning or, where rows are written, an error that quotes the value. Of
//! reads a role learns neither the words nor the number of warnings; so only writes, and views, which writes may read,
//! need operands of one kind. What converts text to dates can fail in reads too (MySQL's error 1525), unless the text is
//! a literal, which is converted once, whatever the rows are.

use super::binder::Binder;
use super::comparison::Value;
use super::resolved::Source;
use crate::catalog::TypeClass;
use crate::sql::ast::{Expr, ExprKind, Literal, TypeName};

/// What MySQL compares a value as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compared {
    Number,
    Text,
    /// A string in the statement.
    TextLiteral,
    /// A date, or a date with a time.
    Moment,
    /// A parameter of a prepared statement, whose kind comes with its value.
    Parameter,
    /// It goes with everything.
    Anything,
    Unknown,
}

impl Compared {
    /// Whether comparing the two converts nothing.
    fn is_alike(self, other: Self) -> bool {
        match (self, other) {
            (Self::Unknown | Self::Parameter, _) | (_, Self::Unknown | Self::Parameter) => false,
            (Self::Anything, _)
            | (_, Self::Anything)
            | (Self::Text | Self::TextLiteral, Self::Text | Self::TextLiteral) => true,
            (Self::Number | Self::Text | Self::TextLiteral | Self::Moment, _) => self == other,
        }
    }

    /// Whether comparing the two is at most a warning.
    fn is_comparable(self, other: Self) -> bool {
        match (self, other) {
            (Self::Unknown, _) | (_, Self::Unknown) => false,
            (Self::Moment, other) | (other, Self::Moment) => {
                matches!(other, Self::Moment | Self::TextLiteral | Self::Anything)
            }
            (
                Self::Number | Self::Text | Self::TextLiteral | Self::Parameter | Self::Anything,
                Self::Number | Self::Text | Self::TextLiteral | Self::Parameter | Self::Anything,
            ) => true,
        }
    }
}

impl Binder<'_> {
    /// Whether a conversion that does not come out even is but a warning.
    fn only_reads(&self) -> bool {
        !self.out.writes && !self.world.inside_view
    }

    /// Whether operands can be compared.
    pub(super) fn mysql_compares(&self, operands: &[Expr], values: &[Value<'_>]) -> bool {
        let kinds: Vec<_> =
            operands.iter().zip(values).map(|(operand, value)| self.mysql_kind_of(operand, *value)).collect();
        let reads = self.only_reads();
        let fits = |(a, b): (&Compared, &Compared)| if reads { a.is_comparable(*b) } else { a.is_alike(*b) };
        let mut pairs = kinds.iter().enumerate().flat_map(|(at, a)| kinds.iter().skip(at + 1).map(move |b| (a, b)));
        pairs.all(fits)
    }

    /// Whether an operand can be compared with the column of a sub-select.
    pub(super) fn mysql_compares_with(&self, operand: &Expr, value: Value<'_>, other: Value<'_>) -> bool {
        let other = match other.sources {
            [source] if other.direct => self.mysql_kind_of_column(*source),
            _ => Compared::Unknown,
        };
        let own = self.mysql_kind_of(operand, value);
        if self.only_reads() { own.is_comparable(other) } else { own.is_alike(other) }
    }

    /// Whether a condition is a number: what a comparison gives, a column of numbers.
    pub(super) fn mysql_is_truth_value(&self, condition: &Expr, value: Value<'_>) -> bool {
        let is_result = matches!(
            condition.kind,
            ExprKind::Operation(_)
                | ExprKind::InList(_)
                | ExprKind::InQuery { .. }
                | ExprKind::Quantified { .. }
                | ExprKind::Exists(_)
        );
        let kind = self.mysql_kind_of(condition, value);
        is_result || self.only_reads() || matches!(kind, Compared::Number | Compared::Anything)
    }

    /// Whether columns are compared without converting them.
    pub(super) fn mysql_joins(&self, sources: &[Source]) -> bool {
        let mut kinds = sources.iter().map(|source| self.mysql_kind_of_column(*source));
        kinds.next().is_none_or(|first| first.is_alike(first) && kinds.all(|kind| kind.is_alike(first)))
    }

    /// What MySQL would compare an operand as.
    fn mysql_kind_of(&self, operand: &Expr, value: Value<'_>) -> Compared {
        match (&operand.kind, value.sources) {
            (ExprKind::Literal(Literal::Null), _) => Compared::Anything,
            (ExprKind::Literal(Literal::Number | Literal::Boolean), _) => Compared::Number,
            (ExprKind::Literal(Literal::String), _) => {
                match self.token_text(operand.tokens.start).to_ascii_lowercase().as_str() {
                    "date" | "timestamp" => Compared::Moment,
                    "time" => Compared::Unknown,
                    _ => Compared::TextLiteral,
                }
            }
            (ExprKind::Parameter, _) => Compared::Parameter,
            (ExprKind::Column(_), [source]) if value.direct => self.mysql_kind_of_column(*source),
            (ExprKind::Cast { operand, ty }, _) if matches!(operand.kind, ExprKind::Literal(_)) => kind_of_type(ty),
            _ => Compared::Unknown,
        }
    }

    fn mysql_kind_of_column(&self, source: Source) -> Compared {
        let used = self.out.relations.get(source.place);
        let relation = used.and_then(|used| self.world.snapshot.relation(used.relation));
        let column = relation.and_then(|relation| relation.columns.get(source.column));
        column.map_or(Compared::Unknown, |column| match column.ty.class {
            TypeClass::Boolean | TypeClass::Integer | TypeClass::Numeric | TypeClass::Float => Compared::Number,
            TypeClass::Text | TypeClass::Enum => Compared::Text,
            TypeClass::Date | TypeClass::Timestamp | TypeClass::TimestampTz => Compared::Moment,
            _ => Compared::Unknown,
        })
    }
}

/// What a cast of a literal gives.
fn kind_of_type(ty: &TypeName) -> Compared {
    let name = ty.name.object().map(|name| name.value.to_ascii_lowercase()).unwrap_or_default();
    match name.as_str() {
        "date" | "datetime" => Compared::Moment,
        _ => Compared::Unknown,
    }
}
