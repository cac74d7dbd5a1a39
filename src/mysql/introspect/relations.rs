//! Tables and views with everything that belongs to them.

use foldhash::{HashMap, HashSet};

use super::types::Types;
use super::{CatalogError, number, sql, text};
use crate::catalog::{CheckOption, Column, Relation, RelationKind, SnapshotBuilder, TypeClass};
use crate::mysql::upstream::{Row, Rows, Upstream};
use crate::sql::mysql::Flavour;

/// Database and table.
type TableName = (Box<str>, Box<str>);
type ByTable<T> = HashMap<TableName, T>;
/// Database, table and column.
type ColumnNames = HashSet<(Box<str>, Box<str>, Box<str>)>;

/// Reads all tables and views.
pub(super) async fn load(
    upstream: &mut Upstream,
    builder: &mut SnapshotBuilder,
    flavour: Flavour,
) -> Result<(), CatalogError> {
    let json = match flavour {
        Flavour::MariaDb => read_json_columns(&upstream.query(sql::JSON_COLUMNS).await?)?,
        Flavour::MySql => HashSet::default(),
    };
    let mut columns = read_columns(&upstream.query(sql::COLUMNS).await?, &json)?;
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
    Ok(())
}

fn table_name(row: Row<'_>, what: &'static str) -> Result<TableName, CatalogError> {
    Ok((text(row, 0, what)?.into(), text(row, 1, what)?.into()))
}

fn read_json_columns(rows: &Rows) -> Result<ColumnNames, CatalogError> {
    const WHAT: &str = "constraints";
    rows.iter()
        .map(|row| Ok((text(row, 0, WHAT)?.into(), text(row, 1, WHAT)?.into(), text(row, 2, WHAT)?.into())))
        .collect()
}

fn read_columns(rows: &Rows, json: &ColumnNames) -> Result<ByTable<Vec<Column>>, CatalogError> {
    const WHAT: &str = "columns";
    let mut columns: ByTable<Vec<Column>> = HashMap::default();
    let mut types = Types::default();
    // Columns of a table come together, so most look-ups are of the table before.
    let mut last: Option<(TableName, Vec<Column>)> = None;
    for row in rows.iter() {
        let (schema, table, name) = (text(row, 0, WHAT)?, text(row, 1, WHAT)?, text(row, 3, WHAT)?);
        let mut ty = types.column(text(row, 4, WHAT)?, text(row, 5, WHAT)?, row.get(7));
        if ty.class == TypeClass::Text && json.contains(&(schema.into(), table.into(), name.into())) {
            ty.class = TypeClass::Json;
        }
        let column = Column {
            name: name.into(),
            number: number(row, 2, WHAT)?,
            ty,
            not_null: text(row, 6, WHAT)? == "NO",
            generated: row.get(8).map(Into::into),
        };
        match &mut last {
            Some((owner, columns_of)) if *owner.0 == *schema && *owner.1 == *table => columns_of.push(column),
            _ => {
                if let Some((of, list)) = last.take() {
                    columns.entry(of).or_default().extend(list);
                }
                last = Some(((schema.into(), table.into()), vec![column]));
            }
        }
    }
    if let Some((of, list)) = last {
        columns.entry(of).or_default().extend(list);
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
        let Some(places) = places.collect::<Option<Vec<usize>>>() else { continue };
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
