//! Small questions of the proxy's own: the catalog, the planner's estimate.

use super::{Upstream, UpstreamError};
use crate::pg::wire::{Fields, WireError, backend, frontend};

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

    fn push(&mut self, body: &[u8]) -> Result<(), WireError> {
        let mut fields = Fields::new(body);
        let count = usize::from(fields.u16()?);
        if count != self.columns {
            return Err(WireError::Truncated);
        }
        for _ in 0..count {
            let cell = match usize::try_from(fields.i32()?) {
                Err(_) => None,
                Ok(length) => {
                    let start = self.data.len();
                    self.data.extend_from_slice(fields.bytes(length)?);
                    Some((start, start + length))
                }
            };
            self.cells.push(cell);
        }
        fields.end()
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
    /// Runs a text by the simple protocol and gives the rows of its last result.
    pub async fn query(&mut self, sql: &str) -> Result<Rows, UpstreamError> {
        let mut out = Vec::with_capacity(sql.len() + 6);
        frontend::write_query(&mut out, sql.as_bytes());
        self.send(&out).await?;
        let mut rows = Rows::default();
        let mut failure = None;
        let mut body = Vec::new();
        loop {
            match self.receive(&mut body).await {
                Ok(backend::ROW_DESCRIPTION) => {
                    rows = Rows { columns: usize::from(Fields::new(&body).u16()?), ..Rows::default() };
                }
                Ok(backend::DATA_ROW) => rows.push(&body)?,
                Ok(backend::COMMAND_COMPLETE | backend::EMPTY_QUERY_RESPONSE) => {}
                Ok(backend::READY_FOR_QUERY) => {
                    self.status = body.first().copied().unwrap_or(b'I');
                    return failure.map_or(Ok(rows), Err);
                }
                Ok(other) => return Err(UpstreamError::Unexpected(char::from(other))),
                // The server goes on to ReadyForQuery, and the connection stays of use.
                Err(error @ UpstreamError::Server { .. }) => failure = Some(error),
                Err(error) => return Err(error),
            }
        }
    }
}
