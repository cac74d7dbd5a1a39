//! The functions of `pg_catalog`, PostgreSQL 13 to 18, by name: a rule holds for every overload.
//!
//! Functions that implement operators, input and output of types, index support and the steps of aggregates are left
//! out: nobody calls them by name, and what is not listed is refused.
//!
//! What an allowed function may do: compute from its arguments, read the clock, and name objects of the catalog. Whether
//! such a name exists can be found out; that is no data.

use super::BuiltinRule;

/// Families of functions that may be called.
pub(super) const CALLABLE: &[(BuiltinRule, &str)] = &[
    // Forms that the grammar itself has: they are no functions of `pg_catalog`, and compute from their arguments.
    (
        BuiltinRule::Allowed,
        "
         array cast coalesce collation collation_for current_catalog current_date current_role current_time
         current_timestamp current_user exists greatest grouping is_json json json_array json_arrayagg json_exists
         json_objectagg json_query json_scalar json_serialize json_table json_value least localtime localtimestamp
         merge_action nullif row session_user system_user treat trim user xmlconcat xmlelement xmlforest xmlparse
         xmlpi xmlroot xmlserialize xmltable",
    ),
    // Numbers.
    (
        BuiltinRule::Allowed,
        "
         abs acos acosd acosh asin asind asinh atan atan2 atan2d atand atanh bit_count cbrt ceil ceiling cos cosd
         cosh cot cotd crc32 crc32c degrees dexp div dlog1 dlog10 dround dtrunc erf erfc exp factorial floor gamma
         gcd int2mod int4inc int4mod int8mod lcm lgamma ln log log10 min_scale mod numeric_abs numeric_add
         numeric_div numeric_div_trunc numeric_exp numeric_inc numeric_ln numeric_log numeric_mod numeric_mul
         numeric_power numeric_sqrt numeric_sub pi pow power radians random random_normal round scale setseed sign
         sin sind sinh sqrt tan tand tanh to_bin to_hex to_oct trim_scale trunc width_bucket",
    ),
    // Text and bytes.
    (
        BuiltinRule::Allowed,
        "
         ascii bit_length btrim byteacat bytealike casefold cash_words char_length character_length chr concat
         concat_ws convert convert_from convert_to decode encode format get_bit get_byte initcap is_normalized left
         length like like_escape lower lpad ltrim md5 nameconcatoid normalize notlike octet_length overlay
         parse_ident position quote_ident quote_literal quote_nullable regexp_count regexp_instr regexp_like
         regexp_match regexp_matches regexp_replace regexp_split_to_array regexp_split_to_table regexp_substr
         repeat replace reverse right rpad rtrim set_bit set_byte sha224 sha256 sha384 sha512 similar_escape
         similar_to_escape split_part starts_with string_to_array string_to_table strpos substr substring textcat
         texticlike texticregexeq textlen textlike textnlike textregexeq to_ascii translate unicode_assigned unistr
         upper",
    ),
    // Dates and times, the clock too.
    (
        BuiltinRule::Allowed,
        "
         age clock_timestamp date_add date_bin date_mi_interval date_part date_pl_interval date_subtract date_trunc
         extract interval_div interval_mi interval_mul interval_pl isfinite justify_days justify_hours
         justify_interval make_date make_interval make_time make_timestamp make_timestamptz now overlaps pg_sleep
         pg_sleep_for pg_sleep_until statement_timestamp timeofday timestamp_mi_interval timestamp_pl_interval
         timestamptz_mi_interval timestamptz_pl_interval timezone to_char to_date to_number to_timestamp
         transaction_timestamp",
    ),
    // Type names written as functions: casts between built-in types.
    (
        BuiltinRule::Allowed,
        "
         abbrev bit bool box bpchar bytea char cidr circle date float4 float8 inet int2 int4 int8 interval jsonb
         line lseg macaddr macaddr8 money name numeric oid path point polygon regclass text time timestamp
         timestamptz timetz uuid varbit varchar xid xml",
    ),
    // Arrays, rows and sets.
    (
        BuiltinRule::Allowed,
        "
         array_append array_cat array_dims array_fill array_larger array_length array_lower array_ndims
         array_position array_positions array_prepend array_remove array_replace array_reverse array_smaller
         array_sort array_to_string array_upper arraycontained arraycontains arrayoverlap cardinality
         generate_series generate_subscripts num_nonnulls num_nulls trim_array unnest",
    ),
    // JSON.
    (
        BuiltinRule::Allowed,
        "
         array_to_json json_array_element json_array_element_text json_array_elements json_array_elements_text
         json_array_length json_build_array json_build_object json_each json_each_text json_extract_path
         json_extract_path_text json_object json_object_field json_object_field_text json_object_keys
         json_populate_record json_populate_recordset json_strip_nulls json_to_record json_to_recordset json_typeof
         jsonb_array_element jsonb_array_element_text jsonb_array_elements jsonb_array_elements_text
         jsonb_array_length jsonb_build_array jsonb_build_object jsonb_concat jsonb_contained jsonb_contains
         jsonb_delete jsonb_delete_path jsonb_each jsonb_each_text jsonb_exists jsonb_exists_all jsonb_exists_any
         jsonb_extract_path jsonb_extract_path_text jsonb_insert jsonb_object jsonb_object_field
         jsonb_object_field_text jsonb_object_keys jsonb_path_exists jsonb_path_exists_opr jsonb_path_exists_tz
         jsonb_path_match jsonb_path_match_opr jsonb_path_match_tz jsonb_path_query jsonb_path_query_array
         jsonb_path_query_array_tz jsonb_path_query_first jsonb_path_query_first_tz jsonb_path_query_tz
         jsonb_populate_record jsonb_populate_record_valid jsonb_populate_recordset jsonb_pretty jsonb_set
         jsonb_set_lax jsonb_strip_nulls jsonb_to_record jsonb_to_recordset jsonb_typeof row_to_json to_json
         to_jsonb",
    ),
    // XML, made and read from arguments only.
    (
        BuiltinRule::Allowed,
        "
         xml_is_well_formed xml_is_well_formed_content xml_is_well_formed_document xmlcomment xmlexists xmltext
         xpath xpath_exists",
    ),
    // Ranges, enumerations, identifiers, networks, bits.
    (
        BuiltinRule::Allowed,
        "
         broadcast datemultirange daterange enum_first enum_last enum_range family gen_random_uuid host hostmask
         inet_merge
         inet_same_family int4multirange int4range int8multirange int8range isempty lower_inc lower_inf
         macaddr8_set7bit masklen multirange netmask network network_overlap network_sub network_subeq network_sup
         network_supeq nummultirange numrange range_adjacent range_after range_before range_contained_by
         range_contains range_intersect range_merge range_minus range_overlaps range_union set_masklen tsmultirange
         tsrange tstzmultirange tstzrange upper_inc upper_inf uuid_extract_timestamp uuid_extract_version uuidv4
         uuidv7",
    ),
    // Geometry.
    (
        BuiltinRule::Allowed,
        "
         area bound_box box_intersect center diagonal diameter height isclosed ishorizontal isopen isparallel
         isperp isvertical npoints pclose popen radius slope width",
    ),
    // Hash values, as partitioning and sharding by hand use them.
    (
        BuiltinRule::Allowed,
        "
         hash_array hash_numeric hash_record hashbpchar hashchar hashenum hashfloat4 hashfloat8 hashinet hashint2
         hashint4 hashint4extended hashint8 hashint8extended hashname hashoid hashtext hashtextextended jsonb_hash
         timestamp_hash uuid_hash",
    ),
    // Text search; dictionaries are the server's own configuration.
    (
        BuiltinRule::Allowed,
        "
         array_to_tsvector get_current_ts_config json_to_tsvector jsonb_to_tsvector numnode phraseto_tsquery
         plainto_tsquery querytree setweight strip to_tsquery to_tsvector ts_debug ts_delete ts_filter ts_headline
         ts_lexize ts_parse ts_rank ts_rank_cd ts_token_type tsquery_phrase tsvector_to_array websearch_to_tsquery",
    ),
    // Aggregates.
    (
        BuiltinRule::Allowed,
        "
         any_value array_agg avg bit_and bit_or bit_xor bool_and bool_or corr count covar_pop covar_samp every
         json_agg json_agg_strict json_object_agg json_object_agg_strict json_object_agg_unique
         json_object_agg_unique_strict jsonb_agg jsonb_agg_strict jsonb_object_agg jsonb_object_agg_strict
         jsonb_object_agg_unique jsonb_object_agg_unique_strict max min mode percentile_cont percentile_disc
         range_agg range_intersect_agg regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx
         regr_sxy regr_syy stddev stddev_pop stddev_samp string_agg sum var_pop var_samp variance xmlagg",
    ),
    // Window functions.
    (
        BuiltinRule::Allowed,
        "
         cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number",
    ),
    // The session itself, and facts about the server that name no data.
    (
        BuiltinRule::Allowed,
        "
         current_database current_schema current_schemas getdatabaseencoding getpgusername icu_unicode_version
         pg_backend_pid pg_client_encoding pg_conf_load_time pg_current_xact_id pg_current_xact_id_if_assigned
         pg_is_in_recovery pg_is_other_temp_schema pg_jit_available pg_listening_channels pg_my_temp_schema
         pg_numa_available pg_postmaster_start_time pg_trigger_depth txid_current txid_current_if_assigned
         unicode_version version",
    ),
    // Numbers of transactions and log positions, computed from arguments.
    (
        BuiltinRule::Allowed,
        "
         mxid_age pg_lsn pg_snapshot_xip pg_snapshot_xmax pg_snapshot_xmin pg_visible_in_snapshot pg_wal_lsn_diff
         txid_snapshot_xip txid_snapshot_xmax txid_snapshot_xmin txid_visible_in_snapshot",
    ),
    // The catalog in words, as `psql`, drivers and BI tools ask for it: names, types, keys, comments, rights; no data, no bodies.
    (
        BuiltinRule::Allowed,
        "
         aclcontains acldefault aclexplode aclinsert aclremove col_description format_type has_any_column_privilege
         has_column_privilege has_database_privilege has_foreign_data_wrapper_privilege has_function_privilege
         has_language_privilege has_parameter_privilege has_schema_privilege has_sequence_privilege
         has_server_privilege has_table_privilege has_tablespace_privilege has_type_privilege makeaclitem
         obj_description oidvectortypes pg_available_extension_versions pg_available_extensions pg_basetype
         pg_char_to_encoding pg_collation_actual_version pg_collation_for pg_collation_is_visible
         pg_column_compression pg_column_is_updatable pg_column_size pg_conversion_is_visible
         pg_database_collation_actual_version pg_describe_object pg_encoding_max_length pg_encoding_to_char
         pg_extension_update_paths pg_function_is_visible pg_get_acl pg_get_catalog_foreign_keys
         pg_get_constraintdef pg_get_expr pg_get_function_arg_default pg_get_function_arguments
         pg_get_function_identity_arguments pg_get_function_result pg_get_indexdef pg_get_keywords
         pg_get_object_address pg_get_partition_constraintdef pg_get_partkeydef pg_get_replica_identity_index
         pg_get_serial_sequence pg_get_statisticsobjdef pg_get_statisticsobjdef_columns
         pg_get_statisticsobjdef_expressions pg_get_triggerdef pg_get_userbyid pg_get_wait_events pg_has_role
         pg_identify_object pg_identify_object_as_address pg_index_column_has_property pg_index_has_property
         pg_indexam_has_property pg_indexam_progress_phasename pg_input_error_info pg_input_is_valid
         pg_opclass_is_visible pg_operator_is_visible pg_opfamily_is_visible pg_options_to_table
         pg_partition_ancestors pg_partition_root pg_partition_tree pg_relation_is_publishable
         pg_relation_is_updatable pg_sequence_parameters pg_size_bytes pg_size_pretty pg_statistics_obj_is_visible
         pg_table_is_visible pg_timezone_abbrevs pg_timezone_abbrevs_abbrevs pg_timezone_abbrevs_zone
         pg_timezone_names pg_ts_config_is_visible pg_ts_dict_is_visible pg_ts_parser_is_visible
         pg_ts_template_is_visible pg_type_is_visible pg_typeof row_security_active shobj_description to_regclass
         to_regcollation to_regnamespace to_regoper to_regoperator to_regproc to_regprocedure to_regrole to_regtype
         to_regtypemod",
    ),
    // What `information_schema` is made of, and JDBC uses.
    (
        BuiltinRule::Allowed,
        "
         _pg_char_max_length _pg_char_octet_length _pg_datetime_precision _pg_expandarray _pg_index_position
         _pg_interval_type _pg_numeric_precision _pg_numeric_precision_radix _pg_numeric_scale _pg_truetypid
         _pg_truetypmod",
    ),
    // Settings, where a literal names one that may be read.
    (BuiltinRule::SettingName, "current_setting pg_settings_get_flags"),
    // Definitions in full, which hold the text of bodies, and the text that the server got, which holds masks and filters.
    (
        BuiltinRule::Withheld("text"),
        "current_query pg_get_function_sqlbody pg_get_functiondef pg_get_ruledef pg_get_viewdef",
    ),
    // Sizes grow with rows that the role cannot see; `psql \\dt+` and schema browsers show them.
    (
        BuiltinRule::Withheld("int8"),
        "
         pg_database_size pg_indexes_size pg_relation_size pg_sequence_last_value pg_stat_get_numscans pg_table_size pg_tablespace_size
         pg_total_relation_size",
    ),
    // Where the server keeps its files.
    (BuiltinRule::Withheld("text"), "pg_tablespace_location"),
    // Addresses inside the network, in which the proxy is the client.
    (BuiltinRule::Withheld("inet"), "inet_client_addr inet_server_addr"),
    // As above.
    (BuiltinRule::Withheld("int4"), "inet_client_port inet_server_port"),
];

