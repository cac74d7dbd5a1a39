//! Tokens: what both lexers give and both grammars read.

use thiserror::Error;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// A keyword or an unquoted name.
    Word,
    /// A name in double quotes, on MySQL in backticks.
    QuotedWord,
    /// MySQL's name beside a point (`t.select`, `from.t`) or with a digit in front (`1a`): never a keyword.
    PlainName,
    /// Digits only.
    Integer,
    /// A number with a point or an exponent.
    Decimal,
    /// `'…'` without a prefix.
    String,
    /// `E'…'`.
    EscapeString,
    /// `U&'…'`.
    UnicodeString,
    /// `B'…'`.
    BitString,
    /// `X'…'`.
    HexString,
    /// `N'…'`.
    NationalString,
    /// `$tag$…$tag$`.
    DollarString,
    /// `$1`, MySQL's `?`.
    Parameter,
    /// MySQL's `@name`, also quoted.
    Variable,
    /// MySQL's `@@name`, without what follows a point.
    SystemVariable,
    /// An operator, also the comparison signs.
    Operator,
    /// One of `( ) [ ] , ; . :`, or `::`, `:=`.
    Punctuation,
}

/// One token: its kind and where it stands in the text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Its first byte.
    pub start: u32,
    /// The byte behind its last.
    pub end: u32,
}

impl Token {
    /// The token as it stands in the text it was read from.
    pub fn text<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    /// Whether the token is a value.
    pub fn is_literal(&self) -> bool {
        match self.kind {
            TokenKind::Integer
            | TokenKind::Decimal
            | TokenKind::String
            | TokenKind::EscapeString
            | TokenKind::UnicodeString
            | TokenKind::BitString
            | TokenKind::HexString
            | TokenKind::NationalString
            | TokenKind::DollarString => true,
            TokenKind::Word
            | TokenKind::QuotedWord
            | TokenKind::PlainName
            | TokenKind::Parameter
            | TokenKind::Variable
            | TokenKind::SystemVariable
            | TokenKind::Operator
            | TokenKind::Punctuation => false,
        }
    }

    /// Whether a value in this token's place may change without changing what the statement means:
    /// a plain number or string.
    pub fn is_plain_literal(&self) -> bool {
        matches!(self.kind, TokenKind::Integer | TokenKind::Decimal | TokenKind::String)
    }
}

/// Why a text is not a sequence of tokens.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LexErrorKind {
    /// A quote without its end.
    #[error("unterminated quoted string")]
    UnterminatedString,
    /// A double quote without its end.
    #[error("unterminated quoted identifier")]
    UnterminatedIdentifier,
    /// `""`.
    #[error("zero-length delimited identifier")]
    EmptyIdentifier,
    /// A `/*` without its end.
    #[error("unterminated comment")]
    UnterminatedComment,
    /// A character that begins no token.
    #[error("character is not understood here; remove it or put it in quotes")]
    UnknownCharacter,
    /// `1abc`, `0x1f`, `1_000`: versions of the server read these differently.
    #[error("number is followed by a letter; put a space between them")]
    JunkAfterNumber,
    /// `U&"…"`.
    #[error("identifiers with Unicode escapes are not supported; write the characters themselves")]
    UnicodeIdentifier,
    /// A literal continued on another line behind a comment, or one of bits.
    #[error("a string continued on another line behind a comment, or one of bits, is not supported; write one string")]
    ContinuedString,
    /// More than [`MAX_BYTES`].
    #[error("statement is longer than 16 MiB; send the data as parameters or with COPY")]
    TooLong,
    /// MySQL's `/*! … */`, MariaDB's `/*M! … */`.
    #[error("executable comments are not supported, servers of different versions read them differently")]
    ExecutableComment,
    /// An optimizer hint with a quote, which can hold the end of the comment.
    #[error("quotes in an optimizer hint are not supported; remove the hint")]
    QuoteInHint,
    /// `--` before a letter that is not ASCII, perhaps a wide blank.
    #[error("`--` begins a comment only before a plain space; put one behind it")]
    DashesBeforeLetter,
    /// `=!`, `!!`: MySQL and MariaDB read these differently.
    #[error("comparison signs run together; put a space between the operators")]
    SignsRunTogether,
    /// `x'…'` or `b'…'` with something else than digits, or an odd number of them.
    #[error("hexadecimal or bit literal has wrong digits")]
    BadDigits,
    /// A character outside the basic multilingual plane in a name.
    #[error("name has a character that servers do not keep in names")]
    SupplementaryName,
    /// `@` or `@@` without a name of ASCII letters.
    #[error("variable name is not understood; put it in backticks")]
    VariableName,
    /// NUL in the text.
    #[error("statement contains a NUL character")]
    Nul,
}

/// A [`LexErrorKind`] and its byte in the text.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{kind}")]
pub struct LexError {
    /// What is wrong.
    pub kind: LexErrorKind,
    /// Where, in bytes.
    pub at: u32,
}

/// The longest text that is read, in bytes.
pub const MAX_BYTES: usize = 16 << 20;
