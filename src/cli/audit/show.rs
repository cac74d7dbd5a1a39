//! A record as lines for people.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde_json::Value;

use super::filter::text;
use super::verify::{bytes, counted};

/// Whether escape sequences are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colors {
    /// They are.
    On,
    /// They are not.
    Off,
}

#[derive(Debug, Clone, Copy)]
enum Tone {
    Plain,
    Dim,
    Good,
    Bad,
    Warn,
    Name,
}

impl Colors {
    fn paint(self, tone: Tone, text: &str) -> String {
        let code = match (self, tone) {
            (Self::Off, _) | (_, Tone::Plain) => return text.to_owned(),
            (_, Tone::Dim) => "2",
            (_, Tone::Good) => "32",
            (_, Tone::Bad) => "1;31",
            (_, Tone::Warn) => "33",
            (_, Tone::Name) => "36",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// Prints a record: what happened in one line, details of a statement below it.
pub fn show(out: &mut impl Write, record: &Value, colors: Colors) -> io::Result<()> {
    let time = text(record, "time").unwrap_or_default().replace('T', " ");
    let time = time.get(..23).unwrap_or(&time);
    let kind = text(record, "kind").unwrap_or_default();
    let (word, tone, what) = summary(kind, record);
    let who = colors.paint(Tone::Name, &format!("{:<24}", subject(record)));
    writeln!(
        out,
        "{} {who} {} {}",
        colors.paint(Tone::Dim, &clean(time)),
        colors.paint(tone, &format!("{:<9}", clean(&word))),
        clean(&what)
    )?;
    for detail in details(record) {
        writeln!(out, "{:24}{}", "", colors.paint(Tone::Dim, &clean(&detail)))?;
    }
    Ok(())
}

fn subject(record: &Value) -> String {
    let mut who = clean(text(record, "user").unwrap_or("-"));
    for (sign, name) in [('/', "role"), ('@', "source")] {
        if let Some(value) = text(record, name) {
            let _ = write!(who, "{sign}{}", clean(value));
        }
    }
    who
}

/// One word, how it is shown, and the rest of the line.
fn summary(kind: &str, record: &Value) -> (String, Tone, String) {
    let field = |name| text(record, name).unwrap_or_default().to_owned();
    let number = |name: &str| record.get(name).and_then(Value::as_u64).unwrap_or_default();
    let (word, tone, what) = match kind {
        "statement" => {
            let verdict = field("verdict");
            let tone = match verdict.as_str() {
                "permitted" => Tone::Good,
                "observed" => Tone::Warn,
                _ => Tone::Bad,
            };
            let statement = text(record, "text").or(text(record, "normalized")).unwrap_or_default();
            return (verdict, tone, one_line(statement));
        }
        "result" => ("result", Tone::Plain, result(record)),
        "session_opened" => {
            let application = text(record, "application").map(|name| format!(", {name}")).unwrap_or_default();
            ("login", Tone::Plain, format!("{} from {}{application}", field("protocol"), field("client")))
        }
        "session_closed" => (
            "logout",
            Tone::Plain,
            format!(
                "{}, {}, {}",
                field("reason"),
                counted(number("statements"), "statement"),
                counted(number("rows"), "row")
            ),
        ),
        "login_refused" => ("no login", Tone::Bad, format!("{} from {}", field("reason"), field("client"))),
        "alert" => ("alert", Tone::Bad, format!("{}: {} ({})", field("alert"), field("message"), field("on"))),
        "second_lock" => (
            "stopped",
            Tone::Bad,
            format!("statement {}: {} was about to arrive as it is", number("statement"), field("column")),
        ),
        "reload" => match text(record, "error") {
            Some(error) => ("reload", Tone::Bad, format!("rules were not loaded: {error}")),
            None => ("reload", Tone::Plain, format!("rules of version {} are in force", number("version"))),
        },
        "gap" => {
            let cost = format!(
                "{} refused, {} dropped",
                counted(number("refused"), "statement"),
                counted(number("dropped"), "record")
            );
            ("gap", Tone::Bad, format!("since {}: {}; {cost}", field("since"), field("reason")))
        }
        "recovered" => {
            ("recovered", Tone::Warn, format!("after record {}, {} bytes cut off", number("last"), number("bytes_cut")))
        }
        "lost" => ("lost", Tone::Bad, format!("segment {}: {}", field("segment"), field("reason"))),
        "started" => ("started", Tone::Plain, format!("sekisho {} on {}", field("version"), field("node"))),
        other => (other, Tone::Plain, field("segment")),
    };
    (word.to_owned(), tone, what)
}

fn result(record: &Value) -> String {
    let number = |name: &str| record.get(name).and_then(Value::as_u64).unwrap_or_default();
    let took = duration(number("total_us"));
    let mut what = format!("{}, {}, in {took}", counted(number("rows"), "row"), bytes(number("bytes")));
    if let Some(sqlstate) = text(record, "sqlstate") {
        let _ = write!(what, ", error {sqlstate}");
    }
    what
}

/// What lies behind a statement: why it was refused, or what it touched and what the server got.
fn details(record: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(message) = text(record, "message") {
        lines.push(format!(
            "{}{message}",
            text(record, "sqlstate").map(|state| format!("{state}: ")).unwrap_or_default()
        ));
    }
    let objects: Vec<_> = record.get("objects").and_then(Value::as_array).into_iter().flatten().map(object).collect();
    if !objects.is_empty() {
        lines.push(objects.join("; "));
    }
    let rules = names(record, "rules");
    if !rules.is_empty() {
        lines.push(format!("rules: {rules}"));
    }
    if let Some(sent) = text(record, "sent") {
        lines.push(format!("sent: {}", one_line(sent)));
    }
    if let Some(annotation) = text(record, "annotation") {
        lines.push(format!("comment: {}", one_line(annotation)));
    }
    lines
}

fn object(object: &Value) -> String {
    let mut line =
        format!("{} {}", text(object, "verb").unwrap_or_default(), text(object, "relation").unwrap_or_default());
    for (label, name) in [("masked", "masked"), ("raw", "raw"), ("filtered by", "filters")] {
        let list = names(object, name);
        if !list.is_empty() {
            let _ = write!(line, ", {label}: {list}");
        }
    }
    line
}

fn names(value: &Value, name: &str) -> String {
    let list = value.get(name).and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
}

fn duration(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..1_000_000 => format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100),
        _ => format!("{}.{} s", micros / 1_000_000, micros % 1_000_000 / 100_000),
    }
}

fn one_line(text: &str) -> String {
    const MOST: usize = 500;
    let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(MOST) {
        line.truncate(end);
        line.push('…');
    }
    line
}

/// Text of strangers, fit for a terminal: whatever could move the cursor, colour, hide or reorder text is shown as its
/// code.
fn clean(text: &str) -> String {
    let is_harmful = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    if !text.contains(is_harmful) {
        return text.to_owned();
    }
    let mut cleaned = String::new();
    for c in text.chars() {
        if is_harmful(c) {
            let _ = write!(cleaned, "\\u{{{:x}}}", u32::from(c));
        } else {
            cleaned.push(c);
        }
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(record: &Value, colors: Colors) -> String {
        let mut out = Vec::new();
        show(&mut out, record, colors).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_statement_shows_what_was_asked_decided_and_sent() {
        let record = json!({
            "time": "2026-01-31T08:15:30.000125Z", "kind": "statement", "user": "hanako", "role": "viewer",
            "source": "shop", "verdict": "permitted", "text": "select *\n  from customers", "sent": "SELECT …",
            "rules": ["contact-data"],
            "objects": [{"relation": "public.customers", "verb": "read", "raw": ["id"], "masked": ["email"]}],
        });
        let expected = "\
2026-01-31 08:15:30.000 hanako/viewer@shop       permitted select * from customers
                        read public.customers, masked: email, raw: id
                        rules: contact-data
                        sent: SELECT …
";
        assert_eq!(shown(&record, Colors::Off), expected);
        assert!(shown(&record, Colors::On).contains("\x1b[32mpermitted\x1b[0m"));
    }

    #[test]
    fn text_of_strangers_cannot_steer_the_terminal() {
        let evil = "x\x1b[2J\u{9b}31m\u{202e}\r";
        let record =
            json!({"time": evil, "kind": evil, "user": evil, "verdict": evil, "segment": evil, "message": evil});
        let shown = shown(&record, Colors::Off);
        assert!(!shown.contains(['\x1b', '\u{9b}', '\u{202e}', '\r']), "{shown:?}");
    }

    #[test]
    fn every_kind_has_its_line() {
        let result = json!({"kind": "result", "rows": 1, "bytes": 2500, "total_us": 1234, "sqlstate": "57014"});
        assert!(shown(&result, Colors::Off).ends_with("result    1 row, 2.5 kB, in 1.2 ms, error 57014\n"));
        let refused = json!({"kind": "login_refused", "reason": "wrong password", "client": "10.0.0.1:5"});
        assert!(shown(&refused, Colors::Off).ends_with("no login  wrong password from 10.0.0.1:5\n"));
    }
}
