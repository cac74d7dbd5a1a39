//! The five bytes before every message after startup: type and length.

use super::WireError;

/// Bytes of a header.
pub const HEADER: usize = 5;

/// The largest message that the protocol can carry is 2 GiB less one; servers stop at 1 GiB.
const MAX_LENGTH: u32 = 0x7fff_ffff;

/// A message's type and size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The type: a letter.
    pub tag: u8,
    /// Bytes after the header.
    pub body: usize,
}

impl Header {
    /// Reads the header at the front of some bytes; nothing while there are fewer than five.
    pub fn read(bytes: &[u8]) -> Result<Option<Self>, WireError> {
        let Some(&[tag, a, b, c, d]) = bytes.first_chunk::<HEADER>() else { return Ok(None) };
        let length = u32::from_be_bytes([a, b, c, d]);
        if !(4..=MAX_LENGTH).contains(&length) {
            return Err(WireError::Length);
        }
        let body = usize::try_from(length - 4).map_err(|_| WireError::Length)?;
        Ok(Some(Self { tag, body }))
    }

    /// Bytes of the whole message.
    pub fn total(self) -> usize {
        HEADER + self.body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_needs_five_bytes() {
        assert_eq!(Header::read(b"Q\0\0\0"), Ok(None));
        assert_eq!(Header::read(b"Q\0\0\0\x04"), Ok(Some(Header { tag: b'Q', body: 0 })));
        assert_eq!(Header::read(b"D\x40\0\0\x04"), Ok(Some(Header { tag: b'D', body: 1 << 30 })));
    }

    #[test]
    fn lengths_that_cannot_be_are_errors() {
        for length in [0_u32, 3, 0x8000_0000, u32::MAX] {
            let mut bytes = vec![b'Q'];
            bytes.extend(length.to_be_bytes());
            assert_eq!(Header::read(&bytes), Err(WireError::Length));
        }
    }
}
