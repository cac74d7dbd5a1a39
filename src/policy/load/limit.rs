//! `[[limit]]`.

use ipnet::{IpNet, Ipv4Net};

use super::Surroundings;
use super::audience::Audience;
use super::draft::Header;
use crate::policy::guard::Limit;
use crate::policy::hours::Hours;
use crate::policy::reader::Value;
use crate::policy::scalar;

/// A `[[limit]]` before its roles are looked up.
#[derive(Debug)]
pub(super) struct LimitDraft {
    pub(super) header: Header,
    pub(super) audience: Audience,
    pub(super) limit: Limit,
}

const KEYS: [&str; 7] = ["statement_timeout", "max_rows", "max_bytes", "max_concurrent", "max_cost", "hours", "from"];

pub(super) fn read(value: Value<'_>, surroundings: &Surroundings) -> Option<LimitDraft> {
    value.table("`[[limit]]`", |table| {
        let header = Header::read(table);
        let audience = Audience::read(table);
        let limit = Limit {
            rule: header.as_ref().map(|header| header.info.clone()).unwrap_or_default(),
            statement_timeout: table.optional("statement_timeout", |value| value.parsed(scalar::positive_duration)),
            max_rows: table.optional("max_rows", |value| value.at_least(1)),
            max_bytes: table.optional("max_bytes", |value| value.parsed(scalar::positive_size)),
            max_concurrent: table.optional("max_concurrent", |value| value.at_least(1)),
            max_cost: table.optional("max_cost", |value| value.at_least(1)),
            hours: table.list("hours", |value| hours(value, surroundings)).unwrap_or_default(),
            from: table.list("from", |value| value.parsed(network)).unwrap_or_default(),
        };
        if KEYS.iter().all(|key| table.get(key).is_none()) {
            table.error("missing-key", "`[[limit]]` limits nothing");
        }
        Some(LimitDraft { header: header?, audience, limit })
    })
}

fn hours(value: Value<'_>, surroundings: &Surroundings) -> Option<Hours> {
    value.parsed(|text| Hours::parse(text, surroundings.zone))
}

/// A network, or a single address. IPv4 addresses written as IPv6 ones (`::ffff:10.0.0.0/104`) are IPv4 addresses, as
/// those of clients are.
fn network(text: &str) -> Result<IpNet, String> {
    let network: IpNet =
        text.parse()
            .or_else(|_| text.parse().map(|address: std::net::IpAddr| IpNet::from(address)))
            .map_err(|_| format!("`{text}` is no network; write it like `10.0.0.0/8` or `2001:db8::/32`"))?;
    if network.trunc() == network {
        Ok(as_ipv4(network).unwrap_or(network))
    } else {
        Err(format!("`{text}` has bits outside its prefix; did you mean `{}`?", network.trunc()))
    }
}

fn as_ipv4(network: IpNet) -> Option<IpNet> {
    let IpNet::V6(network) = network else { return None };
    let address = network.addr().to_ipv4_mapped()?;
    // The first 96 bits say that the rest is an IPv4 address.
    Ipv4Net::new(address, network.prefix_len().checked_sub(96)?).ok().map(IpNet::V4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_read_as_clients_have_them() {
        let read = |text| network(text).map(|network| network.to_string());
        assert_eq!(read("::ffff:10.0.0.0/104").as_deref(), Ok("10.0.0.0/8"));
        assert_eq!(read("::ffff:127.0.0.1").as_deref(), Ok("127.0.0.1/32"));
        assert_eq!(read("::ffff:0:0/96").as_deref(), Ok("0.0.0.0/0"));
        assert_eq!(read("2001:db8::/32").as_deref(), Ok("2001:db8::/32"));
        assert_eq!(read("::/0").as_deref(), Ok("::/0"));
        assert!(read("::ffff:10.0.0.1/104").is_err());
    }
}
