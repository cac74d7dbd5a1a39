//! `[[source]]`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::load::Secrets;
use super::{path, secret};
use crate::net::TlsMode;
use crate::policy::diagnostics::{Finding, Findings, Located};
use crate::policy::reader::{Table, Value};
use crate::session::{Secret, SourceSpec};
use crate::sql::Engine;

const TLS_MODES: [(&str, TlsMode); 5] = [
    ("disable", TlsMode::Disable),
    ("prefer", TlsMode::Prefer),
    ("require", TlsMode::Require),
    ("verify-ca", TlsMode::VerifyCa),
    ("verify-full", TlsMode::VerifyFull),
];
const ENGINES: [(&str, Engine); 2] = [("postgres", Engine::Postgres), ("mysql", Engine::MySql)];

/// The sources as far as they could be read. A name is known even when something else about its source is wrong, so
/// that rules about it are no mistakes.
#[derive(Debug, Default)]
pub(super) struct Sources {
    pub(super) names: BTreeMap<Arc<str>, Engine>,
    pub(super) specs: Vec<SourceSpec>,
}

/// Reads every `[[source]]`.
pub(super) fn read_all(table: &Table<'_>, folder: &Path, secrets: Secrets) -> Sources {
    let mut sources = Sources::default();
    let mut named: Vec<Located<Arc<str>>> = Vec::new();
    let specs = table.required("source", |value| {
        Some(value.array("written as `[[source]]`", |value| {
            let mut read = |table: &Table<'_>| {
                let name = table.required("name", name);
                let engine = table.required("engine", |value| value.choice(&ENGINES));
                if let Some(name) = &name {
                    sources.names.insert(Arc::clone(&name.value), engine.unwrap_or(Engine::Postgres));
                    note_twice(table.findings(), &named, name);
                    named.push(name.clone());
                }
                spec(table, name, engine, folder, secrets)
            };
            value.table("`[[source]]`", |table| read(table))
        }))
    });
    sources.specs = specs.unwrap_or_default();
    sources
}

fn note_twice(findings: &Findings, named: &[Located<Arc<str>>], name: &Located<Arc<str>>) {
    if let Some(first) = named.iter().find(|other| other.value == name.value) {
        let message = format!("source `{}` is defined twice", name.value);
        findings.add(Finding::error("duplicate", name.place, message).also(first.place, "first here"));
    }
}

fn spec(
    table: &Table<'_>,
    name: Option<Located<Arc<str>>>,
    engine: Option<Engine>,
    folder: &Path,
    secrets: Secrets,
) -> Option<SourceSpec> {
    let default_port = match engine {
        Some(Engine::MySql) => 3306,
        Some(Engine::Postgres) | None => 5432,
    };
    let host = table.required("host", Value::text);
    let port = table.optional("port", |value| value.integer(1, u16::MAX)).unwrap_or(default_port);
    let dbname = table.optional("dbname", Value::text);
    let user = table.required("user", Value::text);
    let password = table.optional("password", |value| password(value, folder, secrets));
    let tls = table.optional("tls", |value| value.choice(&TLS_MODES)).unwrap_or_default();
    let ca = table.optional("ca", |value| match secrets {
        Secrets::Read => path::readable(folder, value),
        Secrets::Skip => path::relative_to(folder, value),
    });
    let tls_server_name = table.optional("tls_server_name", Value::text);
    let max_connections = table.optional("max_connections", |value| value.integer(1, 100_000)).unwrap_or(50);
    if let (Some(Engine::MySql), Some(place)) = (engine, table.key_place("dbname")) {
        let message = "`dbname` is for PostgreSQL; on MySQL the databases are the schemas of the source";
        table.findings().add(Finding::error("unknown-key", place, message).help("leave it out"));
    }
    without_verification(table, tls);
    let name = name?.value;
    let spec = SourceSpec {
        dbname: dbname.unwrap_or_else(|| Arc::clone(&name)),
        name,
        engine: engine?,
        host: host?,
        port,
        user: user?,
        password,
        tls,
        ca,
        max_connections,
        tls_server_name,
    };
    if let (Secrets::Read, Err(error)) = (secrets, spec.client_tls()) {
        table.error("bad-certificate", error.to_string());
    }
    Some(spec)
}

/// A name is a part of patterns and the database name of clients; `@` separates it from the user on MySQL.
fn name(value: Value<'_>) -> Option<Located<Arc<str>>> {
    let name = value.name()?;
    if name.value.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '.' | '*' | '"' | '@')) {
        let message = format!("a source cannot be named `{}`", name.value);
        let finding = Finding::error("bad-value", name.place, message);
        value.findings().add(finding.label("white space, `.`, `*`, `\"` and `@` are not possible"));
        return None;
    }
    Some(name)
}

fn password(value: Value<'_>, folder: &Path, secrets: Secrets) -> Option<Secret> {
    let password = String::from_utf8(secret::read(value, folder, secrets)?);
    if password.is_err() {
        value.error("bad-value", "this password is no UTF-8 text");
    }
    password.ok().map(Secret::new)
}

/// What only matters when the server's certificate is looked at.
fn without_verification(table: &Table<'_>, tls: TlsMode) {
    let verifies = match tls {
        TlsMode::VerifyCa | TlsMode::VerifyFull => true,
        TlsMode::Disable | TlsMode::Prefer | TlsMode::Require => false,
    };
    for key in ["ca", "tls_server_name"] {
        if let (false, Some(place)) = (verifies, table.key_place(key)) {
            let message = format!("`{key}` does nothing here, because the server's certificate is not verified");
            let finding = Finding::warning("no-effect", place, message);
            table.findings().add(finding.help("write `tls = \"verify-full\"`"));
        }
    }
}
