//! Which words are never names, which are functions only directly before a parenthesis, which are introducers.
//!
//! The lists are those of MySQL 9.7 and of MariaDB 10.11 and 11.8 together (`sql/lex.h`, and what the servers refuse as
//! an alias): a word that only a newer server of the family reserves is treated as reserved, so that no version reads a
//! keyword where the tree has a name.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::Flavour;

/// Reserved by both families.
const RESERVED: &str = "\
    accessible add all alter analyze and as asc asensitive before between bigint binary blob both by call cascade \
    case change char character check collate column condition constraint continue convert create cross \
    current_date current_time current_timestamp current_user cursor databases day_hour day_microsecond day_minute \
    day_second dec decimal declare default delayed delete desc describe deterministic distinct distinctrow div \
    double drop dual each else elseif enclosed escaped except exists exit explain false fetch float float4 float8 \
    for force foreign from fulltext grant group having high_priority hour_microsecond hour_minute hour_second if \
    ignore in index infile inner inout insensitive insert int int1 int2 int3 int4 int8 integer intersect interval \
    into is iterate join key keys kill leading leave left like limit linear lines load localtime localtimestamp \
    lock long longblob longtext loop low_priority match maxvalue mediumblob mediumint mediumtext middleint \
    minute_microsecond minute_second mod modifies natural no_write_to_binlog not null numeric on optimize \
    optionally or order out outer outfile over partition precision primary procedure purge range read read_write \
    reads real recursive references regexp release rename repeat replace require resignal restrict return revoke \
    right rlike row_number rows schemas second_microsecond select sensitive separator set show signal smallint \
    spatial specific sql sql_big_result sql_calc_found_rows sql_small_result sqlexception sqlstate sqlwarning ssl \
    starting straight_join table terminated then tinyblob tinyint tinytext to trailing trigger true undo union \
    unique unlock unsigned update usage use using utc_date utc_time utc_timestamp values varbinary varchar \
    varcharacter varying when where while with write xor year_month zerofill";

/// Reserved by MySQL only.
const RESERVED_MYSQL: &str = "\
    cube cume_dist database dense_rank empty external first_value function generated get grouping groups \
    io_after_gtids io_before_gtids json_table lag last_value lateral lead library nth_value ntile of \
    optimizer_costs option percent_rank qualify rank row schema stored system tablesample virtual window";

/// Reserved by MariaDB only.
const RESERVED_MARIADB: &str = "\
    current_role delete_domain_id do_domain_ids ignore_domain_ids master_demote_to_replica master_demote_to_slave \
    master_ssl_verify_server_cert offset page_checksum parse_vcol_expr portion ref_system_id returning \
    sql_after_gtids sql_before_gtids stats_auto_recalc stats_persistent stats_sample_pages vector";

/// Keywords directly before a parenthesis and plain names elsewhere, in both families.
const FUNCTIONS: &str = "\
    adddate bit_and bit_or bit_xor cast count curdate curtime date_add date_sub extract group_concat json_arrayagg \
    json_objectagg max mid min now position session_user std stddev stddev_pop stddev_samp subdate substr \
    substring sum system_user trim var_pop var_samp variance";

/// The same, MySQL only.
const FUNCTIONS_MYSQL: &str = "json_duality_object st_collect sysdate";

/// The same, MariaDB only.
const FUNCTIONS_MARIADB: &str = "\
    cume_dist dense_rank first_value lag lead median nth_value ntile percent_rank percentile_cont percentile_disc \
    rank trim_oracle";

/// Character sets, which make an introducer of a word that begins with `_`. MariaDB has no gb18030.
const CHARACTER_SETS: &str = "\
    armscii8 ascii big5 binary cp1250 cp1251 cp1256 cp1257 cp850 cp852 cp866 cp932 dec8 eucjpms euckr gb18030 \
    gb2312 gbk geostd8 greek hebrew hp8 keybcs2 koi8r koi8u latin1 latin2 latin5 latin7 macce macroman sjis swe7 \
    tis620 ucs2 ujis utf16 utf16le utf32 utf8 utf8mb3 utf8mb4";

