//! `COM_QUERY`'s text, behind the query attributes that MySQL 8 clients put before it.
//!
//! Where the text begins depends on how each attribute's type is read. So that a server cannot find another text in the
//! packet than was read here, attributes are never forwarded as they came: they are written anew in the few types that
//! have one reading only.
//!
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query.html>

use super::reader::Put;
use super::{Malformed, Reader, command};

/// A `COM_QUERY` taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query<'a> {
    /// What stands before the text.
    pub head: Head,
    /// The statement.
    pub text: &'a [u8],
}

/// What stands before a text: the command byte and the attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// How many bytes of the client's payload it is.
    pub len: usize,
    // With attributes; empty where there are none.
    written: Vec<u8>,
}

impl Head {
    /// As a server reads it that takes attributes, or does not.
    pub fn bytes(&self, takes_attributes: bool) -> &[u8] {
        match (takes_attributes, &*self.written) {
            (false, _) => &[command::QUERY],
            // No attributes, one set.
            (true, []) => &[command::QUERY, 0, 1],
            (true, written) => written,
        }
    }
}

impl<'a> Query<'a> {
    /// Finds the text in a payload. `attributes`: whether query attributes are in use.
    pub fn read(payload: &'a [u8], attributes: bool) -> Result<Self, Malformed> {
        let mut reader = Reader::new(payload);
        reader.u8()?;
        let written = if attributes { write(&read(&mut reader)?) } else { Vec::new() };
        let text = reader.rest();
        Ok(Self { head: Head { len: payload.len() - text.len(), written }, text })
    }
}

struct Attribute<'a> {
    name: &'a [u8],
    value: Value<'a>,
}

enum Value<'a> {
    Null,
    Integer { bytes: [u8; 8], unsigned: bool },
    Float([u8; 4]),
    Double([u8; 8]),
    Text(&'a [u8]),
}

const LONGLONG: u8 = 0x08;
const FLOAT: u8 = 0x04;
const DOUBLE: u8 = 0x05;
const STRING: u8 = 0xfe;
const UNSIGNED: u8 = 0x80;

/// Count, sets, NULL bits, types with names, values.
fn read<'a>(reader: &mut Reader<'a>) -> Result<Vec<Attribute<'a>>, Malformed> {
    let count = usize::try_from(reader.lenenc()?).map_err(|_| Malformed("too many attributes"))?;
    if reader.lenenc()? != 1 {
        return Err(Malformed("more than one set of attributes"));
    }
    if count == 0 {
        return Ok(Vec::new());
    }
    let nulls = reader.bytes(count.div_ceil(8))?;
    if reader.u8()? != 1 {
        return Err(Malformed("attributes without types"));
    }
    // Each type takes three bytes at least, so the count is bounded by the packet.
    let mut types = Vec::with_capacity(count.min(reader.rest().len() / 3));
    for _ in 0..count {
        types.push((reader.array::<2>()?, reader.lenenc_bytes()?));
    }
    let is_null = |at: usize| nulls.get(at / 8).is_some_and(|bits| bits & (1 << (at % 8)) != 0);
    let mut attributes = Vec::with_capacity(types.len());
    for (at, ([kind, flags], name)) in types.into_iter().enumerate() {
        let value = if is_null(at) { Value::Null } else { read_value(reader, kind, flags)? };
        attributes.push(Attribute { name, value });
    }
    Ok(attributes)
}

/// One binary value. Types that clients do not send, and those that servers are not known to read in one way, are
/// malformed: dates among them, which connectors send as text.
fn read_value<'a>(reader: &mut Reader<'a>, kind: u8, flags: u8) -> Result<Value<'a>, Malformed> {
    let unsigned = match flags {
        0 => false,
        UNSIGNED => true,
        _ => return Err(Malformed("attribute of an unknown type")),
    };
    let integer = |signed: i64, without_sign: u64| Value::Integer {
        bytes: if unsigned { without_sign.to_le_bytes() } else { signed.to_le_bytes() },
        unsigned,
    };
    Ok(match kind {
        // TINY
        0x01 => {
            let byte = reader.u8()?;
            integer(byte.cast_signed().into(), byte.into())
        }
        // SHORT
        0x02 => {
            let number = reader.u16()?;
            integer(number.cast_signed().into(), number.into())
        }
        // LONG
        0x03 => {
            let number = reader.u32()?;
            integer(number.cast_signed().into(), number.into())
        }
        LONGLONG => Value::Integer { bytes: reader.array()?, unsigned },
        FLOAT => Value::Float(reader.array()?),
        DOUBLE => Value::Double(reader.array()?),
        // VARCHAR, NEWDECIMAL, the BLOBs, VAR_STRING, STRING
        0x0f | 0xf6 | 0xf9..=0xfe => Value::Text(reader.lenenc_bytes()?),
        _ => return Err(Malformed("attribute of an unknown type")),
    })
}

