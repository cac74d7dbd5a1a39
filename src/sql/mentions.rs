//! A walk that collects every name of a tree with its token, to compare it with the text.

use std::collections::HashSet;

use crate::sql::ast::{
    Alias, Call, CommonTable, CopySource, Expr, ExprKind, Into, JoinConstraint, MergeAction, Name, ObjectName,
    Operator, Query, QueryBody, Relation, Select, SelectItem, SetClause, Statement, TableFunction, TableRef,
    Transaction, TypeName, With,
};

/// What a name was found as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    Relation,
    Column,
    Star,
    Function,
    Type,
    OperatorSchema,
    Other,
}

/// Every name of a tree.
#[derive(Debug, Default)]
pub struct Mentions {
    /// Names of several parts: what they are, their parts, their tokens' first.
    pub objects: Vec<(Role, String, u32)>,
    /// Tokens of all names.
    pub tokens: HashSet<u32>,
    /// Tokens of the columns that are written to.
    pub targets: HashSet<u32>,
}

impl Mentions {
    pub fn of(statement: &Statement) -> Self {
        let mut found = Self::default();
        found.statement(statement);
        found
    }

    /// The names found in a role, in the order of the text.
    pub fn of_role(&self, role: Role) -> Vec<String> {
        let mut names: Vec<_> = self.objects.iter().filter(|(found, ..)| *found == role).collect();
        names.sort_by_key(|(_, _, token)| *token);
        names.into_iter().map(|(_, name, _)| name.clone()).collect()
    }

    fn name(&mut self, name: &Name) {
        self.tokens.insert(name.token);
    }

