//! Reading and writing a stream from two places of one task.
//!
//! The stream is borrowed while it is polled and never across an await, so that one direction can write while the other
//! waits to read.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncReadExt, AsyncWrite};

use crate::net::Stream;
use crate::session::buffers;

/// A stream, or the place for one that is not open.
#[derive(Debug, Default)]
pub struct Channel(RefCell<Option<Stream>>);

/// Bytes read and not yet used.
#[derive(Debug, Default)]
pub struct Input {
    bytes: Vec<u8>,
    used: usize,
}

impl Input {
    /// Begins with bytes that were read before.
    pub fn new(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), used: 0 }
    }

    /// What is there.
    pub fn unused(&self) -> &[u8] {
        self.bytes.get(self.used..).unwrap_or_default()
    }

    /// So many bytes are done with. When none is left the buffer goes back to the thread.
    pub fn consume(&mut self, count: usize) {
        self.used += count;
        if self.used >= self.bytes.len() {
            buffers::give_back(std::mem::take(&mut self.bytes));
            self.used = 0;
        }
    }

    /// Takes over all that another has. Gives how many bytes that is.
    pub fn append(&mut self, other: &mut Self) -> usize {
        let count = other.unused().len();
        if count > 0 && self.unused().is_empty() {
            std::mem::swap(self, other);
        } else {
            self.bytes.extend_from_slice(other.unused());
        }
        other.consume(count);
        count
    }

    /// Makes room for a read: moves what is left to the front.
    fn make_room(&mut self) {
        if self.bytes.capacity() == 0 {
            self.bytes = buffers::lend();
        }
        if self.used > 0 {
            self.bytes.drain(..self.used);
            self.used = 0;
        }
        if self.bytes.len() == self.bytes.capacity() {
            // A message that must be read whole: doubling keeps the number of moves small.
            self.bytes.reserve(self.bytes.len());
        }
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        buffers::give_back(std::mem::take(&mut self.bytes));
    }
}

impl Channel {
    /// A channel over a stream.
    pub fn new(stream: Stream) -> Self {
        Self(RefCell::new(Some(stream)))
    }

    /// Whether a stream is there.
    pub fn is_open(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// Puts a stream in place.
    pub fn open(&self, stream: Stream) {
        *self.0.borrow_mut() = Some(stream);
    }

    /// Takes the stream away.
    pub fn take(&self) -> Option<Stream> {
        self.0.borrow_mut().take()
    }

    /// Polls for more input; 0 is the end of the stream. Waits while there is no stream: who opens one wakes the task.
    pub fn poll_read(&self, cx: &mut Context<'_>, input: &mut Input) -> Poll<io::Result<usize>> {
        let mut stream = self.0.borrow_mut();
        let Some(stream) = stream.as_mut() else { return Poll::Pending };
        input.make_room();
        let read = pin!(stream.read_buf(&mut input.bytes)).poll(cx);
        if read.is_pending() {
            // An empty buffer is not kept while waiting.
            input.consume(0);
        }
        read
    }

    /// Writes all bytes, with one call to the operating system where it takes them.
    pub async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        poll_fn(|cx| {
            let mut stream = self.0.borrow_mut();
            let Some(stream) = stream.as_mut() else { return Poll::Ready(Err(io::ErrorKind::NotConnected.into())) };
            while !bytes.is_empty() {
                let count = ready!(Pin::new(&mut *stream).poll_write(cx, bytes))?;
                if count == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                bytes = bytes.get(count..).unwrap_or_default();
            }
            Pin::new(&mut *stream).poll_flush(cx)
        })
        .await
    }
}

/// Lets the whole task be polled again: its other direction has something to do.
pub fn wake_task(cx: &Context<'_>) {
    cx.waker().wake_by_ref();
}
