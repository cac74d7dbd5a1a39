//! The table of `docs/masks.md`, from rules to rows: each kind of mask is written in a rule, put into a statement, read
//! back and answered by a server.

use std::fmt::Write as _;
use std::sync::Arc;

use sekisho::catalog::Snapshot;
use sekisho::pipeline::{Person, Settings, Verdict, VirtualDatabase};
use sekisho::policy::load::{Surroundings, parse};

use crate::masks::{keys, mysql_session, postgres_session};
use crate::support::{MySqlServer, mariadb, mysql, postgres};

/// Column, type, value, mask, masked value. One row, whose key is 7.
const EXAMPLES: &[(&str, &str, &str, &str, &str)] = &[
    ("fax", "varchar(20)", "03-1234-5678", r#""null""#, "NULL"),
    ("status", "varchar(20)", "divorced", r#"{ kind = "fixed", value = "-" }"#, "-"),
    ("surname", "varchar(20)", "山田", r#""redact""#, "**"),
    ("passport", "varchar(20)", "TK1234567", r#"{ kind = "keep", first = 2, last = 3 }"#, "TK****567"),
    ("email", "varchar(40)", "taro@alpha.example", r#""email""#, "t***@alpha.example"),
    ("phone", "varchar(20)", "090-1234-5678", r#""phone""#, "***-****-5678"),
    ("card", "varchar(20)", "4111 1111 1111 6085", r#""card""#, "**** **** **** 6085"),
    (
        "notes",
        "varchar(60)",
        "call 0312345678 at 9",
        r#"{ kind = "regex", pattern = "[0-9]{5,}", replace = "N" }"#,
        "call N at 9",
    ),
    ("login", "varchar(40)", "taro@alpha.example", r#"{ kind = "hash", length = 16 }"#, "a76c3c581a6f4825"),
    ("account", "integer", "42", r#""hash""#, "766608841"),
    ("name", "varchar(20)", "山田太郎", r#"{ kind = "pseudonym", list = ["Aoi", "葵", "Mei"] }"#, "Mei"),
    ("salary", "integer", "432100", r#"{ kind = "round", to = 50000 }"#, "450000"),
    ("age", "integer", "47", r#"{ kind = "bucket", width = 10 }"#, "40"),
    ("price", "numeric(12,2)", "1000.00", r#"{ kind = "noise", percent = 10 }"#, "950.60"),
    ("born", "date", "1987-06-15", r#"{ kind = "trunc", unit = "year" }"#, "1987-01-01"),
    ("visit", "date", "2024-03-01", r#"{ kind = "shift", days = 30 }"#, "2024-02-15"),
    ("address", "varchar(45)", "192.168.1.77", r#""ip""#, "192.168.1.0"),
    (
        "profile",
        "json",
        r#"{"mail": "taro@alpha.example", "pin": 1234}"#,
        r#"{ kind = "json", paths = { "mail" = "email", "pin" = "remove" } }"#,
        r#"{"mail": "t***@alpha.example"}"#,
    ),
    (
        "code",
        "varchar(20)",
        "abcdef",
        r#"{ kind = "sql", postgres = "upper(left({column}, 2))", mysql = "upper(left({column}, 2))" }"#,
        "AB",
    ),
];

fn schema(engine: &str) -> String {
    let columns: Vec<String> = EXAMPLES.iter().map(|(column, ty, ..)| format!("{column} {ty}")).collect();
    let values: Vec<String> = EXAMPLES.iter().map(|(_, _, value, ..)| format!("'{value}'")).collect();
    let charset = if engine == "mysql" { "default charset = utf8mb4" } else { "" };
    format!(
        "create table people (id integer primary key, {}) {charset}; insert into people values (7, {});",
        columns.join(", "),
        values.join(", ")
    )
}

fn rules(source: &str, schema: &str) -> String {
    let mut rules = format!("[role.viewer]\ngrant = [ {{ on = \"{source}.{schema}.*\", allow = [\"read\"] }} ]\n");
    for (column, _, _, mask, _) in EXAMPLES {
        let _ = write!(
            rules,
            "[[protect]]\nname = \"{column}\"\ncolumns = [\"{source}.{schema}.people.{column}\"]\nmask = {mask}\n"
        );
    }
    rules
}

/// The statement that the server gets.
fn decided(snapshot: Snapshot, schema: &str, statement: &str) -> String {
    let snapshot = Arc::new(snapshot);
    let surroundings = Surroundings::new([(Arc::clone(snapshot.source()), snapshot.engine())]);
    let rules = rules(snapshot.source(), schema);
    let (set, _) = parse(&[("rules.toml", &rules)], &surroundings, 1).unwrap_or_else(|e| panic!("{e:?}"));
    let role = Arc::clone(set.role("viewer").unwrap());
    let person = Person { user: "hanako".into(), roles: vec!["viewer".into()], ..Person::default() };
    let database = VirtualDatabase::new(Arc::new(set), snapshot, role, Arc::new(person))
        .with_masking_keys(Arc::clone(keys().ids()));
    let settings = Settings { search_path: Some(Arc::from([Box::from(schema)])), ..Settings::default() };
    match database.decide(&settings, statement).verdict {
        Verdict::Permit(permit) => permit.sql().to_string(),
        Verdict::Denial(denial) => panic!("{denial:?}"),
    }
}

fn compare(row: &[String]) {
    assert_eq!(row[0], "7");
    for ((column, _, _, mask, expected), got) in EXAMPLES.iter().zip(&row[1..]) {
        assert_eq!(got, expected, "{column} with {mask}");
    }
}

#[test]
fn documented_masks_on_postgresql() {
    let database = postgres().database(&schema("postgres"));
    let sql = decided(database.snapshot(), "public", "select * from people");
    compare(&database.rows(&format!("{}{sql}", postgres_session()))[0]);
    let sql =
        decided(database.snapshot(), "public", "select count(*) from people p where p.email = 't***@alpha.example'");
    assert_eq!(database.rows(&sql), [["1"]]);
}

#[test]
fn documented_masks_on_mariadb() {
    documented_masks_on_mysql_family(mariadb());
}

#[test]
fn documented_masks_on_mysql() {
    if let Some(server) = mysql() {
        documented_masks_on_mysql_family(server);
    }
}

fn documented_masks_on_mysql_family(server: &'static MySqlServer) {
    let database = server.database(&schema("mysql"));
    let sql = decided(server.snapshot(), &database.name, "select * from people");
    compare(&database.rows(&format!("{}{sql}", mysql_session()))[0]);
    let sql = decided(
        server.snapshot(),
        &database.name,
        "select count(*) from people p where p.email = 't***@alpha.example'",
    );
    assert_eq!(database.rows(&sql), [["1"]]);
}
