//! Why a session ended, and what its client is told.

use std::borrow::Cow;
use std::io;

use super::wire::WireError;
use crate::audit::Ending;

/// The end of a session.
#[derive(Debug)]
pub enum Fault {
    /// The client said goodbye.
    Terminated,
    /// The client went away without a word.
    ClientGone,
    /// The server went away, and why.
    ServerGone(Cow<'static, str>),
    /// The client sent what no client may.
    Violation(Cow<'static, str>),
    /// The proxy ends it.
    Closed {
        /// For the audit record.
        reason: &'static str,
        /// SQLSTATE.
        sqlstate: &'static str,
        /// For the client.
        message: Cow<'static, str>,
    },
}

impl Fault {
    /// The proxy ends the session.
    pub fn closed(reason: &'static str, sqlstate: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::Closed { reason, sqlstate, message: message.into() }
    }

    /// The client's stream failed.
    pub fn client(_: io::Error) -> Self {
        Self::ClientGone
    }

    /// The server's stream failed.
    pub fn server(error: &io::Error) -> Self {
        Self::ServerGone(error.to_string().into())
    }

    /// The server sent what no server may.
    pub fn server_message(error: WireError) -> Self {
        Self::ServerGone(format!("it sent what is no message: {error}").into())
    }

    /// For the audit record.
    pub fn ending(&self) -> Ending {
        match self {
            Self::Terminated => Ending::Terminated,
            Self::ClientGone => Ending::ClientGone,
            Self::ServerGone(_) => Ending::ServerGone,
            Self::Violation(_) => Ending::ProtocolViolation,
            Self::Closed { reason, .. } => Ending::Closed(reason),
        }
    }

    /// SQLSTATE and message for a client that is still there.
    pub fn farewell(&self) -> Option<(&'static str, Cow<'_, str>)> {
        match self {
            Self::Terminated | Self::ClientGone => None,
            Self::ServerGone(why) => {
                Some(("57P01", format!("terminating connection because the database server went away: {why}").into()))
            }
            Self::Violation(what) => Some(("08P01", what.as_ref().into())),
            Self::Closed { sqlstate, message, .. } => Some((sqlstate, message.as_ref().into())),
        }
    }
}

impl From<WireError> for Fault {
    fn from(error: WireError) -> Self {
        Self::Violation(match error {
            WireError::UnknownType(tag) => format!("invalid frontend message type {tag}").into(),
            other => other.to_string().into(),
        })
    }
}
