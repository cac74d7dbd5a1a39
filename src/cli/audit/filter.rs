//! Which records `sekisho audit tail` shows.

use clap::Args;
use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};
use serde_json::Value;

/// What a record must be to be shown; all that is given must hold.
#[derive(Debug, Args)]
pub struct Filter {
    /// Only of this user
    #[arg(long)]
    user: Option<String>,
    /// Only of sessions that acted in this role
    #[arg(long)]
    role: Option<String>,
    /// Only of this source
    #[arg(long)]
    source: Option<String>,
    /// Only of this session's number
    #[arg(long)]
    session: Option<u64>,
    /// Only of this kind: `statement`, `result`, `session_opened`, `login_refused`, `reload` …
    #[arg(long)]
    kind: Option<String>,
    /// Only what was refused: statements, logins, results that the second lock ended
    #[arg(long)]
    refused: bool,
    /// Only statements that touch this table: `name` or `schema.name`
    #[arg(long)]
    table: Option<String>,
    /// Only statements of this fingerprint
    #[arg(long, value_name = "HEX")]
    fingerprint: Option<String>,
}

impl Filter {
    /// Whether a record is shown.
    pub fn matches(&self, record: &Value) -> bool {
        let is = |name: &str, wanted: &Option<String>| wanted.as_ref().is_none_or(|w| text(record, name) == Some(w));
        is("user", &self.user)
            && is("role", &self.role)
            && is("source", &self.source)
            && is("kind", &self.kind)
            && is("fingerprint", &self.fingerprint)
            && self.session.is_none_or(|session| record.get("session").and_then(Value::as_u64) == Some(session))
            && (!self.refused || is_refusal(record))
            && self.table.as_ref().is_none_or(|table| touches(record, table))
    }
}

fn is_refusal(record: &Value) -> bool {
    text(record, "verdict") == Some("refused") || matches!(text(record, "kind"), Some("login_refused" | "second_lock"))
}

fn touches(record: &Value, table: &str) -> bool {
    let objects = record.get("objects").and_then(Value::as_array).into_iter().flatten();
    objects
        .filter_map(|object| text(object, "relation"))
        .any(|relation| relation == table || relation.rsplit_once('.').is_some_and(|(_, name)| name == table))
}

/// A text field of a record.
pub fn text<'a>(record: &'a Value, name: &str) -> Option<&'a str> {
    record.get(name)?.as_str()
}

/// Reads `--since`: a time of day or date in this machine's zone, RFC 3339, or how long ago. Gives it as records have it.
pub fn since(given: &str) -> Result<String, String> {
    let local = |time: civil::DateTime| time.to_zoned(TimeZone::system()).map(|zoned| zoned.timestamp());
    let now = Timestamp::now();
    let time = given
        .parse::<Timestamp>()
        .or_else(|_| given.parse::<civil::DateTime>().and_then(local))
        .or_else(|_| {
            given
                .parse::<civil::Time>()
                .and_then(|time| local(now.to_zoned(TimeZone::system()).date().to_datetime(time)))
        })
        .or_else(|_| {
            days(given).map_or_else(|| given.parse::<SignedDuration>(), Ok).and_then(|ago| now.checked_sub(ago))
        })
        .map_err(|_| {
            "give a time as `2026-01-31 08:15`, `08:15`, RFC 3339, or how long ago as `30m`, `2h`, `3d`".to_owned()
        })?;
    Ok(time.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string())
}

fn days(given: &str) -> Option<SignedDuration> {
    given.strip_suffix('d')?.parse::<i64>().ok()?.checked_mul(24).map(SignedDuration::from_hours)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Filter {
        Filter {
            user: None,
            role: None,
            source: None,
            session: None,
            kind: None,
            refused: false,
            table: None,
            fingerprint: None,
        }
    }

    #[test]
    fn every_condition_given_must_hold() {
        let record = serde_json::json!({
            "kind": "statement", "session": 7, "user": "hanako", "role": "viewer", "source": "shop",
            "verdict": "refused", "fingerprint": "00ab",
            "objects": [{"relation": "mart.daily"}, {"relation": "public.customers"}],
        });
        let yes = Filter { user: Some("hanako".into()), session: Some(7), refused: true, ..all() };
        assert!(yes.matches(&record));
        assert!(Filter { table: Some("customers".into()), ..all() }.matches(&record));
        assert!(
            Filter { table: Some("mart.daily".into()), fingerprint: Some("00ab".into()), ..all() }.matches(&record)
        );
        assert!(!Filter { table: Some("dail".into()), ..all() }.matches(&record));
        assert!(!Filter { role: Some("admin".into()), ..yes }.matches(&record));
        assert!(!Filter { refused: true, ..all() }.matches(&serde_json::json!({"kind": "result"})));
        assert!(Filter { refused: true, ..all() }.matches(&serde_json::json!({"kind": "login_refused"})));
    }

    #[test]
    fn since_reads_times_and_durations() {
        assert_eq!(since("2026-01-31T08:15:00+09:00").unwrap(), "2026-01-30T23:15:00.000000Z");
        for given in ["2026-01-31 08:15", "2026-01-31", "08:15", "30m", "2h", "1h 30m", "3d"] {
            assert_eq!(since(given).unwrap().len(), "2026-01-30T23:15:00.000000Z".len(), "{given}");
        }
        assert!(since("2h").unwrap() < since("1h").unwrap() && since("3d").unwrap() < since("2h").unwrap());
        assert!(since("yesterday").is_err());
    }
}
