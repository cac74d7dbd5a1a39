//! Records in order, each chained to the one before it.
//!
//! A record is one line of JSON. It ends in `,"prev":"…","hash":"…"}` and a line feed: `prev` is the `hash` of the record
//! before (64 zeros before the first), `hash` is the SHA-256 of the line's bytes before `,"hash":`, in hex.

use std::time::SystemTime;

use ring::digest;

use super::json::{hex_digits, push_name, push_number};
use super::timestamp::Clockface;

/// A SHA-256 in lower-case hex, as records hold it.
pub type HexHash = [u8; 64];

/// What the first record of all names as the one before it.
pub const GENESIS: HexHash = [b'0'; 64];

/// Where the next record goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The sequence number of the last record; 0 before the first.
    pub sequence: u64,
    /// Its hash.
    pub hash: HexHash,
}

impl Link {
    /// Before the first record.
    pub const START: Self = Self { sequence: 0, hash: GENESIS };

    /// The hash as text.
    pub fn hash_text(&self) -> String {
        String::from_utf8_lossy(&self.hash).into_owned()
    }
}

/// The end of the chain, with the records that have not been written yet.
#[derive(Debug)]
pub struct Chain {
    last: Link,
    buffer: Vec<u8>,
    clockface: Clockface,
}

impl Chain {
    /// Goes on after a record.
    pub fn after(last: Link) -> Self {
        Self { last, buffer: Vec::with_capacity(64 << 10), clockface: Clockface::default() }
    }

    /// The last record made.
    pub fn last(&self) -> Link {
        self.last
    }

    /// How many bytes wait to be written.
    pub fn waiting(&self) -> usize {
        self.buffer.len()
    }

    /// Makes a record; `fields` appends `,"name":value` for each field of its kind. Gives its sequence number.
    pub fn append(&mut self, now: SystemTime, kind: &str, fields: impl FnOnce(&mut Vec<u8>)) -> u64 {
        let sequence = self.last.sequence + 1;
        let out = &mut self.buffer;
        let start = out.len();
        out.extend_from_slice(b"{\"v\":1,\"seq\":");
        push_number(out, sequence);
        push_name(out, "time");
        out.push(b'"');
        self.clockface.push(out, now);
        out.extend_from_slice(b"\",\"kind\":\"");
        out.extend_from_slice(kind.as_bytes());
        out.push(b'"');
        fields(out);
        out.extend_from_slice(b",\"prev\":\"");
        out.extend_from_slice(&self.last.hash);
        out.push(b'"');
        let (_, body) = out.split_at(start);
        let hash = hex_hash(body);
        out.extend_from_slice(b",\"hash\":\"");
        out.extend_from_slice(&hash);
        out.extend_from_slice(b"\"}\n");
        self.last = Link { sequence, hash };
        sequence
    }

    /// Takes the records made since the last time, leaving an emptied buffer of an earlier time in their place.
    pub fn take(&mut self, mut spare: Vec<u8>) -> Vec<u8> {
        spare.clear();
        std::mem::replace(&mut self.buffer, spare)
    }
}

/// SHA-256 in lower-case hex.
pub fn hex_hash(bytes: &[u8]) -> HexHash {
    let hash = digest::digest(&digest::SHA256, bytes);
    let mut hex = GENESIS;
    for (pair, byte) in hex.chunks_exact_mut(2).zip(hash.as_ref()) {
        pair.copy_from_slice(&hex_digits(*byte));
    }
    hex
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::audit::json::push_field;

    #[test]
    fn a_record_is_a_line_of_json_chained_by_its_own_bytes() {
        let mut chain = Chain::after(Link::START);
        chain.append(UNIX_EPOCH, "first", |out| push_field(out, "note", "a\nb"));
        let first = chain.last();
        chain.append(UNIX_EPOCH, "second", |_| {});
        let bytes = chain.take(Vec::new());
        let text = String::from_utf8(bytes).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let expected = "{\"v\":1,\"seq\":1,\"time\":\"1970-01-01T00:00:00.000000Z\",\"kind\":\"first\",\"note\":\"a\\nb\",\"prev\":\"";
        assert!(lines[0].starts_with(expected), "{}", lines[0]);
        let (body, _) = lines[0].split_once(",\"hash\":").unwrap();
        assert_eq!(first.hash, hex_hash(body.as_bytes()));
        assert!(lines[1].contains(&format!("\"prev\":\"{}\"", first.hash_text())));
        assert_eq!((chain.last().sequence, chain.waiting()), (2, 0));
    }

    #[test]
    fn the_hash_is_sha_256() {
        let hash = hex_hash(b"abc");
        assert_eq!(hash.as_slice(), b"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
