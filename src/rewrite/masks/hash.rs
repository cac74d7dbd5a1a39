//! `hash`: keyed HMAC-SHA-256, so that equal values have equal hashes and joins and counts work.
//!
//! | type | gives |
//! | --- | --- |
//! | text | `length` lower-case hexadecimal digits of the HMAC of the value in UTF-8 |
//! | integers | a number from 0 to the type's greatest (signed), of the HMAC of the decimal digits |
//! | uuid | a version 8 UUID (RFC 9562), of the HMAC of the value's text |
//! | bytes | `length` / 2 bytes of the HMAC of the bytes |
//!
//! Columns shorter than `length` get as many digits as they hold, eight at least.

use super::key;
use super::number::Number;
use super::postgres as pg;
use super::target::{Target, Unservable};
use super::text::Source;
use crate::catalog::TypeClass;
use crate::sql::Engine;

/// Fewer digits would make different values meet too often.
const MIN_DIGITS: i64 = 8;

pub(super) fn render(target: &Target, length: u8, key_id: Option<&str>) -> Result<String, Unservable> {
    match target.class() {
        TypeClass::Text => text(target, length, key_id),
        TypeClass::Integer => integer(target, key_id),
        TypeClass::Uuid => uuid(target, key_id),
        TypeClass::Bytes => bytes(target, length, key_id),
        TypeClass::Boolean
        | TypeClass::Numeric
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
        | TypeClass::Other => Err(target.wrong_type("text, integers, uuid and bytes")),
    }
}

fn text(target: &Target, length: u8, key_id: Option<&str>) -> Result<String, Unservable> {
    target.require_text()?;
    let length = target.max_length().unwrap_or(64).min(i64::from(length)).min(64);
    if length < MIN_DIGITS {
        return Err(target.refuse("fewer than 8 digits of a hash fit; use `redact` or `null`"));
    }
    let hex = key::hex_digest(target, key_id, &target.bytes_of_text())?;
    let cut = match target.engine {
        _ if length == 64 => hex,
        Engine::Postgres => pg::call("left", &[&hex, &length.to_string()]),
        Engine::MySql => format!("LEFT({hex}, {length})"),
    };
    Ok(target.text_result(&cut, Source::Ascii))
}

fn integer(target: &Target, key_id: Option<&str>) -> Result<String, Unservable> {
    let bits = Number::of(target)?.hash_bits().ok_or_else(|| target.refuse("it is too small for a hash"))?;
    let mask = (1_i128 << bits) - 1;
    Ok(match target.engine {
        Engine::Postgres => {
            let value = pg::call("convert_to", &[&format!("{}::pg_catalog.text", target.sql), "'UTF8'"]);
            let hex = pg::call("left", &[&key::hex_digest(target, key_id, &value)?, "16"]);
            let number = format!("({})::bit(64)::bigint", pg::op("'x'", "||", &hex));
            format!("{}::{}", pg::op(&number, "&", &mask.to_string()), target.cast_type())
        }
        Engine::MySql => {
            let value = format!("CAST({} AS CHAR)", target.sql);
            let hex = key::hex_digest(target, key_id, &value)?;
            format!("CAST(CAST(CONV(LEFT({hex}, 16), 16, 10) AS UNSIGNED) & {mask} AS SIGNED)")
        }
    })
}

fn uuid(target: &Target, key_id: Option<&str>) -> Result<String, Unservable> {
    Ok(match target.engine {
        Engine::Postgres => {
            let value = pg::call("convert_to", &[&format!("{}::pg_catalog.text", target.sql), "'UTF8'"]);
            let hex = pg::call("left", &[&key::hex_digest(target, key_id, &value)?, "32"]);
            let versioned = pg::call("overlay", &[&pg::call("overlay", &[&hex, "'8'", "13"]), "'8'", "17"]);
            format!("{versioned}::{}", target.cast_type())
        }
        Engine::MySql => {
            let hex = key::hex_digest(target, key_id, &format!("CAST({} AS CHAR)", target.sql))?;
            format!("CAST(INSERT(INSERT(LEFT({hex}, 32), 13, 1, '8'), 17, 1, '8') AS UUID)")
        }
    })
}

fn bytes(target: &Target, length: u8, key_id: Option<&str>) -> Result<String, Unservable> {
    let name = target.type_name();
    let room = match name.name {
        "binary" | "varbinary" => name.argument(0).unwrap_or(1),
        "tinyblob" | "blob" | "mediumblob" | "longblob" | "bytea" => 32,
        _ => return Err(target.wrong_type("text, integers, uuid and bytes")),
    };
    let length = room.min(i64::from(length) / 2).min(32);
    if length < MIN_DIGITS / 2 {
        return Err(target.refuse("fewer than 4 bytes of a hash fit; use `null`"));
    }
    let digest = key::digest(target, key_id, target.sql)?;
    Ok(match target.engine {
        Engine::Postgres if length == 32 => digest,
        Engine::Postgres => pg::call("substr", &[&digest, "1", &length.to_string()]),
        Engine::MySql => {
            let digits = length * 2;
            match name.name {
                "binary" => format!("CAST(UNHEX(LEFT({digest}, {digits})) AS BINARY({room}))"),
                _ => format!("UNHEX(LEFT({digest}, {digits}))"),
            }
        }
    })
}
