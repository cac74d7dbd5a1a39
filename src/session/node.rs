//! What all sessions of this process share.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::source::Source;
use crate::audit::Audit;
use crate::auth::Users;
use crate::policy::PolicySet;

/// Rules and users as read from files at one moment, put in force together.
#[derive(Debug, Default)]
pub struct Rules {
    /// Who may see what.
    pub policy: Arc<PolicySet>,
    /// Who may log in.
    pub users: Arc<Users>,
}

/// One running proxy.
#[derive(Debug)]
pub struct Node {
    /// Rules and users in force; swapped whole on reload.
    pub rules: ArcSwap<Rules>,
    /// The backends by name.
    pub sources: BTreeMap<Arc<str>, Arc<Source>>,
    /// The audit log.
    pub audit: Audit,
}
