//! Commands of the client as they lie in its buffer: whole ones, and long ones that are passed on as they come.

use super::{Session, Step, client_ending};
use crate::audit::Ending;
use crate::mysql::wire::{HEADER, Header};

/// The largest of commands that are short by nature.
pub(super) const MAX_SHORT: usize = 64 << 10;
/// The longest statement text that is read.
pub(super) const MAX_TEXT: usize = 64 << 20;

/// A whole command at the front of the client's buffer.
#[derive(Debug)]
pub(super) struct Whole {
    /// Its bytes in the buffer, headers included.
    pub raw: usize,
    /// The payload, where it came in several packets.
    joined: Option<Vec<u8>>,
    /// The sequence number of the first packet of the reply.
    pub reply: u8,
}

impl Whole {
    /// The payload, command byte first.
    pub fn payload<'a>(&'a self, unread: &'a [u8]) -> &'a [u8] {
        match &self.joined {
            Some(joined) => joined,
            None => unread.get(HEADER..self.raw).unwrap_or_default(),
        }
    }
}

impl Session {
    /// Waits until the command at the front of the client's buffer is whole.
    pub(super) async fn whole(&mut self, limit: usize) -> Step<Whole> {
        loop {
            match measure(self.client.unread(), limit) {
                Measured::Whole { raw, reply, packets: 1 } => return Ok(Whole { raw, joined: None, reply }),
                Measured::Whole { raw, reply, .. } => {
                    let joined = Some(join(self.client.unread().get(..raw).unwrap_or_default()));
                    return Ok(Whole { raw, joined, reply });
                }
                Measured::OutOfOrder => return self.violation("packets out of order").await,
                Measured::TooLarge => {
                    let error = crate::mysql::wire::err::Err::new(
                        1153,
                        "08S01",
                        format!("statement is longer than {} MiB; send the data as parameters", limit >> 20),
                    );
                    let _ = self.client.send_error(1, &error).await;
                    return Err(Ending::ProtocolViolation);
                }
                Measured::Incomplete => self.client.fill().await.map_err(|error| client_ending(&error))?,
            }
        }
    }

    /// Uses up a command.
    pub(super) fn take(&mut self, whole: &Whole) {
        self.client.consume(whole.raw);
    }

    /// Passes a whole command to the server as it came.
    pub(super) async fn pass(&mut self, whole: &Whole) -> Step<()> {
        let Self { server, client, .. } = self;
        let Some(server) = server else { return Err(Ending::ServerGone) };
        let sent = server.send(client.unread().get(..whole.raw).unwrap_or_default()).await;
        client.consume(whole.raw);
        sent
    }

    /// Passes the command at the front of the client's buffer to the server as it comes, however long it is; its
    /// first bytes may have been changed in the buffer.
    pub(super) async fn pass_through(&mut self) -> Step<()> {
        while self.pass_packet().await?.is_continued() {}
        Ok(())
    }

    /// Passes one packet to the server as it comes.
    pub(super) async fn pass_packet(&mut self) -> Step<Header> {
        let header = loop {
            match Header::read(self.client.unread()) {
                Some(header) => break header,
                None => self.client.fill().await.map_err(|error| client_ending(&error))?,
            }
        };
        let mut rest = HEADER + header.len;
        while rest > 0 {
            if self.client.unread().is_empty() {
                self.client.fill().await.map_err(|error| client_ending(&error))?;
            }
            let Self { server, client, .. } = self;
            let Some(server) = server else { return Err(Ending::ServerGone) };
            let here = client.unread().len().min(rest);
            server.send(client.unread().get(..here).unwrap_or_default()).await?;
            client.consume(here);
            rest -= here;
        }
        Ok(header)
    }

    /// Uses up the command at the front of the client's buffer as it comes, without looking at it; gives the sequence
    /// number of the reply.
    pub(super) async fn discard(&mut self) -> Step<u8> {
        loop {
            let Some(header) = Header::read(self.client.unread()) else {
                self.client.fill().await.map_err(|error| client_ending(&error))?;
                continue;
            };
            let mut rest = HEADER + header.len;
            while rest > 0 {
                if self.client.unread().is_empty() {
                    self.client.fill().await.map_err(|error| client_ending(&error))?;
                }
                let here = self.client.unread().len().min(rest);
                self.client.consume(here);
                rest -= here;
            }
            if !header.is_continued() {
                return Ok(header.sequence.wrapping_add(1));
            }
        }
    }
}

enum Measured {
    Whole { raw: usize, reply: u8, packets: usize },
    Incomplete,
    OutOfOrder,
    TooLarge,
}

/// Looks how far a command reaches.
fn measure(bytes: &[u8], limit: usize) -> Measured {
    let (mut raw, mut packets, mut payload) = (0, 0, 0);
    loop {
        let Some(header) = bytes.get(raw..).and_then(Header::read) else { return Measured::Incomplete };
        if usize::from(header.sequence) != packets & 0xff {
            return Measured::OutOfOrder;
        }
        payload += header.len;
        if payload > limit {
            return Measured::TooLarge;
        }
        raw += HEADER + header.len;
        packets += 1;
        if !header.is_continued() {
            let reply = header.sequence.wrapping_add(1);
            return if raw <= bytes.len() { Measured::Whole { raw, reply, packets } } else { Measured::Incomplete };
        }
    }
}

/// The payloads of several packets.
fn join(mut bytes: &[u8]) -> Vec<u8> {
    let mut payload = Vec::with_capacity(bytes.len());
    while let Some((header, rest)) = Header::read(bytes).zip(bytes.get(HEADER..)) {
        let (here, behind) = rest.split_at_checked(header.len).unwrap_or((rest, &[]));
        payload.extend_from_slice(here);
        bytes = behind;
    }
    payload
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mysql::wire::{MAX_PAYLOAD, packet};

    #[test]
    fn commands_of_several_packets_are_joined() {
        let payload: Vec<u8> = (0..MAX_PAYLOAD + 5).map(|i| u8::try_from(i % 256).unwrap()).collect();
        let mut bytes = Vec::new();
        packet::append(&mut bytes, 0, &payload);
        let raw = bytes.len();
        bytes.extend_from_slice(&[1, 0, 0, 0, 14]);
        assert!(matches!(measure(&bytes, MAX_TEXT), Measured::Whole { raw: r, reply: 2, packets: 2 } if r == raw));
        assert!(join(&bytes[..raw]) == payload);
        assert!(matches!(measure(&bytes[..raw - 1], MAX_TEXT), Measured::Incomplete));
        assert!(matches!(measure(&bytes[..raw - 1], MAX_SHORT), Measured::TooLarge));
        bytes[MAX_PAYLOAD + HEADER + 3] = 7;
        assert!(matches!(measure(&bytes, MAX_TEXT), Measured::OutOfOrder));
    }
}
