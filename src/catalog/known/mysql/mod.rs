//! MySQL 5.6 to 9 and MariaDB 10.6 to 11.

mod functions;
mod relations;
mod variables;

use std::sync::LazyLock;

use super::{About, BuiltinRule, Families, SettingRule, SystemColumns, SystemRule, SystemView};

/// What may be done with a built-in function, or with a form of the grammar that looks like one, by name without case.
/// Built-in functions stand before stored ones of the same name.
pub fn function(name: &str) -> BuiltinRule {
    static RULES: LazyLock<Families<BuiltinRule>> =
        LazyLock::new(|| Families::new(&[functions::CALLABLE, functions::REFUSED].concat()));
    RULES.get(&name.to_ascii_lowercase()).unwrap_or(BuiltinRule::Unknown)
}

/// How a relation of the server's own databases appears to restricted roles. Names of `information_schema` have no case.
pub fn system_relation(schema: &str, name: &str) -> SystemView {
    if schema.eq_ignore_ascii_case("information_schema") {
        return relations::view(&name.to_ascii_lowercase());
    }
    SystemView::Refused("it shows accounts, other sessions, statistics or stored programs")
}

/// What may be done with a system variable by `SET SESSION`, `SHOW VARIABLES` or `@@name`, by name without case. No
/// restricted role may set a global one.
pub fn variable(name: &str) -> SettingRule {
    let rule = variable_rules().get(&name.to_ascii_lowercase());
    rule.unwrap_or(SettingRule::Refused("it is not known to be harmless"))
}

/// The variables that may be read, for `SHOW VARIABLES`.
pub fn readable_variables() -> impl Iterator<Item = &'static str> {
    let readable = variables::RULES.iter().filter(|(rule, _)| rule.may_read());
    readable.flat_map(|(_, names)| names.split_whitespace())
}

/// Whether `SHOW STATUS` may give a status variable, by name without case. Most of them count rows that statements
/// looked at, hidden ones too.
pub fn may_read_status(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    HARMLESS_STATUS.contains(&&*name) || name.starts_with("ssl_")
}

/// Status variables that count nothing; those that begin with `ssl_` too.
pub const HARMLESS_STATUS: &[&str] =
    &["compression", "compression_algorithm", "compression_level", "uptime", "wsrep_ready", "wsrep_connected"];

fn variable_rules() -> &'static Families<SettingRule> {
    static RULES: LazyLock<Families<SettingRule>> = LazyLock::new(|| Families::new(variables::RULES));
    &RULES
}

#[cfg(test)]
mod tests {
    use super::super::families::check;
    use super::*;

    #[test]
    fn lists_are_sorted_and_name_nothing_twice() {
        check(&[functions::CALLABLE, functions::REFUSED].concat());
        check(variables::RULES);
    }

    #[test]
    fn functions_have_no_case() {
        assert_eq!(function("CONCAT"), BuiltinRule::Allowed);
        assert_eq!(function("json_extract"), BuiltinRule::Allowed);
        for name in
            ["load_file", "BENCHMARK", "get_lock", "master_pos_wait", "sys_exec", "spider_direct_sql", "nextval"]
        {
            assert!(matches!(function(name), BuiltinRule::Refused(_)), "{name}");
        }
        assert_eq!(function("my_own_udf"), BuiltinRule::Unknown);
    }

    #[test]
    fn only_information_schema_is_readable_and_without_bodies_and_counts() {
        assert_eq!(system_relation("INFORMATION_SCHEMA", "Engines"), SystemView::Open);
        assert_eq!(system_relation("information_schema", "tables").replacement("TABLE_ROWS"), Some("NULL"));
        assert_eq!(system_relation("information_schema", "TABLES").replacement("table_name"), None);
        assert_eq!(system_relation("information_schema", "routines").replacement("ROUTINE_DEFINITION"), Some("NULL"));
        assert_eq!(system_relation("information_schema", "processlist").replacement("INFO"), Some("NULL"));
        for name in ["column_statistics", "innodb_ft_index_table", "optimizer_trace", "of_a_later_version"] {
            assert!(matches!(system_relation("information_schema", name), SystemView::Refused(_)), "{name}");
        }
        for schema in ["mysql", "performance_schema", "sys"] {
            assert!(matches!(system_relation(schema, "user"), SystemView::Refused(_)), "{schema}");
        }
    }

    #[test]
    fn variables_have_no_case() {
        assert_eq!(variable("AutoCommit"), SettingRule::Harmless);
        assert!(variable("version_comment").may_read());
        assert!(matches!(variable("sql_mode"), SettingRule::Pinned(_)));
        for name in ["secure_file_priv", "ssl_key", "datadir", "resultset_metadata", "optimizer_trace"] {
            assert!(!variable(name).may_read(), "{name}");
        }
    }
}
