//! One SELECT: FROM, the select list, grouping.

use std::fmt::Write;

use super::binder::{Binder, Sources};
use super::query::Output;
use super::refusal::Refusal;
use super::resolved::{Appearance, OutputColumn};
use super::scope::{Kind, ScopeId};
use crate::catalog::{RelationKind, TypeClass};
use crate::policy::Treatment;
use crate::sql::ast::{Expr, ExprKind, Name, Select, SelectItem};
use crate::sql::mysql::naming;
use crate::sql::{Engine, Token};

impl Binder<'_> {
    pub(super) fn select(&mut self, select: &Select, scope: ScopeId) -> Result<Output, Refusal> {
        self.select_into(select)?;
        for item in &select.from {
            self.table_ref(item, scope)?;
        }
        if let Some(filter) = &select.filter {
            self.predicate(filter, scope)?;
        }
        // Only what the select list and the clauses behind grouping refer to has to be grouped.
        if let Some(scope) = self.scope_mut(scope) {
            scope.referred.clear();
        }
        let output = self.items(&select.items, scope)?;
        self.order_by(&select.distinct_on, scope, &output)?;
        let referred = self.scope(scope).map(|scope| scope.referred.clone()).unwrap_or_default();
        self.set_labels(scope, &output);
        self.exprs(&select.group_by, scope)?;
        if self.world.engine() == Engine::Postgres {
            self.set_labels(scope, &Output::default());
        }
        if let Some(scope) = self.scope_mut(scope) {
            scope.referred = referred;
        }
        if let Some(having) = &select.having {
            self.predicate(having, scope)?;
        }
        self.exprs(&select.windows, scope)?;
        self.set_labels(scope, &Output::default());
        self.complete_grouping(select, scope);
        Ok(output)
    }

    pub(super) fn items(&mut self, items: &[SelectItem], scope: ScopeId) -> Result<Output, Refusal> {
        let mut output = Output::default();
        for item in items {
            match item {
                SelectItem::Expr { expr, alias } => {
                    let column = self.item(expr, alias.as_ref(), scope)?;
                    output.columns.push(column);
                }
                SelectItem::Star { token } => {
                    self.star_of_target(scope, *token)?;
                    let all = self.star(scope, &mut Sources::new());
                    output.open |= all.open;
                    output.columns.extend(all.columns);
                }
                SelectItem::QualifiedStar { qualifier, token } => {
                    let Some((found, position)) = self.find_binding(&qualifier.parts, scope) else {
                        return Err(Self::unknown_qualifier(qualifier));
                    };
                    let tokens = qualifier.tokens.start..*token + 1;
                    if !self.expand_target_star(found, position, tokens.clone())
                        && let Some(table) = qualifier.object()
                    {
                        self.cut_schema(qualifier, table, (found, position));
                    }
                    self.use_all(found, position, &mut Sources::new());
                    let Some(binding) = self.binding(found, position) else { continue };
                    output.open |= binding.open;
                    output.columns.extend(binding.columns.iter().map(|column| OutputColumn {
                        name: column.name.clone(),
                        sources: column.sources.to_vec(),
                        direct: column.direct,
                        harmless: column.harmless,
                    }));
                }
            }
        }
        Ok(output)
    }

    fn item(&mut self, expr: &Expr, alias: Option<&Name>, scope: ScopeId) -> Result<OutputColumn, Refusal> {
        let mut sources = Sources::new();
        let withheld = self.withheld;
        let nature = self.expr(expr, scope, &mut sources)?;
        if let (None, ExprKind::Column(_), Some(last)) = (alias, &expr.kind, self.out.target_columns.last_mut()) {
            last.label |= last.tokens == expr.tokens;
        }
        if matches!(expr.kind, ExprKind::AllFields(_)) {
            // Its columns are those of a composite type; their names are not looked up.
            return Ok(OutputColumn { name: "*".into(), sources, direct: false, harmless: false });
        }
        let name = match alias {
            Some(alias) => alias.value.clone(),
            None => self.label_for(expr, withheld < self.withheld),
        };
        sources.sort_unstable();
        sources.dedup();
        Ok(OutputColumn { name, sources, direct: nature.direct, harmless: nature.harmless })
    }

    /// The label that the server gives an entry without one. MySQL takes the source's text, which the text that it gets
    /// need not be equal to, so the label is written out; so it is on PostgreSQL where a call that gives the label is not
    /// made.
    fn label_for(&mut self, expr: &Expr, withheld: bool) -> Box<str> {
        match self.world.engine() {
            Engine::Postgres => {
                let found = crate::sql::postgres::naming::output_name(expr, self.text, self.tokens);
                // The first column of a star in a sub-select: its name is not looked up, so that it has one.
                let (name, is_written) = found.map_or_else(|| ("?column?".into(), true), |name| (name, withheld));
                if is_written {
                    let label = format!("AS {}", self.quote(&name));
                    self.edit(expr.tokens.end..expr.tokens.end, label);
                }
                name
            }
            Engine::MySql => self.mysql_label(expr),
        }
    }

    fn mysql_label(&mut self, expr: &Expr) -> Box<str> {
        let (mode, flavour) = (self.world.sql_mode, self.world.snapshot.flavour());
        let name = naming::output_name(expr, self.text, self.tokens, mode, flavour);
        if !matches!(expr.kind, ExprKind::Column(_)) || self.is_respelled(expr, &name) {
            let item = naming::item_tokens(expr, self.text, self.tokens);
            let inside = usize::try_from(item.start).unwrap_or(0)..usize::try_from(item.end).unwrap_or(0);
            let literals = self.tokens.get(inside).unwrap_or_default().iter().any(Token::is_plain_literal);
            self.out.reads_literals |= literals;
            // An empty label, of an empty string, cannot be written; what is sent has it by itself.
            if !name.is_empty() {
                let label = format!("AS {}", self.quote(&name));
                self.edit(item.end..item.end, label);
            }
        }
        name
    }

    /// Whether an entry is a column of a table that the server would call as it is written here, while the derived table
    /// in the table's place calls it as the catalog does.
    fn is_respelled(&self, expr: &Expr, name: &str) -> bool {
        let Some(reference) = self.out.references.last().filter(|last| last.tokens == expr.tokens) else {
            return false;
        };
        let Some(used) = self.out.relations.get(reference.source.place) else { return false };
        let Some(relation) = self.world.snapshot.relation(used.relation) else { return false };
        matches!(used.appearance, Appearance::Protected)
            && relation.kind != RelationKind::View
            && relation.columns.get(reference.source.column).is_some_and(|column| *column.name != *name)
    }

    /// Everything that a bare star stands for.
    pub(super) fn star(&mut self, scope: ScopeId, sink: &mut Sources) -> Output {
        let Some(names) = self.scope(scope) else { return Output::default() };
        let open = names.bindings.iter().any(|binding| binding.open && !binding.hidden);
        let visible = names.visible.clone();
        let mut columns = Vec::with_capacity(visible.len());
        for entry in visible {
            let mut sources = Sources::new();
            let mut column = OutputColumn { name: entry.name, sources: Vec::new(), direct: true, harmless: true };
            for (position, at) in &entry.at {
                let bound = self.binding(scope, *position).and_then(|binding| binding.columns.get(*at)).cloned();
                if let Some(bound) = bound {
                    self.mark(&bound.sources, &mut sources);
                    column.direct &= bound.direct;
                    column.harmless &= bound.harmless;
                }
                if let Some(scope) = self.scope_mut(scope) {
                    scope.referred.push((*position, *at));
                }
            }
            sink.extend(sources.iter().copied());
            column.sources = sources;
            columns.push(column);
        }
        Output { columns, open }
    }

    /// PostgreSQL knows that a primary key decides the other columns of its table; it does not know it of the derived
    /// table that stands in a protected table's place. So those other columns are grouped by too, which changes nothing
    /// about the groups.
    fn complete_grouping(&mut self, select: &Select, scope: ScopeId) {
        if self.world.engine() != Engine::Postgres || select.group_by.is_empty() || select.grouping_sets {
            return;
        }
        // `GROUP BY 1`: what is added depends on the number.
        self.out.reads_literals |= select.group_by.iter().any(|expr| matches!(expr.kind, ExprKind::Literal(_)));
        let Some(names) = self.scope(scope) else { return };
        let grouped: Vec<(usize, usize)> =
            select.group_by.iter().filter_map(|expr| self.grouped_column(expr, select, scope)).collect();
        let mut added = String::new();
        for (position, binding) in names.bindings.iter().enumerate() {
            let Kind::Relation(place) = binding.kind else { continue };
            let Some(used) = self.out.relations.get(place).filter(|used| !used.access.is_plain()) else { continue };
            let Some(relation) = self.world.snapshot.relation(used.relation) else { continue };
            let raw = |column: usize| {
                used.access.columns.get(column).is_some_and(|access| access.treatment == Treatment::Raw)
            };
            let column_of =
                |at: usize| binding.columns.get(at).and_then(|bound| bound.sources.first()).map(|source| source.column);
            let key_is_grouped = !relation.primary_key.is_empty()
                && relation.primary_key.iter().all(|key| {
                    raw(*key) && grouped.iter().any(|(group, at)| *group == position && column_of(*at) == Some(*key))
                });
            if !key_is_grouped {
                continue;
            }
            let mut done: Vec<usize> = Vec::new();
            for (_, at) in names.referred.iter().filter(|(referred, _)| *referred == position) {
                let groupable = column_of(*at)
                    .and_then(|column| relation.columns.get(column))
                    .is_some_and(|column| column.ty.class != TypeClass::Json);
                if !groupable || done.contains(at) || grouped.contains(&(position, *at)) {
                    continue;
                }
                done.push(*at);
                if let Some(column) = binding.columns.get(*at) {
                    let _ = write!(added, ", {}.{}", self.quote(&binding.name), self.quote(&column.name));
                }
            }
        }
        if !added.is_empty() {
            self.edit(select.group_by_end..select.group_by_end, added);
        }
    }

    /// The column that an entry of GROUP BY is: by name, by label, or by its place in the select list.
    fn grouped_column(&self, expr: &Expr, select: &Select, scope: ScopeId) -> Option<(usize, usize)> {
        match &expr.kind {
            ExprKind::Column(name) => {
                if let [qualifiers @ .., _, _] = name.parts.as_slice() {
                    let _ = qualifiers;
                    let (found, position) = self.find_binding(name.parts.get(..name.parts.len() - 1)?, scope)?;
                    let column = name.object()?;
                    let columns = &self.binding(found, position)?.columns;
                    let at = columns.iter().position(|c| self.world.same_name(&c.name, &column.value))?;
                    return (found == scope).then_some((position, at));
                }
                let column = name.object()?;
                let visible = &self.scope(scope)?.visible;
                match visible.iter().find(|entry| self.world.same_name(&entry.name, &column.value)) {
                    Some(entry) => entry.at.first().copied(),
                    None => select.items.iter().find_map(|item| match item {
                        SelectItem::Expr { expr, alias: Some(alias) } if alias.value == column.value => {
                            self.grouped_column(expr, select, scope)
                        }
                        SelectItem::Expr { .. } | SelectItem::Star { .. } | SelectItem::QualifiedStar { .. } => None,
                    }),
                }
            }
            ExprKind::Literal(_) => {
                let place: usize = self.token_text(expr.tokens.start).parse().ok()?;
                match select.items.get(place.checked_sub(1)?)? {
                    SelectItem::Expr { expr, .. } if !matches!(expr.kind, ExprKind::Literal(_)) => {
                        self.grouped_column(expr, select, scope)
                    }
                    SelectItem::Expr { .. } | SelectItem::Star { .. } | SelectItem::QualifiedStar { .. } => None,
                }
            }
            ExprKind::Star(_)
            | ExprKind::Parameter
            | ExprKind::Variable { .. }
            | ExprKind::Call(_)
            | ExprKind::Special { .. }
            | ExprKind::Operation(_)
            | ExprKind::InList(_)
            | ExprKind::InQuery { .. }
            | ExprKind::Quantified { .. }
            | ExprKind::Exists(_)
            | ExprKind::Subquery(_)
            | ExprKind::ArrayQuery(_)
            | ExprKind::Case { .. }
            | ExprKind::Cast { .. }
            | ExprKind::Row(_)
            | ExprKind::Array(_)
            | ExprKind::Field { .. }
            | ExprKind::AllFields(_)
            | ExprKind::Subscript(_)
            | ExprKind::Argument { .. }
            | ExprKind::Default
            | ExprKind::AssignVariable(_)
            | ExprKind::CurrentOf(_) => None,
        }
    }
}
