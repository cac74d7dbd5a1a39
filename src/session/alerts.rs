//! `[[alert]]`: what the audit log hears, people are told at once, by a record of its own, the program's log and a metric.
//!
//! An alert that was given is quiet until its window is over, and then says how many events it stands for: a table that
//! is read a thousand times a second is told of once a minute.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use arc_swap::ArcSwap;

use crate::audit::{
    AlertRecord, Audit, Facts, Ground, Listener, Outcome, ResultRecord, Sequence, StatementRecord, Subject,
};
use crate::policy::{Alert, Occasion, PolicySet};

/// The alerts in force, and what happened of late.
#[derive(Debug, Default)]
pub struct Alerts {
    has_any: AtomicBool,
    armed: ArcSwap<Vec<Armed>>,
    // By name, since the start.
    given: Mutex<BTreeMap<Arc<str>, u64>>,
}

#[derive(Debug)]
struct Armed {
    alert: Arc<Alert>,
    window: Mutex<Window>,
}

/// What happened within the alert's time.
#[derive(Debug, Default)]
struct Window {
    // The last events, as many as make an alert at the most.
    events: VecDeque<Instant>,
    given: Option<Instant>,
    // Events since it was given.
    since: u64,
}

/// One thing that happened.
#[derive(Clone, Copy)]
struct Event<'a> {
    occasion: Occasion,
    subject: &'a Subject,
    facts: Option<&'a Facts>,
    /// Of a result; nothing for what has none yet.
    rows: Option<u64>,
    statement: Sequence,
    message: &'a str,
}

impl Alerts {
    /// Puts the alerts of a set in force.
    pub fn load(&self, policy: &PolicySet) {
        let armed = |alert: &Arc<Alert>| Armed { alert: Arc::clone(alert), window: Mutex::default() };
        let alerts: Vec<Armed> = policy.alerts().iter().map(armed).collect();
        self.has_any.store(!alerts.is_empty(), Ordering::Release);
        self.armed.store(Arc::new(alerts));
    }

    /// How often each alert was given since the start.
    pub fn given(&self) -> Vec<(Arc<str>, u64)> {
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.iter().map(|(name, count)| (Arc::clone(name), *count)).collect()
    }

    fn happened(&self, audit: &Audit, event: Event<'_>) {
        let now = Instant::now();
        for armed in self.armed.load().iter().filter(|armed| is_about(&armed.alert, event)) {
            let count = armed.window.lock().unwrap_or_else(PoisonError::into_inner).count(&armed.alert, now);
            if let Some(count) = count {
                self.give(audit, &armed.alert, event, count);
            }
        }
    }

    fn give(&self, audit: &Audit, alert: &Alert, event: Event<'_>, count: u64) {
        let name = &alert.rule.name;
        *self.given.lock().unwrap_or_else(PoisonError::into_inner).entry(Arc::clone(name)).or_default() += 1;
        let (user, role) = (&event.subject.user, &event.subject.role);
        tracing::warn!(alert = %name, on = event.occasion.word(), count, %user, %role, message = event.message, "alert");
        audit.alert(&AlertRecord {
            name,
            owner: alert.rule.owner.as_deref(),
            on: event.occasion.word(),
            events: count,
            subject: event.subject,
            statement: event.statement,
            message: event.message,
        });
    }

    fn has_any(&self) -> bool {
        self.has_any.load(Ordering::Acquire)
    }
}

impl Window {
    /// One more event. Gives how many an alert stands for, if it is to be given now.
    fn count(&mut self, alert: &Alert, now: Instant) -> Option<u64> {
        let is_old = |event: &Instant| now.duration_since(*event) > alert.within;
        self.since += 1;
        if self.given.as_ref().is_some_and(|given| !is_old(given)) {
            return None;
        }
        self.events.push_back(now);
        while self.events.front().is_some_and(is_old) {
            self.events.pop_front();
        }
        if self.events.len() < usize::try_from(alert.count).unwrap_or(usize::MAX) {
            return None;
        }
        let stands_for = self.since.max(u64::from(alert.count));
        (self.given, self.since) = (Some(now), 0);
        self.events.clear();
        Some(stands_for)
    }
}

