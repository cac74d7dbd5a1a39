//! What a column name means.

use std::rc::Rc;

use super::binder::{Binder, Sources};
use super::refusal::{AMBIGUOUS_COLUMN, Refusal};
use super::resolved::{Reference, Source, TargetColumn};
use super::scope::{Binding, BoundColumn, Kind, ScopeId};
use crate::policy::Treatment;
use crate::sql::Engine;
use crate::sql::ast::{Name, ObjectName, Tokens};

/// What a walk over an expression tells about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Nature {
    /// One column, unchanged.
    pub direct: bool,
    /// Evaluating it can neither fail nor show more than its value.
    pub harmless: bool,
}

impl Nature {
    /// Something computed that cannot fail.
    pub const HARMLESS: Self = Self { direct: false, harmless: true };
    /// Anything else.
    pub const COMPUTED: Self = Self { direct: false, harmless: false };
}

/// Columns that tables have beside those of their definition (PostgreSQL manual, "System Columns").
const SYSTEM_COLUMNS: &[&str] = &["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"];

/// Where a name was found.
enum Found {
    /// A column: scope, binding, column.
    Column(ScopeId, Vec<(usize, usize)>),
    /// A label of the select list.
    Label(BoundColumn),
    /// Perhaps a column of a function whose columns are not known.
    Open,
    /// A system column of a table.
    System(usize, &'static str),
}

impl Binder<'_> {
    /// Resolves a column reference.
    pub(super) fn column(&mut self, name: &ObjectName, scope: ScopeId, sink: &mut Sources) -> Result<Nature, Refusal> {
        match name.parts.as_slice() {
            [column] => self.bare_column(column, name, scope, sink),
            [.., table, column] => self.qualified_column(name, table, column, scope, sink),
            [] => Err(Refusal::unsupported("a name is missing")),
        }
    }

    fn bare_column(
        &mut self,
        column: &Name,
        name: &ObjectName,
        scope: ScopeId,
        sink: &mut Sources,
    ) -> Result<Nature, Refusal> {
        match self.find_bare(column, scope)? {
            Some(Found::Column(scope, at)) => Ok(self.use_columns(scope, &at, name, sink)),
            Some(Found::Label(label)) => {
                self.mark(&label.sources, sink);
                Ok(Nature { direct: label.direct, harmless: label.harmless })
            }
            Some(Found::Open) => {
                // It may be no column of the function but one further out.
                let around: Vec<ScopeId> = self.outward(Some(scope)).map(|(id, _)| id).collect();
                self.refuse_of_target(&around, column)?;
                for id in around {
                    self.keep_whole(id, 0);
                }
                Ok(Nature::COMPUTED)
            }
            Some(Found::System(place, system)) => {
                self.use_system_column(place, system);
                Ok(Nature::COMPUTED)
            }
            None if self.world.engine() == Engine::Postgres => self.whole_row(column, name, scope, sink),
            None => Err(self.unknown_column(None, column, scope)),
        }
    }

    /// A name that may be a function's column or else a written table's, or its row: that would be the raw one.
    fn refuse_of_target(&self, around: &[ScopeId], column: &Name) -> Result<(), Refusal> {
        let bindings = around.iter().filter_map(|id| self.scope(*id)).flat_map(|scope| &scope.bindings);
        for binding in bindings {
            let Kind::Target(place) = binding.kind else { continue };
            let Some(used) = self.out.relations.get(place).filter(|used| !used.access.is_plain()) else { continue };
            let columns = self.world.snapshot.relation(used.relation).map(|relation| &*relation.columns);
            let same = |name: &str| self.world.same_name(name, &column.value);
            let is_system = SYSTEM_COLUMNS.iter().any(|name| same(name));
            if is_system || same(&binding.name) || columns.unwrap_or_default().iter().any(|column| same(&column.name)) {
                return Err(Refusal::unsupported(format!(
                    "`{}` may be of a protected table that is written",
                    column.value
                ))
                .advise("put the function's alias or the table's name before it")
                .at(Some(column.token)));
            }
        }
        Ok(())
    }

    fn find_bare(&self, column: &Name, from: ScopeId) -> Result<Option<Found>, Refusal> {
        for (id, scope) in self.outward(Some(from)) {
            let mut matches = scope
                .visible
                .iter()
                .skip(scope.first_visible)
                .filter(|visible| self.world.same_name(&visible.name, &column.value));
            if let Some(found) = matches.next() {
                if matches.next().is_some() {
                    // MySQL lets HAVING, GROUP BY and ORDER BY name a label that hides the ambiguity.
                    if let Some(label) = self.label(id, &column.value) {
                        return Ok(Some(Found::Label(label)));
                    }
                    let message = format!("column reference \"{}\" is ambiguous", column.value);
                    return Err(Refusal::with_state(AMBIGUOUS_COLUMN, message).at(Some(column.token)));
                }
                return Ok(Some(Found::Column(id, found.at.clone())));
            }
            if let Some(label) = self.label(id, &column.value) {
                return Ok(Some(Found::Label(label)));
            }
            if let Some((place, system)) = self.system_column(id, column) {
                return Ok(Some(Found::System(place, system)));
            }
            let open = scope.bindings.iter().skip(scope.first_binding).any(|b| b.open && !b.hidden);
            if open && self.names_no_function(&column.value) {
                return Ok(Some(Found::Open));
            }
        }
        Ok(None)
    }

