//! Statements without a query of their own, and those around one.

use super::{read, statement};
use crate::sql::ast::{Assignment, Discarded, SetScope, SetValue, Statement, Transaction};

fn set(text: &str) -> Assignment {
    let Statement::Set(mut all) = statement(text) else { panic!("{text}") };
    all.remove(0)
}

fn values(text: &str) -> Vec<String> {
    let show = |value: &SetValue| match value {
        SetValue::Word(word) => word.to_string(),
        SetValue::String(string) => format!("'{string}'"),
        SetValue::Number(number) => format!("#{number}"),
        SetValue::Expr(_) => panic!("{text}"),
    };
    let found = set(text);
    std::iter::once(found.name.to_string()).chain(found.values.iter().map(show)).collect()
}

fn refused(text: &str) {
    assert!(read(text).is_err(), "{text}");
}

#[test]
fn settings() {
    assert_eq!(values("set search_path to app, \"$user\", 'x''y'"), ["search_path", "app", "$user", "'x'y'"]);
    assert_eq!(values("SET Work_Mem = -1.5"), ["work_mem", "#-1.5"]);
    assert_eq!(values("set myapp.Tenant to on"), ["myapp.tenant", "on"]);
    assert_eq!(values("set a to default"), ["a"]);
    assert_eq!(values("set time zone 'UTC'"), ["timezone", "'UTC'"]);
    assert_eq!(values("set time zone local"), ["timezone", "local"]);
    assert_eq!(values("set time zone interval '1' hour to minute"), ["timezone", "'1'"]);
    assert_eq!(values("set time zone -7"), ["timezone", "#-7"]);
    assert_eq!(values("set names 'utf8'"), ["names", "'utf8'"]);
    assert_eq!(values("set names"), ["names"]);
    assert_eq!(values("set schema 'a'"), ["search_path", "'a'"]);
    assert_eq!(values("set role none"), ["role", "none"]);
    assert_eq!(values("set role = 'x'"), ["role", "'x'"]);
    assert_eq!(values("set session authorization default"), ["session authorization"]);
    assert_eq!(values("set local session authorization 'x'"), ["session authorization", "'x'"]);
    assert_eq!(values("set session_authorization to x"), ["session authorization", "x"]);
    assert_eq!(values("set xml option document"), ["xmloption", "document"]);
    assert_eq!(set("set local a = 1").scope, SetScope::Local);
    assert_eq!(set("set session a = 1").scope, SetScope::Session);
    assert_eq!(values("set session = 1"), ["session", "#1"]);
    for text in [
        "set transaction isolation level read committed, read only not deferrable",
        "set session characteristics as transaction read write",
        "set local transaction deferrable",
        "set constraints all deferred",
        "set constraints a.b, c immediate",
        "set transaction snapshot '1'",
    ] {
        assert_eq!(statement(text), Statement::Transaction(Transaction::Characteristics), "{text}");
    }
    for text in [
        "set",
        "set a",
        "set a =",
        "set a = b + 1",
        "set select = 1",
        "set names utf8",
        "set transaction",
        "set a = E'\\x41'",
    ] {
        refused(text);
    }
    let show = |text: &str| match statement(text) {
        Statement::ShowSetting(name) | Statement::Reset(name) => name.map(String::from),
        other => panic!("{other:?}"),
    };
    assert_eq!(show("show all"), None);
    assert_eq!(show("show Server_Version").as_deref(), Some("server_version"));
    assert_eq!(show("show transaction isolation level").as_deref(), Some("transaction_isolation"));
    assert_eq!(show("show time zone").as_deref(), Some("timezone"));
    assert_eq!(show("reset session authorization").as_deref(), Some("session authorization"));
    assert_eq!(show("reset a.b").as_deref(), Some("a.b"));
    assert_eq!(show("reset all"), None);
    assert_eq!(statement("discard all"), Statement::Discard(Discarded::All));
    assert_eq!(statement("discard temporary"), Statement::Discard(Discarded::Temporary));
    refused("discard");
}

#[test]
fn transactions() {
    let of = |text: &str| match statement(text) {
        Statement::Transaction(transaction) => transaction,
        other => panic!("{other:?}"),
    };
    for text in [
        "begin",
        "begin work",
        "begin transaction isolation level serializable",
        "start transaction read only, deferrable",
    ] {
        assert_eq!(of(text), Transaction::Begin, "{text}");
    }
    for text in ["commit", "end", "commit work and no chain", "end transaction and chain"] {
        assert_eq!(of(text), Transaction::Commit, "{text}");
    }
    for text in ["rollback", "abort", "abort work and chain", "rollback transaction and no chain"] {
        assert_eq!(of(text), Transaction::Rollback, "{text}");
    }
    assert!(matches!(of("savepoint A"), Transaction::Savepoint(name) if &*name.value == "a"));
    assert!(matches!(of("release savepoint a"), Transaction::Release(name) if &*name.value == "a"));
    assert!(matches!(of("release savepoint"), Transaction::Release(name) if &*name.value == "savepoint"));
    assert!(matches!(of("rollback work to savepoint a"), Transaction::RollbackTo(name) if &*name.value == "a"));
    assert!(matches!(of("rollback to \"A\""), Transaction::RollbackTo(name) if &*name.value == "A"));
    for text in ["prepare transaction 'a'", "commit prepared 'a'", "rollback prepared 'a'"] {
        assert_eq!(of(text), Transaction::TwoPhase, "{text}");
    }
    for text in ["begin isolation", "commit and", "rollback to", "savepoint", "begin; select 1", "start", "end 1"] {
        refused(text);
    }
}