/// Whether an alert listens to such an event.
fn is_about(alert: &Alert, event: Event<'_>) -> bool {
    let Event { occasion, subject, facts, rows, .. } = event;
    let touches = |facts: &Facts| {
        let mut objects = facts.objects.iter().filter_map(|object| object.relation.split_once('.'));
        objects.any(|(schema, table)| alert.tables.are_named(&subject.source, schema, table))
    };
    alert.on.contains(&occasion)
        && alert.roles.as_ref().is_none_or(|roles| roles.contains(&subject.role))
        && (alert.tables.is_empty() || facts.is_some_and(touches))
        && match (alert.more_rows_than, rows) {
            (None, None) => true,
            (Some(most), Some(rows)) => rows > most,
            // Rows are known when a statement ends; what has none is not asked about them.
            (None, Some(_)) => false,
            (Some(_), None) => occasion != Occasion::Statement,
        }
}

impl Listener for Alerts {
    fn statement(&self, audit: &Audit, record: &StatementRecord<'_>, statement: Sequence) {
        if !self.has_any() {
            return;
        }
        let event = |occasion, message: &str| {
            let (subject, facts) = (record.subject, Some(record.facts));
            self.happened(audit, Event { occasion, subject, facts, rows: None, statement, message });
        };
        let ground = match record.outcome {
            Outcome::Permitted => None,
            Outcome::Observed { message, ground, .. } => Some((record.facts.without_literals(message), ground)),
            Outcome::Refused { message, ground, .. } => {
                let message = record.facts.without_literals(message);
                event(Occasion::Refused, &message);
                Some((message, ground))
            }
        };
        match ground.as_ref().map(|(message, ground)| (&**message, ground)) {
            Some((message, Ground::Limit(_))) => event(Occasion::Limited, message),
            Some((message, Ground::Block | Ground::Learn)) => event(Occasion::Blocked, message),
            Some((_, Ground::Rules)) | None => {}
        }
        if let Some(rule) = record.reported.first() {
            event(Occasion::Blocked, &format!("rule `{}` reports the statement", rule.name));
        }
        if !matches!(record.outcome, Outcome::Refused { .. }) {
            event(Occasion::Statement, "the statement runs");
        }
    }

    fn result(&self, audit: &Audit, record: &ResultRecord<'_>) {
        if !self.has_any() {
            return;
        }
        let ResultRecord { subject, facts, statement, .. } = *record;
        let event = |occasion, rows, message: &str| {
            self.happened(audit, Event { occasion, subject, facts, rows, statement, message });
        };
        if let Some(met) = record.limit {
            event(Occasion::Limited, None, &format!("limit `{}` was met: {}", met.rule, met.limit.word()));
        }
        event(Occasion::Statement, Some(record.rows), &format!("the result has {} rows", record.rows));
    }

    fn login_refused(&self, audit: &Audit, subject: &Subject, reason: &str) {
        self.of_session(audit, Occasion::LoginRefused, subject, Sequence::default(), reason);
    }

    fn second_lock(&self, audit: &Audit, subject: &Subject, statement: Sequence, column: &str) {
        let message = format!("column `{column}` was about to arrive as it is");
        self.of_session(audit, Occasion::Leak, subject, statement, &message);
    }

    fn failed(&self, audit: &Audit, subject: &Subject, reason: &str) {
        self.of_session(audit, Occasion::AuditFailed, subject, Sequence::default(), reason);
    }
}

impl Alerts {
    fn of_session(&self, audit: &Audit, occasion: Occasion, subject: &Subject, statement: Sequence, message: &str) {
        if self.has_any() {
            self.happened(audit, Event { occasion, subject, facts: None, rows: None, statement, message });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn alert(count: u32) -> Alert {
        Alert {
            rule: Arc::default(),
            roles: None,
            on: vec![Occasion::Refused],
            tables: crate::policy::Tables::default(),
            more_rows_than: None,
            count,
            within: Duration::from_mins(1),
        }
    }

    #[test]
    fn an_alert_is_given_once_a_window_and_counts_what_it_stands_for() {
        let (alert, begin) = (alert(3), Instant::now());
        let mut window = Window::default();
        let at = |window: &mut Window, seconds| window.count(&alert, begin + Duration::from_secs(seconds));
        assert_eq!([0, 70, 100].map(|s| at(&mut window, s)), [None, None, None], "never three within a minute");
        assert_eq!(at(&mut window, 110), Some(4));
        assert_eq!([111, 112, 113, 114].map(|s| at(&mut window, s)), [None; 4], "quiet");
        assert_eq!([171, 172].map(|s| at(&mut window, s)), [None, None]);
        assert_eq!(at(&mut window, 173), Some(7));
    }
}
