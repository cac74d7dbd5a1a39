//! The table that a statement writes: its name in sight, the columns written, what is read back of it.

use super::binder::Binder;
use super::refusal::Refusal;
use super::resolved::{Appearance, FilteredTarget, NewRow, TargetColumn, TargetFilter};
use super::scope::{Binding, Kind, ScopeId};
use crate::catalog::RelationKind;
use crate::policy::{Treatment, Verb};
use crate::sql::Engine;
use crate::sql::ast::{Alias, Expr, ExprKind, Name, ObjectName, Relation, SetClause, Tokens};

impl Binder<'_> {
    /// The relation that a statement writes.
    pub(super) fn target(&mut self, item: &Relation, verb: Verb) -> Result<usize, Refusal> {
        let relation = self.relation(&item.name)?;
        if self.world.is_system_schema(&relation.schema) {
            return Err(Refusal::forbidden(format!("`{}.{}` may not be written", relation.schema, relation.name))
                .at(Some(item.tokens.start)));
        }
        let place = self.note_use(relation, &item.name, verb, item.tokens.clone())?;
        if relation.kind == RelationKind::View {
            // What it would write is decided by the view's owner, by rules of the tables behind it not at all.
            return Err(Refusal::unsupported(format!(
                "view `{}.{}` may not be written",
                relation.schema, relation.name
            ))
            .because("rows are written to tables, by the rules for them")
            .advise("write the table that the view shows")
            .at(Some(item.tokens.start)));
        }
        if let Some(used) = self.out.relations.get_mut(place) {
            used.appearance = Appearance::Target;
            used.only = item.only;
        }
        self.check_keys(place, verb, &[])?;
        Ok(place)
    }

    pub(super) fn require_also(&self, place: usize, verb: Verb) -> Result<(), Refusal> {
        let Some(used) = self.out.relations.get(place) else { return Ok(()) };
        let Some(relation) = self.world.snapshot.relation(used.relation) else { return Ok(()) };
        self.require(relation, &used.access, verb).map_err(|refusal| refusal.at(Some(used.tokens.start)))?;
        self.check_keys(place, verb, &[])
    }

    /// Puts the target's name in sight.
    pub(super) fn bind_target(&mut self, place: usize, name: &ObjectName, alias: Option<&Alias>, scope: ScopeId) {
        let columns = self.relation_columns(place);
        let label = alias.map(|alias| &alias.name).or_else(|| name.object()).map(|name| name.value.clone());
        let used = self.out.relations.get(place);
        let relation = used.and_then(|used| self.world.snapshot.relation(used.relation));
        let schema = relation.filter(|_| alias.is_none()).map(|relation| relation.schema.clone());
        let name = label.unwrap_or_default();
        self.bind(scope, Binding { name, schema, kind: Kind::Target(place), columns, open: false, hidden: false });
    }

    /// `excluded` of ON CONFLICT: the row that was to be inserted, which the role wrote itself.
    pub(super) fn bind_excluded(&mut self, place: usize, scope: ScopeId) {
        let columns = self.relation_columns(place);
        let name = "excluded".into();
        let binding = Binding { name, schema: None, kind: Kind::Query, columns, open: false, hidden: false };
        if let Some(scope) = self.scope_mut(scope) {
            scope.bindings.push(binding);
        }
    }

    /// `*` in RETURNING: the target's columns are written out with their masks.
    pub(super) fn star_of_target(&mut self, scope: ScopeId, token: u32) -> Result<(), Refusal> {
        let Some(names) = self.scope(scope) else { return Ok(()) };
        let target = names.bindings.iter().position(|binding| matches!(binding.kind, Kind::Target(_)));
        let Some(target) = target else { return Ok(()) };
        let alone = names.bindings.iter().filter(|binding| !binding.hidden).count() == 1;
        if self.expand_target_star(scope, target, token..token + 1) && !alone {
            return Err(Refusal::unsupported("`*` over a protected table that is written and others is not allowed")
                .advise("name the columns, or write `table.*`")
                .at(Some(token)));
        }
        Ok(())
    }

    /// Whether a star stands for columns of a protected target; then it is written out.
    pub(super) fn expand_target_star(&mut self, scope: ScopeId, position: usize, tokens: Tokens) -> bool {
        let Some(binding) = self.binding(scope, position) else { return false };
        let (Kind::Target(place), qualifier) = (binding.kind, binding.name.clone()) else { return false };
        let protected = self.out.relations.get(place).is_some_and(|used| !used.access.is_plain());
        if protected {
            self.out.target_columns.push(TargetColumn { tokens, place, column: None, qualifier, label: true });
        }
        protected
    }

    /// SET: the columns must be writable; values that a filter reads are checked when the row is made.
    pub(super) fn assignments(
        &mut self,
        place: usize,
        assignments: &[SetClause],
        qualifier: &str,
        scope: ScopeId,
    ) -> Result<(), Refusal> {
        let mut values = Vec::new();
        for clause in assignments {
            let names: Vec<Name> = clause.columns.iter().filter_map(|name| name.object().cloned()).collect();
            let written = self.written_columns(place, &names, names.len())?;
            self.check_keys(place, Verb::Update, &written)?;
            self.exprs(&clause.values, scope)?;
            match (written.as_slice(), clause.values.as_slice()) {
                ([column], [value]) => values.push((*column, value)),
                (columns, _) => self.refuse_filter_columns(place, columns, clause.columns.first())?,
            }
        }
        self.check_values(place, Some(qualifier), &values)
    }

    fn refuse_filter_columns(&self, place: usize, columns: &[usize], name: Option<&ObjectName>) -> Result<(), Refusal> {
        let read = self.filter_columns(place);
        if columns.iter().any(|column| read.contains(column)) {
            return Err(Refusal::unsupported("a column that a row filter reads must be set on its own")
                .advise("write `column = value`")
                .at(name.map(|name| name.tokens.start)));
        }
        Ok(())
    }

    pub(super) fn filter_columns(&self, place: usize) -> Vec<usize> {
        let Some(used) = self.out.relations.get(place).filter(|used| !used.access.filters.is_empty()) else {
            return Vec::new();
        };
        let relation = self.world.snapshot.relation(used.relation);
        relation.map(|relation| self.world.rules.filter_columns(relation)).unwrap_or_default()
    }

    /// Notes that a row gets these values, where a filter of its table reads one of them.
    pub(super) fn check_values(
        &mut self,
        place: usize,
        qualifier: Option<&str>,
        values: &[(usize, &Expr)],
    ) -> Result<(), Refusal> {
        let read = self.filter_columns(place);
        let concerned: Vec<&(usize, &Expr)> = values.iter().filter(|(column, _)| read.contains(column)).collect();
        let filtered = self.out.relations.get(place).is_some_and(|used| !used.access.filters.is_empty());
        let missing = qualifier.is_none() && read.iter().any(|column| !values.iter().any(|(given, _)| given == column));
        if filtered && missing {
            return Err(self.refuse_new_row(place, "every column that the filter reads must be given"));
        }
        if concerned.is_empty() {
            return Ok(());
        }
        self.refuse_lenient(place)?;
        if let Some((_, value)) = concerned.iter().find(|(_, value)| !is_constant(value)) {
            return Err(self
                .refuse_new_row(place, "a value that the filter reads must be a constant or a parameter")
                .at(Some(value.tokens.start)));
        }
        let values = concerned.into_iter().map(|(column, value)| (*column, value.tokens.clone())).collect();
        let qualifier = qualifier.map(Into::into);
        self.out.new_rows.push(NewRow { place, qualifier, values, source: None, untyped: Vec::new() });
        Ok(())
    }

    /// MySQL changes values until they fit, unless its mode is strict; what is stored is then not what was checked.
    pub(super) fn refuse_lenient(&self, place: usize) -> Result<(), Refusal> {
        if self.world.engine() == Engine::MySql && self.world.sql_mode.lenient {
            return Err(self.refuse_new_row(place, "`sql_mode` must have `STRICT_TRANS_TABLES`"));
        }
        Ok(())
    }

    pub(super) fn refuse_new_row(&self, place: usize, why: &str) -> Refusal {
        let used = self.out.relations.get(place);
        let rule = used.and_then(|used| used.access.filters.first()).map(|filter| &filter.rule);
        Refusal::forbidden(format!("this row may not be written by role `{}`: {why}", self.world.role)).by(rule)
    }

    /// Whether the role may write these columns; without names the first `width` of those it sees. Their positions.
    pub(super) fn written_columns(
        &mut self,
        place: usize,
        names: &[Name],
        width: usize,
    ) -> Result<Vec<usize>, Refusal> {
        let Some(used) = self.out.relations.get(place) else { return Ok(Vec::new()) };
        let Some(relation) = self.world.snapshot.relation(used.relation) else { return Ok(Vec::new()) };
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
        let positions: Vec<usize> = written.into_iter().map(|(position, _)| position).collect();
        if let Some(used) = self.out.relations.get_mut(place) {
            for position in &positions {
                if let Some(flag) = used.used.get_mut(*position) {
                    *flag = true;
                }
            }
        }
        Ok(positions)
    }

    /// Whether some rows of a relation are hidden from the role.
    pub(super) fn is_filtered(&self, place: usize) -> bool {
        self.out.relations.get(place).is_some_and(|used| !used.access.filters.is_empty())
    }

    /// Resolves the condition of a write and notes where the target's filters go.
    pub(super) fn filter_target(
        &mut self,
        place: usize,
        qualifier: &str,
        condition: Option<&Expr>,
        filter_at: u32,
        scope: ScopeId,
    ) -> Result<(), Refusal> {
        let targets = vec![FilteredTarget { place, qualifier: qualifier.into() }];
        self.filter_targets(targets, condition, filter_at, scope)
    }

    /// The same for several targets.
    pub(super) fn filter_targets(
        &mut self,
        mut targets: Vec<FilteredTarget>,
        condition: Option<&Expr>,
        filter_at: u32,
        scope: ScopeId,
    ) -> Result<(), Refusal> {
        let harmless = match condition {
            Some(condition) => self.predicate(condition, scope)?,
            None => true,
        };
        targets.retain(|target| self.is_filtered(target.place));
        if !targets.is_empty() {
            self.out.target_filters.push(TargetFilter {
                targets,
                missing: condition.is_none(),
                condition: condition.map_or(filter_at..filter_at, |condition| condition.tokens.clone()),
                harmless,
            });
        }
        Ok(())
    }
}

/// What a relation goes by in its statement.
pub(super) fn label_of(item: &Relation) -> Box<str> {
    let name = item.alias.as_ref().map(|alias| &alias.name).or_else(|| item.name.object());
    name.map(|name| name.value.clone()).unwrap_or_default()
}

/// Whether a value's own tokens can stand a second time in the text: nothing in them is replaced or run twice.
fn is_constant(value: &Expr) -> bool {
    match &value.kind {
        ExprKind::Cast { operand, .. } => is_constant(operand),
        other => matches!(other, ExprKind::Literal(_) | ExprKind::Parameter),
    }
}
