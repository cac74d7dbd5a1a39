//! `[[trust]]`.

use super::Surroundings;
use super::draft::Header;
use super::patterns;
use crate::policy::diagnostics::Located;
use crate::policy::pattern::TablePattern;
use crate::policy::reader::Value;

/// Views and functions that their authors made safe.
#[derive(Debug)]
pub(super) struct TrustDraft {
    pub(super) header: Header,
    pub(super) views: Vec<Located<TablePattern>>,
    pub(super) functions: Vec<Located<TablePattern>>,
}

pub(super) fn read(value: Value<'_>, surroundings: &Surroundings) -> Option<TrustDraft> {
    value.table("`[[trust]]`", |table| {
        let header = Header::read(table);
        let views = table.list("views", |value| patterns::table(value, surroundings));
        let functions = table.list("functions", |value| patterns::table(value, surroundings));
        if views.is_none() && functions.is_none() {
            table.error("missing-key", "`[[trust]]` has neither `views` nor `functions`");
        }
        let (views, functions) = (views.unwrap_or_default(), functions.unwrap_or_default());
        Some(TrustDraft { header: header?, views, functions })
    })
}
