//! Reads all files and puts together what they say.

use std::collections::BTreeMap;
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
use crate::policy::load::{self, PatternUse, Surroundings};
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
    /// Patterns that should match something in the catalogs.
    pub uses: Vec<PatternUse>,
    /// Functions that blocks name.
    pub functions: Vec<Located<Arc<str>>>,
    /// Where each rule is named.
    pub rule_places: BTreeMap<Arc<str>, Place>,
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
        Some(loaded) if !failed => Ok(Loaded { warnings: diagnostics, ..loaded }),
        Some(_) | None => Err(diagnostics),
    }
}

fn read(findings: &Findings, path: &Path, secrets: Secrets, version: u64) -> Option<Loaded> {
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
    let (drafts, names) = drafts.map(|(file, text)| users::read(findings, file, &text)).unwrap_or_default();
    cross_check::users(findings, &drafts, &reading, &main.sources.names);
    cross_check::persons(findings, &drafts, &names, &reading);

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
        state: main.state,
        options: main.options,
    };
    let warnings = Diagnostics::default();
    Some(Loaded {
        config,
        rules,
        warnings,
        uses: reading.uses,
        functions: reading.functions,
        rule_places: reading.rules,
    })
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
    state: PathBuf,
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
        let state = file(table, "state", folder, "../state").value;
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
            state,
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use super::*;
    use crate::audit::{Durability, OnFailure, StatementText};
    use crate::net::TlsMode;
    use crate::sql::Engine;

    const CONFIG: &str = r#"
        rules = "policy"
        users = "people.toml"
        [listen]
        postgres = ["127.0.0.1:6432", "[::1]:6432"]
        mysql = "127.0.0.1:6433"
        admin = "127.0.0.1:6480"
        [[source]]
        name = "shop"
        engine = "postgres"
        host = "db.example.com"
        user = "sekisho"
        password = { file = "password" }
        tls = "require"
        [[source]]
        name = "legacy"
        engine = "mysql"
        host = "/run/mysqld/mysqld.sock"
        user = "sekisho"
        password = "literal"
        max_connections = 7
        [masking]
        key = [{ id = "new", file = "key" }, { id = "old", file = "password" }]
        [audit]
        dir = "audit"
        durability = "disk"
        on_failure = "continue"
        statement_text = "off"
        retain = "90d"
        [server]
        node = "proxy-1"
        workers = 2
        login_timeout = "5s"
        idle_timeout = "8h"
    "#;
    const USERS: &str = "[user.hanako]\nroles = ['viewer']\nattributes = { region = 'EU', level = 0x10 }\npassword = \
        'SCRAM-SHA-256$4096:WKzpJSM/wkG6y+txiJO2dQ==$D0kjQIlIPoA70CFKAC3LpaWEoJUSb9NjlGujs5vmpOc=:jVgRlqdBs3WoEGNd+f6NpqgK+ZVQ30kfUK1krY3thKo='\n";

    fn loaded() -> (tempfile::TempDir, Loaded) {
        let folder = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| fs::write(folder.path().join(file), text).unwrap();
        fs::create_dir(folder.path().join("policy")).unwrap();
        write("sekisho.toml", CONFIG);
        write("people.toml", USERS);
        write("password", "a password of the file\r\n");
        write("key", "MDEyMzQ1Njc4OWFiY2RlZg==\n");
        write("policy/20-second.toml", "[role.viewer]\ngrant = { on = 'shop.*.*', allow = 'read' }\n");
        write("policy/10-first.toml", "[[protect]]\nname = 'p'\ncolumns = '*.*.*.a'\nmask = 'hash'\n");
        write("policy/.30-hidden.toml", "not read");
        write("policy/notes.md", "not read");
        let loaded = load(&folder.path().join("sekisho.toml")).unwrap();
        (folder, loaded)
    }

    #[test]
    fn what_is_written_is_what_is_loaded() {
        let (folder, Loaded { config, rules, warnings, .. }) = loaded();
        assert!(warnings.is_empty(), "{warnings}");
        assert_eq!(config.files.rules, folder.path().join("policy"));
        assert_eq!(config.listen.postgres.len(), 2);
        assert_eq!(config.listen.admin.unwrap().port(), 6480);
        assert!(!config.tls.is_required(&config.listen.postgres[1]));
        assert!(config.tls.is_required(&"[::]:1".parse().unwrap()));

        let [shop, legacy] = &config.sources[..] else { panic!("two sources") };
        assert_eq!(
            (shop.engine, shop.port, &*shop.dbname, shop.tls),
            (Engine::Postgres, 5432, "shop", TlsMode::Require)
        );
        assert_eq!(shop.password.as_ref().unwrap().expose(), "a password of the file");
        assert_eq!((legacy.engine, legacy.port, legacy.tls), (Engine::MySql, 3306, TlsMode::Prefer));
        assert_eq!((legacy.password.as_ref().unwrap().expose(), legacy.max_connections), ("literal", 7));

        let keys: Vec<_> = config.masking.iter().map(|key| (&*key.id, &key.bytes[..])).collect();
        assert_eq!(keys, [("new", &b"0123456789abcdef"[..]), ("old", b"a password of the file")]);
        let audit = &config.audit;
        assert_eq!(audit.dir, folder.path().join("audit"));
        assert_eq!((audit.durability, audit.on_failure), (Durability::Disk, OnFailure::Continue));
        assert_eq!((audit.statement_text, audit.retain), (StatementText::Off, Some(Duration::from_hours(90 * 24))));
        let options = &config.options;
        assert_eq!((options.node.as_deref(), options.workers), (Some("proxy-1"), Some(2)));
        assert_eq!(options.timeouts.login, Duration::from_secs(5));
        assert_eq!(options.timeouts.idle, Some(Duration::from_hours(8)));

        let hanako = rules.users.get("hanako").unwrap();
        assert_eq!((hanako.verifier.iterations, hanako.sources.is_none()), (4096, true));
        let attributes: Vec<_> = hanako.attributes.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(attributes, [("level", "16"), ("region", "EU")]);
        assert!(rules.policy.role("viewer").is_some());
    }

    #[test]
    fn rules_can_be_checked_where_no_secrets_are() {
        let (folder, _) = loaded();
        fs::remove_file(folder.path().join("password")).unwrap();
        fs::remove_file(folder.path().join("key")).unwrap();
        let path = folder.path().join("sekisho.toml");
        let mistakes = load(&path).unwrap_err();
        assert_eq!(mistakes.errors(), 3, "{mistakes}");
        assert!(load_with(&path, Secrets::Skip, 1).unwrap().warnings.is_empty());
    }
}
