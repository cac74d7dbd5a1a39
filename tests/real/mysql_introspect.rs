//! What the catalog of a real MariaDB or MySQL looks like as a snapshot.

use std::time::{Duration, Instant};

use sekisho::catalog::known::SystemView;
use sekisho::catalog::known::mysql::{function, system_relation};
use sekisho::catalog::known::{BuiltinRule, SettingRule, mysql::variable};
use sekisho::catalog::{CheckOption, Column, FunctionKind, Relation, RelationKind, TypeClass, Volatility};
use sekisho::sql::mysql::Flavour;

use crate::support::{self, MySqlServer};

fn servers() -> impl Iterator<Item = &'static MySqlServer> {
    std::iter::once(support::mariadb()).chain(support::mysql())
}

fn column<'r>(relation: &'r Relation, name: &str) -> &'r Column {
    &relation.columns[relation.column(name).unwrap_or_else(|| panic!("no {name}"))]
}

#[test]
fn tables_have_columns_types_and_keys() {
    for server in servers() {
        let legacy = server.database(
            "create table T(a int unsigned not null, b varchar(20) character set latin1 collate latin1_bin,
               c enum('x','y''z'), d int as (a * 2) stored, e json, f datetime(3), g timestamp null, h blob, i bit(3),
               j decimal(10,2), k year, primary key (c, a), unique (b, a), unique (b(3)), hidden int invisible);
            create table `it's` (`js``on` json, plain longtext collate utf8mb4_bin)",
        );
        let snapshot = server.snapshot();
        let flavour = if std::ptr::eq(server, support::mariadb()) { Flavour::MariaDb } else { Flavour::MySql };
        assert_eq!(snapshot.flavour(), flavour);
        assert!(snapshot.server_version() > 80_000);
        let t = snapshot.find(&legacy.name, "T").unwrap();
        assert!(snapshot.find(&legacy.name, "t").is_none());
        let classes: Vec<TypeClass> = t.columns.iter().map(|c| c.ty.class).collect();
        assert_eq!(
            classes,
            [
                TypeClass::Integer,
                TypeClass::Text,
                TypeClass::Enum,
                TypeClass::Integer,
                TypeClass::Json,
                TypeClass::Timestamp,
                TypeClass::TimestampTz,
                TypeClass::Bytes,
                TypeClass::Other,
                TypeClass::Numeric,
                TypeClass::Integer,
            ]
        );
        assert!(column(t, "a").ty.sql.starts_with("int") && column(t, "a").ty.sql.ends_with("unsigned"));
        assert_eq!((&*column(t, "b").ty.sql, column(t, "b").ty.collation()), ("varchar(20)", Some("latin1_bin")));
        assert_eq!(&*column(t, "c").ty.sql, "enum('x','y''z')");
        assert!(column(t, "d").generated.as_deref().unwrap().contains("`a` * 2"));
        assert!(column(t, "a").not_null && !column(t, "b").not_null);
        let odd = snapshot.find(&legacy.name, "it's").unwrap();
        assert_eq!(column(odd, "js`on").ty.class, TypeClass::Json);
        assert_eq!(column(odd, "plain").ty.class, TypeClass::Text);
        assert_eq!(t.primary_key, [2, 0]);
        assert!(t.unique.contains(&vec![1, 0]) && t.unique.len() == 2, "{:?}", t.unique);
    }
}

#[test]
fn views_routines_and_information_schema() {
    for server in servers() {
        let legacy = server.database(
            "create table people(id int primary key, email varchar(50));
            create view v as select id, concat(email, 'it''s') as loud from people where id > 0 with cascaded check option;
            create function plus_one(x int) returns int deterministic return x + 1;
            create procedure work() select 1",
        );
        let snapshot = server.snapshot();
        let v = snapshot.find(&legacy.name, "v").unwrap();
        assert_eq!((v.kind, v.check_option), (RelationKind::View, Some(CheckOption::Cascaded)));
        let definition = v.definition.as_deref().unwrap();
        assert!(definition.contains(&format!("`{}`.`people`", legacy.name)), "{definition}");
        let function = snapshot.functions("plus_one").iter().find(|f| *f.schema == *legacy.name).unwrap();
        assert_eq!((function.kind, function.volatility), (FunctionKind::Function, Volatility::Immutable));
        let procedure = snapshot.functions("work").iter().find(|f| *f.schema == *legacy.name).unwrap();
        assert_eq!(procedure.kind, FunctionKind::Procedure);
        let tables = snapshot.find("INFORMATION_SCHEMA", "Tables").unwrap();
        assert!(tables.columns.iter().any(|c| c.name.eq_ignore_ascii_case("table_rows")));
        assert!(snapshot.has_schema("mysql") && snapshot.has_schema(&legacy.name));
    }
}

