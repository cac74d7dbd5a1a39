//! The node's numbers in the text format of Prometheus.

use prometheus::proto::{Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType};
use prometheus::{Encoder, TextEncoder};

use super::process;
use crate::session::{Node, Source};

/// Whether a source's catalog has been read.
pub(super) fn has_catalog(source: &Source) -> bool {
    !source.catalog.current().source().is_empty()
}

/// All metrics, as `/metrics` gives them.
pub(super) fn render(node: &Node, is_ready: bool) -> prometheus::Result<Vec<u8>> {
    let mut families = vec![
        gauge(
            "sekisho_ready",
            "Whether the node can serve statements, as /readyz has it",
            f64::from(u8::from(is_ready)),
        ),
        gauge(
            "sekisho_clients",
            "Clients connected, those that are logging in included",
            float(node.registry.clients()),
        ),
        gauge("sekisho_sessions", "Sessions logged in", float(node.registry.live().len())),
        gauge("sekisho_rules_version", "Version of the rules in force", float(node.rules.load().policy.version())),
    ];
    families.extend(sessions(node));
    families.extend(audit(node));
    families.extend(sources(node));
    families.extend(process::families());
    let mut text = Vec::new();
    TextEncoder::new().encode(&families, &mut text)?;
    Ok(text)
}

fn sessions(node: &Node) -> Vec<MetricFamily> {
    let metrics = &node.metrics;
    let statements = [
        ("permitted", metrics.statements_permitted.get()),
        ("refused", metrics.statements_refused.get()),
        ("unrecorded", metrics.statements_unrecorded.get()),
    ];
    let plain = [
        ("sekisho_connections_total", "Connections accepted", metrics.connections.get()),
        ("sekisho_connections_refused_total", "Connections turned away, too many", metrics.connections_refused.get()),
        (
            "sekisho_statements_blocked_total",
            "Statements that met a block or were not known",
            metrics.statements_blocked.get(),
        ),
        ("sekisho_rows_total", "Rows of results sent to clients", metrics.rows.get()),
        ("sekisho_result_bytes_total", "Bytes of results sent to clients", metrics.result_bytes.get()),
        ("sekisho_protocol_errors_total", "Connections ended for a protocol violation", metrics.protocol_errors.get()),
        (
            "sekisho_second_lock_total",
            "Results ended since a protected column arrived raw",
            metrics.second_lock_hits.get(),
        ),
        ("sekisho_cancels_total", "Cancel requests passed on", metrics.cancels.get()),
        (
            "sekisho_server_connect_errors_total",
            "Connections to servers that failed",
            metrics.server_connect_errors.get(),
        ),
        ("sekisho_server_disconnects_total", "Connections that servers ended", metrics.server_disconnects.get()),
    ];
    let outcomes = |good: u64, bad: u64| [("success", good), ("failure", bad)];
    let mut families = vec![
        labelled(
            "sekisho_statements_total",
            "Statements decided; unrecorded: refused by the audit log",
            "verdict",
            &statements,
        ),
        labelled(
            "sekisho_logins_total",
            "Logins",
            "result",
            &outcomes(metrics.logins.get(), metrics.login_failures.get()),
        ),
        labelled(
            "sekisho_catalog_reads_total",
            "Times that a catalog was read, or could not be",
            "result",
            &outcomes(metrics.catalog_refreshes.get(), metrics.catalog_failures.get()),
        ),
        labelled(
            "sekisho_reloads_total",
            "Times that rules were put in force, or were broken and were not",
            "result",
            &outcomes(metrics.reloads.get(), metrics.reload_failures.get()),
        ),
    ];
    let limits: Vec<_> = metrics.limits.get().map(|(limit, count)| (limit.word(), count)).collect();
    families.push(labelled("sekisho_limits_met_total", "Logins and statements that met a limit", "limit", &limits));
    let alerts = node.alerts.given();
    let alerts: Vec<_> = alerts.iter().map(|(name, count)| (&**name, *count)).collect();
    // A family without a metric is none.
    if !alerts.is_empty() {
        families.push(labelled("sekisho_alerts_total", "Alerts given", "alert", &alerts));
    }
    families.extend(plain.map(|(name, help, value)| counter(name, help, float(value))));
    families
}

