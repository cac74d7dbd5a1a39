//! Who the client is, by the plugin that both sides know.
//!
//! Unknown users get the same course of exchange and the same answer as wrong passwords.

use std::sync::Arc;

use super::accept::{Hello, nonce};
use super::client::{Client, ClientError};
use super::wire::reader::Put;
use super::wire::{Capabilities, Malformed, ok};
use crate::auth::caching_sha2_password::{self as caching, FAST_AUTH_SUCCESS, PERFORM_FULL_AUTH, REQUEST_PUBLIC_KEY};
use crate::auth::{User, native_password, scram};
use crate::session::Node;

/// The password as it is.
const CLEAR_PASSWORD: &str = "mysql_clear_password";
/// Marks data of the plugin.
const MORE_DATA: u8 = 0x01;
/// The longest answer: an RSA block or a long password.
const MAX_ANSWER: usize = 4096;

/// How an exchange ended.
#[derive(Debug)]
pub enum Login {
    /// The password was right.
    Proved(Arc<User>),
    /// It was not, or there is no such user.
    Refused,
    /// The client offers no way that can be checked, in words for it.
    Impossible(&'static str),
}

/// One exchange: where it stands and what it is about.
struct Exchange<'a> {
    client: &'a mut Client,
    node: &'a Node,
    user: Option<Arc<User>>,
    name: &'a str,
    sequence: &'a mut u8,
}

/// Asks a client that has sent its login packet to prove that it is `name`.
pub async fn authenticate(
    client: &mut Client,
    node: &Node,
    name: &str,
    hello: &mut Hello,
) -> Result<Login, ClientError> {
    let user = node.rules.load().users.get(name).cloned();
    let (plugin, answer) = (hello.plugin.as_str(), hello.answer.as_slice());
    let mut exchange = Exchange { client, node, user, name, sequence: &mut hello.sequence };
    let has_plugins = exchange.client.capabilities.has(Capabilities::PLUGIN_AUTH);
    match plugin {
        caching::NAME => exchange.caching(answer).await,
        CLEAR_PASSWORD if !answer.is_empty() => exchange.clear(answer).await,
        CLEAR_PASSWORD => {
            if !exchange.client.stream.is_tls() {
                return Ok(Login::Impossible(CLEAR_NEEDS_TLS));
            }
            let answer = exchange.switch(CLEAR_PASSWORD).await?;
            exchange.clear(&answer).await
        }
        // Clients that know no plugins answer by this one.
        native_password::NAME if exchange.has_native() => Ok(exchange.native(answer)),
        "" if !has_plugins => Ok(exchange.native(answer)),
        _ if !has_plugins => Ok(Login::Impossible("the client knows no authentication plugins")),
        _ => {
            let answer = exchange.switch(caching::NAME).await?;
            exchange.caching(&answer).await
        }
    }
}

/// Asks a client that changes its user.
pub async fn authenticate_again(
    client: &mut Client,
    node: &Node,
    name: &str,
    plugin: &str,
    sequence: &mut u8,
) -> Result<Login, ClientError> {
    if !client.capabilities.has(Capabilities::PLUGIN_AUTH) {
        return Ok(Login::Impossible("the client knows no authentication plugins"));
    }
    let user = node.rules.load().users.get(name).cloned();
    let mut exchange = Exchange { client, node, user, name, sequence };
    if plugin == native_password::NAME && exchange.has_native() {
        // MariaDB's C client answers by the last scramble that it was sent before, not by the one sent now: they are
        // the same.
        let answer = exchange.ask(native_password::NAME).await?;
        return Ok(exchange.native(&answer));
    }
    let answer = exchange.switch(caching::NAME).await?;
    exchange.caching(&answer).await
}

const CAME_IN_CLEAR: &str = "the client sent the password in clear text, which needs TLS; connect with it";
/// No key of RSA is so small that what it seals is shorter.
const SHORTEST_SEALED: usize = 128;
const CLEAR_NEEDS_TLS: &str = "`mysql_clear_password` needs TLS; connect with it";