/// The head of a `COM_QUERY`, or nothing without attributes.
fn write(attributes: &[Attribute<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    if attributes.is_empty() {
        return out;
    }
    out.push(command::QUERY);
    out.put_lenenc(u64::try_from(attributes.len()).unwrap_or(u64::MAX));
    out.push(1);
    for eight in attributes.chunks(8) {
        let bit = |(at, attribute): (usize, &Attribute<'_>)| u8::from(matches!(attribute.value, Value::Null)) << at;
        out.push(eight.iter().enumerate().map(bit).sum());
    }
    out.push(1);
    for attribute in attributes {
        out.extend_from_slice(&match attribute.value {
            Value::Integer { unsigned, .. } => [LONGLONG, if unsigned { UNSIGNED } else { 0 }],
            Value::Float(_) => [FLOAT, 0],
            Value::Double(_) => [DOUBLE, 0],
            Value::Null | Value::Text(_) => [STRING, 0],
        });
        out.put_lenenc_bytes(attribute.name);
    }
    for attribute in attributes {
        match attribute.value {
            Value::Null => {}
            Value::Integer { bytes, .. } | Value::Double(bytes) => out.extend_from_slice(&bytes),
            Value::Float(bytes) => out.extend_from_slice(&bytes),
            Value::Text(text) => out.put_lenenc_bytes(text),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_behind_the_attributes() {
        let plain = Query::read(b"\x03select 1", false).unwrap();
        assert_eq!((plain.text, plain.head.len), (&b"select 1"[..], 1));
        assert_eq!(plain.head.bytes(false), b"\x03");
        assert_eq!(plain.head.bytes(true), b"\x03\0\x01");
        let none = Query::read(b"\x03\0\x01select 1", true).unwrap();
        assert_eq!((none.text, none.head.len), (&b"select 1"[..], 3));
        assert_eq!(none.head.bytes(false), b"\x03");
        let payload = b"\x03\x03\x01\x04\x01\xfe\0\x01a\x08\0\x01b\x06\0\x01c\x02xy\x01\0\0\0\0\0\0\0select 1";
        let query = Query::read(payload, true).unwrap();
        assert_eq!(query.text, b"select 1");
        assert_eq!(query.head.len + query.text.len(), payload.len());
        // The NULL has a type that all servers know.
        let again = b"\x03\x03\x01\x04\x01\xfe\0\x01a\x08\0\x01b\xfe\0\x01c\x02xy\x01\0\0\0\0\0\0\0";
        assert_eq!(query.head.bytes(true), again);
        assert!(Query::read(b"\x03\xfe\xff\xff\xff\xff\xff\xff\xff\x7f\x01", true).is_err());
        assert!(Query::read(b"\x03\x01\x02", true).is_err());
    }

    #[test]
    fn numbers_keep_their_values() {
        let written = |value: &[u8], kind: u8, flags: u8| {
            let payload = [b"\x03\x01\x01\0\x01", &[kind, flags][..], b"\x01n", value, b"select 1"].concat();
            let query = Query::read(&payload, true).ok()?;
            assert_eq!(query.text, b"select 1");
            query.head.bytes(true).strip_prefix(b"\x03\x01\x01\0\x01").map(<[u8]>::to_vec)
        };
        assert_eq!(written(b"\xff", 1, 0).unwrap(), b"\x08\0\x01n\xff\xff\xff\xff\xff\xff\xff\xff");
        assert_eq!(written(b"\xff", 1, 0x80).unwrap(), b"\x08\x80\x01n\xff\0\0\0\0\0\0\0");
        assert_eq!(written(b"\x02\x01", 2, 0).unwrap(), b"\x08\0\x01n\x02\x01\0\0\0\0\0\0");
        assert_eq!(written(b"\x04\0\0\x80", 3, 0).unwrap(), b"\x08\0\x01n\x04\0\0\x80\xff\xff\xff\xff");
        assert_eq!(written(b"\x02ab", 0x0f, 0).unwrap(), b"\xfe\0\x01n\x02ab");
        for (kind, flags) in [(8, 1), (8, 0x7f), (3, 2), (6, 0), (9, 0), (0x0d, 0), (0xf4, 0), (7, 0), (0xff, 0)] {
            assert_eq!(written(b"\0\0\0\0\0\0\0\0", kind, flags), None, "{kind} {flags}");
        }
    }
}
