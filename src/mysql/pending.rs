//! The reply that the server owes: which of its packets are rows, which need a look, and where it ends.
//!
//! The protocol is strictly one reply for one command, so there is at most one [`Pending`]. Without I/O.
//!
//! ```text
//! Query, Execute  Head ──OK──────────────────────────────────────────────▶ end, or Head again when more results follow
//!                 Head ──ERR─────────────────────────────────────────────▶ end
//!                 Head ──0xFB────────────────────────────────────────────▶ Head, after the client's file was sent
//!                 Head ──column count──▶ Columns ──(EOF)──▶ Rows ──EOF/OK─▶ end, or Head again
//!                                                 └─(cursor exists)──────▶ end
//! Prepare         Head ──number──▶ Columns of parameters ──▶ Columns of the result ──▶ end
//! Fetch, FieldList                                          Rows ──EOF/OK─▶ end
//! Short           Head ──any─────────────────────────────────────────────▶ end
//! ```

use super::wire::capability::status;
use super::wire::ok::{self, Ok as OkPacket};
use super::wire::prepared::Prepared;
use super::wire::{Capabilities, HEADER, Header, Malformed, Reader, err};

/// What kind of reply a command gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Results, one after the other.
    Results,
    /// The answer to a statement prepared.
    Prepare,
    /// Rows of a cursor, or the columns of `COM_FIELD_LIST`.
    Rows,
    /// One packet.
    Short,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Head,
    /// So many column definitions are to come.
    Columns(u64),
    /// The EOF packet behind column definitions.
    ColumnsEnd,
    Rows,
    End,
}

/// A packet that needs a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// OK, or the end of rows as OK packet.
    Ok,
    /// EOF.
    Eof,
    /// ERR.
    Err,
    /// A column definition.
    Column,
    /// The number of a statement prepared.
    Prepared,
    /// The server asks for a file of the client.
    LocalFile,
    /// The number of columns.
    Count,
}

/// What lies at the front of the bytes looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Not enough to say.
    More,
    /// A whole packet of so many bytes with its header.
    Packet(Sort, usize),
    /// A row with which the result would have more rows or bytes than it may: so many.
    Full {
        /// Rows of the result.
        rows: u64,
        /// Its bytes.
        bytes: u64,
    },
}

/// Bytes of rows and what comes behind them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scan {
    /// So many bytes go on to the client without a look.
    pub passed: usize,
    /// What comes then.
    pub next: Next,
}

/// The largest packet other than a row that is believed.
const MAX_LOOKED_AT: usize = 16 << 20;

/// A reply on its way.
#[derive(Debug)]
pub struct Pending {
    kind: Kind,
    phase: Phase,
    capabilities: Capabilities,
    // Columns of a prepared statement's result, while those of its parameters are read.
    columns_later: u64,
    // Bytes of a row that are still to come, and whether another packet continues it.
    row_rest: usize,
    row_goes_on: bool,
    // What a result may have, and what the one under way has.
    most_rows: u64,
    most_bytes: u64,
    result_rows: u64,
    result_bytes: u64,
    /// Rows that passed.
    pub rows: u64,
    /// Status flags of the last packet that had any.
    pub status: u16,
}

impl Pending {
    /// A reply that has not begun. `capabilities` are those in use with the server.
    pub fn new(kind: Kind, capabilities: Capabilities) -> Self {
        let phase = if kind == Kind::Rows { Phase::Rows } else { Phase::Head };
        Self {
            kind,
            phase,
            capabilities,
            columns_later: 0,
            row_rest: 0,
            row_goes_on: false,
            most_rows: u64::MAX,
            most_bytes: u64::MAX,
            result_rows: 0,
            result_bytes: 0,
            rows: 0,
            status: 0,
        }
    }

    /// Limits each result to so many rows and bytes: a row beyond them is [`Next::Full`].
    pub fn limit(&mut self, rows: u64, bytes: u64) {
        (self.most_rows, self.most_bytes) = (rows, bytes);
    }

    /// Rows and bytes of the result under way, or of the last one.
    pub fn result(&self) -> (u64, u64) {
        (self.result_rows, self.result_bytes)
    }

    /// Whether the reply is complete.
    pub fn is_over(&self) -> bool {
        self.phase == Phase::End
    }

    /// Whether rows are coming, or may come, whose columns were all seen.
    pub fn is_in_rows(&self) -> bool {
        self.phase == Phase::Rows
    }

