//! The session variables that statements may read and set, by lower-case name.

use super::SettingRule;
use SettingRule::{Harmless, Pinned, Refused};

/// Families of variables, each with its rule.
pub(super) const RULES: &[(SettingRule, &str)] = &[
    // Transactions and locks.
    (
        Harmless,
        "autocommit innodb_lock_wait_timeout lock_wait_timeout transaction_isolation transaction_read_only tx_isolation
         tx_read_only",
    ),
    // How long anything may take. Limits of rules are kept by the proxy, whatever these say.
    (
        Harmless,
        "interactive_timeout max_execution_time max_statement_time net_read_timeout net_retry_count net_write_timeout
         wait_timeout",
    ),
    // How results look and how much of them there is.
    (
        Harmless,
        "character_set_results collation_connection group_concat_max_len information_schema_stats_expiry
         max_error_count max_sort_length
         show_create_table_verbosity sql_notes sql_quote_show_create sql_select_limit sql_warnings time_zone",
    ),
    // Resources and plans that no fence depends on.
    (
        Harmless,
        "block_encryption_mode cte_max_recursion_depth eq_range_index_dive_limit join_buffer_size max_heap_table_size
         max_recursive_iterations optimizer_prune_level optimizer_search_depth range_alloc_block_size
         read_buffer_size read_rnd_buffer_size sort_buffer_size sql_buffer_result tmp_table_size
         windowing_use_high_precision",
    ),
    // What new databases begin with, as connectors set it.
    (Harmless, "character_set_server collation_server"),
    // What loads and dumps set.
    (
        Harmless,
        "check_constraint_checks foreign_key_checks innodb_strict_mode rand_seed1 rand_seed2 sql_safe_updates
         unique_checks",
    ),
    (
        Pinned("it changes how the server reads text"),
        "character_set_client character_set_connection old_mode sql_auto_is_null sql_mode",
    ),
    (
        Pinned("the proxy relies on what it makes the server report"),
        "session_track_schema session_track_state_change
         session_track_system_variables session_track_transaction_info",
    ),
    (Pinned("it changes how the server runs statements that the proxy writes"), "completion_type optimizer_switch"),
    (
        Pinned("masks and filters compute by it"),
        "default_regex_flags default_week_format div_precision_increment lc_time_names
         timestamp",
    ),
    (Pinned("statements would fail by the number of hidden rows"), "max_join_size sql_big_selects"),
    // What drivers and tools ask for when they connect.
    (
        Pinned("it is set on the server"),
        "aurora_version auto_increment_increment auto_increment_offset character_set_database character_set_filesystem
         character_set_system collation_database default_storage_engine
         default_tmp_storage_engine explicit_defaults_for_timestamp have_compress have_openssl
         have_profiling have_query_cache have_ssl hostname identity init_connect innodb_read_only innodb_version insert_id
         last_insert_id lc_messages license local_infile lower_case_file_system lower_case_table_names
         max_allowed_packet max_connections max_user_connections net_buffer_length performance_schema port
         protocol_version proxy_user query_cache_size query_cache_type read_only server_id skip_networking storage_engine
         super_read_only system_time_zone table_open_cache thread_handling tls_version version version_comment
         version_compile_machine version_compile_os version_compile_zlib version_malloc_library version_source_revision
         version_ssl_library wsrep_on",
    ),
    (Refused("it takes the origin of columns out of results"), "resultset_metadata"),
    (Refused("it counts warnings about hidden rows and values"), "error_count warning_count"),
    (Refused("it changes which rows tables have"), "system_versioning_asof"),
    (
        Refused("it shows how the server ran statements"),
        "optimizer_trace optimizer_trace_features optimizer_trace_limit optimizer_trace_max_mem_size
         optimizer_trace_offset profiling profiling_history_size",
    ),
];
