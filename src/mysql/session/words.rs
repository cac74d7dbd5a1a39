//! The two statements whose object is the proxy's own notion: USE of a database that may be another server's, and
//! KILL of a session that the client knows by the proxy's number. Read from tokens, by the server's lexical rules.

use crate::sql::mysql::lexer::Lexer;
use crate::sql::mysql::{Flavour, SqlMode};
use crate::sql::{Token, TokenKind};

/// A text that is one of them, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Words {
    /// `USE name`.
    Use(Box<str>),
    /// `KILL [CONNECTION | QUERY] number`.
    Kill {
        /// Only the running statement.
        query: bool,
        /// The connection.
        number: u64,
    },
}

/// Whether a text may be one of them: most are told apart by their first letter.
pub(super) fn may_be(text: &str) -> bool {
    matches!(text.trim_start().as_bytes().first(), Some(b'u' | b'U' | b'k' | b'K' | b'/' | b'-' | b'#'))
}

/// Reads a text that may be one of them.
pub(super) fn read(text: &str, mode: SqlMode, flavour: Flavour) -> Option<Words> {
    let mut lexer = Lexer::new(text, mode, flavour);
    let mut tokens: Vec<Token> = Vec::with_capacity(4);
    while let Some(token) = lexer.next_token().ok()? {
        let first = tokens.first().map_or_else(|| token.text(text), |first| first.text(text));
        let is_ours = first.eq_ignore_ascii_case("use") || first.eq_ignore_ascii_case("kill");
        if !is_ours || tokens.len() > 3 {
            return None;
        }
        tokens.push(token);
    }
    if let Some(last) = tokens.last()
        && last.text(text) == ";"
    {
        tokens.pop();
    }
    let word = |token: &Token| token.text(text).to_ascii_lowercase();
    match tokens.as_slice() {
        [first, name] if word(first) == "use" => identifier(text, name).map(Words::Use),
        [first, number] if word(first) == "kill" => kill(text, "connection", number),
        [first, what, number] if word(first) == "kill" => kill(text, &word(what), number),
        _ => None,
    }
}

fn kill(text: &str, what: &str, number: &Token) -> Option<Words> {
    let query = match what {
        "connection" => false,
        "query" => true,
        _ => return None,
    };
    let number = (number.kind == TokenKind::Integer).then(|| number.text(text).parse().ok()).flatten()?;
    Some(Words::Kill { query, number })
}

fn identifier(text: &str, token: &Token) -> Option<Box<str>> {
    let source = token.text(text);
    match token.kind {
        TokenKind::Word => Some(source.into()),
        TokenKind::QuotedWord => {
            let quote = source.chars().next()?;
            let inner = source.strip_prefix(quote)?.strip_suffix(quote)?;
            Some(inner.replace(&format!("{quote}{quote}"), &quote.to_string()).into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_statements_only() {
        let read = |text| read(text, SqlMode::default(), Flavour::MySql);
        assert_eq!(read("use shop"), Some(Words::Use("shop".into())));
        assert_eq!(read(" /* c */ USE `a``b` ; "), Some(Words::Use("a`b".into())));
        assert_eq!(read("use shop; select 1"), None);
        assert_eq!(read("kill 7"), Some(Words::Kill { query: false, number: 7 }));
        assert_eq!(read("KILL QUERY 1073741829;"), Some(Words::Kill { query: true, number: 1_073_741_829 }));
        assert_eq!(read("kill hard 7"), None);
        assert_eq!(read("kill connection_id()"), None);
        assert_eq!(read("update t set a = 1"), None);
        assert_eq!(read("select 1"), None);
        assert!(may_be(" -- c\nuse x") && may_be("KILL 7") && !may_be("select 1"));
        assert_eq!(read(""), None);
    }
}
