//! A role's own database: rules and catalog joined, every decision about a text, and the memory of those decisions.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::cache::Plans;
use super::plan::{self, Plan};
use super::position;
use super::role_rules::RoleRules;
use super::row_filter::{self, RowFilter};
use super::session_statement;
use super::temporary_tables::TemporaryTables;
use super::verdict::{Decision, Effect, Permit, Verdict};
use crate::audit::Facts;
use crate::catalog::known::{self, SettingRule, SystemView};
use crate::catalog::{Relation, Snapshot};
use crate::policy::{Attributes, Limits, PolicySet, RelationAccess, Role, Treatment};
use crate::resolve::{ExpandedView, Refusal, Rules, SYNTAX_ERROR, World};
use crate::rewrite::derived;
use crate::rewrite::masks::RelationContext;
use crate::sql::ast::Statement;
use crate::sql::mysql::{self, SqlMode};
use crate::sql::postgres;
use crate::sql::script::Reading;
use crate::sql::{Engine, LexError, Script};

/// What a decision depends on in the session, beside the text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Settings {
    /// PostgreSQL: the schemas searched; MySQL: the current database, if any. `None` is the source's default.
    pub search_path: Option<Arc<[Box<str>]>>,
    /// MySQL: how text is read.
    pub sql_mode: SqlMode,
    /// The session's temporary tables.
    pub temporary: Option<TemporaryTables>,
}

impl Settings {
    /// The settings once an effect has come true.
    pub fn apply(&mut self, effect: &Effect, snapshot: &Snapshot) {
        match effect {
            Effect::SetSearchPath { path, .. } => self.search_path.clone_from(path),
            Effect::Use(schema) => self.search_path = Some(Arc::from([schema.clone()])),
            Effect::SetSqlMode(mode) => self.sql_mode = *mode,
            Effect::ResetAll { discard } if snapshot.engine() == Engine::Postgres => {
                self.search_path = None;
                if *discard {
                    self.temporary = None;
                }
            }
            Effect::MakeTemporary { table, .. } => {
                self.temporary = Some(TemporaryTables::with(self.temporary.as_ref(), table));
            }
            Effect::DropTemporary(names) => {
                self.temporary = self.temporary.as_ref().and_then(|tables| tables.without(names.as_deref()));
            }
            Effect::ResetAll { .. }
            | Effect::None
            | Effect::SetRole(_)
            | Effect::Savepoint(_)
            | Effect::RollbackTo(_)
            | Effect::Release(_)
            | Effect::Prepare(_)
            | Effect::Execute(_)
            | Effect::Deallocate(_)
            | Effect::Declare(_)
            | Effect::Fetch(_)
            | Effect::Ddl => {}
        }
    }
}

/// The person for whom row filters are made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Person {
    /// The name logged in with.
    pub user: Arc<str>,
    /// `attributes` of `users.toml`.
    pub attributes: Attributes,
    /// Every role that the user may change to.
    pub roles: Vec<Arc<str>>,
}

/// What is known about one relation for the role, found out when it is first asked for.
#[derive(Debug, Default)]
pub(super) struct RelationEntry {
    pub(super) access: OnceLock<Arc<RelationAccess>>,
    pub(super) filters: OnceLock<Result<Arc<[RowFilter]>, Refusal>>,
    pub(super) view: OnceLock<Result<Arc<ExpandedView>, Refusal>>,
}

/// What one role sees of one source. Immutable but for its memory of decisions; a new one is made when rules or
/// catalog change, so nothing in it can be out of date. Shared by all sessions of the role.
#[derive(Debug)]
pub struct VirtualDatabase {
    policy: Arc<PolicySet>,
    snapshot: Arc<Snapshot>,
    role: Arc<Role>,
    person: Arc<Person>,
    key_ids: Arc<[Arc<str>]>,
    limits: Option<Arc<Limits>>,
    relations: Box<[RelationEntry]>,
    plans: Plans,
}

impl VirtualDatabase {
    /// Joins rules and catalog for a role. `person` matters where filters use attributes.
    pub fn new(policy: Arc<PolicySet>, snapshot: Arc<Snapshot>, role: Arc<Role>, person: Arc<Person>) -> Self {
        let relations = snapshot.relations().iter().map(|_| RelationEntry::default()).collect();
        let limits = policy.strictest(&role).map(Arc::new);
        Self { policy, snapshot, role, person, key_ids: Arc::default(), limits, relations, plans: Plans::new() }
    }

