//! The command line: one file a command.
//!
//! In: arguments, the terminal. Out: text and an exit status: 0 done, 1 the answer is no (mistakes, a broken chain),
//! 2 the command could not do its job. To add a command, add its module, its variant and its arm here.

mod audit;
mod catalog;
mod check;
mod completions;
mod explain;
mod global;
mod health;
mod passwd;
mod serve;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use self::global::Global;

/// A checkpoint for databases: per-role rules, masks and audit for PostgreSQL, MySQL and MariaDB
#[derive(Debug, Parser)]
#[command(name = "sekisho", version, propagate_version = true, disable_help_subcommand = true)]
struct Sekisho {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Audit(audit::Audit),
    Catalog(catalog::Catalog),
    Check(check::Check),
    Completions(completions::Completions),
    Explain(explain::Explain),
    Health(health::Health),
    Passwd(passwd::Passwd),
    Serve(serve::Serve),
    Test(test::Test),
}

/// Runs the command that the process was started with.
pub fn run() -> ExitCode {
    let Sekisho { global, command } = Sekisho::parse();
    let result = match command {
        Command::Audit(audit) => audit.run(&global),
        Command::Catalog(catalog) => catalog.run(&global),
        Command::Check(check) => check.run(&global),
        Command::Completions(completions) => completions.run(),
        Command::Explain(explain) => explain.run(&global),
        Command::Health(health) => health.run(&global),
        Command::Passwd(passwd) => passwd.run(),
        Command::Serve(serve) => serve.run(&global),
        Command::Test(test) => test.run(&global),
    };
    result.unwrap_or_else(|error| {
        eprintln!("sekisho: {}", told(&error));
        ExitCode::from(2)
    })
}

/// An error with its causes. Those that its own words already end with are not said twice.
fn told(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |told, cause| match told.as_str() {
        "" => cause,
        _ if told.ends_with(&cause) => told,
        _ => format!("{told}: {cause}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_said_once() {
        let source = std::io::Error::other("disk on fire");
        let error = crate::audit::OpenError { dir: "audit".into(), source };
        let error = anyhow::Error::from(error).context("cannot start");
        assert_eq!(told(&error), "cannot start: the audit log in `audit` cannot be opened: disk on fire");
    }
}
