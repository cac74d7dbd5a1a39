//! Small questions of the proxy's own: the catalog, session set-up, kills.

use super::{Upstream, UpstreamError};
use crate::mysql::wire::capability::status;
use crate::mysql::wire::ok::{self, Ok as OkPacket};
use crate::mysql::wire::prepared::Prepared;
use crate::mysql::wire::reader::Put;
use crate::mysql::wire::{Capabilities, Malformed, Reader, command, err, packet};
use crate::sql::Engine;

/// The type of a string parameter, and that it is not unsigned.
const VAR_STRING: [u8; 2] = [0xfd, 0];

/// How the values of rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// As text.
    Text,
    /// As for executions.
    Binary,
}

/// The rows of a result, every value as text.
#[derive(Debug, Default)]
pub struct Rows {
    columns: usize,
    data: Vec<u8>,
    // Where each value lies in `data`; nothing for NULL. Row after row.
    cells: Vec<Option<(usize, usize)>>,
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    data: &'a [u8],
    cells: &'a [Option<(usize, usize)>],
}

impl Rows {
    /// The rows in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        self.cells.chunks_exact(self.columns.max(1)).map(|cells| Row { data: &self.data, cells })
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.cells.len() / self.columns.max(1)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    fn push(&mut self, row: &[u8]) -> Result<(), Malformed> {
        let mut reader = Reader::new(row);
        for _ in 0..self.columns {
            let cell = reader.nullable_bytes()?.map(|value| {
                let start = self.data.len();
                self.data.extend_from_slice(value);
                (start, self.data.len())
            });
            self.cells.push(cell);
        }
        if reader.is_empty() { Ok(()) } else { Err(Malformed("row has more values than columns")) }
    }
}

impl<'a> Row<'a> {
    /// A value by position, from 0; nothing for NULL and for text that is not UTF-8.
    pub fn get(&self, column: usize) -> Option<&'a str> {
        let (start, end) = (*self.cells.get(column)?)?;
        std::str::from_utf8(self.data.get(start..end)?).ok()
    }
}

impl Upstream {
    /// Runs a text and gives the rows of its last result.
    pub async fn query(&mut self, sql: &str) -> Result<Rows, UpstreamError> {
        let mut payload = vec![command::QUERY];
        if self.capabilities.has(Capabilities::QUERY_ATTRIBUTES) {
            // No attributes, one set.
            payload.extend_from_slice(&[0, 1]);
        }
        payload.extend_from_slice(sql.as_bytes());
        let mut out = Vec::with_capacity(payload.len() + 4);
        packet::append(&mut out, 0, &payload);
        self.send(&out).await?;
        loop {
            let (rows, more) = self.result().await?;
            if !more {
                return Ok(rows);
            }
        }
    }

    /// Sends an execution as it is and gives the first value of its result, which is text in one column.
    pub async fn first_text(&mut self, packet: &[u8]) -> Result<Option<String>, UpstreamError> {
        self.send(packet).await?;
        let (rows, _) = self.result_of(Format::Binary).await?;
        Ok(rows.iter().next().and_then(|row| row.get(0)).map(str::to_owned))
    }

    /// Sets user variables to strings that no statement text holds: they travel as parameters.
    pub async fn set_variables(&mut self, names: &[&str], values: &[&str]) -> Result<(), UpstreamError> {
        let settings: Vec<String> =
            names.iter().map(|name| format!("@{} = ?", Engine::MySql.quote_identifier(name))).collect();
        let mut out = Vec::new();
        packet::append(
            &mut out,
            0,
            &[&[command::STMT_PREPARE], format!("set {}", settings.join(", ")).as_bytes()].concat(),
        );
        self.send(&out).await?;
        let mut body = Vec::new();
        self.receive(&mut body).await?;
        if body.first() == Some(&err::MARK) {
            return Err(UpstreamError::Server(err::Err::read(&body)?));
        }
        let prepared = Prepared::read(&body, self.capabilities.has(Capabilities::OPTIONAL_METADATA))?;
        if prepared.described {
            // SET has no columns; its parameters are described, an EOF packet behind them for old clients.
            let ends = usize::from(!self.capabilities.has(Capabilities::DEPRECATE_EOF));
            for _ in 0..usize::from(prepared.parameters) + ends {
                self.receive(&mut body).await?;
            }
        }
        let mut execute = vec![command::STMT_EXECUTE];
        execute.put_le32(prepared.id);
        execute.push(0);
        execute.put_le32(1);
        // With query attributes the server wants the parameters counted and named.
        let attributes = self.capabilities.has(Capabilities::QUERY_ATTRIBUTES);
        if attributes {
            execute.put_lenenc(values.len() as u64);
        }
        execute.resize(execute.len() + values.len().div_ceil(8), 0);
        execute.push(1);
        for _ in values {
            execute.extend_from_slice(&VAR_STRING);
            if attributes {
                execute.put_lenenc_bytes(b"");
            }
        }
        for value in values {
            execute.put_lenenc_bytes(value.as_bytes());
        }
        out.clear();
        packet::append(&mut out, 0, &execute);
        self.send(&out).await?;
        self.result().await?;
        out.clear();
        packet::append_with(&mut out, 0, |out| {
            out.push(command::STMT_CLOSE);
            out.put_le32(prepared.id);
        });
        self.send(&out).await
    }

    /// Reads one result, and whether another follows.
    async fn result(&mut self) -> Result<(Rows, bool), UpstreamError> {
        self.result_of(Format::Text).await
    }

    async fn result_of(&mut self, format: Format) -> Result<(Rows, bool), UpstreamError> {
        let mut body = Vec::new();
        self.receive(&mut body).await?;
        match *body.first().ok_or(Malformed("empty"))? {
            ok::OK => return Ok((Rows::default(), self.finish(&body)?)),
            err::MARK => return Err(UpstreamError::Server(err::Err::read(&body)?)),
            mark @ 0xfb => return Err(UpstreamError::Unexpected(mark)),
            _ => {}
        }
        let mut reader = Reader::new(&body);
        let columns = usize::try_from(reader.lenenc()?).map_err(|_| Malformed("too many columns"))?;
        let mut rows = Rows { columns, ..Rows::default() };
        let deprecate_eof = self.capabilities.has(Capabilities::DEPRECATE_EOF);
        for _ in 0..columns + usize::from(!deprecate_eof) {
            self.receive(&mut body).await?;
            if body.first() == Some(&err::MARK) {
                return Err(UpstreamError::Server(err::Err::read(&body)?));
            }
        }
        loop {
            self.receive(&mut body).await?;
            match body.first() {
                Some(&err::MARK) => return Err(UpstreamError::Server(err::Err::read(&body)?)),
                Some(&ok::EOF) if body.len() < 0xff_ffff => return Ok((rows, self.finish(&body)?)),
                // One value, text: behind the packet's mark and the bits of NULLs.
                _ if format == Format::Binary => rows.push(body.get(2..).unwrap_or_default())?,
                _ => rows.push(&body)?,
            }
        }
    }

    /// Notes the status of the packet that ends a result; whether another follows.
    fn finish(&mut self, body: &[u8]) -> Result<bool, UpstreamError> {
        let old = body.first() == Some(&ok::EOF) && !self.capabilities.has(Capabilities::DEPRECATE_EOF);
        self.status = if old {
            let mut reader = Reader::new(body);
            reader.bytes(3)?;
            reader.u16()?
        } else {
            OkPacket::read(body, self.capabilities)?.status
        };
        Ok(self.status & status::MORE_RESULTS != 0)
    }
}
