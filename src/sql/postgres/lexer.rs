//! PostgreSQL's lexical rules, rule for rule (`src/backend/parser/scan.l`).
//!
//! The syntax tree is built from these tokens and the text for the server is put together from them, so the proxy
//! and the server agree on where each token begins and ends. What a rule of the server would make depend on a
//! setting, or what servers of different versions read differently, is an error here.

use crate::sql::token::{LexError, LexErrorKind, MAX_BYTES, Token, TokenKind};

/// Reads a text token by token.
#[derive(Debug, Clone)]
pub struct Lexer<'t> {
    bytes: &'t [u8],
    at: usize,
    comment: Option<(usize, usize)>,
}

impl<'t> Lexer<'t> {
    /// A lexer at the beginning of a text.
    pub fn new(text: &'t str) -> Self {
        Self { bytes: text.as_bytes(), at: 0, comment: None }
    }

    /// The last block comment passed over since this was last asked: its bytes, delimiters included.
    pub fn take_comment(&mut self) -> Option<(usize, usize)> {
        self.comment.take()
    }

    /// The next token, or `None` at the end.
    #[inline]
    pub fn next_token(&mut self) -> Result<Option<Token>, LexError> {
        self.skip_blanks()?;
        let start = self.at;
        let Some(first) = self.peek(0) else { return Ok(None) };
        let kind = match first {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.. => self.word_or_prefixed(first)?,
            b'0'..=b'9' => self.number()?,
            b'\'' => self.plain_string()?,
            b'"' => self.quoted_identifier()?,
            b'$' => self.dollar()?,
            b'.' if self.peek(1).is_some_and(|b| b.is_ascii_digit()) => self.number()?,
            b'(' | b')' | b'[' | b']' | b',' | b';' | b'.' => self.punctuation(1),
            b':' => {
                let double = matches!(self.peek(1), Some(b':' | b'='));
                self.punctuation(if double { 2 } else { 1 })
            }
            _ if is_operator(first) => self.operator(),
            0 => return Err(self.error(LexErrorKind::Nul, start)),
            _ => return Err(self.error(LexErrorKind::UnknownCharacter, start)),
        };
        Ok(Some(Token { kind, start: offset(start), end: offset(self.at) }))
    }

    #[inline]
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    fn error(&self, kind: LexErrorKind, at: usize) -> LexError {
        LexError { kind, at: offset(at.min(self.bytes.len())) }
    }

