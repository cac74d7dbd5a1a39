//! Partitions and inheritance: which relations hold the same rows.

use std::collections::HashSet;

use crate::catalog::{Relation, RelationId, Snapshot};

/// A relation and everything that it is a part of, itself first.
pub(super) fn lineage<'a>(snapshot: &'a Snapshot, relation: &'a Relation) -> Vec<&'a Relation> {
    collect(snapshot, relation, |relation| &relation.parents)
}

/// A relation and everything that is a part of it, itself first.
pub(super) fn parts<'a>(snapshot: &'a Snapshot, relation: &'a Relation) -> Vec<&'a Relation> {
    collect(snapshot, relation, |relation| snapshot.children(relation.id))
}

fn collect<'a>(
    snapshot: &'a Snapshot,
    relation: &'a Relation,
    next: impl Fn(&'a Relation) -> &'a [RelationId],
) -> Vec<&'a Relation> {
    let mut found = vec![relation];
    // Inheritance can reach one relation on two ways.
    let mut seen = HashSet::from([relation.id]);
    let mut at = 0;
    while let Some(current) = found.get(at).copied() {
        at += 1;
        for id in next(current) {
            if seen.insert(*id) {
                found.extend(snapshot.relation(*id));
            }
        }
    }
    found
}
