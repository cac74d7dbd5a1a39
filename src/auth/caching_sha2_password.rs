//! `caching_sha2_password`, both sides: a scramble that proves SHA256(password), and the password itself over TLS or
//! under RSA where the server does not remember that hash yet.
//!
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_caching_sha2_authentication_exchanges.html>

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use ring::digest::{SHA256, digest};
use ring::{hmac, pbkdf2};
use rsa::pkcs8::{DecodePublicKey, EncodePublicKey, LineEnding};
use rsa::{PrivateKey, PublicKey};
use sha1::Sha1;

use super::users::Verifier;

/// The plugin's name in the protocol.
pub const NAME: &str = "caching_sha2_password";
/// From the server: the scramble was right.
pub const FAST_AUTH_SUCCESS: u8 = 3;
/// From the server: the password itself is needed.
pub const PERFORM_FULL_AUTH: u8 = 4;
/// From the client: send the RSA key.
pub const REQUEST_PUBLIC_KEY: u8 = 2;

/// Bits of the proxy's RSA key, as MySQL's own.
const KEY_BITS: usize = 2048;

/// The client's answer to a scramble; empty for an empty password.
pub fn scramble(password: &[u8], nonce: &[u8]) -> Vec<u8> {
    if password.is_empty() {
        return Vec::new();
    }
    let stage1 = sha256(&[password]);
    let mask = sha256(&[&sha256(&[&stage1]), nonce]);
    stage1.iter().zip(mask).map(|(a, b)| a ^ b).collect()
}

/// SHA256(SHA256(password)): what [`FastLogins`] remembers.
pub fn stage2(password: &[u8]) -> [u8; 32] {
    sha256(&[&sha256(&[password])])
}

/// Whether a client's answer was made from the password behind `stage2`.
pub fn proves(answer: &[u8], nonce: &[u8], stage2: &[u8; 32]) -> bool {
    let Some(answer) = answer.first_chunk::<32>().filter(|_| answer.len() == 32) else { return false };
    let mask = sha256(&[stage2, nonce]);
    let mut stage1 = *answer;
    stage1.iter_mut().zip(mask).for_each(|(a, b)| *a ^= b);
    same(&sha256(&[&stage1]), stage2)
}

/// Whether a password is the one behind a SCRAM verifier.
pub fn matches(verifier: &Verifier, password: &[u8]) -> bool {
    let Some(iterations) = std::num::NonZeroU32::new(verifier.iterations) else { return false };
    // PostgreSQL and `sekisho passwd` prepare passwords so (RFC 4013); what cannot be prepared is taken as it is.
    let prepared = std::str::from_utf8(password).ok().and_then(|text| stringprep::saslprep(text).ok());
    let password = prepared.as_ref().map_or(password, |text| text.as_bytes());
    let mut salted = [0; 32];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, &verifier.salt, password, &mut salted);
    let client_key = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &salted), b"Client Key");
    same(&sha256(&[client_key.as_ref()]), &verifier.stored_key)
}

/// Users who proved their password in full, so that a scramble suffices from then on. Holds at most one entry a user
/// and only for users who exist.
#[derive(Default)]
pub struct FastLogins {
    by_user: Mutex<HashMap<Arc<str>, Remembered>>,
}

/// The verifier that the password was checked against, by its `StoredKey`, and [`stage2`] of the password.
struct Remembered {
    stored_key: [u8; 32],
    stage2: [u8; 32],
}

impl FastLogins {
    /// Remembers a password that was found right.
    pub fn remember(&self, user: &Arc<str>, verifier: &Verifier, password: &[u8]) {
        let entry = Remembered { stored_key: verifier.stored_key, stage2: stage2(password) };
        self.by_user.lock().unwrap_or_else(PoisonError::into_inner).insert(Arc::clone(user), entry);
    }

    /// Whether a client's answer proves the password that was right for this verifier before.
    pub fn prove(&self, user: &str, verifier: &Verifier, answer: &[u8], nonce: &[u8]) -> bool {
        let by_user = self.by_user.lock().unwrap_or_else(PoisonError::into_inner);
        by_user
            .get(user)
            .is_some_and(|known| known.stored_key == verifier.stored_key && proves(answer, nonce, &known.stage2))
    }
}

impl std::fmt::Debug for FastLogins {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FastLogins(…)")
    }
}

/// What a node keeps for this plugin, for as long as it runs.
#[derive(Debug, Default)]
pub struct Passwords {
    /// Users whose scramble suffices.
    pub fast: FastLogins,
    key: OnceLock<Option<KeyPair>>,
}

impl Passwords {
    /// The node's RSA key. Made by the first caller, which takes a good part of a second: not to be called first on a
    /// thread that runs sessions.
    pub fn key(&self) -> Option<&KeyPair> {
        self.key.get_or_init(KeyPair::generate).as_ref()
    }
}

