//! A session from login to end.
//!
//! ```text
//!            ┌── client side: reads messages, decides, writes to the server ──┐
//!  client ───┤                                                                 ├─── server
//!            └── server side: reads replies, watches them, writes to the client ┘
//! ```
//!
//! Both are straight-line functions of one task; what they share is in [`state::State`].

mod channel;
mod client_side;
mod cost;
mod cursors;
mod decide;
mod extended;
mod fetched;
mod link;
mod output;
mod replies;
mod server_side;
mod simple;
mod state;
mod stop;

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{sleep, sleep_until, timeout};

pub use link::connect;

use self::channel::{Channel, Input};
use self::state::State;
use super::auth::LoggedIn;
use super::cancel;
use super::fault::Fault;
use super::parameters::Parameters;
use super::upstream::Upstream;
use super::wire::backend::Report;
use super::wire::frontend;
use crate::audit::{ResultRecord, Subject};
use crate::auth::User;
use crate::session::{Entry, Node, Source, Wish};

/// Bytes of a client that are read while its side of the session waits for something else.
const READ_AHEAD: usize = 64 << 10;
/// The longest that a farewell may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// One session.
pub struct Session {
    node: Arc<Node>,
    entry: Arc<Entry>,
    user: Arc<User>,
    source: Arc<Source>,
    parameters: Parameters,
    client: Channel,
    server: Channel,
    // What the client sent while its side of the session was waiting for something else.
    read_ahead: RefCell<Input>,
    // The client side waits for the client itself.
    is_reading: Cell<bool>,
    // The client sends nothing more.
    has_client_ended: Cell<bool>,
    // What the server sent behind its login's last message.
    server_input: RefCell<Input>,
    slot: RefCell<Option<OwnedSemaphorePermit>>,
    // Grows when the connection to the server is given up.
    generation: Cell<u32>,
    subject: RefCell<Rc<Subject>>,
    state: RefCell<State>,
    // The server side has moved on: what the client side waits for may have come.
    progress: Notify,
    // There is something to stop, or a statement that may have to be.
    overtime: Notify,
    // Whether statements of the session are watched; most are not.
    is_watching: Cell<bool>,
}

/// How the client side ended.
enum ClientEnd {
    /// The session is over.
    Over(Fault),
    /// The client sends nothing more and may still read.
    HalfClosed,
}

/// Runs a session to its end.
pub async fn run(node: Arc<Node>, logged_in: LoggedIn) {
    let LoggedIn { stream, entry, user, acting, parameters, for_server, upstream, reported } = logged_in;
    let source = Arc::clone(acting.source());
    let session = Session {
        subject: RefCell::new(Rc::new(entry.subject())),
        state: RefCell::new(State::new(acting, for_server, reported)),
        client: Channel::new(stream),
        server: Channel::default(),
        read_ahead: RefCell::default(),
        is_reading: Cell::new(false),
        has_client_ended: Cell::new(false),
        server_input: RefCell::default(),
        slot: RefCell::default(),
        generation: Cell::new(0),
        progress: Notify::new(),
        overtime: Notify::new(),
        is_watching: Cell::new(false),
        node,
        entry,
        user,
        source,
        parameters,
    };
    if let Some((upstream, slot)) = upstream {
        session.attach(upstream, slot);
    }
    let fault = session.converse().await;
    session.end(fault).await;
}

/// A connection to the server with its place among those that the source allows.
pub type Connected = (Upstream, OwnedSemaphorePermit);

