//! The emitted text, read as the server will read it: every protected relation must stand inside what was made here.

use std::ops::Range;

use super::Effect;
use super::role_rules::BareRules;
use super::virtual_database::{Settings, VirtualDatabase};
use crate::resolve::{self, NOT_SUPPORTED, Refusal};
use crate::rewrite::emit::Emitted;
use crate::rewrite::verify::{self, Unfaithful};
use crate::sql::Script;

/// Refuses a text that would be read differently from what was decided.
pub(super) fn check(
    database: &VirtualDatabase,
    settings: &Settings,
    effects: &[Effect],
    emitted: &Emitted,
    source: &Script,
) -> Result<(), Refusal> {
    faithful(database, settings, effects, emitted, source).map_err(|error| {
        Refusal::with_state(NOT_SUPPORTED, format!("the rewritten statement would not read as it was meant: {error}"))
            .advise("please report the statement; it was not run")
    })
}

fn faithful(
    database: &VirtualDatabase,
    settings: &Settings,
    effects: &[Effect],
    emitted: &Emitted,
    source: &Script,
) -> Result<(), Unfaithful> {
    let mut settings = settings.clone();
    let read = database.read(&settings, &emitted.sql).map_err(|error| Unfaithful::Syntax(error.to_string().into()))?;
    verify::same_tokens(emitted, &read, &source.tokens)?;
    let effects = effects.iter().chain(std::iter::repeat(&Effect::None));
    for (range, effect) in read.statements.iter().zip(effects) {
        if read.tokens.get(range.clone()).unwrap_or_default().iter().any(|token| !verify::is_made(emitted, token)) {
            faithful_statement(database, &settings, emitted, &read, range.clone())?;
        }
        settings.apply(effect, database.snapshot());
    }
    Ok(())
}

/// A statement in which something is the client's. No relation may be named by that, however it is looked for.
fn faithful_statement(
    database: &VirtualDatabase,
    settings: &Settings,
    emitted: &Emitted,
    read: &Script,
    range: Range<usize>,
) -> Result<(), Unfaithful> {
    let with_session_objects = database.with_session_objects(settings);
    let database = with_session_objects.as_deref().unwrap_or(database);
    let rules = BareRules {};
    let world = database.world(settings, &rules);
    let resolved = database
        .parse(settings, &emitted.sql, read, range)
        .and_then(|statement| resolve::resolve(&world, &emitted.sql, &read.tokens, &statement))
        .map_err(|refusal| Unfaithful::Syntax(refusal.message.into()))?;
    for used in &resolved.relations {
        let Some(relation) = database.snapshot().relation(used.relation) else { continue };
        let first = usize::try_from(used.tokens.start).ok().and_then(|at| read.tokens.get(at));
        if !first.is_some_and(|token| verify::is_made(emitted, token)) {
            return Err(Unfaithful::Relation(format!("{}.{}", relation.schema, relation.name).into()));
        }
    }
    Ok(())
}
