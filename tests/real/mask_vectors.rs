//! What each mask gives, written by hand: the same inputs and outputs on every engine that has the type.
//!
//! Keyed results were computed with Python's `hmac` from the key in [`KEY`](super::masks::KEY).

#![allow(clippy::too_many_lines, reason = "tables of data")]

use std::sync::Arc;

use sekisho::policy::{MaskSpec, TruncUnit};

/// Inputs and outputs of one mask on one type.
pub struct Vectors {
    pub mask: MaskSpec,
    /// The type on PostgreSQL; empty where it has none.
    pub postgres: &'static str,
    /// The type on MySQL and MariaDB; empty where they have none.
    pub mysql: &'static str,
    /// Value and masked value.
    pub cases: &'static [(Option<&'static str>, Option<&'static str>)],
}

fn arc(text: &str) -> Arc<str> {
    Arc::from(text)
}

fn list(names: &[&str]) -> Arc<[Arc<str>]> {
    names.iter().map(|name| arc(name)).collect()
}

const fn keep(first: u16, last: u16, with: char) -> MaskSpec {
    MaskSpec::Keep { first, last, with }
}

fn round(to: &str) -> MaskSpec {
    MaskSpec::Round { to: arc(to) }
}

fn bucket(width: &str) -> MaskSpec {
    MaskSpec::Bucket { width: arc(width) }
}

fn noise(percent: &str) -> MaskSpec {
    MaskSpec::Noise { percent: arc(percent), key_id: None }
}

fn fixed(value: &str) -> MaskSpec {
    MaskSpec::Fixed { value: arc(value) }
}

const fn hash(length: u8) -> MaskSpec {
    MaskSpec::Hash { length, key_id: None }
}

const fn trunc(unit: TruncUnit) -> MaskSpec {
    MaskSpec::Trunc { unit }
}

pub fn all() -> Vec<Vectors> {
    [texts(), keyed(), numbers(), moments(), others(), documents()].into_iter().flatten().collect()
}

