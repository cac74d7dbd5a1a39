//! Columns of numbers: computing with them exactly, and giving the result the column's own type without ever leaving
//! its range.

use super::decimal::Decimal;
use super::postgres as pg;
use super::target::{Target, Unservable};
use crate::catalog::TypeClass;
use crate::sql::Engine;

/// What numbers a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    /// Whole numbers.
    Integer {
        /// The least.
        low: i128,
        /// The greatest.
        high: i128,
    },
    /// Numbers with a fixed number of digits, all and behind the point.
    Decimal {
        /// All digits.
        precision: i64,
        /// Digits behind the point.
        scale: i64,
        /// MySQL: no negative ones.
        unsigned: bool,
    },
    /// PostgreSQL's `numeric` without a modifier.
    Numeric,
    /// Floating point.
    Float {
        /// Of 32 bits.
        single: bool,
    },
}

/// The greatest `year` of MySQL.
const LAST_YEAR: i128 = 2155;

/// The most digits of a MySQL `decimal` that computing leaves room for (65 are the server's limit).
const MYSQL_DIGITS: i64 = 45;

impl Number {
    /// Reads the column's type.
    pub fn of(target: &Target) -> Result<Self, Unservable> {
        let name = target.type_name();
        let class = target.class();
        match (class, target.engine) {
            (TypeClass::Integer, _) => integer(name.name, name.is_unsigned()).ok_or_else(|| not_a_number(target)),
            (TypeClass::Numeric, Engine::Postgres) => Ok(match (name.argument(0), name.argument(1)) {
                (Some(precision), scale) => Self::Decimal { precision, scale: scale.unwrap_or(0), unsigned: false },
                (None, _) => Self::Numeric,
            }),
            (TypeClass::Numeric, Engine::MySql) => {
                let precision = name.argument(0).unwrap_or(10);
                if precision > MYSQL_DIGITS {
                    return Err(target.refuse("it has more than 45 digits; use `null` or `sql`"));
                }
                Ok(Self::Decimal { precision, scale: name.argument(1).unwrap_or(0), unsigned: name.is_unsigned() })
            }
            (TypeClass::Float, _) => Ok(Self::Float { single: matches!(name.name, "real" | "float") }),
            _ => Err(not_a_number(target)),
        }
    }

    /// Reads the type of a column whose numbers are amounts, so that near ones can stand for each other.
    pub fn amount(target: &Target) -> Result<Self, Unservable> {
        match target.type_name().name {
            "oid" => Err(target.refuse("object identifiers are no amounts; use `hash`")),
            _ => Self::of(target),
        }
    }

    /// How many bits of a hash the positive numbers of the type hold; `None` where values would meet too often.
    pub fn hash_bits(self) -> Option<u32> {
        match self {
            Self::Integer { high: LAST_YEAR, .. } | Self::Decimal { .. } | Self::Numeric | Self::Float { .. } => None,
            // Numbers without a sign get as many bits as those with one, so that foreign keys between them join.
            Self::Integer { low, high } => {
                let bits = (high + 1).ilog2() - u32::from(low == 0);
                (bits >= 15).then_some(bits)
            }
        }
    }

    /// Refuses a step that would leave every value as it is.
    pub fn check_step(self, target: &Target, step: Decimal) -> Result<(), Unservable> {
        let scale = match self {
            Self::Integer { .. } => Some(0),
            Self::Decimal { scale, .. } => Some(scale),
            Self::Numeric | Self::Float { .. } => None,
        };
        match scale {
            _ if !step.is_positive() => Err(target.refuse("its step must be more than 0")),
            Some(scale) if !step.exceeds_unit(scale) => {
                Err(target.refuse("its step is not larger than the column's own, so values would stay as they are"))
            }
            _ => Ok(()),
        }
    }

    /// The column as an exact number.
    pub fn exact(self, target: &Target) -> String {
        match (target.engine, self) {
            (Engine::Postgres, Self::Decimal { .. } | Self::Numeric) => target.sql.to_owned(),
            (Engine::Postgres, _) => format!("{}::numeric", target.sql),
            (Engine::MySql, Self::Integer { .. }) => format!("CAST({} AS DECIMAL(20))", target.sql),
            (Engine::MySql, _) => target.sql.to_owned(),
        }
    }

