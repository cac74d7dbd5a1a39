//! PostgreSQL's keywords and where each may stand as a name (the manual's appendix C, `pg_get_keywords()`).
//!
//! The union of versions 15 to 18: a word that only a newer server reserves is treated as reserved, so that no
//! version reads a name where the tree has something else.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Where a keyword may stand as a name without quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Anywhere.
    Unreserved,
    /// As a column or table name, not as a function or type.
    ColumnName,
    /// As a function or type, not as a column or table name.
    TypeOrFunction,
    /// Only as a label behind AS.
    Reserved,
}

/// Words that may be any name.
const UNRESERVED: &str = "\
    abort absent absolute access action add admin after aggregate also alter always asensitive assertion \
    assignment at atomic attach attribute backward before begin breadth by cache call called cascade \
    cascaded catalog chain characteristics checkpoint class close cluster columns comment comments \
    commit committed compression conditional configuration conflict connection constraints content \
    continue conversion copy cost csv cube current cursor cycle data database day deallocate declare \
    defaults deferred definer delete delimiter delimiters depends depth detach dictionary disable \
    discard document domain double drop each empty enable encoding encrypted enforced enum error escape \
    event exclude excluding exclusive execute explain expression extension external family filter \
    finalize first following force format forward function functions generated global granted groups handler \
    header hold hour identity if ignore immediate immutable implicit import include including increment \
    indent index indexes inherit inherits inline input insensitive insert instead invoker isolation \
    keep key keys label language large last leakproof level listen load local location lock locked \
    logged mapping match matched materialized maxvalue merge method minute minvalue mode month move name \
    names nested new next nfc nfd nfkc nfkd no normalized nothing notify nowait nulls object objects of \
    off oids old omit operator option options ordinality others over overriding owned owner parallel \
    parameter parser partial partition passing password path period plan plans policy preceding prepare \
    prepared preserve prior privileges procedural procedure procedures program publication quote quotes \
    range read reassign recheck recursive ref referencing refresh reindex relative release rename \
    repeatable replace replica reset respect restart restrict return returns revoke role rollback rollup \
    routine routines rows rule savepoint scalar schema schemas scroll search second security sequence \
    sequences serializable server session set sets share show simple skip snapshot source sql stable \
    standalone start statement statistics stdin stdout storage stored strict string strip subscription \
    support sysid system tables tablespace target temp template temporary text ties transaction \
    transform trigger truncate trusted type types uescape unbounded uncommitted unconditional \
    unencrypted unknown unlisten unlogged until update vacuum valid validate validator value varying \
    version view views virtual volatile whitespace within without work wrapper write xml year yes zone";

/// Words with a grammar of their own as functions or types.
const COLUMN_NAME: &str = "\
    between bigint bit boolean char character coalesce dec decimal exists extract float greatest \
    grouping inout int integer interval json json_array json_arrayagg json_exists json_object json_objectagg \
    json_query json_scalar json_serialize json_table json_value least merge_action national nchar none \
    normalize nullif numeric out overlay position precision real row setof smallint substring time \
    timestamp treat trim values varchar xmlattributes xmlconcat xmlelement xmlexists xmlforest \
    xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable";

/// Words that join or compare.
const TYPE_OR_FUNCTION: &str = "\
    authorization binary collation concurrently cross current_schema freeze full ilike inner is isnull \
    join left like natural notnull outer overlaps right similar tablesample verbose";

/// Words that are never names.
const RESERVED: &str = "\
    all analyse analyze and any array as asc asymmetric both case cast check collate column constraint \
    create current_catalog current_date current_role current_time current_timestamp current_user default \
    deferrable desc distinct do else end except false fetch for foreign from grant group having in \
    initially intersect into lateral leading limit localtime localtimestamp not null offset on only or \
    order placing primary references returning select session_user some symmetric system_user table then \
    to trailing true union unique user using variadic when where window with";

/// Words that are labels only behind AS.
const NEEDS_AS: &str = "\
    array as char character create day except fetch filter for from grant group having hour intersect \
    into isnull limit minute month notnull offset on order over overlaps precision returning second to \
    union varying where window with within without year";

static CLASSES: LazyLock<HashMap<&'static str, Keyword, foldhash::fast::RandomState>> = LazyLock::new(|| {
    let lists = [
        (UNRESERVED, Class::Unreserved),
        (COLUMN_NAME, Class::ColumnName),
        (TYPE_OR_FUNCTION, Class::TypeOrFunction),
        (RESERVED, Class::Reserved),
    ];
    let needs_as: Vec<&str> = NEEDS_AS.split_whitespace().collect();
    let keyword = |word: &'static str, class| Keyword { word, class, bare_label: !needs_as.contains(&word) };
    lists
        .into_iter()
        .flat_map(|(words, class)| words.split_whitespace().map(move |word| (word, class)))
        .map(|(word, class)| (word, keyword(word, class)))
        .collect()
});

/// The longest keyword has 17 letters.
const MAX_LENGTH: usize = 20;

/// A keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keyword {
    /// In lower case.
    pub word: &'static str,
    /// Where it may stand as a name.
    pub class: Class,
    /// Whether it may be a label without AS before it.
    pub bare_label: bool,
}

impl Keyword {
    /// The keyword that a word of a statement is, in whatever case.
    pub fn find(word: &str) -> Option<Self> {
        let mut lower = [0; MAX_LENGTH];
        let lower = lower.get_mut(..word.len())?;
        lower.copy_from_slice(word.as_bytes());
        lower.make_ascii_lowercase();
        CLASSES.get(std::str::from_utf8(lower).ok()?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_the_class_of_the_manual() {
        let class = |word| Keyword::find(word).map(|keyword| keyword.class);
        assert_eq!(class("ONLY"), Some(Class::Reserved));
        assert_eq!(class("IsNull"), Some(Class::TypeOrFunction));
        assert_eq!(class("coalesce"), Some(Class::ColumnName));
        assert_eq!(class("name"), Some(Class::Unreserved));
        assert_eq!(class("email"), None);
        assert_eq!(class("a_word_that_is_longer_than_any_keyword"), None);
        assert!(!Keyword::find("isnull").unwrap().bare_label);
        assert!(Keyword::find("select").unwrap().bare_label);
        assert!(CLASSES.keys().all(|word| word.len() <= MAX_LENGTH));
    }
}
