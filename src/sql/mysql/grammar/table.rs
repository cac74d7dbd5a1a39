//! FROM: tables, sub-selects, joins.

use super::{Grammar, Parsed};
use crate::sql::ast::{Expr, Join, JoinConstraint, Name, ObjectName, Outer, Query, Relation, Sample, TableRef};

/// A join as it is read: what stood in parentheses is a leaf.
enum Tree {
    Leaf(TableRef),
    Join(Box<Tree>, Box<Tree>, Option<Outer>, JoinConstraint),
}

impl Tree {
    fn join(left: Tree, right: Tree, outer: Option<Outer>, constraint: JoinConstraint) -> Self {
        Self::Join(Box::new(left), Box::new(right), outer, constraint)
    }

    /// Joins something in front of the first leaf: what `a JOIN b JOIN c ON x` does with `a`.
    fn join_in_front(self, left: Tree) -> Self {
        match self {
            leaf @ Self::Leaf(_) => Self::join(left, leaf, None, JoinConstraint::None),
            Self::Join(first, second, outer, constraint) => {
                Self::Join(Box::new(first.join_in_front(left)), second, outer, constraint)
            }
        }
    }

    fn into_table(self) -> TableRef {
        match self {
            Self::Leaf(table) => table,
            Self::Join(left, right, outer, constraint) => TableRef::Join(Box::new(Join {
                left: left.into_table(),
                right: right.into_table(),
                outer,
                constraint,
                alias: None,
            })),
        }
    }
}

/// The inside of parentheses in FROM.
enum Inside {
    Query(Query),
    Table(TableRef),
}

