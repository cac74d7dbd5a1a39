//! `sekisho catalog`.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow, bail};
use clap::{Args, Subcommand};

use super::global::Global;
use crate::catalog::Snapshot;
use crate::config;
use crate::policy::diagnostics::Style;
use crate::server::catalogs::read_once;
use crate::session::Source;

/// Keep what is known of the sources' tables in files, for tests of the rules without a server
#[derive(Debug, Args)]
pub(super) struct Catalog {
    #[command(subcommand)]
    command: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Save(Save),
}

/// Read the catalogs of the sources and write each to SOURCE.catalog.json in a folder
///
/// The files hold names, types and definitions of objects, no data and no secrets.
#[derive(Debug, Args)]
struct Save {
    /// Only of this source
    #[arg(long, short, value_name = "SOURCE")]
    source: Option<String>,
    /// The folder
    folder: PathBuf,
}

impl Catalog {
    /// Runs the command.
    pub(super) fn run(&self, global: &Global) -> anyhow::Result<ExitCode> {
        match &self.command {
            Action::Save(save) => save.run(global),
        }
    }
}

impl Save {
    fn run(&self, global: &Global) -> anyhow::Result<ExitCode> {
        let loaded = config::load(&global.config).map_err(|mistakes| {
            let style = if global.colored(io::stderr().is_terminal()) { Style::Coloured } else { Style::Plain };
            anyhow!("the configuration has mistakes\n{}", mistakes.render(style))
        })?;
        let wanted = |name: &str| self.source.as_ref().is_none_or(|source| source == name);
        let specs: Vec<_> = loaded.config.sources.iter().filter(|spec| wanted(&spec.name)).collect();
        if specs.is_empty() {
            bail!("there is no source `{}`", self.source.as_deref().unwrap_or_default());
        }
        fs::create_dir_all(&self.folder).with_context(|| format!("cannot make `{}`", self.folder.display()))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        for spec in specs {
            let snapshot = runtime
                .block_on(async { anyhow::Ok(read_once(&Source::new(spec.clone())?).await?) })
                .with_context(|| format!("cannot read the catalog of source `{}`", spec.name))?;
            let path = file(&self.folder, &spec.name);
            fs::write(&path, snapshot.to_json()?).with_context(|| format!("cannot write `{}`", path.display()))?;
            println!("{}: {} relations of source `{}`", path.display(), snapshot.relations().len(), spec.name);
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn file(folder: &Path, source: &str) -> PathBuf {
    folder.join(format!("{source}.catalog.json"))
}

/// The catalog of a source as it was saved in a folder.
pub(super) fn load(folder: &Path, source: &str) -> anyhow::Result<Snapshot> {
    let path = file(folder, source);
    let json = fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    Snapshot::from_json(&json).with_context(|| format!("cannot read `{}`", path.display()))
}
