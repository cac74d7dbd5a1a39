//! What a statement does as a whole: its parts with the tables that each reads or writes, whether each has a condition
//! and a limit, and every function called.

use crate::pipeline::set_config::Source;
use crate::policy::StatementKind;
use crate::sql::ast::{
    CopySource, CreateAs, CreateAsKind, Ddl, DdlAction, Expr, ExprKind, Into, JoinConstraint, Literal, MergeAction,
    ObjectName, Query, QueryBody, Relation, Select, SelectItem, SetClause, Show, Statement, TableRef, With,
};
use crate::sql::row_limit::{RowCount, RowLimit};

/// A part of a statement that `[[block]]` can speak of: a SELECT, the statement itself, a write in a WITH.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part<'t> {
    pub(super) kind: StatementKind,
    /// Neither it nor a query that it stands in, in FROM, has a condition that names a column.
    pub(super) lacks_where: bool,
    /// Neither it nor a query that it stands in, in FROM, has a limit.
    pub(super) lacks_limit: bool,
    /// The tables that it names itself.
    pub(super) tables: Vec<&'t ObjectName>,
}

/// A statement surveyed.
#[derive(Debug)]
pub(super) struct Survey<'t> {
    pub(super) parts: Vec<Part<'t>>,
    /// Without schema.
    pub(super) functions: Vec<&'t str>,
    /// Whether a limit is a literal, so that another text of the shape may have none.
    pub(super) reads_limits: bool,
    source: Source<'t>,
}

/// A LIMIT above this many rows keeps nobody from reading a table whole.
const LARGEST_LIMIT: u64 = 10_000_000;

/// What the queries around a query have.
#[derive(Debug, Clone, Copy, Default)]
struct Around {
    filtered: bool,
    limited: bool,
}

impl<'t> Survey<'t> {
    pub(super) fn of(statement: &'t Statement, source: Source<'t>) -> Self {
        let mut survey = Self { parts: Vec::new(), functions: Vec::new(), reads_limits: false, source };
        survey.statement(statement);
        survey
    }

    /// A part that has no condition and no limit because it can have none.
    fn part(&mut self, kind: StatementKind, tables: impl IntoIterator<Item = &'t ObjectName>) {
        let tables = tables.into_iter().collect();
        self.parts.push(Part { kind, lacks_where: false, lacks_limit: false, tables });
    }

