//! No value makes a mask fail, and no setting of a session changes what it gives.

use std::fmt::Write as _;
use std::sync::Arc;

use sekisho::policy::{MaskSpec, TruncUnit};
use sekisho::rewrite::masks::RelationContext;
use sekisho::sql::Engine;

use crate::masks::{KeepsType, keys, mysql_session, mysql_table, postgres_session, postgres_table};
use crate::support::{MySqlServer, mariadb, mysql, postgres};

fn arc(text: &str) -> Arc<str> {
    Arc::from(text)
}

/// At least one mask of each kind but `fixed`, which is about the rule and not about values.
fn every_kind() -> Vec<MaskSpec> {
    let key_id = None;
    let mut all = vec![
        MaskSpec::Null,
        MaskSpec::Redact { with: '*' },
        MaskSpec::Redact { with: '■' },
        MaskSpec::Keep { first: 1, last: 2, with: '*' },
        MaskSpec::Keep { first: 0, last: 4, with: '■' },
        MaskSpec::Email,
        MaskSpec::Phone,
        MaskSpec::Regex { pattern: arc("[aeiou]+"), replace: arc("_") },
        MaskSpec::Hash { length: 64, key_id: key_id.clone() },
        MaskSpec::Hash { length: 8, key_id: key_id.clone() },
        MaskSpec::Pseudonym { list: [arc("a"), arc("山田")].into(), key_id: key_id.clone() },
        MaskSpec::Shift { days: 1, key: None, key_id: key_id.clone() },
        MaskSpec::Shift { days: 36_500, key: Some(arc("id")), key_id: key_id.clone() },
        MaskSpec::Ip { v4: 24, v6: 48 },
        MaskSpec::Ip { v4: 31, v6: 127 },
        MaskSpec::Ip { v4: 0, v6: 0 },
    ];
    for step in ["0.3", "1000", "0.001", "7", "100000000000000000000"] {
        all.push(MaskSpec::Round { to: arc(step) });
        all.push(MaskSpec::Bucket { width: arc(step) });
    }
    for percent in ["0.5", "100"] {
        all.push(MaskSpec::Noise { percent: arc(percent), key_id: key_id.clone() });
    }
    for unit in [TruncUnit::Year, TruncUnit::Quarter, TruncUnit::Month, TruncUnit::Day, TruncUnit::Hour] {
        all.push(MaskSpec::Trunc { unit });
    }
    let inner = [
        MaskSpec::Email,
        MaskSpec::Phone,
        MaskSpec::Hash { length: 16, key_id },
        MaskSpec::Round { to: arc("0.3") },
        MaskSpec::Noise { percent: arc("10"), key_id: None },
        MaskSpec::Ip { v4: 24, v6: 48 },
    ];
    let paths = ["a", "b.a", "b.b.b"];
    all.extend(inner.into_iter().map(|mask| MaskSpec::Json {
        paths: paths.iter().map(|path| (arc(path), Some(mask.clone()))).chain([(arc("c"), None)]).collect(),
    }));
    all
}

/// Texts that trip up functions on text: odd lengths, odd characters, almost what the masks look for.
fn texts() -> Vec<String> {
    let mut all: Vec<String> = [
        "",
        " ",
        "a",
        "@",
        "@@",
        "a@",
        "@b",
        "a@b",
        "a@b@",
        "a@@b",
        "a b@c",
        "1234",
        "12345",
        "٠١٢٣٤٥٦٧",
        "１２３４５",
        "\\",
        "\\\\1",
        "%_",
        "'",
        "\"",
        "$1\\1",
        "\n",
        "a@b\n",
        "1.2.3.4",
        "01.2.3.4",
        "1.2.3.4.5",
        "::",
        ":::",
        "1::2",
        "1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7::",
        "::1:2:3:4:5:6:7",
        "1::2:3:4:5:6:7:8",
        "::ffff:1.2.3.4",
        "fe80::1%eth0",
        "::ffff",
        "12345::",
        "e\u{301}",
        "👩‍👩‍👧‍👧@例.jp",
        "\u{feff}a@b.c",
        "\u{202e}abc",
        "{\"a\":1}",
        "[",
        "null",
    ]
    .map(str::to_owned)
    .to_vec();
    all.push("1".repeat(100_000));
    all.push("あ@".repeat(20_000));
    all.push(format!("{}@{}", "x".repeat(5000), "y".repeat(5000)));
    let mut random = Random(0x5eed);
    all.extend((0..300).map(|_| random.text()));
    all
}

/// A small generator, so that every run tries the same values.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }

    fn text(&mut self) -> String {
        const PARTS: &[&str] = &[
            "@", ".", ":", "-", " ", "0", "7", "12", "255", "a", "f", "xyz", "\\", "é", "山", "９", "😀", "/", "\t",
            "'",
        ];
        (0..self.next(14)).map(|_| PARTS[self.next(PARTS.len())]).collect()
    }
}