fn texts() -> Vec<Vectors> {
    vec![
        Vectors {
            mask: MaskSpec::Null,
            postgres: "character varying(20)",
            mysql: "varchar(20)",
            cases: &[(Some("x"), None), (Some(""), None), (None, None)],
        },
        Vectors {
            mask: fixed("hidden’s \\ 値"),
            postgres: "text",
            mysql: "varchar(20)",
            cases: &[(Some("x"), Some("hidden’s \\ 値")), (None, Some("hidden’s \\ 値"))],
        },
        Vectors {
            mask: fixed("hidden"),
            postgres: "character varying(4)",
            mysql: "varchar(4)",
            cases: &[(Some("x"), Some("hidd")), (None, Some("hidd"))],
        },
        Vectors {
            mask: MaskSpec::Redact { with: '*' },
            postgres: "text",
            mysql: "varchar(40)",
            cases: &[
                (Some("secret"), Some("******")),
                (Some("山田太郎"), Some("****")),
                (Some("😀a"), Some("**")),
                (Some(""), Some("")),
                (None, None),
            ],
        },
        Vectors {
            mask: MaskSpec::Redact { with: '＊' },
            postgres: "character varying(10)",
            mysql: "varchar(10)",
            cases: &[(Some("秘密"), Some("＊＊")), (Some(""), Some("")), (None, None)],
        },
        Vectors {
            mask: keep(1, 2, '*'),
            postgres: "text",
            mysql: "text",
            cases: &[
                (Some("abcdefg"), Some("a****fg")),
                (Some("abcd"), Some("a*cd")),
                (Some("abc"), Some("***")),
                (Some("a"), Some("*")),
                (Some("東京都千代田区"), Some("東****田区")),
                (Some("😀😁😂🤣"), Some("😀*😂🤣")),
                (Some(""), Some("")),
                (None, None),
            ],
        },
        Vectors {
            mask: keep(0, 4, '#'),
            postgres: "character(16)",
            mysql: "char(16)",
            cases: &[(Some("4111111111111234"), Some("############1234")), (Some("1234"), Some("####")), (None, None)],
        },
        Vectors {
            mask: keep(2, 0, '*'),
            postgres: "name",
            mysql: "varchar(64)",
            cases: &[(Some("username"), Some("us******")), (None, None)],
        },
        Vectors {
            mask: MaskSpec::Email,
            postgres: "text",
            mysql: "varchar(255)",
            cases: &[
                (Some("kzq12@alpha.example"), Some("k***@alpha.example")),
                (Some("a@b.example"), Some("a***@b.example")),
                (Some("山田@例.example"), Some("山***@例.example")),
                (Some("no address"), Some("**********")),
                (Some("@alpha.example"), Some("**************")),
                (Some("taro@"), Some("*****")),
                (Some("a@b@c.example"), Some("*************")),
                (Some("a@b@"), Some("****")),
                (Some("@"), Some("*")),
                (Some("write to a@b.example please"), Some("***************************")),
                (Some(""), Some("")),
                (None, None),
            ],
        },
        Vectors {
            mask: MaskSpec::Email,
            postgres: "character varying(8)",
            mysql: "varchar(8)",
            cases: &[(Some("a@b.jp"), Some("a***@b.j")), (None, None)],
        },
        Vectors {
            mask: MaskSpec::Phone,
            postgres: "character varying(300)",
            mysql: "varchar(300)",
            cases: &[
                (Some("090-1234-5678"), Some("***-****-5678")),
                (Some("+81 (90) 1234 5678"), Some("+** (**) **** 5678")),
                (Some("０９０－１２３４－５６７８"), Some("***－****－５６７８")),
                (Some("03-1234-5678 ext. 9"), Some("**-****-*678 ext. 9")),
                (Some("1234"), Some("****")),
                (Some("No. 12"), Some("No. **")),
                (Some("PIN1234"), Some("PIN****")),
                (Some("電話なし"), Some("電話なし")),
                (Some("x"), Some("x")),
                (Some(""), Some("")),
                (None, None),
            ],
        },
        Vectors {
            mask: MaskSpec::Card,
            postgres: "text",
            mysql: "varchar(30)",
            cases: &[
                (Some("4111111111116085"), Some("************6085")),
                (Some("4111-1111-1111-6085"), Some("****-****-****-6085")),
                (Some("12345"), Some("*2345")),
                (Some("123"), Some("***")),
                (None, None),
            ],
        },
        Vectors {
            mask: MaskSpec::Regex { pattern: arc("[0-9]+"), replace: arc("#") },
            postgres: "text",
            mysql: "varchar(60)",
            cases: &[
                (Some("room 12, floor 3"), Some("room #, floor #")),
                (Some("部屋12号"), Some("部屋#号")),
                (Some(""), Some("")),
                (None, None),
            ],
        },
        Vectors {
            mask: MaskSpec::Regex { pattern: arc("ab\\b"), replace: arc("") },
            postgres: "",
            mysql: "varchar(60)",
            cases: &[(Some("ab Ab abc"), Some(" Ab abc")), (None, None)],
        },
        Vectors {
            mask: MaskSpec::Ip { v4: 24, v6: 44 },
            postgres: "text",
            mysql: "varchar(45)",
            cases: &[
                (Some("192.168.1.77"), Some("192.168.1.0")),
                (Some("255.255.255.255"), Some("255.255.255.0")),
                (Some("2001:db8:abcd:12ff::1"), Some("2001:db8:abc0::")),
                (Some("2001:DB8::1"), Some("2001:db8::")),
                (Some("::1"), Some("::")),
                (Some("256.1.1.1"), Some("*********")),
                (Some("1.2.3.4\n"), Some("********")),
                (Some("host.example"), Some("************")),
                (Some(""), Some("")),
                (None, None),
            ],
        },
    ]
}

