//! The one writer of a log: records in memory, one `write` for all that wait, segments, failure and return.
//!
//! Two locks, always taken in this order: `file` (who writes) and `front` (who makes a record; held for about a
//! microsecond). A session that makes a record never waits for the disk.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime};

use super::chain::Link;
use super::front::{Breakage, Front};
use super::json::{push_field, push_name, push_number_field, push_strings};
use super::record::Sequence;
use super::recovery::Former;
use super::segment::{self, OpenSegment, SegmentName};
use super::settings::{Durability, OnFailure, Settings};
use super::sync::{Progress, Synchroniser, lock};
use super::timestamp::rfc3339;
use super::{Status, Unavailable};

/// A thread that makes records faster than it sleeps writes them when so many bytes wait.
const HIGH_WATER: usize = 1 << 20;
/// A segment holds more than its first record, whatever the settings say.
const SMALLEST: u64 = 4 << 10;
/// How often writing is tried again.
const RETRY: Duration = Duration::from_millis(200);
/// How long a disk that failed is left alone beyond that.
const RETRY_DISK: Duration = Duration::from_secs(2);
/// How often it is looked whether the file is still at its place.
const LOOK: Duration = Duration::from_secs(1);

/// An open log.
#[derive(Debug)]
pub struct Log {
    pub(super) settings: Settings,
    node: String,
    front: Mutex<Front>,
    file: Mutex<Writer>,
    pub(super) progress: Arc<Progress>,
}

/// Where records are written.
#[derive(Debug)]
struct Writer {
    queue: VecDeque<Chunk>,
    spare: Vec<u8>,
    current: Option<OpenSegment>,
    /// The segment begun last.
    former: Option<SegmentName>,
    /// Held for as long as the log is open.
    lock: Option<File>,
    retry_at: Instant,
    look_at: Instant,
    synchroniser: Option<Synchroniser>,
    /// Segments to be removed once the record that says so is written.
    retired: Vec<PathBuf>,
}

/// Records that are written together.
#[derive(Debug)]
struct Chunk {
    bytes: Vec<u8>,
    /// The last record in it.
    last: u64,
    /// The segment that it begins.
    begins: Option<SegmentName>,
}

/// A segment that is gone from its place.
struct Lost {
    why: &'static str,
    /// Records that may be gone with it; they are written again inside the next segment.
    records: Vec<u8>,
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
        let writer = Writer {
            queue: VecDeque::new(),
            spare: Vec::new(),
            current: None,
            former: former.map(|former| former.segment.clone()),
            lock: Some(lock),
            retry_at: now,
            look_at: now + LOOK,
            synchroniser,
            retired: Vec::new(),
        };
        let front = Front::after(last);
        let log =
            Self { settings, node: node.to_owned(), front: Mutex::new(front), file: Mutex::new(writer), progress };
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

