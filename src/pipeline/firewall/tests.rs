//! Blocks over whole texts, as a role's virtual database decides about them.

use std::sync::Arc;

use crate::audit::Ground;
use crate::catalog::{Column, ColumnType, Relation, RelationKind, SnapshotBuilder, TypeClass};
use crate::pipeline::{Person, Settings, Verdict, VirtualDatabase};
use crate::policy::{Surroundings, parse};
use crate::sql::Engine;

const ROLES: &str = "[role.viewer]\ngrant = { on = 'shop.*.*', allow = 'all' }\n[role.admin]\nunrestricted = true\n
                     [role.watched]\nmode = 'observe'\ngrant = { on = 'shop.*.*', allow = 'all' }\n";

fn table(schema: &str, name: &str) -> Relation {
    let column = |(name, number): (&str, i16)| Column {
        name: name.into(),
        number,
        ty: ColumnType::new(25, TypeClass::Text, "text"),
        not_null: false,
        generated: None,
    };
    let columns = [("id", 1), ("email", 2)].map(column).to_vec();
    Relation { schema: schema.into(), name: name.into(), columns, ..Relation::default() }
}

fn database(engine: Engine, role: &str, block: &str) -> VirtualDatabase {
    let schema = if engine == Engine::Postgres { "public" } else { "shop" };
    let mut builder = SnapshotBuilder::new(1, "shop", engine, 150_000);
    builder.search_path(vec![schema.into()]);
    builder.relation(table(schema, "big"));
    if engine == Engine::Postgres {
        builder.relation(table("s2", "events"));
        builder.relation(table("public", "events"));
    } else {
        builder.flavour(crate::sql::mysql::Flavour::MariaDb);
    }
    builder.relation(table(schema, "small"));
    let view = Relation { kind: RelationKind::View, ..table(schema, "v") };
    builder.relation(Relation { definition: Some("select id, email from public.big".into()), ..view });
    let rules =
        format!("{ROLES}[[block]]\nname = 'b'\nowner = 'ops'\nroles = ['viewer', 'admin', 'watched']\n{block}\n");
    let sources = Surroundings::new([("shop", engine)]);
    let (set, _) = parse(&[("rules.toml", &rules)], &sources, 1).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let role = Arc::clone(set.role(role).unwrap());
    VirtualDatabase::new(Arc::new(set), Arc::new(builder.build()), role, Arc::new(Person::default()))
}

fn is_blocked(database: &VirtualDatabase, text: &str) -> bool {
    match database.decide(&Settings::default(), text).verdict {
        Verdict::Permit(_) => false,
        Verdict::Denial(denial) => {
            assert_eq!((denial.ground, denial.sqlstate), (Ground::Block, "42501"), "{text}: {}", denial.message);
            true
        }
    }
}

/// Texts that a block refuses and texts that it lets run, for a restricted and an unrestricted role.
fn check(engine: Engine, block: &str, refused: &[&str], permitted: &[&str]) {
    check_as(&["viewer", "admin"], engine, block, refused, permitted);
}

fn check_as(roles: &[&str], engine: Engine, block: &str, refused: &[&str], permitted: &[&str]) {
    for role in roles {
        let database = database(engine, role, block);
        // Twice: from memory, too.
        for text in refused.iter().chain(refused) {
            assert!(is_blocked(&database, text), "{role} may not: {text}");
        }
        for text in permitted.iter().chain(permitted) {
            assert!(!is_blocked(&database, text), "{role} may: {text}");
        }
    }
}

#[test]
fn a_missing_condition_is_one_that_names_no_column() {
    let block = "statements = ['update', 'delete']\nmissing = 'where'";
    let refused = [
        "update big set email = 'x'",
        "update big set email = 'x' where 1 = 1",
        "delete from small",
        "delete from small where true or 'a' = 'b'",
        "with gone as (delete from small returning id) select * from gone",
        "prepare p as delete from small",
        "explain analyze delete from small",
    ];
    let permitted = [
        "update big set email = 'x' where id = '1'",
        "delete from small where id in (select id from big)",
        "delete from small where exists (select 1 from big)",
        "select * from big",
        "explain delete from small",
        "insert into small select * from big",
    ];
    check(Engine::Postgres, block, &refused, &permitted);
    let refused = ["update big set email = 'x'", "delete from small limit 5", "delete small from small join big"];
    check(Engine::MySql, block, &refused[..2], &["update big set email = 'x' where id = '1'"]);
    assert!(is_blocked(&database(Engine::MySql, "admin", block), refused[2]));
}

