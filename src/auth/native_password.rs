//! `mysql_native_password`, both sides: a scramble by SHA-1, for servers and users that have nothing better.
//!
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_authentication_methods_native_password_authentication.html>

use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};

/// The plugin's name in the protocol.
pub const NAME: &str = "mysql_native_password";

/// The client's answer to a scramble; empty for an empty password.
pub fn scramble(password: &[u8], nonce: &[u8]) -> Vec<u8> {
    if password.is_empty() {
        return Vec::new();
    }
    let stage1 = sha1(&[password]);
    let mask = sha1(&[nonce, &sha1(&[&stage1])]);
    stage1.iter().zip(mask).map(|(a, b)| a ^ b).collect()
}

/// Whether a client's answer was made from the password whose SHA1(SHA1(password)) is `stage2`.
pub fn proves(answer: &[u8], nonce: &[u8], stage2: &[u8; 20]) -> bool {
    if answer.len() != stage2.len() {
        return false;
    }
    let mask = sha1(&[nonce, stage2]);
    let stage1: Vec<u8> = answer.iter().zip(mask).map(|(a, b)| a ^ b).collect();
    sha1(&[&stage1]).iter().zip(stage2).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

fn sha1(parts: &[&[u8]]) -> Vec<u8> {
    let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    for part in parts {
        context.update(part);
    }
    context.finish().as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_proves_the_password_for_its_scramble() {
        let nonce = b"01234567890123456789";
        let stage2 = *sha1(&[&sha1(&[b"secret"])]).first_chunk().unwrap();
        // `select password('secret')` on MariaDB.
        assert_eq!(stage2[..4], [0x14, 0xe6, 0x55, 0x67]);
        assert!(proves(&scramble(b"secret", nonce), nonce, &stage2));
        assert!(!proves(&scramble(b"Secret", nonce), nonce, &stage2));
        assert!(!proves(&scramble(b"secret", nonce), b"11234567890123456789", &stage2));
        assert!(!proves(b"", nonce, &stage2));
    }
}
