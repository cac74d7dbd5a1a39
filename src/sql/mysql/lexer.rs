//! The lexical rules of MySQL and MariaDB, rule for rule (`sql/sql_lex.cc` of both).
//!
//! The syntax tree is built from these tokens and the text for the server is put together from them, so the proxy
//! and the server agree on where each token begins and ends. The character set is always utf8mb4. What servers of
//! different versions read differently is an error here, or depends on the [`Flavour`].

use super::driver_comments;
use super::keywords::is_introducer;
use super::{Flavour, SqlMode};
use crate::sql::token::{LexError, LexErrorKind, MAX_BYTES, Token, TokenKind};

/// Reads a text token by token.
#[derive(Debug, Clone)]
pub struct Lexer<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    mode: SqlMode,
    flavour: Flavour,
    comment: Option<(usize, usize)>,
    hint: Option<(usize, usize)>,
    /// Where an executable comment began whose text is being read.
    executable: Option<usize>,
    /// What the last token says about the next one.
    expect: Expect,
}

/// What the last token says about the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    Anything,
    /// A point that separates, even if a digit follows it: a name stood directly before.
    Separator,
    /// A name, even if it begins with a digit or looks like a keyword: a point stood directly before.
    Name,
}

impl<'t> Lexer<'t> {
    /// A lexer at the beginning of a text.
    pub fn new(text: &'t str, mode: SqlMode, flavour: Flavour) -> Self {
        let bytes = text.as_bytes();
        Self {
            text,
            bytes,
            at: 0,
            mode,
            flavour,
            comment: None,
            hint: None,
            executable: None,
            expect: Expect::Anything,
        }
    }

    /// The last block comment passed over since this was last asked: its bytes, delimiters included.
    pub fn take_comment(&mut self) -> Option<(usize, usize)> {
        self.comment.take()
    }

    /// The last `/*+ … */` passed over since this was last asked: its bytes, delimiters included.
    pub fn take_hint(&mut self) -> Option<(usize, usize)> {
        self.hint.take()
    }

    /// The next token, or `None` at the end.
    #[inline]
    pub fn next_token(&mut self) -> Result<Option<Token>, LexError> {
        if self.at == 0
            && let Some(nul) = memchr::memchr(0, self.bytes)
        {
            return Err(self.error(LexErrorKind::Nul, nul));
        }
        let expect = std::mem::replace(&mut self.expect, Expect::Anything);
        if expect == Expect::Anything {
            self.skip_blanks()?;
        }
        let start = self.at;
        let Some(first) = self.peek(0) else {
            return match self.executable {
                Some(begin) => Err(self.error(LexErrorKind::UnterminatedComment, begin)),
                None => Ok(None),
            };
        };
        let kind = match expect {
            Expect::Separator => self.point(),
            Expect::Name => self.name(start)?,
            Expect::Anything => self.start(first)?,
        };
        Ok(Some(Token { kind, start: offset(start), end: offset(self.at) }))
    }

