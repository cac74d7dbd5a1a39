//! A record as it stands in a file: the parts at fixed places at both ends of the line, found without reading JSON.

use super::chain::{HexHash, Link, hex_hash};

/// A whole record line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// The sequence number.
    pub sequence: u64,
    /// RFC 3339 in UTC; such texts sort as the times do.
    pub time: &'a str,
    /// The kind.
    pub kind: &'a str,
    /// The hash of the record before, as this one states it.
    pub prev: HexHash,
    /// The hash of this record, as it states it.
    pub hash: HexHash,
    /// What the hash is over.
    body: &'a [u8],
}

const PREV: &[u8] = b",\"prev\":\"";
const HASH: &[u8] = b"\",\"hash\":\"";
const TAIL_LENGTH: usize = PREV.len() + 64 + HASH.len() + 64 + 2;

impl<'a> Line<'a> {
    /// Reads a line without its line feed; `None` when it is no record.
    pub fn read(line: &'a [u8]) -> Option<Self> {
        let (_, tail) = line.split_at_checked(line.len().checked_sub(TAIL_LENGTH)?)?;
        let (prev, rest) = tail.strip_prefix(PREV)?.split_first_chunk::<64>()?;
        let (hash, end) = rest.strip_prefix(HASH)?.split_first_chunk::<64>()?;
        let is_hex = |text: &HexHash| text.iter().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
        if end != b"\"}" || !is_hex(prev) || !is_hex(hash) {
            return None;
        }
        let rest = line.strip_prefix(b"{\"v\":1,\"seq\":")?;
        let (digits, rest) = until(rest, b',')?;
        let (time, rest) = until(rest.strip_prefix(b"\"time\":\"")?, b'"')?;
        let (kind, _) = until(rest.strip_prefix(b",\"kind\":\"")?, b'"')?;
        let text = |bytes| std::str::from_utf8(bytes).ok();
        let (body, _) = line.split_at_checked(line.len() - HASH.len() - 64 - 2 + 1)?;
        Some(Self {
            sequence: text(digits)?.parse().ok()?,
            time: text(time)?,
            kind: text(kind)?,
            prev: *prev,
            hash: *hash,
            body,
        })
    }

    /// Whether the record is as it was made: its hash is that of its bytes.
    pub fn is_unchanged(&self) -> bool {
        hex_hash(self.body) == self.hash
    }

    /// What the next record is chained to.
    pub fn link(&self) -> Link {
        Link { sequence: self.sequence, hash: self.hash }
    }
}

fn until(bytes: &[u8], end: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(end, bytes)?;
    let (before, rest) = bytes.split_at_checked(at)?;
    Some((before, rest.split_first()?.1))
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::audit::chain::Chain;

    #[test]
    fn a_record_reads_back_and_every_change_shows() {
        let mut chain = Chain::after(Link::START);
        chain.append(UNIX_EPOCH, "started", |out| out.extend_from_slice(b",\"node\":\"a\""));
        let bytes = chain.take(Vec::new());
        let whole = bytes.strip_suffix(b"\n").unwrap();
        let line = Line::read(whole).unwrap();
        assert_eq!((line.sequence, line.kind, line.time), (1, "started", "1970-01-01T00:00:00.000000Z"));
        assert!(line.is_unchanged());
        assert_eq!(line.link(), chain.last());
        for at in 0..whole.len() {
            let mut changed = whole.to_vec();
            changed[at] ^= 1;
            assert!(Line::read(&changed).is_none_or(|line| !line.is_unchanged()), "byte {at}");
            assert!(Line::read(&whole[..at]).is_none());
        }
    }
}
