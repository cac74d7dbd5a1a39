//! Column types, as far as masks and predicates care.

use std::sync::Arc;

/// The kind of values a type holds, with domains resolved to their base type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnType {
    /// The server's own number of the type (`pg_type.oid`); 0 on MySQL.
    pub oid: u32,
    /// What kind of values it holds.
    pub class: TypeClass,
    /// The type as it is written in a cast, with modifier and, outside `pg_catalog`, schema:
    /// `character varying(50)`, `numeric(10,2)`, `app.tier_t`.
    pub sql: Arc<str>,
}