    /// An exact number as a value of the column's type: the nearest one that the type holds.
    pub fn exact_result(self, target: &Target, number: &str) -> String {
        let Some((low, high)) = self.bounds() else {
            return format!("({number})::{}", target.cast_type());
        };
        let clamped = format!("LEAST(GREATEST({number}, {low}), {high})");
        match (target.engine, self) {
            // LEAST and GREATEST pass over NULL here.
            (Engine::Postgres, _) => {
                format!("(CASE WHEN {} IS NOT NULL THEN {clamped} END)::{}", target.sql, target.cast_type())
            }
            (Engine::MySql, Self::Integer { low: 0, .. }) => format!("CAST({clamped} AS UNSIGNED)"),
            (Engine::MySql, Self::Decimal { precision, scale, .. }) => {
                format!("CAST({clamped} AS DECIMAL({precision}, {scale}))")
            }
            (Engine::MySql, _) => format!("CAST({clamped} AS SIGNED)"),
        }
    }

    fn bounds(self) -> Option<(String, String)> {
        match self {
            Self::Integer { low, high } => Some((low.to_string(), high.to_string())),
            Self::Decimal { precision, scale, unsigned } => {
                let high = greatest(precision, scale);
                let low = if unsigned { "0".to_owned() } else { format!("-{high}") };
                Some((low, high))
            }
            Self::Numeric | Self::Float { .. } => None,
        }
    }

    /// A floating-point result as a value of the column's type.
    pub fn double_result(target: &Target, single: bool, number: &str) -> String {
        match target.engine {
            Engine::Postgres if single => {
                // Beyond these the cast fails.
                let clamped = format!("LEAST(GREATEST({number}, -3.4e38::float8), 3.4e38::float8)");
                let tiny = pg::op(&pg::call("abs", &[number]), "<", "1.2e-38::float8");
                format!("(CASE WHEN {tiny} THEN 0 WHEN {} IS NOT NULL THEN {clamped} END)::real", target.sql)
            }
            Engine::Postgres => format!("({number})::float8"),
            Engine::MySql if single => {
                format!("CAST(LEAST(GREATEST({number}, -3.4e38), 3.4e38) AS FLOAT)")
            }
            Engine::MySql => format!("CAST({number} AS DOUBLE)"),
        }
    }
}

fn integer(name: &str, unsigned: bool) -> Option<Number> {
    let bits = match name {
        "tinyint" => 8,
        "smallint" => 16,
        "mediumint" => 24,
        "int" | "integer" => 32,
        "bigint" => 64,
        "oid" => return Some(Number::Integer { low: 0, high: (1 << 32) - 1 }),
        "year" => return Some(Number::Integer { low: 0, high: LAST_YEAR }),
        _ => return None,
    };
    Some(if unsigned {
        Number::Integer { low: 0, high: (1 << bits) - 1 }
    } else {
        Number::Integer { low: -(1 << (bits - 1)), high: (1 << (bits - 1)) - 1 }
    })
}

/// `precision` nines with the point `scale` digits from the right.
fn greatest(precision: i64, scale: i64) -> String {
    let nines = |count: i64| "9".repeat(usize::try_from(count).unwrap_or(0));
    let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or(0));
    match (scale, precision - scale) {
        (..=0, _) => format!("{}{}", nines(precision), zeros(-scale)),
        (_, 1..) => format!("{}.{}", nines(precision - scale), nines(scale)),
        (_, _) => format!("0.{}{}", zeros(scale - precision), nines(precision)),
    }
}

fn not_a_number(target: &Target) -> Unservable {
    target.wrong_type("numbers")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_number_of_a_type() {
        assert_eq!(greatest(10, 2), "99999999.99");
        assert_eq!(greatest(5, 0), "99999");
        assert_eq!(greatest(2, 4), "0.0099");
        assert_eq!(greatest(3, -2), "99900");
        assert_eq!(greatest(2, 2), "0.99");
    }

    #[test]
    fn hashes_are_as_wide_as_positive_numbers() {
        assert_eq!(integer("bigint", false).unwrap().hash_bits(), Some(63));
        assert_eq!(integer("bigint", true).unwrap().hash_bits(), Some(63));
        assert_eq!(integer("int", true).unwrap().hash_bits(), Some(31));
        assert_eq!(integer("smallint", true).unwrap().hash_bits(), Some(15));
        assert_eq!(integer("oid", false).unwrap().hash_bits(), Some(31));
        assert_eq!(integer("smallint", false).unwrap().hash_bits(), Some(15));
        assert_eq!(integer("tinyint", false).unwrap().hash_bits(), None);
        assert_eq!(integer("year", false).unwrap().hash_bits(), None);
    }
}