impl Exchange<'_> {
    fn has_native(&self) -> bool {
        self.user.as_ref().is_some_and(|user| user.native_password.is_some())
    }

    async fn send(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), ClientError> {
        self.client.send_packet(*self.sequence, write).await?;
        *self.sequence = self.sequence.wrapping_add(1);
        Ok(())
    }

    async fn receive(&mut self) -> Result<Vec<u8>, ClientError> {
        let (answer, sequence) = self.client.receive(MAX_ANSWER).await?;
        if sequence != *self.sequence {
            return Err(Malformed("packet out of order").into());
        }
        *self.sequence = sequence.wrapping_add(1);
        Ok(answer)
    }

    /// Asks for another plugin's answer to a fresh scramble.
    async fn switch(&mut self, plugin: &str) -> Result<Vec<u8>, ClientError> {
        self.client.nonce = nonce().ok_or(Malformed("no random bytes"))?;
        self.ask(plugin).await
    }

    /// Asks for a plugin's answer to the scramble sent last.
    async fn ask(&mut self, plugin: &str) -> Result<Vec<u8>, ClientError> {
        let nonce = self.client.nonce;
        self.send(|out| {
            out.push(ok::EOF);
            out.put_nul_bytes(plugin.as_bytes());
            out.put_nul_bytes(&nonce);
        })
        .await?;
        self.receive().await
    }

    /// `caching_sha2_password`: the answer suffices when the password was seen before; else the password itself.
    async fn caching(&mut self, answer: &[u8]) -> Result<Login, ClientError> {
        // Some drivers end the answer with NUL.
        let answer = if answer.len() == 33 { answer.strip_suffix(&[0]).unwrap_or(answer) } else { answer };
        if answer.is_empty() || answer == [0] {
            // An empty password, which no verifier is made from.
            return Ok(Login::Refused);
        }
        if let Some(user) = &self.user
            && self.node.passwords.fast.prove(&user.name, &user.verifier, answer, &self.client.nonce)
        {
            let user = Arc::clone(user);
            self.send(|out| out.extend_from_slice(&[MORE_DATA, FAST_AUTH_SUCCESS])).await?;
            return Ok(Login::Proved(user));
        }
        self.send(|out| out.extend_from_slice(&[MORE_DATA, PERFORM_FULL_AUTH])).await?;
        let password = self.receive().await?;
        if self.client.stream.is_tls() {
            return self.clear(&password).await;
        }
        if password.len() < SHORTEST_SEALED && password.len() > 1 {
            // MariaDB's client does so: the connection is to this machine, or what it takes for it.
            return Ok(Login::Impossible(CAME_IN_CLEAR));
        }
        let Some(password) = self.under_rsa(password).await? else { return Ok(Login::Refused) };
        self.check(password).await
    }

    /// The password that a client without TLS sends under the proxy's key, which it may ask for first.
    async fn under_rsa(&mut self, mut sealed: Vec<u8>) -> Result<Option<Vec<u8>>, ClientError> {
        let passwords = Arc::clone(&self.node.passwords);
        let made = tokio::task::spawn_blocking(move || passwords.key().is_some()).await;
        let Some(key) = self.node.passwords.key().filter(|_| made.is_ok()) else { return Ok(None) };
        if sealed == [REQUEST_PUBLIC_KEY] {
            let pem = key.public_pem();
            self.send(|out| {
                out.push(MORE_DATA);
                out.extend_from_slice(pem.as_bytes());
            })
            .await?;
            sealed = self.receive().await?;
        }
        Ok(key.open(&sealed, &self.client.nonce))
    }

    /// A password in clear text, with its NUL.
    async fn clear(&mut self, password: &[u8]) -> Result<Login, ClientError> {
        if !self.client.stream.is_tls() {
            return Ok(Login::Impossible(CLEAR_NEEDS_TLS));
        }
        self.check(password.strip_suffix(&[0]).unwrap_or(password).to_vec()).await
    }

    /// Checks a password against the user's verifier, or against one that nobody has.
    async fn check(&mut self, password: Vec<u8>) -> Result<Login, ClientError> {
        let verifier = match &self.user {
            Some(user) => user.verifier.clone(),
            None => scram::mock_verifier(&self.node.rules.load().users, self.name.as_bytes()),
        };
        // Thousands of hashes: other sessions of the thread go on meanwhile.
        let checked = tokio::task::spawn_blocking(move || (caching::matches(&verifier, &password), verifier, password));
        let Ok((matches, verifier, password)) = checked.await else { return Ok(Login::Refused) };
        match &self.user {
            Some(user) if matches => {
                self.node.passwords.fast.remember(&user.name, &verifier, &password);
                Ok(Login::Proved(Arc::clone(user)))
            }
            Some(_) | None => Ok(Login::Refused),
        }
    }

    /// `mysql_native_password`, for users who have a verifier for it.
    fn native(&self, answer: &[u8]) -> Login {
        let Some(user) = &self.user else { return Login::Refused };
        match &user.native_password {
            Some(stage2) if native_password::proves(answer, &self.client.nonce, stage2) => {
                Login::Proved(Arc::clone(user))
            }
            Some(_) | None => Login::Refused,
        }
    }
}
