//! A plan with holes for literals: texts that differ in plain literals only share one plan.

use std::sync::Arc;

use super::firewall::Matched;
use super::verdict::{Effect, Permit};
use crate::audit::Facts;
use crate::rewrite::emit::Emitted;
use crate::sql::{Script, Token};

/// A run of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// The same for every text.
    Text(Box<str>),
    /// The plain literal that stands as this token in the client's text.
    Literal(usize),
}

/// What was decided for a shape.
#[derive(Debug, Clone)]
pub(super) struct Template {
    parts: Vec<Part>,
    effects: Arc<[Effect]>,
    guarded: bool,
    pub(super) facts: Arc<Facts>,
    /// Blocks that speak of the shape.
    pub(super) blocks: Matched,
}

impl Template {
    /// A template of an emitted text, if each plain literal of the source is in it exactly once, as a token of its own.
    pub(super) fn new(
        emitted: &Emitted,
        source: &[Token],
        effects: Arc<[Effect]>,
        guarded: bool,
        facts: Arc<Facts>,
        blocks: Matched,
    ) -> Option<Self> {
        let mut parts = Vec::new();
        let mut from = 0;
        let mut literals = 0_usize;
        for part in &emitted.parts {
            let Some(number) = part.token else { continue };
            if !source.get(number)?.is_plain_literal() {
                continue;
            }
            literals += 1;
            parts.push(Part::Text(emitted.sql.get(from..part.bytes.start)?.into()));
            parts.push(Part::Literal(number));
            from = part.bytes.end;
        }
        parts.push(Part::Text(emitted.sql.get(from..)?.into()));
        let expected = source.iter().filter(|token| token.is_plain_literal()).count();
        (literals == expected).then_some(Self { parts, effects, guarded, facts, blocks })
    }

    /// What is known of a shape whose texts go through as they are.
    pub(super) fn unchanged(facts: Arc<Facts>, statements: usize, blocks: Matched) -> Self {
        let effects = vec![Effect::None; statements].into();
        Self { parts: Vec::new(), effects, guarded: false, facts, blocks }
    }

    /// One effect a statement.
    pub(super) fn effects(&self) -> &Arc<[Effect]> {
        &self.effects
    }

    /// The permit for a text of this shape.
    pub(super) fn fill(&self, text: &str, script: &Script) -> Permit {
        let mut sql = String::with_capacity(text.len() + 256);
        push_annotation(&mut sql, script);
        for part in &self.parts {
            match part {
                Part::Text(same) => sql.push_str(same),
                Part::Literal(number) => {
                    sql.push_str(script.tokens.get(*number).map(|token| token.text(text)).unwrap_or_default());
                }
            }
        }
        Permit::new(sql.into(), Arc::clone(&self.effects), self.guarded)
    }
}

/// The leading comment of a tool goes on to the server, cleaned.
pub(super) fn push_annotation(sql: &mut String, script: &Script) {
    if let Some(annotation) = &script.annotation {
        sql.push_str("/* ");
        sql.push_str(annotation);
        sql.push_str(" */ ");
    }
}
