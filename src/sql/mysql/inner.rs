//! Statements inside others that the grammar knows by their first words only.

use std::ops::Range;

use super::{SqlMode, string_content};
use crate::sql::token::{Token, TokenKind};

/// What a statement runs beside itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inner {
    /// Nothing that reads or writes tables by statements.
    Nothing,
    /// The statement of these tokens.
    Statement(Range<usize>),
    /// The statements of this text.
    Text(String),
    /// What is not known before it runs.
    Unknown,
}

/// What runs inside the statement of some tokens, whose leading words are these.
pub fn inner(words: &str, text: &str, tokens: &[Token], range: Range<usize>, mode: SqlMode) -> Inner {
    let inside = tokens.get(range.clone()).unwrap_or_default();
    match words {
        "SET STATEMENT" => {
            behind_for(text, inside).map_or(Inner::Unknown, |behind| Inner::Statement(range.start + behind..range.end))
        }
        // EXECUTE IMMEDIATE text [USING …]
        "EXECUTE IMMEDIATE" => constant(text, inside.get(2..), mode),
        // PREPARE name FROM text
        "PREPARE" if inside.get(2).is_some_and(|token| is_word(text, *token, "from")) => {
            constant(text, inside.get(3..), mode)
        }
        "PREPARE" | "HANDLER" => Inner::Unknown,
        _ => Inner::Nothing,
    }
}

/// The token behind the FOR of `SET STATEMENT name = value, … FOR statement`.
fn behind_for(text: &str, tokens: &[Token]) -> Option<usize> {
    let mut depth = 0_i64;
    for (at, token) in tokens.iter().enumerate() {
        match token.text(text) {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ if depth == 0 && is_word(text, *token, "for") => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// A text that is written as strings in a row, which are one.
fn constant(text: &str, tokens: Option<&[Token]>, mode: SqlMode) -> Inner {
    let tokens = tokens.unwrap_or_default();
    let strings = tokens.iter().take_while(|token| token.kind == TokenKind::String);
    let content = |token: &Token| string_content(token.text(text), mode.no_backslash_escapes);
    let parts: Vec<String> = strings.map(content).collect();
    let is_all = tokens.get(parts.len()).is_none_or(|token| is_word(text, *token, "using"));
    if parts.is_empty() || !is_all { Inner::Unknown } else { Inner::Text(parts.concat()) }
}

fn is_word(text: &str, token: Token, word: &str) -> bool {
    token.kind == TokenKind::Word && token.text(text).eq_ignore_ascii_case(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::Script;
    use crate::sql::mysql::Flavour;
    use crate::sql::script::Reading;

    fn inside(words: &str, text: &str) -> String {
        let script = Script::read(text, Reading::MySql(SqlMode::default(), Flavour::MariaDb)).unwrap();
        let inner = inner(words, text, &script.tokens, script.statements[0].clone(), SqlMode::default());
        match inner {
            Inner::Nothing => "nothing".into(),
            Inner::Unknown => "unknown".into(),
            Inner::Text(text) => text,
            Inner::Statement(range) => text[script.tokens[range.start].start as usize..].to_owned(),
        }
    }

    #[test]
    fn what_runs_inside_is_found() {
        let set = |text| inside("SET STATEMENT", text);
        assert_eq!(set("set statement a = 1, b = substring('x' from 1 for 1) for delete from t"), "delete from t");
        assert_eq!(set("set statement a = 1"), "unknown");
        assert_eq!(set("set statement `for` = 1 FOR select 1"), "select 1");
        let execute = |text| inside("EXECUTE IMMEDIATE", text);
        assert_eq!(execute("execute immediate 'delete ' \"from t\""), "delete from t");
        assert_eq!(execute("execute immediate 'select ''?''' using 1"), "select '?'");
        assert_eq!(execute("execute immediate concat('a', 'b')"), "unknown");
        assert_eq!(execute("execute immediate 'a' + 'b'"), "unknown");
        assert_eq!(inside("PREPARE", "prepare s from 'select 1'"), "select 1");
        assert_eq!(inside("PREPARE", "prepare s from @text"), "unknown");
        assert_eq!(inside("FLUSH TABLES", "flush tables"), "nothing");
    }
}
