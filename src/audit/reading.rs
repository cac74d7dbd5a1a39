//! Reading a log while it is written: its last records from the end backwards, and what comes after them.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::line::Line;
use super::segment::{self, SegmentName};

const BLOCK: u64 = 64 << 10;

/// Gives the records of a log from the last one backwards, as long as `wanted` says [`Step::Take`] or [`Step::Skip`],
/// and at most `most` of them; in the order in which they were made, and with what follows them.
pub fn last(dir: &Path, most: usize, mut wanted: impl FnMut(&[u8]) -> Step) -> io::Result<(Vec<Vec<u8>>, Follower)> {
    let names = segment::list(dir)?;
    let mut taken = Vec::new();
    let mut follower = Follower { dir: dir.to_owned(), current: None, rest: Vec::new() };
    'segments: for name in names.into_iter().rev() {
        let mut lines = Backwards::open(&dir.join(name.as_str()))?;
        if follower.current.is_none() {
            let mut place = Place::open(dir, name)?;
            place.file.seek(SeekFrom::Start(lines.end()))?;
            follower.current = Some(place);
        }
        while taken.len() < most {
            match lines.next_line()? {
                None => continue 'segments,
                Some(line) => match wanted(&line) {
                    Step::Take => taken.push(line),
                    Step::Skip => {}
                    Step::End => break 'segments,
                },
            }
        }
        break;
    }
    taken.reverse();
    Ok((taken, follower))
}

/// Gives all records made at or after a point in time (RFC 3339, UTC), and those to come.
pub fn since(dir: &Path, time: &str) -> io::Result<Follower> {
    let mut start = None;
    for name in segment::list(dir)? {
        let mut first = Vec::new();
        File::open(dir.join(name.as_str()))?.take(BLOCK).read_to_end(&mut first)?;
        let line = first.split(|byte| *byte == b'\n').next().and_then(Line::read);
        if start.is_some() && line.is_none_or(|line| line.time > time) {
            break;
        }
        start = Some(name);
    }
    let current = start.map(|name| Place::open(dir, name)).transpose()?;
    Ok(Follower { dir: dir.to_owned(), current, rest: Vec::new() })
}

/// What to do with a record that was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It is wanted.
    Take,
    /// It is not.
    Skip,
    /// Neither it nor any before it is.
    End,
}

/// Reads on from a place in the log, across segments.
#[derive(Debug)]
pub struct Follower {
    dir: PathBuf,
    current: Option<Place>,
    /// The beginning of a line whose end is not written yet.
    rest: Vec<u8>,
}

#[derive(Debug)]
struct Place {
    name: SegmentName,
    file: File,
}

impl Place {
    fn open(dir: &Path, name: SegmentName) -> io::Result<Self> {
        Ok(Self { file: File::open(dir.join(name.as_str()))?, name })
    }
}

impl Follower {
    /// Gives each whole record that there is by now.
    pub fn poll(&mut self, mut each: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        loop {
            // Looked for first: when a later segment is there, the current one gets no more records.
            let next = self.next_segment()?;
            self.drain(&mut each)?;
            let Some(next) = next else { return Ok(()) };
            self.rest.clear();
            self.current = Some(Place::open(&self.dir, next)?);
        }
    }

    fn next_segment(&self) -> io::Result<Option<SegmentName>> {
        let names = match segment::list(&self.dir) {
            Ok(names) => names,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let after = self.current.as_ref().map_or(0, |place| place.name.first() + 1);
        Ok(names.into_iter().find(|name| name.first() >= after))
    }

    fn drain(&mut self, each: &mut impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let Some(place) = &self.current else { return Ok(()) };
        loop {
            let before = self.rest.len();
            (&place.file).take(16 * BLOCK).read_to_end(&mut self.rest)?;
            if self.rest.len() == before {
                return Ok(());
            }
            let mut start = 0;
            for feed in memchr::memchr_iter(b'\n', &self.rest) {
                each(self.rest.get(start..feed).unwrap_or_default())?;
                start = feed + 1;
            }
            self.rest.drain(..start);
        }
    }
}

/// Reads whole lines of a file from its end.
#[derive(Debug)]
struct Backwards {
    file: File,
    /// Where `held` begins in the file.
    position: u64,
    /// What was read and not given; ends in a line feed.
    held: Vec<u8>,
}

impl Backwards {
    fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let position = file.seek(SeekFrom::End(0))?;
        let mut backwards = Self { file, position, held: Vec::new() };
        // What stands after the last line feed is being written.
        while !backwards.held.contains(&b'\n') && backwards.read_block()? {}
        let whole = memchr::memrchr(b'\n', &backwards.held).map_or(0, |feed| feed + 1);
        backwards.held.truncate(whole);
        Ok(backwards)
    }

