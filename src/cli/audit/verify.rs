//! `sekisho audit verify`.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use clap::Args;

use super::Place;
use crate::audit::verify::{Anchor, Report, verify};
use crate::cli::global::Global;

/// Check that no record of the audit log was changed, removed or moved
///
/// Exit status: 0 the log is whole, 1 it is not, 2 it cannot be read.
#[derive(Debug, Args)]
pub(super) struct Verify {
    #[command(flatten)]
    place: Place,
    /// A record that must be there: its sequence number and hash, as an earlier run of this command printed them
    ///
    /// Shows whether the end of the log was cut off, or the whole log made anew, since then.
    #[arg(long, value_name = "SEQ:HASH", value_parser = anchor)]
    anchor: Option<Anchor>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

fn anchor(text: &str) -> Result<Anchor, String> {
    let parts = text.split_once(':').and_then(|(sequence, hash)| Some((sequence.parse().ok()?, hash)));
    match parts {
        Some((sequence, hash)) if hash.len() == 64 => Ok(Anchor { sequence, hash: hash.to_lowercase() }),
        _ => Err("give the record's number, a colon and its hash of 64 hex digits".to_owned()),
    }
}

impl Verify {
    /// Runs the command.
    pub fn run(self, global: &Global) -> anyhow::Result<ExitCode> {
        let dir = self.place.dir(global)?;
        let begun = Instant::now();
        let mut terminal = std::io::stderr().is_terminal().then(std::io::stderr);
        let report = verify(&dir, self.anchor, |read, total| {
            if let Some(terminal) = &mut terminal {
                let percent = read.saturating_mul(100) / total.max(1);
                let _ = write!(terminal, "\r{percent} % of {}", bytes(total));
            }
        });
        if let Some(terminal) = &mut terminal {
            let _ = write!(terminal, "\r\x1b[K");
        }
        let report = report.with_context(|| format!("cannot read the audit log in `{}`", dir.display()))?;
        anyhow::ensure!(report.segments > 0, "there is no audit log in `{}`", dir.display());
        let mut out = std::io::stdout().lock();
        if self.json {
            writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
        } else {
            print(&mut out, &report, begun)?;
        }
        Ok(if report.is_whole() { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}

fn print(out: &mut impl Write, report: &Report, begun: Instant) -> std::io::Result<()> {
    for finding in &report.findings {
        writeln!(out, "{finding}")?;
    }
    let shown = report.findings.len() as u64;
    if report.faults > shown {
        writeln!(out, "… and {} more", report.faults - shown)?;
    }
    writeln!(
        out,
        "{}: {} in {}, {}, read in {:.1} s",
        if report.is_whole() { "the log is whole" } else { "THE LOG IS NOT WHOLE" },
        counted(report.records, "record"),
        counted(report.segments, "segment"),
        bytes(report.bytes),
        begun.elapsed().as_secs_f64(),
    )?;
    if let (Some(first), Some(last), Some(hash)) = (report.first, report.last, &report.last_hash) {
        let time = report.last_time.as_deref().unwrap_or_default();
        writeln!(
            out,
            "records {first} to {last}, the last of {time}; {} proxy is writing it",
            if report.running { "a" } else { "no" }
        )?;
        writeln!(out, "anchor: {last}:{hash}")?;
    }
    if report.crashes > 0 {
        writeln!(out, "{} found that the proxy had not stopped cleanly", counted(report.crashes, "start"))?;
    }
    if report.gaps > 0 {
        writeln!(
            out,
            "{} in which records could not be written: see records of kind `gap`",
            counted(report.gaps, "time")
        )?;
    }
    for name in &report.partial {
        writeln!(out, "half-written end of a crashed run: {name}")?;
    }
    Ok(())
}

/// A number of things.
pub fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// A size for people.
pub fn bytes(count: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    let mut whole = count;
    let mut tenths = 0;
    for unit in units {
        if whole < 1000 {
            return if tenths == 0 || whole >= 100 {
                format!("{whole} {unit}")
            } else {
                format!("{whole}.{tenths} {unit}")
            };
        }
        tenths = whole % 1000 / 100;
        whole /= 1000;
    }
    format!("{whole} PB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_well() {
        let shown: Vec<_> = [0, 999, 1000, 1250, 250_000, 7_300_000_000].into_iter().map(bytes).collect();
        assert_eq!(shown, ["0 B", "999 B", "1 kB", "1.2 kB", "250 kB", "7.3 GB"]);
    }

    #[test]
    fn an_anchor_is_a_number_and_a_hash() {
        let hash = "A".repeat(64);
        assert_eq!(anchor(&format!("7:{hash}")), Ok(Anchor { sequence: 7, hash: hash.to_lowercase() }));
        assert!(anchor("7:abc").is_err() && anchor(&hash).is_err());
    }
}
