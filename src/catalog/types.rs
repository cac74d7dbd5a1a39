//! Column types, as far as masks and predicates care.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The kind of values a type holds, with domains resolved to their base type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TypeClass {
    /// `boolean`.
    Boolean,
    /// `smallint`, `integer`, `bigint`, `oid`.
    Integer,
    /// `numeric`, MySQL `decimal`.
    Numeric,
    /// `real`, `double precision`.
    Float,
    /// `text`, `varchar`, `char`, `name`, citext.
    Text,
    /// `bytea`, MySQL `binary`, `varbinary`, `blob`.
    Bytes,
    /// `date`.
    Date,
    /// `time` with or without zone.
    Time,
    /// `timestamp` without zone, MySQL `datetime`.
    Timestamp,
    /// `timestamp with time zone`, MySQL `timestamp`.
    TimestampTz,
    /// `interval`.
    Interval,
    /// `uuid`.
    Uuid,
    /// `json`.
    Json,
    /// `jsonb`.
    Jsonb,
    /// `inet`, `cidr`.
    Inet,
    /// An enumeration; only values of the type are valid.
    Enum,
    /// An array of anything.
    Array,
    /// Everything else: ranges, geometry, tsvector, composites …
    Other,
}

/// The type of a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnType {
    /// The server's own number of the type (`pg_type.oid`); 0 on MySQL.
    pub oid: u32,
    /// What kind of values it holds.
    pub class: TypeClass,
    /// The type as it is written in a cast, with modifier and, outside `pg_catalog`, schema:
    /// `character varying(50)`, `numeric(10,2)`, `app.tier_t`. On MySQL `COLUMN_TYPE` of `information_schema.columns`:
    /// `varchar(50)`, `int(10) unsigned`, `enum('a','b')`.
    pub sql: Arc<str>,
    /// What no other part of the type tells; `None` for most columns.
    pub extra: Option<Arc<TypeExtra>>,
}

impl ColumnType {
    /// A type without [`TypeExtra`].
    pub fn new(oid: u32, class: TypeClass, sql: impl Into<Arc<str>>) -> Self {
        Self { oid, class, sql: sql.into(), extra: None }
    }

    /// The type that values are computed in: a domain's base type, otherwise the type itself, written as in a cast.
    pub fn base_sql(&self) -> &Arc<str> {
        self.extra.as_ref().and_then(|extra| extra.base.as_ref()).unwrap_or(&self.sql)
    }

    /// The collation of the column where it is known, see [`TypeExtra::collation`].
    pub fn collation(&self) -> Option<&str> {
        self.extra.as_ref().and_then(|extra| extra.collation.as_deref())
    }

    /// The labels of an enumeration, in order; empty for every other type.
    pub fn labels(&self) -> &[Box<str>] {
        self.extra.as_ref().map_or(&[], |extra| &extra.labels)
    }
}

/// What some types have beside their name. Columns of one type share it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TypeExtra {
    /// PostgreSQL: the base type of a domain, domains over domains followed to the end, with the domain's modifier
    /// (`pg_type.typbasetype`, `typtypmod`).
    pub base: Option<Arc<str>>,
    /// PostgreSQL: the labels of an enumeration in their order (`pg_enum`). On MySQL they stand in the type itself.
    pub labels: Vec<Box<str>>,
    /// PostgreSQL: the collation, quoted and with schema as in a `COLLATE` clause, where it is not the database's
    /// default (`pg_attribute.attcollation` neither 0 nor 100). MySQL: `COLLATION_NAME` of every text column.
    pub collation: Option<Arc<str>>,
}
