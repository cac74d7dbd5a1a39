//! Expressions: every kind of node, its operands, and whether evaluating it is harmless.

use super::binder::{Binder, Sources};
use super::column::Nature;
use super::comparison::Value;
use super::query::Output;
use super::refusal::{Refusal, UNDEFINED_FUNCTION};
use super::scope::ScopeId;
use crate::catalog::{UserOperator, known};
use crate::sql::Engine;
use crate::sql::ast::{Expr, ExprKind, Name, ObjectName, Operator, Query};

/// Operators that cannot fail on values of the types that [`is_simple`](super::from) columns have, and show nothing but
/// their result.
const HARMLESS_OPERATORS: &[&str] = &[
    "!=",
    "<",
    "<=",
    "<=>",
    "<>",
    "=",
    ">",
    ">=",
    "and",
    "between",
    "in",
    "is distinct from",
    "is false",
    "is not distinct from",
    "is not false",
    "is not null",
    "is not true",
    "is not unknown",
    "is null",
    "is true",
    "is unknown",
    "not",
    "not between",
    "not in",
    "or",
];

/// Special forms that give one value for the whole statement.
const CONSTANT_FORMS: &[&str] = &["current_date", "current_timestamp", "localtimestamp"];

/// Since which version PostgreSQL's grammar has a special form that looks like a call or a column of its name. To an
/// older server it is one, and may be a function of anybody's making.
const POSTGRES_FORMS_SINCE: &[(&str, u32)] = &[
    ("json", 170_000),
    ("json_array", 160_000),
    ("json_exists", 170_000),
    ("json_object", 160_000),
    ("json_query", 170_000),
    ("json_scalar", 170_000),
    ("json_serialize", 170_000),
    ("json_table", 170_000),
    ("json_value", 170_000),
    ("merge_action", 170_000),
    ("system_user", 160_000),
];

/// Operators that take truth values, or compare nothing.
const LOGICAL_OPERATORS: &[&str] =
    &["and", "is false", "is not false", "is not null", "is not true", "is null", "is true", "not", "or"];

