//! Two databases that differ in protected values alone, behind proxies, and the rules of analyst and editor.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use sekisho::net::TlsMode;

use crate::support::mysql_proxy::{MySqlProxy, source};
use crate::support::pg_proxy::PostgresProxy;
use crate::support::side::{MySqlSide, PostgresSide, Side};
use crate::support::{MySqlServer, PostgresDatabase, postgres};

/// What both roles read. Names are `*.SCHEMA.table`; MySQL's databases have a prefix.
const READER: &str = r#"[role.viewer]
grant = [
  { on = ["*.*app.customers", "*.*app.payments", "*.*app.CustomerContacts", "*.*app.orders", "*.*app.order_items",
          "*.*app.customer_contact_export_for_partner_reconciliation_per_quarter2", "*.*app.loyalty", "*.*app.products",
          "*.*app.suppliers", "*.*app.customercontacts", "*.*hr.departments", "*.*hr.employees", "*.*mart.*"],
    allow = ["read"] },
"#;
const WRITER: &str = "  { on = [\"*.*app.customers\"], allow = [\"insert\", \"update\"] },\n";
const PROTECTION: &str = r#"]
[[filter]]
name = "eu-only"
tables = ["*.*app.customers"]
where = "region = 'EU'"
[[protect]]
name = "email"
columns = ["*.*app.customers.email", "*.*app.CustomerContacts.Email", "*.*app.loyalty.email"]
writable = true
mask = "email"
[[protect]]
name = "nothing"
columns = ["*.*app.customers.phone", "*.*app.customers.notes", "*.*app.customers.metadata"]
writable = true
mask = "null"
[[protect]]
name = "cards"
columns = ["*.*app.customers.card_number", "*.*app.payments.card_number"]
writable = true
mask = "card"
[[protect]]
name = "name"
columns = ["*.*app.customers.name"]
writable = true
mask = "hash"
[[protect]]
name = "birth"
columns = ["*.*app.customers.birth_date"]
writable = true
mask = { kind = "trunc", unit = "year" }
[[protect]]
name = "derived"
columns = ["*.*app.customers.email_lower", "*.*app.customers.contact_line", "*.*app.customers.search_tsv"]
mask = "null"
[[protect]]
name = "export"
columns = ["*.*app.customer_contact_export_for_partner_reconciliation_per_quarter2.email"]
mask = "null"
[[protect]]
name = "pay"
columns = ["*.*hr.employees.salary", "*.*hr.employees.national_id"]
deny = true
"#;

/// Opens a session on a side as a role.
type Connect = dyn Fn(usize, &str) -> Box<dyn Side>;

/// Which rules are in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rules {
    /// As the policy of the attacks has them.
    Usual,
    /// The filter costs more than the conditions of a statement, so that a server would rather look at those first; and
    /// no rule names what derives from protected columns.
    Demanding,
}

impl Rules {
    fn protection(self) -> String {
        if self == Self::Usual {
            return PROTECTION.to_owned();
        }
        let derived = PROTECTION.split("[[protect]]").filter(|rule| !rule.contains("\"derived\""));
        let left = derived.collect::<Vec<_>>().join("[[protect]]");
        left.replace("region = 'EU'", "lower(region) in ('eu') and length(region) = 2")
    }
}

/// The servers with both databases and everything that is kept running for them.
pub struct World {
    connect: Box<Connect>,
    direct: Box<dyn Fn(usize) -> Box<dyn Side>>,
    idle: HashMap<(usize, String), Box<dyn Side>>,
    /// What attacks may need of the server.
    pub has: Vec<String>,
    /// Names of the databases, by side, for the placeholders.
    names: [String; 2],
    is_mysql: bool,
    _kept: Vec<Box<dyn std::any::Any>>,
}

/// A folder of `tests/bypass`.
pub fn folder(engine: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bypass").join(engine)
}

/// What makes a side's database: schema, data, what comes after.
fn script(engine: &str, side: usize) -> String {
    let read = |file: &str| std::fs::read_to_string(folder(engine).join(file)).unwrap();
    [read("schema.sql"), data(&read("../data.sql"), engine, side), read("finish.sql")].concat()
}

