//! Masks on real servers: what they give, that they keep types, and that no value makes them fail.

use std::fmt::Write as _;
use std::sync::Arc;

use sekisho::catalog::{ColumnType, Relation, Snapshot, TypeClass};
use sekisho::rewrite::masks::{self, MaskingKey, RelationContext, SessionKeys};
use sekisho::sql::Engine;

use crate::mask_vectors::{Vectors, all};
use crate::support::{MySqlServer, PostgresDatabase, mariadb, mysql, postgres};

/// The masking key of the tests.
pub const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

pub fn keys() -> SessionKeys {
    SessionKeys::new(&[MaskingKey { id: Arc::from("k1"), bytes: KEY.to_vec() }])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// What a session of the proxy has: the keys.
pub fn postgres_session() -> String {
    let settings = keys().settings(Engine::Postgres);
    settings.iter().fold("set timezone = 'UTC';".to_owned(), |mut sql, (name, value)| {
        let _ = write!(sql, "set {name} = '{value}';");
        sql
    })
}

pub fn mysql_session() -> String {
    mysql_session_with(&keys())
}

fn mysql_session_with(keys: &SessionKeys) -> String {
    let variables = keys.settings(Engine::MySql);
    variables.iter().fold("set time_zone = '+00:00';".to_owned(), |mut sql, (name, value)| {
        let _ = write!(sql, "set @{name} = '{value}';");
        sql
    })
}

/// Types and collations that the vectors use.
pub const POSTGRES_TYPES: &str = "
    create extension citext;
    create type tier as enum ('a', 'b');
    create domain address as text not null check (value like '%_@_%');
    alter domain address drop not null;
    create collation nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);";

fn literal(value: Option<&str>) -> String {
    value.map_or("NULL".to_owned(), |value| format!("'{}'", value.replace('\'', "''")))
}

/// A table of the values, numbered from 1 in their order.
pub fn postgres_table(name: &str, ty: &str, values: &[Option<&str>]) -> String {
    let mut sql = format!("create table {name} (id integer primary key, c {ty});");
    for (at, value) in values.iter().enumerate() {
        let _ = write!(sql, "insert into {name} values ({}, {});", at + 1, literal(*value));
    }
    sql
}

/// The same on MySQL; `first` is the number of the first value, and the table is made when it is 1.
pub fn mysql_table(name: &str, ty: &str, values: &[Option<&str>], first: usize) -> String {
    let mut sql = String::new();
    if first == 1 {
        let _ = write!(sql, "create table {name} (id integer primary key, c {ty} null);");
    }
    let row = |(at, value): (usize, Option<&str>)| {
        let value = value.map_or("NULL".to_owned(), |value| match value {
            "" => "''".to_owned(),
            value => format!("_utf8mb4 x'{}'", hex(value.as_bytes())),
        });
        format!("({}, {value})", first + at)
    };
    let rows: Vec<String> = values.iter().copied().enumerate().map(row).collect();
    let _ = write!(sql, "insert into {name} values {};", rows.join(", "));
    sql
}

fn mask_of(engine: Engine, mask: &sekisho::policy::MaskSpec, relation: &Relation) -> String {
    let keys = keys();
    let context = RelationContext { relation, qualifier: None, key_ids: keys.ids() };
    let column = &relation.columns[1];
    masks::render(engine, mask, column, &engine.quote_identifier("c"), &context).unwrap_or_else(|e| panic!("{e}"))
}

fn find<'s>(snapshot: &'s Snapshot, name: &str) -> &'s Relation {
    snapshot.find("public", name).unwrap()
}

/// Values that are written in several ways are made one.
fn normal(ty: &str, value: &str) -> String {
    if value == "NULL" {
        return value.to_owned();
    }
    match ty {
        "json" | "jsonb" => serde_json::from_str::<serde_json::Value>(value).unwrap().to_string(),
        "double precision" | "double" | "real" | "float" => value.parse::<f64>().unwrap().to_string(),
        "numeric" if value.contains('.') => value.trim_end_matches('0').trim_end_matches('.').to_owned(),
        _ if ty.starts_with("datetime") => value.trim_end_matches(".000").to_owned(),
        _ => value.trim_end_matches("+00").to_owned(),
    }
}

fn compare(engine: &str, vectors: &Vectors, ty: &str, sql: &str, rows: &[Vec<String>]) {
    assert_eq!(rows.len(), vectors.cases.len());
    for ((input, expected), row) in vectors.cases.iter().zip(rows) {
        let (got, expected) = (normal(ty, &row[0]), normal(ty, expected.unwrap_or("NULL")));
        assert_eq!(got, expected, "{engine}: {:?} of {ty} {input:?}\n{sql}", vectors.mask);
    }
}

#[test]
fn vectors_on_postgresql() {
    let vectors: Vec<Vectors> = all().into_iter().filter(|vectors| !vectors.postgres.is_empty()).collect();
    let mut script = POSTGRES_TYPES.to_owned();
    for (at, vectors) in vectors.iter().enumerate() {
        let values: Vec<_> = vectors.cases.iter().map(|(value, _)| *value).collect();
        script += &postgres_table(&format!("v{at}"), vectors.postgres, &values);
    }
    let database = postgres().database(&script);
    let snapshot = database.snapshot();
    for (at, vectors) in vectors.iter().enumerate() {
        let name = format!("v{at}");
        let sql = mask_of(Engine::Postgres, &vectors.mask, find(&snapshot, &name));
        let rows = database.rows(&format!("{}select ({sql})::text from {name} order by id", postgres_session()));
        compare("postgresql", vectors, vectors.postgres, &sql, &rows);
        database.execute(&format!("{}create table r_{name} as select {sql} as m from {name}", postgres_session()));
        KeepsType { database: &database, table: &name, made: &format!("r_{name}"), column: "m" }.check(&sql);
    }
}

