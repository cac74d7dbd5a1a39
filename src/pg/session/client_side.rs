//! From the client to the server: messages are framed, statements decided, everything else passed on.

use std::future::poll_fn;
use std::task::Poll;

use super::channel::Input;
use super::{ClientEnd, Session};
use crate::pg::fault::Fault;
use crate::pg::pending::Owed;
use crate::pg::wire::{HEADER, Header, WireError, frontend};
use crate::session::buffers;

/// The largest statement text, with what goes with it in its message.
const MAX_STATEMENT: usize = 16 << 20;
/// The largest of the other messages that are read whole.
const MAX_SHORT: usize = 4 << 10;
/// The names at the front of a Bind have to end within so many bytes.
const MAX_BIND_NAMES: usize = 4 << 10;
/// Replies owed at the most; the client waits until half of them were given.
const MAX_OWED: usize = 8192;
/// What a batch may grow to before it is written.
const BATCH: usize = buffers::SIZE / 2;

/// The rest of a message whose beginning was handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// So many bytes go to the server.
    Forward(usize),
    /// So many bytes go nowhere.
    Drop(usize),
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It goes to the server as it came.
    Forward,
    /// It does not; what goes in its place has been written to the batch.
    Handled,
}

impl Session {
    /// Passes the client's messages on until the session ends or the client has nothing more to send.
    pub(super) async fn client_side(&self) -> ClientEnd {
        match self.listen().await {
            Ok(()) => ClientEnd::HalfClosed,
            Err(fault) => ClientEnd::Over(fault),
        }
    }

    async fn listen(&self) -> Result<(), Fault> {
        let mut input = Input::default();
        let mut rest = Rest::Drop(0);
        loop {
            match self.next_input(&mut input).await? {
                Some(0) => return self.half_closed().await,
                Some(_) => {}
                None => continue,
            }
            let mut batch = buffers::lend();
            let handled = self.batch(&mut input, &mut rest, &mut batch).await;
            // What came before a violation is the client's right.
            let sent = self.send(&mut batch).await;
            buffers::give_back(batch);
            handled?;
            sent?;
        }
    }

    /// Reads more of the client's bytes; nothing where a Sync that was held back had to be sent first.
    async fn next_input(&self, input: &mut Input) -> Result<Option<usize>, Fault> {
        let read = poll_fn(|cx| {
            self.is_reading.set(false);
            if self.state.borrow().must_sync || self.state.borrow().must_fail {
                return Poll::Ready(None);
            }
            let ahead = input.append(&mut self.read_ahead.borrow_mut());
            if ahead > 0 {
                return Poll::Ready(Some(Ok(ahead)));
            }
            if self.has_client_ended.get() {
                return Poll::Ready(Some(Ok(0)));
            }
            let read = self.client.poll_read(cx, input);
            self.is_reading.set(read.is_pending());
            read.map(Some)
        })
        .await;
        if let Some(read) = read {
            return read.map(Some).map_err(Fault::client);
        }
        self.fail_transaction().await?;
        if !self.state.borrow().must_sync {
            return Ok(None);
        }
        {
            let mut state = self.state.borrow_mut();
            state.must_sync = false;
            state.pending.push(Owed::Sync);
        }
        let mut batch = Vec::new();
        frontend::write_empty(&mut batch, frontend::SYNC);
        self.send(&mut batch).await?;
        Ok(None)
    }

    /// The client has closed its side and may still read what it is owed.
    async fn half_closed(&self) -> Result<(), Fault> {
        let is_owed = !self.state.borrow().pending.is_empty();
        if !is_owed || !self.server.is_open() || self.state.borrow().pending.is_copy_open() {
            return Err(Fault::ClientGone);
        }
        let mut batch = Vec::new();
        self.may_go_on(&mut batch).await?;
        // The server ends the session behind the last answer.
        frontend::write_empty(&mut batch, frontend::TERMINATE);
        self.send(&mut batch).await
    }

