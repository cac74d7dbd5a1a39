//! The rules as resolving asks for them: what a role may do, and, for reading back, no rules at all.

use std::sync::Arc;

use super::row_filter::RowFilter;
use super::virtual_database::{Settings, VirtualDatabase};
use crate::catalog::Relation;
use crate::catalog::known::{self, BuiltinRule, SystemView};
use crate::policy::{ColumnAccess, RelationAccess, Treatment, Verb, Verbs};
use crate::resolve::{self, ExpandedView, Refusal, Rules, World};
use crate::rewrite::masks::KEY_VARIABLES;
use crate::rewrite::{filter, masks};
use crate::sql::Engine;

/// How deep views may be nested in views.
const MAX_VIEW_DEPTH: usize = 32;

/// The rules for a role.
#[derive(Clone, Copy)]
pub(super) struct RoleRules<'a> {
    pub(super) database: &'a VirtualDatabase,
}

impl RoleRules<'_> {
    fn find_access(self, relation: &Relation) -> RelationAccess {
        let database = self.database;
        if known::is_system(database.engine(), &relation.schema) {
            return plain(relation, Verbs::READ);
        }
        if database.snapshot().is_temporary(relation.id) {
            return plain(relation, Verbs::ALL);
        }
        let mut access = database.policy().access(database.role(), database.snapshot(), relation);
        super::derivation::protect_derived(database, relation, &mut access);
        let context = database.mask_context(relation, None);
        for (column, column_access) in relation.columns.iter().zip(&mut access.columns) {
            let Treatment::Masked(mask) = &column_access.treatment else { continue };
            let name = database.engine().quote_identifier(&column.name);
            if masks::render(database.engine(), mask, column, &name, &context).is_err() {
                column_access.treatment = Treatment::Denied;
            }
        }
        access
    }

    /// The filters of a relation, ready to be written.
    pub(super) fn filters(self, relation: &Relation) -> Result<Arc<[RowFilter]>, Refusal> {
        let Some(entry) = self.database.entry(relation) else { return Ok(Arc::from([])) };
        entry.filters.get_or_init(|| self.find_filters(relation)).clone()
    }

    fn find_filters(self, relation: &Relation) -> Result<Arc<[RowFilter]>, Refusal> {
        let database = self.database;
        let person = database.person();
        let access = self.access(relation);
        let compiled = access.filters.iter().map(|filter| {
            let condition = filter::render(
                database.engine(),
                &filter.predicate,
                &person.attributes,
                &person.user,
                &database.role().name,
            );
            let condition = condition.map_err(|error| {
                Refusal::forbidden(format!(
                    "`{}.{}` cannot be read by role `{}`: {error}",
                    relation.schema,
                    relation.name,
                    database.role().name
                ))
                .by(Some(&filter.rule))
            })?;
            RowFilter::compile(database, relation, &filter.rule, &condition)
        });
        compiled.collect()
    }

    fn find_view(self, view: &Relation) -> Result<Arc<ExpandedView>, Refusal> {
        let depth = VIEW_DEPTH.get();
        if depth >= MAX_VIEW_DEPTH {
            return Err(Refusal::unsupported("views are nested too deeply"));
        }
        VIEW_DEPTH.set(depth + 1);
        let expanded = self.expand_now(view);
        VIEW_DEPTH.set(depth);
        expanded
    }

    fn expand_now(self, view: &Relation) -> Result<Arc<ExpandedView>, Refusal> {
        let database = self.database;
        let settings = Settings::default();
        let text = view.definition.clone().ok_or_else(|| Refusal::unsupported("its definition is not known"))?;
        let script = database
            .read(&settings, &text)
            .map_err(|error| Refusal::unsupported(format!("its definition is not understood: {error}")))?;
        let range = script.statements.first().cloned().unwrap_or(0..0);
        let statement = database.parse(&settings, &text, &script, range.clone())?;
        let search_path: &[Box<str>] = match database.engine() {
            Engine::Postgres => &[],
            Engine::MySql => std::slice::from_ref(&view.schema),
        };
        let world = World {
            snapshot: database.snapshot(),
            rules: &self,
            search_path,
            sql_mode: settings.sql_mode,
            role: &database.role().name,
            inside_view: true,
            sees_temporary: false,
            plain_parameters: true,
        };
        let resolved = resolve::resolve(&world, &text, &script.tokens, &statement)?;
        if resolved.writes {
            return Err(Refusal::unsupported("its definition writes"));
        }
        Ok(Arc::new(ExpandedView { tokens: range, text, script, resolved, barrier: view.security_barrier }))
    }
}

