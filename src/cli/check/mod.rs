//! `sekisho check`.

mod live;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;

use super::global::Global;
use crate::config::{self, Secrets};
use crate::policy::Diagnostics;
use crate::policy::diagnostics::Style;

/// Find all mistakes in the configuration, the users and the rules
///
/// Exit status: 0 without mistakes (warnings do not count), 1 with some, 2 when the configuration or,
/// with --live, a server cannot be read.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(super) struct Check {
    /// Print findings as JSON: an array of objects with severity, code, message, file, line, column
    #[arg(long)]
    json: bool,
    /// Read no secrets, keys and certificates, as where rules are reviewed
    #[arg(long)]
    without_secrets: bool,
    /// Also ask the servers: patterns that match nothing, masks that cannot serve a column's type, columns that are named
    /// as protected ones and are not protected
    #[arg(long, conflicts_with = "without_secrets")]
    live: bool,
    /// Warnings are mistakes
    #[arg(long)]
    strict: bool,
}

impl Check {
    /// Runs the command.
    pub(super) fn run(&self, global: &Global) -> anyhow::Result<ExitCode> {
        let path = &global.config;
        std::fs::read(path).with_context(|| format!("cannot read `{}`; name it by --config", path.display()))?;
        let secrets = if self.without_secrets { Secrets::Skip } else { Secrets::Read };
        let mut unread = Vec::new();
        let found = match config::load_with(path, secrets, 1) {
            Ok(mut loaded) => {
                if self.live {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                    unread = runtime.block_on(live::check(&mut loaded));
                }
                loaded.warnings
            }
            Err(mistakes) => mistakes,
        };
        self.print(&found, global).context("cannot write")?;
        if !unread.is_empty() {
            bail!("not checked: {}", unread.join("; "));
        }
        let failed = found.errors() > 0 || (self.strict && !found.is_empty());
        Ok(if failed { ExitCode::from(1) } else { ExitCode::SUCCESS })
    }

    fn print(&self, found: &Diagnostics, global: &Global) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if self.json {
            return writeln!(out, "{}", found.to_json()?);
        }
        let style = if global.colored(out.is_terminal()) { Style::Coloured } else { Style::Plain };
        out.write_all(found.render(style).as_bytes())?;
        writeln!(out, "{}", summary(found))
    }
}

fn summary(found: &Diagnostics) -> String {
    let count = |count: usize, word: &str| match count {
        1 => format!("1 {word}"),
        _ => format!("{count} {word}s"),
    };
    match (found.errors(), found.warnings()) {
        (0, 0) => "no mistakes".to_owned(),
        (0, warnings) => format!("no mistakes, {}", count(warnings, "warning")),
        (errors, 0) => count(errors, "mistake"),
        (errors, warnings) => format!("{}, {}", count(errors, "mistake"), count(warnings, "warning")),
    }
}