/// What a word is to each family; bits of [`Class`].
type Words = HashMap<&'static str, u8, foldhash::fast::RandomState>;

/// Bits for what a word is.
struct Class;

impl Class {
    const RESERVED_MYSQL: u8 = 1;
    const RESERVED_MARIADB: u8 = 2;
    const FUNCTION_MYSQL: u8 = 4;
    const FUNCTION_MARIADB: u8 = 8;
    const CHARACTER_SET: u8 = 16;
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let lists = [
        (RESERVED, Class::RESERVED_MYSQL | Class::RESERVED_MARIADB),
        (RESERVED_MYSQL, Class::RESERVED_MYSQL),
        (RESERVED_MARIADB, Class::RESERVED_MARIADB),
        (FUNCTIONS, Class::FUNCTION_MYSQL | Class::FUNCTION_MARIADB),
        (FUNCTIONS_MYSQL, Class::FUNCTION_MYSQL),
        (FUNCTIONS_MARIADB, Class::FUNCTION_MARIADB),
        (CHARACTER_SETS, Class::CHARACTER_SET),
    ];
    let mut words = Words::default();
    for (list, class) in lists {
        for word in list.split_whitespace() {
            *words.entry(word).or_default() |= class;
        }
    }
    words
});

/// The longest word of the lists, in bytes.
const LONGEST: usize = 29;

/// The bits of a word in any case.
fn class(word: &str) -> u8 {
    let mut lower = [0_u8; LONGEST];
    let Some(lower) = lower.get_mut(..word.len()) else { return 0 };
    lower.copy_from_slice(word.as_bytes());
    lower.make_ascii_lowercase();
    std::str::from_utf8(lower).ok().and_then(|word| WORDS.get(word)).copied().unwrap_or_default()
}

/// Whether a word in any case is never a name without quotes.
pub fn is_reserved(word: &str, flavour: Flavour) -> bool {
    let bit = match flavour {
        Flavour::MySql => Class::RESERVED_MYSQL,
        Flavour::MariaDb => Class::RESERVED_MARIADB,
    };
    class(word) & bit != 0
}

/// Whether a word in any case is a keyword if a parenthesis follows directly, and only then.
pub fn is_function(word: &str, flavour: Flavour) -> bool {
    let bit = match flavour {
        Flavour::MySql => Class::FUNCTION_MYSQL,
        Flavour::MariaDb => Class::FUNCTION_MARIADB,
    };
    class(word) & bit != 0
}

/// Whether a word says the character set of the literal behind it: `_utf8mb4`.
pub fn is_introducer(word: &str, flavour: Flavour) -> bool {
    word.strip_prefix('_').is_some_and(|name| {
        class(name) & Class::CHARACTER_SET != 0
            && !(flavour == Flavour::MariaDb && name.eq_ignore_ascii_case("gb18030"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_belong_to_their_families() {
        assert!(is_reserved("Select", Flavour::MySql) && is_reserved("SELECT", Flavour::MariaDb));
        assert!(is_reserved("rank", Flavour::MySql) && !is_reserved("rank", Flavour::MariaDb));
        assert!(is_function("rank", Flavour::MariaDb) && !is_function("rank", Flavour::MySql));
        assert!(is_reserved("offset", Flavour::MariaDb) && !is_reserved("offset", Flavour::MySql));
        assert!(is_function("COUNT", Flavour::MySql) && !is_reserved("count", Flavour::MySql));
        assert!(!is_reserved("email", Flavour::MySql) && !is_reserved("émail", Flavour::MariaDb));
        assert_eq!(WORDS.keys().map(|word| word.len()).max(), Some(LONGEST));
    }

    #[test]
    fn introducers_are_character_sets() {
        assert!(is_introducer("_utf8MB4", Flavour::MySql) && is_introducer("_binary", Flavour::MariaDb));
        assert!(is_introducer("_gb18030", Flavour::MySql) && !is_introducer("_gb18030", Flavour::MariaDb));
        assert!(!is_introducer("utf8", Flavour::MySql) && !is_introducer("_id", Flavour::MySql));
    }
}
