//! `sekisho serve`.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;
use tokio::sync::mpsc;
use tracing_subscriber::EnvFilter;

use super::global::Global;
use crate::audit::Audit;
use crate::config::{self, Config, Loaded};
use crate::net::ServerTls;
use crate::pg::accept::ALPN;
use crate::policy::diagnostics::Style;
use crate::rewrite::masks::SessionKeys;
use crate::server::signals::Signals;
use crate::server::{Address, Order, Protocol, Reload, Server, Settings};
use crate::session::{Learning, Listeners, Node, Rules, Source};

/// Serve clients until SIGTERM or SIGINT; SIGHUP and changes of files reload rules and users
///
/// The first signal to stop lets running statements end, the second does not. What the process has to say goes to
/// standard error; `RUST_LOG` chooses how much.
#[derive(Debug, Args)]
pub(super) struct Serve {}

impl Serve {
    /// Runs the command.
    #[expect(clippy::unused_self, reason = "as all commands")]
    pub(super) fn run(&self, global: &Global) -> anyhow::Result<ExitCode> {
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
        let colored = global.colored(std::io::stderr().is_terminal());
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colored).init();
        let style = if colored { Style::Coloured } else { Style::Plain };
        let Loaded { config, rules, warnings, .. } = match config::load(&global.config) {
            Ok(loaded) => loaded,
            Err(mistakes) => {
                eprint!("{}", mistakes.render(style));
                bail!("the configuration has mistakes; `sekisho check` shows them too");
            }
        };
        if !warnings.is_empty() {
            eprint!("{}", warnings.render(style));
        }
        allow_open_files();
        let node = Arc::new(node(&config, rules)?);
        // Accepting, signals and reload; sessions have threads of their own.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(serve(node, config))?;
        Ok(ExitCode::SUCCESS)
    }
}

async fn serve(node: Arc<Node>, config: Config) -> anyhow::Result<()> {
    let (orders, receiver) = mpsc::channel(4);
    tokio::spawn(Signals::new()?.pass_on(orders.clone()));
    let mut changes = config::watch(&config.files).context("cannot watch the configuration's files")?;
    tokio::spawn(async move { while changes.next().await.is_some() && orders.send(Order::Reload).await.is_ok() {} });
    let server = Server::start(Arc::clone(&node), &settings(&config)).await?;
    for Address { address, protocol, tls_required } in server.addresses() {
        tracing::info!(%address, ?protocol, tls_required, "listening");
    }
    if let Some(address) = server.admin_address() {
        tracing::info!(%address, "admin port");
    }
    let reload: Reload = Arc::new(move |node| {
        // The outcome is in the log, the metrics and the audit log.
        let _ = config::reload(node, &config);
    });
    server.run(receiver, reload).await;
    tracing::info!("stopped");
    Ok(())
}

fn settings(config: &Config) -> Settings {
    let address = |protocol| {
        move |address: &std::net::SocketAddr| Address {
            address: *address,
            protocol,
            tls_required: config.tls.is_required(address),
        }
    };
    let postgres = config.listen.postgres.iter().map(address(Protocol::Postgres));
    let mysql = config.listen.mysql.iter().map(address(Protocol::MySql));
    Settings {
        clients: postgres.chain(mysql).collect(),
        admin: config.listen.admin,
        workers: config.options.workers,
        catalog_refresh: config.options.catalog_refresh,
    }
}

fn node(config: &Config, rules: Rules) -> anyhow::Result<Node> {
    let name = match &config.options.node {
        Some(name) => name.to_string(),
        None => host_name(),
    };
    let audit = Audit::open(config.audit.clone(), &name)?;
    let tls = |alpn: &[&[u8]]| {
        let load = |(cert, key): &(std::path::PathBuf, std::path::PathBuf)| {
            ServerTls::load(cert, key, config.tls.client_ca.as_deref(), alpn)
        };
        config.tls.identity.as_ref().map(load).transpose()
    };
    let listeners = Listeners {
        postgres_tls: tls(&[ALPN])?,
        mysql_tls: tls(&[])?,
        max_clients: config.options.max_clients,
        max_unauthenticated: config.options.max_unauthenticated,
    };
    let keys = SessionKeys::new(&config.masking);
    let sources = config.sources.iter().map(|spec| {
        let mut source = Source::new(spec.clone()).with_context(|| format!("source `{}`", spec.name))?;
        source.give_masking_keys(&keys);
        Ok(source)
    });
    let sources = sources.collect::<anyhow::Result<Vec<_>>>()?;
    let mut node = Node::new(rules, sources, audit, listeners, config.options.timeouts.clone());
    node.learning = Learning::in_folder(config.state.clone());
    node.learning.load(&node.rules.load().policy);
    Ok(node)
}

/// Takes as many open files as the process may have: each client and each server connection is one.
fn allow_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
    {
        tracing::warn!(?current, ?maximum, %error, "the limit of open files stays as it is");
    }
}

/// The host's name; without one the proxy is simply `sekisho`.
fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "sekisho".to_owned() } else { name.to_owned() }
}
