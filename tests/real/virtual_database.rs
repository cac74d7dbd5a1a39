//! A role's own database, answered by a real server: what is sent, what rows come back, what is refused.

use std::sync::Arc;

use sekisho::pipeline::{Permit, Person, Settings, Verdict, VirtualDatabase};
use sekisho::policy::load::{Surroundings, parse};
use sekisho::sql::Engine;

use crate::support::{self, PostgresDatabase};

/// One role on a private database.
pub struct Desk {
    database: PostgresDatabase,
    role: VirtualDatabase,
}

impl Desk {
    /// A database made by `schema`, seen by `role` of `rules`; the source is called `shop`.
    pub fn open(schema: &str, rules: &str, role: &str) -> Self {
        let database = support::postgres().database(schema);
        let snapshot = Arc::new(database.snapshot());
        let surroundings = Surroundings::new([(Arc::clone(snapshot.source()), Engine::Postgres)]);
        let rules = rules.replace("shop.", &format!("{}.", snapshot.source()));
        let (set, _) = parse(&[("rules.toml", &rules)], &surroundings, 1).unwrap_or_else(|e| panic!("{e:?}"));
        let found = Arc::clone(set.role(role).unwrap());
        let person = Person { user: "hanako".into(), roles: vec![role.into()], ..Person::default() };
        let role = VirtualDatabase::new(Arc::new(set), snapshot, found, Arc::new(person));
        Self { database, role }
    }

    /// What the server would get.
    pub fn permit(&self, sql: &str) -> Permit {
        match self.role.decide(&Settings::default(), sql).verdict {
            Verdict::Permit(permit) => permit,
            Verdict::Denial(denial) => panic!("{sql}: {denial:?}"),
        }
    }

    /// The rows of a statement, as the role sees them.
    pub fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        self.database.rows(self.permit(sql).sql())
    }

    /// How the server would run what it would get.
    pub fn plan(&self, sql: &str) -> String {
        let lines = self.database.rows(&format!("explain (costs off) {}", self.permit(sql).sql()));
        lines.concat().join("\n")
    }

    /// SQLSTATE and message of a refusal.
    pub fn refused(&self, sql: &str) -> (String, String) {
        match self.role.decide(&Settings::default(), sql).verdict {
            Verdict::Permit(permit) => panic!("{sql}: permitted as {}", permit.sql()),
            Verdict::Denial(denial) => (denial.sqlstate.to_owned(), denial.message),
        }
    }
}

const SCHEMA: &str = "
    create table customers(id int primary key, email text, region text, salary int);
    insert into customers values (1, 'ann@example.com', 'EU', 10), (2, 'bob@example.com', 'US', 20),
                                 (3, 'cid@example.com', 'EU', 30);
    create table orders(id int primary key, customer_id int, amount int);
    insert into orders values (1, 1, 5), (2, 1, 6), (3, 2, 7);
    create view buyers as select c.email, o.amount from customers c join orders o on o.customer_id = c.id;
";

const RULES: &str = r#"
    [role.analyst]
    grant = [ { on = "shop.public.*", allow = ["read"] } ]
    [role.clerk]
    extends = ["analyst"]
    grant = [ { on = "shop.public.customers", allow = ["insert", "update", "delete"] } ]
    [[protect]]
    name = "mail"
    columns = ["shop.public.customers.email"]
    writable = true
    mask = "null"
    [[protect]]
    name = "pay"
    columns = ["shop.public.customers.salary"]
    deny = true
    [[filter]]
    name = "eu"
    tables = ["shop.public.customers"]
    where = "region = 'EU'"
"#;

#[test]
fn a_role_sees_its_own_database() {
    let desk = Desk::open(SCHEMA, RULES, "analyst");
    assert_eq!(desk.rows("select * from customers order by id"), [["1", "NULL", "EU"], ["3", "NULL", "EU"]]);
    assert_eq!(desk.rows("select count(*) from public.customers where email is not null"), [["0"]]);
    assert_eq!(desk.rows("select amount, email from buyers order by 1"), [["5", "NULL"], ["6", "NULL"]]);
    assert_eq!(desk.rows("table customers limit 1"), [["1", "NULL", "EU"]]);
    assert_eq!(desk.refused("select salary from customers").0, "42501");
    assert_eq!(desk.refused("select c.salary from customers c").0, "42501");
    assert_eq!(desk.refused("delete from customers").0, "42501");
}

