//! Messages that servers send: reading those of the server, writing our own for clients.

use super::{Fields, MessageWriter, WireError};

/// Authentication requests of every kind.
pub const AUTHENTICATION: u8 = b'R';
/// Number and secret for cancelling.
pub const BACKEND_KEY_DATA: u8 = b'K';
/// A Bind was done.
pub const BIND_COMPLETE: u8 = b'2';
/// A Close was done.
pub const CLOSE_COMPLETE: u8 = b'3';
/// A statement was done.
pub const COMMAND_COMPLETE: u8 = b'C';
/// Data of COPY.
pub const COPY_DATA: u8 = b'd';
/// End of COPY.
pub const COPY_DONE: u8 = b'c';
/// The server waits for data of COPY.
pub const COPY_IN_RESPONSE: u8 = b'G';
/// Data of COPY follow.
pub const COPY_OUT_RESPONSE: u8 = b'H';
/// Data of COPY go both ways (replication).
pub const COPY_BOTH_RESPONSE: u8 = b'W';
/// A row.
pub const DATA_ROW: u8 = b'D';
/// A text without a statement was done.
pub const EMPTY_QUERY_RESPONSE: u8 = b'I';
/// An error.
pub const ERROR_RESPONSE: u8 = b'E';
/// The result of a function call.
pub const FUNCTION_CALL_RESPONSE: u8 = b'V';
/// Which version and options are spoken.
pub const NEGOTIATE_PROTOCOL_VERSION: u8 = b'v';
/// Describe: no rows come of it.
pub const NO_DATA: u8 = b'n';
/// A notice.
pub const NOTICE_RESPONSE: u8 = b'N';
/// A notification of LISTEN.
pub const NOTIFICATION_RESPONSE: u8 = b'A';
/// Describe: the parameters' types.
pub const PARAMETER_DESCRIPTION: u8 = b't';
/// A setting that clients must know.
pub const PARAMETER_STATUS: u8 = b'S';
/// A Parse was done.
pub const PARSE_COMPLETE: u8 = b'1';
/// Execute reached its number of rows.
pub const PORTAL_SUSPENDED: u8 = b's';
/// The server waits for the next batch.
pub const READY_FOR_QUERY: u8 = b'Z';
/// The columns of the rows that follow.
pub const ROW_DESCRIPTION: u8 = b'T';

/// What the server asks for before it lets a session in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authentication<'a> {
    /// Nothing more.
    Ok,
    /// The password in clear.
    Cleartext,
    /// The password hashed with this salt.
    Md5([u8; 4]),
    /// An exchange by one of these mechanisms, each ended by a zero byte.
    Sasl(&'a [u8]),
    /// The exchange goes on.
    SaslContinue(&'a [u8]),
    /// The exchange's last word.
    SaslFinal(&'a [u8]),
    /// Something else, by its number.
    Other(u32),
}

impl<'a> Authentication<'a> {
    /// Reads a body.
    pub fn read(body: &'a [u8]) -> Result<Self, WireError> {
        let mut fields = Fields::new(body);
        Ok(match fields.u32()? {
            0 => Self::Ok,
            3 => Self::Cleartext,
            5 => Self::Md5(fields.u32()?.to_be_bytes()),
            10 => Self::Sasl(fields.rest()),
            11 => Self::SaslContinue(fields.rest()),
            12 => Self::SaslFinal(fields.rest()),
            other => Self::Other(other),
        })
    }

    /// Writes the message.
    pub fn write(&self, out: &mut Vec<u8>) {
        let message = MessageWriter::new(out, AUTHENTICATION);
        match *self {
            Self::Ok => message.u32(0),
            Self::Cleartext => message.u32(3),
            Self::Md5(salt) => message.u32(5).bytes(&salt),
            Self::Sasl(mechanisms) => message.u32(10).bytes(mechanisms),
            Self::SaslContinue(data) => message.u32(11).bytes(data),
            Self::SaslFinal(data) => message.u32(12).bytes(data),
            Self::Other(code) => message.u32(code),
        }
        .finish();
    }
}

/// Where a result column comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnOrigin<'a> {
    /// Name of the result column.
    pub name: &'a [u8],
    /// `pg_class.oid`; 0 where it is no plain column.
    pub table: u32,
    /// `pg_attribute.attnum`.
    pub attribute: i16,
}

/// Walks over the columns of a RowDescription.
pub fn columns(body: &[u8]) -> impl Iterator<Item = Result<ColumnOrigin<'_>, WireError>> {
    let mut fields = Fields::new(body);
    let mut left = fields.i16().unwrap_or(-1);
    std::iter::from_fn(move || {
        if left == 0 {
            return None;
        }
        // A negative count is a broken message: one error, then the end.
        let column = if left < 0 { Err(WireError::Truncated) } else { column(&mut fields) };
        left = if column.is_ok() { left - 1 } else { 0 };
        Some(column)
    })
}

fn column<'a>(fields: &mut Fields<'a>) -> Result<ColumnOrigin<'a>, WireError> {
    let name = fields.string()?;
    let table = fields.u32()?;
    let attribute = fields.i16()?;
    // Type, its length and modifier, format.
    fields.bytes(12)?;
    Ok(ColumnOrigin { name, table, attribute })
}

/// Walks over the fields of ErrorResponse or NoticeResponse: a letter and a text each (manual, "Error and Notice
/// Message Fields"). Stops at the end or where the message is broken or was cut.
pub fn error_fields(body: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut fields = Fields::new(body);
    std::iter::from_fn(move || match fields.byte() {
        Ok(0) | Err(_) => None,
        Ok(letter) => fields.string().ok().map(|text| (letter, text)),
    })
}

