//! The built-in functions of MySQL 5.6 to 9 and MariaDB 10.6 to 11, by lower-case name.
//!
//! What an allowed function may do: compute from its arguments, read the clock, and tell of its own session. Functions
//! that plugins and components bring are in no list, and so refused.

use super::BuiltinRule;

/// Families of functions that may be called.
pub(super) const CALLABLE: &[(BuiltinRule, &str)] = &[
    // Control flow and comparison; forms of the grammar among them.
    (
        BuiltinRule::Allowed,
        "
         any_value case cast char coalesce convert decode decode_oracle default elt exists field find_in_set
         greatest grouping if ifnull in interval isnull least make_set match name_const not nullif nvl nvl2 row
         strcmp values",
    ),
    // Numbers.
    (
        BuiltinRule::Allowed,
        "
         abs acos asin atan atan2 bin bit_count bit_length ceil ceiling conv cos cot crc32 crc32c degrees div exp
         floor format format_bytes format_pico_time hex ln log log10 log2 mod oct pi pow power radians rand round
         sign sin sqrt tan to_number truncate",
    ),
    // Text and bytes.
    (
        BuiltinRule::Allowed,
        "
         ascii binary char_length character_length charset chr coercibility collation concat concat_operator_oracle
         concat_ws export_set extractvalue from_base64 insert instr lcase left length lengthb locate lower lpad
         lpad_oracle ltrim ltrim_oracle mid natural_sort_key octet_length ord position quote regexp_instr
         regexp_like regexp_replace regexp_substr repeat replace replace_oracle reverse right rpad rpad_oracle
         rtrim rtrim_oracle sformat soundex space substr substr_oracle substring substring_index to_base64 to_char
         translate trim trim_oracle ucase unhex updatexml upper weight_string",
    ),
    // Hashes, encryption with keys that are given, compression.
    (
        BuiltinRule::Allowed,
        "
         aes_decrypt aes_encrypt compress encode encrypt kdf md5 old_password password random_bytes sha sha1 sha2
         statement_digest statement_digest_text uncompress uncompressed_length validate_password_strength",
    ),
    // Dates and times, the clock too.
    (
        BuiltinRule::Allowed,
        "
         add_months adddate addtime convert_tz curdate current_date current_time current_timestamp curtime date
         date_add date_format date_sub datediff day dayname dayofmonth dayofweek dayofyear extract from_days
         from_unixtime get_format hour last_day localtime localtimestamp makedate maketime microsecond minute month
         monthname months_between now period_add period_diff quarter sec_to_time second sleep str_to_date subdate
         subtime sysdate systimestamp time time_format time_to_sec timediff timestamp timestampadd timestampdiff
         to_date to_days to_seconds unix_timestamp utc_date utc_time utc_timestamp week weekday weekofyear year
         yearweek",
    ),
    // JSON and dynamic columns.
    (
        BuiltinRule::Allowed,
        "
         column_add column_check column_create column_delete column_exists column_get column_json column_list
         json_array json_array_append json_array_insert json_array_intersect json_arrayagg json_compact
         json_contains json_contains_path json_depth json_detailed json_equals json_exists json_extract json_insert
         json_key_value json_keys json_length json_loose json_merge json_merge_patch json_merge_preserve
         json_normalize json_object json_object_filter_keys json_object_to_array json_objectagg json_overlaps
         json_pretty json_query json_quote json_remove json_replace json_schema_valid json_schema_validation_report
         json_search json_set json_storage_free json_storage_size json_table json_type json_unquote json_valid
         json_value member_of",
    ),
    // Identifiers, addresses, vectors, replication positions that are given.
    (
        BuiltinRule::Allowed,
        "
         bin_to_uuid distance from_vector gtid_subset gtid_subtract inet6_aton inet6_ntoa inet_aton inet_ntoa
         is_ipv4 is_ipv4_compat is_ipv4_mapped is_ipv6 is_uuid string_to_vector sys_guid to_vector uuid uuid_short
         uuid_to_bin uuid_v4 uuid_v7 vec_distance vec_distance_cosine vec_distance_euclidean vec_fromtext
         vec_totext vector_dim vector_to_string",
    ),
    // Geometry, by new and old names.
    (
        BuiltinRule::Allowed,
        "
         area asbinary astext aswkb aswkt boundary buffer centroid contains convexhull crosses dimension disjoint
         endpoint envelope equals exteriorring geomcollection geomcollfromtext geomcollfromwkb geometrycollection
         geometrycollectionfromtext geometrycollectionfromwkb geometryfromtext geometryfromwkb geometryn
         geometrytype geomfromtext geomfromwkb glength interiorringn intersects isclosed isempty isring issimple
         linefromtext linefromwkb linestring linestringfromtext linestringfromwkb mbrcontains mbrcoveredby
         mbrcovers mbrdisjoint mbrequal mbrequals mbrintersects mbroverlaps mbrtouches mbrwithin mlinefromtext
         mlinefromwkb mpointfromtext mpointfromwkb mpolyfromtext mpolyfromwkb multilinestring
         multilinestringfromtext multilinestringfromwkb multipoint multipointfromtext multipointfromwkb
         multipolygon multipolygonfromtext multipolygonfromwkb numgeometries numinteriorrings numpoints overlaps
         point pointfromtext pointfromwkb pointn pointonsurface polyfromtext polyfromwkb polygon polygonfromtext
         polygonfromwkb srid st_area st_asbinary st_asgeojson st_astext st_aswkb st_aswkt st_boundary st_buffer
         st_buffer_strategy st_centroid st_collect st_contains st_convexhull st_crosses st_difference st_dimension
         st_disjoint st_distance st_distance_sphere st_endpoint st_envelope st_equals st_exteriorring
         st_frechetdistance st_geohash st_geomcollfromtext st_geomcollfromtxt st_geomcollfromwkb
         st_geometrycollectionfromtext st_geometrycollectionfromwkb st_geometryfromtext st_geometryfromwkb
         st_geometryn st_geometrytype st_geomfromgeojson st_geomfromtext st_geomfromwkb st_hausdorffdistance
         st_interiorringn st_intersection st_intersects st_isclosed st_isempty st_isring st_issimple st_isvalid
         st_latfromgeohash st_latitude st_length st_linefromtext st_linefromwkb st_lineinterpolatepoint
         st_lineinterpolatepoints st_linestringfromtext st_linestringfromwkb st_longfromgeohash st_longitude
         st_makeenvelope st_mlinefromtext st_mlinefromwkb st_mpointfromtext st_mpointfromwkb st_mpolyfromtext
         st_mpolyfromwkb st_multilinestringfromtext st_multilinestringfromwkb st_multipointfromtext
         st_multipointfromwkb st_multipolygonfromtext st_multipolygonfromwkb st_numgeometries st_numinteriorring
         st_numinteriorrings st_numpoints st_overlaps st_pointatdistance st_pointfromgeohash st_pointfromtext
         st_pointfromwkb st_pointn st_pointonsurface st_polyfromtext st_polyfromwkb st_polygonfromtext
         st_polygonfromwkb st_relate st_simplify st_srid st_startpoint st_swapxy st_symdifference st_touches
         st_transform st_union st_validate st_within st_x st_y startpoint touches within x y",
    ),
    // Aggregates.
    (
        BuiltinRule::Allowed,
        "
         avg bit_and bit_or bit_xor count group_concat max median min percentile_cont percentile_disc std stddev
         stddev_pop stddev_samp sum var_pop var_samp variance",
    ),
    // Window functions.
    (
        BuiltinRule::Allowed,
        "
         cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number rownum",
    ),
    // The session itself, and facts about the server that name no data.
    (
        BuiltinRule::Allowed,
        "
         connection_id current_role current_user database decode_histogram found_rows icu_version last_insert_id
         mysql_query_attribute_string ps_current_thread_id schema session_user system_user user version",
    ),
];

