//! `COM_QUERY`'s text, behind the query attributes that MySQL 8 clients put before it.
//!
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query.html>

use super::{Malformed, Reader};

/// A `COM_QUERY` taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Query<'a> {
    /// What stands before the text, the command byte included, as the client sent it.
    pub head: &'a [u8],
    /// The statement.
    pub text: &'a [u8],
}

impl<'a> Query<'a> {
    /// Finds the text in a payload. `attributes`: whether query attributes are in use.
    pub fn read(payload: &'a [u8], attributes: bool) -> Result<Self, Malformed> {
        let mut reader = Reader::new(payload);
        reader.u8()?;
        if attributes {
            skip(&mut reader)?;
        }
        let text = reader.rest();
        let head = payload.get(..payload.len() - text.len()).unwrap_or_default();
        Ok(Self { head, text })
    }
}

/// Passes over the attributes: count, sets, NULL bits, types with names, values.
fn skip(reader: &mut Reader<'_>) -> Result<(), Malformed> {
    let count = usize::try_from(reader.lenenc()?).map_err(|_| Malformed("too many attributes"))?;
    if reader.lenenc()? != 1 {
        return Err(Malformed("more than one set of attributes"));
    }
    if count == 0 {
        return Ok(());
    }
    let nulls = reader.bytes(count.div_ceil(8))?;
    if reader.u8()? != 1 {
        return Err(Malformed("attributes without types"));
    }
    // Each type takes three bytes at least, so the count is bounded by the packet.
    let mut types = Vec::with_capacity(count.min(reader.rest().len() / 3));
    for _ in 0..count {
        let [kind, _flags] = reader.array()?;
        reader.lenenc_bytes()?;
        types.push(kind);
    }
    for (at, kind) in types.into_iter().enumerate() {
        let null = nulls.get(at / 8).is_some_and(|bits| bits & (1 << (at % 8)) != 0);
        if !null {
            skip_value(reader, kind)?;
        }
    }
    Ok(())
}

/// Passes over one binary value.
///
/// <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html>
fn skip_value(reader: &mut Reader<'_>, kind: u8) -> Result<(), Malformed> {
    match kind {
        // NULL
        0x06 => {}
        // TINY, BOOL
        0x01 | 0xf4 => drop(reader.bytes(1)?),
        // SHORT, YEAR
        0x02 | 0x0d => drop(reader.bytes(2)?),
        // LONG, INT24, FLOAT
        0x03 | 0x09 | 0x04 => drop(reader.bytes(4)?),
        // LONGLONG, DOUBLE
        0x08 | 0x05 => drop(reader.bytes(8)?),
        // DATE, DATETIME, TIMESTAMP, TIME: a length byte
        0x07 | 0x0a | 0x0b | 0x0c => {
            let len = reader.u8()?;
            reader.bytes(usize::from(len))?;
        }
        // Everything that is text or bytes.
        0x00 | 0x0f | 0x10 | 0xf2 | 0xf5..=0xff => drop(reader.lenenc_bytes()?),
        _ => return Err(Malformed("attribute of an unknown type")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_behind_the_attributes() {
        assert_eq!(Query::read(b"\x03select 1", false).unwrap().text, b"select 1");
        assert_eq!(Query::read(b"\x03\0\x01select 1", true).unwrap().text, b"select 1");
        let payload = b"\x03\x03\x01\x04\x01\xfe\0\x01a\x08\0\x01b\x06\0\x01c\x02xy\x01\0\0\0\0\0\0\0select 1";
        let query = Query::read(payload, true).unwrap();
        assert_eq!(query.text, b"select 1");
        assert_eq!([query.head, query.text].concat(), payload);
        assert!(Query::read(b"\x03\xfe\xff\xff\xff\xff\xff\xff\xff\x7f\x01", true).is_err());
        assert!(Query::read(b"\x03\x01\x02", true).is_err());
    }
}
