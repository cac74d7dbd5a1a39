//! What every rule gives, and what is refused.

use super::*;
use crate::sql::script::{Reading, Script};

/// Parses the statements of a file (separated by NUL; `SEKISHO_CORPUS`, `SEKISHO_FLAVOUR=mysql|mariadb`) and writes the
/// outcome of each on a line of `FILE.out`: how the share of a server's test suite that is read is measured.
#[test]
#[ignore = "needs a corpus"]
fn corpus() {
    let path = std::env::var("SEKISHO_CORPUS").unwrap();
    let flavour =
        if std::env::var("SEKISHO_FLAVOUR").unwrap() == "mariadb" { Flavour::MariaDb } else { Flavour::MySql };
    let corpus = std::fs::read_to_string(&path).unwrap();
    let mut out = String::new();
    for text in corpus.split('\0') {
        let reading = Reading::MySql(SqlMode::default(), flavour);
        let outcome = match Script::read(text, reading) {
            Err(error) => format!("lexer: {error}"),
            Ok(script) => match script.statements.as_slice() {
                [range] => match parse(text, &script.tokens, range.clone(), SqlMode::default(), flavour) {
                    Ok(_) => "ok".to_owned(),
                    Err(error) => error.message.into(),
                },
                several => format!("{} statements", several.len()),
            },
        };
        out.push_str(&outcome.replace('\n', " "));
        out.push('\n');
    }
    std::fs::write(format!("{path}.out"), out).unwrap();
}
