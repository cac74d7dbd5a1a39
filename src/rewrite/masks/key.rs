//! The keys of keyed masks, and HMAC-SHA-256 in SQL.
//!
//! HMAC (RFC 2104) needs only two blocks made of the key: key ⊕ ipad and key ⊕ opad. The proxy gives them to its
//! server sessions when it connects, as settings on PostgreSQL and as user variables on MySQL, so no statement text
//! holds them. Servers compute `sha256(outer ‖ sha256(inner ‖ value))`, the value in UTF-8: both engines give
//! the same digest for the same text.

use std::fmt;
use std::sync::Arc;

use ring::digest;
use thiserror::Error;

use super::postgres as pg;
use super::target::{Target, Unservable};
use crate::rewrite::literal;
use crate::sql::Engine;

/// SHA-256 works on blocks of this many bytes.
const BLOCK: usize = 64;
/// Shorter keys can be guessed.
const MIN_BYTES: usize = 16;
/// The longest id.
const MAX_ID: usize = 32;

/// Why keys cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyError {
    /// There is none.
    #[error("no masking key is given; write one, for example made by `openssl rand -hex 32`")]
    Missing,
    /// One is too short.
    #[error("masking key `{id}` has {length} bytes; at least {MIN_BYTES} are needed, 32 random ones are good")]
    Short {
        /// Which.
        id: Arc<str>,
        /// Its length in bytes.
        length: usize,
    },
    /// An id becomes part of the name of a setting.
    #[error("masking key id `{0}` may have 1 to {MAX_ID} lower-case letters, digits and `_` only")]
    BadId(Arc<str>),
    /// Two keys have one id.
    #[error("masking key id `{0}` is used twice; give each key an id of its own")]
    Twice(Arc<str>),
}

/// The masking keys of a node; the first is the current one, the others serve masks that name them by id.
#[derive(Clone)]
pub struct MaskingKeys {
    keys: Arc<[Key]>,
    ids: Arc<[Arc<str>]>,
}

struct Key {
    inner: [u8; BLOCK],
    outer: [u8; BLOCK],
}

impl MaskingKeys {
    /// Takes ids and keys, the current one first.
    pub fn new(keys: &[(Arc<str>, Vec<u8>)]) -> Result<Self, KeyError> {
        if keys.is_empty() {
            return Err(KeyError::Missing);
        }
        for (at, (id, key)) in keys.iter().enumerate() {
            let fits =
                (1..=MAX_ID).contains(&id.len()) && id.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'));
            if !fits {
                return Err(KeyError::BadId(Arc::clone(id)));
            }
            if key.len() < MIN_BYTES {
                return Err(KeyError::Short { id: Arc::clone(id), length: key.len() });
            }
            if keys.iter().take(at).any(|(other, _)| other == id) {
                return Err(KeyError::Twice(Arc::clone(id)));
            }
        }
        Ok(Self {
            keys: keys.iter().map(|(_, key)| Key::new(key)).collect(),
            ids: keys.iter().map(|(id, _)| Arc::clone(id)).collect(),
        })
    }

    /// The ids, the current one first.
    pub fn ids(&self) -> &Arc<[Arc<str>]> {
        &self.ids
    }

    /// Settings for a server session of PostgreSQL, name and value, to be given as startup options.
    pub fn postgres_settings(&self) -> Vec<(String, String)> {
        self.parts().map(|(name, bytes)| (format!("sekisho.{name}"), literal::hex(bytes))).collect()
    }

    /// User variables for a server session of MySQL or MariaDB, without `@`, each with the bytes it must hold as a
    /// binary string. They are lost at `COM_RESET_CONNECTION` and `COM_CHANGE_USER`; keyed masks give NULL until
    /// they are set again.
    pub fn mysql_variables(&self) -> Vec<(String, Vec<u8>)> {
        self.parts().map(|(name, bytes)| (format!("sekisho_{name}"), bytes.to_vec())).collect()
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

impl fmt::Debug for MaskingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MaskingKeys").field("ids", &self.ids).finish_non_exhaustive()
    }
}

impl Key {
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
            format!("SHA2(CONCAT(@sekisho_{outer}, UNHEX(SHA2(CONCAT(@sekisho_{inner}, {value}), 256))), 256)")
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

    fn keys(list: &[(&str, usize)]) -> Result<MaskingKeys, KeyError> {
        let keys: Vec<_> = list.iter().map(|(id, length)| (Arc::from(*id), vec![0xaa; *length])).collect();
        MaskingKeys::new(&keys)
    }

    #[test]
    fn every_key_has_a_name_and_the_current_one_two() {
        let keys = keys(&[("k2", 32), ("k1", 16)]).unwrap();
        let names: Vec<_> = keys.postgres_settings().into_iter().map(|(name, _)| name).collect();
        assert_eq!(
            names,
            [
                "sekisho.key_i",
                "sekisho.key_o",
                "sekisho.key_i_k2",
                "sekisho.key_o_k2",
                "sekisho.key_i_k1",
                "sekisho.key_o_k1"
            ]
        );
        assert_eq!(keys.mysql_variables()[0].0, "sekisho_key_i");
        assert_eq!(keys.mysql_variables()[0].1[..33], [[0xaa ^ 0x36; 32].as_slice(), &[0x36]].concat());
    }

    /// RFC 4231, test case 6: a key longer than the block.
    #[test]
    fn long_keys_are_hashed_first() {
        let keys = MaskingKeys::new(&[(Arc::from("k"), vec![0xaa; 131])]).unwrap();
        let sha = |bytes: &[u8]| digest::digest(&digest::SHA256, bytes).as_ref().to_vec();
        let message = b"Test Using Larger Than Block-Size Key - Hash Key First";
        let inner = sha(&[&keys.keys[0].inner, message.as_slice()].concat());
        let hmac = sha(&[keys.keys[0].outer.as_slice(), &inner].concat());
        assert_eq!(literal::hex(&hmac), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    }

    #[test]
    fn unusable_keys_are_refused() {
        assert_eq!(keys(&[]).unwrap_err(), KeyError::Missing);
        assert_eq!(keys(&[("a", 15)]).unwrap_err(), KeyError::Short { id: Arc::from("a"), length: 15 });
        assert_eq!(keys(&[("A", 16)]).unwrap_err(), KeyError::BadId(Arc::from("A")));
        assert_eq!(keys(&[("a", 16), ("a", 17)]).unwrap_err(), KeyError::Twice(Arc::from("a")));
        assert!(!format!("{:?}", keys(&[("a", 16)]).unwrap()).contains("170"));
    }
}
