//! TLS as configured: towards clients, and towards servers by mode.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme};

use super::certificate::endpoint_hash;

/// How a connection to a server is protected; the words of libpq's `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TlsMode {
    /// Clear text.
    Disable,
    /// TLS where the server offers it.
    #[default]
    Prefer,
    /// TLS, whoever the server is.
    Require,
    /// TLS with a certificate of the CA.
    VerifyCa,
    /// TLS with a certificate of the CA for the host's name.
    VerifyFull,
}

/// Why TLS cannot be set up as configured.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read as PEM.
    #[error("cannot read `{path}`: {reason}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file holds no certificate.
    #[error("no certificate in `{}`", .0.display())]
    Empty(PathBuf),
    /// Certificate, key or CA do not work together.
    #[error("certificate and key cannot be used: {0}")]
    Rejected(String),
}

/// TLS towards clients.
#[derive(Debug, Clone)]
pub struct ServerTls {
    /// What rustls needs.
    pub config: Arc<ServerConfig>,
    /// The hash of our certificate for `tls-server-end-point`, where its signature names one.
    pub endpoint: Option<Arc<[u8]>>,
}

impl ServerTls {
    /// Reads certificate chain, key and, for mutual TLS, the CA of client certificates. `alpn` lists the protocol
    /// names of RFC 7301 that are answered.
    pub fn load(cert: &Path, key: &Path, client_ca: Option<&Path>, alpn: &[&[u8]]) -> Result<Self, TlsError> {
        let chain = certificates(cert)?;
        let key = PrivateKeyDer::from_pem_file(key).map_err(|reason| file_error(key, &reason))?;
        let endpoint = chain.first().and_then(|c| endpoint_hash(c)).map(Arc::from);
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|e| TlsError::Rejected(e.to_string()))?;
        let builder = match client_ca {
            None => builder.with_no_client_auth(),
            Some(ca) => {
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots(ca)?), provider())
                    .build()
                    .map_err(|e| TlsError::Rejected(e.to_string()))?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let mut config = builder.with_single_cert(chain, key).map_err(|e| TlsError::Rejected(e.to_string()))?;
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        Ok(Self { config: Arc::new(config), endpoint })
    }
}

/// TLS towards one server.
#[derive(Debug, Clone)]
pub struct ClientTls {
    /// When TLS is used.
    pub mode: TlsMode,
    config: Option<Arc<ClientConfig>>,
    name: Option<ServerName<'static>>,
}

impl ClientTls {
    /// Prepares TLS for a server. `host` is what the certificate must name with [`TlsMode::VerifyFull`]; `ca` is a
    /// file of certificates, or the system's own when absent.
    pub fn new(mode: TlsMode, host: &str, ca: Option<&Path>) -> Result<Self, TlsError> {
        if mode == TlsMode::Disable {
            return Ok(Self { mode, config: None, name: None });
        }
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|e| TlsError::Rejected(e.to_string()))?;
        let checks: Arc<dyn ServerCertVerifier> = match mode {
            TlsMode::Disable | TlsMode::Prefer | TlsMode::Require => Arc::new(AnyServer(provider())),
            TlsMode::VerifyCa => Arc::new(AnyName(web_pki(ca)?)),
            TlsMode::VerifyFull => web_pki(ca)?,
        };
        let config = builder.dangerous().with_custom_certificate_verifier(checks).with_no_client_auth();
        let name = match ServerName::try_from(host.to_owned()) {
            Ok(name) => name,
            Err(_) if mode == TlsMode::VerifyFull => {
                return Err(TlsError::Rejected(format!("`{host}` is no name that a certificate can bear")));
            }
            // The name is only sent along, and no check depends on it.
            Err(_) => ServerName::try_from("localhost").map_err(|e| TlsError::Rejected(e.to_string()))?,
        };
        Ok(Self { mode, config: Some(Arc::new(config)), name: Some(name) })
    }

    /// What a handshake needs; nothing with [`TlsMode::Disable`].
    pub fn handshake(&self) -> Option<(Arc<ClientConfig>, ServerName<'static>)> {
        Some((Arc::clone(self.config.as_ref()?), self.name.clone()?))
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn file_error(path: &Path, reason: &impl ToString) -> TlsError {
    TlsError::File { path: path.to_owned(), reason: reason.to_string() }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let chain = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|reason| file_error(path, &reason))?;
    if chain.is_empty() { Err(TlsError::Empty(path.to_owned())) } else { Ok(chain) }
}

fn roots(ca: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(ca)? {
        roots.add(certificate).map_err(|reason| file_error(ca, &reason))?;
    }
    Ok(roots)
}

fn web_pki(ca: Option<&Path>) -> Result<Arc<WebPkiServerVerifier>, TlsError> {
    let roots = if let Some(ca) = ca {
        roots(ca)?
    } else {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        roots
    };
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
        .build()
        .map_err(|e| TlsError::Rejected(e.to_string()))
}

/// `verify-ca`: the chain is checked, the name is not.
#[derive(Debug)]
struct AnyName(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        // The verifier looks at the name last, after the chain was found good.
        match self.0.verify_server_cert(end_entity, intermediates, name, ocsp, now) {
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// `prefer` and `require`: protected against listeners, not against impostors, as in libpq.
#[derive(Debug)]
struct AnyServer(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
