//! What a mask is written for: one column of one relation on one engine.

use std::borrow::Cow;
use std::sync::Arc;

use thiserror::Error;

use crate::catalog::{Column, Relation, TypeClass};
use crate::sql::Engine;

/// What masks may know beside the column itself.
#[derive(Debug, Clone, Copy)]
pub struct RelationContext<'a> {
    /// The relation that the column belongs to.
    pub relation: &'a Relation,
    /// The alias that the relation's other columns are named behind; `None` where they can be named alone.
    pub qualifier: Option<&'a str>,
    /// The ids of the node's masking keys, see [`SessionKeys::ids`](super::SessionKeys::ids); empty without keys.
    pub key_ids: &'a [Arc<str>],
}

/// A mask that cannot serve a column: until the rule is mended, the column is denied.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("mask `{mask}` cannot serve column `{column}` of type `{ty}`: {reason}")]
pub struct Unservable {
    /// The kind of the mask.
    pub mask: &'static str,
    /// The name of the column.
    pub column: Box<str>,
    /// The column's type.
    pub ty: Arc<str>,
    /// Why, and what to do.
    pub reason: Cow<'static, str>,
}

/// A column to be masked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target<'a> {
    /// The engine that the expression is for.
    pub engine: Engine,
    /// The kind of the mask, for errors.
    pub mask: &'static str,
    /// The column.
    pub column: &'a Column,
    /// The expression that gives the raw value: a quoted column reference.
    pub sql: &'a str,
    /// The rest of the world.
    pub context: &'a RelationContext<'a>,
}

/// The parts of a type's name: `timestamp(3) without time zone` is `timestamp`, `3`, `without time zone`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TypeName<'a> {
    /// What stands before the parentheses.
    pub name: &'a str,
    /// What stands in them.
    pub arguments: &'a str,
    /// What stands behind them.
    pub suffix: &'a str,
}

impl<'a> TypeName<'a> {
    fn new(sql: &'a str) -> Self {
        let (name, rest) = match sql.find('(') {
            Some(open) => sql.split_at(open),
            None => sql
                .split_once(' ')
                .filter(|_| sql.ends_with("unsigned") || sql.ends_with("zerofill"))
                .unwrap_or((sql, "")),
        };
        let (arguments, suffix) = rest.strip_prefix('(').and_then(|rest| rest.rsplit_once(')')).unwrap_or(("", rest));
        Self { name, arguments, suffix: suffix.trim() }
    }

    /// A numeric argument.
    pub fn argument(&self, at: usize) -> Option<i64> {
        self.arguments.split(',').nth(at)?.trim().parse().ok()
    }

    /// Whether a MySQL number has no sign.
    pub fn is_unsigned(&self) -> bool {
        self.suffix.split(' ').any(|word| word == "unsigned")
    }
}

impl<'a> Target<'a> {
    /// What kind of values the column holds.
    pub fn class(&self) -> TypeClass {
        self.column.ty.class
    }

    /// The type that values are computed in and given in, taken apart. A column of a domain is masked to the domain's
    /// base type: that is what clients are told anyway, and a masked value need not meet the domain's checks.
    pub fn type_name(&self) -> TypeName<'a> {
        TypeName::new(self.column.ty.base_sql())
    }

    /// PostgreSQL: the type to cast to.
    pub fn cast_type(&self) -> Cow<'a, str> {
        super::postgres::type_name(self.column.ty.base_sql())
    }

    /// The refusal of this mask.
    pub fn refuse(&self, reason: impl Into<Cow<'static, str>>) -> Unservable {
        Unservable {
            mask: self.mask,
            column: self.column.name.clone(),
            ty: Arc::clone(&self.column.ty.sql),
            reason: reason.into(),
        }
    }

    /// The refusal of a mask that is for other types.
    pub fn wrong_type(&self, serves: &'static str) -> Unservable {
        self.refuse(format!("it serves {serves}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_names_come_apart() {
        let parts = |sql| {
            let name = TypeName::new(sql);
            (name.name, name.arguments, name.suffix)
        };
        assert_eq!(parts("character varying(50)"), ("character varying", "50", ""));
        assert_eq!(parts("timestamp(3) without time zone"), ("timestamp", "3", "without time zone"));
        assert_eq!(parts("timestamp without time zone"), ("timestamp without time zone", "", ""));
        assert_eq!(parts("int(10) unsigned zerofill"), ("int", "10", "unsigned zerofill"));
        assert_eq!(parts("bigint unsigned"), ("bigint", "", "unsigned"));
        assert_eq!(parts("double precision"), ("double precision", "", ""));
        assert_eq!(parts("enum('a)','b')"), ("enum", "'a)','b'", ""));
        assert_eq!(TypeName::new("numeric(3,-2)").argument(1), Some(-2));
        assert!(TypeName::new("bigint unsigned").is_unsigned());
    }
}
