//! `COM_CHANGE_USER`: another login on the same connection.
//!
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_change_user.html>

use super::login::{Attributes, read_attributes};
use super::{Capabilities, Malformed, Reader};

/// Who wants to go on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChangeUser<'a> {
    /// The user.
    pub user: &'a [u8],
    /// The database asked for; empty without one.
    pub database: &'a [u8],
    /// Collation of the connection from here on.
    pub collation: Option<u16>,
    /// The authentication plugin.
    pub plugin: &'a [u8],
    /// Names and values that the client says about itself.
    pub attributes: Attributes<'a>,
}

impl<'a> ChangeUser<'a> {
    /// Reads what follows the command byte.
    pub fn read(payload: &'a [u8], capabilities: Capabilities) -> Result<Self, Malformed> {
        let mut reader = Reader::new(payload);
        let mut change = Self { user: reader.nul_bytes()?, ..Self::default() };
        if capabilities.has(Capabilities::SECURE_CONNECTION) {
            let len = reader.u8()?;
            reader.bytes(usize::from(len))?;
        } else {
            reader.nul_bytes()?;
        }
        change.database = reader.nul_or_rest();
        if reader.is_empty() {
            return Ok(change);
        }
        change.collation = Some(reader.u16()?);
        if capabilities.has(Capabilities::PLUGIN_AUTH) {
            change.plugin = reader.nul_or_rest();
        }
        if capabilities.has(Capabilities::CONNECT_ATTRS) && !reader.is_empty() {
            change.attributes = read_attributes(reader.lenenc_bytes()?)?;
        }
        Ok(change)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_forms_are_read() {
        let change = ChangeUser::read(b"jun\0\x03abcshop\0\x2d\0native\0", Capabilities::SPOKEN).unwrap();
        assert_eq!((change.user, change.database, change.plugin), (&b"jun"[..], &b"shop"[..], &b"native"[..]));
        assert_eq!(change.collation, Some(45));
        assert_eq!(ChangeUser::read(b"jun\0\0", Capabilities::SPOKEN).unwrap().database, b"");
        assert!(ChangeUser::read(b"jun\0\x09abc", Capabilities::SPOKEN).is_err());
    }
}
