//! The harness itself.

use crate::support;

#[test]
fn postgres_gives_each_test_its_own_database() {
    let a = support::postgres().database("create table t(a int, b text); insert into t values (1, 'x'), (2, null)");
    let b = support::postgres().database("create table t(c int)");
    assert_eq!(a.rows("select * from t order by 1"), [["1", "x"], ["2", "NULL"]]);
    assert_eq!(b.rows("select count(*) from t"), [["0"]]);
    assert_eq!(a.error("select nothing").0, "42703");
}

#[test]
fn mariadb_gives_each_test_its_own_database() {
    let a = support::mariadb().database("create table t(a int, b text); insert into t values (1, 'x\\ty'), (2, null)");
    let b = support::mariadb().database("create table t(c int)");
    assert_eq!(a.rows("select * from t order by 1"), [["1", "x\ty"], ["2", "NULL"]]);
    assert_eq!(b.rows("select count(*) from t"), [["0"]]);
    assert!(a.error("select nothing").starts_with("ERROR 1054 (42S22)"));
}

#[test]
fn mysql_works_like_mariadb_where_it_is_at_hand() {
    let Some(server) = support::mysql() else { return };
    let database = server.database("create table t(a int, b text); insert into t values (1, 'x')");
    assert_eq!(database.rows("select * from t"), [["1", "x"]]);
}

#[tokio::test]
async fn helpers_work_inside_a_runtime() {
    let database = support::postgres().database("");
    assert_eq!(database.rows("select 1 + 1"), [["2"]]);
}
