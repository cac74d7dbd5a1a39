//! Points in time as records write them: RFC 3339, UTC, microseconds. The seconds' part is made once a second.

use std::time::{SystemTime, UNIX_EPOCH};

use super::json::push_number;

/// Writes points in time; remembers the text of the last second.
#[derive(Debug, Default)]
pub struct Clockface {
    second: Option<u64>,
    text: String,
}

impl Clockface {
    /// Appends `2026-01-31T08:15:30.000125Z`.
    pub fn push(&mut self, out: &mut Vec<u8>, time: SystemTime) {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        if self.second != Some(since.as_secs()) {
            self.second = Some(since.as_secs());
            self.text = second_text(since.as_secs(), "%Y-%m-%dT%H:%M:%S.");
        }
        out.extend_from_slice(self.text.as_bytes());
        let start = out.len();
        push_number(out, u64::from(since.subsec_micros()) + 1_000_000);
        out.remove(start);
        out.push(b'Z');
    }
}

/// A point in time as segment names have it: `20260131T081530`.
pub fn compact(time: SystemTime) -> String {
    second_text(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(), "%Y%m%dT%H%M%S")
}

/// A point in time as records have it.
pub fn rfc3339(time: SystemTime) -> String {
    let mut out = Vec::new();
    Clockface::default().push(&mut out, time);
    String::from_utf8(out).unwrap_or_default()
}

fn second_text(second: u64, format: &str) -> String {
    let timestamp = i64::try_from(second).ok().and_then(|second| jiff::Timestamp::from_second(second).ok());
    timestamp.unwrap_or(jiff::Timestamp::MAX).strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_have_six_digits_of_fraction() {
        let mut face = Clockface::default();
        let mut out = Vec::new();
        let time = UNIX_EPOCH + Duration::new(1_769_847_330, 125_999);
        face.push(&mut out, time);
        out.push(b' ');
        face.push(&mut out, time + Duration::from_micros(999_875));
        assert_eq!(String::from_utf8(out).unwrap(), "2026-01-31T08:15:30.000125Z 2026-01-31T08:15:31.000000Z");
        assert_eq!(compact(time), "20260131T081530");
    }
}
