//! The emitted text, read as the server will read it: every protected relation must stand inside what was made here.

use super::role_rules::BareRules;
use super::virtual_database::{Settings, VirtualDatabase};
use crate::resolve::{self, NOT_SUPPORTED, Refusal};
use crate::rewrite::emit::Emitted;
use crate::rewrite::verify::{self, Unfaithful};
use crate::sql::Script;
use crate::sql::mysql::SqlMode;

/// Refuses a text that would be read differently from what was decided.
pub(super) fn check(
    database: &VirtualDatabase,
    sql_mode: SqlMode,
    emitted: &Emitted,
    source: &Script,
) -> Result<(), Refusal> {
    faithful(database, sql_mode, emitted, source).map_err(|error| {
        Refusal::with_state(NOT_SUPPORTED, format!("the rewritten statement would not read as it was meant: {error}"))
            .advise("please report the statement; it was not run")
    })
}

fn faithful(
    database: &VirtualDatabase,
    sql_mode: SqlMode,
    emitted: &Emitted,
    source: &Script,
) -> Result<(), Unfaithful> {
    let syntax = |what: String| Unfaithful::Syntax(what.into());
    let settings = Settings { sql_mode, ..Settings::default() };
    let read = database.read(&settings, &emitted.sql).map_err(|error| syntax(error.to_string()))?;
    verify::same_tokens(emitted, &read, &source.tokens)?;
    let rules = BareRules {};
    let world = database.world(&settings, &rules);
    for range in &read.statements {
        if read.tokens.get(range.clone()).unwrap_or_default().iter().all(|token| verify::is_made(emitted, token)) {
            // Nothing of the client's is in it.
            continue;
        }
        let statement =
            database.parse(&settings, &emitted.sql, &read, range.clone()).map_err(|refusal| syntax(refusal.message))?;
        let resolved = match resolve::resolve(&world, &emitted.sql, &read.tokens, &statement) {
            Ok(resolved) => resolved,
            Err(refusal) => return Err(syntax(refusal.message)),
        };
        for used in &resolved.relations {
            let Some(relation) = database.snapshot().relation(used.relation) else { continue };
            let first = usize::try_from(used.tokens.start).ok().and_then(|at| read.tokens.get(at));
            let made = first.is_some_and(|token| verify::is_made(emitted, token));
            if !made {
                return Err(Unfaithful::Relation(format!("{}.{}", relation.schema, relation.name).into()));
            }
        }
    }
    Ok(())
}