/// The lines of the data that are for an engine and a side. Marks stand before `|` at the beginning of a line: `p` and `m`
/// for PostgreSQL and MySQL, `1` and `2` for the sides; a line without marks is for all.
fn data(text: &str, engine: &str, side: usize) -> String {
    let own = [engine.chars().next().unwrap(), if side == 0 { '1' } else { '2' }];
    let line_for_us = |line: &str| match line.split_once('|') {
        Some((marks, rest)) if !marks.is_empty() && marks.chars().all(|mark| "pm12".contains(mark)) => {
            marks.chars().all(|mark| own.contains(&mark)).then(|| format!("{rest}\n"))
        }
        _ => Some(format!("{line}\n")),
    };
    text.lines().filter_map(line_for_us).collect()
}

impl World {
    /// On PostgreSQL: one database a side.
    pub fn postgres(rules: Rules) -> Self {
        let protection = rules.protection();
        let databases: [PostgresDatabase; 2] =
            [0, 1].map(|side| postgres().database(&fill(&script("postgres", side), "")));
        let names = databases.each_ref().map(|database| database.name.clone());
        let proxies = |rules: &str| databases.each_ref().map(|database| PostgresProxy::start(database, rules));
        let readers = proxies(&format!("{READER}{protection}"));
        let writers = proxies(&format!("{READER}{WRITER}{protection}"));
        let has = databases[0].rows("select extname from pg_extension").concat();
        let ports = |proxies: &[PostgresProxy; 2]| [proxies[0].port, proxies[1].port];
        let (reading, writing) = (ports(&readers), ports(&writers));
        let known = names.clone();
        let connect = move |side: usize, role: &str| {
            let (port, user) = match role {
                "admin" => (reading[side], "admin"),
                "editor" => (writing[side], "viewer"),
                _ => (reading[side], "viewer"),
            };
            Box::new(PostgresSide::proxy(port, user, &known[side])) as Box<dyn Side>
        };
        let known = names.clone();
        let direct = move |side: usize| Box::new(PostgresSide::direct(postgres().port, &known[side])) as Box<dyn Side>;
        Self {
            connect: Box::new(connect),
            direct: Box::new(direct),
            idle: HashMap::new(),
            has,
            names,
            is_mysql: false,
            _kept: vec![Box::new(databases), Box::new(readers), Box::new(writers)],
        }
    }

    /// On MariaDB or MySQL: three databases a side, with its prefix.
    pub fn mysql(server: &'static MySqlServer, rules: Rules) -> Self {
        let protection = rules.protection();
        let is_mariadb = server.database("").rows("select version()")[0][0].contains("MariaDB");
        let names = [0, 1].map(|side| {
            let own = server.database("").name;
            let prefix = format!("{own}_");
            let head = "set sql_mode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION', foreign_key_checks = 0;\n";
            server.database(&format!("{head}{}", fill(&script("mysql", side), &prefix)));
            prefix
        });
        let start = |rules: &str| MySqlProxy::start(vec![source("shop", server, TlsMode::Disable)], rules, |_, _| {});
        let reader = start(&format!("{READER}{protection}"));
        let writer = start(&format!("{READER}{WRITER}{protection}"));
        let (reading, writing) = (reader.port, writer.port);
        let known = names.clone();
        let connect = move |side: usize, role: &str| {
            let (port, user) = match role {
                "admin" => (reading, "admin"),
                "editor" => (writing, "viewer"),
                _ => (reading, "viewer"),
            };
            Box::new(MySqlSide::connect(port, user, &format!("{}app", known[side]))) as Box<dyn Side>
        };
        let known = names.clone();
        let direct = move |side: usize| {
            Box::new(MySqlSide::connect(server.port, "app", &format!("{}app", known[side]))) as Box<dyn Side>
        };
        Self {
            connect: Box::new(connect),
            direct: Box::new(direct),
            idle: HashMap::new(),
            has: vec![if is_mariadb { "mariadb" } else { "mysql8" }.to_owned()],
            names,
            is_mysql: true,
            _kept: vec![Box::new(reader), Box::new(writer)],
        }
    }

    /// A text with the names of a side's databases in their places.
    pub fn fill(&self, text: &str, side: usize) -> String {
        let name = &self.names[side];
        let text = text.replace("{{db}}", name).replace("{{tmp}}", "/tmp/sekisho_bypass_leftover");
        let text = text.replace("{{prefix}}", name).replace("{{n}}", &(side + 1).to_string());
        fill(&text, if self.is_mysql { name } else { "" })
    }