fn keyed() -> Vec<Vectors> {
    vec![
        Vectors {
            mask: hash(64),
            postgres: "text",
            mysql: "varchar(100)",
            cases: &[
                (Some("taro@alpha.example"), Some("a76c3c581a6f482566b41e558e57a1c784af83c818ddc3edd59e088038ac54d0")),
                (Some("山田太郎"), Some("05f29665e982aac2dd4a0fe553d87df71eef58d1379bd94a9f576b5e517d5382")),
                (Some("😀"), Some("159dab084ac158353223c2836c2564a18b88f8040bd6b5e55735c8e0f171f7a1")),
                (Some(""), Some("796cd3078af14636753d26b3b5555422ff55a3e261cf847b48e95371b9bd0aa2")),
                (None, None),
            ],
        },
        Vectors {
            mask: hash(32),
            postgres: "character varying(12)",
            mysql: "varchar(12)",
            cases: &[(Some("山田太郎"), Some("05f29665e982")), (None, None)],
        },
        Vectors {
            mask: hash(16),
            postgres: "",
            mysql: "varchar(20) character set latin1",
            cases: &[(Some("Taro"), Some("0070feb7059e09b6")), (None, None)],
        },
        Vectors {
            mask: hash(32),
            postgres: "integer",
            mysql: "int",
            cases: &[
                (Some("0"), Some("2046531557")),
                (Some("42"), Some("766608841")),
                (Some("-1"), Some("1684362859")),
                (Some("2147483647"), Some("1864930112")),
                (None, None),
            ],
        },
        Vectors {
            mask: hash(32),
            postgres: "bigint",
            mysql: "bigint",
            cases: &[(Some("42"), Some("4256693576176600521")), (Some("-32768"), Some("6588697562885681610"))],
        },
        Vectors {
            mask: hash(32),
            postgres: "smallint",
            mysql: "smallint unsigned",
            cases: &[(Some("42"), Some("1481")), (None, None)],
        },
        Vectors {
            mask: hash(32),
            postgres: "uuid",
            mysql: "",
            cases: &[
                (Some("6f1c4a5e-9d3b-4c1e-8a57-0d5b1f0e2a3c"), Some("0bda4557-ab09-84a6-8432-d0b7b93997a1")),
                (None, None),
            ],
        },
        Vectors {
            mask: MaskSpec::Pseudonym { list: list(&["Aoi", "葵", "Mei's"]), key_id: None },
            postgres: "text",
            mysql: "varchar(20)",
            cases: &[
                (Some("taro@alpha.example"), Some("葵")),
                (Some("山田太郎"), Some("Mei's")),
                (Some(""), Some("Mei's")),
                (Some("😀"), Some("葵")),
                (None, None),
            ],
        },
        Vectors {
            mask: noise("10"),
            postgres: "numeric(12,2)",
            mysql: "decimal(12,2)",
            cases: &[
                (Some("1000.00"), Some("950.60")),
                (Some("123456.78"), Some("130980.53")),
                (Some("-5000.50"), Some("-5360.61")),
                (Some("0.00"), Some("0.00")),
                (Some("99999999.99"), Some("105640149.99")),
                (None, None),
            ],
        },
        Vectors {
            mask: noise("10"),
            postgres: "numeric(10,2)",
            mysql: "decimal(10,2)",
            cases: &[(Some("99999999.99"), Some("99999999.99"))],
        },
        Vectors {
            mask: noise("10"),
            postgres: "integer",
            mysql: "int",
            cases: &[
                (Some("1000000"), Some("968962")),
                (Some("3"), Some("3")),
                (Some("-250000"), Some("-242314")),
                (Some("0"), Some("0")),
                (Some("2147483647"), Some("2115395732")),
                (None, None),
            ],
        },
        Vectors {
            mask: MaskSpec::Shift { days: 30, key: Some(arc("id")), key_id: None },
            postgres: "date",
            mysql: "date",
            cases: SHIFTED,
        },
    ]
}

/// The rows have the keys 1, 2, 3 …, which are moved by −25, 8, 21 … days.
const SHIFTED: &[(Option<&str>, Option<&str>)] = &[
    (Some("2024-03-01"), Some("2024-02-05")),
    (Some("2024-03-01"), Some("2024-03-09")),
    (Some("2024-03-10"), Some("2024-03-31")),
    (None, None),
];

