//! Changes to good input: of bytes, and of tokens.

use super::dice::Dice;

/// The longest case.
const LONGEST: usize = 6000;

/// Pieces that begin or end something in SQL, or have been read differently by two readers before.
const PIECES: [&str; 64] = [
    "'",
    "\"",
    "`",
    "\\",
    "$$",
    "$a$",
    "/*",
    "*/",
    "--",
    "-- ",
    "#",
    ";",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ".",
    "..",
    "::",
    ":=",
    ":a",
    "?",
    "@",
    "@@",
    "@x",
    "$1",
    "0",
    "1e",
    "0x",
    "1_0",
    "b'1'",
    "x'f'",
    "n'a'",
    "e'\\'",
    "u&'\\0041'",
    "u&\"a\" uescape '!'",
    "_utf8'a'",
    "/*!",
    "/*!50000",
    "/*M!",
    "/*+",
    "\u{0}",
    "\u{a0}",
    "\u{3000}",
    "\u{fffd}",
    "é",
    "\n",
    "\r",
    "\t",
    " ",
    "=",
    "<>",
    "->>",
    "not",
    "between 1 and",
    "case when",
    "null",
    "as",
    "select",
    "from",
    "in (",
];

/// Changes bytes, by what frames consist of.
pub fn bytes(dice: &mut Dice, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut case = dice.pick(corpus).clone();
    for _ in 0..=dice.below(4) {
        let range = dice.range(case.len());
        match dice.below(7) {
            0 => drop(case.drain(range)),
            1 => {
                let copy = case[range.clone()].to_vec();
                case.splice(range.start..range.start, copy);
            }
            2 => {
                let other = dice.pick(corpus).clone();
                let part = other[dice.range(other.len())].to_vec();
                case.splice(range, part);
            }
            3 => case.truncate(range.start),
            4 => {
                let number = [0, 1, 0x7f, 0x80, 0xfb, 0xfc, 0xfd, 0xfe, 0xff, 250][dice.below(10)];
                case.splice(range.start..range.start, vec![number; [1, 2, 4, 8][dice.below(4)]]);
            }
            _ if !range.is_empty() => case[range.start] = u8::try_from(dice.below(256)).unwrap(),
            _ => case.push(u8::try_from(dice.below(256)).unwrap()),
        }
    }
    case.truncate(LONGEST);
    case
}

/// Changes a text token by token, or character by character where the lexers should be surprised.
pub fn text(dice: &mut Dice, corpus: &[Vec<u8>]) -> Vec<u8> {
    let text = |case: &Vec<u8>| String::from_utf8_lossy(case).into_owned();
    let mut parts = pieces(&text(dice.pick(corpus)));
    for _ in 0..=dice.below(4) {
        let range = dice.range(parts.len());
        match dice.below(9) {
            0 => drop(parts.drain(range)),
            1 => {
                let copy = parts[range.clone()].to_vec();
                parts.splice(range.start..range.start, copy);
            }
            2 | 3 => {
                let other = pieces(&text(dice.pick(corpus)));
                let part = other[dice.range(other.len())].to_vec();
                parts.splice(range, part);
            }
            4 => {
                let deep = [2, 10, 60, 700][dice.below(4)];
                let (open, shut) =
                    [("(", ")"), ("(select ", ")"), ("not ", ""), ("case when ", " end"), ("- ", "")][dice.below(5)];
                parts.insert(range.end, shut.repeat(deep));
                parts.insert(range.start, open.repeat(deep));
            }
            5 => {
                let whole = parts.concat();
                let mut characters: Vec<char> = whole.chars().collect();
                let range = dice.range(characters.len());
                characters.splice(range, dice.pick(&PIECES).chars());
                parts = pieces(&characters.into_iter().collect::<String>());
            }
            6 if range.start + 1 < parts.len() => parts.swap(range.start, range.start + 1),
            _ => parts.insert(range.start, format!(" {} ", dice.pick(&PIECES))),
        }
    }
    let mut case = parts.concat();
    let mut end = case.len().min(LONGEST);
    while !case.is_char_boundary(end) {
        end -= 1;
    }
    case.truncate(end);
    case.into_bytes()
}

/// Words, numbers, blanks, and each other character alone.
fn pieces(text: &str) -> Vec<String> {
    let kind = |c: char| if c.is_alphanumeric() || c == '_' { 1 } else { u8::from(c.is_whitespace()) * 2 };
    let mut parts: Vec<String> = Vec::new();
    let mut last = 0;
    for c in text.chars() {
        match parts.last_mut() {
            Some(part) if last == kind(c) && last != 0 => part.push(c),
            _ => parts.push(c.into()),
        }
        last = kind(c);
    }
    parts
}
