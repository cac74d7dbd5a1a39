//! INSERT, UPDATE, DELETE, MERGE.
//!
//! The target of a write stands as itself, so every reference to its columns reads the raw row. References to columns
//! that the role sees masked are noted, and rewriting puts the mask in their place; filters are put into WHERE.

use super::binder::{Binder, Sources};
use super::query::Output;
use super::refusal::Refusal;
use super::resolved::{Appearance, TargetFilter};
use super::scope::{Binding, Kind, ScopeId};
use crate::policy::{Treatment, Verb};
use crate::sql::ast::{Alias, Delete, Insert, Merge, Name, ObjectName, Relation, SetClause, TableRef, Tokens, Update};

impl Binder<'_> {
    pub(super) fn insert(&mut self, insert: &Insert, parent: Option<ScopeId>) -> Result<Output, Refusal> {
        let scope = self.push_scope(parent);
        if let Some(with) = &insert.with {
            self.with(with, scope)?;
        }
        let place = self.target(&insert.target, Verb::Insert)?;
        self.refuse_protected(place, "INSERT")?;
        let target = self.push_scope(Some(scope));
        self.bind_target(place, &insert.target.name, insert.target.alias.as_ref(), target);
        let width = match &insert.source {
            Some(source) => self.query(source, Some(scope))?.columns.len(),
            None => 0,
        };
        self.written_columns(place, &insert.columns, width)?;
        self.assignments(place, &insert.assignments, target)?;
        if insert.replace {
            self.require_also(place, Verb::Delete)?;
        }
        if let Some(conflict) = &insert.on_conflict {
            if !conflict.assignments.is_empty() {
                self.require_also(place, Verb::Update)?;
            }
            self.exprs(&conflict.target, target)?;
            self.exprs(&conflict.target_filter, target)?;
            let update = self.push_scope(Some(target));
            self.bind_excluded(place, update);
            self.assignments(place, &conflict.assignments, update)?;
            self.exprs(&conflict.filter, update)?;
        }
        self.items(&insert.returning, target)
    }

    pub(super) fn update(&mut self, update: &Update, parent: Option<ScopeId>) -> Result<Output, Refusal> {
        let scope = self.push_scope(parent);
        if let Some(with) = &update.with {
            self.with(with, scope)?;
        }
        let TableRef::Relation(relation) = &update.target else {
            return Err(Refusal::unsupported("`UPDATE` of several tables is not allowed")
                .advise("update one table and read the others in sub-selects")
                .at(Some(update.tokens.start)));
        };
        let inner = self.push_scope(Some(scope));
        let place = self.target(relation, Verb::Update)?;
        self.refuse_protected(place, "UPDATE")?;
        self.bind_target(place, &relation.name, relation.alias.as_ref(), inner);
        for item in &update.from {
            self.from_item(item, inner)?;
        }
        self.assignments(place, &update.assignments, inner)?;
        self.exprs(&update.filter, inner)?;
        self.exprs(&update.order_by, inner)?;
        self.exprs(&update.limit, inner)?;
        let condition = update.filter.as_ref().map(|filter| filter.tokens.clone());
        self.filter_target(place, relation, condition, update.filter_at);
        self.items(&update.returning, inner)
    }

    pub(super) fn delete(&mut self, delete: &Delete, parent: Option<ScopeId>) -> Result<Output, Refusal> {
        let scope = self.push_scope(parent);
        if let Some(with) = &delete.with {
            self.with(with, scope)?;
        }
        let ([relation], false) = (delete.targets.as_slice(), delete.multi_table) else {
            return Err(Refusal::unsupported("`DELETE` from several tables is not allowed")
                .advise("delete from one table and read the others in sub-selects")
                .at(Some(delete.tokens.start)));
        };
        let inner = self.push_scope(Some(scope));
        let place = self.target(relation, Verb::Delete)?;
        self.refuse_protected(place, "DELETE")?;
        self.bind_target(place, &relation.name, relation.alias.as_ref(), inner);
        for item in &delete.using {
            self.from_item(item, inner)?;
        }
        self.exprs(&delete.filter, inner)?;
        self.exprs(&delete.order_by, inner)?;
        self.exprs(&delete.limit, inner)?;
        let condition = delete.filter.as_ref().map(|filter| filter.tokens.clone());
        self.filter_target(place, relation, condition, delete.filter_at);
        self.items(&delete.returning, inner)
    }

    pub(super) fn merge_into(&mut self, merge: &Merge, _parent: Option<ScopeId>) -> Result<Output, Refusal> {
        Err(Refusal::unsupported("`MERGE` is not allowed")
            .advise("use INSERT … ON CONFLICT")
            .at(Some(merge.tokens.start)))
    }

    /// The relation that a statement writes.
    fn target(&mut self, item: &Relation, verb: Verb) -> Result<usize, Refusal> {
        let relation = self.relation(&item.name)?;
        if self.world.is_system_schema(&relation.schema) {
            return Err(Refusal::forbidden(format!("`{}.{}` may not be written", relation.schema, relation.name))
                .at(Some(item.tokens.start)));
        }
        let place = self.note_use(relation, &item.name, verb, item.tokens.clone())?;
        if let Some(used) = self.out.relations.get_mut(place) {
            used.appearance = Appearance::Target;
            used.only = item.only;
        }
        Ok(place)
    }

    fn refuse_protected(&self, place: usize, what: &str) -> Result<(), Refusal> {
        let Some(used) = self.out.relations.get(place).filter(|used| !used.access.is_plain()) else { return Ok(()) };
        let rule = used.access.filters.first().map(|filter| &filter.rule);
        let rule = rule.or_else(|| used.access.columns.iter().find_map(|column| column.rule.as_ref()));
        Err(Refusal::unsupported(format!(
            "`{what}` of a table that is protected for role `{}` is not allowed",
            self.world.role
        ))
        .by(rule)
        .at(Some(used.tokens.start)))
    }

    fn require_also(&self, place: usize, verb: Verb) -> Result<(), Refusal> {
        let Some(used) = self.out.relations.get(place) else { return Ok(()) };
        let Some(relation) = self.world.snapshot.relation(used.relation) else { return Ok(()) };
        self.require(relation, &used.access, verb).map_err(|refusal| refusal.at(Some(used.tokens.start)))
    }

    /// Puts the target's name in sight.
    pub(super) fn bind_target(&mut self, place: usize, name: &ObjectName, alias: Option<&Alias>, scope: ScopeId) {
        let columns = self.relation_columns(place);
        let label = alias.map(|alias| &alias.name).or_else(|| name.object()).map(|name| name.value.clone());
        let schema = match alias {
            Some(_) => None,
            None => self
                .out
                .relations
                .get(place)
                .and_then(|used| self.world.snapshot.relation(used.relation))
                .map(|relation| relation.schema.clone()),
        };
        self.bind(
            scope,
            Binding {
                name: label.unwrap_or_default(),
                schema,
                kind: Kind::Target(place),
                columns,
                open: false,
                hidden: false,
            },
        );
    }

    /// `excluded` of ON CONFLICT: the row that was to be inserted, which the role wrote itself.
    fn bind_excluded(&mut self, place: usize, scope: ScopeId) {
        let columns = self.relation_columns(place);
        let binding =
            Binding { name: "excluded".into(), schema: None, kind: Kind::Query, columns, open: false, hidden: false };
        if let Some(scope) = self.scope_mut(scope) {
            scope.bindings.push(binding);
        }
    }

    fn assignments(&mut self, place: usize, assignments: &[SetClause], scope: ScopeId) -> Result<(), Refusal> {
        for clause in assignments {
            let names: Vec<Name> = clause.columns.iter().filter_map(|name| name.object().cloned()).collect();
            self.written_columns(place, &names, names.len())?;
            let mut sink = Sources::new();
            for value in &clause.values {
                self.expr(value, scope, &mut sink)?;
            }
        }
        Ok(())
    }

    /// Whether the role may write these columns; without names the first `width` of the table.
    pub(super) fn written_columns(&mut self, place: usize, names: &[Name], width: usize) -> Result<(), Refusal> {
        let Some(used) = self.out.relations.get(place) else { return Ok(()) };
        let Some(relation) = self.world.snapshot.relation(used.relation) else { return Ok(()) };
        let mut written = Vec::new();
        if names.is_empty() {
            written.extend((0..width.min(relation.columns.len())).map(|position| (position, None)));
        }
        for name in names {
            let position = relation.columns.iter().position(|column| self.world.same_name(&column.name, &name.value));
            let Some(position) = position else {
                return Err(Refusal::undefined_column(format!(
                    "column \"{}\" of relation \"{}\" does not exist",
                    name.value, relation.name
                ))
                .at(Some(name.token)));
            };
            written.push((position, Some(name.token)));
        }
        for (position, token) in &written {
            let (Some(column), Some(access)) = (relation.columns.get(*position), used.access.columns.get(*position))
            else {
                continue;
            };
            let state = match access.treatment {
                Treatment::Raw => continue,
                Treatment::Masked(_) if access.writable => continue,
                Treatment::Masked(_) => "masked",
                Treatment::Denied => "denied",
            };
            let full = format!("{}.{}.{}", relation.schema, relation.name, column.name);
            return Err(Refusal::forbidden(format!(
                "column `{full}` is {state} for role `{}` and may not be written",
                self.world.role
            ))
            .by(access.rule.as_ref())
            .at(token.or(Some(used.tokens.start))));
        }
        if let Some(used) = self.out.relations.get_mut(place) {
            for (position, _) in written {
                if let Some(flag) = used.used.get_mut(position) {
                    *flag = true;
                }
            }
        }
        Ok(())
    }

    fn filter_target(&mut self, place: usize, item: &Relation, condition: Option<Tokens>, filter_at: u32) {
        let filtered = self.out.relations.get(place).is_some_and(|used| !used.access.filters.is_empty());
        if !filtered {
            return;
        }
        let name = item.alias.as_ref().map(|alias| &alias.name).or_else(|| item.name.object());
        self.out.target_filters.push(TargetFilter {
            place,
            qualifier: name.map(|name| name.value.clone()).unwrap_or_default(),
            missing: condition.is_none(),
            condition: condition.unwrap_or(filter_at..filter_at),
        });
    }
}
