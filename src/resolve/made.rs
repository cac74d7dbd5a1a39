//! What a PostgreSQL transaction makes, renames, changes and drops: known to the session before the catalog can know it.
//!
//! Something that is not noted here is unknown until the transaction has ended, which costs a client an error and never
//! more; so only what is certain is noted.

use super::binder::Binder;
use super::query::Output;
use super::temporary::unknown_type;
use crate::catalog::{Column, ColumnType, Relation, RelationKind, TypeClass};
use crate::policy::Verb;
use crate::sql::Engine;
use crate::sql::ast::{ColumnChange, CreateAs, CreateAsKind, Ddl, DdlAction, Name, ObjectName, Query, TypeName};

impl Binder<'_> {
    /// CREATE TABLE AS, CREATE VIEW, SELECT INTO: the columns are those of the query.
    pub(super) fn made_of(&mut self, kind: RelationKind, name: &ObjectName, columns: &[Name], output: &Output) {
        let Some((schema, name)) = self.made_name(name) else { return };
        if output.open {
            return;
        }
        let columns = output.columns.iter().enumerate().map(|(position, column)| {
            let name = columns.get(position).map_or(&column.name, |name| &name.value);
            (name.clone(), self.type_of(column))
        });
        let columns = numbered(columns.collect());
        self.out.objects.made.push(Relation { schema, name, kind, columns, ..Relation::default() });
    }

    /// The same for a statement. A view with names of its own for the columns would need another definition than its
    /// query's text.
    pub(super) fn made_by(&mut self, create: &CreateAs, query: &Query, output: &Output) {
        let kind = match create.kind {
            CreateAsKind::Table => RelationKind::Table,
            CreateAsKind::View => RelationKind::View,
            CreateAsKind::MaterializedView => RelationKind::MaterializedView,
        };
        if create.if_not_exists || (kind != RelationKind::Table && !create.columns.is_empty()) {
            return;
        }
        if kind != RelationKind::Table {
            self.out.stored_query = Some(query.tokens.clone());
        }
        self.made_of(kind, &create.name, &create.columns, output);
    }

    /// CREATE TABLE, ALTER, DROP.
    pub(super) fn changed_by(&mut self, ddl: &Ddl) {
        if self.world.engine() == Engine::MySql {
            return;
        }
        match ddl.action {
            DdlAction::Create => self.defined_by(ddl),
            DdlAction::Alter => self.altered_by(ddl),
            DdlAction::Drop => {
                let snapshot = self.world.snapshot;
                let dropped = self.out.relations.iter().filter(|used| used.verb == Verb::Drop);
                let dropped = dropped.filter(|used| !snapshot.is_temporary(used.relation));
                let dropped = dropped.filter_map(|used| snapshot.relation(used.relation));
                let names: Vec<_> = dropped.map(|relation| (relation.schema.clone(), relation.name.clone())).collect();
                self.out.objects.gone.extend(names);
            }
            DdlAction::Truncate | DdlAction::Comment | DdlAction::Grant | DdlAction::Refresh | DdlAction::Reindex => {}
        }
    }

    fn defined_by(&mut self, ddl: &Ddl) {
        let [name] = ddl.names.as_slice() else { return };
        if &*ddl.object != "TABLE" || ddl.if_not_exists || ddl.takes_columns {
            return;
        }
        let Some((schema, name)) = self.made_name(name) else { return };
        let is_paired = ddl.types.len() == ddl.columns.len();
        let mut columns: Vec<(Box<str>, ColumnType)> = Vec::new();
        for (position, column) in ddl.columns.iter().enumerate() {
            // A constraint of the table can name a column again.
            if !columns.iter().any(|(name, _)| *name == column.value) {
                let ty = ddl.types.get(position).filter(|_| is_paired);
                columns.push((column.value.clone(), ty.map_or_else(unknown_type, |ty| self.column_type(ty))));
            }
        }
        let columns = numbered(columns);
        self.out.objects.made.push(Relation { schema, name, columns, ..Relation::default() });
    }

    /// Renamed, moved to another schema, or with other columns.
    fn altered_by(&mut self, ddl: &Ddl) {
        let snapshot = self.world.snapshot;
        let target = self.out.relations.first().filter(|used| used.verb == Verb::Alter);
        let Some(old) = target.and_then(|used| snapshot.relation(used.relation)) else { return };
        let is_index = &*ddl.object == "INDEX";
        let is_moved = ddl.new_name.is_some() || ddl.new_schema.is_some();
        if is_index || snapshot.is_temporary(old.id) || (!is_moved && ddl.column_changes.is_empty()) {
            return;
        }
        let mut new = old.clone();
        if let Some(name) = &ddl.new_name {
            new.name = name.value.clone();
        }
        if let Some(schema) = &ddl.new_schema {
            new.schema = schema.value.clone();
        }
        for change in &ddl.column_changes {
            change_columns(&mut new, change);
        }
        if is_moved {
            self.out.objects.gone.push((old.schema.clone(), old.name.clone()));
        }
        self.out.objects.made.push(new);
    }

    /// Schema and name of something that is about to be made.
    fn made_name(&self, name: &ObjectName) -> Option<(Box<str>, Box<str>)> {
        let (schema, object) = self.split(name).ok()?;
        let is_postgres = self.world.engine() == Engine::Postgres;
        is_postgres.then(|| Some((self.creation_schema(schema).ok()?, object.value.clone())))?
    }

    /// The type of a column as a definition has it, where it is one of the common ones.
    fn column_type(&self, ty: &TypeName) -> ColumnType {
        let [name] = ty.name.parts.as_slice() else { return unknown_type() };
        let words: Vec<&str> = ty.tokens.clone().map(|token| self.token_text(token)).collect();
        let words = words.join(" ").to_ascii_lowercase();
        let class = match &*name.value {
            _ if words.contains('[') || words.contains("array") || words.contains('"') => return unknown_type(),
            "text" | "varchar" | "character varying" => TypeClass::Text,
            "int2" | "int4" | "int8" | "smallint" | "int" | "integer" | "bigint" => TypeClass::Integer,
            "numeric" | "decimal" | "dec" => TypeClass::Numeric,
            "float4" | "float8" | "real" | "double precision" => TypeClass::Float,
            "bool" | "boolean" => TypeClass::Boolean,
            "date" => TypeClass::Date,
            "timestamp" => TypeClass::Timestamp,
            "timestamptz" | "timestamp with time zone" => TypeClass::TimestampTz,
            "uuid" => TypeClass::Uuid,
            "json" => TypeClass::Json,
            "jsonb" => TypeClass::Jsonb,
            "bytea" => TypeClass::Bytes,
            _ => return unknown_type(),
        };
        ColumnType::new(0, class, words)
    }
}

