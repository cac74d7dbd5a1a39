//! `[[alert]]`.

use std::sync::Arc;
use std::time::Duration;

use super::Surroundings;
use super::audience::Audience;
use super::draft::Header;
use super::futile;
use super::patterns;
use crate::policy::diagnostics::Located;
use crate::policy::guard::{Alert, Occasion};
use crate::policy::pattern::TablePattern;
use crate::policy::reader::Value;
use crate::policy::scalar;

/// An `[[alert]]` before its roles are looked up.
#[derive(Debug)]
pub(super) struct AlertDraft {
    pub(super) header: Header,
    pub(super) audience: Audience,
    pub(super) alert: Alert,
    /// Its tables.
    pub(super) patterns: Vec<Located<TablePattern>>,
}

pub(super) fn read(value: Value<'_>, surroundings: &Surroundings) -> Option<AlertDraft> {
    value.table("`[[alert]]`", |table| {
        let header = Header::read(table);
        let audience = Audience::read(table);
        let mut occasions = Vec::new();
        let on = table.required_list("on", |value| {
            let occasion = value.choice(&Occasion::EACH)?;
            occasions.push((occasion, value.place()));
            Some(occasion)
        });
        let (tables, patterns) = patterns::tables(table, surroundings);
        let alert = Alert {
            rule: header.as_ref().map(|header| Arc::clone(&header.info)).unwrap_or_default(),
            roles: None,
            on: on.unwrap_or_default(),
            tables,
            more_rows_than: table.optional("more_rows_than", |value| value.at_least(0)),
            count: table.optional("count", |value| value.at_least(1)).unwrap_or(1),
            within: table
                .optional("within", |value| value.parsed(scalar::positive_duration))
                .unwrap_or(Duration::from_mins(1)),
        };
        futile::alert(table, &alert, &occasions);
        Some(AlertDraft { header: header?, audience, alert, patterns })
    })
}
