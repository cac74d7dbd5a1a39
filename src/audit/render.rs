//! What each kind of record says, as JSON fields. Fields that do not apply are left out.

use super::chain::hex_hash;
use super::facts::{Facts, ObjectUse, Ran, Shown};
use super::json::{hex_digits, push_field, push_name, push_number_field, push_string, push_strings};
use super::record::{AlertRecord, Ending, Ground, Outcome, ResultRecord, Sequence, StatementRecord, Subject, Totals};
use super::settings::StatementText;
use crate::policy::Verb;

/// What stands for a text that may hold a password and cannot be cleaned of it.
const WITHHELD: &str = "(withheld: the text may hold a password)";

/// How much of statement texts is recorded.
#[derive(Debug, Clone, Copy)]
pub struct TextRules {
    /// Which text.
    pub statement_text: StatementText,
    /// At most so many bytes of it.
    pub max_length: usize,
}

/// Who and from where.
pub fn subject(out: &mut Vec<u8>, subject: &Subject) {
    push_number_field(out, "session", subject.session);
    push_field(out, "user", &subject.user);
    if !subject.role.is_empty() {
        push_field(out, "role", &subject.role);
    }
    if !subject.source.is_empty() {
        push_field(out, "source", &subject.source);
    }
    push_field(out, "protocol", subject.protocol);
    push_field(out, "client", &subject.client);
    if !subject.application.is_empty() {
        push_field(out, "application", &subject.application);
    }
}

/// A statement and how it was decided.
pub fn statement(out: &mut Vec<u8>, record: &StatementRecord<'_>, rules: TextRules) {
    subject(out, record.subject);
    let is_whole = rules.statement_text == StatementText::Full && !may_hold_secret(record.text, record.facts);
    outcome(out, record.outcome, if is_whole { None } else { Some(record.facts) });
    if !record.reported.is_empty() {
        push_name(out, "reported");
        push_strings(out, record.reported.iter().map(|rule| &*rule.name));
    }
    texts(out, record, rules);
    if !record.facts.runs.is_empty() {
        runs(out, &record.facts.runs, rules);
    }
    out.extend_from_slice(record.facts.rendered.0.get_or_init(|| facts(record.facts)));
}

/// What came of a statement.
pub fn result(out: &mut Vec<u8>, record: &ResultRecord<'_>) {
    subject(out, record.subject);
    push_number_field(out, "statement", record.statement.0);
    push_number_field(out, "rows", record.rows);
    push_number_field(out, "bytes", record.bytes);
    push_number_field(out, "first_row_us", record.first_row_us);
    push_number_field(out, "total_us", record.total_us);
    if let Some(sqlstate) = record.sqlstate {
        push_field(out, "sqlstate", sqlstate);
    }
    if let Some(met) = record.limit {
        push_field(out, "limit", met.limit.word());
        push_field(out, "rule", met.rule);
        push_field(out, "action", if met.stopped { "stopped" } else { "observed" });
    }
}

/// What people were told of.
pub fn alert(out: &mut Vec<u8>, record: &AlertRecord<'_>) {
    push_field(out, "alert", record.name);
    if let Some(owner) = record.owner {
        push_field(out, "owner", owner);
    }
    push_field(out, "on", record.on);
    push_number_field(out, "events", record.events);
    subject(out, record.subject);
    if record.statement != Sequence::default() {
        push_number_field(out, "statement", record.statement.0);
    }
    push_field(out, "message", record.message);
}

/// The end of a session.
pub fn session_closed(out: &mut Vec<u8>, who: &Subject, ending: Ending, totals: Totals) {
    subject(out, who);
    match ending {
        Ending::Terminated => push_field(out, "reason", "terminated"),
        Ending::ClientGone => push_field(out, "reason", "client gone"),
        Ending::ServerGone => push_field(out, "reason", "server gone"),
        Ending::ProtocolViolation => push_field(out, "reason", "protocol violation"),
        Ending::Closed(why) => push_field(out, "reason", why),
    }
    push_number_field(out, "statements", totals.statements);
    push_number_field(out, "rows", totals.rows);
    push_number_field(out, "bytes", totals.bytes);
}

