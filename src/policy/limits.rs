//! The limits of a role put together: of each kind the strictest, with the rule that it comes from.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use jiff::Timestamp;

use super::guard::Limit;
use super::hours::Hours;
use super::model::RuleInfo;

/// The kinds of limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LimitKey {
    /// How long a statement may run.
    StatementTimeout,
    /// Rows of one result.
    MaxRows,
    /// Bytes of one result.
    MaxBytes,
    /// Statements at one time.
    MaxConcurrent,
    /// The planner's estimate.
    MaxCost,
    /// When.
    Hours,
    /// From where.
    From,
}

impl LimitKey {
    /// Every kind, in the order of the documentation.
    pub const EACH: [Self; 7] = [
        Self::StatementTimeout,
        Self::MaxRows,
        Self::MaxBytes,
        Self::MaxConcurrent,
        Self::MaxCost,
        Self::Hours,
        Self::From,
    ];

    /// The key of the rule files.
    pub fn word(self) -> &'static str {
        match self {
            Self::StatementTimeout => "statement_timeout",
            Self::MaxRows => "max_rows",
            Self::MaxBytes => "max_bytes",
            Self::MaxConcurrent => "max_concurrent",
            Self::MaxCost => "max_cost",
            Self::Hours => "hours",
            Self::From => "from",
        }
    }
}

/// A value and the rule that sets it.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound<T> {
    /// The value.
    pub value: T,
    /// Name and owner.
    pub rule: Arc<RuleInfo>,
}

/// A limit that was met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitMet {
    /// Which.
    pub limit: LimitKey,
    /// Of which rule.
    pub rule: Arc<RuleInfo>,
    /// What the rule allows.
    pub allowed: String,
    /// What was met.
    pub met: String,
}

/// Everything that limits a role; there is at least one limit in it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Limits {
    /// How long a statement may run.
    pub statement_timeout: Option<Bound<Duration>>,
    /// Rows of one result.
    pub max_rows: Option<Bound<u64>>,
    /// Bytes of one result.
    pub max_bytes: Option<Bound<u64>>,
    /// Statements of the role at one time on one node.
    pub max_concurrent: Option<Bound<u32>>,
    /// The planner's estimate, in the server's own units.
    pub max_cost: Option<Bound<u64>>,
    // Each rule must allow the moment.
    hours: Vec<Bound<Vec<Hours>>>,
    // Each rule must allow the address.
    from: Vec<Bound<Vec<IpNet>>>,
}

impl Limits {
    /// Puts the rules of a role together; nothing where there is none.
    pub fn of(rules: &[Arc<Limit>]) -> Option<Self> {
        let mut limits = Self::default();
        for limit in rules {
            let rule = &limit.rule;
            stricter(&mut limits.statement_timeout, limit.statement_timeout, rule);
            stricter(&mut limits.max_rows, limit.max_rows, rule);
            stricter(&mut limits.max_bytes, limit.max_bytes, rule);
            stricter(&mut limits.max_concurrent, limit.max_concurrent, rule);
            stricter(&mut limits.max_cost, limit.max_cost, rule);
            if !limit.hours.is_empty() {
                limits.hours.push(Bound { value: limit.hours.clone(), rule: Arc::clone(rule) });
            }
            if !limit.from.is_empty() {
                limits.from.push(Bound { value: limit.from.clone(), rule: Arc::clone(rule) });
            }
        }
        (!rules.is_empty()).then_some(limits)
    }

