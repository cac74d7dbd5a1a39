//! A throw-away certificate authority with a server's and a client's certificate.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair};

use super::process::give;

/// Files in PEM.
pub struct Certificates {
    /// The authority's certificate.
    pub ca: PathBuf,
    /// The server's certificate, for `localhost` and the loopback addresses.
    pub server: PathBuf,
    /// The server's key.
    pub server_key: PathBuf,
    /// The certificate of the client `certuser`.
    pub client: PathBuf,
    /// The client's key.
    pub client_key: PathBuf,
}

/// Makes them in a folder; keys are readable by the server's account alone.
pub fn make(folder: &Path) -> Certificates {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Sekisho tests' authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let write = |name: &str, text: String, mode: u32| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    };
    let issue = |name: &str, names: &[&str], usage: ExtendedKeyUsagePurpose| {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &ca).unwrap();
        (certificate.pem(), key.serialize_pem())
    };
    let (server, server_key) =
        issue("localhost", &["localhost", "127.0.0.1", "::1"], ExtendedKeyUsagePurpose::ServerAuth);
    let (client, client_key) = issue("certuser", &[], ExtendedKeyUsagePurpose::ClientAuth);
    let made = Certificates {
        ca: write("ca.crt", ca.pem(), 0o644),
        server: write("server.crt", server, 0o644),
        server_key: write("server.key", server_key, 0o600),
        client: write("client.crt", client, 0o644),
        client_key: write("client.key", client_key, 0o600),
    };
    give(&made.server_key);
    made
}
