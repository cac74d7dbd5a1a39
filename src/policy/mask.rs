//! Masks as rules name them; how each is written in SQL is `rewrite`'s.

use std::sync::Arc;

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

impl MaskSpec {
    /// The masking keys that the mask needs: `Some(id)` a certain one, `None` the current one. Empty for masks
    /// without a key.
    pub fn keys(&self) -> Vec<Option<&Arc<str>>> {
        match self {
            Self::Hash { key_id, .. }
            | Self::Pseudonym { key_id, .. }
            | Self::Noise { key_id, .. }
            | Self::Shift { key_id, .. } => vec![key_id.as_ref()],
            Self::Json { paths } => paths.iter().filter_map(|(_, mask)| mask.as_ref()).flat_map(Self::keys).collect(),
            Self::Null
            | Self::Fixed { .. }
            | Self::Redact { .. }
            | Self::Keep { .. }
            | Self::Email
            | Self::Phone
            | Self::Card
            | Self::Regex { .. }
            | Self::Round { .. }
            | Self::Bucket { .. }
            | Self::Trunc { .. }
            | Self::Ip { .. }
            | Self::Sql { .. } => Vec::new(),
        }
    }
}
