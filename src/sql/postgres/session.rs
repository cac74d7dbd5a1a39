//! SET, RESET, SHOW, DISCARD.

use super::{names, strings, transaction, types};
use crate::sql::ast::{Assignment, Discarded, SetScope, SetValue, Statement, Transaction};
use crate::sql::cursor::Cursor;
use crate::sql::syntax_error::SyntaxError;
use crate::sql::token::TokenKind;

/// SET; the word stands here.
pub fn set(c: &mut Cursor<'_>) -> Result<Statement, SyntaxError> {
    let start = c.at();
    c.advance();
    if c.take_word("constraints") {
        return constraints(c);
    }
    if c.take_words(&["session", "characteristics"]) {
        c.expect_word("as")?;
        c.expect_word("transaction")?;
        return characteristics(c);
    }
    // SESSION and LOCAL are names of settings too where a value follows; SESSION also begins SESSION AUTHORIZATION.
    let value_follows = c.is_symbol_ahead(1, "=") || c.is_word_ahead(1, "to") || c.is_symbol_ahead(1, ".");
    let scope = match names::keyword_text(c) {
        "local" if !value_follows => SetScope::Local,
        _ => SetScope::Session,
    };
    if !value_follows && (scope == SetScope::Local || (c.is_word("session") && !c.is_word_ahead(1, "authorization"))) {
        c.advance();
    }
    if c.take_words(&["transaction", "snapshot"]) {
        strings::string(c)?;
        return Ok(Statement::Transaction(Transaction::Characteristics));
    }
    if c.is_word("transaction") && !c.is_symbol_ahead(1, "=") && !c.is_word_ahead(1, "to") {
        c.advance();
        return characteristics(c);
    }
    let (name, values) = setting(c)?;
    Ok(Statement::Set(vec![Assignment { scope, name, values, tokens: c.since(start) }]))
}

fn constraints(c: &mut Cursor<'_>) -> Result<Statement, SyntaxError> {
    if !c.take_word("all") {
        names::qualified_list(c)?;
    }
    if !c.take_word("deferred") {
        c.expect_word("immediate")?;
    }
    Ok(Statement::Transaction(Transaction::Characteristics))
}

fn characteristics(c: &mut Cursor<'_>) -> Result<Statement, SyntaxError> {
    if c.is_at_end() {
        return Err(c.expected("a transaction mode"));
    }
    transaction::modes(c)?;
    Ok(Statement::Transaction(Transaction::Characteristics))
}

type Setting = (Box<str>, Vec<SetValue>);

/// A setting and its values (`set_rest_more`).
fn setting(c: &mut Cursor<'_>) -> Result<Setting, SyntaxError> {
    let plain = c.is_symbol_ahead(1, "=") || c.is_word_ahead(1, "to") || c.is_symbol_ahead(1, ".");
    if !plain && let Some(known) = setting_of_words(c)? {
        return Ok(known);
    }
    let name = variable(c)?;
    if c.are_words(&["from", "current"]) {
        // It has a meaning in definitions of functions only.
        return Err(c.unsupported("`SET … FROM CURRENT`"));
    }
    if !c.take_word("to") {
        c.expect_symbol("=")?;
    }
    if c.take_word("default") {
        return Ok((name, Vec::new()));
    }
    Ok((name, names::comma_list(c, value)?))
}

/// Settings with a grammar of their own.
fn setting_of_words(c: &mut Cursor<'_>) -> Result<Option<Setting>, SyntaxError> {
    let (words, name) = match names::keyword_text(c) {
        "time" => (2, "timezone"),
        "catalog" => (1, "catalog"),
        "schema" => (1, "search_path"),
        "names" => (1, "names"),
        "role" => (1, "role"),
        "session" => (2, "session authorization"),
        "xml" => (2, "xmloption"),
        _ => return Ok(None),
    };
    if c.is_word_ahead(1, "from") {
        return Ok(None);
    }
    let complete = match name {
        "timezone" => c.is_word_ahead(1, "zone"),
        "session authorization" => c.is_word_ahead(1, "authorization"),
        "xmloption" => c.is_word_ahead(1, "option"),
        _ => true,
    };
    if !complete {
        return Err(c.expected("the name of a setting"));
    }
    c.advance_by(words);
    let value = match name {
        "timezone" => time_zone(c)?,
        "names" if c.is_at_end() => None,
        "names" | "session authorization" if c.take_word("default") => None,
        "role" | "session authorization" => Some(word_or_string(c)?),
        "xmloption" if c.is_one_of(&["document", "content"]) => Some(SetValue::Word(names::take(c).value)),
        "xmloption" => return Err(c.expected("`DOCUMENT` or `CONTENT`")),
        _ => Some(SetValue::String(strings::string(c)?)),
    };
    Ok(Some((name.into(), value.into_iter().collect())))
}

