//! Tables and views with everything that belongs to them.

use foldhash::HashMap;

use super::types::Types;
use super::{CatalogError, number, sql, text};
use crate::catalog::{CheckOption, Column, ForeignKey, KeyAction, Relation, RelationKind, SnapshotBuilder, TypeClass};
use crate::mysql::upstream::{Row, Rows, Upstream};
use crate::sql::mysql::Flavour;

/// Database and table.
type TableName = (Box<str>, Box<str>);
type ByTable<T> = HashMap<TableName, T>;

/// Reads all tables and views.
pub(super) async fn load(
    upstream: &mut Upstream,
    builder: &mut SnapshotBuilder,
    flavour: Flavour,
) -> Result<(), CatalogError> {
    let mut columns = read_columns(&upstream.query(sql::COLUMNS).await?)?;
    if flavour == Flavour::MariaDb {
        find_json_columns(upstream, &mut columns).await?;
    }
    let mut keys = read_keys(&upstream.query(sql::KEYS).await?)?;
    let mut views = read_views(&upstream.query(sql::VIEWS).await?)?;
    for row in upstream.query(sql::TABLES).await?.iter() {
        const WHAT: &str = "tables";
        let kind = match text(row, 2, WHAT)? {
            "BASE TABLE" | "SYSTEM VERSIONED" | "SYSTEM VIEW" => RelationKind::Table,
            "VIEW" => RelationKind::View,
            "SEQUENCE" => RelationKind::Sequence,
            // A session's own.
            "TEMPORARY" | "TEMPORARY SEQUENCE" => continue,
            _ => return Err(CatalogError::Malformed(WHAT)),
        };
        let name = table_name(row, WHAT)?;
        let (definition, check_option) = views.remove(&name).unwrap_or_default();
        let mut relation = Relation {
            kind,
            columns: columns.remove(&name).unwrap_or_default(),
            definition,
            check_option,
            ..Relation::default()
        };
        add_keys(&mut relation, keys.remove(&name).unwrap_or_default());
        (relation.schema, relation.name) = name;
        builder.relation(relation);
    }
    add_foreign_keys(&upstream.query(sql::FOREIGN_KEYS).await?, builder)
}

/// Each row is one column of a key; those of a key follow each other.
fn add_foreign_keys(rows: &Rows, builder: &mut SnapshotBuilder) -> Result<(), CatalogError> {
    const WHAT: &str = "foreign keys";
    let mut last: Option<(TableName, Box<str>, ForeignKey)> = None;
    for row in rows.iter() {
        let (table, name) = (table_name(row, WHAT)?, text(row, 2, WHAT)?);
        let position = |relation: &Relation, column: &str| {
            relation.columns.iter().position(|known| known.name.eq_ignore_ascii_case(column))
        };
        let Some(child) = builder.named(&table.0, &table.1) else { continue };
        let Some(parent) = builder.named(text(row, 4, WHAT)?, text(row, 5, WHAT)?) else { continue };
        let (column, parent_column) = (position(child, text(row, 3, WHAT)?), position(parent, text(row, 6, WHAT)?));
        let (child, parent) = (child.id, parent.id);
        let continued = last.take_if(|(of, key, _)| *of != table || **key != *name);
        if let Some((_, _, key)) = continued {
            builder.foreign_key(key);
        }
        let (on_delete, on_update) = (key_action(text(row, 7, WHAT)?), key_action(text(row, 8, WHAT)?));
        let (_, _, key) = last.get_or_insert_with(|| {
            let key =
                ForeignKey { child, columns: Vec::new(), parent, parent_columns: Vec::new(), on_delete, on_update };
            (table, name.into(), key)
        });
        key.columns.extend(column);
        key.parent_columns.extend(parent_column);
    }
    if let Some((_, _, key)) = last {
        builder.foreign_key(key);
    }
    Ok(())
}

fn key_action(rule: &str) -> KeyAction {
    match rule {
        "NO ACTION" | "RESTRICT" => KeyAction::Refuse,
        "SET NULL" | "SET DEFAULT" => KeyAction::Set,
        // What else there may be in later versions is taken for the strongest.
        _ => KeyAction::Cascade,
    }
}

fn table_name(row: Row<'_>, what: &'static str) -> Result<TableName, CatalogError> {
    Ok((text(row, 0, what)?.into(), text(row, 1, what)?.into()))
}

