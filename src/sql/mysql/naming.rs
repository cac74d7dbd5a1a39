//! What the server calls an entry of a select list that has no label (`Item::set_name`, `Item_name_string::copy`).
//!
//! It is the text of the entry in the statement, so a statement that goes to the server in other words needs a label to
//! keep its result's names.

use std::ops::Range;

use super::grammar::{string_content, without_leading_blanks};
use super::{Flavour, SqlMode};
use crate::sql::ast::{Call, Expr, ExprKind, Literal, Tokens};
use crate::sql::token::{Token, TokenKind};

/// The longest name of a column of a result, in bytes.
const MAX_NAME: usize = 255;

/// The tokens of a whole entry: those of its expression and of the parentheses, or ODBC's `{fn … }`, around it.
pub fn item_tokens(expr: &Expr, text: &str, tokens: &[Token]) -> Tokens {
    let mut range = expr.tokens.clone();
    let is = |number: Option<u32>, sign: &str| {
        let token = number.and_then(|number| tokens.get(usize::try_from(number).ok()?));
        token.is_some_and(|token| token.kind == TokenKind::Punctuation && token.text(text) == sign)
    };
    loop {
        let before = range.start;
        if is(before.checked_sub(1), "(") && is(Some(range.end), ")") {
            range = before - 1..range.end + 1;
        } else if is(before.checked_sub(2), "{") && is(Some(range.end), "}") {
            range = before - 2..range.end + 1;
        } else {
            return range;
        }
    }
}

/// The name of an entry without a label.
pub fn output_name(expr: &Expr, text: &str, tokens: &[Token], mode: SqlMode, flavour: Flavour) -> Box<str> {
    let name = own_name(expr, text, tokens, mode, flavour)
        .unwrap_or_else(|| source(text, tokens, &item_tokens(expr, text, tokens)).to_owned());
    clean(&name)
}

/// The name that an expression has from what it is rather than from its text; parentheses do not change it.
fn own_name(expr: &Expr, text: &str, tokens: &[Token], mode: SqlMode, flavour: Flavour) -> Option<String> {
    match &expr.kind {
        ExprKind::Column(name) => name.object().map(|column| column.value.to_string()),
        ExprKind::Parameter => Some("?".to_owned()),
        ExprKind::Literal(Literal::Null) => Some("NULL".to_owned()),
        ExprKind::Literal(Literal::Number | Literal::Bits) => Some(source(text, tokens, &expr.tokens).to_owned()),
        ExprKind::Literal(Literal::Boolean) => {
            let word = source(text, tokens, &expr.tokens);
            Some(if flavour == Flavour::MariaDb { word.to_ascii_uppercase() } else { word.to_owned() })
        }
        ExprKind::Literal(Literal::String) => strings(expr, text, tokens, mode, flavour),
        // Whose purpose it is.
        ExprKind::Call(call) if is_name_const(call) => {
            call.arguments.first().and_then(|name| strings(name, text, tokens, mode, flavour))
        }
        // A plus sign before an operand is dropped.
        ExprKind::Operation(operation) if *operation.operator.symbol == *"+" => match operation.operands.as_slice() {
            [operand] => own_name(operand, text, tokens, mode, flavour),
            _ => None,
        },
        _ => None,
    }
}

fn is_name_const(call: &Call) -> bool {
    matches!(call.name.parts.as_slice(), [name] if name.value.eq_ignore_ascii_case("name_const"))
}

/// The content of a string literal: of the first one in a row on MySQL, of all on MariaDB. Dates and times are named by
/// their text.
fn strings(expr: &Expr, text: &str, tokens: &[Token], mode: SqlMode, flavour: Flavour) -> Option<String> {
    let mut content = String::new();
    for (place, token) in tokens.get(bounds(&expr.tokens)?)?.iter().enumerate() {
        let word = token.text(text);
        match token.kind {
            TokenKind::String => content.push_str(&string_content(word, mode.no_backslash_escapes)),
            TokenKind::NationalString => {
                content.push_str(&string_content(word.get(1..)?, mode.no_backslash_escapes));
            }
            TokenKind::Word if place == 0 && word.starts_with('_') => continue,
            _ => return None,
        }
        if flavour == Flavour::MySql {
            break;
        }
    }
    Some(content)
}

fn bounds(range: &Tokens) -> Option<Range<usize>> {
    Some(usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?)
}

