//! `fixed`: one value for every row, NULL or not: that a value is missing is hidden as well. Serves every type.
//!
//! The value is read when the rule meets the column, so that a rule that cannot work is found before a statement fails.

use jiff::civil;
use jiff::{Timestamp, tz::TimeZone};

use super::number::Number;
use super::target::{Target, Unservable};
use crate::catalog::TypeClass;
use crate::rewrite::literal;
use crate::sql::Engine;

pub(super) fn render(target: &Target, value: &str) -> Result<String, Unservable> {
    let value = read(target, value)?;
    target.require_writable(&value)?;
    Ok(match target.engine {
        Engine::Postgres => target.postgres_cast(&literal::string(Engine::Postgres, &value)),
        Engine::MySql => mysql(target, &value),
    })
}

fn mysql(target: &Target, value: &str) -> String {
    let text = literal::string(Engine::MySql, value);
    let fraction = target.type_name().argument(0).unwrap_or(0);
    match target.class() {
        TypeClass::Text | TypeClass::Enum => target.mysql_constant_result(&target.constant(value)),
        TypeClass::Integer | TypeClass::Boolean => value.to_owned(),
        TypeClass::Numeric => {
            let name = target.type_name();
            let (precision, scale) = (name.argument(0).unwrap_or(10), name.argument(1).unwrap_or(0));
            format!("CAST({value} AS DECIMAL({precision}, {scale}))")
        }
        TypeClass::Float => format!("{value}e0"),
        TypeClass::Date => format!("CAST({text} AS DATE)"),
        TypeClass::Time => format!("CAST({text} AS TIME({fraction}))"),
        TypeClass::Timestamp => format!("CAST({text} AS DATETIME({fraction}))"),
        // The number of seconds means the same whatever the session's zone.
        TypeClass::TimestampTz => format!("CAST(FROM_UNIXTIME({value}) AS DATETIME({fraction}))"),
        TypeClass::Bytes => format!("X'{}'", value.trim_start_matches("\\x")),
        TypeClass::Json | TypeClass::Jsonb => format!("JSON_EXTRACT({text}, '$')"),
        TypeClass::Uuid => format!("CAST({text} AS UUID)"),
        TypeClass::Inet => format!("CAST({text} AS {})", target.type_name().name),
        TypeClass::Interval | TypeClass::Array | TypeClass::Other => text,
    }
}

/// Checks a value against the column's type and writes it so that no setting changes how the server reads it.
fn read(target: &Target, value: &str) -> Result<String, Unservable> {
    let trimmed = value.trim();
    let read = match target.class() {
        TypeClass::Boolean => boolean(trimmed, target.engine),
        TypeClass::Integer | TypeClass::Numeric | TypeClass::Float => number(target, trimmed)?,
        TypeClass::Date => trimmed.parse::<civil::Date>().ok().map(|date| date.to_string()),
        TypeClass::Time => trimmed.parse::<civil::Time>().ok().map(|time| time.to_string()),
        TypeClass::Timestamp => date_time(trimmed).map(plain),
        TypeClass::TimestampTz => point(trimmed).map(|point| match target.engine {
            Engine::Postgres => format!("{}+00", plain(point.to_zoned(TimeZone::UTC).datetime())),
            Engine::MySql => point.as_second().to_string(),
        }),
        TypeClass::Uuid => uuid(trimmed),
        TypeClass::Json | TypeClass::Jsonb => {
            serde_json::from_str::<serde::de::IgnoredAny>(value).is_ok().then(|| value.to_owned())
        }
        TypeClass::Bytes => bytes(value),
        TypeClass::Inet => inet(trimmed),
        TypeClass::Enum => label(target, value),
        TypeClass::Text | TypeClass::Interval | TypeClass::Array | TypeClass::Other => Some(value.to_owned()),
    };
    read.ok_or_else(|| target.refuse(format!("`{value}` is no value of the type")))
}

fn boolean(value: &str, engine: Engine) -> Option<String> {
    let value = match value.to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "on" | "1" => true,
        "false" | "f" | "no" | "off" | "0" => false,
        _ => return None,
    };
    Some(match engine {
        Engine::Postgres => value.to_string(),
        Engine::MySql => u8::from(value).to_string(),
    })
}

fn number(target: &Target, value: &str) -> Result<Option<String>, Unservable> {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = !whole.is_empty() && [whole, fraction].concat().bytes().all(|b| b.is_ascii_digit());
    if !plain {
        return Ok(None);
    }
    let fits = match Number::of(target)? {
        Number::Integer { low, high } => value.parse::<i128>().is_ok_and(|number| (low..=high).contains(&number)),
        Number::Decimal { precision, scale, unsigned } => {
            let whole = i64::try_from(whole.trim_start_matches('0').len()).unwrap_or(i64::MAX);
            let fraction = i64::try_from(fraction.trim_end_matches('0').len()).unwrap_or(i64::MAX);
            whole <= precision - scale && fraction <= scale && !(unsigned && value.starts_with('-'))
        }
        Number::Numeric => digits.len() < 1000,
        Number::Float { single } => {
            value.parse::<f64>().is_ok_and(|number| number.abs() <= if single { f64::from(f32::MAX) } else { f64::MAX })
        }
    };
    Ok(fits.then(|| value.to_owned()))
}

fn date_time(value: &str) -> Option<civil::DateTime> {
    value.parse().ok()
}

/// A point in time; without a zone it is in UTC.
fn point(value: &str) -> Option<Timestamp> {
    let in_utc = || date_time(value)?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    value.parse().ok().or_else(in_utc)
}

fn plain(moment: civil::DateTime) -> String {
    moment.to_string().replace('T', " ")
}

fn uuid(value: &str) -> Option<String> {
    let digits: String = value.chars().filter(|c| *c != '-').collect();
    (digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit())).then(|| value.to_owned())
}

/// Hexadecimal digits behind `\x`, otherwise the text's own bytes.
fn bytes(value: &str) -> Option<String> {
    match value.strip_prefix("\\x") {
        Some(digits) => {
            (digits.len().is_multiple_of(2) && digits.bytes().all(|b| b.is_ascii_hexdigit())).then(|| value.to_owned())
        }
        None => Some(format!("\\x{}", literal::hex(value.as_bytes()))),
    }
}

fn inet(value: &str) -> Option<String> {
    let known = value.parse::<std::net::IpAddr>().is_ok() || value.parse::<ipnet::IpNet>().is_ok();
    known.then(|| value.to_owned())
}

/// On MySQL the labels stand in the type itself, quoted as in SQL.
fn label(target: &Target, value: &str) -> Option<String> {
    let known = match target.engine {
        Engine::Postgres => target.column.ty.labels().iter().any(|label| &**label == value),
        Engine::MySql => target.column.ty.sql.contains(&format!("'{}'", value.replace('\'', "''"))),
    };
    known.then(|| value.to_owned())
}
