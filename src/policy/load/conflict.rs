//! Warns where two `[[protect]]` rules meet on a column of a role and do not agree.

use std::sync::Arc;

use super::protect::ProtectDraft;
use crate::policy::diagnostics::{Finding, Findings};
use crate::policy::set::{ColumnRule, Protect, Ruling};

/// A rule with its patterns and roles looked up.
#[derive(Debug)]
pub(super) struct Resolved<'d> {
    pub(super) draft: &'d ProtectDraft,
    pub(super) roles: Vec<Arc<str>>,
    pub(super) protect: Arc<Protect>,
    pub(super) columns: Vec<ColumnRule>,
}

/// Compares each rule with each later one.
pub(super) fn warn(findings: &Findings, rules: &[Resolved<'_>]) {
    for (at, one) in rules.iter().enumerate() {
        for other in rules.iter().skip(at + 1) {
            compare(findings, one, other);
        }
    }
}

fn compare(findings: &Findings, one: &Resolved<'_>, other: &Resolved<'_>) {
    if one.protect.ruling == other.protect.ruling {
        return;
    }
    let roles: Vec<_> = one.roles.iter().filter(|role| other.roles.contains(role)).collect();
    let Some(role) = roles.first() else { return };
    let mut pairs = one.columns.iter().flat_map(|a| other.columns.iter().map(move |b| (a, b)));
    let Some((a, b)) = pairs.find(|(a, b)| a.pattern.meets(&b.pattern)) else { return };

    let a_wins = a.precedence() < b.precedence();
    let (winner, loser) = if a_wins { (a, b) } else { (b, a) };
    let (winning, losing) = if a_wins { (one.draft, other.draft) } else { (other.draft, one.draft) };
    let more = match roles.len() {
        1 => String::new(),
        n => format!(" and {} more", n - 1),
    };
    let message = format!(
        "rules `{}` and `{}` meet for role `{role}`{more} and do not agree",
        winning.header.name.value, losing.header.name.value
    );
    let finding = Finding::warning("conflict", losing.header.name.place, message)
        .label(format!("would have {}", verdict(&loser.protect.ruling)))
        .also(winning.header.name.place, format!("decides, because {}", reason(winner, loser)))
        .help(format!(
            "they meet where `{}` and `{}` do; if that is meant, leave it, else narrow one of them",
            winner.pattern, loser.pattern
        ));
    findings.add(finding);
}

fn verdict(ruling: &Ruling) -> &'static str {
    match ruling {
        Ruling::Deny => "denied the column",
        Ruling::Reveal => "revealed the column",
        Ruling::Mask { writable: true, .. } => "masked it and let it be written",
        Ruling::Mask { writable: false, .. } => "masked it in its own way",
    }
}

fn reason(winner: &ColumnRule, loser: &ColumnRule) -> &'static str {
    let (kind, tagged, literals, _) = winner.precedence();
    let (other_kind, other_tagged, other_literals, _) = loser.precedence();
    if kind != other_kind {
        match (&winner.protect.ruling, &loser.protect.ruling) {
            (Ruling::Deny, Ruling::Reveal) => "deny beats reveal",
            (Ruling::Deny, _) => "deny beats mask",
            (_, _) => "reveal beats mask",
        }
    } else if tagged != other_tagged {
        "`columns` beats `tags`"
    } else if literals != other_literals {
        "its pattern is more exact"
    } else {
        "it comes first"
    }
}