    fn skip_blanks(&mut self) -> Result<(), LexError> {
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some(b' ' | b'\t' | b'\n' | b'\r' | 0x0c), _) => self.at += 1,
                (Some(b'-'), Some(b'-')) => {
                    let rest = self.bytes.get(self.at..).unwrap_or_default();
                    self.at += memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
                }
                (Some(b'/'), Some(b'*')) => self.block_comment()?,
                _ => return Ok(()),
            }
        }
    }

    /// Block comments nest.
    fn block_comment(&mut self) -> Result<(), LexError> {
        let start = self.at;
        let mut depth = 0_u32;
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some(b'/'), Some(b'*')) => {
                    depth += 1;
                    self.at += 2;
                }
                (Some(b'*'), Some(b'/')) => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        self.comment = Some((start, self.at));
                        return Ok(());
                    }
                }
                (Some(_), _) => self.at += 1,
                (None, _) => return Err(self.error(LexErrorKind::UnterminatedComment, start)),
            }
        }
    }

    fn word_or_prefixed(&mut self, first: u8) -> Result<TokenKind, LexError> {
        let start = self.at;
        match (first, self.peek(1), self.peek(2)) {
            (b'e' | b'E', Some(b'\''), _) => {
                self.at += 1;
                return self.string(TokenKind::EscapeString, true);
            }
            (b'b' | b'B', Some(b'\''), _) => {
                self.at += 1;
                return self.string(TokenKind::BitString, false);
            }
            (b'x' | b'X', Some(b'\''), _) => {
                self.at += 1;
                return self.string(TokenKind::HexString, false);
            }
            (b'n' | b'N', Some(b'\''), _) => {
                self.at += 1;
                return self.string(TokenKind::NationalString, false);
            }
            (b'u' | b'U', Some(b'&'), Some(b'\'')) => {
                self.at += 2;
                return self.string(TokenKind::UnicodeString, false);
            }
            (b'u' | b'U', Some(b'&'), Some(b'"')) => return Err(self.error(LexErrorKind::UnicodeIdentifier, start)),
            _ => {}
        }
        while self.peek(0).is_some_and(is_identifier_part) {
            self.at += 1;
        }
        Ok(TokenKind::Word)
    }

    fn plain_string(&mut self) -> Result<TokenKind, LexError> {
        self.string(TokenKind::String, false)
    }

    /// A string whose opening quote is at the current byte, with the lines that continue it.
    fn string(&mut self, kind: TokenKind, backslashes: bool) -> Result<TokenKind, LexError> {
        let start = self.at;
        loop {
            self.quoted(start, backslashes)?;
            if !self.continues(kind)? {
                return Ok(kind);
            }
        }
    }

    /// From the opening quote at the current byte to behind the closing one. `start`: where the whole string began.
    fn quoted(&mut self, start: usize, backslashes: bool) -> Result<(), LexError> {
        self.at += 1;
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some(b'\''), Some(b'\'')) => self.at += 2,
                (Some(b'\''), _) => {
                    self.at += 1;
                    return Ok(());
                }
                (Some(b'\\'), Some(_)) if backslashes => self.at += 2,
                (Some(0), _) => return Err(self.error(LexErrorKind::Nul, self.at)),
                (Some(_), _) => self.at += 1,
                (None, _) => return Err(self.error(LexErrorKind::UnterminatedString, start)),
            }
        }
    }

    /// Two strings with a line break between them are one string to the server (manual, "String Constants"); if so, the
    /// second one's quote is the current byte then. Comments between them are refused: which of them the server passes
    /// over is a matter of its version.
    fn continues(&mut self, kind: TokenKind) -> Result<bool, LexError> {
        let mut ahead = self.clone();
        let end = ahead.at;
        // A broken comment behind the string is reported when it is its turn.
        if ahead.skip_blanks().is_err() || ahead.peek(0) != Some(b'\'') {
            return Ok(false);
        }
        let between = self.bytes.get(end..ahead.at).unwrap_or_default();
        if memchr::memchr2(b'\n', b'\r', between).is_none() {
            return Ok(false);
        }
        let is_text = matches!(
            kind,
            TokenKind::String | TokenKind::EscapeString | TokenKind::UnicodeString | TokenKind::NationalString
        );
        if !is_text || !between.iter().all(u8::is_ascii_whitespace) {
            return Err(self.error(LexErrorKind::ContinuedString, ahead.at));
        }
        self.at = ahead.at;
        Ok(true)
    }

    fn quoted_identifier(&mut self) -> Result<TokenKind, LexError> {
        let start = self.at;
        self.at += 1;
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some(b'"'), Some(b'"')) => self.at += 2,
                (Some(b'"'), _) => {
                    self.at += 1;
                    break;
                }
                (Some(0), _) => return Err(self.error(LexErrorKind::Nul, self.at)),
                (Some(_), _) => self.at += 1,
                (None, _) => return Err(self.error(LexErrorKind::UnterminatedIdentifier, start)),
            }
        }
        if self.at - start == 2 {
            return Err(self.error(LexErrorKind::EmptyIdentifier, start));
        }
        Ok(TokenKind::QuotedWord)
    }

    fn digits(&mut self) {
        while self.peek(0).is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
    }

    fn number(&mut self) -> Result<TokenKind, LexError> {
        let start = self.at;
        let mut kind = TokenKind::Integer;
        self.digits();
        if self.peek(0) == Some(b'.') && self.peek(1) != Some(b'.') {
            kind = TokenKind::Decimal;
            self.at += 1;
            self.digits();
        }
        if matches!(self.peek(0), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(self.peek(1), Some(b'+' | b'-')));
            if self.peek(1 + sign).is_some_and(|b| b.is_ascii_digit()) {
                kind = TokenKind::Decimal;
                self.at += 1 + sign;
                self.digits();
            }
        }
        if self.peek(0).is_some_and(is_identifier_part) {
            return Err(self.error(LexErrorKind::JunkAfterNumber, start));
        }
        Ok(kind)
    }

    /// A parameter or a dollar-quoted string.
    fn dollar(&mut self) -> Result<TokenKind, LexError> {
        let start = self.at;
        if self.peek(1).is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
            self.digits();
            if self.peek(0).is_some_and(is_identifier_part) {
                return Err(self.error(LexErrorKind::JunkAfterNumber, start));
            }
            return Ok(TokenKind::Parameter);
        }
        let mut end = start + 1;
        while let Some(&b) = self.bytes.get(end) {
            let part = if end == start + 1 { is_identifier_start(b) } else { is_identifier_part(b) && b != b'$' };
            if !part {
                break;
            }
            end += 1;
        }
        if self.bytes.get(end) != Some(&b'$') {
            return Err(self.error(LexErrorKind::UnknownCharacter, start));
        }
        end += 1;
        let tag = self.bytes.get(start..end).unwrap_or_default();
        let rest = self.bytes.get(end..).unwrap_or_default();
        if memchr::memchr(0, rest).is_some() {
            return Err(self.error(LexErrorKind::Nul, end));
        }
        let Some(length) = memchr::memmem::find(rest, tag) else {
            return Err(self.error(LexErrorKind::UnterminatedString, start));
        };
        self.at = end + length + tag.len();
        Ok(TokenKind::DollarString)
    }

    fn punctuation(&mut self, length: usize) -> TokenKind {
        self.at += length;
        TokenKind::Punctuation
    }

    /// The longest run of operator characters, cut at a comment; a trailing sign belongs to what follows unless
    /// the operator has a character that no arithmetic operator has.
    fn operator(&mut self) -> TokenKind {
        let run = self.bytes.get(self.at..).unwrap_or_default();
        let mut length = run.iter().take_while(|b| is_operator(**b)).count();
        let run = run.get(..length).unwrap_or_default();
        if let Some(cut) = run.windows(2).skip(1).position(|pair| pair == b"--" || pair == b"/*") {
            length = cut + 1;
        }
        let special = |part: &[u8]| {
            part.iter().any(|b| matches!(b, b'~' | b'!' | b'@' | b'#' | b'^' | b'&' | b'|' | b'`' | b'?' | b'%'))
        };
        while length > 1
            && run.get(length - 1).is_some_and(|b| matches!(b, b'+' | b'-'))
            && !special(run.get(..length - 1).unwrap_or_default())
        {
            length -= 1;
        }
        self.at += length;
        TokenKind::Operator
    }
}