    /// Whether no part of a result is under way: what was passed so far ends where a packet may stand for the rest.
    pub fn is_at_head(&self) -> bool {
        self.phase == Phase::Head
    }

    /// Looks at what lies at the front of `bytes`.
    pub fn scan(&mut self, bytes: &[u8]) -> Result<Scan, Malformed> {
        let mut passed = 0;
        loop {
            if self.row_rest > 0 {
                let here = self.row_rest.min(bytes.len() - passed);
                self.row_rest -= here;
                passed += here;
                if self.row_rest > 0 {
                    return Ok(Scan { passed, next: Next::More });
                }
            }
            let rest = bytes.get(passed..).unwrap_or_default();
            // Header and first byte of payload decide.
            let (Some(header), Some(first)) = (Header::read(rest), rest.get(HEADER)) else {
                return Ok(Scan { passed, next: Next::More });
            };
            if self.row_goes_on || (self.phase == Phase::Rows && !ends_rows(header, *first)) {
                let begins = u64::from(!self.row_goes_on);
                let (rows, bytes) = (self.result_rows + begins, self.result_bytes + (HEADER + header.len) as u64);
                if begins == 1 && (rows > self.most_rows || bytes > self.most_bytes) {
                    return Ok(Scan { passed, next: Next::Full { rows, bytes } });
                }
                (self.result_rows, self.result_bytes) = (rows, bytes);
                self.rows += begins;
                self.row_goes_on = header.is_continued();
                self.row_rest = HEADER + header.len;
                continue;
            }
            if header.len == 0 || header.len >= MAX_LOOKED_AT - 1 {
                return Err(Malformed("length of a packet out of place"));
            }
            let len = HEADER + header.len;
            let next = if rest.len() < len { Next::More } else { Next::Packet(self.sort(*first)?, len) };
            return Ok(Scan { passed, next });
        }
    }

    fn sort(&self, first: u8) -> Result<Sort, Malformed> {
        Ok(match (self.phase, first) {
            (Phase::End, _) => return Err(Malformed("packet behind the end of the reply")),
            (_, err::MARK) => Sort::Err,
            (Phase::Rows, _) if self.capabilities.has(Capabilities::DEPRECATE_EOF) => Sort::Ok,
            (Phase::Rows | Phase::ColumnsEnd, _) => Sort::Eof,
            (Phase::Columns(_), _) => Sort::Column,
            (Phase::Head, ok::OK) if self.kind == Kind::Prepare => Sort::Prepared,
            (Phase::Head, ok::OK) => Sort::Ok,
            (Phase::Head, ok::EOF) if self.kind == Kind::Short => Sort::Eof,
            (Phase::Head, 0xfb) if self.kind == Kind::Results => Sort::LocalFile,
            (Phase::Head, _) if self.kind == Kind::Results => Sort::Count,
            (Phase::Head, _) => return Err(Malformed("reply begins with a packet of no known kind")),
        })
    }

    /// Goes on past a packet that [`Pending::scan`] found. `payload` is without its header.
    pub fn pass(&mut self, sort: Sort, payload: &[u8]) -> Result<(), Malformed> {
        let deprecate_eof = self.capabilities.has(Capabilities::DEPRECATE_EOF);
        match sort {
            Sort::Err => self.phase = Phase::End,
            Sort::Ok => {
                self.status = OkPacket::read(payload, self.capabilities)?.status;
                self.end_result();
            }
            Sort::Eof => {
                self.status = eof_status(payload)?;
                match self.phase {
                    Phase::ColumnsEnd if self.kind == Kind::Prepare => self.end_columns(),
                    Phase::ColumnsEnd if self.status & status::CURSOR_EXISTS == 0 => self.phase = Phase::Rows,
                    _ => self.end_result(),
                }
            }
            Sort::LocalFile => {}
            Sort::Count => {
                (self.result_rows, self.result_bytes) = (0, 0);
                let (columns, described) = self.read_count(payload)?;
                if described {
                    self.phase = Phase::Columns(columns);
                } else {
                    self.phase = if deprecate_eof { Phase::Rows } else { Phase::ColumnsEnd };
                }
            }
            Sort::Prepared => {
                let optional = self.capabilities.has(Capabilities::OPTIONAL_METADATA);
                let prepared = Prepared::read(payload, optional)?;
                if prepared.described {
                    self.columns_later = u64::from(prepared.columns);
                    self.begin_columns(u64::from(prepared.parameters));
                } else {
                    self.phase = Phase::End;
                }
            }
            Sort::Column => {
                if let Phase::Columns(left) = self.phase {
                    match (left, deprecate_eof) {
                        (..=1, true) => self.end_columns(),
                        (..=1, false) => self.phase = Phase::ColumnsEnd,
                        (left, _) => self.phase = Phase::Columns(left - 1),
                    }
                }
            }
        }
        Ok(())
    }

