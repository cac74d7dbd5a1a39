//! The keys of keyed masks, and HMAC-SHA-256 in SQL.
//!
//! HMAC (RFC 2104) needs only two blocks made of the key: key ⊕ ipad and key ⊕ opad. The proxy gives them to its
//! server sessions when it connects, as settings on PostgreSQL and as user variables on MySQL, so no statement text
//! holds them. Servers compute `sha256(outer ‖ sha256(inner ‖ value))`, the value in UTF-8: both engines give
//! the same digest for the same text.

use std::fmt;
use std::sync::Arc;

use ring::digest;

use super::postgres as pg;
use super::target::{Target, Unservable};
use crate::rewrite::literal;
use crate::sql::Engine;

/// What the names of MySQL's variables with keys begin with, without `@`.
pub const KEY_VARIABLES: &str = "sekisho_key_";

/// SHA-256 works on blocks of this many bytes.
const BLOCK: usize = 64;
/// A masking key with its id.
#[derive(Clone, PartialEq, Eq)]
pub struct MaskingKey {
    /// Its id: lower-case letters, digits and `_`; it becomes part of the name of a setting.
    pub id: Arc<str>,
    /// The key.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for MaskingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MaskingKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The masking keys of a node as its server sessions get them; the first is the current one, the others serve masks
/// that name them by id. Without any, keyed masks deny their columns.
#[derive(Clone, Default)]
pub struct SessionKeys {
    keys: Arc<[Blocks]>,
    ids: Arc<[Arc<str>]>,
}

/// The two blocks of a key.
struct Blocks {
    inner: [u8; BLOCK],
    outer: [u8; BLOCK],
}

impl SessionKeys {
    /// Takes the keys, the current one first.
    pub fn new(keys: &[MaskingKey]) -> Self {
        Self {
            keys: keys.iter().map(|key| Blocks::new(&key.bytes)).collect(),
            ids: keys.iter().map(|key| Arc::clone(&key.id)).collect(),
        }
    }

    /// The ids, the current one first.
    pub fn ids(&self) -> &Arc<[Arc<str>]> {
        &self.ids
    }

    /// Names and values for a server session: settings of PostgreSQL, to be given as startup options; user variables
    /// of MySQL, without `@`, to be set with parameters. The latter are lost at `COM_RESET_CONNECTION` and
    /// `COM_CHANGE_USER`; keyed masks give NULL until they are set again.
    pub fn settings(&self, engine: Engine) -> Vec<(String, String)> {
        let prefix = match engine {
            Engine::Postgres => "sekisho.",
            Engine::MySql => "sekisho_",
        };
        self.parts().map(|(name, bytes)| (format!("{prefix}{name}"), literal::hex(bytes))).collect()
    }

    /// Every key under its id, and the current one also without an id, so that a mask which names the current key
    /// means the same key after the next rotation.
    fn parts(&self) -> impl Iterator<Item = (String, &[u8; BLOCK])> {
        let named = self.keys.iter().zip(self.ids.iter().map(Some));
        let current = self.keys.iter().take(1).map(|key| (key, None));
        current.chain(named).flat_map(|(key, id)| {
            let id = id.map(|id| &**id);
            [(part_name('i', id), &key.inner), (part_name('o', id), &key.outer)]
        })
    }
}

impl fmt::Debug for SessionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionKeys").field("ids", &self.ids).finish_non_exhaustive()
    }
}

impl Blocks {
    fn new(key: &[u8]) -> Self {
        let digest;
        let key = if key.len() > BLOCK {
            digest = digest::digest(&digest::SHA256, key);
            digest.as_ref()
        } else {
            key
        };
        let mut block = [0; BLOCK];
        for (to, from) in block.iter_mut().zip(key) {
            *to = *from;
        }
        Self { inner: block.map(|b| b ^ 0x36), outer: block.map(|b| b ^ 0x5c) }
    }
}

fn part_name(part: char, id: Option<&str>) -> String {
    match id {
        Some(id) => format!("key_{part}_{id}"),
        None => format!("key_{part}"),
    }
}

/// The keyed digest of a value as 64 lower-case hexadecimal digits.
///
/// `value` is what [`Target::bytes_of_text`] and the like give: bytes, `bytea` on PostgreSQL. A session without the
/// key gets an error on PostgreSQL and NULL on MySQL.
pub(super) fn hex_digest(target: &Target, key_id: Option<&str>, value: &str) -> Result<String, Unservable> {
    match target.engine {
        Engine::Postgres => Ok(pg::call("encode", &[&digest(target, key_id, value)?, "'hex'"])),
        Engine::MySql => digest(target, key_id, value),
    }
}

