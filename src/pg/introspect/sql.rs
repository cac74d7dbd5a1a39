//! The questions to PostgreSQL's catalog. Each is asked once for the whole database.
//!
//! They work on versions 13 to 18, as any account: `pg_catalog` is readable by all. Temporary tables of other sessions
//! and TOAST tables are left out. Manual: "System Catalogs".

/// The schemas of a new session, before anything is changed: `"$user"` is looked up and what is absent left out.
pub(super) const SEARCH_PATH: &str =
    "SELECT schema FROM unnest(pg_catalog.current_schemas(false)) WITH ORDINALITY AS s (schema, place) ORDER BY place";

/// One picture of the catalog for all questions, and every name in definitions with its schema.
pub(super) const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
    SET LOCAL search_path = ''; SET LOCAL quote_all_identifiers = off; SET LOCAL statement_timeout = 0;
    SET LOCAL jit = off";

/// Ends it.
pub(super) const END: &str = "COMMIT";

/// Version and database.
pub(super) const SERVER: &str = "SELECT current_setting('server_version_num'), current_database(), current_user";

/// Schemas, the server's own too.
pub(super) const SCHEMAS: &str = "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_(toast|temp)'";

/// Relations: oid, schema, name, kind, `security_barrier`, `check_option`, extension.
pub(super) const RELATIONS: &str = "
    SELECT c.oid, n.nspname, c.relname, c.relkind,
           (SELECT option_value::bool FROM pg_options_to_table(c.reloptions) WHERE option_name = 'security_barrier'),
           (SELECT option_value FROM pg_options_to_table(c.reloptions) WHERE option_name = 'check_option'),
           e.extname
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0
                         AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
    LEFT JOIN pg_extension e ON e.oid = d.refobjid
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.relpersistence <> 't' AND n.nspname !~ '^pg_(toast|temp)'
    ORDER BY c.oid";

/// Columns of relations: relation, number, name, type, modifier, collation that is not the type's,
/// NOT NULL, expression of a generated column.
pub(super) const COLUMNS: &str = "
    SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod,
           CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation END,
           a.attnotnull,
           CASE WHEN a.attgenerated <> '' THEN
                (SELECT pg_get_expr(x.adbin, x.adrelid) FROM pg_attrdef x
                 WHERE x.adrelid = a.attrelid AND x.adnum = a.attnum) END
    FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
      AND c.relpersistence <> 't' AND n.nspname !~ '^pg_(toast|temp)'
    ORDER BY a.attrelid, a.attnum";

/// Types with modifiers as columns have them, and all types that are no rows of tables: oid, modifier, spelling, oid of
/// the base type that a domain leads to, its spelling, its kind, category and name.
pub(super) const TYPES: &str = "
    WITH RECURSIVE used (oid, modifier) AS (
        SELECT atttypid, atttypmod FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped
        UNION SELECT oid, -1 FROM pg_type WHERE typtype IN ('b', 'd', 'e', 'r', 'm', 'p') AND typcategory <> 'A'
        UNION SELECT prorettype, -1 FROM pg_proc
    ), chain (oid, modifier, base, base_modifier) AS (
        SELECT oid, modifier, oid, modifier FROM used
        UNION ALL
        SELECT c.oid, c.modifier, t.typbasetype, t.typtypmod
        FROM chain c JOIN pg_type t ON t.oid = c.base WHERE t.typtype = 'd'
    )
    SELECT c.oid, c.modifier, format_type(c.oid, c.modifier), c.base, format_type(c.base, c.base_modifier),
           b.typtype, b.typcategory, b.typname
    FROM chain c JOIN pg_type b ON b.oid = c.base
    WHERE b.typtype <> 'd'";

/// Labels of enumerations in their order: type, label.
pub(super) const ENUM_LABELS: &str = "SELECT enumtypid, enumlabel FROM pg_enum ORDER BY enumtypid, enumsortorder";

/// Collations that columns name: oid, spelling.
pub(super) const COLLATIONS: &str = "
    SELECT l.oid, quote_ident(n.nspname) || '.' || quote_ident(l.collname)
    FROM pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace
    WHERE l.oid IN (SELECT attcollation FROM pg_attribute)";

/// Indexes: table, index, primary, unique over plain columns of all rows, number of key columns, columns, name.
pub(super) const INDEXES: &str = "
    SELECT indrelid, indexrelid, indisprimary,
           indisunique AND indisvalid AND indpred IS NULL AND indexprs IS NULL, indnkeyatts, indkey,
           relname
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid ORDER BY indrelid, indexrelid";

/// Foreign keys: table, columns, table referred to, its columns, what is done on DELETE, on UPDATE.
pub(super) const FOREIGN_KEYS: &str = "
    SELECT conrelid, array_to_string(conkey, ' '), confrelid, array_to_string(confkey, ' '), confdeltype, confupdtype
    FROM pg_constraint WHERE contype = 'f' ORDER BY oid";

/// Partitions and inheritance: child, parent.
pub(super) const PARENTS: &str = "SELECT inhrelid, inhparent FROM pg_inherits ORDER BY inhrelid, inhseqno";

/// Definitions of views that are not the server's own: view, query.
pub(super) const DEFINITIONS: &str = "
    SELECT c.oid, pg_get_viewdef(c.oid)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('v', 'm') AND c.relpersistence <> 't' AND n.nspname !~ '^pg_(toast|temp)'
      AND n.nspname NOT IN ('pg_catalog', 'information_schema')";

