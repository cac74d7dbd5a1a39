//! Which replies the server still owes, in order: the one state machine of the PostgreSQL side, without I/O.
//!
//! ```text
//! sent               owed until                               on an error before that
//! Query              ReadyForQuery                            stays until ReadyForQuery
//! FunctionCall       ReadyForQuery                            stays until ReadyForQuery
//! Sync               ReadyForQuery                            stays until ReadyForQuery
//! Parse              ParseComplete                            )
//! Bind               BindComplete                             ) it and all that was sent after it are dropped,
//! Describe           RowDescription, NoData                   ) up to the next Sync; while there is none, what is
//! Close              CloseComplete                            ) sent is not owed (`skipping`)
//! Execute            CommandComplete, EmptyQueryResponse,     )
//!                    PortalSuspended
//!
//! CopyInResponse     The server reads COPY data now, and passes over Sync and Flush. Of what was sent ahead, Syncs are
//!                    dropped up to the CopyDone or CopyFail that ends the data; another message before it is
//!                    swallowed by the server with an error. If nothing that ends the data was sent yet, `copy` is open.
//! CopyDone, CopyFail Outside of COPY the server passes over them; they are noted so that the rule above can be kept.
//!
//! cut off            The client was told that a statement failed, and the server ended it well: its batch goes on to
//!                    ReadyForQuery (`late`). Where a transaction is open then, a text that fails is owed in front of
//!                    everything (`Failing`), and the client gets the ReadyForQuery of that. Nothing that needs a
//!                    decision is sent meanwhile.
//! ```

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::names::{Name, Statement};
use super::wire::frontend::Target;
use crate::audit::{Facts, Sequence};
use crate::pipeline::{Denial, Effect, Settings, VirtualDatabase};
use crate::session::Watch;

/// A statement under way.
#[derive(Debug)]
pub struct Running {
    /// Its record in the audit log.
    pub record: Sequence,
    /// Set when it was refused, and what was sent is a text that fails.
    pub denial: Option<Box<Denial>>,
    /// Errors and notices must be cleaned of values.
    pub guarded: bool,
    /// By what it was decided, which is what the second lock asks; nothing for roles without rules.
    pub lock: Option<Arc<VirtualDatabase>>,
    /// A text that the server reads in another form than the client wrote it.
    pub rewritten: Option<Rewritten>,
    /// What its statements change, in order.
    pub effects: Arc<[Effect]>,
    /// Statements of it that are done.
    pub done: usize,
    /// The statement itself, for `PREPARE` to keep.
    pub statement: Option<Rc<Statement>>,
    /// When it arrived.
    pub started: Instant,
    /// From there to the first byte of the answer.
    pub first: Option<Duration>,
    /// Rows of statements that are done.
    pub rows: u64,
    /// Rows of the statement that is being answered.
    pub current_rows: u64,
    /// Bytes of rows.
    pub bytes: u64,
    /// SQLSTATE of its error.
    pub sqlstate: Option<[u8; 5]>,
    /// It reads COPY data.
    pub copying: bool,
    /// What is known about its text.
    pub facts: Option<Arc<Facts>>,
    /// The limits that could stop it.
    pub watch: Option<Box<Watch>>,
    /// Bytes of the results before the one that is being answered.
    pub earlier_bytes: u64,
    /// The portal whose rows these are, where they are counted over several executions.
    pub portal: Option<Name>,
}

/// What it takes to say where in the client's text the server found an error.
#[derive(Debug)]
pub struct Rewritten {
    /// The client's text.
    pub text: Box<str>,
    /// The settings by which it was decided.
    pub settings: Settings,
    /// The server's text.
    pub sent: Arc<str>,
}

/// Nothing is owed that could be a COPY.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoCopy;

