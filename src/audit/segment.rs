//! The folder of the audit log: segment files by name, the lock that keeps a second writer out.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::timestamp::compact;

const LOCK: &str = "audit.lock";
/// `sekisho audit verify` holds a shared lock for an instant to see whether a proxy runs.
const LOCK_TRIES: u32 = 10;

/// The name of a segment file: `audit-20260131T081530-000000000001.jsonl`, with the time when it was begun and the
/// sequence number of its first record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentName {
    name: String,
    first: u64,
}

impl SegmentName {
    /// Names a segment begun now.
    pub fn new(now: SystemTime, first: u64) -> Self {
        Self { name: format!("audit-{}-{first:012}.jsonl", compact(now)), first }
    }

    /// Reads a file's name; `None` when the file is no segment.
    pub fn read(name: &str) -> Option<Self> {
        let (time, first) = name.strip_prefix("audit-")?.strip_suffix(".jsonl")?.split_once('-')?;
        let is_time = time.len() == 15 && time.bytes().all(|c| c.is_ascii_digit() || c == b'T');
        is_time.then_some(())?;
        Some(Self { name: name.to_owned(), first: first.parse().ok()? })
    }

    /// The file's name.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The sequence number of its first record.
    pub fn first(&self) -> u64 {
        self.first
    }
}

/// The segment file that is being written.
#[derive(Debug)]
pub struct OpenSegment {
    /// Open for appending.
    pub file: Arc<File>,
    /// Where it was made.
    pub path: PathBuf,
    /// Its name.
    pub name: SegmentName,
    /// Where its whole records end.
    pub length: u64,
    /// A failed write may have left bytes after `length`.
    torn: bool,
    /// When it was begun.
    pub begun: Instant,
}

impl OpenSegment {
    /// Begins a segment file, making the folder and taking its lock again where they are gone.
    pub fn begin(dir: &Path, held: &mut Option<File>, name: SegmentName, now: Instant) -> io::Result<Self> {
        if held.as_ref().is_none_or(is_removed) {
            *held = None;
            *held = Some(claim(dir)?);
        }
        let path = dir.join(name.as_str());
        let file = Arc::new(create(&path)?);
        Ok(Self { file, path, name, length: 0, torn: false, begun: now })
    }

    /// Writes whole records or nothing.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.torn {
            self.file.set_len(self.length)?;
            self.torn = false;
        }
        if let Err(error) = (&*self.file).write_all(bytes) {
            self.torn = self.file.set_len(self.length).is_err();
            return Err(error);
        }
        self.length += bytes.len() as u64;
        Ok(())
    }
}

/// The segments of a folder in the order of their records.
pub fn list(dir: &Path) -> io::Result<Vec<SegmentName>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        names.extend(entry?.file_name().to_str().and_then(SegmentName::read));
    }
    names.sort_by(|a, b| (a.first, &a.name).cmp(&(b.first, &b.name)));
    Ok(names)
}

/// What a crash or [`super::recovery`] left: the cut-off ends of segments.
pub fn list_partial(dir: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        names.extend(name.ends_with(".partial").then_some(name));
    }
    names.sort();
    Ok(names)
}

/// Makes the folder, for this user and group alone, and takes its lock. The lock lasts as long as the file is open.
pub fn claim(dir: &Path) -> io::Result<File> {
    DirBuilder::new().recursive(true).mode(0o750).create(dir)?;
    let path = dir.join(LOCK);
    let lock = OpenOptions::new().create(true).write(true).truncate(false).mode(0o640).open(path)?;
    for _ in 0..LOCK_TRIES {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(50)),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::ResourceBusy, "another sekisho writes its audit log here"))
}

/// Whether a proxy is writing this folder now.
pub fn is_claimed(dir: &Path) -> bool {
    let Ok(lock) = File::open(dir.join(LOCK)) else { return false };
    matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock))
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create_new(true).mode(0o640).open(path)
}

/// Whether a file was removed from its folder while it was open.
pub fn is_removed(file: &File) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.nlink() == 0)
}

/// Whether the file open as `file` is no longer the one at `path`.
pub fn is_elsewhere(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) != (named.dev(), named.ino()),
        (Ok(_), Err(error)) => error.kind() == io::ErrorKind::NotFound,
        (Err(_), _) => false,
    }
}

/// The segments of a folder that were last written before a point in time, but for `current`.
pub fn written_before(dir: &Path, limit: SystemTime, current: &SegmentName) -> io::Result<Vec<(SegmentName, PathBuf)>> {
    let mut old = Vec::new();
    for name in list(dir)? {
        let path = dir.join(name.as_str());
        let is_old = std::fs::metadata(&path)?.modified()? < limit;
        // Only a beginning of the chain is removed, so that what is left has no hole.
        if !is_old || name == *current {
            break;
        }
        old.push((name, path));
    }
    Ok(old)
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn names_sort_by_sequence_and_other_files_are_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let later = SegmentName::new(UNIX_EPOCH, 1_000);
        let earlier = SegmentName::new(UNIX_EPOCH + Duration::from_secs(99), 7);
        assert_eq!(earlier.as_str(), "audit-19700101T000139-000000000007.jsonl");
        for name in [later.as_str(), earlier.as_str(), "audit-x-1.jsonl", "notes.jsonl", "audit-1.jsonl.partial"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        assert_eq!(list(dir.path()).unwrap(), [earlier, later]);
        assert_eq!(list_partial(dir.path()).unwrap(), ["audit-1.jsonl.partial"]);
    }

    #[test]
    fn one_writer_holds_a_folder() {
        let dir = tempfile::tempdir().unwrap();
        let nested = dir.path().join("a/b");
        assert!(!is_claimed(&nested));
        let lock = claim(&nested).unwrap();
        assert!(is_claimed(&nested));
        assert_eq!(claim(&nested).unwrap_err().kind(), io::ErrorKind::ResourceBusy);
        drop(lock);
        assert!(!is_claimed(&nested));
        claim(&nested).unwrap();
    }
}