#[test]
fn explanations() {
    let analyze = |text: &str| match statement(text) {
        Statement::Explain(explain) => explain.analyze,
        other => panic!("{other:?}"),
    };
    assert!(!analyze("explain select 1"));
    assert!(!analyze("explain verbose (select 1)"));
    assert!(!analyze("explain (analyze false, costs off) select 1"));
    assert!(!analyze("explain (format json) with a as (select 1) table a"));
    assert!(!analyze("explain (select 1) union select 2"));
    for text in [
        "explain analyze select 1",
        "explain analyse verbose delete from t",
        "explain (analyze) select 1",
        "explain (costs off, analyze on) select 1",
        "explain (analyze, analyze off) select 1",
        "explain (\"analyze\" 'true') select 1",
        "explain (analyze 1) execute p (1)",
    ] {
        assert!(analyze(text), "{text}");
    }
    for text in [
        "explain create table a as select 1",
        "explain declare c cursor for select 1",
        "explain refresh materialized view a",
    ] {
        assert!(!analyze(text), "{text}");
    }
    for text in [
        "explain",
        "explain create table a (b int)",
        "explain explain select 1",
        "explain (analyze select 1",
        "explain set a = 1",
    ] {
        refused(text);
    }
}

#[test]
fn prepared_statements_and_cursors() {
    assert!(matches!(
        statement("prepare p (int, app.t[]) as insert into t values ($1)"),
        Statement::Prepare(prepare) if prepare.types.len() == 2 && matches!(prepare.statement, Statement::Insert(_))
    ));
    assert!(matches!(statement("execute p (1, a)"), Statement::Execute { arguments, .. } if arguments.len() == 2));
    assert!(matches!(statement("execute p"), Statement::Execute { arguments, .. } if arguments.is_empty()));
    assert_eq!(statement("deallocate prepare all"), Statement::Deallocate(None));
    assert!(matches!(statement("deallocate prepare"), Statement::Deallocate(Some(name)) if &*name.value == "prepare"));
    assert!(matches!(
        statement("declare c binary insensitive no scroll cursor with hold for (select 1)"),
        Statement::DeclareCursor(declare) if declare.hold
    ));
    for (text, name) in [
        ("fetch c", "c"),
        ("fetch next", "next"),
        ("fetch next c", "c"),
        ("fetch next from c", "c"),
        ("fetch all in c", "c"),
        ("fetch -3 from c", "c"),
        ("fetch forward all c", "c"),
        ("fetch backward 3 in \"C\"", "C"),
        ("move absolute -1 c", "c"),
        ("move forward c", "c"),
        ("fetch from c", "c"),
        ("fetch forward", "forward"),
        ("fetch relative 0 from c", "c"),
    ] {
        assert!(matches!(statement(text), Statement::Fetch(found) if &*found.value == name), "{text}");
    }
    assert_eq!(statement("close all"), Statement::Close(None));
    for text in [
        "fetch",
        "fetch 3",
        "fetch all from",
        "close",
        "declare c cursor select 1",
        "prepare p select 1",
        "execute p ()",
    ] {
        refused(text);
    }
}

#[test]
fn others() {
    assert!(matches!(
        statement("lock table only a, s.b * in access exclusive mode nowait"),
        Statement::LockTables(lock) if lock.tables.len() == 2 && !lock.access_share
    ));
    assert!(matches!(
        statement("call s.p(a => 1, 2)"),
        Statement::Call { name: Some(name), arguments } if name.parts.len() == 2 && arguments.len() == 2
    ));
    for text in ["listen a", "unlisten *", "unlisten a"] {
        assert_eq!(statement(text), Statement::Listen, "{text}");
    }
    assert_eq!(statement("notify a, 'b'"), Statement::Notify);
    for (text, words) in [
        ("vacuum (full) t", "VACUUM"),
        ("do $$ begin end $$", "DO"),
        ("load 'x'", "LOAD"),
        ("analyze t", "ANALYZE"),
        ("security label on table t is 'x'", "SECURITY LABEL"),
        ("checkpoint", "CHECKPOINT"),
        ("import foreign schema a from server b into c", "IMPORT FOREIGN SCHEMA"),
        ("cluster", "CLUSTER"),
    ] {
        assert_eq!(statement(text), Statement::Other { words: words.into() }, "{text}");
    }
    for text in
        ["", "foo", "selec 1", "call p", "call p(1) filter (where a)", "select 1; select 2", "use a", "kill 1", "show"]
    {
        refused(text);
    }
}
