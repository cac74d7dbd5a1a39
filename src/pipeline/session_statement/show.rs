//! MySQL's SHOW and DESCRIBE: answered from what the role may see.

use std::fmt::Write;

use super::super::set_config::Source;
use super::super::verdict::Effect;
use super::super::virtual_database::{Settings, VirtualDatabase};
use super::{Course, show_condition};
use crate::catalog::known;
use crate::catalog::{Relation, RelationKind};
use crate::policy::{Treatment, Verb};
use crate::resolve::{Refusal, Rules};
use crate::sql::Engine;
use crate::sql::ast::{ObjectName, Show};

/// Columns of SHOW INDEX and where `information_schema.statistics` has them; how many values an index has is hidden.
const INDEX_COLUMNS: &str = "TABLE_NAME AS `Table`, NON_UNIQUE AS `Non_unique`, INDEX_NAME AS `Key_name`, \
    SEQ_IN_INDEX AS `Seq_in_index`, COLUMN_NAME AS `Column_name`, COLLATION AS `Collation`, NULL AS `Cardinality`, \
    SUB_PART AS `Sub_part`, NULL AS `Packed`, NULLABLE AS `Null`, INDEX_TYPE AS `Index_type`, COMMENT AS `Comment`, \
    INDEX_COMMENT AS `Index_comment`";

/// Columns of SHOW TABLE STATUS and where `information_schema.tables` has them.
const STATUS_COLUMNS: &str = "TABLE_NAME AS `Name`, ENGINE AS `Engine`, VERSION AS `Version`, \
    ROW_FORMAT AS `Row_format`, NULL AS `Rows`, NULL AS `Avg_row_length`, NULL AS `Data_length`, \
    NULL AS `Max_data_length`, NULL AS `Index_length`, NULL AS `Data_free`, NULL AS `Auto_increment`, \
    CREATE_TIME AS `Create_time`, NULL AS `Update_time`, NULL AS `Check_time`, TABLE_COLLATION AS `Collation`, \
    NULL AS `Checksum`, CREATE_OPTIONS AS `Create_options`, TABLE_COMMENT AS `Comment`";

const TRIGGER_COLUMNS: &[&str] = &[
    "Trigger",
    "Event",
    "Table",
    "Statement",
    "Timing",
    "Created",
    "sql_mode",
    "Definer",
    "character_set_client",
    "collation_connection",
    "Database Collation",
];
const EVENT_COLUMNS: &[&str] = &[
    "Db",
    "Name",
    "Definer",
    "Time zone",
    "Type",
    "Execute at",
    "Interval value",
    "Interval field",
    "Starts",
    "Ends",
    "Status",
    "Originator",
    "character_set_client",
    "collation_connection",
    "Database Collation",
];
const ROUTINE_COLUMNS: &[&str] = &[
    "Db",
    "Name",
    "Type",
    "Definer",
    "Modified",
    "Created",
    "Security_type",
    "Comment",
    "character_set_client",
    "collation_connection",
    "Database Collation",
];

/// Decides about SHOW.
pub(super) fn course(
    database: &VirtualDatabase,
    settings: &Settings,
    source: Source<'_>,
    show: &Show,
) -> Result<Course, Refusal> {
    if database.engine() != Engine::MySql {
        return Err(Refusal::unsupported("this is no statement of the server"));
    }
    let condition = show.filter.as_ref().map(|filter| show_condition::written(source, filter)).transpose()?;
    let condition = condition.as_deref();
    let sql = match &*show.what {
        "DATABASES" => databases(database, show)?,
        "TABLES" => tables(database, settings, show)?,
        "COLUMNS" => columns(database, settings, show, condition)?,
        "INDEX" => indexes(database, settings, show)?,
        "CREATE TABLE" => create_table(database, settings, show)?,
        "CREATE VIEW" => create_view(database, relation(database, settings, show.object.as_ref(), show)?)?,
        "TABLE STATUS" => table_status(database, settings, show)?,
        "PROCESSLIST" => own_process(database),
        "GRANTS" => grants(database),
        "VARIABLES" => variables(show, condition, "VARIABLES", known::mysql::readable_variables())?,
        "STATUS" => variables(show, condition, "STATUS", status_names())?,
        // Messages quote values, counts tell of hidden rows.
        "WARNINGS" | "ERRORS" => "SELECT 'Note' AS `Level`, 0 AS `Code`, '' AS `Message` FROM DUAL WHERE FALSE".into(),
        "COUNT WARNINGS" => "SELECT 0 AS `@@session.warning_count`".into(),
        "COUNT ERRORS" => "SELECT 0 AS `@@session.error_count`".into(),
        "ENGINES" => "SHOW ENGINES".to_owned(),
        "COLLATION" | "CHARACTER SET" => like(&format!("SHOW {}", show.what), show, condition)?,
        "PLUGINS" => "SHOW PLUGINS".to_owned(),
        "CREATE DATABASE" => create_database(database, show)?,
        "TRIGGERS" => nothing(TRIGGER_COLUMNS),
        "EVENTS" => nothing(EVENT_COLUMNS),
        "PROCEDURE STATUS" | "FUNCTION STATUS" | "PACKAGE STATUS" => nothing(ROUTINE_COLUMNS),
        other => {
            return Err(Refusal::unsupported(format!(
                "`SHOW {other}` is not allowed for role `{}`",
                database.role().name
            ))
            .advise("read `information_schema`"));
        }
    };
    let sql = match condition {
        // In the order in which SHOW gives its rows.
        Some(condition) if sql.starts_with("SELECT") => {
            format!("SELECT * FROM ({sql} LIMIT 18446744073709551615) AS sekisho_show WHERE {condition}")
        }
        _ => sql,
    };
    Ok(Course::Instead { sql, effect: Effect::None })
}