impl Grammar<'_> {
    /// Behind FROM.
    pub(super) fn from(&mut self) -> Parsed<Vec<TableRef>> {
        if self.cursor.take_word("dual") { Ok(Vec::new()) } else { self.comma_list(Self::table_reference) }
    }

    /// A table or a join.
    pub(super) fn table_reference(&mut self) -> Parsed<TableRef> {
        Ok(self.join_tree(None)?.into_table())
    }

    /// A factor and the joins behind it; the factor may have been read already.
    fn join_tree(&mut self, first: Option<TableRef>) -> Parsed<Tree> {
        let level = self.cursor.enter()?;
        let mut left = Tree::Leaf(match first {
            Some(first) => first,
            None => self.table_factor()?,
        });
        loop {
            if self.cursor.is_word("natural") {
                left = self.natural_join(left)?;
            } else if let Some(outer) = self.outer() {
                self.cursor.expect_word("join")?;
                let right = self.join_tree(None)?;
                let Some(constraint) = self.join_constraint()? else {
                    return Err(self.cursor.expected("`ON` or `USING`"));
                };
                left = Tree::join(left, right, Some(outer), constraint);
            } else if self.inner_join()? {
                let right = self.join_tree(None)?;
                left = match self.join_constraint()? {
                    Some(constraint) => Tree::join(left, right, None, constraint),
                    None => right.join_in_front(left),
                };
            } else {
                break;
            }
            self.cursor.grow()?;
        }
        self.cursor.leave(level)?;
        Ok(left)
    }

    /// Passes JOIN, INNER JOIN, CROSS JOIN or STRAIGHT_JOIN.
    fn inner_join(&mut self) -> Parsed<bool> {
        if self.cursor.take_word("straight_join") || self.cursor.take_word("join") {
            return Ok(true);
        }
        if self.cursor.take_word("inner") || self.cursor.take_word("cross") {
            self.cursor.expect_word("join")?;
            return Ok(true);
        }
        Ok(false)
    }

    /// `NATURAL [LEFT [OUTER] | RIGHT [OUTER] | INNER] JOIN t`
    fn natural_join(&mut self, left: Tree) -> Parsed<Tree> {
        self.cursor.advance();
        let outer = self.outer();
        if outer.is_some() || !self.is_maria() || !self.cursor.take_word("straight_join") {
            if outer.is_none() {
                self.cursor.take_word("inner");
            }
            self.cursor.expect_word("join")?;
        }
        let right = Tree::Leaf(self.table_factor()?);
        Ok(Tree::join(left, right, outer, JoinConstraint::Natural))
    }

    /// Passes `LEFT [OUTER]`, `RIGHT [OUTER]`.
    fn outer(&mut self) -> Option<Outer> {
        let sides = [("left", Outer::Left), ("right", Outer::Right)];
        let (_, outer) = sides.into_iter().find(|(word, _)| self.cursor.take_word(word))?;
        self.cursor.take_word("outer");
        Some(outer)
    }

    fn join_constraint(&mut self) -> Parsed<Option<JoinConstraint>> {
        if self.cursor.take_word("on") {
            return Ok(Some(JoinConstraint::On(self.expr()?)));
        }
        if self.cursor.take_word("using") {
            return Ok(Some(JoinConstraint::Using { columns: self.name_list()?, alias: None }));
        }
        Ok(None)
    }

    fn table_factor(&mut self) -> Parsed<TableRef> {
        if self.cursor.is_symbol("(") {
            return match self.table_parentheses()? {
                Inside::Query(query) => self.derived(query, false),
                Inside::Table(table) => Ok(table),
            };
        }
        if self.cursor.take_symbol("{") {
            self.name()?;
            let table = self.table_reference()?;
            self.cursor.expect_symbol("}")?;
            return Ok(table);
        }
        if self.cursor.is_word("json_table") && self.cursor.is_symbol_ahead(1, "(") {
            return self.json_table();
        }
        if self.is_mysql() && self.cursor.take_word("lateral") {
            let query = self.subquery()?;
            return self.derived(query, true);
        }
        self.relation().map(TableRef::Relation)
    }

    /// `( … )` in FROM: a query, a table, a join or a list.
    fn table_parentheses(&mut self) -> Parsed<Inside> {
        let outer = std::mem::take(&mut self.into_allowed);
        let inside = self.inside_table_parentheses()?;
        self.into_allowed = outer;
        Ok(inside)
    }

    fn inside_table_parentheses(&mut self) -> Parsed<Inside> {
        self.cursor.expect_symbol("(")?;
        let start = self.cursor.at();
        let mut first = None;
        if self.starts_query() {
            let query = self.query()?;
            self.cursor.expect_symbol(")")?;
            return Ok(Inside::Query(query));
        }
        if self.cursor.is_symbol("(") {
            let level = self.cursor.enter()?;
            let inside = self.table_parentheses()?;
            self.cursor.leave(level)?;
            first = match inside {
                Inside::Query(query) if self.cursor.is_symbol(")") || self.continues_query() => {
                    let query = if self.cursor.is_symbol(")") { query } else { self.query_from(query, start)? };
                    self.cursor.expect_symbol(")")?;
                    return Ok(Inside::Query(query));
                }
                Inside::Query(query) => Some(self.derived(query, false)?),
                Inside::Table(table) => Some(table),
            };
        }
        let mut tables = vec![self.join_tree(first)?.into_table()];
        while self.cursor.take_symbol(",") {
            tables.push(self.table_reference()?);
        }
        self.cursor.expect_symbol(")")?;
        Ok(Inside::Table(match (tables.pop(), tables.is_empty()) {
            (Some(only), true) => only,
            (Some(last), false) => {
                tables.push(last);
                TableRef::List(tables)
            }
            (None, _) => return Err(self.cursor.expected("a table")),
        }))
    }

    /// The alias of a sub-select, which both families require.
    fn derived(&mut self, query: Query, lateral: bool) -> Parsed<TableRef> {
        if self.is_maria() && self.cursor.are_words(&["for", "system_time"]) {
            return Err(self.cursor.unsupported("`FOR SYSTEM_TIME` of a sub-select"));
        }
        let Some(mut alias) = self.table_alias()? else { return Err(self.cursor.expected("an alias")) };
        if self.cursor.is_symbol("(") {
            alias.columns = self.name_list()?;
        }
        self.cursor.grow()?;
        Ok(TableRef::Derived { lateral, query: Box::new(query), alias: Some(alias) })
    }

    /// `t [PARTITION (p)] [FOR SYSTEM_TIME …] [AS a] [USE INDEX (i)]`
    fn relation(&mut self) -> Parsed<Relation> {
        let mut relation = self.target()?;
        relation.sample = self.system_time()?;
        relation.alias = self.table_alias()?;
        let hints = self.cursor.at();
        while self.cursor.is_one_of(&["use", "force", "ignore"]) && self.is_index_hint() {
            self.index_hint()?;
        }
        relation.hints = self.cursor.since(hints);
        Ok(relation)
    }

    /// MariaDB's `FOR SYSTEM_TIME AS OF x` and its kin, as a sample by the method `system_time`.
    fn system_time(&mut self) -> Parsed<Option<Sample>> {
        let start = self.cursor.at();
        if self.is_mysql() || !self.cursor.take_words(&["for", "system_time"]) {
            return Ok(None);
        }
        let mut arguments = Vec::new();
        if self.cursor.take_words(&["as", "of"]) {
            arguments.push(self.history_point()?);
        } else if self.cursor.take_word("from") {
            arguments.push(self.history_point()?);
            self.cursor.expect_word("to")?;
            arguments.push(self.history_point()?);
        } else if self.cursor.take_word("between") {
            arguments.push(self.history_point()?);
            self.cursor.expect_word("and")?;
            arguments.push(self.history_point()?);
        } else {
            self.cursor.expect_word("all")?;
        }
        let name = Name { value: "system_time".into(), token: start + 1 };
        let method = ObjectName { parts: vec![name], tokens: start + 1..start + 2 };
        Ok(Some(Sample { method, arguments, tokens: self.cursor.since(start) }))
    }

    /// `[TIMESTAMP | TRANSACTION] x`
    fn history_point(&mut self) -> Parsed<Expr> {
        if self.cursor.is_one_of(&["timestamp", "transaction"]) && !self.cursor.is_symbol_ahead(1, "(") {
            self.cursor.advance();
        }
        self.bit_expr()
    }

    fn is_index_hint(&self) -> bool {
        self.cursor.is_word_ahead(1, "index") || self.cursor.is_word_ahead(1, "key")
    }

    /// `USE INDEX [FOR JOIN] (a, PRIMARY)`
    fn index_hint(&mut self) -> Parsed<()> {
        self.cursor.advance_by(2);
        if self.cursor.take_word("for") {
            let purposes: [&[&str]; 3] = [&["join"], &["order", "by"], &["group", "by"]];
            if !purposes.iter().any(|words| self.cursor.take_words(words)) {
                return Err(self.cursor.expected("`JOIN`, `ORDER BY` or `GROUP BY`"));
            }
        }
        self.cursor.expect_symbol("(")?;
        if self.cursor.take_symbol(")") {
            return Ok(());
        }
        self.comma_list(|g| if g.cursor.take_word("primary") { Ok(()) } else { g.name().map(|_| ()) })?;
        self.cursor.expect_symbol(")")
    }
}