    /// Each limit in words: its kind, what it allows, its rule.
    pub fn each(&self) -> Vec<(LimitKey, String, &Arc<RuleInfo>)> {
        let mut each = Vec::new();
        if let Some(bound) = &self.statement_timeout {
            each.push((LimitKey::StatementTimeout, format!("{:?}", bound.value), &bound.rule));
        }
        let wide = [
            (LimitKey::MaxRows, &self.max_rows),
            (LimitKey::MaxBytes, &self.max_bytes),
            (LimitKey::MaxCost, &self.max_cost),
        ];
        for (key, bound) in wide {
            each.extend(bound.iter().map(|bound| (key, bound.value.to_string(), &bound.rule)));
        }
        each.extend(self.max_concurrent.iter().map(|b| (LimitKey::MaxConcurrent, b.value.to_string(), &b.rule)));
        each.extend(self.hours.iter().map(|bound| (LimitKey::Hours, hours_in_words(&bound.value), &bound.rule)));
        each.extend(self.from.iter().map(|bound| (LimitKey::From, networks_in_words(&bound.value), &bound.rule)));
        each
    }

    /// Whether a running statement may have to be stopped: by its time, its rows or its bytes.
    pub fn may_stop(&self) -> bool {
        self.statement_timeout.is_some() || self.max_rows.is_some() || self.max_bytes.is_some()
    }

    /// The limit that forbids a moment.
    pub fn forbid_moment(&self, now: Timestamp) -> Option<LimitMet> {
        let closed = self.hours.iter().find(|bound| !bound.value.iter().any(|hours| hours.contains(now)))?;
        let met = closed.value.first().map(|hours| hours.moment(now)).unwrap_or_default();
        Some(met_at(LimitKey::Hours, &closed.rule, hours_in_words(&closed.value), met))
    }

    /// The limit that forbids an address of a client.
    pub fn forbid_address(&self, address: IpAddr) -> Option<LimitMet> {
        let address = address.to_canonical();
        let closed = self.from.iter().find(|bound| !bound.value.iter().any(|network| network.contains(&address)))?;
        Some(met_at(LimitKey::From, &closed.rule, networks_in_words(&closed.value), address.to_string()))
    }

    /// The limit that forbids an estimate of the planner.
    pub fn forbid_cost(&self, cost: f64) -> Option<LimitMet> {
        let bound = self.max_cost.as_ref()?;
        #[expect(clippy::cast_precision_loss, reason = "estimates are no more exact than that")]
        let too_much = cost > bound.value as f64 || cost.is_nan();
        let met = || if cost.is_finite() { format!("{cost:.0}") } else { "more than can be counted".to_owned() };
        too_much.then(|| met_at(LimitKey::MaxCost, &bound.rule, bound.value.to_string(), met()))
    }

    /// The limit that a result of so many rows and bytes exceeds.
    pub fn forbid_result(&self, rows: u64, bytes: u64) -> Option<LimitMet> {
        let exceeded = |bound: &Option<Bound<u64>>, value, key| {
            let bound = bound.as_ref().filter(|bound| value > bound.value)?;
            let met = format!("more than {}", bound.value);
            Some(met_at(key, &bound.rule, bound.value.to_string(), met))
        };
        exceeded(&self.max_rows, rows, LimitKey::MaxRows)
            .or_else(|| exceeded(&self.max_bytes, bytes, LimitKey::MaxBytes))
    }

    /// The limit on time, which a statement has met.
    pub fn time_is_up(&self) -> Option<LimitMet> {
        let bound = self.statement_timeout.as_ref()?;
        let allowed = format!("{:?}", bound.value);
        Some(met_at(LimitKey::StatementTimeout, &bound.rule, allowed.clone(), format!("more than {allowed}")))
    }

    /// The limit on statements at one time, which the role has met.
    pub fn crowded(&self) -> Option<LimitMet> {
        let bound = self.max_concurrent.as_ref()?;
        let allowed = bound.value.to_string();
        Some(met_at(LimitKey::MaxConcurrent, &bound.rule, allowed.clone(), allowed))
    }
}

fn hours_in_words(hours: &[Hours]) -> String {
    hours.iter().map(Hours::text).collect::<Vec<_>>().join(", ")
}

fn networks_in_words(networks: &[IpNet]) -> String {
    networks.iter().map(IpNet::to_string).collect::<Vec<_>>().join(", ")
}

