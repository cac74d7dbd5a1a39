//! FROM: relations, sub-selects, functions, joins.

use std::rc::Rc;

use super::binder::{Binder, Sources};
use super::refusal::Refusal;
use super::resolved::Appearance;
use super::scope::{Binding, BoundColumn, Kind, ScopeId, Visible};
use crate::catalog::known::SystemView;
use crate::catalog::{FunctionResult, RelationKind, TypeClass};
use crate::policy::{MaskSpec, Treatment, Verb};
use crate::sql::ast::{Alias, ExprKind, Join, JoinConstraint, Name, Outer, Query, Relation, TableFunction, TableRef};

/// Whether values of a type can be compared without failing.
pub(super) fn is_simple(class: TypeClass) -> bool {
    match class {
        TypeClass::Boolean
        | TypeClass::Integer
        | TypeClass::Numeric
        | TypeClass::Float
        | TypeClass::Text
        | TypeClass::Bytes
        | TypeClass::Date
        | TypeClass::Time
        | TypeClass::Timestamp
        | TypeClass::TimestampTz
        | TypeClass::Interval
        | TypeClass::Uuid
        | TypeClass::Inet
        | TypeClass::Enum => true,
        TypeClass::Json | TypeClass::Jsonb | TypeClass::Array | TypeClass::Other => false,
    }
}

/// Whether a mask's expression is ours, and so cannot fail.
fn is_total(mask: &MaskSpec) -> bool {
    !matches!(mask, MaskSpec::Sql { .. } | MaskSpec::Regex { .. })
}