/// How it was decided. Where the text is not recorded, its message has none of the literals of the `cleaned` facts.
fn outcome(out: &mut Vec<u8>, outcome: Outcome<'_>, cleaned: Option<&Facts>) {
    let (verdict, sqlstate, message, rule, ground) = match outcome {
        Outcome::Permitted => ("permitted", None, None, None, Ground::Rules),
        Outcome::Observed { message, rule, ground } => ("observed", None, Some(message), rule, ground),
        Outcome::Refused { sqlstate, message, rule, ground } => {
            ("refused", Some(sqlstate), Some(message), rule, ground)
        }
    };
    push_field(out, "verdict", verdict);
    let message = message.map(|message| match cleaned {
        Some(facts) => facts.without_literals(message),
        None => message.into(),
    });
    let message = message.as_deref();
    for (name, value) in [("sqlstate", sqlstate), ("message", message), ("rule", rule)] {
        if let Some(value) = value {
            push_field(out, name, value);
        }
    }
    match ground {
        Ground::Rules => {}
        Ground::Limit(limit) => push_field(out, "limit", limit.word()),
        Ground::Block => push_field(out, "ground", "block"),
        Ground::Learn => push_field(out, "ground", "learn"),
    }
}

fn texts(out: &mut Vec<u8>, record: &StatementRecord<'_>, rules: TextRules) {
    let annotation = |out: &mut Vec<u8>| {
        if let Some(annotation) = record.annotation {
            push_field(out, "annotation", annotation);
        }
    };
    match rules.statement_text {
        StatementText::Off => {}
        StatementText::Full if !may_hold_secret(record.text, record.facts) => {
            push_text(out, "text", record.text, rules.max_length);
            annotation(out);
            if let Some(sent) = record.sent {
                push_text(out, "sent", sent, rules.max_length);
            }
        }
        StatementText::Full | StatementText::Normalized => {
            push_text(out, "normalized", normalized(record.facts), rules.max_length);
            annotation(out);
        }
    }
}

/// What a statement runs that was prepared or opened before.
fn runs(out: &mut Vec<u8>, runs: &[Ran], rules: TextRules) {
    push_name(out, "runs");
    out.push(b'[');
    for (index, Ran { text, facts }) in runs.iter().enumerate() {
        out.extend_from_slice(if index > 0 { b",{\"fingerprint\":" } else { b"{\"fingerprint\":" });
        push_fingerprint(out, facts);
        match rules.statement_text {
            StatementText::Off => {}
            StatementText::Full if !may_hold_secret(text, facts) => push_text(out, "text", text, rules.max_length),
            StatementText::Full | StatementText::Normalized => {
                push_text(out, "normalized", normalized(facts), rules.max_length);
            }
        }
        out.push(b'}');
    }
    out.push(b']');
}

fn normalized(facts: &Facts) -> &str {
    if facts.normalized.is_empty() { WITHHELD } else { &facts.normalized }
}

fn push_fingerprint(out: &mut Vec<u8>, facts: &Facts) {
    out.push(b'"');
    for byte in facts.fingerprint.to_be_bytes() {
        out.extend_from_slice(&hex_digits(byte));
    }
    out.push(b'"');
}

/// A text, cut where it is longer than is recorded; then its length and SHA-256 say what it was.
fn push_text(out: &mut Vec<u8>, name: &str, text: &str, max_length: usize) {
    if text.len() <= max_length {
        push_field(out, name, text);
        return;
    }
    push_field(out, name, text.get(..text.floor_char_boundary(max_length)).unwrap_or_default());
    push_number_field(out, &format!("{name}_length"), text.len() as u64);
    push_field(out, &format!("{name}_sha256"), &String::from_utf8_lossy(&hex_hash(text.as_bytes())));
}

