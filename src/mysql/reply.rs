//! The proxy's own words in a server's place: refusals as errors of MySQL, and errors of the server without values.

use super::upstream::UpstreamError;
use super::wire::err::Err;
use crate::audit::{Ground, Unavailable};
use crate::pipeline::Denial;
use crate::policy::LimitKey;

/// Words for what cannot be cleaned.
const WITHHELD: &str = "the server's words are withheld, because they can quote protected values";

/// A refusal as the error that MySQL has for its kind.
pub fn refusal(denial: &Denial) -> Err {
    let (code, sqlstate) = match denial.sqlstate {
        _ if denial.ground == Ground::Limit(LimitKey::StatementTimeout) => (3024, "HY000"),
        "28000" => (1045, "28000"),
        "42501" => (1142, "42000"),
        "0A000" => (1235, "42000"),
        "42601" => (1064, "42000"),
        "42P01" => (1146, "42S02"),
        "42703" => (1054, "42S22"),
        "3F000" | "3D000" => (1049, "42000"),
        "42883" => (1305, "42000"),
        "57014" => (1317, "70100"),
        "53300" | "53400" | "54000" => (1226, "42000"),
        other => (1105, other),
    };
    Err::new(code, sqlstate, denial.in_one_line())
}

/// Nothing runs that cannot be recorded.
pub fn unrecorded(error: &Unavailable) -> Err {
    Err::new(1105, "HY000", error.to_string())
}

/// A server that cannot be reached, without words about the proxy's own account there.
pub fn unreachable(source: &str, error: &UpstreamError) -> Err {
    match error {
        UpstreamError::Server(error) if matches!(error.code, UNKNOWN_DATABASE | TOO_MANY_CONNECTIONS) => error.clone(),
        UpstreamError::Server(error) => {
            let message = format!("source `{source}` refused the proxy's connection with error {}", error.code);
            Err::new(1105, "HY000", message)
        }
        error => Err::new(1105, "HY000", format!("source `{source}` cannot be reached: {error}")),
    }
}

const TOO_MANY_CONNECTIONS: u16 = 1040;
const UNKNOWN_DATABASE: u16 = 1049;

/// An error of the server for a statement over restricted relations: those that speak of names, locks and resources
/// stay; the words of all others can quote values and are replaced. Number and SQLSTATE stay.
pub fn clean(error: Err) -> Err {
    match error.code {
        // Names: databases, tables, columns, functions; their absence, ambiguity, number, place.
        1044 | 1046 | 1048 | 1049 | 1050 | 1051 | 1052 | 1054 | 1055 | 1056 | 1060 | 1066 | 1109 | 1110 | 1111 | 1136
        | 1140 | 1142 | 1143 | 1146 | 1176 | 1191 | 1221 | 1222 | 1227 | 1241 | 1242 | 1247 | 1248 | 1305 | 1318
        | 1364 | 1370 | 1442 | 1451 | 1452 | 1582 | 1630
        // Transactions, locks, resources, the end of a connection or of the server's patience.
        | 1040 | 1041 | 1053 | 1114 | 1205 | 1213 | 1226 | 1290 | 1317 | 1568 | 1615 | 1637 | 1792 | 1927 | 1969
        | 3024 | 3058 | 3572 | 4031 | 4117
        // Prepared statements.
        | 1210 | 1243 | 1295 | 1390 | 1461 => error,
        _ => Err { message: WITHHELD.to_owned(), ..error },
    }
}

/// Number of rows and `info` of an OK packet without what values decide: how many warnings there were, and how many of
/// the rows that an UPDATE matched had other values than those written.
pub fn clean_counts(affected: u64, info: &[u8]) -> (u64, Vec<u8>) {
    let info = with_number(info, b"Warnings: ", b"0");
    let Some(matched) = number_behind(&info, b"Rows matched: ") else { return (affected, info) };
    let count = String::from_utf8_lossy(matched).parse().unwrap_or(affected);
    let info = with_number(&info, b"Changed: ", matched);
    (count, info)
}

/// The digits behind a label.
fn number_behind<'i>(info: &'i [u8], label: &[u8]) -> Option<&'i [u8]> {
    let rest = info.get(memchr::memmem::find(info, label)? + label.len()..)?;
    rest.get(..rest.iter().take_while(|byte| byte.is_ascii_digit()).count())
}

/// The text with other digits behind a label.
fn with_number(info: &[u8], label: &[u8], number: &[u8]) -> Vec<u8> {
    let Some(at) = memchr::memmem::find(info, label) else { return info.to_vec() };
    let (kept, rest) = info.split_at_checked(at + label.len()).unwrap_or((info, &[]));
    let behind = rest.iter().skip_while(|byte| byte.is_ascii_digit());
    kept.iter().chain(number).chain(behind).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_that_quote_values_lose_their_words() {
        let duplicate = Err::new(1062, "23000", "Duplicate entry 'hanako@example.jp' for key 'email'");
        assert_eq!(clean(duplicate), Err::new(1062, "23000", WITHHELD));
        let unknown = Err::new(1054, "42S22", "Unknown column 'x' in 'field list'");
        assert_eq!(clean(unknown.clone()), unknown);
    }

    #[test]
    fn what_values_decide_is_not_counted() {
        let (affected, info) = clean_counts(2, b"Rows matched: 13  Changed: 2  Warnings: 12");
        assert_eq!((affected, &*info), (13, &b"Rows matched: 13  Changed: 13  Warnings: 0"[..]));
        let (affected, info) = clean_counts(3, b"Records: 3  Duplicates: 0  Warnings: 1");
        assert_eq!((affected, &*info), (3, &b"Records: 3  Duplicates: 0  Warnings: 0"[..]));
        assert_eq!(clean_counts(7, b""), (7, Vec::new()));
    }

    #[test]
    fn refusals_say_whom_to_ask() {
        let denial = Denial {
            sqlstate: "42501",
            message: "column `email` is denied".to_owned(),
            detail: Some("rule `pii`".to_owned()),
            hint: Some("ask the owner".to_owned()),
            position: None,
            rule: None,
            ground: Ground::Rules,
        };
        let error = refusal(&denial);
        assert_eq!((error.code, error.sqlstate()), (1142, "42000"));
        assert_eq!(error.message, "column `email` is denied; rule `pii`; ask the owner");
    }
}
