//! `redact`: as many characters, all replaced. Serves text.

use super::postgres as pg;
use super::target::{Target, Unservable};
use super::text::Source;
use crate::sql::Engine;

pub(super) fn render(target: &Target, with: char) -> Result<String, Unservable> {
    target.require_text()?;
    target.require_writable(with.encode_utf8(&mut [0; 4]))?;
    Ok(target.text_result(&whole(target, with), Source::Ascii))
}

/// The whole value replaced; masks of other kinds use it for values that they do not know how to keep parts of.
pub(super) fn whole(target: &Target, with: char) -> String {
    filled(target, with, &length(target))
}

/// The number of characters of the value.
pub(super) fn length(target: &Target) -> String {
    match target.engine {
        Engine::Postgres => pg::call("length", &[&target.text()]),
        Engine::MySql => format!("CHAR_LENGTH({})", target.text()),
    }
}

/// The most characters of several bytes that are written.
const MOST: &str = "1000000";

/// A run of one character.
pub(super) fn filled(target: &Target, with: char, length: &str) -> String {
    let fill = target.constant(with.encode_utf8(&mut [0; 4]));
    // A value of hundreds of megabytes must not grow beyond what the server can hold.
    let length = match target.engine {
        _ if with.is_ascii() => length.to_owned(),
        // LEAST passes over NULL here.
        Engine::Postgres => format!("CASE WHEN {} THEN {MOST} ELSE {length} END", pg::op(length, ">", MOST)),
        Engine::MySql => format!("LEAST({length}, {MOST})"),
    };
    match target.engine {
        Engine::Postgres => pg::call("repeat", &[&fill, &length]),
        Engine::MySql => format!("REPEAT({fill}, {length})"),
    }
}
