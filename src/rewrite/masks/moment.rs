//! Columns of dates and times: computing with them without leaving the range that the server can hold, and without
//! what a session's time zone would tell.

use jiff::Span;
use jiff::civil::{Date, date};

use super::postgres as pg;
use super::target::{Target, Unservable};
use crate::catalog::TypeClass;
use crate::sql::Engine;

/// What points in time a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// Days.
    Date,
    /// Date and time of day, without zone.
    Timestamp,
    /// Points in time.
    TimestampTz,
    /// Times of day.
    Time,
}

impl Moment {
    /// Reads the column's type.
    pub fn of(target: &Target) -> Result<Self, Unservable> {
        match target.class() {
            TypeClass::Date => Ok(Self::Date),
            TypeClass::Timestamp => Ok(Self::Timestamp),
            TypeClass::TimestampTz => Ok(Self::TimestampTz),
            TypeClass::Time => Ok(Self::Time),
            TypeClass::Boolean
            | TypeClass::Integer
            | TypeClass::Numeric
            | TypeClass::Float
            | TypeClass::Text
            | TypeClass::Bytes
            | TypeClass::Interval
            | TypeClass::Uuid
            | TypeClass::Json
            | TypeClass::Jsonb
            | TypeClass::Inet
            | TypeClass::Enum
            | TypeClass::Array
            | TypeClass::Other => Err(target.wrong_type("dates and times")),
        }
    }

    /// The value, moved into the range in which the server can cut it to any unit and shift it by so many days.
    pub fn bounded(self, target: &Target, days: u32) -> String {
        let value = target.sql;
        let (low, high) = match (target.engine, self) {
            (_, Self::Time) => return value.to_owned(),
            // A `date` may lie beyond every timestamp, and the first year is cut short (24 November 4714 BC). The
            // bounds leave a century at both ends.
            (Engine::Postgres, Self::Date) => postgres_bounds("", "pg_catalog.date"),
            (Engine::Postgres, Self::Timestamp) => postgres_bounds("", "timestamp"),
            (Engine::Postgres, Self::TimestampTz) => postgres_bounds(" 00:00:00+00", "timestamp with time zone"),
            (Engine::MySql, Self::Date) => {
                let (low, high) = mysql_bounds(days);
                (format!("DATE'{low}'"), format!("DATE'{high}'"))
            }
            (Engine::MySql, Self::Timestamp | Self::TimestampTz) => {
                let (low, high) = mysql_bounds(days);
                (format!("TIMESTAMP'{low} 00:00:00'"), format!("TIMESTAMP'{high} 00:00:00'"))
            }
        };
        format!("LEAST(GREATEST({value}, {low}), {high})")
    }

    /// The result as a value of the column's type. Endless values stay as they are; MySQL's zero dates become NULL.
    pub fn result(self, target: &Target, masked: &str) -> String {
        let value = target.sql;
        match (target.engine, self) {
            (Engine::Postgres, Self::Time) => format!("{masked}::{}", target.cast_type()),
            (Engine::Postgres, _) => {
                let finite = pg::call("isfinite", &[value]);
                format!("(CASE WHEN {finite} THEN {masked} ELSE {value} END)::{}", target.cast_type())
            }
            (Engine::MySql, Self::Time) => masked.to_owned(),
            (Engine::MySql, _) => {
                let real = format!("MONTH({value}) > 0 AND DAYOFMONTH({value}) > 0");
                let ty = match (self, target.type_name().argument(0)) {
                    (Self::Date, _) => "DATE".to_owned(),
                    (_, digits) => format!("DATETIME({})", digits.unwrap_or(0)),
                };
                format!("CAST(IF({real}, {masked}, NULL) AS {ty})")
            }
        }
    }
}

fn postgres_bounds(time: &str, ty: &str) -> (String, String) {
    (format!("'4600-01-01{time} BC'::{ty}"), format!("'294100-01-01{time}'::{ty}"))
}

/// Year 1 to year 9999, a number of days away from the ends.
fn mysql_bounds(days: u32) -> (Date, Date) {
    let (first, last) = (date(1, 1, 1), date(9999, 12, 31));
    let days = Span::new().days(i64::from(days));
    (first.saturating_add(days), last.saturating_sub(days))
}
