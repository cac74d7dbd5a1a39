//! The rules as values: what loading makes and deciding reads.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::catalog::{Relation, Snapshot};

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

    /// The set with one more verb.
    #[must_use]
    pub fn with(self, verb: Verb) -> Self {
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

/// Units of the `trunc` mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TruncUnit {
    /// 1 January.
    Year,
    /// First day of the quarter.
    Quarter,
    /// First day of the month.
    Month,
    /// Midnight.
    Day,
    /// Full hour.
    Hour,
}

/// How a value is masked; `docs/masks.md` says what each gives.
#[derive(Debug, Clone, PartialEq)]
pub enum MaskSpec {
    /// NULL.
    Null,
    /// A constant, written as the text of a literal of the column's type.
    Fixed {
        /// The text form of the value.
        value: Arc<str>,
    },
    /// Same length, every character replaced.
    Redact {
        /// The replacing character.
        with: char,
    },
    /// The ends kept, the rest replaced; values not longer than both ends are wholly replaced.
    Keep {
        /// Characters kept at the beginning.
        first: u16,
        /// Characters kept at the end.
        last: u16,
        /// The replacing character.
        with: char,
    },
    /// First character, `***`, and the domain.
    Email,
    /// Digits but the last four replaced, punctuation kept.
    Phone,
    /// Digits but the last four replaced, punctuation kept.
    Card,
    /// Every match replaced, in the server's own dialect.
    Regex {
        /// The pattern.
        pattern: Arc<str>,
        /// What replaces each match.
        replace: Arc<str>,
    },
    /// Keyed HMAC-SHA-256 in lower-case hex, cut to a length.
    Hash {
        /// Hex digits kept, 8 to 64.
        length: u8,
        /// The id of the masking key; the current key when absent.
        key_id: Option<Arc<str>>,
    },
    /// A name out of a list, chosen by the keyed hash.
    Pseudonym {
        /// The names.
        list: Arc<[Arc<str>]>,
        /// The id of the masking key; the current key when absent.
        key_id: Option<Arc<str>>,
    },
    /// The nearest multiple, as the text of a number.
    Round {
        /// The step.
        to: Arc<str>,
    },
    /// The lower bound of the bucket, as the text of a number.
    Bucket {
        /// The width.
        width: Arc<str>,
    },
    /// Moved by up to a percentage, the same for the same value.
    Noise {
        /// The bound in percent, as the text of a number.
        percent: Arc<str>,
        /// The id of the masking key; the current key when absent.
        key_id: Option<Arc<str>>,
    },
    /// Start of the unit.
    Trunc {
        /// The unit.
        unit: TruncUnit,
    },
    /// Moved by a keyed number of days within the bound, the same for one key.
    Shift {
        /// The bound in days.
        days: u32,
        /// The column that gives the key; the primary key when absent.
        key: Option<Arc<str>>,
        /// The id of the masking key; the current key when absent.
        key_id: Option<Arc<str>>,
    },
    /// Network prefix.
    Ip {
        /// Bits kept of an IPv4 address.
        v4: u8,
        /// Bits kept of an IPv6 address.
        v6: u8,
    },
    /// Paths of a JSON document masked or removed.
    Json {
        /// Path (`a.b`) and what becomes of it; `None` removes it.
        paths: Vec<(Arc<str>, Option<MaskSpec>)>,
    },
    /// An expression of the rule's author over `{column}`.
    Sql {
        /// For PostgreSQL.
        postgres: Option<Arc<str>>,
        /// For MySQL and MariaDB.
        mysql: Option<Arc<str>>,
    },
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
    /// Nothing is masked, filtered or denied.
    pub unrestricted: bool,
    /// Decide and record, but let statements through unchanged.
    pub observe: bool,
}

/// All rules in force, compiled; immutable.
#[derive(Debug, Default)]
pub struct PolicySet {
    version: u64,
}

impl PolicySet {
    /// Grows with each reload; shown by `sekisho check`, the metrics and audit records.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// A role by name.
    pub fn role(&self, _name: &str) -> Option<&Arc<Role>> {
        None
    }

    /// What a role may do with a relation of a source and how it sees it. Partitions and inheritance children carry
    /// the protections and filters of their parents, but not the grants. For an unrestricted role: all verbs,
    /// everything raw. One entry in `columns` for each column, in order.
    pub fn access(&self, _role: &Role, _snapshot: &Snapshot, relation: &Relation) -> RelationAccess {
        let nothing = ColumnAccess { treatment: Treatment::Denied, rule: None, writable: false };
        RelationAccess {
            verbs: Verbs::NONE,
            columns: vec![nothing; relation.columns.len()],
            filters: Vec::new(),
            trusted: None,
        }
    }

    /// What a role was granted on a table by name that the catalog does not have, because it is about to be made.
    pub fn verbs(&self, _role: &Role, _snapshot: &Snapshot, _schema: &str, _table: &str) -> Verbs {
        Verbs::NONE
    }

    /// Whether a role was granted `call` on a user-defined function or procedure.
    pub fn may_call(&self, _role: &Role, _snapshot: &Snapshot, _schema: &str, _function: &str) -> bool {
        false
    }

    /// The `[[trust]]` rule that declares a function safe to call.
    pub fn trusted_function(&self, _snapshot: &Snapshot, _schema: &str, _function: &str) -> Option<Arc<RuleInfo>> {
        None
    }

    /// Whether a role has any grant in a source.
    pub fn sees_source(&self, _role: &Role, _source: &str) -> bool {
        false
    }

    /// Whether the role's filters use attributes of the person, so that each person sees another database.
    pub fn is_personal(&self, _role: &Role) -> bool {
        false
    }
}
