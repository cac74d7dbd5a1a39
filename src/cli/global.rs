//! What every command is told.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, ValueEnum};

/// Options that stand before or after the command's name.
#[derive(Debug, Args)]
pub(super) struct Global {
    /// The configuration
    #[arg(long, short, global = true, value_name = "FILE", default_value = "config/sekisho.toml")]
    pub(super) config: PathBuf,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: When,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum When {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    Always,
    Never,
}

impl Global {
    /// One text of the configuration, for commands that must work though it has mistakes elsewhere.
    pub(super) fn setting(&self, table: &str, key: &str) -> anyhow::Result<Option<String>> {
        let config = self.config.display();
        let text = std::fs::read_to_string(&self.config)
            .with_context(|| format!("cannot read `{config}`; name the configuration by --config"))?;
        let root: toml::Table = text.parse().with_context(|| format!("cannot read `{config}`"))?;
        let value = root.get(table).and_then(|table| table.get(key)).and_then(toml::Value::as_str);
        Ok(value.map(str::to_owned))
    }

    /// Whether to write colours to an output that is a terminal or is not.
    pub(super) fn colored(&self, is_terminal: bool) -> bool {
        match self.color {
            When::Auto => is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
            When::Always => true,
            When::Never => false,
        }
    }
}
