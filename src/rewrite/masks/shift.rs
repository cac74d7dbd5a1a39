//! `shift`: moved by whole days, at least one and at most the bound, by the keyed hash of another column: all values of one
//! key are moved alike, so that intervals between them stay true. Serves dates and timestamps.
//!
//! The key is a column of the same table, the primary key when the rule names none. Where it is NULL the result is
//! NULL. Near the ends of what the server can hold, values are first moved away from the end.

use super::key;
use super::moment::Moment;
use super::postgres as pg;
use super::target::{Target, Unservable};
use crate::catalog::{Column, TypeClass};
use crate::sql::Engine;

/// The largest bound: a hundred years.
const MOST_DAYS: u32 = 36_525;

pub(super) fn render(
    target: &Target,
    days: u32,
    column: Option<&str>,
    key_id: Option<&str>,
) -> Result<String, Unservable> {
    let moment = Moment::of(target)?;
    if moment == Moment::Time {
        return Err(target.refuse("times of day cannot be moved by days; use `trunc` or `null`"));
    }
    if !(1..=MOST_DAYS).contains(&days) {
        return Err(target.refuse(format!("its bound must be 1 to {MOST_DAYS} days")));
    }
    let hash = key::number(target, key_id, &key_bytes(target, column)?)?;
    let (value, span, half) = (moment.bounded(target, days), 2 * days, format!("{}.5", days - 1));
    // From −(days − ½) to days − ½ in whole steps; rounding away from zero leaves out zero.
    let masked = match target.engine {
        Engine::Postgres => {
            let offset = pg::op(&pg::op(&hash, "%", &span.to_string()), "-", &half);
            let offset = pg::call("round", &[&offset]);
            match moment {
                Moment::Date => pg::op(&value, "+", &format!("{offset}::integer")),
                // Days as such would be longer or shorter where the session's zone changes its clocks.
                Moment::Timestamp | Moment::TimestampTz | Moment::Time => {
                    pg::op(&value, "+", &pg::op(&format!("{offset}::float8"), "*", "'24:00:00'::interval"))
                }
            }
        }
        Engine::MySql => {
            let offset = format!("ROUND({hash} MOD {span} - {half})");
            match moment {
                Moment::TimestampTz => {
                    let seconds = format!("UNIX_TIMESTAMP({}) + {offset} * 86400", target.sql);
                    format!("FROM_UNIXTIME(LEAST(GREATEST({seconds}, 1), 2147483647))")
                }
                Moment::Date | Moment::Timestamp | Moment::Time => format!("{value} + INTERVAL {offset} DAY"),
            }
        }
    };
    Ok(moment.result(target, &masked))
}

/// The key's value as bytes that depend on no setting.
fn key_bytes(target: &Target, column: Option<&str>) -> Result<String, Unservable> {
    let relation = target.context.relation;
    let columns: Vec<&Column> = match column {
        Some(name) => {
            let at = relation.columns.iter().position(|column| same_name(target.engine, &column.name, name));
            let at = at.ok_or_else(|| target.refuse(format!("its key column `{name}` does not exist")))?;
            relation.columns.get(at).into_iter().collect()
        }
        None => relation.primary_key.iter().filter_map(|at| relation.columns.get(*at)).collect(),
    };
    let parts: Vec<String> = columns.iter().map(|column| column_bytes(target, column)).collect::<Result<_, _>>()?;
    match (target.engine, parts.as_slice()) {
        (_, []) => Err(target.refuse("the table has no primary key; name the column that gives the `key`")),
        (_, [part]) => Ok(part.clone()),
        // Each part is hashed before they are joined, so that no two keys run together.
        (Engine::Postgres, parts) => {
            let parts: Vec<String> = parts.iter().map(|part| pg::call("sha256", &[part])).collect();
            Ok(pg::chain("||", &parts.iter().map(String::as_str).collect::<Vec<_>>()))
        }
        (Engine::MySql, parts) => {
            let parts: Vec<String> = parts.iter().map(|part| format!("UNHEX(SHA2({part}, 256))")).collect();
            Ok(format!("CONCAT({})", parts.join(", ")))
        }
    }
}

fn same_name(engine: Engine, stored: &str, written: &str) -> bool {
    match engine {
        Engine::Postgres => stored == written,
        Engine::MySql => stored.to_lowercase() == written.to_lowercase(),
    }
}

fn column_bytes(target: &Target, column: &Column) -> Result<String, Unservable> {
    let name = target.engine.quote_identifier(&column.name);
    let quoted = match target.context.qualifier {
        Some(qualifier) => format!("{}.{name}", target.engine.quote_identifier(qualifier)),
        None => name,
    };
    let key = Target { column, sql: &quoted, ..*target };
    match column.ty.class {
        TypeClass::Text => Ok(key.bytes_of_text()),
        TypeClass::Bytes => Ok(quoted),
        TypeClass::Integer | TypeClass::Numeric | TypeClass::Uuid => Ok(match target.engine {
            Engine::Postgres => pg::call("convert_to", &[&format!("{quoted}::pg_catalog.text"), "'UTF8'"]),
            Engine::MySql => format!("CAST({quoted} AS CHAR)"),
        }),
        TypeClass::Boolean
        | TypeClass::Float
        | TypeClass::Date
        | TypeClass::Time
        | TypeClass::Timestamp
        | TypeClass::TimestampTz
        | TypeClass::Interval
        | TypeClass::Json
        | TypeClass::Jsonb
        | TypeClass::Inet
        | TypeClass::Enum
        | TypeClass::Array
        | TypeClass::Other => {
            let reason =
                format!("its key `{}` must be text, a number, uuid or bytes; name another column", column.name);
            Err(target.refuse(reason))
        }
    }
}
