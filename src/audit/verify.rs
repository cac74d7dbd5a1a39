//! Whether a log is whole: every record as it was made, none missing, none moved.
//!
//! [`Verifier`] takes lines and gives findings, knowing no files; [`verify`] reads a folder through it, in constant
//! memory. The log of a running proxy can be verified too.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use serde::Serialize;

use super::chain::{GENESIS, Link};
use super::line::Line;
use super::segment;

/// Findings kept; of a log that was changed in many places the first ones tell enough.
const MOST_FINDINGS: usize = 20;

/// What is wrong at one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The segment file.
    pub segment: String,
    /// The line in it, from 1; 0 for the file as a whole.
    pub line: u64,
    /// The sequence number of the record, as far as it is known.
    pub sequence: Option<u64>,
    /// What is wrong.
    #[serde(flatten)]
    pub fault: Fault,
}

/// What can be wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Fault {
    /// The line's bytes are not those that its hash was made of.
    Changed,
    /// The line is no record.
    NoRecord,
    /// The record before was replaced: this one was chained to another.
    Unchained,
    /// Records are missing before this one.
    Missing {
        /// The first missing one.
        from: u64,
        /// The last missing one.
        to: u64,
    },
    /// The record stands in a place that is not its own.
    Moved,
    /// The file ends within a record.
    Truncated,
    /// A segment file is not there.
    MissingSegment {
        /// Its name.
        name: String,
    },
    /// The log does not reach the record that was named, or holds another in its place.
    NotAnchored,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.segment)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        f.write_str(": ")?;
        let number = |f: &mut fmt::Formatter<'_>| match self.sequence {
            Some(sequence) => write!(f, "record {sequence}"),
            None => f.write_str("a record"),
        };
        match &self.fault {
            Fault::Changed => number(f).and_then(|()| f.write_str(" was changed: its hash is not that of its bytes")),
            Fault::NoRecord => f.write_str("the line is no record"),
            Fault::Unchained => {
                number(f).and_then(|()| f.write_str(" does not follow the record before it, which was replaced"))
            }
            Fault::Missing { from, to } if from == to => write!(f, "record {from} is missing"),
            Fault::Missing { from, to } => write!(f, "records {from} to {to} are missing"),
            Fault::Moved => {
                number(f).and_then(|()| f.write_str(" is not in its place: records were reordered or repeated"))
            }
            Fault::Truncated => f.write_str("the file ends within a record"),
            Fault::MissingSegment { name } => write!(f, "the segment before, `{name}`, is missing"),
            Fault::NotAnchored => f.write_str("the log does not hold the record that was given as anchor"),
        }
    }
}

/// What verification found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// Segment files read.
    pub segments: u64,
    /// Whole records read.
    pub records: u64,
    /// Bytes read.
    pub bytes: u64,
    /// The first record's sequence number.
    pub first: Option<u64>,
    /// The last record's.
    pub last: Option<u64>,
    /// The last record's hash; kept elsewhere it is an anchor for the next verification.
    pub last_hash: Option<String>,
    /// The last record's time.
    pub last_time: Option<String>,
    /// Whether a proxy writes the log now.
    pub running: bool,
    /// Starts that found a former run without a stop.
    pub crashes: u64,
    /// Times in which statements could not be recorded.
    pub gaps: u64,
    /// Half-written ends that crashes left, kept aside.
    pub partial: Vec<String>,
    /// What is wrong, in order; at most twenty.
    pub findings: Vec<Finding>,
    /// All that is wrong, counted.
    pub faults: u64,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_whole(&self) -> bool {
        self.faults == 0
    }
}

/// A record that must be in the log: noted elsewhere at an earlier time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// Its sequence number.
    pub sequence: u64,
    /// Its hash.
    pub hash: String,
}