#[test]
fn big_tables_need_a_condition_or_a_limit() {
    let block = "missing = ['where', 'limit']\ntables = 'shop.public.big'";
    let refused = [
        "select * from big",
        "select * from public.big b join small s on s.id = b.id",
        "select * from small where id in (select id from big)",
        "select (select id from big) from small limit 1",
        "with x as (select * from big) select * from x",
        "select id from small union all select id from big",
        "table big",
        "copy big to stdout",
        "copy (select * from big) to stdout",
        "declare c cursor for select * from big",
        "select * from v",
        "create table t as select * from big",
        "with small as (select 1), big as (select * from big) select 1 from small",
    ];
    let permitted = [
        "select * from big where id = '1'",
        "select * from big limit 10",
        "select * from (select * from big) x limit 10",
        "select * from (select * from big) x where id = '3'",
        "with x as (select * from big) select * from x limit 5",
        "select id from big union all select id from small limit 3",
        "select * from small",
        "with big as (select * from small) select * from big",
        "select 1",
        "insert into big values ('1', 'x')",
        "explain select * from big",
    ];
    check(Engine::Postgres, block, &refused, &permitted);
}

#[test]
fn functions_are_found_wherever_they_are_called() {
    let block = "functions = ['md5', 'coalesce']";
    let refused = [
        "select md5(id) from small",
        "select 1 from small where id = pg_catalog.md5('x')",
        "select id from small order by MD5(id)",
        "insert into small (id) values (md5('1'))",
        "select coalesce(id, '1') from small",
        "update small set email = md5(email) where id = '1'",
    ];
    // The catalog of the test has no functions that a restricted role could call on PostgreSQL.
    let permitted = ["select upper(id) from small", "select 'md5(1)'"];
    check_as(&["admin"], Engine::Postgres, block, &refused, &permitted);
    check(Engine::MySql, block, &["select md5(id) from small"], &["select upper(id) from small"]);
}

#[test]
fn literals_are_looked_at_by_value_for_each_text() {
    let block = "literals = '^[0-9]{16}$'";
    let refused = [
        "select * from small where id = '4111111111111111'",
        "select 4111111111111111",
        "select E'411111111111\\x311111'",
    ];
    let permitted = ["select * from small where id = '1234'", "select 1", "select * from small /* 4111111111111111 */"];
    check(Engine::Postgres, block, &refused, &permitted);
    let refused =
        ["select * from small where id = '41111111' '11111111'", "select x'34313131313131313131313131313131'"];
    check(Engine::MySql, block, &refused, &["select * from small where id = '41111111'"]);
}

#[test]
fn kinds_are_those_of_every_part() {
    let refused = ["drop table small", "truncate small", "create table t (id int)", "select * into t from small"];
    check(Engine::Postgres, "statements = ['drop', 'truncate', 'create']", &refused, &["select 1", "begin"]);
    let block = "statements = 'insert'\ntables = 'shop.public.big'";
    let refused =
        ["insert into big values ('1', 'x')", "with w as (insert into big values ('1', '2') returning id) select 1"];
    check(Engine::Postgres, block, &refused, &["insert into small select * from big", "select * from big"]);
    check(
        Engine::Postgres,
        "statements = ['set', 'show']",
        &["set datestyle = 'ISO'", "show datestyle"],
        &["select 1"],
    );
}

#[test]
fn a_fingerprint_is_that_of_an_audit_record() {
    let open = database(Engine::Postgres, "viewer", "statements = 'drop'");
    let decision = open.decide(&Settings::default(), "select id from small where id = '1'");
    let block = format!("fingerprints = '{:016x}'", decision.facts.fingerprint);
    let refused = ["select id from small where id = '1'", "select id from small  where id = 'other'"];
    check(Engine::Postgres, &block, &refused, &["select id from small"]);
}

#[test]
fn reports_and_observed_roles_run() {
    let database_of =
        |role, action: &str| database(Engine::Postgres, role, &format!("statements = 'delete'\n{action}"));
    let text = "delete from small where id = '1'";
    let decision = database_of("viewer", "action = 'report'").decide(&Settings::default(), text);
    assert!(matches!(decision.verdict, Verdict::Permit(_)));
    assert_eq!(decision.reported.iter().map(|rule| &*rule.name).collect::<Vec<_>>(), ["b"]);
    let decision = database_of("watched", "").decide(&Settings::default(), text);
    assert!(matches!(&decision.verdict, Verdict::Permit(permit) if **permit.sql() == *text));
    assert_eq!(decision.observed.unwrap().detail.as_deref(), Some("rule `b`, owned by ops"));
}

#[test]
fn what_is_not_understood_is_refused_where_blocks_refuse() {
    let admin = database(Engine::Postgres, "admin", "statements = 'drop'");
    assert!(is_blocked(&admin, "frobnicate the table"));
    assert!(is_blocked(&admin, "select 'unterminated"));
    let reports = database(Engine::Postgres, "admin", "statements = 'drop'\naction = 'report'");
    assert!(!is_blocked(&reports, "frobnicate the table"));
}