    /// Where the last whole line ends, as long as none was given.
    fn end(&self) -> u64 {
        self.position + self.held.len() as u64
    }

    fn next_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let Some(before) = self.held.len().checked_sub(1) else {
                if self.read_block()? {
                    continue;
                }
                return Ok(None);
            };
            let (lines, _) = self.held.split_at(before);
            if let Some(feed) = memchr::memrchr(b'\n', lines) {
                let mut line = self.held.split_off(feed + 1);
                line.pop();
                return Ok(Some(line));
            }
            if !self.read_block()? {
                let mut line = std::mem::take(&mut self.held);
                line.pop();
                return Ok(Some(line));
            }
        }
    }

    /// Reads what stands before `held`; as much again as is held, so that a long line costs no square of its length.
    fn read_block(&mut self) -> io::Result<bool> {
        let size = BLOCK.max(self.held.len() as u64).min(self.position);
        self.position -= size;
        self.file.seek(SeekFrom::Start(self.position))?;
        let mut block = Vec::new();
        (&self.file).take(size).read_to_end(&mut block)?;
        block.extend_from_slice(&self.held);
        self.held = block;
        Ok(size > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Audit, Settings, Subject};

    fn sequences(lines: &[Vec<u8>]) -> Vec<u64> {
        lines.iter().map(|line| Line::read(line).unwrap().sequence).collect()
    }

    fn polled(follower: &mut Follower) -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        follower
            .poll(|line| {
                lines.push(line.to_vec());
                Ok(())
            })
            .unwrap();
        lines
    }

    #[test]
    fn the_last_records_and_those_to_come_are_read_across_segments_once_each() {
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings { max_segment_size: 8_000, ..Settings::new(dir.path()) };
        let audit = Audit::open(settings, "a").unwrap();
        let note = |count: usize| {
            for index in 0..count {
                audit.login_refused(&Subject::default(), &"x".repeat(index * 50));
                audit.flush();
            }
            audit.status().last
        };
        let end = note(100);
        let (lines, mut follower) = last(dir.path(), 90, |_| Step::Take).unwrap();
        assert_eq!(sequences(&lines), (end - 89..=end).collect::<Vec<_>>());
        assert_eq!(polled(&mut follower), [] as [Vec<u8>; 0]);
        for _ in 0..3 {
            let from = audit.status().last + 1;
            let end = note(40);
            assert_eq!(sequences(&polled(&mut follower)), (from..=end).collect::<Vec<_>>());
        }
        let all = last(dir.path(), usize::MAX, |_| Step::Take).unwrap().0;
        assert_eq!(sequences(&all), (1..=audit.status().last).collect::<Vec<_>>());
        let line = Line::read(&all[120]).unwrap();
        let given = sequences(&polled(&mut since(dir.path(), line.time).unwrap()));
        assert!(given[0] <= line.sequence && given.last() == Some(&audit.status().last));
        let (some, _) = last(dir.path(), usize::MAX, |line| match Line::read(line).unwrap().sequence {
            120.. => Step::Take,
            _ => Step::End,
        })
        .unwrap();
        assert_eq!(sequences(&some)[0], 120);
    }

    #[test]
    fn half_a_line_is_given_once_its_end_is_there() {
        use std::io::Write;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit-20260131T081530-000000000001.jsonl");
        let mut file = File::create(&path).unwrap();
        file.write_all(b"{\"one\":1}\n{\"two\"").unwrap();
        let (lines, mut follower) = last(dir.path(), 9, |_| Step::Take).unwrap();
        assert_eq!(lines, [b"{\"one\":1}"]);
        assert_eq!(polled(&mut follower), [] as [Vec<u8>; 0]);
        file.write_all(b":2}\n").unwrap();
        assert_eq!(polled(&mut follower), [b"{\"two\":2}"]);
    }
}