/// A filter that costs more than one comparison, so that the server would rather look at the statement's conditions first.
const COSTLY: &str = "where = \"upper(lower(upper(lower(upper(region))))) = 'EU'\"";

#[test]
fn joins_by_name_do_not_look_at_hidden_rows() {
    let desk = Desk::open(SCHEMA, &RULES.replace("where = \"region = 'EU'\"", COSTLY), "analyst");
    for join in [
        "select count(*) from (select 1 / (id - 2) as k from customers) s join (select 1 as k) o using (k)",
        "select count(*) from (select 1 / (id - 2) as k from customers) s natural join (select 1 as k) o",
        "select count(*) from (select 1 / (id - 2) as k from customers) s join (values (1)) o(k) on s.k = o.k",
        "select count(*) from customers c join (select generate_series(1, 3) as id) g using (id) where 1 / (c.id - 2) = 1",
    ] {
        assert_eq!(desk.rows(join), [["1"]], "{join}");
    }
}

#[test]
fn a_place_in_group_by_is_part_of_what_is_remembered() {
    let desk = Desk::open(SCHEMA, &format!("{RULES}\n"), "analyst");
    let by = |place: u8| format!("select id, region, count(*) from customers group by {place}");
    // Region alone does not decide the id, so the server refuses; which must not be remembered for the other text.
    let refused = desk.database.try_rows(desk.permit(&by(2)).sql());
    assert!(refused.is_err(), "{refused:?}");
    let mut rows = desk.rows(&by(1));
    rows.sort();
    assert_eq!(rows, [["1", "EU", "1"], ["3", "EU", "1"]]);
}

/// A filter that costs more than a small sub-select.
const SUBSELECT: &str = "where = \"region = (select max(upper('eu')) from orders o, orders p, orders q where o.id * p.id * q.id > customers.id * 0)\"";

#[test]
fn sub_selects_in_conditions_do_not_look_at_hidden_rows() {
    let rules = RULES.replace("where = \"region = 'EU'\"", SUBSELECT);
    let analyst = Desk::open(SCHEMA, &rules, "analyst");
    for condition in [
        "exists (select 1 / (c.id - 2) union select 1)",
        "exists (select 1 from generate_series(1, 5 + 1 / (c.id - 2)))",
        "exists (values (1 / (c.id - 2)))",
        "exists (select 1 limit 5 + 1 / (c.id - 2))",
        "c.id in (select 1 / (c.id - 2) union select c.id)",
        "c.id in (select c.id order by 1 / (c.id - 2) limit 1)",
    ] {
        let sql = format!("select count(*) from customers c where {condition}");
        assert_eq!(analyst.rows(&sql), [["2"]], "{sql}");
    }
    let clerk = Desk::open(SCHEMA, &rules, "clerk");
    for statement in [
        "update customers c set email = 'x' where exists (select 1 where 1 / (c.id - 2) < 9) returning id",
        "delete from customers c where exists (select 1 from generate_series(1, 5 + 1 / (c.id - 2))) returning id",
    ] {
        let mut rows = clerk.rows(statement);
        rows.sort();
        assert_eq!(rows, [["1"], ["3"]], "{statement}");
    }
}

#[test]
fn a_filters_own_columns_are_not_taken_for_those_of_its_sub_selects() {
    let schema = format!(
        "{SCHEMA} create table desks(region text, owner text); insert into desks values ('EU', 'hanako'), ('US', 'kenji');"
    );
    let filter = "where = \"exists (select from desks where desks.region = customers.region and owner = :user)\"";
    let desk = Desk::open(&schema, &RULES.replace("where = \"region = 'EU'\"", filter), "analyst");
    assert_eq!(desk.rows("select id from customers order by id"), [["1"], ["3"]]);
    assert_eq!(desk.rows("select c.id from customers c, desks order by 1"), [["1"], ["1"], ["3"], ["3"]]);
}