    fn names<'n>(&mut self, names: impl IntoIterator<Item = &'n Name>) {
        names.into_iter().for_each(|name| self.name(name));
    }

    fn object(&mut self, role: Role, name: &ObjectName) {
        self.names(&name.parts);
        let parts: Vec<&str> = name.parts.iter().map(|part| &*part.value).collect();
        assert!(!parts.is_empty());
        let first = name.parts[0].token;
        assert!(name.tokens.start <= first && first < name.tokens.end, "{name:?}");
        self.objects.push((role, parts.join("."), first));
    }

    fn ty(&mut self, ty: &TypeName) {
        self.object(Role::Type, &ty.name);
    }

    // One arm a kind of statement.
    #[allow(clippy::too_many_lines)]
    fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::Query(query) => self.query(query),
            Statement::Insert(insert) => {
                self.with(insert.with.as_ref());
                self.relation(&insert.target);
                self.names(&insert.columns);
                self.targets.extend(insert.columns.iter().map(|column| column.token));
                if let Some(source) = &insert.source {
                    self.query(source);
                }
                self.set(&insert.assignments);
                if let Some(conflict) = &insert.on_conflict {
                    self.exprs(conflict.target.iter().chain(&conflict.target_filter).chain(&conflict.filter));
                    self.set(&conflict.assignments);
                }
                self.items(&insert.returning);
                self.alias(insert.row_alias.as_ref());
            }
            Statement::Update(update) => {
                self.with(update.with.as_ref());
                self.table(&update.target);
                self.set(&update.assignments);
                self.tables(&update.from);
                self.exprs(update.filter.iter().chain(&update.order_by).chain(&update.limit));
                self.items(&update.returning);
            }
            Statement::Delete(delete) => {
                self.with(delete.with.as_ref());
                for target in &delete.targets {
                    self.relation(target);
                }
                self.tables(&delete.using);
                self.exprs(delete.filter.iter().chain(&delete.order_by).chain(&delete.limit));
                self.items(&delete.returning);
            }
            Statement::Merge(merge) => {
                self.with(merge.with.as_ref());
                self.relation(&merge.target);
                self.table(&merge.source);
                self.expr(&merge.on);
                for clause in &merge.clauses {
                    self.exprs(&clause.condition);
                    match &clause.action {
                        MergeAction::Update(set) => self.set(set),
                        MergeAction::Delete | MergeAction::Nothing => {}
                        MergeAction::Insert { columns, values } => {
                            self.names(columns);
                            self.exprs(values);
                        }
                    }
                }
                self.items(&merge.returning);
            }
            Statement::Copy(copy) => {
                match &copy.what {
                    CopySource::Table { name, columns } => {
                        self.object(Role::Relation, name);
                        self.names(columns);
                    }
                    CopySource::Query(statement) => self.statement(statement),
                }
                self.exprs(&copy.filter);
            }
            Statement::Explain(explain) => self.statement(&explain.statement),
            Statement::DeclareCursor(declare) => {
                self.name(&declare.name);
                self.query(&declare.query);
            }
            Statement::Prepare(prepare) => {
                self.name(&prepare.name);
                for ty in &prepare.types {
                    self.ty(ty);
                }
                self.statement(&prepare.statement);
            }
            Statement::Execute { name, arguments } => {
                self.name(name);
                self.exprs(arguments);
            }
            Statement::Deallocate(name) | Statement::Close(name) => self.names(name),
            Statement::Fetch(name) | Statement::Use(name) => self.name(name),
            Statement::CreateAs(create) => {
                self.object(Role::Other, &create.name);
                self.names(&create.columns);
                self.statement(&create.source);
            }
            Statement::Ddl(ddl) => {
                for name in &ddl.names {
                    self.object(Role::Other, name);
                }
                for name in &ddl.references {
                    self.object(Role::Relation, name);
                }
                self.names(&ddl.columns);
                self.exprs(&ddl.expressions);
                for ty in &ddl.types {
                    self.ty(ty);
                }
            }
            Statement::LockTables(lock) => {
                for table in &lock.tables {
                    self.object(Role::Relation, table);
                }
            }
            Statement::Transaction(transaction) => match transaction {
                Transaction::Savepoint(name) | Transaction::Release(name) | Transaction::RollbackTo(name) => {
                    self.name(name);
                }
                Transaction::Begin
                | Transaction::Commit
                | Transaction::Rollback
                | Transaction::Characteristics
                | Transaction::TwoPhase => {}
            },
            Statement::Call { name, arguments } => {
                if let Some(name) = name {
                    self.object(Role::Function, name);
                }
                self.exprs(arguments);
            }
            Statement::UnlockTables
            | Statement::Set(_)
            | Statement::Reset(_)
            | Statement::ShowSetting(_)
            | Statement::Show(_)
            | Statement::Discard(_)
            | Statement::Listen
            | Statement::Notify
            | Statement::Kill { .. }
            | Statement::Other { .. } => {}
        }
    }

    fn with(&mut self, with: Option<&With>) {
        for CommonTable { name, columns, query, added_columns } in with.iter().flat_map(|with| &with.tables) {
            self.name(name);
            self.names(columns);
            self.query(query);
            self.names(added_columns);
        }
    }

    fn query(&mut self, query: &Query) {
        self.with(query.with.as_ref());
        match &query.body {
            QueryBody::Select(select) => self.select(select),
            QueryBody::Values(rows) => {
                for row in rows {
                    self.exprs(row);
                }
            }
            QueryBody::Table(table) => self.table(table),
            QueryBody::SetOperation { left, right } => {
                self.query(left);
                self.query(right);
            }
            QueryBody::Nested(inner) => self.query(inner),
            QueryBody::Write(statement) => self.statement(statement),
        }
        self.exprs(query.order_by.iter().chain(&query.limit.exprs));
        for locking in &query.locking {
            for table in &locking.of {
                self.object(Role::Other, table);
            }
        }
    }

    fn select(&mut self, select: &Select) {
        self.exprs(&select.distinct_on);
        self.items(&select.items);
        match &select.into {
            Some(Into::Table { name, .. }) => self.object(Role::Other, name),
            Some(Into::Outside) | None => {}
        }
        self.tables(&select.from);
        let rest = select.filter.iter().chain(&select.group_by).chain(&select.having).chain(&select.windows);
        self.exprs(rest);
    }

    fn items(&mut self, items: &[SelectItem]) {
        for item in items {
            match item {
                SelectItem::Expr { expr, alias } => {
                    self.expr(expr);
                    self.names(alias);
                }
                SelectItem::Star { token } => self.objects.push((Role::Star, "*".into(), *token)),
                SelectItem::QualifiedStar { qualifier, .. } => self.object(Role::Star, qualifier),
            }
        }
    }

    fn set(&mut self, clauses: &[SetClause]) {
        for clause in clauses {
            for column in &clause.columns {
                self.object(Role::Other, column);
            }
            self.targets.extend(clause.columns.iter().map(|column| column.tokens.start));
            self.exprs(&clause.values);
        }
    }

    fn alias(&mut self, alias: Option<&Alias>) {
        if let Some(alias) = alias {
            self.name(&alias.name);
            self.names(&alias.columns);
        }
    }

    fn relation(&mut self, relation: &Relation) {
        self.object(Role::Relation, &relation.name);
        self.alias(relation.alias.as_ref());
        if let Some(sample) = &relation.sample {
            self.object(Role::Function, &sample.method);
            self.exprs(&sample.arguments);
        }
    }

    fn tables(&mut self, tables: &[TableRef]) {
        for table in tables {
            self.table(table);
        }
    }

    fn table(&mut self, table: &TableRef) {
        match table {
            TableRef::Relation(relation) => self.relation(relation),
            TableRef::Derived { query, alias, .. } => {
                self.query(query);
                self.alias(alias.as_ref());
            }
            TableRef::Function(function) => {
                let TableFunction { functions, alias, columns, types, .. } = &**function;
                self.exprs(functions);
                self.alias(alias.as_ref());
                self.names(columns);
                for ty in types {
                    self.ty(ty);
                }
            }
            TableRef::Join(join) => {
                self.table(&join.left);
                self.table(&join.right);
                match &join.constraint {
                    JoinConstraint::None | JoinConstraint::Natural => {}
                    JoinConstraint::On(on) => self.expr(on),
                    JoinConstraint::Using { columns, alias } => {
                        self.names(columns);
                        self.names(alias);
                    }
                }
                self.alias(join.alias.as_ref());
            }
            TableRef::List(tables) => self.tables(tables),
        }
    }

    fn exprs<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Expr>) {
        exprs.into_iter().for_each(|expr| self.expr(expr));
    }

    fn operator(&mut self, operator: &Operator) {
        if let Some(schema) = &operator.schema {
            self.name(schema);
            self.objects.push((Role::OperatorSchema, schema.value.to_string(), schema.token));
        }
    }

    fn expr(&mut self, expr: &Expr) {
        assert!(expr.tokens.start < expr.tokens.end, "{expr:?}");
        match &expr.kind {
            ExprKind::Column(name) => self.object(Role::Column, name),
            ExprKind::Star(Some(name)) => self.object(Role::Star, name),
            ExprKind::Call(call) => {
                let Call { name, .. } = &**call;
                self.object(Role::Function, name);
            }
            ExprKind::Operation(operation) => self.operator(&operation.operator),
            ExprKind::InQuery { operator, query, .. } => {
                self.operator(operator);
                self.query(query);
            }
            ExprKind::Quantified { operator, .. } => self.operator(operator),
            ExprKind::Exists(query) | ExprKind::Subquery(query) | ExprKind::ArrayQuery(query) => self.query(query),
            ExprKind::Cast { ty, .. } => self.ty(ty),
            ExprKind::Field { field, .. } => self.name(field),
            ExprKind::CurrentOf(name) => self.name(name),
            ExprKind::Star(None)
            | ExprKind::Literal(_)
            | ExprKind::Parameter
            | ExprKind::Variable { .. }
            | ExprKind::Special { .. }
            | ExprKind::InList(_)
            | ExprKind::Case { .. }
            | ExprKind::Row(_)
            | ExprKind::Array(_)
            | ExprKind::AllFields(_)
            | ExprKind::Subscript(_)
            | ExprKind::Argument { .. }
            | ExprKind::Default
            | ExprKind::AssignVariable(_) => {}
        }
        for child in expr.children() {
            let inside = expr.tokens.start <= child.tokens.start && child.tokens.end <= expr.tokens.end;
            // The arguments of a window come behind the call's own tokens only where the call ends.
            assert!(inside, "{child:?} is not inside {expr:?}");
            self.expr(child);
        }
    }
}
