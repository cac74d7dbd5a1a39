//! Random schemas, their contents twice, and the rules of a role over them.
//!
//! Both contents are one virtual database to the role: visible rows have equal values in plain columns and equal masks
//! in masked ones; everything else differs. Rows that a filter hides have equal keys (a key that exists cannot be
//! hidden from whoever may insert) and otherwise nothing in common, values among them that make computing fail.

use std::fmt::Write;

use sekisho::sql::Engine;

use super::random::Random;
use super::tree::Type;

/// What a role sees of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    Plain,
    /// The mask as a rule writes it.
    Masked(&'static str),
    Denied,
}

/// A column.
#[derive(Debug, Clone)]
pub struct Column {
    pub name: &'static str,
    pub ty: Type,
    pub treatment: Treatment,
}

/// A table or view.
#[derive(Debug, Clone)]
pub struct Table {
    pub name: String,
    pub columns: Vec<Column>,
    /// The filter as a rule writes it.
    pub filter: Option<&'static str>,
    pub writable: bool,
}

/// A schema with two contents.
pub struct Schema {
    pub engine: Engine,
    /// What statements may name.
    pub tables: Vec<Table>,
    /// How it is made, with the first and with the second content.
    pub scripts: [String; 2],
    /// The role `viewer` with masks, denials and filters.
    pub protecting: String,
    /// The role `viewer` with grants only.
    pub free: String,
}

/// Names are few, so that joins by name and shadowing happen.
const NAMES: &[(&str, Type)] = &[
    ("a", Type::Int),
    ("b", Type::Int),
    ("n", Type::Number),
    ("s", Type::Text),
    ("t", Type::Text),
    ("u", Type::Text),
    ("d", Type::Date),
    ("f", Type::Bool),
];

const GRANT: &str =
    "[role.viewer]\ngrant = [ { on = \"*.*.*\", allow = [\"read\", \"write\", \"create\", \"drop\"] } ]\n";

/// Filters, from the cheapest to evaluate to one that looks into another table.
const FILTERS: &[&str] =
    &["g = 'EU'", "upper(lower(upper(lower(g)))) = 'EU'", "g = 'EU' and id in (select k.id from keyring k)"];

impl Schema {
    /// The schema of a seed.
    pub fn random(engine: Engine, random: &mut Random) -> Self {
        let mut schema = Self {
            engine,
            tables: Vec::new(),
            scripts: [String::new(), String::new()],
            protecting: GRANT.to_owned(),
            free: GRANT.to_owned(),
        };
        schema.both("create table keyring (id int primary key);\ninsert into keyring values (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12), (13), (14), (15), (16);\n");
        for number in 0..4 {
            schema.add_table(number, random);
        }
        schema.add_rules();
        schema.add_views(random);
        schema
    }

    fn both(&mut self, sql: &str) {
        self.scripts.iter_mut().for_each(|script| script.push_str(sql));
    }

    fn add_table(&mut self, number: usize, random: &mut Random) {
        let mut columns = vec![Column { name: "id", ty: Type::Int, treatment: Treatment::Plain }];
        for (name, ty) in NAMES {
            if random.percent(60) {
                columns.push(Column { name, ty: *ty, treatment: treatment(*ty, random) });
            }
        }
        let filter = random.percent(60).then(|| *random.pick(FILTERS));
        columns.push(Column { name: "g", ty: Type::Text, treatment: Treatment::Plain });
        let table = Table { name: format!("t{number}"), columns, filter, writable: true };
        let definitions: Vec<String> =
            table.columns.iter().map(|column| format!("{} {}", column.name, self.type_name(column))).collect();
        let (key, partitions) = match (self.engine, number) {
            (Engine::Postgres, 3) => (", primary key (id)", " partition by hash (id)"),
            (Engine::MySql, 3) => (", primary key (id)", " partition by hash (id) partitions 2"),
            _ => (", primary key (id)", ""),
        };
        self.both(&format!("create table {} ({}{key}){partitions};\n", table.name, definitions.join(", ")));
        if (self.engine, number) == (Engine::Postgres, 3) {
            self.both("create table t3a partition of t3 for values with (modulus 2, remainder 0);\n");
            self.both("create table t3b partition of t3 for values with (modulus 2, remainder 1);\n");
            self.tables.push(Table { name: "t3a".to_owned(), writable: false, ..table.clone() });
        }
        for id in 1..=12 {
            let hidden = filter.is_some() && random.percent(35);
            self.add_row(&table, id, hidden, random);
        }
        self.tables.push(table);
    }

