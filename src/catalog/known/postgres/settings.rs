//! The settings that sessions may read and change.
//!
//! Names are in lower case. `search_path`, `role` and `session_authorization` are handled by the session itself before
//! this list is asked.

use super::SettingRule;
use SettingRule::{Harmless, Pinned, Refused};

const READS_TEXT: SettingRule = Pinned("it changes how the server reads text");
const SERVER: SettingRule = Pinned("it is set on the server");

/// Families of settings, each with its rule.
pub(super) const RULES: &[(SettingRule, &str)] = &[
    // How values are shown.
    (
        Harmless,
        "bytea_output datestyle extra_float_digits intervalstyle lc_monetary lc_numeric lc_time quote_all_identifiers
         timezone xmlbinary xmloption",
    ),
    // Who asks, and how long anything may take. Limits of rules are kept by the proxy, whatever these say.
    (
        Harmless,
        "application_name client_connection_check_interval client_min_messages deadlock_timeout
         idle_in_transaction_session_timeout idle_session_timeout lock_timeout statement_timeout tcp_keepalives_count
         tcp_keepalives_idle tcp_keepalives_interval tcp_user_timeout transaction_timeout",
    ),
    // Transactions.
    (
        Harmless,
        "default_transaction_deferrable default_transaction_isolation default_transaction_read_only synchronous_commit
         transaction_deferrable transaction_isolation transaction_read_only",
    ),
    // The planner: plans change, rows do not. Fences of filters hold in every plan.
    (
        Harmless,
        "constraint_exclusion effective_io_concurrency enable_async_append enable_bitmapscan
         enable_distinct_reordering enable_gathermerge enable_group_by_reordering enable_hashagg enable_hashjoin
         enable_incremental_sort enable_indexonlyscan enable_indexscan enable_material enable_memoize
         enable_mergejoin enable_nestloop enable_parallel_append enable_parallel_hash enable_partition_pruning
         enable_partitionwise_aggregate enable_partitionwise_join enable_presorted_aggregate
         enable_self_join_elimination enable_seqscan enable_sort enable_tidscan from_collapse_limit geqo geqo_effort
         geqo_generations geqo_pool_size geqo_seed geqo_selection_bias geqo_threshold hash_mem_multiplier
         io_combine_limit jit jit_above_cost jit_expressions jit_inline_above_cost jit_optimize_above_cost
         jit_tuple_deforming join_collapse_limit maintenance_io_concurrency max_parallel_maintenance_workers
         max_parallel_workers max_parallel_workers_per_gather min_parallel_index_scan_size
         min_parallel_table_scan_size parallel_leader_participation plan_cache_mode synchronize_seqscans work_mem",
    ),
    // What its estimates are made of.
    (
        Pinned("`max_cost` weighs statements by it"),
        "cpu_index_tuple_cost cpu_operator_cost cpu_tuple_cost cursor_tuple_fraction effective_cache_size
         parallel_setup_cost parallel_tuple_cost random_page_cost recursive_worktable_factor seq_page_cost",
    ),
    // What dumps, loads and definitions of tables use.
    (
        Harmless,
        "check_function_bodies default_statistics_target default_table_access_method default_tablespace
         default_text_search_config default_toast_compression gin_fuzzy_search_limit gin_pending_list_limit
         maintenance_work_mem restrict_nonsystem_relation_kind row_security temp_buffers temp_tablespaces",
    ),
    (
        READS_TEXT,
        "array_nulls backslash_quote client_encoding escape_string_warning standard_conforming_strings
         transform_null_equals",
    ),
    // What clients ask for with SHOW, and what `pg_settings` shows.
    (
        SERVER,
        "autovacuum block_size cluster_name data_checksums in_hot_standby integer_datetimes is_superuser lc_collate
         lc_ctype lc_messages max_connections max_function_args max_identifier_length max_index_keys
         max_locks_per_transaction max_prepared_transactions max_stack_depth password_encryption role scram_iterations
         search_path segment_size server_encoding server_version server_version_num session_authorization shared_buffers
         ssl superuser_reserved_connections track_activities track_counts wal_level",
    ),
    (
        Refused("it sends the server's own view of statements to the client"),
        "debug_pretty_print debug_print_parse debug_print_plan debug_print_rewritten log_executor_stats
         log_parser_stats log_planner_stats log_statement_stats trace_notify trace_sort",
    ),
];