fn stricter<T: PartialOrd>(kept: &mut Option<Bound<T>>, value: Option<T>, rule: &Arc<RuleInfo>) {
    let Some(value) = value else { return };
    if kept.as_ref().is_none_or(|kept| value < kept.value) {
        *kept = Some(Bound { value, rule: Arc::clone(rule) });
    }
}

fn met_at(limit: LimitKey, rule: &Arc<RuleInfo>, allowed: String, met: String) -> LimitMet {
    LimitMet { limit, rule: Arc::clone(rule), allowed, met }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(name: &str) -> Limit {
        Limit { rule: Arc::new(RuleInfo { name: name.into(), ..RuleInfo::default() }), ..Limit::default() }
    }

    #[test]
    fn the_strictest_of_each_kind_holds_and_names_its_rule() {
        let wide = Limit { max_rows: Some(100), max_bytes: Some(1000), ..limit("wide") };
        let narrow = Limit { max_rows: Some(10), statement_timeout: Some(Duration::from_secs(2)), ..limit("narrow") };
        let limits = Limits::of(&[Arc::new(wide), Arc::new(narrow)]).unwrap();
        assert_eq!(limits.forbid_result(10, 1000), None);
        let met = limits.forbid_result(11, 1000).unwrap();
        assert_eq!((met.limit, &*met.rule.name, &*met.allowed), (LimitKey::MaxRows, "narrow", "10"));
        let met = limits.forbid_result(1, 1001).unwrap();
        assert_eq!((met.limit, &*met.rule.name), (LimitKey::MaxBytes, "wide"));
        assert_eq!(limits.time_is_up().unwrap().allowed, "2s");
        assert!(limits.may_stop());
        assert_eq!(limits.crowded(), None);
        assert_eq!(Limits::of(&[]), None);
    }

    #[test]
    fn hours_and_networks_of_every_rule_must_allow() {
        let zone = |_: &str| None;
        let hours = |text: &str| Hours::parse(text, zone).unwrap();
        let week = Limit { hours: vec![hours("Mon-Fri 08:00-20:00"), hours("Sat 09:00-12:00")], ..limit("week") };
        let early = Limit { hours: vec![hours("daily 06:00-10:00")], ..limit("early") };
        let limits = Limits::of(&[Arc::new(week), Arc::new(early)]).unwrap();
        let at = |moment: &str| limits.forbid_moment(moment.parse().unwrap()).map(|met| met.rule.name.to_string());
        assert_eq!(at("2026-11-25T09:00:00Z"), None);
        assert_eq!(at("2026-11-25T11:00:00Z").as_deref(), Some("early"));
        assert_eq!(at("2026-11-29T09:00:00Z").as_deref(), Some("week"));
        let met = limits.forbid_moment("2026-11-29T09:05:00Z".parse().unwrap()).unwrap();
        assert_eq!((&*met.allowed, &*met.met), ("Mon-Fri 08:00-20:00, Sat 09:00-12:00", "Sun 09:05 UTC"));

        let office = Limit { from: vec!["10.0.0.0/8".parse().unwrap()], ..limit("office") };
        let limits = Limits::of(&[Arc::new(office)]).unwrap();
        let from = |address: &str| limits.forbid_address(address.parse().unwrap()).map(|met| met.met);
        assert_eq!(from("10.1.2.3"), None);
        assert_eq!(from("::ffff:10.1.2.3"), None);
        assert_eq!(from("192.0.2.1").as_deref(), Some("192.0.2.1"));
    }

    #[test]
    fn estimates_are_compared_as_numbers() {
        let limits = Limits::of(&[Arc::new(Limit { max_cost: Some(100), ..limit("cost") })]).unwrap();
        assert_eq!(limits.forbid_cost(100.0), None);
        assert_eq!(limits.forbid_cost(1e300).unwrap().allowed, "100");
        assert_eq!(limits.forbid_cost(f64::NAN).unwrap().met, "more than can be counted");
    }
}