    /// A line without what tells the sides apart by itself.
    pub fn neutral(&self, line: &str, side: usize) -> String {
        line.replace(&self.names[side], "DATABASE")
    }

    /// A session of a role on a side, which [`World::give_back`] takes again.
    pub fn take(&mut self, side: usize, role: &str) -> Box<dyn Side> {
        self.idle.remove(&(side, role.to_owned())).unwrap_or_else(|| (self.connect)(side, role))
    }

    /// Takes a session back for the next who wants one.
    pub fn give_back(&mut self, side: usize, role: &str, mut session: Box<dyn Side>) {
        if session.reset() {
            self.idle.insert((side, role.to_owned()), session);
        }
    }

    /// A new session.
    pub fn connect(&self, side: usize, role: &str) -> Box<dyn Side> {
        (self.connect)(side, role)
    }

    /// A connection without a proxy.
    pub fn direct(&self, side: usize) -> Box<dyn Side> {
        (self.direct)(side)
    }

    /// What attacks must not change: contents of tables, and how many objects of each kind there are.
    pub fn state(&self) -> Vec<String> {
        let texts = if self.is_mysql { MYSQL_STATE } else { POSTGRES_STATE };
        let mut all = Vec::new();
        for side in [0, 1] {
            let mut session = self.direct(side);
            for text in texts {
                all.extend(session.run(&self.fill(text, side)));
            }
        }
        all
    }
}

fn fill(text: &str, prefix: &str) -> String {
    ["app", "hr", "mart"]
        .iter()
        .fold(text.to_owned(), |text, name| text.replace(&format!("{{{{{name}}}}}"), &format!("{prefix}{name}")))
}

const POSTGRES_STATE: &[&str] = &[
    "select md5(string_agg(query_to_xml(format('select * from %s t order by t::text', c.oid::regclass), true, false, '')::text, '' order by c.relname)) from pg_class c join pg_namespace n on n.oid = c.relnamespace where nspname in ('app', 'hr', 'mart', 'public') and relkind in ('r', 'm') and relispopulated",
    "select relname, relkind, relacl, relowner, reloptions from pg_class c join pg_namespace n on n.oid = c.relnamespace where nspname !~ '^pg_' and nspname <> 'information_schema' order by nspname, relname",
    "select (select count(*) from pg_proc), (select count(*) from pg_type), (select count(*) from pg_attribute where attrelid >= 16384 and not attisdropped), (select count(*) from pg_trigger), (select count(*) from pg_rewrite), (select count(*) from pg_policy), (select count(*) from pg_largeobject_metadata), (select count(*) from pg_namespace where nspname !~ '^pg_'), (select count(*) from pg_extension), (select count(*) from pg_event_trigger), (select count(*) from pg_statistic_ext), (select count(*) from pg_description), (select count(*) from pg_foreign_server), (select count(*) from pg_replication_slots), (select count(*) from pg_prepared_xacts), (select count(*) from pg_auth_members), (select string_agg(setconfig::text, ',') from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase where datname = current_database())",
    // What is rolled back has moved the history's sequence by a trigger.
    "select sequencename, last_value from pg_sequences where sequencename not like 'customers_history%'",
];

const MYSQL_STATE: &[&str] = &[
    "checksum table {{app}}.customers, {{app}}.vip_customers, {{app}}.products, {{app}}.orders, {{app}}.order_items, {{app}}.payments, {{app}}.CustomerContacts, {{app}}.suppliers, {{app}}.loyalty, {{app}}.customers_history, {{hr}}.departments, {{hr}}.employees, {{hr}}.salary_history, {{hr}}.secrets, {{mart}}.customers, {{mart}}.daily_revenue",
    "select table_schema, table_name, table_type, md5(group_concat(column_name, column_type, ifnull(column_default, '') order by ordinal_position)) from information_schema.columns join information_schema.tables using (table_schema, table_name) where table_schema like '{{prefix}}%' group by 1, 2, 3 order by 1, 2",
    "select count(*) from information_schema.routines where routine_schema like '{{prefix}}%'",
    "select count(*) from information_schema.triggers where trigger_schema like '{{prefix}}%'",
    "select count(*) from information_schema.events where event_schema like '{{prefix}}%'",
    "select count(*) from information_schema.schemata where schema_name like 'pwn%'",
    "select count(*) from mysql.user",
    "select @@global.general_log, @@global.sql_mode, @@global.max_connections, @@global.slow_query_log",
];