#[test]
fn a_foreign_table_that_leads_back_is_protected_as_what_it_shows() {
    let loopback = |table: &str, columns: &str, name: &str| {
        format!(
            "create foreign table {name}({columns}) server here options (schema_name 'public', table_name '{table}');"
        )
    };
    let schema = [
        "create table people(id int, email text, region text); insert into people values (1, 'ann@example.com', 'EU');
         create table hidden(id int, region text); create view plain_view as select id, region from people;
         create extension postgres_fdw;
         do $$ begin execute format('create server here foreign data wrapper postgres_fdw options (dbname %L)',
            current_database()); end $$;",
        &loopback("people", "id int, email text, region text", "again"),
        &loopback("people", "id int, region text options (column_name 'email')", "renamed"),
        &loopback("hidden", "id int, region text", "unfiltered"),
        &loopback("plain_view", "id int, region text", "over_view"),
        "create server elsewhere foreign data wrapper postgres_fdw options (dbname 'other');
         create foreign table far(id int, email text) server elsewhere options (table_name 'people');",
    ];
    let rules = "[role.viewer]\ngrant = { on = 'shop.public.*', allow = 'read' }
        [[protect]]\nname = 'mail'\ncolumns = 'shop.public.people.email'\nmask = { kind = 'fixed', value = 'hidden' }
        [[filter]]\nname = 'here'\ntables = 'shop.public.hidden'\nwhere = \"region = 'EU'\"\n";
    let desk = Desk::open(&schema.concat(), rules, "viewer");
    let sent = |sql: &str| desk.permit(sql).sql().to_string();
    assert!(sent("select email from again").contains("'hidden'"), "{}", sent("select email from again"));
    assert_eq!(desk.refused("select region from renamed").0, "42501");
    assert_eq!(desk.refused("select id from unfiltered").0, "42501");
    assert_eq!(desk.refused("select id from over_view").0, "42501");
    assert!(!sent("select email from far").contains("'hidden'"));
}

#[test]
fn copy_of_a_table_gives_what_the_server_gives() {
    let schema = "create table people(id int, email text, twice int generated always as (id * 2) stored);
        insert into people values (1, 'ann@example.com');
        create table former() inherits (people); insert into former values (2, 'bob@example.com');";
    let rules = "[role.viewer]\ngrant = { on = 'shop.public.*', allow = 'read' }
        [[protect]]\nname = 'mail'\ncolumns = 'shop.public.people.email'\nmask = { kind = 'fixed', value = 'hidden' }\n";
    let desk = Desk::open(schema, rules, "viewer");
    let sent = desk.permit("copy people to stdout").sql().to_string();
    let query = sent.strip_prefix("copy (").and_then(|rest| rest.strip_suffix(") to stdout")).unwrap();
    assert_eq!(desk.database.rows(query), [["1", "hidden"]], "{sent}");
}

#[test]
fn a_row_that_a_filter_refuses_takes_no_number() {
    let schema = "create type tier as enum ('gold', 'silver');
        create table people(id serial primary key, name varchar(4), region text, tier tier, paid numeric(6,2), seen date);";
    let rules = "[role.viewer]\ngrant = { on = 'shop.public.*', allow = ['read', 'insert'] }
        [[filter]]\nname = 'here'\ntables = 'shop.public.people'\nwhere = \"region = 'EU'\"\n";
    let desk = Desk::open(schema, rules, "viewer");
    let sent = |sql: &str| desk.permit(sql).sql().to_string();
    let bad = sent("insert into people(name, region) values ('ann', 'EU'), ('bob', 'US')");
    assert_eq!(desk.database.error(&bad).0, "22P02");
    assert_eq!(desk.database.error(&sent("insert into people(name, region) values ('cid', 'US')")).0, "22P02");
    assert_eq!(desk.database.error(&sent("insert into people(name, region) values ('too long', 'EU')")).0, "22001");
    let good = "insert into people(name, region, tier, paid, seen) values ('dora', 'EU', 'gold', 1.005, '2026-01-31'),
        (null, upper('eu'), null, 2, null) returning id, name, tier, paid, seen";
    // The second row of the first statement was refused behind the first one's number.
    let rows = desk.database.rows(&sent(good));
    assert_eq!(rows[0][1..], ["dora", "gold", "1.01", "2026-01-31"]);
    let first: i32 = rows[0][0].parse().unwrap();
    assert!(first <= 3, "{rows:?}");
    let parameters =
        sent("prepare p as insert into people(name, region, tier) values ($1, $2, $3) returning name, tier");
    let answer = desk.database.rows(&format!("{parameters}; execute p('eve', 'EU', 'silver')"));
    assert_eq!(answer.last().unwrap(), &["eve", "silver"]);
    assert_eq!(
        desk.database.rows(&sent("insert into people(name, region, tier) values ('fay', 'EU', default) returning 1")),
        [["1"]]
    );
}
