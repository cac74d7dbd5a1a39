//! The people of `users.toml`.

use std::collections::BTreeMap;
use std::sync::Arc;

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

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Verifier(…)")
    }
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
