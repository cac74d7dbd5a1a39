//! Hours of the week in a time zone: `Mon-Fri 08:00-20:00 Asia/Tokyo`.

use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;

/// Days of a week and a span of each, in a time zone.
#[derive(Debug, Clone, PartialEq)]
pub struct Hours {
    /// Seven bits, Monday the lowest.
    days: u8,
    /// Minutes from midnight.
    from: u16,
    /// Minutes from midnight; not after `from` where the span passes midnight.
    to: u16,
    zone: TimeZone,
    // As the rule has it.
    text: Box<str>,
}

const DAY: u16 = 24 * 60;
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl Hours {
    /// Reads `DAYS [FROM-TO] [ZONE]`: days are `Mon-Fri`, `Sat,Sun` or `daily`, times `HH:MM`. Without times it is the
    /// whole day, without zone UTC. A span such as `22:00-06:00` passes midnight and belongs to the day it begins.
    /// `zone` looks a time zone up.
    pub fn parse(text: &str, zone: impl Fn(&str) -> Option<TimeZone>) -> Result<Self, String> {
        let mut words = text.split_whitespace().peekable();
        let days = words.next().and_then(days).ok_or_else(|| bad(text))?;
        let span = words.next_if(|word| word.starts_with(|c: char| c.is_ascii_digit()));
        let (from, to) = match span {
            Some(span) => {
                let (from, to) = span.split_once('-').ok_or_else(|| bad(text))?;
                (minutes(from).ok_or_else(|| bad(text))?, minutes(to).ok_or_else(|| bad(text))?)
            }
            None => (0, DAY),
        };
        let zone = match words.next() {
            None => TimeZone::UTC,
            Some(name) => zone(name).ok_or_else(|| unknown_zone(name))?,
        };
        if words.next().is_some() || from == to {
            return Err(bad(text));
        }
        Ok(Self { days, from, to, zone, text: text.into() })
    }

    /// Whether a moment is within the hours.
    pub fn contains(&self, moment: Timestamp) -> bool {
        let local = moment.to_zoned(self.zone.clone());
        let now = u16::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute())).unwrap_or(0);
        let today = self.has(local.weekday());
        if self.from < self.to {
            today && (self.from..self.to).contains(&now)
        } else {
            (today && now >= self.from) || (self.has(local.weekday().previous()) && now < self.to)
        }
    }

    /// The hours as the rule has them.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A moment in the words of the hours: `Sun 09:05 UTC`.
    pub fn moment(&self, moment: Timestamp) -> String {
        moment.to_zoned(self.zone.clone()).strftime("%a %H:%M %Z").to_string()
    }

    fn has(&self, day: Weekday) -> bool {
        self.days & (1 << day.to_monday_zero_offset()) != 0
    }
}

fn bad(text: &str) -> String {
    format!("`{text}` are no hours; write them like `Mon-Fri 08:00-20:00 Asia/Tokyo`")
}

fn days(text: &str) -> Option<u8> {
    if text.eq_ignore_ascii_case("daily") {
        return Some(0x7f);
    }
    let mut set = 0;
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (mut day, last) = (day(first)?, day(last)?);
        set |= 1 << day;
        while day != last {
            day = (day + 1) % 7;
            set |= 1 << day;
        }
    }
    Some(set)
}

fn day(text: &str) -> Option<usize> {
    DAYS.iter().position(|day| day.eq_ignore_ascii_case(text))
}

fn minutes(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    if hour.len() > 2 || minute.len() != 2 {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    (minute < 60 && hour * 60 + minute <= DAY).then_some(hour * 60 + minute)
}

fn unknown_zone(name: &str) -> String {
    format!(
        "time zone `{name}` is not known here; write a name like `Europe/Paris`, and see that the machine has a time \
         zone database (the package `tzdata`)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> Option<TimeZone> {
        (name == "Asia/Tokyo").then(|| TimeZone::fixed(jiff::tz::offset(9)))
    }

    fn within(hours: &str, moment: &str) -> bool {
        Hours::parse(hours, zone).unwrap().contains(moment.parse().unwrap())
    }

    #[test]
    fn office_hours_in_their_own_zone() {
        let hours = "Mon-Fri 08:00-20:00 Asia/Tokyo";
        assert!(within(hours, "2026-11-23T23:00:00Z"), "Tuesday 08:00 in Tokyo");
        assert!(!within(hours, "2026-11-23T22:59:59Z"), "Tuesday 07:59 in Tokyo");
        assert!(!within(hours, "2026-11-24T11:00:00Z"), "20:00 is outside");
        assert!(!within(hours, "2026-11-28T03:00:00Z"), "Saturday");
    }

    #[test]
    fn a_night_belongs_to_the_day_it_begins() {
        let hours = "Fri 22:00-06:00";
        assert!(within(hours, "2026-11-27T23:00:00Z"));
        assert!(within(hours, "2026-11-28T05:59:00Z"), "Saturday morning");
        assert!(!within(hours, "2026-11-27T05:00:00Z"), "Friday morning");
    }

    #[test]
    fn whole_days_and_ranges_over_the_week_end() {
        assert!(within("Sat,Sun", "2026-11-29T12:00:00Z"));
        assert!(within("Sat-Mon", "2026-11-30T00:00:00Z"));
        assert!(!within("Sat-Mon", "2026-12-01T00:00:00Z"));
        assert!(within("daily 00:00-24:00", "2026-12-01T23:59:59Z"));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for bad in [
            "",
            "08:00-20:00",
            "Mon-Fry",
            "Mon 8-20",
            "Mon 08:00-25:00",
            "Mon 08:00-08:00",
            "Mon UTC extra",
            "Mon 08:00-20:00 Asia/Tokio",
        ] {
            assert!(Hours::parse(bad, zone).is_err(), "{bad}");
        }
    }
}