fn time_zone(c: &mut Cursor<'_>) -> Result<Option<SetValue>, SyntaxError> {
    if c.take_word("default") {
        return Ok(None);
    }
    if c.is_word("interval") {
        types::constant(c)?;
        let value = SetValue::String(strings::string(c)?);
        types::interval_fields(c)?;
        return Ok(Some(value));
    }
    let word = c.is_word("local") || c.kind(0) == Some(TokenKind::QuotedWord) || names::keyword(c, 0).is_none();
    if word && names::is_label(c, 0) {
        return Ok(Some(SetValue::Word(names::take(c).value)));
    }
    if strings::is_string(c.kind(0)) { Ok(Some(SetValue::String(strings::string(c)?))) } else { number(c).map(Some) }
}

/// `a`, `a.b`; SET and RESET name the setting of SESSION AUTHORIZATION in two ways.
fn variable(c: &mut Cursor<'_>) -> Result<Box<str>, SyntaxError> {
    let mut name = names::column_id(c)?.value.into_string();
    while c.take_symbol(".") {
        name.push('.');
        name.push_str(&names::column_id(c)?.value);
    }
    name.make_ascii_lowercase();
    if name == "session_authorization" {
        name = "session authorization".into();
    }
    Ok(name.into())
}

fn value(c: &mut Cursor<'_>) -> Result<SetValue, SyntaxError> {
    if c.is_one_of(&["true", "false", "on"]) {
        return Ok(SetValue::Word(names::take(c).value));
    }
    if names::is_label(c, 0) || strings::is_string(c.kind(0)) { word_or_string(c) } else { number(c) }
}

fn word_or_string(c: &mut Cursor<'_>) -> Result<SetValue, SyntaxError> {
    if strings::is_string(c.kind(0)) {
        return Ok(SetValue::String(strings::string(c)?));
    }
    Ok(SetValue::Word(names::non_reserved(c)?.value))
}

/// `-1.5` (`NumericOnly`).
fn number(c: &mut Cursor<'_>) -> Result<SetValue, SyntaxError> {
    let sign = if c.take_symbol("-") {
        "-"
    } else {
        c.take_symbol("+");
        ""
    };
    match c.kind(0) {
        Some(TokenKind::Integer | TokenKind::Decimal) => {
            let number = format!("{sign}{}", c.source(0));
            c.advance();
            Ok(SetValue::Number(number.into()))
        }
        _ => Err(c.expected("a value")),
    }
}

/// RESET; the word stands here.
pub fn reset(c: &mut Cursor<'_>) -> Result<Statement, SyntaxError> {
    c.advance();
    Ok(Statement::Reset(shown(c)?))
}

/// SHOW; the word stands here.
pub fn show(c: &mut Cursor<'_>) -> Result<Statement, SyntaxError> {
    c.advance();
    Ok(Statement::ShowSetting(shown(c)?))
}

fn shown(c: &mut Cursor<'_>) -> Result<Option<Box<str>>, SyntaxError> {
    if c.take_word("all") {
        return Ok(None);
    }
    if c.take_words(&["time", "zone"]) {
        return Ok(Some("timezone".into()));
    }
    if c.take_words(&["transaction", "isolation", "level"]) {
        return Ok(Some("transaction_isolation".into()));
    }
    if c.take_words(&["session", "authorization"]) {
        return Ok(Some("session authorization".into()));
    }
    variable(c).map(Some)
}

/// DISCARD; the word stands here.
pub fn discard(c: &mut Cursor<'_>) -> Result<Statement, SyntaxError> {
    c.advance();
    if c.take_word("all") {
        Ok(Statement::Discard(Discarded::All))
    } else if c.take_word("temp") || c.take_word("temporary") {
        Ok(Statement::Discard(Discarded::Temporary))
    } else if c.take_word("plans") || c.take_word("sequences") {
        Ok(Statement::Discard(Discarded::Other))
    } else {
        Err(c.expected("`ALL`, `PLANS`, `SEQUENCES` or `TEMP`"))
    }
}