impl Binder<'_> {
    pub(super) fn table_ref(&mut self, item: &TableRef, scope: ScopeId) -> Result<(), Refusal> {
        match item {
            TableRef::Relation(relation) => self.relation_item(relation, scope),
            TableRef::Derived { lateral, query, alias } => self.derived_item(*lateral, query, alias.as_ref(), scope),
            TableRef::Function(function) => self.function_item(function, scope),
            TableRef::Join(join) => self.join(join, scope),
            TableRef::List(items) => items.iter().try_for_each(|item| self.table_ref(item, scope)),
        }
    }

    /// Adds a name to a scope's FROM.
    pub(super) fn bind(&mut self, scope: ScopeId, binding: Binding) {
        let Some(scope) = self.scope_mut(scope) else { return };
        let position = scope.bindings.len();
        let columns = binding.columns.iter().enumerate();
        scope.visible.extend(columns.map(|(at, c)| Visible { name: c.name.clone(), at: vec![(position, at)] }));
        scope.bindings.push(binding);
    }

    fn relation_item(&mut self, item: &Relation, scope: ScopeId) -> Result<(), Refusal> {
        if let Some(common) = self.common_table(item, scope) {
            let columns = rename(&common.0, item.alias.as_ref());
            let name = alias_or(item.alias.as_ref(), item.name.object());
            self.bind(scope, Binding { name, schema: None, kind: Kind::Query, columns, open: common.1, hidden: false });
            return Ok(());
        }
        if let Some(verb) = self.written_verb(item) {
            return self.written_item(item, verb, scope);
        }
        let relation = self.relation(&item.name)?;
        let place = self.note_use(relation, &item.name, Verb::Read, item.tokens.clone())?;
        let appearance = self.appearance(relation, place)?;
        let stands_alone = matches!(appearance, Appearance::Plain | Appearance::System(SystemView::Open));
        let object = item.name.object().map(|name| name.value.clone()).unwrap_or_default();
        if let Some(sample) = &item.sample {
            self.exprs(&sample.arguments, scope)?;
        }
        if let Some(used) = self.out.relations.get_mut(place) {
            used.appearance = appearance;
            used.only = item.only;
            used.alias = item.alias.is_none().then(|| object.clone());
            used.whole = item.alias.as_ref().is_some_and(|alias| !alias.columns.is_empty());
            if !stands_alone {
                used.moved.extend((!item.partitions.is_empty()).then(|| item.partitions.clone()));
                used.moved.extend(item.sample.as_ref().map(|sample| sample.tokens.clone()));
                used.moved.extend((!item.hints.is_empty()).then(|| item.hints.clone()));
                if item.sample.is_some() && !used.access.filters.is_empty() {
                    return Err(Refusal::unsupported("`TABLESAMPLE` of a table with a row filter is not allowed")
                        .because("which rows are taken would depend on rows that the filter hides")
                        .at(Some(item.tokens.start)));
                }
            }
        }
        let columns = rename(&self.relation_columns(place), item.alias.as_ref());
        let schema = item.alias.is_none().then(|| relation.schema.clone());
        let name = alias_or(item.alias.as_ref(), item.name.object());
        self.bind(scope, Binding { name, schema, kind: Kind::Relation(place), columns, open: false, hidden: false });
        Ok(())
    }

    /// A common table expression in sight by this name: its columns and whether there may be others.
    pub(super) fn common_table(&self, item: &Relation, scope: ScopeId) -> Option<(Rc<[BoundColumn]>, bool)> {
        let [name] = item.name.parts.as_slice() else { return None };
        let mut scopes = self.outward(Some(scope));
        scopes.find_map(|(_, scope)| {
            let found = scope.common_tables.iter().find(|table| self.world.same_name(&table.name, &name.value))?;
            Some((Rc::clone(&found.columns), found.open))
        })
    }

    fn appearance(&self, relation: &crate::catalog::Relation, place: usize) -> Result<Appearance, Refusal> {
        let Some(used) = self.out.relations.get(place) else { return Ok(Appearance::Plain) };
        if self.world.is_system_schema(&relation.schema) {
            return match self.world.rules.system(relation) {
                SystemView::Refused(why) => Err(Refusal::forbidden(format!(
                    "`{}.{}` is not readable by role `{}`",
                    relation.schema, relation.name, self.world.role
                ))
                .because(why)
                .at(Some(used.tokens.start))),
                view => Ok(Appearance::System(view)),
            };
        }
        let plain = if used.access.is_plain() { Appearance::Plain } else { Appearance::Protected };
        match relation.kind {
            RelationKind::View if used.access.trusted.is_none() => {
                let view = self.world.rules.expand(relation).map_err(|mut refusal| {
                    let view = format!("{}.{}", relation.schema, relation.name);
                    refusal.message = format!("view `{view}` cannot be read: {}", refusal.message);
                    refusal.token = Some(used.tokens.start);
                    refusal.advise(format!("a `[[trust]]` rule may declare `{view}` safe to read as it is"))
                })?;
                Ok(if view.is_plain() { plain } else { Appearance::Expanded(view) })
            }
            RelationKind::View
            | RelationKind::Table
            | RelationKind::PartitionedTable
            | RelationKind::MaterializedView
            | RelationKind::ForeignTable
            | RelationKind::Sequence => Ok(plain),
        }
    }

    /// The columns of a relation that the role may see.
    pub(super) fn relation_columns(&self, place: usize) -> Rc<[BoundColumn]> {
        let Some(used) = self.out.relations.get(place) else { return Rc::from([]) };
        let Some(relation) = self.world.snapshot.relation(used.relation) else { return Rc::from([]) };
        let expanded = match &used.appearance {
            Appearance::Expanded(view) => Some(view),
            Appearance::Plain
            | Appearance::Protected
            | Appearance::System(_)
            | Appearance::Target
            | Appearance::OfIndex => None,
        };
        let columns = relation.columns.iter().enumerate().filter_map(|(position, column)| {
            let treatment = used.access.columns.get(position).map(|access| &access.treatment)?;
            let harmless = match treatment {
                Treatment::Denied => return None,
                Treatment::Raw => true,
                Treatment::Masked(mask) => is_total(mask),
            };
            let harmless = harmless
                && is_simple(column.ty.class)
                && expanded.is_none_or(|view| {
                    !view.barrier && view.resolved.output.get(position).is_some_and(|output| output.harmless)
                });
            let sources = Self::source(place, position);
            Some(BoundColumn { name: column.name.clone(), sources, direct: true, harmless })
        });
        columns.collect::<Vec<_>>().into()
    }

    fn derived_item(
        &mut self,
        lateral: bool,
        query: &Query,
        alias: Option<&Alias>,
        scope: ScopeId,
    ) -> Result<(), Refusal> {
        let parent = if lateral { Some(scope) } else { self.scope(scope).and_then(|scope| scope.parent) };
        let output = self.query(query, parent)?;
        let columns = output.bind(alias.map(|alias| alias.columns.as_slice()).unwrap_or_default());
        let name = alias.map(|alias| alias.name.value.clone()).unwrap_or_default();
        let open = output.open;
        self.bind(scope, Binding { name, schema: None, kind: Kind::Query, columns, open, hidden: false });
        Ok(())
    }

    fn function_item(&mut self, item: &TableFunction, scope: ScopeId) -> Result<(), Refusal> {
        let mut sink = Sources::new();
        for function in &item.functions {
            self.expr(function, scope, &mut sink)?;
        }
        item.types.iter().try_for_each(|ty| self.type_name(ty))?;
        let alias = item.alias.as_ref();
        let function_name = item.functions.first().and_then(|function| match &function.kind {
            ExprKind::Call(call) => call.name.object().map(|name| &*name.value),
            ExprKind::Special { name, .. } => Some(*name),
            _ => None,
        });
        let name = alias.map_or_else(|| function_name.unwrap_or_default().into(), |alias| alias.name.value.clone());
        let listed = item.columns.iter().chain(alias.iter().flat_map(|alias| &alias.columns));
        let mut columns: Vec<BoundColumn> = listed.map(|column| BoundColumn::computed(&column.value)).collect();
        if columns.is_empty() {
            match self.row_columns(item) {
                Some(names) => columns.extend(names.iter().map(|name| BoundColumn::computed(name))),
                None => columns.push(BoundColumn::computed(&name)),
            }
        }
        if item.ordinality {
            columns.push(BoundColumn::computed("ordinality"));
        }
        for column in &mut columns {
            column.sources = sink.as_slice().into();
        }
        let open = item.columns.is_empty() && !self.is_scalar_function(item);
        self.bind(
            scope,
            Binding { name, schema: None, kind: Kind::Function, columns: columns.into(), open, hidden: false },
        );
        Ok(())
    }

    /// What all functions give that one call in FROM can mean, if they agree.
    fn result_of(&self, item: &TableFunction) -> Option<&FunctionResult> {
        let [function] = item.functions.as_slice() else { return None };
        let ExprKind::Call(call) = &function.kind else { return None };
        let (first, others) = self.world.snapshot.functions(&call.name.object()?.value).split_first()?;
        others.iter().all(|other| other.result == first.result).then_some(&first.result)
    }

    fn is_scalar_function(&self, item: &TableFunction) -> bool {
        matches!(self.result_of(item), Some(FunctionResult::Scalar { column: None, .. }))
    }

    fn row_columns(&self, item: &TableFunction) -> Option<&[Box<str>]> {
        match self.result_of(item)? {
            FunctionResult::Row(columns) => Some(columns),
            FunctionResult::Scalar { column: Some(column), .. } if item.alias.is_none() => {
                Some(std::slice::from_ref(column))
            }
            FunctionResult::Scalar { .. }
            | FunctionResult::Record
            | FunctionResult::Polymorphic
            | FunctionResult::Void => None,
        }
    }

    fn join(&mut self, join: &Join, scope: ScopeId) -> Result<(), Refusal> {
        let extent = |binder: &Self| binder.scope(scope).map_or((0, 0), |s| (s.bindings.len(), s.visible.len()));
        let begin = extent(self);
        self.joined_side(&join.left, matches!(join.outer, Some(Outer::Right | Outer::Full)), scope)?;
        let middle = extent(self);
        self.joined_side(&join.right, matches!(join.outer, Some(Outer::Left | Outer::Full)), scope)?;
        match &join.constraint {
            JoinConstraint::None => {}
            JoinConstraint::On(condition) => {
                let outer = self.scope_mut(scope).map(|scope| {
                    let outer = (scope.first_binding, scope.first_visible);
                    (scope.first_binding, scope.first_visible) = begin;
                    outer
                });
                let result = self.join_condition(condition, scope);
                if let (Some(scope), Some(outer)) = (self.scope_mut(scope), outer) {
                    (scope.first_binding, scope.first_visible) = outer;
                }
                result?;
            }
            JoinConstraint::Using { columns, alias } => {
                self.refuse_merging(scope, columns.first().map(|name| name.token))?;
                self.check_equality(columns.first().map_or(0, |name| name.token))?;
                self.merge(scope, begin.1, middle.1, columns.iter().map(|name| name.value.clone()).collect())
                    .map_err(|missing| missing_join_column(&missing, columns))?;
                self.compare_merged(scope, begin, columns.len());
                if let Some(alias) = alias {
                    self.bind_merged(scope, begin.1, columns.len(), alias);
                }
            }
            JoinConstraint::Natural => {
                self.refuse_merging(scope, None)?;
                self.check_equality(0)?;
                let shared = self.shared_names(scope, begin.1, middle.1);
                let count = shared.len();
                self.merge(scope, begin.1, middle.1, shared)
                    .map_err(|name| Refusal::undefined_column(format!("column \"{name}\" does not exist")))?;
                self.compare_merged(scope, begin, count);
            }
        }
        if let Some(alias) = &join.alias {
            self.hide_behind(scope, begin, alias);
        }
        Ok(())
    }

    /// Names that both sides of a join have, in the order of the left one.
    fn shared_names(&self, scope: ScopeId, begin: usize, middle: usize) -> Vec<Box<str>> {
        let Some(scope) = self.scope(scope) else { return Vec::new() };
        let right = scope.visible.get(middle..).unwrap_or_default();
        let left = scope.visible.get(begin..middle).unwrap_or_default();
        let shared = left.iter().filter(|l| right.iter().any(|r| self.world.same_name(&l.name, &r.name)));
        shared.map(|visible| visible.name.clone()).collect()
    }

    /// Makes one column of each pair; merged columns come first. The name that one side lacks is the error.
    fn merge(&mut self, scope: ScopeId, begin: usize, middle: usize, names: Vec<Box<str>>) -> Result<(), Box<str>> {
        let world = self.world;
        let Some(scope) = self.scope_mut(scope) else { return Ok(()) };
        let mut right = scope.visible.split_off(middle);
        let mut left = scope.visible.split_off(begin);
        let open = scope.bindings.iter().any(|binding| binding.open);
        let take = |side: &mut Vec<Visible>, name: &str| {
            let at = side.iter().position(|visible| world.same_name(&visible.name, name));
            match at {
                Some(at) => Ok(side.remove(at).at),
                None if open => Ok(Vec::new()),
                None => Err(Box::from(name)),
            }
        };
        for name in names {
            let mut at = take(&mut left, &name)?;
            at.extend(take(&mut right, &name)?);
            scope.visible.push(Visible { name, at });
        }
        scope.visible.append(&mut left);
        scope.visible.append(&mut right);
        Ok(())
    }

    /// A join by name is a condition: each pair of merged columns is compared, and so read.
    fn compare_merged(&mut self, scope: ScopeId, begin: (usize, usize), count: usize) {
        let merged = self.columns_of_visible(scope, begin.1, begin.1 + count);
        let bindings = self.scope(scope).map(|scope| scope.bindings.as_slice()).unwrap_or_default();
        let all_known = !bindings.iter().skip(begin.0).any(|binding| binding.open);
        self.out.fence |=
            !(all_known && merged.iter().all(|column| column.harmless && self.is_one_kind(&column.sources)));
        for column in merged.iter() {
            self.mark(&column.sources, &mut Sources::new());
        }
    }

    /// `USING (…) AS alias`: the alias has the merged columns.
    fn bind_merged(&mut self, scope: ScopeId, begin: usize, count: usize, alias: &Name) {
        let columns = self.columns_of_visible(scope, begin, begin + count);
        let name = alias.value.clone();
        let binding = Binding { name, schema: None, kind: Kind::Query, columns, open: false, hidden: false };
        if let Some(scope) = self.scope_mut(scope) {
            scope.bindings.push(binding);
        }
    }

    /// `(a JOIN b …) AS alias`: only the alias is in sight.
    fn hide_behind(&mut self, scope: ScopeId, begin: (usize, usize), alias: &Alias) {
        let end = self.scope(scope).map_or(0, |scope| scope.visible.len());
        let columns = rename(&self.columns_of_visible(scope, begin.1, end), Some(alias));
        if !alias.columns.is_empty() {
            self.keep_whole(scope, begin.0);
        }
        let mut open = false;
        if let Some(scope) = self.scope_mut(scope) {
            for binding in scope.bindings.iter_mut().skip(begin.0) {
                binding.hidden = true;
                open |= binding.open;
            }
            scope.visible.truncate(begin.1);
        }
        let name = alias.name.value.clone();
        self.bind(scope, Binding { name, schema: None, kind: Kind::Query, columns, open, hidden: false });
    }

    /// Leaves no column out of the relations that a scope has from `first` on.
    pub(super) fn keep_whole(&mut self, scope: ScopeId, first: usize) {
        let Some(scope) = self.scopes.get(scope) else { return };
        for binding in scope.bindings.iter().skip(first) {
            if let Kind::Relation(place) = binding.kind
                && let Some(used) = self.out.relations.get_mut(place)
            {
                used.whole = true;
            }
        }
    }

    fn columns_of_visible(&self, scope: ScopeId, begin: usize, end: usize) -> Rc<[BoundColumn]> {
        let Some(scope) = self.scope(scope) else { return Rc::from([]) };
        let visible = scope.visible.get(begin..end).unwrap_or_default();
        let columns = visible.iter().map(|entry| {
            let mut column = BoundColumn { direct: true, harmless: true, ..BoundColumn::computed(&entry.name) };
            let mut sources = Vec::new();
            for (position, at) in &entry.at {
                if let Some(bound) = scope.bindings.get(*position).and_then(|binding| binding.columns.get(*at)) {
                    sources.extend_from_slice(&bound.sources);
                    column.direct &= bound.direct;
                    column.harmless &= bound.harmless;
                }
            }
            column.sources = sources.into();
            column
        });
        columns.collect::<Vec<_>>().into()
    }
}

/// The columns with the first ones renamed by an alias' list.
fn rename(columns: &Rc<[BoundColumn]>, alias: Option<&Alias>) -> Rc<[BoundColumn]> {
    let names = alias.map(|alias| alias.columns.as_slice()).unwrap_or_default();
    if names.is_empty() {
        return Rc::clone(columns);
    }
    let mut renamed = columns.to_vec();
    for (column, name) in renamed.iter_mut().zip(names) {
        column.name = name.value.clone();
    }
    renamed.into()
}

fn alias_or(alias: Option<&Alias>, name: Option<&Name>) -> Box<str> {
    alias.map(|alias| &alias.name).or(name).map(|name| name.value.clone()).unwrap_or_default()
}

fn missing_join_column(missing: &str, columns: &[Name]) -> Refusal {
    let token = columns.iter().find(|name| *name.value == *missing).map(|name| name.token);
    Refusal::undefined_column(format!("column \"{missing}\" specified in USING clause does not exist")).at(token)
}