    fn start(&mut self, first: u8) -> Result<TokenKind, LexError> {
        let start = self.at;
        match first {
            b'n' | b'N' if self.peek(1) == Some(b'\'') => {
                self.at += 1;
                self.string(b'\'', TokenKind::NationalString)
            }
            b'x' | b'X' if self.peek(1) == Some(b'\'') => self.digits_in_quotes(TokenKind::HexString),
            b'b' | b'B' if self.peek(1) == Some(b'\'') => self.digits_in_quotes(TokenKind::BitString),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$' | 0x80.. => self.word(),
            b'0'..=b'9' => self.number_or_name(),
            b'\'' => self.string(b'\'', TokenKind::String),
            b'"' if self.mode.ansi_quotes => self.quoted_name(b'"'),
            b'"' => self.string(b'"', TokenKind::String),
            b'`' => self.quoted_name(b'`'),
            b'@' => self.variable(),
            b'.' if self.peek(1).is_some_and(|b| b.is_ascii_digit()) => self.fraction(),
            b'.' if self.peek(1) != Some(b'.') => Ok(self.point()),
            b'(' | b')' | b',' | b';' | b'{' | b'}' => Ok(self.symbol(1, TokenKind::Punctuation)),
            b':' => Ok(self.symbol(if self.peek(1) == Some(b'=') { 2 } else { 1 }, TokenKind::Punctuation)),
            b'<' | b'>' | b'=' | b'!' => self.comparison(),
            b'&' | b'|' => Ok(self.symbol(if self.peek(1) == Some(first) { 2 } else { 1 }, TokenKind::Operator)),
            b'-' if self.peek(1) == Some(b'>') => {
                let length = if self.peek(2) == Some(b'>') { 3 } else { 2 };
                Ok(self.symbol(length, TokenKind::Operator))
            }
            b'+' | b'-' | b'*' | b'/' | b'%' | b'^' | b'~' => Ok(self.symbol(1, TokenKind::Operator)),
            b'?' if !self.peek(1).is_some_and(is_name_part) => Ok(self.symbol(1, TokenKind::Parameter)),
            // MariaDB's sign for NULL; MySQL 8 dropped it.
            b'\\' if self.flavour == Flavour::MariaDb && self.peek(1) == Some(b'N') => {
                Ok(self.symbol(2, TokenKind::Word))
            }
            _ => Err(self.error(LexErrorKind::UnknownCharacter, start)),
        }
    }

    #[inline]
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    fn error(&self, kind: LexErrorKind, at: usize) -> LexError {
        LexError { kind, at: offset(at.min(self.bytes.len())) }
    }

    fn symbol(&mut self, length: usize, kind: TokenKind) -> TokenKind {
        self.at += length;
        kind
    }

    /// A separating point. What follows it directly is a name.
    fn point(&mut self) -> TokenKind {
        self.at += 1;
        if self.peek(0).is_some_and(is_name_part) {
            self.expect = Expect::Name;
        }
        TokenKind::Punctuation
    }