    /// Handles the messages of one read. What is incomplete stays in `input`.
    async fn batch(&self, input: &mut Input, rest: &mut Rest, batch: &mut Vec<u8>) -> Result<(), Fault> {
        loop {
            if let Rest::Forward(left) | Rest::Drop(left) = *rest
                && left > 0
            {
                let count = left.min(input.unused().len());
                if matches!(rest, Rest::Forward(_)) {
                    batch.extend_from_slice(input.unused().get(..count).unwrap_or_default());
                    *rest = Rest::Forward(left - count);
                } else {
                    *rest = Rest::Drop(left - count);
                }
                input.consume(count);
                if count < left {
                    return Ok(());
                }
                continue;
            }
            let Some(header) = Header::read(input.unused())? else { return Ok(()) };
            let whole_bind = header.tag == frontend::BIND && header.body <= MAX_STATEMENT && self.estimates();
            let wanted = wanted(header, input.unused(), whole_bind)?;
            let Some(body) = input.unused().get(HEADER..wanted) else { return Ok(()) };
            let step = self.message(header, body, batch).await?;
            *rest = match step {
                Step::Forward => Rest::Forward(header.total()),
                Step::Handled => Rest::Drop(header.total()),
            };
            if batch.len() > BATCH {
                self.send(batch).await?;
            }
        }
    }

    /// Whether what was waited for has failed meanwhile, so that the message at hand goes with it: the server passes over
    /// it. To be asked after every wait, before anything is recorded, sent or remembered.
    pub(super) fn is_skipped(&self) -> bool {
        let mut state = self.state.borrow_mut();
        let is_skipped = state.pending.is_skipping();
        if is_skipped {
            state.leave_turn();
        }
        is_skipped
    }

    /// Handles one message; `body` is its front where it is one of those that are passed on as they come.
    async fn message(&self, header: Header, body: &[u8], batch: &mut Vec<u8>) -> Result<Step, Fault> {
        if self.state.borrow().pending.len() > MAX_OWED {
            self.send(batch).await?;
            self.wait_until(|state| state.pending.len() < MAX_OWED / 2).await;
        }
        // A Sync that does not end a batch begins one.
        let is_decided =
            is_decided(header.tag) || header.tag == frontend::SYNC && !self.state.borrow().pending.is_unsynced();
        if is_decided {
            self.settle(batch).await?;
        }
        if self.is_skipped() && !matches!(header.tag, frontend::SYNC | frontend::TERMINATE) {
            // The server passes over it, and answers nothing.
            return Ok(Step::Handled);
        }
        if self.state.borrow().pending.is_copy_open() && !may_come_in_copy(header.tag) {
            let tag = char::from(header.tag);
            return Err(Fault::Violation(format!("unexpected message type \"{tag}\" during COPY from stdin").into()));
        }
        match header.tag {
            frontend::QUERY => self.query(frontend::read_query(body)?, batch).await.map(|()| Step::Handled),
            frontend::PARSE => self.parse(frontend::Parse::read(body)?, batch).await.map(|()| Step::Handled),
            frontend::BIND => {
                let (portal, statement) = frontend::read_bind_names(body).ok_or(WireError::Unterminated)?;
                self.bind(portal, statement, (body.len() == header.body).then_some(body), batch).await
            }
            frontend::DESCRIBE => {
                let (target, name) = frontend::read_target(body)?;
                self.describe(target, name).await
            }
            frontend::EXECUTE => {
                let (portal, _) = frontend::read_execute(body)?;
                self.execute(portal, batch).await
            }
            frontend::CLOSE => {
                let (target, name) = frontend::read_target(body)?;
                self.close(target, name).await
            }
            frontend::SYNC => {
                empty(body)?;
                self.sync().await
            }
            frontend::FLUSH => {
                empty(body)?;
                let is_open = self.server.is_open() && !self.state.borrow().pending.is_copy_open();
                Ok(if is_open { Step::Forward } else { Step::Handled })
            }
            frontend::FUNCTION_CALL => self.function_call(batch).await,
            frontend::COPY_DATA => Ok(if self.server.is_open() { Step::Forward } else { Step::Handled }),
            frontend::COPY_DONE | frontend::COPY_FAIL => {
                if !self.server.is_open() {
                    return Ok(Step::Handled);
                }
                self.state.borrow_mut().pending.push(Owed::CopyEnd);
                Ok(Step::Forward)
            }
            frontend::TERMINATE => Err(Fault::Terminated),
            other => Err(WireError::UnknownType(other).into()),
        }
    }

    /// Writes a batch to the server and empties it.
    pub(super) async fn send(&self, batch: &mut Vec<u8>) -> Result<(), Fault> {
        if batch.is_empty() {
            return Ok(());
        }
        let written = self.server.write_all(batch).await;
        batch.clear();
        match written {
            Ok(()) => Ok(()),
            Err(error) => {
                // Why it went away is in what it said last; the server side reads that and ends the session.
                tokio::time::sleep(super::FAREWELL).await;
                Err(Fault::server(&error))
            }
        }
    }

