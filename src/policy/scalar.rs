//! Durations, sizes and numbers as people write them in the files.

use std::time::Duration;

/// Reads a duration: whole numbers with units, such as `500ms`, `60s`, `1h30m`, `7d`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let bad = || format!("`{text}` is no duration; write it like `500ms`, `60s`, `1h30m` or `7d`");
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return Err(bad());
    }
    while !rest.is_empty() {
        let (amount, after) = leading_number(rest).ok_or_else(bad)?;
        let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(end).ok_or_else(bad)?;
        let milliseconds: u64 = match unit.trim() {
            "ms" => 1,
            "s" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(bad()),
        };
        let part = amount.checked_mul(milliseconds).map(Duration::from_millis).ok_or_else(bad)?;
        total = total.checked_add(part).ok_or_else(bad)?;
        rest = after;
    }
    Ok(total)
}

/// Reads a duration that is more than none at all.
pub fn positive_duration(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err(format!("`{text}` is no time at all; write a duration like `60s`, or leave the key out")),
        duration => Ok(duration),
    }
}

/// Reads a size that is more than nothing.
pub fn positive_size(text: &str) -> Result<u64, String> {
    match size(text)? {
        0 => Err(format!("`{text}` is no size at all; write one like `256MB`, or leave the key out")),
        size => Ok(size),
    }
}

/// Reads a size in bytes: `256MB` (10⁶), `64MiB` (2²⁰), `1000`.
pub fn size(text: &str) -> Result<u64, String> {
    let bad = || format!("`{text}` is no size; write it like `64KiB`, `256MB` or `1GiB`");
    let (amount, unit) = leading_number(text.trim()).ok_or_else(bad)?;
    let bytes: u64 = match unit.trim() {
        "" | "B" => 1,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return Err(bad()),
    };
    amount.checked_mul(bytes).ok_or_else(bad)
}

fn leading_number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    Some((digits.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(duration("60s"), Ok(Duration::from_mins(1)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("1h30m"), Ok(Duration::from_mins(90)));
        assert_eq!(duration("7 d"), Ok(Duration::from_hours(7 * 24)));
        for bad in ["", "60", "s", "1.5h", "60 seconds", "-1s", "99999999999999999999s", "18446744073709551615d"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(size("256MB"), Ok(256_000_000));
        assert_eq!(size("64 KiB"), Ok(65_536));
        assert_eq!(size("1000"), Ok(1000));
        for bad in ["", "MB", "1.5GB", "256 mb", "99999999999TB"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }
}
