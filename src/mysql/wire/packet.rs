//! Packets: four bytes of header, then up to 16 MiB − 1 of payload; longer payloads continue in the next packet.
//!
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html>

/// Bytes of a packet's header.
pub const HEADER: usize = 4;

/// A packet with this many bytes of payload is continued by the next one.
pub const MAX_PAYLOAD: usize = 0xff_ffff;

/// A packet's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Bytes of payload in this packet.
    pub len: usize,
    /// Counts from 0 in each command, around at 255.
    pub sequence: u8,
}

impl Header {
    /// The header at the beginning of `bytes`, when it is there.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let [a, b, c, sequence] = *bytes.first_chunk::<HEADER>()?;
        Some(Self { len: u32::from_le_bytes([a, b, c, 0]) as usize, sequence })
    }

    /// Whether the payload goes on in the next packet.
    pub fn is_continued(self) -> bool {
        self.len == MAX_PAYLOAD
    }
}

/// The payload of the packet at the beginning of `bytes`, when all of it is there.
pub fn payload(bytes: &[u8]) -> Option<&[u8]> {
    let header = Header::read(bytes)?;
    bytes.get(HEADER..HEADER + header.len)
}

/// How many packets a payload comes in.
pub fn count(payload: usize) -> usize {
    payload / MAX_PAYLOAD + 1
}

/// Appends a payload, split as the protocol has it, and gives the sequence number of the next packet.
pub fn append(out: &mut Vec<u8>, mut sequence: u8, payload: &[u8]) -> u8 {
    out.reserve(payload.len() + HEADER);
    let mut rest = payload;
    loop {
        let (now, later) = rest.split_at_checked(MAX_PAYLOAD).unwrap_or((rest, &[]));
        let continued = now.len() == MAX_PAYLOAD;
        out.extend_from_slice(&header(now.len(), sequence));
        out.extend_from_slice(now);
        sequence = sequence.wrapping_add(1);
        if !continued {
            return sequence;
        }
        rest = later;
    }
}

/// The packets of a command in two parts.
pub fn of_parts(head: &[u8], tail: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER + head.len() + tail.len());
    if head.len() + tail.len() < MAX_PAYLOAD {
        out.extend_from_slice(&header(head.len() + tail.len(), 0));
        out.extend_from_slice(head);
        out.extend_from_slice(tail);
    } else {
        append(&mut out, 0, &[head, tail].concat());
    }
    out
}

/// Appends a short packet whose payload `write` makes, and gives the sequence number of the next packet.
pub fn append_with(out: &mut Vec<u8>, sequence: u8, write: impl FnOnce(&mut Vec<u8>)) -> u8 {
    let begin = out.len();
    out.extend_from_slice(&[0; HEADER]);
    write(out);
    let len = (out.len() - begin - HEADER).min(MAX_PAYLOAD - 1);
    out.truncate(begin + HEADER + len);
    if let Some(place) = out.get_mut(begin..begin + HEADER) {
        place.copy_from_slice(&header(len, sequence));
    }
    sequence.wrapping_add(1)
}

/// Bytes of a header for a payload of at most [`MAX_PAYLOAD`] bytes.
fn header(len: usize, sequence: u8) -> [u8; HEADER] {
    let [a, b, c, ..] = len.to_le_bytes();
    [a, b, c, sequence]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_payloads_are_split_and_ended_by_a_shorter_packet() {
        let mut out = Vec::new();
        assert_eq!(append(&mut out, 254, &vec![7; MAX_PAYLOAD]), 0);
        assert_eq!(Header::read(&out), Some(Header { len: MAX_PAYLOAD, sequence: 254 }));
        assert_eq!(out[HEADER + MAX_PAYLOAD..], [0, 0, 0, 255]);
        assert_eq!((count(MAX_PAYLOAD), count(MAX_PAYLOAD - 1), count(0)), (2, 1, 1));
        out.clear();
        assert_eq!(of_parts(b"\x03", b"do 0"), b"\x05\0\0\0\x03do 0");
        assert_eq!(append(&mut out, 0, b""), 1);
        assert_eq!(out, [0, 0, 0, 0]);
    }

    #[test]
    fn a_packet_is_given_when_it_is_whole() {
        assert_eq!(payload(&[2, 0, 0, 0, 9]), None);
        assert_eq!(payload(&[2, 0, 0, 0, 9, 8, 7]), Some(&[9, 8][..]));
        let mut out = Vec::new();
        append_with(&mut out, 3, |out| out.extend_from_slice(b"xy"));
        assert_eq!(out, [2, 0, 0, 3, b'x', b'y']);
    }
}