    /// The number of columns and whether their definitions follow.
    fn read_count(&self, payload: &[u8]) -> Result<(u64, bool), Malformed> {
        let mut reader = Reader::new(payload);
        let columns = reader.lenenc()?;
        // The manual has this byte before the number; servers and clients have it behind.
        let described = !self.capabilities.has(Capabilities::OPTIONAL_METADATA) || reader.u8()? != 0;
        if columns == 0 { Err(Malformed("result without columns")) } else { Ok((columns, described)) }
    }

    /// A statement prepared has so many parameters or columns.
    fn begin_columns(&mut self, count: u64) {
        match count {
            0 => self.end_columns(),
            count => self.phase = Phase::Columns(count),
        }
    }

    fn end_columns(&mut self) {
        match self.kind {
            Kind::Prepare if self.columns_later > 0 => {
                self.phase = Phase::Columns(std::mem::take(&mut self.columns_later));
            }
            Kind::Prepare => self.phase = Phase::End,
            Kind::Results | Kind::Rows | Kind::Short => self.phase = Phase::Rows,
        }
    }

    fn end_result(&mut self) {
        let more = self.kind == Kind::Results && self.status & status::MORE_RESULTS != 0;
        self.phase = if more { Phase::Head } else { Phase::End };
    }
}

/// Whether a packet among rows is none: `0xFE` begins a row only where the row fills its packet.
fn ends_rows(header: Header, first: u8) -> bool {
    first == err::MARK || (first == ok::EOF && !header.is_continued())
}

