//! What the result of a statement looks like, as far as the catalog and the text tell.

use super::plan;
use super::virtual_database::{Settings, VirtualDatabase};

/// A result column: its label, and the types of the columns that its value comes from.
pub type ResultColumn = (Box<str>, Vec<Box<str>>);

/// The columns of the result of a text of one statement; none for a statement without a result. Nothing for a text that
/// is refused.
///
/// Only statements that are prepared anew ask, so nothing is kept for it.
pub(super) fn result_columns(database: &VirtualDatabase, settings: &Settings, text: &str) -> Option<Vec<ResultColumn>> {
    let script = database.read(settings, text).ok()?;
    let [range] = script.statements.as_slice() else { return None };
    let statement = database.parse(settings, text, &script, range.clone()).ok()?;
    let resolved = plan::resolve_statement(database, settings, text, &script, &statement).ok()?;
    let type_of = |source: &crate::resolve::Source| {
        let used = resolved.relations.get(source.place)?;
        let column = database.snapshot().relation(used.relation)?.columns.get(source.column)?;
        Some(column.ty.sql.as_ref().into())
    };
    let column = |column: &crate::resolve::OutputColumn| -> ResultColumn {
        (column.name.clone(), column.sources.iter().filter_map(type_of).collect())
    };
    Some(resolved.output.iter().map(column).collect())
}
