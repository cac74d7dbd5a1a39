//! CREATE, ALTER, DROP and their kin.

use super::sketch::{names, object};
use super::{BOTH, refused, statement, statement_of};
use crate::sql::ast::{CreateAs, CreateAsKind, Ddl, DdlAction, Statement};
use crate::sql::mysql::Flavour;

fn ddl(text: &str) -> Ddl {
    let Statement::Ddl(ddl) = statement(text) else { panic!("{text}") };
    *ddl
}

fn create_as(text: &str) -> CreateAs {
    let Statement::CreateAs(create) = statement(text) else { panic!("{text}") };
    *create
}

fn objects(names: &[crate::sql::ast::ObjectName]) -> String {
    names.iter().map(object).collect::<Vec<_>>().join(" ")
}

#[test]
fn tables_are_read_whole() {
    let ddl = ddl("CREATE TEMPORARY TABLE IF NOT EXISTS s.t (a INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, \
         b VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT 'x' COMMENT 'c', \
         c TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, d INT GENERATED ALWAYS AS (a + 1) STORED, \
         e ENUM('x', 'y'), KEY k (b(5), c DESC), UNIQUE u (b), CONSTRAINT f FOREIGN KEY (a) REFERENCES r (z) \
         ON DELETE CASCADE, CHECK (a > 0), FULLTEXT KEY g (b)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='x'");
    assert!(ddl.complete && ddl.temporary && ddl.action == DdlAction::Create);
    assert_eq!(
        (objects(&ddl.names), objects(&ddl.references), names(&ddl.columns)),
        ("s.t".into(), "r".into(), "(a b c d e)".into())
    );
    assert_eq!((ddl.expressions.len(), ddl.types.len()), (5, 5));
}

#[test]
fn what_is_not_known_of_a_table_makes_it_incomplete() {
    for text in [
        "CREATE TABLE t (a INT) ENGINE=FEDERATED CONNECTION='mysql://x'",
        "CREATE TABLE t (a INT) ENGINE=MERGE UNION=(users)",
        "CREATE TABLE t (a INT) DATA DIRECTORY='/tmp'",
        "CREATE TABLE t (a INT) PARTITION BY HASH (a)",
        "ALTER TABLE t EXCHANGE PARTITION p WITH TABLE users",
        "ALTER TABLE t DISCARD TABLESPACE",
        "ALTER TABLE t UNION=(users)",
    ] {
        let ddl = ddl(text);
        assert!(!ddl.complete && objects(&ddl.names) == "t", "{text}");
    }
}

#[test]
fn tables_from_queries() {
    for text in [
        "CREATE TABLE t AS SELECT a FROM u",
        "CREATE TABLE t SELECT a FROM u",
        "CREATE TABLE t (SELECT a FROM u)",
        "CREATE TABLE t IGNORE SELECT a FROM u",
        "CREATE TABLE t ENGINE=InnoDB REPLACE AS SELECT a FROM u",
        "CREATE TABLE t AS (SELECT a FROM u) UNION SELECT b FROM v",
        "CREATE TABLE t AS WITH x AS (SELECT 1) SELECT * FROM x",
    ] {
        let create = create_as(text);
        assert_eq!((create.kind, object(&create.name)), (CreateAsKind::Table, "t".into()), "{text}");
        assert!(matches!(create.source, Statement::Query(_)));
    }
    let create = create_as("CREATE OR REPLACE TEMPORARY TABLE t (b INT, KEY (b)) SELECT a FROM u");
    assert!(create.temporary && create.replace && names(&create.columns) == "(b)");
    assert!(!ddl("CREATE TABLE t (b INT DEFAULT (a)) SELECT a FROM u").complete);
    let like = ddl("CREATE TABLE t LIKE s.u");
    assert!(like.complete && objects(&like.references) == "s.u");
    assert_eq!(ddl("CREATE TABLE t (LIKE u)").references.len(), 1);
    let Statement::CreateAs(table) = statement_of("CREATE TABLE t TABLE u", Flavour::MySql) else { panic!() };
    assert_eq!(object(&table.name), "t");
    refused(&["CREATE TABLE t AS SELECT", "CREATE TABLE"]);
}

