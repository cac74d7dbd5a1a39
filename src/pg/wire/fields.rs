//! Reading and writing the fields inside a message.

use memchr::memchr;

use super::WireError;

/// Takes fields from the front of a message's body.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// The fields of a body.
    pub fn new(body: &'a [u8]) -> Self {
        Self { rest: body }
    }

    /// What has not been taken.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// A string ended by a zero byte, without it.
    pub fn string(&mut self) -> Result<&'a [u8], WireError> {
        let end = memchr(0, self.rest).ok_or(WireError::Unterminated)?;
        let (string, rest) = self.rest.split_at_checked(end).ok_or(WireError::Unterminated)?;
        self.rest = rest.get(1..).unwrap_or_default();
        Ok(string)
    }

    /// Some bytes.
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8], WireError> {
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or(WireError::Truncated)?;
        self.rest = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(WireError::Truncated)?;
        self.rest = rest;
        Ok(*array)
    }

    /// Int8.
    pub fn byte(&mut self) -> Result<u8, WireError> {
        self.array::<1>().map(|[b]| b)
    }

    /// Int16.
    pub fn i16(&mut self) -> Result<i16, WireError> {
        self.array().map(i16::from_be_bytes)
    }

    /// Int16 that counts something: never negative.
    pub fn u16(&mut self) -> Result<u16, WireError> {
        self.array().map(u16::from_be_bytes)
    }

    /// Int32.
    pub fn i32(&mut self) -> Result<i32, WireError> {
        self.array().map(i32::from_be_bytes)
    }

    /// Int32 where the number is an object identifier or a length that cannot be negative.
    pub fn u32(&mut self) -> Result<u32, WireError> {
        self.array().map(u32::from_be_bytes)
    }

    /// Nothing may be left.
    pub fn end(self) -> Result<(), WireError> {
        if self.rest.is_empty() { Ok(()) } else { Err(WireError::Trailing) }
    }
}

/// Writes one message at the end of a buffer; the length is set when it is finished.
#[derive(Debug)]
pub struct MessageWriter<'a> {
    out: &'a mut Vec<u8>,
    length_at: usize,
}

impl<'a> MessageWriter<'a> {
    /// Begins a message of a type.
    pub fn new(out: &'a mut Vec<u8>, tag: u8) -> Self {
        out.push(tag);
        Self::untyped(out)
    }

    /// Begins one of the messages that have no type: those before and of startup.
    pub fn untyped(out: &'a mut Vec<u8>) -> Self {
        let length_at = out.len();
        out.extend_from_slice(&[0; 4]);
        Self { out, length_at }
    }

    /// A string and its zero byte. A zero byte inside would end it early, so the string is cut there.
    #[must_use]
    pub fn string(self, value: &[u8]) -> Self {
        self.out.extend_from_slice(memchr(0, value).and_then(|end| value.get(..end)).unwrap_or(value));
        self.out.push(0);
        self
    }

    /// Bytes as they are.
    #[must_use]
    pub fn bytes(self, value: &[u8]) -> Self {
        self.out.extend_from_slice(value);
        self
    }

    /// Int8.
    #[must_use]
    pub fn byte(self, value: u8) -> Self {
        self.out.push(value);
        self
    }

    /// Int16.
    #[must_use]
    pub fn i16(self, value: i16) -> Self {
        self.bytes(&value.to_be_bytes())
    }

    /// Int32.
    #[must_use]
    pub fn i32(self, value: i32) -> Self {
        self.bytes(&value.to_be_bytes())
    }

    /// Int32, not negative.
    #[must_use]
    pub fn u32(self, value: u32) -> Self {
        self.bytes(&value.to_be_bytes())
    }

    /// Sets the length.
    pub fn finish(self) {
        let length = u32::try_from(self.out.len() - self.length_at).unwrap_or(u32::MAX);
        if let Some(place) = self.out.get_mut(self.length_at..self.length_at + 4) {
            place.copy_from_slice(&length.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut out = Vec::new();
        MessageWriter::new(&mut out, b'x').string(b"name").i16(-2).i32(7).byte(1).bytes(b"ab").finish();
        assert_eq!(out, b"x\0\0\0\x12name\0\xff\xfe\0\0\0\x07\x01ab");
        let mut fields = Fields::new(&out[5..]);
        assert_eq!(fields.string(), Ok(&b"name"[..]));
        assert_eq!(fields.i16(), Ok(-2));
        assert_eq!(fields.i32(), Ok(7));
        assert_eq!(fields.byte(), Ok(1));
        assert_eq!(fields.bytes(3), Err(WireError::Truncated));
        assert_eq!(fields.bytes(2), Ok(&b"ab"[..]));
        assert_eq!(fields.end(), Ok(()));
    }

    #[test]
    fn a_zero_byte_cannot_split_a_string() {
        let mut out = Vec::new();
        MessageWriter::new(&mut out, b'x').string(b"a\0b").finish();
        assert_eq!(out, b"x\0\0\0\x06a\0");
    }
}