/// What holds code is not listed.
fn nothing(columns: &[&str]) -> String {
    let columns: Vec<String> = columns.iter().map(|column| format!("{} AS `{column}`", hex(""))).collect();
    format!("SELECT {} FROM DUAL WHERE FALSE", columns.join(", "))
}

fn create_database(database: &VirtualDatabase, show: &Show) -> Result<String, Refusal> {
    let name = show.database.as_ref().map(|name| &*name.value).unwrap_or_default();
    if !database.sees_schema(name) {
        return Err(Refusal::with_state("42000", format!("unknown database `{name}`")));
    }
    let text = format!("CREATE DATABASE {}", Engine::MySql.quote_identifier(name));
    Ok(format!("SELECT {} AS `Database`, {} AS `Create Database`", hex(name), hex(&text)))
}

/// A statement with the pattern or the condition of the original.
fn like(sql: &str, show: &Show, condition: Option<&str>) -> Result<String, Refusal> {
    Ok(match (pattern(show)?, condition) {
        (Some(pattern), _) => format!("{sql} LIKE {pattern}"),
        (None, Some(condition)) => format!("{sql} WHERE {condition}"),
        (None, None) => sql.to_owned(),
    })
}

/// The literal of LIKE, as it was written and read.
fn pattern(show: &Show) -> Result<Option<String>, Refusal> {
    match (&show.pattern, &show.pattern_text) {
        (None, _) => Ok(None),
        (Some(_), Some(text)) => Ok(Some(hex(text))),
        (Some(pattern), None) => {
            Err(Refusal::unsupported("this pattern is not understood").at(Some(pattern.tokens.start)))
        }
    }
}

/// A string that reads the same in every `sql_mode`.
pub(super) fn hex(text: &str) -> String {
    if text.is_empty() {
        return "_utf8mb4 ''".to_owned();
    }
    let mut literal = String::from("_utf8mb4 0x");
    for byte in text.bytes() {
        let _ = write!(literal, "{byte:02x}");
    }
    literal
}

fn databases(database: &VirtualDatabase, show: &Show) -> Result<String, Refusal> {
    let mut names: Vec<String> = database.visible_schemas().map(hex).collect();
    names.push(hex("information_schema"));
    let sql = format!(
        "SELECT SCHEMA_NAME AS `Database` FROM information_schema.SCHEMATA WHERE SCHEMA_NAME IN ({})",
        names.join(", ")
    );
    let pattern = pattern(show)?.map(|pattern| format!(" AND SCHEMA_NAME LIKE {pattern}")).unwrap_or_default();
    Ok(format!("{sql}{pattern} ORDER BY SCHEMA_NAME"))
}

fn schema_of(settings: &Settings, named: Option<&str>) -> Result<Box<str>, Refusal> {
    let current = settings.search_path.as_ref().and_then(|path| path.first().cloned());
    named
        .map(Into::into)
        .or(current)
        .ok_or_else(|| Refusal::with_state("3D000", "no database selected").advise("name it, or `USE` it"))
}