/// Families of functions that may not, each with its reason.
pub(super) const REFUSED: &[(BuiltinRule, &str)] = &[
    (
        BuiltinRule::Refused("it reads tables that its arguments name or query as text"),
        "
         currtid currtid2 cursor_to_xml cursor_to_xmlschema database_to_xml database_to_xml_and_xmlschema
         database_to_xmlschema query_to_xml query_to_xml_and_xmlschema query_to_xmlschema satisfies_hash_partition
         schema_to_xml schema_to_xml_and_xmlschema schema_to_xmlschema table_to_xml table_to_xml_and_xmlschema
         table_to_xmlschema ts_rewrite ts_stat",
    ),
    (BuiltinRule::Refused("it changes settings; use `SET` for those that are safe"), "set_config"),
    (
        BuiltinRule::Refused("it reads or changes the state of a sequence"),
        "currval lastval nextval pg_get_sequence_data setval",
    ),
    (
        BuiltinRule::Refused("it reads or writes large objects or the server's files"),
        "
         has_largeobject_privilege lo_close lo_creat lo_create lo_export lo_from_bytea lo_get lo_import lo_lseek
         lo_lseek64 lo_open lo_put lo_tell lo_tell64 lo_truncate lo_truncate64 lo_unlink loread lowrite
         pg_column_toast_chunk_id pg_current_logfile pg_filenode_relation pg_ls_archive_statusdir pg_ls_dir
         pg_ls_logdir pg_ls_logicalmapdir pg_ls_logicalsnapdir pg_ls_replslotdir pg_ls_summariesdir pg_ls_tmpdir
         pg_ls_waldir pg_read_binary_file pg_read_file pg_read_file_old pg_relation_filenode pg_relation_filepath
         pg_stat_file",
    ),
    (
        BuiltinRule::Refused("it locks across sessions"),
        "
         pg_advisory_lock pg_advisory_lock_shared pg_advisory_unlock pg_advisory_unlock_all
         pg_advisory_unlock_shared pg_advisory_xact_lock pg_advisory_xact_lock_shared pg_try_advisory_lock
         pg_try_advisory_lock_shared pg_try_advisory_xact_lock pg_try_advisory_xact_lock_shared",
    ),
    (
        BuiltinRule::Refused("it shows or touches other sessions"),
        "
         pg_blocking_pids pg_cancel_backend pg_current_snapshot pg_cursor pg_export_snapshot pg_get_aios
         pg_get_backend_memory_contexts pg_get_multixact_members pg_isolation_test_session_is_blocked
         pg_last_committed_xact pg_lock_status pg_log_backend_memory_contexts pg_notification_queue_usage pg_notify
         pg_prepared_statement pg_prepared_xact pg_safe_snapshot_blocking_pids pg_terminate_backend
         pg_xact_commit_timestamp pg_xact_commit_timestamp_origin pg_xact_status txid_current_snapshot txid_status",
    ),
    (
        BuiltinRule::Refused("it shows or changes statistics, which tell of rows that the role cannot see"),
        "
         pg_clear_attribute_stats pg_clear_relation_stats pg_mcv_list_items pg_restore_attribute_stats
         pg_restore_relation_stats pg_stat_clear_snapshot pg_stat_force_next_flush pg_stat_get_activity
         pg_stat_get_analyze_count pg_stat_get_archiver pg_stat_get_autoanalyze_count pg_stat_get_autovacuum_count
         pg_stat_get_backend_activity pg_stat_get_backend_activity_start pg_stat_get_backend_client_addr
         pg_stat_get_backend_client_port pg_stat_get_backend_dbid pg_stat_get_backend_idset pg_stat_get_backend_io
         pg_stat_get_backend_pid pg_stat_get_backend_start pg_stat_get_backend_subxact pg_stat_get_backend_userid
         pg_stat_get_backend_wait_event pg_stat_get_backend_wait_event_type pg_stat_get_backend_wal
         pg_stat_get_backend_xact_start pg_stat_get_bgwriter_buf_written_checkpoints
         pg_stat_get_bgwriter_buf_written_clean pg_stat_get_bgwriter_maxwritten_clean
         pg_stat_get_bgwriter_requested_checkpoints pg_stat_get_bgwriter_stat_reset_time
         pg_stat_get_bgwriter_timed_checkpoints pg_stat_get_blocks_fetched pg_stat_get_blocks_hit
         pg_stat_get_buf_alloc pg_stat_get_buf_fsync_backend pg_stat_get_buf_written_backend
         pg_stat_get_checkpoint_sync_time pg_stat_get_checkpoint_write_time
         pg_stat_get_checkpointer_buffers_written pg_stat_get_checkpointer_num_performed
         pg_stat_get_checkpointer_num_requested pg_stat_get_checkpointer_num_timed
         pg_stat_get_checkpointer_restartpoints_performed pg_stat_get_checkpointer_restartpoints_requested
         pg_stat_get_checkpointer_restartpoints_timed pg_stat_get_checkpointer_slru_written
         pg_stat_get_checkpointer_stat_reset_time pg_stat_get_checkpointer_sync_time
         pg_stat_get_checkpointer_write_time pg_stat_get_db_active_time pg_stat_get_db_blk_read_time
         pg_stat_get_db_blk_write_time pg_stat_get_db_blocks_fetched pg_stat_get_db_blocks_hit
         pg_stat_get_db_checksum_failures pg_stat_get_db_checksum_last_failure pg_stat_get_db_conflict_all
         pg_stat_get_db_conflict_bufferpin pg_stat_get_db_conflict_lock pg_stat_get_db_conflict_logicalslot
         pg_stat_get_db_conflict_snapshot pg_stat_get_db_conflict_startup_deadlock
         pg_stat_get_db_conflict_tablespace pg_stat_get_db_deadlocks pg_stat_get_db_idle_in_transaction_time
         pg_stat_get_db_numbackends pg_stat_get_db_parallel_workers_launched
         pg_stat_get_db_parallel_workers_to_launch pg_stat_get_db_session_time pg_stat_get_db_sessions
         pg_stat_get_db_sessions_abandoned pg_stat_get_db_sessions_fatal pg_stat_get_db_sessions_killed
         pg_stat_get_db_stat_reset_time pg_stat_get_db_temp_bytes pg_stat_get_db_temp_files
         pg_stat_get_db_tuples_deleted pg_stat_get_db_tuples_fetched pg_stat_get_db_tuples_inserted
         pg_stat_get_db_tuples_returned pg_stat_get_db_tuples_updated pg_stat_get_db_xact_commit
         pg_stat_get_db_xact_rollback pg_stat_get_dead_tuples pg_stat_get_function_calls
         pg_stat_get_function_self_time pg_stat_get_function_total_time pg_stat_get_ins_since_vacuum pg_stat_get_io
         pg_stat_get_last_analyze_time pg_stat_get_last_autoanalyze_time pg_stat_get_last_autovacuum_time
         pg_stat_get_last_vacuum_time pg_stat_get_lastscan pg_stat_get_live_tuples pg_stat_get_mod_since_analyze
         pg_stat_get_progress_info pg_stat_get_recovery_prefetch pg_stat_get_replication_slot
         pg_stat_get_slru pg_stat_get_snapshot_timestamp pg_stat_get_subscription pg_stat_get_subscription_stats
         pg_stat_get_total_analyze_time pg_stat_get_total_autoanalyze_time pg_stat_get_total_autovacuum_time
         pg_stat_get_total_vacuum_time pg_stat_get_tuples_deleted pg_stat_get_tuples_fetched
         pg_stat_get_tuples_hot_updated pg_stat_get_tuples_inserted pg_stat_get_tuples_newpage_updated
         pg_stat_get_tuples_returned pg_stat_get_tuples_updated pg_stat_get_vacuum_count pg_stat_get_wal
         pg_stat_get_wal_receiver pg_stat_get_wal_senders pg_stat_get_xact_blocks_fetched
         pg_stat_get_xact_blocks_hit pg_stat_get_xact_function_calls pg_stat_get_xact_function_self_time
         pg_stat_get_xact_function_total_time pg_stat_get_xact_numscans pg_stat_get_xact_tuples_deleted
         pg_stat_get_xact_tuples_fetched pg_stat_get_xact_tuples_hot_updated pg_stat_get_xact_tuples_inserted
         pg_stat_get_xact_tuples_newpage_updated pg_stat_get_xact_tuples_returned pg_stat_get_xact_tuples_updated
         pg_stat_have_stats pg_stat_reset pg_stat_reset_backend_stats pg_stat_reset_replication_slot
         pg_stat_reset_shared pg_stat_reset_single_function_counters pg_stat_reset_single_table_counters
         pg_stat_reset_slru pg_stat_reset_subscription_stats",
    ),
    (
        BuiltinRule::Refused("it shows or changes how the server runs"),
        "
         brin_desummarize_range brin_summarize_new_values brin_summarize_range gin_clean_pending_list
         pg_available_wal_summaries pg_backup_start pg_backup_start_time pg_backup_stop pg_config
         pg_control_checkpoint pg_control_init pg_control_recovery pg_control_system pg_create_restore_point
         pg_current_wal_flush_lsn pg_current_wal_insert_lsn pg_current_wal_lsn pg_extension_config_dump
         pg_get_loaded_modules pg_get_shmem_allocations pg_get_shmem_allocations_numa pg_get_wal_replay_pause_state
         pg_get_wal_resource_managers pg_get_wal_summarizer_state pg_hba_file_rules pg_ident_file_mappings
         pg_import_system_collations pg_is_in_backup pg_is_wal_replay_paused pg_last_wal_receive_lsn
         pg_last_wal_replay_lsn pg_last_xact_replay_timestamp pg_log_standby_snapshot pg_nextoid pg_promote
         pg_reload_conf pg_rotate_logfile pg_rotate_logfile_old pg_show_all_file_settings pg_show_all_settings
         pg_split_walfile_name pg_start_backup pg_stop_backup pg_stop_making_pinned_objects pg_switch_wal
         pg_tablespace_databases pg_wal_replay_pause pg_wal_replay_resume pg_wal_summary_contents pg_walfile_name
         pg_walfile_name_offset",
    ),
    (
        BuiltinRule::Refused("it belongs to replication"),
        "
         pg_copy_logical_replication_slot pg_copy_physical_replication_slot pg_create_logical_replication_slot
         pg_create_physical_replication_slot pg_drop_replication_slot pg_get_publication_tables
         pg_get_replication_slots pg_logical_emit_message pg_logical_slot_get_binary_changes
         pg_logical_slot_get_changes pg_logical_slot_peek_binary_changes pg_logical_slot_peek_changes
         pg_replication_origin_advance pg_replication_origin_create pg_replication_origin_drop
         pg_replication_origin_oid pg_replication_origin_progress pg_replication_origin_session_is_setup
         pg_replication_origin_session_progress pg_replication_origin_session_reset
         pg_replication_origin_session_setup pg_replication_origin_xact_reset pg_replication_origin_xact_setup
         pg_replication_slot_advance pg_show_replication_origin_status pg_sync_replication_slots",
    ),
    (
        BuiltinRule::Refused("it serves the server's own upgrade, triggers or function handlers"),
        "
         amvalidate binary_upgrade_add_sub_rel_state binary_upgrade_create_empty_extension
         binary_upgrade_logical_slot_has_caught_up binary_upgrade_replorigin_advance
         binary_upgrade_set_missing_value binary_upgrade_set_next_array_pg_type_oid
         binary_upgrade_set_next_attribute_versions binary_upgrade_set_next_heap_pg_class_oid
         binary_upgrade_set_next_heap_relfilenode binary_upgrade_set_next_index_pg_class_oid
         binary_upgrade_set_next_index_relfilenode binary_upgrade_set_next_multirange_array_pg_type_oid
         binary_upgrade_set_next_multirange_pg_type_oid binary_upgrade_set_next_pg_authid_oid
         binary_upgrade_set_next_pg_enum_oid binary_upgrade_set_next_pg_tablespace_oid
         binary_upgrade_set_next_pg_type_oid binary_upgrade_set_next_toast_pg_class_oid
         binary_upgrade_set_next_toast_relfilenode binary_upgrade_set_record_init_privs fmgr_c_validator
         fmgr_internal_validator fmgr_sql_validator pg_event_trigger_ddl_commands pg_event_trigger_dropped_objects
         pg_event_trigger_table_rewrite_oid pg_event_trigger_table_rewrite_reason plpgsql_validator
         postgresql_fdw_validator suppress_redundant_updates_trigger tsvector_update_trigger
         tsvector_update_trigger_column unique_key_recheck xmlvalidate",
    ),
];
