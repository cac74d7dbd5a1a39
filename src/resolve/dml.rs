//! INSERT, UPDATE, DELETE, MERGE.
//!
//! The target of a write stands as itself, so every reference to its columns reads the raw row. References to columns
//! that the role sees masked are noted, and rewriting puts the mask in their place; filters are put into WHERE, and rows
//! that are made must satisfy them.

use super::binder::Binder;
use super::query::Output;
use super::refusal::Refusal;
use super::resolved::NewRow;
use super::scope::ScopeId;
use super::target::label_of;
use crate::policy::{Treatment, Verb};
use crate::sql::Engine;
use crate::sql::ast::{
    Delete, Expr, ExprKind, Insert, Literal, Merge, MergeAction, OnConflict, Query, QueryBody, SelectItem, TableRef,
    Tokens, Update,
};

impl Binder<'_> {
    pub(super) fn insert(&mut self, insert: &Insert, parent: Option<ScopeId>) -> Result<Output, Refusal> {
        let scope = self.push_scope(parent);
        if let Some(with) = &insert.with {
            self.with(with, scope)?;
        }
        let place = self.target(&insert.target, Verb::Insert)?;
        if insert.replace {
            self.require_also(place, Verb::Delete)?;
            if self.out.relations.get(place).is_some_and(|used| !used.access.is_plain()) {
                return Err(Refusal::unsupported("`REPLACE` into a protected table is not allowed")
                    .because("it deletes rows of the same key, hidden ones too, and counts those that differ")
                    .advise("use `INSERT … ON DUPLICATE KEY UPDATE`")
                    .at(Some(insert.target.tokens.start)));
            }
        }
        self.refuse_ignore(insert.ignore, place, insert.target.tokens.start)?;
        let target = self.push_scope(Some(scope));
        self.bind_target(place, &insert.target.name, insert.target.alias.as_ref(), target);
        match &insert.source {
            Some(source) => self.inserted_rows(insert, place, source, scope)?,
            None if insert.assignments.is_empty() => self.check_values(place, None, &[])?,
            None => {
                let values: Vec<_> = insert.assignments.iter().collect();
                self.inserted_assignments(place, &values, target)?;
            }
        }
        if self.world.engine() == Engine::MySql && (insert.replace || insert.on_conflict.is_some()) {
            self.refuse_probing(place, insert.target.tokens.start)?;
        }
        if let Some(conflict) = &insert.on_conflict {
            self.on_conflict(conflict, insert, place, target)?;
        }
        self.items(&insert.returning, target)
    }

    fn inserted_rows(&mut self, insert: &Insert, place: usize, source: &Query, scope: ScopeId) -> Result<(), Refusal> {
        let hides = self
            .out
            .relations
            .get(place)
            .is_some_and(|used| used.access.columns.iter().any(|column| column.treatment == Treatment::Denied));
        if insert.columns.is_empty() && hides {
            return Err(Refusal::unsupported("the columns of the inserted rows must be named")
                .because("the role does not see all columns of the table")
                .at(Some(insert.target.tokens.start)));
        }
        let output = self.query(source, Some(scope))?;
        let columns = self.written_columns(place, &insert.columns, output.columns.len())?;
        match (&source.body, source.with.is_none()) {
            (QueryBody::Values(rows), true) if !self.has_defaults(place, rows, &columns) => {
                for row in rows {
                    let values: Vec<(usize, &Expr)> = columns.iter().copied().zip(row).collect();
                    self.check_values(place, None, &values)?;
                }
                Ok(())
            }
            _ => self.check_source(place, source, columns),
        }
    }

    /// Whether some column gets its default, and which one can be told. Such rows are checked before the server computes
    /// defaults: a row that is refused then takes no number out of a sequence.
    fn has_defaults(&self, place: usize, rows: &[Vec<Expr>], columns: &[usize]) -> bool {
        let used = self.out.relations.get(place);
        let relation = used.and_then(|used| self.world.snapshot.relation(used.relation));
        self.world.engine() == Engine::Postgres
            && relation.is_some_and(|relation| columns.len() < relation.columns.len())
            && !rows.iter().flatten().any(|value| matches!(value.kind, ExprKind::Default))
    }

    /// Rows of a query go into a filtered table only through the filter.
    fn check_source(&mut self, place: usize, source: &Query, columns: Vec<usize>) -> Result<(), Refusal> {
        if self.out.relations.get(place).is_none_or(|used| used.access.filters.is_empty()) {
            return Ok(());
        }
        if self.filter_columns(place).iter().any(|column| !columns.contains(column)) {
            return Err(self.refuse_new_row(place, "every column that the filter reads must be given"));
        }
        self.refuse_lenient(place)?;
        let untyped = match self.world.engine() {
            Engine::Postgres => untyped(source, &columns),
            Engine::MySql => Vec::new(),
        };
        let source = Some((source.tokens.clone(), columns));
        self.out.new_rows.push(NewRow { place, qualifier: None, values: Vec::new(), source, untyped });
        Ok(())
    }

    /// MySQL's `INSERT … SET`.
    fn inserted_assignments(
        &mut self,
        place: usize,
        assignments: &[&crate::sql::ast::SetClause],
        scope: ScopeId,
    ) -> Result<(), Refusal> {
        let mut values = Vec::new();
        for clause in assignments {
            let names: Vec<_> = clause.columns.iter().filter_map(|name| name.object().cloned()).collect();
            let written = self.written_columns(place, &names, names.len())?;
            self.exprs(&clause.values, scope)?;
            values.extend(written.into_iter().zip(&clause.values));
        }
        self.check_values(place, None, &values)
    }

    /// What happens to a row that is there already: only rows that the role sees may change.
    fn on_conflict(
        &mut self,
        conflict: &OnConflict,
        insert: &Insert,
        place: usize,
        target: ScopeId,
    ) -> Result<(), Refusal> {
        let qualifier = &label_of(&insert.target);
        self.exprs(&conflict.target, target)?;
        self.exprs(&conflict.target_filter, target)?;
        if conflict.assignments.is_empty() {
            return Ok(());
        }
        self.require_also(place, Verb::Update)?;
        let update = self.push_scope(Some(target));
        if self.world.engine() == Engine::MySql {
            return self.on_duplicate_key(conflict, insert, place, update);
        }
        self.bind_excluded(place, update);
        self.assignments(place, &conflict.assignments, qualifier, update)?;
        let last = conflict.assignments.last().and_then(|clause| clause.values.last());
        let end = conflict.filter_at.or(last.map(|value| value.tokens.end)).unwrap_or_default();
        self.filter_target(place, qualifier, conflict.filter.as_ref(), end, update)
    }

    pub(super) fn update(&mut self, update: &Update, parent: Option<ScopeId>) -> Result<Output, Refusal> {
        let scope = self.push_scope(parent);
        if let Some(with) = &update.with {
            self.with(with, scope)?;
        }
        let TableRef::Relation(relation) = &update.target else {
            return self.update_joined(update, scope);
        };
        let inner = self.push_scope(Some(scope));
        let place = self.target(relation, Verb::Update)?;
        self.refuse_ignore(update.ignore, place, relation.tokens.start)?;
        let qualifier = label_of(relation);
        self.bind_target(place, &relation.name, relation.alias.as_ref(), inner);
        for item in &update.from {
            self.table_ref(item, inner)?;
        }
        self.assignments(place, &update.assignments, &qualifier, inner)?;
        self.filter_target(place, &qualifier, update.filter.as_ref(), update.filter_at, inner)?;
        self.exprs(&update.order_by, inner)?;
        self.exprs(&update.limit, inner)?;
        self.items(&update.returning, inner)
    }

    pub(super) fn delete(&mut self, delete: &Delete, parent: Option<ScopeId>) -> Result<Output, Refusal> {
        let scope = self.push_scope(parent);
        if let Some(with) = &delete.with {
            self.with(with, scope)?;
        }
        let ([relation], false) = (delete.targets.as_slice(), delete.multi_table) else {
            return self.delete_joined(delete, scope);
        };
        let inner = self.push_scope(Some(scope));
        let place = self.target(relation, Verb::Delete)?;
        let qualifier = label_of(relation);
        self.bind_target(place, &relation.name, relation.alias.as_ref(), inner);
        for item in &delete.using {
            self.table_ref(item, inner)?;
        }
        self.filter_target(place, &qualifier, delete.filter.as_ref(), delete.filter_at, inner)?;
        self.exprs(&delete.order_by, inner)?;
        self.exprs(&delete.limit, inner)?;
        self.items(&delete.returning, inner)
    }

    pub(super) fn merge_into(&mut self, merge: &Merge, parent: Option<ScopeId>) -> Result<Output, Refusal> {
        let scope = self.push_scope(parent);
        if let Some(with) = &merge.with {
            self.with(with, scope)?;
        }
        let place = self.target(&merge.target, Verb::Read)?;
        let qualifier = label_of(&merge.target);
        let inner = self.push_scope(Some(scope));
        self.bind_target(place, &merge.target.name, merge.target.alias.as_ref(), inner);
        self.table_ref(&merge.source, inner)?;
        self.filter_target(place, &qualifier, Some(&merge.on), merge.on.tokens.end, inner)?;
        let filtered = self.out.relations.get(place).is_some_and(|used| !used.access.filters.is_empty());
        for clause in &merge.clauses {
            if clause.by_source && filtered {
                return Err(Refusal::unsupported("`WHEN NOT MATCHED BY SOURCE` on a filtered table is not allowed")
                    .because("it would reach rows that the filter hides")
                    .at(Some(merge.tokens.start)));
            }
            self.exprs(&clause.condition, inner)?;
            match &clause.action {
                MergeAction::Update(assignments) => {
                    self.require_also(place, Verb::Update)?;
                    self.assignments(place, assignments, &qualifier, inner)?;
                }
                MergeAction::Delete => self.require_also(place, Verb::Delete)?,
                MergeAction::Insert { columns, values } => {
                    self.require_also(place, Verb::Insert)?;
                    let written = self.written_columns(place, columns, values.len())?;
                    self.exprs(values, inner)?;
                    let values: Vec<(usize, &Expr)> = written.into_iter().zip(values).collect();
                    self.check_values(place, None, &values)?;
                }
                MergeAction::Nothing => {}
            }
        }
        self.items(&merge.returning, inner)
    }
}