impl Session {
    /// Runs both directions until one of them, or the node, ends the session.
    async fn converse(&self) -> Fault {
        let mut server = pin!(self.server_side());
        let mut client = pin!(self.client_side());
        let mut wishes = pin!(self.wishes());
        let mut idle = pin!(self.idle());
        let mut stopping = pin!(self.stop_statements());
        let (mut is_over, mut grace) = (false, None);
        poll_fn(|cx| {
            // The server first: what it confirms is what the client side may be waiting for.
            if let Poll::Ready(fault) = server.as_mut().poll(cx) {
                return Poll::Ready(if is_over { Fault::Terminated } else { fault });
            }
            if !is_over {
                match client.as_mut().poll(cx) {
                    Poll::Ready(ClientEnd::Over(fault)) => return Poll::Ready(fault),
                    Poll::Ready(ClientEnd::HalfClosed) => is_over = true,
                    Poll::Pending => {
                        if let Err(fault) = self.look_after_client(cx) {
                            return Poll::Ready(fault);
                        }
                    }
                }
            }
            if is_over || self.has_client_ended.get() {
                let grace = grace.get_or_insert_with(|| Box::pin(sleep(self.node.timeouts.half_closed)));
                if grace.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Fault::ClientGone);
                }
            }
            if self.is_watching.get()
                && let Poll::Ready(never) = stopping.as_mut().poll(cx)
            {
                match never {}
            }
            if let Poll::Ready(fault) = wishes.as_mut().poll(cx) {
                return Poll::Ready(fault);
            }
            idle.as_mut().poll(cx)
        })
        .await
    }

    /// While the client side waits for something else than the client, reads a limited number of its bytes ahead, so that
    /// its going is noticed.
    fn look_after_client(&self, cx: &mut Context<'_>) -> Result<(), Fault> {
        while !self.is_reading.get() && !self.has_client_ended.get() {
            let mut ahead = self.read_ahead.borrow_mut();
            if ahead.unused().len() >= READ_AHEAD {
                break;
            }
            match self.client.poll_read(cx, &mut ahead) {
                Poll::Ready(Ok(0)) => self.has_client_ended.set(true),
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Err(Fault::client(error)),
                Poll::Pending => break,
            }
        }
        Ok(())
    }

    /// Ends the session when the node wants it to.
    async fn wishes(&self) -> Fault {
        loop {
            match self.entry.wish() {
                Wish::GoOn => {}
                Wish::EndWhenIdle => {
                    if self.state.borrow().pending.is_idle() {
                        return shut_down();
                    }
                    // Otherwise the server side ends it when it becomes idle.
                }
                Wish::EndNow => return shut_down(),
                Wish::Killed => {
                    let message = "terminating connection due to administrator command";
                    return Fault::closed("killed", "57P01", message);
                }
            }
            self.entry.wanted().await;
        }
    }

    /// Ends the session when nothing happens for too long.
    async fn idle(&self) -> Fault {
        let Some(limit) = self.node.timeouts.idle else { return pending().await };
        loop {
            let (active, is_idle) = {
                let state = self.state.borrow();
                (state.active, state.pending.is_empty())
            };
            let until = active + limit;
            if is_idle && Instant::now() >= until {
                return Fault::closed("idle", "57P05", "terminating connection due to idle-session timeout");
            }
            let now = Instant::now();
            sleep_until(if until > now { until } else { now + limit }.into()).await;
        }
    }

    /// Takes leave of both sides and of the node.
    async fn end(&self, fault: Fault) {
        if matches!(fault, Fault::Violation(_)) {
            self.node.metrics.protocol_errors.add_one();
        }
        if matches!(fault, Fault::ServerGone(_)) {
            self.node.metrics.server_disconnects.add_one();
        }
        tracing::debug!(session = self.entry.session, ?fault, "session ends");
        let is_running = !self.state.borrow().pending.is_empty();
        if is_running && !matches!(fault, Fault::ServerGone(_)) {
            self.cancel_running();
        }
        let may_speak = {
            let state = self.state.borrow();
            !state.mid_message && !state.has_said_fatal
        };
        if let Some((sqlstate, message)) = fault.farewell().filter(|_| may_speak) {
            let mut out = Vec::new();
            Report::fatal(sqlstate, &message).write(&mut out);
            let _ = timeout(FAREWELL, self.client.write_all(&out)).await;
        }
        if let Some(mut stream) = self.client.take() {
            let _ = timeout(FAREWELL, tokio::io::AsyncWriteExt::shutdown(&mut stream)).await;
        }
        self.detach().await;
        let totals = self.state.borrow().totals;
        self.note_unfinished();
        self.node.audit.session_closed(&self.subject.borrow(), fault.ending(), totals);
        self.node.registry.leave(&self.entry);
    }

    /// Cancels at the server what nobody waits for any more.
    fn cancel_running(&self) {
        if let Some(server) = self.entry.server() {
            let source = Arc::clone(&self.source);
            tokio::task::spawn_local(async move { cancel::send(&source, &server).await });
        }
    }

    /// Records the end of statements that were under way.
    fn note_unfinished(&self) {
        let subject = self.subject.borrow();
        for running in self.state.borrow().pending.iter().filter_map(super::pending::Owed::as_running) {
            let total = running.started.elapsed();
            self.node.audit.result(&ResultRecord {
                subject: &subject,
                statement: running.record,
                rows: running.rows.max(running.current_rows),
                bytes: running.bytes,
                first_row_us: micros(running.first.unwrap_or(total)),
                total_us: micros(total),
                sqlstate: Some("57P01"),
                limit: running.watch.as_ref().and_then(|watch| watch.noted()),
                facts: running.facts.as_deref(),
            });
        }
    }

    /// Whether statements go to the server as they came.
    fn is_restricted(&self) -> bool {
        self.state.borrow().is_restricted()
    }

    /// Waits until the server side has brought something about.
    async fn wait_until(&self, has_come: impl Fn(&State) -> bool) {
        loop {
            let progress = self.progress.notified();
            if has_come(&self.state.borrow()) {
                return;
            }
            progress.await;
        }
    }

    /// Closes the connection to the server, politely.
    async fn detach(&self) {
        if let Some(stream) = self.server.take() {
            let polite = Channel::new(stream);
            let mut out = Vec::new();
            frontend::write_empty(&mut out, frontend::TERMINATE);
            let _ = timeout(FAREWELL, polite.write_all(&out)).await;
        }
        self.entry.set_server(None);
        self.slot.take();
        *self.server_input.borrow_mut() = Input::default();
        self.generation.set(self.generation.get().wrapping_add(1));
    }
}

fn shut_down() -> Fault {
    Fault::closed("shutdown", "57P01", "terminating connection because the proxy is shutting down")
}

/// A time in microseconds.
fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
