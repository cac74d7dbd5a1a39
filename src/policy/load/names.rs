//! Names across all files: each once, and each used.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::{Draft, Header};
use super::mask::MaskDraft;
use super::protect::{RulingDraft, TagDraft};
use crate::policy::diagnostics::{Finding, Findings, Place};

/// The rules of every kind by name. One name stands for one rule, because errors and audit records say no more.
pub(super) fn rules<'d>(findings: &Findings, draft: &'d Draft) -> BTreeMap<&'d str, Place> {
    let headers = draft.protects.iter().map(|rule| &rule.header);
    let headers = headers.chain(draft.filters.iter().map(|rule| &rule.header));
    let headers = headers.chain(draft.trusts.iter().map(|rule| &rule.header));
    let headers = headers.chain(draft.limits.iter().map(|rule| &rule.header));
    let headers = headers.chain(draft.blocks.iter().map(|rule| &rule.header));
    let headers = headers.chain(draft.learns.iter().map(|rule| &rule.header));
    let headers = headers.chain(draft.alerts.iter().map(|rule| &rule.header));
    let rules = once(findings, "rule", headers.map(|header: &Header| (&*header.name.value, header.name.place)));
    once(findings, "test", draft.tests.iter().map(|test| (&*test.test.name, test.place)));
    rules
}

/// The tags by name.
pub(super) fn tags<'d>(findings: &Findings, tags: &'d [TagDraft]) -> BTreeMap<&'d str, &'d TagDraft> {
    once(findings, "tag", tags.iter().map(|tag| (&*tag.name.value, tag.name.place)));
    tags.iter().rev().map(|tag| (&*tag.name.value, tag)).collect()
}

/// Notes files of learned statements that two rules have: what each learned would be the other's.
pub(super) fn learned(findings: &Findings, draft: &Draft) {
    let mut seen: BTreeMap<String, Place> = BTreeMap::new();
    for learn in &draft.learns {
        let (Some(file), Some(place)) = (&learn.learn.file, learn.place) else { continue };
        // Some file systems know no case.
        if let Some(first) = seen.insert(file.to_lowercase(), place) {
            let message = format!("two rules learn into `{file}`");
            findings.add(
                Finding::error("duplicate", place, message)
                    .also(first, "here too")
                    .help("give each a file of its own, or name all roles in one rule"),
            );
        }
    }
}

/// Notes every name that stands twice, in the order of the files.
fn once<'d>(
    findings: &Findings,
    what: &str,
    names: impl Iterator<Item = (&'d str, Place)>,
) -> BTreeMap<&'d str, Place> {
    let mut sorted: Vec<_> = names.collect();
    sorted.sort_by_key(|(_, place)| *place);
    let mut seen: BTreeMap<&str, Place> = BTreeMap::new();
    for (name, place) in sorted {
        if let Some(first) = seen.get(name) {
            let message = format!("{what} `{name}` is defined twice");
            findings.add(Finding::error("duplicate", place, message).also(*first, "first here"));
        } else {
            seen.insert(name, place);
        }
    }
    seen
}

/// Warns about tags and masks that nothing refers to.
pub(super) fn unused(findings: &Findings, draft: &Draft) {
    if findings.has_errors() {
        return;
    }
    let tags: BTreeSet<&str> = draft.protects.iter().flat_map(|rule| &rule.tags).map(|tag| &*tag.value).collect();
    for tag in draft.tags.iter().filter(|tag| !tags.contains(&*tag.name.value)) {
        let message = format!("tag `{}` is in no `[[protect]]`, so it protects nothing", tag.name.value);
        findings.add(Finding::warning("unused", tag.name.place, message));
    }
    let mut masks = BTreeSet::new();
    for rule in &draft.protects {
        if let RulingDraft::Mask(mask) = &rule.ruling {
            mentioned(&mask.value, &mut masks);
        }
    }
    for mask in &draft.masks {
        mentioned(&mask.mask, &mut masks);
    }
    for mask in draft.masks.iter().filter(|mask| !masks.contains(&*mask.name.value)) {
        let message = format!("mask `{}` is in no `[[protect]]`", mask.name.value);
        findings.add(Finding::warning("unused", mask.name.place, message));
    }
}

fn mentioned<'d>(mask: &'d MaskDraft, names: &mut BTreeSet<&'d str>) {
    match mask {
        MaskDraft::Spec(_) => {}
        MaskDraft::Named(name) => {
            names.insert(&name.value);
        }
        MaskDraft::Json(paths) => {
            for mask in paths.iter().filter_map(|(_, mask)| mask.as_ref()) {
                mentioned(mask, names);
            }
        }
    }
}
