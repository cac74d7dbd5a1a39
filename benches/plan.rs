//! What deciding costs: a text seen before, one that differs in literals, one never seen.
//!
//! `SEKISHO_STATEMENTS=FOLDER` plans the statements of a benchmark too, each never seen: `queries.sql` holds them, each
//! ended by a semicolon at the end of a line, `ddl-pg.sql` the `create table` statements of what they read, with all
//! columns of a table in one line (as the generators of TPC-H and TPC-DS in `DuckDB` give them).

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sekisho::catalog::{Column, ColumnType, Relation, RelationKind, Snapshot, SnapshotBuilder, TypeClass};
use sekisho::pipeline::{Person, Settings, Verdict, VirtualDatabase};
use sekisho::policy::load::{Surroundings, parse};
use sekisho::sql::Engine;

const RULES: &str = r#"
[role.analyst]
grant = [ { on = "shop.public.*", allow = ["read"] } ]
[[protect]]
name = "mail"
columns = ["shop.public.customers.email"]
mask = "email"
[[protect]]
name = "phone"
columns = ["shop.public.customers.phone"]
mask = "phone"
"#;

/// A column: its name, the kind of its values, its type.
type ColumnSpec = (&'static str, TypeClass, &'static str);

const TABLES: &[(&str, &[ColumnSpec])] = &[
    (
        "customers",
        &[
            ("id", TypeClass::Integer, "integer"),
            ("email", TypeClass::Text, "text"),
            ("phone", TypeClass::Text, "text"),
            ("region", TypeClass::Text, "text"),
            ("created_at", TypeClass::Timestamp, "timestamp without time zone"),
        ],
    ),
    (
        "orders",
        &[
            ("id", TypeClass::Integer, "integer"),
            ("customer_id", TypeClass::Integer, "integer"),
            ("status", TypeClass::Text, "text"),
            ("amount", TypeClass::Numeric, "numeric"),
            ("ordered_at", TypeClass::Timestamp, "timestamp without time zone"),
        ],
    ),
];

const SHORT: &str = "SELECT email, region FROM customers WHERE id = ";

/// About 2 KB, as a BI tool writes it.
fn dashboard(number: usize) -> String {
    let months: Vec<String> = (1..=12)
        .map(|month| {
            format!(
                "SUM(CASE WHEN EXTRACT(month FROM \"source\".\"ordered_at\") = {month} THEN \"source\".\"amount\" ELSE 0 END) AS \"m{month}\""
            )
        })
        .collect();
    format!(
        "/* Metabase:: userID: 7 queryType: native queryHash: {number:x} */ SELECT \"source\".\"region\" AS \"region\", \
         DATE_TRUNC('month', \"source\".\"ordered_at\") AS \"month_{number}\", COUNT(*) AS \"count\", {} \
         FROM (SELECT \"public\".\"orders\".\"id\" AS \"id\", \"public\".\"orders\".\"amount\" AS \"amount\", \
         \"public\".\"orders\".\"ordered_at\" AS \"ordered_at\", \"Customers\".\"region\" AS \"region\", \
         \"Customers\".\"email\" AS \"email\" FROM \"public\".\"orders\" LEFT JOIN \"public\".\"customers\" AS \"Customers\" \
         ON \"public\".\"orders\".\"customer_id\" = \"Customers\".\"id\" WHERE \"public\".\"orders\".\"status\" <> 'cancelled') \
         AS \"source\" WHERE \"source\".\"ordered_at\" >= timestamp '2026-01-01' AND \"source\".\"email\" IS NOT NULL \
         GROUP BY \"source\".\"region\", DATE_TRUNC('month', \"source\".\"ordered_at\") \
         ORDER BY \"source\".\"region\" ASC, DATE_TRUNC('month', \"source\".\"ordered_at\") ASC LIMIT 2000",
        months.join(", ")
    )
}