    // One arm a kind of statement.
    #[expect(clippy::too_many_lines, reason = "one arm a kind of statement")]
    fn statement(&mut self, statement: &'t Statement) {
        match statement {
            Statement::Query(query) => self.query(query, Around::default()),
            Statement::Insert(insert) => {
                self.with(insert.with.as_ref(), Around::default());
                self.part(StatementKind::Insert, [&insert.target.name]);
                if let Some(source) = &insert.source {
                    self.query(source, Around::default());
                }
                self.set(&insert.assignments);
                if let Some(conflict) = &insert.on_conflict {
                    self.exprs(conflict.target.iter().chain(&conflict.target_filter).chain(&conflict.filter));
                    self.set(&conflict.assignments);
                }
                self.items(&insert.returning);
            }
            Statement::Update(update) => {
                let limited = update.limit.first().is_some_and(|rows| self.limits(rows));
                let around = around(update.filter.as_ref(), limited, Around::default());
                self.with(update.with.as_ref(), Around::default());
                let mut tables = Vec::new();
                self.table(&update.target, around, &mut tables);
                for table in &update.from {
                    self.table(table, around, &mut tables);
                }
                self.push(StatementKind::Update, around, tables);
                self.set(&update.assignments);
                self.exprs(update.filter.iter().chain(&update.order_by).chain(&update.limit));
                self.items(&update.returning);
            }
            Statement::Delete(delete) => {
                let limited = delete.limit.first().is_some_and(|rows| self.limits(rows));
                let around = around(delete.filter.as_ref(), limited, Around::default());
                self.with(delete.with.as_ref(), Around::default());
                let mut tables: Vec<_> = delete.targets.iter().map(|target| &target.name).collect();
                for table in &delete.using {
                    self.table(table, around, &mut tables);
                }
                self.push(StatementKind::Delete, around, tables);
                self.exprs(delete.filter.iter().chain(&delete.order_by).chain(&delete.limit));
                self.items(&delete.returning);
            }
            Statement::Merge(merge) => {
                // ON is its condition, and those of all that it does.
                let conditions = || merge.clauses.iter().map(|clause| clause.condition.as_ref());
                let filtered = Around {
                    filtered: depends_on_rows(&merge.on) || conditions().all(|when| when.is_some_and(depends_on_rows)),
                    limited: false,
                };
                self.with(merge.with.as_ref(), Around::default());
                let mut tables = vec![&merge.target.name];
                self.table(&merge.source, filtered, &mut tables);
                self.push(StatementKind::Merge, filtered, tables);
                self.expr(&merge.on);
                for clause in &merge.clauses {
                    self.exprs(&clause.condition);
                    match &clause.action {
                        MergeAction::Update(set) => self.set(set),
                        MergeAction::Insert { values, .. } => self.exprs(values),
                        MergeAction::Delete | MergeAction::Nothing => {}
                    }
                }
                self.items(&merge.returning);
            }
            Statement::Copy(copy) => {
                let whole = !copy.from;
                match &copy.what {
                    CopySource::Table { name, .. } => self.parts.push(Part {
                        kind: StatementKind::Copy,
                        lacks_where: whole,
                        lacks_limit: whole,
                        tables: vec![name],
                    }),
                    CopySource::Query(statement) => {
                        self.part(StatementKind::Copy, []);
                        self.statement(statement);
                    }
                }
                self.exprs(&copy.filter);
            }
            Statement::Explain(explain) => {
                let mut inner = Survey::of(&explain.statement, self.source);
                let tables = inner.parts.iter().flat_map(|part| part.tables.iter().copied());
                self.part(StatementKind::Explain, tables);
                if explain.analyze {
                    self.parts.append(&mut inner.parts);
                    self.reads_limits |= inner.reads_limits;
                }
                self.functions.append(&mut inner.functions);
            }
            Statement::DeclareCursor(declare) => self.query(&declare.query, Around::default()),
            Statement::Prepare(prepare) => self.statement(&prepare.statement),
            Statement::Execute { arguments, .. } => self.exprs(arguments),
            Statement::CreateAs(create) => self.create_as(create),
            Statement::Ddl(ddl) => self.ddl(ddl),
            Statement::LockTables(lock) => self.part(StatementKind::Lock, &lock.tables),
            Statement::Call { name, arguments } => {
                self.part(StatementKind::Call, []);
                self.functions.extend(name.iter().filter_map(ObjectName::object).map(|name| &*name.value));
                self.exprs(arguments);
            }
            Statement::Set(assignments) => {
                self.part(StatementKind::Set, []);
                for value in assignments.iter().flat_map(|assignment| &assignment.values) {
                    if let crate::sql::ast::SetValue::Expr(expr) = value {
                        self.expr(expr);
                    }
                }
            }
            Statement::Reset(_) => self.part(StatementKind::Set, []),
            Statement::ShowSetting(_) => self.part(StatementKind::Show, []),
            Statement::Show(show) => self.show(show),
            Statement::Kill { id, .. } => self.expr(id),
            Statement::Other { words } => {
                if let Some(kind) = kind_of(words) {
                    self.part(kind, []);
                }
            }
            Statement::Deallocate(_)
            | Statement::Fetch(_)
            | Statement::Close(_)
            | Statement::UnlockTables
            | Statement::Transaction(_)
            | Statement::Use(_)
            | Statement::Discard { .. }
            | Statement::Listen
            | Statement::Notify => {}
        }
    }

    fn create_as(&mut self, create: &'t CreateAs) {
        self.part(StatementKind::Create, [&create.name]);
        match create.kind {
            CreateAsKind::Table | CreateAsKind::MaterializedView => self.statement(&create.source),
            // Its query does not run yet.
            CreateAsKind::View => self.functions.append(&mut Survey::of(&create.source, self.source).functions),
        }
    }