/// The keyed digest of a value: 32 bytes on PostgreSQL, hexadecimal digits on MySQL.
pub(super) fn digest(target: &Target, key_id: Option<&str>, value: &str) -> Result<String, Unservable> {
    check_id(target, key_id)?;
    let inner = part_name('i', key_id);
    let outer = part_name('o', key_id);
    Ok(match target.engine {
        // A scalar sub-select is evaluated once a statement; the bare call would be evaluated for each row.
        Engine::Postgres => {
            let part =
                |name: &str| format!("(SELECT pg_catalog.decode(pg_catalog.current_setting('sekisho.{name}'), 'hex'))");
            let inner = pg::call("sha256", &[&pg::op(&part(&inner), "||", value)]);
            pg::call("sha256", &[&pg::op(&part(&outer), "||", &inner)])
        }
        Engine::MySql => {
            // MySQL would convert the key to the character set of a text.
            let value = format!("CONCAT(UNHEX(@sekisho_{inner}), CAST({value} AS BINARY))");
            format!("SHA2(CONCAT(UNHEX(@sekisho_{outer}), UNHEX(SHA2({value}, 256))), 256)")
        }
    })
}

/// A number of 60 bits out of the keyed digest, the same on both engines: `bigint`, `BIGINT` with sign.
pub(super) fn number(target: &Target, key_id: Option<&str>, value: &str) -> Result<String, Unservable> {
    let hex = hex_digest(target, key_id, value)?;
    Ok(match target.engine {
        Engine::Postgres => {
            format!("({})::bit(60)::bigint", pg::op("'x'", "||", &pg::call("left", &[&hex, "15"])))
        }
        Engine::MySql => format!("CAST(CONV(LEFT({hex}, 15), 16, 10) AS SIGNED)"),
    })
}

fn check_id(target: &Target, key_id: Option<&str>) -> Result<(), Unservable> {
    if target.context.key_ids.is_empty() {
        return Err(target.refuse("no masking key is configured; add `[masking]` with a `key` to sekisho.toml"));
    }
    match key_id {
        Some(id) if !target.context.key_ids.iter().any(|known| &**known == id) => {
            Err(target.refuse(format!("no masking key has the id `{id}`; add it to `[masking]` in sekisho.toml")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str, bytes: Vec<u8>) -> MaskingKey {
        MaskingKey { id: Arc::from(id), bytes }
    }

    #[test]
    fn every_key_has_a_name_and_the_current_one_two() {
        let keys = SessionKeys::new(&[key("k2", vec![0xaa; 32]), key("k1", vec![0xbb; 16])]);
        let names: Vec<_> = keys.settings(Engine::Postgres).into_iter().map(|(name, _)| name).collect();
        let expected = ["key_i", "key_o", "key_i_k2", "key_o_k2", "key_i_k1", "key_o_k1"];
        assert_eq!(names, expected.map(|name| format!("sekisho.{name}")));
        let (name, block) = &keys.settings(Engine::MySql)[0];
        assert_eq!(name, "sekisho_key_i");
        assert_eq!(*block, "9c".repeat(32) + &"36".repeat(32));
        assert!(SessionKeys::default().settings(Engine::MySql).is_empty());
    }

    /// RFC 4231, test case 6: a key longer than the block.
    #[test]
    fn long_keys_are_hashed_first() {
        let keys = SessionKeys::new(&[key("k", vec![0xaa; 131])]);
        let sha = |bytes: &[u8]| digest::digest(&digest::SHA256, bytes).as_ref().to_vec();
        let message = b"Test Using Larger Than Block-Size Key - Hash Key First";
        let inner = sha(&[&keys.keys[0].inner, message.as_slice()].concat());
        let hmac = sha(&[keys.keys[0].outer.as_slice(), &inner].concat());
        assert_eq!(literal::hex(&hmac), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    }

    #[test]
    fn keys_are_not_shown() {
        let key = key("k", vec![170; 16]);
        assert_eq!(format!("{key:?}"), "MaskingKey { id: \"k\", .. }");
        assert_eq!(format!("{:?}", SessionKeys::new(&[key])), "SessionKeys { ids: [\"k\"], .. }");
    }
}
