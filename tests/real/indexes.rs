//! Masks and filters leave a table's indexes in use, and statements get the columns that they ask for, whatever way they
//! ask.

use std::sync::Arc;

use sekisho::pipeline::{Person, Settings, Verdict, VirtualDatabase};
use sekisho::policy::load::{Surroundings, parse};
use sekisho::sql::Engine;

use crate::support::{MySqlServer, mariadb, mysql};
use crate::virtual_database::Desk;

const RULES: &str = r#"
    [role.analyst]
    grant = [ { on = "*.*.*", allow = ["read"] } ]
    [[protect]]
    name = "mail"
    columns = ["*.*.customers.email"]
    mask = "email"
    [[protect]]
    name = "pay"
    columns = ["*.*.customers.salary"]
    mask = { kind = "bucket", width = 10 }
    [[filter]]
    name = "eu"
    tables = ["*.*.customers"]
    where = "region = 'EU'"
    [[filter]]
    name = "small"
    tables = ["*.*.orders"]
    where = "amount < 100"
"#;

/// 4,000 customers, every fourth of them hidden, and two orders of each.
const POSTGRES: &str = "
    create table customers(id int primary key, email text, salary int, region text, since date);
    insert into customers select n, 'c' || n || '@example.com', n, case n % 4 when 0 then 'US' else 'EU' end,
        date '2020-01-01' + n from generate_series(1, 4000) n;
    create table orders(id int primary key, customer_id int, amount int);
    insert into orders select n, (n + 1) / 2, n % 50 from generate_series(1, 8000) n;
    create index by_customer on orders(customer_id);
    analyze customers; analyze orders;";

const MYSQL: &str = "
    create table numbers(n int primary key);
    insert into numbers with recursive r as (select 1 n union all select n + 1 from r where n < 1000) select n from r;
    insert into numbers select n + 1000 from numbers;
    insert into numbers select n + 2000 from numbers;
    create table customers(id int primary key, email varchar(80), salary int, region varchar(10), since date, key(since));
    insert into customers select n, concat('c', n, '@example.com'), n, if(n % 4 = 0, 'US', 'EU'),
        date_add('2020-01-01', interval n day) from numbers;
    create table orders(id int primary key, customer_id int, amount int, key by_customer(customer_id));
    insert into orders select n * 2 - 1, n, (n * 2 - 1) % 50 from numbers union all select n * 2, n, n * 2 % 50 from numbers;
    analyze table customers, orders;";

#[test]
fn lookups_and_joins_of_filtered_tables_use_indexes_on_postgresql() {
    let desk = Desk::open(POSTGRES, RULES, "analyst");
    let lookup = "select email, salary from customers where id = 7";
    assert_eq!(desk.rows(lookup), [["c***@example.com", "0"]]);
    assert!(desk.plan(lookup).starts_with("Index Scan using customers_pkey on customers"), "{}", desk.plan(lookup));
    assert_eq!(desk.rows("select email from customers where id = 8"), Vec::<Vec<String>>::new());
    let join = "select o.id, c.email from customers c join orders o on o.customer_id = c.id where c.id in (7, 8, 9) \
                order by o.id";
    assert_eq!(desk.rows(join).len(), 4);
    let plan = desk.plan(join);
    for index in ["customers_pkey", "by_customer"] {
        assert!(plan.contains(index) && !plan.contains("Seq Scan") && !plan.contains("Subquery Scan"), "{plan}");
    }
}

/// How each way of naming columns meets a derived table that has the asked-for ones only; the same on all servers.
const NAMINGS: &[(&str, &[&str])] = &[
    ("select count(*) from customers where id < 9", &["6"]),
    ("select count(*) from customers a, orders b where a.id = b.customer_id and a.id < 3", &["4"]),
    ("select * from customers where id = 7", &["7 c***@example.com 0 EU 2020-01-08"]),
    ("select c.* from customers c where c.id = 7", &["7 c***@example.com 0 EU 2020-01-08"]),
    ("select d.email from (select * from customers) d where d.id = 7", &["c***@example.com"]),
    ("select salary from customers join (select 17 as id) x using (id)", &["10"]),
    ("select salary from customers natural join (select 17 as id) x", &["10"]),
    ("select count(*) from customers natural join (select 1 as other) x where id < 3", &["2"]),
    ("select (select max(o.amount) from orders o where o.customer_id = c.id) from customers c where c.id = 2", &["4"]),
    ("select salary as s from customers where id < 30 group by salary having max(id) > 9 order by s", &["10", "20"]),
    ("select 1 from customers where id = 7 union all select salary from customers where id = 17", &["1", "10"]),
    ("select exists (select email from customers where id = 8) as found from orders where id = 1", &["0"]),
];