    /// A Sync, which ends a batch of the extended protocol.
    async fn sync(&self) -> Result<Step, Fault> {
        if self.state.borrow().pending.is_copy_open() {
            self.state.borrow_mut().pending.hold_sync();
            return Ok(Step::Handled);
        }
        self.ensure_open().await?;
        self.state.borrow_mut().pending.push(Owed::Sync);
        Ok(Step::Forward)
    }

    /// Waits for what the next decision depends on: effects of statements under way, and the change of role that one of
    /// them asked for.
    async fn settle(&self, batch: &mut Vec<u8>) -> Result<(), Fault> {
        self.may_go_on(batch).await?;
        if self.state.borrow().role_change.is_none() {
            return Ok(());
        }
        // Inside a batch the role changes at its end.
        if !self.state.borrow().pending.is_unsynced() {
            self.answered(batch, |state| state.pending.is_empty()).await?;
        }
        let role = {
            let mut state = self.state.borrow_mut();
            if state.pending.is_idle() { state.role_change.take() } else { None }
        };
        match role {
            Some(role) => Box::pin(self.change_role(&role)).await,
            None => Ok(()),
        }
    }

    /// Waits until a message may be decided; a transaction that has to fail first is made to.
    async fn may_go_on(&self, batch: &mut Vec<u8>) -> Result<(), Fault> {
        if self.state.borrow().may_go_on() {
            return Ok(());
        }
        self.answered(batch, |state| state.must_fail || state.may_go_on()).await?;
        while self.state.borrow().must_fail {
            self.fail_transaction().await?;
            self.wait_until(|state| state.must_fail || state.may_go_on()).await;
        }
        Ok(())
    }

    /// Sends what is there and waits for answers to it.
    pub(super) async fn answered(
        &self,
        batch: &mut Vec<u8>,
        have_come: impl Fn(&super::state::State) -> bool,
    ) -> Result<(), Fault> {
        if self.state.borrow().pending.is_unsynced() {
            frontend::write_empty(batch, frontend::FLUSH);
        }
        self.send(batch).await?;
        self.wait_until(have_come).await;
        Ok(())
    }
}

/// How much of a message must be there before it is handled, its header included.
fn wanted(header: Header, unused: &[u8], whole_bind: bool) -> Result<usize, Fault> {
    let whole = |limit: usize| {
        if header.body <= limit { Ok(header.total()) } else { Err(Fault::from(WireError::Length)) }
    };
    match header.tag {
        frontend::QUERY | frontend::PARSE => {
            if header.body > MAX_STATEMENT {
                let message = format!("statement is longer than {MAX_STATEMENT} bytes");
                return Err(Fault::closed("statement too long", "54000", message));
            }
            Ok(header.total())
        }
        frontend::BIND if whole_bind => whole(MAX_STATEMENT),
        frontend::BIND => {
            let front = unused.get(HEADER..header.total().min(unused.len())).unwrap_or_default();
            if frontend::read_bind_names(front).is_some() {
                Ok(HEADER + front.len())
            } else if front.len() < header.body && front.len() < MAX_BIND_NAMES {
                Ok(header.total().min(unused.len() + 1))
            } else {
                Err(WireError::Unterminated.into())
            }
        }
        frontend::COPY_DATA | frontend::COPY_FAIL | frontend::FUNCTION_CALL => Ok(HEADER),
        _ => whole(MAX_SHORT),
    }
}

/// Messages that depend on what those before them changed.
fn is_decided(tag: u8) -> bool {
    matches!(
        tag,
        frontend::QUERY
            | frontend::PARSE
            | frontend::BIND
            | frontend::DESCRIBE
            | frontend::EXECUTE
            | frontend::CLOSE
            | frontend::FUNCTION_CALL
    )
}

/// What the server reads or passes over while it waits for COPY data.
fn may_come_in_copy(tag: u8) -> bool {
    matches!(
        tag,
        frontend::COPY_DATA
            | frontend::COPY_DONE
            | frontend::COPY_FAIL
            | frontend::FLUSH
            | frontend::SYNC
            | frontend::TERMINATE
    )
}

fn empty(body: &[u8]) -> Result<(), WireError> {
    if body.is_empty() { Ok(()) } else { Err(WireError::Trailing) }
}
