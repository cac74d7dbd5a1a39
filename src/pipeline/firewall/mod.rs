//! `[[block]]`: statements that are not run, told by their tree, their fingerprint and the values of their literals.
//!
//! What the tree says holds for every text of one shape and is found out once; what literals hold is looked at for each.

mod survey;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use self::survey::{Part, Survey};
use super::set_config::Source;
use super::verdict::{Denial, by_rule};
use super::virtual_database::VirtualDatabase;
use crate::audit::Ground;
use crate::catalog::{Relation, RelationId, RelationKind};
use crate::policy::{self, Action, Block, Missing, RuleInfo, StatementKind};
use crate::resolve::{INSUFFICIENT_PRIVILEGE, Resolved, Rules as _};
use crate::sql::ast::{ObjectName, Statement, Tokens};
use crate::sql::script::Reading;
use crate::sql::{Engine, Script};

/// The blocks of a role.
#[derive(Debug)]
pub(super) struct Firewall {
    blocks: Vec<Arc<Block>>,
}

/// Blocks that speak of a shape, but for what they say of literals.
pub(super) type Matched = Arc<[Arc<Block>]>;

/// What blocks say of one text.
#[derive(Debug, Default)]
pub(super) struct Screened {
    pub(super) denial: Option<Denial>,
    /// Those that only report.
    pub(super) reported: Vec<Arc<RuleInfo>>,
}

/// A statement and what its names were found to be.
pub(super) struct Sight<'a> {
    pub(super) source: Source<'a>,
    pub(super) statement: &'a Statement,
    /// Nothing where the statement's names could not be resolved, and where it has none.
    pub(super) resolved: Option<&'a Resolved>,
    /// Schemas of unqualified names.
    pub(super) search_path: &'a [Box<str>],
}

impl Firewall {
    /// The blocks of a role; nothing where it has none.
    pub(super) fn new(blocks: &[Arc<Block>]) -> Option<Self> {
        (!blocks.is_empty()).then(|| Self { blocks: blocks.to_vec() })
    }

    /// Adds the blocks that speak of a statement. Gives whether they may speak of another one that differs in literals
    /// only.
    pub(super) fn see(
        &self,
        database: &VirtualDatabase,
        sight: &Sight<'_>,
        fingerprint: u64,
        matched: &mut Vec<Arc<Block>>,
    ) -> bool {
        let survey = Survey::of(sight.statement, sight.source);
        let tables = Tables { database, sight };
        let met = self.blocks.iter().filter(|block| meets(block, &survey, &tables, fingerprint));
        for block in met {
            add(matched, block);
        }
        survey.reads_limits && self.blocks.iter().any(|block| block.missing.contains(&Missing::Limit))
    }

    /// Adds the blocks that refuse, for a statement that was not understood: whether they speak of it cannot be told.
    pub(super) fn see_unknown(&self, matched: &mut Vec<Arc<Block>>) {
        for block in self.blocks.iter().filter(|block| block.action == Action::Refuse) {
            add(matched, block);
        }
    }

    /// The refusal of a text that could not be taken apart, so that no block can be asked about it.
    pub(super) fn unreadable(&self) -> Option<Denial> {
        self.blocks.iter().find(|block| block.action == Action::Refuse).map(unknown)
    }
}

fn add(matched: &mut Vec<Arc<Block>>, block: &Arc<Block>) {
    if !matched.iter().any(|known| Arc::ptr_eq(known, block)) {
        matched.push(Arc::clone(block));
    }
}

/// What the blocks that speak of a shape say of a text of it.
pub(super) fn screen(matched: &Matched, text: &str, script: &Script, reading: Reading, is_known: bool) -> Screened {
    let mut screened = Screened::default();
    if matched.is_empty() {
        return screened;
    }
    let asks_literals = matched.iter().any(|block| block.literals.is_some());
    let values = if asks_literals { script.literal_values(text, reading) } else { Vec::new() };
    for block in matched.iter() {
        // A value that cannot be read may be any.
        let looks = |pattern: &regex::Regex| {
            values.iter().any(|value| value.as_ref().is_none_or(|value| pattern.is_match(value)))
        };
        if !block.literals.as_ref().is_none_or(looks) {
            continue;
        }
        match block.action {
            Action::Report => screened.reported.push(Arc::clone(&block.rule)),
            Action::Refuse if screened.denial.is_none() => {
                screened.denial = Some(if is_known { refused(block) } else { unknown(block) });
            }
            Action::Refuse => {}
        }
    }
    screened
}

/// Whether everything that a block says of tree and fingerprint is true of a statement.
fn meets(block: &Block, survey: &Survey<'_>, tables: &Tables<'_>, fingerprint: u64) -> bool {
    let called = |name: &Arc<str>| survey.functions.iter().any(|called| called.eq_ignore_ascii_case(name));
    (block.functions.is_empty() || block.functions.iter().any(called))
        && (block.fingerprints.is_empty() || block.fingerprints.contains(&fingerprint))
        && (speaks_of_any(block) || survey.parts.iter().any(|part| meets_part(block, part, tables)))
}

/// Whether a block says nothing about parts of statements.
fn speaks_of_any(block: &Block) -> bool {
    block.statements.is_empty() && block.missing.is_empty() && block.tables.is_empty()
}

