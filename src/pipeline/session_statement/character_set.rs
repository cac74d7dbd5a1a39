//! The character set of a MySQL connection, which stays utf8mb4.
//!
//! By it the server reads text, and names columns in the definitions that the second lock looks at. Clients that ask for
//! its subset utf8 get it: what they send and understand is in utf8mb4. Those that ask for results without conversion get
//! utf8mb4 too, which the definitions of the columns tell them.

use super::word;
use crate::resolve::Refusal;
use crate::sql::ast::{Assignment, SetScope, SetValue};

/// What is assigned in the place of an assignment about character sets; nothing for any other one.
pub(super) fn pinned(assignment: &Assignment) -> Result<Option<String>, Refusal> {
    if !matches!(assignment.scope, SetScope::Session | SetScope::Local) {
        return Ok(None);
    }
    let values: Vec<String> = assignment.values.iter().map(text).collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    let pinned = match (&*assignment.name, values.as_slice()) {
        ("names" | "character set" | "collation_connection", [] | ["default"]) => Some("NAMES utf8mb4".to_owned()),
        ("names" | "character set", [set]) => is_utf8(set).then(|| "NAMES utf8mb4".to_owned()),
        ("names", [set, collation]) => {
            collation_of(collation).filter(|_| is_utf8(set)).map(|name| format!("NAMES utf8mb4 COLLATE {name}"))
        }
        ("character_set_results", ["null"]) => Some("character_set_results = utf8mb4".to_owned()),
        (name @ ("character_set_client" | "character_set_connection" | "character_set_results"), values) => {
            let utf8 = values.first().is_none_or(|set| is_utf8(set) || *set == "default");
            utf8.then(|| format!("{name} = utf8mb4"))
        }
        ("collation_connection", [name]) => collation_of(name).map(|name| format!("collation_connection = {name}")),
        ("names" | "character set" | "collation_connection", _) => None,
        _ => return Ok(None),
    };
    pinned.map(Some).ok_or_else(|| {
        Refusal::unsupported("the character set of the connection must be utf8mb4").at(Some(assignment.tokens.start))
    })
}

fn text(value: &SetValue) -> String {
    match value {
        SetValue::Expr(expr) if matches!(expr.kind, crate::sql::ast::ExprKind::Literal(_)) => "null".to_owned(),
        value => word(value).map(|word| word.to_lowercase()).unwrap_or_default(),
    }
}

/// utf8mb4 and the names of its subset.
fn is_utf8(set: &str) -> bool {
    matches!(set, "utf8mb4" | "utf8mb3" | "utf8")
}

/// The collation of utf8mb4 that does what one of the subset does.
fn collation_of(name: &str) -> Option<String> {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let (set, rest) = name.split_once('_').filter(|_| plain)?;
    is_utf8(set).then(|| format!("utf8mb4_{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::mysql::{Flavour, SqlMode, lexer, parse};

    fn sent(text: &str) -> Option<String> {
        let (mode, flavour) = (SqlMode::default(), Flavour::MySql);
        let tokens = lexer::tokens(text, mode, flavour).unwrap();
        let crate::sql::ast::Statement::Set(assignments) =
            parse(text, &tokens, 0..tokens.len(), mode, flavour).unwrap()
        else {
            panic!("{text}")
        };
        pinned(&assignments[0]).unwrap_or_else(|refusal| Some(refusal.message.clone()))
    }

    #[test]
    fn the_subset_is_served_as_the_whole() {
        for (text, expected) in [
            ("set names utf8", "NAMES utf8mb4"),
            ("set names 'utf8mb3'", "NAMES utf8mb4"),
            ("set names default", "NAMES utf8mb4"),
            ("set charset utf8", "NAMES utf8mb4"),
            ("set names utf8 collate utf8_bin", "NAMES utf8mb4 COLLATE utf8mb4_bin"),
            ("set names utf8mb4 collate 'utf8mb4_0900_as_cs'", "NAMES utf8mb4 COLLATE utf8mb4_0900_as_cs"),
            ("set character_set_results = NULL", "character_set_results = utf8mb4"),
            ("set @@session.character_set_results = utf8mb3", "character_set_results = utf8mb4"),
            ("set character_set_client = default", "character_set_client = utf8mb4"),
            ("set collation_connection = utf8_general_ci", "collation_connection = utf8mb4_general_ci"),
        ] {
            assert_eq!(sent(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(sent("set autocommit = 1"), None);
    }

    #[test]
    fn all_others_are_refused() {
        let refused = Some("the character set of the connection must be utf8mb4".to_owned());
        for text in [
            "set names latin1",
            "set names gbk collate utf8mb4_bin",
            "set names utf8mb4 collate latin1_bin",
            "set character_set_results = binary",
            "set character_set_results = 1 + 1",
            "set character_set_client = 0x6762",
            "set character_set_connection = latin1",
            "set collation_connection = latin1_bin",
            "set collation_connection = concat('a', 'b')",
        ] {
            assert_eq!(sent(text), refused, "{text}");
        }
    }
}
