//! `sekisho audit tail`.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use serde_json::Value;

use super::Place;
use super::filter::{Filter, since, text};
use super::show::{Colors, show};
use crate::audit::reading::{self, Step};
use crate::cli::global::Global;

/// How often it is looked for new records.
const PERIOD: Duration = Duration::from_millis(100);

/// Show the last records of the audit log, and those to come
///
/// Follows the log until interrupted. With -n or --since it shows what there is and ends, unless -f is given too.
#[derive(Debug, Args)]
pub(super) struct Tail {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    filter: Filter,
    /// Show so many records [default: 10]
    #[arg(long, short = 'n', value_name = "COUNT")]
    lines: Option<usize>,
    /// Show records from this time on: `08:15`, `2026-01-31 08:15`, RFC 3339, or how long ago: `30m`, `2h`, `3d`
    #[arg(long, value_parser = since)]
    since: Option<String>,
    /// Follow the log
    #[arg(long, short)]
    follow: bool,
    /// Print records as they are stored, one line of JSON each
    #[arg(long)]
    json: bool,
}

impl Tail {
    /// Runs the command.
    pub fn run(self, global: &Global) -> anyhow::Result<ExitCode> {
        match self.print(global) {
            // `sekisho audit tail | head` is no mistake.
            Err(error) if is_broken_pipe(&error) => Ok(ExitCode::SUCCESS),
            Err(error) => Err(error),
            Ok(()) => Ok(ExitCode::SUCCESS),
        }
    }

    fn print(&self, global: &Global) -> anyhow::Result<()> {
        let dir = self.place.dir(global)?;
        let colors = if global.colored(io::stdout().is_terminal()) { Colors::On } else { Colors::Off };
        let follows = self.follow || (self.lines.is_none() && self.since.is_none());
        let context = || format!("cannot read the audit log in `{}`", dir.display());
        let mut follower = match (&self.since, self.lines) {
            (Some(time), None) => reading::since(&dir, time).with_context(context)?,
            (time, count) => {
                let wanted = |line: &[u8]| self.step(line, time.as_deref());
                let (lines, follower) = reading::last(&dir, count.unwrap_or(10), wanted).with_context(context)?;
                let mut out = io::stdout().lock();
                lines.iter().try_for_each(|line| self.print_line(&mut out, line, colors))?;
                follower
            }
        };
        loop {
            let mut out = io::BufWriter::new(io::stdout().lock());
            if follows || self.lines.is_none() {
                follower.poll(|line| match self.step(line, self.since.as_deref()) {
                    Step::Take => self.print_line(&mut out, line, colors),
                    Step::Skip | Step::End => Ok(()),
                })?;
            }
            out.flush()?;
            drop(out);
            if !follows {
                return Ok(());
            }
            std::thread::sleep(PERIOD);
        }
    }

    /// Whether a record is shown, and with it those before it.
    fn step(&self, line: &[u8], since: Option<&str>) -> Step {
        let Ok(record) = serde_json::from_slice::<Value>(line) else { return Step::Take };
        if since.is_some_and(|since| text(&record, "time").is_some_and(|time| time < since)) {
            return Step::End;
        }
        if self.filter.matches(&record) { Step::Take } else { Step::Skip }
    }

    fn print_line(&self, out: &mut impl Write, line: &[u8], colors: Colors) -> io::Result<()> {
        match serde_json::from_slice::<Value>(line) {
            Ok(record) if !self.json => show(out, &record, colors),
            Ok(_) | Err(_) => {
                out.write_all(line)?;
                out.write_all(b"\n")
            }
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