/// Columns of a query that are literals or parameters. Sides of a UNION get their types from each other instead.
fn untyped(query: &Query, columns: &[usize]) -> Vec<(usize, Tokens)> {
    match &query.body {
        QueryBody::Select(select) => {
            let exprs = select.items.iter().map_while(|item| match item {
                SelectItem::Expr { expr, .. } => Some(expr),
                // How many columns it stands for is not known here.
                SelectItem::Star { .. } | SelectItem::QualifiedStar { .. } => None,
            });
            untyped_values(exprs, columns).collect()
        }
        QueryBody::Values(rows) => rows.iter().flat_map(|row| untyped_values(row, columns)).collect(),
        QueryBody::Nested(nested) => untyped(nested, columns),
        QueryBody::Table(_) | QueryBody::SetOperation { .. } | QueryBody::Write(_) => Vec::new(),
    }
}

fn untyped_values<'e>(
    values: impl IntoIterator<Item = &'e Expr>,
    columns: &[usize],
) -> impl Iterator<Item = (usize, Tokens)> {
    let is_untyped =
        |expr: &Expr| matches!(expr.kind, ExprKind::Literal(Literal::String | Literal::Null) | ExprKind::Parameter);
    let pairs = columns.iter().copied().zip(values).filter(move |(_, expr)| is_untyped(expr));
    pairs.map(|(column, expr)| (column, expr.tokens.clone()))
}
