//! Where in the client's text a place in the server's text is.

use super::plan;
use super::virtual_database::{Settings, VirtualDatabase};
use crate::rewrite::emit;

/// The place in the client's text of the token that stands at `position` in the server's text; nothing where what
/// stands there was made here. Positions are in characters from 1.
///
/// Only errors ask, so nothing is kept for it: the text is planned again.
pub(super) fn in_source(
    database: &VirtualDatabase,
    settings: &Settings,
    text: &str,
    sent: &str,
    position: u32,
) -> Option<u32> {
    let script = database.read(settings, text).ok()?;
    let (emitted, annotation) = plan::emitted(database, settings, text, &script)?;
    if sent.get(annotation..) != Some(&emitted.sql) {
        return None;
    }
    let place = byte_of(sent, position)?.checked_sub(annotation)?;
    let at = emitted.parts.iter().position(|part| part.bytes.contains(&place))?;
    let found = emitted.parts.get(at)?;
    // The server points to the schema that was put before the client's name.
    let qualifies = found.token.is_none() && emitted.sql.get(found.bytes.clone()).is_some_and(emit::is_qualifier);
    let part = if qualifies { emitted.parts.get(at + 1)? } else { found };
    let token = script.tokens.get(part.token?)?;
    let inside = place.saturating_sub(part.bytes.start);
    let start = usize::try_from(token.start).ok()?;
    Some(plan::characters_before(text, start + inside) + 1)
}

/// The byte at which a character begins.
fn byte_of(text: &str, position: u32) -> Option<usize> {
    let character = usize::try_from(position).ok()?.checked_sub(1)?;
    text.char_indices().nth(character).map(|(byte, _)| byte)
}
