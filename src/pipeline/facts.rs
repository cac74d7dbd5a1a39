//! What the audit record says about a statement.

use std::sync::Arc;

use super::virtual_database::Settings;
use crate::audit::{Facts, ObjectUse, Shown};
use crate::catalog::{Relation, Snapshot};
use crate::policy::Treatment;
use crate::resolve::{Appearance, RelationUse, Resolved};
use crate::sql::ast::Statement;
use crate::sql::{Reading, Script, script};

/// Collects facts over the statements of a text.
#[derive(Debug, Default)]
pub(super) struct FactsBuilder {
    facts: Facts,
}

impl FactsBuilder {
    pub(super) fn new(text: &str, script: &Script) -> Self {
        let normalized = script.normalized(text);
        let fingerprint = script::fingerprint(&normalized);
        let facts = Facts { fingerprint, meaning: fingerprint, normalized: normalized.into(), ..Facts::default() };
        Self { facts }
    }

    /// Notes the schemas in which the names of the next statement are looked up.
    pub(super) fn looked_up(&mut self, snapshot: &Snapshot, settings: &Settings) {
        let Some(path) = settings.search_path.as_deref().filter(|path| *path != snapshot.search_path()) else { return };
        let path: Vec<String> = path.iter().map(|schema| format!("{schema:?}")).collect();
        let path = path.join(", ");
        // Of which statement of the text it is, matters too.
        let statement = self.facts.kinds.len();
        self.facts.meaning = script::fingerprint(&format!("{:016x} {statement} {path}", self.facts.meaning));
        self.facts.schemas = path.into();
    }

    pub(super) fn kind(&mut self, statement: &Statement) {
        self.facts.kinds.push(kind(statement));
    }

    pub(super) fn unknown_kind(&mut self) {
        self.facts.kinds.push("unknown");
    }

    pub(super) fn rule(&mut self, name: &Arc<str>) {
        if !self.facts.rules.contains(name) {
            self.facts.rules.push(Arc::clone(name));
        }
    }

    /// Adds what a statement does with relations; those inside views too.
    pub(super) fn resolved(&mut self, snapshot: &Snapshot, resolved: &Resolved) {
        for used in &resolved.relations {
            let Some(relation) = snapshot.relation(used.relation) else { continue };
            self.object(relation, used);
            if let Appearance::Expanded(view) = &used.appearance {
                self.resolved(snapshot, &view.resolved);
            }
        }
    }

    fn object(&mut self, relation: &Relation, used: &RelationUse) {
        let mut columns = Vec::new();
        for ((column, access), _) in
            relation.columns.iter().zip(&used.access.columns).zip(&used.used).filter(|(_, used)| **used)
        {
            let shown = match access.treatment {
                Treatment::Raw => Shown::Raw,
                Treatment::Masked(_) => Shown::Masked,
                Treatment::Denied => continue,
            };
            if let Some(rule) = &access.rule {
                self.rule(&rule.name);
            }
            columns.push((column.name.clone(), shown));
        }
        for filter in &used.access.filters {
            self.rule(&filter.rule.name);
        }
        let filters = used.access.filters.iter().map(|filter| Arc::clone(&filter.rule.name)).collect();
        let name = format!("{}.{}", relation.schema, relation.name).into();
        let object = ObjectUse { relation: name, verb: used.verb, columns, filters };
        if !self.facts.objects.contains(&object) {
            self.facts.objects.push(object);
        }
    }

    /// Notes the literals that the message of a refusal repeats.
    pub(super) fn told(&mut self, message: &str, text: &str, script: &Script, reading: Reading) {
        let written =
            script.tokens.iter().filter(|token| token.is_literal()).map(|token| token.text(text).to_lowercase());
        let values = script.literal_values(text, reading).into_iter().flatten().map(|value| value.to_lowercase());
        let literals = written.chain(values).filter(|literal| !literal.is_empty());
        self.facts.keep_told(message, literals.map(String::into_boxed_str));
    }

    pub(super) fn fingerprint(&self) -> u64 {
        self.facts.fingerprint
    }

    pub(super) fn build(self) -> Arc<Facts> {
        Arc::new(self.facts)
    }
}

/// The word for a kind of statement in audit records and rules.
pub(super) fn kind(statement: &Statement) -> &'static str {
    match statement {
        Statement::Query(_) => "select",
        Statement::Insert(insert) if insert.replace => "replace",
        Statement::Insert(_) => "insert",
        Statement::Update(_) => "update",
        Statement::Delete(_) => "delete",
        Statement::Merge(_) => "merge",
        Statement::Copy(copy) if copy.from => "copy from",
        Statement::Copy(_) => "copy to",
        Statement::Explain(_) => "explain",
        Statement::DeclareCursor(_) => "declare",
        Statement::Prepare(_) => "prepare",
        Statement::Execute { .. } => "execute",
        Statement::Deallocate(_) => "deallocate",
        Statement::Fetch(_) => "fetch",
        Statement::Close(_) => "close",
        Statement::CreateAs(_) => "create as",
        Statement::Ddl(_) => "ddl",
        Statement::LockTables(_) | Statement::UnlockTables => "lock",
        Statement::Transaction(_) => "transaction",
        Statement::Set(_) | Statement::Reset(_) | Statement::Use(_) => "set",
        Statement::ShowSetting(_) | Statement::Show(_) => "show",
        Statement::Discard(_) => "discard",
        Statement::Listen | Statement::Notify => "notify",
        Statement::Call { .. } => "call",
        Statement::Kill { .. } => "kill",
        Statement::Other { .. } => "other",
    }
}
