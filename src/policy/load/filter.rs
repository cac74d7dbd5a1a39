//! `[[filter]]`, and the attributes that its predicate names.

use std::sync::Arc;

use super::Surroundings;
use super::audience::Audience;
use super::draft::Header;
use super::patterns;
use crate::policy::diagnostics::Located;
use crate::policy::pattern::TablePattern;
use crate::policy::reader::Value;

/// Attributes that every session has: `:user` and `:role`.
pub const BUILT_IN_ATTRIBUTES: [&str; 2] = ["user", "role"];

/// A `[[filter]]` before its roles are looked up.
#[derive(Debug)]
pub(super) struct FilterDraft {
    pub(super) header: Header,
    pub(super) audience: Audience,
    pub(super) tables: Vec<Located<TablePattern>>,
    pub(super) predicate: Arc<str>,
    /// The attributes named, each where it stands.
    pub(super) attributes: Vec<Located<Arc<str>>>,
}

pub(super) fn read(value: Value<'_>, surroundings: &Surroundings) -> Option<FilterDraft> {
    value.table("`[[filter]]`", |table| {
        let header = Header::read(table);
        let audience = Audience::read(table);
        let tables = table.required_list("tables", |value| patterns::table(value, surroundings));
        let predicate = table.required("where", |value| Some(Located { place: value.place(), value: value.text()? }));
        let (predicate, place) = predicate.map(|predicate| (predicate.value, predicate.place))?;
        let attributes = attributes_named(&predicate)
            .map(|(at, name)| Located {
                value: Arc::from(name),
                place: place.within(&predicate, at.saturating_sub(1), name.len() + 1),
            })
            .collect();
        Some(FilterDraft { header: header?, audience, tables: tables?, predicate, attributes })
    })
}

/// The attributes that a predicate names with `:name`, and where each name begins. A cast (`::type`) is none. Strings
/// and comments are not told apart: to name too many attributes is harmless, to miss one is not.
pub fn attributes_named(predicate: &str) -> impl Iterator<Item = (usize, &str)> {
    predicate.match_indices(':').filter_map(|(colon, _)| {
        let before = predicate.get(..colon)?;
        let colons_before = before.len() - before.trim_end_matches(':').len();
        let rest = predicate.get(colon + 1..)?;
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let name = rest.get(..end)?;
        let begins_a_name = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
        (begins_a_name && colons_before != 1).then_some((colon + 1, name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_names_after_a_single_colon() {
        let names = |text| attributes_named(text).map(|(_, name)| name).collect::<Vec<_>>();
        assert_eq!(names("region = :region and owner = :user"), ["region", "user"]);
        assert_eq!(names("day = '2026-01-01'::date and at > '08:30'"), Vec::<&str>::new());
        assert_eq!(names("id = :::x"), ["x"], "after a cast's two colons stands a name again");
        assert_eq!(names("a = :地域"), ["地域"]);
    }
}