/// One field of an error by its letter.
pub fn error_field(body: &[u8], letter: u8) -> Option<&[u8]> {
    error_fields(body).find(|(l, _)| *l == letter).map(|(_, text)| text)
}

/// Reads a ParameterStatus: name and value.
pub fn read_parameter(body: &[u8]) -> Result<(&[u8], &[u8]), WireError> {
    let mut fields = Fields::new(body);
    Ok((fields.string()?, fields.string()?))
}

/// Reads a CommandComplete's tag.
pub fn read_command_tag(body: &[u8]) -> Result<&[u8], WireError> {
    Fields::new(body).string()
}

/// The rows that a command's tag speaks of: `SELECT 5`, `INSERT 0 5`.
pub fn rows_of_tag(tag: &[u8]) -> u64 {
    let digits = tag.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    if digits == 0 || digits > 19 {
        return 0;
    }
    tag.iter().rev().take(digits).rev().fold(0, |n, b| n * 10 + u64::from(b - b'0'))
}

/// Reads BackendKeyData: number and secret.
pub fn read_key(body: &[u8]) -> Result<(u32, &[u8]), WireError> {
    let mut fields = Fields::new(body);
    Ok((fields.u32()?, fields.rest()))
}

/// Writes a ParameterStatus.
pub fn write_parameter(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    MessageWriter::new(out, PARAMETER_STATUS).string(name).string(value).finish();
}

/// Writes BackendKeyData.
pub fn write_key(out: &mut Vec<u8>, process: u32, secret: &[u8]) {
    MessageWriter::new(out, BACKEND_KEY_DATA).u32(process).bytes(secret).finish();
}

/// Writes a ReadyForQuery with a transaction status: `I`, `T` or `E`.
pub fn write_ready(out: &mut Vec<u8>, status: u8) {
    MessageWriter::new(out, READY_FOR_QUERY).byte(status).finish();
}

/// Writes a NegotiateProtocolVersion.
pub fn write_negotiation<'a>(out: &mut Vec<u8>, version: u32, unknown: impl ExactSizeIterator<Item = &'a [u8]>) {
    let mut message = MessageWriter::new(out, NEGOTIATE_PROTOCOL_VERSION).u32(version);
    message = message.u32(u32::try_from(unknown.len()).unwrap_or(0));
    for option in unknown {
        message = message.string(option);
    }
    message.finish();
}

/// An error or notice of our own.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// `ERROR`, `FATAL`, `WARNING` …
    pub severity: &'a str,
    /// SQLSTATE.
    pub sqlstate: &'a str,
    /// One sentence.
    pub message: &'a str,
    /// More about it.
    pub detail: Option<&'a str>,
    /// What to do.
    pub hint: Option<&'a str>,
    /// Where in the client's text, in characters from 1.
    pub position: Option<u32>,
}

impl<'a> Report<'a> {
    /// The end of a session.
    pub fn fatal(sqlstate: &'a str, message: &'a str) -> Self {
        Self { severity: "FATAL", sqlstate, message, detail: None, hint: None, position: None }
    }

    /// Writes an ErrorResponse.
    pub fn write(&self, out: &mut Vec<u8>) {
        self.write_as(out, ERROR_RESPONSE);
    }

    /// Writes it as the message of a type: ErrorResponse or NoticeResponse.
    pub fn write_as(&self, out: &mut Vec<u8>, tag: u8) {
        let severity = self.severity.as_bytes();
        let mut message = MessageWriter::new(out, tag).byte(b'S').string(severity).byte(b'V').string(severity);
        message = message.byte(b'C').string(self.sqlstate.as_bytes()).byte(b'M').string(self.message.as_bytes());
        if let Some(detail) = self.detail {
            message = message.byte(b'D').string(detail.as_bytes());
        }
        if let Some(hint) = self.hint {
            message = message.byte(b'H').string(hint.as_bytes());
        }
        if let Some(position) = self.position {
            message = message.byte(b'P').string(position.to_string().as_bytes());
        }
        message.byte(0).finish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_from_tags() {
        for (tag, rows) in [(&b"SELECT 5"[..], 5), (b"INSERT 0 12", 12), (b"SET", 0), (b"COPY 1000000", 1_000_000)] {
            assert_eq!(rows_of_tag(tag), rows);
        }
        assert_eq!(rows_of_tag(b"99999999999999999999"), 0);
    }

    #[test]
    fn columns_end_at_the_first_broken_one() {
        let body = b"\0\x02id\0\0\0\x40\0\0\x01\0\0\0\x17\0\x04\xff\xff\xff\xff\0\0name\0\0\0";
        let read: Vec<_> = columns(body).collect();
        assert_eq!(read.len(), 2);
        assert_eq!(read[0], Ok(ColumnOrigin { name: b"id", table: 0x4000, attribute: 1 }));
        assert!(read[1].is_err());
        assert_eq!(columns(b"\xff\xff").collect::<Vec<_>>(), [Err(WireError::Truncated)]);
        assert_eq!(columns(b"").count(), 1);
    }

    #[test]
    fn a_report_is_read_back_field_by_field() {
        let mut out = Vec::new();
        Report { hint: Some("ask"), position: Some(8), ..Report::fatal("42501", "no") }.write(&mut out);
        let body = &out[5..];
        assert_eq!(error_field(body, b'C'), Some(&b"42501"[..]));
        assert_eq!(error_field(body, b'P'), Some(&b"8"[..]));
        assert_eq!(error_field(body, b'D'), None);
        assert_eq!(error_fields(body).count(), 6);
    }
}
