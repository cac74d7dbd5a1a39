//! The first packet of a connection, which has a length and no type.
//!
//! Manual: "StartupMessage", "SSLRequest", "GSSENCRequest", "CancelRequest", "NegotiateProtocolVersion".

use super::{Fields, MessageWriter, WireError};

/// What PostgreSQL accepts at the most (`MAX_STARTUP_PACKET_LENGTH`).
pub const MAX_STARTUP: usize = 10_000;
/// The protocol version spoken to servers.
pub const VERSION_3_0: u32 = 3 << 16;
/// The newest version spoken to clients: cancel keys may be longer than four bytes.
pub const VERSION_3_2: u32 = 3 << 16 | 2;
// Major version 1234 stands for requests that are no session.
const CANCEL_REQUEST: u32 = 80_877_102;
const SSL_REQUEST: u32 = 80_877_103;
const GSS_ENC_REQUEST: u32 = 80_877_104;

/// A first packet.
#[derive(Debug, PartialEq, Eq)]
pub enum FirstPacket {
    /// A session is wanted.
    Startup(StartupMessage),
    /// TLS is wanted.
    SslRequest,
    /// Encryption by GSSAPI is wanted.
    GssEncRequest,
    /// A running query of another session is to be cancelled.
    Cancel {
        /// The number of the session.
        process: u32,
        /// What proves the right to cancel.
        secret: Vec<u8>,
    },
    /// A protocol version that is not spoken here.
    UnsupportedVersion(u16, u16),
}

/// What a client wants of a session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StartupMessage {
    /// Protocol version: major in the upper half.
    pub version: u32,
    /// Names and values in the order sent; protocol options (`_pq_.…`) left out.
    pub parameters: Vec<(String, Vec<u8>)>,
    /// Names of protocol options; none is known.
    pub protocol_options: Vec<String>,
}

impl StartupMessage {
    /// The value of a parameter; the last one counts, as on the server.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.parameters.iter().rev().find(|(n, _)| n == name).map(|(_, value)| &**value)
    }

    /// The length of a first packet, from its first four bytes; its whole size, these four included.
    pub fn length(first: [u8; 4]) -> Result<usize, WireError> {
        let length = usize::try_from(u32::from_be_bytes(first)).map_err(|_| WireError::Length)?;
        if (8..=MAX_STARTUP).contains(&length) { Ok(length) } else { Err(WireError::Length) }
    }

    /// Whether a client must be told which version and options are spoken.
    pub fn needs_negotiation(&self) -> bool {
        !self.protocol_options.is_empty() || self.version != self.spoken_version()
    }

    /// The version that is spoken with this client.
    pub fn spoken_version(&self) -> u32 {
        if self.version >= VERSION_3_2 { VERSION_3_2 } else { VERSION_3_0 }
    }
}

/// Reads a first packet without its length.
pub fn read(packet: &[u8]) -> Result<FirstPacket, WireError> {
    let mut fields = Fields::new(packet);
    let code = fields.u32()?;
    match code {
        SSL_REQUEST => fields.end().map(|()| FirstPacket::SslRequest),
        GSS_ENC_REQUEST => fields.end().map(|()| FirstPacket::GssEncRequest),
        CANCEL_REQUEST => {
            let process = fields.u32()?;
            Ok(FirstPacket::Cancel { process, secret: fields.rest().to_vec() })
        }
        _ if code >> 16 == 3 => read_startup(code, fields).map(FirstPacket::Startup),
        _ => {
            let [a, b, c, d] = code.to_be_bytes();
            Ok(FirstPacket::UnsupportedVersion(u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
        }
    }
}

fn read_startup(version: u32, mut fields: Fields<'_>) -> Result<StartupMessage, WireError> {
    let mut message = StartupMessage { version, ..StartupMessage::default() };
    loop {
        let name = fields.string()?;
        if name.is_empty() {
            fields.end()?;
            return Ok(message);
        }
        let name = std::str::from_utf8(name).map_err(|_| WireError::NotUtf8)?.to_owned();
        let value = fields.string()?.to_vec();
        if name.starts_with("_pq_.") {
            message.protocol_options.push(name);
        } else {
            message.parameters.push((name, value));
        }
    }
}

/// Writes a startup packet for a server.
pub fn write_startup<'a>(out: &mut Vec<u8>, parameters: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) {
    let mut message = MessageWriter::untyped(out).u32(VERSION_3_0);
    for (name, value) in parameters {
        message = message.string(name).string(value);
    }
    message.byte(0).finish();
}

/// Writes the request for TLS.
pub fn write_ssl_request(out: &mut Vec<u8>) {
    MessageWriter::untyped(out).u32(SSL_REQUEST).finish();
}

/// Writes the request to cancel what a server's session runs.
pub fn write_cancel_request(out: &mut Vec<u8>, process: u32, secret: &[u8]) {
    MessageWriter::untyped(out).u32(CANCEL_REQUEST).u32(process).bytes(secret).finish();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(parameters: &[(&[u8], &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        write_startup(&mut out, parameters.iter().copied());
        out.split_off(4)
    }

    #[test]
    fn a_startup_packet_is_read_and_the_last_of_equal_names_counts() {
        let bytes = packet(&[(b"user", b"a"), (b"user", b"b"), (b"_pq_.x", b"1")]);
        let FirstPacket::Startup(message) = read(&bytes).unwrap() else { panic!() };
        assert_eq!(message.get("user"), Some(&b"b"[..]));
        assert_eq!(message.protocol_options, ["_pq_.x"]);
        assert!(message.needs_negotiation());
    }

    #[test]
    fn every_truncation_is_an_error() {
        let bytes = packet(&[(b"user", b"a"), (b"database", b"b")]);
        for cut in 0..bytes.len() {
            assert!(read(&bytes[..cut]).is_err(), "{cut}");
        }
        let mut longer = bytes;
        longer.push(b'x');
        assert_eq!(read(&longer), Err(WireError::Trailing));
    }

    #[test]
    fn requests_are_told_apart() {
        let mut out = Vec::new();
        write_ssl_request(&mut out);
        assert_eq!(read(&out[4..]), Ok(FirstPacket::SslRequest));
        out.clear();
        write_cancel_request(&mut out, 7, b"secret");
        assert_eq!(read(&out[4..]), Ok(FirstPacket::Cancel { process: 7, secret: b"secret".to_vec() }));
        assert_eq!(read(&[0, 2, 0, 0]), Ok(FirstPacket::UnsupportedVersion(2, 0)));
    }

    #[test]
    fn versions_are_negotiated_down() {
        for (asked, spoken) in [(0, 0), (1, 0), (2, 2), (9999, 2)] {
            let message = StartupMessage { version: 3 << 16 | asked, ..StartupMessage::default() };
            assert_eq!(message.spoken_version(), 3 << 16 | spoken);
        }
    }

    #[test]
    fn lengths_are_bounded() {
        assert_eq!(StartupMessage::length([0, 0, 0, 8]), Ok(8));
        assert_eq!(StartupMessage::length(*b"GET "), Err(WireError::Length));
        assert_eq!(StartupMessage::length([0, 0, 0, 7]), Err(WireError::Length));
    }
}
