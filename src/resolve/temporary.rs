//! Temporary tables: made by a session for itself, out of what its role sees.

use super::binder::Binder;
use super::query::Output;
use super::refusal::Refusal;
use super::resolved::{NewTemporaryTable, OutputColumn};
use crate::catalog::known::postgres;
use crate::catalog::{Column, ColumnType, Relation, TypeClass};
use crate::sql::Engine;
use crate::sql::ast::{CreateAs, CreateAsKind, Ddl, Name, ObjectName, Statement};

/// Where PostgreSQL keeps them; grants name it like any schema.
pub const TEMPORARY_SCHEMA: &str = "pg_temp";

impl Binder<'_> {
    /// CREATE TEMPORARY TABLE with columns of its own.
    pub(super) fn create_temporary(&mut self, ddl: &Ddl) -> Result<(), Refusal> {
        let token = ddl.names.first().map(|name| name.tokens.start);
        let [name] = ddl.names.as_slice() else { return Err(self.refuse_kind("CREATE TEMPORARY")) };
        if &*ddl.object != "TABLE" {
            return Err(self.refuse_kind(&format!("CREATE TEMPORARY {}", ddl.object)));
        }
        if !ddl.references.is_empty() || ddl.columns.is_empty() {
            return Err(Refusal::unsupported("a temporary table that refers to others is not allowed")
                .advise("list its columns, or write `CREATE TEMPORARY TABLE … AS SELECT …`")
                .at(token));
        }
        self.begin_temporary(name, ddl.drops_on_commit)?;
        self.column_types(ddl)?;
        let scope = self.defining_scope(ddl);
        self.exprs(&ddl.expressions, scope)?;
        let columns = ddl.columns.iter().map(|name| (name.value.clone(), unknown_type())).collect();
        self.set_temporary_columns(columns);
        Ok(())
    }

    /// CREATE TEMPORARY TABLE AS.
    pub(super) fn create_temporary_as(&mut self, create: &CreateAs) -> Result<(), Refusal> {
        if create.kind != CreateAsKind::Table {
            return Err(self.refuse_kind("CREATE TEMPORARY VIEW"));
        }
        let Statement::Query(query) = &create.source else {
            return Err(Refusal::unsupported("a temporary table can be made of a query only")
                .advise("write the query itself")
                .at(Some(create.tokens.start)));
        };
        if create.replace {
            return Err(Refusal::unsupported("`OR REPLACE` of a temporary table is not allowed")
                .advise("drop it first")
                .at(Some(create.tokens.start)));
        }
        self.begin_temporary(&create.name, create.drops_on_commit)?;
        let output = self.query(query, None)?;
        self.complete_temporary(&create.columns, &output)
    }

    /// MySQL's CREATE TEMPORARY TABLE … LIKE.
    pub(super) fn create_temporary_like(&mut self, name: &ObjectName, like: &Relation) -> Result<(), Refusal> {
        self.begin_temporary(name, false)?;
        let columns = like.columns.iter().map(|column| (column.name.clone(), column.ty.clone())).collect();
        self.set_temporary_columns(columns);
        Ok(())
    }

    /// The name of a temporary table that is about to be made; it is written out with its schema.
    pub(super) fn begin_temporary(&mut self, name: &ObjectName, drops_on_commit: bool) -> Result<(), Refusal> {
        let (schema, object) = self.split(name)?;
        let schema: Box<str> = match self.world.engine() {
            Engine::Postgres => match schema {
                Some(schema) if *schema.value != *TEMPORARY_SCHEMA => {
                    return Err(Refusal::unsupported("a temporary table has no schema")
                        .advise("leave the schema out")
                        .at(Some(schema.token)));
                }
                _ => TEMPORARY_SCHEMA.into(),
            },
            Engine::MySql => self.creation_schema(schema)?,
        };
        let is_type = !self.world.snapshot.user_types(&object.value).is_empty() || postgres::is_type(&object.value);
        if self.world.engine() == Engine::Postgres && is_type {
            return Err(Refusal::forbidden(format!("`{}` is the name of a type", object.value))
                .because("PostgreSQL looks for types among temporary tables first")
                .advise("take another name")
                .at(Some(object.token)));
        }
        if self.world.snapshot.find(&schema, &object.value).is_some_and(|r| !self.world.snapshot.is_temporary(r.id)) {
            return Err(Refusal::forbidden(format!("`{schema}.{}` exists", object.value))
                .because("a temporary table of the same name would stand in its place wherever rules and views read it")
                .advise("take another name")
                .at(Some(object.token)));
        }
        if !self.world.rules.may_create(&schema, &object.value) {
            let full = format!("{schema}.{}", object.value);
            return Err(Refusal::forbidden(format!(
                "role `{}` may not create the temporary table `{full}`",
                self.world.role
            ))
            .advise(format!("ask the owner of the rules to grant `create` on `{full}`"))
            .at(Some(object.token)));
        }
        self.out.writes = true;
        self.edit(name.tokens.clone(), format!("{}.{}", self.quote(&schema), self.quote(&object.value)));
        let table = Relation { schema, name: object.value.clone(), ..Relation::default() };
        self.out.temporary = Some(NewTemporaryTable { table, drops_on_commit });
        Ok(())
    }

    /// The columns of the table that the statement makes, if it makes one: those of a query, the first ones renamed.
    pub(super) fn complete_temporary(&mut self, names: &[Name], output: &Output) -> Result<(), Refusal> {
        if self.out.temporary.is_none() {
            return Ok(());
        }
        if output.open {
            return Err(Refusal::unsupported("not all columns of the temporary table are known")
                .advise("name the columns instead of `*`"));
        }
        let columns = match self.world.engine() {
            Engine::Postgres => {
                let columns = output.columns.iter().enumerate().map(|(position, column)| {
                    let name = names.get(position).map_or(&column.name, |name| &name.value);
                    (name.clone(), self.type_of(column))
                });
                columns.collect()
            }
            Engine::MySql => {
                // Columns that are defined stand before those of the query, unless the query has one of the name.
                let queried = |name: &&Name| output.columns.iter().any(|c| self.world.same_name(&c.name, &name.value));
                let defined = names.iter().filter(|name| !queried(name));
                let defined = defined.map(|name| (name.value.clone(), unknown_type()));
                defined.chain(output.columns.iter().map(|c| (c.name.clone(), self.type_of(c)))).collect()
            }
        };
        self.set_temporary_columns(columns);
        Ok(())
    }

    fn set_temporary_columns(&mut self, columns: Vec<(Box<str>, ColumnType)>) {
        let Some(made) = &mut self.out.temporary else { return };
        let numbered = columns.into_iter().zip(1..);
        made.table.columns = numbered
            .map(|((name, ty), number)| Column { name, number, ty, not_null: false, generated: None })
            .collect();
    }

    pub(super) fn type_of(&self, column: &OutputColumn) -> ColumnType {
        let relation = |place: usize| self.world.snapshot.relation(self.out.relations.get(place)?.relation);
        match column.sources.as_slice() {
            [source] if column.direct => {
                let found = relation(source.place).and_then(|relation| relation.columns.get(source.column));
                found.map_or_else(unknown_type, |column| column.ty.clone())
            }
            _ => unknown_type(),
        }
    }
}

/// The type of a column of which no more is known.
pub(super) fn unknown_type() -> ColumnType {
    ColumnType::new(0, TypeClass::Other, "unknown")
}
