//! The packets that end a statement without error: OK, and EOF of older clients.
//!
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_ok_packet.html>

use super::capability::status;
use super::reader::Put;
use super::{Capabilities, Malformed, Reader};

/// First byte of an OK packet.
pub const OK: u8 = 0x00;
/// First byte of an EOF packet, and of an OK packet that ends rows.
pub const EOF: u8 = 0xfe;

/// An OK packet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ok<'a> {
    /// [`EOF`] at the end of rows, else [`OK`].
    pub mark: u8,
    /// Rows changed.
    pub affected: u64,
    /// The last `AUTO_INCREMENT` value.
    pub last_insert_id: u64,
    /// Status flags.
    pub status: u16,
    /// Warnings.
    pub warnings: u16,
    /// `Rows matched: 1  Changed: 0  Warnings: 0` and the like.
    pub info: &'a [u8],
    /// State changes, where session tracking is in use.
    pub changes: &'a [u8],
}

impl<'a> Ok<'a> {
    /// Reads the payload of the packet, as a server with these capabilities writes it.
    pub fn read(payload: &'a [u8], capabilities: Capabilities) -> Result<Self, Malformed> {
        let mut reader = Reader::new(payload);
        let mut ok = Self { mark: reader.u8()?, ..Self::default() };
        ok.affected = reader.lenenc()?;
        ok.last_insert_id = reader.lenenc()?;
        ok.status = reader.u16()?;
        ok.warnings = reader.u16()?;
        // The manual has the rest of the packet here for clients without session tracking; servers and clients use a
        // length in both cases.
        if !reader.is_empty() {
            ok.info = reader.lenenc_bytes()?;
        }
        if capabilities.has(Capabilities::SESSION_TRACK) && ok.status & status::STATE_CHANGED != 0 && !reader.is_empty()
        {
            ok.changes = reader.lenenc_bytes()?;
        }
        Ok(ok)
    }

    /// Writes the payload of the packet, for a client with these capabilities.
    pub fn write(&self, out: &mut Vec<u8>, capabilities: Capabilities) {
        let tracks = capabilities.has(Capabilities::SESSION_TRACK);
        let changed = tracks && !self.changes.is_empty();
        out.push(self.mark);
        out.put_lenenc(self.affected);
        out.put_lenenc(self.last_insert_id);
        out.put_le16(if changed { self.status } else { self.status & !status::STATE_CHANGED });
        out.put_le16(self.warnings);
        if changed || !self.info.is_empty() {
            out.put_lenenc_bytes(self.info);
            if changed {
                out.put_lenenc_bytes(self.changes);
            }
        }
    }

    /// The state changes as (kind, data).
    pub fn state_changes(&self) -> StateChanges<'a> {
        StateChanges { reader: Reader::new(self.changes) }
    }
}

/// What changed in the session, as servers tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateChange<'a> {
    /// A system variable has a new value.
    Variable {
        /// Its name.
        name: &'a [u8],
        /// Its value.
        value: &'a [u8],
    },
    /// Another current database.
    Schema(&'a [u8]),
    /// Anything else.
    Other,
}

/// Walks over [`Ok::changes`]; what is malformed ends it with an error.
#[derive(Debug, Clone)]
pub struct StateChanges<'a> {
    reader: Reader<'a>,
}

impl<'a> Iterator for StateChanges<'a> {
    type Item = Result<StateChange<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.is_empty() {
            return None;
        }
        let change = read_change(&mut self.reader);
        if change.is_err() {
            self.reader = Reader::new(&[]);
        }
        Some(change)
    }
}

fn read_change<'a>(reader: &mut Reader<'a>) -> Result<StateChange<'a>, Malformed> {
    let kind = reader.u8()?;
    let mut data = Reader::new(reader.lenenc_bytes()?);
    Ok(match kind {
        0 => StateChange::Variable { name: data.lenenc_bytes()?, value: data.lenenc_bytes()? },
        1 => StateChange::Schema(data.lenenc_bytes()?),
        _ => StateChange::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_changes_are_read_and_left_out_for_clients_that_do_not_track() {
        let payload = b"\x00\x01\x02\x02\x40\x01\x00\x03abc\x0d\x00\x08\x03a_b\x03xyz\x01\x01\x00";
        let ok = Ok::read(payload, Capabilities::SPOKEN).unwrap();
        assert_eq!((ok.affected, ok.last_insert_id, ok.warnings, ok.info), (1, 2, 1, &b"abc"[..]));
        let changes: Vec<_> = ok.state_changes().collect();
        assert_eq!(changes[0], Result::Ok(StateChange::Variable { name: b"a_b", value: b"xyz" }));
        assert_eq!(changes[1], Result::Ok(StateChange::Schema(b"")));
        let mut same = Vec::new();
        ok.write(&mut same, Capabilities::SPOKEN);
        assert_eq!(same, payload);
        let mut older = Vec::new();
        ok.write(&mut older, Capabilities::PROTOCOL_41);
        assert_eq!(older, b"\x00\x01\x02\x02\x00\x01\x00\x03abc");
        assert_eq!(Ok::read(&older, Capabilities::PROTOCOL_41).unwrap().info, b"abc");
    }
}
