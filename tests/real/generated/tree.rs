//! A statement as a tree of texts, so that a part can be left out or replaced by a smaller one of its sort.

use std::fmt::Write;

/// What a column or an expression holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    Int,
    Number,
    Text,
    Date,
    Bool,
}

/// What a part is, and so what may stand in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// An expression of a type.
    Value(Type),
    /// A query.
    Query,
    /// An item of FROM.
    From,
    /// Something that may be missing: a clause, a modifier.
    Optional,
    /// Anything else.
    Fixed,
}

/// A part of a statement.
#[derive(Debug, Clone)]
pub struct Tree {
    /// What it is.
    pub sort: Sort,
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
enum Part {
    Text(String),
    Tree(Tree),
}

impl Tree {
    /// An empty part.
    pub fn new(sort: Sort) -> Self {
        Self { sort, parts: Vec::new() }
    }

    /// A part that is one text.
    pub fn of(sort: Sort, text: impl Into<String>) -> Self {
        Self { sort, parts: vec![Part::Text(text.into())] }
    }

    /// Adds text.
    pub fn text(&mut self, text: impl Into<String>) -> &mut Self {
        self.parts.push(Part::Text(text.into()));
        self
    }

    /// Adds a part.
    pub fn tree(&mut self, tree: Tree) -> &mut Self {
        self.parts.push(Part::Tree(tree));
        self
    }

    /// Adds parts with a text between them.
    pub fn list(&mut self, trees: Vec<Tree>, between: &str) -> &mut Self {
        for (position, tree) in trees.into_iter().enumerate() {
            if position > 0 {
                self.text(between);
            }
            self.tree(tree);
        }
        self
    }

    /// The statement.
    pub fn sql(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Tree(tree) => tree.write(out),
            }
        }
    }

    /// Makes the tree smaller as long as `fails` says that it still shows what is to be shown.
    pub fn shrink(mut self, mut fails: impl FnMut(&Tree) -> bool) -> Self {
        let mut tries = 0;
        loop {
            let before = self.sql().len();
            let mut place = 0;
            while place < self.count() {
                let smaller = self.replacements(place).into_iter().find(|tree| {
                    tries += 1;
                    tries < 3000 && fails(tree)
                });
                match smaller {
                    Some(tree) => self = tree,
                    None => place += 1,
                }
            }
            if self.sql().len() == before || tries >= 3000 {
                return self;
            }
        }
    }

    /// How many parts there are, this one included.
    fn count(&self) -> usize {
        1 + self.children().map(Tree::count).sum::<usize>()
    }

    fn children(&self) -> impl Iterator<Item = &Tree> {
        self.parts.iter().filter_map(|part| match part {
            Part::Tree(tree) => Some(tree),
            Part::Text(_) => None,
        })
    }

    /// The whole tree with the part at this place, counted from the root down, replaced by each smaller one.
    fn replacements(&self, place: usize) -> Vec<Tree> {
        let Some(part) = self.at(&mut place.clone()) else { return Vec::new() };
        let length = part.sql().len();
        let mut smaller: Vec<Tree> = part.simplest().into_iter().filter(|tree| tree.sql().len() < length).collect();
        let mut inside = Vec::new();
        part.inside(part.sort, &mut inside);
        inside.sort_by_key(|tree| tree.sql().len());
        smaller.extend(inside.into_iter().filter(|tree| tree.sql().len() < length).take(12));
        let whole = |tree: Tree| {
            let mut whole = self.clone();
            if let Some(found) = whole.at_mut(&mut place.clone()) {
                *found = tree;
            }
            whole
        };
        smaller.into_iter().map(whole).collect()
    }

    /// What always can stand in the place of a part.
    fn simplest(&self) -> Vec<Tree> {
        let texts: &[&str] = match self.sort {
            Sort::Value(Type::Int) => &["1"],
            Sort::Value(Type::Number) => &["1.5"],
            Sort::Value(Type::Text) => &["'x'"],
            Sort::Value(Type::Date) => &["current_date"],
            Sort::Value(Type::Bool) => &["true"],
            Sort::Optional => &[""],
            Sort::Query => &["select 1 as c1"],
            Sort::From | Sort::Fixed => &[],
        };
        texts.iter().map(|text| Tree::of(self.sort, *text)).collect()
    }

    fn inside(&self, sort: Sort, out: &mut Vec<Tree>) {
        for child in self.children() {
            if child.sort == sort && sort != Sort::Fixed && sort != Sort::Optional {
                out.push(child.clone());
            }
            child.inside(sort, out);
        }
    }

    fn at(&self, place: &mut usize) -> Option<&Tree> {
        if *place == 0 {
            return Some(self);
        }
        *place -= 1;
        for child in self.children() {
            if let Some(found) = child.at(place) {
                return Some(found);
            }
        }
        None
    }

    fn at_mut(&mut self, place: &mut usize) -> Option<&mut Tree> {
        if *place == 0 {
            return Some(self);
        }
        *place -= 1;
        for part in &mut self.parts {
            if let Part::Tree(child) = part
                && let Some(found) = child.at_mut(place)
            {
                return Some(found);
            }
        }
        None
    }
}

impl std::fmt::Display for Tree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.sql())
    }
}

#[test]
fn a_tree_shrinks_to_what_matters() {
    let mut sum = Tree::new(Sort::Value(Type::Int));
    sum.text("(").tree(Tree::of(Sort::Value(Type::Int), "2222"));
    sum.text(" + ").tree(Tree::of(Sort::Value(Type::Int), "x/0")).text(")");
    let mut query = Tree::of(Sort::Query, "select ");
    query.tree(sum).tree(Tree::of(Sort::Optional, " limit 5"));
    let small = query.shrink(|tree| tree.sql().contains("x/0"));
    let mut shown = String::new();
    write!(shown, "{small}").unwrap();
    assert_eq!(shown, "select x/0");
}
