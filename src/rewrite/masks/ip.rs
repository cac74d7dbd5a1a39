//! `ip`: the network that an address belongs to. Serves `inet`, `cidr` and text.
//!
//! In text the address of the network is given without its length (`192.168.1.0`), so that it fits where addresses do;
//! what is no plain IPv4 or IPv6 address is wholly replaced by `*`. `inet` and `cidr` carry the length (`192.168.1.0/24`).

use super::postgres as pg;
use super::redact::whole;
use super::target::{Target, Unservable};
use super::text::Source;
use crate::catalog::TypeClass;
use crate::rewrite::literal;
use crate::sql::Engine;

pub(super) fn render(target: &Target, v4: u8, v6: u8) -> Result<String, Unservable> {
    if v4 > 32 || v6 > 128 {
        return Err(target.refuse("it keeps at most 32 bits of IPv4 and 128 of IPv6"));
    }
    match (target.class(), target.engine) {
        (TypeClass::Inet, Engine::Postgres) => Ok(inet(target, v4, v6)),
        (TypeClass::Inet, Engine::MySql) => mariadb_inet(target, v4, v6),
        (TypeClass::Text, Engine::Postgres) => postgres_text(target, v4, v6),
        (TypeClass::Text, Engine::MySql) => mysql_text(target, v4, v6),
        _ => Err(target.wrong_type("inet, cidr and text")),
    }
}

/// A network shorter than what is kept stays as short as it is.
fn inet(target: &Target, v4: u8, v6: u8) -> String {
    let value = target.sql;
    let family = pg::op(&pg::call("family", &[value]), "=", "4");
    let bits = format!("LEAST({}, CASE WHEN {family} THEN {v4} ELSE {v6} END)", pg::call("masklen", &[value]));
    let network = pg::call("network", &[&pg::call("set_masklen", &[value, &bits])]);
    format!("{network}::{}", target.cast_type())
}

fn postgres_text(target: &Target, v4: u8, v6: u8) -> Result<String, Unservable> {
    target.require_text()?;
    let text = target.searchable();
    let is = |pattern: &str| pg::op(&text, "~", &literal::string(Engine::Postgres, &format!("^{pattern}$")));
    let network = |bits: u8| {
        let network = pg::call("set_masklen", &[&format!("{text}::pg_catalog.inet"), &bits.to_string()]);
        pg::call("host", &[&pg::call("network", &[&network])])
    };
    let masked = format!(
        "CASE WHEN {} THEN {} WHEN {} THEN {} ELSE {} END",
        is(&ipv4()),
        network(v4),
        is(&ipv6()),
        network(v6),
        whole(target, '*')
    );
    Ok(target.text_result(&masked, Source::Ascii))
}

fn mysql_text(target: &Target, v4: u8, v6: u8) -> Result<String, Unservable> {
    target.require_text()?;
    let text = target.searchable();
    let is = |pattern: &str| format!("{text} REGEXP {}", literal::string(Engine::MySql, &format!("^{pattern}\\z")));
    let masked = format!(
        "CASE WHEN {} THEN {} WHEN {} THEN {} ELSE {} END",
        is(&ipv4()),
        mysql_v4(&text, v4),
        is(&ipv6()),
        mysql_v6(&text, v6),
        whole(target, '*')
    );
    Ok(target.text_result(&masked, Source::Ascii))
}

/// MariaDB's own types of addresses.
fn mariadb_inet(target: &Target, v4: u8, v6: u8) -> Result<String, Unservable> {
    let text = format!("CAST({} AS CHAR)", target.sql);
    match target.type_name().name {
        "inet4" => Ok(format!("CAST({} AS INET4)", mysql_v4(&text, v4))),
        "inet6" => Ok(format!("CAST({} AS INET6)", mysql_v6(&text, v6))),
        _ => Err(target.wrong_type("inet, cidr and text")),
    }
}

fn mysql_v4(text: &str, bits: u8) -> String {
    let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
    format!("INET_NTOA(INET_ATON({text}) & {mask})")
}

/// MariaDB has no bit operations on binary strings, so the prefix is put together from whole bytes, the byte that is
/// cut, and zeros.
fn mysql_v6(text: &str, bits: u8) -> String {
    let (kept, rest) = (bits / 8, bits % 8);
    let cut = u8::MAX.checked_shl(8 - u32::from(rest)).unwrap_or(0);
    let mut parts = vec![format!("LEFT(INET6_ATON({text}), {kept})")];
    if rest > 0 {
        parts.push(format!("CHAR(ORD(SUBSTRING(INET6_ATON({text}), {}, 1)) & {cut})", kept + 1));
    }
    let zeros = 16 - usize::from(kept) - usize::from(rest > 0);
    if zeros > 0 {
        parts.push(format!("X'{}'", "00".repeat(zeros)));
    }
    format!("INET6_NTOA(CONCAT({}))", parts.join(", "))
}

/// Four numbers up to 255 without leading zeros.
fn ipv4() -> String {
    let byte = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
    format!(r"({byte}\.){{3}}{byte}")
}

/// Eight groups, or fewer around one `::` (RFC 4291, section 2.2, forms 1 and 2).
fn ipv6() -> String {
    let group = "[0-9a-fA-F]{1,4}";
    let mut forms = vec![format!("({group}:){{7}}{group}"), format!("({group}:){{1,7}}:")];
    forms.extend((1..7).map(|before| format!("({group}:){{1,{before}}}(:{group}){{1,{}}}", 7 - before)));
    forms.push(format!(":((:{group}){{1,7}}|:)"));
    format!("({})", forms.join("|"))
}
