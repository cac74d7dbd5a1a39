//! The views of `information_schema`.

use super::{About, SystemColumns, SystemRule, SystemView};
use SystemColumns::{All, Except};

/// How a view of `information_schema` appears; `None` where it is in no list.
pub(super) fn view(name: &str) -> Option<SystemView> {
    if OPEN.split_ascii_whitespace().any(|open| open == name) {
        return Some(SystemView::Open);
    }
    let found = REPLACED.iter().find(|(names, _)| names.split_ascii_whitespace().any(|replaced| replaced == name));
    if let Some((_, rule)) = found {
        return Some(SystemView::Replaced(rule));
    }
    REFUSED.split_ascii_whitespace().any(|refused| refused == name).then_some(SystemView::Refused(REASON))
}

/// Facts about the server and the standard, and names of roles.
const OPEN: &str = "
    administrable_role_authorizations applicable_roles character_sets collation_character_set_applicability collations
    enabled_roles information_schema_catalog_name sql_features sql_implementation_info sql_packages sql_parts sql_sizing
    sql_sizing_profiles transforms";

const fn about(about: &'static [About]) -> SystemRule {
    SystemRule { columns: All, filter: None, about }
}

const REPLACED: &[(&str, SystemRule)] = &[
    (
        "column_column_usage column_privileges columns constraint_column_usage constraint_table_usage key_column_usage \
         role_column_grants role_table_grants table_constraints table_privileges tables",
        about(&[About::Names("table_schema", "table_name")]),
    ),
    ("column_domain_usage column_udt_usage", about(&[About::Names("table_schema", "table_name")])),
    // Of objects of several kinds only tables' are listed.
    ("data_type_privileges element_types", about(&[About::Names("object_schema", "object_name")])),
    ("foreign_tables", about(&[About::Names("foreign_table_schema", "foreign_table_name")])),
    ("sequences", about(&[About::Names("sequence_schema", "sequence_name")])),
    ("triggered_update_columns", about(&[About::Names("event_object_schema", "event_object_table")])),
    (
        "triggers",
        SystemRule {
            columns: Except(&[("action_statement", "NULL"), ("action_condition", "NULL")]),
            filter: None,
            about: &[About::Names("event_object_schema", "event_object_table")],
        },
    ),
    (
        "view_column_usage view_table_usage",
        about(&[About::Names("view_schema", "view_name"), About::Names("table_schema", "table_name")]),
    ),
    ("view_routine_usage", about(&[About::Names("table_schema", "table_name"), About::Schema("specific_schema")])),
    (
        "views",
        SystemRule {
            columns: Except(&[("view_definition", "NULL")]),
            filter: None,
            about: &[About::Names("table_schema", "table_name")],
        },
    ),
    // Named by schema alone.
    ("attributes role_udt_grants udt_privileges", about(&[About::Schema("udt_schema")])),
    ("check_constraints referential_constraints", about(&[About::Schema("constraint_schema")])),
    ("domain_constraints domain_udt_usage domains", about(&[About::Schema("domain_schema")])),
    ("parameters role_routine_grants routine_privileges", about(&[About::Schema("specific_schema")])),
    ("role_usage_grants usage_privileges", about(&[About::Schema("object_schema")])),
    (
        "routines",
        SystemRule {
            columns: Except(&[("routine_definition", "NULL")]),
            filter: None,
            about: &[About::Schema("specific_schema")],
        },
    ),
    ("schemata", about(&[About::Schema("schema_name")])),
    ("user_defined_types", about(&[About::Schema("user_defined_type_schema")])),
];

const REASON: &str = "it shows what functions read, or options of foreign servers";
const REFUSED: &str = "
    _pg_foreign_data_wrappers _pg_foreign_servers _pg_foreign_table_columns _pg_foreign_tables _pg_user_mappings
    check_constraint_routine_usage column_options foreign_data_wrapper_options foreign_data_wrappers foreign_server_options
    foreign_servers foreign_table_options routine_column_usage routine_routine_usage routine_sequence_usage
    routine_table_usage user_mapping_options user_mappings";
