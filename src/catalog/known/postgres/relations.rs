//! The tables and views of `pg_catalog`.

use super::{About, SystemColumns, SystemRule, SystemView};
use SystemColumns::{All, Except, Only};

/// How a relation of `pg_catalog` appears; `None` where it is in no list.
pub(super) fn view(name: &str) -> Option<SystemView> {
    if OPEN.split_ascii_whitespace().any(|open| open == name) {
        return Some(SystemView::Open);
    }
    if let Some((_, rule)) = REPLACED.iter().find(|(replaced, _)| *replaced == name) {
        return Some(SystemView::Replaced(rule));
    }
    let (_, reason) =
        REFUSED.iter().find(|(names, _)| names.split_ascii_whitespace().any(|refused| refused == name))?;
    Some(SystemView::Refused(reason))
}

/// The server's types, operators, languages, collations, text search, time zones: nothing about tables.
const OPEN: &str = "
    pg_aggregate pg_am pg_amop pg_amproc pg_auth_members pg_available_extension_versions pg_available_extensions pg_cast
    pg_collation pg_conversion pg_default_acl pg_enum pg_event_trigger pg_extension pg_group pg_language pg_opclass
    pg_operator pg_opfamily pg_parameter_acl pg_publication pg_range pg_tablespace pg_timezone_abbrevs pg_timezone_names
    pg_transform pg_ts_config pg_ts_config_map pg_ts_dict pg_ts_parser pg_ts_template pg_wait_events";

/// A rule that only leaves out rows.
const fn about(about: &'static [About]) -> SystemRule {
    SystemRule { columns: All, filter: None, about }
}

/// Counters of a table or index are NULL; that it exists is not.
const TABLE_COUNTERS: SystemRule =
    SystemRule { columns: Only(&["relid", "schemaname", "relname"]), filter: None, about: &[About::Relation("relid")] };
const INDEX_COUNTERS: SystemRule = SystemRule {
    columns: Only(&["relid", "indexrelid", "schemaname", "relname", "indexrelname"]),
    filter: None,
    about: &[About::Relation("relid")],
};