/// The status flags of an EOF packet, or of an OK packet in its place.
fn eof_status(payload: &[u8]) -> Result<u16, Malformed> {
    let mut reader = Reader::new(payload);
    reader.bytes(3)?;
    reader.u16()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mysql::wire::packet;

    const OLD: Capabilities = Capabilities::PROTOCOL_41;
    const NEW: Capabilities = Capabilities(Capabilities::PROTOCOL_41.0 | Capabilities::DEPRECATE_EOF.0);
    const COLUMN: &[u8] = b"\x03def\0\0\0\x01a\0\x0c\x2d\0\x10\0\0\0\xfd\0\0\0\0\0";

    fn packets(payloads: &[&[u8]]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut sequence = 1;
        for payload in payloads {
            sequence = packet::append(&mut out, sequence, payload);
        }
        out
    }

    /// Feeds bytes in pieces of a size and gives the packets looked at, and all bytes that passed.
    fn feed(pending: &mut Pending, bytes: &[u8], size: usize) -> (Vec<Sort>, usize) {
        let (mut sorts, mut buffer, mut passed) = (Vec::new(), Vec::new(), 0);
        for piece in bytes.chunks(size) {
            buffer.extend_from_slice(piece);
            loop {
                let scan = pending.scan(&buffer).unwrap();
                buffer.drain(..scan.passed);
                passed += scan.passed;
                let Next::Packet(sort, len) = scan.next else { break };
                pending.pass(sort, &buffer[HEADER..len]).unwrap();
                sorts.push(sort);
                buffer.drain(..len);
                passed += len;
                if pending.is_over() {
                    break;
                }
            }
        }
        (sorts, passed)
    }

    #[test]
    fn results_end_as_old_and_new_clients_expect() {
        let old: &[&[u8]] = &[b"\x01", COLUMN, b"\xfe\0\0\x02\0", b"\x01x", b"\xfb", b"\xfe\0\0\x02\0"];
        let new: &[&[u8]] = &[b"\x01", COLUMN, b"\x01x", b"\xfb", b"\xfe\0\0\x02\0\0\0"];
        for (capabilities, payloads, ends) in [(OLD, old, vec![Sort::Eof, Sort::Eof]), (NEW, new, vec![Sort::Ok])] {
            let bytes = packets(payloads);
            for size in [1, 3, 7, 1000] {
                let mut pending = Pending::new(Kind::Results, capabilities);
                let (sorts, passed) = feed(&mut pending, &bytes, size);
                assert_eq!(sorts, [vec![Sort::Count, Sort::Column], ends.clone()].concat());
                assert_eq!((passed, pending.rows, pending.status), (bytes.len(), 2, 2));
                assert!(pending.is_over());
            }
        }
    }

    #[test]
    fn further_results_follow_where_the_status_says_so() {
        let bytes = packets(&[b"\0\x01\0\x0a\0\0\0", b"\x01", COLUMN, b"\xfe\0\0\x08\0\0\0", b"\xff\x28\x04#42000no"]);
        let mut pending = Pending::new(Kind::Results, NEW);
        let (sorts, _) = feed(&mut pending, &bytes, 5);
        assert_eq!(sorts, [Sort::Ok, Sort::Count, Sort::Column, Sort::Ok, Sort::Err]);
        assert!(pending.is_over());
    }

    #[test]
    fn rows_larger_than_a_packet_are_one_row() {
        let mut row = vec![0xfe];
        row.extend_from_slice(&(20_000_000_u64).to_le_bytes());
        row.resize(20_000_009, 0xff);
        let bytes = packets(&[b"\x01", COLUMN, &row, b"\xfe\0\0\x02\0\0\0"]);
        let mut pending = Pending::new(Kind::Results, NEW);
        let (sorts, passed) = feed(&mut pending, &bytes, 4_000_000);
        assert_eq!(sorts, [Sort::Count, Sort::Column, Sort::Ok]);
        assert_eq!((pending.rows, passed), (1, bytes.len()));
    }

    #[test]
    fn a_cursor_ends_the_reply_and_its_rows_come_by_fetch() {
        let mut pending = Pending::new(Kind::Results, OLD);
        feed(&mut pending, &packets(&[b"\x01", COLUMN, b"\xfe\0\0\x42\0"]), 9);
        assert!(pending.is_over());
        let mut pending = Pending::new(Kind::Rows, OLD);
        feed(&mut pending, &packets(&[b"\0\0\x01x", b"\0\0\x01y", b"\xfe\0\0\x82\0"]), 9);
        assert_eq!((pending.is_over(), pending.rows), (true, 2));
    }

    #[test]
    fn prepared_statements_tell_parameters_then_columns() {
        let head: &[u8] = b"\0\x05\0\0\0\x01\0\x02\0\0\0\0";
        let old = packets(&[head, COLUMN, COLUMN, b"\xfe\0\0\x02\0", COLUMN, b"\xfe\0\0\x02\0"]);
        let new = packets(&[head, COLUMN, COLUMN, COLUMN]);
        for (capabilities, bytes) in [(OLD, old), (NEW, new)] {
            let mut pending = Pending::new(Kind::Prepare, capabilities);
            assert_eq!(feed(&mut pending, &bytes, 11).1, bytes.len());
            assert!(pending.is_over());
        }
        let mut pending = Pending::new(Kind::Prepare, OLD);
        feed(&mut pending, &packets(&[b"\0\x05\0\0\0\0\0\0\0\0\0\0"]), 100);
        assert!(pending.is_over());
    }

    #[test]
    fn definitions_may_be_left_out() {
        let optional = NEW | Capabilities::OPTIONAL_METADATA;
        let bytes = packets(&[b"\x03\x00", b"\x011\x012\x013", b"\xfe\0\0\x02\0\0\0"]);
        let mut pending = Pending::new(Kind::Results, optional);
        assert_eq!(feed(&mut pending, &bytes, 4).0, [Sort::Count, Sort::Ok]);
        let bytes = packets(&[b"\x01\x01", COLUMN, b"\x011", b"\xfe\0\0\x02\0\0\0"]);
        let mut pending = Pending::new(Kind::Results, optional);
        assert_eq!(feed(&mut pending, &bytes, 4).0, [Sort::Count, Sort::Column, Sort::Ok]);
    }

    #[test]
    fn nonsense_is_an_error() {
        assert!(Pending::new(Kind::Short, OLD).scan(b"\x01\0\0\x01\x05").is_err());
        assert!(Pending::new(Kind::Results, OLD).scan(b"\0\0\0\x01\x05").is_err());
        assert!(Pending::new(Kind::Results, OLD).pass(Sort::Count, &[0]).is_err());
    }
}