#[test]
fn views() {
    let view = create_as(
        "CREATE OR REPLACE ALGORITHM=MERGE DEFINER=`root`@`localhost` SQL SECURITY INVOKER VIEW s.v (a, b) AS \
         SELECT c, d FROM t WITH CASCADED CHECK OPTION",
    );
    assert!(view.kind == CreateAsKind::View && view.replace && names(&view.columns) == "(a b)");
    assert_eq!(create_as("ALTER DEFINER=CURRENT_USER VIEW v AS SELECT 1").kind, CreateAsKind::View);
    refused(&["CREATE VIEW v SELECT 1", "CREATE VIEW v AS", "CREATE VIEW v AS SELECT 1 INTO @x"]);
}

#[test]
fn changes_of_tables() {
    let alter =
        ddl("ALTER TABLE t ADD COLUMN a INT FIRST, ADD (b INT, c INT), DROP COLUMN d, CHANGE e f TEXT AFTER g, \
         MODIFY h BIGINT DEFAULT 1, ADD INDEX i (a), DROP PRIMARY KEY, RENAME COLUMN j TO k, ALTER l SET DEFAULT 2, \
         ADD CONSTRAINT m FOREIGN KEY (a) REFERENCES r (z), ENGINE=InnoDB, ALGORITHM=INPLACE, LOCK=NONE, \
         RENAME TO s.u");
    assert!(alter.complete);
    assert_eq!((objects(&alter.references), names(&alter.columns)), ("r s.u".into(), "(a b c f h)".into()));
    let rename = ddl("RENAME TABLE a TO b, c.d TO e");
    assert_eq!((objects(&rename.names), objects(&rename.references)), ("a c.d".into(), "b e".into()));
    assert_eq!(ddl("TRUNCATE TABLE s.t").action, DdlAction::Truncate);
    let index = ddl("CREATE UNIQUE INDEX i ON t (a DESC, (b + 1)) USING BTREE");
    assert!(index.complete && &*index.object == "INDEX" && index.expressions.len() == 1);
    assert_eq!(objects(&ddl("DROP INDEX i ON t").names), "t");
    let drop = ddl("DROP TEMPORARY TABLE IF EXISTS a, b.c CASCADE");
    assert!(drop.temporary && drop.complete && objects(&drop.names) == "a b.c");
    assert_eq!(&*ddl("DROP DATABASE IF EXISTS d").object, "SCHEMA");
    assert!(ddl("CREATE DATABASE d DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin").complete);
}

#[test]
fn other_objects_are_known_by_name() {
    for (text, object) in [
        ("CREATE USER u IDENTIFIED BY 'x'", "USER"),
        ("CREATE DEFINER=root@localhost FUNCTION f (a INT) RETURNS INT RETURN a", "FUNCTION"),
        ("CREATE PROCEDURE p () SELECT 1", "PROCEDURE"),
        ("CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET @a = 1", "TRIGGER"),
        ("CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1", "EVENT"),
        ("CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (USER 'x')", "SERVER"),
        ("DROP FUNCTION IF EXISTS f", "FUNCTION"),
        ("ALTER USER u ACCOUNT LOCK", "USER"),
        ("GRANT SELECT ON t TO u", "PRIVILEGE"),
        ("REVOKE ALL ON *.* FROM u", "PRIVILEGE"),
    ] {
        for flavour in BOTH {
            let Statement::Ddl(ddl) = statement_of(text, flavour) else { panic!("{text}") };
            assert!(!ddl.complete && &*ddl.object == object, "{text}");
        }
    }
    refused(&["CREATE x y", "DROP x", "ALTER", "CREATE UNIQUE TABLE t (a INT)"]);
}
