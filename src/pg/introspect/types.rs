//! Types as columns have them.

use std::sync::Arc;

use foldhash::HashMap;

use super::{CatalogError, Shared, number, sql, text};
use crate::catalog::{ColumnType, TypeClass, TypeExtra};
use crate::pg::upstream::Upstream;

const WHAT: &str = "types";

/// The types of the database: by number and modifier, collations beside.
#[derive(Debug, Default)]
pub(super) struct Types {
    by_number: HashMap<(u32, i32), ColumnType>,
    collations: HashMap<u32, Arc<str>>,
}

impl Types {
    /// The type of a column. A collation is that of the column where it is not the type's own.
    pub(super) fn column(
        &self,
        number: u32,
        modifier: i32,
        collation: Option<u32>,
        extras: &mut Extras,
    ) -> Result<ColumnType, CatalogError> {
        let mut ty = self.by_number.get(&(number, modifier)).ok_or(CatalogError::Malformed(WHAT))?.clone();
        if let Some(collation) = collation {
            let spelled = self.collations.get(&collation).ok_or(CatalogError::Malformed("collations"))?;
            ty.extra = Some(extras.collated((number, modifier, collation), &ty, spelled));
        }
        Ok(ty)
    }

    /// The kind of values of a type without modifier.
    pub(super) fn class(&self, number: u32) -> TypeClass {
        self.by_number.get(&(number, -1)).map_or(TypeClass::Other, |ty| ty.class)
    }
}

/// What columns with a collation of their own share.
#[derive(Debug, Default)]
pub(super) struct Extras(HashMap<(u32, i32, u32), Arc<TypeExtra>>);

impl Extras {
    fn collated(&mut self, key: (u32, i32, u32), ty: &ColumnType, collation: &Arc<str>) -> Arc<TypeExtra> {
        let made = self.0.entry(key).or_insert_with(|| {
            let extra = ty.extra.as_deref().cloned().unwrap_or_default();
            Arc::new(TypeExtra { collation: Some(Arc::clone(collation)), ..extra })
        });
        Arc::clone(made)
    }
}

/// Reads all types.
pub(super) async fn load(upstream: &mut Upstream) -> Result<Types, CatalogError> {
    let mut labels: HashMap<u32, Vec<Box<str>>> = HashMap::default();
    for row in upstream.query(sql::ENUM_LABELS).await?.iter() {
        labels.entry(number(row, 0, WHAT)?).or_default().push(text(row, 1, WHAT)?.into());
    }
    let mut types = Types::default();
    let mut shared = Shared::default();
    let mut enums: HashMap<u32, Arc<TypeExtra>> = HashMap::default();
    for row in upstream.query(sql::TYPES).await?.iter() {
        let (oid, base_oid): (u32, u32) = (number(row, 0, WHAT)?, number(row, 3, WHAT)?);
        let (kind, category, name) = (text(row, 5, WHAT)?, text(row, 6, WHAT)?, text(row, 7, WHAT)?);
        let extra = if oid != base_oid {
            let labels = labels.get(&base_oid).cloned().unwrap_or_default();
            Some(Arc::new(TypeExtra { base: Some(shared.share(text(row, 4, WHAT)?)), labels, collation: None }))
        } else if let Some(labels) = labels.get(&oid) {
            let made = enums
                .entry(oid)
                .or_insert_with(|| Arc::new(TypeExtra { labels: labels.clone(), ..TypeExtra::default() }));
            Some(Arc::clone(made))
        } else {
            None
        };
        let class = class(base_oid, kind, category, name);
        let ty = ColumnType { oid, class, sql: shared.share(text(row, 2, WHAT)?), extra };
        types.by_number.insert((oid, number(row, 1, WHAT)?), ty);
    }
    for row in upstream.query(sql::COLLATIONS).await?.iter() {
        types.collations.insert(number(row, 0, WHAT)?, text(row, 1, WHAT)?.into());
    }
    Ok(types)
}

/// The kind of values of a type that is no domain. Numbers of built-in types never change (`pg_type.dat`).
fn class(oid: u32, kind: &str, category: &str, name: &str) -> TypeClass {
    match oid {
        16 => TypeClass::Boolean,
        20 | 21 | 23 | 26 => TypeClass::Integer,
        1700 => TypeClass::Numeric,
        700 | 701 => TypeClass::Float,
        18 | 19 | 25 | 1042 | 1043 => TypeClass::Text,
        17 => TypeClass::Bytes,
        1082 => TypeClass::Date,
        1083 | 1266 => TypeClass::Time,
        1114 => TypeClass::Timestamp,
        1184 => TypeClass::TimestampTz,
        1186 => TypeClass::Interval,
        2950 => TypeClass::Uuid,
        114 => TypeClass::Json,
        3802 => TypeClass::Jsonb,
        869 | 650 => TypeClass::Inet,
        // int2vector and oidvector count as arrays and are none.
        22 | 30 => TypeClass::Other,
        _ => match (kind, category, name) {
            ("e", ..) => TypeClass::Enum,
            (_, "A", _) => TypeClass::Array,
            ("b", _, "citext") => TypeClass::Text,
            _ => TypeClass::Other,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_values() {
        assert_eq!(class(25, "b", "S", "text"), TypeClass::Text);
        assert_eq!(class(20001, "e", "E", "tier"), TypeClass::Enum);
        assert_eq!(class(1009, "b", "A", "_text"), TypeClass::Array);
        assert_eq!(class(22, "b", "A", "int2vector"), TypeClass::Other);
        assert_eq!(class(20002, "b", "S", "citext"), TypeClass::Text);
        assert_eq!(class(3904, "r", "R", "int4range"), TypeClass::Other);
    }
}
