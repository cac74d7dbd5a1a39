//! What channel binding needs to know about a certificate.
//!
//! `tls-server-end-point` (RFC 5929, section 4.1) is the hash of the server's certificate by the hash function of the
//! certificate's own signature, SHA-256 standing in for MD5 and SHA-1. Finding that function takes four steps through
//! the outermost DER values, so no X.509 crate is used for it.

use ring::digest;

const SEQUENCE: u8 = 0x30;
const OBJECT_IDENTIFIER: u8 = 0x06;

/// Encoded object identifiers of signature algorithms, and the hash that each implies. Algorithms without a separate
/// hash (Ed25519, RSASSA-PSS) are absent: PostgreSQL offers no channel binding with them either.
const ALGORITHMS: &[(&[u8], &digest::Algorithm)] = &[
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04", &digest::SHA256), // md5WithRSAEncryption
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05", &digest::SHA256), // sha1WithRSAEncryption
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", &digest::SHA256), // sha256WithRSAEncryption
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c", &digest::SHA384), // sha384WithRSAEncryption
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d", &digest::SHA512), // sha512WithRSAEncryption
    (b"\x2a\x86\x48\xce\x3d\x04\x01", &digest::SHA256),         // ecdsa-with-SHA1
    (b"\x2a\x86\x48\xce\x3d\x04\x03\x02", &digest::SHA256),     // ecdsa-with-SHA256
    (b"\x2a\x86\x48\xce\x3d\x04\x03\x03", &digest::SHA384),     // ecdsa-with-SHA384
    (b"\x2a\x86\x48\xce\x3d\x04\x03\x04", &digest::SHA512),     // ecdsa-with-SHA512
];

/// The hash of a DER certificate for `tls-server-end-point`.
pub fn endpoint_hash(certificate: &[u8]) -> Option<Vec<u8>> {
    // Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm SEQUENCE { algorithm OID, … }, signature }
    let (certificate_body, _) = value(certificate, SEQUENCE)?;
    let (_, after_tbs) = value(certificate_body, SEQUENCE)?;
    let (algorithm, _) = value(after_tbs, SEQUENCE)?;
    let (oid, _) = value(algorithm, OBJECT_IDENTIFIER)?;
    let hash = ALGORITHMS.iter().find(|(id, _)| *id == oid)?.1;
    Some(digest::digest(hash, certificate).as_ref().to_vec())
}

/// Splits a DER value of a tag from the front: its contents, and what follows it.
fn value(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    if found != tag {
        return None;
    }
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        if octets.len() > 4 {
            return None;
        }
        (octets.iter().fold(0, |length, octet| length << 8 | usize::from(*octet)), rest)
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_signed_with_sha256_is_hashed_by_it() {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let der = made.cert.der();
        assert_eq!(endpoint_hash(der).unwrap(), digest::digest(&digest::SHA256, der).as_ref());
    }

    #[test]
    fn other_bytes_give_nothing() {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        for cut in 0..made.cert.der().len() {
            assert_eq!(endpoint_hash(&made.cert.der()[..cut]), None);
        }
        assert_eq!(endpoint_hash(&[0x30, 0x85, 1, 1, 1, 1, 1]), None);
        assert_eq!(endpoint_hash(b""), None);
    }
}
