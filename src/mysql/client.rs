//! The client's end of a session: its bytes, in frames where it asked for compression, and packets for it.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::task::Poll;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::wire::compressed::{Algorithm, Frames};
use super::wire::err::Err;
use super::wire::greeting::SCRAMBLE;
use super::wire::ok::{self, Ok as OkPacket};
use super::wire::reader::Put;
use super::wire::{Capabilities, Extensions, HEADER, Header, MAX_PAYLOAD, Malformed, packet};
use crate::net::Stream;
use crate::session::buffers;

/// Why the client's bytes end.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The connection ended.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// What came is not of the protocol.
    #[error("{0}")]
    Malformed(#[from] Malformed),
}

/// A client.
#[derive(Debug)]
pub struct Client {
    /// The connection.
    pub stream: Stream,
    /// What was agreed on at login.
    pub capabilities: Capabilities,
    /// What of MariaDB's was agreed on.
    pub extensions: Extensions,
    /// Collation that the client asked for.
    pub collation: u8,
    /// The number of the connection that the client was given.
    pub connection: u32,
    /// The scramble that the client was sent last.
    pub nonce: [u8; SCRAMBLE],
    /// Packets that came and were not used up. Lent by the thread while there are any.
    input: Vec<u8>,
    // Bytes at the front of `input` that were used up.
    taken: usize,
    compression: Option<Box<Compression>>,
}

#[derive(Debug)]
struct Compression {
    frames: Frames,
    // Frames that came and are not whole.
    input: Vec<u8>,
    output: Vec<u8>,
}

impl Client {
    /// A client that has not said anything yet.
    pub fn new(stream: Stream, connection: u32) -> Self {
        Self {
            stream,
            capabilities: Capabilities::default(),
            extensions: Extensions::default(),
            collation: 0,
            connection,
            nonce: [0; SCRAMBLE],
            input: Vec::new(),
            taken: 0,
            compression: None,
        }
    }

    /// From here on both sides speak in compressed frames.
    pub fn compress(&mut self, algorithm: Algorithm) {
        let compression = Compression { frames: Frames::new(algorithm), input: Vec::new(), output: Vec::new() };
        self.compression = Some(Box::new(compression));
    }

    /// Bytes that were not used up.
    pub fn unread(&self) -> &[u8] {
        self.input.get(self.taken..).unwrap_or_default()
    }

    /// The same, to be changed in place.
    pub fn unread_mut(&mut self) -> &mut [u8] {
        self.input.get_mut(self.taken..).unwrap_or_default()
    }

    /// Uses up bytes.
    pub fn consume(&mut self, len: usize) {
        self.taken = (self.taken + len).min(self.input.len());
        if self.taken == self.input.len() {
            buffers::give_back(std::mem::take(&mut self.input));
            self.taken = 0;
        }
    }

    /// Waits for more bytes; an error of kind `UnexpectedEof` when the client has gone. Nothing is lost when it is
    /// not waited for to the end.
    pub async fn fill(&mut self) -> Result<(), ClientError> {
        poll_fn(|cx| self.poll_fill(cx)).await
    }

    /// See [`Client::fill`].
    pub fn poll_fill(&mut self, cx: &mut std::task::Context<'_>) -> Poll<Result<(), ClientError>> {
        if self.taken > 0 {
            self.input.drain(..self.taken);
            self.taken = 0;
        }
        loop {
            let target = match &mut self.compression {
                Some(compression) => &mut compression.input,
                None => &mut self.input,
            };
            if target.capacity() == 0 {
                *target = buffers::lend();
            }
            target.reserve(target.capacity().min(buffers::SIZE) / 4);
            let read = pin!(self.stream.read_buf(target)).poll(cx);
            match read {
                Poll::Pending => {
                    if target.is_empty() {
                        buffers::give_back(std::mem::take(target));
                    }
                    return Poll::Pending;
                }
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::Error::from(io::ErrorKind::UnexpectedEof).into())),
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error.into())),
            }
            match self.unpack() {
                Ok(true) => return Poll::Ready(Ok(())),
                Ok(false) => {}
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
    }

    /// Takes whole frames apart; whether anything came of it.
    fn unpack(&mut self) -> Result<bool, Malformed> {
        let Some(compression) = &mut self.compression else { return Ok(true) };
        if self.input.capacity() == 0 {
            self.input = buffers::lend();
        }
        let (before, mut used) = (self.input.len(), 0);
        while let Some(len) =
            compression.frames.unpack(compression.input.get(used..).unwrap_or_default(), &mut self.input)?
        {
            used += len;
        }
        compression.input.drain(..used);
        if compression.input.is_empty() {
            buffers::give_back(std::mem::take(&mut compression.input));
        }
        if self.input.is_empty() {
            buffers::give_back(std::mem::take(&mut self.input));
        }
        Ok(self.input.len() > before)
    }

    /// Waits for a whole payload of at most `limit` bytes, and gives its bytes and the sequence number of its last
    /// packet.
    pub async fn receive(&mut self, limit: usize) -> Result<(Vec<u8>, u8), ClientError> {
        let mut body = Vec::new();
        loop {
            match Header::read(self.unread()) {
                Some(header) if body.len() + header.len > limit => {
                    return Err(Malformed("packet is larger than its place allows").into());
                }
                Some(header) if self.unread().len() >= HEADER + header.len => {
                    body.extend_from_slice(self.unread().get(HEADER..HEADER + header.len).unwrap_or_default());
                    self.consume(HEADER + header.len);
                    if header.len < MAX_PAYLOAD {
                        return Ok((body, header.sequence));
                    }
                }
                _ => self.fill().await?,
            }
        }
    }

    /// Sends packets.
    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.compression {
            None => self.stream.write_all(bytes).await?,
            Some(compression) => {
                compression.output.clear();
                compression.frames.pack(bytes, &mut compression.output);
                self.stream.write_all(&compression.output).await?;
                compression.output = Vec::new();
            }
        }
        self.stream.flush().await
    }

    /// Sends a packet whose payload `write` makes.
    pub async fn send_packet(&mut self, sequence: u8, write: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        let mut out = Vec::with_capacity(128);
        packet::append_with(&mut out, sequence, write);
        self.send(&out).await
    }

    /// Sends an error.
    pub async fn send_error(&mut self, sequence: u8, error: &Err) -> io::Result<()> {
        self.send_packet(sequence, |out| error.write(out)).await
    }

    /// Sends an OK packet that says nothing but the status.
    pub async fn send_ok(&mut self, sequence: u8, status: u16) -> io::Result<()> {
        let capabilities = self.capabilities;
        let packet = OkPacket { status, ..OkPacket::default() };
        self.send_packet(sequence, |out| packet.write(out, capabilities)).await
    }

    /// Sends the packet that ends `COM_SET_OPTION` and the like.
    pub async fn send_eof(&mut self, sequence: u8, status: u16) -> io::Result<()> {
        self.send_packet(sequence, |out| {
            out.push(ok::EOF);
            out.put_le16(0);
            out.put_le16(status);
        })
        .await
    }
}
