//! What a client may read of the server's errors and notices.
//!
//! Errors over restricted relations can quote values. Which classes of SQLSTATE speak only of the statement's text, of
//! objects' names or of the server's state is a fixed list; every other message is replaced by one sentence for its
//! class. The SQLSTATE is kept always.

use super::wire::MessageWriter;
use super::wire::backend::{ERROR_RESPONSE, Report, error_fields};
use crate::pipeline::{Denial, ROW_FILTER_MARK};

/// Classes whose message names what the client wrote, an object, or a state of the server, and no value of a row.
const SAFE_CLASSES: &[&str] =
    &["00", "03", "08", "0A", "25", "26", "28", "2D", "34", "3B", "3D", "3F", "40", "42", "53", "55", "57", "58"];

/// Writes a server's error or notice without values of rows. `position` is where it is in the client's text.
pub fn write_cleaned(out: &mut Vec<u8>, tag: u8, body: &[u8], position: Option<u32>) {
    let sqlstate = error_fields(body).find(|(letter, _)| *letter == b'C').map_or(&b""[..], |(_, code)| code);
    let class = sqlstate.get(..2).unwrap_or_default();
    let is_safe = SAFE_CLASSES.iter().any(|safe| safe.as_bytes() == class) && !is_of_procedure(body);
    let position = position.map(|position| position.to_string());
    let mut message = MessageWriter::new(out, tag);
    for (letter, text) in error_fields(body) {
        let kept = match letter {
            // Severity, also as it is in English; SQLSTATE.
            b'S' | b'V' | b'C' => Some(text),
            b'M' if !is_safe => Some(sentence(class).as_bytes()),
            // A hint tells what to do, place and routine where in the server's source: the same for every value, but
            // which one was reached may depend on a value in the classes that are not safe.
            b'M' | b'H' | b'F' | b'L' | b'R' if is_safe => Some(text),
            b'P' if is_safe => position.as_deref().map(str::as_bytes),
            // Names of the schema, table, column, type, constraint that an integrity error speaks of.
            b's' | b't' | b'c' | b'd' | b'n' if class == b"23" => Some(text),
            // Detail and context quote values; positions and texts of inner queries quote the rewritten text.
            _ => None,
        };
        if let Some(text) = kept {
            message = message.byte(letter).string(text);
        }
    }
    message.byte(0).finish();
}

/// Whether a message comes out of a procedure, a trigger or a statement that the server made by itself, whose words and
/// SQLSTATE are their author's. COPY says its line in the same field.
pub fn is_of_procedure(body: &[u8]) -> bool {
    let mut context = error_fields(body).filter(|(letter, _)| *letter == b'W').map(|(_, text)| text);
    context.any(|text| !text.starts_with(b"COPY ") || text.contains(&b'\n'))
        || error_fields(body).any(|(letter, text)| letter == b'R' && text == b"exec_stmt_raise")
}

/// The row filter that a new row fails, where that is what an error says.
pub fn row_filter_of(body: &[u8]) -> Option<&str> {
    let (_, message) = error_fields(body).find(|(letter, _)| *letter == b'M')?;
    let (_, rule) = std::str::from_utf8(message).ok()?.split_once(ROW_FILTER_MARK)?;
    Some(rule.trim_end_matches('"'))
}

/// Whether a notice is of the server's own log, which quotes statements as they were sent.
pub fn is_of_log(body: &[u8]) -> bool {
    let severity = error_fields(body).find(|(letter, _)| *letter == b'V').map_or(&b""[..], |(_, text)| text);
    severity == b"LOG" || severity.starts_with(b"DEBUG")
}

/// The schema and table that an integrity error speaks of.
pub fn table_of(body: &[u8]) -> Option<(&str, &str)> {
    let field = |wanted: u8| {
        let (_, text) = error_fields(body).find(|(letter, _)| *letter == wanted)?;
        std::str::from_utf8(text).ok()
    };
    Some((field(b's')?, field(b't')?))
}