fn numbers() -> Vec<Vectors> {
    vec![
        Vectors {
            mask: round("1000"),
            postgres: "integer",
            mysql: "int",
            cases: &[
                (Some("1499"), Some("1000")),
                (Some("1500"), Some("2000")),
                (Some("-1500"), Some("-2000")),
                (Some("-1499"), Some("-1000")),
                (Some("499"), Some("0")),
                (Some("2147483647"), Some("2147483647")),
                (Some("-2147483648"), Some("-2147483648")),
                (None, None),
            ],
        },
        Vectors {
            mask: bucket("1000"),
            postgres: "integer",
            mysql: "int",
            cases: &[
                (Some("1999"), Some("1000")),
                (Some("1000"), Some("1000")),
                (Some("0"), Some("0")),
                (Some("-1"), Some("-1000")),
                (Some("-1000"), Some("-1000")),
                (Some("2147483647"), Some("2147483000")),
                (Some("-2147483648"), Some("-2147483648")),
                (None, None),
            ],
        },
        Vectors {
            mask: bucket("7"),
            postgres: "bigint",
            mysql: "bigint",
            cases: &[
                (Some("9223372036854775807"), Some("9223372036854775807")),
                (Some("-9223372036854775808"), Some("-9223372036854775808")),
                (Some("6"), Some("0")),
                (Some("-6"), Some("-7")),
            ],
        },
        Vectors {
            mask: round("10"),
            postgres: "",
            mysql: "bigint unsigned",
            cases: &[
                (Some("18446744073709551615"), Some("18446744073709551615")),
                (Some("18446744073709551604"), Some("18446744073709551600")),
                (Some("4"), Some("0")),
            ],
        },
        Vectors {
            mask: round("0.5"),
            postgres: "numeric(6,2)",
            mysql: "decimal(6,2)",
            cases: &[
                (Some("1.24"), Some("1.00")),
                (Some("1.25"), Some("1.50")),
                (Some("-1.25"), Some("-1.50")),
                (Some("9999.99"), Some("9999.99")),
                (Some("9999.74"), Some("9999.50")),
                (None, None),
            ],
        },
        Vectors {
            mask: bucket("100"),
            postgres: "numeric",
            mysql: "",
            cases: &[
                (Some("99.999999999999999999999999999999"), Some("0")),
                (Some("-0.000000000000000000000000000001"), Some("-100")),
                (Some("12345678901234567890123456789012345678901"), Some("12345678901234567890123456789012345678900")),
                (Some("NaN"), Some("NaN")),
            ],
        },
        Vectors {
            mask: round("0.05"),
            postgres: "double precision",
            mysql: "double",
            cases: &[
                (Some("12.34"), Some("12.35")),
                (Some("0.02"), Some("0")),
                (Some("-0.03"), Some("-0.05")),
                (None, None),
            ],
        },
        Vectors {
            mask: bucket("10"),
            postgres: "double precision",
            mysql: "double",
            cases: &[(Some("19.99"), Some("10")), (Some("-0.5"), Some("-10")), (Some("1e300"), Some("1e300"))],
        },
        Vectors {
            mask: bucket("10"),
            postgres: "real",
            mysql: "float",
            cases: &[(Some("19.99"), Some("10")), (Some("-0.5"), Some("-10")), (None, None)],
        },
        Vectors {
            mask: bucket("10"),
            postgres: "double precision",
            mysql: "",
            cases: &[
                (Some("NaN"), Some("NaN")),
                (Some("Infinity"), Some("Infinity")),
                (Some("-Infinity"), Some("-Infinity")),
                (Some("4.9e-324"), Some("0")),
                (Some("-4.9e-324"), Some("-10")),
            ],
        },
        Vectors {
            mask: fixed("-17.5"),
            postgres: "numeric(5,1)",
            mysql: "decimal(5,1)",
            cases: &[(Some("1"), Some("-17.5")), (None, Some("-17.5"))],
        },
        Vectors {
            mask: fixed("7"),
            postgres: "smallint",
            mysql: "smallint",
            cases: &[(Some("1"), Some("7")), (None, Some("7"))],
        },
    ]
}