thread_local! {
    /// How many views are being expanded around this one.
    static VIEW_DEPTH: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

impl Rules for RoleRules<'_> {
    fn access(&self, relation: &Relation) -> Arc<RelationAccess> {
        match self.database.entry(relation) {
            Some(entry) => Arc::clone(entry.access.get_or_init(|| Arc::new(self.find_access(relation)))),
            None => Arc::new(self.find_access(relation)),
        }
    }

    fn expand(&self, view: &Relation) -> Result<Arc<ExpandedView>, Refusal> {
        match self.database.entry(view) {
            Some(entry) => entry.view.get_or_init(|| self.find_view(view)).clone(),
            None => self.find_view(view),
        }
    }

    fn may_call(&self, schema: &str, function: &str) -> bool {
        let database = self.database;
        database.policy().may_call(database.role(), database.snapshot(), schema, function)
            || database.policy().trusted_function(database.snapshot(), schema, function).is_some()
    }

    fn system(&self, relation: &Relation) -> SystemView {
        match self.database.engine() {
            Engine::Postgres => known::postgres::system_relation(&relation.schema, &relation.name),
            Engine::MySql => known::mysql::system_relation(&relation.schema, &relation.name),
        }
    }

    fn builtin(&self, function: &str) -> BuiltinRule {
        match self.database.engine() {
            Engine::Postgres => known::postgres::function(function),
            Engine::MySql => known::mysql::function(function),
        }
    }

    fn may_create(&self, schema: &str, object: &str) -> bool {
        let database = self.database;
        database.policy().verbs(database.role(), database.snapshot(), schema, object).contains(Verb::Create)
    }

    fn may_drop(&self, schema: &str, object: &str) -> bool {
        let database = self.database;
        database.policy().verbs(database.role(), database.snapshot(), schema, object).contains(Verb::Drop)
    }

    fn computes(&self, extension: &str) -> bool {
        known::postgres::extension_computes(extension)
    }

    fn may_read_setting(&self, name: &str) -> bool {
        self.database.setting(name).may_read()
    }

    fn readable_settings(&self) -> Option<Vec<&'static str>> {
        Some(known::postgres::readable_settings().collect())
    }

    fn may_read_variable(&self, _name: &str) -> bool {
        false
    }

    fn filter_columns(&self, relation: &Relation) -> Vec<usize> {
        // A filter that cannot be read refuses the statement when it is written; until then it reads everything.
        match self.filters(relation) {
            Ok(filters) => filters.iter().flat_map(RowFilter::columns).collect(),
            Err(_) => (0..relation.columns.len()).collect(),
        }
    }
}

/// No rules: everything is plain and allowed. Only for seeing what a text mentions.
#[derive(Clone, Copy)]
pub(super) struct BareRules {}

impl Rules for BareRules {
    fn access(&self, relation: &Relation) -> Arc<RelationAccess> {
        Arc::new(RelationAccess { trusted: Some(Arc::default()), ..plain(relation, Verbs::ALL) })
    }

    fn expand(&self, _view: &Relation) -> Result<Arc<ExpandedView>, Refusal> {
        Err(Refusal::unsupported("no view is expanded here"))
    }

    fn may_call(&self, _schema: &str, _function: &str) -> bool {
        true
    }

    fn system(&self, _relation: &Relation) -> SystemView {
        SystemView::Open
    }

    fn builtin(&self, _function: &str) -> BuiltinRule {
        BuiltinRule::Allowed
    }

    fn may_create(&self, _schema: &str, _object: &str) -> bool {
        true
    }

    fn may_drop(&self, _schema: &str, _object: &str) -> bool {
        true
    }

    fn computes(&self, _extension: &str) -> bool {
        true
    }

    fn may_read_setting(&self, _name: &str) -> bool {
        true
    }

    fn readable_settings(&self) -> Option<Vec<&'static str>> {
        None
    }

    /// The keys of masks: what is read without rules was refused before if the client wrote one.
    fn may_read_variable(&self, name: &str) -> bool {
        name.starts_with(KEY_VARIABLES)
    }

    fn filter_columns(&self, _relation: &Relation) -> Vec<usize> {
        Vec::new()
    }
}

/// Everything as the server has it.
fn plain(relation: &Relation, verbs: Verbs) -> RelationAccess {
    let raw = ColumnAccess { treatment: Treatment::Raw, rule: None, writable: true };
    RelationAccess { verbs, columns: vec![raw; relation.columns.len()], filters: Vec::new(), trusted: None }
}
