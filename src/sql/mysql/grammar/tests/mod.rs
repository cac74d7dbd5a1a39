//! What every rule gives, and what is refused.

mod accounting;
mod bounds;
mod definitions;
mod differentials;
mod expressions;
mod queries;
mod sessions;
mod sketch;
mod writes;

use super::parse;
use crate::sql::ast::{Expr, Query, QueryBody, Select, SelectItem, Statement};
use crate::sql::mysql::{Flavour, SqlMode};
use crate::sql::script::{Reading, Script};

const BOTH: [Flavour; 2] = [Flavour::MySql, Flavour::MariaDb];

/// Reads a text of one statement.
fn read(text: &str, mode: SqlMode, flavour: Flavour) -> Result<(Script, Statement), String> {
    let script = Script::read(text, Reading::MySql(mode, flavour)).map_err(|error| error.to_string())?;
    let [range] = script.statements.as_slice() else { return Err("not one statement".into()) };
    let statement = parse(text, &script.tokens, range.clone(), mode, flavour).map_err(|error| error.to_string())?;
    Ok((script, statement))
}

fn statement_of(text: &str, flavour: Flavour) -> Statement {
    read(text, SqlMode::default(), flavour).unwrap_or_else(|error| panic!("{flavour:?}: {text}: {error}")).1
}

/// A statement that both families read alike.
fn statement(text: &str) -> Statement {
    let [mysql, maria] = BOTH.map(|flavour| statement_of(text, flavour));
    assert_eq!(mysql, maria, "{text}");
    mysql
}

fn query_of(text: &str, flavour: Flavour) -> Query {
    let Statement::Query(query) = statement_of(text, flavour) else { panic!("{text}") };
    *query
}

fn query(text: &str) -> Query {
    let Statement::Query(query) = statement(text) else { panic!("{text}") };
    *query
}

fn select_in(query: Query) -> Select {
    let QueryBody::Select(select) = query.body else { panic!("{query:?}") };
    *select
}

fn select(text: &str) -> Select {
    select_in(query(text))
}

fn only_item(select: Select) -> Expr {
    let [SelectItem::Expr { expr, .. }] = <[SelectItem; 1]>::try_from(select.items).unwrap() else { panic!() };
    expr
}

fn is_refused(text: &str, flavour: Flavour) -> bool {
    read(text, SqlMode::default(), flavour).is_err()
}

/// Neither family's grammar takes these.
fn refused(texts: &[&str]) {
    for text in texts {
        for flavour in BOTH {
            assert!(is_refused(text, flavour), "{flavour:?} takes {text}");
        }
    }
}

/// The one family takes these, the other does not.
fn only(flavour: Flavour, texts: &[&str]) {
    for text in texts {
        for other in BOTH {
            assert_eq!(is_refused(text, other), other != flavour, "{other:?}: {text}");
        }
    }
}