fn moments() -> Vec<Vectors> {
    vec![
        Vectors {
            mask: trunc(TruncUnit::Year),
            postgres: "date",
            mysql: "date",
            cases: &[
                (Some("1987-12-31"), Some("1987-01-01")),
                (Some("2000-02-29"), Some("2000-01-01")),
                (Some("9999-12-31"), Some("9999-01-01")),
                (Some("0001-06-01"), Some("0001-01-01")),
                (None, None),
            ],
        },
        Vectors {
            mask: trunc(TruncUnit::Month),
            postgres: "date",
            mysql: "",
            cases: &[
                (Some("infinity"), Some("infinity")),
                (Some("-infinity"), Some("-infinity")),
                (Some("5874897-12-31"), Some("294100-01-01")),
                (Some("4714-11-24 BC"), Some("4600-01-01 BC")),
                (Some("0044-03-15 BC"), Some("0044-03-01 BC")),
            ],
        },
        Vectors {
            mask: trunc(TruncUnit::Quarter),
            postgres: "timestamp(3) without time zone",
            mysql: "datetime(3)",
            cases: &[
                (Some("2024-05-17 12:34:56.789"), Some("2024-04-01 00:00:00")),
                (Some("2024-12-31 23:59:59.999"), Some("2024-10-01 00:00:00")),
                (None, None),
            ],
        },
        Vectors {
            mask: trunc(TruncUnit::Hour),
            postgres: "timestamp without time zone",
            mysql: "datetime",
            cases: &[
                (Some("2024-05-17 12:34:56"), Some("2024-05-17 12:00:00")),
                (Some("1000-01-01 00:00:00"), Some("1000-01-01 00:00:00")),
            ],
        },
        Vectors {
            mask: trunc(TruncUnit::Day),
            postgres: "timestamp with time zone",
            mysql: "timestamp",
            // The tests run in UTC.
            cases: &[
                (Some("2024-05-17 12:34:56"), Some("2024-05-17 00:00:00")),
                (Some("1970-01-02 00:00:01"), Some("1970-01-02 00:00:00")),
                (None, None),
            ],
        },
        Vectors {
            mask: trunc(TruncUnit::Hour),
            postgres: "time without time zone",
            mysql: "time",
            cases: &[(Some("12:34:56"), Some("12:00:00")), (Some("00:59:59"), Some("00:00:00")), (None, None)],
        },
        Vectors {
            mask: fixed("1900-01-01"),
            postgres: "date",
            mysql: "date",
            cases: &[(Some("2024-05-17"), Some("1900-01-01")), (None, Some("1900-01-01"))],
        },
        Vectors {
            mask: fixed("2001-02-03T04:05:06+09:00"),
            postgres: "timestamp with time zone",
            mysql: "timestamp",
            cases: &[(Some("2024-05-17 00:00:00"), Some("2001-02-02 19:05:06")), (None, Some("2001-02-02 19:05:06"))],
        },
        Vectors { mask: MaskSpec::Null, postgres: "interval", mysql: "time", cases: &[(Some("12:00:00"), None)] },
    ]
}

