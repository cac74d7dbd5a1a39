//! From text to plan: the life of a statement's text, in order.

use std::sync::Arc;

use super::facts::FactsBuilder;
use super::firewall::{Matched, Sight};
use super::session_statement::{self, Course};
use super::set_config;
use super::template::{Template, push_annotation};
use super::verdict::{Denial, Effect, Permit};
use super::virtual_database::{Settings, VirtualDatabase};
use super::{fragments, read_back, reading, session_objects};
use crate::audit::{Facts, Ground};
use crate::policy::Block;
use crate::resolve::{self, Refusal, Resolved};
use crate::rewrite::emit::Emitted;
use crate::sql::ast::Statement;
use crate::sql::{Engine, LexError, Script, Token};

/// A text decided.
pub(super) struct Plan {
    pub(super) facts: Arc<Facts>,
    pub(super) outcome: Result<Permit, Denial>,
    /// For texts of the same shape.
    pub(super) template: Option<Arc<Template>>,
    /// Blocks that speak of the text's shape.
    pub(super) blocks: Matched,
}

/// Decides about a text of a restricted role.
pub(super) fn plan(database: &VirtualDatabase, settings: &Settings, text: &str, script: &Script) -> Plan {
    let mut facts = FactsBuilder::new(text, script);
    match permitted(database, settings, text, script, &mut facts) {
        Ok(permitted) => {
            let facts = facts.build();
            let effects: Arc<[Effect]> = permitted.effects.into();
            let blocks: Matched = permitted.blocks.into();
            let template = (!permitted.reads_literals)
                .then(|| {
                    let (effects, facts, blocks) = (Arc::clone(&effects), Arc::clone(&facts), Arc::clone(&blocks));
                    Template::new(&permitted.emitted, &script.tokens, effects, permitted.guarded, facts, blocks)
                })
                .flatten()
                .map(Arc::new);
            let mut sql = String::with_capacity(permitted.emitted.sql.len());
            push_annotation(&mut sql, script);
            sql.push_str(&permitted.emitted.sql);
            Plan { facts, outcome: Ok(Permit::new(sql.into(), effects, permitted.guarded)), template, blocks }
        }
        Err(refusal) => {
            if let Some(rule) = &refusal.rule {
                facts.rule(&rule.name);
            }
            facts.told(&refusal.message, text, script, database.reading(settings));
            let denial = denial(refusal, text, &script.tokens);
            Plan { facts: facts.build(), outcome: Err(denial), template: None, blocks: Matched::default() }
        }
    }
}

/// What is sent for a text that may run, and how many bytes of the tool's comment are before it.
pub(super) fn emitted(
    database: &VirtualDatabase,
    settings: &Settings,
    text: &str,
    script: &Script,
) -> Option<(Emitted, usize)> {
    let permitted = permitted(database, settings, text, script, &mut FactsBuilder::new(text, script)).ok()?;
    let mut annotation = String::new();
    push_annotation(&mut annotation, script);
    Some((permitted.emitted, annotation.len()))
}

struct Permitted {
    emitted: Emitted,
    effects: Vec<Effect>,
    guarded: bool,
    reads_literals: bool,
    blocks: Vec<Arc<Block>>,
}