fn as_values<'v>(texts: &'v [String], longest: usize) -> Vec<Option<&'v str>> {
    let cut = |text: &'v String| {
        let end = text.char_indices().nth(longest).map_or(text.len(), |(at, _)| at);
        text.get(..end)
    };
    texts.iter().map(cut).chain([None]).collect()
}

fn some(values: &'static [&'static str]) -> Vec<Option<&'static str>> {
    values.iter().copied().map(Some).chain([None]).collect()
}

const DOCUMENTS: &[&str] = &[
    "{}",
    "[]",
    "null",
    "true",
    "1",
    "\"x\"",
    r#"{"a":null,"b":null,"c":null}"#,
    r#"{"a":1e300,"b":{"a":-0.0,"b":7}}"#,
    r#"{"a":{"x":1},"b":[{"a":1}],"c":[1]}"#,
    r#"{"a":"1.2.3.4","b":{"a":[],"b":{"b":{}}}}"#,
    r#"{"a":"","b":{"a":"山@b","b":{"b":true}}}"#,
    r#"{"b":{"a":123456789012345678901234567890,"b":{"b":1e-300}}}"#,
    r#"{"a\"b":1,"":2,"a":"\\\"'"}"#,
    r#"{"a":"\u0041","b":{"b":{"b":"::1","c":{}}}}"#,
];

/// Settings that a restricted session can change, and that functions follow.
const POSTGRES_SETTINGS: &str = "set timezone = 'Asia/Kathmandu'; set datestyle = 'SQL, DMY'; \
    set intervalstyle = 'sql_standard'; set extra_float_digits = -15; set bytea_output = 'escape'; \
    set enable_hashjoin = off; set lc_monetary = 'C'; set default_transaction_isolation = 'serializable';";

const MYSQL_SETTINGS: &str = "set time_zone = '+05:45'; set div_precision_increment = 0; \
    set sql_mode = 'PAD_CHAR_TO_FULL_LENGTH,ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES,HIGH_NOT_PRECEDENCE,\
NO_UNSIGNED_SUBTRACTION,IGNORE_SPACE'; set collation_connection = utf8mb4_bin;";

type Values<'v> = Vec<(&'static str, Vec<Option<&'v str>>)>;

fn postgres_types(texts: &[String]) -> Values<'_> {
    let mut types = vec![
        ("text", as_values(texts, usize::MAX)),
        ("character varying(9)", as_values(texts, 9)),
        ("character(8)", as_values(texts, 8)),
        ("name", as_values(texts, 12)),
        ("citext", as_values(texts, 200)),
        ("text collate nocase", as_values(texts, 200)),
        ("smallint", some(&["0", "-1", "32767", "-32768"])),
        ("integer", some(&["0", "-1", "2147483647", "-2147483648", "1499"])),
        ("bigint", some(&["0", "-1", "9223372036854775807", "-9223372036854775808"])),
        ("oid", some(&["0", "4294967295"])),
        ("numeric", some(&["0", "NaN", "-0.1", "1e130", "-1e-130", "99999999999999999999.999999999999999999"])),
        ("numeric(5,2)", some(&["0", "NaN", "999.99", "-999.99", "0.01"])),
        ("numeric(60,30)", some(&["0", "0.000000000000000000000000000001", "-999999999999999999999999999999.9"])),
        ("real", some(&["0", "-0", "NaN", "Infinity", "-Infinity", "3.4028235e38", "-3.4028235e38", "1e-45", "1.1"])),
        (
            "double precision",
            some(&[
                "0",
                "-0",
                "NaN",
                "Infinity",
                "-Infinity",
                "1.7976931348623157e308",
                "-1.7976931348623157e308",
                "4.9e-324",
                "-4.9e-324",
                "1e-300",
                "1.1",
                "9007199254740993",
                "1e22",
            ]),
        ),
        ("date", some(&["infinity", "-infinity", "4714-11-24 BC", "5874897-12-31", "0001-01-01", "9999-12-31"])),
        (
            "timestamp(3) without time zone",
            some(&[
                "infinity",
                "-infinity",
                "4714-11-24 00:00:00 BC",
                "294276-12-31 23:59:59.999",
                "2024-02-29 12:34:56",
            ]),
        ),
        (
            "timestamp with time zone",
            some(&[
                "infinity",
                "-infinity",
                "4714-11-24 00:00:00+00 BC",
                "294276-12-31 23:59:59.999+00",
                "2024-10-27 01:30:00+00",
            ]),
        ),
        ("time without time zone", some(&["00:00:00", "24:00:00", "23:59:59.999999"])),
        ("time with time zone", some(&["00:00:00+14", "24:00:00-12"])),
        ("inet", some(&["0.0.0.0", "255.255.255.255", "10.1.2.3/8", "::", "::1/64", "ffff::/16", "0.0.0.0/0"])),
        ("cidr", some(&["10.0.0.0/8", "::/0", "192.168.1.1/32"])),
        ("uuid", some(&["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"])),
        ("bytea", some(&["", "\\x00", "\\xdeadbeef"])),
        ("boolean", some(&["t", "f"])),
        ("interval", some(&["1 day", "-178000000 years"])),
        ("text[]", some(&["{}", "{a,NULL}"])),
        ("tier", some(&["a", "b"])),
        ("address", some(&["a@b"])),
        ("point", some(&["(1,2)"])),
        ("jsonb", some(DOCUMENTS)),
        ("json", some(DOCUMENTS)),
    ];
    types.push(("json", some(&["{\"a\": \"\\u0000\"}", "{\"a\": 1e999999}", "\"\\ud800\"", "{\"a\":1,\"a\":2}"])));
    types
}