/// Those that only PostgreSQL has.
const POSTGRES_NAMINGS: &[(&str, &[&str])] = &[
    ("select c from customers c where id = 7", &["(7,c***@example.com,0,EU,2020-01-08)"]),
    ("select b, e from customers c(a, b, d, e) where a = 7", &["c***@example.com EU"]),
    (
        "select j.y from (customers c join orders o on o.customer_id = c.id) as j(x, y) where j.x = 7",
        &["c***@example.com", "c***@example.com"],
    ),
    ("select row_to_json(c)->>'email' from customers c where c.id = 7", &["c***@example.com"]),
    ("select (c).email from customers c where id = 7", &["c***@example.com"]),
    ("select count(c) from customers c where id < 4", &["3"]),
    ("select x.salary from customers c, lateral (select c.salary) x where c.id = 17", &["10"]),
    ("select j.id from orders o join customers c using (id) as j where j.id = 7", &["7"]),
    ("table customers limit 1", &["1 c***@example.com 0 EU 2020-01-02"]),
];

fn lines(rows: Vec<Vec<String>>) -> Vec<String> {
    rows.into_iter().map(|row| row.join(" ")).collect()
}

#[test]
fn every_way_to_name_columns_finds_them_on_postgresql() {
    let desk = Desk::open(POSTGRES, RULES, "analyst");
    for (sql, expected) in NAMINGS.iter().chain(POSTGRES_NAMINGS) {
        let found: Vec<String> =
            lines(desk.rows(sql)).into_iter().map(|line| if line == "f" { "0".into() } else { line }).collect();
        assert_eq!(found, *expected, "{sql}");
    }
    let sent = desk.permit("select email from customers where id = 7");
    assert!(!sent.sql().contains("salary") && !sent.sql().contains("since"), "{}", sent.sql());
}

/// A role's database on MySQL or MariaDB.
struct MySqlDesk {
    database: crate::support::MySqlDatabase,
    role: VirtualDatabase,
}

impl MySqlDesk {
    fn open(server: &'static MySqlServer) -> Self {
        let database = server.database(MYSQL);
        let snapshot = Arc::new(server.snapshot());
        let surroundings = Surroundings::new([(Arc::clone(snapshot.source()), Engine::MySql)]);
        let (rules, _) = parse(&[("rules.toml", RULES)], &surroundings, 1).unwrap_or_else(|e| panic!("{e:?}"));
        let role = Arc::clone(rules.role("analyst").unwrap());
        let role = VirtualDatabase::new(Arc::new(rules), snapshot, role, Arc::new(Person::default()));
        Self { database, role }
    }

    fn sent(&self, sql: &str) -> String {
        let name = self.database.name.as_str();
        let settings = Settings { search_path: Some(Arc::from([Box::from(name)])), ..Settings::default() };
        match self.role.decide(&settings, sql).verdict {
            Verdict::Permit(permit) => permit.sql().to_string(),
            Verdict::Denial(denial) => panic!("{sql}: {denial:?}"),
        }
    }

    /// For each table of the server's plan the kind of its select, the kind of access, the key.
    fn plan(&self, sql: &str) -> Vec<String> {
        let sent = self.sent(sql).replace('?', "7");
        // MariaDB passes over comments of these versions.
        let format = "/*!80300 set explain_json_format_version = 1 */";
        let plan = self.database.rows(&format!("{format}; explain format=json {sent}"));
        let text = plan.concat().concat().replace("\\n", "\n");
        let value = |line: &str| line.split('"').nth(3).unwrap_or_default().to_owned();
        let wanted = ["\"access_type\"", "\"key\"", "\"materialized"];
        text.lines().filter(|line| wanted.iter().any(|key| line.contains(key))).map(value).collect()
    }
}

fn on_each(test: impl Fn(&MySqlDesk)) {
    for server in [Some(mariadb()), mysql()].into_iter().flatten() {
        test(&MySqlDesk::open(server));
    }
}

#[test]
fn lookups_and_joins_of_filtered_tables_use_indexes_on_mysql() {
    on_each(|desk| {
        for lookup in ["id = 7", "id = ?", "id = '7'"] {
            let sql = format!("select email, salary from customers where {lookup}");
            assert_eq!(desk.plan(&sql), ["const", "PRIMARY"], "{}", desk.sent(&sql));
        }
        for since in ["'2020-01-08'", "date '2020-01-08'", "cast('2020-01-08' as date)"] {
            let sql = format!("select email from customers where since = {since}");
            assert_eq!(desk.plan(&sql), ["ref", "since"], "{}", desk.sent(&sql));
        }
        let join =
            "select o.id, c.email from customers c join orders o on o.customer_id = c.id where c.id in (7, 8, 9)";
        assert_eq!(desk.plan(join), ["range", "PRIMARY", "ref", "by_customer"], "{}", desk.sent(join));
    });
}

#[test]
fn comparisons_that_could_tell_of_hidden_rows_stay_behind_the_fence_on_mysql() {
    on_each(|desk| {
        for condition in ["since = email", "since = salary", "email = date '2020-01-08'", "since = ?", "salary = since"]
        {
            let sent = desk.sent(&format!("select 1 from customers where {condition}"));
            assert!(sent.contains("LIMIT 18446744073709551615"), "{sent}");
        }
    });
}

#[test]
fn every_way_to_name_columns_finds_them_on_mysql() {
    on_each(|desk| {
        for (sql, expected) in NAMINGS {
            assert_eq!(lines(desk.database.rows(&desk.sent(sql))), *expected, "{sql}");
        }
        let sent = desk.sent("select email from customers where id = 7");
        assert!(!sent.contains("salary") && !sent.contains("since"), "{sent}");
    });
}
