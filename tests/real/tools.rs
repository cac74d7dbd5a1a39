//! What tools ask when they are opened: every statement is permitted for a restricted role, the server takes what is sent,
//! and nothing that the role cannot see is listed.
//!
//! The statements are those that the tools sent to real servers; `tests/cases/tools` has them, a file a tool.

use std::sync::Arc;

use sekisho::catalog::Snapshot;
use sekisho::pipeline::{Effect, Person, Settings, Verdict, VirtualDatabase};
use sekisho::policy::load::{Surroundings, parse};

use crate::support;

/// The role sees people and their orders and nothing else.
const RULES: &str = r#"
    [role.analyst]
    grant = [ { on = ["SOURCE.SCHEMA.customers", "SOURCE.SCHEMA.orders", "SOURCE.SCHEMA.v"], allow = ["read"] } ]
    [[protect]]
    name = "mail"
    columns = ["SOURCE.SCHEMA.customers.email"]
    mask = "email"
"#;

fn analyst(snapshot: Snapshot, schema: &str) -> VirtualDatabase {
    let snapshot = Arc::new(snapshot);
    let surroundings = Surroundings::new([(Arc::clone(snapshot.source()), snapshot.engine())]);
    let rules = RULES.replace("SOURCE", snapshot.source()).replace("SCHEMA", schema);
    let (set, _) = parse(&[("rules.toml", &rules)], &surroundings, 1).unwrap_or_else(|e| panic!("{e:?}"));
    let role = Arc::clone(set.role("analyst").unwrap());
    let person = Person { user: "hanako".into(), roles: vec!["analyst".into()], ..Person::default() };
    VirtualDatabase::new(Arc::new(set), snapshot, role, Arc::new(person))
}

/// The statements of a file for a server version: `--# 15` is from 15 on, `--# 15-16` up to 16.
fn statements(text: &str, major: u32) -> impl Iterator<Item = &str> {
    text.split("\n--# ").skip(1).filter_map(move |block| {
        let (versions, sql) = block.split_once('\n').unwrap();
        let (first, last) = versions.split_once('-').unwrap_or((versions, "999"));
        let versions = first.parse().unwrap()..=last.parse().unwrap();
        versions.contains(&major).then(|| sql.trim())
    })
}

fn postgres_tool(name: &str, text: &str) {
    let shop = support::postgres().database(include_str!("../cases/tools/postgres/schema.sql"));
    let role = analyst(shop.snapshot(), "app");
    let mut failures = Vec::new();
    for sql in statements(text, shop.server.major()) {
        match role.decide(&Settings::default(), sql).verdict {
            Verdict::Denial(denial) => failures.push(format!("refused: {denial:?}\n{sql}")),
            Verdict::Permit(permit) => {
                let sent = if sql.starts_with("EXECUTE") {
                    // What it means was said before, in another session here.
                    continue;
                } else if sql.contains("$1") && !sql.starts_with("PREPARE") {
                    format!("prepare asked as {}", permit.sql().trim_end().trim_end_matches(';'))
                } else {
                    format!("begin; {}", permit.sql())
                };
                match shop.try_rows(&sent) {
                    Err((state, message)) => {
                        failures.push(format!("failed: {state} {message}\n{sql}\n-- sent:\n{sent}"));
                    }
                    Ok(rows) => {
                        let hidden = rows.iter().flatten().find(|value| HIDDEN.contains(&value.as_str()));
                        failures.extend(hidden.map(|value| format!("lists {value}: {sql}")));
                    }
                }
            }
        }
    }
    let shown: Vec<&str> = failures.iter().map(String::as_str).take(40).collect();
    assert!(failures.is_empty(), "{name}: {} fail\n\n{}", failures.len(), shown.join("\n\n"));
}

