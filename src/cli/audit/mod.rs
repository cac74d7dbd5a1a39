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
        let dir = global.setting("audit", "dir")?;
        let dir =
            dir.with_context(|| format!("`{}` names no audit.dir; name the log's folder", global.config.display()))?;
        Ok(global.config.parent().unwrap_or(Path::new("")).join(dir))
    }
}