    fn skip_blanks(&mut self) -> Result<(), LexError> {
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some(b' ' | b'\t'..=b'\r'), _) => self.at += 1,
                (Some(b'#'), _) => self.line_comment(),
                (Some(b'-'), Some(b'-')) => match self.peek(2) {
                    None | Some(0..=b' ' | 0x7f) => self.line_comment(),
                    Some(0x80..) => return Err(self.error(LexErrorKind::DashesBeforeLetter, self.at)),
                    Some(_) => return Ok(()),
                },
                (Some(b'/'), Some(b'*')) => self.block_comment()?,
                (Some(b'*'), Some(b'/')) if self.executable.is_some() => {
                    self.executable = None;
                    self.at += 2;
                }
                _ => return Ok(()),
            }
        }
    }

    /// Ends at a line feed only; a carriage return is part of the comment.
    fn line_comment(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    }

    /// Block comments do not nest.
    fn block_comment(&mut self) -> Result<(), LexError> {
        let start = self.at;
        if self.executable.is_some() {
            return Err(self.error(LexErrorKind::ExecutableComment, start));
        }
        let executable = self.peek(2) == Some(b'!') || (self.peek(2) == Some(b'M') && self.peek(3) == Some(b'!'));
        let body = self.bytes.get(start + 2..).unwrap_or_default();
        let Some(length) = memchr::memmem::find(body, b"*/") else {
            return Err(self.error(LexErrorKind::UnterminatedComment, start));
        };
        let end = start + 2 + length + 2;
        if executable {
            let comment = self.text.get(start..end).unwrap_or_default();
            let Some(prefix) = driver_comments::executed_by_all(comment) else {
                return Err(self.error(LexErrorKind::ExecutableComment, start));
            };
            self.executable = Some(start);
            self.at = start + prefix;
            return Ok(());
        }
        if self.peek(2) == Some(b'+') {
            // Quotes can hold the end of the comment for the server's hint parser.
            if memchr::memchr3(b'\'', b'"', b'`', body.get(..length).unwrap_or_default()).is_some() {
                return Err(self.error(LexErrorKind::QuoteInHint, start));
            }
            self.hint = Some((start, end));
        } else {
            self.comment = Some((start, end));
        }
        self.at = end;
        Ok(())
    }

    /// A keyword or name. Directly before a point and a name it is never a keyword.
    fn word(&mut self) -> Result<TokenKind, LexError> {
        let start = self.at;
        self.at += self.run(is_name_part);
        let source = self.bytes.get(start..self.at).unwrap_or_default();
        self.refuse_supplementary(source, start)?;
        // MySQL 9 begins a string there.
        if source.first() == Some(&b'$') && memchr::memrchr(b'$', source) != Some(0) {
            return Err(self.error(LexErrorKind::UnknownCharacter, start));
        }
        if self.before_separator() && !is_introducer(self.text.get(start..self.at).unwrap_or_default(), self.flavour) {
            return Ok(TokenKind::PlainName);
        }
        Ok(TokenKind::Word)
    }

    /// A name that is no keyword and may begin with digits, from the current byte on.
    fn name(&mut self, start: usize) -> Result<TokenKind, LexError> {
        self.at += self.run(is_name_part);
        self.refuse_supplementary(self.bytes.get(start..self.at).unwrap_or_default(), start)?;
        self.before_separator();
        Ok(TokenKind::PlainName)
    }

    /// Whether a point and a name follow directly.
    fn before_separator(&mut self) -> bool {
        let found = self.peek(0) == Some(b'.') && self.peek(1).is_some_and(is_name_part);
        if found {
            self.expect = Expect::Separator;
        }
        found
    }

    /// Servers keep names in three bytes a character and replace or refuse what needs four.
    fn refuse_supplementary(&self, name: &[u8], start: usize) -> Result<(), LexError> {
        if name.iter().any(|b| *b >= 0xf0) {
            return Err(self.error(LexErrorKind::SupplementaryName, start));
        }
        Ok(())
    }

    fn run(&self, part: fn(u8) -> bool) -> usize {
        self.bytes.get(self.at..).unwrap_or_default().iter().take_while(|b| part(**b)).count()
    }

    /// `1`, `1.5`, `1e5`, `0x1F`, `0b1`, and names such as `1a`.
    fn number_or_name(&mut self) -> Result<TokenKind, LexError> {
        let start = self.at;
        let (digit, kind): (fn(u8) -> bool, _) = match (self.peek(0), self.peek(1)) {
            (Some(b'0'), Some(b'x')) => (|b| b.is_ascii_hexdigit(), TokenKind::HexString),
            (Some(b'0'), Some(b'b')) => (|b| matches!(b, b'0' | b'1'), TokenKind::BitString),
            _ => return self.decimal_or_name(start),
        };
        self.at += 2;
        let digits = self.run(digit);
        self.at += digits;
        if digits > 0 && !self.peek(0).is_some_and(is_name_part) { Ok(kind) } else { self.name(start) }
    }

    fn decimal_or_name(&mut self, start: usize) -> Result<TokenKind, LexError> {
        self.at += self.run(|b| b.is_ascii_digit());
        match self.peek(0) {
            Some(b'.') if self.peek(1) == Some(b'.') => Err(self.error(LexErrorKind::UnknownCharacter, self.at)),
            Some(b'.') => self.fraction(),
            Some(b'e' | b'E') => {
                let sign = usize::from(matches!(self.peek(1), Some(b'+' | b'-')));
                if self.peek(1 + sign).is_some_and(|b| b.is_ascii_digit()) {
                    self.at += 1 + sign;
                    self.at += self.run(|b| b.is_ascii_digit());
                    return Ok(TokenKind::Decimal);
                }
                self.name(start)
            }
            Some(b) if is_name_part(b) => self.name(start),
            _ => Ok(TokenKind::Integer),
        }
    }

    /// From the point of a number on.
    fn fraction(&mut self) -> Result<TokenKind, LexError> {
        self.at += 1;
        self.at += self.run(|b| b.is_ascii_digit());
        if matches!(self.peek(0), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(self.peek(1), Some(b'+' | b'-')));
            if !self.peek(1 + sign).is_some_and(|b| b.is_ascii_digit()) {
                return Err(self.error(LexErrorKind::JunkAfterNumber, self.at));
            }
            self.at += 1 + sign;
            self.at += self.run(|b| b.is_ascii_digit());
        }
        Ok(TokenKind::Decimal)
    }

    /// A string whose opening quote is at the current byte.
    fn string(&mut self, quote: u8, kind: TokenKind) -> Result<TokenKind, LexError> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek(0) {
                Some(b'\\') if !self.mode.no_backslash_escapes => self.at += 2,
                Some(b) if b == quote && self.peek(1) == Some(quote) => self.at += 2,
                Some(b) if b == quote => {
                    self.at += 1;
                    return Ok(kind);
                }
                Some(_) => self.at += 1,
                None => return Err(self.error(LexErrorKind::UnterminatedString, start)),
            }
        }
    }

    /// `x'…'` and `b'…'`, where only digits may stand.
    fn digits_in_quotes(&mut self, kind: TokenKind) -> Result<TokenKind, LexError> {
        let start = self.at;
        self.at += 2;
        let hex = kind == TokenKind::HexString;
        let digits = self.run(if hex { |b| b.is_ascii_hexdigit() } else { |b| matches!(b, b'0' | b'1') });
        self.at += digits;
        if self.peek(0) != Some(b'\'') || (hex && digits % 2 == 1) {
            return Err(self.error(LexErrorKind::BadDigits, start));
        }
        self.at += 1;
        Ok(kind)
    }

    fn quoted_name(&mut self, quote: u8) -> Result<TokenKind, LexError> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek(0) {
                Some(b) if b == quote && self.peek(1) == Some(quote) => self.at += 2,
                Some(b) if b == quote => {
                    self.at += 1;
                    break;
                }
                Some(0xf0..) => return Err(self.error(LexErrorKind::SupplementaryName, start)),
                Some(_) => self.at += 1,
                None => return Err(self.error(LexErrorKind::UnterminatedIdentifier, start)),
            }
        }
        if self.at - start == 2 {
            return Err(self.error(LexErrorKind::EmptyIdentifier, start));
        }
        Ok(TokenKind::QuotedWord)
    }

    /// `@name`, `@'name'`, `@@name`; also the host of `user@host`.
    fn variable(&mut self) -> Result<TokenKind, LexError> {
        let start = self.at;
        self.at += 1;
        match self.peek(0) {
            Some(b'@') => return self.system_variable(start),
            Some(quote @ (b'\'' | b'"')) if quote == b'\'' || !self.mode.ansi_quotes => {
                self.string(quote, TokenKind::Variable)?;
            }
            Some(quote @ (b'`' | b'"')) => {
                self.quoted_name(quote)?;
            }
            _ => self.at += self.run(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'$')),
        }
        if self.at - start == 1 || self.peek(0).is_some_and(|b| b >= 0x80) {
            return Err(self.error(LexErrorKind::VariableName, start));
        }
        Ok(TokenKind::Variable)
    }

    fn system_variable(&mut self, start: usize) -> Result<TokenKind, LexError> {
        self.at += 1;
        if self.peek(0) == Some(b'`') {
            self.quoted_name(b'`')?;
            return Ok(TokenKind::SystemVariable);
        }
        self.at += self.run(|b| is_name_part(b) && b < 0x80);
        if self.at - start == 2 || self.peek(0).is_some_and(|b| b >= 0x80) {
            return Err(self.error(LexErrorKind::VariableName, start));
        }
        if self.peek(0) == Some(b'.') {
            self.expect = Expect::Separator;
        }
        Ok(TokenKind::SystemVariable)
    }

    /// MariaDB takes the longest operator there is; MySQL fails, or swallows a sign, where the longest run of signs
    /// is none.
    fn comparison(&mut self) -> Result<TokenKind, LexError> {
        let start = self.at;
        let run = self.run(|b| matches!(b, b'<' | b'>' | b'=' | b'!'));
        let longest = if self.peek(0) == Some(b'<') && !matches!(self.peek(2), Some(b'<')) { 3 } else { 2 };
        let tried = run.min(longest);
        for length in (1..=tried).rev() {
            let signs = self.bytes.get(start..start + length).unwrap_or_default();
            let known =
                matches!(signs, b"<=>" | b"<=" | b"<>" | b"<<" | b">=" | b">>" | b"!=" | b"<" | b">" | b"=" | b"!");
            if known {
                self.at += length;
                return Ok(TokenKind::Operator);
            }
            if self.flavour == Flavour::MySql {
                break;
            }
        }
        Err(self.error(LexErrorKind::SignsRunTogether, start))
    }
}