/// Whether a text may set a password: it is no plain reading or writing of data and has one of the words that such
/// statements have. Also where the text could not be read.
fn may_hold_secret(text: &str, facts: &Facts) -> bool {
    let plain = !facts.kinds.is_empty() && facts.kinds.iter().all(|kind| is_about_data(kind));
    !plain && ["passw", "identified", "secret"].iter().any(|word| contains_word_part(text, word))
}

fn is_about_data(kind: &str) -> bool {
    matches!(
        kind,
        "select"
            | "values"
            | "table"
            | "insert"
            | "update"
            | "delete"
            | "merge"
            | "replace"
            | "truncate"
            | "begin"
            | "commit"
            | "rollback"
            | "savepoint"
            | "release"
            | "fetch"
            | "close"
            | "show"
    )
}

fn contains_word_part(text: &str, part: &str) -> bool {
    text.as_bytes().windows(part.len()).any(|window| window.eq_ignore_ascii_case(part.as_bytes()))
}

/// What follows from the text alone.
fn facts(facts: &Facts) -> Box<[u8]> {
    let mut out = Vec::new();
    push_name(&mut out, "fingerprint");
    push_fingerprint(&mut out, facts);
    if facts.meaning != facts.fingerprint {
        push_field(&mut out, "learned_as", &format!("{:016x}", facts.meaning));
    }
    push_name(&mut out, "statements");
    push_strings(&mut out, facts.kinds.iter().copied());
    push_name(&mut out, "rules");
    push_strings(&mut out, facts.rules.iter().map(|rule| &**rule));
    push_name(&mut out, "objects");
    out.push(b'[');
    for (index, object) in facts.objects.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        object_use(&mut out, object);
    }
    out.push(b']');
    out.into_boxed_slice()
}

fn object_use(out: &mut Vec<u8>, object: &ObjectUse) {
    out.extend_from_slice(b"{\"relation\":");
    push_string(out, &object.relation);
    push_field(out, "verb", verb(object.verb));
    for (name, shown) in [("raw", Shown::Raw), ("masked", Shown::Masked)] {
        let mut columns = object.columns.iter().filter(|column| column.1 == shown).map(|column| &*column.0).peekable();
        if columns.peek().is_some() {
            push_name(out, name);
            push_strings(out, columns);
        }
    }
    if !object.filters.is_empty() {
        push_name(out, "filters");
        push_strings(out, object.filters.iter().map(|filter| &**filter));
    }
    out.push(b'}');
}