    fn ddl(&mut self, ddl: &'t Ddl) {
        let kind = match ddl.action {
            DdlAction::Create => StatementKind::Create,
            DdlAction::Alter | DdlAction::Comment | DdlAction::Refresh | DdlAction::Reindex => StatementKind::Alter,
            DdlAction::Drop => StatementKind::Drop,
            DdlAction::Truncate => StatementKind::Truncate,
            DdlAction::Grant => StatementKind::Grant,
        };
        self.part(kind, &ddl.names);
        self.exprs(&ddl.expressions);
    }

    fn show(&mut self, show: &'t Show) {
        self.part(StatementKind::Show, &show.object);
        self.exprs(show.pattern.iter().chain(&show.filter));
    }

    fn push(&mut self, kind: StatementKind, around: Around, tables: Vec<&'t ObjectName>) {
        self.parts.push(Part { kind, lacks_where: !around.filtered, lacks_limit: !around.limited, tables });
    }

    fn with(&mut self, with: Option<&'t With>, outer: Around) {
        for table in with.iter().flat_map(|with| &with.tables) {
            self.query(&table.query, outer);
        }
    }

    fn query(&mut self, query: &'t Query, outer: Around) {
        let limited = self.is_limited(&query.limit);
        let outer = around(None, limited, outer);
        match &query.body {
            QueryBody::Select(select) => {
                let inside = around(select.filter.as_ref(), false, outer);
                self.with(query.with.as_ref(), inside);
                self.select(select, inside);
            }
            QueryBody::Table(table) => {
                self.with(query.with.as_ref(), outer);
                let mut tables = Vec::new();
                self.table(table, outer, &mut tables);
                self.push(StatementKind::Select, outer, tables);
            }
            QueryBody::Values(rows) => {
                self.with(query.with.as_ref(), outer);
                self.part(StatementKind::Select, []);
                self.exprs(rows.iter().flatten());
            }
            QueryBody::SetOperation { left, right } => {
                self.with(query.with.as_ref(), outer);
                self.query(left, outer);
                self.query(right, outer);
            }
            QueryBody::Nested(inner) => {
                self.with(query.with.as_ref(), outer);
                self.query(inner, outer);
            }
            QueryBody::Write(statement) => {
                self.with(query.with.as_ref(), outer);
                self.statement(statement);
            }
        }
        self.exprs(query.order_by.iter().chain(&query.limit.exprs));
    }

    fn is_limited(&mut self, limit: &RowLimit) -> bool {
        match limit.count {
            RowCount::Any => false,
            RowCount::One => true,
            RowCount::Given(at) => limit.exprs.get(at).is_some_and(|rows| self.limits(rows)),
        }
    }

    /// Whether a number of rows keeps a table from being read whole. Values that are bound are not looked at.
    fn limits(&mut self, rows: &Expr) -> bool {
        match &rows.kind {
            ExprKind::Parameter => true,
            ExprKind::Cast { operand, .. } => self.limits(operand),
            ExprKind::Literal(Literal::Number) => {
                self.reads_limits = true;
                self.source.text_of(&rows.tokens).parse().is_ok_and(|rows: u64| rows <= LARGEST_LIMIT)
            }
            // NULL is no limit, and of anything else the value is not known.
            _ => false,
        }
    }

    fn select(&mut self, select: &'t Select, inside: Around) {
        if let Some(Into::Table { name, .. }) = &select.into {
            self.part(StatementKind::Create, [name]);
        }
        let mut tables = Vec::new();
        for table in &select.from {
            self.table(table, inside, &mut tables);
        }
        // What reads nothing needs no condition.
        let inside = if select.from.is_empty() { Around { filtered: true, limited: true } } else { inside };
        self.push(StatementKind::Select, inside, tables);
        self.exprs(&select.distinct_on);
        self.items(&select.items);
        self.exprs(select.filter.iter().chain(&select.group_by).chain(&select.having).chain(&select.windows));
    }

    fn table(&mut self, table: &'t TableRef, inside: Around, tables: &mut Vec<&'t ObjectName>) {
        match table {
            TableRef::Relation(relation) => self.relation(relation, tables),
            TableRef::Derived { query, .. } => self.query(query, inside),
            TableRef::Function(function) => self.exprs(&function.functions),
            TableRef::Join(join) => {
                self.table(&join.left, inside, tables);
                self.table(&join.right, inside, tables);
                match &join.constraint {
                    JoinConstraint::None | JoinConstraint::Natural | JoinConstraint::Using { .. } => {}
                    JoinConstraint::On(on) => self.expr(on),
                }
            }
            TableRef::List(list) => list.iter().for_each(|table| self.table(table, inside, tables)),
        }
    }

