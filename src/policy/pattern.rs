//! Patterns over names: `source.schema.table` and `source.schema.table.column`, each part with `*`.
//!
//! A part, or a run of characters in it, may stand in double quotes; `.` and `*` are then characters like any other,
//! and the case is exact. A part without quotes stands, on PostgreSQL, for the name as written and for the name that
//! PostgreSQL makes of it (lower case); on MySQL the server's own rules for case hold.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::glob::Glob;
use crate::catalog::Snapshot;
use crate::sql::Engine;

/// Which letters a server takes for the same in a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    /// PostgreSQL: names are exact; unquoted words of a pattern are folded as PostgreSQL folds them.
    Folded,
    /// Names are exact.
    Exact,
    /// Upper and lower case are the same.
    Ignored,
}

impl Case {
    /// How tables and schemas are compared.
    pub(super) fn of_tables(snapshot: &Snapshot) -> Self {
        match (snapshot.engine(), snapshot.lower_case_table_names()) {
            (Engine::Postgres, _) => Self::Folded,
            (Engine::MySql, 0) => Self::Exact,
            (Engine::MySql, _) => Self::Ignored,
        }
    }

    /// How columns and functions are compared.
    pub(super) fn of_columns(engine: Engine) -> Self {
        match engine {
            Engine::Postgres => Self::Folded,
            Engine::MySql => Self::Ignored,
        }
    }
}

/// A name made ready to be compared with many patterns.
#[derive(Debug, Clone)]
pub(super) struct Name<'a> {
    exact: &'a str,
    lower: Cow<'a, str>,
    case: Case,
}

impl<'a> Name<'a> {
    pub(super) fn new(exact: &'a str, case: Case) -> Self {
        let lower = match case {
            Case::Ignored => Cow::Owned(exact.to_lowercase()),
            Case::Folded | Case::Exact => Cow::Borrowed(exact),
        };
        Self { exact, lower, case }
    }
}

/// The name of a table as patterns see it.
#[derive(Debug, Clone)]
pub(super) struct TableName<'a> {
    source: &'a str,
    schema: Name<'a>,
    table: Name<'a>,
}

impl<'a> TableName<'a> {
    /// A table, view or sequence.
    pub(super) fn table(snapshot: &'a Snapshot, schema: &'a str, table: &'a str) -> Self {
        let case = Case::of_tables(snapshot);
        Self { source: snapshot.source(), schema: Name::new(schema, case), table: Name::new(table, case) }
    }

    /// A table of which only the names are known; case does not count.
    pub(super) fn without_case(source: &'a str, schema: &'a str, table: &'a str) -> Self {
        Self { source, schema: Name::new(schema, Case::Ignored), table: Name::new(table, Case::Ignored) }
    }

    /// A function or procedure.
    pub(super) fn function(snapshot: &'a Snapshot, schema: &'a str, function: &'a str) -> Self {
        Self {
            source: snapshot.source(),
            schema: Name::new(schema, Case::of_tables(snapshot)),
            table: Name::new(function, Case::of_columns(snapshot.engine())),
        }
    }
}

/// One part of a pattern in the three forms that engines ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    written: Glob,
    /// As PostgreSQL folds it, where that differs and nothing is quoted.
    folded: Option<Glob>,
    /// In lower case, where that differs.
    lower: Option<Glob>,
}

impl Part {
    fn new(literals: &[String], quoted: bool) -> Self {
        let written = Glob::new(literals);
        let differing = |change: fn(&str) -> String| {
            let changed = Glob::new(&literals.iter().map(|literal| change(literal)).collect::<Vec<_>>());
            (changed != written).then_some(changed)
        };
        Self {
            folded: if quoted { None } else { differing(str::to_ascii_lowercase) },
            lower: differing(str::to_lowercase),
            written,
        }
    }

    fn matches(&self, name: &Name<'_>) -> bool {
        match name.case {
            Case::Exact => self.written.matches(name.exact),
            Case::Folded => {
                self.written.matches(name.exact)
                    || self.folded.as_ref().is_some_and(|folded| folded.matches(name.exact))
            }
            Case::Ignored => self.lower.as_ref().unwrap_or(&self.written).matches(&name.lower),
        }
    }

    /// Whether some name on some server could be matched by both.
    fn meets(&self, other: &Self) -> bool {
        self.written.meets(&other.written)
            || self.lower.as_ref().unwrap_or(&self.written).meets(other.lower.as_ref().unwrap_or(&other.written))
    }
}

/// Why a text is no pattern, and which part of the text is to blame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct BadPattern {
    /// What is wrong.
    pub reason: String,
    /// The bytes it is about.
    pub span: Range<usize>,
}

/// A pattern over `source.schema.table`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TablePattern {
    text: Arc<str>,
    source: Part,
    schema: Part,
    table: Part,
    literals: usize,
}