/// The key under which clients without TLS send their password.
pub struct KeyPair {
    private: PrivateKey,
    public_pem: String,
}

impl KeyPair {
    /// Makes a key; takes a good part of a second. `None` when the system has no randomness.
    pub fn generate() -> Option<Self> {
        let private = PrivateKey::new(&mut getrandom::SysRng, KEY_BITS).ok()?;
        let public_pem = private.to_public_key().to_public_key_pem(LineEnding::LF).ok()?;
        Some(Self { private, public_pem })
    }

    /// The public half as clients expect it.
    pub fn public_pem(&self) -> &str {
        &self.public_pem
    }

    /// The password that a client sent under this key for a scramble, without its NUL.
    pub fn open(&self, sealed: &[u8], nonce: &[u8]) -> Option<Vec<u8>> {
        let mut password = self.private.oaep_decrypt::<Sha1>(sealed).ok()?;
        mix(&mut password, nonce);
        (password.pop()? == 0).then_some(password)
    }
}

impl std::fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyPair(…)")
    }
}

/// A password under a server's public key (PEM) for a scramble.
pub fn seal(public_pem: &[u8], password: &[u8], nonce: &[u8]) -> Option<Vec<u8>> {
    let key = PublicKey::from_public_key_pem(std::str::from_utf8(public_pem).ok()?.trim()).ok()?;
    let mut plain = [password, &[0]].concat();
    mix(&mut plain, nonce);
    key.oaep_encrypt::<Sha1>(&plain).ok()
}

/// Combines a password with the scramble, which makes each message differ.
fn mix(bytes: &mut [u8], nonce: &[u8]) {
    bytes.iter_mut().zip(nonce.iter().cycle()).for_each(|(a, b)| *a ^= b);
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = ring::digest::Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    context.finish().as_ref().first_chunk().copied().unwrap_or_else(|| {
        // SHA-256 gives 32 bytes; a hash of nothing stands in for what cannot happen.
        let mut empty = [0; 32];
        empty.copy_from_slice(digest(&SHA256, b"").as_ref());
        empty
    })
}

/// Compares without telling by its time where a difference is.
fn same(a: &[u8; 32], b: &[u8; 32]) -> bool {
    a.iter().zip(b).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verifier(password: &[u8]) -> Verifier {
        let mut made =
            Verifier { iterations: 4096, salt: Box::from([7; 16]), stored_key: [0; 32], server_key: [0; 32] };
        let mut salted = [0; 32];
        let iterations = std::num::NonZeroU32::new(made.iterations).unwrap();
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, &made.salt, password, &mut salted);
        let client = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &salted), b"Client Key");
        made.stored_key = sha256(&[client.as_ref()]);
        made
    }

    #[test]
    fn passwords_are_checked_against_scram_verifiers() {
        assert!(matches(&verifier("pässword".as_bytes()), "pässword".as_bytes()));
        assert!(!matches(&verifier(b"secret"), b"Secret"));
        assert!(!matches(&verifier(b"secret"), b""));
    }

    #[test]
    fn a_scramble_proves_a_remembered_password_only() {
        let (user, nonce): (Arc<str>, _) = (Arc::from("hanako"), b"01234567890123456789");
        let known = verifier(b"secret");
        let fast = FastLogins::default();
        let answer = scramble(b"secret", nonce);
        assert!(!fast.prove(&user, &known, &answer, nonce));
        fast.remember(&user, &known, b"secret");
        assert!(fast.prove(&user, &known, &answer, nonce));
        assert!(!fast.prove(&user, &known, &answer, b"11234567890123456789"));
        assert!(!fast.prove(&user, &known, &scramble(b"other", nonce), nonce));
        assert!(!fast.prove(&user, &verifier(b"changed"), &answer, nonce));
        assert!(!fast.prove(&user, &known, &answer[..31], nonce));
        assert!(!fast.prove("jun", &known, &answer, nonce));
    }

    #[test]
    fn passwords_travel_under_rsa() {
        let key = KeyPair::generate().unwrap();
        assert!(key.public_pem().starts_with("-----BEGIN PUBLIC KEY-----\n"));
        let nonce = b"01234567890123456789";
        let sealed = seal(key.public_pem().as_bytes(), b"a longer secret than the nonce", nonce).unwrap();
        assert_eq!(key.open(&sealed, nonce).unwrap(), b"a longer secret than the nonce");
        assert_ne!(key.open(&sealed, b"11234567890123456789").as_deref(), Some(&b"a longer secret than the nonce"[..]));
        assert_eq!(key.open(&sealed[1..], nonce), None);
        assert_eq!(key.open(b"", nonce), None);
        assert_eq!(seal(b"no key", b"secret", nonce), None);
    }
}
