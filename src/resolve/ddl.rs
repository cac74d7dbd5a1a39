//! Statements that make, change or drop objects.
//!
//! Only tables and what belongs to them; what holds code (functions, triggers, rules, policies, extensions) or belongs
//! to the server (roles, databases, tablespaces) is not for restricted roles.

use super::binder::Binder;
use super::refusal::{Refusal, UNDEFINED_OBJECT};
use super::scope::{Binding, BoundColumn, Kind, ScopeId};
use super::temporary::TEMPORARY_SCHEMA;
use crate::catalog::{Relation, RelationKind};
use crate::policy::{Treatment, Verb};
use crate::sql::Engine;
use crate::sql::ast::{
    CreateAs, CreateAsKind, Ddl, DdlAction, LockTables, Name, ObjectName, Select, Statement, Tokens, TypeName,
};

/// Objects that hold neither code nor other people's rights.
const OBJECTS: &[&str] = &["COLUMN", "INDEX", "MATERIALIZED VIEW", "SEQUENCE", "TABLE", "VIEW"];

impl Binder<'_> {
    /// CREATE TABLE AS, CREATE VIEW: what is stored is the query as the role sees it.
    pub(super) fn create_as(&mut self, create: &CreateAs) -> Result<(), Refusal> {
        if create.temporary {
            return self.create_temporary_as(create);
        }
        if create.recursive {
            return Err(Refusal::unsupported("`CREATE RECURSIVE VIEW` is not allowed")
                .advise("write `CREATE VIEW … AS WITH RECURSIVE …`")
                .at(Some(create.tokens.start)));
        }
        self.may_replace(create)?;
        self.create_name(&create.name)?;
        self.out.writes = true;
        if create.kind == CreateAsKind::View && matches!(create.source, Statement::Execute { .. }) {
            return Err(self.refuse_kind("CREATE VIEW AS EXECUTE"));
        }
        match &create.source {
            Statement::Query(query) => {
                let output = self.query(query, None)?;
                self.made_by(create, query, &output);
                Ok(())
            }
            Statement::Execute { .. } => Err(Refusal::unsupported("`CREATE TABLE AS EXECUTE` is not allowed")
                .advise("write the query itself")
                .at(Some(create.tokens.start))),
            other => self.statement(other),
        }
    }

    /// SELECT … INTO a new table.
    pub(super) fn select_into(&mut self, select: &Select) -> Result<(), Refusal> {
        match &select.into {
            None => Ok(()),
            Some(crate::sql::ast::Into::Outside) => {
                Err(Refusal::unsupported("`SELECT … INTO` files or variables is not allowed")
                    .advise("read the rows through the connection")
                    .at(Some(select.tokens.start)))
            }
            Some(crate::sql::ast::Into::Table { name, temporary: true }) => self.begin_temporary(name, false),
            Some(crate::sql::ast::Into::Table { name, temporary: false }) => {
                self.out.writes = true;
                self.create_name(name)
            }
        }
    }

    /// OR REPLACE: what is there is dropped.
    fn may_replace(&self, create: &CreateAs) -> Result<(), Refusal> {
        if !create.replace {
            return Ok(());
        }
        let (schema, object) = self.split(&create.name)?;
        match self.world.snapshot.find(&self.creation_schema(schema)?, &object.value) {
            Some(there) => self.may_change(there, Verb::Drop, &create.name.tokens),
            None => Ok(()),
        }
    }

    /// MySQL's `CREATE TABLE t LIKE s`: the definition of `s`, which must not hold more than the role sees.
    fn create_like(&mut self, name: &ObjectName, like: &ObjectName, temporary: bool) -> Result<(), Refusal> {
        let source = self.relation(like)?;
        let place = self.note_use(source, like, Verb::Read, like.tokens.clone())?;
        if let Some(used) = self.out.relations.get_mut(place) {
            used.appearance = super::resolved::Appearance::Target;
        }
        let hides = self
            .out
            .relations
            .get(place)
            .is_some_and(|used| used.access.columns.iter().any(|column| column.treatment == Treatment::Denied));
        if hides || source.kind == RelationKind::View || self.world.is_system_schema(&source.schema) {
            return Err(Refusal::forbidden(format!(
                "the definition of `{}.{}` may not be copied",
                source.schema, source.name
            ))
            .because("it holds columns that the role does not see, or it is no table of its own")
            .advise("list the columns")
            .at(Some(like.tokens.start)));
        }
        if temporary {
            return self.create_temporary_like(name, source);
        }
        self.out.writes = true;
        self.create_name(name)
    }

    /// The name of an object that is about to be made; it is written out with its schema.
    fn create_name(&mut self, name: &ObjectName) -> Result<(), Refusal> {
        let (schema, object) = self.split(name)?;
        let schema = self.creation_schema(schema)?;
        self.may_make(&schema, &object.value, Some(object.token))?;
        let full = format!("{}.{}", self.quote(&schema), self.quote(&object.value));
        self.edit(name.tokens.clone(), full);
        Ok(())
    }

    /// The schema that an object is made in: the one named, or the first that is searched.
    pub(super) fn creation_schema(&self, named: Option<&Name>) -> Result<Box<str>, Refusal> {
        let schema = named.map(|schema| &schema.value).or(self.world.search_path.first());
        schema.cloned().ok_or_else(|| {
            Refusal::unsupported("no schema is selected to create in").advise("name the object as `schema.table`")
        })
    }

    pub(super) fn ddl(&mut self, ddl: &Ddl) -> Result<(), Refusal> {
        let words = format!("{} {}", ddl.action.word(), ddl.object);
        if !ddl.complete || OBJECTS.binary_search(&&*ddl.object).is_err() {
            return Err(self.refuse_kind(&words));
        }
        let mysql = self.world.engine() == Engine::MySql;
        let changes_index = &*ddl.object == "INDEX" && ddl.action != DdlAction::Create;
        if mysql && let Some((name, like)) = copied_table(ddl) {
            return self.create_like(name, like, ddl.temporary);
        }
        if ddl.temporary && ddl.action == DdlAction::Create {
            return self.create_temporary(ddl);
        }
        self.out.writes = true;
        let verb = match ddl.action {
            DdlAction::Create => Verb::Create,
            DdlAction::Alter | DdlAction::Comment | DdlAction::Grant | DdlAction::Refresh | DdlAction::Reindex => {
                Verb::Alter
            }
            DdlAction::Drop if changes_index => Verb::Alter,
            DdlAction::Drop => Verb::Drop,
            DdlAction::Truncate => Verb::Truncate,
        };
        if ddl.action == DdlAction::Grant {
            // What a role of the server may do is not for a role of the rules to say.
            return Err(self.refuse_kind(ddl.action.word()));
        }
        for name in &ddl.names {
            let makes_it = ddl.action == DdlAction::Create && &*ddl.object != "INDEX";
            if makes_it {
                self.create_name(name)?;
            } else if changes_index && !mysql {
                self.change_index(ddl, name)?;
            } else if !self.is_absent(ddl, name)? {
                self.change_relation(name, verb)?;
            }
        }
        for reference in &ddl.references {
            self.change_relation(reference, Verb::Alter)?;
        }
        self.moved(ddl)?;
        for token in &ddl.cascades {
            // Views, keys and tables that depend on it are not the statement's to drop: the server says which there are.
            self.edit(*token..*token + 1, "RESTRICT");
        }
        self.column_types(ddl)?;
        let scope = self.defining_scope(ddl);
        self.exprs(&ddl.expressions, scope)?;
        self.changed_by(ddl);
        Ok(())
    }

    /// The types of columns; `serial` and its kin are words of CREATE TABLE, no types.
    pub(super) fn column_types(&mut self, ddl: &Ddl) -> Result<(), Refusal> {
        const SERIAL: &[&str] = &["bigserial", "serial", "serial2", "serial4", "serial8", "smallserial"];
        let is_serial = |ty: &TypeName| matches!(&*ty.name.parts, [only] if SERIAL.contains(&&*only.value));
        ddl.types.iter().filter(|ty| !is_serial(ty)).try_for_each(|ty| self.type_name(ty))
    }

    /// DROP … IF EXISTS of something that is not there: the server says so, where the role could drop what has the name.
    fn is_absent(&mut self, ddl: &Ddl, name: &ObjectName) -> Result<bool, Refusal> {
        let (schema, object) = self.split(name)?;
        if ddl.action != DdlAction::Drop
            || !ddl.if_exists
            || self.world.relation(schema.map(|schema| &*schema.value), &object.value).is_some()
        {
            return Ok(false);
        }
        let temporary = match self.world.engine() {
            Engine::Postgres => {
                schema.is_none_or(|schema| *schema.value == *TEMPORARY_SCHEMA)
                    && self.world.rules.may_create(TEMPORARY_SCHEMA, &object.value)
            }
            Engine::MySql => false,
        };
        let schema = self.creation_schema(schema)?;
        let is_temporary = ddl.temporary && self.world.engine() == Engine::MySql;
        let droppable = is_temporary || self.world.rules.may_drop(&schema, &object.value);
        let meant = match (droppable && !self.world.is_system_schema(&schema), temporary) {
            (true, _) => &*schema,
            (false, true) => TEMPORARY_SCHEMA,
            (false, false) => {
                let full = format!("{schema}.{}", object.value);
                return Err(Refusal::forbidden(format!("role `{}` may not drop `{full}`", self.world.role))
                    .advise(format!("ask the owner of the rules to grant `drop` on `{full}`"))
                    .at(Some(object.token)));
            }
        };
        let full = format!("{}.{}", self.quote(meant), self.quote(&object.value));
        self.edit(name.tokens.clone(), full);
        Ok(true)
    }

    /// RENAME TO, SET SCHEMA: the role must be allowed to make an object of the new name.
    fn moved(&self, ddl: &Ddl) -> Result<(), Refusal> {
        let Some(new) = ddl.new_name.as_ref().or(ddl.new_schema.as_ref()) else { return Ok(()) };
        let old = self.out.relations.first().and_then(|used| self.world.snapshot.relation(used.relation));
        let Some(old) = old else { return Err(self.refuse_kind("ALTER")) };
        let schema = ddl.new_schema.as_ref().map_or(&old.schema, |name| &name.value);
        let name = ddl.new_name.as_ref().map_or(&old.name, |name| &name.value);
        self.may_make(schema, name, Some(new.token))
    }

    fn may_make(&self, schema: &str, name: &str, token: Option<u32>) -> Result<(), Refusal> {
        if self.world.is_system_schema(schema) || schema.starts_with("pg_") {
            return Err(Refusal::forbidden(format!("nothing may be created in `{schema}`")).at(token));
        }
        if !self.world.rules.may_create(schema, name) {
            let full = format!("{schema}.{name}");
            return Err(Refusal::forbidden(format!("role `{}` may not create `{full}`", self.world.role))
                .advise(format!("ask the owner of the rules to grant `create` on `{full}`"))
                .at(token));
        }
        Ok(())
    }

    /// An object that exists; it is written out with its schema.
    fn change_relation(&mut self, name: &ObjectName, verb: Verb) -> Result<(), Refusal> {
        let relation = self.relation(name)?;
        self.may_change(relation, verb, &name.tokens)?;
        if verb == Verb::Alter && self.world.snapshot.is_temporary(relation.id) {
            return Err(Refusal::unsupported(format!("temporary table `{}` may not be changed", relation.name))
                .advise("drop it and make it anew")
                .at(Some(name.tokens.start)));
        }
        self.note_target(relation, name, verb)
    }

    /// An index of PostgreSQL is named by itself; what may be done with it is a matter of its table.
    fn change_index(&mut self, ddl: &Ddl, name: &ObjectName) -> Result<(), Refusal> {
        let (schema, object) = self.split(name)?;
        let snapshot = self.world.snapshot;
        let in_schema = |schema: &str| snapshot.index(schema, &object.value);
        let found = match schema {
            Some(schema) => in_schema(&schema.value),
            None => self.world.search_path.iter().find_map(|schema| in_schema(schema)),
        };
        let Some(table) = found else {
            return if self.is_absent(ddl, name)? {
                Ok(())
            } else {
                let message = format!("index \"{}\" does not exist", object.value);
                Err(Refusal::with_state(UNDEFINED_OBJECT, message).at(Some(object.token)))
            };
        };
        self.may_change(table, Verb::Alter, &name.tokens)?;
        let place = self.note_use(table, name, Verb::Alter, name.tokens.clone())?;
        if let Some(used) = self.out.relations.get_mut(place) {
            used.appearance = super::resolved::Appearance::OfIndex;
            used.used = vec![false; table.columns.len()];
        }
        let full = format!("{}.{}", self.quote(&table.schema), self.quote(&object.value));
        self.edit(name.tokens.clone(), full);
        Ok(())
    }

    /// The relation's full name stands in the statement.
    fn note_target(&mut self, relation: &Relation, name: &ObjectName, verb: Verb) -> Result<(), Refusal> {
        let place = self.note_use(relation, name, verb, name.tokens.clone())?;
        let columns = relation.columns.len();
        if let Some(used) = self.out.relations.get_mut(place) {
            used.appearance = super::resolved::Appearance::Target;
            used.used = vec![false; columns];
        }
        Ok(())
    }

    /// Definitions of a table that a role does not see whole are not its business: an index, a constraint or a new
    /// column's default would be computed from raw values and rows.
    fn may_change(&self, relation: &Relation, verb: Verb, tokens: &Tokens) -> Result<(), Refusal> {
        let access = self.world.rules.access(relation);
        self.require(relation, &access, verb).map_err(|refusal| refusal.at(Some(tokens.start)))?;
        if access.is_plain() || (verb == Verb::Drop && access.filters.is_empty()) {
            return Ok(());
        }
        let rule = access.filters.first().map(|filter| &filter.rule);
        let rule = rule.or_else(|| access.columns.iter().find_map(|column| column.rule.as_ref()));
        Err(Refusal::forbidden(format!(
            "`{}.{}` is protected for role `{}` and may not be changed",
            relation.schema, relation.name, self.world.role
        ))
        .by(rule)
        .at(Some(tokens.start)))
    }

    /// Expressions of a definition see the columns of the table that is defined or changed.
    pub(super) fn defining_scope(&mut self, ddl: &Ddl) -> ScopeId {
        let scope = self.push_scope(None);
        let mut columns: Vec<BoundColumn> = ddl.columns.iter().map(|name| BoundColumn::computed(&name.value)).collect();
        for used in &self.out.relations {
            let relation = self.world.snapshot.relation(used.relation);
            columns.extend(relation.iter().flat_map(|r| &r.columns).map(|c| BoundColumn::computed(&c.name)));
        }
        let name = ddl.names.first().and_then(ObjectName::object).map(|name| name.value.clone()).unwrap_or_default();
        columns.sort_by(|a, b| a.name.cmp(&b.name));
        columns.dedup_by(|a, b| a.name == b.name);
        let columns = columns.into();
        self.bind(scope, Binding { name, schema: None, kind: Kind::Query, columns, open: false, hidden: false });
        scope
    }

    /// TRUNCATE, LOCK: relations by verb; a filter's hidden rows would be concerned too.
    pub(super) fn lock(&mut self, lock: &LockTables) -> Result<(), Refusal> {
        if self.world.engine() == Engine::MySql {
            return Err(self.refuse_kind("LOCK TABLES"));
        }
        for name in &lock.tables {
            if lock.access_share {
                let relation = self.relation(name)?;
                self.note_target(relation, name, Verb::Read)?;
            } else {
                self.change_relation(name, Verb::Update)?;
            }
        }
        Ok(())
    }
}

/// The new table and the one whose definition it gets, of MySQL's `CREATE TABLE … LIKE`.
fn copied_table(ddl: &Ddl) -> Option<(&ObjectName, &ObjectName)> {
    let ([name], [like]) = (ddl.names.as_slice(), ddl.references.as_slice()) else { return None };
    let made = ddl.action == DdlAction::Create && &*ddl.object == "TABLE" && ddl.columns.is_empty();
    made.then_some((name, like))
}
