//! A tree in few words, to be compared in tests.

// Tests' time does not matter, their text does.
#![allow(clippy::format_push_string, clippy::format_collect)]

use crate::sql::Token;
use crate::sql::ast::{
    Alias, Expr, ExprKind, Join, JoinConstraint, Literal, Name, ObjectName, Query, QueryBody, SelectItem, SetClause,
    TableRef,
};

pub struct Sketch<'t> {
    pub text: &'t str,
    pub tokens: &'t [Token],
}

impl Sketch<'_> {
    fn source(&self, expr: &Expr) -> &str {
        let first = self.tokens[expr.tokens.start as usize].start as usize;
        let last = self.tokens[expr.tokens.end as usize - 1].end as usize;
        &self.text[first..last]
    }

    fn list<'e>(&self, exprs: impl IntoIterator<Item = &'e Expr>) -> String {
        exprs.into_iter().map(|expr| self.expr(expr)).collect::<Vec<_>>().join(" ")
    }

    pub fn expr(&self, expr: &Expr) -> String {
        let list = |exprs: &[Expr]| self.list(exprs);
        match &expr.kind {
            ExprKind::Column(name) => object(name),
            ExprKind::Star(_) => "*".into(),
            ExprKind::Literal(Literal::Null) => "null".into(),
            ExprKind::Literal(_) | ExprKind::Parameter => self.source(expr).into(),
            ExprKind::Variable { system, name } => format!("{}{name}", if *system { "@@" } else { "@" }),
            ExprKind::Call(call) => {
                let mut out = format!("{}[{}", object(&call.name), list(&call.arguments));
                if !call.order_by.is_empty() {
                    out.push_str(&format!(" order {}", list(&call.order_by)));
                }
                if let Some(over) = &call.over {
                    out.push_str(&format!(" over {}", list(over)));
                }
                out + "]"
            }
            ExprKind::Special { name, operands } => format!("<{name} {}>", list(operands)),
            ExprKind::Operation(operation) => format!("({} {})", operation.operator.symbol, list(&operation.operands)),
            ExprKind::InList(operands) => format!("(in {})", list(operands)),
            ExprKind::InQuery { operand, operator, query } => {
                format!("({} {} {})", operator.symbol, self.expr(operand), self.query(query))
            }
            ExprKind::Quantified { operator, operands } => format!("(any {} {})", operator.symbol, list(operands)),
            ExprKind::Exists(query) => format!("(exists {})", self.query(query)),
            ExprKind::Subquery(query) => self.query(query),
            ExprKind::Case { operands, otherwise } => format!("(case {} {otherwise:?})", list(operands)),
            ExprKind::Cast { operand, ty } => format!("(cast {} {})", self.expr(operand), object(&ty.name)),
            ExprKind::Row(fields) => format!("(row {})", list(fields)),
            ExprKind::Default => "default".into(),
            ExprKind::AssignVariable(value) => format!("(:= {})", self.expr(value)),
            ExprKind::Array(_)
            | ExprKind::ArrayQuery(_)
            | ExprKind::Field { .. }
            | ExprKind::AllFields(_)
            | ExprKind::Subscript(_)
            | ExprKind::Argument { .. }
            | ExprKind::CurrentOf(_) => panic!("MySQL has none"),
        }
    }

    pub fn query(&self, query: &Query) -> String {
        let mut out = String::from("{");
        for table in query.with.iter().flat_map(|with| &with.tables) {
            out.push_str(&format!("{}{}={} ", table.name.value, names(&table.columns), self.query(&table.query)));
        }
        out.push_str(&self.body(&query.body));
        if !query.order_by.is_empty() {
            out.push_str(&format!(" order {}", self.list(&query.order_by)));
        }
        if !query.limit.exprs.is_empty() {
            out.push_str(&format!(" limit {}", self.list(&query.limit.exprs)));
        }
        for locking in &query.locking {
            out.push_str(&format!(
                " lock{}",
                locking.of.iter().map(|name| " ".to_owned() + &object(name)).collect::<String>()
            ));
        }
        out + "}"
    }

    fn body(&self, body: &QueryBody) -> String {
        match body {
            QueryBody::Select(select) => {
                let mut out = select.items.iter().map(|item| self.item(item)).collect::<Vec<_>>().join(" ");
                if !select.from.is_empty() {
                    out.push_str(&format!(" from {}", self.tables(&select.from)));
                }
                for (word, expr) in [("where", &select.filter), ("having", &select.having)] {
                    out.push_str(&expr.as_ref().map(|e| format!(" {word} {}", self.expr(e))).unwrap_or_default());
                }
                if !select.group_by.is_empty() {
                    let sets = if select.grouping_sets { "sets " } else { "" };
                    out.push_str(&format!(" group {sets}{}", self.list(&select.group_by)));
                }
                if !select.windows.is_empty() {
                    out.push_str(&format!(" window {}", self.list(&select.windows)));
                }
                if select.into.is_some() {
                    out.push_str(" into");
                }
                out
            }
            QueryBody::Values(rows) => {
                format!("values {}", rows.iter().map(|row| format!("[{}]", self.list(row))).collect::<String>())
            }
            QueryBody::Table(table) => format!("table {}", self.table(table)),
            QueryBody::SetOperation { left, right } => format!("set {} {}", self.query(left), self.query(right)),
            QueryBody::Nested(query) => format!("nested {}", self.query(query)),
            QueryBody::Write(_) => panic!("MySQL has none"),
        }
    }

    fn item(&self, item: &SelectItem) -> String {
        match item {
            SelectItem::Expr { expr, alias: None } => self.expr(expr),
            SelectItem::Expr { expr, alias: Some(alias) } => format!("{}:{}", alias.value, self.expr(expr)),
            SelectItem::Star { .. } => "*".into(),
            SelectItem::QualifiedStar { qualifier, .. } => format!("{}.*", object(qualifier)),
        }
    }

    pub fn tables(&self, tables: &[TableRef]) -> String {
        tables.iter().map(|table| self.table(table)).collect::<Vec<_>>().join(", ")
    }

    pub fn table(&self, table: &TableRef) -> String {
        match table {
            TableRef::Relation(relation) => {
                let sample =
                    relation.sample.as_ref().map(|s| format!("@{}", self.list(&s.arguments))).unwrap_or_default();
                let hints = if relation.hints.is_empty() { "" } else { "!" };
                format!("{}{sample}{}{hints}", object(&relation.name), alias(relation.alias.as_ref()))
            }
            TableRef::Derived { lateral, query, alias: name } => {
                format!("{}{}{}", if *lateral { "lateral " } else { "" }, self.query(query), alias(name.as_ref()))
            }
            TableRef::Function(function) => {
                format!(
                    "{}{}{}",
                    self.list(&function.functions),
                    alias(function.alias.as_ref()),
                    names(&function.columns)
                )
            }
            TableRef::Join(join) => self.join(join),
            TableRef::List(tables) => format!("[{}]", self.tables(tables)),
        }
    }

    fn join(&self, join: &Join) -> String {
        let how = match &join.constraint {
            JoinConstraint::None => String::new(),
            JoinConstraint::On(on) => format!(" on {}", self.expr(on)),
            JoinConstraint::Using { columns, .. } => format!(" using {}", names(columns)),
            JoinConstraint::Natural => " natural".into(),
        };
        format!("({} * {}{how})", self.table(&join.left), self.table(&join.right))
    }

    pub fn set(&self, clauses: &[SetClause]) -> String {
        let clause = |clause: &SetClause| {
            format!("{}={}", clause.columns.iter().map(object).collect::<String>(), self.list(&clause.values))
        };
        clauses.iter().map(clause).collect::<Vec<_>>().join(" ")
    }
}

pub fn object(name: &ObjectName) -> String {
    name.parts.iter().map(|part| &*part.value).collect::<Vec<_>>().join(".")
}

pub fn names(names: &[Name]) -> String {
    if names.is_empty() {
        return String::new();
    }
    format!("({})", names.iter().map(|name| &*name.value).collect::<Vec<_>>().join(" "))
}

fn alias(alias: Option<&Alias>) -> String {
    alias.map(|alias| format!(" {}{}", alias.name.value, names(&alias.columns))).unwrap_or_default()
}