/// Reads the log of a folder. `progress` is told the bytes read so far and those that there are.
pub fn verify(dir: &Path, anchor: Option<Anchor>, mut progress: impl FnMut(u64, u64)) -> io::Result<Report> {
    let names = segment::list(dir)?;
    let running = segment::is_claimed(dir);
    let mut total = 0;
    for name in &names {
        total += std::fs::metadata(dir.join(name.as_str()))?.len();
    }
    let mut verifier = Verifier::new(anchor);
    for (index, name) in names.iter().enumerate() {
        let mut reader = BufReader::with_capacity(1 << 20, File::open(dir.join(name.as_str()))?);
        verifier.begin_segment(name.as_str(), name.first());
        let mut line = Vec::new();
        let mut since = 0;
        loop {
            line.clear();
            let count = reader.read_until(b'\n', &mut line)?;
            if count == 0 {
                break;
            }
            if let Some(whole) = line.strip_suffix(b"\n") {
                verifier.line(whole);
            } else if !(running && index + 1 == names.len()) {
                // The last line of a running proxy's log may just be being written.
                verifier.truncated();
            }
            since += count;
            if since >= 16 << 20 {
                since = 0;
                progress(verifier.report.bytes, total);
            }
        }
    }
    let mut report = verifier.finish();
    report.running = running;
    report.partial = segment::list_partial(dir)?;
    Ok(report)
}

/// Follows a chain line by line.
#[derive(Debug, Default)]
pub struct Verifier {
    report: Report,
    last: Option<Link>,
    /// The record that the log begins with, as the first file's name has it.
    first: Option<u64>,
    segment: String,
    former_segment: Option<String>,
    line: u64,
    /// Records missing before the last line; the next line tells whether they come later.
    missing: Option<(Finding, u64, u64)>,
    /// The segment before the first one, which may have been removed by `retain`.
    removed: Option<(String, Finding)>,
    anchor: Option<Anchor>,
}

impl Verifier {
    /// Begins, before the first segment.
    pub fn new(anchor: Option<Anchor>) -> Self {
        Self { anchor, ..Self::default() }
    }

    /// The next lines are of this file, the first of them this record.
    pub fn begin_segment(&mut self, name: &str, first: u64) {
        let former = std::mem::replace(&mut self.segment, name.to_owned());
        self.former_segment = (!former.is_empty()).then_some(former);
        self.line = 0;
        self.first.get_or_insert(first);
        self.report.segments += 1;
    }

    /// The next whole line, without its line feed.
    pub fn line(&mut self, text: &[u8]) {
        self.line += 1;
        self.report.bytes += text.len() as u64 + 1;
        let Some(line) = Line::read(text) else {
            self.find(None, Fault::NoRecord);
            return;
        };
        self.report.records += 1;
        let is_changed = !line.is_unchanged();
        if is_changed {
            self.find(Some(line.sequence), Fault::Changed);
        }
        if line.kind == "segment" {
            self.header(&line, text);
        }
        self.place(&line, is_changed);
        self.observe(&line, text);
        self.last = Some(line.link());
        self.report.first.get_or_insert(line.sequence);
        self.report.last_time = Some(line.time.to_owned());
    }

    /// The file ended within a line.
    pub fn truncated(&mut self) {
        self.line += 1;
        self.find(None, Fault::Truncated);
    }

    /// The end of the log.
    pub fn finish(mut self) -> Report {
        self.settle_missing(None);
        if let Some((_, finding)) = self.removed.take() {
            self.report.faults += 1;
            self.report.findings.insert(0, finding);
        }
        if self.anchor.is_some() {
            self.line = 0;
            self.find(None, Fault::NotAnchored);
        }
        self.report.last = self.last.map(|last| last.sequence);
        self.report.last_hash = self.last.map(|last| last.hash_text());
        self.report.findings.sort_by_key(|finding| (finding.segment.clone(), finding.line));
        self.report.findings.truncate(MOST_FINDINGS);
        self.report
    }