fn catalog() -> Snapshot {
    let mut builder = SnapshotBuilder::new(1, "shop", Engine::Postgres, 150_000);
    builder.search_path(vec!["public".into()]);
    for (oid, (name, columns)) in (20_000..).zip(TABLES) {
        let columns = (1..).zip(*columns).map(|(number, (name, class, sql))| Column {
            name: (*name).into(),
            number,
            ty: ColumnType::new(0, *class, *sql),
            not_null: false,
            generated: None,
        });
        builder.relation(Relation {
            oid,
            schema: "public".into(),
            name: (*name).into(),
            kind: RelationKind::Table,
            columns: columns.collect(),
            ..Relation::default()
        });
    }
    for name in FUNCTIONS {
        builder.function(sekisho::catalog::Function {
            schema: "pg_catalog".into(),
            name: (*name).into(),
            ..sekisho::catalog::Function::default()
        });
    }
    builder.build()
}

fn measure(what: &str, database: &VirtualDatabase, texts: &[String]) {
    let settings = Settings::default();
    let begun = Instant::now();
    for text in texts {
        let decision = black_box(database.decide(&settings, text));
        if let Verdict::Denial(denial) = decision.verdict {
            println!("{what}: refused: {}", denial.message);
            return;
        }
    }
    let each = begun.elapsed() / u32::try_from(texts.len()).unwrap_or(u32::MAX);
    println!("{what:<44} {each:>10.2?} of {} bytes", texts.first().map_or(0, String::len));
}

/// Columns of people and places in the TPC benchmarks, masked in several ways.
const BENCHMARK_RULES: &str = r#"
[role.analyst]
grant = [ { on = "shop.public.*", allow = ["read"] } ]
[[protect]]
name = "names"
columns = ["shop.public.customer.*name", "shop.public.supplier.s_name", "shop.public.store.s_manager"]
mask = { kind = "keep", first = 1 }
[[protect]]
name = "contacts"
columns = ["shop.public.customer.c_email_address", "shop.public.customer.c_login"]
mask = "email"
[[protect]]
name = "phones"
columns = ["shop.public.*.*_phone"]
mask = "phone"
[[protect]]
name = "births"
columns = ["shop.public.customer.c_birth_year", "shop.public.customer.c_acctbal"]
mask = { kind = "bucket", width = 10 }
[[protect]]
name = "places"
columns = ["shop.public.customer_address.ca_street*", "shop.public.*.*_address"]
mask = "redact"
[[protect]]
name = "zips"
columns = ["shop.public.*.*_zip"]
mask = { kind = "keep", first = 3 }
[[filter]]
name = "near"
tables = ["shop.public.customer_address"]
where = "ca_gmt_offset >= -6"
"#;

/// Functions that the statements call, and masks.
const FUNCTIONS: &[&str] = &[
    "abs",
    "avg",
    "concat",
    "count",
    "date_part",
    "date_trunc",
    "floor",
    "greatest",
    "least",
    "left",
    "length",
    "lower",
    "max",
    "min",
    "mod",
    "normalize",
    "octet_length",
    "rank",
    "regexp_replace",
    "repeat",
    "replace",
    "reverse",
    "right",
    "round",
    "row_number",
    "sign",
    "split_part",
    "stddev_samp",
    "strpos",
    "substr",
    "substring",
    "sum",
    "translate",
    "upper",
];

fn class_of(sql: &str) -> TypeClass {
    match sql.split('(').next().unwrap_or_default() {
        "integer" | "bigint" => TypeClass::Integer,
        "decimal" | "numeric" => TypeClass::Numeric,
        "date" => TypeClass::Date,
        "time" => TypeClass::Time,
        "timestamp" => TypeClass::Timestamp,
        _ => TypeClass::Text,
    }
}