/// All tokens of a text.
pub fn tokens(text: &str) -> Result<Vec<Token>, LexError> {
    if text.len() > MAX_BYTES {
        return Err(LexError { kind: LexErrorKind::TooLong, at: 0 });
    }
    let mut lexer = Lexer::new(text);
    let mut tokens = Vec::with_capacity(text.len() / 5 + 4);
    while let Some(token) = lexer.next_token()? {
        tokens.push(token);
    }
    Ok(tokens)
}

/// Texts are at most [`MAX_BYTES`] long, so their offsets fit.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn is_identifier_start(b: u8) -> bool {
    b.is_ascii_alphabetic() || b == b'_' || b >= 0x80
}

fn is_identifier_part(b: u8) -> bool {
    is_identifier_start(b) || b.is_ascii_digit() || b == b'$'
}

fn is_operator(b: u8) -> bool {
    matches!(
        b,
        b'~' | b'!'
            | b'@'
            | b'#'
            | b'^'
            | b'&'
            | b'|'
            | b'`'
            | b'?'
            | b'+'
            | b'-'
            | b'*'
            | b'/'
            | b'%'
            | b'<'
            | b'>'
            | b'='
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(sql: &str) -> Vec<&str> {
        tokens(sql).unwrap().iter().map(|t| t.text(sql)).collect()
    }

    fn fails(sql: &str) -> LexErrorKind {
        tokens(sql).unwrap_err().kind
    }

    #[test]
    fn operators_end_where_the_server_ends_them() {
        assert_eq!(texts("a||/* ' */(b)"), ["a", "||", "(", "b", ")"]);
        assert_eq!(texts("1>--x\n2"), ["1", ">", "2"]);
        assert_eq!(texts("- - 1"), ["-", "-", "1"]);
        assert_eq!(texts("a=-1"), ["a", "=", "-", "1"]);
        assert_eq!(texts("a@-1"), ["a", "@-", "1"]);
        assert_eq!(texts("a*-+1"), ["a", "*", "-", "+", "1"]);
        assert_eq!(texts("a<>-1"), ["a", "<>", "-", "1"]);
        assert_eq!(texts("j->>'k'"), ["j", "->>", "'k'"]);
        assert_eq!(texts("2*/*c*/3"), ["2", "*", "3"]);
        assert_eq!(texts("x::int[1:2]"), ["x", "::", "int", "[", "1", ":", "2", "]"]);
    }

    #[test]
    fn strings_end_where_the_server_ends_them() {
        assert_eq!(texts(r"'a\' , 'b'"), [r"'a\'", ",", "'b'"]);
        assert_eq!(texts(r"E'a\' , ' x"), [r"E'a\' , '", "x"]);
        assert_eq!(texts("'it''s' x"), ["'it''s'", "x"]);
        assert_eq!(texts("$a$ ' $$ $a$ $1"), ["$a$ ' $$ $a$", "$1"]);
        assert_eq!(texts("a$b$c"), ["a$b$c"]);
        assert_eq!(texts("'a' 'b'"), ["'a'", "'b'"]);
        assert_eq!(texts("'a' \n\t'b''c'\r'd' x"), ["'a' \n\t'b''c'\r'd'", "x"]);
        assert_eq!(texts("E'a\\''\n'\\'b' N'c'\n'd'"), ["E'a\\''\n'\\'b'", "N'c'\n'd'"]);
        assert_eq!(texts("'a' /* c */ 'b'"), ["'a'", "'b'"]);
        assert_eq!(fails("'a'\n'b"), LexErrorKind::UnterminatedString);
        assert_eq!(fails("'a' /* c */\n 'b'"), LexErrorKind::ContinuedString);
        assert_eq!(fails("X'4'\n'1'"), LexErrorKind::ContinuedString);
        assert_eq!(fails("'a' -- c\n 'b'"), LexErrorKind::ContinuedString);
        assert_eq!(fails("'a"), LexErrorKind::UnterminatedString);
        assert_eq!(fails("U&\"em\\0061il\""), LexErrorKind::UnicodeIdentifier);
        assert_eq!(fails("'a\0'"), LexErrorKind::Nul);
    }

    #[test]
    fn numbers_do_not_run_into_words() {
        assert_eq!(texts("1.5e-3 .5 1. 10"), ["1.5e-3", ".5", "1.", "10"]);
        for sql in ["1a", "0x1F", "1_000", "$1a", "1e", "1.5e+"] {
            assert_eq!(fails(sql), LexErrorKind::JunkAfterNumber, "{sql}");
        }
    }

    #[test]
    fn comments_nest_and_are_reported() {
        assert_eq!(texts("1 /* a /* b */ c */ -- x\n + 2"), ["1", "+", "2"]);
        assert_eq!(fails("/* /* */"), LexErrorKind::UnterminatedComment);
        let mut lexer = Lexer::new("/* a */ x");
        lexer.next_token().unwrap();
        assert_eq!(lexer.take_comment(), Some((0, 7)));
    }

    #[test]
    fn wide_blanks_are_letters() {
        assert_eq!(texts("a\u{a0}b"), ["a\u{a0}b"]);
        assert_eq!(fails("a \u{b} b"), LexErrorKind::UnknownCharacter);
    }
}
