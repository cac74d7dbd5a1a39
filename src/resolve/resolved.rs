//! What resolving found: facts about tokens, which rewriting turns into text.

use std::ops::Range;
use std::sync::Arc;

use crate::catalog::known::SystemView;
use crate::catalog::{Relation, RelationId};
use crate::policy::{RelationAccess, Verb};
use crate::sql::Script;
use crate::sql::ast::Tokens;

/// How a relation has to appear.
#[derive(Debug, Clone)]
pub enum Appearance {
    /// As the server has it, by its full name.
    Plain,
    /// As a derived table: masks, no denied columns, filtered.
    Protected,
    /// A relation of the server's own catalogs, with this changed.
    System(SystemView),
    /// A view, in the place of which its definition stands.
    Expanded(Arc<ExpandedView>),
    /// The target of a write: the full name stands, the statement's own references to its columns are replaced.
    Target,
    /// The table of an index: the index's name stands in the statement, not the table's.
    OfIndex,
}

/// A view's definition, resolved as a statement of its own.
#[derive(Debug)]
pub struct ExpandedView {
    /// The definition.
    pub text: Box<str>,
    /// Its tokens.
    pub script: Script,
    /// The tokens of the query.
    pub tokens: Range<usize>,
    /// What was found in it.
    pub resolved: Resolved,
    /// Whether the view may not be merged into the statement around it.
    pub barrier: bool,
}

impl ExpandedView {
    /// Whether the role sees everything that the view reads as it is, so that the server may read the view itself.
    pub fn is_plain(&self) -> bool {
        self.resolved.relations.iter().all(|used| matches!(used.appearance, Appearance::Plain))
    }
}

/// One mention of a relation.
#[derive(Debug, Clone)]
pub struct RelationUse {
    /// Which relation.
    pub relation: RelationId,
    /// What is done with it.
    pub verb: Verb,
    /// The tokens to replace.
    pub tokens: Tokens,
    /// `ONLY` was given.
    pub only: bool,
    /// Tokens that have to move inside a derived table: partitions, TABLESAMPLE, index hints.
    pub moved: Vec<Tokens>,
    /// The locking clause that has to stand inside a derived table too.
    pub lock: Option<Tokens>,
    /// The alias to add, where the statement gives none.
    pub alias: Option<Box<str>>,
    /// How it has to appear.
    pub appearance: Appearance,
    /// What the role may do with it.
    pub access: Arc<RelationAccess>,
    /// For each column whether the statement uses it.
    pub used: Vec<bool>,
    /// None of its columns may be left out: names are given to them by their position, or some names may mean its columns
    /// or something else.
    pub whole: bool,
    /// System columns that the statement names: `tableoid`, `xmin` …
    pub system_columns: Vec<&'static str>,
}

impl RelationUse {
    /// The columns that have to be there, for each whether it has; `None` is all of them.
    pub fn needed(&self) -> Option<&[bool]> {
        (!self.whole).then_some(self.used.as_slice())
    }
}

/// A column of a relation that a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// Which of [`Resolved::relations`].
    pub place: usize,
    /// Its position in the relation.
    pub column: usize,
}

/// A column of a query's result.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputColumn {
    /// Its label.
    pub name: Box<str>,
    /// Every column that its value is computed from.
    pub sources: Vec<Source>,
    /// Whether it is one column, unchanged.
    pub direct: bool,
    /// Whether reading it can neither fail nor show more than its value: a plain column, a constant.
    pub harmless: bool,
}

/// A change to the text that does not depend on how relations appear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The tokens to leave out; empty to insert before the first one's number.
    pub tokens: Tokens,
    /// What stands in their place.
    pub text: String,
}

/// A reference to a column of a write's target, which shows the raw row unless it is replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetColumn {
    /// The tokens of the reference, or the star.
    pub tokens: Tokens,
    /// Which relation.
    pub place: usize,
    /// Which column; `None` for all that are visible (a star).
    pub column: Option<usize>,
    /// What the target goes by in the statement.
    pub qualifier: Box<str>,
    /// Whether the reference is a whole entry of RETURNING without a label, so that a label must be added.
    pub label: bool,
}

/// A filtered table that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilteredTarget {
    /// Which relation.
    pub place: usize,
    /// What the target goes by in the statement.
    pub qualifier: Box<str>,
}

