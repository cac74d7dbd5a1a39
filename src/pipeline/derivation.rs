//! What derives from protected columns carries the protection on: generated columns, materialized views, foreign tables
//! that lead back to the same database.

use std::sync::Arc;

use super::virtual_database::VirtualDatabase;
use crate::catalog::{ForeignSource, Relation, RelationKind};
use crate::policy::{ColumnAccess, MaskSpec, RelationAccess, RuleInfo, Treatment, Verbs};
use crate::resolve::{Appearance, Resolved, Rules, Source};
use crate::sql::TokenKind;

/// Protects columns of a relation that no rule speaks of but that are computed from protected ones.
pub(super) fn protect_derived(database: &VirtualDatabase, relation: &Relation, access: &mut RelationAccess) {
    protect_generated(database, relation, access);
    if relation.kind == RelationKind::MaterializedView && access.trusted.is_none() {
        protect_stored(database, relation, access);
    }
    if let Some(foreign) = &relation.foreign {
        protect_foreign(database, relation, foreign, access);
    }
}

/// A generated column over a protected one is NULL. Which columns its expression reads is taken from the words in it:
/// one word too many protects too much, never too little.
fn protect_generated(database: &VirtualDatabase, relation: &Relation, access: &mut RelationAccess) {
    for (position, column) in relation.columns.iter().enumerate() {
        let Some(expression) = &column.generated else { continue };
        let protected = protected_word(database, relation, access, expression).map(|column| column.rule.clone());
        if let (Some(rule), Some(own)) = (protected, access.columns.get_mut(position))
            && own.rule.is_none()
            && own.treatment == Treatment::Raw
        {
            own.treatment = Treatment::Masked(Arc::new(MaskSpec::Null));
            own.rule = rule;
        }
    }
}

/// The first protected column that an expression names.
fn protected_word<'a>(
    database: &VirtualDatabase,
    relation: &Relation,
    access: &'a RelationAccess,
    expression: &str,
) -> Option<&'a ColumnAccess> {
    let Ok(script) = database.read(&super::Settings::default(), expression) else {
        // What cannot be read may be about anything.
        return access.columns.iter().find(|column| column.treatment != Treatment::Raw);
    };
    let words = script.tokens.iter().filter(|token| matches!(token.kind, TokenKind::Word | TokenKind::QuotedWord));
    for word in words {
        let word = word.text(expression).trim_matches(['"', '`']);
        let named = relation.columns.iter().position(|column| column.name.eq_ignore_ascii_case(word));
        if let Some(column) = named.and_then(|position| access.columns.get(position))
            && column.treatment != Treatment::Raw
        {
            return Some(column);
        }
    }
    None
}

/// A materialized view holds values of the moment it was filled: unchanged columns keep their mask, computed ones are
/// denied, and where a filter hides rows of what it reads, or protected values decide over rows, it is not readable.
fn protect_stored(database: &VirtualDatabase, relation: &Relation, access: &mut RelationAccess) {
    let rules = database.rules();
    let Ok(view) = rules.expand(relation) else {
        return for_unruled(access, |_| Some((Treatment::Denied, None)));
    };
    if let Some(rule) = first_filter(&view.resolved) {
        return close(access, &rule);
    }
    if let Some(rule) = deciding_rule(&view.resolved) {
        return close(access, &rule);
    }
    for_unruled(access, |position| {
        let output = view.resolved.output.get(position)?;
        let mut sources = Vec::new();
        let direct = collect_sources(&view.resolved, &output.sources, &mut sources) && output.direct;
        let protected = sources.iter().find(|column| column.treatment != Treatment::Raw)?;
        let alike = sources.iter().all(|column| column.treatment == protected.treatment);
        let treatment = if direct && alike { protected.treatment.clone() } else { Treatment::Denied };
        Some((treatment, protected.rule.clone()))
    });
}

