//! Statements: which kinds there are and what each needs.

use super::binder::Binder;
use super::query::Output;
use super::refusal::Refusal;
use super::resolved::{Appearance, ObjectChanges};
use super::scope::ScopeId;
use crate::catalog::known::SystemView;
use crate::catalog::{Column, RelationKind};
use crate::policy::{Treatment, Verb};
use crate::sql::ast::{Copy, CopySource, Explain, Into, Name, ObjectName, Query, QueryBody, Statement};

impl Binder<'_> {
    /// Resolves a statement that a client sent, or that stands inside PREPARE, DECLARE, EXPLAIN or COPY.
    pub(super) fn statement(&mut self, statement: &Statement) -> Result<(), Refusal> {
        match statement {
            Statement::Query(query) => {
                let output = self.query(query, None)?;
                self.complete_temporary(&[], &output)?;
                if let Some(name) = into_table(query) {
                    self.made_of(RelationKind::Table, name, &[], &output);
                }
                self.out.output = output.columns;
                Ok(())
            }
            Statement::Insert(_) | Statement::Update(_) | Statement::Delete(_) | Statement::Merge(_) => {
                self.out.output = self.write(statement, None)?.columns;
                Ok(())
            }
            Statement::Copy(copy) => self.copy(copy),
            Statement::Explain(explain) => self.explain(explain),
            Statement::DeclareCursor(cursor) => {
                self.out.output = self.query(&cursor.query, None)?.columns;
                Ok(())
            }
            Statement::Prepare(prepare) => {
                prepare.types.iter().try_for_each(|ty| self.type_name(ty))?;
                self.world.plain_parameters &= prepare.types.iter().all(|ty| self.is_known_type(ty));
                self.statement(&prepare.statement)
            }
            Statement::Execute { name: _, arguments } => {
                let scope = self.push_scope(None);
                self.exprs(arguments, scope)
            }
            Statement::Deallocate(_)
            | Statement::Fetch(_)
            | Statement::Close(_)
            | Statement::Transaction(_)
            | Statement::Discard(_)
            | Statement::Listen
            | Statement::Notify
            | Statement::Set(_)
            | Statement::Reset(_)
            | Statement::ShowSetting(_)
            | Statement::Use(_)
            | Statement::UnlockTables => Ok(()),
            Statement::CreateAs(create) => self.create_as(create),
            Statement::Ddl(ddl) => self.ddl(ddl),
            Statement::LockTables(lock) => self.lock(lock),
            Statement::Show(_) => Err(self.refuse_kind("SHOW")),
            Statement::Call { name: Some(name), arguments } => {
                self.check_procedure(name)?;
                self.out.writes = true;
                let scope = self.push_scope(None);
                self.exprs(arguments, scope)
            }
            Statement::Call { name: None, .. } => Err(self.refuse_kind("DO")),
            Statement::Kill { .. } => Err(self.refuse_kind("KILL")),
            Statement::Other { words } => Err(self.refuse_kind(words)),
        }
    }

    pub(super) fn refuse_kind(&self, words: &str) -> Refusal {
        Refusal::unsupported(format!("`{words}` is not allowed for role `{}`", self.world.role))
            .advise("read with SELECT, or write with INSERT, UPDATE or DELETE where the role has the verb")
    }

    /// A statement that writes rows; its result is what RETURNING lists.
    pub(super) fn write(&mut self, statement: &Statement, scope: Option<ScopeId>) -> Result<Output, Refusal> {
        self.out.writes = true;
        match statement {
            Statement::Insert(insert) => self.insert(insert, scope),
            Statement::Update(update) => self.update(update, scope),
            Statement::Delete(delete) => self.delete(delete, scope),
            Statement::Merge(merge) => self.merge_into(merge, scope),
            other => self.statement(other).map(|()| Output::default()),
        }
    }

    fn explain(&mut self, explain: &Explain) -> Result<(), Refusal> {
        if matches!(explain.statement, Statement::Execute { .. }) {
            return Err(Refusal::unsupported("`EXPLAIN EXECUTE` is not allowed").advise("explain the statement itself"));
        }
        self.statement(&explain.statement)?;
        // Whether it is made depends on ANALYZE; it is not known under its name either way.
        self.out.temporary = None;
        self.out.objects = ObjectChanges::default();
        for used in &self.out.relations {
            let stands_alone = matches!(used.appearance, Appearance::Plain | Appearance::System(SystemView::Open));
            if !stands_alone && !used.access.verbs.contains(Verb::Explain) {
                let Some(relation) = self.world.snapshot.relation(used.relation) else { continue };
                let table = format!("{}.{}", relation.schema, relation.name);
                return Err(Refusal::forbidden(format!(
                    "`EXPLAIN` of `{table}` is not allowed for role `{}`",
                    self.world.role
                ))
                .because("a plan shows estimates made from hidden rows and values")
                .advise(format!("ask the owner of the rules to grant `explain` on `{table}`"))
                .at(Some(used.tokens.start)));
            }
        }
        Ok(())
    }

    fn copy(&mut self, copy: &Copy) -> Result<(), Refusal> {
        if !copy.client {
            return Err(Refusal::unsupported("`COPY` to or from files and programs of the server is not allowed")
                .advise("use `COPY … TO STDOUT`, psql's `\\copy`")
                .at(Some(copy.tokens.start)));
        }
        match (&copy.what, copy.from) {
            (CopySource::Query(statement), _) => self.statement(statement),
            (CopySource::Table { name, columns }, false) => self.copy_out(name, columns, copy),
            (CopySource::Table { name, columns }, true) => self.copy_in(name, columns, copy),
        }
    }

    /// `COPY t (a, b) TO STDOUT` of anything but a plain table becomes `COPY (SELECT a, b FROM …) TO STDOUT`.
    fn copy_out(&mut self, name: &ObjectName, columns: &[Name], copy: &Copy) -> Result<(), Refusal> {
        let item = crate::sql::ast::Relation {
            name: name.clone(),
            only: false,
            alias: None,
            sample: None,
            tokens: name.tokens.clone(),
            partitions: 0..0,
            hints: 0..0,
        };
        let scope = self.push_scope(None);
        self.table_ref(&crate::sql::ast::TableRef::Relation(item), scope)?;
        let mut labels = Vec::new();
        let mut sink = Vec::new();
        for column in columns {
            let reference = ObjectName { parts: vec![column.clone()], tokens: column.token..column.token + 1 };
            self.column(&reference, scope, &mut sink)?;
            labels.push(self.quote(&column.value));
        }
        if columns.is_empty() {
            self.star(scope, &mut sink);
            labels.extend(self.copied_columns());
        }
        let plain = self.out.relations.iter().all(|used| matches!(used.appearance, Appearance::Plain));
        if !plain {
            // COPY of a table reads no inheritance children.
            let is_table = self.relation(name)?.kind == RelationKind::Table;
            self.out.relations.iter_mut().for_each(|used| used.only = is_table);
            self.edit(name.tokens.start..name.tokens.start, format!("(SELECT {} FROM", labels.join(", ")));
            self.edit(name.tokens.end..copy.tokens.end, ")");
        }
        Ok(())
    }

    /// The columns that COPY of a whole table gives: generated ones are left out.
    fn copied_columns(&self) -> Vec<String> {
        let Some(used) = self.out.relations.first() else { return Vec::new() };
        let columns = self.world.snapshot.relation(used.relation).map(|relation| relation.columns.as_slice());
        let is_copied = |position: usize, column: &Column| {
            let access = used.access.columns.get(position);
            column.generated.is_none() && access.is_some_and(|access| access.treatment != Treatment::Denied)
        };
        let columns = columns.unwrap_or_default().iter().enumerate();
        columns.filter(|(at, column)| is_copied(*at, column)).map(|(_, column)| self.quote(&column.name)).collect()
    }

    fn copy_in(&mut self, name: &ObjectName, columns: &[Name], copy: &Copy) -> Result<(), Refusal> {
        self.out.writes = true;
        let relation = self.relation(name)?;
        let place = self.note_use(relation, name, Verb::Insert, name.tokens.clone())?;
        self.check_keys(place, Verb::Insert, &[])?;
        let scope = self.push_scope(None);
        self.bind_target(place, name, None, scope);
        if let Some(filter) = &copy.filter {
            self.exprs([filter], scope)?;
        }
        let hidden = |used: &super::resolved::RelationUse| {
            used.access.columns.iter().any(|column| column.treatment == Treatment::Denied)
        };
        let Some(used) = self.out.relations.get(place) else { return Ok(()) };
        if (!used.access.filters.is_empty() || (columns.is_empty() && hidden(used)) || copy.filter.is_some())
            && !used.access.is_plain()
        {
            return Err(Refusal::unsupported("`COPY FROM` into a protected table is not allowed")
                .advise("use INSERT")
                .at(Some(name.tokens.start)));
        }
        self.written_columns(place, columns, relation.columns.len()).map(|_| ())
    }
}

/// The table that SELECT … INTO makes. INTO stands in the first SELECT of a chain.
fn into_table(query: &Query) -> Option<&ObjectName> {
    match &query.body {
        QueryBody::Select(select) => match &select.into {
            Some(Into::Table { name, temporary: false }) => Some(name),
            Some(Into::Table { temporary: true, .. } | Into::Outside) | None => None,
        },
        QueryBody::SetOperation { left, .. } => into_table(left),
        QueryBody::Nested(query) => into_table(query),
        QueryBody::Values(_) | QueryBody::Table(_) | QueryBody::Write(_) => None,
    }
}