/// All tokens of a text.
pub fn tokens(text: &str, mode: SqlMode, flavour: Flavour) -> Result<Vec<Token>, LexError> {
    if text.len() > MAX_BYTES {
        return Err(LexError { kind: LexErrorKind::TooLong, at: 0 });
    }
    let mut lexer = Lexer::new(text, mode, flavour);
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

fn is_name_part(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$') || b >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: SqlMode = SqlMode {
        ansi_quotes: false,
        pipes_as_concat: false,
        no_backslash_escapes: false,
        high_not_precedence: false,
        ignore_space: false,
        lenient: false,
    };

    fn read(sql: &str, mode: SqlMode, flavour: Flavour) -> Vec<(&str, TokenKind)> {
        tokens(sql, mode, flavour).unwrap().iter().map(|t| (t.text(sql), t.kind)).collect()
    }

    fn texts(sql: &str) -> Vec<&str> {
        let maria: Vec<&str> = read(sql, PLAIN, Flavour::MariaDb).into_iter().map(|t| t.0).collect();
        let mysql: Vec<&str> = read(sql, PLAIN, Flavour::MySql).into_iter().map(|t| t.0).collect();
        assert_eq!(maria, mysql);
        mysql
    }

    fn kinds(sql: &str) -> Vec<TokenKind> {
        read(sql, PLAIN, Flavour::MySql).into_iter().map(|t| t.1).collect()
    }

    fn fails(sql: &str) -> LexErrorKind {
        let kind = tokens(sql, PLAIN, Flavour::MySql).unwrap_err().kind;
        assert_eq!(tokens(sql, PLAIN, Flavour::MariaDb).unwrap_err().kind, kind);
        kind
    }

    #[test]
    fn comments_end_where_the_server_ends_them() {
        assert_eq!(texts("1 -- x\n+ 2 # y\r z\n+3"), ["1", "+", "2", "+", "3"]);
        assert_eq!(texts("5--1"), ["5", "-", "-", "1"]);
        assert_eq!(texts("1--"), ["1"]);
        assert_eq!(texts("1 --\u{1} x\n, 2"), ["1", ",", "2"]);
        assert_eq!(texts("a/* /* */b*/"), ["a", "b", "*", "/"]);
        assert_eq!(fails("1 --\u{a0}2"), LexErrorKind::DashesBeforeLetter);
        assert_eq!(fails("1 /*/"), LexErrorKind::UnterminatedComment);
        assert_eq!(fails("1\0"), LexErrorKind::Nul);
        let mut lexer = Lexer::new("/* a */ x", PLAIN, Flavour::MySql);
        lexer.next_token().unwrap();
        assert_eq!(lexer.take_comment(), Some((0, 7)));
    }

    #[test]
    fn executable_comments_are_errors_but_for_drivers() {
        for sql in [
            "SELECT id /*!50000 , email */ FROM t",
            "SELECT 1 /*M! , (SELECT email FROM users) */",
            "SELECT 1 /*!99999 x */",
            "/*!40101 SET NAMES utf8 /* x */ */",
            "/*! SET NAMES utf8 */",
        ] {
            assert_eq!(fails(sql), LexErrorKind::ExecutableComment, "{sql}");
        }
        assert_eq!(texts("/*!40101 SET NAMES utf8 */"), ["SET", "NAMES", "utf8"]);
        assert_eq!(texts("SHOW /*!50002 FULL*/ TABLES"), ["SHOW", "FULL", "TABLES"]);
    }

    #[test]
    fn hints_are_reported_and_may_not_hide_their_end() {
        let mut lexer = Lexer::new("SELECT /*+ MAX_EXECUTION_TIME(5) */ 1", PLAIN, Flavour::MySql);
        lexer.next_token().unwrap();
        assert_eq!(lexer.take_hint(), None);
        lexer.next_token().unwrap();
        assert_eq!(lexer.take_hint(), Some((7, 35)));
        assert_eq!(lexer.take_comment(), None);
        assert_eq!(fails("SELECT /*+ BKA(`*/`) */ 1"), LexErrorKind::QuoteInHint);
    }

    #[test]
    fn strings_follow_the_mode() {
        assert_eq!(texts(r"'a\' , ' x"), [r"'a\' , '", "x"]);
        assert_eq!(texts("'it''s' \"a'b\"\"c\""), ["'it''s'", "\"a'b\"\"c\""]);
        assert_eq!(texts(r"'a\\' 'b'"), [r"'a\\'", "'b'"]);
        assert_eq!(fails(r"'a\'"), LexErrorKind::UnterminatedString);
        let plain_backslash = SqlMode { no_backslash_escapes: true, ..PLAIN };
        assert_eq!(read(r"'\', email", plain_backslash, Flavour::MySql)[0], (r"'\'", TokenKind::String));
        let ansi = SqlMode { ansi_quotes: true, ..PLAIN };
        assert_eq!(read(r#""a\" x"#, ansi, Flavour::MySql)[0], (r#""a\""#, TokenKind::QuotedWord));
        assert_eq!(kinds("\"a\""), [TokenKind::String]);
        assert_eq!(
            kinds("n'a' x'4142' b'01' 0x1F 0b1"),
            [
                TokenKind::NationalString,
                TokenKind::HexString,
                TokenKind::BitString,
                TokenKind::HexString,
                TokenKind::BitString
            ]
        );
        for sql in ["x'4'", "x'4G'", "b'12'"] {
            assert_eq!(fails(sql), LexErrorKind::BadDigits, "{sql}");
        }
    }

    #[test]
    fn numbers_and_names_that_begin_with_digits() {
        use TokenKind::{Decimal, Integer, PlainName, Punctuation, Word};
        assert_eq!(kinds("1a 1e5 1e 0x1G 0b12 0X1"), [PlainName, Decimal, PlainName, PlainName, PlainName, PlainName]);
        assert_eq!(texts("1e5x 1.5x 1e+ 1.2.3"), ["1e5", "x", "1.5", "x", "1e", "+", "1.2", ".3"]);
        assert_eq!(kinds("t.1a"), [PlainName, Punctuation, PlainName]);
        assert_eq!(kinds("t.5"), [PlainName, Punctuation, PlainName]);
        assert_eq!(kinds("t .5"), [Word, Decimal]);
        assert_eq!(kinds("t. 5"), [Word, Punctuation, Integer]);
        assert_eq!(kinds("`t`.5"), [TokenKind::QuotedWord, Decimal]);
        assert_eq!(texts("1a.b"), ["1a", ".", "b"]);
        assert_eq!(fails("1.e"), LexErrorKind::JunkAfterNumber);
        assert_eq!(fails("1..2"), LexErrorKind::UnknownCharacter);
        assert_eq!(fails("a..b"), LexErrorKind::UnknownCharacter);
    }

    #[test]
    fn words_beside_points_are_names() {
        use TokenKind::{PlainName, Punctuation, Word};
        assert_eq!(kinds("from.select"), [PlainName, Punctuation, PlainName]);
        assert_eq!(kinds("a .from"), [Word, Punctuation, PlainName]);
        assert_eq!(kinds("a. from"), [Word, Punctuation, Word]);
        assert_eq!(kinds("t.x'41'"), [PlainName, Punctuation, PlainName, TokenKind::String]);
        assert_eq!(kinds("_utf8.x"), [Word, Punctuation, PlainName]);
        assert_eq!(texts("a\u{a0}b é$"), ["a\u{a0}b", "é$"]);
        assert_eq!(texts("`a``b`.`c`"), ["`a``b`", ".", "`c`"]);
        assert_eq!(fails("``"), LexErrorKind::EmptyIdentifier);
        assert_eq!(fails("`a"), LexErrorKind::UnterminatedIdentifier);
        assert_eq!(fails("😀"), LexErrorKind::SupplementaryName);
        assert_eq!(fails("`😀`"), LexErrorKind::SupplementaryName);
        assert_eq!(texts("$a"), ["$a"]);
        assert_eq!(fails("$$ x $$"), LexErrorKind::UnknownCharacter);
        assert_eq!(fails("$t$ x $t$"), LexErrorKind::UnknownCharacter);
    }

    #[test]
    fn variables_and_hosts() {
        assert_eq!(texts("@a.b:=1"), ["@a.b", ":=", "1"]);
        assert_eq!(texts("@'a b' @`c` @\"d\""), ["@'a b'", "@`c`", "@\"d\""]);
        assert_eq!(texts("@@global.x"), ["@@global", ".", "x"]);
        assert_eq!(texts("root@localhost 'u'@'%'"), ["root", "@localhost", "'u'", "@'%'"]);
        for sql in ["@", "@ x", "@é", "@@ x", "@@é"] {
            assert_eq!(fails(sql), LexErrorKind::VariableName, "{sql}");
        }
    }

    #[test]
    fn operators_end_where_the_server_ends_them() {
        assert_eq!(
            texts("a<=>b<>c!=d<<e>>f<=g"),
            ["a", "<=>", "b", "<>", "c", "!=", "d", "<<", "e", ">>", "f", "<=", "g"]
        );
        assert_eq!(texts("a||b|c&&d&e"), ["a", "||", "b", "|", "c", "&&", "d", "&", "e"]);
        assert_eq!(texts("a->'$.x'->>'$.y'"), ["a", "->", "'$.x'", "->>", "'$.y'"]);
        assert_eq!(texts("a=-1 b>-1 c<-1"), ["a", "=", "-", "1", "b", ">", "-", "1", "c", "<", "-", "1"]);
        for sql in ["a=!b", "!!a", "a<=!b", "a==b", "a=>b"] {
            assert_eq!(tokens(sql, PLAIN, Flavour::MySql).unwrap_err().kind, LexErrorKind::SignsRunTogether, "{sql}");
        }
        let split: Vec<&str> = read("a=!b", PLAIN, Flavour::MariaDb).into_iter().map(|t| t.0).collect();
        assert_eq!(split, ["a", "=", "!", "b"]);
        assert_eq!(kinds("? "), [TokenKind::Parameter]);
        assert_eq!(fails("?a"), LexErrorKind::UnknownCharacter);
        assert_eq!(read("\\N", PLAIN, Flavour::MariaDb)[0].0, "\\N");
        assert!(tokens("\\N", PLAIN, Flavour::MySql).is_err());
    }
}