    fn label(&self, scope: ScopeId, name: &str) -> Option<BoundColumn> {
        let labels = &self.scope(scope)?.labels;
        labels.iter().find(|label| self.world.same_name(&label.name, name)).cloned()
    }

    /// The system column that a name means, of a table in sight that is shown as the server has it.
    fn system_column(&self, scope: ScopeId, column: &Name) -> Option<(usize, &'static str)> {
        self.scope(scope)?.bindings.iter().find_map(|binding| self.system_column_of(binding, column))
    }

    fn system_column_of(&self, binding: &Binding, column: &Name) -> Option<(usize, &'static str)> {
        let system = SYSTEM_COLUMNS.iter().find(|system| **system == &*column.value)?;
        match binding.kind {
            Kind::Relation(place) if self.world.engine() == Engine::Postgres => {
                self.out.relations.get(place).filter(|used| used.access.is_plain()).map(|_| (place, *system))
            }
            Kind::Relation(_) | Kind::Target(_) | Kind::Query | Kind::Function => None,
        }
    }

    fn use_system_column(&mut self, place: usize, system: &'static str) {
        if let Some(used) = self.out.relations.get_mut(place).filter(|used| !used.system_columns.contains(&system)) {
            used.system_columns.push(system);
        }
    }

    /// The binding that a qualifier means, innermost first.
    pub(super) fn find_binding(&self, qualifiers: &[Name], from: ScopeId) -> Option<(ScopeId, usize)> {
        let (table, schema) = match qualifiers {
            [table] => (table, None),
            [.., schema, table] => (table, Some(schema)),
            [] => return None,
        };
        for (id, scope) in self.outward(Some(from)) {
            let position = scope.bindings.iter().enumerate().skip(scope.first_binding).find(|(_, binding)| {
                !binding.hidden
                    && self.world.same_name(&binding.name, &table.value)
                    && schema.is_none_or(|schema| binding.schema.as_deref() == Some(&*schema.value))
            });
            if let Some((position, _)) = position {
                return Some((id, position));
            }
        }
        None
    }

    pub(super) fn binding(&self, scope: ScopeId, position: usize) -> Option<&Binding> {
        self.scope(scope)?.bindings.get(position)
    }

    fn qualified_column(
        &mut self,
        name: &ObjectName,
        table: &Name,
        column: &Name,
        scope: ScopeId,
        sink: &mut Sources,
    ) -> Result<Nature, Refusal> {
        let qualifiers = name.parts.get(..name.parts.len() - 1).unwrap_or_default();
        let Some((found, position)) = self.find_binding(qualifiers, scope) else {
            // PostgreSQL reads no field of a column without parentheses.
            return Err(Refusal::undefined_table(format!("missing FROM-clause entry for table \"{}\"", table.value))
                .at(name.parts.first().map(|part| part.token)));
        };
        self.cut_schema(name, table, (found, position));
        let Some(binding) = self.binding(found, position) else { return Ok(Nature::COMPUTED) };
        let at = binding.columns.iter().position(|c| self.world.same_name(&c.name, &column.value));
        if let Some(at) = at {
            return Ok(self.use_columns(found, &[(position, at)], name, sink));
        }
        if let Some((place, system)) = self.system_column_of(binding, column) {
            self.use_system_column(place, system);
            return Ok(Nature::COMPUTED);
        }
        if binding.open && self.names_no_function(&column.value) {
            return Ok(Nature::COMPUTED);
        }
        Err(self.unknown_column(Some(table), column, scope))
    }

    /// Leaves out the schema before a table's name: what stands in the table's place has no schema. The target of a write
    /// stands by its full name, and references to it are replaced whole.
    pub(super) fn cut_schema(&mut self, name: &ObjectName, table: &Name, (scope, position): (ScopeId, usize)) {
        if self.binding(scope, position).is_some_and(|binding| matches!(binding.kind, Kind::Target(_))) {
            return;
        }
        if let Some(first) = name.parts.first().filter(|first| first.token != table.token) {
            self.edit(first.token..table.token, "");
        }
    }

    fn use_columns(&mut self, scope: ScopeId, at: &[(usize, usize)], name: &ObjectName, sink: &mut Sources) -> Nature {
        let mut nature = Nature { direct: at.len() == 1, harmless: true };
        for (position, column) in at {
            let Some((kind, qualifier, bound)) = self
                .binding(scope, *position)
                .and_then(|binding| Some((binding.kind, binding.name.clone(), binding.columns.get(*column)?.clone())))
            else {
                continue;
            };
            self.mark(&bound.sources, sink);
            nature.direct &= bound.direct;
            nature.harmless &= bound.harmless;
            match kind {
                Kind::Target(place) => {
                    let column = bound.sources.first().map(|source| source.column);
                    let tokens = name.tokens.clone();
                    self.refer_to_target(TargetColumn { tokens, place, column, qualifier, label: false });
                }
                Kind::Relation(_) => {
                    if let Some(source) = bound.sources.first() {
                        let tokens = name.tokens.clone();
                        self.out.references.push(Reference { tokens, source: *source });
                    }
                    if let Some(scope) = self.scope_mut(scope) {
                        scope.referred.push((*position, *column));
                    }
                }
                Kind::Query | Kind::Function => {}
            }
        }
        nature
    }

