//! `client_ed25519`, the client's side: MariaDB's signature over a scramble.
//!
//! <https://mariadb.com/kb/en/authentication-plugin-ed25519/>

use ed25519_dalek::hazmat::{ExpandedSecretKey, raw_sign};
use ed25519_dalek::{Sha512, VerifyingKey};
use ring::digest::{SHA512, digest};

/// The plugin's name in the protocol.
pub const NAME: &str = "client_ed25519";

/// The client's answer to a scramble of 32 bytes. MariaDB takes the hash of the password as the expanded key, where
/// Ed25519 itself (RFC 8032) hashes a seed of 32 bytes.
pub fn sign(password: &[u8], nonce: &[u8]) -> Vec<u8> {
    let mut expanded = [0; 64];
    expanded.copy_from_slice(digest(&SHA512, password).as_ref());
    let key = ExpandedSecretKey::from_bytes(&expanded);
    raw_sign::<Sha512>(&key, nonce, &VerifyingKey::from(&key)).to_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use ed25519_dalek::Signature;

    use super::*;

    #[test]
    fn the_signature_is_good_under_the_key_that_mariadb_stores() {
        // `select ed25519_password('secret')` in MariaDB's manual.
        let stored = base64::engine::general_purpose::STANDARD_NO_PAD
            .decode("ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJY")
            .unwrap();
        let key = VerifyingKey::from_bytes(stored.first_chunk().unwrap()).unwrap();
        let nonce = [7; 32];
        let signature = Signature::from_slice(&sign(b"secret", &nonce)).unwrap();
        assert!(key.verify_strict(&nonce, &signature).is_ok());
        assert!(key.verify_strict(&[8; 32], &signature).is_err());
    }
}
