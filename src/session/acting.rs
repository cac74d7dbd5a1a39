//! The role in which a session acts, and the virtual database that it sees at this moment.

use std::sync::Arc;

use super::node::{Node, Rules};
use super::source::Source;
use crate::auth::User;
use crate::pipeline::VirtualDatabase;
use crate::pipeline::virtual_database::Person;
use crate::policy::Role;

/// The rules in force no longer let the user act so; the session ends.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("user `{user}` may no longer act as role `{role}`")]
pub struct Revoked {
    /// The user.
    pub user: Arc<str>,
    /// The role.
    pub role: Arc<str>,
}

/// A user in a role on a source.
#[derive(Debug)]
pub struct Acting {
    user: Arc<str>,
    source: Arc<Source>,
    rules: Arc<Rules>,
    database: Arc<VirtualDatabase>,
}

impl Acting {
    /// Begins to act as a role of the user.
    pub fn new(node: &Node, source: Arc<Source>, user: &str, role: &str) -> Result<Self, Revoked> {
        let rules = node.rules.load_full();
        let database = see(&rules, &source, user, role)?;
        Ok(Self { user: Arc::from(user), source, rules, database })
    }

    /// The role.
    pub fn role(&self) -> &Arc<Role> {
        self.database.role()
    }

    /// The source.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// What the role sees by the rules and the catalog in force now. Two atomic loads unless either changed.
    pub fn database(&mut self, node: &Node) -> Result<&Arc<VirtualDatabase>, Revoked> {
        let rules = node.rules.load();
        if !Arc::ptr_eq(&self.rules, &rules) {
            self.rules = Arc::clone(&rules);
            self.renew()?;
        } else if !self.source.catalog.is_current(self.database.snapshot()) {
            self.renew()?;
        }
        Ok(&self.database)
    }

    /// What the role saw when it was last asked for.
    pub fn last_database(&self) -> &Arc<VirtualDatabase> {
        &self.database
    }

    /// Acts as another role from now on.
    pub fn change_role(&mut self, node: &Node, role: &str) -> Result<(), Revoked> {
        self.rules = node.rules.load_full();
        self.database = see(&self.rules, &self.source, &self.user, role)?;
        Ok(())
    }

    fn renew(&mut self) -> Result<(), Revoked> {
        let role = Arc::clone(&self.database.role().name);
        self.database = see(&self.rules, &self.source, &self.user, &role)?;
        Ok(())
    }
}

fn see(rules: &Rules, source: &Source, user: &str, role: &str) -> Result<Arc<VirtualDatabase>, Revoked> {
    let revoked = || Revoked { user: Arc::from(user), role: Arc::from(role) };
    let user = rules.users.get(user).ok_or_else(revoked)?;
    if !user.roles.iter().any(|name| &**name == role) {
        return Err(revoked());
    }
    let role = rules.policy.role(role).ok_or_else(revoked)?;
    Ok(source.virtual_database(&rules.policy, role, || person(user)))
}

fn person(user: &User) -> Person {
    Person { user: Arc::clone(&user.name), attributes: user.attributes.clone(), roles: user.roles.clone() }
}
