//! What rules and views say is read by MySQL's default `sql_mode`. Where a session's mode reads text in another way, what is
//! made of them must still mean the same.

use super::row_filter::{column_name, conjunction};
use super::virtual_database::{Settings, VirtualDatabase};
use crate::catalog::Relation;
use crate::policy::Treatment;
use crate::resolve::{Appearance, Refusal, RelationUse, Resolved};
use crate::rewrite::masks;
use crate::sql::mysql::SqlMode;
use crate::sql::{Engine, Token, TokenKind};

/// Refuses a statement for which the session's mode changes what filters, masks or views mean.
pub(super) fn check(database: &VirtualDatabase, settings: &Settings, resolved: &Resolved) -> Result<(), Refusal> {
    let reading = SqlMode { lenient: false, ..settings.sql_mode };
    if database.engine() == Engine::Postgres || reading == SqlMode::default() {
        return Ok(());
    }
    resolved.relations.iter().try_for_each(|used| check_use(database, settings, used))
}

fn check_use(database: &VirtualDatabase, settings: &Settings, used: &RelationUse) -> Result<(), Refusal> {
    let Some(relation) = database.snapshot().relation(used.relation) else { return Ok(()) };
    if let Appearance::Expanded(view) = &used.appearance {
        require(database, settings, relation, &view.text)?;
        check(database, settings, &view.resolved)?;
    }
    if used.access.is_plain() || matches!(used.appearance, Appearance::System(_)) {
        return Ok(());
    }
    let engine = database.engine();
    let filters = database.rules().filters(relation)?;
    if !filters.is_empty() {
        let condition = conjunction(&filters, |position| column_name(engine, relation, Some(&relation.name), position));
        require(database, settings, relation, &format!("SELECT {condition}"))?;
    }
    let context = database.mask_context(relation, None);
    for (column, access) in relation.columns.iter().zip(&used.access.columns) {
        if let Treatment::Masked(mask) = &access.treatment
            && let Ok(masked) = masks::render(engine, mask, column, &engine.quote_identifier(&column.name), &context)
        {
            require(database, settings, relation, &format!("SELECT {masked}"))?;
        }
    }
    Ok(())
}

fn require(database: &VirtualDatabase, settings: &Settings, relation: &Relation, text: &str) -> Result<(), Refusal> {
    if means_the_same(database, settings, text) {
        return Ok(());
    }
    Err(Refusal::forbidden(format!(
        "`{}.{}` cannot be read by role `{}` in this `sql_mode`",
        relation.schema,
        relation.name,
        database.role().name
    ))
    .because("it would change what the rules for the table mean")
    .advise("leave out the modes that change how text is read"))
}

fn means_the_same(database: &VirtualDatabase, settings: &Settings, text: &str) -> bool {
    let read = |settings: &Settings| {
        let script = database.read(settings, text).ok()?;
        let statement = database.parse(settings, text, &script, script.statements.first()?.clone()).ok()?;
        Some((script.tokens, statement))
    };
    let Some(usual) = read(&Settings::default()) else { return false };
    let escapes = settings.sql_mode.no_backslash_escapes && has_escapes(text, &usual.0);
    !escapes && read(settings).is_some_and(|now| now == usual)
}

/// Whether a string has a backslash in it, or a pattern that is no string may have one: without backslash escapes both mean
/// something else.
fn has_escapes(text: &str, tokens: &[Token]) -> bool {
    let escapes = |token: &Token| token.kind != TokenKind::QuotedWord && token.text(text).contains('\\');
    let is_like = |token: &Token| token.kind == TokenKind::Word && token.text(text).eq_ignore_ascii_case("like");
    tokens.iter().any(escapes)
        || tokens.windows(2).any(|pair| match pair {
            [like, pattern] => is_like(like) && pattern.kind != TokenKind::String,
            _ => false,
        })
}
