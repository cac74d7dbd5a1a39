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
        Ok(Loaded { config, rules, warnings, .. }) => {
            node.learning.load(&rules.policy);
            node.alerts.load(&rules.policy);
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
        ("state", running.state != new.state),
        ("server", running.options != new.options),
    ];
    tables.into_iter().filter(|(_, differs)| *differs).map(|(table, _)| table).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::audit::Audit;
    use crate::config::load;
    use crate::session::node::{Listeners, Timeouts};

    const CONFIG: &str = "listen = { postgres = '127.0.0.1:6432' }\naudit = { dir = 'audit' }\nrules = 'rules'\n\
                          [[source]]\nname = 'shop'\nengine = 'postgres'\nhost = '127.0.0.1'\nuser = 'sekisho'\n";

    fn write(folder: &Path, file: &str, text: &str) {
        fs::write(folder.join(file), text).unwrap();
    }

    /// A folder of files, the node that runs by them and the configuration that it was started with.
    fn started() -> (tempfile::TempDir, Node, Config) {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("rules")).unwrap();
        write(folder.path(), "sekisho.toml", CONFIG);
        write(folder.path(), "users.toml", "");
        write(folder.path(), "rules/10.toml", "[role.viewer]\n");
        let loaded = load(&folder.path().join("sekisho.toml")).unwrap();
        let node = Node::new(loaded.rules, [], Audit::default(), Listeners::default(), Timeouts::default());
        (folder, node, loaded.config)
    }

    fn roles(node: &Node) -> Vec<String> {
        node.rules.load().policy.roles().map(|role| role.name.to_string()).collect()
    }

    #[test]
    fn new_rules_are_in_force_together_and_count_up() {
        let (folder, node, config) = started();
        assert_eq!(node.rules.load().policy.version(), 1);
        write(folder.path(), "rules/20.toml", "[role.creator]\nextends = 'viewer'\n");
        let reloaded = reload(&node, &config).unwrap();
        assert_eq!((reloaded.version, node.rules.load().policy.version()), (2, 2));
        assert_eq!(roles(&node), ["creator", "viewer"]);
        assert!(reloaded.needs_restart.is_empty(), "{:?}", reloaded.needs_restart);
        assert_eq!((node.metrics.reloads.get(), node.metrics.reload_failures.get()), (1, 0));
    }

    #[test]
    fn one_mistake_keeps_everything_as_it_was() {
        let (folder, node, config) = started();
        write(folder.path(), "rules/10.toml", "[role.creator]\n");
        write(folder.path(), "users.toml", "[user.taro]\nroles = 'creator'\n");
        let mistakes = reload(&node, &config).unwrap_err();
        assert!(mistakes.brief().contains("`[user.taro]` has no `password`"), "{mistakes}");
        assert_eq!(roles(&node), ["viewer"]);
        assert_eq!(node.rules.load().policy.version(), 1);
        assert_eq!((node.metrics.reloads.get(), node.metrics.reload_failures.get()), (0, 1));

        write(folder.path(), "users.toml", "");
        assert_eq!(reload(&node, &config).unwrap().version, 2);
        assert_eq!(roles(&node), ["creator"]);
    }

    #[test]
    fn what_needs_a_restart_is_named() {
        let (folder, node, config) = started();
        let changed = CONFIG.replace("6432", "6433").replace("user = 'sekisho'", "user = 'proxy'");
        write(folder.path(), "sekisho.toml", &format!("{changed}[server]\nworkers = 3\n"));
        assert_eq!(reload(&node, &config).unwrap().needs_restart, ["listen", "source", "server"]);
    }
}
