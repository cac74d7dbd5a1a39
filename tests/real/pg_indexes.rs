//! Indexes by their own names on PostgreSQL: what may be done with one is a matter of its table.

use crate::support::pg_client::PostgresClient;
use crate::support::pg_proxy::PostgresProxy;
use crate::support::postgres;

const SCHEMA: &str = "create table people(id int primary key, email text);
    create index people_mail on people(email);
    create schema mart; create table mart.t(a int, b int); create index t_a on mart.t(a); create index t_b on mart.t(b);
    create table mart.fixed(a int); create index fixed_a on mart.fixed(a)";

const RULES: &str = "[role.viewer]
grant = [ { on = 'shop.public.*', allow = ['all'] }, { on = 'shop.mart.t*', allow = ['all'] },
          { on = 'shop.mart.fixed*', allow = ['read', 'write'] } ]
[[protect]]\nname = 'mail'\ncolumns = ['shop.public.people.email']\nmask = 'null'\n";

#[test]
fn indexes_are_changed_by_who_may_change_their_tables() {
    let database = postgres().database(SCHEMA);
    let proxy = PostgresProxy::start(&database, RULES);
    let mut client = PostgresClient::connect(proxy.port, "viewer");
    client.run("set search_path = mart, public");
    for (sql, tag) in [
        ("reindex index t_a", "REINDEX"),
        ("reindex (verbose off) table concurrently mart.t", "REINDEX"),
        ("alter index t_a rename to t_renamed", "ALTER INDEX"),
        ("alter index mart.t_renamed set (fillfactor = 80)", "ALTER INDEX"),
        ("comment on index t_renamed is 'x'", "COMMENT"),
        ("drop index t_renamed, shop.mart.t_b", "DROP INDEX"),
        ("create index if not exists t_new on t(a)", "CREATE INDEX"),
        ("drop index concurrently if exists t_new restrict", "DROP INDEX"),
        ("drop index if exists t_new cascade", "DROP INDEX"),
    ] {
        let sql = sql.replace("shop.mart", &format!("\"{}\".mart", database.name));
        let lines = client.run(&sql);
        let tag = format!("C {tag}");
        assert!(lines.contains(&tag) && lines.iter().all(|line| !line.starts_with("E ")), "{sql}: {lines:?}");
    }
    for (sql, why) in [
        ("drop index people_mail", "E 42501 `public.people` is protected"),
        ("drop index people_pkey", "E 42501 `public.people` is protected"),
        ("reindex table people", "E 42501 `public.people` is protected"),
        ("drop index fixed_a", "E 42501 role `viewer` may not alter `mart.fixed`"),
        ("alter index if exists fixed_a rename to t_x", "E 42501 role `viewer` may not alter `mart.fixed`"),
        ("reindex index mart.fixed_a", "E 42501 role `viewer` may not alter `mart.fixed`"),
        ("drop index absent", "E 42704 index \"absent\" does not exist"),
        ("drop index pg_catalog.pg_class_oid_index", "E 42501 "),
        ("drop index if exists fixed_absent", "E 42501 role `viewer` may not drop `mart.fixed_absent`"),
        ("reindex schema mart", "E 0A000 "),
        ("reindex database shop", "E 0A000 "),
        ("alter index people_pkey attach partition fixed_a", "E 42501 "),
    ] {
        let lines = client.run(sql);
        assert!(lines[0].starts_with(why), "{sql}: {lines:?}");
    }
    client.run("create index t_back on t(a)");
    let lines = client.run("alter index t_back rename to fixed_b");
    assert!(lines[0].starts_with("E 42501 role `viewer` may not create `mart.fixed_b`"), "{lines:?}");
}
