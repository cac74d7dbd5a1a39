//! Messages that clients send: reading those of ours, writing those for servers.

use super::{Fields, MessageWriter, WireError};

/// Bind (manual, "Bind"): parameters for a prepared statement.
pub const BIND: u8 = b'B';
/// Close of a statement or portal.
pub const CLOSE: u8 = b'C';
/// Describe of a statement or portal.
pub const DESCRIBE: u8 = b'D';
/// Execute of a portal.
pub const EXECUTE: u8 = b'E';
/// Function call by number.
pub const FUNCTION_CALL: u8 = b'F';
/// Flush: send what is ready.
pub const FLUSH: u8 = b'H';
/// Parse of a statement text.
pub const PARSE: u8 = b'P';
/// Simple query.
pub const QUERY: u8 = b'Q';
/// Sync: the end of a batch.
pub const SYNC: u8 = b'S';
/// Goodbye.
pub const TERMINATE: u8 = b'X';
/// Data of COPY.
pub const COPY_DATA: u8 = b'd';
/// End of COPY.
pub const COPY_DONE: u8 = b'c';
/// COPY given up.
pub const COPY_FAIL: u8 = b'f';
/// Password, SASL and GSS answers.
pub const PASSWORD: u8 = b'p';

/// What Describe and Close speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A prepared statement.
    Statement,
    /// A portal.
    Portal,
}

impl Target {
    fn letter(self) -> u8 {
        match self {
            Self::Statement => b'S',
            Self::Portal => b'P',
        }
    }
}

/// Parse: a text under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parse<'a> {
    /// Name; empty is the unnamed statement.
    pub name: &'a [u8],
    /// Text.
    pub text: &'a [u8],
    /// Count and numbers of parameter types, as they came.
    pub types: &'a [u8],
}

impl<'a> Parse<'a> {
    /// Reads a body.
    pub fn read(body: &'a [u8]) -> Result<Self, WireError> {
        let mut fields = Fields::new(body);
        let name = fields.string()?;
        let text = fields.string()?;
        let types = fields.rest();
        let count = usize::from(fields.u16()?);
        fields.bytes(count * 4)?;
        fields.end()?;
        Ok(Self { name, text, types })
    }

    /// Writes the message.
    pub fn write(&self, out: &mut Vec<u8>) {
        MessageWriter::new(out, PARSE).string(self.name).string(self.text).bytes(self.types).finish();
    }
}

/// Reads the text of a Query.
pub fn read_query(body: &[u8]) -> Result<&[u8], WireError> {
    let mut fields = Fields::new(body);
    let text = fields.string()?;
    fields.end()?;
    Ok(text)
}

/// Reads portal and statement from the front of a Bind; nothing while the names are incomplete.
pub fn read_bind_names(front: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut fields = Fields::new(front);
    let portal = fields.string().ok()?;
    let statement = fields.string().ok()?;
    Some((portal, statement))
}

/// Reads Describe or Close.
pub fn read_target(body: &[u8]) -> Result<(Target, &[u8]), WireError> {
    let mut fields = Fields::new(body);
    let target = match fields.byte()? {
        b'S' => Target::Statement,
        b'P' => Target::Portal,
        _ => return Err(WireError::Trailing),
    };
    let name = fields.string()?;
    fields.end()?;
    Ok((target, name))
}

/// Reads Execute: portal and greatest number of rows, 0 for all.
pub fn read_execute(body: &[u8]) -> Result<(&[u8], i32), WireError> {
    let mut fields = Fields::new(body);
    let portal = fields.string()?;
    let rows = fields.i32()?;
    fields.end()?;
    Ok((portal, rows))
}

/// Writes a Query.
pub fn write_query(out: &mut Vec<u8>, text: &[u8]) {
    MessageWriter::new(out, QUERY).string(text).finish();
}

/// Writes a Bind of a portal and a statement that both have this name, with the parameters of another Bind and all results
/// as text. Nothing where that one is malformed.
pub fn write_bind_again(out: &mut Vec<u8>, name: &[u8], body: &[u8]) -> Option<()> {
    let mut fields = Fields::new(body);
    fields.string().ok()?;
    fields.string().ok()?;
    let parameters = fields.rest();
    let formats = usize::from(fields.u16().ok()?);
    fields.bytes(formats * 2).ok()?;
    for _ in 0..fields.u16().ok()? {
        if let Ok(length) = usize::try_from(fields.i32().ok()?) {
            fields.bytes(length).ok()?;
        }
    }
    let parameters = parameters.get(..parameters.len() - fields.rest().len())?;
    MessageWriter::new(out, BIND).string(name).string(name).bytes(parameters).bytes(&[0, 0]).finish();
    Some(())
}

