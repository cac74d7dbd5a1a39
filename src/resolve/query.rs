//! Whole queries: WITH, set operations, ORDER BY, LIMIT, locking.

use std::rc::Rc;

use super::binder::{Binder, Sources};
use super::refusal::Refusal;
use super::resolved::{Appearance, OutputColumn};
use super::scope::{BoundColumn, CommonTableName, Kind, ScopeId};
use crate::policy::Verb;
use crate::sql::Engine;
use crate::sql::ast::{CommonTable, Expr, ExprKind, Locking, Name, Query, QueryBody, Relation, TableRef, With};

/// The columns of a query's result.
#[derive(Debug, Clone, Default)]
pub(super) struct Output {
    /// Those that are known, in order.
    pub columns: Vec<OutputColumn>,
    /// Whether there may be others: a star over a function whose columns are not known.
    pub open: bool,
}

impl Output {
    /// The columns under an alias, the first ones renamed by its list.
    pub fn bind(&self, names: &[Name]) -> Rc<[BoundColumn]> {
        let mut columns: Vec<BoundColumn> = self.columns.iter().map(BoundColumn::of_output).collect();
        for (position, name) in names.iter().enumerate() {
            match columns.get_mut(position) {
                Some(column) => column.name = name.value.clone(),
                None => columns.push(BoundColumn::computed(&name.value)),
            }
        }
        columns.into()
    }
}

