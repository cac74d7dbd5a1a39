//! `extends`: a role has the grants of the roles that it extends, and of those that they extend.

use super::audience::Roles;
use super::role::RoleDraft;
use crate::policy::diagnostics::{Finding, Findings};
use crate::policy::set::{Grant, PolicySet};

/// Gives each role its own grants and those that it inherits.
pub(super) fn grants(findings: &Findings, roles: &Roles<'_>, set: &mut PolicySet) {
    for draft in roles.iter() {
        let mut path = Vec::new();
        let mut grants = Vec::new();
        collect(findings, roles, draft, &mut path, &mut Vec::new(), &mut grants);
        if let Some(rules) = set.roles.get_mut(&draft.role.name) {
            rules.grants = grants;
        }
    }
}

/// Walks the roles depth first; `path` is the way to the one at hand, `done` those that were visited.
fn collect<'d>(
    findings: &Findings,
    roles: &Roles<'d>,
    draft: &'d RoleDraft,
    path: &mut Vec<&'d str>,
    done: &mut Vec<&'d str>,
    grants: &mut Vec<Grant>,
) {
    let name = &*draft.role.name;
    if done.contains(&name) {
        return;
    }
    done.push(name);
    path.push(name);
    grants.extend(draft.grants.iter().map(|grant| grant.value.clone()));
    for extended in &draft.extends {
        let Some(other) = roles.get(extended) else { continue };
        let other_name = &*other.role.name;
        if path.contains(&other_name) {
            report_circle(findings, path, other_name, other);
        } else if other.role.unrestricted {
            let message =
                format!("role `{name}` extends `{other_name}`, which is unrestricted and has no grants to give");
            findings.add(
                Finding::error("bad-value", extended.place, message)
                    .help(format!("write `unrestricted = true` in `[role.{name}]` if that is meant")),
            );
        } else {
            collect(findings, roles, other, path, done, grants);
        }
    }
    path.pop();
}

/// A circle is met once from each of its roles; it is reported from the one whose name comes first.
fn report_circle(findings: &Findings, path: &[&str], again: &str, draft: &RoleDraft) {
    let circle: Vec<&str> = path.iter().copied().skip_while(|name| *name != again).collect();
    if circle.iter().any(|name| *name < again) {
        return;
    }
    let words = circle.iter().chain(std::iter::once(&again)).map(|name| format!("`{name}`")).collect::<Vec<_>>();
    let message = format!("roles extend each other in a circle: {}", words.join(" → "));
    findings.add(Finding::error("circle", draft.place, message));
}