/// Writes an Execute for all rows.
pub fn write_execute(out: &mut Vec<u8>, portal: &[u8]) {
    MessageWriter::new(out, EXECUTE).string(portal).i32(0).finish();
}

/// Writes a Describe.
pub fn write_describe(out: &mut Vec<u8>, target: Target, name: &[u8]) {
    MessageWriter::new(out, DESCRIBE).byte(target.letter()).string(name).finish();
}

/// Writes a Close.
pub fn write_close(out: &mut Vec<u8>, target: Target, name: &[u8]) {
    MessageWriter::new(out, CLOSE).byte(target.letter()).string(name).finish();
}

/// Writes a message without fields: Flush, Sync, Terminate, CopyDone.
pub fn write_empty(out: &mut Vec<u8>, tag: u8) {
    MessageWriter::new(out, tag).finish();
}

/// Writes a password in clear or as an MD5 hash.
pub fn write_password(out: &mut Vec<u8>, password: &[u8]) {
    MessageWriter::new(out, PASSWORD).string(password).finish();
}

/// Writes the first message of a SASL exchange.
pub fn write_sasl_initial(out: &mut Vec<u8>, mechanism: &str, data: &[u8]) {
    let length = i32::try_from(data.len()).unwrap_or(i32::MAX);
    MessageWriter::new(out, PASSWORD).string(mechanism.as_bytes()).i32(length).bytes(data).finish();
}

/// Writes a later message of a SASL exchange.
pub fn write_sasl_response(out: &mut Vec<u8>, data: &[u8]) {
    MessageWriter::new(out, PASSWORD).bytes(data).finish();
}

/// Reads the first message of a SASL exchange: mechanism and data.
pub fn read_sasl_initial(body: &[u8]) -> Result<(&[u8], &[u8]), WireError> {
    let mut fields = Fields::new(body);
    let mechanism = fields.string()?;
    let length = fields.i32()?;
    let data = if length < 0 { &[][..] } else { fields.bytes(usize::try_from(length).unwrap_or(usize::MAX))? };
    fields.end()?;
    Ok((mechanism, data))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_is_read_and_written_as_it_came() {
        let body = b"s1\0select $1\0\0\x01\0\0\0\x17";
        let parse = Parse::read(body).unwrap();
        assert_eq!((parse.name, parse.text), (&b"s1"[..], &b"select $1"[..]));
        let mut out = Vec::new();
        parse.write(&mut out);
        assert_eq!(&out[5..], body);
        for cut in 0..body.len() {
            assert!(Parse::read(&body[..cut]).is_err());
        }
        assert!(Parse::read(b"s1\0select\0\xff\xff").is_err());
    }

    #[test]
    fn names_of_a_bind_come_from_its_front() {
        assert_eq!(read_bind_names(b"p\0s"), None);
        assert_eq!(read_bind_names(b"p\0s\0\0\0"), Some((&b"p"[..], &b"s"[..])));
        let mut out = Vec::new();
        let body = b"p\0s\0\0\x01\0\0\0\x02\0\0\0\x01x\xff\xff\xff\xff\0\x01\0\x01";
        assert_eq!(write_bind_again(&mut out, b"q", body), Some(()));
        assert_eq!(&out[5..], b"q\0q\0\0\x01\0\0\0\x02\0\0\0\x01x\xff\xff\xff\xff\0\0");
        assert_eq!(write_bind_again(&mut out, b"q", &body[..15]), None);
    }

    #[test]
    fn short_messages_are_read_whole() {
        assert_eq!(read_target(b"Ss1\0"), Ok((Target::Statement, &b"s1"[..])));
        assert!(read_target(b"Xs1\0").is_err());
        assert_eq!(read_execute(b"\0\0\0\0\x05"), Ok((&b""[..], 5)));
        assert_eq!(read_query(b"select 1\0"), Ok(&b"select 1"[..]));
        assert_eq!(read_query(b"select 1\0x"), Err(WireError::Trailing));
        assert_eq!(read_query(b"select 1"), Err(WireError::Unterminated));
    }
}
