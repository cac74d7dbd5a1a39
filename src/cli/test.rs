//! `sekisho test`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use serde_json::json;

use super::catalog;
use super::global::Global;
use crate::audit::{Facts, Shown};
use crate::catalog::Snapshot;
use crate::config::{self, Loaded, Secrets};
use crate::pipeline::{Decision, Denial, Person, Settings, Verdict, VirtualDatabase};
use crate::policy::diagnostics::{Style, nearest};
use crate::policy::{Expectation, Test as Case};
use crate::rewrite::masks::SessionKeys;
use crate::server::catalogs::read_once;
use crate::session::Source;

/// Run the `[[test]]`s of the rules: what would become of their statements
///
/// Statements are decided and not run. Exit status: 0 all as expected, 1 some not, 2 when they cannot be run.
#[derive(Debug, Args)]
pub(super) struct Test {
    /// Use the catalogs that `sekisho catalog save` wrote to this folder: no server and no secret is needed
    #[arg(long, value_name = "FOLDER")]
    catalogs: Option<PathBuf>,
    /// Only tests whose name contains this
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Print a JSON array: name, role, source, passed, and for those that failed expected and found
    #[arg(long)]
    json: bool,
}

/// What came of a test.
struct Outcome<'a> {
    case: &'a Case,
    /// What was expected and what was found, where they differ.
    failure: Option<(String, String)>,
}

impl Test {
    /// Runs the command.
    pub(super) fn run(&self, global: &Global) -> anyhow::Result<ExitCode> {
        let secrets = if self.catalogs.is_some() { Secrets::Skip } else { Secrets::Read };
        let loaded = config::load_with(&global.config, secrets, 1).map_err(|mistakes| {
            let style = if global.colored(io::stderr().is_terminal()) { Style::Coloured } else { Style::Plain };
            anyhow!("the configuration has mistakes\n{}", mistakes.render(style))
        })?;
        let wanted = |case: &&Case| self.only.as_ref().is_none_or(|text| case.name.contains(text.as_str()));
        let cases: Vec<&Case> = loaded.rules.policy.tests().iter().filter(wanted).collect();
        if let Some(text) = self.only.as_ref().filter(|_| cases.is_empty()) {
            let names = loaded.rules.policy.tests().iter().map(|case| &*case.name);
            let advice = match nearest(text, names) {
                Some(name) => format!("did you mean `{name}`?"),
                None => "`sekisho test` runs all".to_owned(),
            };
            bail!("no test has `{text}` in its name; {advice}");
        }
        let snapshots = self.snapshots(&loaded, &cases)?;
        let outcomes =
            cases.iter().map(|case| outcome(&loaded, &snapshots, case)).collect::<anyhow::Result<Vec<_>>>()?;
        let text = if self.json {
            as_json(&outcomes).to_string() + "\n"
        } else {
            as_text(&outcomes, global.colored(io::stdout().is_terminal()))
        };
        io::stdout().lock().write_all(text.as_bytes()).context("cannot write")?;
        let failed = outcomes.iter().any(|outcome| outcome.failure.is_some());
        Ok(if failed { ExitCode::from(1) } else { ExitCode::SUCCESS })
    }

    /// The catalogs of the sources that the tests are about.
    fn snapshots(&self, loaded: &Loaded, cases: &[&Case]) -> anyhow::Result<BTreeMap<Arc<str>, Arc<Snapshot>>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut snapshots = BTreeMap::new();
        for case in cases {
            if snapshots.contains_key(&case.source) {
                continue;
            }
            let snapshot = if let Some(folder) = &self.catalogs {
                catalog::load(folder, &case.source)?
            } else {
                let spec = loaded.config.sources.iter().find(|spec| spec.name == case.source);
                let spec = spec.with_context(|| format!("there is no source `{}`", case.source))?;
                runtime
                    .block_on(async { anyhow::Ok(read_once(&Source::new(spec.clone())?).await?) })
                    .with_context(|| format!("cannot read the catalog of source `{}`", case.source))?
            };
            snapshots.insert(Arc::clone(&case.source), Arc::new(snapshot));
        }
        Ok(snapshots)
    }
}

fn outcome<'a>(
    loaded: &Loaded,
    snapshots: &BTreeMap<Arc<str>, Arc<Snapshot>>,
    case: &'a Case,
) -> anyhow::Result<Outcome<'a>> {
    let policy = &loaded.rules.policy;
    let role = policy.role(&case.role).with_context(|| format!("there is no role `{}`", case.role))?;
    let snapshot = snapshots.get(&case.source).with_context(|| format!("there is no source `{}`", case.source))?;
    let person = match &case.user {
        None => Person::default(),
        Some(name) => {
            let user = loaded.rules.users.get(name);
            let user = user.with_context(|| format!("test `{}`: there is no user `{name}`", case.name))?;
            Person { user: Arc::clone(&user.name), attributes: user.attributes.clone(), roles: user.roles.clone() }
        }
    };
    let keys = Arc::clone(SessionKeys::new(&loaded.config.masking).ids());
    let database = VirtualDatabase::new(Arc::clone(policy), Arc::clone(snapshot), Arc::clone(role), Arc::new(person));
    let decision = database.with_masking_keys(keys).decide(&Settings::default(), &case.sql);
    let failure = (!is_as_expected(&decision, &case.expect)).then(|| (expected(&case.expect), found(&decision)));
    Ok(Outcome { case, failure })
}