    fn relation(&mut self, relation: &'t Relation, tables: &mut Vec<&'t ObjectName>) {
        tables.push(&relation.name);
        if let Some(sample) = &relation.sample {
            self.exprs(&sample.arguments);
        }
    }

    fn items(&mut self, items: &'t [SelectItem]) {
        for item in items {
            match item {
                SelectItem::Expr { expr, .. } => self.expr(expr),
                SelectItem::Star { .. } | SelectItem::QualifiedStar { .. } => {}
            }
        }
    }

    fn set(&mut self, clauses: &'t [SetClause]) {
        self.exprs(clauses.iter().flat_map(|clause| &clause.values));
    }

    fn exprs(&mut self, exprs: impl IntoIterator<Item = &'t Expr>) {
        exprs.into_iter().for_each(|expr| self.expr(expr));
    }

    fn expr(&mut self, expr: &'t Expr) {
        match &expr.kind {
            ExprKind::Call(call) => self.functions.extend(call.name.object().map(|name| &*name.value)),
            ExprKind::Special { name, .. } => self.functions.push(name),
            ExprKind::InQuery { query, .. }
            | ExprKind::Exists(query)
            | ExprKind::Subquery(query)
            | ExprKind::ArrayQuery(query) => self.query(query, Around::default()),
            ExprKind::Column(_)
            | ExprKind::Star(_)
            | ExprKind::Literal(_)
            | ExprKind::Parameter
            | ExprKind::Variable { .. }
            | ExprKind::Operation(_)
            | ExprKind::InList(_)
            | ExprKind::Quantified { .. }
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
            | ExprKind::CurrentOf(_) => {}
        }
        self.exprs(expr.children());
    }
}

/// What a query has with a condition and a limit of its own.
fn around(filter: Option<&Expr>, limited: bool, outer: Around) -> Around {
    Around { filtered: outer.filtered || filter.is_some_and(depends_on_rows), limited: outer.limited || limited }
}

/// Whether a condition can be true of one row and false of another: it names a column, a cursor's row, or a sub-select.
fn depends_on_rows(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Column(_)
        | ExprKind::CurrentOf(_)
        | ExprKind::Exists(_)
        | ExprKind::Subquery(_)
        | ExprKind::ArrayQuery(_)
        | ExprKind::InQuery { .. } => true,
        ExprKind::Star(_)
        | ExprKind::Literal(_)
        | ExprKind::Parameter
        | ExprKind::Variable { .. }
        | ExprKind::Call(_)
        | ExprKind::Special { .. }
        | ExprKind::Operation(_)
        | ExprKind::InList(_)
        | ExprKind::Quantified { .. }
        | ExprKind::Case { .. }
        | ExprKind::Cast { .. }
        | ExprKind::Row(_)
        | ExprKind::Array(_)
        | ExprKind::Field { .. }
        | ExprKind::AllFields(_)
        | ExprKind::Subscript(_)
        | ExprKind::Argument { .. }
        | ExprKind::Default
        | ExprKind::AssignVariable(_) => expr.children().into_iter().any(depends_on_rows),
    }
}

/// The kind of a statement that is known by its leading words only.
fn kind_of(words: &str) -> Option<StatementKind> {
    match words.split_whitespace().next()? {
        "LOAD" | "IMPORT" => Some(StatementKind::Copy),
        "DO" | "EXECUTE" => Some(StatementKind::Call),
        "CREATE" => Some(StatementKind::Create),
        "ALTER" | "RENAME" | "REASSIGN" | "SECURITY" => Some(StatementKind::Alter),
        "DROP" => Some(StatementKind::Drop),
        "GRANT" | "REVOKE" => Some(StatementKind::Grant),
        "SET" => Some(StatementKind::Set),
        "SHOW" => Some(StatementKind::Show),
        "EXPLAIN" => Some(StatementKind::Explain),
        _ => None,
    }
}