fn tables(database: &VirtualDatabase, settings: &Settings, show: &Show) -> Result<String, Refusal> {
    let schema = schema_of(settings, show.database.as_ref().map(|name| &*name.value))?;
    let names: Vec<String> = database.visible_relations(&schema).map(|relation| hex(&relation.name)).collect();
    let label = Engine::MySql.quote_identifier(&format!("Tables_in_{schema}"));
    let full = show.modifiers.iter().any(|modifier| **modifier == *"FULL");
    let pattern = pattern(show)?.map(|pattern| format!(" AND TABLE_NAME LIKE {pattern}")).unwrap_or_default();
    Ok(format!(
        "SELECT TABLE_NAME AS {label}{} FROM information_schema.TABLES WHERE TABLE_SCHEMA = {} AND TABLE_NAME IN ({}){pattern} \
         ORDER BY TABLE_NAME",
        if full { ", TABLE_TYPE AS `Table_type`" } else { "" },
        hex(&schema),
        if names.is_empty() { "NULL".to_owned() } else { names.join(", ") },
    ))
}

/// The relation that a SHOW is about, if the role can see it.
fn relation<'d>(
    database: &'d VirtualDatabase,
    settings: &Settings,
    object: Option<&ObjectName>,
    show: &Show,
) -> Result<&'d Relation, Refusal> {
    let object = object.ok_or_else(|| Refusal::unsupported("the table is missing"))?;
    let named = object.qualifier().or(show.database.as_ref()).map(|name| &*name.value);
    let schema = schema_of(settings, named)?;
    let name = object.object().map(|name| &*name.value).unwrap_or_default();
    let found = database.snapshot().find(&schema, name);
    let found = found.filter(|relation| !database.rules().access(relation).verbs.is_empty());
    found.ok_or_else(|| {
        Refusal::undefined_table(format!("table `{schema}.{name}` does not exist")).at(Some(object.tokens.start))
    })
}

fn full_name(relation: &Relation) -> String {
    crate::rewrite::derived::qualified(Engine::MySql, relation)
}

fn columns(
    database: &VirtualDatabase,
    settings: &Settings,
    show: &Show,
    condition: Option<&str>,
) -> Result<String, Refusal> {
    let relation = relation(database, settings, show.object.as_ref(), show)?;
    let access = database.rules().access(relation);
    let denied = relation.columns.iter().zip(&access.columns).filter(|(_, c)| c.treatment == Treatment::Denied);
    let denied: Vec<String> = denied.map(|(column, _)| hex(&column.name)).collect();
    let full = if show.modifiers.iter().any(|modifier| **modifier == *"FULL") { "FULL " } else { "" };
    let pattern = pattern(show)?.map(|pattern| format!("Field LIKE {pattern}"));
    let mut conditions: Vec<String> = pattern.into_iter().chain(condition.map(str::to_owned)).collect();
    if !denied.is_empty() {
        conditions.push(format!("Field NOT IN ({})", denied.join(", ")));
    }
    let filter = if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
    Ok(format!("SHOW {full}COLUMNS FROM {}{filter}", full_name(relation)))
}

fn indexes(database: &VirtualDatabase, settings: &Settings, show: &Show) -> Result<String, Refusal> {
    if show.pattern.is_some() {
        return Err(Refusal::unsupported("`SHOW INDEX … LIKE` is not allowed").advise("use `WHERE`"));
    }
    let relation = relation(database, settings, show.object.as_ref(), show)?;
    let access = database.rules().access(relation);
    let denied = relation.columns.iter().zip(&access.columns).filter(|(_, c)| c.treatment == Treatment::Denied);
    let denied: Vec<String> = denied.map(|(column, _)| hex(&column.name)).collect();
    let hidden =
        if denied.is_empty() { String::new() } else { format!(" AND COLUMN_NAME NOT IN ({})", denied.join(", ")) };
    Ok(format!(
        "SELECT {INDEX_COLUMNS} FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = {} AND TABLE_NAME = {}{hidden} \
         ORDER BY INDEX_NAME, SEQ_IN_INDEX",
        hex(&relation.schema),
        hex(&relation.name)
    ))
}

/// A definition names every column and tells the next `AUTO_INCREMENT`, which counts hidden rows;
/// masks change neither.
fn create_table(database: &VirtualDatabase, settings: &Settings, show: &Show) -> Result<String, Refusal> {
    let relation = relation(database, settings, show.object.as_ref(), show)?;
    let access = database.rules().access(relation);
    if relation.kind == RelationKind::View {
        return create_view(database, relation);
    }
    let whole = access.filters.is_empty() && access.columns.iter().all(|c| c.treatment != Treatment::Denied);
    if whole && relation.definition.is_none() {
        return Ok(format!("SHOW CREATE TABLE {}", full_name(relation)));
    }
    Err(hidden_definition(database, relation))
}

