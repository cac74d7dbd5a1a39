//! What is decided about statements: each `tests/cases/decisions/*.case` holds statements and the exact text of
//! `sekisho explain` about them. `UPDATE=1` rewrites the texts; review them as a diff.
//!
//! A case is a description, then entries: lines `> ` hold the statement, the lines behind them what is decided. Lines
//! `@ ` before an entry say who asks from there on (`@ role analyst as hanako`) or of which engine the server is
//! (`@ postgres`, `@ mysql`). The rules are in `rules.toml` beside the cases, the tables in `TABLES`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sekisho::catalog::{
    Column, ColumnType, Function, FunctionResult, Relation, RelationKind, Snapshot, SnapshotBuilder, TypeClass,
};
use sekisho::pipeline::{Person, Settings, VirtualDatabase, trace};
use sekisho::policy::{PolicySet, Surroundings, parse};
use sekisho::sql::Engine;

/// A column: its name, the class of its type, the type on PostgreSQL and on MySQL.
type ColumnSpec = (&'static str, TypeClass, &'static str, &'static str);

/// The same tables on both engines: name, definition of a view, columns.
const TABLES: [(&str, Option<&str>, &[ColumnSpec]); 5] = [
    (
        "customers",
        None,
        &[
            ("id", TypeClass::Integer, "integer", "int"),
            ("name", TypeClass::Text, "text", "varchar(100)"),
            ("email", TypeClass::Text, "text", "varchar(100)"),
            ("region", TypeClass::Text, "text", "varchar(10)"),
            ("note", TypeClass::Text, "text", "text"),
        ],
    ),
    (
        "orders",
        None,
        &[
            ("id", TypeClass::Integer, "integer", "int"),
            ("customer_id", TypeClass::Integer, "integer", "int"),
            ("amount", TypeClass::Numeric, "numeric", "decimal(10,2)"),
            ("status", TypeClass::Text, "text", "varchar(20)"),
        ],
    ),
    ("salaries", None, &[("id", TypeClass::Integer, "integer", "int"), ("pay", TypeClass::Integer, "integer", "int")]),
    (
        "mails",
        Some("select customers.id, customers.email from SCHEMA.customers where (customers.id > 0)"),
        &[("id", TypeClass::Integer, "integer", "int"), ("email", TypeClass::Text, "text", "varchar(100)")],
    ),
    ("logs", None, &[("id", TypeClass::Integer, "integer", "int"), ("line", TypeClass::Text, "text", "text")]),
];

#[test]
fn statements_are_decided_as_the_cases_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/decisions");
    let rules = std::fs::read_to_string(folder.join("rules.toml")).unwrap();
    let update = std::env::var_os("UPDATE").is_some();
    let mut cases: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.extension().is_some_and(|extension| extension == "case"));
    cases.sort();
    let (mut differences, mut statements) = (String::new(), 0);
    for path in cases {
        let text = std::fs::read_to_string(&path).unwrap();
        let (told, count) = retold(&text, &rules);
        statements += count;
        if told == text {
            continue;
        }
        if update {
            std::fs::write(&path, told).unwrap();
        } else {
            let differs = text.lines().zip(told.lines()).position(|(a, b)| a != b).unwrap_or_default();
            let line = |text: &str| text.lines().nth(differs).unwrap_or_default().to_owned();
            let (old, new) = (line(&text), line(&told));
            writeln!(differences, "{}:{}:\n- {old}\n+ {new}", path.display(), differs + 1).unwrap();
        }
    }
    assert!(differences.is_empty(), "decisions differ; `UPDATE=1` rewrites the cases:\n{differences}");
    assert!(statements >= 80, "the cases are not where they should be");
}