    pub(super) fn refer_to_target(&mut self, column: TargetColumn) {
        if self.out.relations.get(column.place).is_some_and(|used| !used.access.is_plain()) {
            self.out.target_columns.push(column);
        }
    }

    /// A name that is no column: PostgreSQL then takes it for a row of the table of that name.
    fn whole_row(
        &mut self,
        column: &Name,
        name: &ObjectName,
        scope: ScopeId,
        sink: &mut Sources,
    ) -> Result<Nature, Refusal> {
        let Some((found, position)) = self.find_binding(std::slice::from_ref(column), scope) else {
            return Err(self.unknown_column(None, column, scope));
        };
        self.use_row(found, position, &name.tokens, sink)?;
        Ok(Nature::COMPUTED)
    }

    /// Every column of a binding is used.
    pub(super) fn use_all(&mut self, scope: ScopeId, position: usize, sink: &mut Sources) {
        let Some(binding) = self.binding(scope, position) else { return };
        let columns = Rc::clone(&binding.columns);
        for column in columns.iter() {
            self.mark(&column.sources, sink);
        }
        if let Some(scope) = self.scope_mut(scope) {
            scope.referred.extend((0..columns.len()).map(|column| (position, column)));
        }
    }

    /// A row as a value: of a protected table that is written it would be the raw one.
    pub(super) fn use_row(
        &mut self,
        scope: ScopeId,
        position: usize,
        tokens: &Tokens,
        sink: &mut Sources,
    ) -> Result<(), Refusal> {
        let kind = self.binding(scope, position).map(|binding| binding.kind);
        if let Some(Kind::Target(place)) = kind
            && self.out.relations.get(place).is_some_and(|used| !used.access.is_plain())
        {
            return Err(Refusal::unsupported("a whole row of a protected table that is written is not allowed")
                .advise("name the columns")
                .at(Some(tokens.start)));
        }
        self.use_all(scope, position, sink);
        Ok(())
    }

    /// Whether a name may be read as a field without becoming the call of a function that is not allowed:
    /// PostgreSQL reads `x.f` as `f(x)` when `x` has no field `f`.
    pub(super) fn names_no_function(&self, name: &str) -> bool {
        self.world.engine() == Engine::MySql
            || self.world.snapshot.functions(name).iter().all(|function| self.is_allowed_function(function))
    }

    fn unknown_column(&self, table: Option<&Name>, column: &Name, scope: ScopeId) -> Refusal {
        if let Some(refusal) = self.denied_column(table, column, scope) {
            return refusal.at(Some(column.token));
        }
        let message = match table {
            Some(table) => format!("column {}.{} does not exist", table.value, column.value),
            None => format!("column \"{}\" does not exist", column.value),
        };
        Refusal::undefined_column(message).at(Some(column.token))
    }

    /// The refusal of a column that exists but must not be seen.
    fn denied_column(&self, table: Option<&Name>, column: &Name, scope: ScopeId) -> Option<Refusal> {
        for (_, scope) in self.outward(Some(scope)) {
            for binding in &scope.bindings {
                let (Kind::Relation(place) | Kind::Target(place)) = binding.kind else { continue };
                if table.is_some_and(|table| !self.world.same_name(&binding.name, &table.value)) {
                    continue;
                }
                let used = self.out.relations.get(place)?;
                let relation = self.world.snapshot.relation(used.relation)?;
                let position = relation.columns.iter().position(|c| self.world.same_name(&c.name, &column.value));
                let access = position.and_then(|position| used.access.columns.get(position));
                if let Some(access) = access.filter(|access| access.treatment == Treatment::Denied) {
                    let full = format!("{}.{}.{}", relation.schema, relation.name, column.value);
                    let message = format!("column `{full}` is denied to role `{}`", self.world.role);
                    return Some(Refusal::forbidden(message).by(access.rule.as_ref()));
                }
                if SYSTEM_COLUMNS.contains(&&*column.value) && self.world.engine() == Engine::Postgres {
                    let table = format!("{}.{}", relation.schema, relation.name);
                    return Some(
                        Refusal::unsupported(format!("system column `{}` of `{table}` is not served", column.value))
                            .because(format!("the table is protected for role `{}`", self.world.role)),
                    );
                }
            }
        }
        None
    }

    /// A reference to a column of a relation by its position.
    pub(super) fn source(place: usize, column: usize) -> Rc<[Source]> {
        Rc::from([Source { place, column }])
    }
}
