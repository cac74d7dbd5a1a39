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

pub(super) fn read(value: Value<'_>, surroundings: &Surroundings) -> Option<AlertDraft> {
    value.table("`[[alert]]`", |table| {
        let header = Header::read(table);
        let audience = Audience::read(table);
        let on = table.required_list("on", |value| value.choice(&Occasion::EACH));
        let alert = Alert {
            rule: header.as_ref().map(|header| Arc::clone(&header.info)).unwrap_or_default(),
            roles: None,
            on: on.unwrap_or_default(),
            tables: patterns::tables(table, surroundings),
            more_rows_than: table.optional("more_rows_than", |value| value.at_least(0)),
            count: table.optional("count", |value| value.at_least(1)).unwrap_or(1),
            within: table.optional("within", |value| value.parsed(scalar::duration)).unwrap_or(Duration::from_mins(1)),
        };
        if alert.more_rows_than.is_some() && !alert.on.contains(&Occasion::Statement) {
            table.error(
                "contradiction",
                "rows are counted for `on = \"statement\"` only; add it, or leave `more_rows_than` out",
            );
        }
        Some(AlertDraft { header: header?, audience, alert })
    })
}
