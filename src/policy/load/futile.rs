//! Rules that could never come true: what their keys say cannot be so at once.

use crate::policy::diagnostics::{Finding, Place};
use crate::policy::guard::{Alert, Block, Missing, Occasion, StatementKind};
use crate::policy::reader::Table;

/// Notes what a `[[block]]` asks of statements that they cannot have. `kinds` are those of `statements`, with their places.
pub(super) fn block(table: &Table<'_>, block: &Block, kinds: &[(StatementKind, Place)]) {
    if let Some(missing) = block.missing.first() {
        let clause = match missing {
            Missing::Where => "WHERE",
            Missing::Limit => "LIMIT",
        };
        among(table, kinds, can_lack_a_clause, |kind| {
            format!("`{kind}` has no {clause} that could be missing, so the block never meets one")
        });
    }
    if !block.tables.is_empty() {
        among(table, kinds, names_tables, |kind| format!("`{kind}` names no tables, so the block never meets one"));
    }
}

/// A mistake where none of the kinds is possible, a warning for each that is not where others are.
fn among(
    table: &Table<'_>,
    kinds: &[(StatementKind, Place)],
    is_possible: fn(StatementKind) -> bool,
    message: impl Fn(&str) -> String,
) {
    let are_all = !kinds.iter().any(|(kind, _)| is_possible(*kind));
    for (kind, place) in kinds.iter().filter(|(kind, _)| !is_possible(*kind)) {
        let message = message(kind.word());
        let finding = if are_all {
            Finding::error("contradiction", *place, message).help("leave one of the two keys out")
        } else {
            Finding::warning("no-effect", *place, message).help("give it a block of its own")
        };
        table.findings().add(finding);
    }
}

fn can_lack_a_clause(kind: StatementKind) -> bool {
    match kind {
        StatementKind::Select
        | StatementKind::Update
        | StatementKind::Delete
        | StatementKind::Merge
        | StatementKind::Copy => true,
        StatementKind::Insert
        | StatementKind::Truncate
        | StatementKind::Create
        | StatementKind::Alter
        | StatementKind::Drop
        | StatementKind::Grant
        | StatementKind::Call
        | StatementKind::Lock
        | StatementKind::Explain
        | StatementKind::Set
        | StatementKind::Show => false,
    }
}

fn names_tables(kind: StatementKind) -> bool {
    !matches!(kind, StatementKind::Call | StatementKind::Set)
}

/// Notes what an `[[alert]]` asks of events that they do not have.
pub(super) fn alert(table: &Table<'_>, alert: &Alert, occasions: &[(Occasion, Place)]) {
    if alert.more_rows_than.is_some() && !alert.on.contains(&Occasion::Statement) {
        table.error(
            "contradiction",
            "rows are counted for `on = \"statement\"` only; add it, or leave `more_rows_than` out",
        );
    }
    if alert.tables.is_empty() {
        return;
    }
    let are_all = !occasions.iter().any(|(occasion, _)| is_about_a_statement(*occasion));
    for (occasion, place) in occasions.iter().filter(|(occasion, _)| !is_about_a_statement(*occasion)) {
        let message = format!("`{}` is about no table, so with `tables` it is never heard", occasion.word());
        let finding = if are_all {
            Finding::error("contradiction", *place, message).help("leave `tables` out")
        } else {
            Finding::warning("no-effect", *place, message).help("give it an alert of its own")
        };
        table.findings().add(finding);
    }
}

/// Whether what happened is known to be about tables.
fn is_about_a_statement(occasion: Occasion) -> bool {
    match occasion {
        Occasion::Refused | Occasion::Blocked | Occasion::Limited | Occasion::Statement => true,
        Occasion::LoginRefused | Occasion::Leak | Occasion::AuditFailed => false,
    }
}