fn hidden_definition(database: &VirtualDatabase, relation: &Relation) -> Refusal {
    let role = &database.role().name;
    Refusal::forbidden(format!(
        "the definition of `{}.{}` is not shown to role `{role}`",
        relation.schema, relation.name
    ))
    .advise("use `SHOW COLUMNS`")
}

/// A view's query, where the role may read everything in it as it is; without the account that made it.
fn create_view(database: &VirtualDatabase, view: &Relation) -> Result<String, Refusal> {
    let rules = database.rules();
    let query = view.definition.as_deref().filter(|_| rules.access(view).is_plain());
    let expanded = query.and_then(|_| rules.expand(view).ok()).filter(|expanded| expanded.is_plain());
    let reads_all = expanded
        .is_some_and(|expanded| expanded.resolved.relations.iter().all(|used| used.access.verbs.contains(Verb::Read)));
    let Some(query) = query.filter(|_| reads_all) else { return Err(hidden_definition(database, view)) };
    let text = format!("CREATE VIEW {} AS {query}", full_name(view));
    Ok(format!(
        "SELECT {} AS `View`, {} AS `Create View`, 'utf8mb4' AS `character_set_client`, \
         @@collation_connection AS `collation_connection`",
        hex(&view.name),
        hex(&text)
    ))
}

/// Numbers that count hidden rows are left out.
fn table_status(database: &VirtualDatabase, settings: &Settings, show: &Show) -> Result<String, Refusal> {
    let schema = schema_of(settings, show.database.as_ref().map(|name| &*name.value))?;
    let names: Vec<String> = database.visible_relations(&schema).map(|relation| hex(&relation.name)).collect();
    let pattern = pattern(show)?.map(|pattern| format!(" AND TABLE_NAME LIKE {pattern}")).unwrap_or_default();
    Ok(format!(
        "SELECT {STATUS_COLUMNS} FROM information_schema.TABLES WHERE TABLE_SCHEMA = {} AND TABLE_NAME IN ({}){pattern} \
         ORDER BY TABLE_NAME",
        hex(&schema),
        if names.is_empty() { "NULL".to_owned() } else { names.join(", ") },
    ))
}

/// The session itself.
fn own_process(database: &VirtualDatabase) -> String {
    format!(
        "SELECT CONNECTION_ID() AS `Id`, {} AS `User`, '' AS `Host`, DATABASE() AS `db`, 'Query' AS `Command`, \
         0 AS `Time`, '' AS `State`, 'SHOW PROCESSLIST' AS `Info`",
        hex(&database.person().user)
    )
}

/// What the role may do is in the rules, of which the server knows nothing.
fn grants(database: &VirtualDatabase) -> String {
    let user = &database.person().user;
    let account = format!("{}@`%`", Engine::MySql.quote_identifier(user));
    let label = Engine::MySql.quote_identifier(&format!("Grants for {user}@%"));
    format!("SELECT {} AS {label}", hex(&format!("GRANT USAGE ON *.* TO {account}")))
}

fn status_names() -> impl Iterator<Item = &'static str> {
    known::mysql::HARMLESS_STATUS.iter().copied().chain(["ssl_cipher", "ssl_version", "ssl_server_not_after"])
}

fn variables<'n>(
    show: &Show,
    condition: Option<&str>,
    what: &str,
    names: impl Iterator<Item = &'n str>,
) -> Result<String, Refusal> {
    if show.modifiers.iter().any(|modifier| **modifier == *"GLOBAL") && what == "STATUS" {
        return Err(Refusal::unsupported("`SHOW GLOBAL STATUS` is not allowed"));
    }
    let names: Vec<String> = names.map(hex).collect();
    let pattern = pattern(show)?.map(|pattern| format!(" AND Variable_name LIKE {pattern}")).unwrap_or_default();
    let condition = condition.map(|condition| format!(" AND {condition}")).unwrap_or_default();
    let scope = show.modifiers.first().map(|modifier| format!("{modifier} ")).unwrap_or_default();
    Ok(format!("SHOW {scope}{what} WHERE Variable_name IN ({}){pattern}{condition}", names.join(", ")))
}
