//! The server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), with and without channel binding.
//!
//! ```text
//! client-first → [`Exchange::begin`] → server-first → client-final → [`Exchange::finish`] → server-final
//! ```
//!
//! For a user who does not exist the exchange runs with a made-up verifier, so that nobody learns who exists.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::{digest, hmac};
use subtle::ConstantTimeEq;

use super::users::{Users, Verifier};

/// The mechanism without channel binding.
pub const SCRAM_SHA_256: &str = "SCRAM-SHA-256";
/// The mechanism with channel binding.
pub const SCRAM_SHA_256_PLUS: &str = "SCRAM-SHA-256-PLUS";
/// Random bytes that [`Exchange::begin`] wants for its nonce.
pub const NONCE_BYTES: usize = 18;

/// Iterations and salt bytes that a made-up verifier shows, as those of `sekisho passwd` and of PostgreSQL.
const MOCK_ITERATIONS: u32 = 4096;
const MOCK_SALT: usize = 16;

/// Why an exchange failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScramError {
    /// A message is not what RFC 5802 has.
    #[error("malformed SCRAM message")]
    Malformed,
    /// Channel binding was left out though both sides can do it, or does not fit the connection.
    #[error("SCRAM channel binding check failed")]
    Binding,
    /// The password is wrong.
    #[error("password authentication failed")]
    WrongPassword,
}

/// An exchange that waits for the client's last message.
#[derive(Debug)]
pub struct Exchange {
    verifier: Verifier,
    // What `c=` must decode to: the client's header and the channel's data.
    binding: Vec<u8>,
    nonce: String,
    client_first_bare: String,
    server_first: String,
}

impl Exchange {
    /// Answers the client's first message: gives the exchange and the bytes for the client.
    ///
    /// `plus` says that the client chose [`SCRAM_SHA_256_PLUS`]; `endpoint` is the hash of our certificate where the
    /// connection has TLS and channel binding was offered.
    pub fn begin(
        verifier: Verifier,
        plus: bool,
        endpoint: Option<&[u8]>,
        client_first: &[u8],
        random: [u8; NONCE_BYTES],
    ) -> Result<(Self, Vec<u8>), ScramError> {
        let message = std::str::from_utf8(client_first).map_err(|_| ScramError::Malformed)?;
        // gs2-header = ("p=" cb-name / "n" / "y") "," [ "a=" authzid ] ","
        let (flag, rest) = message.split_once(',').ok_or(ScramError::Malformed)?;
        let (authzid, bare) = rest.split_once(',').ok_or(ScramError::Malformed)?;
        if !authzid.is_empty() {
            return Err(ScramError::Malformed);
        }
        let mut binding = format!("{flag},,").into_bytes();
        match (flag, plus, endpoint) {
            ("p=tls-server-end-point", true, Some(endpoint)) => binding.extend_from_slice(endpoint),
            // "y": the client could, and thinks that we could not. If we could, somebody removed our offer.
            ("n", false, _) | ("y", false, None) => {}
            ("y", false, Some(_)) | ("p=tls-server-end-point", _, _) | ("n" | "y", true, _) => {
                return Err(ScramError::Binding);
            }
            _ => return Err(ScramError::Malformed),
        }
        // client-first-message-bare = [reserved-mext ","] username "," nonce ["," extensions]
        let mut attributes = bare.split(',');
        let username = attributes.next().ok_or(ScramError::Malformed)?;
        let client_nonce = attributes.next().and_then(|a| a.strip_prefix("r=")).ok_or(ScramError::Malformed)?;
        if !username.starts_with("n=") || client_nonce.is_empty() || !client_nonce.bytes().all(|b| b.is_ascii_graphic())
        {
            return Err(ScramError::Malformed);
        }
        let nonce = format!("{client_nonce}{}", STANDARD.encode(random));
        let server_first = format!("r={nonce},s={},i={}", STANDARD.encode(&verifier.salt), verifier.iterations);
        let answer = server_first.clone().into_bytes();
        Ok((Self { verifier, binding, nonce, client_first_bare: bare.to_owned(), server_first }, answer))
    }

    /// Checks the client's proof: gives our own proof for the client.
    pub fn finish(self, client_final: &[u8]) -> Result<Vec<u8>, ScramError> {
        let message = std::str::from_utf8(client_final).map_err(|_| ScramError::Malformed)?;
        // client-final-message = channel-binding "," nonce ["," extensions] "," proof
        let (without_proof, proof) = message.rsplit_once(",p=").ok_or(ScramError::Malformed)?;
        let mut attributes = without_proof.split(',');
        let binding = attributes.next().and_then(|a| a.strip_prefix("c=")).ok_or(ScramError::Malformed)?;
        let nonce = attributes.next().and_then(|a| a.strip_prefix("r=")).ok_or(ScramError::Malformed)?;
        if STANDARD.decode(binding).map_err(|_| ScramError::Malformed)? != self.binding {
            return Err(ScramError::Binding);
        }
        if nonce != self.nonce {
            return Err(ScramError::Malformed);
        }
        let proof = STANDARD.decode(proof).map_err(|_| ScramError::Malformed)?;
        let auth_message = format!("{},{},{without_proof}", self.client_first_bare, self.server_first);
        let signature = hmac_sha256(&self.verifier.stored_key, auth_message.as_bytes());
        if proof.len() != 32 {
            return Err(ScramError::Malformed);
        }
        let client_key: Vec<u8> = proof.iter().zip(signature.as_ref()).map(|(p, s)| p ^ s).collect();
        let stored_key = digest::digest(&digest::SHA256, &client_key);
        if !bool::from(stored_key.as_ref().ct_eq(&self.verifier.stored_key)) {
            return Err(ScramError::WrongPassword);
        }
        let server_signature = hmac_sha256(&self.verifier.server_key, auth_message.as_bytes());
        Ok(format!("v={}", STANDARD.encode(server_signature)).into_bytes())
    }
}

