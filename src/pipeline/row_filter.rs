//! A row filter with its names resolved: its own columns are known, every other table in it has its full name.

use std::sync::Arc;

use super::role_rules::BareRules;
use super::virtual_database::{Settings, VirtualDatabase};
use crate::catalog::Relation;
use crate::policy::RuleInfo;
use crate::resolve::{self, Refusal};
use crate::rewrite::derived;
use crate::rewrite::emit::{Emitted, Replacement, plain_edits};
use crate::sql::Engine;
use crate::sql::ast::{Query, QueryBody, Statement, Tokens};

/// A piece of a filter's text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// SQL.
    Text(String),
    /// A column of the filtered table, by position.
    Column(usize),
}

/// A filter ready to be written into statements.
#[derive(Debug, Clone)]
pub(super) struct RowFilter {
    pub(super) rule: Arc<RuleInfo>,
    pieces: Vec<Piece>,
}

impl RowFilter {
    /// Reads a filter's condition, in which user attributes have been filled in.
    pub(super) fn compile(
        database: &VirtualDatabase,
        relation: &Relation,
        rule: &Arc<RuleInfo>,
        condition: &str,
    ) -> Result<Self, Refusal> {
        let broken = |why: String| {
            Refusal::forbidden(format!("filter `{}` of `{}.{}`: {why}", rule.name, relation.schema, relation.name))
                .by(Some(rule))
        };
        let engine = database.engine();
        // MySQL has no schemas that are searched: other tables without one are of the filtered table's database.
        let path = (engine == Engine::MySql).then(|| Arc::from([relation.schema.clone()]));
        let settings = Settings { search_path: path, ..Settings::default() };
        let text = format!("SELECT 1 FROM {} WHERE ({condition})", derived::qualified(engine, relation));
        let script = database.read(&settings, &text).map_err(|error| broken(error.to_string()))?;
        let [range] = script.statements.as_slice() else { return Err(broken("it is not one condition".into())) };
        let statement =
            database.parse(&settings, &text, &script, range.clone()).map_err(|refusal| broken(refusal.message))?;
        let condition = condition_of(&statement).ok_or_else(|| broken("it is not one condition".into()))?;
        let rules = BareRules {};
        let world = database.world(&settings, &rules);
        let resolved =
            resolve::resolve(&world, &text, &script.tokens, &statement).map_err(|refusal| broken(refusal.message))?;
        let mut changes = plain_edits(&resolved);
        for used in resolved.relations.iter().skip(1) {
            let other = database.snapshot().relation(used.relation);
            let name = other.map(|other| derived::qualified(engine, other)).unwrap_or_default();
            changes.push(Replacement::new(&used.tokens, name));
        }
        let mut own: Vec<(Tokens, usize)> = resolved
            .references
            .iter()
            .filter(|reference| reference.source.place == 0)
            .map(|reference| (reference.tokens.clone(), reference.source.column))
            .collect();
        own.sort_by_key(|(tokens, _)| tokens.start);
        let mut pieces = Vec::new();
        let mut from = condition.start;
        let mut push_text = |pieces: &mut Vec<Piece>, range: Tokens| {
            let range = index(range.start)..index(range.end);
            let (here, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut changes)
                .into_iter()
                .partition(|change| range.start <= change.tokens.start && change.tokens.end <= range.end);
            changes = rest;
            let mut emitted = Emitted::default();
            emitted.append(&text, &script, range, here);
            if !emitted.sql.is_empty() {
                pieces.push(Piece::Text(emitted.sql));
            }
        };
        for (tokens, column) in own {
            push_text(&mut pieces, from..tokens.start);
            pieces.push(Piece::Column(column));
            from = tokens.end;
        }
        push_text(&mut pieces, from..condition.end);
        Ok(Self { rule: Arc::clone(rule), pieces })
    }

    /// The positions of the columns that it reads.
    pub(super) fn columns(&self) -> impl Iterator<Item = usize> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Column(column) => Some(*column),
            Piece::Text(_) => None,
        })
    }

    /// The condition; `column` says how a column is written.
    pub(super) fn render(&self, column: impl Fn(usize) -> String) -> String {
        let mut sql = String::new();
        for piece in &self.pieces {
            if !sql.is_empty() {
                sql.push(' ');
            }
            match piece {
                Piece::Text(text) => sql.push_str(text),
                Piece::Column(position) => sql.push_str(&column(*position)),
            }
        }
        sql
    }
}

/// All filters of a relation as one condition.
pub(super) fn conjunction(filters: &[RowFilter], column: impl Fn(usize) -> String) -> String {
    let each: Vec<String> = filters.iter().map(|filter| format!("({})", filter.render(&column))).collect();
    each.join(" AND ")
}

/// How a column of a relation is written, behind a qualifier or bare.
pub(super) fn column_name(engine: Engine, relation: &Relation, qualifier: Option<&str>, position: usize) -> String {
    let name = relation.columns.get(position).map(|column| engine.quote_identifier(&column.name)).unwrap_or_default();
    match qualifier {
        Some(qualifier) => format!("{}.{name}", engine.quote_identifier(qualifier)),
        None => name,
    }
}

/// The tokens of the condition, if the statement is one SELECT with a WHERE and nothing behind it.
fn condition_of(statement: &Statement) -> Option<Tokens> {
    let Statement::Query(query) = statement else { return None };
    let Query { with: None, body: QueryBody::Select(select), order_by, limit, locking, .. } = &**query else {
        return None;
    };
    let bare = order_by.is_empty()
        && limit.is_empty()
        && locking.is_empty()
        && select.group_by.is_empty()
        && select.having.is_none()
        && select.windows.is_empty();
    select.filter.as_ref().filter(|_| bare).map(|filter| filter.tokens.clone())
}

fn index(token: u32) -> usize {
    usize::try_from(token).unwrap_or(usize::MAX)
}