const REPLACED: &[(&str, SystemRule)] = &[
    ("pg_attrdef", about(&[About::Relation("adrelid")])),
    // `attmissingval` holds a value of the column; options of foreign columns may hold secrets.
    (
        "pg_attribute",
        SystemRule {
            columns: Except(&[("attmissingval", "NULL"), ("attfdwoptions", "NULL")]),
            filter: None,
            about: &[About::Relation("attrelid")],
        },
    ),
    // Sizes and estimates count rows that the role cannot see; `-1` and `0` are what a new table has.
    (
        "pg_class",
        SystemRule {
            columns: Except(&[
                ("relfilenode", "0::pg_catalog.oid"),
                ("relpages", "0"),
                ("reltuples", "-1::pg_catalog.float4"),
                ("relallvisible", "0"),
                ("relallfrozen", "0"),
                ("relfrozenxid", "'0'::pg_catalog.xid"),
                ("relminmxid", "'0'::pg_catalog.xid"),
            ]),
            filter: None,
            about: &[About::Relation("oid")],
        },
    ),
    ("pg_constraint", about(&[About::Relation("conrelid"), About::Relation("confrelid")])),
    ("pg_cursors", SystemRule { columns: Except(&[("statement", "NULL")]), filter: None, about: &[] }),
    // Other databases of the server are none of the source's business.
    ("pg_database", SystemRule { columns: All, filter: Some("datname = pg_catalog.current_database()"), about: &[] }),
    // Settings of accounts and databases may be secret.
    ("pg_db_role_setting", SystemRule { columns: Except(&[("setconfig", "NULL")]), filter: None, about: &[] }),
    ("pg_depend", about(&[About::Object("classid", "objid"), About::Object("refclassid", "refobjid")])),
    ("pg_description", about(&[About::Object("classoid", "objoid")])),
    // Options of foreign things hold connection data.
    ("pg_foreign_data_wrapper", SystemRule { columns: Except(&[("fdwoptions", "NULL")]), filter: None, about: &[] }),
    ("pg_foreign_server", SystemRule { columns: Except(&[("srvoptions", "NULL")]), filter: None, about: &[] }),
    (
        "pg_foreign_table",
        SystemRule { columns: Except(&[("ftoptions", "NULL")]), filter: None, about: &[About::Relation("ftrelid")] },
    ),
    ("pg_index", about(&[About::Relation("indrelid")])),
    ("pg_indexes", about(&[About::Names("schemaname", "tablename")])),
    ("pg_inherits", about(&[About::Relation("inhrelid"), About::Relation("inhparent")])),
    ("pg_init_privs", about(&[About::Object("classoid", "objoid")])),
    // Large objects are not to be had through the proxy: the list of them is empty.
    ("pg_largeobject_metadata", SystemRule { columns: All, filter: Some("false"), about: &[] }),
    (
        "pg_matviews",
        SystemRule {
            columns: Except(&[("definition", "NULL")]),
            filter: None,
            about: &[About::Names("schemaname", "matviewname")],
        },
    ),
    ("pg_namespace", about(&[About::Schema("nspname")])),
    ("pg_partitioned_table", about(&[About::Relation("partrelid")])),
    ("pg_policies", about(&[About::Names("schemaname", "tablename")])),
    ("pg_policy", about(&[About::Relation("polrelid")])),
    // The session's own, but the text is what the server got, with masks and filters in it.
    ("pg_prepared_statements", SystemRule { columns: Except(&[("statement", "NULL")]), filter: None, about: &[] }),
    // Bodies of functions hold whatever their authors wrote; `proconfig` settings that may be secret.
    (
        "pg_proc",
        SystemRule {
            columns: Except(&[("prosrc", "NULL"), ("probin", "NULL"), ("prosqlbody", "NULL"), ("proconfig", "NULL")]),
            filter: None,
            about: &[About::SchemaOid("pronamespace")],
        },
    ),
    ("pg_publication_namespace", about(&[About::SchemaOid("pnnspid")])),
    ("pg_publication_rel", about(&[About::Relation("prrelid")])),
    (
        "pg_publication_tables",
        SystemRule {
            columns: Only(&["pubname", "schemaname", "tablename", "attnames"]),
            filter: None,
            about: &[About::Names("schemaname", "tablename")],
        },
    ),
    (
        "pg_rewrite",
        SystemRule {
            columns: Except(&[("ev_qual", "NULL"), ("ev_action", "NULL")]),
            filter: None,
            about: &[About::Relation("ev_class")],
        },
    ),
    // Passwords are stars in the view already. Settings of an account may be secret.
    ("pg_roles", SystemRule { columns: Except(&[("rolconfig", "NULL")]), filter: None, about: &[] }),
    (
        "pg_rules",
        SystemRule {
            columns: Except(&[("definition", "NULL")]),
            filter: None,
            about: &[About::Names("schemaname", "tablename")],
        },
    ),
    ("pg_seclabel", about(&[About::Object("classoid", "objoid")])),
    ("pg_seclabels", about(&[About::Object("classoid", "objoid")])),
    ("pg_sequence", about(&[About::Relation("seqrelid")])),
    (
        "pg_sequences",
        SystemRule {
            columns: Except(&[("last_value", "NULL")]),
            filter: None,
            about: &[About::Names("schemaname", "sequencename")],
        },
    ),
    // Names with a dot are extensions' and the proxy's own, keys of masks among them; the rest is paths and secrets.
    (
        "pg_settings",
        SystemRule {
            columns: Except(&[("sourcefile", "NULL"), ("sourceline", "NULL")]),
            filter: Some(
                "pg_catalog.strpos(name, '.') = 0 AND name NOT IN ('archive_cleanup_command', 'archive_command', \
                 'archive_library', 'config_file', 'data_directory', 'dynamic_library_path', 'event_source', \
                 'extension_control_path', 'external_pid_file', 'hba_file', 'ident_file', 'krb_server_keyfile', \
                 'listen_addresses', 'local_preload_libraries', 'log_directory', 'log_filename', \
                 'oauth_validator_libraries', 'primary_conninfo', 'primary_slot_name', 'promote_trigger_file', \
                 'recovery_end_command', 'restore_command', 'session_preload_libraries', 'shared_preload_libraries', \
                 'ssl_ca_file', 'ssl_cert_file', 'ssl_crl_dir', 'ssl_crl_file', 'ssl_dh_params_file', 'ssl_key_file', \
                 'ssl_passphrase_command', 'synchronized_standby_slots', 'synchronous_standby_names', \
                 'unix_socket_directories')",
            ),
            about: &[],
        },
    ),
    ("pg_shdescription", SystemRule { columns: All, filter: None, about: &[] }),
    // One's own session only, without statement text.
    (
        "pg_stat_activity",
        SystemRule {
            columns: Only(&[
                "datid",
                "datname",
                "pid",
                "usesysid",
                "usename",
                "application_name",
                "backend_start",
                "xact_start",
                "query_start",
                "state_change",
                "state",
                "backend_type",
            ]),
            filter: Some("pid = pg_catalog.pg_backend_pid()"),
            about: &[],
        },
    ),
    ("pg_stat_all_indexes", INDEX_COUNTERS),
    ("pg_stat_all_tables", TABLE_COUNTERS),
    ("pg_stat_user_indexes", INDEX_COUNTERS),
    ("pg_stat_user_tables", TABLE_COUNTERS),
    ("pg_statio_all_tables", TABLE_COUNTERS),
    ("pg_statio_user_indexes", INDEX_COUNTERS),
    ("pg_statio_user_tables", TABLE_COUNTERS),
    ("pg_statistic_ext", about(&[About::Relation("stxrelid")])),
    (
        "pg_subscription",
        SystemRule {
            columns: Only(&["oid", "subdbid", "subname", "subowner", "subenabled", "subbinary", "subpublications"]),
            filter: None,
            about: &[],
        },
    ),
    ("pg_tables", about(&[About::Names("schemaname", "tablename")])),
    ("pg_trigger", about(&[About::Relation("tgrelid"), About::Relation("tgconstrrelid")])),
    ("pg_type", about(&[About::Relation("typrelid")])),
    ("pg_user", SystemRule { columns: Except(&[("useconfig", "NULL")]), filter: None, about: &[] }),
    (
        "pg_user_mappings",
        SystemRule { columns: Only(&["umid", "srvid", "srvname", "umuser", "usename"]), filter: None, about: &[] },
    ),
    (
        "pg_views",
        SystemRule {
            columns: Except(&[("definition", "NULL")]),
            filter: None,
            about: &[About::Names("schemaname", "viewname")],
        },
    ),
];