/// A foreign table over a table of this database shows that table's rows past its rules. Whether the server at the other
/// end is this one is not known, so the names decide. Columns that go by another name there are denied.
fn protect_foreign(
    database: &VirtualDatabase,
    relation: &Relation,
    foreign: &ForeignSource,
    access: &mut RelationAccess,
) {
    let snapshot = database.snapshot();
    let option = |name: &str| foreign.options.iter().find(|(key, _)| **key == *name).map(|(_, value)| &**value);
    if *foreign.wrapper != *"postgres_fdw" || option("dbname").is_some_and(|name| *name != *snapshot.database()) {
        return;
    }
    let schema = option("schema_name").unwrap_or(&relation.schema);
    let Some(origin) = snapshot.find(schema, option("table_name").unwrap_or(&relation.name)) else { return };
    if origin.id == relation.id {
        // Of the same name on another server.
        return;
    }
    if origin.kind == RelationKind::ForeignTable {
        return for_unruled(access, |_| Some((Treatment::Denied, None)));
    }
    let rules = database.rules();
    let behind = rules.access(origin);
    if let Some(filter) = behind.filters.first() {
        return close(access, &filter.rule);
    }
    // A view may compute from anything.
    let is_view = origin.kind == RelationKind::View && behind.trusted.is_none();
    let is_plain_view = || rules.expand(origin).is_ok_and(|view| view.is_plain());
    if is_view && !is_plain_view() {
        return for_unruled(access, |_| Some((Treatment::Denied, None)));
    }
    let Some(protected) = behind.columns.iter().find(|column| column.treatment != Treatment::Raw) else { return };
    let is_renamed = option("column_name").is_some();
    for_unruled(access, |position| {
        let name = &relation.columns.get(position)?.name;
        match origin.column(name).filter(|_| !is_renamed).and_then(|at| behind.columns.get(at)) {
            Some(column) => {
                (column.treatment != Treatment::Raw).then(|| (column.treatment.clone(), column.rule.clone()))
            }
            None => Some((Treatment::Denied, protected.rule.clone())),
        }
    });
}

/// What stores rows that a filter hides is not readable at all: already their number would tell of them.
fn close(access: &mut RelationAccess, rule: &Arc<RuleInfo>) {
    for_unruled(access, |_| Some((Treatment::Denied, Some(Arc::clone(rule)))));
    access.verbs = Verbs::NONE;
}

/// Changes the columns that no rule speaks of.
fn for_unruled(
    access: &mut RelationAccess,
    treatment_of: impl Fn(usize) -> Option<(Treatment, Option<Arc<RuleInfo>>)>,
) {
    for (position, column) in access.columns.iter_mut().enumerate() {
        if column.rule.is_none()
            && let Some((treatment, rule)) = treatment_of(position)
        {
            *column = ColumnAccess { treatment, rule, writable: false };
        }
    }
}

/// The columns of tables that sources are, through views; whether all of them are reached unchanged.
fn collect_sources<'r>(resolved: &'r Resolved, sources: &[Source], into: &mut Vec<&'r ColumnAccess>) -> bool {
    let mut direct = true;
    for source in sources {
        let Some(used) = resolved.relations.get(source.place) else { continue };
        if let Appearance::Expanded(view) = &used.appearance
            && let Some(output) = view.resolved.output.get(source.column)
        {
            direct &= output.direct;
            direct &= collect_sources(&view.resolved, &output.sources, into);
        }
        into.extend(used.access.columns.get(source.column));
    }
    direct
}

/// The rule of a protected column that is used for something else than its value in the result: which rows there are may
/// depend on it.
fn deciding_rule(resolved: &Resolved) -> Option<Arc<RuleInfo>> {
    resolved.relations.iter().enumerate().find_map(|(place, used)| {
        if let Appearance::Expanded(view) = &used.appearance
            && let Some(rule) = deciding_rule(&view.resolved)
        {
            return Some(rule);
        }
        let protected = used.access.columns.iter().enumerate().filter(|(_, c)| c.treatment != Treatment::Raw);
        protected.into_iter().find_map(|(column, access)| {
            let source = Source { place, column };
            let count = |sources: &[Source]| sources.iter().filter(|other| **other == source).count();
            let shown: usize = resolved.output.iter().map(|output| count(&output.sources)).sum();
            (count(&resolved.uses) > shown).then(|| access.rule.clone()).flatten()
        })
    })
}

fn first_filter(resolved: &Resolved) -> Option<Arc<RuleInfo>> {
    resolved.relations.iter().find_map(|used| match &used.appearance {
        Appearance::Expanded(view) => first_filter(&view.resolved),
        Appearance::Plain
        | Appearance::Protected
        | Appearance::System(_)
        | Appearance::Target
        | Appearance::OfIndex => used.access.filters.first().map(|filter| Arc::clone(&filter.rule)),
    })
}
