//! Types as `information_schema.columns` has them.

use std::sync::Arc;

use foldhash::{HashMap, HashSet};

use crate::catalog::{ColumnType, TypeClass, TypeExtra};

/// The types seen so far; columns of one type share it.
#[derive(Debug, Default)]
pub(super) struct Types {
    spelled: HashSet<Arc<str>>,
    collated: HashMap<Box<str>, Arc<TypeExtra>>,
}

impl Types {
    /// A column's type: `DATA_TYPE`, `COLUMN_TYPE` and `COLLATION_NAME`.
    pub(super) fn column(&mut self, data_type: &str, column_type: &str, collation: Option<&str>) -> ColumnType {
        let sql = match self.spelled.get(column_type) {
            Some(sql) => Arc::clone(sql),
            None => Arc::from(column_type),
        };
        self.spelled.insert(Arc::clone(&sql));
        let extra = collation.map(|collation| {
            let made = self.collated.entry(collation.into()).or_insert_with(|| {
                Arc::new(TypeExtra { collation: Some(Arc::from(collation)), ..TypeExtra::default() })
            });
            Arc::clone(made)
        });
        ColumnType { oid: 0, class: class(data_type), sql, extra }
    }
}

/// The kind of values of a type by its bare name (manual, "Data Types").
pub(super) fn class(data_type: &str) -> TypeClass {
    match data_type.to_ascii_lowercase().as_str() {
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "year" => TypeClass::Integer,
        "decimal" => TypeClass::Numeric,
        "float" | "double" => TypeClass::Float,
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => TypeClass::Text,
        "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => TypeClass::Bytes,
        "date" => TypeClass::Date,
        "time" => TypeClass::Time,
        "datetime" => TypeClass::Timestamp,
        "timestamp" => TypeClass::TimestampTz,
        "json" => TypeClass::Json,
        "uuid" => TypeClass::Uuid,
        "inet4" | "inet6" => TypeClass::Inet,
        "enum" => TypeClass::Enum,
        _ => TypeClass::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_one_type_share_it() {
        let mut types = Types::default();
        let a = types.column("varchar", "varchar(20)", Some("utf8mb4_bin"));
        let b = types.column("varchar", "varchar(20)", Some("utf8mb4_bin"));
        assert!(Arc::ptr_eq(&a.sql, &b.sql) && Arc::ptr_eq(a.extra.as_ref().unwrap(), b.extra.as_ref().unwrap()));
        assert_eq!((a.class, a.collation()), (TypeClass::Text, Some("utf8mb4_bin")));
        assert_eq!(types.column("int", "int(10) unsigned", None).extra, None);
    }

    #[test]
    fn kinds_of_values() {
        assert_eq!(class("bigint"), TypeClass::Integer);
        assert_eq!(class("timestamp"), TypeClass::TimestampTz);
        assert_eq!(class("set"), TypeClass::Other);
        assert_eq!(class("geometry"), TypeClass::Other);
    }
}