/// The refusal; that of a role in observe mode counts, though the statement would run.
fn denial(decision: &Decision) -> Option<&Denial> {
    match (&decision.verdict, &decision.observed) {
        (Verdict::Denial(denial), _) => Some(denial),
        (Verdict::Permit(_), observed) => observed.as_deref(),
    }
}

fn is_as_expected(decision: &Decision, expect: &Expectation) -> bool {
    let denial = denial(decision);
    let shown = |name: &str, how: Shown| {
        let mut all = columns(&decision.facts).filter(|(column, _)| column.eq_ignore_ascii_case(name)).peekable();
        all.peek().is_some() && all.all(|(_, shown)| shown == how)
    };
    let filters = |rule: &Arc<str>| decision.facts.objects.iter().any(|object| object.filters.contains(rule));
    let denied_by = |rule: &Arc<str>| denial.and_then(|denial| denial.rule.as_ref()).is_some_and(|by| by.name == *rule);
    expect.allowed.is_none_or(|allowed| allowed == denial.is_none())
        && expect.denied_by.as_ref().is_none_or(denied_by)
        && expect.masked.iter().all(|name| shown(name, Shown::Masked))
        && expect.raw.iter().all(|name| shown(name, Shown::Raw))
        && expect.filtered_by.iter().all(filters)
}

fn columns(facts: &Facts) -> impl Iterator<Item = (&str, Shown)> {
    facts.objects.iter().flat_map(|object| &object.columns).map(|(name, shown)| (&**name, *shown))
}

fn expected(expect: &Expectation) -> String {
    let mut words = Vec::new();
    match (&expect.denied_by, expect.allowed) {
        (Some(rule), _) => words.push(format!("refused by `{rule}`")),
        (None, Some(true)) => words.push("permitted".to_owned()),
        (None, Some(false)) => words.push("refused".to_owned()),
        (None, None) => {}
    }
    for (word, names) in [("masked", &expect.masked), ("raw", &expect.raw), ("filtered by", &expect.filtered_by)] {
        if !names.is_empty() {
            words.push(format!("{word} {}", names.join(", ")));
        }
    }
    words.join("; ")
}

fn found(decision: &Decision) -> String {
    if let Some(denial) = denial(decision) {
        let by = denial.rule.as_ref().map(|rule| format!(" by `{}`", rule.name)).unwrap_or_default();
        return format!("refused{by}: {}", denial.message);
    }
    let mut words = vec!["permitted".to_owned()];
    for (word, how) in [("masked", Shown::Masked), ("raw", Shown::Raw)] {
        let names: Vec<&str> =
            columns(&decision.facts).filter(|(_, shown)| *shown == how).map(|(name, _)| name).collect();
        if !names.is_empty() {
            words.push(format!("{word} {}", names.join(", ")));
        }
    }
    let filters: Vec<&str> =
        decision.facts.objects.iter().flat_map(|object| &object.filters).map(|rule| &**rule).collect();
    if !filters.is_empty() {
        words.push(format!("filtered by {}", filters.join(", ")));
    }
    words.join("; ")
}

fn as_text(outcomes: &[Outcome<'_>], colored: bool) -> String {
    let paint = |code: &str, text: &str| {
        if colored { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    };
    let mut out = String::new();
    for Outcome { case, failure } in outcomes {
        let Some((expected, found)) = failure else {
            let _ = writeln!(out, "{}  {}", paint("32", "ok  "), case.name);
            continue;
        };
        let _ = writeln!(out, "{}  {}", paint("1;31", "FAIL"), case.name);
        let _ = writeln!(out, "      role `{}` on source `{}`: {}", case.role, case.source, case.sql.trim());
        let _ = writeln!(out, "      expected  {expected}");
        let _ = writeln!(out, "      found     {found}");
    }
    let failed = outcomes.iter().filter(|outcome| outcome.failure.is_some()).count();
    let tests = if outcomes.len() == 1 { "1 test".to_owned() } else { format!("{} tests", outcomes.len()) };
    let summary = match failed {
        0 if outcomes.is_empty() => "no tests".to_owned(),
        0 => format!("{tests}, all as expected"),
        _ => format!("{tests}, {failed} not as expected"),
    };
    let _ = writeln!(out, "{}", paint(if failed == 0 { "32" } else { "1;31" }, &summary));
    out
}

fn as_json(outcomes: &[Outcome<'_>]) -> serde_json::Value {
    let each = outcomes.iter().map(|Outcome { case, failure }| {
        let (expected, found) =
            failure.as_ref().map_or((None, None), |(expected, found)| (Some(expected), Some(found)));
        json!({
            "name": &*case.name,
            "role": &*case.role,
            "source": &*case.source,
            "sql": &*case.sql,
            "passed": failure.is_none(),
            "expected": expected,
            "found": found,
        })
    });
    each.collect()
}