    /// Says which masking keys the server's sessions have (`SessionKeys::ids`); without, keyed masks deny.
    #[must_use]
    pub fn with_masking_keys(mut self, ids: Arc<[Arc<str>]>) -> Self {
        self.key_ids = ids;
        self
    }

    /// What masks may know of a relation whose other columns are named behind `qualifier`, or alone.
    pub(super) fn mask_context<'a>(
        &'a self,
        relation: &'a Relation,
        qualifier: Option<&'a str>,
    ) -> RelationContext<'a> {
        RelationContext { relation, qualifier, key_ids: &self.key_ids }
    }

    /// What the role sees with the session's temporary tables, where there are any.
    pub(super) fn with_temporary_tables(&self, settings: &Settings) -> Option<Arc<Self>> {
        settings.temporary.as_ref().map(|tables| tables.over(self))
    }

    pub(super) fn with_snapshot(&self, snapshot: Snapshot) -> Self {
        let (policy, role, person) = (Arc::clone(&self.policy), Arc::clone(&self.role), Arc::clone(&self.person));
        Self::new(policy, Arc::new(snapshot), role, person).with_masking_keys(Arc::clone(&self.key_ids))
    }

    pub(super) fn differs_in_temporary_tables_only(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.policy, &other.policy)
            && Arc::ptr_eq(&self.role, &other.role)
            && Arc::ptr_eq(&self.person, &other.person)
            && Arc::ptr_eq(&self.key_ids, &other.key_ids)
            && self.snapshot.differs_in_temporary_tables_only(&other.snapshot)
    }

    /// The rules in force.
    pub fn policy(&self) -> &Arc<PolicySet> {
        &self.policy
    }

    /// The catalog.
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// The role.
    pub fn role(&self) -> &Arc<Role> {
        &self.role
    }

    /// The person.
    pub fn person(&self) -> &Arc<Person> {
        &self.person
    }

    /// What limits the role; nothing for most.
    pub fn limits(&self) -> Option<&Arc<Limits>> {
        self.limits.as_ref()
    }

    /// Whether statements are asked about anew each time that they run, beside what was decided about their text.
    pub fn is_admitted_by_moment(&self) -> bool {
        self.limits.is_some()
    }

    /// Whether rules about statements as a whole bind the role, which bind unrestricted ones too.
    pub fn is_guarded(&self) -> bool {
        self.limits.is_some()
    }

    /// The family of the server.
    pub fn engine(&self) -> Engine {
        self.snapshot.engine()
    }

    /// Decides about a text. Never fails: what is not understood is a [`Denial`](super::Denial). A text seen before, or
    /// one that differs from it in plain literals only, is not parsed again.
    pub fn decide(&self, settings: &Settings, text: &str) -> Decision {
        if let Some(decision) = self.plans.exact(settings, text) {
            return decision;
        }
        let script = match self.read(settings, text) {
            Ok(script) => script,
            Err(error) => return self.unreadable(&error, text),
        };
        if self.role.unrestricted {
            return self.decide_unrestricted(settings, text, &script);
        }
        if self.role.observe {
            return self.decide_observed(settings, text, &script);
        }
        if let Some(template) = self.plans.shape(settings, &script.shape) {
            let verdict = Verdict::Permit(template.fill(text, &script));
            let facts = Arc::clone(&template.facts);
            return Decision { annotation: script.annotation, facts, verdict, observed: None, reported: Vec::new() };
        }
        let Plan { facts, outcome, template } = plan::plan(self, settings, text, &script);
        let verdict = match outcome {
            Ok(permit) => Verdict::Permit(permit),
            Err(denial) => Verdict::Denial(denial),
        };
        let decision =
            Decision { annotation: script.annotation.clone(), facts, verdict, observed: None, reported: Vec::new() };
        match template {
            Some(template) if script.tokens.iter().any(crate::sql::Token::is_plain_literal) => {
                self.plans.remember_shape(settings, &script.shape, template);
            }
            _ => self.plans.remember_exact(settings, text, &decision),
        }
        decision
    }

    fn decide_unrestricted(&self, settings: &Settings, text: &str, script: &Script) -> Decision {
        let annotation = script.annotation.clone();
        if let Some(template) = self.plans.shape(settings, &script.shape) {
            let verdict = Verdict::Permit(Permit::new(Arc::from(text), Arc::clone(template.effects()), false));
            return Decision {
                annotation,
                facts: Arc::clone(&template.facts),
                verdict,
                observed: None,
                reported: Vec::new(),
            };
        }
        let (facts, effects, own) = plan::observe(self, settings, text, script);
        let permit = match own {
            Some(effect) => {
                let marker = session_statement::unrestricted_role_marker(self, &effect);
                Permit::new(marker.into(), Arc::from([effect]), false)
            }
            None => Permit::new(Arc::from(text), effects.into(), false),
        };
        let plain = permit.effects().iter().all(|effect| *effect == Effect::None);
        let verdict = Verdict::Permit(permit);
        let decision =
            Decision { annotation, facts: Arc::clone(&facts), verdict, observed: None, reported: Vec::new() };
        if plain {
            let template = super::template::Template::unchanged(facts, script.statements.len());
            self.plans.remember_shape(settings, &script.shape, Arc::new(template));
        } else {
            self.plans.remember_exact(settings, text, &decision);
        }
        decision
    }

    /// Everything is decided as it would be, and the text goes through unchanged.
    fn decide_observed(&self, settings: &Settings, text: &str, script: &Script) -> Decision {
        let Plan { facts, outcome, .. } = plan::plan(self, settings, text, script);
        let (_, effects, own) = plan::observe(self, settings, text, script);
        let permit = match own {
            Some(effect) => {
                let marker = session_statement::unrestricted_role_marker(self, &effect);
                Permit::new(marker.into(), Arc::from([effect]), false)
            }
            None => Permit::new(Arc::from(text), effects.into(), false),
        };
        let annotation = script.annotation.clone();
        let observed = outcome.err().map(Arc::new);
        let decision = Decision { annotation, facts, verdict: Verdict::Permit(permit), observed, reported: Vec::new() };
        self.plans.remember_exact(settings, text, &decision);
        decision
    }

    /// A text that is no sequence of tokens: an unrestricted role's goes through as it is.
    fn unreadable(&self, error: &LexError, text: &str) -> Decision {
        let denial = plan::unreadable(error, text);
        let (verdict, observed) = if self.role.unrestricted || self.role.observe {
            let permit = Permit::new(Arc::from(text), Arc::from([Effect::Ddl]), false);
            (Verdict::Permit(permit), self.role.observe.then(|| Arc::new(denial)))
        } else {
            (Verdict::Denial(denial), None)
        };
        let facts = Arc::new(Facts { kinds: vec!["unknown"], ..Facts::default() });
        Decision { annotation: None, facts, verdict, observed, reported: Vec::new() }
    }

    /// Where in a text the server's error is, given where it is in what was sent for that text; nothing where the
    /// client wrote nothing there. Positions are in characters from 1.
    pub fn position_in_source(&self, settings: &Settings, text: &str, sent: &str, position: u32) -> Option<u32> {
        position::in_source(self, settings, text, sent, position)
    }

    /// The second lock: the name of a column that must not arrive raw, given where the server says a result column
    /// comes from. PostgreSQL's numbers.
    pub fn protected_column(&self, table_oid: u32, attribute: i16) -> Option<String> {
        if self.role.unrestricted || self.role.observe {
            return None;
        }
        let relation = self.snapshot.by_oid(table_oid)?;
        let position = relation.columns.iter().position(|column| column.number == attribute)?;
        self.raw_is_forbidden(relation, position)
    }

    /// The second lock on MySQL: by database, table and column as the server's column definitions have them.
    pub fn is_protected_column(&self, schema: &str, table: &str, column: &str) -> bool {
        if self.role.unrestricted || self.role.observe {
            return false;
        }
        let Some(relation) = self.snapshot.find(schema, table) else { return false };
        let position = relation.columns.iter().position(|c| c.name.eq_ignore_ascii_case(column));
        position.is_some_and(|position| self.raw_is_forbidden(relation, position).is_some())
    }

    fn raw_is_forbidden(&self, relation: &Relation, position: usize) -> Option<String> {
        let access = self.rules().access(relation);
        match access.columns.get(position)?.treatment {
            Treatment::Raw => None,
            Treatment::Masked(_) | Treatment::Denied => {
                let column = relation.columns.get(position)?;
                Some(format!("{}.{}.{}", relation.schema, relation.name, column.name))
            }
        }
    }

    /// Takes a text apart by the engine's rules.
    pub(super) fn read(&self, settings: &Settings, text: &str) -> Result<Script, LexError> {
        let reading = match self.engine() {
            Engine::Postgres => Reading::Postgres,
            Engine::MySql => Reading::MySql(settings.sql_mode, self.snapshot.flavour()),
        };
        Script::read(text, reading)
    }

    /// Parses a statement of a script.
    pub(super) fn parse(
        &self,
        settings: &Settings,
        text: &str,
        script: &Script,
        range: Range<usize>,
    ) -> Result<Statement, Refusal> {
        let parsed = match self.engine() {
            Engine::Postgres => postgres::parse(text, &script.tokens, range),
            Engine::MySql => mysql::parse(text, &script.tokens, range, settings.sql_mode, self.snapshot.flavour()),
        };
        parsed.map_err(|error| {
            let mut refusal = Refusal::with_state(SYNTAX_ERROR, error.message.to_string());
            refusal.token = error.token;
            refusal.advise("the checkpoint refuses what it does not understand")
        })
    }

    /// The relations of a schema that the role can see.
    pub(super) fn visible_relations<'d>(&'d self, schema: &'d str) -> impl Iterator<Item = &'d Relation> {
        let rules = self.rules();
        let inside = move |relation: &&Relation| match self.engine() {
            Engine::Postgres => *relation.schema == *schema,
            Engine::MySql => relation.schema.eq_ignore_ascii_case(schema),
        };
        let seen = move |relation: &&Relation| !rules.access(relation).verbs.is_empty();
        self.snapshot.relations().iter().filter(inside).filter(seen)
    }

    /// The schemas in which the role can see something, the server's own left out.
    pub(super) fn visible_schemas(&self) -> impl Iterator<Item = &str> {
        let own = |schema: &&str| !known::is_system(self.engine(), schema);
        self.snapshot.schemas().filter(own).filter(|schema| self.sees_schema(schema))
    }

    /// Whether the role can see something in a schema.
    pub(super) fn sees_schema(&self, schema: &str) -> bool {
        self.visible_relations(schema).next().is_some()
    }

    pub(super) fn entry(&self, relation: &Relation) -> Option<&RelationEntry> {
        self.relations.get(usize::try_from(relation.id.0).ok()?)
    }

    /// The rules as resolving asks for them.
    pub(super) fn rules(&self) -> RoleRules<'_> {
        RoleRules { database: self }
    }

    /// What names mean.
    pub(super) fn world<'a>(&'a self, settings: &'a Settings, rules: &'a dyn Rules) -> World<'a> {
        World {
            snapshot: &self.snapshot,
            rules,
            search_path: settings.search_path.as_deref().unwrap_or(self.snapshot.search_path()),
            sql_mode: settings.sql_mode,
            role: &self.role.name,
            inside_view: false,
            sees_temporary: settings.temporary.is_some(),
        }
    }

    /// What may be done with a setting of the server.
    pub(super) fn setting(&self, name: &str) -> SettingRule {
        match self.engine() {
            Engine::Postgres => known::postgres::setting(name),
            Engine::MySql => known::mysql::variable(name),
        }
    }

    /// The derived table that stands in a relation's place.
    pub(super) fn derived_table(
        &self,
        relation: &Relation,
        access: &RelationAccess,
        options: derived::Options<'_>,
    ) -> Result<String, Refusal> {
        let filters = self.rules().filters(relation)?;
        let column = |position| row_filter::column_name(self.engine(), relation, Some(&relation.name), position);
        let filters: Vec<String> = filters.iter().map(|filter| filter.render(column)).collect();
        derived::render(self.engine(), relation, access, &filters, &self.key_ids, options)
            .map_err(|error| Refusal::forbidden(format!("`{}.{}`: {error}", relation.schema, relation.name)))
    }

    /// What stands in the place of a relation of the server's own catalogs; `None` when it is shown as it is.
    pub(super) fn system_table(
        &self,
        relation: &Relation,
        view: SystemView,
        system_columns: &[&'static str],
    ) -> Result<Option<String>, Refusal> {
        super::system_table::render(self, relation, view, system_columns)
    }
}
