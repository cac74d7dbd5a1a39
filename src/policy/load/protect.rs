//! `[tag.NAME]` and `[[protect]]`.

use std::sync::Arc;

use super::Surroundings;
use super::audience::Audience;
use super::draft::Header;
use super::mask::{self, MaskDraft};
use super::patterns;
use crate::policy::diagnostics::{Finding, Located};
use crate::policy::pattern::ColumnPattern;
use crate::policy::reader::{Table, Value};

/// A tag: a name for columns.
#[derive(Debug)]
pub(super) struct TagDraft {
    pub(super) name: Located<Arc<str>>,
    pub(super) columns: Vec<Located<Arc<ColumnPattern>>>,
}

/// A `[[protect]]` before its tags, mask and roles are looked up.
#[derive(Debug)]
pub(super) struct ProtectDraft {
    pub(super) header: Header,
    pub(super) audience: Audience,
    pub(super) tags: Vec<Located<Arc<str>>>,
    pub(super) columns: Vec<Located<Arc<ColumnPattern>>>,
    pub(super) ruling: RulingDraft,
    pub(super) writable: bool,
}

/// What a `[[protect]]` asks for.
#[derive(Debug)]
pub(super) enum RulingDraft {
    Deny,
    Reveal,
    Mask(Located<MaskDraft>),
}

pub(super) fn read_tag(name: Located<Arc<str>>, value: Value<'_>, surroundings: &Surroundings) -> Option<TagDraft> {
    value.table(format!("`[tag.\"{}\"]`", name.value), |table| {
        table.optional("description", Value::string);
        table.optional("owner", Value::text);
        table.optional("note", Value::text);
        let columns = table.required_list("columns", |value| patterns::column(value, surroundings))?;
        Some(TagDraft { name, columns })
    })
}

pub(super) fn read(value: Value<'_>, surroundings: &Surroundings) -> Option<ProtectDraft> {
    value.table("`[[protect]]`", |table| {
        let header = Header::read(table);
        let audience = Audience::read(table);
        let tags = table.list("tags", Value::name);
        let columns = table.list("columns", |value| patterns::column(value, surroundings));
        let ruling = ruling(table);
        let writable = table.optional("writable", Value::boolean).unwrap_or(false);
        if tags.is_none() && columns.is_none() {
            table.error("missing-key", "`[[protect]]` has neither `tags` nor `columns`, so it protects nothing");
        }
        if let (true, Some(RulingDraft::Deny | RulingDraft::Reveal), Some(place)) =
            (writable, &ruling, table.key_place("writable"))
        {
            let message = "`writable` does nothing here; it is about masked columns";
            table.findings().add(Finding::warning("no-effect", place, message));
        }
        let (tags, columns) = (tags.unwrap_or_default(), columns.unwrap_or_default());
        Some(ProtectDraft { header: header?, audience, tags, columns, ruling: ruling?, writable })
    })
}

/// Exactly one of `mask`, `deny`, `reveal`.
fn ruling(table: &Table<'_>) -> Option<RulingDraft> {
    let mask = table.get("mask").map(|value| {
        let place = value.place();
        mask::read(value).map(|mask| RulingDraft::Mask(Located { value: mask, place }))
    });
    let deny = table.get("deny").map(|value| only_true(value, "deny").map(|()| RulingDraft::Deny));
    let reveal = table.get("reveal").map(|value| only_true(value, "reveal").map(|()| RulingDraft::Reveal));
    let mut given = [mask, deny, reveal].into_iter().flatten();
    match (given.next(), given.next()) {
        (Some(one), None) => one,
        (Some(_), Some(_)) => {
            table.error("contradiction", "`mask`, `deny` and `reveal` exclude each other; give one of them");
            None
        }
        (None, _) => {
            let message = "`[[protect]]` has none of `mask`, `deny` and `reveal`, so it says nothing";
            table.error("missing-key", message);
            None
        }
    }
}

fn only_true(value: Value<'_>, key: &str) -> Option<()> {
    if value.boolean()? {
        return Some(());
    }
    value.error("bad-value", format!("`{key} = false` says nothing; leave it out"));
    None
}
