//! The command line: one file a command.

mod audit;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A checkpoint for databases: per-role rules, masks and audit for PostgreSQL, MySQL and MariaDB
#[derive(Debug, Parser)]
#[command(name = "sekisho", version, propagate_version = true, disable_help_subcommand = true)]
struct Sekisho {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Audit(audit::Audit),
}

/// Runs the command that the process was started with. Exit status 2 means that it could not do its job.
pub fn run() -> ExitCode {
    let result = match Sekisho::parse().command {
        Command::Audit(audit) => audit.run(),
    };
    result.unwrap_or_else(|error| {
        eprintln!("sekisho: {error:#}");
        ExitCode::from(2)
    })
}