#[test]
fn a_limit_is_one_that_leaves_something_out() {
    let block = "missing = ['where', 'limit']\ntables = 'shop.public.big'";
    let refused = [
        "select * from big offset 0",
        "select * from big limit null",
        "select * from big limit all",
        "select * from big fetch first 100000000 rows only",
        "select * from big limit 10000001",
        "select * from big limit 1e9",
        "select * from big limit '9000000000'",
        "select * from big limit (select 1000000000)",
        "select * from (select * from big limit 100000000) x",
    ];
    let permitted = [
        "select * from big limit 10000000",
        "select * from big limit 10 offset 100000000",
        "select * from big offset 100000000 limit 10",
        "select * from big limit $1",
        "select * from big limit cast($1 as bigint)",
        "select * from big limit 10::int8",
        "select * from big fetch first row only",
        "select * from big offset 3 rows fetch next 5 rows only",
    ];
    check(Engine::Postgres, block, &refused, &permitted);
    let block = "missing = ['where', 'limit']\ntables = 'shop.shop.big'";
    let refused = ["select * from shop.big limit 18446744073709551615", "select * from shop.big limit 1, 99999999"];
    let permitted = ["select * from shop.big limit 10", "select * from shop.big limit 99999999, 1"];
    check(Engine::MySql, block, &refused, &permitted);
}

#[test]
fn limits_of_one_shape_are_told_apart() {
    for role in ["viewer", "admin"] {
        let database = database(Engine::Postgres, role, "missing = 'limit'\ntables = 'shop.public.big'");
        for (rows, blocked) in [("10", false), ("99999999", true), ("11", false), ("99999998", true)] {
            assert_eq!(is_blocked(&database, &format!("select id from big limit {rows}")), blocked, "{role} {rows}");
        }
    }
}

#[test]
fn what_merge_lacks_is_a_condition_on_rows() {
    let block = "statements = 'merge'\nmissing = 'where'";
    let refused = [
        "merge into small s using s2.events e on true when matched then delete",
        "merge into small s using s2.events e on 1 = 1 when matched and s.id = '1' then delete when matched then do nothing",
    ];
    let permitted = [
        "merge into small s using s2.events e on s.id = e.id when matched then delete",
        "merge into small s using s2.events e on true when matched and s.id = '1' then delete",
    ];
    check_as(&["admin"], Engine::Postgres, block, &refused, &permitted);
}

#[test]
fn an_unrestricted_role_cannot_hide_which_table_it_means() {
    let block = "missing = ['where', 'limit']\ntables = ['shop.s2.events', 'shop.late.*']";
    // The search path may be another than is known; tables may be newer than the catalog.
    let refused = [
        "select * from events",
        "table events",
        "copy events to stdout",
        "select * from s2.events",
        "select * from late.t",
    ];
    let permitted = [
        "select * from public.events",
        "select * from events limit 3",
        "select * from big",
        "select * from later.t",
        "with events as (select id from big) select * from events",
    ];
    check_as(&["admin"], Engine::Postgres, block, &refused, &permitted);
    check_as(
        &["viewer"],
        Engine::Postgres,
        block,
        &["select * from s2.events"],
        &["select * from events", "table big"],
    );
}

#[test]
fn statements_inside_statements_are_seen_on_mariadb() {
    let block = "statements = 'delete'\nmissing = 'where'";
    let refused = [
        "set statement max_statement_time = 1 for delete from small",
        "set statement max_statement_time = 1 for set statement sort_buffer_size = 1 for delete from small",
        "execute immediate 'delete from small'",
        "execute immediate 'delete ' 'from small'",
        "prepare s from 'delete from small'",
        "execute immediate 'execute immediate ''delete from small'''",
        // What is not known may be anything.
        "execute immediate concat('delete from sm', 'all')",
        "prepare s from @text",
        "handler small open",
    ];
    let permitted = [
        "set statement max_statement_time = 1 for select * from small",
        "set statement max_statement_time = 1 for delete from small where id = '1'",
        "execute immediate 'select 1'",
        "prepare s from 'delete from small where id = ?'",
        "set max_statement_time = 1",
    ];
    check_as(&["admin"], Engine::MySql, block, &refused, &permitted);
    let deep = "set statement a = 1 for ".repeat(100_000) + "select 1";
    assert!(is_blocked(&database(Engine::MySql, "admin", block), &deep));
    let sleep = "functions = 'sleep'";
    check_as(&["admin"], Engine::MySql, sleep, &["set statement a = 1 for select sleep(1)"], &["select upper('a')"]);
}

#[test]
fn what_is_recorded_of_a_refusal_repeats_no_literals() {
    let texts = [
        "select current_setting('SECRETVALUE')",
        "set role 'SECRETVALUE'",
        "select 1 from small where id = E'\\'' 'SECRETVALUE'",
        "show 'SECRETVALUE'",
        "select 'SECRETVALUE' 'x' y z",
    ];
    let database = database(Engine::Postgres, "viewer", "statements = 'drop'");
    for text in texts {
        let decision = database.decide(&Settings::default(), text);
        let Verdict::Denial(denial) = &decision.verdict else { panic!("{text} is refused") };
        let recorded = decision.facts.without_literals(&denial.message);
        assert!(!recorded.to_lowercase().contains("secretvalue"), "{text}: {recorded}");
    }
}