/// A column made out of a masked one.
pub struct KeepsType<'a> {
    pub database: &'a PostgresDatabase,
    pub table: &'a str,
    pub made: &'a str,
    pub column: &'a str,
}

impl KeepsType<'_> {
    /// It has the same type with modifier and collation, a domain's base type.
    pub fn check(&self, sql: &str) {
        let ty = "select coalesce(format_type(nullif(typbasetype, 0), typtypmod), format_type(a.oid, atttypmod)), \
                  attcollation from pg_attribute join pg_type a on a.oid = atttypid where attrelid = ";
        let Self { database, table, made, column } = self;
        let types = database.rows(&format!(
            "{ty}'{table}'::regclass and attname = 'c'; {ty}'{made}'::regclass and attname = '{column}'"
        ));
        assert_eq!(types[0], types[1], "{sql}");
    }
}

#[test]
fn vectors_on_mariadb() {
    vectors_on_mysql_family("mariadb", mariadb());
}

#[test]
fn vectors_on_mysql() {
    if let Some(server) = mysql() {
        vectors_on_mysql_family("mysql", server);
    }
}

/// A key is random bytes, which are text in no character set.
#[test]
fn keys_of_any_bytes() {
    let bytes: Vec<u8> = (0..32).map(|byte| byte * 8 + 3).collect();
    let keys = SessionKeys::new(&[MaskingKey { id: Arc::from("k1"), bytes: bytes.clone() }]);
    let session = mysql_session_with(&keys);
    let hmac = ring::hmac::sign(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &bytes), "Zoë".as_bytes());
    for server in [Some(mariadb()), mysql()].into_iter().flatten() {
        for ty in ["varchar(80)", "varchar(80) character set latin1", "varchar(80) collate utf8mb4_general_ci"] {
            let database = server.database(&mysql_table("t", ty, &[Some("Zoë")], 1));
            let snapshot = server.snapshot();
            let relation = snapshot.find(&database.name, "t").unwrap();
            let context = RelationContext { relation, qualifier: None, key_ids: keys.ids() };
            let mask = sekisho::policy::MaskSpec::Hash { length: 64, key_id: None };
            let sql = masks::render(Engine::MySql, &mask, &relation.columns[1], "`c`", &context).unwrap();
            assert_eq!(database.rows(&format!("{session}select {sql} from t")), [[hex(hmac.as_ref())]], "{ty}");
        }
    }
}

/// The client escapes these.
fn unescaped(text: &str) -> String {
    text.replace("\\\\", "\\")
}

fn vectors_on_mysql_family(engine: &str, server: &'static MySqlServer) {
    let vectors: Vec<Vectors> = all().into_iter().filter(|vectors| !vectors.mysql.is_empty()).collect();
    let database = server.database("");
    for (at, vectors) in vectors.iter().enumerate() {
        let values: Vec<_> = vectors.cases.iter().map(|(value, _)| *value).collect();
        database.execute(&mysql_table(&format!("v{at}"), vectors.mysql, &values, 1));
    }
    let snapshot = server.snapshot();
    let mut expressions = Vec::new();
    for (at, vectors) in vectors.iter().enumerate() {
        let name = format!("v{at}");
        let sql = mask_of(Engine::MySql, &vectors.mask, snapshot.find(&database.name, &name).unwrap());
        // That the table can be made in strict mode shows that nothing gives a warning.
        let rows = database.rows(&format!(
            "{}create table r_{name} as select {sql} as c from {name}; select {sql} from {name} order by id",
            mysql_session()
        ));
        let rows: Vec<_> = rows.iter().map(|row| vec![unescaped(&row[0])]).collect();
        compare(engine, vectors, vectors.mysql, &sql, &rows);
        expressions.push(sql);
    }
    let made = server.snapshot();
    for (at, sql) in expressions.iter().enumerate() {
        let ty = |name: &str| &made.find(&database.name, name).unwrap().columns.last().unwrap().ty;
        keeps_mysql_type(ty(&format!("v{at}")), ty(&format!("r_v{at}")), sql);
    }
}

/// A column made of a masked one has the same type where there is a cast to it.
fn keeps_mysql_type(ty: &ColumnType, made: &ColumnType, sql: &str) {
    let name = ty.sql.split('(').next().unwrap();
    match name {
        "varchar" | "decimal" | "date" | "datetime" | "time" | "float" => {
            assert_eq!((&made.sql, made.collation()), (&ty.sql, ty.collation()), "{sql}");
        }
        "char" | "enum" => assert_eq!((made.class, made.collation()), (TypeClass::Text, ty.collation()), "{sql}"),
        "timestamp" => assert!(matches!(made.class, TypeClass::Timestamp | TypeClass::TimestampTz), "{sql}"),
        // MariaDB's type is text with a check.
        "json" | "longtext" => assert!(matches!(made.class, TypeClass::Json | TypeClass::Text), "{sql}"),
        _ => assert_eq!(made.class, ty.class, "{sql}: {}", made.sql),
    }
}