/// Foreign tables: table, wrapper, server, options that say where rows come from, as JSON pairs. Others can be secret.
pub(super) const FOREIGN: &str = "
    SELECT t.ftrelid, w.fdwname, s.srvname,
           (SELECT json_agg(json_build_array(o.option_name, o.option_value))
            FROM (SELECT * FROM pg_options_to_table(s.srvoptions)
                  UNION ALL SELECT * FROM pg_options_to_table(t.ftoptions)
                  UNION ALL (SELECT o.* FROM pg_attribute a, pg_options_to_table(a.attfdwoptions) o
                             WHERE a.attrelid = t.ftrelid AND o.option_name = 'column_name' LIMIT 1)) o
            WHERE o.option_name IN ('host', 'hostaddr', 'port', 'dbname', 'schema_name', 'table_name', 'column_name'))
    FROM pg_foreign_table t
    JOIN pg_foreign_server s ON s.oid = t.ftserver
    JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw";

/// Functions: oid, schema, name, kind, volatility, language, extension, set, result type, its kind, its relation,
/// arguments required, arguments at most, names of OUT arguments as JSON.
pub(super) const FUNCTIONS: &str = "
    SELECT p.oid, n.nspname, p.proname, p.prokind, p.provolatile, l.lanname, e.extname, p.proretset,
           p.prorettype, t.typtype, t.typrelid, p.pronargs - p.pronargdefaults,
           CASE WHEN p.provariadic = 0 THEN p.pronargs END,
           CASE WHEN p.proargmodes IS NOT NULL THEN (
               SELECT json_agg(coalesce(nullif(p.proargnames[o.i], ''), 'column' || o.k) ORDER BY o.i)
               FROM (SELECT i, row_number() OVER (ORDER BY i) AS k FROM generate_subscripts(p.proargmodes, 1) i
                     WHERE p.proargmodes[i] IN ('o', 'b', 't')) o) END
    FROM pg_proc p
    JOIN pg_namespace n ON n.oid = p.pronamespace
    JOIN pg_language l ON l.oid = p.prolang
    JOIN pg_type t ON t.oid = p.prorettype
    LEFT JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                         AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
    LEFT JOIN pg_extension e ON e.oid = d.refobjid";

/// Operators that are not built in: name, schema, extension.
pub(super) const OPERATORS: &str = "
    SELECT o.oprname, n.nspname, e.extname
    FROM pg_operator o
    JOIN pg_namespace n ON n.oid = o.oprnamespace
    LEFT JOIN pg_depend d ON d.classid = 'pg_operator'::regclass AND d.objid = o.oid
                         AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
    LEFT JOIN pg_extension e ON e.oid = d.refobjid
    WHERE n.nspname <> 'pg_catalog'";

/// Types that are not built in and no rows of tables, and built-in types to which somebody's own cast leads: oid,
/// schema, name, extension, whether making a value runs a function outside `pg_catalog`. Objects below 16384 are the
/// server's own. A type hands this on to domains over it and to composite types that contain it.
pub(super) const USER_TYPES: &str = "
    WITH RECURSIVE runs (oid) AS (
        SELECT * FROM (
            SELECT oid FROM pg_type WHERE typinput >= 16384
            UNION
            SELECT k.contypid FROM pg_constraint k JOIN pg_depend d ON d.classid = 'pg_constraint'::regclass
                   AND d.objid = k.oid AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
            WHERE k.contypid <> 0 AND d.refobjid >= 16384
            UNION
            SELECT k.casttarget FROM pg_cast k
            WHERE k.castfunc >= 16384 AND (k.casttarget >= 16384 OR NOT EXISTS (
                SELECT FROM pg_depend d WHERE d.classid = 'pg_cast'::regclass AND d.objid = k.oid AND d.deptype = 'e'))
        ) direct
        UNION
        SELECT CASE WHEN d.classid = 'pg_type'::regclass THEN d.objid ELSE c.reltype END
        FROM runs r
        JOIN pg_depend d ON d.refclassid = 'pg_type'::regclass AND d.refobjid = r.oid AND d.deptype = 'n'
        LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid AND c.relkind = 'c'
        WHERE d.classid = 'pg_type'::regclass OR c.oid IS NOT NULL
    )
    SELECT t.oid, n.nspname, t.typname, e.extname, EXISTS (SELECT FROM runs r WHERE r.oid = t.oid)
    FROM pg_type t
    JOIN pg_namespace n ON n.oid = t.typnamespace
    LEFT JOIN pg_class c ON c.oid = t.typrelid
    LEFT JOIN pg_depend d ON d.classid = 'pg_type'::regclass AND d.objid = t.oid
                         AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
    LEFT JOIN pg_extension e ON e.oid = d.refobjid
    WHERE (n.nspname <> 'pg_catalog' OR t.oid IN (SELECT oid FROM runs)) AND n.nspname !~ '^pg_(toast|temp)'
      AND (c.relkind IS NULL OR c.relkind = 'c') AND t.typcategory <> 'A'";

/// Columns of the rows that functions return: relation, name.
pub(super) const RETURNED_ROWS: &str = "
    SELECT a.attrelid, a.attname
    FROM pg_attribute a
    JOIN pg_type t ON t.typrelid = a.attrelid
    WHERE t.oid IN (SELECT prorettype FROM pg_proc) AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attrelid, a.attnum";

/// One value that changes whenever a function, operator or cast is made, changed or dropped; the server's own are below
/// 16384.
pub(super) const CODE: &str = "
    SELECT md5(coalesce(string_agg(entry, ' ' ORDER BY entry COLLATE \"C\"), '')) FROM (
        SELECT 'o' || oid || ':' || xmin AS entry FROM pg_operator WHERE oid >= 16384
        UNION ALL SELECT 'c' || oid || ':' || xmin FROM pg_cast WHERE oid >= 16384
        UNION ALL SELECT 'f' || oid || ':' || xmin FROM pg_proc WHERE oid >= 16384
    ) made";
