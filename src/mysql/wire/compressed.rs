//! The frames in which packets travel to and from clients that asked for compression.
//!
//! A frame has seven bytes of header: bytes that follow, a sequence number of its own, and how many bytes they were
//! before compression, 0 where they are as they were. Packets lie in the frames end to end and may be cut anywhere.
//!
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_compression.html>

use std::io::Read;

use flate2::Compression;
use flate2::read::{ZlibDecoder, ZlibEncoder};
use ruzstd::decoding::StreamingDecoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::{MAX_PAYLOAD, Malformed, packet};

/// Bytes of a frame's header.
pub const HEADER: usize = 7;
/// Shorter contents are not worth compressing; servers draw the line here too.
const WORTH_COMPRESSING: usize = 50;
/// Contents of one frame at the most.
const MAX_CONTENT: usize = 1 << 20;

/// What client and proxy agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// `CLIENT_COMPRESS`.
    Zlib,
    /// `CLIENT_ZSTD_COMPRESSION_ALGORITHM`.
    Zstd,
}

/// Takes the frames apart and makes them.
#[derive(Debug)]
pub struct Frames {
    algorithm: Algorithm,
    sequence: u8,
}

impl Frames {
    /// Frames after the login.
    pub fn new(algorithm: Algorithm) -> Self {
        Self { algorithm, sequence: 0 }
    }

    /// The frames of a client's next command, which count from 0.
    #[must_use]
    pub fn again(&self) -> Self {
        Self::new(self.algorithm)
    }

    /// Appends the contents of the frame at the beginning of `bytes` to `out` and gives its length; nothing when it
    /// is not whole. Contents are never larger than one packet.
    pub fn unpack(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<Option<usize>, Malformed> {
        let Some((header, plain)) = packet::Header::read(bytes).zip(bytes.get(4..HEADER).and_then(length)) else {
            return Ok(None);
        };
        let len = header.len;
        let Some(body) = bytes.get(HEADER..HEADER + len) else { return Ok(None) };
        self.sequence = header.sequence.wrapping_add(1);
        if plain == 0 {
            out.extend_from_slice(body);
            return Ok(Some(HEADER + len));
        }
        let begin = out.len();
        // One byte more than promised is asked for, so that a frame that holds more is found out.
        let limit = plain as u64 + 1;
        let read = match self.algorithm {
            Algorithm::Zlib => ZlibDecoder::new(body).take(limit).read_to_end(out).ok(),
            Algorithm::Zstd => {
                StreamingDecoder::new(body).ok().and_then(|decoder| decoder.take(limit).read_to_end(out).ok())
            }
        };
        if read != Some(plain) || out.len() - begin != plain {
            return Err(Malformed("compressed frame is not what its header says"));
        }
        Ok(Some(HEADER + len))
    }

    /// Appends frames that hold `bytes` to `out`.
    pub fn pack(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for content in bytes.chunks(MAX_CONTENT.min(MAX_PAYLOAD)) {
            let small = if content.len() < WORTH_COMPRESSING { None } else { self.compress(content) };
            let (body, plain) = match small.as_deref() {
                Some(small) if small.len() < content.len() => (small, content.len()),
                _ => (content, 0),
            };
            // Lengths of three bytes: contents are far shorter than 16 MiB.
            out.extend_from_slice(body.len().to_le_bytes().get(..3).unwrap_or_default());
            out.push(self.sequence);
            out.extend_from_slice(plain.to_le_bytes().get(..3).unwrap_or_default());
            out.extend_from_slice(body);
            self.sequence = self.sequence.wrapping_add(1);
        }
    }

    fn compress(&self, content: &[u8]) -> Option<Vec<u8>> {
        match self.algorithm {
            Algorithm::Zlib => {
                let mut out = Vec::with_capacity(content.len() / 2);
                ZlibEncoder::new(content, Compression::fast()).read_to_end(&mut out).ok()?;
                Some(out)
            }
            Algorithm::Zstd => Some(compress_to_vec(content, CompressionLevel::Fastest)),
        }
    }
}

/// A length of three bytes.
fn length(bytes: &[u8]) -> Option<usize> {
    let bytes = bytes.first_chunk::<3>()?;
    Some(bytes.iter().rev().fold(0, |length, byte| length << 8 | usize::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_out_again() {
        for algorithm in [Algorithm::Zlib, Algorithm::Zstd] {
            for size in [0, 1, 49, 50, 100_000, (1 << 20) + 7] {
                let content: Vec<u8> = (0..size).map(|i: u64| u8::try_from(i * i / 7 % 251).unwrap()).collect();
                let (mut packed, mut plain) = (Vec::new(), Vec::new());
                Frames::new(algorithm).pack(&content, &mut packed);
                let mut frames = Frames::new(algorithm);
                let mut at = 0;
                while let Some(len) = frames.unpack(&packed[at..], &mut plain).unwrap() {
                    at += len;
                }
                assert!(plain == content && at == packed.len(), "{algorithm:?} {size}");
                assert_eq!(usize::from(frames.sequence), content.len().div_ceil(1 << 20));
            }
        }
    }

    #[test]
    fn bombs_and_rubbish_are_refused() {
        let mut packed = Vec::new();
        Frames::new(Algorithm::Zlib).pack(&vec![0; 1 << 20], &mut packed);
        packed[4..7].copy_from_slice(&[100, 0, 0]);
        let mut out = Vec::new();
        assert!(Frames::new(Algorithm::Zlib).unpack(&packed, &mut out).is_err());
        assert!(out.len() <= 101);
        for algorithm in [Algorithm::Zlib, Algorithm::Zstd] {
            let rubbish = [5, 0, 0, 0, 9, 0, 0, 1, 2, 3, 4, 5];
            assert!(Frames::new(algorithm).unpack(&rubbish, &mut Vec::new()).is_err());
            assert_eq!(Frames::new(algorithm).unpack(&rubbish[..11], &mut Vec::new()), Ok(None));
        }
    }
}
