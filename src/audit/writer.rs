//! The file side of a log: one `write` for all records that wait, segment after segment.
//!
//! Everything here runs with the log's `file` lock held.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

use super::json::{push_field, push_name, push_number_field};
use super::log::{HIGH_WATER, Log};
use super::recovery::Former;
use super::segment::{self, OpenSegment, SegmentName};
use super::settings::Settings;
use super::sync::{Synchroniser, lock};
use super::timestamp::rfc3339;

/// A segment holds more than its first record, whatever the settings say.
const SMALLEST: u64 = 4 << 10;
/// How often it is looked whether the file is still at its place.
const LOOK: Duration = Duration::from_secs(1);

/// Where records are written.
#[derive(Debug)]
pub struct Writer {
    queue: VecDeque<Chunk>,
    spare: Vec<u8>,
    pub current: Option<OpenSegment>,
    /// The segment begun last.
    former: Option<SegmentName>,
    /// Held for as long as the log is open.
    pub lock: Option<File>,
    pub retry_at: Instant,
    look_at: Instant,
    pub synchroniser: Option<Synchroniser>,
    /// Segments to be removed once the record that says so is written.
    retired: Vec<PathBuf>,
}

/// Records that are written together.
#[derive(Debug)]
pub struct Chunk {
    bytes: Vec<u8>,
    /// The last record in it.
    last: u64,
    /// The segment that it begins.
    begins: Option<SegmentName>,
}

/// A segment that is gone from its place.
pub struct Lost {
    /// What happened to it.
    pub why: &'static str,
    /// Records that may be gone with it; they are written again inside the next segment.
    pub records: Vec<u8>,
}

impl Log {
    /// Writes all records that there are, beginning segments as needed; a record of the gap when a failure is over.
    pub(super) fn write_all(&self, writer: &mut Writer, now: Instant) -> io::Result<()> {
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
    pub(super) fn begin_segment(&self, writer: &mut Writer, gone: Option<Lost>) {
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

impl Writer {
    /// Nothing is written yet; the next segment comes after that of a former run.
    pub fn after(former: Option<&Former>, lock: File, synchroniser: Option<Synchroniser>, now: Instant) -> Self {
        Self {
            queue: VecDeque::new(),
            spare: Vec::new(),
            current: None,
            former: former.map(|former| former.segment.clone()),
            lock: Some(lock),
            retry_at: now,
            look_at: now + LOOK,
            synchroniser,
            retired: Vec::new(),
        }
    }

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
