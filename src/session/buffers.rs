//! Buffers lent by the thread: a session holds one only while there is something in it, so idle sessions hold none.

use std::cell::RefCell;

/// Bytes of a buffer, and of one read.
pub const SIZE: usize = 64 << 10;
/// Buffers that a thread keeps for the next session.
const KEPT: usize = 16;

thread_local! {
    static FREE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// An empty buffer with room for [`SIZE`] bytes.
pub fn lend() -> Vec<u8> {
    FREE.with_borrow_mut(Vec::pop).unwrap_or_else(|| Vec::with_capacity(SIZE))
}

/// Gives a buffer back; one that grew, or one too many, is freed.
pub fn give_back(mut buffer: Vec<u8>) {
    if buffer.capacity() != SIZE {
        return;
    }
    buffer.clear();
    FREE.with_borrow_mut(|free| {
        if free.len() < KEPT {
            free.push(buffer);
        }
    });
}