    fn add_row(&mut self, table: &Table, id: usize, hidden: bool, random: &mut Random) {
        let mut rows = [Vec::new(), Vec::new()];
        for column in &table.columns {
            let values = match (column.name, column.treatment) {
                ("id", _) => [id.to_string(), id.to_string()],
                ("g", _) if hidden => ["'US'".to_owned(), "'APAC'".to_owned()],
                ("g", _) => ["'EU'".to_owned(), "'EU'".to_owned()],
                (_, _) if hidden => secret(column.ty, id, random),
                (_, Treatment::Plain) => {
                    let value = plain(column.ty, random);
                    [value.clone(), value]
                }
                (_, Treatment::Denied | Treatment::Masked("\"null\"")) => secret(column.ty, id, random),
                (_, Treatment::Masked(mask)) => masked(mask, id, random),
            };
            let [first, second] = values;
            rows[0].push(first);
            rows[1].push(second);
        }
        for (script, row) in self.scripts.iter_mut().zip(rows) {
            writeln!(script, "insert into {} values ({});", table.name, row.join(", ")).unwrap();
        }
    }

    fn type_name(&self, column: &Column) -> &'static str {
        match (column.ty, self.engine) {
            (Type::Int, _) => "int",
            (Type::Number, _) => "numeric(12,2)",
            (Type::Text, Engine::Postgres) => "text",
            (Type::Text, Engine::MySql) => "varchar(60)",
            (Type::Date, _) => "date",
            (Type::Bool, _) => "boolean",
        }
    }

    fn add_rules(&mut self) {
        let mut rules = String::new();
        for table in self.tables.iter().filter(|table| table.writable) {
            for column in &table.columns {
                let treatment = match column.treatment {
                    Treatment::Plain => continue,
                    Treatment::Denied => "deny = true".to_owned(),
                    Treatment::Masked(mask) => format!("mask = {mask}\nwritable = true"),
                };
                let name = format!("{}.{}", table.name, column.name);
                writeln!(rules, "[[protect]]\nname = \"{name}\"\ncolumns = [\"*.*.{name}\"]\n{treatment}").unwrap();
            }
            if let Some(filter) = table.filter {
                let (name, quoted) = (&table.name, filter.replace('"', "\\\""));
                writeln!(
                    rules,
                    "[[filter]]\nname = \"rows of {name}\"\ntables = [\"*.*.{name}\"]\nwhere = \"{quoted}\""
                )
                .unwrap();
            }
        }
        self.protecting.push_str(&rules);
    }

    /// A view over two tables, and a view over that view.
    fn add_views(&mut self, random: &mut Random) {
        let usable: Vec<Table> = self.tables.iter().filter(|table| table.writable).cloned().collect();
        let (left, right) = (random.pick(&usable).clone(), random.pick(&usable).clone());
        let mut columns = Vec::new();
        let mut items = Vec::new();
        for column in left.columns.iter().filter(|column| column.treatment != Treatment::Denied) {
            items.push(format!("x.{0} as {0}", column.name));
            columns.push(Column { treatment: Treatment::Plain, ..column.clone() });
        }
        if let Some((name, _)) = NAMES.iter().find(|(name, _)| columns.iter().all(|column| column.name != *name)) {
            let of_right = right.columns.iter().find(|c| c.ty == Type::Text && c.treatment != Treatment::Denied);
            let column = of_right.map_or("g", |column| column.name);
            let ty = NAMES.iter().find(|(n, _)| n == name).map_or(Type::Text, |(_, ty)| *ty);
            if ty == Type::Text {
                items.push(format!("upper(y.{column}) as {name}"));
                columns.push(Column { name, ty, treatment: Treatment::Plain });
            }
        }
        let sql = format!(
            "create view v0 as select {} from {} x join {} y on x.id = y.id;\n",
            items.join(", "),
            left.name,
            right.name
        );
        self.both(&sql);
        self.both("create view v1 as select * from v0 where id > 2;\n");
        for name in ["v0", "v1"] {
            let columns = columns.clone();
            self.tables.push(Table { name: name.to_owned(), columns, filter: None, writable: false });
        }
    }
}

