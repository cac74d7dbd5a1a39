//! An open log: records made in order by all sessions, written together, refused while they cannot be written.
//!
//! Two locks, always taken in this order: `file` (who writes) and `front` (who makes a record; held for about a
//! microsecond). A session that makes a record never waits for the disk.

use std::fs::File;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::time::{Duration, Instant, SystemTime};

use super::chain::Link;
use super::front::{Breakage, Front};
use super::json::{push_field, push_name, push_number_field, push_strings};
use super::record::Sequence;
use super::recovery::Former;
use super::settings::{Durability, OnFailure, Settings};
use super::sync::{Progress, Synchroniser, lock};
use super::writer::{Lost, Writer};
use super::{Status, Unavailable};

/// A thread that makes records faster than it sleeps writes them when so many bytes wait.
pub(super) const HIGH_WATER: usize = 1 << 20;
/// How often writing is tried again.
const RETRY: Duration = Duration::from_millis(200);
/// How long a disk that failed is left alone beyond that.
const RETRY_DISK: Duration = Duration::from_secs(2);

/// An open log.
#[derive(Debug)]
pub struct Log {
    pub(super) settings: Settings,
    pub(super) node: String,
    pub(super) front: Mutex<Front>,
    file: Mutex<Writer>,
    pub(super) progress: Arc<Progress>,
}

impl Log {
    /// Goes on after a former run, or begins.
    pub fn open(settings: Settings, node: &str, lock: File, former: Option<&Former>) -> io::Result<Self> {
        let progress = Arc::new(Progress::default());
        let synchroniser = match settings.durability {
            Durability::Os => None,
            Durability::Disk => Some(Synchroniser::start(Arc::clone(&progress))?),
        };
        let last = former.map_or(Link::START, |former| former.last);
        for reached in [&progress.made, &progress.written, &progress.safe] {
            reached.store(last.sequence, Ordering::Release);
        }
        let now = Instant::now();
        let writer = Writer::after(former, lock, synchroniser, now);
        let (front, file) = (Mutex::new(Front::after(last)), Mutex::new(writer));
        let log = Self { settings, node: node.to_owned(), front, file, progress };
        log.begin(former)?;
        Ok(log)
    }

    /// Makes a record that must be, before something runs.
    pub fn require(&self, kind: &str, fields: impl FnOnce(&mut Vec<u8>)) -> Result<Sequence, Unavailable> {
        if self.progress.broken.load(Ordering::Acquire) {
            self.flush();
        }
        let mut front = lock(&self.front);
        if front.stopped {
            return Err(Unavailable { reason: Arc::from("it is closed") });
        }
        let full = front.is_full();
        if let Some(breakage) = &mut front.breakage {
            match self.settings.on_failure {
                OnFailure::Refuse => {
                    breakage.refused += 1;
                    let reason = Arc::clone(&breakage.reason);
                    front.counts.refused += 1;
                    return Err(Unavailable { reason });
                }
                OnFailure::Continue if full => {
                    breakage.dropped += 1;
                    front.counts.dropped += 1;
                    return Ok(Sequence::default());
                }
                OnFailure::Continue => {}
            }
        }
        let sequence = self.append(&mut front, kind, fields);
        self.progress.required.store(sequence, Ordering::Release);
        self.relieve(front);
        Ok(Sequence(sequence))
    }

    /// Makes a record of something that has happened already.
    pub fn note(&self, kind: &str, fields: impl FnOnce(&mut Vec<u8>)) {
        let mut front = lock(&self.front);
        let full = front.is_full();
        if front.stopped {
            return;
        }
        if let (true, Some(breakage)) = (full, &mut front.breakage) {
            breakage.dropped += 1;
            front.counts.dropped += 1;
            return;
        }
        self.append(&mut front, kind, fields);
        self.relieve(front);
    }

    /// Makes a record, whatever the state of the log.
    pub(super) fn append(&self, front: &mut Front, kind: &str, fields: impl FnOnce(&mut Vec<u8>)) -> u64 {
        let sequence = front.chain.append(SystemTime::now(), kind, fields);
        self.progress.made.store(sequence, Ordering::Release);
        sequence
    }

    /// Why records cannot be written, where statements run all the same.
    pub fn goes_on_without(&self) -> Option<Arc<str>> {
        let goes_on = self.settings.on_failure == OnFailure::Continue && self.progress.broken.load(Ordering::Acquire);
        goes_on.then(|| self.reason())
    }

    /// Writes when much waits, so that memory stays bounded however busy the threads are.
    fn relieve(&self, front: MutexGuard<'_, Front>) {
        let is_much = front.chain.waiting() > HIGH_WATER && front.breakage.is_none();
        drop(front);
        if is_much {
            self.flush();
        }
    }

    /// Writes what waits.
    pub fn flush(&self) {
        let progress = &self.progress;
        let broken = progress.broken.load(Ordering::Acquire);
        if !broken && progress.written.load(Ordering::Acquire) >= progress.made.load(Ordering::Acquire) {
            return;
        }
        self.write_waiting(lock(&self.file));
    }