#[test]
fn nothing_fails_on_postgresql() {
    let texts = texts();
    let types = postgres_types(&texts);
    let mut script = crate::masks::POSTGRES_TYPES.to_owned();
    for (at, (ty, values)) in types.iter().enumerate() {
        script += &postgres_table(&format!("x{at}"), ty, values);
    }
    let database = postgres().database(&script);
    let snapshot = database.snapshot();
    let (keys, mut count) = (keys(), 0);
    for (at, (ty, values)) in types.iter().enumerate() {
        let name = format!("x{at}");
        let relation = snapshot.find("public", &name).unwrap();
        let context = RelationContext { relation, qualifier: None, key_ids: keys.ids() };
        let masks = every_kind();
        let served_here: Vec<String> = masks
            .iter()
            .filter_map(|mask| {
                sekisho::rewrite::masks::render(Engine::Postgres, mask, &relation.columns[1], "\"c\"", &context).ok()
            })
            .collect();
        count += served_here.len();
        let columns: Vec<String> = served_here.iter().enumerate().map(|(n, sql)| format!("{sql} as m{n}")).collect();
        let columns = columns.join(", ");
        database.execute(&format!("{}create table a{at} as select id, {columns} from {name}", postgres_session()));
        database.execute(&format!(
            "{}{POSTGRES_SETTINGS}create table b{at} as select id, {columns} from {name}",
            postgres_session()
        ));
        for (n, sql) in served_here.iter().enumerate() {
            KeepsType { database: &database, table: &name, made: &format!("a{at}"), column: &format!("m{n}") }
                .check(sql);
            let differing = database.rows(&format!(
                "select a.id from a{at} a join b{at} b using (id) where a.m{n}::text is distinct from b.m{n}::text \
                 union all select id from a{at} where id = {} and m{n} is not null",
                values.len()
            ));
            assert_eq!(differing, Vec::<Vec<String>>::new(), "{ty}: {sql}");
        }
    }
    assert!(count > 200, "only {count} masks served their types");
}

#[test]
fn nothing_fails_on_mariadb() {
    nothing_fails_on_mysql_family(
        mariadb(),
        &[("uuid", UUIDS), ("inet6", &["::", "ffff::1"]), ("inet4", &["1.2.3.4"])],
    );
}

#[test]
fn nothing_fails_on_mysql() {
    if let Some(server) = mysql() {
        nothing_fails_on_mysql_family(server, &[]);
    }
}

const UUIDS: &[&str] = &["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"];