impl Binder<'_> {
    /// Resolves a query inside a scope.
    pub(super) fn query(&mut self, query: &Query, parent: Option<ScopeId>) -> Result<Output, Refusal> {
        let first_relation = self.out.relations.len();
        let scope = self.push_scope(parent);
        if let Some(with) = &query.with {
            self.with(with, scope)?;
        }
        let inner = self.push_scope(Some(scope));
        let output = match &query.body {
            QueryBody::Select(select) => self.select(select, inner)?,
            QueryBody::Values(rows) => self.values(rows, inner)?,
            QueryBody::Table(table) => self.table(table, inner)?,
            QueryBody::SetOperation { left, right } => {
                let left = self.query(left, Some(scope))?;
                let right = self.query(right, Some(scope))?;
                Self::combine(left, right)
            }
            QueryBody::Nested(nested) => self.query(nested, Some(scope))?,
            QueryBody::Write(statement) => self.write(statement, Some(scope))?,
        };
        self.order_by(&query.order_by, inner, &output)?;
        self.exprs(&query.limit.exprs, inner)?;
        for locking in &query.locking {
            self.locking(locking, inner, first_relation)?;
        }
        Ok(output)
    }

    pub(super) fn with(&mut self, with: &With, scope: ScopeId) -> Result<(), Refusal> {
        if with.recursive {
            // Every name is visible in every body, before its columns are known.
            for table in &with.tables {
                self.declare(table, &Output { columns: Vec::new(), open: true }, scope);
            }
        }
        for table in &with.tables {
            let output = self.query(&table.query, Some(scope))?;
            self.declare(table, &output, scope);
        }
        Ok(())
    }

    /// Puts a common table expression in sight, or completes it.
    fn declare(&mut self, table: &CommonTable, output: &Output, scope: ScopeId) {
        let mut columns = output.bind(&table.columns).to_vec();
        columns.extend(table.added_columns.iter().map(|name| BoundColumn::computed(&name.value)));
        let declared = CommonTableName { name: table.name.value.clone(), columns: columns.into(), open: output.open };
        let Some(scope) = self.scope_mut(scope) else { return };
        match scope.common_tables.iter_mut().find(|known| known.name == declared.name) {
            Some(known) => *known = declared,
            None => scope.common_tables.push(declared),
        }
    }

    fn values(&mut self, rows: &[Vec<Expr>], scope: ScopeId) -> Result<Output, Refusal> {
        let prefix = match self.world.engine() {
            Engine::Postgres => ("column", 1),
            Engine::MySql => ("column_", 0),
        };
        let mut columns: Vec<OutputColumn> = Vec::new();
        for row in rows {
            for (position, expr) in row.iter().enumerate() {
                let mut sources = Sources::new();
                let nature = self.expr(expr, scope, &mut sources)?;
                match columns.get_mut(position) {
                    Some(column) => {
                        column.sources.append(&mut sources);
                        column.harmless &= nature.harmless;
                    }
                    None => columns.push(OutputColumn {
                        name: format!("{}{}", prefix.0, position + prefix.1).into(),
                        sources,
                        direct: false,
                        harmless: nature.harmless,
                    }),
                }
            }
        }
        Ok(Output { columns, open: false })
    }

    /// `TABLE t` is `SELECT * FROM t`, and is written so.
    fn table(&mut self, table: &TableRef, scope: ScopeId) -> Result<Output, Refusal> {
        self.table_ref(table, scope)?;
        if let TableRef::Relation(Relation { tokens, .. }) = table {
            self.edit(tokens.start.saturating_sub(1)..tokens.start, "SELECT * FROM");
        }
        Ok(self.star(scope, &mut Sources::new()))
    }

    fn combine(left: Output, right: Output) -> Output {
        let mut columns = left.columns;
        for (column, other) in columns.iter_mut().zip(right.columns) {
            column.sources.extend(other.sources);
            column.direct &= other.direct;
            column.harmless &= other.harmless;
        }
        Output { columns, open: left.open || right.open }
    }

    /// A bare name in ORDER BY is a label of the result first; MySQL looks for labels inside expressions too.
    pub(super) fn order_by(&mut self, exprs: &[Expr], scope: ScopeId, output: &Output) -> Result<(), Refusal> {
        if exprs.is_empty() {
            return Ok(());
        }
        if self.world.engine() == Engine::MySql {
            self.set_labels(scope, output);
        }
        for expr in exprs {
            if let Some(label) = self.label_of(expr, output) {
                let sources = label.sources.clone();
                self.mark(&sources, &mut Sources::new());
            } else {
                self.expr(expr, scope, &mut Sources::new())?;
            }
        }
        self.set_labels(scope, &Output::default());
        Ok(())
    }

    fn label_of<'o>(&self, expr: &Expr, output: &'o Output) -> Option<&'o OutputColumn> {
        let ExprKind::Column(name) = &expr.kind else { return None };
        let [name] = name.parts.as_slice() else { return None };
        output.columns.iter().find(|column| self.world.same_name(&column.name, &name.value))
    }

    pub(super) fn set_labels(&mut self, scope: ScopeId, output: &Output) {
        if let Some(scope) = self.scope_mut(scope) {
            scope.labels = output.columns.iter().map(BoundColumn::of_output).collect();
        }
    }

    /// Locking rows is for those who may change them.
    fn locking(&mut self, locking: &Locking, scope: ScopeId, first_relation: usize) -> Result<(), Refusal> {
        for name in &locking.of {
            if self.find_binding(&name.parts, scope).is_none() {
                return Err(Self::unknown_qualifier(name));
            }
        }
        for used in self.out.relations.get(first_relation..).unwrap_or_default() {
            let Some(relation) = self.world.snapshot.relation(used.relation) else { continue };
            self.require(relation, &used.access, Verb::Update)
                .map_err(|refusal| refusal.because("a locking read needs it").at(Some(locking.tokens.start)))?;
        }
        if self.world.engine() == Engine::MySql { self.lock_inside(locking, scope) } else { Ok(()) }
    }

    /// MySQL's locking clauses do not reach into derived tables, which get their own.
    fn lock_inside(&mut self, locking: &Locking, scope: ScopeId) -> Result<(), Refusal> {
        let bindings = self.scope(scope).map(|scope| scope.bindings.as_slice()).unwrap_or_default();
        let places = bindings.iter().filter_map(|binding| match binding.kind {
            Kind::Relation(place) => Some(place),
            Kind::Target(_) | Kind::Query | Kind::Function => None,
        });
        for place in places.collect::<Vec<_>>() {
            let Some(used) = self.out.relations.get_mut(place) else { continue };
            match &used.appearance {
                Appearance::Plain | Appearance::System(_) | Appearance::Target | Appearance::OfIndex => {}
                Appearance::Protected if locking.of.is_empty() => used.lock = Some(locking.tokens.clone()),
                Appearance::Protected => {
                    return Err(Refusal::unsupported("`FOR … OF` with a protected table is not allowed")
                        .advise("leave `OF` out")
                        .at(Some(locking.tokens.start)));
                }
                Appearance::Expanded(_) => {
                    return Err(Refusal::unsupported("a locking read of a view over protected tables is not allowed")
                        .because("the rows behind it would not be locked")
                        .advise("read the tables")
                        .at(Some(locking.tokens.start)));
                }
            }
        }
        Ok(())
    }
}
