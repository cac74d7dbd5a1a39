//! What deciding costs: a text seen before, one that differs in literals, one never seen.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

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
    for name in ["sum", "count", "date_trunc"] {
        builder.function(sekisho::catalog::Function {
            schema: "pg_catalog".into(),
            name: name.into(),
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

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (policy, _) = parse(&[("rules.toml", RULES)], &Surroundings::new([("shop", Engine::Postgres)]), 1)
        .map_err(|mistakes| format!("{mistakes:?}"))?;
    let role = Arc::clone(policy.role("analyst").ok_or("no role")?);
    let database = VirtualDatabase::new(Arc::new(policy), Arc::new(catalog()), role, Arc::new(Person::default()));
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
    Ok(())
}
