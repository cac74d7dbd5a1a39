//! `[[alert]]`.

use std::sync::Arc;
use std::time::Duration;

use super::Surroundings;
use super::audience::Audience;
use super::draft::Header;
use super::patterns;
use crate::policy::guard::{Alert, Occasion};
use crate::policy::reader::Value;
use crate::policy::scalar;

/// An `[[alert]]` before its roles are looked up.
#[derive(Debug)]
pub(super) struct AlertDraft {
    pub(super) header: Header,
    pub(super) audience: Audience,
    pub(super) alert: Alert,
}

const OCCASIONS: [(&str, Occasion); 7] = [
    ("refused", Occasion::Refused),
    ("blocked", Occasion::Blocked),
    ("limited", Occasion::Limited),
    ("login_refused", Occasion::LoginRefused),
    ("leak", Occasion::Leak),
    ("audit_failed", Occasion::AuditFailed),
    ("statement", Occasion::Statement),
];

pub(super) fn read(value: Value<'_>, surroundings: &Surroundings) -> Option<AlertDraft> {
    value.table("`[[alert]]`", |table| {
        let header = Header::read(table);
        let audience = Audience::read(table);
        let on = table.required_list("on", |value| value.choice(&OCCASIONS));
        let alert = Alert {
            rule: header.as_ref().map(|header| Arc::clone(&header.info)).unwrap_or_default(),
            roles: None,
            on: on.unwrap_or_default(),
            tables: patterns::tables(table, surroundings),
            more_rows_than: table.optional("more_rows_than", |value| value.at_least(0)),
            count: table.optional("count", |value| value.at_least(1)).unwrap_or(1),
            within: table.optional("within", |value| value.parsed(scalar::duration)).unwrap_or(Duration::from_mins(1)),
            webhook: table.optional("webhook", |value| value.parsed(webhook)),
        };
        Some(AlertDraft { header: header?, audience, alert })
    })
}

fn webhook(text: &str) -> Result<Arc<str>, String> {
    if text.starts_with("https://") || text.starts_with("http://") {
        Ok(Arc::from(text))
    } else {
        Err(format!("`{text}` is no address; write it like `https://example.com/hook`"))
    }
}