    /// Whether a record stands where it belongs.
    fn place(&mut self, line: &Line<'_>, is_changed: bool) {
        let expected = self.last.map_or(self.first.unwrap_or(1), |last| last.sequence + 1);
        self.settle_missing(Some(line.sequence));
        if line.sequence > expected {
            let fault = Fault::Missing { from: expected, to: line.sequence - 1 };
            self.missing = Some((self.finding(Some(line.sequence), fault), expected, line.sequence - 1));
        } else if line.sequence < expected {
            self.find(Some(line.sequence), Fault::Moved);
        } else if !is_changed && self.last.is_some_and(|last| last.hash != line.prev) {
            self.find(Some(line.sequence), Fault::Unchained);
        } else if self.last.is_none() && line.sequence == 1 && line.prev != GENESIS {
            self.find(Some(1), Fault::Unchained);
        }
    }

    /// Records that were passed over are missing, unless the next record is one of them: then they were moved.
    fn settle_missing(&mut self, next: Option<u64>) {
        if let Some((mut finding, from, to)) = self.missing.take() {
            if next.is_some_and(|next| (from..=to).contains(&next)) {
                finding.fault = Fault::Moved;
            }
            self.push(finding);
        }
    }

    /// The first record of a segment names the segment before.
    fn header(&mut self, line: &Line<'_>, text: &[u8]) {
        let Some(after) = text_field(text, "after") else { return };
        if self.former_segment.as_ref().is_some_and(|former| *former == after) {
            return;
        }
        let finding = self.finding(Some(line.sequence), Fault::MissingSegment { name: after.clone() });
        if self.former_segment.is_none() && line.sequence > 1 {
            self.removed = Some((after, finding));
        } else {
            self.push(finding);
        }
    }

    fn observe(&mut self, line: &Line<'_>, text: &[u8]) {
        match line.kind {
            "recovered" => self.report.crashes += 1,
            "gap" => self.report.gaps += 1,
            "retired" => {
                let name = text_field(text, "segment");
                self.removed.take_if(|(removed, _)| name.as_ref().is_some_and(|name| name == removed));
            }
            _ => {}
        }
        let hash = line.link().hash_text();
        self.anchor.take_if(|anchor| anchor.sequence == line.sequence && anchor.hash == hash);
    }

    fn finding(&self, sequence: Option<u64>, fault: Fault) -> Finding {
        Finding { segment: self.segment.clone(), line: self.line, sequence, fault }
    }

    fn find(&mut self, sequence: Option<u64>, fault: Fault) {
        let finding = self.finding(sequence, fault);
        self.push(finding);
    }

    fn push(&mut self, finding: Finding) {
        self.report.faults += 1;
        if self.report.findings.len() < MOST_FINDINGS {
            self.report.findings.push(finding);
        }
    }
}

