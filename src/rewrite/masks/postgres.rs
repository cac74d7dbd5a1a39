//! Pieces of PostgreSQL expressions. Functions, operators and types are named with their schema, so that nothing a user
//! makes in another schema, nor a temporary type, can stand in for them.

use std::borrow::Cow;

/// A call of a built-in function.
pub(super) fn call(function: &str, arguments: &[&str]) -> String {
    format!("pg_catalog.{function}({})", arguments.join(", "))
}

/// Two operands joined by a built-in operator, in parentheses.
pub(super) fn op(left: &str, operator: &str, right: &str) -> String {
    format!("({left} OPERATOR(pg_catalog.{operator}) {right})")
}

/// Several operands joined by one built-in operator, from left to right, in parentheses.
pub(super) fn chain(operator: &str, operands: &[&str]) -> String {
    format!("({})", operands.join(&format!(" OPERATOR(pg_catalog.{operator}) ")))
}

/// Types whose names are keywords of the grammar: they always mean the built-in type.
const KEYWORD_TYPES: [&str; 13] = [
    "bigint",
    "bit",
    "boolean",
    "character",
    "double precision",
    "integer",
    "interval",
    "numeric",
    "real",
    "smallint",
    "time",
    "timestamp",
    "bit varying",
];

/// A type of the catalog as it is written in a cast. Other built-in types than those named by keywords would be
/// looked for among temporary types first.
pub(super) fn type_name(sql: &str) -> Cow<'_, str> {
    let keyword = KEYWORD_TYPES.iter().any(|keyword| {
        sql.strip_prefix(keyword).is_some_and(|rest| rest.is_empty() || rest.starts_with(['(', ' ', '[']))
    });
    if keyword || has_schema(sql) { Cow::Borrowed(sql) } else { Cow::Owned(format!("pg_catalog.{sql}")) }
}

fn has_schema(sql: &str) -> bool {
    let mut quoted = false;
    sql.chars().take_while(|c| *c != '(').any(|c| {
        quoted ^= c == '"';
        c == '.' && !quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_cannot_be_shadowed() {
        for kept in [
            "integer",
            "character varying(50)",
            "character(3)",
            "timestamp(3) without time zone",
            "bit varying(4)",
            "integer[]",
            "public.citext",
            r#"app."Tier.x""#,
        ] {
            assert_eq!(type_name(kept), kept);
        }
        assert_eq!(type_name("text"), "pg_catalog.text");
        assert_eq!(type_name("date"), "pg_catalog.date");
        assert_eq!(type_name("uuid[]"), "pg_catalog.uuid[]");
        assert_eq!(type_name("\"char\""), "pg_catalog.\"char\"");
        assert_eq!(type_name("timetz"), "pg_catalog.timetz");
    }
}
