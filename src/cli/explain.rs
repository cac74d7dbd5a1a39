//! `sekisho explain`.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use clap::Args;
use serde_json::json;

use super::global::Global;
use crate::audit::Shown;
use crate::config;
use crate::pipeline::{Decision, Person, Settings, Verdict, VirtualDatabase, trace};
use crate::policy::Limits;
use crate::policy::diagnostics::Style;
use crate::rewrite::masks::SessionKeys;
use crate::server::catalogs::read_once;
use crate::session::{Rules, Source};

/// Show what would become of a statement: the verdict, the rules that decide, and the SQL for the server
///
/// Reads the source's catalog; runs nothing. Exit status: 0 permitted, 1 refused, 2 when it cannot be told.
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The role that would send it
    #[arg(long, short, value_name = "ROLE")]
    role: String,
    /// The source that it would be sent to
    #[arg(long, short, value_name = "SOURCE")]
    source: String,
    /// The user, for filters that use attributes
    #[arg(long, short, value_name = "USER")]
    user: Option<String>,
    /// The schemas searched, or the current database of MySQL; default: the server's
    #[arg(long, value_name = "SCHEMA", value_delimiter = ',')]
    search_path: Vec<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// The statement; `-` reads it from standard input
    sql: String,
}

impl Explain {
    /// Runs the command.
    pub(super) fn run(&self, global: &Global) -> anyhow::Result<ExitCode> {
        let loaded = config::load(&global.config).map_err(|mistakes| {
            let style = if global.colored(io::stderr().is_terminal()) { Style::Coloured } else { Style::Plain };
            anyhow!("the configuration has mistakes\n{}", mistakes.render(style))
        })?;
        let spec = loaded.config.sources.iter().find(|spec| *spec.name == *self.source);
        let spec = spec.with_context(|| format!("there is no source `{}`", self.source))?;
        let role = loaded.rules.policy.role(&self.role).with_context(|| format!("there is no role `{}`", self.role))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let snapshot = runtime
            .block_on(async { anyhow::Ok(read_once(&Source::new(spec.clone())?).await?) })
            .with_context(|| format!("cannot read the catalog of source `{}`", self.source))?;
        let person = Arc::new(self.person(&loaded.rules)?);
        let keys = Arc::clone(SessionKeys::new(&loaded.config.masking).ids());
        let database =
            VirtualDatabase::new(Arc::clone(&loaded.rules.policy), Arc::new(snapshot), Arc::clone(role), person)
                .with_masking_keys(keys);
        let path: Vec<Box<str>> = self.search_path.iter().map(|schema| schema.as_str().into()).collect();
        let search_path = (!path.is_empty()).then(|| path.into());
        let sql = if self.sql == "-" { io::read_to_string(io::stdin())? } else { self.sql.clone() };
        let decision = database.decide(&Settings { search_path, ..Settings::default() }, &sql);
        let text = if self.json {
            as_json(&decision, database.limits().map(Arc::as_ref)).to_string() + "\n"
        } else {
            let mut text = format!("role `{}` on source `{}`: {}", self.role, self.source, trace(&sql, &decision));
            for rule in &decision.reported {
                let _ = writeln!(text, "\nreported by `{}`", rule.name);
            }
            limits(&mut text, database.limits().map(Arc::as_ref));
            text
        };
        io::stdout().lock().write_all(text.as_bytes()).context("cannot write")?;
        Ok(match decision.verdict {
            Verdict::Permit(_) => ExitCode::SUCCESS,
            Verdict::Denial(_) => ExitCode::from(1),
        })
    }

    fn person(&self, rules: &Rules) -> anyhow::Result<Person> {
        let Some(name) = &self.user else { return Ok(Person::default()) };
        let user = rules.users.get(name).with_context(|| format!("there is no user `{name}`"))?;
        Ok(Person { user: Arc::clone(&user.name), attributes: user.attributes.clone(), roles: user.roles.clone() })
    }
}

/// What is asked when the statement runs.
fn limits(out: &mut String, limits: Option<&Limits>) {
    let limits = limits.map(Limits::each).unwrap_or_default();
    if !limits.is_empty() {
        let _ = writeln!(out, "\nlimits:");
    }
    for (limit, allowed, rule) in limits {
        let _ = writeln!(out, "  {:<18} {allowed}  (`{}`)", limit.word(), rule.name);
    }
}

fn as_json(decision: &Decision, limits: Option<&Limits>) -> serde_json::Value {
    let limits = limits
        .map(Limits::each)
        .unwrap_or_default()
        .into_iter()
        .map(|(limit, allowed, rule)| json!({ "limit": limit.word(), "allows": allowed, "rule": &*rule.name }));
    let objects = decision.facts.objects.iter().map(|object| {
        let columns = object.columns.iter().map(|(name, how)| {
            json!({ "column": name, "shown": match how { Shown::Raw => "raw", Shown::Masked => "masked" } })
        });
        json!({
            "relation": object.relation,
            "verb": object.verb.word(),
            "filters": names(&object.filters),
            "columns": columns.collect::<Vec<_>>(),
        })
    });
    let mut report = json!({
        "kinds": decision.facts.kinds,
        "rules": names(&decision.facts.rules),
        "reported": decision.reported.iter().map(|rule| &*rule.name).collect::<Vec<_>>(),
        "limits": limits.collect::<Vec<_>>(),
        "objects": objects.collect::<Vec<_>>(),
        "fingerprint": format!("{:016x}", decision.facts.fingerprint),
    });
    let details = match &decision.verdict {
        Verdict::Permit(permit) => json!({ "verdict": "permitted", "sent": &**permit.sql() }),
        Verdict::Denial(denial) => json!({
            "verdict": "refused",
            "sqlstate": denial.sqlstate,
            "message": denial.message,
            "detail": denial.detail,
            "hint": denial.hint,
            "position": denial.position,
            "rule": denial.rule.as_ref().map(|rule| &*rule.name),
        }),
    };
    if let (Some(report), serde_json::Value::Object(details)) = (report.as_object_mut(), details) {
        report.extend(details);
    }
    report
}

fn names(names: &[Arc<str>]) -> Vec<&str> {
    names.iter().map(|name| &**name).collect()
}
