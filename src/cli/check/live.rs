//! What only the servers know: whether patterns match something, whether masks can serve the columns they are put on, and
//! which columns look like protected ones and are not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::catalog::known::BuiltinRule;
use crate::catalog::{Column, Relation, Snapshot, known};
use crate::config::Loaded;
use crate::policy::diagnostics::Finding;
use crate::policy::{RelationAccess, Role, RuleInfo, Treatment, Verb};
use crate::rewrite::masks::{self, RelationContext, SessionKeys};
use crate::server::catalogs::read_once;
use crate::session::Source;
use crate::sql::Engine;

/// Reads the catalogs and adds to the warnings. Gives the sources that could not be read, and why.
pub(super) async fn check(loaded: &mut Loaded) -> Vec<String> {
    let mut unread = Vec::new();
    let mut snapshots = Vec::new();
    for spec in &loaded.config.sources {
        let read = async { Ok::<_, anyhow::Error>(read_once(&Source::new(spec.clone())?).await?) };
        match read.await {
            Ok(snapshot) => snapshots.push(snapshot),
            Err(error) => unread.push(format!("source `{}`: {error:#}", spec.name)),
        }
    }
    let mut findings = idle_patterns(loaded, &snapshots);
    if unread.is_empty() {
        findings.extend(unknown_functions(loaded, &snapshots));
    }
    let key_ids = Arc::clone(SessionKeys::new(&loaded.config.masking).ids());
    let mut seen = Seen::default();
    for snapshot in &snapshots {
        seen.look(loaded, snapshot, &key_ids);
    }
    findings.extend(seen.findings(loaded));
    for finding in findings {
        loaded.warnings.add(finding);
    }
    unread
}

/// Patterns that match nothing in any source that they speak of.
fn idle_patterns(loaded: &Loaded, snapshots: &[Snapshot]) -> Vec<Finding> {
    let idle = loaded.uses.iter().filter(|pattern| {
        let mut concerned = loaded.config.sources.iter().filter(|spec| pattern.concerns(&spec.name));
        let all_read = concerned.all(|spec| snapshots.iter().any(|snapshot| **snapshot.source() == *spec.name));
        all_read && !snapshots.iter().any(|snapshot| pattern.matches_in(snapshot))
    });
    let warning = |text: String, subject: &str, place| {
        Finding::warning("matches-nothing", place, format!("no {subject} matches `{text}`"))
    };
    idle.map(|pattern| warning(pattern.text(), pattern.subject(), pattern.place)).collect()
}

/// Functions that blocks name and no source has: neither as one of its own nor as one that is built in.
fn unknown_functions(loaded: &Loaded, snapshots: &[Snapshot]) -> Vec<Finding> {
    let is_known = |name: &str| {
        snapshots.iter().any(|snapshot| {
            let built_in = match snapshot.engine() {
                Engine::Postgres => known::postgres::function(&name.to_ascii_lowercase()),
                Engine::MySql => known::mysql::function(name),
            };
            built_in != BuiltinRule::Unknown
                || snapshot.every_function().any(|function| function.name.eq_ignore_ascii_case(name))
        })
    };
    let unknown = loaded.functions.iter().filter(|name| !is_known(&name.value));
    let own = || snapshots.iter().flat_map(Snapshot::every_function).map(|function| &*function.name);
    unknown
        .map(|name| {
            let message = format!("no source is known to have a function `{}`", name.value);
            Finding::warning("matches-nothing", name.place, message).nearest(&name.value, own())
        })
        .collect()
}

/// What was noticed while looking at every table as every restricted role.
#[derive(Default)]
struct Seen {
    /// Rule, and why its mask cannot serve a column.
    unservable: BTreeSet<(Arc<str>, String)>,
    /// Names of protected columns in lower case, and a rule that protects such a one.
    protected: BTreeMap<String, Arc<RuleInfo>>,
    /// Columns that no rule speaks of and some role can read: name in lower case, then table, and such a role.
    open: BTreeMap<String, BTreeMap<String, Arc<str>>>,
}

impl Seen {
    fn look(&mut self, loaded: &Loaded, snapshot: &Snapshot, key_ids: &[Arc<str>]) {
        let policy = &loaded.rules.policy;
        let roles: Vec<_> = policy.roles().filter(|role| !role.unrestricted).collect();
        let own = |relation: &&Relation| !known::is_system(snapshot.engine(), &relation.schema);
        for relation in snapshot.relations().iter().filter(own) {
            let access = |role: &&Arc<Role>| (Arc::clone(&role.name), policy.access(role, snapshot, relation));
            let by_role: Vec<_> = roles.iter().map(access).collect();
            let context = RelationContext { relation, qualifier: None, key_ids };
            for (at, column) in relation.columns.iter().enumerate() {
                self.column(snapshot, &context, column, &by_role, at);
            }
        }
    }

    /// Looks at one column, the one at position `at`, as every role sees it.
    fn column(
        &mut self,
        snapshot: &Snapshot,
        context: &RelationContext<'_>,
        column: &Column,
        by_role: &[(Arc<str>, RelationAccess)],
        at: usize,
    ) {
        let table = format!("{}.{}.{}", snapshot.source(), context.relation.schema, context.relation.name);
        let name = column.name.to_lowercase();
        let seen = by_role.iter().filter_map(|(role, access)| Some((role, access.verbs, access.columns.get(at)?)));
        let mut is_ruled = false;
        for (_, _, access) in seen.clone() {
            let Some(rule) = &access.rule else { continue };
            is_ruled = true;
            if access.treatment != Treatment::Raw {
                self.protected.entry(name.clone()).or_insert_with(|| Arc::clone(rule));
            }
            if let Treatment::Masked(mask) = &access.treatment {
                let quoted = snapshot.engine().quote_identifier(&column.name);
                if let Err(reason) = masks::render(snapshot.engine(), mask, column, &quoted, context) {
                    self.unservable.insert((Arc::clone(&rule.name), format!("{reason}, in `{table}`")));
                }
            }
        }
        // A rule that leaves some roles out does so on purpose.
        if let (false, Some((role, ..))) = (is_ruled, seen.clone().find(|(_, verbs, _)| verbs.contains(Verb::Read))) {
            self.open.entry(name).or_default().insert(table, Arc::clone(role));
        }
    }

    fn findings(&self, loaded: &Loaded) -> Vec<Finding> {
        let place = |rule: &str| loaded.rule_places.get(rule).copied();
        let unservable = self.unservable.iter().filter_map(|(rule, reason)| {
            let finding = Finding::error("bad-mask", place(rule)?, reason.clone());
            Some(finding.help("until this is mended the column is denied"))
        });
        let alike = self.protected.iter().filter_map(|(column, rule)| {
            let tables = self.open.get(column)?;
            let (table, role) = tables.first_key_value()?;
            let more = match tables.len() - 1 {
                0 => String::new(),
                more => format!(", and in {more} more"),
            };
            let message = format!(
                "`{role}` sees `{column}` in `{table}`{more} as it is, though `{}` protects columns of that name",
                rule.name
            );
            Some(Finding::warning("unprotected", place(&rule.name)?, message).help(format!(
                "add `{table}.{column}` or `*.*.*.{column}` to its columns, or say with `reveal` that it is meant"
            )))
        });
        unservable.chain(alike).collect()
    }
}