fn meets_part(block: &Block, part: &Part<'_>, tables: &Tables<'_>) -> bool {
    let lacks = |missing: &Missing| match missing {
        Missing::Where => part.lacks_where,
        Missing::Limit => part.lacks_limit,
    };
    (block.statements.is_empty() || block.statements.contains(&part.kind))
        && block.missing.iter().all(lacks)
        && (block.tables.is_empty() || part.tables.iter().any(|name| tables.is_among(name, part.kind, &block.tables)))
}

/// Which tables names mean.
struct Tables<'a> {
    database: &'a VirtualDatabase,
    sight: &'a Sight<'a>,
}

impl Tables<'_> {
    /// Whether a name means one of a rule's tables, or a view that reads one.
    fn is_among(&self, name: &ObjectName, kind: StatementKind, wanted: &policy::Tables) -> bool {
        let Some(resolved) = self.sight.resolved else { return self.is_named(name, wanted) };
        let mut used = resolved.relations.iter().filter(|used| is_inside(name, &used.tokens)).peekable();
        if used.peek().is_none() {
            return names_no_query(kind) && self.is_named(name, wanted);
        }
        used.any(|used| self.relation(used.relation).is_some_and(|relation| self.reads(relation, wanted)))
            || (self.is_looked_up_elsewhere(name) && self.is_named(name, wanted))
    }

    /// Whether what a name is looked up as is one of a rule's tables, or a view that reads one.
    fn is_named(&self, name: &ObjectName, wanted: &policy::Tables) -> bool {
        let snapshot = self.database.snapshot();
        let Some(object) = name.object().map(|object| &*object.value) else { return false };
        let schemas: Vec<&str> = match name.qualifier() {
            Some(schema) => vec![&*schema.value],
            None if self.is_looked_up_elsewhere(name) => snapshot.schemas().collect(),
            None => self.sight.search_path.iter().map(|schema| &**schema).collect(),
        };
        let mut found = schemas.iter().filter_map(|schema| snapshot.find(schema, object)).peekable();
        if found.peek().is_none() {
            // The catalog may not have it yet.
            return schemas.iter().any(|schema| wanted.are_named(snapshot.source(), schema, object));
        }
        if self.is_looked_up_elsewhere(name) {
            return found.any(|relation| self.reads(relation, wanted));
        }
        found.next().is_some_and(|relation| self.reads(relation, wanted))
    }

    /// Whether the schemas in which the server looks a name up may be others than the proxy knows: an unrestricted role
    /// can change them by functions and by `ALTER ROLE`.
    fn is_looked_up_elsewhere(&self, name: &ObjectName) -> bool {
        let database = self.database;
        database.role().unrestricted && database.engine() == Engine::Postgres && name.qualifier().is_none()
    }

    /// Whether a relation is one of a rule's tables, or a view that reads one, through other views too.
    fn reads(&self, relation: &Relation, wanted: &policy::Tables) -> bool {
        wanted.contains(self.database.snapshot(), relation)
            || (relation.kind == RelationKind::View
                && self.database.rules().expand(relation).is_ok_and(|view| {
                    let mut inside = view.resolved.relations.iter().filter_map(|used| self.relation(used.relation));
                    inside.any(|relation| self.reads(relation, wanted))
                }))
    }

    fn relation(&self, id: RelationId) -> Option<&Relation> {
        self.database.snapshot().relation(id)
    }
}

/// Whether the names of such a statement never mean a common table expression, so that looking them up is right.
fn names_no_query(kind: StatementKind) -> bool {
    match kind {
        StatementKind::Select
        | StatementKind::Update
        | StatementKind::Delete
        | StatementKind::Merge
        | StatementKind::Explain => false,
        StatementKind::Insert
        | StatementKind::Copy
        | StatementKind::Truncate
        | StatementKind::Create
        | StatementKind::Alter
        | StatementKind::Drop
        | StatementKind::Grant
        | StatementKind::Call
        | StatementKind::Lock
        | StatementKind::Set
        | StatementKind::Show => true,
    }
}

fn is_inside(name: &ObjectName, tokens: &Tokens) -> bool {
    tokens.start <= name.tokens.start && name.tokens.end <= tokens.end
}

fn refused(block: &Arc<Block>) -> Denial {
    denial(block, format!("statement refused by block `{}`", block.rule.name), advice(block))
}

fn unknown(block: &Arc<Block>) -> Denial {
    let name = &block.rule.name;
    let message = format!("statement refused: it is not understood, so block `{name}` cannot be asked about it");
    denial(block, message, "write it in another way")
}

fn denial(block: &Arc<Block>, message: String, advice: &str) -> Denial {
    let rule = &block.rule;
    let ask = match &rule.owner {
        Some(owner) => format!("ask {owner}"),
        None => "ask the owner of the rules".to_owned(),
    };
    let note = rule.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
    Denial {
        sqlstate: INSUFFICIENT_PRIVILEGE,
        message,
        detail: Some(by_rule(rule) + &note),
        hint: Some(if advice.is_empty() { ask } else { format!("{advice}, or {ask}") }),
        position: None,
        rule: Some(Arc::clone(rule)),
        ground: Ground::Block,
    }
}

/// What would make the statement pass.
fn advice(block: &Block) -> &'static str {
    match (block.missing.contains(&Missing::Where), block.missing.contains(&Missing::Limit)) {
        (true, true) => "add a condition on a column or a LIMIT",
        (true, false) => "add a condition on a column",
        (false, true) => "add a LIMIT",
        (false, false) => "",
    }
}
