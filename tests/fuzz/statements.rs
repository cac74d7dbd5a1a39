//! Both grammars: no text makes them panic, and what is printed is read as what it was.

use sekisho::rewrite::emit::Emitted;
use sekisho::sql::mysql::{Flavour, SqlMode};
use sekisho::sql::{Reading, Script, Token, mysql, postgres};

use super::drive::{Found, run};
use super::{corpus, mutate};

#[test]
fn postgres() {
    run("postgres statements", corpus::statements("postgres", "postgres"), mutate::text, |case| {
        let text = String::from_utf8_lossy(case);
        parse_and_print(&text, Reading::Postgres, |text, tokens, range| postgres::parse(text, tokens, range).ok())
    });
}

#[test]
fn mysql() {
    let modes = [
        SqlMode::default(),
        SqlMode { ansi_quotes: true, pipes_as_concat: true, ..SqlMode::default() },
        SqlMode { no_backslash_escapes: true, high_not_precedence: true, ignore_space: true, ..SqlMode::default() },
    ];
    run("mysql statements", corpus::statements("mysql", "mysql"), mutate::text, |case| {
        let text = String::from_utf8_lossy(case);
        let mut found = Found::Refused;
        for mode in modes {
            for flavour in [Flavour::MySql, Flavour::MariaDb] {
                let read = parse_and_print(&text, Reading::MySql(mode, flavour), |text, tokens, range| {
                    mysql::parse(text, tokens, range, mode, flavour).ok()
                });
                if matches!(read, Found::Good) {
                    found = Found::Good;
                }
            }
        }
        found
    });
}

fn parse_and_print<T: PartialEq + std::fmt::Debug>(
    text: &str,
    reading: Reading,
    parse: impl Fn(&str, &[Token], std::ops::Range<usize>) -> Option<T>,
) -> Found {
    let Ok(script) = Script::read(text, reading) else { return Found::Refused };
    let trees = |text: &str, script: &Script| -> Vec<Option<T>> {
        script.statements.iter().map(|range| parse(text, &script.tokens, range.clone())).collect()
    };
    let before = trees(text, &script);
    if before.iter().all(Option::is_none) {
        return Found::Refused;
    }
    let mut printed = Emitted::default();
    printed.append(text, &script, 0..script.tokens.len(), Vec::new());
    let again = Script::read(&printed.sql, reading).unwrap_or_else(|e| panic!("{:?} is not read: {e}", printed.sql));
    let tokens = |text: &str, script: &Script| -> Vec<_> {
        script.tokens.iter().map(|token| (token.kind, token.text(text).to_owned())).collect()
    };
    assert_eq!(tokens(&printed.sql, &again), tokens(text, &script), "printed as {:?}", printed.sql);
    assert_eq!(again.statements, script.statements, "printed as {:?}", printed.sql);
    assert!(trees(&printed.sql, &again) == before, "printed as {:?}, which is another tree", printed.sql);
    Found::Good
}
