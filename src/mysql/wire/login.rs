//! The client's answer to the greeting.
//!
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_response.html>

use super::reader::Put;
use super::{Capabilities, Extensions, Malformed, Reader};

/// Bytes before the user's name, and all bytes of a request for TLS.
pub const FIXED: usize = 32;

/// Names and values that a client says about itself.
pub type Attributes<'a> = Vec<(&'a [u8], &'a [u8])>;

/// A login packet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Login<'a> {
    /// What the client wants to use.
    pub capabilities: Capabilities,
    /// What it wants to use of MariaDB's.
    pub extensions: Extensions,
    /// Collation of the connection.
    pub collation: u8,
    /// Largest packet it takes; servers do not look at it.
    pub max_packet: u32,
    /// The user.
    pub user: &'a [u8],
    /// The answer of its authentication plugin to the greeting's scramble.
    pub auth: &'a [u8],
    /// The database asked for; empty without one.
    pub database: &'a [u8],
    /// The authentication plugin.
    pub plugin: &'a [u8],
    /// Names and values that the client says about itself.
    pub attributes: Attributes<'a>,
    /// Level of zstd.
    pub zstd_level: u8,
}

impl<'a> Login<'a> {
    /// Reads the payload of the packet. A request for TLS is one that ends behind the fixed fields.
    pub fn read(payload: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(payload);
        let mut login = Self::read_fixed(&mut reader)?;
        let capabilities = login.capabilities;
        if !capabilities.has(Capabilities::PROTOCOL_41) {
            return Err(Malformed("client speaks the protocol from before 4.1"));
        }
        if reader.is_empty() && capabilities.has(Capabilities::SSL) {
            return Ok(login);
        }
        login.user = reader.nul_bytes()?;
        login.auth = if capabilities.has(Capabilities::PLUGIN_AUTH_LENENC) {
            reader.lenenc_bytes()?
        } else if capabilities.has(Capabilities::SECURE_CONNECTION) {
            let len = reader.u8()?;
            reader.bytes(usize::from(len))?
        } else {
            reader.nul_or_rest()
        };
        if capabilities.has(Capabilities::CONNECT_WITH_DB) {
            login.database = reader.nul_or_rest();
        }
        if capabilities.has(Capabilities::PLUGIN_AUTH) {
            login.plugin = reader.nul_or_rest();
        }
        if capabilities.has(Capabilities::CONNECT_ATTRS) && !reader.is_empty() {
            login.attributes = read_attributes(reader.lenenc_bytes()?)?;
        }
        if capabilities.has(Capabilities::ZSTD) {
            login.zstd_level = reader.u8().unwrap_or(3);
        }
        Ok(login)
    }

    /// Whether the packet only asks for TLS.
    pub fn is_tls_request(payload: &[u8]) -> bool {
        payload.len() == FIXED
    }

    fn read_fixed(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        let capabilities = Capabilities(reader.u32()?);
        let max_packet = reader.u32()?;
        let collation = reader.u8()?;
        reader.bytes(19)?;
        let filler = reader.u32()?;
        let mariadb = !capabilities.has(Capabilities::LONG_PASSWORD);
        let extensions = if mariadb { Extensions(filler) } else { Extensions::default() };
        Ok(Self { capabilities, extensions, collation, max_packet, ..Self::default() })
    }

    /// Writes the fixed fields: a request for TLS, and the beginning of every login packet.
    pub fn write_fixed(&self, out: &mut Vec<u8>) {
        out.put_le32(self.capabilities.0);
        out.put_le32(self.max_packet);
        out.push(self.collation);
        out.extend_from_slice(&[0; 19]);
        out.put_le32(self.extensions.0);
    }

    /// Writes the payload of the packet; `PLUGIN_AUTH_LENENC` must be among the capabilities.
    pub fn write(&self, out: &mut Vec<u8>) {
        self.write_fixed(out);
        out.put_nul_bytes(self.user);
        out.put_lenenc_bytes(self.auth);
        if self.capabilities.has(Capabilities::CONNECT_WITH_DB) {
            out.put_nul_bytes(self.database);
        }
        if self.capabilities.has(Capabilities::PLUGIN_AUTH) {
            out.put_nul_bytes(self.plugin);
        }
        if self.capabilities.has(Capabilities::CONNECT_ATTRS) {
            let mut attributes = Vec::new();
            for (name, value) in &self.attributes {
                attributes.put_lenenc_bytes(name);
                attributes.put_lenenc_bytes(value);
            }
            out.put_lenenc_bytes(&attributes);
        }
    }

    /// An attribute by name.
    pub fn attribute(&self, name: &str) -> Option<&'a [u8]> {
        self.attributes.iter().find(|(key, _)| *key == name.as_bytes()).map(|(_, value)| *value)
    }
}

/// Reads pairs of length-encoded strings.
pub(super) fn read_attributes(bytes: &[u8]) -> Result<Attributes<'_>, Malformed> {
    let mut reader = Reader::new(bytes);
    let mut attributes = Vec::new();
    while !reader.is_empty() {
        attributes.push((reader.lenenc_bytes()?, reader.lenenc_bytes()?));
    }
    Ok(attributes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login() -> Login<'static> {
        Login {
            capabilities: Capabilities::SPOKEN,
            collation: 45,
            max_packet: 1 << 24,
            user: b"hanako",
            auth: b"12345678901234567890",
            database: b"shop",
            plugin: b"caching_sha2_password",
            attributes: vec![(b"program_name", b"mysql")],
            ..Login::default()
        }
    }

    #[test]
    fn a_login_comes_back() {
        let mut bytes = Vec::new();
        login().write(&mut bytes);
        assert_eq!(Login::read(&bytes), Ok(login()));
        assert_eq!(Login::read(&bytes).unwrap().attribute("program_name"), Some(&b"mysql"[..]));
        for len in 0..FIXED + 8 {
            assert!(Login::read(&bytes[..len]).is_err(), "{len}");
        }
    }

    #[test]
    fn a_request_for_tls_is_the_fixed_part() {
        let mut bytes = Vec::new();
        let asked = Login { capabilities: Capabilities::SPOKEN | Capabilities::SSL, ..login() };
        asked.write_fixed(&mut bytes);
        assert!(Login::is_tls_request(&bytes));
        assert_eq!(Login::read(&bytes).unwrap().user, b"");
    }

    #[test]
    fn the_oldest_protocol_is_refused() {
        let mut bytes = Vec::new();
        Login { capabilities: Capabilities(0x05), ..login() }.write(&mut bytes);
        assert!(Login::read(&bytes).is_err());
    }
}