/// A reply that the server owes.
#[derive(Debug)]
pub enum Owed {
    /// For a Query or FunctionCall.
    Query(Box<Running>),
    /// For a Parse.
    Parse {
        /// Name of the statement.
        name: Name,
        /// The statement.
        statement: Rc<Statement>,
        /// Whether the client sent it; otherwise its reply is ours.
        visible: bool,
    },
    /// For a Parse or Bind that was refused: it fails.
    Refused(Box<Running>),
    /// For a Bind.
    Bind {
        /// Name of the portal.
        portal: Name,
        /// The statement bound; nothing for one that is not known.
        statement: Option<Rc<Statement>>,
    },
    /// For a Describe.
    Describe {
        /// The statement that is described, or whose portal is.
        statement: Option<Rc<Statement>>,
        /// What the second lock asks; nothing for roles without rules.
        lock: Option<Arc<VirtualDatabase>>,
        /// Whether the client sent it.
        visible: bool,
    },
    /// For a Close.
    Close {
        /// Statement or portal.
        target: Target,
        /// Its name.
        name: Name,
        /// Whether the client sent it.
        visible: bool,
    },
    /// For an Execute.
    Execute(Box<Running>),
    /// For a question of the proxy's own to the planner: `whole` for one by the simple protocol, otherwise one of the
    /// messages of one by the extended protocol.
    Estimate {
        /// Its end is ReadyForQuery.
        whole: bool,
    },
    /// For the proxy's own text that makes a transaction fail.
    Failing,
    /// For a Sync.
    Sync,
    /// Nothing: a CopyDone or CopyFail stands here.
    CopyEnd,
}

impl Running {
    /// A statement of which nothing is known but its record.
    pub fn new(record: Sequence, started: Instant) -> Self {
        Self {
            record,
            denial: None,
            guarded: false,
            lock: None,
            rewritten: None,
            effects: Arc::from([]),
            done: 0,
            statement: None,
            started,
            first: None,
            rows: 0,
            current_rows: 0,
            bytes: 0,
            sqlstate: None,
            copying: false,
            facts: None,
            watch: None,
            earlier_bytes: 0,
            portal: None,
        }
    }

    /// Whether what comes next must wait for the end of this one: decisions depend on what it changes, or it could be
    /// stopped, which must not hit its successor.
    fn is_barrier(&self) -> bool {
        let changes = |effect: &Effect| !matches!(effect, Effect::None | Effect::Declare(_) | Effect::Fetch(_));
        self.watch.is_some() || self.effects.iter().any(changes)
    }

    /// Whether a limit has cut its result off: the client gets no more of it than an error.
    pub fn is_cut(&self) -> bool {
        self.watch.as_ref().is_some_and(|watch| watch.is_cut())
    }
}

impl Owed {
    fn is_barrier(&self) -> bool {
        matches!(self, Self::Failing) || self.as_running().is_some_and(Running::is_barrier)
    }

    /// The statement under way.
    pub fn as_running(&self) -> Option<&Running> {
        match self {
            Self::Query(running) | Self::Execute(running) | Self::Refused(running) => Some(running),
            Self::Parse { .. }
            | Self::Bind { .. }
            | Self::Describe { .. }
            | Self::Close { .. }
            | Self::Estimate { .. }
            | Self::Failing
            | Self::Sync
            | Self::CopyEnd => None,
        }
    }

    /// The statement under way.
    pub fn running(&mut self) -> Option<&mut Running> {
        match self {
            Self::Query(running) | Self::Execute(running) | Self::Refused(running) => Some(running),
            Self::Parse { .. }
            | Self::Bind { .. }
            | Self::Describe { .. }
            | Self::Close { .. }
            | Self::Estimate { .. }
            | Self::Failing
            | Self::Sync
            | Self::CopyEnd => None,
        }
    }

    /// The same, taken.
    pub fn into_running(self) -> Option<Box<Running>> {
        match self {
            Self::Query(running) | Self::Execute(running) | Self::Refused(running) => Some(running),
            Self::Parse { .. }
            | Self::Bind { .. }
            | Self::Describe { .. }
            | Self::Close { .. }
            | Self::Estimate { .. }
            | Self::Failing
            | Self::Sync
            | Self::CopyEnd => None,
        }
    }

    /// What the second lock asks about the result columns that come for it; nothing for roles without rules.
    pub fn lock(&self) -> Option<&Arc<VirtualDatabase>> {
        match self {
            Self::Query(running) | Self::Execute(running) | Self::Refused(running) => running.lock.as_ref(),
            Self::Describe { lock, .. } => lock.as_ref(),
            Self::Parse { .. }
            | Self::Bind { .. }
            | Self::Close { .. }
            | Self::Estimate { .. }
            | Self::Failing
            | Self::Sync
            | Self::CopyEnd => None,
        }
    }

