//! A value as a column will hold it: filters are about that, not about what the statement writes.

use crate::catalog::{Column, TypeClass};
use crate::sql::Engine;

/// An expression for what will be stored.
pub(super) struct Stored {
    /// It.
    pub text: String,
    /// What must be true for it to be that.
    pub guard: Option<String>,
}

/// What a column will hold when `value` is written to it; nothing where that cannot be told. On MySQL in strict mode, where
/// a value that does not fit is an error.
pub(super) fn value(engine: Engine, column: &Column, value: &str) -> Option<Stored> {
    match engine {
        Engine::Postgres => Some(Stored { text: format!("CAST({value} AS {})", column.ty.sql), guard: None }),
        Engine::MySql => in_mysql(column, value),
    }
}

fn in_mysql(column: &Column, value: &str) -> Option<Stored> {
    let ty = &*column.ty.sql;
    let exactly = |text: String| {
        // Numbers are rounded by other rules when they are stored than when they are cast.
        let guard = Some(format!("COALESCE({text} = {value}, true)"));
        Some(Stored { text, guard })
    };
    let plainly = |text: String| Some(Stored { text, guard: None });
    match column.ty.class {
        TypeClass::Text => {
            // Compared as the column compares, and text whatever was written: a number, JSON.
            let collation = column.ty.collation()?;
            let (charset, _) = collation.split_once('_')?;
            plainly(format!("CONVERT(CAST({value} AS CHAR) USING {charset}) COLLATE {collation}"))
        }
        TypeClass::Integer | TypeClass::Boolean if ty.contains("unsigned") => {
            exactly(format!("CAST({value} AS UNSIGNED)"))
        }
        TypeClass::Integer | TypeClass::Boolean => exactly(format!("CAST({value} AS SIGNED)")),
        TypeClass::Numeric => {
            let (_, size) = ty.split_once('(')?;
            let (size, _) = size.split_once(')')?;
            exactly(format!("CAST({value} AS DECIMAL({size}))"))
        }
        TypeClass::Date => plainly(format!("CAST({value} AS DATE)")),
        TypeClass::Timestamp | TypeClass::TimestampTz => {
            let digits =
                ty.split_once('(').and_then(|(_, size)| size.split_once(')')).map_or("0", |(digits, _)| digits);
            plainly(format!("CAST({value} AS DATETIME({digits}))"))
        }
        TypeClass::Float
        | TypeClass::Bytes
        | TypeClass::Time
        | TypeClass::Interval
        | TypeClass::Uuid
        | TypeClass::Json
        | TypeClass::Jsonb
        | TypeClass::Inet
        | TypeClass::Enum
        | TypeClass::Array
        | TypeClass::Other => None,
    }
}
