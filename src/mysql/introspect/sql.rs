//! The questions to `information_schema`. Each is asked once for all databases.
//!
//! They work on MySQL 8 and 9 and MariaDB 10.6 to 11, and show what the account may see. Manual: "`INFORMATION_SCHEMA`
//! Tables".

/// Definitions of views come in the spelling of the session's `sql_mode`; with none of its flags it is the default one.
pub(super) const BEGIN: &str = "SET SESSION sql_mode = ''";

/// The session as it was.
pub(super) const END: &str = "SET SESSION sql_mode = DEFAULT";

/// Version, how names of tables are kept.
pub(super) const SERVER: &str = "SELECT @@version, @@lower_case_table_names";

/// Databases.
pub(super) const SCHEMAS: &str = "SELECT schema_name FROM information_schema.schemata";

/// Tables: database, name, kind.
pub(super) const TABLES: &str = "SELECT table_schema, table_name, table_type FROM information_schema.tables";

/// Columns: database, table, position, name, type without and with its details, NULL allowed, what else there is, collation.
/// Those that are invisible are left out: they can be named on the server, and here they cannot.
pub(super) const COLUMNS: &str = "
    SELECT table_schema, table_name, ordinal_position, column_name, data_type, column_type, is_nullable,
           collation_name, NULLIF(generation_expression, '')
    FROM information_schema.columns
    WHERE extra NOT LIKE '%INVISIBLE%'";

/// Columns of a MariaDB table whose type was written as `json`: database, table, column. Two names have to follow the
/// text; with both the server opens only this table.
pub(super) const JSON_COLUMNS: &str = "
    SELECT constraint_schema, table_name, constraint_name
    FROM information_schema.check_constraints
    WHERE level = 'Column' AND check_clause = CONCAT('json_valid(`', REPLACE(constraint_name, '`', '``'), '`)')";

/// Columns of unique keys: database, table, key, place in the key, column, length of a prefix.
pub(super) const KEYS: &str = "
    SELECT table_schema, table_name, index_name, seq_in_index, column_name, sub_part
    FROM information_schema.statistics
    WHERE non_unique = 0";

/// Columns of foreign keys in their order: database, table, key, column, those referred to, what is done on DELETE, on
/// UPDATE.
pub(super) const FOREIGN_KEYS: &str = "
    SELECT k.table_schema, k.table_name, k.constraint_name, k.column_name, k.referenced_table_schema,
           k.referenced_table_name, k.referenced_column_name, r.delete_rule, r.update_rule
    FROM information_schema.referential_constraints r
    JOIN information_schema.key_column_usage k
      ON k.constraint_schema = r.constraint_schema AND k.constraint_name = r.constraint_name
         AND k.table_name = r.table_name
    WHERE k.referenced_table_name IS NOT NULL
    ORDER BY k.table_schema, k.table_name, k.constraint_name, k.ordinal_position";

/// Views: database, name, query, check option.
pub(super) const VIEWS: &str = "
    SELECT table_schema, table_name, NULLIF(view_definition, ''), check_option
    FROM information_schema.views
    WHERE table_schema NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')";

/// Stored functions and procedures: database, name, kind, type of the result, whether it is deterministic, whether it
/// reads or changes data.
pub(super) const ROUTINES: &str = "
    SELECT routine_schema, routine_name, routine_type, data_type, is_deterministic, sql_data_access
    FROM information_schema.routines";
