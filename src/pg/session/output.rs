//! What goes to the client of one read from the server: the bytes as they came, or a changed copy from the first change
//! on.

use std::ops::Range;

use crate::session::buffers;

/// Output over the bytes of one read.
#[derive(Debug)]
pub struct Output {
    direct: Range<usize>,
    edited: Option<Vec<u8>>,
}

impl Output {
    /// Nothing yet; `prelude` comes before all.
    pub fn new(prelude: &[u8]) -> Self {
        let edited = (!prelude.is_empty()).then(|| {
            let mut buffer = buffers::lend();
            buffer.extend_from_slice(prelude);
            buffer
        });
        Self { direct: 0..0, edited }
    }

    /// Passes on a range of the input. Ranges come in order and do not overlap.
    pub fn forward(&mut self, input: &[u8], range: Range<usize>) {
        match &mut self.edited {
            Some(edited) => edited.extend_from_slice(input.get(range).unwrap_or_default()),
            None if self.direct.is_empty() => self.direct = range,
            None if self.direct.end == range.start => self.direct.end = range.end,
            None => self.edit(input).extend_from_slice(input.get(range).unwrap_or_default()),
        }
    }

    /// A buffer to write to instead of passing something on.
    pub fn edit(&mut self, input: &[u8]) -> &mut Vec<u8> {
        let direct = std::mem::take(&mut self.direct);
        self.edited.get_or_insert_with(|| {
            let mut buffer = buffers::lend();
            buffer.extend_from_slice(input.get(direct).unwrap_or_default());
            buffer
        })
    }

    /// All that goes to the client.
    pub fn bytes<'a>(&'a self, input: &'a [u8]) -> &'a [u8] {
        match &self.edited {
            Some(edited) => edited,
            None => input.get(self.direct.clone()).unwrap_or_default(),
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let Some(edited) = self.edited.take() {
            buffers::give_back(edited);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_passed_on_without_a_copy() {
        let input = b"abcdef";
        let mut out = Output::new(b"");
        out.forward(input, 1..3);
        out.forward(input, 3..5);
        assert!(out.edited.is_none());
        assert_eq!(out.bytes(input), b"bcde");
    }

    #[test]
    fn gaps_and_changes_are_kept_in_order() {
        let input = b"abcdef";
        let mut out = Output::new(b"");
        out.forward(input, 0..2);
        out.edit(input).extend_from_slice(b"X");
        out.forward(input, 3..4);
        assert_eq!(out.bytes(input), b"abXd");
        let mut out = Output::new(b"P");
        out.forward(input, 5..6);
        assert_eq!(out.bytes(input), b"Pf");
        let mut out = Output::new(b"");
        out.forward(input, 0..1);
        out.forward(input, 4..6);
        assert_eq!(out.bytes(input), b"aef");
    }
}
