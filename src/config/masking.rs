//! `[masking]`: the keys of keyed masks.

use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::load::Secrets;
use super::secret;
use crate::policy::reader::{Table, Value};
use crate::rewrite::masks::MaskingKey;

/// Shorter keys can be guessed.
const MIN_BYTES: usize = 16;
/// An id becomes part of the name of a setting on the server.
const MAX_ID: usize = 32;
/// The id of a key that is given without one.
const ONLY: &str = "key";

/// Reads `[masking]`: `key` is one secret, or an array of secrets with ids, the current one first.
pub(super) fn read(value: Value<'_>, folder: &Path, secrets: Secrets) -> Option<Vec<MaskingKey>> {
    value.table("`[masking]`", |table| {
        table.required("key", |value| {
            if value.raw().is_array() {
                let keys = value.items(|value| with_id(value, folder, secrets));
                if value.raw().as_array().is_some_and(|array| array.is_empty()) {
                    value.error("bad-value", "`key` is empty");
                }
                check_twice(value, &keys);
                return Some(keys);
            }
            if value.raw().is_table() && has_id(value) {
                return Some(vec![with_id(value, folder, secrets)?]);
            }
            let bytes = key_bytes(value, secret::read(value, folder, secrets)?)?;
            Some(vec![MaskingKey { id: ONLY.into(), bytes }])
        })
    })
}

fn has_id(value: Value<'_>) -> bool {
    value.raw().as_table().is_some_and(|table| table.contains_key("id"))
}

/// `{ id = "2026", file = "…" }`.
fn with_id(value: Value<'_>, folder: &Path, secrets: Secrets) -> Option<MaskingKey> {
    value.table("a masking key", |table| {
        let id = table.required("id", |value| value.parsed(id));
        let bytes = located(table, folder, secrets).and_then(|bytes| key_bytes(value, bytes));
        Some(MaskingKey { id: id?, bytes: bytes? })
    })
}

fn located(table: &Table<'_>, folder: &Path, secrets: Secrets) -> Option<Vec<u8>> {
    let from = secret::From::read(table.get("env"), table.get("file"), folder);
    if from.is_none() {
        table.error("bad-value", "a masking key has either `env` or `file`");
    }
    from?.fetch(secrets)
}

fn id(text: &str) -> Result<Arc<str>, String> {
    let fits =
        (1..=MAX_ID).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
    if fits {
        Ok(text.into())
    } else {
        Err(format!("`{text}` cannot be an id; it has 1 to {MAX_ID} lower-case letters, digits and `_`"))
    }
}

/// The key itself: what base64 stands for where that is long enough, otherwise the bytes as they are.
fn key_bytes(value: Value<'_>, secret: Vec<u8>) -> Option<Vec<u8>> {
    let decoded = STANDARD.decode(&secret).ok().filter(|decoded| decoded.len() >= MIN_BYTES);
    let bytes = decoded.unwrap_or(secret);
    if bytes.len() < MIN_BYTES {
        let message = format!(
            "a masking key has at least {MIN_BYTES} bytes, this one has {}; make one with `openssl rand -base64 32`",
            bytes.len()
        );
        value.error("bad-value", message);
        return None;
    }
    Some(bytes)
}

fn check_twice(value: Value<'_>, keys: &[MaskingKey]) {
    for (at, key) in keys.iter().enumerate() {
        if keys.iter().take(at).any(|earlier| earlier.id == key.id) {
            value.error("duplicate", format!("two masking keys have the id `{}`", key.id));
        }
    }
}
