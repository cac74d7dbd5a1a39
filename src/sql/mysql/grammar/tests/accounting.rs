//! Every identifier of a text is a name of its tree, or stands where names mean nothing to data.

use std::collections::HashSet;

use super::{read, statement_of};
use crate::sql::ast::Statement;
use crate::sql::mentions::Mentions;
use crate::sql::mysql::keywords::is_introducer;
use crate::sql::mysql::{Flavour, SqlMode};
use crate::sql::script::Script;
use crate::sql::token::TokenKind;

/// Names that are not in the tree: those of windows, partitions, indexes, collations, character sets, and the columns
/// of MariaDB's CYCLE.
fn is_syntax(text: &str, script: &Script, at: usize) -> bool {
    let word = |at: Option<usize>| {
        at.and_then(|at| script.tokens.get(at)).map(|token| token.text(text).to_ascii_lowercase()).unwrap_or_default()
    };
    let before = |n: usize| word(at.checked_sub(n));
    let behind = |n: usize| word(Some(at + n));
    let character_set = before(1) == "set" && ["character", "char"].contains(&before(2).as_str());
    let list = |words: &[&str]| is_in_list(text, script, at, words, false);
    ["over", "window", "collate", "charset", "{"].contains(&before(1).as_str())
        || character_set
        // CONVERT (x USING c); DELETE … USING t has no parenthesis behind it.
        || (before(1) == "using" && behind(1) == ")")
        || (before(1) == "(" && ["over", "as"].contains(&before(2).as_str()))
        || (before(1) == "," && behind(1) == "as" && behind(2) == "(")
        || (1..9).any(|n| before(n) == "cycle")
        || list(&["partition", "index", "key"])
        || is_in_list(text, script, at, &["by", "join"], true)
}

/// Whether the token stands in a parenthesized list of plain names behind one of these words, which belong to an index
/// hint's FOR if `of_hint`.
fn is_in_list(text: &str, script: &Script, at: usize, words: &[&str], of_hint: bool) -> bool {
    let word =
        |at: Option<usize>| at.and_then(|at| script.tokens.get(at)).map(|token| token.text(text).to_ascii_lowercase());
    for place in (0..at).rev() {
        let token = script.tokens[place];
        match token.text(text) {
            "," => {}
            "(" => {
                let found = word(place.checked_sub(1)).is_some_and(|word| words.contains(&word.as_str()));
                // `FOR JOIN (i)`, `FOR GROUP BY (i)` of an index hint.
                let hint = (2..4).any(|n| word(place.checked_sub(n)).is_some_and(|word| word == "for"));
                return found && (!of_hint || hint);
            }
            _ if matches!(token.kind, TokenKind::Word | TokenKind::QuotedWord | TokenKind::PlainName) => {}
            _ => return false,
        }
    }
    false
}

/// The identifiers of a text that its tree does not have. `keywords`: words in lower case that may be syntax.
fn missing<'t>(
    text: &'t str,
    script: &Script,
    statement: &Statement,
    flavour: Flavour,
    keywords: &HashSet<String>,
) -> Vec<&'t str> {
    let found = Mentions::of(statement);
    let is_identifier = |at: usize| {
        let token = script.tokens[at];
        let source = token.text(text);
        match token.kind {
            TokenKind::QuotedWord => true,
            TokenKind::PlainName => {
                // The parts of `@@a.b` are one name.
                !(1..6).any(|n| at.checked_sub(n).is_some_and(|at| script.tokens[at].kind == TokenKind::SystemVariable))
            }
            TokenKind::Word => {
                source != "\\N" && !keywords.contains(&source.to_ascii_lowercase()) && !is_introducer(source, flavour)
            }
            _ => false,
        }
    };
    let unaccounted = |at: &usize| {
        is_identifier(*at) && !found.tokens.contains(&u32::try_from(*at).unwrap()) && !is_syntax(text, script, *at)
    };
    (0..script.tokens.len()).filter(unaccounted).map(|at| script.tokens[at].text(text)).collect()
}

fn has_all_names(statement: &Statement) -> bool {
    match statement {
        Statement::Query(_)
        | Statement::Insert(_)
        | Statement::Update(_)
        | Statement::Delete(_)
        | Statement::CreateAs(_) => true,
        Statement::Explain(explain) => has_all_names(&explain.statement),
        _ => false,
    }
}

