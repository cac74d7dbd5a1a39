//! `sekisho audit`: reading and verifying the audit log.

mod filter;
mod show;
mod tail;
mod verify;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};

use super::global::Global;

/// Read or verify the audit log.
#[derive(Debug, Args)]
pub struct Audit {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Tail(tail::Tail),
    Verify(verify::Verify),
}

/// Where the log is.
#[derive(Debug, Args)]
struct Place {
    /// The folder of the log [default: `audit.dir` of the configuration]
    dir: Option<PathBuf>,
}

impl Audit {
    /// Runs the command.
    pub fn run(self, global: &Global) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Tail(tail) => tail.run(global),
            Command::Verify(verify) => verify.run(global),
        }
    }
}

impl Place {
    /// The folder. Only `audit.dir` is read of the configuration, so that mistakes elsewhere in it do not matter.
    fn dir(&self, global: &Global) -> anyhow::Result<PathBuf> {
        if let Some(dir) = &self.dir {
            return Ok(dir.clone());
        }
        let config = global.config.display();
        let text = std::fs::read_to_string(&global.config).with_context(|| {
            format!("cannot read `{config}`; name the log's folder, or the configuration by --config")
        })?;
        let table: toml::Table = text.parse().with_context(|| format!("cannot read `{config}`"))?;
        let dir = table.get("audit").and_then(|audit| audit.get("dir")).and_then(toml::Value::as_str);
        let dir = dir.with_context(|| format!("`{config}` names no audit.dir; name the log's folder"))?;
        Ok(global.config.parent().unwrap_or(Path::new("")).join(dir))
    }
}
