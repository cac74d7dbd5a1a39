//! The people of `users.toml`.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::{digest, hmac, pbkdf2};

use crate::policy::Attributes;

/// What a password is checked against (RFC 5803): `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier {
    /// Iterations of PBKDF2.
    pub iterations: u32,
    /// Salt.
    pub salt: Box<[u8]>,
    /// `StoredKey`.
    pub stored_key: [u8; 32],
    /// `ServerKey`.
    pub server_key: [u8; 32],
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier(…)")
    }
}

/// A text that is no verifier. Says nothing of the text, which could be somebody's password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadVerifier {
    /// It does not begin with the scheme.
    #[error("this is no SCRAM-SHA-256 verifier; passwords in clear text are not accepted")]
    OtherScheme,
    /// What follows the scheme is not of its form.
    #[error("this verifier is damaged; it has the form `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`")]
    Damaged,
    /// Anybody who reads the file could try all likely passwords.
    #[error("this verifier has too few iterations; RFC 7677 asks for at least {MIN_ITERATIONS}")]
    TooFewIterations,
}

/// RFC 7677, section 4.
pub const MIN_ITERATIONS: u32 = 4096;
const SCHEME: &str = "SCRAM-SHA-256$";

impl Verifier {
    /// Makes a verifier for a password, which is prepared by `SASLprep` (RFC 4013) as PostgreSQL does it: a password
    /// that `SASLprep` does not allow is taken as it is.
    pub fn derive(password: &str, salt: &[u8], iterations: NonZeroU32) -> Self {
        let prepared = stringprep::saslprep(password);
        let password = prepared.as_deref().unwrap_or(password);
        let mut salted = [0; 32];
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, salt, password.as_bytes(), &mut salted);
        let key = hmac::Key::new(hmac::HMAC_SHA256, &salted);
        let stored = digest::digest(&digest::SHA256, hmac::sign(&key, b"Client Key").as_ref());
        let server = hmac::sign(&key, b"Server Key");
        let mut verifier =
            Self { iterations: iterations.get(), salt: salt.into(), stored_key: [0; 32], server_key: [0; 32] };
        verifier.stored_key.copy_from_slice(stored.as_ref());
        verifier.server_key.copy_from_slice(server.as_ref());
        verifier
    }

    /// The verifier as it stands in `users.toml`, and in PostgreSQL's `pg_authid`.
    pub fn to_text(&self) -> String {
        format!(
            "{SCHEME}{}:{}${}:{}",
            self.iterations,
            STANDARD.encode(&self.salt),
            STANDARD.encode(self.stored_key),
            STANDARD.encode(self.server_key)
        )
    }
}

impl FromStr for Verifier {
    type Err = BadVerifier;

    fn from_str(text: &str) -> Result<Self, BadVerifier> {
        let rest = text.strip_prefix(SCHEME).ok_or(BadVerifier::OtherScheme)?;
        let parts = || {
            let (parameters, keys) = rest.split_once('$')?;
            let (iterations, salt) = parameters.split_once(':')?;
            let (stored_key, server_key) = keys.split_once(':')?;
            Some(Self {
                iterations: iterations.parse().ok()?,
                salt: STANDARD.decode(salt).ok().filter(|salt| !salt.is_empty())?.into(),
                stored_key: STANDARD.decode(stored_key).ok()?.try_into().ok()?,
                server_key: STANDARD.decode(server_key).ok()?.try_into().ok()?,
            })
        };
        let verifier = parts().ok_or(BadVerifier::Damaged)?;
        if verifier.iterations < MIN_ITERATIONS { Err(BadVerifier::TooFewIterations) } else { Ok(verifier) }
    }
}

/// Reads the verifier of `mysql_native_password` as MySQL writes it: `*` and SHA1(SHA1(password)) in 40 hex digits.
pub fn parse_native_password(text: &str) -> Option<[u8; 20]> {
    let digits = text.strip_prefix('*').filter(|digits| digits.len() == 40 && digits.is_ascii())?;
    let mut bytes = [0; 20];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

/// The verifier of `mysql_native_password` for a password, as MySQL writes it.
pub fn native_password(password: &str) -> String {
    let sha1 = |bytes: &[u8]| digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes);
    let twice = sha1(sha1(password.as_bytes()).as_ref());
    twice.as_ref().iter().fold(String::from("*"), |mut text, byte| {
        let _ = write!(text, "{byte:02X}");
        text
    })
}