/// Families of functions that may not, each with its reason.
pub(super) const REFUSED: &[(BuiltinRule, &str)] = &[
    (BuiltinRule::Refused("it reads or writes the server's files"), "load_file"),
    (BuiltinRule::Refused("it keeps the server busy for nothing"), "benchmark"),
    (
        BuiltinRule::Refused("it locks across sessions"),
        "
         get_lock is_free_lock is_used_lock release_all_locks release_lock service_get_read_locks
         service_get_write_locks service_release_locks",
    ),
    (BuiltinRule::Refused("it reads or changes the state of a sequence"), "lastval nextval setval"),
    (
        BuiltinRule::Refused("it belongs to replication"),
        "
         asynchronous_connection_failover_add_source asynchronous_connection_failover_delete_source binlog_gtid_pos
         group_replication_set_as_primary group_replication_switch_to_single_primary_mode master_gtid_wait
         master_pos_wait source_pos_wait wait_for_executed_gtid_set wait_until_sql_thread_after_gtids
         wsrep_last_seen_gtid wsrep_last_written_gtid wsrep_sync_wait_upto_gtid",
    ),
    (
        BuiltinRule::Refused("it uses keys that the server keeps"),
        "
         des_decrypt des_encrypt keyring_key_fetch keyring_key_generate keyring_key_length_fetch keyring_key_remove
         keyring_key_store keyring_key_type_fetch",
    ),
    (BuiltinRule::Refused("it tells whether a value that is not shown was equal to the one written"), "row_count"),
    (BuiltinRule::Refused("it shows other sessions or accounts"), "ps_thread_id roles_graphml"),
    (
        BuiltinRule::Refused("it runs statements or programs"),
        "
         audit_log_filter_flush audit_log_filter_set_user audit_log_read gen_dictionary gen_dictionary_drop
         gen_dictionary_load mysql_firewall_flush_status read_firewall_users read_firewall_whitelist
         set_firewall_mode spider_bg_direct_sql spider_copy_tables spider_direct_sql spider_flush_table_mon_cache
         spider_ping_table sys_eval sys_exec sys_get sys_set",
    ),
    (
        BuiltinRule::Refused("it serves the server's own information_schema"),
        "
         can_access_column can_access_database can_access_event can_access_resource_group can_access_routine
         can_access_table can_access_trigger can_access_user can_access_view convert_cpu_id_mask
         get_dd_column_privileges get_dd_create_options get_dd_index_private_data get_dd_index_sub_part_length
         get_dd_tablespace_private_data internal_auto_increment internal_avg_row_length internal_check_time
         internal_checksum internal_data_free internal_data_length internal_dd_char_length
         internal_get_comment_or_error internal_get_dd_column_extra internal_get_enabled_role_json
         internal_get_hostname internal_get_mandatory_roles_json internal_get_partition_nodegroup
         internal_get_username internal_get_view_warning_or_error internal_index_column_cardinality
         internal_index_length internal_is_enabled_role internal_is_mandatory_role internal_keys_disabled
         internal_max_data_length internal_table_rows internal_tablespace_autoextend_size
         internal_tablespace_data_free internal_tablespace_extra internal_update_time is_visible_dd_object",
    ),
];
