//! The tables of `information_schema`, by lower-case name.

use std::sync::LazyLock;

use super::{About, SettingRule, SystemColumns, SystemRule, SystemView, variable_rules};
use SystemColumns::{All, Except, Only};

/// How a table of `information_schema` appears.
pub(super) fn view(name: &str) -> SystemView {
    if OPEN.split_ascii_whitespace().any(|open| open == name) {
        return SystemView::Open;
    }
    if matches!(name, "session_variables" | "global_variables") {
        return SystemView::Replaced(&VARIABLES);
    }
    let found = REPLACED.iter().find(|(names, _)| names.split_ascii_whitespace().any(|replaced| replaced == name));
    match found {
        Some((_, rule)) => SystemView::Replaced(rule),
        None => SystemView::Refused("it shows other sessions, the server's files, or counts and values of hidden rows"),
    }
}

/// What the server can do, and spatial reference systems.
const OPEN: &str = "
    administrable_role_authorizations all_plugins applicable_roles character_sets collation_character_set_applicability
    collations enabled_roles engines keywords plugins spatial_ref_sys sql_functions st_spatial_reference_systems
    st_units_of_measure user_privileges";

/// A rule that only leaves out rows.
const fn about(about: &'static [About]) -> SystemRule {
    SystemRule { columns: All, filter: None, about }
}

const TABLE: &[About] = &[About::Names("TABLE_SCHEMA", "TABLE_NAME")];

const REPLACED: &[(&str, SystemRule)] = &[
    (
        "column_privileges columns columns_extensions key_period_usage periods role_column_grants role_table_grants \
         st_geometry_columns table_constraints table_privileges tables_extensions",
        about(TABLE),
    ),
    (
        "check_constraints",
        SystemRule {
            columns: Except(&[("CHECK_CLAUSE", "NULL")]),
            filter: None,
            about: &[About::Schema("CONSTRAINT_SCHEMA")],
        },
    ),
    (
        "events",
        SystemRule {
            columns: Except(&[("EVENT_DEFINITION", "NULL")]),
            filter: None,
            about: &[About::Schema("EVENT_SCHEMA")],
        },
    ),
    ("geometry_columns", about(&[About::Names("G_TABLE_SCHEMA", "G_TABLE_NAME")])),
    (
        "key_column_usage",
        about(&[
            About::Names("TABLE_SCHEMA", "TABLE_NAME"),
            About::Names("REFERENCED_TABLE_SCHEMA", "REFERENCED_TABLE_NAME"),
        ]),
    ),
    ("parameters", about(&[About::Schema("SPECIFIC_SCHEMA")])),
    // Sizes and times of change tell of rows that the role cannot see.
    (
        "partitions",
        SystemRule {
            columns: Except(&[
                ("TABLE_ROWS", "NULL"),
                ("AVG_ROW_LENGTH", "NULL"),
                ("DATA_LENGTH", "NULL"),
                ("INDEX_LENGTH", "NULL"),
                ("DATA_FREE", "NULL"),
                ("UPDATE_TIME", "NULL"),
                ("CHECK_TIME", "NULL"),
                ("CHECKSUM", "NULL"),
            ]),
            filter: None,
            about: TABLE,
        },
    ),
    // One's own session only, without statement text.
    (
        "processlist",
        SystemRule {
            columns: Only(&["ID", "USER", "DB", "COMMAND", "TIME", "STATE"]),
            filter: Some("ID = CONNECTION_ID()"),
            about: &[],
        },
    ),
    (
        "referential_constraints",
        about(&[
            About::Names("CONSTRAINT_SCHEMA", "TABLE_NAME"),
            About::Names("UNIQUE_CONSTRAINT_SCHEMA", "REFERENCED_TABLE_NAME"),
        ]),
    ),
    ("role_routine_grants", about(&[About::Schema("ROUTINE_SCHEMA")])),
    (
        "routines",
        SystemRule {
            columns: Except(&[("ROUTINE_DEFINITION", "NULL")]),
            filter: None,
            about: &[About::Schema("ROUTINE_SCHEMA")],
        },
    ),
    ("schema_privileges", about(&[About::Schema("TABLE_SCHEMA")])),
    ("schemata schemata_extensions", about(&[About::Schema("SCHEMA_NAME")])),
    ("statistics", SystemRule { columns: Except(&[("CARDINALITY", "NULL")]), filter: None, about: TABLE }),
    (
        "tables",
        SystemRule {
            columns: Except(&[
                ("TABLE_ROWS", "NULL"),
                ("AVG_ROW_LENGTH", "NULL"),
                ("DATA_LENGTH", "NULL"),
                ("INDEX_LENGTH", "NULL"),
                ("DATA_FREE", "NULL"),
                ("AUTO_INCREMENT", "NULL"),
                ("UPDATE_TIME", "NULL"),
                ("CHECK_TIME", "NULL"),
                ("CHECKSUM", "NULL"),
            ]),
            filter: None,
            about: TABLE,
        },
    ),
    (
        "triggers",
        SystemRule {
            columns: Except(&[("ACTION_STATEMENT", "NULL"), ("ACTION_CONDITION", "NULL")]),
            filter: None,
            about: &[About::Names("EVENT_OBJECT_SCHEMA", "EVENT_OBJECT_TABLE")],
        },
    ),
    ("view_routine_usage", about(&[About::Names("TABLE_SCHEMA", "TABLE_NAME"), About::Schema("SPECIFIC_SCHEMA")])),
    (
        "view_table_usage",
        about(&[About::Names("VIEW_SCHEMA", "VIEW_NAME"), About::Names("TABLE_SCHEMA", "TABLE_NAME")]),
    ),
    ("views", SystemRule { columns: Except(&[("VIEW_DEFINITION", "NULL")]), filter: None, about: TABLE }),
];

/// Only variables that may be read.
static VARIABLES: LazyLock<SystemRule> =
    LazyLock::new(|| SystemRule { columns: All, filter: Some(&VARIABLES_FILTER), about: &[] });

static VARIABLES_FILTER: LazyLock<String> = LazyLock::new(|| {
    let mut names: Vec<String> = variable_rules()
        .iter()
        .filter(|(_, rule): &(_, SettingRule)| rule.may_read())
        .map(|(name, _)| format!("'{name}'"))
        .collect();
    names.sort_unstable();
    format!("LOWER(VARIABLE_NAME) IN ({})", names.join(", "))
});
