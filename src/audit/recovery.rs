//! What a former run left: where the chain goes on, and what a crash left half-written.
//!
//! Only the end of the last segment is read. What stands after the last whole record there is cut off and kept aside
//! as `*.partial`. A whole record is never cut, not even a changed one: `sekisho audit verify` is to find it.

use std::fs::OpenOptions;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::chain::Link;
use super::line::Line;
use super::segment::{SegmentName, list};

/// How the former run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Former {
    /// Its last record.
    pub last: Link,
    /// The segment that holds it.
    pub segment: SegmentName,
    /// Whether its last record says that it stopped.
    pub stopped: bool,
    /// What was cut off.
    pub cut: Vec<Cut>,
}

/// A piece of a segment that was no whole record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// From which segment.
    pub segment: SegmentName,
    /// How many bytes.
    pub bytes: u64,
    /// The file that holds them now.
    pub kept_as: String,
}

/// Finds the end of the chain in a folder, cutting off what is half-written. `None` where there is no record.
pub fn recover(dir: &Path) -> io::Result<Option<Former>> {
    let mut cut = Vec::new();
    for segment in list(dir)?.into_iter().rev() {
        let path = dir.join(segment.as_str());
        let end = last_record(&path)?;
        let (whole, last) = end.map_or((0, None), |(whole, last, stopped)| (whole, Some((last, stopped))));
        let length = std::fs::metadata(&path)?.len();
        if length > whole {
            cut.push(cut_off(dir, &segment, whole, length - whole)?);
        }
        if let Some((last, stopped)) = last {
            return Ok(Some(Former { last, segment, stopped: stopped && cut.is_empty(), cut }));
        }
        std::fs::remove_file(&path)?;
    }
    Ok(None)
}

/// Where the last whole record of a file ends, what it links to, and whether it is a `stopped`.
fn last_record(path: &Path) -> io::Result<Option<(u64, Link, bool)>> {
    let mut file = std::fs::File::open(path)?;
    let length = file.metadata()?.len();
    let mut reach: u64 = 64 << 10;
    loop {
        let start = length.saturating_sub(reach);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        (&file).take(length - start).read_to_end(&mut bytes)?;
        if let Some((end, link, stopped)) = last_in(&bytes, start == 0) {
            return Ok(Some((start + end, link, stopped)));
        }
        if start == 0 {
            return Ok(None);
        }
        reach = reach.saturating_mul(8);
    }
}

fn last_in(bytes: &[u8], from_start: bool) -> Option<(u64, Link, bool)> {
    let mut rest = bytes;
    while let Some(feed) = memchr::memrchr(b'\n', rest) {
        let (before, _) = rest.split_at(feed);
        let line = match memchr::memrchr(b'\n', before) {
            Some(start) => before.get(start + 1..)?,
            None if from_start => before,
            None => return None,
        };
        if let Some(record) = Line::read(line) {
            return Some((feed as u64 + 1, record.link(), record.kind == "stopped"));
        }
        rest = before;
    }
    None
}

/// Keeps the end of a segment aside, then cuts it off.
fn cut_off(dir: &Path, segment: &SegmentName, whole: u64, bytes: u64) -> io::Result<Cut> {
    let mut file = OpenOptions::new().read(true).write(true).open(dir.join(segment.as_str()))?;
    file.seek(SeekFrom::Start(whole))?;
    let kept_as = format!("{}.{whole}.partial", segment.as_str());
    let mut aside = OpenOptions::new().create(true).write(true).truncate(true).mode(0o640).open(dir.join(&kept_as))?;
    io::copy(&mut file, &mut aside)?;
    aside.flush()?;
    aside.sync_data()?;
    file.set_len(whole)?;
    Ok(Cut { segment: segment.clone(), bytes, kept_as })
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::audit::chain::Chain;

    fn records(count: u64) -> (Vec<u8>, Link) {
        let mut chain = Chain::after(Link::START);
        for _ in 0..count {
            chain.append(UNIX_EPOCH, "statement", |out| out.extend_from_slice(b",\"text\":\"select 1\""));
        }
        let last = chain.last();
        (chain.take(Vec::new()), last)
    }

    #[test]
    fn a_half_written_record_is_cut_off_wherever_it_ends() {
        let (whole, last) = records(2);
        let (longer, _) = records(3);
        for end in whole.len()..longer.len() {
            let dir = tempfile::tempdir().unwrap();
            let name = SegmentName::new(UNIX_EPOCH, 1);
            std::fs::write(dir.path().join(name.as_str()), &longer[..end]).unwrap();
            let former = recover(dir.path()).unwrap().unwrap();
            assert_eq!((former.last, former.stopped), (last, false));
            assert_eq!(std::fs::read(dir.path().join(name.as_str())).unwrap(), whole);
            assert_eq!(former.cut.len(), usize::from(end > whole.len()));
            for cut in former.cut {
                assert_eq!(std::fs::read(dir.path().join(cut.kept_as)).unwrap(), &longer[whole.len()..end]);
            }
        }
    }

    #[test]
    fn zeros_of_a_lost_disk_block_and_empty_segments_are_cut_off() {
        let dir = tempfile::tempdir().unwrap();
        let (mut bytes, last) = records(2000);
        bytes.resize(bytes.len() + 100_000, 0);
        bytes.extend_from_slice(b"\n\n");
        let name = SegmentName::new(UNIX_EPOCH, 1);
        std::fs::write(dir.path().join(name.as_str()), bytes).unwrap();
        std::fs::write(dir.path().join(SegmentName::new(UNIX_EPOCH, 2001).as_str()), b"{\"v\":1,\"se").unwrap();
        std::fs::write(dir.path().join(SegmentName::new(UNIX_EPOCH, 2002).as_str()), b"").unwrap();
        let former = recover(dir.path()).unwrap().unwrap();
        assert_eq!(former.last, last);
        assert_eq!(former.cut.iter().map(|cut| cut.bytes).collect::<Vec<_>>(), [10, 100_002]);
        assert_eq!(list(dir.path()).unwrap(), [name]);
        assert_eq!(recover(tempfile::tempdir().unwrap().path()).unwrap(), None);
    }
}
