//! Finds protected values in what a client was given: as they are, in any case, reversed, cut into cells, in hex, base64,
//! UTF-16, as character codes.

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose};

/// What stands in the protected values of the two databases, and nowhere else.
const CANARIES: &[&str] = &[
    "zq7canary",
    "zq7second",
    "zq7partner",
    "zq7loyal",
    "zq7memo",
    "zq7meta",
    "zq7person",
    "zq7city",
    "zq7vault",
    "zq7label",
    "zq7file",
    "xv4sentry",
    "xv4second",
    "xv4partner",
    "xv4loyal",
    "xv4memo",
    "xv4meta",
    "xv4person",
    "xv4city",
    "xv4vault",
    "xv4label",
    "xv4file",
    "7350173",
    "8461284",
    "99041774",
    "98152663",
    "nidq78812",
    "nidw53391",
];

/// The first canary in what came back that was not in what was sent.
pub fn find(lines: &[String], sent: &str) -> Option<&'static str> {
    let mut views = Vec::new();
    for line in lines {
        views_of(line, true, &mut views);
    }
    let rows: Vec<Vec<&str>> =
        lines.iter().filter_map(|line| line.strip_prefix("D ")).map(|row| row.split('|').collect()).collect();
    views_of(&rows.iter().flatten().copied().collect::<String>(), true, &mut views);
    let width = rows.iter().map(Vec::len).max().unwrap_or(0);
    for column in 0..width {
        views_of(&rows.iter().filter_map(|row| row.get(column)).copied().collect::<String>(), true, &mut views);
        views_of(
            &rows.iter().filter_map(|row| row.get(column)).copied().collect::<Vec<&str>>().join(" "),
            true,
            &mut views,
        );
    }
    let sent = letters(sent);
    CANARIES.iter().copied().find(|canary| !sent.contains(canary) && views.iter().any(|view| view.contains(canary)))
}

fn letters(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

fn views_of(text: &str, decode: bool, views: &mut Vec<String>) {
    let plain = letters(text);
    views.push(plain.chars().rev().collect());
    views.push(plain);
    if decode {
        for bytes in decoded(text) {
            views_of(&String::from_utf8_lossy(&bytes), false, views);
        }
    }
}

fn decoded(text: &str) -> Vec<Vec<u8>> {
    let mut all = vec![codes(text)];
    let runs = |is: fn(char) -> bool| text.split(move |c| !is(c)).filter(|run| run.len() >= 10);
    for run in runs(|c| c.is_ascii_hexdigit()) {
        for start in [0, 1] {
            let digits = run.as_bytes()[start..].chunks_exact(2);
            let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
            all.push(digits.map(byte).collect());
        }
    }
    let lenient = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let base64 = GeneralPurpose::new(&base64::alphabet::STANDARD, lenient);
    for run in runs(|c| c.is_ascii_alphanumeric() || c == '+' || c == '/') {
        for start in 0..4 {
            let part = run.get(start..).unwrap_or_default();
            let part = if part.len() % 4 == 1 { &part[..part.len() - 1] } else { part };
            all.extend(base64.decode(part));
        }
    }
    all
}

/// Numbers as the characters that they are codes of.
fn codes(text: &str) -> Vec<u8> {
    let numbers = text.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse::<u8>().ok());
    numbers.filter(|code| (32..127).contains(code)).collect()
}

#[test]
fn canaries_are_found_in_every_form() {
    let value = "azq7canary5517@gamma.example";
    let hex = value.bytes().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().concat();
    let base64 = general_purpose::STANDARD.encode(format!("x{value}"));
    let utf16: String = value.chars().flat_map(|c| ['\0', c]).collect();
    let codes: Vec<String> = value.bytes().map(|byte| byte.to_string()).collect();
    let forms = [
        value.to_uppercase(),
        value.chars().rev().collect(),
        hex,
        base64,
        utf16,
        codes.join(","),
        value.chars().map(|c| format!("{c}-")).collect::<Vec<_>>().concat(),
    ];
    for form in forms {
        assert_eq!(find(&[format!("E 22P02 invalid: \"{form}\"")], "select 1"), Some("zq7canary"), "{form}");
    }
    let cells: Vec<String> = value.chars().map(|c| format!("D 1|{c}")).collect();
    assert_eq!(find(&cells, "select 1"), Some("zq7canary"));
    let codes: Vec<String> = value.bytes().map(|code| format!("D 1|{code}")).collect();
    assert_eq!(find(&codes, "select 1"), Some("zq7canary"));
    assert_eq!(find(&[format!("D {value}")], "select 'azq7canary5517'"), None);
    assert_eq!(find(&["D a***@gamma.example|************6085".to_owned()], "select 1"), None);
}
