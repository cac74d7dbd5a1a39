//! The walk's state, and its entry.

use std::sync::Arc;

use super::joined_write::JoinedWrite;
use super::refusal::Refusal;
use super::resolved::{Appearance, Edit, RelationUse, Resolved, Source};
use super::scope::{Scope, ScopeId};
use super::world::World;
use crate::catalog::Relation;
use crate::policy::{RelationAccess, Verb};
use crate::sql::ast::{Name, ObjectName, Statement, Tokens};
use crate::sql::{Engine, Token};

/// Resolves one statement of a text. `parameters` of a statement's tree are those of `tokens`, the whole text's.
pub fn resolve(world: &World<'_>, text: &str, tokens: &[Token], statement: &Statement) -> Result<Resolved, Refusal> {
    let mut binder = Binder {
        world: *world,
        text,
        tokens,
        scopes: Vec::new(),
        out: Resolved::default(),
        conditions: 0,
        written: JoinedWrite::default(),
        assigned: Vec::new(),
        withheld: 0,
    };
    binder.statement(statement)?;
    Ok(binder.out)
}

/// The state of one walk.
pub(super) struct Binder<'a> {
    pub(super) world: World<'a>,
    pub(super) text: &'a str,
    pub(super) tokens: &'a [Token],
    pub(super) scopes: Vec<Scope>,
    pub(super) out: Resolved,
    /// How many conditions are being walked around here.
    pub(super) conditions: usize,
    /// What MySQL's UPDATE or DELETE of joined tables writes.
    pub(super) written: JoinedWrite,
    /// User variables of MySQL that the statement has assigned so far.
    pub(super) assigned: Vec<Box<str>>,
    /// How many calls were replaced by NULL so far.
    pub(super) withheld: usize,
}

/// The columns that an expression's value is computed from, collected while walking it.
pub(super) type Sources = Vec<Source>;

impl<'a> Binder<'a> {
    pub(super) fn push_scope(&mut self, parent: Option<ScopeId>) -> ScopeId {
        self.scopes.push(Scope { parent, ..Scope::default() });
        self.scopes.len() - 1
    }

    /// The scopes from one outward.
    pub(super) fn outward(&self, from: Option<ScopeId>) -> impl Iterator<Item = (ScopeId, &Scope)> {
        std::iter::successors(from.and_then(|id| Some((id, self.scopes.get(id)?))), |(_, scope)| {
            let id = scope.parent?;
            Some((id, self.scopes.get(id)?))
        })
    }

    pub(super) fn scope_mut(&mut self, id: ScopeId) -> Option<&mut Scope> {
        self.scopes.get_mut(id)
    }

    pub(super) fn scope(&self, id: ScopeId) -> Option<&Scope> {
        self.scopes.get(id)
    }

    /// The text of a token, empty behind the last.
    pub(super) fn token_text(&self, token: u32) -> &'a str {
        let token = usize::try_from(token).ok().and_then(|at| self.tokens.get(at));
        token.map(|token| token.text(self.text)).unwrap_or_default()
    }

    pub(super) fn quote(&self, name: &str) -> String {
        self.world.engine().quote_identifier(name)
    }

    /// Notes that a column is used, and says where its value comes from.
    pub(super) fn mark(&mut self, sources: &[Source], sink: &mut Sources) {
        for source in sources {
            if let Some(used) =
                self.out.relations.get_mut(source.place).and_then(|used| used.used.get_mut(source.column))
            {
                *used = true;
            }
            self.out.uses.push(*source);
            sink.push(*source);
        }
    }

    pub(super) fn edit(&mut self, tokens: Tokens, text: impl Into<String>) {
        self.out.edits.push(Edit { tokens, text: text.into() });
    }

    /// The schema and name of an object's name; PostgreSQL takes the database's name before them.
    pub(super) fn split<'n>(&self, name: &'n ObjectName) -> Result<(Option<&'n Name>, &'n Name), Refusal> {
        match name.parts.as_slice() {
            [object] => Ok((None, object)),
            [schema, object] => Ok((Some(schema), object)),
            [database, schema, object]
                if self.world.engine() == Engine::Postgres && *database.value == *self.world.snapshot.database() =>
            {
                Ok((Some(schema), object))
            }
            _ => Err(Refusal::unsupported("a name in another database is not allowed")
                .advise("name the object as `schema.table`")
                .at(name.parts.first().map(|part| part.token))),
        }
    }

    /// The relation that a name means, or why there is none.
    pub(super) fn relation(&self, name: &ObjectName) -> Result<&'a Relation, Refusal> {
        let (schema, object) = self.split(name)?;
        let found = self.world.relation(schema.map(|s| &*s.value), &object.value);
        found.ok_or_else(|| unknown_relation(schema, object))
    }

    /// Notes a mention of a relation, after asking whether the role may do this with it.
    pub(super) fn note_use(
        &mut self,
        relation: &Relation,
        name: &ObjectName,
        verb: Verb,
        tokens: Tokens,
    ) -> Result<usize, Refusal> {
        let access = self.world.rules.access(relation);
        if !self.world.is_system_schema(&relation.schema) && !self.world.inside_view {
            self.require(relation, &access, verb).map_err(|refusal| refusal.at(name.object().map(|n| n.token)))?;
        }
        let appearance = if access.is_plain() { Appearance::Plain } else { Appearance::Protected };
        self.out.relations.push(RelationUse {
            relation: relation.id,
            verb,
            tokens,
            only: false,
            moved: Vec::new(),
            lock: None,
            alias: None,
            appearance,
            used: vec![false; relation.columns.len()],
            whole: false,
            system_columns: Vec::new(),
            access,
        });
        Ok(self.out.relations.len() - 1)
    }

    /// Whether the role has the verb on the relation.
    pub(super) fn require(&self, relation: &Relation, access: &Arc<RelationAccess>, verb: Verb) -> Result<(), Refusal> {
        if access.verbs.contains(verb) {
            return Ok(());
        }
        let table = format!("{}.{}", relation.schema, relation.name);
        let refusal = if access.verbs.is_empty() {
            Refusal::forbidden(format!("table `{table}` is not granted to role `{}`", self.world.role))
        } else {
            Refusal::forbidden(format!("role `{}` may not {} `{table}`", self.world.role, verb.phrase()))
        };
        Err(refusal.advise(format!("ask the owner of the rules to grant `{}` on `{table}`", verb.word())))
    }
}

fn unknown_relation(schema: Option<&Name>, object: &Name) -> Refusal {
    let full = match schema {
        Some(schema) => format!("{}.{}", schema.value, object.value),
        None => object.value.to_string(),
    };
    Refusal::undefined_table(format!("relation \"{full}\" does not exist")).at(Some(object.token))
}