/// A case with its answers made anew, and how many statements are in it.
fn retold(text: &str, rules: &str) -> (String, usize) {
    let (mut out, mut count) = (String::new(), 0);
    let mut asker = Asker { engine: Engine::Postgres, role: "analyst".to_owned(), user: "hanako".to_owned() };
    let mut databases = BTreeMap::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next_if(|line| !line.starts_with(['>', '@'])) {
        writeln!(out, "{line}").unwrap();
    }
    while let Some(line) = lines.next() {
        if let Some(directive) = line.strip_prefix("@ ") {
            asker.change(directive);
            writeln!(out, "{line}\n").unwrap();
        }
        let Some(first) = line.strip_prefix('>') else { continue };
        let mut statement = first.trim_start().to_owned();
        writeln!(out, "{line}").unwrap();
        while let Some(line) = lines.next_if(|line| line.starts_with('>')) {
            writeln!(out, "{line}").unwrap();
            write!(statement, "\n{}", line.get(2..).unwrap_or_default()).unwrap();
        }
        let key = (asker.engine.name(), asker.role.clone(), asker.user.clone());
        let database = databases.entry(key).or_insert_with(|| asker.database(rules));
        let search_path = (asker.engine == Engine::MySql).then(|| Arc::from([Box::from("shop")]));
        let decision = database.decide(&Settings { search_path, ..Settings::default() }, &statement);
        writeln!(out, "{}", trace(&statement, &decision)).unwrap();
        count += 1;
    }
    (format!("{}\n", out.trim_end()), count)
}

/// Who asks, and which server.
struct Asker {
    engine: Engine,
    role: String,
    user: String,
}

impl Asker {
    fn change(&mut self, directive: &str) {
        match directive.split(' ').collect::<Vec<_>>().as_slice() {
            ["postgres"] => self.engine = Engine::Postgres,
            ["mysql"] => self.engine = Engine::MySql,
            ["role", role, "as", user] => (self.role, self.user) = ((*role).to_owned(), (*user).to_owned()),
            _ => panic!("`@ {directive}` says nothing"),
        }
    }

    fn database(&self, rules: &str) -> VirtualDatabase {
        let surroundings = Surroundings::new([("shop", self.engine)]);
        let policy: PolicySet = parse(&[("rules.toml", rules)], &surroundings, 1).unwrap_or_else(|e| panic!("{e}")).0;
        let role = Arc::clone(policy.role(&self.role).unwrap_or_else(|| panic!("no role {}", self.role)));
        let region = Arc::from("EU");
        let person = Person {
            user: self.user.as_str().into(),
            attributes: [(Arc::from("region"), region)].into(),
            roles: policy.roles().map(|role| Arc::clone(&role.name)).collect(),
        };
        VirtualDatabase::new(Arc::new(policy), Arc::new(catalog(self.engine)), role, Arc::new(person))
    }
}

fn catalog(engine: Engine) -> Snapshot {
    let is_mysql = engine == Engine::MySql;
    let (schema, version) = if is_mysql { ("shop", 80_400) } else { ("public", 150_000) };
    let mut builder = SnapshotBuilder::new(1, "shop", engine, version);
    builder.search_path(vec![schema.into()]);
    for (oid, (name, definition, columns)) in (20_000..).zip(TABLES) {
        let columns = (1..).zip(columns).map(|(number, (name, class, postgres, mysql))| Column {
            name: (*name).into(),
            number,
            ty: ColumnType::new(0, *class, if is_mysql { *mysql } else { *postgres }),
            not_null: false,
            generated: None,
        });
        builder.relation(Relation {
            oid,
            schema: schema.into(),
            name: name.into(),
            kind: if definition.is_some() { RelationKind::View } else { RelationKind::Table },
            columns: columns.collect(),
            primary_key: vec![0],
            definition: definition.map(|text| text.replace("SCHEMA", schema).into()),
            ..Relation::default()
        });
    }
    let function = |schema: &str, name: &str| Function {
        schema: schema.into(),
        name: name.into(),
        result: FunctionResult::default(),
        ..Function::default()
    };
    for name in ["count", "max", "min", "sum", "row_number", "lower", "left", "random", "pg_read_file"] {
        builder.function(function("pg_catalog", name));
    }
    builder.function(function(schema, "fiscal_year"));
    builder.function(function(schema, "leak"));
    builder.build()
}