impl Binder<'_> {
    /// Resolves expressions whose values nobody asks for.
    pub(super) fn exprs<'e>(
        &mut self,
        exprs: impl IntoIterator<Item = &'e Expr>,
        scope: ScopeId,
    ) -> Result<(), Refusal> {
        let mut sink = Sources::new();
        for expr in exprs {
            self.expr(expr, scope, &mut sink)?;
        }
        Ok(())
    }

    /// Resolves a condition that decides which rows are seen; whether it is harmless, with everything inside its
    /// sub-selects: those are evaluated for each row that the condition is.
    pub(super) fn predicate(&mut self, expr: &Expr, scope: ScopeId) -> Result<bool, Refusal> {
        let fenced = std::mem::take(&mut self.out.fence);
        let mut sources = Sources::new();
        self.conditions += 1;
        let nature = self.expr(expr, scope, &mut sources)?;
        self.conditions -= 1;
        self.out.fence |= !self.is_truth_value(expr, Value { sources: &sources, direct: nature.direct });
        let harmless = !self.out.fence;
        self.out.fence |= fenced;
        Ok(harmless)
    }

    /// Resolves an expression; inside a condition, what is not harmless needs the fence.
    pub(super) fn expr(&mut self, expr: &Expr, scope: ScopeId, sink: &mut Sources) -> Result<Nature, Refusal> {
        let nature = self.expr_inside(expr, scope, sink)?;
        self.out.fence |= self.conditions > 0 && !nature.harmless;
        Ok(nature)
    }

    /// Resolves an expression: its names, and what may be said of its value.
    fn expr_inside(&mut self, expr: &Expr, scope: ScopeId, sink: &mut Sources) -> Result<Nature, Refusal> {
        match &expr.kind {
            ExprKind::Column(name) => self.column(name, scope, sink),
            ExprKind::Star(None) | ExprKind::Literal(_) | ExprKind::Default => Ok(Nature::HARMLESS),
            // A type that the client declared can make the server convert what it is compared with.
            ExprKind::Parameter => Ok(Nature { direct: false, harmless: self.world.plain_parameters }),
            ExprKind::Star(Some(name)) => {
                let Some((found, position)) = self.find_binding(&name.parts, scope) else {
                    return Err(Self::unknown_qualifier(name));
                };
                if let Some(table) = name.object() {
                    self.cut_schema(name, table, (found, position));
                }
                self.use_row(found, position, &expr.tokens, sink)?;
                Ok(Nature::COMPUTED)
            }
            ExprKind::Variable { system, name } => self.variable(*system, name, expr),
            ExprKind::AssignVariable(value) => self.assign_variable(expr, value, scope, sink),
            ExprKind::CurrentOf(_) => Err(Refusal::unsupported("`WHERE CURRENT OF` is not allowed")
                .advise("name the rows by their key")
                .at(Some(expr.tokens.start))),
            ExprKind::Call(call) => self.call(call, expr, scope, sink),
            ExprKind::Special { name, operands } => {
                self.check_form(name, expr)?;
                if *name == "nullif" {
                    self.check_equality(expr.tokens.start)?;
                }
                self.operands(operands, scope, sink)?;
                let constant = operands.is_empty() && CONSTANT_FORMS.contains(name);
                Ok(Nature { direct: false, harmless: constant })
            }
            ExprKind::Operation(operation) => {
                let harmless = if LOGICAL_OPERATORS.contains(&&*operation.operator.symbol) {
                    self.logical(&operation.operator.symbol, &operation.operands, scope, sink)?
                } else {
                    self.compared(&operation.operands, scope, sink)?
                };
                self.operator(&operation.operator, harmless)
            }
            ExprKind::InList(operands) => {
                self.check_equality(expr.tokens.start)?;
                let harmless = self.compared(operands, scope, sink)?;
                Ok(Nature { direct: false, harmless })
            }
            ExprKind::Quantified { operator, operands } => {
                let harmless = self.operands(operands, scope, sink)?;
                self.operator(operator, harmless)
            }
            ExprKind::InQuery { operand, operator, query } => {
                let before = sink.len();
                let nature = self.expr(operand, scope, sink)?;
                let sources = sink.get(before..).unwrap_or_default().to_vec();
                let output = self.subquery(query, scope, sink)?;
                let harmless = !output.open && output.columns.iter().all(|column| column.harmless);
                let value = Value { sources: &sources, direct: nature.direct };
                let fits = self.compares_with(operand, value, &output);
                self.operator(operator, nature.harmless && harmless && fits)
            }
            ExprKind::Exists(query) => {
                self.subquery(query, scope, sink)?;
                Ok(Nature::HARMLESS)
            }
            // More than one row is an error, which a hidden row could be the reason for.
            ExprKind::Subquery(query) | ExprKind::ArrayQuery(query) => {
                self.subquery(query, scope, sink)?;
                Ok(Nature::COMPUTED)
            }
            ExprKind::Case { operands, otherwise: _ } => {
                // Without a value behind CASE nothing is compared, but that takes more to know than it is worth.
                self.check_equality(expr.tokens.start)?;
                self.operands(operands, scope, sink)?;
                Ok(Nature::COMPUTED)
            }
            ExprKind::Row(operands) | ExprKind::Array(operands) | ExprKind::Subscript(operands) => {
                self.operands(operands, scope, sink)?;
                Ok(Nature::COMPUTED)
            }
            ExprKind::Cast { operand, ty } => {
                self.type_name(ty)?;
                self.expr(operand, scope, sink)?;
                // A literal is read once, whatever the rows are.
                let constant = matches!(operand.kind, ExprKind::Literal(_)) && self.is_known_type(ty);
                Ok(Nature { direct: false, harmless: constant })
            }
            ExprKind::Field { base, field } => {
                self.field(base, field, scope, sink)?;
                Ok(Nature::COMPUTED)
            }
            ExprKind::AllFields(base) => {
                self.expr(base, scope, sink)?;
                Ok(Nature::COMPUTED)
            }
            ExprKind::Argument { value } => self.expr(value, scope, sink),
        }
    }

    /// Resolves operands; whether all of them are harmless.
    pub(super) fn operands<'e>(
        &mut self,
        operands: impl IntoIterator<Item = &'e Expr>,
        scope: ScopeId,
        sink: &mut Sources,
    ) -> Result<bool, Refusal> {
        let mut harmless = true;
        for operand in operands {
            harmless &= self.expr(operand, scope, sink)?.harmless;
        }
        Ok(harmless)
    }

    fn check_form(&self, name: &str, expr: &Expr) -> Result<(), Refusal> {
        let since = POSTGRES_FORMS_SINCE.iter().find(|(form, _)| *form == name).map_or(0, |(_, since)| *since);
        if self.world.engine() == Engine::Postgres && self.world.snapshot.server_version() < since {
            let message = format!("`{name}` is known to PostgreSQL {} and later only", since / 10_000);
            return Err(Refusal::unsupported(message).at(Some(expr.tokens.start)));
        }
        Ok(())
    }

    /// A sub-select inside an expression.
    fn subquery(&mut self, query: &Query, scope: ScopeId, sink: &mut Sources) -> Result<Output, Refusal> {
        let output = self.query(query, Some(scope))?;
        sink.extend(output.columns.iter().flat_map(|column| column.sources.iter().copied()));
        Ok(output)
    }

    fn operator(&mut self, operator: &Operator, operands_harmless: bool) -> Result<Nature, Refusal> {
        self.check_operator(operator)?;
        let harmless = operands_harmless
            && operator.schema.is_none()
            && HARMLESS_OPERATORS.binary_search(&&*operator.symbol).is_ok();
        Ok(Nature { direct: false, harmless })
    }

    /// What compares with `=` without saying so: IN, CASE, NULLIF, joins by name.
    pub(super) fn check_equality(&self, token: u32) -> Result<(), Refusal> {
        self.check_operator(&Operator { schema: None, symbol: "=".into(), token })
    }

    /// Operators of `pg_catalog` only compute; others are functions by another name. One that the catalog does not have
    /// may have been made since it was read.
    fn check_operator(&self, operator: &Operator) -> Result<(), Refusal> {
        if self.world.engine() == Engine::MySql {
            return Ok(());
        }
        let looked_up: &[&str] = match &*operator.symbol {
            "like" | "not like" => &["~~", "!~~"],
            "ilike" | "not ilike" => &["~~*", "!~~*"],
            "similar to" | "not similar to" => &["~", "!~"],
            "between" | "not between" | "between symmetric" | "not between symmetric" => &["<", "<=", ">", ">="],
            "in" | "not in" | "is distinct from" | "is not distinct from" => &["=", "<>"],
            "!=" => &["<>"],
            word if word.starts_with(|first: char| first.is_ascii_alphabetic()) => &[],
            symbol => &[symbol],
        };
        looked_up.iter().try_for_each(|symbol| self.check_looked_up(operator, symbol))
    }

    fn check_looked_up(&self, operator: &Operator, symbol: &str) -> Result<(), Refusal> {
        let reachable = |schema: &str| match &operator.schema {
            Some(named) => *named.value == *schema,
            None => self.world.search_path.iter().any(|path| **path == *schema),
        };
        let mut made =
            self.world.snapshot.user_operators(symbol).iter().filter(|made| reachable(&made.schema)).peekable();
        let is_builtin = known::postgres::is_operator(symbol)
            && operator.schema.as_ref().is_none_or(|schema| *schema.value == *"pg_catalog");
        if made.peek().is_none() && !is_builtin {
            return Err(Refusal::with_state(UNDEFINED_FUNCTION, format!("operator does not exist: {symbol}"))
                .at(Some(operator.token)));
        }
        match made.find(|made| !self.is_harmless_extension(made)) {
            Some(made) => Err(Refusal::unsupported(format!(
                "operator `{symbol}` of schema `{}` is not known to be safe",
                made.schema
            ))
            .advise("leave the schema out of `search_path`, or write `OPERATOR(pg_catalog.…)` to mean the built-in one")
            .at(Some(operator.token))),
            None => Ok(()),
        }
    }

    fn is_harmless_extension(&self, operator: &UserOperator) -> bool {
        operator.extension.as_deref().is_some_and(|extension| self.world.rules.computes(extension))
    }

    /// `(x).field`: of a row of a table it must be a column of that table.
    fn field(&mut self, base: &Expr, field: &Name, scope: ScopeId, sink: &mut Sources) -> Result<(), Refusal> {
        if let ExprKind::Column(name) = &base.kind {
            let row = match self.find_binding(&name.parts, scope) {
                Some(row) if self.is_row_reference(name, scope) => Some(row),
                _ => None,
            };
            if let Some((found, position)) = row {
                let mut reference = name.clone();
                reference.parts.push(field.clone());
                let known = self
                    .binding(found, position)
                    .is_some_and(|binding| binding.columns.iter().any(|c| self.world.same_name(&c.name, &field.value)));
                if known {
                    return self.use_row(found, position, &base.tokens, sink);
                }
                return self.column(&reference, scope, sink).map(|_| ());
            }
        }
        self.expr(base, scope, sink)?;
        if self.names_no_function(&field.value) {
            Ok(())
        } else {
            Err(Refusal::unsupported(format!("`{}` is not a known field here", field.value)).at(Some(field.token)))
        }
    }

    /// Whether a name means a whole row: no column in sight is called so.
    fn is_row_reference(&self, name: &ObjectName, scope: ScopeId) -> bool {
        let [only] = name.parts.as_slice() else { return true };
        self.world.engine() == Engine::Postgres
            && !self
                .outward(Some(scope))
                .any(|(_, scope)| scope.visible.iter().any(|visible| self.world.same_name(&visible.name, &only.value)))
    }

    pub(super) fn unknown_qualifier(name: &ObjectName) -> Refusal {
        let table = name.object().map(|name| name.value.to_string()).unwrap_or_default();
        Refusal::undefined_table(format!("missing FROM-clause entry for table \"{table}\""))
            .at(name.parts.first().map(|part| part.token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_can_be_searched() {
        assert!(HARMLESS_OPERATORS.is_sorted());
        assert!(CONSTANT_FORMS.is_sorted());
    }
}