fn treatment(ty: Type, random: &mut Random) -> Treatment {
    let masks: &[&'static str] = match ty {
        Type::Int => &["\"null\"", "{ kind = \"round\", to = 1000 }", "{ kind = \"fixed\", value = 7 }"],
        Type::Number => &["\"null\"", "{ kind = \"bucket\", width = 1000 }"],
        Type::Text => &["\"null\"", "\"email\"", "{ kind = \"keep\", last = 2 }", "\"redact\""],
        Type::Date => &["\"null\"", "{ kind = \"trunc\", unit = \"year\" }"],
        Type::Bool => &["\"null\""],
    };
    match random.below(100) {
        0..45 => Treatment::Plain,
        45..87 => Treatment::Masked(random.pick::<&'static str>(masks)),
        _ => Treatment::Denied,
    }
}

/// A value that everybody sees.
fn plain(ty: Type, random: &mut Random) -> String {
    if random.percent(8) {
        return "null".to_owned();
    }
    match ty {
        Type::Int => random.below(9).to_string(),
        Type::Number => format!("{}.{}", random.below(20), random.below(100)),
        Type::Text => format!("'{}'", random.pick(&["x", "Yz", "7", "12", "", "a@b.c", "Zebra", "2024-05-06", "x"])),
        Type::Date => format!("'20{:02}-{:02}-{:02}'", random.below(30), random.below(12) + 1, random.below(28) + 1),
        Type::Bool => random.pick(&["true", "false"]).to_string(),
    }
}

/// Two values of which a role must learn nothing. Computing with them fails often.
fn secret(ty: Type, id: usize, random: &mut Random) -> [String; 2] {
    let of = |random: &mut Random, side: usize| match (ty, random.below(5)) {
        (_, 0) => "null".to_owned(),
        (Type::Int, 1) => "2147483647".to_owned(),
        (Type::Int | Type::Number, 2) => "0".to_owned(),
        (Type::Int, _) => (91_730_000 + id * 100 + side * 37).to_string(),
        (Type::Number, 1) => "-9999999999.99".to_owned(),
        (Type::Number, _) => format!("{}.57", 8_806_000 + id * 100 + side * 37),
        (Type::Text, 1) => "'12'".to_owned(),
        (Type::Text, 2) => format!("'{}'", "9".repeat(40)),
        (Type::Text, _) => format!("'zq7canary{id}{side}@x.example'"),
        (Type::Date, 1) => "'9999-12-31'".to_owned(),
        (Type::Date, _) => format!("'19{}-{:02}-{:02}'", 50 + id + side, random.below(12) + 1, random.below(28) + 1),
        (Type::Bool, 1..=2) => "true".to_owned(),
        (Type::Bool, _) => "false".to_owned(),
    };
    [of(random, 0), of(random, 1)]
}

/// Two values with one mask.
fn masked(mask: &str, id: usize, random: &mut Random) -> [String; 2] {
    if random.percent(8) {
        return ["null".to_owned(), "null".to_owned()];
    }
    let digit = random.below(10);
    match mask {
        "\"email\"" => [format!("'b{digit}zq7canary{id}@x.example'"), format!("'b{id}zq7sentry@x.example'")],
        "\"redact\"" => [format!("'zq7canary{digit}7'"), format!("'{}'", "9".repeat(11))],
        "{ kind = \"keep\", last = 2 }" => [format!("'zq7canary{digit}7'"), format!("'12345678 {digit}7'")],
        "{ kind = \"round\", to = 1000 }" => [(91_730_000 - digit).to_string(), (91_730_007 + digit).to_string()],
        "{ kind = \"bucket\", width = 1000 }" => [format!("{}.57", 8_806_000 + digit), "8806900".to_owned()],
        "{ kind = \"trunc\", unit = \"year\" }" => {
            [format!("'19{}-07-03'", 60 + digit), format!("'19{}-11-23'", 60 + digit)]
        }
        // A fixed value stands for every other.
        _ => [(91_730_000 + digit).to_string(), (82_640_000 + id).to_string()],
    }
}