fn mysql_tool(name: &str, text: &str) {
    let servers = std::iter::once(("mariadb", support::mariadb())).chain(support::mysql().map(|s| ("mysql", s)));
    for (flavour, server) in servers {
        let legacy = server.database(include_str!("../cases/tools/mysql/schema.sql"));
        let role = analyst(server.snapshot(), &legacy.name);
        let settings = Settings { search_path: Some(Arc::from([legacy.name.as_str().into()])), ..Settings::default() };
        let mut failures = Vec::new();
        let meant = |versions: &str| versions == "both" || versions == flavour;
        for block in text.split("\n--# ").skip(1) {
            let (versions, sql) = block.split_once('\n').unwrap();
            let sql = sql.trim().replace("legacy", &legacy.name);
            if !meant(versions) {
                continue;
            }
            match role.decide(&settings, &sql).verdict {
                Verdict::Denial(denial) => failures.push(format!("refused: {denial:?}\n{sql}")),
                Verdict::Permit(permit) => match legacy.try_rows(permit.sql()) {
                    Err(error) => failures.push(format!("failed: {error}\n{sql}\n-- sent:\n{}", permit.sql())),
                    Ok(rows) => {
                        let hidden = rows.iter().flatten().find(|value| *value == "secrets");
                        failures.extend(hidden.map(|value| format!("lists {value}: {sql}")));
                    }
                },
            }
        }
        let shown: Vec<&str> = failures.iter().map(String::as_str).take(40).collect();
        assert!(failures.is_empty(), "{name} on {flavour}: {} fail\n\n{}", failures.len(), shown.join("\n\n"));
    }
}

/// Names of relations that the role cannot see.
const HIDDEN: &[&str] = &["sales", "sales_1", "child", "ft", "sales_pkey"];

#[test]
fn psql_is_answered() {
    postgres_tool("psql", include_str!("../cases/tools/postgres/psql.sql"));
}

#[test]
fn jdbc_is_answered() {
    postgres_tool("JDBC", include_str!("../cases/tools/postgres/jdbc.sql"));
}

#[test]
fn sqlalchemy_is_answered() {
    postgres_tool("SQLAlchemy", include_str!("../cases/tools/postgres/sqlalchemy.sql"));
}

#[test]
fn pg_dump_of_the_schema_is_answered() {
    postgres_tool("pg_dump", include_str!("../cases/tools/postgres/pg_dump.sql"));
}

#[test]
fn odbc_is_answered() {
    postgres_tool("ODBC", include_str!("../cases/tools/postgres/odbc.sql"));
}

#[test]
fn dbeaver_is_answered() {
    postgres_tool("DBeaver", include_str!("../cases/tools/postgres/dbeaver.sql"));
}

#[test]
fn metabase_is_answered() {
    postgres_tool("Metabase", include_str!("../cases/tools/postgres/metabase.sql"));
}

#[test]
fn mysql_jdbc_is_answered() {
    mysql_tool("JDBC", include_str!("../cases/tools/mysql/jdbc.sql"));
}

#[test]
fn mysql_sqlalchemy_is_answered() {
    mysql_tool("SQLAlchemy", include_str!("../cases/tools/mysql/sqlalchemy.sql"));
}

#[test]
fn mysql_odbc_is_answered() {
    mysql_tool("ODBC", include_str!("../cases/tools/mysql/odbc.sql"));
}

#[test]
fn set_config_is_set() {
    let shop = support::postgres().database(include_str!("../cases/tools/postgres/schema.sql"));
    let role = analyst(shop.snapshot(), "app");
    let decide = |sql: &str| role.decide(&Settings::default(), sql).verdict;
    for sql in [
        "select set_config('standard_conforming_strings', 'off', false)",
        "select set_config('sekisho.key_i', 'x', false)",
        "select set_config('search_path', 'pg_temp', false)",
        "select set_config('search_path', '\"App\"', false)",
        "select set_config(email, 'x', false) from app.customers",
        "select set_config('timezone', email, false) from app.customers",
        "select 1, set_config('timezone', 'UTC', false)",
        "select set_config(name, 'x', false) from pg_settings where name = 'session_replication_role'",
    ] {
        assert!(matches!(decide(sql), Verdict::Denial(_)), "{sql}");
    }
    let Verdict::Permit(permit) = decide("select pg_catalog.set_config('search_path', 'app, public', false)") else {
        panic!("search_path")
    };
    let path: Vec<Box<str>> = vec!["app".into(), "public".into()];
    assert_eq!(permit.effects()[0], Effect::SetSearchPath { path: Some(path.into()), local: false });
    assert_eq!(shop.rows(permit.sql()), [["app, public"]]);
}
