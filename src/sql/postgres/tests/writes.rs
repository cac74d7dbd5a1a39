//! INSERT, UPDATE, DELETE, MERGE, COPY.

use super::{read, statement};
use crate::sql::ast::{
    Copy, CopySource, Delete, ExprKind, Insert, Merge, MergeAction, QueryBody, Statement, TableRef, Update,
};
use crate::sql::mentions::{Mentions, Role};
use crate::sql::postgres::lexer;

fn insert(text: &str) -> Insert {
    let Statement::Insert(insert) = statement(text) else { panic!("{text}") };
    *insert
}

fn update(text: &str) -> Update {
    let Statement::Update(update) = statement(text) else { panic!("{text}") };
    *update
}

fn delete(text: &str) -> Delete {
    let Statement::Delete(delete) = statement(text) else { panic!("{text}") };
    *delete
}

fn merge(text: &str) -> Merge {
    let Statement::Merge(merge) = statement(text) else { panic!("{text}") };
    *merge
}

fn copy(text: &str) -> Copy {
    let Statement::Copy(copy) = statement(text) else { panic!("{text}") };
    *copy
}

fn token(text: &str, number: u32) -> String {
    lexer::tokens(text).unwrap().get(number as usize).map(|token| token.text(text).to_owned()).unwrap_or_default()
}

fn refused(text: &str) {
    assert!(read(text).is_err(), "{text}");
}

#[test]
fn inserts() {
    let found =
        insert("insert into s.t as u (a, b[1], c.d) overriding system value values (1, default) returning *, a b");
    assert_eq!(found.columns.iter().map(|name| &*name.value).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(&*found.target.alias.unwrap().name.value, "u");
    assert_eq!(found.returning.len(), 2);
    assert!(matches!(found.source.unwrap().body, QueryBody::Values(rows) if rows[0].len() == 2));
    assert!(insert("insert into t default values").source.is_none());
    let nested = insert("insert into t ((select 1))");
    assert!(nested.columns.is_empty() && nested.source.is_some());
    let with = insert("with a as (select 1) insert into t with b as (select 2) table b");
    assert!(with.with.is_some() && with.source.unwrap().with.is_some());
    for text in [
        "insert t values (1)",
        "insert into t u values (1)",
        "insert into t (a) default values",
        "insert into t (a[f(b)]) select 1",
        "insert into only t select 1",
        "insert into t () select 1",
        "insert into t values ()",
    ] {
        refused(text);
    }
}

#[test]
fn conflicts() {
    let text = "insert into t select 1 on conflict (a collate \"C\" text_ops desc, lower(b), (c + 1)) where d do update \
                set (e, f) = (select 1, g), h = excluded.h where i returning j";
    let conflict = insert(text).on_conflict.unwrap();
    assert_eq!((conflict.target.len(), conflict.assignments.len()), (3, 2));
    assert!(conflict.target_filter.is_some() && conflict.filter.is_some());
    assert_eq!(token(text, conflict.filter_at.unwrap()), "where");
    assert!(insert("insert into t select 1 on conflict do nothing").on_conflict.unwrap().filter_at.is_none());
    let open = "insert into t select 1 on conflict on constraint c do update set a = 1";
    assert_eq!(
        insert(open).on_conflict.unwrap().filter_at,
        Some(u32::try_from(lexer::tokens(open).unwrap().len()).unwrap())
    );
    refused("insert into t select 1 on conflict (a) do update");
}

#[test]
fn updates_and_deletes() {
    let text = "update only s.t as u set a = 1, b[c].d = e, (f, g) = (select 1, h) from v join w on true where i returning u.*";
    let found = update(text);
    assert_eq!(token(text, found.filter_at), "where");
    let columns: Vec<usize> = found.assignments.iter().map(|clause| clause.columns.len()).collect();
    assert_eq!(columns, [1, 1, 2]);
    assert_eq!(found.assignments[1].values.len(), 2);
    assert!(matches!(&found.target, TableRef::Relation(relation) if relation.only && relation.alias.is_some()));
    let plain = "update t set a = default";
    assert_eq!(update(plain).filter_at, 6);
    assert!(update("update set set set = 1").filter.is_none());
    let cursor = update("update t set a = 1 where current of c").filter.unwrap();
    assert!(matches!(cursor.kind, ExprKind::CurrentOf(name) if &*name.value == "c"));
    let text = "delete from t * u using v, (select 1) w returning 1";
    let found = delete(text);
    assert_eq!((token(text, found.filter_at).as_str(), found.using.len(), found.multi_table), ("returning", 2, false));
    for text in
        ["update t a = 1", "update t set a", "delete t", "delete from t, u", "update t set a.b.* = 1", "update t set"]
    {
        refused(text);
    }
}

#[test]
fn merges() {
    let found = merge(
        "with a as (select 1) merge into only t as u using a join b on true on u.x = a.x when matched and c then update \
         set d = 1, e = default when not matched by source then delete when not matched by target and f then insert (g) \
         overriding user value values (h) when not matched then insert default values when matched then do nothing \
         returning merge_action(), u.*",
    );
    assert_eq!(
        found.clauses.iter().map(|clause| clause.by_source).collect::<Vec<_>>(),
        [false, true, false, false, false]
    );
    assert!(
        matches!(&found.clauses[2].action, MergeAction::Insert { columns, values } if columns.len() == 1 && values.len() == 1)
    );
    assert!(
        matches!(&found.clauses[3].action, MergeAction::Insert { columns, values } if columns.is_empty() && values.is_empty())
    );
    assert!(matches!(found.source, TableRef::Join(_)));
    for text in [
        "merge into t using s on true",
        "merge into t using s on true when matched then insert values (1)",
        "merge into t using s on true when not matched then delete",
        "merge t using s on true when matched then delete",
    ] {
        refused(text);
    }
}

#[test]
fn copies() {
    let text = "copy s.t (a, b) to stdout with (format csv, header true, force_quote *, null '', force_null (a, b))";
    let found = copy(text);
    assert!(!found.from && found.client);
    assert_eq!(found.tokens, 1..9);
    assert!(matches!(found.what, CopySource::Table { columns, .. } if columns.len() == 2));
    let query = copy("copy (select 1 from u) to stdout csv header quote as '\"' force quote a, b");
    assert_eq!(query.tokens, 1..7);
    assert!(matches!(query.what, CopySource::Query(_)));
    assert!(!copy("copy t from program 'rm'").client);
    assert!(!copy("copy t to '/tmp/x'").client);
    assert!(copy("copy binary t from stdin using delimiters '|' with null as ''").from);
    assert!(copy("copy t from stdin where a > 1").filter.is_some());
    let write = copy("copy (delete from t returning *) to stdout");
    assert!(matches!(write.what, CopySource::Query(statement) if matches!(*statement, Statement::Delete(_))));
    for text in
        ["copy t", "copy (select 1) from stdin", "copy t to stdout where a", "copy only t to stdout", "copy t to a"]
    {
        refused(text);
    }
}

#[test]
fn names_in_writes_are_found() {
    let found = |text: &str, role| Mentions::of(&statement(text)).of_role(role);
    assert_eq!(
        found(
            "with a as (insert into b select c from d returning e) update f set g = h.i from a, j h where k",
            Role::Column
        ),
        ["c", "e", "h.i", "k"]
    );
    assert_eq!(
        found("insert into a select b from c on conflict (d) do update set e = (select f from g)", Role::Relation),
        ["a", "c", "g"]
    );
    assert_eq!(
        found("merge into a using (select b from c) d on e when matched then update set f = (table g)", Role::Relation),
        ["a", "c", "g"]
    );
}
