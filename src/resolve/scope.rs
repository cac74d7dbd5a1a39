//! Which names are visible where: the FROM clause, common table expressions, the queries around.

use std::rc::Rc;

use super::resolved::{OutputColumn, Source};

/// A scope's place in the binder.
pub(super) type ScopeId = usize;

/// A column behind a name of a FROM clause.
#[derive(Debug, Clone)]
pub(super) struct BoundColumn {
    /// Its name here.
    pub name: Box<str>,
    /// What its value comes from.
    pub sources: Rc<[Source]>,
    /// Whether it is one column, unchanged.
    pub direct: bool,
    /// Whether reading it can neither fail nor observe.
    pub harmless: bool,
}

impl BoundColumn {
    /// A column of a sub-select.
    pub fn of_output(output: &OutputColumn) -> Self {
        Self {
            name: output.name.clone(),
            sources: output.sources.as_slice().into(),
            direct: output.direct,
            harmless: output.harmless,
        }
    }

    /// A column that comes from no table.
    pub fn computed(name: &str) -> Self {
        Self { name: name.into(), sources: Rc::from([]), direct: false, harmless: false }
    }
}

/// What a name of a FROM clause stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A relation of the catalog: its place in `Resolved::relations`.
    Relation(usize),
    /// The target of a write, whose columns are replaced where they stand.
    Target(usize),
    /// A sub-select, common table expression or join.
    Query,
    /// Functions whose columns may not all be known.
    Function,
}

/// A name of a FROM clause.
#[derive(Debug, Clone)]
pub(super) struct Binding {
    /// The alias, or the relation's own name.
    pub name: Box<str>,
    /// The relation's schema, where it goes by its own name.
    pub schema: Option<Box<str>>,
    /// What it stands for.
    pub kind: Kind,
    /// Its columns in order.
    pub columns: Rc<[BoundColumn]>,
    /// Whether it may have columns that are not known.
    pub open: bool,
    /// Inside a join with an alias, which hides it.
    pub hidden: bool,
}

/// A column as unqualified names and stars see it.
#[derive(Debug, Clone)]
pub(super) struct Visible {
    /// Its name.
    pub name: Box<str>,
    /// Binding and column; two or more for the merged columns of USING and NATURAL.
    pub at: Vec<(usize, usize)>,
}

/// A common table expression in sight.
#[derive(Debug, Clone)]
pub(super) struct CommonTableName {
    /// Its name.
    pub name: Box<str>,
    /// Its columns.
    pub columns: Rc<[BoundColumn]>,
    /// Whether it may have columns that are not known.
    pub open: bool,
}

/// One level of names.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    /// The level around.
    pub parent: Option<ScopeId>,
    /// What FROM brought.
    pub bindings: Vec<Binding>,
    /// What unqualified names can mean, in the order of a star.
    pub visible: Vec<Visible>,
    /// Where the names visible to a join's condition begin in `bindings`.
    pub first_binding: usize,
    /// The same in `visible`.
    pub first_visible: usize,
    /// What WITH brought.
    pub common_tables: Vec<CommonTableName>,
    /// Labels of the select list, for the clauses that may use them.
    pub labels: Vec<BoundColumn>,
    /// Columns of relations referred to outside of aggregates' arguments: binding and column.
    pub referred: Vec<(usize, usize)>,
}