/// Reads lines like `create table t (a integer, b decimal(7,2));`.
fn catalog_of(ddl: &str) -> Snapshot {
    let mut builder = SnapshotBuilder::new(1, "shop", Engine::Postgres, 150_000);
    builder.search_path(vec!["public".into()]);
    let tables = ddl.lines().filter_map(|line| line.split_once("create table ")?.1.split_once(" ("));
    for (oid, (name, columns)) in (20_000..).zip(tables) {
        let columns = columns.trim_end_matches(");").split(", ").filter_map(|column| column.split_once(' '));
        let columns = (1..).zip(columns).map(|(number, (name, sql))| Column {
            name: name.into(),
            number,
            ty: ColumnType::new(0, class_of(sql), sql),
            not_null: false,
            generated: None,
        });
        let columns = columns.collect();
        let name = name.into();
        builder.relation(Relation { oid, schema: "public".into(), name, columns, ..Relation::default() });
    }
    for name in FUNCTIONS {
        let name = (*name).into();
        builder.function(sekisho::catalog::Function {
            schema: "pg_catalog".into(),
            name,
            ..sekisho::catalog::Function::default()
        });
    }
    builder.build()
}

/// Plans the statements of a folder, in each round by a database that has seen none of them.
fn measure_benchmark(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    const ROUNDS: usize = 30;
    let snapshot = Arc::new(catalog_of(&std::fs::read_to_string(folder.join("ddl-pg.sql"))?));
    let texts = std::fs::read_to_string(folder.join("queries.sql"))?;
    let texts: Vec<&str> =
        texts.split(";\n").map(str::trim).filter(|text| text.to_lowercase().contains("select")).collect();
    let (mut all, mut refused) = (Vec::new(), 0);
    for round in 0..ROUNDS {
        let database = database(BENCHMARK_RULES, Arc::clone(&snapshot))?;
        for text in &texts {
            let begun = Instant::now();
            let decision = black_box(database.decide(&Settings::default(), text));
            all.push(begun.elapsed());
            if let (0, Verdict::Denial(denial)) = (round, decision.verdict) {
                refused += 1;
                println!("refused: {}: {}", text.lines().next().unwrap_or_default(), denial.message);
            }
        }
    }
    all.sort_unstable();
    let share = |percent: usize| all.get(all.len() * percent / 100).copied().unwrap_or(Duration::ZERO);
    println!(
        "never seen, {} statements ({refused} refused), {} KB: median {:.0?}, p95 {:.0?}, max {:.0?}",
        texts.len(),
        texts.iter().map(|text| text.len()).sum::<usize>() / 1024,
        share(50),
        share(95),
        all.last().copied().unwrap_or_default()
    );
    Ok(())
}

fn database(rules: &str, snapshot: Arc<Snapshot>) -> Result<VirtualDatabase, Box<dyn std::error::Error>> {
    let (policy, _) = parse(&[("rules.toml", rules)], &Surroundings::new([("shop", Engine::Postgres)]), 1)
        .map_err(|mistakes| format!("{mistakes:?}"))?;
    let role = Arc::clone(policy.role("analyst").ok_or("no role")?);
    Ok(VirtualDatabase::new(Arc::new(policy), snapshot, role, Arc::new(Person::default())))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let database = database(RULES, Arc::new(catalog()))?;
    measure(
        "never seen, short",
        &database,
        &(0..2000).map(|n| format!("SELECT email AS e{n} FROM customers")).collect::<Vec<_>>(),
    );
    measure("never seen, dashboard", &database, &(0..2000).map(dashboard).collect::<Vec<_>>());
    measure(
        "seen but for a literal, short",
        &database,
        &(0..200_000).map(|n| format!("{SHORT}{n}")).collect::<Vec<_>>(),
    );
    measure("seen but for nothing, short", &database, &vec!["SELECT email FROM customers".to_owned(); 200_000]);
    measure("seen but for its comment, dashboard", &database, &vec![dashboard(1); 20_000]);
    if let Some(folder) = std::env::var_os("SEKISHO_STATEMENTS") {
        measure_benchmark(Path::new(&folder))?;
    }
    Ok(())
}