/// A pattern over `source.schema.table.column`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnPattern {
    table: TablePattern,
    column: Part,
}

impl TablePattern {
    /// Reads a pattern of three parts.
    pub fn parse(text: &str) -> Result<Self, BadPattern> {
        let parts = split(text)?;
        match parts.as_slice() {
            [source, schema, table] => Ok(Self::of(text, source, schema, table, 0)),
            [source, schema] => Err(BadPattern {
                reason: format!(
                    "a table has three parts, `source.schema.table`; for all of a schema write `{}.{}.*`",
                    source.text(text),
                    schema.text(text)
                ),
                span: 0..text.len(),
            }),
            [..] => Err(BadPattern {
                reason: format!("a table has three parts, `source.schema.table`; this has {}", parts.len()),
                span: 0..text.len(),
            }),
        }
    }

    fn of(text: &str, source: &RawPart, schema: &RawPart, table: &RawPart, more: usize) -> Self {
        Self {
            text: text.into(),
            // Names of sources are the configuration's own and always exact.
            source: Part { folded: None, lower: None, written: Glob::new(&source.literals) },
            schema: schema.compile(),
            table: table.compile(),
            literals: source.length() + schema.length() + table.length() + more,
        }
    }

    pub(super) fn matches(&self, name: &TableName<'_>) -> bool {
        self.in_source(name.source) && self.schema.matches(&name.schema) && self.table.matches(&name.table)
    }

    /// Whether tables of a source can be meant.
    pub(super) fn in_source(&self, source: &str) -> bool {
        self.source.written.matches(source)
    }

    /// The first part as it was written.
    pub(super) fn source_text(&self) -> &str {
        split(&self.text).ok().and_then(|parts| self.text.get(parts.first()?.span.clone())).unwrap_or_default()
    }

    /// Whether some table could be matched by both.
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.source.meets(&other.source) && self.schema.meets(&other.schema) && self.table.meets(&other.table)
    }
}

impl ColumnPattern {
    /// Reads a pattern of four parts.
    pub fn parse(text: &str) -> Result<Self, BadPattern> {
        let parts = split(text)?;
        match parts.as_slice() {
            [source, schema, table, column] => Ok(Self {
                table: TablePattern::of(text, source, schema, table, column.length()),
                column: column.compile(),
            }),
            [..] => Err(BadPattern {
                reason: format!("a column has four parts, `source.schema.table.column`; this has {}", parts.len()),
                span: 0..text.len(),
            }),
        }
    }

    /// The part that tables are compared with.
    pub(super) fn table(&self) -> &TablePattern {
        &self.table
    }

    /// Whether the last part matches, for a table that is known to match the others.
    pub(super) fn matches_column(&self, column: &Name<'_>) -> bool {
        self.column.matches(column)
    }

    /// How many characters are literal: the more, the more specific.
    pub(super) fn literals(&self) -> usize {
        self.table.literals
    }

    /// Whether some column could be matched by both.
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.table.meets(&other.table) && self.column.meets(&other.column)
    }
}

impl fmt::Display for TablePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for ColumnPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.table.text)
    }
}

/// A part as written: the literal texts between its `*`.
struct RawPart {
    literals: Vec<String>,
    quoted: bool,
    span: Range<usize>,
}

impl RawPart {
    fn begin(at: usize) -> Self {
        Self { literals: vec![String::new()], quoted: false, span: at..at }
    }

    fn push(&mut self, c: char) {
        if let Some(literal) = self.literals.last_mut() {
            literal.push(c);
        }
    }

    fn length(&self) -> usize {
        self.literals.iter().map(|literal| literal.chars().count()).sum()
    }

    fn text<'a>(&self, whole: &'a str) -> &'a str {
        whole.get(self.span.clone()).unwrap_or_default()
    }

    fn compile(&self) -> Part {
        Part::new(&self.literals, self.quoted)
    }
}