fn others() -> Vec<Vectors> {
    vec![
        Vectors {
            mask: MaskSpec::Ip { v4: 16, v6: 32 },
            postgres: "inet",
            mysql: "",
            cases: &[
                (Some("192.168.1.77"), Some("192.168.0.0/16")),
                (Some("10.0.0.0/8"), Some("10.0.0.0/8")),
                (Some("2001:db8:1::5"), Some("2001:db8::/32")),
                (None, None),
            ],
        },
        Vectors {
            mask: MaskSpec::Ip { v4: 0, v6: 0 },
            postgres: "cidr",
            mysql: "",
            cases: &[(Some("192.168.1.0/24"), Some("0.0.0.0/0")), (None, None)],
        },
        Vectors {
            mask: fixed("false"),
            postgres: "boolean",
            mysql: "",
            cases: &[(Some("true"), Some("false")), (None, Some("false"))],
        },
        Vectors { mask: MaskSpec::Null, postgres: "text[]", mysql: "enum('a','b')", cases: &[(None, None)] },
        Vectors {
            mask: fixed("b"),
            postgres: "tier",
            mysql: "enum('a','b')",
            cases: &[(Some("a"), Some("b")), (None, Some("b"))],
        },
        Vectors {
            mask: MaskSpec::Email,
            postgres: "address",
            mysql: "",
            cases: &[(Some("taro@alpha.example"), Some("t***@alpha.example")), (None, None)],
        },
        Vectors {
            mask: MaskSpec::Redact { with: '#' },
            postgres: "citext",
            mysql: "",
            cases: &[(Some("Secret"), Some("######")), (None, None)],
        },
        Vectors {
            mask: MaskSpec::Email,
            postgres: "text collate nocase",
            mysql: "varchar(40) character set latin1",
            cases: &[(Some("Taro@Alpha.example"), Some("T***@Alpha.example")), (None, None)],
        },
        Vectors {
            mask: MaskSpec::Sql {
                postgres: Some(arc("upper({column}) -- all of it")),
                mysql: Some(arc("upper({column})")),
            },
            postgres: "character varying(3)",
            mysql: "varchar(3)",
            cases: &[(Some("abc"), Some("ABC")), (None, None)],
        },
    ]
}

fn documents() -> Vec<Vectors> {
    let paths = vec![
        (arc("email"), Some(MaskSpec::Email)),
        (arc("card.number"), Some(keep(0, 4, '*'))),
        (arc("secret"), None),
        (arc("pay"), Some(bucket("1000"))),
        (arc("gone"), Some(MaskSpec::Null)),
    ];
    let whole = MaskSpec::Json { paths };
    let cases: &[(Option<&str>, Option<&str>)] = &[
        (
            Some(r#"{"id": 1, "email": "taro@alpha.example", "card": {"number": "4111222233334444", "kind": "x"}}"#),
            Some(r#"{"id": 1, "card": {"kind": "x", "number": "************4444"}, "email": "t***@alpha.example"}"#),
        ),
        (Some(r#"{"email": null, "secret": {"a": [1]}, "gone": 5}"#), Some(r#"{"gone": null, "email": null}"#)),
        (Some(r#"{"email": ["a@b.example"], "card": [{"number": "1"}]}"#), Some(r#"{"card": null, "email": null}"#)),
        (Some(r#"{"email": "山@例.example", "card": 7}"#), Some(r#"{"card": 7, "email": "山***@例.example"}"#)),
        (Some(r#"{"email": {"x": 1}, "pay": "much"}"#), Some(r#"{"pay": null, "email": null}"#)),
        (Some(r#"[{"email": "a@b.example"}]"#), Some("null")),
        (Some("7"), Some("7")),
        (Some("{}"), Some("{}")),
        (None, None),
    ];
    vec![
        Vectors { mask: whole.clone(), postgres: "jsonb", mysql: "json", cases },
        Vectors { mask: whole.clone(), postgres: "json", mysql: "", cases },
        Vectors {
            mask: whole.clone(),
            postgres: "jsonb",
            mysql: "",
            cases: &[(Some(r#"{"pay": 1999.5}"#), Some(r#"{"pay": 1000.0}"#))],
        },
        Vectors {
            mask: whole,
            postgres: "json",
            mysql: "",
            cases: &[
                (Some(r#"{"a": "\ud83d\ude00"}"#), Some(r#"{"a": "😀"}"#)),
                (Some(r#"{"a": "\u0000"}"#), None),
                (Some(r#"{"a": "\ud83d"}"#), None),
                (Some(r#"{"a": "\\ud83d\\ude00"}"#), Some(r#"{"a": "\\ud83d\\ude00"}"#)),
                (Some(r#"{"a": "\\ud83d\ude00"}"#), None),
                (Some(r#"{"a": 1e400000}"#), None),
            ],
        },
    ]
}