const REFUSED: &[(&str, &str)] = &[
    ("pg_authid pg_shadow", "it holds password hashes"),
    ("pg_user_mapping", "it holds passwords of foreign servers"),
    ("pg_largeobject", "it holds large objects"),
    (
        "pg_statistic pg_statistic_ext_data pg_stats pg_stats_ext pg_stats_ext_exprs",
        "it holds values of columns, taken for the planner",
    ),
    (
        "pg_aios pg_backend_memory_contexts pg_locks pg_prepared_xacts pg_stat_gssapi pg_stat_ssl",
        "it shows other sessions",
    ),
    (
        "pg_stat_archiver pg_stat_bgwriter pg_stat_checkpointer pg_stat_database pg_stat_database_conflicts pg_stat_io \
         pg_stat_progress_analyze pg_stat_progress_basebackup pg_stat_progress_cluster pg_stat_progress_copy \
         pg_stat_progress_create_index pg_stat_progress_vacuum pg_stat_recovery_prefetch pg_stat_slru \
         pg_stat_sys_indexes pg_stat_sys_tables pg_stat_user_functions pg_stat_wal pg_stat_xact_all_tables \
         pg_stat_xact_sys_tables pg_stat_xact_user_functions pg_stat_xact_user_tables pg_statio_all_indexes \
         pg_statio_all_sequences pg_statio_sys_indexes pg_statio_sys_sequences pg_statio_sys_tables \
         pg_statio_user_sequences",
        "it counts rows that the role cannot see",
    ),
    (
        "pg_config pg_file_settings pg_hba_file_rules pg_ident_file_mappings pg_shmem_allocations \
         pg_shmem_allocations_numa",
        "it shows the server's files and memory",
    ),
    (
        "pg_replication_origin pg_replication_origin_status pg_replication_slots pg_stat_replication \
         pg_stat_replication_slots pg_stat_subscription pg_stat_subscription_stats pg_stat_wal_receiver \
         pg_subscription_rel",
        "it belongs to replication",
    ),
    ("pg_shdepend pg_shseclabel", "it names objects that the role cannot see"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_listed_twice() {
        let mut seen = std::collections::HashSet::new();
        let open = OPEN.split_ascii_whitespace();
        let refused = REFUSED.iter().flat_map(|(names, _)| names.split_ascii_whitespace());
        for name in open.chain(REPLACED.iter().map(|(name, _)| *name)).chain(refused) {
            assert!(seen.insert(name), "{name} is listed twice");
        }
        assert!(REPLACED.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