fn verb(verb: Verb) -> &'static str {
    match verb {
        Verb::Read => "read",
        Verb::Insert => "insert",
        Verb::Update => "update",
        Verb::Delete => "delete",
        Verb::Truncate => "truncate",
        Verb::Create => "create",
        Verb::Alter => "alter",
        Verb::Drop => "drop",
        Verb::Call => "call",
        Verb::Explain => "explain",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: TextRules = TextRules { statement_text: StatementText::Full, max_length: 1000 };

    fn rendered(text: &str, facts: &Facts, rules: TextRules) -> serde_json::Value {
        let who = Subject { session: 7, user: "hanako".into(), protocol: "postgres", ..Subject::default() };
        let outcome =
            Outcome::Refused { sqlstate: "42501", message: "no", rule: Some("contact-data"), ground: Ground::Rules };
        let sent = Some("SELECT 1 /* sent */");
        let record = StatementRecord {
            subject: &who,
            text,
            annotation: Some("by: tableau"),
            sent,
            facts,
            outcome,
            reported: &[],
        };
        let mut out = b"{\"v\":1".to_vec();
        statement(&mut out, &record, rules);
        out.push(b'}');
        serde_json::from_slice(&out).unwrap()
    }

    fn facts(kind: &'static str, normalized: &str) -> Facts {
        let object = ObjectUse {
            relation: "public.customers".into(),
            verb: Verb::Read,
            columns: vec![("id".into(), Shown::Raw), ("email".into(), Shown::Masked), ("name".into(), Shown::Masked)],
            filters: vec!["eu-rows".into()],
        };
        Facts {
            fingerprint: 0xab,
            meaning: 0xab,
            normalized: normalized.into(),
            kinds: vec![kind],
            rules: vec!["contact-data".into()],
            objects: vec![object],
            ..Facts::default()
        }
    }

    #[test]
    fn a_statement_says_everything_about_itself() {
        let value = rendered("select email from customers", &facts("select", "…"), FULL);
        let expected = serde_json::json!({
            "v": 1, "session": 7, "user": "hanako", "protocol": "postgres", "client": "", "verdict": "refused",
            "sqlstate": "42501", "message": "no", "rule": "contact-data", "text": "select email from customers",
            "annotation": "by: tableau", "sent": "SELECT 1 /* sent */", "fingerprint": "00000000000000ab",
            "statements": ["select"], "rules": ["contact-data"],
            "objects": [{
                "relation": "public.customers", "verb": "read", "raw": ["id"], "masked": ["email", "name"],
                "filters": ["eu-rows"],
            }],
        });
        assert_eq!(value, expected);
    }

    #[test]
    fn passwords_are_never_recorded() {
        let secret = "ALTER ROLE kenji PASSWORD 'xyzzy'";
        for (kind, normalized) in [("alter", "alter role kenji password ?"), ("other", ""), ("set", "")] {
            let value = rendered(secret, &facts(kind, normalized), FULL).to_string();
            assert!(!value.contains("xyzzy") && !value.contains("sent"), "{value}");
        }
        let unread = Facts { kinds: vec![], ..facts("", "") };
        assert!(!rendered(secret, &unread, FULL).to_string().contains("xyzzy"));
        let data = rendered("select 'password'", &facts("select", ""), FULL);
        assert_eq!(data["text"], "select 'password'");
    }

    #[test]
    fn statement_text_says_how_much_is_kept() {
        let normalized = TextRules { statement_text: StatementText::Normalized, ..FULL };
        let value = rendered("select 4711", &facts("select", "select ?"), normalized);
        assert_eq!((&value["normalized"], value.get("text"), value.get("sent")), (&"select ?".into(), None, None));
        let off = TextRules { statement_text: StatementText::Off, ..FULL };
        let value = rendered("select 4711", &facts("select", "select ?"), off).to_string();
        assert!(!value.contains("4711") && !value.contains("select ?") && !value.contains("tableau"), "{value}");
    }

    #[test]
    fn a_long_text_is_cut_between_characters_and_named_by_its_hash() {
        let text = format!("select '{}'", "花".repeat(500));
        let value = rendered(&text, &facts("select", ""), FULL);
        assert_eq!(value["text"].as_str().unwrap().len(), 998);
        assert_eq!(value["text_length"], text.len());
        assert_eq!(value["text_sha256"].as_str().unwrap().as_bytes(), hex_hash(text.as_bytes()));
    }

    #[test]
    fn messages_repeat_no_literals_where_texts_are_not_kept() {
        let mut facts = facts("set", "set role ?");
        let literals = || ["'xyzzy 9'", "xyzzy 9", "me"].into_iter().map(Box::from);
        let message = "user `me` does not have role `XYZZY 9`, nor `role 'xyzzy 9'`; roles are `a`";
        facts.keep_told(message, literals());
        assert_eq!(facts.without_literals(message), "user `?` does not have role `?`, nor `?`; roles are `a`");
        assert_eq!(Facts::default().without_literals(message), message);
        let mut out = b"{\"v\":1".to_vec();
        let refused = Outcome::Refused { sqlstate: "42501", message, rule: None, ground: Ground::Rules };
        outcome(&mut out, refused, Some(&facts));
        assert!(!String::from_utf8(out).unwrap().to_lowercase().contains("xyzzy"));
    }
}