/// Splits at the dots that stand outside quotes.
fn split(text: &str) -> Result<Vec<RawPart>, BadPattern> {
    let mut parts = Vec::new();
    let mut part = RawPart::begin(0);
    let mut quote: Option<usize> = None;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match (c, quote) {
            ('"', Some(_)) if chars.next_if(|(_, next)| *next == '"').is_some() => part.push('"'),
            ('"', Some(_)) => quote = None,
            ('"', None) => {
                quote = Some(at);
                part.quoted = true;
            }
            ('.', None) => {
                part.span.end = at;
                parts.push(std::mem::replace(&mut part, RawPart::begin(at + 1)));
            }
            ('*', None) => part.literals.push(String::new()),
            (c, None) if c.is_whitespace() || c.is_control() => {
                let reason = "a name with white space stands in double quotes".to_owned();
                return Err(BadPattern { reason, span: at..at + c.len_utf8() });
            }
            (c, Some(_) | None) => part.push(c),
        }
    }
    if let Some(at) = quote {
        return Err(BadPattern { reason: "this quote is not closed".to_owned(), span: at..text.len() });
    }
    part.span.end = text.len();
    parts.push(part);
    match parts.iter().find(|part| part.literals.len() == 1 && part.length() == 0) {
        Some(empty) => Err(BadPattern {
            reason: "a part of the name is empty; `*` stands for any name".to_owned(),
            span: empty.span.clone(),
        }),
        None => Ok(parts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::SnapshotBuilder;

    fn snapshot(engine: Engine, lower_case_table_names: u8) -> Snapshot {
        let mut builder = SnapshotBuilder::new(1, "shop", engine, 0);
        builder.lower_case_table_names(lower_case_table_names);
        builder.build()
    }

    fn table(pattern: &str, snapshot: &Snapshot, schema: &str, table: &str) -> bool {
        TablePattern::parse(pattern).unwrap().matches(&TableName::table(snapshot, schema, table))
    }

    #[test]
    fn postgres_folds_what_is_not_quoted_and_is_exact_otherwise() {
        let pg = snapshot(Engine::Postgres, 0);
        assert!(table("shop.public.customers", &pg, "public", "customers"));
        assert!(table("shop.public.Customers", &pg, "public", "customers"));
        assert!(table("shop.public.Customers", &pg, "public", "Customers"));
        assert!(!table("shop.public.customers", &pg, "public", "Customers"));
        assert!(!table("shop.public.\"Customers\"", &pg, "public", "customers"));
        assert!(table("shop.public.\"Customers\"", &pg, "public", "Customers"));
        assert!(table("*.*.*", &pg, "Weird.Schema", "a*b"));
        assert!(table("shop.\"Weird.Schema\".\"a*\"*", &pg, "Weird.Schema", "a*b"));
        assert!(!table("shop.\"Weird.Schema\".\"a*\"", &pg, "Weird.Schema", "a*b"));
        assert!(!table("Shop.public.*", &pg, "public", "customers"), "sources are exact");
    }

    #[test]
    fn mysql_compares_tables_as_the_server_does_and_columns_and_functions_without_case() {
        let unix = snapshot(Engine::MySql, 0);
        assert!(!table("shop.app.Users", &unix, "app", "users"));
        assert!(table("shop.app.Users", &unix, "app", "Users"));
        for setting in [1, 2] {
            let mysql = snapshot(Engine::MySql, setting);
            assert!(table("shop.App.USERS", &mysql, "app", "Users"));
            assert!(table("shop.app.\"USERS\"", &mysql, "APP", "users"), "quotes keep dots, not case");
        }
        let column = ColumnPattern::parse("shop.app.users.E_Mail").unwrap();
        assert!(column.matches_column(&Name::new("e_MAIL", Case::of_columns(Engine::MySql))));
        let function = TablePattern::parse("shop.app.Fiscal*").unwrap();
        assert!(function.matches(&TableName::function(&unix, "app", "fiscal_year")));
        assert!(!function.matches(&TableName::function(&unix, "APP", "fiscal_year")));
    }

    #[test]
    fn mistakes_say_where_they_are() {
        let mistake = |text: &str| {
            let bad = TablePattern::parse(text).unwrap_err();
            (bad.reason, bad.span)
        };
        assert_eq!(mistake("shop.public..x").1, 12..12);
        assert_eq!(mistake("shop.\"public.x").1, 5..14);
        assert_eq!(mistake("shop.public.my table").1, 14..15);
        let two = mistake("shop.public");
        assert_eq!(two.0, "a table has three parts, `source.schema.table`; for all of a schema write `shop.public.*`");
        assert!(mistake("a.b.c.d").0.ends_with("this has 4"));
        assert!(ColumnPattern::parse("a.b.c").unwrap_err().reason.ends_with("this has 3"));
        assert!(TablePattern::parse("shop.public.\"\"").is_err());
    }

    #[test]
    fn literal_characters_are_counted_without_dots_and_quotes() {
        assert_eq!(ColumnPattern::parse("*.*.*.email").unwrap().literals(), 5);
        assert_eq!(ColumnPattern::parse("shop.\"a.b\".t*.email").unwrap().literals(), 13);
    }

    #[test]
    fn patterns_meet_when_one_column_can_be_meant_by_both() {
        let meet = |a: &str, b: &str| ColumnPattern::parse(a).unwrap().meets(&ColumnPattern::parse(b).unwrap());
        assert!(meet("*.*.*.email", "shop.public.customers.*"));
        assert!(meet("shop.public.c*.e*", "shop.public.*s.*l"));
        assert!(!meet("shop.public.customers.email", "shop.public.orders.*"));
        assert!(meet("shop.public.customers.Email", "shop.public.customers.email"));
    }
}