fn text_field(text: &[u8], name: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_slice(text).ok()?;
    Some(value.get(name)?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use proptest::prelude::*;

    use super::*;
    use crate::audit::chain::Chain;
    use crate::audit::json::push_field;

    fn records(count: u64) -> Vec<Vec<u8>> {
        let mut chain = Chain::after(Link::START);
        let mut lines = Vec::new();
        for index in 0..count {
            chain.append(UNIX_EPOCH, "statement", |out| push_field(out, "text", &format!("select {index}")));
            let mut line = chain.take(Vec::new());
            line.pop();
            lines.push(line);
        }
        lines
    }

    fn check(lines: &[Vec<u8>]) -> Report {
        let mut verifier = Verifier::new(None);
        verifier.begin_segment("a", 1);
        for line in lines {
            verifier.line(line);
        }
        verifier.finish()
    }

    fn first(lines: &[Vec<u8>]) -> (u64, Fault) {
        let finding = check(lines).findings.swap_remove(0);
        (finding.line, finding.fault)
    }

    #[test]
    fn a_whole_log_has_no_findings() {
        let report = check(&records(50));
        assert!(report.is_whole());
        assert_eq!((report.records, report.first, report.last), (50, Some(1), Some(50)));
    }

    #[test]
    fn the_first_break_is_named_for_what_it_is() {
        let whole = records(10);
        let mut removed = whole.clone();
        removed.drain(3..5);
        assert_eq!(first(&removed), (4, Fault::Missing { from: 4, to: 5 }));
        let mut swapped = whole.clone();
        swapped.swap(3, 4);
        assert_eq!(first(&swapped), (4, Fault::Moved));
        let mut far = whole.clone();
        far.swap(2, 8);
        assert_eq!(first(&far), (3, Fault::Moved));
        let mut repeated = whole.clone();
        repeated.insert(3, whole[2].clone());
        assert_eq!(first(&repeated), (4, Fault::Moved));
        let mut changed = whole.clone();
        changed[6] = String::from_utf8(changed[6].clone()).unwrap().replace("select", "SELECT").into_bytes();
        assert_eq!(first(&changed), (7, Fault::Changed));
        let mut garbage = whole.clone();
        garbage.insert(6, b"hello".to_vec());
        assert_eq!(first(&garbage), (7, Fault::NoRecord));
    }

    #[test]
    fn a_record_replaced_with_a_right_hash_breaks_the_chain_at_the_next() {
        let mut lines = records(10);
        let fourth = String::from_utf8(lines[4].clone()).unwrap().replace("select", "SELECT");
        let (body, _) = fourth.split_once(",\"hash\":").unwrap();
        let hash = String::from_utf8(crate::audit::chain::hex_hash(body.as_bytes()).to_vec()).unwrap();
        lines[4] = format!("{body},\"hash\":\"{hash}\"}}").into_bytes();
        assert_eq!(first(&lines), (6, Fault::Unchained));
    }

    #[test]
    fn an_anchor_finds_a_log_that_was_shortened_or_made_anew() {
        let lines = records(10);
        let anchor = |count: usize| {
            let link = Line::read(&lines[7]).unwrap().link();
            let mut verifier = Verifier::new(Some(Anchor { sequence: 8, hash: link.hash_text() }));
            verifier.begin_segment("a", 1);
            lines[..count].iter().for_each(|line| verifier.line(line));
            verifier.finish().findings.into_iter().map(|finding| finding.fault).collect::<Vec<_>>()
        };
        assert_eq!(anchor(8), []);
        assert_eq!(anchor(7), [Fault::NotAnchored]);
    }

    #[derive(Debug, Clone)]
    enum Tampering {
        Remove(usize),
        Swap(usize, usize),
        Repeat(usize, usize),
        Flip(usize, usize, u8),
        Insert(usize, usize, u8),
        Cut(usize, usize),
    }

    fn tampering() -> impl Strategy<Value = Tampering> {
        let n = || any::<prop::sample::Index>().prop_map(|index| index.index(1 << 20));
        prop_oneof![
            n().prop_map(Tampering::Remove),
            (n(), n()).prop_map(|(a, b)| Tampering::Swap(a, b)),
            (n(), n()).prop_map(|(a, b)| Tampering::Repeat(a, b)),
            (n(), n(), 1..=255_u8).prop_map(|(a, b, c)| Tampering::Flip(a, b, c)),
            (n(), n(), any::<u8>()).prop_map(|(a, b, c)| Tampering::Insert(a, b, c)),
            (n(), n()).prop_map(|(a, b)| Tampering::Cut(a, b)),
        ]
    }

    proptest! {
        #[test]
        fn whatever_is_done_to_a_log_is_found(count in 2_u64..30, what in tampering()) {
            let whole = records(count);
            // The end of the log is an anchor's business.
            let n = whole.len() - 1;
            let mut lines = whole.clone();
            match what {
                Tampering::Remove(at) => { lines.remove(at % n); }
                Tampering::Swap(a, b) => lines.swap(a % (n + 1), b % (n + 1)),
                Tampering::Repeat(from, to) => lines.insert(to % (n + 1), whole[from % n].clone()),
                Tampering::Flip(at, byte, bits) => {
                    let line = &mut lines[at % (n + 1)];
                    let byte = byte % line.len();
                    line[byte] ^= bits;
                }
                Tampering::Insert(at, byte, new) => {
                    let line = &mut lines[at % (n + 1)];
                    line.insert(byte % line.len(), new);
                }
                Tampering::Cut(at, byte) => {
                    let line = &mut lines[at % (n + 1)];
                    line.truncate(byte % line.len());
                }
            }
            let report = check(&lines);
            prop_assert!(lines == whole || !report.is_whole(), "{report:?}");
        }
    }
}
