//! Names of types: which type is meant, and whether making a value of it runs anybody's code.

use std::sync::Arc;

use super::binder::Binder;
use super::refusal::{Refusal, UNDEFINED_OBJECT};
use crate::catalog::known;
use crate::sql::Engine;
use crate::sql::ast::{Name, TypeName};

impl Binder<'_> {
    /// A type whose values are made by functions outside `pg_catalog` is a function call by another name. One that is
    /// not built in is written out with its schema, so that it stays the one that was looked at.
    pub(super) fn type_name(&mut self, ty: &TypeName) -> Result<(), Refusal> {
        let (schema, name) = self.split(&ty.name)?;
        let searched = |found: &str| match schema {
            Some(schema) => *schema.value == *found,
            None => self.world.search_path.iter().any(|path| **path == *found),
        };
        let computes = |extension: &Option<Arc<str>>| {
            extension.as_deref().is_some_and(|extension| self.world.rules.computes(extension))
        };
        let mut types = self.world.snapshot.user_types(&name.value).iter();
        match types.find(|ty| searched(&ty.schema) && ty.runs_functions && !computes(&ty.extension)) {
            Some(found) if !self.world.rules.may_call(&found.schema, &name.value) => {
                Err(Refusal::unsupported(format!("a cast to `{}.{}` runs functions", found.schema, name.value))
                    .advise("ask the owner of the rules for `call` on the type's name")
                    .at(Some(name.token)))
            }
            Some(_) | None => self.pin_type(schema, name),
        }
    }

    /// Writes out the schema of a type that is named without it.
    fn pin_type(&mut self, schema: Option<&Name>, name: &Name) -> Result<(), Refusal> {
        // Words of the grammar always mean the built-in types.
        let by_grammar = schema.is_none() && !self.token_text(name.token).starts_with('"') && is_grammar(&name.value);
        let is_builtin = by_grammar || known::postgres::is_type(&name.value);
        let builtin_schema = schema.is_none_or(|schema| self.world.is_system_schema(&schema.value));
        if self.world.engine() == Engine::MySql || (builtin_schema && is_builtin) {
            return Ok(());
        }
        let found = match schema {
            Some(schema) => self.has_type(&schema.value, &name.value).then_some(&schema.value),
            None => self.world.search_path.iter().find(|path| self.has_type(path, &name.value)),
        };
        match (found, schema) {
            (Some(found), None) => {
                let prefix = format!("{}.", self.quote(found));
                self.edit(name.token..name.token, prefix);
                Ok(())
            }
            (Some(_), Some(_)) => Ok(()),
            // The rows of the server's own relations, and of the session's temporary tables.
            (None, _) if self.world.relation(schema.map(|schema| &*schema.value), &name.value).is_some() => Ok(()),
            (None, _) => Err(Refusal::with_state(UNDEFINED_OBJECT, format!("type \"{}\" does not exist", name.value))
                .at(Some(name.token))),
        }
    }

    /// Whether a schema has a type of this name: one of its own, an array of one, or the rows of a relation.
    fn has_type(&self, schema: &str, name: &str) -> bool {
        let has = |name: &str| {
            let snapshot = self.world.snapshot;
            snapshot.user_types(name).iter().any(|ty| *ty.schema == *schema)
                || snapshot.find(schema, name).is_some_and(|relation| !snapshot.is_temporary(relation.id))
        };
        has(name) || name.strip_prefix('_').is_some_and(has)
    }
}

/// Whether a word of the grammar means a built-in type, as in `double precision`.
fn is_grammar(name: &str) -> bool {
    let first = name.split(' ').next().unwrap_or_default();
    matches!(
        first,
        "bigint"
            | "bit"
            | "boolean"
            | "char"
            | "character"
            | "dec"
            | "decimal"
            | "double"
            | "float"
            | "int"
            | "integer"
            | "interval"
            | "json"
            | "national"
            | "nchar"
            | "numeric"
            | "real"
            | "smallint"
            | "time"
            | "timestamp"
            | "varchar"
    )
}
