//! Function calls: which functions a name can mean, and whether all of them may be called.

use super::binder::{Binder, Sources};
use super::column::Nature;
use super::refusal::{Refusal, UNDEFINED_FUNCTION};
use super::resolved::Appearance;
use super::scope::ScopeId;
use crate::catalog::known::{self, BuiltinRule};
use crate::catalog::{Function, FunctionKind, Volatility};
use crate::sql::ast::{Call, Expr, ExprKind, Literal, Name, ObjectName};
use crate::sql::{Engine, TokenKind};

/// Functions that give one value for the whole statement and cannot fail.
const CONSTANT_FUNCTIONS: &[&str] = &["now", "statement_timestamp", "transaction_timestamp"];

fn in_schema<'f>(functions: &'f [Function], schema: &'f str) -> impl Iterator<Item = &'f Function> {
    functions.iter().filter(move |function| *function.schema == *schema)
}

impl Binder<'_> {
    pub(super) fn call(
        &mut self,
        call: &Call,
        expr: &Expr,
        scope: ScopeId,
        sink: &mut Sources,
    ) -> Result<Nature, Refusal> {
        let (edits, relations) = (self.out.edits.len(), self.out.relations.len());
        self.check_function(call)?;
        let referred = self.scope(scope).map_or(0, |scope| scope.referred.len());
        self.operands(&call.arguments, scope, sink)?;
        self.operands(&call.order_by, scope, sink)?;
        self.operands(&call.filter, scope, sink)?;
        if let Some(over) = &call.over {
            self.operands(over, scope, sink)?;
        } else if self.is_aggregate(call) {
            // What an aggregate takes in need not be grouped by.
            if let Some(scope) = self.scope_mut(scope) {
                scope.referred.truncate(referred);
            }
        }
        let constant = call.arguments.is_empty()
            && call.name.parts.len() == 1
            && CONSTANT_FUNCTIONS.contains(&self.token_text(expr.tokens.start).to_ascii_lowercase().as_str());
        if let Some(ty) = self.withheld(call).or_else(|| self.is_absent_setting(call).then_some("text")) {
            if self.out.relations.len() > relations {
                return Err(Refusal::unsupported("a query stands inside a call whose answer is not shown")
                    .at(Some(expr.tokens.start)));
            }
            // The call is not made, so nothing inside of it is sent.
            self.out.edits.truncate(edits);
            self.edit(expr.tokens.clone(), format!("NULL::pg_catalog.{ty}"));
            self.withheld += 1;
        }
        Ok(Nature { direct: false, harmless: constant })
    }

    /// The type of NULL that stands in the place of a call which was found allowed.
    fn withheld(&self, call: &Call) -> Option<&'static str> {
        let (schema, name) = self.split(&call.name).ok()?;
        let means_builtin = schema.is_none_or(|schema| *schema.value == *"pg_catalog");
        match self.world.rules.builtin(&name.value.to_ascii_lowercase()) {
            BuiltinRule::Withheld(ty) if means_builtin => Some(ty),
            BuiltinRule::Withheld(_)
            | BuiltinRule::Allowed
            | BuiltinRule::SettingName
            | BuiltinRule::Refused(_)
            | BuiltinRule::Unknown => None,
        }
    }

    fn is_aggregate(&self, call: &Call) -> bool {
        let name = call.name.object().map(|name| &*name.value).unwrap_or_default();
        self.world.snapshot.functions(name).iter().any(|function| function.kind == FunctionKind::Aggregate)
    }

    /// Every function that the name can mean must be allowed: which one the server takes depends on types.
    fn check_function(&mut self, call: &Call) -> Result<(), Refusal> {
        let (schema, name) = self.split(&call.name)?;
        match self.world.engine() {
            Engine::Postgres => self.check_postgres_function(call, schema, name),
            Engine::MySql => self.check_mysql_function(call, schema, name),
        }
    }

    fn check_postgres_function(&mut self, call: &Call, schema: Option<&Name>, name: &Name) -> Result<(), Refusal> {
        let functions = self.world.snapshot.functions(&name.value);
        let in_schema = |schema| in_schema(functions, schema);
        if let Some(schema) = schema.filter(|schema| *schema.value != *"pg_catalog") {
            let mut named = in_schema(&schema.value).peekable();
            if named.peek().is_none() {
                return Err(Self::unknown_function(&format!("{}.{}", schema.value, name.value), name));
            }
            return match named.find(|function| !self.is_allowed_function(function)) {
                Some(function) => Err(self.refuse_function(&function.schema, name)),
                None => Ok(()),
            };
        }
        let searched = self.world.search_path.iter().flat_map(|schema| in_schema(schema));
        let others = if schema.is_some() { Vec::new() } else { searched.collect::<Vec<_>>() };
        let foreign = others.iter().find(|function| !self.is_allowed_function(function));
        if in_schema("pg_catalog").next().is_none() {
            let Some(first) = others.first() else { return Err(Self::unknown_function(&name.value, name)) };
            if let Some(function) = foreign {
                return Err(self.refuse_function(&function.schema, name));
            }
            if others.iter().all(|other| other.schema == first.schema) {
                let prefix = format!("{}.", self.quote(&first.schema));
                self.edit(name.token..name.token, prefix);
            }
            return Ok(());
        }
        self.check_builtin(call, name)?;
        if schema.is_none() && (others.is_empty() || foreign.is_some()) {
            // Another function of this name in a schema that is searched, were it made this very moment, is not meant.
            self.edit(name.token..name.token, "pg_catalog.");
        }
        Ok(())
    }

    fn check_mysql_function(&mut self, call: &Call, schema: Option<&Name>, name: &Name) -> Result<(), Refusal> {
        let Some(schema) = schema else {
            let lower = name.value.to_ascii_lowercase();
            if self.world.rules.builtin(&lower) != BuiltinRule::Unknown {
                return self.check_builtin(call, name);
            }
            let Some(database) = self.world.search_path.first() else {
                return Err(Self::unknown_function(&name.value, name));
            };
            return self.check_stored_function(database, name);
        };
        self.check_stored_function(&schema.value, name)
    }

    fn check_stored_function(&self, database: &str, name: &Name) -> Result<(), Refusal> {
        let functions = self.world.snapshot.functions(&name.value.to_ascii_lowercase());
        if functions.iter().any(|function| self.world.same_name(&function.schema, database)) {
            if self.world.rules.may_call(database, &name.value) {
                return Ok(());
            }
            return Err(self.refuse_function(database, name));
        }
        Err(Self::unknown_function(&format!("{database}.{}", name.value), name))
    }

    fn check_builtin(&mut self, call: &Call, name: &Name) -> Result<(), Refusal> {
        match self.world.rules.builtin(&name.value.to_ascii_lowercase()) {
            BuiltinRule::Allowed | BuiltinRule::Withheld(_) => Ok(()),
            BuiltinRule::SettingName => self.check_setting_argument(call, name),
            BuiltinRule::Refused(why) => Err(Refusal::forbidden(format!(
                "function `{}` is not allowed for role `{}`",
                name.value, self.world.role
            ))
            .because(why)
            .at(Some(name.token))),
            BuiltinRule::Unknown => {
                Err(Refusal::unsupported(format!("function `{}` is not known to be safe", name.value))
                    .advise("only functions that compute from their arguments may be called")
                    .at(Some(name.token)))
            }
        }
    }

    /// `current_setting('name')`: the name must be a plain string of a harmless setting. One that is a column or a parameter
    /// (`\dconfig`, drivers) is NULL for all others, and so is its value.
    fn check_setting_argument(&mut self, call: &Call, name: &Name) -> Result<(), Refusal> {
        let setting = call.arguments.first().and_then(|argument| match argument.kind {
            ExprKind::Literal(Literal::String) => self.plain_string(argument.tokens.start),
            _ => None,
        });
        self.out.reads_literals = true;
        match setting {
            // Stored queries hold masks as they were written when they were made.
            Some(setting) if setting.starts_with("sekisho.key_") && self.world.inside_view => Ok(()),
            Some(setting) if self.world.rules.may_read_setting(&setting.to_ascii_lowercase()) => Ok(()),
            Some(_) if self.is_absent_setting(call) => Ok(()),
            Some(setting) => {
                Err(Refusal::forbidden(format!("setting `{setting}` is not readable by role `{}`", self.world.role))
                    .at(Some(name.token)))
            }
            None => self.limit_setting_argument(call, name),
        }
    }

    fn limit_setting_argument(&mut self, call: &Call, name: &Name) -> Result<(), Refusal> {
        let Some(settings) = self.world.rules.readable_settings() else { return Ok(()) };
        // The argument is written twice: it may be no column of a target, which is raw where it stands.
        let writes = self.out.relations.iter().any(|used| matches!(used.appearance, Appearance::Target));
        let argument = call.arguments.first().filter(|argument| match &argument.kind {
            ExprKind::Column(column) => column.parts.len() <= 2 && !writes,
            ExprKind::Parameter => true,
            _ => false,
        });
        let Some(argument) = argument.filter(|_| self.world.engine() == Engine::Postgres) else {
            return Err(Refusal::unsupported(format!("`{}` takes only a setting's name in quotes", name.value))
                .at(Some(name.token)));
        };
        let source: String = argument.tokens.clone().map(|token| self.token_text(token)).collect();
        let names = settings.join("', '");
        let (start, end) = (argument.tokens.start, argument.tokens.end);
        self.edit(start..start, format!("CASE WHEN pg_catalog.lower({source}) IN ('{names}') THEN "));
        self.edit(end..end, " END ");
        Ok(())
    }

    /// `current_setting('app.user', true)`: to the role there are no settings of extensions and applications, so it is NULL,
    /// whatever the server has.
    fn is_absent_setting(&self, call: &Call) -> bool {
        let is_it = self.split(&call.name).is_ok_and(|(schema, name)| {
            schema.is_none_or(|schema| *schema.value == *"pg_catalog") && *name.value == *"current_setting"
        });
        let [setting, missing_ok] = call.arguments.as_slice() else { return false };
        let is_true = matches!(missing_ok.kind, ExprKind::Literal(Literal::Boolean))
            && self.token_text(missing_ok.tokens.start).eq_ignore_ascii_case("true");
        let name = self.plain_string(setting.tokens.start).unwrap_or_default();
        let is_literal = matches!(setting.kind, ExprKind::Literal(Literal::String));
        let is_extension = name.contains('.') && !self.world.rules.may_read_setting(&name.to_ascii_lowercase());
        is_it
            && is_true
            && is_literal
            && is_extension
            && !self.world.inside_view
            && self.world.engine() == Engine::Postgres
    }

    /// CALL: whatever the procedure does is its author's; the role needs the grant.
    pub(super) fn check_procedure(&mut self, name: &ObjectName) -> Result<(), Refusal> {
        let (schema, object) = self.split(name)?;
        let procedures = self.world.snapshot.functions(&object.value);
        let searched = |found: &str| match schema {
            Some(schema) => *schema.value == *found,
            None => self.world.search_path.iter().any(|path| **path == *found),
        };
        let mut found = procedures.iter().filter(|procedure| searched(&procedure.schema)).peekable();
        let Some(first) = found.peek() else {
            return Err(Self::unknown_function(&object.value, object));
        };
        let full = format!("{}.{}", self.quote(&first.schema), self.quote(&object.value));
        if let Some(procedure) = found.find(|procedure| !self.world.rules.may_call(&procedure.schema, &procedure.name))
        {
            Err(self.refuse_function(&procedure.schema, object))
        } else {
            self.edit(name.tokens.clone(), full);
            Ok(())
        }
    }

    /// The content of a string literal without prefix and escapes.
    pub(super) fn plain_string(&self, token: u32) -> Option<String> {
        let found = self.tokens.get(usize::try_from(token).ok()?)?;
        if found.kind != TokenKind::String {
            return None;
        }
        let text = found.text(self.text);
        let inside = text.strip_prefix('\'')?.strip_suffix('\'')?;
        (!inside.contains('\'') && !inside.contains('\\')).then(|| inside.to_owned())
    }

    /// Whether a function only computes, or was granted or declared safe.
    pub(super) fn is_allowed_function(&self, function: &Function) -> bool {
        if matches!(&*function.schema, "pg_catalog" | "information_schema") {
            return self.world.rules.builtin(&function.name) == BuiltinRule::Allowed;
        }
        let computes = function.extension.as_deref().is_some_and(|extension| self.world.rules.computes(extension))
            && !known::postgres::is_reading_function(&function.name)
            && matches!(&*function.language, "c" | "internal")
            && matches!(function.volatility, Volatility::Immutable | Volatility::Stable);
        computes || self.world.rules.may_call(&function.schema, &function.name)
    }

    fn refuse_function(&self, schema: &str, name: &Name) -> Refusal {
        Refusal::forbidden(format!("function `{schema}.{}` is not granted to role `{}`", name.value, self.world.role))
            .advise("ask the owner of the rules for `call` on it, or for a `[[trust]]` rule")
            .at(Some(name.token))
    }

    fn unknown_function(full: &str, name: &Name) -> Refusal {
        Refusal::with_state(UNDEFINED_FUNCTION, format!("function {full} does not exist")).at(Some(name.token))
    }
}
