//! MySQL's INSERT … ON DUPLICATE KEY UPDATE and REPLACE: what becomes of a row that is there already.
//!
//! The server finds such a row by any unique key, among all rows. A row that a filter hides is an error, as it is for a
//! plain INSERT; keys over columns that the role does not see as they are would tell their values and are refused.

use std::rc::Rc;

use super::binder::Binder;
use super::refusal::Refusal;
use super::resolved::{FilteredTarget, FoundRow};
use super::scope::{Binding, BoundColumn, Kind, ScopeId};
use super::target::label_of;
use crate::catalog::Column;
use crate::policy::Treatment;
use crate::sql::ast::{Expr, ExprKind, Insert, ObjectName, OnConflict};

impl Binder<'_> {
    /// Refuses where a key that decides over the row could tell a value that the role must not know.
    pub(super) fn refuse_probing(&self, place: usize, token: u32) -> Result<(), Refusal> {
        let Some(used) = self.out.relations.get(place) else { return Ok(()) };
        let Some(relation) = self.world.snapshot.relation(used.relation) else { return Ok(()) };
        if used.access.is_plain() {
            return Ok(());
        }
        let telling = |column: &usize| {
            let raw = used.access.columns.get(*column).is_some_and(|access| access.treatment == Treatment::Raw);
            let generated = relation.columns.get(*column).is_some_and(|column| column.generated.is_some());
            !raw && (generated || used.used.get(*column).copied().unwrap_or(true))
        };
        let protected = used.access.columns.iter().any(|access| access.treatment != Treatment::Raw);
        let found = relation.unique.iter().flatten().find(|column| telling(column));
        if found.is_none() && !(protected && relation.unique_by_parts) {
            return Ok(());
        }
        let name = found.and_then(|column| relation.columns.get(*column)).map(|column| &*column.name);
        let rule = found.and_then(|column| used.access.columns.get(*column)).and_then(|access| access.rule.as_ref());
        Err(Refusal::unsupported("a row that is there already may not be replaced or updated here")
            .because(match name {
                Some(name) => format!("a unique key reads `{name}`, whose value it would tell"),
                None => "a unique key reads parts of columns, whose values it would tell".to_owned(),
            })
            .advise("use INSERT or UPDATE")
            .by(rule)
            .at(Some(token)))
    }

    /// ON DUPLICATE KEY UPDATE.
    pub(super) fn on_duplicate_key(
        &mut self,
        conflict: &OnConflict,
        insert: &Insert,
        place: usize,
        scope: ScopeId,
    ) -> Result<(), Refusal> {
        self.refuse_counted_changes(conflict, place)?;
        let qualifier = label_of(&insert.target);
        self.bind_row_alias(insert, place, scope);
        self.assignments(place, &conflict.assignments, &qualifier, scope)?;
        let mut given = Vec::new();
        conflict
            .assignments
            .iter()
            .flat_map(|clause| &clause.values)
            .for_each(|value| columns_given(value, &mut given));
        self.out.target_columns.retain(|column| !given.contains(&column.tokens.start));
        if !self.is_filtered(place) {
            return Ok(());
        }
        // Assignments are made from left to right, each by the values that those before it have set.
        let first = conflict.assignments.first().and_then(|clause| clause.values.first());
        let Some(first) = first.filter(|value| value.kind != ExprKind::Default) else {
            return Err(Refusal::unsupported("the first column that is updated may not be set to DEFAULT")
                .because("a row filter has to be checked with it")
                .at(Some(insert.target.tokens.start)));
        };
        let target = FilteredTarget { place, qualifier };
        self.out.found_rows.push(FoundRow { target, value: first.tokens.clone() });
        Ok(())
    }

    /// MySQL counts a row as changed only where the value written is another one, which would tell what a masked column
    /// holds. (For UPDATE the session gives the number of rows matched.)
    fn refuse_counted_changes(&self, conflict: &OnConflict, place: usize) -> Result<(), Refusal> {
        let Some(used) = self.out.relations.get(place) else { return Ok(()) };
        let Some(relation) = self.world.snapshot.relation(used.relation) else { return Ok(()) };
        let is_masked = |name: &ObjectName| {
            let named = |column: &Column| name.object().is_some_and(|n| self.world.same_name(&column.name, &n.value));
            let position = relation.columns.iter().position(named);
            position.and_then(|at| used.access.columns.get(at)).is_some_and(|c| c.treatment != Treatment::Raw)
        };
        let mut written = conflict.assignments.iter().flat_map(|clause| &clause.columns);
        match written.find(|name| is_masked(name)) {
            Some(name) => Err(Refusal::unsupported("a masked column may not be set by `ON DUPLICATE KEY UPDATE`")
                .because("the number of changed rows would tell whether its value was another one")
                .at(Some(name.tokens.start))),
            None => Ok(()),
        }
    }

    /// MySQL's `AS new (a, b)` behind VALUES: the row that was to be inserted, which the role wrote itself.
    fn bind_row_alias(&mut self, insert: &Insert, place: usize, scope: ScopeId) {
        let Some(alias) = &insert.row_alias else { return };
        let own = self.relation_columns(place);
        let listed = insert
            .columns
            .iter()
            .filter_map(|name| own.iter().find(|column| self.world.same_name(&column.name, &name.value)).cloned());
        let mut columns: Vec<BoundColumn> = if insert.columns.is_empty() { own.to_vec() } else { listed.collect() };
        for (column, name) in columns.iter_mut().zip(&alias.columns) {
            column.name = name.value.clone();
        }
        let columns: Rc<[BoundColumn]> = columns.into();
        let name = alias.name.value.clone();
        let binding = Binding { name, schema: None, kind: Kind::Query, columns, open: false, hidden: false };
        if alias.columns.is_empty() {
            // Names without a qualifier mean the table's.
            if let Some(scope) = self.scope_mut(scope) {
                scope.bindings.push(binding);
            }
        } else {
            self.bind(scope, binding);
        }
    }
}

/// The columns inside of `VALUES(column)`, by their first token: those are of the row that was to be inserted.
fn columns_given(value: &Expr, found: &mut Vec<u32>) {
    if let ExprKind::Special { name: "values", operands } = &value.kind {
        found.extend(operands.iter().map(|operand| operand.tokens.start));
    }
    value.children().into_iter().for_each(|child| columns_given(child, found));
}
