//! Reads all files and puts together what they say.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::settings::{Config, Files, Listen, Options, Tls};
use super::source::Sources;
use super::{audit_log, cross_check, listen, masking, path, source, users};
use crate::audit;
use crate::auth::Users;
use crate::policy::diagnostics::{Diagnostics, FileId, Finding, Findings, Located, Place};
use crate::policy::load::{self, Surroundings};
use crate::policy::reader::{self, Table};
use crate::rewrite::masks::MaskingKey;
use crate::session::Rules;

/// Everything that was read, without a mistake in it.
#[derive(Debug)]
pub struct Loaded {
    /// `sekisho.toml`.
    pub config: Config,
    /// The rules and users.
    pub rules: Rules,
    /// What is probably not meant.
    pub warnings: Diagnostics,
}

/// Whether secrets, keys and certificates are read too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// They are.
    Read,
    /// They are not, so that rules can be checked where no secret should be.
    Skip,
}

/// Reads `sekisho.toml` and everything that it names, as the first version of the rules. Errors hold every mistake.
pub fn load(path: &Path) -> Result<Loaded, Diagnostics> {
    load_with(path, Secrets::Read, 1)
}

/// Like [`load`], with a choice about secrets and the version that the rules get.
pub fn load_with(path: &Path, secrets: Secrets, version: u64) -> Result<Loaded, Diagnostics> {
    let findings = Findings::default();
    let loaded = read(&findings, path, secrets, version);
    let failed = findings.has_errors();
    let diagnostics = findings.finish();
    match loaded {
        Some((config, rules)) if !failed => Ok(Loaded { config, rules, warnings: diagnostics }),
        Some(_) | None => Err(diagnostics),
    }
}

fn read(findings: &Findings, path: &Path, secrets: Secrets, version: u64) -> Option<(Config, Rules)> {
    let (file, text) = path::open(findings, path, None)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let main = reader::read_file(findings, file, &text, |table| Some(Main::read(table, folder, secrets)))?;

    let surroundings = Surroundings {
        sources: (!main.sources.names.is_empty()).then(|| main.sources.names.clone()),
        zone: |name| TimeZone::get(name).ok(),
    };
    let rules_folder = main.rules.clone();
    let texts = rule_files(findings, &rules_folder);
    let reading = load::read(findings, &texts, &surroundings, version);
    // Where keys are given with a mistake, that is said already.
    if !main.masking.is_empty() || main.masking_place.is_none() {
        cross_check::keys(findings, &reading.keys, &main.masking, main.masking_place);
    }

    let drafts = path::open(findings, &main.users.value, Some(main.users.place));
    let drafts = drafts.map(|(file, text)| users::read(findings, file, &text)).unwrap_or_default();
    cross_check::users(findings, &drafts, &reading, &main.sources.names);

    let users = Users::new(drafts.into_iter().map(|draft| draft.user));
    let rules = Rules { policy: Arc::new(reading.set), users: Arc::new(users) };
    let files = Files { config: path.to_owned(), users: main.users.value, rules: main.rules.value };
    let config = Config {
        files,
        listen: main.listen?,
        tls: main.tls,
        sources: main.sources.specs,
        masking: main.masking,
        audit: main.audit?,
        options: main.options,
    };
    Some((config, rules))
}

/// What could be read of `sekisho.toml`.
struct Main {
    rules: Located<PathBuf>,
    users: Located<PathBuf>,
    listen: Option<Listen>,
    tls: Tls,
    sources: Sources,
    masking: Vec<MaskingKey>,
    masking_place: Option<Place>,
    audit: Option<audit::Settings>,
    options: Options,
}

impl Main {
    fn read(table: &Table<'_>, folder: &Path, secrets: Secrets) -> Self {
        let findings = table.findings();
        let rules = file(table, "rules", folder, "../rules");
        let users = file(table, "users", folder, "users.toml");
        let listen = table.required("listen", listen::read);
        let tls = table.optional("tls", |value| listen::read_tls(value, folder, secrets));
        let sources = source::read_all(table, folder, secrets);
        let masking = table.optional("masking", |value| masking::read(value, folder, secrets));
        let masking_place = table.key_place("masking");
        let audit = table.required("audit", |value| audit_log::read(value, folder));
        let options = table.optional("server", listen::read_options);
        let (listen, clients): (Option<Listen>, Vec<Located<SocketAddr>>) = match listen {
            Some((listen, clients)) => (Some(listen), clients),
            None => (None, Vec::new()),
        };
        if table.get("tls").is_none() || tls.as_ref().is_some_and(|tls| tls.identity.is_none()) {
            listen::check_tls(findings, &tls.clone().unwrap_or_default(), &clients);
        }
        Self {
            rules,
            users,
            listen,
            tls: tls.unwrap_or_default(),
            sources,
            masking: masking.unwrap_or_default(),
            masking_place,
            audit,
            options: options.unwrap_or_default(),
        }
    }
}

/// A path that has a default.
fn file(table: &Table<'_>, key: &'static str, folder: &Path, default: &str) -> Located<PathBuf> {
    let given = table
        .get(key)
        .and_then(|value| Some(Located { value: path::relative_to(folder, value)?, place: value.place() }));
    given.unwrap_or_else(|| Located { value: folder.join(default), place: table.place() })
}

/// The rule files of a folder in the order of their names.
fn rule_files(findings: &Findings, folder: &Located<PathBuf>) -> Vec<(FileId, Arc<str>)> {
    let names = std::fs::read_dir(&folder.value)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>());
    let mut paths = match names {
        Ok(paths) => paths,
        Err(error) => {
            let message = format!("cannot read the rules in `{}`: {error}", path::shown(&folder.value));
            findings.add(Finding::error("unreadable", folder.place, message));
            return Vec::new();
        }
    };
    paths.retain(|path| is_rule_file(path));
    paths.sort();
    if paths.is_empty() {
        let message = format!("there is no rule file in `{}`, so nobody may do anything", path::shown(&folder.value));
        findings.add(Finding::warning("no-effect", folder.place, message));
    }
    paths.iter().filter_map(|path| path::open(findings, path, None)).collect()
}

/// Files that end in `.toml`; those that begin with a dot are editors' and Kubernetes' own.
pub(super) fn is_rule_file(path: &Path) -> bool {
    let hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
    !hidden && path.extension().is_some_and(|extension| extension == "toml")
}
