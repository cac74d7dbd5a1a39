//! What can be said of a text that goes through as it is: of an unrestricted role's, and of one that is observed.

use std::ops::Range;
use std::sync::Arc;

use super::facts::FactsBuilder;
use super::firewall::Matched;
use super::plan::{resolve_statement, see};
use super::session_statement;
use super::verdict::Effect;
use super::virtual_database::{Settings, VirtualDatabase};
use crate::audit::Facts;
use crate::policy::Block;
use crate::sql::ast::Statement;
use crate::sql::mysql::{Inner, inner};
use crate::sql::{Engine, Script};

/// How many statements may stand inside each other, by `SET STATEMENT … FOR` and `EXECUTE IMMEDIATE`.
const MAX_DEPTH: u32 = 4;

/// What was found out about a text that goes through as it is.
pub(super) struct Observation {
    pub(super) facts: Arc<Facts>,
    pub(super) effects: Vec<Effect>,
    /// A change of role, which is the proxy's to carry out.
    pub(super) own: Option<Effect>,
    pub(super) blocks: Matched,
    /// Whether every statement was understood.
    pub(super) is_known: bool,
    /// Whether blocks may say something else of a text that differs in literals only.
    pub(super) reads_literals: bool,
}

/// Facts and effects of a text, as far as they can be had.
pub(super) fn observe(database: &VirtualDatabase, settings: &Settings, text: &str, script: &Script) -> Observation {
    let mut observer = Observer {
        database,
        settings: settings.clone(),
        facts: FactsBuilder::new(text, script),
        blocks: Vec::new(),
        is_known: true,
        reads_literals: false,
    };
    let mut effects = Vec::new();
    let mut own = None;
    for range in &script.statements {
        let Some(statement) = observer.statement(text, script, range.clone(), 0) else {
            effects.push(Effect::Ddl);
            continue;
        };
        if script.statements.len() == 1 {
            own = session_statement::set_role(database, &statement).and_then(Result::ok);
        }
        let effect = session_statement::effect(&statement);
        observer.settings.apply(&effect, database.snapshot());
        effects.push(effect);
    }
    let Observer { facts, blocks, is_known, reads_literals, .. } = observer;
    Observation { facts: facts.build(), effects, own, blocks: blocks.into(), is_known, reads_literals }
}

struct Observer<'a> {
    database: &'a VirtualDatabase,
    settings: Settings,
    facts: FactsBuilder,
    blocks: Vec<Arc<Block>>,
    is_known: bool,
    reads_literals: bool,
}

impl Observer<'_> {
    /// One statement of a text; nothing where it is not understood.
    fn statement(&mut self, text: &str, script: &Script, range: Range<usize>, depth: u32) -> Option<Statement> {
        let database = self.database;
        self.facts.looked_up(database.snapshot(), &self.settings);
        let Ok(statement) = database.parse(&self.settings, text, script, range.clone()) else {
            self.facts.unknown_kind();
            self.not_understood();
            return None;
        };
        self.facts.kind(&statement);
        let resolved = resolve_statement(database, &self.settings, text, script, &statement).ok();
        if let Some(resolved) = &resolved {
            self.facts.resolved(database.snapshot(), resolved);
        }
        let source = super::set_config::Source { text, tokens: &script.tokens };
        let fingerprint = self.facts.fingerprint();
        self.reads_literals |=
            see(database, &self.settings, source, &statement, resolved.as_ref(), fingerprint, &mut self.blocks);
        if let Statement::Other { words } = &statement
            && database.engine() == Engine::MySql
        {
            self.inside(words, source, script, range, depth + 1);
        }
        Some(statement)
    }

    /// What a statement runs beside itself, which blocks are asked about too.
    fn inside(
        &mut self,
        words: &str,
        source: super::set_config::Source<'_>,
        script: &Script,
        range: Range<usize>,
        depth: u32,
    ) {
        match inner(words, source.text, source.tokens, range, self.settings.sql_mode) {
            Inner::Nothing => {}
            Inner::Statement(range) if depth <= MAX_DEPTH => {
                self.statement(source.text, script, range, depth);
            }
            Inner::Text(text) if depth <= MAX_DEPTH => {
                // The text is a literal of the one that was sent.
                self.reads_literals = true;
                match self.database.read(&self.settings, &text) {
                    Ok(script) => script.statements.iter().for_each(|range| {
                        self.statement(&text, &script, range.clone(), depth);
                    }),
                    Err(_) => self.not_understood(),
                }
            }
            Inner::Statement(_) | Inner::Text(_) | Inner::Unknown => self.not_understood(),
        }
    }

    fn not_understood(&mut self) {
        self.is_known = false;
        if let Some(firewall) = self.database.firewall() {
            firewall.see_unknown(&mut self.blocks);
        }
    }
}
