//! `[listen]`, `[tls]` and `[server]`.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use super::load::Secrets;
use super::path;
use super::settings::{Listen, Options, Tls};
use crate::net::ServerTls;
use crate::policy::diagnostics::{Finding, Findings, Located};
use crate::policy::reader::{Table, Value};
use crate::policy::scalar;
use crate::session::node::Timeouts;

/// Reads `[listen]`.
pub(super) fn read(value: Value<'_>) -> Option<(Listen, Vec<Located<SocketAddr>>)> {
    value.table("`[listen]`", |table| {
        let postgres = table.list("postgres", address).unwrap_or_default();
        let mysql = table.list("mysql", address).unwrap_or_default();
        let admin = table.optional("admin", address);
        if table.get("postgres").is_none() && table.get("mysql").is_none() {
            table.error("missing-key", "`[listen]` has neither `postgres` nor `mysql`, so no client can connect");
        }
        let addresses = |located: &[Located<SocketAddr>]| located.iter().map(|address| address.value).collect();
        let listen = Listen {
            postgres: addresses(&postgres),
            mysql: addresses(&mysql),
            admin: admin.as_ref().map(|admin| admin.value),
        };
        let clients: Vec<_> = postgres.into_iter().chain(mysql).collect();
        check_twice(table.findings(), clients.iter().chain(&admin));
        Some((listen, clients))
    })
}

fn address(value: Value<'_>) -> Option<Located<SocketAddr>> {
    let address = value.parsed(|text| {
        text.parse()
            .map_err(|_| format!("`{text}` is no address to listen on; write it like `127.0.0.1:6432` or `[::]:6432`"))
    })?;
    Some(Located { value: address, place: value.place() })
}

fn check_twice<'a>(findings: &Findings, addresses: impl Iterator<Item = &'a Located<SocketAddr>>) {
    let mut seen: Vec<&Located<SocketAddr>> = Vec::new();
    for address in addresses {
        let same = |other: &&&Located<SocketAddr>| other.value == address.value && address.value.port() != 0;
        if let Some(first) = seen.iter().find(same) {
            let message = format!("`{}` is listened on twice", address.value);
            findings.add(Finding::error("duplicate", address.place, message).also(first.place, "first here"));
        }
        seen.push(address);
    }
}

/// Reads `[tls]`.
pub(super) fn read_tls(value: Value<'_>, folder: &Path, secrets: Secrets) -> Option<Tls> {
    value.table("`[tls]`", |table| {
        let file = |key| {
            table.optional(key, |value| match secrets {
                Secrets::Read => path::readable(folder, value),
                Secrets::Skip => path::relative_to(folder, value),
            })
        };
        let (cert, key, client_ca) = (file("cert"), file("key"), file("client_ca"));
        let required = table.optional("required", Value::boolean);
        let given = |key| table.get(key).is_some();
        match (given("cert"), given("key")) {
            (true, false) => table.error("missing-key", "`[tls]` has `cert` but no `key`"),
            (false, true) => table.error("missing-key", "`[tls]` has `key` but no `cert`"),
            (false, false) if required == Some(true) || given("client_ca") => {
                table.error("missing-key", "`[tls]` has no `cert` and `key`, so no client could use TLS");
            }
            (true, true) | (false, false) => {}
        }
        let tls = Tls { identity: cert.zip(key), client_ca, required };
        if secrets == Secrets::Read {
            check_certificates(table, &tls);
        }
        Some(tls)
    })
}

/// The files hold what they should, and the key is the certificate's.
fn check_certificates(table: &Table<'_>, tls: &Tls) {
    if let Some((cert, key)) = &tls.identity
        && let Err(error) = ServerTls::load(cert, key, tls.client_ca.as_deref(), &[])
    {
        table.error("bad-certificate", error.to_string());
    }
}

/// Every listener for clients either has TLS or may do without.
pub(super) fn check_tls(findings: &Findings, tls: &Tls, listeners: &[Located<SocketAddr>]) {
    for listener in listeners.iter().filter(|listener| tls.is_required(&listener.value)) {
        let message = format!(
            "clients of `{}` must use TLS, since it is not on loopback, and there is no certificate",
            listener.value
        );
        findings.add(Finding::error("missing-key", listener.place, message).help(
            "give `[tls]` a `cert` and a `key`; with `required = false` passwords and rows cross the network in clear text",
        ));
    }
}

/// Reads `[server]`.
pub(super) fn read_options(value: Value<'_>) -> Option<Options> {
    value.table("`[server]`", |table| {
        let default = Options::default();
        let timeouts = Timeouts {
            login: duration(table, "login_timeout").unwrap_or(default.timeouts.login),
            idle: duration(table, "idle_timeout"),
            connection_wait: duration(table, "connection_wait").unwrap_or(default.timeouts.connection_wait),
            shutdown: duration(table, "shutdown_grace").unwrap_or(default.timeouts.shutdown),
            half_closed: duration(table, "half_closed_timeout").unwrap_or(default.timeouts.half_closed),
        };
        Some(Options {
            node: table.optional("node", Value::text),
            workers: table.optional("workers", |value| value.integer(1, 1024)),
            max_clients: table.optional("max_clients", |value| value.at_least(1)).unwrap_or(default.max_clients),
            max_unauthenticated: table
                .optional("max_unauthenticated", |value| value.at_least(1))
                .unwrap_or(default.max_unauthenticated),
            timeouts,
            catalog_refresh: duration(table, "catalog_refresh").unwrap_or(default.catalog_refresh),
        })
    })
}

fn duration(table: &Table<'_>, key: &'static str) -> Option<Duration> {
    table.optional(key, |value| {
        let duration = value.parsed(scalar::duration)?;
        if duration.is_zero() {
            value.error("bad-value", format!("`{key}` must be above zero"));
            return None;
        }
        Some(duration)
    })
}
