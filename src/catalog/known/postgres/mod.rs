//! PostgreSQL, versions 13 to 18.

mod extensions;
mod functions;
mod information_schema;
mod operators;
mod relations;
mod settings;
mod types;

pub use operators::is_operator;
pub use types::is_type;

use std::sync::LazyLock;

use super::{About, BuiltinRule, Families, SettingRule, SystemColumns, SystemRule, SystemView};

/// What may be done with a function of `pg_catalog`, or with a form of the grammar that looks like one, by name. The
/// caller looks first whether a function of this name that a user made could be meant.
pub fn function(name: &str) -> BuiltinRule {
    static RULES: LazyLock<Families<BuiltinRule>> =
        LazyLock::new(|| Families::new(&[functions::CALLABLE, functions::REFUSED].concat()));
    RULES.get(name).unwrap_or(BuiltinRule::Unknown)
}

/// Whether operators and types of an extension only compute, and its functions that are written in C and promise not to
/// change anything, but for [`is_reading_function`]s.
pub fn extension_computes(extension: &str) -> bool {
    extensions::computes(extension)
}

/// Whether a function of an extension that computes reads what its arguments name nevertheless.
pub fn is_reading_function(function: &str) -> bool {
    extensions::is_exception(function)
}

/// How a relation of `pg_catalog` or `information_schema` appears to restricted roles.
pub fn system_relation(schema: &str, name: &str) -> SystemView {
    let known = match schema {
        "pg_catalog" => relations::view(name),
        "information_schema" => information_schema::view(name),
        _ => None,
    };
    known.unwrap_or(SystemView::Refused("it is not known to show nothing but the catalog"))
}

/// What may be done with a setting by `SET`, `RESET`, `SHOW`, `set_config`, `current_setting` or a startup option.
/// Names have no case.
pub fn setting(name: &str) -> SettingRule {
    static RULES: LazyLock<Families<SettingRule>> = LazyLock::new(|| Families::new(settings::RULES));
    let rule = RULES.get(&name.to_ascii_lowercase());
    rule.unwrap_or(SettingRule::Refused("it is not known to be harmless"))
}

/// The settings that may be read, in lower case.
pub fn readable_settings() -> impl Iterator<Item = &'static str> {
    let readable = settings::RULES.iter().filter(|(rule, _)| rule.may_read());
    readable.flat_map(|(_, names)| names.split_whitespace())
}

/// Whether an operator of `pg_catalog` compares without ever failing, whatever the values, on types that hold plain
/// values: a predicate of it over columns and constants tells nothing about rows that a filter leaves out.
pub fn is_harmless_operator(symbol: &str) -> bool {
    // LIKE is not among them: a pattern that ends in a backslash fails only where a value gets that far.
    matches!(symbol, "=" | "<>" | "!=" | "<" | "<=" | ">" | ">=")
}

#[cfg(test)]
mod tests {
    use super::super::families::check;
    use super::*;

    #[test]
    fn lists_are_sorted_and_name_nothing_twice() {
        check(&[functions::CALLABLE, functions::REFUSED].concat());
        check(settings::RULES);
    }

    #[test]
    fn functions_that_only_compute_are_allowed() {
        for name in ["upper", "now", "count", "row_number", "jsonb_path_query", "generate_series", "coalesce", "md5"] {
            assert_eq!(function(name), BuiltinRule::Allowed, "{name}");
        }
    }

    #[test]
    fn functions_that_read_by_name_text_or_file_are_refused() {
        let refused = "query_to_xml table_to_xml database_to_xml cursor_to_xml ts_stat ts_rewrite lo_get pg_read_file \
                       pg_ls_dir pg_stat_get_live_tuples set_config nextval lastval pg_advisory_lock pg_mcv_list_items \
                       pg_terminate_backend pg_logical_emit_message pg_export_snapshot binary_upgrade_set_next_pg_type_oid";
        for name in refused.split_ascii_whitespace() {
            assert!(matches!(function(name), BuiltinRule::Refused(_)), "{name}");
        }
    }

    #[test]
    fn what_is_in_no_list_is_unknown() {
        assert_eq!(function("int4recv"), BuiltinRule::Unknown);
        assert_eq!(function("dblink"), BuiltinRule::Unknown);
        assert!(matches!(system_relation("pg_catalog", "pg_new_in_19"), SystemView::Refused(_)));
        assert!(matches!(system_relation("app", "pg_class"), SystemView::Refused(_)));
        assert!(matches!(setting("sekisho.key_i"), SettingRule::Refused(_)));
    }

    #[test]
    fn secrets_and_bodies_of_the_catalog_are_replaced() {
        assert_eq!(system_relation("pg_catalog", "pg_proc").replacement("prosrc"), Some("NULL"));
        assert_eq!(system_relation("pg_catalog", "pg_proc").replacement("proname"), None);
        assert_eq!(system_relation("pg_catalog", "pg_class").replacement("reltuples"), Some("-1::pg_catalog.float4"));
        assert_eq!(system_relation("pg_catalog", "pg_subscription").replacement("subconninfo"), Some("NULL"));
        assert_eq!(system_relation("information_schema", "views").replacement("view_definition"), Some("NULL"));
        for name in ["pg_authid", "pg_shadow", "pg_statistic", "pg_stats", "pg_largeobject", "pg_user_mapping"] {
            assert!(matches!(system_relation("pg_catalog", name), SystemView::Refused(_)), "{name}");
        }
    }

    #[test]
    fn settings_have_no_case() {
        assert_eq!(setting("DateStyle"), SettingRule::Harmless);
        assert_eq!(setting("datestyle"), SettingRule::Harmless);
        assert!(setting("standard_conforming_strings").may_read());
        assert_ne!(setting("standard_conforming_strings"), SettingRule::Harmless);
        assert!(!setting("primary_conninfo").may_read());
    }

    #[test]
    fn only_comparisons_are_harmless() {
        assert!(is_harmless_operator("<="));
        assert!(!is_harmless_operator("~~"));
        assert!(!is_harmless_operator("/"));
    }
}