/// The text from the first token to the last, comments between them included.
fn source<'t>(text: &'t str, tokens: &[Token], range: &Tokens) -> &'t str {
    let tokens = bounds(range).and_then(|range| tokens.get(range)).unwrap_or_default();
    match (tokens.first(), tokens.last()) {
        (Some(first), Some(last)) => text.get(first.start as usize..last.end as usize).unwrap_or_default(),
        _ => "",
    }
}

/// Leading blanks go, characters that servers do not keep in names become `?`, the rest is cut.
fn clean(name: &str) -> Box<str> {
    let name = without_leading_blanks(name);
    let mut clean = String::with_capacity(name.len().min(MAX_NAME));
    for c in name.chars() {
        let c = if c > '\u{ffff}' { '?' } else { c };
        if clean.len() + c.len_utf8() > MAX_NAME {
            break;
        }
        clean.push(c);
    }
    clean.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::ast::{QueryBody, SelectItem, Statement};
    use crate::sql::mysql::{lexer, parse};

    fn name(item: &str, flavour: Flavour) -> String {
        let text = format!("SELECT {item} FROM t");
        let mode = SqlMode::default();
        let tokens = lexer::tokens(&text, mode, flavour).unwrap();
        let Statement::Query(query) = parse(&text, &tokens, 0..tokens.len(), mode, flavour).unwrap() else { panic!() };
        let QueryBody::Select(select) = query.body else { panic!() };
        let SelectItem::Expr { expr, .. } = &select.items[0] else { panic!() };
        output_name(expr, &text, &tokens, mode, flavour).into()
    }

    /// What MySQL 9.7, MariaDB 10.11 and 11.8 answer.
    #[test]
    fn names_are_those_of_the_servers() {
        for (item, expected) in [
            ("'it''s'", "it's"),
            ("'a\\nb'", "a\nb"),
            ("\"x\"\"y\"", "x\"y"),
            ("n'abc'", "abc"),
            ("_utf8mb4 'abc'", "abc"),
            ("x'4142'", "x'4142'"),
            ("1.50", "1.50"),
            ("- 1", "- 1"),
            ("+1", "1"),
            ("+(1)", "1"),
            ("+ a", "a"),
            ("null", "NULL"),
            ("DATE'2020-01-01'", "DATE'2020-01-01'"),
            ("{d '2020-01-01'}", "{d '2020-01-01'}"),
            ("{fn concat('a')}", "{fn concat('a')}"),
            ("({fn a})", "a"),
            ("( 1 )", "1"),
            ("((1+2))", "((1+2))"),
            ("(1)+(2)", "(1)+(2)"),
            ("1 /* c */ +  2 /* d */", "1 /* c */ +  2"),
            ("/* c */ 1+\n2", "1+\n2"),
            ("`t` . `a`", "a"),
            ("( t.a )", "a"),
            ("`a`+1", "`a`+1"),
            ("COUNT( * )", "COUNT( * )"),
            ("( select 1 )", "( select 1 )"),
            ("@x:=1", "@x:=1"),
            ("@@global.max_connections", "@@global.max_connections"),
            ("CURRENT_DATE", "CURRENT_DATE"),
            ("'a' collate utf8mb4_bin", "'a' collate utf8mb4_bin"),
            ("'  lead  '", "lead  "),
            ("''", ""),
            ("'\\%'", "\\%"),
            ("concat('😀')", "concat('?')"),
            ("'😀'", "?"),
        ] {
            assert_eq!(name(item, Flavour::MySql), expected, "{item}");
            assert_eq!(name(item, Flavour::MariaDb), expected, "{item}");
        }
        assert_eq!(name(&format!("'{}'", "é".repeat(300)), Flavour::MySql), "é".repeat(127));
        assert_eq!(name(&format!("concat('{}')", "a".repeat(300)), Flavour::MariaDb).len(), 255);
        assert_eq!(name("'abc' 'def'", Flavour::MySql), "abc");
        assert_eq!(name("'abc' 'def'", Flavour::MariaDb), "abcdef");
        assert_eq!(name("true", Flavour::MySql), "true");
        assert_eq!(name("true", Flavour::MariaDb), "TRUE");
        assert_eq!(name("a->'$.x'", Flavour::MySql), "a->'$.x'");
    }
}