/// MariaDB has no type `json`: it is `longtext` in `utf8mb4_bin` with a check.
async fn find_json_columns(upstream: &mut Upstream, columns: &mut ByTable<Vec<Column>>) -> Result<(), CatalogError> {
    const WHAT: &str = "constraints";
    let may_be_json = |column: &Column| &*column.ty.sql == "longtext" && column.ty.collation() == Some("utf8mb4_bin");
    let tables = columns.iter().filter(|(_, list)| list.iter().any(may_be_json));
    let questions = tables.map(|((schema, table), _)| {
        let (schema, table) = (quote(schema), quote(table));
        format!("{} AND constraint_schema = {schema} AND table_name = {table}", sql::JSON_COLUMNS)
    });
    let questions: Vec<String> = questions.collect();
    // Statements of bounded length.
    for some in questions.chunks(100) {
        for row in upstream.query(&some.join(" UNION ALL ")).await?.iter() {
            let Some(list) = columns.get_mut(&table_name(row, WHAT)?) else { continue };
            let name = text(row, 2, WHAT)?;
            let json = list.iter_mut().filter(|column| *column.name == *name && may_be_json(column));
            json.for_each(|column| column.ty.class = TypeClass::Json);
        }
    }
    Ok(())
}

/// A string as the session, whose `sql_mode` is empty, reads it.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

fn read_columns(rows: &Rows) -> Result<ByTable<Vec<Column>>, CatalogError> {
    const WHAT: &str = "columns";
    let mut columns: ByTable<Vec<Column>> = HashMap::default();
    let mut types = Types::default();
    // Columns of a table come together, so most look-ups are of the table before.
    let mut last: Option<(TableName, Vec<Column>)> = None;
    for row in rows.iter() {
        let (schema, table) = (text(row, 0, WHAT)?, text(row, 1, WHAT)?);
        let column = Column {
            name: text(row, 3, WHAT)?.into(),
            number: number(row, 2, WHAT)?,
            ty: types.column(text(row, 4, WHAT)?, text(row, 5, WHAT)?, row.get(7)),
            not_null: text(row, 6, WHAT)? == "NO",
            generated: row.get(8).map(Into::into),
        };
        match &mut last {
            Some((owner, columns_of)) if *owner.0 == *schema && *owner.1 == *table => columns_of.push(column),
            _ => {
                if let Some((owner, columns_of)) = last.take() {
                    columns.entry(owner).or_default().extend(columns_of);
                }
                last = Some(((schema.into(), table.into()), vec![column]));
            }
        }
    }
    if let Some((owner, columns_of)) = last {
        columns.entry(owner).or_default().extend(columns_of);
    }
    for list in columns.values_mut() {
        list.sort_by_key(|column| column.number);
    }
    Ok(columns)
}

/// A key's columns with their places; `None` for an expression or a prefix of a column.
type Keys = HashMap<Box<str>, Vec<(u32, Option<Box<str>>)>>;

fn read_keys(rows: &Rows) -> Result<ByTable<Keys>, CatalogError> {
    const WHAT: &str = "keys";
    let mut keys: ByTable<Keys> = HashMap::default();
    for row in rows.iter() {
        let column = row.get(4).filter(|_| row.get(5).is_none()).map(Into::into);
        let key = keys.entry(table_name(row, WHAT)?).or_default().entry(text(row, 2, WHAT)?.into()).or_default();
        key.push((number(row, 3, WHAT)?, column));
    }
    Ok(keys)
}

fn add_keys(relation: &mut Relation, keys: Keys) {
    let mut keys: Vec<_> = keys.into_iter().collect();
    keys.sort_unstable();
    for (name, mut parts) in keys {
        parts.sort_unstable();
        let places = parts.iter().map(|(_, column)| relation.column(column.as_deref()?));
        let Some(places) = places.collect::<Option<Vec<usize>>>() else {
            relation.unique_by_parts = true;
            continue;
        };
        if &*name == "PRIMARY" {
            relation.primary_key.clone_from(&places);
        }
        relation.unique.push(places);
    }
}

type View = (Option<Box<str>>, Option<CheckOption>);

fn read_views(rows: &Rows) -> Result<ByTable<View>, CatalogError> {
    const WHAT: &str = "views";
    let mut views: ByTable<View> = HashMap::default();
    for row in rows.iter() {
        let check_option = match row.get(3) {
            None | Some("NONE") => None,
            Some("LOCAL") => Some(CheckOption::Local),
            // What else there may be in later versions is no weaker.
            Some(_) => Some(CheckOption::Cascaded),
        };
        // The account may lack the right to see the query.
        views.insert(table_name(row, WHAT)?, (row.get(2).map(Into::into), check_option));
    }
    Ok(views)
}
