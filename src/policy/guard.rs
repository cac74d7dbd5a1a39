//! Rules about statements as a whole: limits, the firewall, learning, alerts, and the tests of all rules.

use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use regex::Regex;

use super::hours::Hours;
use super::model::RuleInfo;
use super::pattern::{TableName, TablePattern};
use crate::catalog::{Relation, Snapshot};

/// A `[[limit]]`: how much, when and from where. Of several limits on one role each holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Limit {
    /// Name, owner, note.
    pub rule: Arc<RuleInfo>,
    /// A statement that runs longer is cancelled.
    pub statement_timeout: Option<Duration>,
    /// Rows of one result.
    pub max_rows: Option<u64>,
    /// Bytes of one result.
    pub max_bytes: Option<u64>,
    /// Statements of the role that run at one time on one node.
    pub max_concurrent: Option<u32>,
    /// The planner's estimate of the statement's cost, in the server's own units.
    pub max_cost: Option<u64>,
    /// When statements may run: within any of these, always when empty.
    pub hours: Vec<Hours>,
    /// Where clients may come from: any of these networks, anywhere when empty.
    pub from: Vec<IpNet>,
}

/// Whether a rule refuses, or only says that it would have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Action {
    /// The statement does not run.
    #[default]
    Refuse,
    /// The statement runs, and the audit record names the rule.
    Report,
}

/// Kinds of statements, as coarse as rules name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatementKind {
    /// SELECT, VALUES, TABLE, and cursors over them.
    Select,
    /// INSERT and REPLACE.
    Insert,
    /// UPDATE.
    Update,
    /// DELETE.
    Delete,
    /// MERGE.
    Merge,
    /// COPY, and LOAD DATA.
    Copy,
    /// TRUNCATE.
    Truncate,
    /// CREATE of anything.
    Create,
    /// ALTER of anything, and COMMENT.
    Alter,
    /// DROP of anything.
    Drop,
    /// GRANT and REVOKE.
    Grant,
    /// CALL and DO.
    Call,
    /// LOCK TABLES.
    Lock,
    /// EXPLAIN.
    Explain,
    /// SET and RESET.
    Set,
    /// SHOW.
    Show,
}

impl StatementKind {
    /// Each kind and the word that rules use.
    pub const EACH: [(&'static str, Self); 16] = [
        ("select", Self::Select),
        ("insert", Self::Insert),
        ("update", Self::Update),
        ("delete", Self::Delete),
        ("merge", Self::Merge),
        ("copy", Self::Copy),
        ("truncate", Self::Truncate),
        ("create", Self::Create),
        ("alter", Self::Alter),
        ("drop", Self::Drop),
        ("grant", Self::Grant),
        ("call", Self::Call),
        ("lock", Self::Lock),
        ("explain", Self::Explain),
        ("set", Self::Set),
        ("show", Self::Show),
    ];

    /// The word that rules use.
    pub fn word(self) -> &'static str {
        Self::EACH.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }
}

/// What a statement must lack for a `[[block]]` to mean it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// A WHERE clause.
    Where,
    /// A LIMIT (or FETCH FIRST).
    Limit,
}

/// Which tables a rule is about.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tables(pub(super) Vec<TablePattern>);

impl Tables {
    /// Whether no table is named, so that the rule is about every statement.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a table of these names is named; case does not count.
    pub fn are_named(&self, source: &str, schema: &str, table: &str) -> bool {
        let name = TableName::without_case(source, schema, table);
        self.0.iter().any(|pattern| pattern.matches(&name))
    }

    /// Whether a table, or a table that it is a part of, is named.
    pub fn contains(&self, snapshot: &Snapshot, relation: &Relation) -> bool {
        super::family::lineage(snapshot, relation).iter().any(|relation| {
            let name = TableName::table(snapshot, &relation.schema, &relation.name);
            self.0.iter().any(|pattern| pattern.matches(&name))
        })
    }
}

