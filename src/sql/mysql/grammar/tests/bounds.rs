//! Depth, length and broken texts: errors, never more.

use super::{BOTH, read};
use crate::sql::mysql::{Flavour, SqlMode};

/// On a stack as small as a worker's may be.
fn on_small_stack(job: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(2 << 20).spawn(job).unwrap().join().unwrap();
}

/// Parses, walks and drops.
fn survives(text: &str) -> bool {
    BOTH.map(|flavour| read(text, SqlMode::default(), flavour).map(|(_, s)| drop(s.clone())).is_ok())[0]
}

#[test]
fn nesting_is_bounded() {
    on_small_stack(|| {
        for (open, inside, close) in [
            ("(", "1", ")"),
            ("(select ", "1", ")"),
            ("not ", "1", ""),
            ("- ", "1", ""),
            ("binary ", "1", ""),
            ("case when ", "1", " then 1 end"),
            ("f(", "1", ")"),
            ("interval 1 day + ", "1", ""),
            ("interval (", "1", ") day + 1"),
            ("@a := ", "1", ""),
            ("(1, ", "1", ")"),
            ("1 in (", "1", ")"),
            ("a between 1 and ", "1", ""),
            ("exists (select * from (select ", "1", ") x)"),
            ("{x ", "1", "}"),
            ("cast(", "1", " as char)"),
        ] {
            let text = |depth: usize| format!("SELECT {}{inside}{}", open.repeat(depth), close.repeat(depth));
            assert!(survives(&text(20)), "{open}");
            assert!(!survives(&text(3000)), "{open}");
            for depth in (30..130).step_by(10) {
                let _ = survives(&text(depth));
            }
        }
        for (open, inside, close) in [
            ("(", "t", ")"),
            ("t join (", "t", ")"),
            ("(select * from ", "t", ") x"),
            ("t join ", "t", ""),
            ("{oj ", "t", "}"),
        ] {
            let text = |depth: usize| format!("SELECT * FROM {}{inside}{}", open.repeat(depth), close.repeat(depth));
            assert!(survives(&text(20)), "{open}");
            assert!(!survives(&text(3000)), "{open}");
            for depth in (30..130).step_by(10) {
                let _ = survives(&text(depth));
            }
        }
    });
}

#[test]
fn chains_are_flat_or_bounded() {
    on_small_stack(|| {
        for operator in [" or ", " and ", " xor ", " + ", " * ", " || "] {
            assert!(survives(&format!("SELECT 1{}", format!("{operator}1").repeat(5000))), "{operator}");
        }
        assert!(survives(&format!("SELECT 1{}", " UNION SELECT 1".repeat(2000))));
        assert!(survives(&format!("SELECT 1 IN (1{})", ",1".repeat(20000))));
        assert!(survives(&format!("SELECT 1 FROM t{}", " JOIN t ON 1".repeat(60))));
        for operator in [" - ", " = ", " | "] {
            assert!(survives(&format!("SELECT 1{}", format!("{operator}1").repeat(100))), "{operator}");
            assert!(!survives(&format!("SELECT 1{}", format!("{operator}1").repeat(5000))), "{operator}");
        }
        assert!(!survives(&format!("SELECT 1 FROM t{}", " JOIN t ON 1".repeat(5000))));
    });
}

/// Statements of every kind, to be broken.
const TEXTS: [&str; 12] = [
    "SELECT a, t.*, count(distinct b) OVER (PARTITION BY c ORDER BY d ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS e \
     FROM s.t AS x USE INDEX (i) LEFT JOIN (SELECT 1 UNION SELECT 2) y ON x.a <=> y.b WHERE a BETWEEN 1 AND 2 AND \
     NOT b LIKE 'x\\'y' GROUP BY c WITH ROLLUP HAVING d ORDER BY e DESC LIMIT 1, 2 FOR UPDATE",
    "WITH RECURSIVE x (a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM x) SELECT ((SELECT 1) + 1), (SELECT 2) IN (1, 2) FROM x",
    "INSERT IGNORE INTO t (a, b) VALUES (1, DEFAULT), (DATE_ADD(x, INTERVAL 1 DAY), 'y') ON DUPLICATE KEY UPDATE a = VALUES(a)",
    "UPDATE t JOIN u USING (a, b) SET t.a = CASE WHEN b THEN c ELSE d END, u.x := @y WHERE EXISTS (SELECT 1)",
    "DELETE t.*, u FROM t STRAIGHT_JOIN u WHERE a IN (SELECT b FROM c) ",
    "CREATE TABLE t (a INT NOT NULL DEFAULT 1, KEY k (a(5))) ENGINE=InnoDB SELECT `b c` FROM d",
    "SELECT CAST(a AS DECIMAL(10,2)), CONVERT(b USING utf8mb4), TRIM(BOTH 'x' FROM y), @@global.z, {ts '2024-01-01'}",
    "SELECT * FROM t, JSON_TABLE(a, '$' COLUMNS (b INT PATH '$.x' NULL ON EMPTY, NESTED PATH '$.y' COLUMNS (c FOR ORDINALITY))) j",
    "SET @a = 1, SESSION b := ON, NAMES 'utf8mb4' COLLATE utf8mb4_bin, @@global.c = DEFAULT",
    "SHOW FULL COLUMNS FROM t FROM d WHERE Field LIKE 'x%'",
    "SELECT _utf8mb4'a' 'b', x'41', 0x41, b'1', 1.5e3, -- c\n 1a, /* d */ `e``f` # g\n INTO OUTFILE 'x' FIELDS TERMINATED BY ','",
    "ALTER TABLE t ADD COLUMN a INT AFTER b, DROP INDEX c, CHANGE d e TEXT, RENAME TO f.g",
];

#[test]
fn broken_texts_are_errors() {
    let modes = [
        SqlMode::default(),
        SqlMode {
            ansi_quotes: true,
            pipes_as_concat: true,
            no_backslash_escapes: true,
            high_not_precedence: true,
            ignore_space: true,
            lenient: true,
        },
    ];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(state >> 33).unwrap() % below
    };
    let pieces = [
        "(", ")", "'", "`", "\"", "--", "/*", "*/", "#", "\\", "@", "@@", ".", ",", ";", "1e", "0x", "é", "😀", "$",
        "\0", " select ", " from ",
    ];
    for text in TEXTS {
        for cut in (0..text.len()).filter(|at| text.is_char_boundary(*at)) {
            for flavour in BOTH {
                let _ = read(&text[..cut], modes[0], flavour);
                let _ = read(&text[cut..], modes[1], flavour);
            }
        }
        for _ in 0..400 {
            let mut broken: Vec<char> = text.chars().collect();
            for _ in 0..=random(4) {
                let at = random(broken.len().max(1));
                if broken.is_empty() {
                    break;
                }
                match random(4) {
                    0 => drop(broken.remove(at)),
                    1 => broken.swap(at, 0),
                    2 => broken.truncate(at + 1),
                    _ => drop(broken.splice(at..at, pieces[random(pieces.len())].chars())),
                }
            }
            let broken: String = broken.into_iter().collect();
            let flavour = if random(2) == 0 { Flavour::MySql } else { Flavour::MariaDb };
            let _ = read(&broken, modes[random(2)], flavour);
        }
    }
}