    /// Writes what waits if something waits for it, unless another thread is writing.
    pub fn flush_required(&self) {
        let progress = &self.progress;
        if progress.written.load(Ordering::Acquire) >= progress.required.load(Ordering::Acquire) {
            return;
        }
        match self.file.try_lock() {
            Ok(writer) => self.write_waiting(writer),
            Err(TryLockError::Poisoned(error)) => self.write_waiting(error.into_inner()),
            Err(TryLockError::WouldBlock) => {}
        }
    }

    fn write_waiting(&self, mut writer: MutexGuard<'_, Writer>) {
        let progress = &self.progress;
        let broken = progress.broken.load(Ordering::Acquire);
        let now = Instant::now();
        if let Some(reason) = progress.take_sync_error() {
            // What the old segment got may not be there; nothing more is written to it.
            writer.current = None;
            self.begin_segment(&mut writer, Some(Lost { why: "its disk failed", records: Vec::new() }));
            self.break_off(&mut writer, now + RETRY_DISK, &reason);
            return;
        }
        if broken && now < writer.retry_at {
            return;
        }
        if let Err(error) = self.write_all(&mut writer, now) {
            self.break_off(&mut writer, now, &format!("{}: {error}", self.settings.dir.display()));
        }
    }

    /// Waits until a record is safe, or until it is known that it cannot be.
    pub async fn written(&self, sequence: Sequence) -> Result<(), Unavailable> {
        loop {
            let changed = self.progress.changed.notified();
            self.flush();
            if self.progress.is_safe(sequence.0) {
                return Ok(());
            }
            if self.progress.broken.load(Ordering::Acquire) {
                return match self.settings.on_failure {
                    OnFailure::Continue => Ok(()),
                    OnFailure::Refuse => Err(Unavailable { reason: self.reason() }),
                };
            }
            changed.await;
        }
    }

    /// Whether a session may go on after a record; see [`super::Audit::is_written`].
    pub fn is_written(&self, sequence: Sequence) -> bool {
        self.progress.is_safe(sequence.0)
            || self.progress.broken.load(Ordering::Acquire) && self.settings.on_failure == OnFailure::Continue
    }

    /// The last record: nothing is recorded after it. Returns when all is as safe as is asked for.
    pub fn stop(&self) {
        let mut front = lock(&self.front);
        if std::mem::replace(&mut front.stopped, true) {
            return;
        }
        let sequence = front.chain.append(SystemTime::now(), "stopped", |_| {});
        self.progress.made.store(sequence, Ordering::Release);
        drop(front);
        self.flush();
        let mut writer = lock(&self.file);
        writer.synchroniser = None;
        writer.lock = None;
    }

    /// How the log fares.
    pub fn status(&self) -> Status {
        let front = lock(&self.front);
        let (counts, waiting) = (front.counts, front.chain.waiting() + front.taken);
        let broken = front.breakage.as_ref().map(|breakage| Arc::clone(&breakage.reason));
        let last = front.chain.last();
        drop(front);
        Status {
            last: last.sequence,
            last_hash: last.hash_text(),
            written: self.progress.written.load(Ordering::Acquire),
            waiting_bytes: waiting as u64,
            written_bytes: self.progress.bytes.load(Ordering::Relaxed),
            refused: counts.refused,
            dropped: counts.dropped,
            failures: counts.failures,
            broken,
        }
    }

    fn begin(&self, former: Option<&Former>) -> io::Result<()> {
        let mut writer = lock(&self.file);
        self.begin_segment(&mut writer, None);
        if let Some(former) = former.filter(|former| !former.stopped) {
            self.append(&mut lock(&self.front), "recovered", |out| {
                push_field(out, "segment", former.segment.as_str());
                push_number_field(out, "last", former.last.sequence);
                push_number_field(out, "bytes_cut", former.cut.iter().map(|cut| cut.bytes).sum());
                if !former.cut.is_empty() {
                    push_name(out, "kept_as");
                    push_strings(out, former.cut.iter().map(|cut| cut.kept_as.as_str()));
                }
            });
        }
        self.append(&mut lock(&self.front), "started", |out| {
            push_field(out, "node", &self.node);
            push_field(out, "version", env!("CARGO_PKG_VERSION"));
            push_number_field(out, "pid", u64::from(std::process::id()));
        });
        self.write_all(&mut writer, Instant::now())
    }

    fn reason(&self) -> Arc<str> {
        lock(&self.front)
            .breakage
            .as_ref()
            .map_or_else(|| Arc::from("not known"), |breakage| Arc::clone(&breakage.reason))
    }

    /// Notes that records cannot be written, for every session to see.
    fn break_off(&self, writer: &mut Writer, now: Instant, reason: &str) {
        writer.retry_at = now + RETRY;
        let mut front = lock(&self.front);
        front.counts.failures += 1;
        let is_new = front.breakage.is_none();
        let breakage = front.breakage.get_or_insert_with(|| Breakage::begin(SystemTime::now()));
        breakage.reason = Arc::from(reason);
        drop(front);
        if is_new {
            tracing::error!(reason, "the audit log cannot be written");
        }
        self.progress.set_broken(true);
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.flush();
    }
}