#[test]
fn every_name_is_in_the_tree() {
    // Every name begins with `q`, no keyword here does.
    for text in [
        "SELECT `qa`, qb.qc AS qd, qe 'x' FROM qf.qg AS qh LEFT JOIN (SELECT qi FROM qj) qk ON ql = qm",
        "SELECT 1 FROM qa NATURAL JOIN qb JOIN qc USING (qd, qe) WHERE qf IN (SELECT qg FROM qh) GROUP BY qi HAVING qj",
        "SELECT qa(qb, qc.qd(qe)) OVER (PARTITION BY qf ORDER BY qg), count(DISTINCT qh) FROM qi ORDER BY qj",
        "WITH qa (qb) AS (SELECT qc FROM qd) SELECT CASE qe WHEN qf THEN qg ELSE qh END FROM qi, (qj, qk)",
        "SELECT CAST(qa AS CHAR), TRIM(qb FROM qc), MATCH (qd, qe.qf) AGAINST (qg), qh + INTERVAL qi DAY, DEFAULT(qj)",
        "INSERT INTO qa (qb, qc) VALUES (qd, qe) ON DUPLICATE KEY UPDATE qf = VALUES(qg), qh.qi = qj",
        "INSERT INTO qa SET qb = qc",
        "REPLACE INTO qa.qb SELECT qc FROM qd",
        "UPDATE qa AS qb, qc JOIN qd ON qe SET qf = qg, qh.qi = qj WHERE qk ORDER BY ql",
        "DELETE qa, qb.qc.* FROM qd AS qa JOIN qb.qc ON qe WHERE qf",
        "DELETE FROM qa USING qb AS qa WHERE qc",
        "SELECT * FROM qa, JSON_TABLE(qb, '$' COLUMNS (qc INT PATH '$', NESTED PATH '$' COLUMNS (qd INT PATH '$'))) qe",
        "CREATE TABLE qa (qb INT) SELECT qc AS qd FROM qe",
        "CREATE VIEW qa (qb) AS SELECT qc FROM qd",
        "SELECT {fn qa(qb)}, group_concat(qc ORDER BY qd), EXISTS (SELECT qe FROM qf), (qg, qh) = (qi, qj) FROM qk FOR UPDATE",
    ] {
        for flavour in super::BOTH {
            let (script, statement) = read(text, SqlMode::default(), flavour).unwrap();
            let found = Mentions::of(&statement);
            for (at, token) in script.tokens.iter().enumerate() {
                let name = token.text(text).trim_start_matches('`').starts_with('q');
                assert!(
                    !name || found.tokens.contains(&u32::try_from(at).unwrap()),
                    "{flavour:?}: {} in {text}",
                    token.text(text)
                );
            }
        }
    }
    assert!(has_all_names(&statement_of("EXPLAIN SELECT 1", Flavour::MySql)));
}

/// Parses the statements of a file (`SEKISHO_CORPUS`, separated by NUL) by the rules of `SEKISHO_FLAVOUR` (`mysql` or
/// `mariadb`) and writes the outcome of each on a line of `FILE.out`. Statements with identifiers that are not in the
/// tree are printed; `SEKISHO_KEYWORDS` is a file of the words that may be syntax. The servers' test suites serve as
/// corpora and are not kept here.
#[test]
#[ignore = "needs a corpus"]
fn corpus() {
    let path = std::env::var("SEKISHO_CORPUS").unwrap();
    let flavour =
        if std::env::var("SEKISHO_FLAVOUR").unwrap() == "mariadb" { Flavour::MariaDb } else { Flavour::MySql };
    let keywords =
        std::env::var("SEKISHO_KEYWORDS").map(|path| std::fs::read_to_string(path).unwrap()).unwrap_or_default();
    let keywords: HashSet<String> = keywords.split_whitespace().map(str::to_ascii_lowercase).collect();
    let corpus = std::fs::read_to_string(&path).unwrap();
    let mut out = String::new();
    for text in corpus.split('\0') {
        let outcome = match read(text, SqlMode::default(), flavour) {
            Ok((script, statement)) => {
                let missing = missing(text, &script, &statement, flavour, &keywords);
                if has_all_names(&statement) && !keywords.is_empty() && !missing.is_empty() {
                    println!("{missing:?}\t{}", text.replace('\n', " "));
                }
                "ok".to_owned()
            }
            Err(error) => error.replace('\n', " "),
        };
        out.push_str(&outcome);
        out.push('\n');
    }
    std::fs::write(format!("{path}.out"), out).unwrap();
}
