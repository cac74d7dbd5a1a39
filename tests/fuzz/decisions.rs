//! Decisions: no text makes them panic, and what is remembered says what deciding anew says.

use std::sync::Arc;

use sekisho::catalog::{Column, ColumnType, Function, Relation, RelationKind, Snapshot, SnapshotBuilder, TypeClass};
use sekisho::pipeline::{Person, Settings, Verdict, VirtualDatabase};
use sekisho::policy::{PolicySet, Surroundings, parse};
use sekisho::sql::mysql::{Flavour, SqlMode};
use sekisho::sql::{Engine, Reading, Script};

use super::drive::{Found, run};
use super::mutate;

const RULES: &str = "
    [role.viewer]
    grant = [{ on = 'shop.*.*', allow = ['read', 'write', 'create'] }]
    [[protect]]
    name = 'contact'
    columns = ['shop.*.customers.email']
    mask = 'email'
    [[protect]]
    name = 'secret'
    columns = ['shop.*.customers.note']
    deny = true
    [[filter]]
    name = 'europe'
    tables = ['shop.*.customers']
    where = \"region = 'EU'\"
";

/// What a role does to two tables. In all of it customers are protected.
const STATEMENTS: [&str; 28] = [
    "select id, email from customers where id = 7",
    "select * from customers c join orders o on o.customer_id = c.id where o.amount > 10 order by 1 limit 5",
    "select c.email, count(*) from customers as c, orders as o where c.id = o.customer_id group by c.email having count(*) > 1",
    "with a as (select email e from customers), b as (select * from a) select e from b union all select 'x' from orders",
    "select (select max(email) from customers x where x.id = o.customer_id) m from orders o",
    "select o.id from orders o where exists (select 1 from customers c where c.id = o.customer_id and c.email like 'a%')",
    "select case when email is null then 'none' else email end from customers",
    "select id from customers where email in ('a', 'b') or region between 'A' and 'Z'",
    "select row_number() over (partition by region order by email) from customers",
    "select distinct region from customers where not (id < 3 and region <> 'x')",
    "insert into orders (id, customer_id, amount) values (1, 2, 3.5)",
    "insert into orders select id, id, 1 from customers where email = 'x'",
    "update orders set amount = amount + 1 where customer_id in (select id from customers where email = 'a')",
    "update customers set region = 'EU' where id = 5",
    "delete from orders where id = 4",
    "delete from customers where region = 'EU' and email = 'b'",
    "select note from customers",
    "select id from orders natural join (select id from customers) as t",
    "select count(email), sum(amount), min(region) from customers cross join orders",
    "(select email from customers) union (select region from customers) order by 1",
    "create table kept as select email, region from customers",
    "begin",
    "select 1; select email from customers; commit",
    "/* tool */ select coalesce(email, 'n') as e from customers where id > 3 -- end",
    "select email from customers where id = (1 + 2) * 3",
    "values (1, 'a'), (2, 'b')",
    "explain select email from customers",
    "set search_path to public",
];

#[test]
fn postgres() {
    decide("postgres decisions", Engine::Postgres, Reading::Postgres);
}

#[test]
fn mysql() {
    let reading = Reading::MySql(SqlMode::default(), Flavour::default());
    decide("mysql decisions", Engine::MySql, reading);
}

fn decide(name: &str, engine: Engine, reading: Reading) {
    let surroundings = Surroundings::new([("shop", engine)]);
    let policy = Arc::new(parse(&[("rules.toml", RULES)], &surroundings, 1).unwrap_or_else(|e| panic!("{e:?}")).0);
    let snapshot = Arc::new(catalog(engine));
    let remembering = database(&policy, &snapshot);
    let settings = Settings::default();
    let seeds = STATEMENTS.map(|text| text.as_bytes().to_vec()).to_vec();
    run(name, seeds, mutate::text, |case| {
        let text = String::from_utf8_lossy(case);
        let decision = remembering.decide(&settings, &text);
        let anew = database(&policy, &snapshot).decide(&settings, &text);
        match (&decision.verdict, &anew.verdict) {
            (Verdict::Permit(remembered), Verdict::Permit(anew)) => {
                assert_eq!(remembered.sql(), anew.sql());
                assert_eq!((remembered.guarded(), remembered.effects()), (anew.guarded(), anew.effects()));
                Script::read(anew.sql(), reading).unwrap_or_else(|e| panic!("{:?} is not read: {e}", anew.sql()));
                for part in 0..4 {
                    let position = u32::try_from(anew.sql().len() * part / 4 + 1).unwrap();
                    remembering.position_in_source(&settings, &text, anew.sql(), position);
                }
                Found::Good
            }
            (Verdict::Denial(remembered), Verdict::Denial(anew)) => {
                assert_eq!(remembered, anew);
                Found::Refused
            }
            (remembered, anew) => panic!("remembered: {remembered:?}, anew: {anew:?}"),
        }
    });
}

fn database(policy: &Arc<PolicySet>, snapshot: &Arc<Snapshot>) -> VirtualDatabase {
    let role = Arc::clone(policy.role("viewer").unwrap());
    VirtualDatabase::new(Arc::clone(policy), Arc::clone(snapshot), role, Arc::new(Person::default()))
}

fn catalog(engine: Engine) -> Snapshot {
    let (schema, version) = match engine {
        Engine::Postgres => ("public", 150_000),
        Engine::MySql => ("shop", 90_700),
    };
    let mut builder = SnapshotBuilder::new(1, "shop", engine, version);
    builder.search_path(vec![schema.into()]);
    let (integer, text, number) = (TypeClass::Integer, TypeClass::Text, TypeClass::Numeric);
    let tables = [
        ("customers", vec![("id", integer), ("email", text), ("note", text), ("region", text)]),
        ("orders", vec![("id", integer), ("customer_id", integer), ("amount", number)]),
    ];
    for (oid, (name, columns)) in (20_000..).zip(tables) {
        let columns = (1..).zip(columns).map(|(number, (name, class))| Column {
            name: name.into(),
            number,
            ty: ColumnType::new(
                0,
                class,
                match class {
                    TypeClass::Integer => "int",
                    TypeClass::Text => "text",
                    _ => "numeric",
                },
            ),
            not_null: false,
            generated: None,
        });
        builder.relation(Relation {
            oid,
            schema: schema.into(),
            name: name.into(),
            kind: RelationKind::Table,
            columns: columns.collect(),
            ..Relation::default()
        });
    }
    for name in ["count", "max", "min", "sum", "row_number", "now"] {
        builder.function(Function { schema: "pg_catalog".into(), name: name.into(), ..Function::default() });
    }
    builder.build()
}
