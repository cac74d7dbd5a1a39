//! The server's first packet.
//!
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_v10.html>

use super::reader::Put;
use super::{Capabilities, Extensions, Malformed, Reader};

/// Bytes of a scramble.
pub const SCRAMBLE: usize = 20;

/// A handshake packet, version 10.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Greeting {
    /// `8.4.3`, `5.5.5-10.11.6-MariaDB-log`.
    pub version: String,
    /// The number of the connection.
    pub connection: u32,
    /// What authentication answers to.
    pub scramble: [u8; SCRAMBLE],
    /// What the server can do.
    pub capabilities: Capabilities,
    /// What only MariaDB can do.
    pub extensions: Extensions,
    /// The server's default collation.
    pub collation: u8,
    /// Status flags.
    pub status: u16,
    /// The authentication that the server begins with.
    pub plugin: String,
}

impl Greeting {
    /// Reads the payload of the packet.
    pub fn read(payload: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(payload);
        if reader.u8()? != 10 {
            return Err(Malformed("handshake is not of version 10"));
        }
        let version = text(reader.nul_bytes()?)?;
        let connection = reader.u32()?;
        let mut scramble = [0; SCRAMBLE];
        let (first, second) = scramble.split_at_mut(8);
        first.copy_from_slice(reader.bytes(8)?);
        reader.u8()?;
        let low = reader.u16()?;
        let collation = reader.u8()?;
        let status = reader.u16()?;
        let high = reader.u16()?;
        let capabilities = Capabilities(u32::from(high) << 16 | u32::from(low));
        reader.u8()?;
        reader.bytes(6)?;
        let filler = reader.u32()?;
        let mariadb = !capabilities.has(Capabilities::LONG_PASSWORD);
        second.copy_from_slice(reader.bytes(12)?);
        // The scramble's end, always NUL.
        reader.u8()?;
        let plugin =
            if capabilities.has(Capabilities::PLUGIN_AUTH) { text(reader.nul_or_rest())? } else { String::new() };
        let extensions = if mariadb { Extensions(filler) } else { Extensions::default() };
        Ok(Self { version, connection, scramble, capabilities, extensions, collation, status, plugin })
    }

    /// Writes the payload of the packet.
    pub fn write(&self, out: &mut Vec<u8>) {
        let [a, b, c, d] = self.capabilities.0.to_le_bytes();
        let (first, second) = self.scramble.split_at(8);
        out.push(10);
        out.put_nul_bytes(self.version.as_bytes());
        out.put_le32(self.connection);
        out.extend_from_slice(first);
        out.push(0);
        out.extend_from_slice(&[a, b, self.collation]);
        out.put_le16(self.status);
        out.extend_from_slice(&[c, d, 21]);
        out.extend_from_slice(&[0; 6]);
        out.put_le32(self.extensions.0);
        out.extend_from_slice(second);
        out.push(0);
        out.put_nul_bytes(self.plugin.as_bytes());
    }

    /// Whether the server is MariaDB.
    pub fn is_mariadb(&self) -> bool {
        !self.capabilities.has(Capabilities::LONG_PASSWORD) || self.version.contains("MariaDB")
    }
}

fn text(bytes: &[u8]) -> Result<String, Malformed> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| Malformed("text is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_comes_back() {
        let greeting = Greeting {
            version: "5.5.5-10.11.6-MariaDB".to_owned(),
            connection: 7,
            scramble: *b"abcdefghijklmnopqrst",
            capabilities: Capabilities(Capabilities::SPOKEN.0 & !1),
            extensions: Extensions::SPOKEN,
            collation: 45,
            status: 2,
            plugin: "mysql_native_password".to_owned(),
        };
        let mut bytes = Vec::new();
        greeting.write(&mut bytes);
        assert_eq!(Greeting::read(&bytes), Ok(greeting.clone()));
        assert!(greeting.is_mariadb());
        for len in 0..bytes.len() - 23 {
            assert!(Greeting::read(&bytes[..len]).is_err(), "{len}");
        }
    }
}
