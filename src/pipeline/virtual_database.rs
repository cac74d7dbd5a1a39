//! A role's own database: rules and catalog joined, every decision about a text, and the memory of those decisions.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::cache::Plans;
use super::firewall::{self, Firewall, Matched, Screened};
use super::observation::{self, Observation};
use super::plan::{self, Plan};
use super::position;
use super::result_columns::{self, ResultColumn};
use super::role_rules::RoleRules;
use super::row_filter::{self, RowFilter};
use super::session_objects::SessionObjects;
use super::session_statement;
use super::verdict::{Decision, Effect, Permit, Verdict};
use crate::audit::Facts;
use crate::catalog::known::{self, SettingRule, SystemView};
use crate::catalog::{Relation, Snapshot};
use crate::policy::{Attributes, Learn, Limits, PolicySet, RelationAccess, Role, Treatment, Verb};
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
    /// What only the session has: temporary tables, what its open transaction made.
    pub objects: Option<SessionObjects>,
    /// PostgreSQL: the client declared types of parameters for whose sake columns may be converted.
    pub odd_parameters: bool,
}

impl Settings {
    /// The settings once an effect has come true.
    pub fn apply(&mut self, effect: &Effect, snapshot: &Snapshot) {
        match effect {
            Effect::SetSearchPath { path, .. } => {
                let meant = |name: &str| if name == "$user" { snapshot.account().into() } else { name.into() };
                self.search_path = path.as_ref().map(|path| path.iter().map(|name| meant(name)).collect());
            }
            Effect::Use(schema) => self.search_path = Some(Arc::from([schema.clone()])),
            Effect::SetSqlMode(mode) => self.sql_mode = *mode,
            Effect::ResetAll { discard } if snapshot.engine() == Engine::Postgres => {
                self.search_path = None;
                if *discard {
                    self.objects = None;
                }
            }
            Effect::MakeTemporary { table, .. } => {
                self.objects = Some(SessionObjects::with(self.objects.as_ref(), table));
            }
            Effect::DropTemporary(names) => {
                self.objects = self.objects.as_ref().and_then(|objects| objects.without(names.as_deref()));
            }
            Effect::ChangeObjects(changes) => {
                self.objects = Some(SessionObjects::changed(self.objects.as_ref(), changes));
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
    firewall: Option<Firewall>,
    learns: Box<[Arc<Learn>]>,
    relations: Box<[RelationEntry]>,
    plans: Plans,
}

impl VirtualDatabase {
    /// Joins rules and catalog for a role. `person` matters where filters use attributes.
    pub fn new(policy: Arc<PolicySet>, snapshot: Arc<Snapshot>, role: Arc<Role>, person: Arc<Person>) -> Self {
        let relations = snapshot.relations().iter().map(|_| RelationEntry::default()).collect();
        let limits = policy.strictest(&role).map(Arc::new);
        let firewall = Firewall::new(policy.blocks(&role));
        let learns = policy.learns(&role).into();
        let (key_ids, plans) = (Arc::default(), Plans::new());
        Self { policy, snapshot, role, person, key_ids, limits, firewall, learns, relations, plans }
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

    /// What the role sees with what only the session has, if it has anything.
    pub(super) fn with_session_objects(&self, settings: &Settings) -> Option<Arc<Self>> {
        settings.objects.as_ref().map(|objects| objects.over(self))
    }

    pub(super) fn with_snapshot(&self, snapshot: Snapshot) -> Self {
        let (policy, role, person) = (Arc::clone(&self.policy), Arc::clone(&self.role), Arc::clone(&self.person));
        Self::new(policy, Arc::new(snapshot), role, person).with_masking_keys(Arc::clone(&self.key_ids))
    }

    pub(super) fn differs_in_session_only(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.policy, &other.policy)
            && Arc::ptr_eq(&self.role, &other.role)
            && Arc::ptr_eq(&self.person, &other.person)
            && Arc::ptr_eq(&self.key_ids, &other.key_ids)
            && self.snapshot.differs_in_session_only(&other.snapshot)
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
        self.limits.is_some() || !self.learns.is_empty()
    }

    /// What learns the statements of the role.
    pub fn learns(&self) -> &[Arc<Learn>] {
        &self.learns
    }

    /// Whether rules about statements as a whole bind the role, which bind unrestricted ones too.
    pub fn is_guarded(&self) -> bool {
        self.limits.is_some() || self.firewall.is_some() || !self.learns.is_empty()
    }

    /// What blocks statements of the role.
    pub(super) fn firewall(&self) -> Option<&Firewall> {
        self.firewall.as_ref()
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
        let annotation = script.annotation.clone();
        if let Some(template) = self.plans.shape(settings, &script.shape) {
            let Screened { denial, reported } = self.screen(&template.blocks, settings, text, &script, true);
            let verdict = denial.map_or_else(|| Verdict::Permit(template.fill(text, &script)), Verdict::Denial);
            return Decision { annotation, facts: Arc::clone(&template.facts), verdict, observed: None, reported };
        }
        let Plan { facts, outcome, template, blocks } = plan::plan(self, settings, text, &script);
        let Screened { denial, reported } = self.screen(&blocks, settings, text, &script, true);
        let verdict = match (outcome, denial) {
            (Ok(permit), None) => Verdict::Permit(permit),
            (Err(denial), _) | (Ok(_), Some(denial)) => Verdict::Denial(denial),
        };
        let decision = Decision { annotation, facts, verdict, observed: None, reported };
        match template {
            Some(template) if script.tokens.iter().any(crate::sql::Token::is_plain_literal) => {
                self.plans.remember_shape(settings, &script.shape, template);
            }
            _ => self.plans.remember_exact(settings, text, &decision),
        }
        decision
    }

    /// What the blocks that speak of a shape say of a text of it.
    fn screen(&self, blocks: &Matched, settings: &Settings, text: &str, script: &Script, is_known: bool) -> Screened {
        firewall::screen(blocks, text, script, self.reading(settings), is_known)
    }

    fn decide_unrestricted(&self, settings: &Settings, text: &str, script: &Script) -> Decision {
        let annotation = script.annotation.clone();
        if let Some(template) = self.plans.shape(settings, &script.shape) {
            let Screened { denial, reported } = self.screen(&template.blocks, settings, text, script, true);
            let permit = || Permit::new(Arc::from(text), Arc::clone(template.effects()), false);
            let verdict = denial.map_or_else(|| Verdict::Permit(permit()), Verdict::Denial);
            return Decision { annotation, facts: Arc::clone(&template.facts), verdict, observed: None, reported };
        }
        let Observation { facts, effects, own, blocks, is_known, reads_literals } =
            observation::observe(self, settings, text, script);
        let Screened { denial, reported } = self.screen(&blocks, settings, text, script, is_known);
        let permit = self.unchanged(text, effects, own);
        let plain = !reads_literals && permit.effects().iter().all(|effect| *effect == Effect::None);
        let verdict = denial.map_or(Verdict::Permit(permit), Verdict::Denial);
        let decision = Decision { annotation, facts: Arc::clone(&facts), verdict, observed: None, reported };
        if plain {
            let template = super::template::Template::unchanged(facts, script.statements.len(), blocks);
            self.plans.remember_shape(settings, &script.shape, Arc::new(template));
        } else {
            self.plans.remember_exact(settings, text, &decision);
        }
        decision
    }

    /// Leave for a text as it is; a change of role is a text that changes nothing at the server.
    fn unchanged(&self, text: &str, effects: Vec<Effect>, own: Option<Effect>) -> Permit {
        match own {
            Some(effect) => {
                let marker = session_statement::unrestricted_role_marker(self, &effect);
                Permit::new(marker.into(), Arc::from([effect]), false)
            }
            None => Permit::new(Arc::from(text), effects.into(), false),
        }
    }

    /// Everything is decided as it would be, and the text goes through unchanged.
    fn decide_observed(&self, settings: &Settings, text: &str, script: &Script) -> Decision {
        let Plan { facts, outcome, .. } = plan::plan(self, settings, text, script);
        let Observation { effects, own, blocks, is_known, .. } = observation::observe(self, settings, text, script);
        let Screened { denial, reported } = self.screen(&blocks, settings, text, script, is_known);
        let observed = outcome.err().or(denial).map(Arc::new);
        let verdict = Verdict::Permit(self.unchanged(text, effects, own));
        let decision = Decision { annotation: script.annotation.clone(), facts, verdict, observed, reported };
        self.plans.remember_exact(settings, text, &decision);
        decision
    }

    /// A text that is no sequence of tokens: an unrestricted role's goes through as it is, unless there are blocks that
    /// should be asked about it.
    fn unreadable(&self, error: &LexError, text: &str) -> Decision {
        let denial = plan::unreadable(error, text);
        let blocked = self.firewall.as_ref().and_then(Firewall::unreadable);
        let permit = || Verdict::Permit(Permit::new(Arc::from(text), Arc::from([Effect::Ddl]), false));
        let (verdict, observed) = match (self.role.observe, self.role.unrestricted, blocked) {
            (true, _, _) => (permit(), Some(Arc::new(denial))),
            (false, true, None) => (permit(), None),
            (false, true, Some(blocked)) => (Verdict::Denial(blocked), None),
            (false, false, _) => (Verdict::Denial(denial), None),
        };
        let facts = Arc::new(Facts { kinds: vec!["unknown"], ..Facts::default() });
        Decision { annotation: None, facts, verdict, observed, reported: Vec::new() }
    }

    /// Where in a text the server's error is, given where it is in what was sent for that text; nothing where the
    /// client wrote nothing there. Positions are in characters from 1.
    pub fn position_in_source(&self, settings: &Settings, text: &str, sent: &str, position: u32) -> Option<u32> {
        position::in_source(self, settings, text, sent, position)
    }

    /// Labels and types of the result of a text of one statement; nothing for a text that is refused. Two that are
    /// equal look the same to a client.
    pub fn result_columns(&self, settings: &Settings, text: &str) -> Option<Vec<ResultColumn>> {
        result_columns::result_columns(self, settings, text)
    }

    /// Whether the role sees a relation whole and as it is.
    pub fn is_plain(&self, schema: &str, name: &str) -> bool {
        // A session's own temporary tables hold what the role sees; the server names their schema `pg_temp_3`.
        if self.engine() == Engine::Postgres && schema.starts_with("pg_temp_") {
            return true;
        }
        let found = self.snapshot.find(schema, name);
        found.is_some_and(|relation| {
            let access = self.rules().access(relation);
            access.verbs.contains(Verb::Read) && access.is_plain()
        })
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
        Script::read(text, self.reading(settings))
    }

    /// By whose lexical rules texts are read.
    pub(super) fn reading(&self, settings: &Settings) -> Reading {
        match self.engine() {
            Engine::Postgres => Reading::Postgres,
            Engine::MySql => Reading::MySql(settings.sql_mode, self.snapshot.flavour()),
        }
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
            sees_temporary: settings.objects.is_some(),
            plain_parameters: !settings.odd_parameters,
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