/// A `[user.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The name logged in with.
    pub name: Arc<str>,
    /// What the password is checked against.
    pub verifier: Verifier,
    /// MySQL's older scheme, where the user has a verifier for it: SHA1(SHA1(password)).
    pub native_password: Option<[u8; 20]>,
    /// The first is the role of a new session.
    pub roles: Vec<Arc<str>>,
    /// Sources that may be connected to; `None` is every source in which a role of the user has a grant.
    pub sources: Option<Vec<Arc<str>>>,
    /// For row filters.
    pub attributes: Attributes,
}

/// Everybody who may log in.
#[derive(Debug, Default)]
pub struct Users {
    by_name: BTreeMap<Arc<str>, Arc<User>>,
}

impl Users {
    /// All users given.
    pub fn new(users: impl IntoIterator<Item = User>) -> Self {
        Self { by_name: users.into_iter().map(|user| (Arc::clone(&user.name), Arc::new(user))).collect() }
    }

    /// All users, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<User>> {
        self.by_name.values()
    }

    /// A user by exact name.
    pub fn get(&self, name: &str) -> Option<&Arc<User>> {
        self.by_name.get(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derives_the_keys_of_rfc_7677() {
        // The exchange of RFC 7677, section 3: user `user`, password `pencil`, i=4096.
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let verifier = Verifier::derive("pencil", &salt, NonZeroU32::new(4096).unwrap());
        let auth = "n=user,r=rOprNGfwEbeRWgbNEkqO,\
                    r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,\
                    c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &verifier.server_key), auth.as_bytes());
        assert_eq!(STANDARD.encode(signature), "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    }

    #[test]
    fn text_and_verifier_are_the_same_thing() {
        let verifier =
            Verifier::derive("pencil", &STANDARD.decode("QSXCR+Q6sek8bf92").unwrap(), NonZeroU32::new(4096).unwrap());
        let text = verifier.to_text();
        assert!(text.starts_with("SCRAM-SHA-256$4096:QSXCR+Q6sek8bf92$"), "{text}");
        assert!(text.parse::<Verifier>() == Ok(verifier));
    }

    #[test]
    fn what_saslprep_maps_to_one_password_has_one_verifier() {
        let derive = |password| Verifier::derive(password, b"salt", NonZeroU32::new(4096).unwrap());
        assert!(derive("\u{2168}") == derive("IX"), "a Roman numeral is compatible with its letters");
        assert!(derive("I\u{ad}X") == derive("IX"), "a soft hyphen is nothing");
        assert!(derive("\u{7}bell") != derive("bell"), "what is not allowed is taken as it is");
    }

    #[test]
    fn what_is_no_verifier_is_told_apart() {
        let parse = |text: &str| text.parse::<Verifier>().err();
        assert_eq!(parse("hunter2"), Some(BadVerifier::OtherScheme));
        assert_eq!(parse("md5c0ffee"), Some(BadVerifier::OtherScheme));
        assert_eq!(parse("SCRAM-SHA-256$4096:c2FsdA=="), Some(BadVerifier::Damaged));
        assert_eq!(parse("SCRAM-SHA-256$4096:c2FsdA==$AAAA:AAAA"), Some(BadVerifier::Damaged));
        let weak = Verifier { iterations: 1000, ..Verifier::derive("x", b"salt", NonZeroU32::MIN) };
        assert_eq!(parse(&weak.to_text()), Some(BadVerifier::TooFewIterations));
    }

    #[test]
    fn native_verifiers_are_those_of_mysql() {
        // SELECT PASSWORD('mypass') of the MySQL 5.7 manual, 6.1.2.4.
        let text = native_password("mypass");
        assert_eq!(text, "*6C8989366EAF75BB670AD8EA7A7FC1176A95CEF4");
        assert_eq!(parse_native_password(&text).map(|bytes| bytes[0]), Some(0x6c));
        for bad in ["", "*", "6C8989366EAF75BB670AD8EA7A7FC1176A95CEF4", "*6C8989366EAF75BB670AD8EA7A7FC1176A95CEFX"] {
            assert_eq!(parse_native_password(bad), None, "{bad}");
        }
    }
}