fn permitted(
    database: &VirtualDatabase,
    settings: &Settings,
    text: &str,
    script: &Script,
    facts: &mut FactsBuilder,
) -> Result<Permitted, Refusal> {
    let initial = settings;
    let mut settings = settings.clone();
    let mut out = Permitted {
        emitted: Emitted::default(),
        effects: Vec::new(),
        guarded: false,
        reads_literals: false,
        blocks: Vec::new(),
    };
    for (number, range) in script.statements.iter().enumerate() {
        let with_session_objects = database.with_session_objects(&settings);
        let database = with_session_objects.as_deref().unwrap_or(database);
        let statement = database.parse(&settings, text, script, range.clone()).inspect_err(|_| facts.unknown_kind())?;
        facts.looked_up(database.snapshot(), &settings);
        facts.kind(&statement);
        if number > 0 {
            out.emitted.push_made(";");
        }
        let alone = script.statements.len() == 1;
        let source = set_config::Source { text, tokens: &script.tokens };
        let course = match set_config::course(database, source, &statement)? {
            Some(course) => course,
            None => session_statement::course(database, &settings, source, &statement, alone)?,
        };
        let mut is_seen = false;
        let effect = match course {
            Course::Instead { sql, effect } => {
                out.emitted.push_made(&sql);
                out.reads_literals = true;
                effect
            }
            Course::Unchanged(effect) => {
                out.emitted.append(text, script, range.clone(), Vec::new());
                out.reads_literals = true;
                effect
            }
            Course::Resolve(effect) => {
                let mut resolved = resolve_statement(database, &settings, text, script, &statement)?;
                facts.resolved(database.snapshot(), &resolved);
                reading::check(database, &settings, &resolved)?;
                let reads_literals = resolved.reads_literals;
                let fence = resolved.needs_fence();
                let replacements = fragments::replacements(database, text, script, &resolved, fence)?;
                let before = out.emitted.parts.len();
                out.emitted.append(text, script, range.clone(), replacements);
                if let (Some(query), Some(view)) = (&resolved.stored_query, resolved.objects.made.last_mut()) {
                    view.definition = out.emitted.between(before, query);
                }
                // MySQL's errors do not say that they come out of a trigger or of stored code.
                let runs_code = database.engine() == Engine::MySql && resolved.writes;
                out.guarded |= resolved.is_guarded() || runs_code;
                let (fingerprint, blocks) = (facts.fingerprint(), &mut out.blocks);
                out.reads_literals |=
                    see(database, &settings, source, &statement, Some(&resolved), fingerprint, blocks);
                is_seen = true;
                let effect = session_objects::effect(database.snapshot(), resolved)?.unwrap_or(effect);
                out.reads_literals |= reads_literals || effect != Effect::None;
                effect
            }
        };
        if !is_seen {
            let (fingerprint, blocks) = (facts.fingerprint(), &mut out.blocks);
            out.reads_literals |= see(database, &settings, source, &statement, None, fingerprint, blocks);
        }
        settings.apply(&effect, database.snapshot());
        if settings.sql_mode != initial.sql_mode && number + 1 < script.statements.len() {
            // The server reads what follows by the new mode, the script was read by the old one.
            return Err(Refusal::unsupported("no statement may follow a change of `sql_mode` in one text")
                .advise("send the statements one by one"));
        }
        out.effects.push(effect);
    }
    read_back::check(database, initial, &out.effects, &out.emitted, script)?;
    Ok(out)
}

pub(super) fn resolve_statement(
    database: &VirtualDatabase,
    settings: &Settings,
    text: &str,
    script: &Script,
    statement: &Statement,
) -> Result<Resolved, Refusal> {
    let rules = database.rules();
    let world = database.world(settings, &rules);
    resolve::resolve(&world, text, &script.tokens, statement)
}

/// Asks the role's blocks about a statement. Gives whether they may say something else of one that differs in literals
/// only.
pub(super) fn see(
    database: &VirtualDatabase,
    settings: &Settings,
    source: set_config::Source<'_>,
    statement: &Statement,
    resolved: Option<&Resolved>,
    fingerprint: u64,
    blocks: &mut Vec<Arc<Block>>,
) -> bool {
    let Some(firewall) = database.firewall() else { return false };
    let search_path = settings.search_path.as_deref().unwrap_or(database.snapshot().search_path());
    let sight = Sight { source, statement, resolved, search_path };
    firewall.see(database, &sight, fingerprint, blocks)
}

/// The client's error for a refusal.
pub(super) fn denial(refusal: Refusal, text: &str, tokens: &[Token]) -> Denial {
    let token = refusal.token.and_then(|token| tokens.get(usize::try_from(token).ok()?));
    Denial {
        sqlstate: refusal.sqlstate,
        message: refusal.message,
        detail: refusal.detail,
        hint: refusal.hint,
        position: token.map(|token| characters_before(text, token.start as usize) + 1),
        rule: refusal.rule,
        ground: Ground::Rules,
    }
}

/// The client's error for a text that is no sequence of tokens.
pub(super) fn unreadable(error: &LexError, text: &str) -> Denial {
    Denial {
        sqlstate: resolve::SYNTAX_ERROR,
        message: error.to_string(),
        detail: None,
        hint: None,
        position: Some(characters_before(text, error.at as usize) + 1),
        rule: None,
        ground: Ground::Rules,
    }
}

pub(super) fn characters_before(text: &str, byte: usize) -> u32 {
    let before = text.get(..byte).unwrap_or_default();
    u32::try_from(before.chars().count()).unwrap_or(u32::MAX)
}
