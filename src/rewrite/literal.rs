//! Strings as SQL literals that mean the same whatever the session's settings are.

use std::fmt::Write as _;

use crate::sql::Engine;

/// A string literal. On PostgreSQL it has no type yet, so that it takes that of what it is compared with; on MySQL it
/// is a string in utf8mb4 that is converted to the character set of what it is compared with.
///
/// A text without quotes and backslashes reads the same under every setting and is written plainly. Others are
/// `E'…'` on PostgreSQL, which `standard_conforming_strings` does not touch, and hexadecimal on MySQL, which
/// `NO_BACKSLASH_ESCAPES`, `ANSI_QUOTES` and the connection's character set do not touch.
pub fn string(engine: Engine, text: &str) -> String {
    match engine {
        Engine::Postgres if !text.contains('\\') => format!("'{}'", text.replace('\'', "''")),
        Engine::Postgres => format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''")),
        Engine::MySql if text.chars().all(|c| matches!(c, ' '..='~') && !matches!(c, '\'' | '\\')) => {
            format!("'{text}'")
        }
        Engine::MySql => format!("_utf8mb4 0x{}", hex(text.as_bytes())),
    }
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_backslashes_cannot_end_a_literal() {
        assert_eq!(string(Engine::Postgres, "EU"), "'EU'");
        assert_eq!(string(Engine::Postgres, "O'Neill"), "'O''Neill'");
        assert_eq!(string(Engine::Postgres, r"\' or true --"), r"E'\\'' or true --'");
        assert_eq!(string(Engine::MySql, "EU"), "'EU'");
        assert_eq!(string(Engine::MySql, ""), "''");
        assert_eq!(string(Engine::MySql, "O'N"), "_utf8mb4 0x4f274e");
        assert_eq!(string(Engine::MySql, "\\"), "_utf8mb4 0x5c");
        assert_eq!(string(Engine::MySql, "京"), "_utf8mb4 0xe4baac");
    }
}
