//! The session's own connection to the server: opened by the first message that needs it.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use tokio::time::timeout;

use super::channel::{Input, wake_task};
use super::cursors::Cursors;
use super::{Connected, Session};
use crate::pg::fault::Fault;
use crate::pg::upstream::{self, UpstreamError};
use crate::pg::wire::backend;
use crate::session::{Node, ServerSession, Source};

/// Connects to a source within the number of connections that it allows.
pub async fn connect(
    node: &Node,
    source: &Source,
    parameters: &upstream::StartupParameters,
) -> Result<Connected, UpstreamError> {
    let slot = timeout(node.timeouts.connection_wait, Arc::clone(&source.connections).acquire_owned()).await;
    let Ok(Ok(slot)) = slot else {
        return Err(UpstreamError::Login(format!(
            "all {} connections that `max_connections` of source `{}` allows are in use",
            source.spec.max_connections, source.spec.name
        )));
    };
    match upstream::connect(&source.spec, &source.tls, parameters).await {
        Ok(upstream) => Ok((upstream, slot)),
        Err(error) => {
            node.metrics.server_connect_errors.add_one();
            Err(error)
        }
    }
}

impl Session {
    /// Sees to it that the connection to the server is open.
    pub(super) async fn ensure_open(&self) -> Result<(), Fault> {
        if self.server.is_open() {
            return Ok(());
        }
        Box::pin(self.open()).await
    }

    async fn open(&self) -> Result<(), Fault> {
        let parameters = self.state.borrow().for_server.parameters.clone();
        let connected = connect(&self.node, &self.source, &parameters).await.map_err(|error| {
            let sqlstate = match &error {
                UpstreamError::Server { sqlstate, .. } if sqlstate == "53300" => "53300",
                UpstreamError::Login(_) => "53300",
                _ => "08006",
            };
            let message = format!("source \"{}\" cannot be reached: {error}", self.source.spec.name);
            Fault::closed("server not reached", sqlstate, message)
        })?;
        self.attach(connected.0, connected.1);
        let wrong = self.state.borrow().is_restricted() && !reads_as_expected(&self.state.borrow().reported);
        if wrong {
            return Err(unexpected_reading());
        }
        // The server side has been waiting without a stream.
        poll_fn(|cx| {
            wake_task(cx);
            Poll::Ready(())
        })
        .await;
        Ok(())
    }

    /// Takes a connection into use. The client is told of settings that are not what it was told at login.
    pub(super) fn attach(&self, upstream: upstream::Upstream, slot: tokio::sync::OwnedSemaphorePermit) {
        let input = Input::new(upstream.unread());
        let upstream::Upstream { stream, key, parameters, .. } = upstream;
        let mut state = self.state.borrow_mut();
        for (name, value) in &parameters {
            if state.reported.get(name) != Some(value) {
                backend::write_parameter(&mut state.prelude, name.as_bytes(), value.as_bytes());
            }
        }
        state.reported = parameters;
        drop(state);
        self.entry.set_server(key.map(|key| ServerSession { number: key.process, secret: key.secret }));
        *self.server_input.borrow_mut() = input;
        *self.slot.borrow_mut() = Some(slot);
        self.server.open(stream);
    }

    /// Changes to another role of the user. The connection to the server is given up: whatever the session left there
    /// must not be seen by the other role.
    pub(super) async fn change_role(&self, role: &str) -> Result<(), Fault> {
        self.detach().await;
        let mut state = self.state.borrow_mut();
        let revoked = |error: crate::session::Revoked| Fault::closed("role revoked", "57P01", error.to_string());
        state.acting.change_role(&self.node, role).map_err(revoked)?;
        let database = Arc::clone(state.acting.database(&self.node).map_err(revoked)?);
        state.for_server = self
            .parameters
            .for_server(&self.source, &database)
            .map_err(|error| Fault::closed("role change", "42501", error.to_string()))?;
        state.settings = crate::session::TransactionalSettings::new(state.for_server.settings.clone());
        state.statements.clear();
        state.portals.clear();
        state.cursors = Cursors::new(&database);
        drop(state);
        let mut subject = crate::audit::Subject::clone(&self.subject.borrow());
        subject.role = Arc::from(role);
        self.entry.set_subject(subject.clone());
        *self.subject.borrow_mut() = Rc::new(subject);
        Ok(())
    }
}

/// Whether the server reads text as the pipeline does.
pub(super) fn reads_as_expected(reported: &BTreeMap<String, String>) -> bool {
    let is = |name: &str, value: &str| reported.get(name).is_some_and(|v| v == value);
    is("standard_conforming_strings", "on") && is("client_encoding", "UTF8")
}

/// The server would read text differently: nothing may be sent to it.
pub(super) fn unexpected_reading() -> Fault {
    let message = "terminating connection because the server would read text differently from the proxy: \
                   standard_conforming_strings must be on and client_encoding UTF8";
    Fault::closed("settings", "57P01", message)
}
