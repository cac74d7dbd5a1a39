//! Extensions whose functions and operators only compute.
//!
//! A function of one of them may be called where it is written in C and promises not to change anything; their
//! sources were read, the exceptions are below.

/// Sorted.
const COMPUTING: &[&str] = &[
    "btree_gin",
    "btree_gist",
    "citext",
    "cube",
    "earthdistance",
    "fuzzystrmatch",
    "hstore",
    "intarray",
    "isn",
    "ltree",
    "pg_trgm",
    "pgcrypto",
    "postgis",
    "seg",
    "unaccent",
    "uuid-ossp",
    "vector",
];

/// Functions of `PostGIS` that read the planner's statistics, or an index, of a table that their arguments name.
const EXCEPTIONS: &[&str] = &[
    "_postgis_index_extent",
    "_postgis_join_selectivity",
    "_postgis_selectivity",
    "_postgis_stats",
    "estimated_extent",
    "find_srid",
    "postgis_index_extent",
    "st_estimated_extent",
    "st_estimatedextent",
    "st_find_extent",
    "st_findextent",
];

/// Whether functions and operators of an extension only compute, where they are written in C and promise not to change
/// anything.
pub(super) fn computes(extension: &str) -> bool {
    COMPUTING.binary_search(&extension).is_ok()
}

/// Whether a function of such an extension does more than compute.
pub(super) fn is_exception(function: &str) -> bool {
    EXCEPTIONS.binary_search(&function).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted() {
        assert!(COMPUTING.is_sorted() && EXCEPTIONS.is_sorted());
        assert!(computes("citext") && !computes("dblink"));
        assert!(is_exception("st_estimatedextent") && !is_exception("st_astext"));
    }
}