    fn append(&self, front: &mut Front, kind: &str, fields: impl FnOnce(&mut Vec<u8>)) -> u64 {
        let sequence = front.chain.append(SystemTime::now(), kind, fields);
        self.progress.made.store(sequence, Ordering::Release);
        sequence
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
        let mut writer = lock(&self.file);
        let now = Instant::now();
        if let Some(reason) = progress.take_sync_error() {
            // What the old segment got may not be there; nothing more is written to it.
            writer.current = None;
            self.begin_segment(&mut writer, None);
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
            || (self.settings.on_failure == OnFailure::Continue && self.progress.broken.load(Ordering::Acquire))
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

    /// Writes all records that there are, beginning segments as needed; a record of the gap when a failure is over.
    fn write_all(&self, writer: &mut Writer, now: Instant) -> io::Result<()> {
        loop {
            self.collect(writer);
            while let Some(chunk) = writer.queue.front_mut() {
                if let Some(name) = &chunk.begins {
                    let segment = OpenSegment::begin(&self.settings.dir, &mut writer.lock, name.clone(), now)?;
                    self.announce(writer, segment);
                }
                self.write_chunk(writer)?;
            }
            if writer.is_at_its_end(&self.settings, now) {
                self.begin_segment(writer, None);
                self.retire(writer);
                continue;
            }
            if writer.has_moved(now) {
                self.begin_segment(writer, Some(Lost { why: "moved or removed", records: Vec::new() }));
                continue;
            }
            if !self.end_breakage() {
                break;
            }
        }
        for path in writer.retired.drain(..) {
            if let Err(error) = std::fs::remove_file(&path) {
                tracing::warn!(path = %path.display(), %error, "an old audit segment cannot be removed");
            }
        }
        Ok(())
    }

    /// Takes the records made meanwhile.
    fn collect(&self, writer: &mut Writer) {
        let mut front = lock(&self.front);
        if front.chain.waiting() > 0 {
            let last = front.chain.last().sequence;
            let bytes = front.chain.take(std::mem::take(&mut writer.spare));
            front.taken += bytes.len();
            writer.queue.push_back(Chunk { bytes, last, begins: None });
        }
    }

    /// Makes the header of a new segment the next record, and lets it begin the file.
    fn begin_segment(&self, writer: &mut Writer, gone: Option<Lost>) {
        let now = SystemTime::now();
        let mut front = lock(&self.front);
        let before = front.chain.last();
        let left = front.chain.take(Vec::new());
        front.taken += left.len();
        let name = SegmentName::new(now, before.sequence + 1);
        let former = writer.former.clone();
        front.chain.append(now, "segment", |out| {
            push_field(out, "segment", name.as_str());
            push_field(out, "node", &self.node);
            push_field(out, "version", env!("CARGO_PKG_VERSION"));
            if let Some(former) = &former {
                push_field(out, "after", former.as_str());
            }
        });
        if let Some(lost) = gone {
            let queued = writer.queue.drain(..).map(|chunk| chunk.bytes);
            let records: Vec<u8> = [lost.records].into_iter().chain(queued).chain([left]).flatten().collect();
            front.taken = 0;
            front.chain.append(now, "lost", |out| {
                push_field(out, "segment", former.as_ref().map_or("", SegmentName::as_str));
                push_field(out, "reason", lost.why);
                push_records(out, &records);
            });
        } else if !left.is_empty() {
            writer.queue.push_back(Chunk { bytes: left, last: before.sequence, begins: None });
        }
        let newest = front.chain.last().sequence;
        let bytes = front.chain.take(Vec::new());
        front.taken += bytes.len();
        self.progress.made.store(newest, Ordering::Release);
        drop(front);
        writer.queue.push_back(Chunk { bytes, last: newest, begins: Some(name) });
    }

    /// Puts a segment that was just made into use.
    fn announce(&self, writer: &mut Writer, segment: OpenSegment) {
        let last = lock(&self.front).chain.last();
        let anchor = format!("{}:{}", last.sequence, last.hash_text());
        tracing::info!(segment = segment.name.as_str(), anchor, "audit segment begun");
        let reached = self.progress.written.load(Ordering::Acquire);
        if let Some(synchroniser) = &writer.synchroniser {
            if let Some(former) = &writer.current {
                synchroniser.request(&former.file, reached);
            }
            // The folder, so that the file's name survives too.
            if let Ok(dir) = File::open(&self.settings.dir) {
                synchroniser.request(&Arc::new(dir), reached);
            }
        }
        writer.former = Some(segment.name.clone());
        writer.current = Some(segment);
        if let Some(chunk) = writer.queue.front_mut() {
            chunk.begins = None;
        }
    }

    /// Writes the first chunk of the queue and says so; if its file is gone, makes the records part of a new one.
    fn write_chunk(&self, writer: &mut Writer) -> io::Result<()> {
        let (Some(chunk), Some(segment)) = (writer.queue.front(), writer.current.as_mut()) else {
            return Err(io::Error::other("no segment is open"));
        };
        segment.write(&chunk.bytes)?;
        let is_removed = segment::is_removed(&segment.file);
        let Some(mut chunk) = writer.queue.pop_front() else { return Ok(()) };
        if is_removed {
            let records = chunk.bytes;
            self.begin_segment(writer, Some(Lost { why: "removed", records }));
            return Ok(());
        }
        self.progress.bytes.fetch_add(chunk.bytes.len() as u64, Ordering::Relaxed);
        let mut front = lock(&self.front);
        front.taken = front.taken.saturating_sub(chunk.bytes.len());
        drop(front);
        self.progress.written.store(chunk.last, Ordering::Release);
        match &writer.synchroniser {
            Some(synchroniser) => synchroniser.request(&segment_file(writer.current.as_ref())?, chunk.last),
            None => self.progress.set_safe(chunk.last),
        }
        if chunk.bytes.capacity() <= HIGH_WATER * 2 {
            chunk.bytes.clear();
            writer.spare = chunk.bytes;
        }
        Ok(())
    }

    /// Makes the record of a failure that is over. Gives whether there was one.
    fn end_breakage(&self) -> bool {
        let mut front = lock(&self.front);
        let Some(breakage) = front.breakage.take() else {
            return false;
        };
        let now = SystemTime::now();
        let sequence = front.chain.append(now, "gap", |out| {
            push_field(out, "reason", &breakage.reason);
            push_field(out, "since", &rfc3339(breakage.since));
            push_number_field(out, "refused", breakage.refused);
            push_number_field(out, "dropped", breakage.dropped);
        });
        self.progress.made.store(sequence, Ordering::Release);
        drop(front);
        self.progress.set_broken(false);
        tracing::warn!(refused = breakage.refused, dropped = breakage.dropped, "the audit log can be written again");
        true
    }

    /// Makes a record for each segment that is old enough to be removed.
    fn retire(&self, writer: &mut Writer) {
        let (Some(retain), Some(current)) = (self.settings.retain, &writer.current) else { return };
        let Some(limit) = SystemTime::now().checked_sub(retain) else { return };
        let old = segment::written_before(&self.settings.dir, limit, &current.name).unwrap_or_default();
        let mut front = lock(&self.front);
        for (name, path) in old {
            self.append(&mut front, "retired", |out| push_field(out, "segment", name.as_str()));
            writer.retired.push(path);
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.flush();
    }
}

impl Writer {
    fn is_at_its_end(&self, settings: &Settings, now: Instant) -> bool {
        self.current.as_ref().is_some_and(|segment| {
            segment.length >= settings.max_segment_size.max(SMALLEST)
                || now.duration_since(segment.begun) >= settings.max_segment_age.max(LOOK)
        })
    }

    /// Whether the file is no longer at its place; looked at once a second.
    fn has_moved(&mut self, now: Instant) -> bool {
        if now < self.look_at {
            return false;
        }
        self.look_at = now + LOOK;
        self.current.as_ref().is_some_and(|segment| segment::is_elsewhere(&segment.file, &segment.path))
    }
}

fn segment_file(segment: Option<&OpenSegment>) -> io::Result<Arc<File>> {
    segment.map(|segment| Arc::clone(&segment.file)).ok_or_else(|| io::Error::other("no segment is open"))
}

/// Appends record lines as a list of records.
fn push_records(out: &mut Vec<u8>, lines: &[u8]) {
    push_name(out, "records");
    out.push(b'[');
    for (index, line) in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(line);
    }
    out.push(b']');
}
