//! What the literals of a text hold, read as the server reads them.

use std::borrow::Cow;

use super::script::{Reading, Script};
use super::token::{Token, TokenKind};
use super::{mysql, postgres};

impl Script {
    /// The values of all literals in order: what strings hold, numbers as they stand. `None` for one whose escapes are
    /// not followed here, so that nothing is known about it.
    pub fn literal_values<'t>(&'t self, text: &'t str, reading: Reading) -> Vec<Option<Cow<'t, str>>> {
        let mut values: Vec<Option<Cow<'t, str>>> = Vec::new();
        let mut last: Option<TokenKind> = None;
        for token in &self.tokens {
            if token.is_literal() {
                let value = value(*token, token.text(text), reading);
                // MySQL: strings in a row are one.
                let continues = matches!(reading, Reading::MySql(..))
                    && token.kind == TokenKind::String
                    && matches!(last, Some(TokenKind::String | TokenKind::NationalString));
                match values.last_mut() {
                    Some(before) if continues => {
                        *before = before.take().zip(value).map(|(before, value)| before + value);
                    }
                    _ => values.push(value),
                }
            }
            last = Some(token.kind);
        }
        values
    }
}

fn value(token: Token, source: &str, reading: Reading) -> Option<Cow<'_, str>> {
    match token.kind {
        TokenKind::Integer | TokenKind::Decimal | TokenKind::BitString => return Some(Cow::Borrowed(source)),
        TokenKind::HexString => return hex(source, reading),
        _ => {}
    }
    match reading {
        Reading::Postgres => postgres::string_content(token, source),
        Reading::MySql(mode, _) => {
            let quoted = source.trim_start_matches(['n', 'N']);
            Some(Cow::Owned(mysql::string_content(quoted, mode.no_backslash_escapes)))
        }
    }
}

/// `X'41'`, `0x41`: on MySQL a string of these bytes, on PostgreSQL bits.
fn hex(source: &str, reading: Reading) -> Option<Cow<'_, str>> {
    let digits = source.trim_start_matches(['x', 'X', '0']);
    let digits = if digits.starts_with('\'') { digits.trim_matches('\'') } else { source.get(2..)? };
    if reading == Reading::Postgres {
        return Some(Cow::Borrowed(digits));
    }
    let digits = if digits.len() % 2 == 0 { Cow::Borrowed(digits) } else { Cow::Owned(format!("0{digits}")) };
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = digits.as_bytes().chunks(2).map(byte).collect();
    Some(Cow::Owned(String::from_utf8_lossy(&bytes?).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::mysql::{Flavour, SqlMode};

    fn values(text: &str, reading: Reading) -> Vec<String> {
        let script = Script::read(text, reading).unwrap();
        let values = script.literal_values(text, reading);
        values.into_iter().map(|value| value.map_or("?".to_owned(), Cow::into_owned)).collect()
    }

    #[test]
    fn postgres_literals_are_what_the_server_reads() {
        let text = r#"select 'it''s', E'a\'b', E'\x41', $t$do'$t$, 12, 1.5, X'1f', 'name' as "quoted""#;
        assert_eq!(values(text, Reading::Postgres), ["it's", "a'b", "?", "do'", "12", "1.5", "1f", "name"]);
    }

    #[test]
    fn mysql_literals_are_what_the_server_reads() {
        let reading = Reading::MySql(SqlMode::default(), Flavour::MySql);
        let text = r#"select 'it\'s', "a""b", 'one' ' two', N'n', x'4142', 0x43, 7, `name`"#;
        assert_eq!(values(text, reading), ["it's", "a\"b", "one two", "n", "AB", "C", "7"]);
    }
}