/// Writes a server's error or notice with another position, or none where what is there is not the client's.
pub fn write_at(out: &mut Vec<u8>, tag: u8, body: &[u8], position: Option<&str>) {
    let mut message = MessageWriter::new(out, tag);
    for (letter, text) in error_fields(body) {
        match (letter, position) {
            (b'P', Some(position)) => message = message.byte(letter).string(position.as_bytes()),
            (b'P', None) => {}
            _ => message = message.byte(letter).string(text),
        }
    }
    message.byte(0).finish();
}

/// Writes a refusal in the words of its [`Denial`].
pub fn write_denial(out: &mut Vec<u8>, denial: &Denial) {
    let report = Report {
        severity: "ERROR",
        sqlstate: denial.sqlstate,
        message: &denial.message,
        detail: denial.detail.as_deref(),
        hint: denial.hint.as_deref(),
        position: denial.position,
    };
    report.write_as(out, ERROR_RESPONSE);
}

fn sentence(class: &[u8]) -> &'static str {
    match class {
        b"01" | b"02" => "a notice over protected data is withheld",
        b"22" => "a value over protected data is invalid for an operation of the statement",
        b"23" => "an integrity constraint is violated",
        b"P0" => "a procedure over protected data raised an error",
        b"38" | b"39" => "an external routine over protected data failed",
        b"HV" => "a foreign table could not be read",
        _ => "the statement failed; its message is withheld because it may quote protected data",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::wire::backend::{NOTICE_RESPONSE, error_field};

    fn error(fields: &[(u8, &str)]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut message = MessageWriter::new(&mut out, b'E');
        for (letter, text) in fields {
            message = message.byte(*letter).string(text.as_bytes());
        }
        message.byte(0).finish();
        out.split_off(5)
    }

    fn cleaned(fields: &[(u8, &str)], position: Option<u32>) -> Vec<u8> {
        let mut out = Vec::new();
        write_cleaned(&mut out, NOTICE_RESPONSE, &error(fields), position);
        assert_eq!(out[0], b'N');
        out.split_off(5)
    }

    #[test]
    fn values_in_messages_are_withheld_and_the_code_is_kept() {
        let body = cleaned(
            &[
                (b'S', "ERROR"),
                (b'C', "22P02"),
                (b'M', "invalid input syntax for type integer: \"secret\""),
                (b'P', "8"),
                (b'R', "pg_strtoint32"),
            ],
            Some(8),
        );
        assert_eq!(error_field(&body, b'C'), Some(&b"22P02"[..]));
        assert_eq!(error_field(&body, b'S'), Some(&b"ERROR"[..]));
        assert!(!body.windows(6).any(|w| w == b"secret"));
        assert_eq!(error_field(&body, b'P'), None);
        assert_eq!(error_field(&body, b'R'), None);
    }

    #[test]
    fn messages_about_the_text_are_kept_without_details() {
        let fields =
            [(b'C', "42703"), (b'M', "column \"x\" does not exist"), (b'D', "detail"), (b'P', "8"), (b'q', "q")];
        let body = cleaned(&fields, None);
        assert_eq!(error_field(&body, b'M'), Some(&b"column \"x\" does not exist"[..]));
        for letter in *b"DPq" {
            assert_eq!(error_field(&body, letter), None);
        }
        assert_eq!(error_field(&cleaned(&fields, Some(3)), b'P'), Some(&b"3"[..]));
    }

    #[test]
    fn integrity_errors_keep_names_and_lose_values() {
        let fields =
            [(b'C', "23505"), (b'M', "dup"), (b'D', "Key (email)=(secret) exists"), (b'n', "t_pkey"), (b't', "t")];
        let body = cleaned(&fields, None);
        assert_eq!(error_field(&body, b'n'), Some(&b"t_pkey"[..]));
        assert_eq!(error_field(&body, b'D'), None);
        assert_eq!(error_field(&body, b'M'), Some(&b"an integrity constraint is violated"[..]));
    }

    #[test]
    fn an_error_without_a_code_is_withheld() {
        assert_eq!(error_field(&cleaned(&[(b'M', "secret")], None), b'M'), Some(sentence(b"").as_bytes()));
    }
}
