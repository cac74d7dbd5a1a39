//! MySQL's UPDATE and DELETE of joined tables.
//!
//! The tables that are written stand as themselves, all others as the role sees them. Filters of the tables that are
//! written go into WHERE; so nothing that could fail or observe may be evaluated before it, and no such table may stand
//! where an outer join makes rows for what it lacks.

use super::binder::Binder;
use super::query::Output;
use super::refusal::Refusal;
use super::resolved::FilteredTarget;
use super::scope::ScopeId;
use super::target::label_of;
use crate::policy::Verb;
use crate::sql::ast::{Delete, Expr, Name, ObjectName, Relation, SetClause, TableRef, Update};

/// The tables that are written, while their FROM is walked.
#[derive(Debug, Default)]
pub(super) struct JoinedWrite {
    /// First token of the entry's name, and what is done with it.
    entries: Vec<(u32, Verb)>,
    /// What they became.
    targets: Vec<(u32, FilteredTarget)>,
    /// How many outer joins around here may lack a row of the side that is walked.
    empty_sides: usize,
    /// The first condition of a join that could fail or observe.
    telling: Option<u32>,
    /// Where their names are in sight.
    scope: Option<ScopeId>,
}

impl Binder<'_> {
    pub(super) fn update_joined(&mut self, update: &Update, scope: ScopeId) -> Result<Output, Refusal> {
        let entries = relations_of(std::slice::from_ref(&update.target));
        let mut written = Vec::new();
        for clause in &update.assignments {
            written.push(self.entry_of_column(clause, &entries, scope)?);
        }
        let inner = self.walk_written(&written, Verb::Update, std::slice::from_ref(&update.target), scope)?;
        for entry in &entries {
            let start = entry.name.tokens.start;
            let Some(target) = self.target_of(start) else { continue };
            let own = update.assignments.iter().zip(&written).filter(|(_, written)| **written == start);
            let own: Vec<SetClause> = own.map(|(clause, _)| clause.clone()).collect();
            self.refuse_ignore(update.ignore, target.place, start)?;
            self.assignments(target.place, &own, &target.qualifier, inner)?;
        }
        self.filter_joined(update.filter.as_ref(), update.filter_at, inner)?;
        self.exprs(&update.order_by, inner)?;
        self.exprs(&update.limit, inner)?;
        Ok(Output::default())
    }

    pub(super) fn delete_joined(&mut self, delete: &Delete, scope: ScopeId) -> Result<Output, Refusal> {
        let entries = relations_of(&delete.using);
        let mut written = Vec::new();
        for target in &delete.targets {
            let named = entries.iter().filter(|entry| self.names_entry(&target.name.parts, entry));
            let named: Vec<_> = named.map(|entry| entry.name.tokens.start).collect();
            let [only] = named.as_slice() else {
                return Err(unclear(&target.name, named.is_empty()));
            };
            written.push(*only);
        }
        let inner = self.walk_written(&written, Verb::Delete, &delete.using, scope)?;
        self.filter_joined(delete.filter.as_ref(), delete.filter_at, inner)?;
        Ok(Output::default())
    }

    /// Binds the entries, those that are written as targets.
    fn walk_written(
        &mut self,
        written: &[u32],
        verb: Verb,
        tables: &[TableRef],
        scope: ScopeId,
    ) -> Result<ScopeId, Refusal> {
        let inner = self.push_scope(Some(scope));
        self.written.scope = Some(inner);
        self.written.entries = written.iter().map(|start| (*start, verb)).collect();
        for table in tables {
            self.table_ref(table, inner)?;
        }
        self.written.entries.clear();
        Ok(inner)
    }

    fn filter_joined(&mut self, condition: Option<&Expr>, filter_at: u32, scope: ScopeId) -> Result<(), Refusal> {
        let targets: Vec<_> = std::mem::take(&mut self.written.targets).into_iter().map(|(_, target)| target).collect();
        if let Some(telling) = self.written.telling
            && targets.iter().any(|target| self.is_filtered(target.place))
        {
            return Err(Refusal::unsupported("this condition of a join may not be evaluated for all rows")
                .because("a table with a row filter is written")
                .advise("compare plain columns in `ON` and put everything else into `WHERE`")
                .at(Some(telling)));
        }
        self.filter_targets(targets, condition, filter_at, scope)
    }

    fn target_of(&self, start: u32) -> Option<FilteredTarget> {
        self.written.targets.iter().find(|(token, _)| *token == start).map(|(_, target)| target.clone())
    }

    /// What is done with an entry of FROM that is written.
    pub(super) fn written_verb(&self, item: &Relation) -> Option<Verb> {
        let start = item.name.tokens.start;
        self.written.entries.iter().find(|(token, _)| *token == start).map(|(_, verb)| *verb)
    }

    /// An entry of FROM that is written.
    pub(super) fn written_item(&mut self, item: &Relation, verb: Verb, scope: ScopeId) -> Result<(), Refusal> {
        let place = self.target(item, verb)?;
        let protected = self.out.relations.get(place).is_some_and(|used| !used.access.is_plain());
        if protected && self.written.empty_sides > 0 {
            return Err(Refusal::unsupported("this side of an outer join may not be written")
                .because("the table is protected, and rows that it lacks would not be seen as NULL")
                .at(Some(item.tokens.start)));
        }
        if let Some(sample) = &item.sample {
            return Err(Refusal::unsupported("rows of the past may not be written").at(Some(sample.tokens.start)));
        }
        self.bind_target(place, &item.name, item.alias.as_ref(), scope);
        let target = FilteredTarget { place, qualifier: label_of(item) };
        self.written.targets.push((item.name.tokens.start, target));
        Ok(())
    }

    /// A side of a join; `may_lack`: the join makes rows of NULLs for it.
    pub(super) fn joined_side(&mut self, side: &TableRef, may_lack: bool, scope: ScopeId) -> Result<(), Refusal> {
        self.written.empty_sides += usize::from(may_lack);
        let result = self.table_ref(side, scope);
        self.written.empty_sides -= usize::from(may_lack);
        result
    }

    /// ON.
    pub(super) fn join_condition(&mut self, condition: &Expr, scope: ScopeId) -> Result<bool, Refusal> {
        let harmless = self.predicate(condition, scope)?;
        if !harmless && self.written.scope == Some(scope) && !self.written.targets.is_empty() {
            self.written.telling.get_or_insert(condition.tokens.start);
        }
        Ok(harmless)
    }

    /// A join by name compares columns of a protected target as they are, those too that the role does not see.
    pub(super) fn refuse_merging(&self, scope: ScopeId, token: Option<u32>) -> Result<(), Refusal> {
        let protected =
            |target: &FilteredTarget| self.out.relations.get(target.place).is_some_and(|used| !used.access.is_plain());
        if self.written.scope == Some(scope) && self.written.targets.iter().any(|(_, target)| protected(target)) {
            return Err(Refusal::unsupported("a join by name with a protected table that is written is not allowed")
                .advise("write the condition behind `ON`")
                .at(token));
        }
        Ok(())
    }

    /// Errors become warnings under IGNORE, those too that keep rows out which a filter would hide.
    pub(super) fn refuse_ignore(&self, ignore: bool, place: usize, token: u32) -> Result<(), Refusal> {
        if ignore && self.is_filtered(place) {
            return Err(Refusal::unsupported("`IGNORE` is not allowed where a table with a row filter is written")
                .because("rows that the filter hides would be written instead of being refused")
                .at(Some(token)));
        }
        Ok(())
    }

    /// The entry that an assigned column belongs to: its first token.
    fn entry_of_column(&self, clause: &SetClause, entries: &[&Relation], scope: ScopeId) -> Result<u32, Refusal> {
        let [column] = clause.columns.as_slice() else {
            return Err(Refusal::unsupported("an assignment to several columns is not allowed here"));
        };
        let Some((name, qualifiers)) = column.parts.split_last() else { return Err(unclear(column, true)) };
        let found = entries.iter().filter(|entry| {
            if qualifiers.is_empty() {
                self.has_column(entry, name, scope)
            } else {
                self.names_entry(qualifiers, entry)
            }
        });
        let found: Vec<_> = found.map(|entry| entry.name.tokens.start).collect();
        let [only] = found.as_slice() else { return Err(unclear(column, found.is_empty())) };
        Ok(*only)
    }

    fn has_column(&self, entry: &Relation, column: &Name, scope: ScopeId) -> bool {
        self.common_table(entry, scope).is_none()
            && self.relation(&entry.name).is_ok_and(|relation| {
                relation.columns.iter().any(|known| self.world.same_name(&known.name, &column.value))
            })
    }

    /// Whether a name, qualified or not, can mean this entry of FROM.
    fn names_entry(&self, name: &[Name], entry: &Relation) -> bool {
        let label = label_of(entry);
        match name {
            [table] => self.world.same_name(&table.value, &label),
            [schema, table] => {
                entry.alias.is_none()
                    && self.world.same_name(&table.value, &label)
                    && self
                        .relation(&entry.name)
                        .is_ok_and(|relation| self.world.same_name(&relation.schema, &schema.value))
            }
            _ => false,
        }
    }
}

/// The relations named directly in FROM.
fn relations_of(tables: &[TableRef]) -> Vec<&Relation> {
    let mut found = Vec::new();
    let mut waiting: Vec<&TableRef> = tables.iter().rev().collect();
    while let Some(table) = waiting.pop() {
        match table {
            TableRef::Relation(relation) => found.push(relation),
            TableRef::Join(join) => waiting.extend([&join.right, &join.left]),
            TableRef::List(list) => waiting.extend(list.iter().rev()),
            TableRef::Derived { .. } | TableRef::Function(_) => {}
        }
    }
    found
}

fn unclear(name: &ObjectName, unknown: bool) -> Refusal {
    let written = name.object().map(|name| name.value.to_string()).unwrap_or_default();
    let at = Some(name.tokens.start);
    if unknown {
        return Refusal::undefined_table(format!("`{written}` belongs to no table that can be written here")).at(at);
    }
    Refusal::unsupported(format!("`{written}` can mean several tables here"))
        .advise("name the table by an alias")
        .at(at)
}