fn audit(node: &Node) -> [MetricFamily; 8] {
    let status = node.audit.status();
    let broken = f64::from(u8::from(status.broken.is_some()));
    [
        gauge("sekisho_audit_broken", "Whether audit records cannot be written now", broken),
        gauge("sekisho_audit_last_record", "Number of the last audit record made", float(status.last)),
        gauge("sekisho_audit_written_record", "Number of the last audit record written", float(status.written)),
        gauge("sekisho_audit_waiting_bytes", "Bytes of audit records not written yet", float(status.waiting_bytes)),
        counter("sekisho_audit_bytes_total", "Bytes of audit records written", float(status.written_bytes)),
        counter("sekisho_audit_refused_total", "Statements and logins refused unrecorded", float(status.refused)),
        counter("sekisho_audit_dropped_total", "Audit records dropped", float(status.dropped)),
        counter("sekisho_audit_failures_total", "Attempts to write audit records that failed", float(status.failures)),
    ]
}

fn sources(node: &Node) -> [MetricFamily; 3] {
    let each = |value: &dyn Fn(&Source) -> f64| {
        let one = |(name, source): (&std::sync::Arc<str>, &std::sync::Arc<Source>)| {
            metric(MetricType::GAUGE, Some(("source", name)), value(source))
        };
        node.sources.iter().map(one).collect::<Vec<_>>()
    };
    let open =
        |source: &Source| float(source.spec.max_connections.saturating_sub(source.connections.available_permits()));
    [
        family(
            "sekisho_source_catalog",
            "Whether the source's catalog has been read",
            MetricType::GAUGE,
            each(&|source| f64::from(u8::from(has_catalog(source)))),
        ),
        family("sekisho_source_connections", "Connections to the source's server", MetricType::GAUGE, each(&open)),
        family(
            "sekisho_source_connections_max",
            "Connections to the source's server at the most",
            MetricType::GAUGE,
            each(&|source| float(source.spec.max_connections)),
        ),
    ]
}

/// A metric with one value that only grows.
pub(super) fn counter(name: &str, help: &str, value: f64) -> MetricFamily {
    family(name, help, MetricType::COUNTER, vec![metric(MetricType::COUNTER, None, value)])
}

/// A metric with one value.
pub(super) fn gauge(name: &str, help: &str, value: f64) -> MetricFamily {
    family(name, help, MetricType::GAUGE, vec![metric(MetricType::GAUGE, None, value)])
}

/// Counts as Prometheus has them: in floating point, exact up to 2⁵³.
pub(super) fn float(count: impl TryInto<u64>) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "the format has no other numbers")]
    count.try_into().map_or(f64::NAN, |count| count as f64)
}

fn labelled(name: &str, help: &str, label: &str, values: &[(&str, u64)]) -> MetricFamily {
    let one = |(value, count): &(&str, u64)| metric(MetricType::COUNTER, Some((label, *value)), float(*count));
    family(name, help, MetricType::COUNTER, values.iter().map(one).collect())
}

fn family(name: &str, help: &str, kind: MetricType, metrics: Vec<Metric>) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help(help.to_owned());
    family.set_field_type(kind);
    family.set_metric(metrics);
    family
}

fn metric(kind: MetricType, label: Option<(&str, &str)>, value: f64) -> Metric {
    let mut metric = Metric::default();
    if let Some((name, value)) = label {
        let mut pair = LabelPair::default();
        pair.set_name(name.to_owned());
        pair.set_value(value.to_owned());
        metric.set_label(vec![pair]);
    }
    if kind == MetricType::COUNTER {
        let mut counter = Counter::default();
        counter.set_value(value);
        metric.set_counter(counter);
    } else {
        let mut gauge = Gauge::default();
        gauge.set_value(value);
        metric.set_gauge(gauge);
    }
    metric
}
