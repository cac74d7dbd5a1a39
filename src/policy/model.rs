//! What rules say of a relation, and the words they say it in.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::mask::MaskSpec;

/// What a grant allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// SELECT and everything that reads.
    Read,
    /// INSERT and COPY FROM.
    Insert,
    /// UPDATE, and locking reads.
    Update,
    /// DELETE.
    Delete,
    /// TRUNCATE.
    Truncate,
    /// CREATE of an object.
    Create,
    /// ALTER, COMMENT, GRANT.
    Alter,
    /// DROP.
    Drop,
    /// Calling a user-defined function or procedure.
    Call,
    /// EXPLAIN of statements over restricted tables.
    Explain,
}

impl Verb {
    /// Every verb, in the order of the documentation.
    pub const EACH: [Self; 10] = [
        Self::Read,
        Self::Insert,
        Self::Update,
        Self::Delete,
        Self::Truncate,
        Self::Create,
        Self::Alter,
        Self::Drop,
        Self::Call,
        Self::Explain,
    ];

    /// The word of the rule files.
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Truncate => "truncate",
            Self::Create => "create",
            Self::Alter => "alter",
            Self::Drop => "drop",
            Self::Call => "call",
            Self::Explain => "explain",
        }
    }

    /// The word as it stands before an object in a sentence.
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Insert => "insert into",
            Self::Delete => "delete from",
            Self::Create => "create in",
            other => other.word(),
        }
    }
}

/// A set of [`Verb`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Verbs(u16);

impl Verbs {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Reading only.
    pub const READ: Self = Self(1 << Verb::Read as u16);
    /// Everything.
    pub const ALL: Self = Self(0x3ff);

    /// Insert, update, delete, truncate.
    pub const WRITE: Self = Self::NONE.with(Verb::Insert).with(Verb::Update).with(Verb::Delete).with(Verb::Truncate);
    /// Create, alter, drop.
    pub const DEFINE: Self = Self::NONE.with(Verb::Create).with(Verb::Alter).with(Verb::Drop);

    /// The set with one more verb.
    #[must_use]
    pub const fn with(self, verb: Verb) -> Self {
        Self(self.0 | 1 << verb as u16)
    }

    /// The union of two sets.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether a verb is in the set.
    pub fn contains(self, verb: Verb) -> bool {
        self.0 & (1 << verb as u16) != 0
    }

    /// Whether nothing is in the set.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// What every rule carries for people: its name, whom to ask, why.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RuleInfo {
    /// Unique name; audit records and errors use it.
    pub name: Arc<str>,
    /// Whom to ask about it.
    pub owner: Option<Arc<str>>,
    /// Why it is there.
    pub note: Option<Arc<str>>,
}

/// How a role sees a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Treatment {
    /// As it is.
    Raw,
    /// Through a mask.
    Masked(Arc<MaskSpec>),
    /// Not at all.
    Denied,
}

/// How a role sees a column, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnAccess {
    /// How it is seen.
    pub treatment: Treatment,
    /// The rule that decided; `None` when no rule speaks of the column.
    pub rule: Option<Arc<RuleInfo>>,
    /// Whether a masked column may be written.
    pub writable: bool,
}

/// A row filter in force for a role on a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    /// Name, owner, note.
    pub rule: Arc<RuleInfo>,
    /// SQL over the table's own columns; `:name` stands for a user attribute, `:user` and `:role` are built in.
    pub predicate: Arc<str>,
}

/// What a role may do with a relation and how it sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct RelationAccess {
    /// What is granted.
    pub verbs: Verbs,
    /// One entry for each column of the relation, in the same order.
    pub columns: Vec<ColumnAccess>,
    /// All of them apply.
    pub filters: Vec<Arc<Filter>>,
    /// The rule that declares a view safe to read as a table.
    pub trusted: Option<Arc<RuleInfo>>,
}

impl RelationAccess {
    /// Whether the role sees the relation exactly as the server has it.
    pub fn is_plain(&self) -> bool {
        self.filters.is_empty() && self.columns.iter().all(|c| c.treatment == Treatment::Raw)
    }
}

/// What is known about a user for filters.
pub type Attributes = BTreeMap<Arc<str>, Arc<str>>;

/// A role of the rule files.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Role {
    /// The name.
    pub name: Arc<str>,
    /// What it is for.
    pub description: Option<Arc<str>>,
    /// Whom to ask about it.
    pub owner: Option<Arc<str>>,
    /// Why it is as it is.
    pub note: Option<Arc<str>>,
    /// Nothing is masked, filtered or denied.
    pub unrestricted: bool,
    /// Decide and record, but let statements through unchanged.
    pub observe: bool,
}