/// The verifier of a user who does not exist: always the same for a name, known to nobody, fulfilled by no password.
pub fn mock_verifier(users: &Users, name: &[u8]) -> Verifier {
    // The key must be secret and outlive restarts, or salts that change with a restart would tell who exists; some
    // real user's verifier is both.
    let secret = users.iter().next().map_or([0; 32], |user| user.verifier.server_key);
    let part = |label: &[u8]| {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &secret));
        context.update(label);
        context.update(name);
        let mut key = [0; 32];
        key.copy_from_slice(context.sign().as_ref());
        key
    };
    let salt = part(b"mock salt:").into_iter().take(MOCK_SALT).collect();
    Verifier {
        iterations: MOCK_ITERATIONS,
        salt,
        stored_key: part(b"mock stored key:"),
        server_key: part(b"mock server key:"),
    }
}

fn hmac_sha256(key: &[u8], data: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use postgres_protocol::authentication::sasl::{ChannelBinding, ScramSha256};
    use ring::pbkdf2;

    use super::*;

    fn verifier(password: &[u8]) -> Verifier {
        let salt = *b"0123456789abcdef";
        let mut salted = [0; 32];
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, NonZeroU32::new(4096).unwrap(), &salt, password, &mut salted);
        let client_key = hmac_sha256(&salted, b"Client Key");
        let stored_key = digest::digest(&digest::SHA256, client_key.as_ref()).as_ref().try_into().unwrap();
        let server_key = hmac_sha256(&salted, b"Server Key").as_ref().try_into().unwrap();
        Verifier { iterations: 4096, salt: salt.into(), stored_key, server_key }
    }

    fn run(binding: ChannelBinding, plus: bool, endpoint: Option<&[u8]>, password: &[u8]) -> Result<(), ScramError> {
        let mut client = ScramSha256::new(password, binding);
        let (exchange, first) = Exchange::begin(verifier(b"pencil"), plus, endpoint, client.message(), [7; 18])?;
        client.update(&first).unwrap();
        let last = exchange.finish(client.message())?;
        client.finish(&last).unwrap();
        Ok(())
    }

    #[test]
    fn the_right_password_convinces_both_sides() {
        assert_eq!(run(ChannelBinding::unsupported(), false, None, b"pencil"), Ok(()));
        assert_eq!(run(ChannelBinding::unrequested(), false, None, b"pencil"), Ok(()));
        let bound = ChannelBinding::tls_server_end_point(b"hash".to_vec());
        assert_eq!(run(bound, true, Some(b"hash"), b"pencil"), Ok(()));
    }

    #[test]
    fn a_wrong_password_does_not() {
        assert_eq!(run(ChannelBinding::unsupported(), false, None, b"pen"), Err(ScramError::WrongPassword));
    }

    #[test]
    fn a_removed_offer_and_another_channel_are_noticed() {
        assert_eq!(run(ChannelBinding::unrequested(), false, Some(b"hash"), b"pencil"), Err(ScramError::Binding));
        let bound = || ChannelBinding::tls_server_end_point(b"hash".to_vec());
        assert_eq!(run(bound(), true, Some(b"other"), b"pencil"), Err(ScramError::Binding));
        assert_eq!(run(bound(), false, Some(b"hash"), b"pencil"), Err(ScramError::Binding));
    }

    #[test]
    fn broken_messages_are_errors() {
        let begin = |m: &[u8]| Exchange::begin(verifier(b"x"), false, None, m, [0; 18]).map(|_| ());
        for m in
            [&b""[..], b"n", b"n,", b"n,,", b"n,,n=", b"n,,n=,r=", b"n,a=x,n=,r=x", b"z,,n=,r=x", b"n,,r=x,n=", b"\xff"]
        {
            assert_eq!(begin(m), Err(ScramError::Malformed), "{m:?}");
        }
        let exchange = || Exchange::begin(verifier(b"x"), false, None, b"n,,n=,r=abc", [0; 18]).unwrap().0;
        for m in [&b""[..], b"c=biws", b"c=biws,r=abc,p=", b"c=!,r=abc,p=AAAA", b",p=", b"\xff"] {
            assert_eq!(exchange().finish(m), Err(ScramError::Malformed), "{m:?}");
        }
    }

    #[test]
    fn a_made_up_verifier_is_stable() {
        let users = Users::default();
        assert_eq!(mock_verifier(&users, b"nobody"), mock_verifier(&users, b"nobody"));
        assert_ne!(mock_verifier(&users, b"nobody"), mock_verifier(&users, b"else"));
    }
}
