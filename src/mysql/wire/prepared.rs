//! The first packet of the answer to `COM_STMT_PREPARE`.
//!
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_prepare.html>

use super::{Malformed, Reader};

/// Where the statement's number stands in the payload.
pub const ID_AT: usize = 1;

/// What the server made of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prepared {
    /// The server's number of the statement.
    pub id: u32,
    /// Columns of its result.
    pub columns: u16,
    /// Its parameters.
    pub parameters: u16,
    /// Whether column definitions follow; always without optional metadata.
    pub described: bool,
}

impl Prepared {
    /// Reads the payload of the packet.
    pub fn read(payload: &[u8], optional_metadata: bool) -> Result<Self, Malformed> {
        let mut reader = Reader::new(payload);
        if reader.u8()? != 0 {
            return Err(Malformed("not the answer to a statement prepared"));
        }
        let (id, columns, parameters) = (reader.u32()?, reader.u16()?, reader.u16()?);
        reader.u8()?;
        let described = !optional_metadata || {
            reader.u16()?;
            reader.u8()? != 0
        };
        Ok(Self { id, columns, parameters, described })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_follow_unless_left_out() {
        let payload = b"\0\x05\0\0\0\x02\0\x01\0\0\0\0\0";
        let all = Prepared { id: 5, columns: 2, parameters: 1, described: true };
        assert_eq!(Prepared::read(payload, false), Ok(all));
        assert_eq!(Prepared::read(payload, true), Ok(Prepared { described: false, ..all }));
        assert!(Prepared::read(&payload[..8], false).is_err());
    }
}
