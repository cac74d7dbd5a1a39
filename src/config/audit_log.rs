//! `[audit]`.

use std::path::Path;

use super::path;
use crate::audit::{Durability, OnFailure, Settings, StatementText};
use crate::policy::reader::Value;
use crate::policy::scalar;

/// Reads `[audit]`.
pub(super) fn read(value: Value<'_>, folder: &Path) -> Option<Settings> {
    value.table("`[audit]`", |table| {
        let dir = table.required("dir", |value| path::relative_to(folder, value));
        let default = Settings::new("");
        let durability = [("os", Durability::Os), ("disk", Durability::Disk)];
        let on_failure = [("refuse", OnFailure::Refuse), ("continue", OnFailure::Continue)];
        let statement_text =
            [("full", StatementText::Full), ("normalized", StatementText::Normalized), ("off", StatementText::Off)];
        let size = |key| table.optional(key, |value| value.parsed(scalar::positive_size));
        let age = |key| table.optional(key, |value| value.parsed(scalar::positive_duration));
        let settings = Settings {
            dir: dir.clone().unwrap_or_default(),
            durability: table.optional("durability", |value| value.choice(&durability)).unwrap_or_default(),
            on_failure: table.optional("on_failure", |value| value.choice(&on_failure)).unwrap_or_default(),
            statement_text: table.optional("statement_text", |value| value.choice(&statement_text)).unwrap_or_default(),
            max_statement_text: size("max_statement_text")
                .and_then(|bytes| usize::try_from(bytes).ok())
                .unwrap_or(default.max_statement_text),
            max_segment_size: size("max_segment_size").unwrap_or(default.max_segment_size),
            max_segment_age: age("max_segment_age").unwrap_or(default.max_segment_age),
            retain: age("retain"),
        };
        dir.map(|_| settings)
    })
}
