//! The description of one column of a result.
//!
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset_column_definition.html>

use super::{Malformed, Reader};

/// Where a column comes from, by the server's own reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column<'a> {
    /// The database.
    pub schema: &'a [u8],
    /// The table's name behind its alias; empty for expressions.
    pub table: &'a [u8],
    /// The column's name behind its alias; empty for expressions.
    pub origin: &'a [u8],
    /// The name that the client sees.
    pub name: &'a [u8],
}

impl<'a> Column<'a> {
    /// Reads the payload of the packet.
    pub fn read(payload: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(payload);
        reader.lenenc_bytes()?;
        let schema = reader.lenenc_bytes()?;
        reader.lenenc_bytes()?;
        let table = reader.lenenc_bytes()?;
        let name = reader.lenenc_bytes()?;
        let origin = reader.lenenc_bytes()?;
        Ok(Self { schema, table, origin, name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_is_behind_the_aliases() {
        let payload = b"\x03def\x04shop\x01c\x09customers\x04mail\x05email\x0c\x2d\0\x10\0\0\0\xfd\0\0\0\0\0";
        let column = Column::read(payload).unwrap();
        assert_eq!((column.schema, column.table), (&b"shop"[..], &b"customers"[..]));
        assert_eq!((column.name, column.origin), (&b"mail"[..], &b"email"[..]));
        assert!(Column::read(&payload[..20]).is_err());
    }
}
