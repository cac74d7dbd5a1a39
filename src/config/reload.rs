//! Reading all files again, and putting rules and users in force.

use std::sync::Arc;

use super::load::{Loaded, Secrets, load_with};
use super::settings::Config;
use crate::policy::Diagnostics;
use crate::session::Node;

/// What came of a reload.
#[derive(Debug)]
pub struct Reloaded {
    /// The version of the rules now in force.
    pub version: u64,
    /// What is probably not meant.
    pub warnings: Diagnostics,
    /// Tables of `sekisho.toml` that changed and are in force only after a restart.
    pub needs_restart: Vec<&'static str>,
}

/// Reads all files again. Without a mistake, rules and users are put in force together, and every session decides its
/// next statement by them; with one, the old ones stay in force. Either way the audit log, the metrics and the
/// program's log say so. `running` is the configuration that the process was started with.
pub fn reload(node: &Node, running: &Config) -> Result<Reloaded, Diagnostics> {
    let version = node.rules.load().policy.version() + 1;
    match load_with(&running.files.config, Secrets::Read, version) {
        Ok(Loaded { config, rules, warnings }) => {
            node.rules.store(Arc::new(rules));
            node.metrics.reloads.add_one();
            node.audit.reloaded(version, None);
            let needs_restart = needs_restart(running, &config);
            tracing::info!(version, warnings = warnings.warnings(), "rules and users reloaded");
            if !needs_restart.is_empty() {
                tracing::warn!("these settings changed and are in force after a restart: {}", needs_restart.join(", "));
            }
            Ok(Reloaded { version, warnings, needs_restart })
        }
        Err(mistakes) => {
            node.metrics.reload_failures.add_one();
            node.audit.reloaded(version, Some(&mistakes.brief()));
            tracing::error!("rules and users NOT reloaded, the old ones stay in force\n{mistakes}");
            Err(mistakes)
        }
    }
}

/// The tables of `sekisho.toml` that differ.
fn needs_restart(running: &Config, new: &Config) -> Vec<&'static str> {
    let tables = [
        ("rules", running.files.rules != new.files.rules),
        ("users", running.files.users != new.files.users),
        ("listen", running.listen != new.listen),
        ("tls", running.tls != new.tls),
        ("source", running.sources != new.sources),
        ("masking", running.masking != new.masking),
        ("audit", running.audit != new.audit),
        ("server", running.options != new.options),
    ];
    tables.into_iter().filter(|(_, differs)| *differs).map(|(table, _)| table).collect()
}
