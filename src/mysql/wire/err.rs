//! The packet that says what went wrong.
//!
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_err_packet.html>

use super::reader::Put;
use super::{Malformed, Reader};

/// First byte of the packet.
pub const MARK: u8 = 0xff;

/// The longest message that is sent, in bytes.
const MAX_MESSAGE: usize = 2048;

/// An error of the server or of the proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Err {
    /// The error's number.
    pub code: u16,
    /// SQLSTATE, five characters.
    pub sqlstate: [u8; 5],
    /// For the reader.
    pub message: String,
}

impl Err {
    /// An error with its number, SQLSTATE and words.
    pub fn new(code: u16, sqlstate: &str, message: impl Into<String>) -> Self {
        let state = sqlstate.as_bytes().first_chunk().copied().unwrap_or(*b"HY000");
        Self { code, sqlstate: state, message: message.into() }
    }

    /// Reads the payload of the packet. Before login has ended, servers leave SQLSTATE out.
    pub fn read(payload: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(payload);
        if reader.u8()? != MARK {
            return Err(Malformed("not an error packet"));
        }
        let code = reader.u16()?;
        let mut sqlstate = *b"HY000";
        if reader.rest().first() == Some(&b'#') {
            reader.u8()?;
            sqlstate = reader.array()?;
        }
        Ok(Self { code, sqlstate, message: String::from_utf8_lossy(reader.rest()).into_owned() })
    }

    /// Writes the payload of the packet.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.push(MARK);
        out.put_le16(self.code);
        out.push(b'#');
        out.extend_from_slice(&self.sqlstate);
        // Clients keep 512 bytes of it; no server sends much more.
        let end = self.message.floor_char_boundary(MAX_MESSAGE);
        out.extend_from_slice(self.message.get(..end).unwrap_or_default().as_bytes());
    }

    /// Writes the payload for a client that was not greeted yet, which expects no SQLSTATE.
    pub fn write_early(&self, out: &mut Vec<u8>) {
        out.push(MARK);
        out.put_le16(self.code);
        out.extend_from_slice(self.message.as_bytes());
    }

    /// SQLSTATE as text.
    pub fn sqlstate(&self) -> &str {
        std::str::from_utf8(&self.sqlstate).unwrap_or("HY000")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_comes_back_and_early_ones_have_no_state() {
        let error = Err::new(1045, "28000", "access denied");
        let mut bytes = Vec::new();
        error.write(&mut bytes);
        assert_eq!(bytes, b"\xff\x15\x04#28000access denied");
        assert_eq!(Err::read(&bytes), Ok(error));
        assert_eq!(Err::read(b"\xff\x10\x04too many").unwrap().message, "too many");
        assert!(Err::read(b"\0").is_err());
    }
}