#[test]
fn sequences_are_known_on_mariadb() {
    let legacy = support::mariadb().database("create sequence numbers");
    assert_eq!(support::mariadb().snapshot().find(&legacy.name, "numbers").unwrap().kind, RelationKind::Sequence);
}

#[test]
fn counts_and_bodies_of_information_schema_are_replaced() {
    for server in servers() {
        let snapshot = server.snapshot();
        let mut replaced = Vec::new();
        for relation in snapshot.relations().iter().filter(|r| r.schema.eq_ignore_ascii_case("information_schema")) {
            if let view @ SystemView::Replaced(_) = system_relation(&relation.schema, &relation.name) {
                replaced.extend(relation.columns.iter().filter_map(|column| {
                    view.replacement(&column.name)?;
                    Some(format!("{}.{}", relation.name, column.name).to_lowercase())
                }));
            }
        }
        // A misspelled column would be open.
        for column in [
            "check_constraints.check_clause",
            "events.event_definition",
            "partitions.table_rows",
            "processlist.info",
            "processlist.host",
            "routines.routine_definition",
            "statistics.cardinality",
            "tables.table_rows",
            "tables.avg_row_length",
            "tables.data_length",
            "tables.index_length",
            "tables.data_free",
            "tables.auto_increment",
            "tables.update_time",
            "tables.checksum",
            "triggers.action_statement",
            "views.view_definition",
        ] {
            assert!(replaced.iter().any(|found| found == column), "{column}");
        }
    }
}

#[test]
fn every_function_that_mariadb_lists_is_in_a_list() {
    let legacy = support::mariadb().database("");
    let names = legacy.rows("select lower(function) from information_schema.sql_functions");
    // `SHOW SCHEMAS` is listed there, too.
    let unknown: Vec<&str> = names
        .iter()
        .map(|row| &*row[0])
        .filter(|name| *name != "schemas" && function(name) == BuiltinRule::Unknown)
        .collect();
    assert_eq!(unknown, [""; 0]);
}

#[test]
fn variables_with_paths_and_secrets_are_refused() {
    for server in servers() {
        let legacy = server.database("");
        for row in legacy.rows("show session variables") {
            let (name, value) = (&row[0], &row[1]);
            let is_path = value.starts_with('/') || name.contains("password") || name.contains("ssl_key");
            let readable = !matches!(variable(name), SettingRule::Refused(_));
            assert!(!(is_path && readable), "{name} = {value}");
        }
    }
}

#[test]
#[ignore = "makes 10,000 tables; run by hand"]
fn ten_thousand_tables_load_in_five_seconds() {
    let types = ["int", "varchar(40)", "decimal(10,2)", "datetime"];
    let columns: Vec<String> = (1..20).map(|i| format!("column_{i} {}", types[i % types.len()])).collect();
    let columns = columns.join(",");
    let legacy = support::mariadb().database("");
    for part in 0..20 {
        let tables = (part * 500..(part + 1) * 500)
            .map(|table| format!("create table table_{table}(id bigint primary key, {columns}) engine = myisam"));
        legacy.execute(&tables.collect::<Vec<_>>().join(";"));
    }
    for _ in 0..3 {
        let started = Instant::now();
        let snapshot = support::mariadb().snapshot();
        let took = started.elapsed();
        let columns: usize = snapshot.relations().iter().map(|relation| relation.columns.len()).sum();
        eprintln!("{} relations, {columns} columns in {took:?}", snapshot.relations().len());
        assert!(columns > 200_000 && took < Duration::from_secs(5));
    }
}