/// Where the filters of a write's targets have to be put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetFilter {
    /// The targets that have filters: one or, where MySQL writes joined tables, several.
    pub targets: Vec<FilteredTarget>,
    /// The tokens of the condition; empty, at its place, when there is none.
    pub condition: Tokens,
    /// Whether `WHERE` has to be written too.
    pub missing: bool,
    /// Whether the condition can neither fail on hidden rows nor observe them.
    pub harmless: bool,
}

/// A value for a row of a target that is there already, found by a key: an error where a filter hides the row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundRow {
    /// The target.
    pub target: FilteredTarget,
    /// The value that the server computes first.
    pub value: Tokens,
}

/// A row that is about to be written: the filters of its table must hold for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRow {
    /// Which relation.
    pub place: usize,
    /// What the target goes by, for columns that keep their value; `None` for rows that are inserted.
    pub qualifier: Option<Box<str>>,
    /// Column and the tokens of its new value.
    pub values: Vec<(usize, Tokens)>,
    /// A query whose rows are inserted, with the columns that it fills.
    pub source: Option<(Tokens, Vec<usize>)>,
    /// PostgreSQL: what the query gives without a type of its own, literals and parameters, with the column that it goes
    /// into and gets its type from.
    pub untyped: Vec<(usize, Tokens)>,
}

/// A column of a relation in FROM that is referred to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The whole name.
    pub tokens: Tokens,
    /// The column.
    pub source: Source,
}

/// Everything found in one statement.
#[derive(Debug, Clone, Default)]
pub struct Resolved {
    /// Each mention of a relation of the catalog.
    pub relations: Vec<RelationUse>,
    /// Changes that are known already.
    pub edits: Vec<Edit>,
    /// References to the raw row of a write's target.
    pub target_columns: Vec<TargetColumn>,
    /// Filters of a write's target.
    pub target_filters: Vec<TargetFilter>,
    /// Rows of a target that are found by a key.
    pub found_rows: Vec<FoundRow>,
    /// Rows that the filters of their table must hold for.
    pub new_rows: Vec<NewRow>,
    /// References to columns of relations in FROM.
    pub references: Vec<Reference>,
    /// Every use of a column of a relation, once for each.
    pub uses: Vec<Source>,
    /// The columns of the result.
    pub output: Vec<OutputColumn>,
    /// Whether a filter must be fenced: some predicate could fail on hidden rows or observe them.
    pub fence: bool,
    /// Whether a literal's value was looked at, so that the result holds for this value only.
    pub reads_literals: bool,
    /// Whether the statement writes anything.
    pub writes: bool,
    /// The temporary table that it makes.
    pub temporary: Option<NewTemporaryTable>,
    /// What it makes, changes and drops beside.
    pub objects: ObjectChanges,
    /// The query that the view it makes consists of.
    pub stored_query: Option<Tokens>,
}

/// What a transaction does to tables, views and sequences (PostgreSQL): others see it when it has ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ObjectChanges {
    /// Schemas and names that are not what they were: dropped, renamed.
    pub gone: Vec<(Box<str>, Box<str>)>,
    /// What is there instead or is new, as it is now; types are known as far as for temporary tables.
    pub made: Vec<Relation>,
}

impl ObjectChanges {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.gone.is_empty() && self.made.is_empty()
    }
}

/// A temporary table as the statement that makes it describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTemporaryTable {
    /// The table; types are known only of columns that are taken from others as they are.
    pub table: Relation,
    /// It is gone with the transaction.
    pub drops_on_commit: bool,
}

impl Resolved {
    /// Whether any filter, also inside views, must be fenced.
    pub fn needs_fence(&self) -> bool {
        self.fence
            || self.relations.iter().any(|used| match &used.appearance {
                Appearance::Expanded(view) => view.resolved.needs_fence(),
                Appearance::Plain
                | Appearance::Protected
                | Appearance::System(_)
                | Appearance::Target
                | Appearance::OfIndex => false,
            })
    }

    /// Whether anything restricted is read: the server's errors must be cleaned. (MySQL does not say which errors come out
    /// of triggers, so there those of all writes are: see the plan.)
    pub fn is_guarded(&self) -> bool {
        self.relations.iter().any(|used| match &used.appearance {
            Appearance::Plain | Appearance::System(_) | Appearance::OfIndex => false,
            Appearance::Protected | Appearance::Expanded(_) => true,
            Appearance::Target => !used.access.is_plain(),
        })
    }
}
