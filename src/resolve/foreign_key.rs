//! Foreign keys: writing one table can change another, and whether it succeeds tells which keys exist. Neither may reach
//! what the role does not see.

use super::binder::Binder;
use super::refusal::Refusal;
use crate::catalog::{ForeignKey, KeyAction, Relation, RelationId};
use crate::policy::{RelationAccess, Treatment, Verb};

/// How far actions are followed from table to table.
const MAX_STEPS: usize = 32;

impl Binder<'_> {
    /// What a verb on the relation at a place does by foreign keys; `columns` are those that UPDATE sets.
    pub(super) fn check_keys(&self, place: usize, verb: Verb, columns: &[usize]) -> Result<(), Refusal> {
        let Some(used) = self.out.relations.get(place) else { return Ok(()) };
        let checked = match verb {
            Verb::Insert => self.check_made(used.relation, None),
            Verb::Update => {
                self.check_made(used.relation, Some(columns))?;
                self.check_changed(used.relation, Some(columns), MAX_STEPS)
            }
            Verb::Delete => self.check_changed(used.relation, None, MAX_STEPS),
            Verb::Read | Verb::Truncate | Verb::Create | Verb::Alter | Verb::Drop | Verb::Call | Verb::Explain => {
                Ok(())
            }
        };
        checked.map_err(|refusal| refusal.at(Some(used.tokens.start)))
    }

    /// New keys: the server looks for them among all rows of the table that they refer to, in their raw values.
    fn check_made(&self, relation: RelationId, columns: Option<&[usize]>) -> Result<(), Refusal> {
        for key in self.world.snapshot.keys_of(relation) {
            if columns.is_some_and(|columns| !key.columns.iter().any(|column| columns.contains(column))) {
                continue;
            }
            let Some(parent) = self.world.snapshot.relation(key.parent) else { continue };
            let access = self.world.rules.access(parent);
            if is_hidden(&access, &key.parent_columns) {
                return Err(self.refuse_key(
                    parent,
                    &access,
                    "whether a row is accepted would tell which keys exist there",
                ));
            }
        }
        Ok(())
    }

    /// Rows that go, or whose keys among `columns` change: what happens to the rows that refer to them.
    fn check_changed(&self, relation: RelationId, columns: Option<&[usize]>, steps: usize) -> Result<(), Refusal> {
        for key in self.world.snapshot.keys_to(relation) {
            if columns.is_some_and(|columns| !key.parent_columns.iter().any(|column| columns.contains(column))) {
                continue;
            }
            let Some(child) = self.world.snapshot.relation(key.child) else { continue };
            let access = self.world.rules.access(child);
            if !access.filters.is_empty() {
                return Err(self.refuse_key(child, &access, "its rows, hidden ones too, decide what happens"));
            }
            let action = if columns.is_some() { key.on_update } else { key.on_delete };
            self.check_action(key, child, &access, action, columns.is_none(), steps)?;
        }
        Ok(())
    }

    fn check_action(
        &self,
        key: &ForeignKey,
        child: &Relation,
        access: &RelationAccess,
        action: KeyAction,
        deletes: bool,
        steps: usize,
    ) -> Result<(), Refusal> {
        let verb = match action {
            KeyAction::Refuse => return Ok(()),
            KeyAction::Cascade if deletes => Verb::Delete,
            KeyAction::Cascade | KeyAction::Set => Verb::Update,
        };
        if !access.verbs.contains(verb) {
            let why = format!("an action of its foreign key would {} it", verb.word());
            return Err(self.refuse_key(child, access, &why));
        }
        let Some(steps) = steps.checked_sub(1) else {
            return Err(self.refuse_key(child, access, "actions of foreign keys go on for too long"));
        };
        match verb {
            Verb::Delete => self.check_changed(child.id, None, steps),
            _ => self.check_changed(child.id, Some(&key.columns), steps),
        }
    }

    fn refuse_key(&self, other: &Relation, access: &RelationAccess, why: &str) -> Refusal {
        let rule = access.filters.first().map(|filter| &filter.rule);
        let rule = rule.or_else(|| access.columns.iter().find_map(|column| column.rule.as_ref()));
        Refusal::forbidden(format!(
            "role `{}` may not write this: a foreign key joins it with `{}.{}`",
            self.world.role, other.schema, other.name
        ))
        .because(why)
        .by(rule)
    }
}

/// Whether something about keys of a table is not the role's to know.
fn is_hidden(access: &RelationAccess, columns: &[usize]) -> bool {
    let is_raw = |column: &usize| access.columns.get(*column).is_some_and(|c| c.treatment == Treatment::Raw);
    !access.filters.is_empty() || !columns.iter().all(is_raw)
}