    /// Where in the client's text the server's error is, given where it is in the text that the server got; nothing
    /// where that place is of the proxy's making. Positions are in characters from 1.
    pub fn position(&self, position: u32) -> Option<u32> {
        let statement = match self {
            Self::Query(running) | Self::Refused(running) | Self::Execute(running) => {
                if let (Some(Rewritten { text, settings, sent }), Some(lock)) = (&running.rewritten, &running.lock) {
                    return lock.position_in_source(settings, text, sent, position);
                }
                running.statement.as_ref()
            }
            Self::Parse { statement, .. } => Some(statement),
            Self::Bind { statement, .. } | Self::Describe { statement, .. } => statement.as_ref(),
            // In a text of the proxy's.
            Self::Estimate { .. } | Self::Failing => return None,
            Self::Close { .. } | Self::Sync | Self::CopyEnd => None,
        };
        match statement {
            Some(statement) => statement.position(position),
            None => Some(position),
        }
    }

    /// Whether errors and notices that come for it must be cleaned.
    pub fn is_guarded(&self) -> bool {
        match self {
            Self::Query(running) | Self::Execute(running) | Self::Refused(running) => running.guarded,
            Self::Parse { statement, .. } => statement.is_guarded(),
            Self::Bind { statement, .. } | Self::Describe { statement, .. } => {
                statement.as_ref().is_none_or(|statement| statement.is_guarded())
            }
            Self::Estimate { .. } | Self::Failing => true,
            Self::Close { .. } | Self::Sync | Self::CopyEnd => false,
        }
    }
}

/// The queue.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about what the server was sent")]
pub struct Pending {
    queue: VecDeque<Owed>,
    skipping: bool,
    // Something was sent since the last Sync or Query.
    unsynced: bool,
    // Statements owed whose effects the next decision depends on.
    barriers: usize,
    copy_open: bool,
    // A Sync that came while COPY data were read: the server passes over it, unless it has given the COPY up by then.
    held_sync: bool,
    failed: bool,
    // A statement of the batch that is being answered was cut off and came to its own end all the same.
    late: bool,
    status: u8,
}

impl Default for Pending {
    fn default() -> Self {
        Self {
            queue: VecDeque::new(),
            skipping: false,
            unsynced: false,
            barriers: 0,
            copy_open: false,
            held_sync: false,
            failed: false,
            late: false,
            status: b'I',
        }
    }
}

impl Pending {
    /// Transaction status of the last ReadyForQuery: `I`, `T` or `E`.
    pub fn status(&self) -> u8 {
        self.status
    }

