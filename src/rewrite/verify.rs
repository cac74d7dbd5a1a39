//! Reads back what is about to be sent: the text must be made of the tokens that were meant, and no relation may be
//! mentioned outside of what was decided. A text that fails is refused, whatever the reason.

use thiserror::Error;

use super::emit::Emitted;
use crate::sql::{Script, Token};

/// A text that does not read as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unfaithful {
    /// A token begins, ends or is of another kind than in the source.
    #[error("token {0} would be read differently")]
    Token(usize),
    /// A protected relation stands where it was not put by the rules.
    #[error("`{0}` would be read without its protection")]
    Relation(Box<str>),
    /// The text is no statement any more.
    #[error("the text would not be understood: {0}")]
    Syntax(Box<str>),
}

/// Whether the lexer finds each source token again, the same, and nothing across the border of what was made here.
pub fn same_tokens(emitted: &Emitted, read: &Script, source: &[Token]) -> Result<(), Unfaithful> {
    let mut parts = emitted.parts.iter().peekable();
    for (number, token) in read.tokens.iter().enumerate() {
        let (start, end) = (token.start as usize, token.end as usize);
        while parts.next_if(|part| part.bytes.end <= start).is_some() {}
        let Some(part) = parts.peek() else { return Err(Unfaithful::Token(number)) };
        let inside = part.bytes.start <= start && end <= part.bytes.end;
        let same = part.token.is_none_or(|original| {
            part.bytes == (start..end) && source.get(original).is_some_and(|original| original.kind == token.kind)
        });
        if !inside || !same {
            return Err(Unfaithful::Token(number));
        }
    }
    let found = read.tokens.len();
    let meant = emitted.parts.iter().filter(|part| part.token.is_some()).count();
    if found < meant { Err(Unfaithful::Token(found)) } else { Ok(()) }
}

/// Whether a token of the emitted text was made here.
pub fn is_made(emitted: &Emitted, token: &Token) -> bool {
    let start = token.start as usize;
    let at = emitted.parts.partition_point(|part| part.bytes.end <= start);
    emitted.parts.get(at).is_some_and(|part| part.token.is_none() && part.bytes.start <= start)
}
