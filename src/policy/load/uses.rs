//! Which patterns should match something, and whether they do; only catalogs can say.

use std::sync::Arc;

use super::draft::Draft;
use crate::catalog::{Relation, Snapshot, known};
use crate::policy::diagnostics::Place;
use crate::policy::model::Verb;
use crate::policy::pattern::{Case, ColumnPattern, Name, TableName, TablePattern};

/// A pattern, where it stands, and what it is about.
#[derive(Debug, Clone)]
pub struct PatternUse {
    /// Where it stands.
    pub place: Place,
    subject: Subject,
}

#[derive(Debug, Clone)]
enum Subject {
    Tables(TablePattern),
    Functions(TablePattern),
    Either(TablePattern),
    Columns(Arc<ColumnPattern>),
}

/// The patterns of grants, tags, protections, filters, trust, blocks and alerts. A grant of `create` may well match nothing yet.
pub(super) fn all(draft: &Draft) -> Vec<PatternUse> {
    let grants =
        draft.roles.iter().flat_map(|role| &role.grants).filter(|grant| !grant.value.verbs.contains(Verb::Create));
    let grants = grants.map(|grant| {
        let on = grant.value.on.clone();
        let subject = if grant.value.verbs.contains(Verb::Call) { Subject::Either(on) } else { Subject::Tables(on) };
        PatternUse { place: grant.place, subject }
    });
    let columns = draft.tags.iter().flat_map(|tag| &tag.columns);
    let columns = columns.chain(draft.protects.iter().flat_map(|rule| &rule.columns));
    let columns = columns.map(|pattern| (pattern.place, Subject::Columns(Arc::clone(&pattern.value))));
    let tables = draft.filters.iter().flat_map(|filter| &filter.tables);
    let tables = tables.chain(draft.trusts.iter().flat_map(|trust| &trust.views));
    let tables = tables.chain(draft.blocks.iter().flat_map(|block| &block.patterns));
    let tables = tables.chain(draft.alerts.iter().flat_map(|alert| &alert.patterns));
    let tables = tables.map(|pattern| (pattern.place, Subject::Tables(pattern.value.clone())));
    let functions = draft.trusts.iter().flat_map(|trust| &trust.functions);
    let functions = functions.map(|pattern| (pattern.place, Subject::Functions(pattern.value.clone())));
    let others = columns.chain(tables).chain(functions).map(|(place, subject)| PatternUse { place, subject });
    grants.chain(others).collect()
}

impl PatternUse {
    /// The pattern as it was written.
    pub fn text(&self) -> String {
        match &self.subject {
            Subject::Tables(pattern) | Subject::Functions(pattern) | Subject::Either(pattern) => pattern.to_string(),
            Subject::Columns(pattern) => pattern.to_string(),
        }
    }

    /// What it is about, in a word.
    pub fn subject(&self) -> &'static str {
        match &self.subject {
            Subject::Tables(_) => "table",
            Subject::Functions(_) => "function",
            Subject::Either(_) => "table or function",
            Subject::Columns(_) => "column",
        }
    }

    /// Whether it speaks of this source at all.
    pub fn concerns(&self, source: &str) -> bool {
        match &self.subject {
            Subject::Tables(pattern) | Subject::Functions(pattern) | Subject::Either(pattern) => {
                pattern.in_source(source)
            }
            Subject::Columns(pattern) => pattern.table().in_source(source),
        }
    }

    /// Whether something in a catalog matches.
    pub fn matches_in(&self, snapshot: &Snapshot) -> bool {
        match &self.subject {
            Subject::Tables(pattern) => any_table(snapshot, pattern),
            Subject::Functions(pattern) => any_function(snapshot, pattern),
            Subject::Either(pattern) => any_table(snapshot, pattern) || any_function(snapshot, pattern),
            Subject::Columns(pattern) => any_column(snapshot, pattern),
        }
    }
}

/// What is not the server's own: rules do not speak of system catalogs, though their columns may have the same names.
fn own_relations(snapshot: &Snapshot) -> impl Iterator<Item = &Relation> {
    snapshot.relations().iter().filter(|relation| !known::is_system(snapshot.engine(), &relation.schema))
}

fn any_table(snapshot: &Snapshot, pattern: &TablePattern) -> bool {
    own_relations(snapshot)
        .any(|relation| pattern.matches(&TableName::table(snapshot, &relation.schema, &relation.name)))
}

fn any_function(snapshot: &Snapshot, pattern: &TablePattern) -> bool {
    let mut functions = snapshot.every_function();
    functions.any(|function| pattern.matches(&TableName::function(snapshot, &function.schema, &function.name)))
}

fn any_column(snapshot: &Snapshot, pattern: &ColumnPattern) -> bool {
    let case = Case::of_columns(snapshot.engine());
    own_relations(snapshot).any(|relation| {
        pattern.table().matches(&TableName::table(snapshot, &relation.schema, &relation.name))
            && relation.columns.iter().any(|column| pattern.matches_column(&Name::new(&column.name, case)))
    })
}