fn numbered(columns: Vec<(Box<str>, ColumnType)>) -> Vec<Column> {
    let numbered = columns.into_iter().zip(1..);
    numbered.map(|((name, ty), number)| Column { name, number, ty, not_null: false, generated: None }).collect()
}

fn change_columns(relation: &mut Relation, change: &ColumnChange) {
    // What a view's columns are called is not in its query any more.
    relation.definition = None;
    match change {
        ColumnChange::Add(name) => {
            let number = relation.columns.iter().map(|column| column.number).max().unwrap_or(0).saturating_add(1);
            if relation.column(&name.value).is_none() {
                let (name, ty) = (name.value.clone(), unknown_type());
                relation.columns.push(Column { name, number, ty, not_null: false, generated: None });
            }
        }
        ColumnChange::Drop(name) => {
            let Some(at) = relation.column(&name.value) else { return };
            relation.columns.remove(at);
            // Positions behind it are others now.
            relation.primary_key.clear();
            relation.unique.clear();
        }
        ColumnChange::Rename { from, to } => {
            if let Some(column) = relation.columns.iter_mut().find(|column| column.name == from.value) {
                column.name = to.value.clone();
            }
        }
        ColumnChange::Retype(name) => {
            if let Some(column) = relation.columns.iter_mut().find(|column| column.name == name.value) {
                column.ty = unknown_type();
            }
        }
    }
}
