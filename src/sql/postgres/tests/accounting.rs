//! Every identifier of a text is a name of its tree, or stands where the grammar has names that mean nothing to data.

use std::collections::HashSet;

use crate::sql::ast::Statement;
use crate::sql::mentions::Mentions;
use crate::sql::postgres::keywords::Keyword;
use crate::sql::postgres::{lexer, parse};
use crate::sql::token::{Token, TokenKind};

/// Names that are not in the tree: those of windows, constraints, collations, arguments, fields of a time, labels
/// inside XML and JSON functions, columns of SEARCH and CYCLE, and words of type modifiers.
fn is_syntax(text: &str, tokens: &[Token], at: usize) -> bool {
    let word = |at: Option<usize>| {
        at.and_then(|at| tokens.get(at)).map(|token| token.text(text).to_ascii_lowercase()).unwrap_or_default()
    };
    let before = |n: usize| word(at.checked_sub(n));
    let behind = |n: usize| word(Some(at + n));
    let named_before = ["over", "window", "constraint", "collate", "name", "encoding", "savepoint"];
    let closed = tokens.iter().position(|token| token.text(text) == ")").is_some_and(|closed| closed < at);
    (word(Some(0)) == "explain" && word(Some(1)) == "(" && !closed)
        || named_before.contains(&before(1).as_str())
        || (before(1) == "." && before(3) == "collate")
        || ["=>", ":="].contains(&behind(1).as_str())
        || (before(1) == "(" && before(2) == "extract")
        || (before(1) == "(" && ["over", "as"].contains(&before(2).as_str()))
        || (before(1) == "as" && is_inside(text, tokens, at, &["xmlforest", "xmlattributes", "xmlnamespaces"]))
        || (before(1) == "as"
            && is_inside(text, tokens, at, &["json_value", "json_query", "json_exists", "json_table"]))
        || (before(1) == "," && behind(1) == "as" && behind(2) == "(")
        || (0..40).any(|n| before(n) == "search" || before(n) == "cycle")
        // Storage of CREATE … AS, operator classes of ON CONFLICT.
        || ["using", "tablespace"].contains(&before(1).as_str())
        || is_inside(text, tokens, at, &["with", "conflict"])
}

/// Whether the token is a field of a column that is written to, as in `SET a[1].b = 2`.
fn is_target_field(text: &str, tokens: &[Token], targets: &HashSet<u32>, mut at: usize) -> bool {
    while at > 0 && !targets.contains(&u32::try_from(at).unwrap()) {
        at -= 1;
        if ![".", "[", "]"].contains(&tokens[at].text(text)) && tokens[at].kind == TokenKind::Punctuation {
            return false;
        }
    }
    at > 0
}

/// Whether the token stands in the parentheses of one of these words.
fn is_inside(text: &str, tokens: &[Token], at: usize, words: &[&str]) -> bool {
    let mut depth = 0;
    for place in (0..at).rev() {
        match tokens[place].text(text) {
            ")" => depth += 1,
            "(" if depth > 0 => depth -= 1,
            "(" if place > 0 && words.contains(&tokens[place - 1].text(text).to_ascii_lowercase().as_str()) => {
                return true;
            }
            _ => {}
        }
    }
    false
}

/// The identifiers of a text that its tree does not have.
pub fn missing<'t>(text: &'t str, tokens: &[Token], statement: &Statement) -> Vec<&'t str> {
    let found = Mentions::of(statement);
    let is_identifier = |token: &Token| match token.kind {
        TokenKind::QuotedWord => true,
        TokenKind::Word => Keyword::find(token.text(text)).is_none(),
        _ => false,
    };
    let unaccounted = |at: &usize| {
        is_identifier(&tokens[*at])
            && !found.tokens.contains(&u32::try_from(*at).unwrap())
            && !is_syntax(text, tokens, *at)
            && !is_target_field(text, tokens, &found.targets, *at)
    };
    (0..tokens.len()).filter(unaccounted).map(|at| tokens[at].text(text)).collect()
}

fn has_all_names(statement: &Statement) -> bool {
    match statement {
        Statement::Query(_)
        | Statement::Insert(_)
        | Statement::Update(_)
        | Statement::Delete(_)
        | Statement::Merge(_)
        | Statement::DeclareCursor(_)
        | Statement::Prepare(_)
        | Statement::CreateAs(_) => true,
        Statement::Explain(explain) => has_all_names(&explain.statement),
        _ => false,
    }
}

/// Reads every statement of `SEKISHO_CORPUS`, a JSON list of texts, and prints those with identifiers that are not in
/// the tree. Writes the names it found beside the corpus, `null` for what it did not read, to be compared with those
/// of the server's own grammar. The corpus, such as PostgreSQL's regression suite, is not kept here.
#[test]
#[ignore = "needs a corpus"]
fn every_identifier_of_a_corpus_is_accounted_for() {
    let path = std::env::var("SEKISHO_CORPUS").unwrap();
    let texts: Vec<String> = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let (mut read, mut bad) = (0, 0);
    let mut names = Vec::new();
    for text in &texts {
        let parsed = lexer::tokens(text).ok().and_then(|tokens| {
            let statement = parse(text, &tokens, 0..tokens.len()).ok()?;
            Some((tokens, statement))
        });
        let Some((tokens, statement)) = parsed.filter(|(_, statement)| has_all_names(statement)) else {
            names.push(None);
            continue;
        };
        read += 1;
        let missing = missing(text, &tokens, &statement);
        if !missing.is_empty() {
            bad += 1;
            println!("{missing:?}\t{}", text.replace('\n', " "));
        }
        let place = |token: u32| tokens[token as usize].start;
        let objects = Mentions::of(&statement).objects.into_iter();
        let objects = objects.map(|(role, name, token)| (format!("{role:?}"), name, place(token)));
        names.push(Some(objects.collect::<Vec<_>>()));
    }
    std::fs::write(format!("{path}.out"), serde_json::to_string(&names).unwrap()).unwrap();
    println!("{read} statements, {bad} with identifiers that are not in the tree");
    assert_eq!(bad, 0);
}
