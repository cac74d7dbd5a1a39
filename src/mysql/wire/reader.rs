//! Integers and strings of the protocol, read without trust in any length.
//!
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_data_types.html>

/// A packet that does not have the form its place calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed packet: {0}")]
pub struct Malformed(pub &'static str);

/// Reads the fields of one payload in order.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads a payload from its first byte.
    pub fn new(payload: &'a [u8]) -> Self {
        Self { rest: payload }
    }

    /// What was not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether everything was read.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// A number of bytes.
    pub fn bytes(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(Malformed("shorter than its fields"))?;
        self.rest = rest;
        Ok(taken)
    }

    /// A fixed number of bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or(Malformed("shorter than its fields"))?;
        self.rest = rest;
        Ok(*taken)
    }

    /// `int<1>`.
    pub fn u8(&mut self) -> Result<u8, Malformed> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// `int<2>`.
    pub fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_le_bytes)
    }

    /// `int<4>`.
    pub fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_le_bytes)
    }

    /// `int<lenenc>`.
    pub fn lenenc(&mut self) -> Result<u64, Malformed> {
        match self.u8()? {
            byte @ ..=0xfa => Ok(u64::from(byte)),
            0xfc => self.u16().map(u64::from),
            0xfd => self.array::<3>().map(|[a, b, c]| u64::from(u32::from_le_bytes([a, b, c, 0]))),
            0xfe => self.array().map(u64::from_le_bytes),
            0xfb | 0xff => Err(Malformed("not a length")),
        }
    }

    /// `string<lenenc>`.
    pub fn lenenc_bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let len = self.lenenc()?;
        self.bytes(usize::try_from(len).map_err(|_| Malformed("length beyond memory"))?)
    }

    /// `string<lenenc>` or NULL, as in rows of the text protocol.
    pub fn nullable_bytes(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        if self.rest.first() == Some(&0xfb) {
            self.bytes(1)?;
            return Ok(None);
        }
        self.lenenc_bytes().map(Some)
    }

    /// `string<NUL>`.
    pub fn nul_bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let end = memchr::memchr(0, self.rest).ok_or(Malformed("string without its end"))?;
        let text = self.bytes(end)?;
        self.bytes(1)?;
        Ok(text)
    }

    /// `string<NUL>` whose NUL may be missing at the end of the packet, as some drivers write it.
    pub fn nul_or_rest(&mut self) -> &'a [u8] {
        self.nul_bytes().unwrap_or_else(|_| std::mem::take(&mut self.rest))
    }
}

/// Writes the integers and strings of the protocol.
pub trait Put {
    /// `int<lenenc>`.
    fn put_lenenc(&mut self, value: u64);
    /// `string<lenenc>`.
    fn put_lenenc_bytes(&mut self, bytes: &[u8]);
    /// `string<NUL>`.
    fn put_nul_bytes(&mut self, bytes: &[u8]);
    /// `int<2>`.
    fn put_le16(&mut self, value: u16);
    /// `int<4>`.
    fn put_le32(&mut self, value: u32);
}

impl Put for Vec<u8> {
    fn put_lenenc(&mut self, value: u64) {
        let bytes = value.to_le_bytes();
        let (mark, len) = match value {
            ..=0xfa => (None, 1),
            0xfb..=0xffff => (Some(0xfc), 2),
            0x1_0000..=0xff_ffff => (Some(0xfd), 3),
            _ => (Some(0xfe), 8),
        };
        self.extend(mark);
        self.extend_from_slice(bytes.get(..len).unwrap_or_default());
    }

    fn put_lenenc_bytes(&mut self, bytes: &[u8]) {
        self.put_lenenc(bytes.len() as u64);
        self.extend_from_slice(bytes);
    }

    fn put_nul_bytes(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
        self.push(0);
    }

    fn put_le16(&mut self, value: u16) {
        self.extend_from_slice(&value.to_le_bytes());
    }

    fn put_le32(&mut self, value: u32) {
        self.extend_from_slice(&value.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_come_back_and_are_not_believed() {
        for value in [0, 250, 251, 0xffff, 0x1_0000, 0xff_ffff, 0x100_0000, u64::MAX] {
            let mut bytes = Vec::new();
            bytes.put_lenenc(value);
            assert_eq!(Reader::new(&bytes).lenenc(), Ok(value));
            assert!(bytes.len() == 1 || Reader::new(&bytes[..bytes.len() - 1]).lenenc().is_err());
        }
        assert!(Reader::new(&[0xfe, 255, 255, 255, 255, 255, 255, 255, 255, 1]).lenenc_bytes().is_err());
        assert!(Reader::new(&[0xfb]).lenenc().is_err());
        assert_eq!(Reader::new(&[0xfb]).nullable_bytes(), Ok(None));
    }

    #[test]
    fn strings_end_at_nul() {
        let mut reader = Reader::new(b"ab\0cd");
        assert_eq!(reader.nul_bytes(), Ok(&b"ab"[..]));
        assert!(reader.nul_bytes().is_err());
        assert_eq!(reader.nul_or_rest(), b"cd");
        assert!(reader.is_empty());
    }
}
