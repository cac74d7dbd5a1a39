//! Relations with everything that belongs to them.

use std::sync::Arc;

use foldhash::HashMap;

use super::types::{Extras, Types};
use super::{CatalogError, Shared, flag, number, sql, text};
use crate::catalog::{
    CheckOption, Column, ForeignKey, ForeignSource, Index, KeyAction, Relation, RelationId, RelationKind,
    SnapshotBuilder,
};
use crate::pg::upstream::{Row, Rows, Upstream};

/// Reads all relations.
pub(super) async fn load(
    upstream: &mut Upstream,
    builder: &mut SnapshotBuilder,
    types: &Types,
) -> Result<(), CatalogError> {
    let mut columns = read_columns(&upstream.query(sql::COLUMNS).await?, types)?;
    let mut shared = Shared::default();
    for row in upstream.query(sql::RELATIONS).await?.iter() {
        let mut relation = read_relation(row, &mut shared)?;
        relation.columns = columns.remove(&relation.oid).unwrap_or_default();
        builder.relation(relation);
    }
    add_parents(&upstream.query(sql::PARENTS).await?, builder)?;
    add_indexes(&upstream.query(sql::INDEXES).await?, builder)?;
    add_foreign_keys(&upstream.query(sql::FOREIGN_KEYS).await?, builder)?;
    for row in upstream.query(sql::DEFINITIONS).await?.iter() {
        // A view that was dropped meanwhile has no definition.
        let Some(definition) = row.get(1) else { continue };
        if let Some(view) = find(builder, number(row, 0, "views")?) {
            view.definition = Some(definition.trim().trim_end_matches(';').into());
        }
    }
    for row in upstream.query(sql::FOREIGN).await?.iter() {
        let source = read_foreign(row, &mut shared)?;
        if let Some(table) = find(builder, number(row, 0, "foreign tables")?) {
            table.foreign = Some(Box::new(source));
        }
    }
    Ok(())
}

fn find(builder: &mut SnapshotBuilder, oid: u32) -> Option<&mut Relation> {
    let id = builder.id_of(oid)?;
    builder.relation_mut(id)
}

fn read_columns(rows: &Rows, types: &Types) -> Result<HashMap<u32, Vec<Column>>, CatalogError> {
    const WHAT: &str = "columns";
    let mut columns: HashMap<u32, Vec<Column>> = HashMap::default();
    let mut extras = Extras::default();
    for row in rows.iter() {
        let collation = row.get(5).map(|_| number(row, 5, WHAT)).transpose()?;
        let column = Column {
            number: number(row, 1, WHAT)?,
            name: text(row, 2, WHAT)?.into(),
            ty: types.column(number(row, 3, WHAT)?, number(row, 4, WHAT)?, collation, &mut extras)?,
            not_null: flag(row, 6),
            generated: row.get(7).map(Into::into),
        };
        columns.entry(number(row, 0, WHAT)?).or_default().push(column);
    }
    Ok(columns)
}

fn read_relation(row: Row<'_>, shared: &mut Shared) -> Result<Relation, CatalogError> {
    const WHAT: &str = "relations";
    let kind = match text(row, 3, WHAT)? {
        "r" => RelationKind::Table,
        "p" => RelationKind::PartitionedTable,
        "v" => RelationKind::View,
        "m" => RelationKind::MaterializedView,
        "f" => RelationKind::ForeignTable,
        "S" => RelationKind::Sequence,
        _ => return Err(CatalogError::Malformed(WHAT)),
    };
    let check_option = match row.get(5) {
        None => None,
        Some("local") => Some(CheckOption::Local),
        // What else there may be in later versions is no weaker.
        Some(_) => Some(CheckOption::Cascaded),
    };
    Ok(Relation {
        oid: number(row, 0, WHAT)?,
        schema: text(row, 1, WHAT)?.into(),
        name: text(row, 2, WHAT)?.into(),
        kind,
        security_barrier: flag(row, 4),
        check_option,
        extension: row.get(6).map(|name| shared.share(name)),
        ..Relation::default()
    })
}

fn add_parents(rows: &Rows, builder: &mut SnapshotBuilder) -> Result<(), CatalogError> {
    for row in rows.iter() {
        let parent: Option<RelationId> = builder.id_of(number(row, 1, "parents")?);
        // Partitioned indexes have parents too.
        if let (Some(parent), Some(child)) = (parent, find(builder, number(row, 0, "parents")?)) {
            child.parents.push(parent);
        }
    }
    Ok(())
}

fn add_indexes(rows: &Rows, builder: &mut SnapshotBuilder) -> Result<(), CatalogError> {
    const WHAT: &str = "indexes";
    for row in rows.iter() {
        let Some(table) = find(builder, number(row, 0, WHAT)?) else { continue };
        table.indexes.push(Index { oid: number(row, 1, WHAT)?, name: text(row, 6, WHAT)?.into() });
        if !flag(row, 3) {
            continue;
        }
        let keys = text(row, 5, WHAT)?.split_ascii_whitespace().take(number(row, 4, WHAT)?);
        let key = keys.map(|number| {
            let number: i16 = number.parse().map_err(|_| CatalogError::Malformed(WHAT))?;
            Ok(table.columns.iter().position(|column| column.number == number))
        });
        // A key over a system column names no column of ours.
        let Some(key) = key.collect::<Result<Option<Vec<usize>>, CatalogError>>()? else { continue };
        if flag(row, 2) {
            table.primary_key.clone_from(&key);
        }
        table.unique.push(key);
    }
    Ok(())
}

fn add_foreign_keys(rows: &Rows, builder: &mut SnapshotBuilder) -> Result<(), CatalogError> {
    const WHAT: &str = "foreign keys";
    for row in rows.iter() {
        let Some((child, columns)) = key_columns(builder, number(row, 0, WHAT)?, text(row, 1, WHAT)?) else { continue };
        let Some((parent, parent_columns)) = key_columns(builder, number(row, 2, WHAT)?, text(row, 3, WHAT)?) else {
            continue;
        };
        let [on_delete, on_update] = [text(row, 4, WHAT)?, text(row, 5, WHAT)?].map(|action| match action {
            "a" | "r" => KeyAction::Refuse,
            "n" | "d" => KeyAction::Set,
            // What else there may be in later versions is taken for the strongest.
            _ => KeyAction::Cascade,
        });
        builder.foreign_key(ForeignKey { child, columns, parent, parent_columns, on_delete, on_update });
    }
    Ok(())
}

fn key_columns(builder: &mut SnapshotBuilder, oid: u32, numbers: &str) -> Option<(RelationId, Vec<usize>)> {
    let table = find(builder, oid)?;
    let position = |number: &str| table.columns.iter().position(|column| column.number.to_string() == number);
    Some((table.id, numbers.split_ascii_whitespace().filter_map(position).collect()))
}

fn read_foreign(row: Row<'_>, shared: &mut Shared) -> Result<ForeignSource, CatalogError> {
    const WHAT: &str = "foreign tables";
    let pairs: Vec<(Arc<str>, Arc<str>)> = match row.get(3) {
        None => Vec::new(),
        Some(json) => {
            let pairs: Vec<(String, String)> = serde_json::from_str(json).map_err(|_| CatalogError::Malformed(WHAT))?;
            pairs.iter().map(|(name, value)| (shared.share(name), shared.share(value))).collect()
        }
    };
    Ok(ForeignSource {
        wrapper: shared.share(text(row, 1, WHAT)?),
        server: shared.share(text(row, 2, WHAT)?),
        options: pairs,
    })
}
