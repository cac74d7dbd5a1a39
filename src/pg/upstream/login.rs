//! Proving to a server who we are: SCRAM-SHA-256 with or without channel binding, MD5, clear text.

use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{ChannelBinding, ScramSha256};

use super::{CancelKey, StartupParameters, Upstream, UpstreamError};
use crate::net::Stream;
use crate::pg::wire::backend::{self, Authentication};
use crate::pg::wire::{frontend, startup};
use crate::session::SourceSpec;

const SCRAM: &str = "SCRAM-SHA-256";
const SCRAM_PLUS: &str = "SCRAM-SHA-256-PLUS";

/// Sends the startup packet on an open connection and goes through the login to the first ReadyForQuery.
pub(super) async fn log_in(
    stream: Stream,
    spec: &SourceSpec,
    parameters: &StartupParameters,
) -> Result<Upstream, UpstreamError> {
    let mut upstream = Upstream::new(stream);
    let mut out = Vec::new();
    let own = [(&b"user"[..], spec.user.as_bytes()), (b"database", spec.dbname.as_bytes())];
    let others = parameters.iter().map(|(name, value)| (name.as_bytes(), &**value));
    startup::write_startup(&mut out, own.into_iter().chain(others));
    upstream.send(&out).await?;
    authenticate(&mut upstream, spec).await?;
    let mut body = Vec::new();
    loop {
        match upstream.receive(&mut body).await? {
            backend::BACKEND_KEY_DATA => {
                let (process, secret) = backend::read_key(&body)?;
                upstream.key = Some(CancelKey { process, secret: secret.to_vec() });
            }
            backend::NEGOTIATE_PROTOCOL_VERSION => {}
            backend::READY_FOR_QUERY => {
                upstream.status = body.first().copied().unwrap_or(b'I');
                return Ok(upstream);
            }
            other => return Err(UpstreamError::Unexpected(char::from(other))),
        }
    }
}

async fn authenticate(upstream: &mut Upstream, spec: &SourceSpec) -> Result<(), UpstreamError> {
    let mut body = Vec::new();
    let mut out = Vec::new();
    loop {
        next_request(upstream, &mut body).await?;
        match Authentication::read(&body)? {
            Authentication::Ok => return Ok(()),
            Authentication::Cleartext => frontend::write_password(&mut out, password(spec)?.as_bytes()),
            Authentication::Md5(salt) => {
                let hash = md5_hash(spec.user.as_bytes(), password(spec)?.as_bytes(), salt);
                frontend::write_password(&mut out, hash.as_bytes());
            }
            Authentication::Sasl(mechanisms) => {
                let mechanisms = mechanisms.to_vec();
                scram(upstream, &mechanisms, password(spec)?).await?;
                continue;
            }
            Authentication::SaslContinue(_) | Authentication::SaslFinal(_) => {
                return Err(UpstreamError::Unexpected(char::from(backend::AUTHENTICATION)));
            }
            Authentication::Other(code) => {
                return Err(UpstreamError::Login(format!("the server asks for authentication method {code}")));
            }
        }
        upstream.send(&out).await?;
        out.clear();
    }
}

/// Reads the next authentication request; versions may be negotiated in between.
async fn next_request(upstream: &mut Upstream, body: &mut Vec<u8>) -> Result<(), UpstreamError> {
    loop {
        match upstream.receive(body).await? {
            backend::AUTHENTICATION => return Ok(()),
            backend::NEGOTIATE_PROTOCOL_VERSION => {}
            other => return Err(UpstreamError::Unexpected(char::from(other))),
        }
    }
}

fn password(spec: &SourceSpec) -> Result<&str, UpstreamError> {
    let missing =
        || UpstreamError::Login(format!("the server asks for a password; set `password` of source `{}`", spec.name));
    Ok(spec.password.as_ref().ok_or_else(missing)?.expose())
}

async fn scram(upstream: &mut Upstream, mechanisms: &[u8], password: &str) -> Result<(), UpstreamError> {
    let offered = |name: &str| mechanisms.split(|b| *b == 0).any(|m| m == name.as_bytes());
    let endpoint = upstream.stream.server_endpoint();
    let (mechanism, binding) = match endpoint {
        Some(endpoint) if offered(SCRAM_PLUS) => (SCRAM_PLUS, ChannelBinding::tls_server_end_point(endpoint)),
        // Saying that we could have bound makes a server notice when someone removed the offer on the way.
        Some(_) => (SCRAM, ChannelBinding::unrequested()),
        None => (SCRAM, ChannelBinding::unsupported()),
    };
    if !offered(mechanism) {
        return Err(UpstreamError::Login("the server offers no SASL mechanism that is known".to_owned()));
    }
    let mut exchange = ScramSha256::new(password.as_bytes(), binding);
    let mut out = Vec::new();
    frontend::write_sasl_initial(&mut out, mechanism, exchange.message());
    upstream.send(&out).await?;

    let mut body = Vec::new();
    next_request(upstream, &mut body).await?;
    let Authentication::SaslContinue(challenge) = Authentication::read(&body)? else {
        return Err(UpstreamError::Unexpected(char::from(backend::AUTHENTICATION)));
    };
    exchange.update(challenge)?;
    out.clear();
    frontend::write_sasl_response(&mut out, exchange.message());
    upstream.send(&out).await?;

    next_request(upstream, &mut body).await?;
    let Authentication::SaslFinal(proof) = Authentication::read(&body)? else {
        return Err(UpstreamError::Unexpected(char::from(backend::AUTHENTICATION)));
    };
    exchange.finish(proof)?;
    Ok(())
}