    /// Replies owed.
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Whether nothing is owed.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether nothing is owed and no transaction is open, also none that the next Sync would end.
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty() && !self.unsynced && self.status == b'I'
    }

    /// Whether something was sent since the last Sync or Query, which the server need not answer before a Flush.
    pub fn is_unsynced(&self) -> bool {
        self.unsynced
    }

    /// Whether something is owed whose outcome the next decision depends on.
    pub fn has_barrier(&self) -> bool {
        self.barriers > 0 || self.late
    }

    /// Whether the server passes over what is sent until the next Sync.
    pub fn is_skipping(&self) -> bool {
        self.skipping
    }

    /// Whether an error ended the batch that is being answered.
    pub fn has_failed(&self) -> bool {
        self.failed
    }

    /// Whether the server waits for COPY data, and their end was not sent.
    pub fn is_copy_open(&self) -> bool {
        self.copy_open
    }

    /// A message was sent. Gives it back where it is not owed a reply.
    pub fn push(&mut self, owed: Owed) -> Option<Owed> {
        match owed {
            Owed::Sync => (self.skipping, self.unsynced) = (false, false),
            Owed::CopyEnd if self.copy_open => {
                self.copy_open = false;
                self.held_sync = false;
                return None;
            }
            _ if self.skipping => return Some(owed),
            Owed::Query(_) | Owed::CopyEnd | Owed::Failing | Owed::Estimate { whole: true } => {}
            _ => self.unsynced = true,
        }
        self.barriers += usize::from(owed.is_barrier());
        self.queue.push_back(owed);
        None
    }

    /// A Sync came while the server waits for COPY data: it is kept back, and sent if the COPY fails.
    pub fn hold_sync(&mut self) {
        self.held_sync = true;
    }

    /// The reply that is owed next.
    pub fn front(&mut self) -> Option<&mut Owed> {
        // The server says nothing about these.
        while matches!(self.queue.front(), Some(Owed::CopyEnd)) {
            self.queue.pop_front();
        }
        self.queue.front_mut()
    }

    /// All that is owed, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Owed> {
        self.queue.iter()
    }

    /// The statement under way that a limit could stop.
    pub fn watched(&mut self) -> Option<&mut Watch> {
        self.queue.iter_mut().filter_map(Owed::running).find_map(|running| running.watch.as_deref_mut())
    }

    /// Whether the planner has been asked something and has not answered.
    pub fn is_estimating(&self) -> bool {
        self.queue.iter().any(|owed| matches!(owed, Owed::Estimate { .. }))
    }

    /// Whether a statement is under way.
    pub fn is_running(&self) -> bool {
        self.queue.iter().any(|owed| owed.as_running().is_some())
    }

    /// The reply owed next was given in full.
    pub fn answered(&mut self) -> Option<Owed> {
        self.front();
        let answered = self.queue.pop_front();
        self.barriers -= usize::from(answered.as_ref().is_some_and(Owed::is_barrier));
        if self.queue.is_empty() && self.queue.capacity() > 64 {
            self.queue = VecDeque::new();
        }
        answered
    }

    /// ReadyForQuery: gives what it ended.
    pub fn ready(&mut self, status: u8) -> Option<Owed> {
        match self.front() {
            Some(Owed::Query(_) | Owed::Sync | Owed::Failing | Owed::Estimate { whole: true }) => {}
            _ => return None,
        }
        self.status = status;
        self.failed = false;
        self.copy_open = false;
        self.answered()
    }

    /// A statement that was cut off came to its own end.
    pub fn end_late(&mut self) {
        self.late = true;
    }

    /// To be asked behind each ReadyForQuery: whether a transaction is open that has to fail, as the client was told. The
    /// text that does it is owed from now on.
    pub fn must_fail(&mut self) -> bool {
        let must_fail = std::mem::take(&mut self.late) && self.status == b'T';
        if must_fail {
            self.barriers += 1;
            self.queue.push_front(Owed::Failing);
        }
        must_fail
    }

    /// An error for what is owed next: gives what will not be answered any more, and whether a Sync that was held back
    /// must be sent now.
    pub fn fail(&mut self) -> (Vec<Owed>, bool) {
        self.failed = true;
        let must_sync = std::mem::take(&mut self.held_sync);
        self.copy_open = false;
        if matches!(self.front(), None | Some(Owed::Query(_) | Owed::Failing | Owed::Sync)) {
            return (Vec::new(), false);
        }
        let end = self.queue.iter().position(|owed| matches!(owed, Owed::Sync));
        let dropped: Vec<Owed> = self.queue.drain(..end.unwrap_or(self.queue.len())).collect();
        self.barriers -= dropped.iter().filter(|owed| owed.is_barrier()).count();
        self.skipping = end.is_none();
        (dropped, must_sync)
    }

    /// CopyInResponse for what is owed next: gives the message that came in the place of data, if one did.
    pub fn copy_in(&mut self) -> Result<Option<Owed>, NoCopy> {
        let Some(Owed::Query(running) | Owed::Execute(running)) = self.front() else { return Err(NoCopy) };
        running.copying = true;
        self.copy_open = true;
        // Index 0 is the COPY itself.
        while let Some(next) = self.queue.get(1) {
            let is_sync = matches!(next, Owed::Sync);
            let passed_over = self.queue.remove(1);
            self.barriers -= usize::from(passed_over.as_ref().is_some_and(Owed::is_barrier));
            if !is_sync {
                self.copy_open = false;
                return Ok(passed_over);
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running() -> Running {
        Running::new(Sequence::default(), Instant::now())
    }

    fn query() -> Owed {
        Owed::Query(Box::new(running()))
    }

    fn execute() -> Owed {
        Owed::Execute(Box::new(running()))
    }

    fn close() -> Owed {
        Owed::Close { target: Target::Portal, name: Name::default(), visible: true }
    }

    fn pending(owed: impl IntoIterator<Item = Owed>) -> Pending {
        let mut pending = Pending::default();
        for owed in owed {
            pending.push(owed);
        }
        pending
    }

    #[test]
    fn an_error_drops_up_to_the_next_sync() {
        let mut p = pending([close(), execute(), Owed::Sync, close(), Owed::Sync]);
        assert_eq!(p.fail().0.len(), 2);
        assert!(!p.is_skipping());
        assert!(matches!(p.ready(b'I'), Some(Owed::Sync)));
        assert!(matches!(p.answered(), Some(Owed::Close { .. })));
        assert_eq!(p.len(), 1);
    }

    #[test]
    fn without_a_sync_what_follows_is_skipped() {
        let mut p = pending([close()]);
        p.fail();
        assert!(p.is_skipping() && !p.is_idle());
        assert!(p.push(close()).is_some());
        assert!(p.push(query()).is_some());
        assert!(p.push(Owed::Sync).is_none());
        assert!(!p.is_skipping());
        assert!(p.ready(b'E').is_some());
        assert_eq!(p.status(), b'E');
    }

    #[test]
    fn an_error_of_a_query_waits_for_ready() {
        let mut p = pending([query(), query()]);
        assert!(p.fail().0.is_empty());
        assert!(p.has_failed());
        assert!(matches!(p.ready(b'I'), Some(Owed::Query(_))));
        assert!(!p.has_failed());
        assert_eq!(p.len(), 1);
    }

    #[test]
    fn an_error_at_sync_itself_keeps_it() {
        let mut p = pending([Owed::Sync, close()]);
        assert!(p.fail().0.is_empty());
        assert!(p.ready(b'I').is_some());
    }

    #[test]
    fn effects_are_barriers_until_they_are_answered_or_dropped() {
        let with_effect = || {
            let mut running = running();
            running.effects = Arc::from([Effect::None, Effect::Ddl]);
            running
        };
        let mut p = pending([Owed::Execute(Box::new(with_effect()))]);
        assert!(p.has_barrier() && p.is_unsynced());
        p.answered();
        assert!(!p.has_barrier() && !p.is_idle());
        p.push(Owed::Execute(Box::new(with_effect())));
        p.push(Owed::Sync);
        p.fail();
        assert!(!p.has_barrier());
        p.ready(b'I');
        assert!(p.is_idle());
    }

    #[test]
    fn ready_out_of_turn_is_noticed() {
        assert!(pending([close()]).ready(b'I').is_none());
        assert!(pending([]).ready(b'I').is_none());
    }

    #[test]
    fn a_transaction_with_a_statement_that_was_cut_off_late_has_to_fail() {
        let mut p = pending([execute(), Owed::Sync]);
        p.end_late();
        p.fail();
        assert!(p.has_barrier() && !p.is_skipping());
        assert!(p.ready(b'T').is_some());
        assert!(p.must_fail() && p.has_barrier());
        assert!(matches!(p.front(), Some(Owed::Failing)));
        assert!(p.fail().0.is_empty());
        assert!(matches!(p.ready(b'E'), Some(Owed::Failing)));
        assert!(!p.must_fail() && !p.has_barrier() && p.is_empty());
        // Without a transaction there is nothing to fail.
        p.push(query());
        p.end_late();
        assert!(p.ready(b'I').is_some() && !p.must_fail() && !p.has_barrier());
    }

    #[test]
    fn syncs_sent_ahead_of_copy_data_are_passed_over() {
        let mut p = pending([execute(), Owed::Sync]);
        assert!(p.copy_in().is_ok());
        assert_eq!(p.len(), 1);
        assert!(p.is_copy_open());
        p.push(Owed::CopyEnd);
        assert!(!p.is_copy_open());
        p.push(Owed::Sync);
        assert!(matches!(p.answered(), Some(Owed::Execute(_))));
        assert!(p.ready(b'I').is_some());
    }

    #[test]
    fn a_copy_sent_in_one_go_keeps_what_follows() {
        let mut p = pending([query(), Owed::CopyEnd, query()]);
        assert!(p.copy_in().is_ok());
        assert!(!p.is_copy_open());
        assert!(p.ready(b'I').is_some());
        assert!(p.ready(b'I').is_some());
    }

    #[test]
    fn a_copy_that_never_began_leaves_only_marks() {
        let mut p = pending([query(), Owed::CopyEnd, query()]);
        p.fail();
        assert!(p.ready(b'I').is_some());
        assert!(matches!(p.ready(b'I'), Some(Owed::Query(_))));
    }

    #[test]
    fn a_sync_held_back_is_sent_when_the_copy_fails() {
        let mut p = pending([execute()]);
        p.copy_in().unwrap();
        p.hold_sync();
        let (dropped, must_sync) = p.fail();
        assert_eq!(dropped.len(), 1);
        assert!(must_sync && p.is_skipping());
    }
}
