//! From the server to the client: headers are scanned, a few messages read, rows passed on as they came.

use std::convert::Infallible;
use std::future::poll_fn;
use std::time::Instant;

use tokio::sync::Notify;

use super::output::Output;
use super::replies::Pass;
use super::state::{State, Stop};
use super::{Session, shut_down};
use crate::audit::Sequence;
use crate::pg::fault::Fault;
use crate::pg::pending::Owed;
use crate::pg::wire::{HEADER, Header, backend};
use crate::session::Wish;

/// A message up to this size is read whole where it must be read at all. A server's longest that are read are
/// descriptions of 1,664 columns; errors and notices can be longer, and their beginning says enough.
const MAX_WHOLE: usize = 1 << 20;
/// What is read of a longer error or notice.
const BEGINNING: usize = 16 << 10;

/// The rest of a message whose beginning was handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// There is none.
    Nothing,
    /// So many bytes go to the client.
    Forward(usize),
    /// So many bytes go nowhere.
    Drop(usize),
}

/// What became of the bytes of one read.
struct Scanned {
    used: usize,
    rest: Rest,
    out: Output,
    // The record that must be written before the client gets any of this.
    record: Sequence,
}

impl Session {
    /// Passes the server's messages on until the session ends.
    pub(super) async fn server_side(&self) -> Fault {
        match self.pump().await {
            Ok(never) => match never {},
            Err(fault) => fault,
        }
    }

    async fn pump(&self) -> Result<Infallible, Fault> {
        let mut rest = Rest::Nothing;
        let mut generation = self.generation.get();
        loop {
            let read = poll_fn(|cx| self.server.poll_read(cx, &mut self.server_input.borrow_mut())).await;
            if self.generation.get() != generation {
                // Another connection: nothing is left of the old one.
                (generation, rest) = (self.generation.get(), Rest::Nothing);
            }
            match read {
                Ok(0) => return Err(Fault::ServerGone("it closed the connection".into())),
                Ok(_) => {}
                Err(error) => return Err(Fault::server(&error)),
            }
            let mut input = self.server_input.take();
            let scanned = self.scan(input.unused(), rest)?;
            rest = scanned.rest;
            self.progress.notify_waiters();
            self.deliver(input.unused(), &scanned).await?;
            self.state.borrow_mut().mid_message = matches!(rest, Rest::Forward(_));
            input.consume(scanned.used);
            if self.generation.get() == generation {
                *self.server_input.borrow_mut() = input;
            }
            if self.entry.wish() == Wish::EndWhenIdle && self.state.borrow().pending.is_idle() {
                return Err(shut_down());
            }
        }
    }

    /// Writes to the client, once the records of what is in it are safe.
    async fn deliver(&self, input: &[u8], scanned: &Scanned) -> Result<(), Fault> {
        let audit = &self.node.audit;
        if !audit.is_written(scanned.record) {
            audit.flush();
            if !audit.is_written(scanned.record) {
                audit.written(scanned.record).await.map_err(|error| {
                    Fault::closed("audit log", "58030", format!("the result is withheld because {error}"))
                })?;
            }
        }
        let bytes = scanned.out.bytes(input);
        if bytes.is_empty() {
            return Ok(());
        }
        self.state.borrow_mut().mid_message = true;
        self.client.write_all(bytes).await.map_err(Fault::client)
    }

    /// Goes over the bytes of one read.
    fn scan(&self, input: &[u8], mut rest: Rest) -> Result<Scanned, Fault> {
        let mut state = self.state.borrow_mut();
        let mut out = Output::new(&std::mem::take(&mut state.prelude));
        let mut record = Sequence::default();
        let mut at = 0;
        loop {
            let available = input.len() - at;
            match rest {
                Rest::Nothing => {}
                Rest::Forward(left) | Rest::Drop(left) => {
                    let count = left.min(available);
                    if matches!(rest, Rest::Forward(_)) {
                        out.forward(input, at..at + count);
                    }
                    at += count;
                    if count < left {
                        rest = if matches!(rest, Rest::Forward(_)) {
                            Rest::Forward(left - count)
                        } else {
                            Rest::Drop(left - count)
                        };
                        break;
                    }
                    rest = Rest::Nothing;
                    continue;
                }
            }
            let unread = input.get(at..).unwrap_or_default();
            let Some(header) = Header::read(unread).map_err(Fault::server_message)? else { break };
            if let Some(running) = state.pending.front().and_then(Owed::running) {
                record = record.max(running.record);
                if running.first.is_none() {
                    running.first = Some(running.started.elapsed());
                }
            }
            let is_plan = matches!(state.pending.front(), Some(Owed::Estimate { .. }));
            let pass = if is_bulk(header.tag) && !is_plan {
                row(&mut state, header, &self.overtime)?
            } else {
                let Some(body) = readable(header, unread)? else { break };
                self.reply(&mut state, header, body, input, &mut out)?
            };
            rest = match pass {
                Pass::Forward => Rest::Forward(header.total()),
                Pass::Handled => Rest::Drop(header.total()),
            };
        }
        state.active = Instant::now();
        Ok(Scanned { used: at, rest, out, record })
    }
}

/// A row, or data of COPY: counted and passed on.
fn row(state: &mut State, header: Header, overtime: &Notify) -> Result<Pass, Fault> {
    if header.tag == backend::NOTIFICATION_RESPONSE || header.tag == backend::FUNCTION_CALL_RESPONSE {
        return Ok(Pass::Forward);
    }
    let running = state.pending.front().and_then(Owed::running);
    let Some(running) = running else { return Err(Fault::ServerGone("it sent rows out of turn".into())) };
    if state.draining {
        return Ok(Pass::Handled);
    }
    let rows = running.current_rows + 1;
    let bytes = running.bytes + u64::try_from(header.total()).unwrap_or(0);
    if let Some(watch) = &mut running.watch {
        if watch.count(rows, bytes - running.earlier_bytes) {
            state.stop = Stop::Wanted;
            overtime.notify_one();
        }
        if watch.is_cut() {
            return Ok(Pass::Handled);
        }
    }
    (running.current_rows, running.bytes) = (rows, bytes);
    Ok(Pass::Forward)
}

/// Messages that are passed on without being read, however long.
fn is_bulk(tag: u8) -> bool {
    matches!(
        tag,
        backend::DATA_ROW | backend::COPY_DATA | backend::NOTIFICATION_RESPONSE | backend::FUNCTION_CALL_RESPONSE
    )
}

/// The body of a message that must be read, or its beginning where it is long; nothing while it is incomplete.
fn readable(header: Header, unread: &[u8]) -> Result<Option<&[u8]>, Fault> {
    let wanted = if header.total() <= MAX_WHOLE {
        header.total()
    } else if matches!(header.tag, backend::ERROR_RESPONSE | backend::NOTICE_RESPONSE) {
        BEGINNING
    } else {
        return Err(Fault::ServerGone("it sent a message that is too long".into()));
    };
    Ok(unread.get(HEADER..wanted))
}