type Typed = (&'static str, &'static [&'static str]);

fn mysql_types<'v>(texts: &'v [String], ascii: &'v [String]) -> Values<'v> {
    vec![
        ("longtext", as_values(texts, 3000)),
        ("varchar(9)", as_values(texts, 9)),
        ("char(8)", as_values(texts, 8)),
        ("varchar(200) character set latin1", as_values(ascii, 200)),
        ("varchar(200) character set utf8mb3", as_values(ascii, 200)),
        ("varchar(200) collate utf8mb4_unicode_ci", as_values(texts, 200)),
        ("tinyint", some(&["0", "-128", "127"])),
        ("smallint unsigned", some(&["0", "65535"])),
        ("mediumint", some(&["0", "-8388608"])),
        ("int", some(&["0", "-1", "2147483647", "-2147483648"])),
        ("bigint", some(&["0", "-1", "9223372036854775807", "-9223372036854775808"])),
        ("bigint unsigned", some(&["0", "18446744073709551615"])),
        ("decimal(5,2)", some(&["0", "999.99", "-999.99", "0.01"])),
        (
            "decimal(45,30)",
            some(&["0", "999999999999999.999999999999999999999999999999", "-0.000000000000000000000000000001"]),
        ),
        ("decimal(5,2) unsigned", some(&["0", "999.99"])),
        ("float", some(&["0", "3.4e38", "-3.4e38", "1e-45", "1.1"])),
        (
            "double",
            some(&["0", "1.7976931348623157e308", "-1.7976931348623157e308", "4.9e-324", "1.1", "9007199254740993"]),
        ),
        ("year", some(&["1901", "2155", "0"])),
        (
            "date",
            some(&["0000-00-00", "2024-00-00", "2024-02-00", "0000-01-01", "0001-01-01", "1000-01-01", "9999-12-31"]),
        ),
        (
            "datetime(6)",
            some(&[
                "0000-00-00",
                "2024-00-00",
                "0000-01-01 00:00:00",
                "9999-12-31 23:59:59.999999",
                "2024-02-29 12:34:56.5",
            ]),
        ),
        ("datetime", some(&["2024-02-29 12:34:56"])),
        ("timestamp", some(&["1970-01-01 00:00:01", "2038-01-19 03:14:07", "2024-10-27 01:30:00", "0000-00-00"])),
        ("timestamp(6)", some(&["1970-01-01 00:00:01.5", "2024-10-27 01:30:00.123456"])),
        ("time", some(&["-838:59:59", "838:59:59", "00:00:00", "-00:00:01"])),
        ("time(3)", some(&["12:34:56.789"])),
        ("varbinary(20)", some(&["", "x"])),
        ("binary(16)", some(&["", "0123456789abcdef"])),
        ("blob", some(&["x"])),
        ("enum('a','b')", some(&["a"])),
        ("json", some(DOCUMENTS)),
    ]
}

fn nothing_fails_on_mysql_family(server: &'static MySqlServer, more: &'static [Typed]) {
    let texts = texts();
    let ascii: Vec<String> = texts.iter().filter(|text| text.is_ascii()).cloned().collect();
    let mut types = mysql_types(&texts, &ascii);
    types.extend(more.iter().map(|(ty, values)| (*ty, some(values))));
    let database = server.database("");
    for (at, (ty, values)) in types.iter().enumerate() {
        let name = format!("x{at}");
        let rows = if *ty == "longtext" { 15 } else { 200 };
        for (n, some) in values.chunks(rows).enumerate() {
            let script = mysql_table(&name, ty, some, n * rows + 1);
            database.execute(&format!("set sql_mode = 'ALLOW_INVALID_DATES'; set time_zone = '+00:00'; {script}"));
        }
        if *ty == "longtext" {
            database
                .execute(&format!("insert into {name} values (9001, repeat('1', 20000)), (9002, repeat('あ@', 9999))"));
        }
    }
    let snapshot = server.snapshot();
    let (keys, mut count) = (keys(), 0);
    for (at, (ty, values)) in types.iter().enumerate() {
        let name = format!("x{at}");
        let relation = snapshot.find(&database.name, &name).unwrap();
        let context = RelationContext { relation, qualifier: None, key_ids: keys.ids() };
        let masks: Vec<String> = every_kind()
            .iter()
            .filter_map(|mask| {
                sekisho::rewrite::masks::render(Engine::MySql, mask, &relation.columns[1], "`c`", &context).ok()
            })
            .collect();
        count += masks.len();
        let columns: Vec<String> = masks.iter().enumerate().map(|(n, sql)| format!("{sql} as m{n}")).collect();
        let columns = columns.join(", ");
        // In strict mode every warning about a value is an error.
        database.execute(&format!(
            "{}set sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO'; \
             create table a{at} as select id, {columns} from {name}",
            mysql_session()
        ));
        database.execute(&format!(
            "{}{MYSQL_SETTINGS}create table b{at} as select id, {columns} from {name}",
            mysql_session()
        ));
        // The tables hold other values where a session's zone moves points in time, so those are read in one zone.
        let zone = if ty.starts_with("timestamp") { "interval '5:45' hour_minute" } else { "" };
        let mut questions = String::new();
        for n in 0..masks.len() {
            let same = match zone {
                "" => format!("a.m{n} <=> b.m{n}"),
                zone => format!("a.m{n} + {zone} <=> b.m{n}"),
            };
            let _ = write!(
                questions,
                "select a.id, '{n}', a.m{n}, b.m{n} from a{at} a join b{at} b using (id) where not ({same}) \
                 union all select id, 'null', null, null from a{at} where id = {} and m{n} is not null;",
                values.len()
            );
        }
        let differing = database.rows(&questions);
        assert_eq!(differing, Vec::<Vec<String>>::new(), "{ty}: {masks:#?}");
    }
    assert!(count > 150, "only {count} masks served their types");
}