/// A `[[block]]`: statements that are not run. Everything that it names must be true of a statement.
#[derive(Debug, Clone)]
pub struct Block {
    /// Name, owner, note.
    pub rule: Arc<RuleInfo>,
    /// Refuse or report.
    pub action: Action,
    /// Kinds of statements; any kind when empty.
    pub statements: Vec<StatementKind>,
    /// What the statement lacks; all of them.
    pub missing: Vec<Missing>,
    /// Tables, one of which it touches; any when empty.
    pub tables: Tables,
    /// Functions, one of which it calls, without schema, lower case; not asked when empty.
    pub functions: Vec<Arc<str>>,
    /// Fingerprints, one of which it has; any when empty.
    pub fingerprints: Vec<u64>,
    /// What one of its literals looks like.
    pub literals: Option<Regex>,
}

/// What `[[learn]]` does with a fingerprint that was not seen before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Learning {
    /// It is noted and allowed from now on.
    Record,
    /// It runs, and the audit record says that it is new.
    Report,
    /// It is refused.
    Refuse,
}

/// A `[[learn]]`: the statements that a role is known to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Learn {
    /// Name, owner, note.
    pub rule: Arc<RuleInfo>,
    /// What is done with new fingerprints.
    pub mode: Learning,
    /// Fingerprints known from the rule itself.
    pub fingerprints: Vec<u64>,
    /// Where fingerprints are recorded: relative to the state folder, and inside it.
    pub file: Option<Arc<str>>,
}

/// What an `[[alert]]` listens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// A statement was refused.
    Refused,
    /// A `[[block]]` or `[[learn]]` rule met a statement.
    Blocked,
    /// A limit was met.
    Limited,
    /// A login was refused.
    LoginRefused,
    /// The second lock ended a result.
    Leak,
    /// The audit log could not be written.
    AuditFailed,
    /// A statement ran.
    Statement,
}

impl Occasion {
    /// Each occasion and the word that rules use.
    pub const EACH: [(&'static str, Self); 7] = [
        ("refused", Self::Refused),
        ("blocked", Self::Blocked),
        ("limited", Self::Limited),
        ("login_refused", Self::LoginRefused),
        ("leak", Self::Leak),
        ("audit_failed", Self::AuditFailed),
        ("statement", Self::Statement),
    ];

    /// The word of the rule files.
    pub fn word(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Blocked => "blocked",
            Self::Limited => "limited",
            Self::LoginRefused => "login_refused",
            Self::Leak => "leak",
            Self::AuditFailed => "audit_failed",
            Self::Statement => "statement",
        }
    }
}

/// An `[[alert]]`: what people are told about at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// Name, owner, note.
    pub rule: Arc<RuleInfo>,
    /// The roles it is about; every role when `None`.
    pub roles: Option<Vec<Arc<str>>>,
    /// What it listens to.
    pub on: Vec<Occasion>,
    /// Only statements that touch one of these tables; any when empty.
    pub tables: Tables,
    /// Only results of more rows than this.
    pub more_rows_than: Option<u64>,
    /// How often it must happen within `within`.
    pub count: u32,
    /// The window of `count`, and how long an alert that was given is quiet.
    pub within: Duration,
}

/// A `[[test]]`: what the rules must do with a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// What is tested, in words.
    pub name: Arc<str>,
    /// The role that sends the statement.
    pub role: Arc<str>,
    /// The source that it is sent to.
    pub source: Arc<str>,
    /// The statement.
    pub sql: Arc<str>,
    /// The user it is sent by, where filters use attributes.
    pub user: Option<Arc<str>>,
    /// What must come of it.
    pub expect: Expectation,
}

/// What must come of the statement of a [`Test`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expectation {
    /// Whether it runs; `None` when the test does not say.
    pub allowed: Option<bool>,
    /// The rule that refuses it.
    pub denied_by: Option<Arc<str>>,
    /// Columns that it touches and gets masked, by name.
    pub masked: Vec<Arc<str>>,
    /// Columns that it touches and gets as they are, by name.
    pub raw: Vec<Arc<str>>,
    /// Filters that apply, by the names of their rules.
    pub filtered_by: Vec<Arc<str>>,
}
