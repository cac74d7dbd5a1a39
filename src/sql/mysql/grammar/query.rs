//! Whole queries: WITH, set operations, ORDER BY, LIMIT, locks, INTO.

use super::{Grammar, Parsed};
use crate::sql::ast::{
    CommonTable, Expr, Into, Locking, Query, QueryBody, Relation, Select, SelectItem, TableRef, Tokens, With,
};
use crate::sql::row_limit::{RowCount, RowLimit};
use crate::sql::token::TokenKind;

/// Words of the FIELDS and LINES clauses of INTO OUTFILE.
const FILE_FORMAT: [&str; 11] = [
    "fields",
    "columns",
    "lines",
    "terminated",
    "optionally",
    "enclosed",
    "escaped",
    "starting",
    "by",
    "character",
    "set",
];

impl Grammar<'_> {
    /// Whether a query begins here; a parenthesis does not count.
    pub(super) fn starts_query(&self) -> bool {
        if self.cursor.is_word("values") {
            return if self.is_maria() {
                !self.in_on_duplicate && self.cursor.is_symbol_ahead(1, "(")
            } else {
                self.cursor.is_word_ahead(1, "row")
            };
        }
        self.cursor.is_word("select")
            || self.cursor.is_word("with")
            || (self.is_mysql() && self.cursor.is_word("table"))
    }

    /// Whether what follows goes on with a query in parentheses.
    pub(super) fn continues_query(&self) -> bool {
        self.cursor.is_one_of(&["union", "except", "intersect", "order", "limit", "for", "lock", "into", "procedure"])
            || (self.is_maria() && self.cursor.is_one_of(&["offset", "fetch"]))
    }

    /// A query from its first word, or a parenthesis, to the last of its clauses.
    pub(super) fn query(&mut self) -> Parsed<Query> {
        let level = self.cursor.enter()?;
        let outer = std::mem::take(&mut self.in_on_duplicate);
        let start = self.cursor.at();
        let with = if self.cursor.take_word("with") { Some(self.with()?) } else { None };
        let (first, simple) = self.query_operand()?;
        let query = self.query_rest(with, first, simple, start)?;
        self.in_on_duplicate = outer;
        self.cursor.leave(level)?;
        Ok(query)
    }

    /// A query whose first operand, in parentheses, was read already.
    pub(super) fn query_from(&mut self, first: Query, start: u32) -> Parsed<Query> {
        self.query_rest(None, first, false, start)
    }

    /// From behind the first operand on. `simple`: without parentheses, so that what follows belongs to it.
    fn query_rest(&mut self, with: Option<With>, first: Query, simple: bool, start: u32) -> Parsed<Query> {
        let before = self.cursor.at();
        let mut query = self.set_operations(first)?;
        let operation = self.cursor.at() != before;
        if !simple && !operation && (with.is_some() || self.continues_query()) {
            self.cursor.grow()?;
            query = self.plain_query(QueryBody::Nested(Box::new(query)), start);
        } else if !simple && !operation {
            return Ok(query);
        }
        query.with = with;
        self.query_tail(&mut query)?;
        query.tokens = self.cursor.since(start);
        Ok(query)
    }

    fn plain_query(&self, body: QueryBody, start: u32) -> Query {
        Query {
            with: None,
            body,
            order_by: Vec::new(),
            limit: RowLimit::default(),
            locking: Vec::new(),
            tokens: self.cursor.since(start),
        }
    }

    /// UNION, EXCEPT and INTERSECT: which rows come out is the server's matter, names and columns are the same in
    /// whatever order they are grouped.
    fn set_operations(&mut self, first: Query) -> Parsed<Query> {
        let mut arms = vec![first];
        while ["union", "except", "intersect"].iter().any(|word| self.cursor.take_word(word)) {
            if !self.cursor.take_word("all") {
                self.cursor.take_word("distinct");
            }
            if arms.last().is_some_and(|left| matches!(&left.body, QueryBody::Select(select) if select.into.is_some()))
            {
                return Err(self.cursor.unsupported("`INTO` of a query that is not the last one"));
            }
            arms.push(self.query_operand()?.0);
        }
        self.balanced(arms)
    }

    /// A chain as a tree of small height.
    fn balanced(&mut self, mut arms: Vec<Query>) -> Parsed<Query> {
        while arms.len() > 1 {
            self.cursor.grow()?;
            let mut pairs = Vec::with_capacity(arms.len().div_ceil(2));
            let mut rest = arms.into_iter();
            while let Some(left) = rest.next() {
                let Some(right) = rest.next() else {
                    pairs.push(left);
                    break;
                };
                let tokens = left.tokens.start..right.tokens.end;
                let body = QueryBody::SetOperation { left: Box::new(left), right: Box::new(right) };
                pairs.push(Query { tokens, ..self.plain_query(body, 0) });
            }
            arms = pairs;
        }
        arms.pop().ok_or_else(|| self.cursor.expected("a query"))
    }

    /// SELECT, VALUES, TABLE or a query in parentheses; the second is whether it has none.
    fn query_operand(&mut self) -> Parsed<(Query, bool)> {
        let start = self.cursor.at();
        if self.cursor.is_symbol("(") {
            return Ok((self.subquery()?, false));
        }
        let body = if self.cursor.is_word("select") {
            QueryBody::Select(Box::new(self.select()?))
        } else if self.cursor.is_word("values") && self.starts_query() {
            self.cursor.advance();
            QueryBody::Values(self.comma_list(Self::value_row)?)
        } else if self.is_mysql() && self.cursor.take_word("table") {
            let relation = self.plain_relation()?;
            QueryBody::Table(Box::new(TableRef::Relation(relation)))
        } else {
            return Err(self.cursor.expected("a query"));
        };
        Ok((self.plain_query(body, start), true))
    }

    /// A table by its name alone.
    pub(super) fn plain_relation(&mut self) -> Parsed<Relation> {
        let name = self.table_name()?;
        let tokens = name.tokens.clone();
        let none = self.no_tokens();
        Ok(Relation { name, only: false, alias: None, sample: None, tokens, partitions: none.clone(), hints: none })
    }

    /// A table that a statement writes: its name and PARTITION.
    pub(super) fn target(&mut self) -> Parsed<Relation> {
        let mut relation = self.plain_relation()?;
        relation.partitions = self.partitions()?;
        Ok(relation)
    }

    /// `PARTITION (p, q)`
    fn partitions(&mut self) -> Parsed<Tokens> {
        let start = self.cursor.at();
        if self.cursor.take_word("partition") {
            self.name_list()?;
        }
        Ok(self.cursor.since(start))
    }

    /// `ROW (a, b)` of MySQL's VALUES, `(a, b)` of MariaDB's.
    fn value_row(&mut self) -> Parsed<Vec<Expr>> {
        if self.is_mysql() {
            self.cursor.expect_word("row")?;
        }
        self.parenthesized_list(Self::expr_or_default)
    }

    /// An expression, or DEFAULT where a column gets its value.
    pub(super) fn expr_or_default(&mut self) -> Parsed<Expr> {
        let start = self.cursor.at();
        if self.cursor.is_word("default") && !self.cursor.is_symbol_ahead(1, "(") {
            self.cursor.advance();
            return Ok(self.node(crate::sql::ast::ExprKind::Default, start));
        }
        // MariaDB's IGNORE keeps the column as it is.
        if self.is_maria() && self.cursor.is_word("ignore") {
            self.cursor.advance();
            return Ok(self.node(crate::sql::ast::ExprKind::Default, start));
        }
        self.expr()
    }

    /// Behind WITH.
    pub(super) fn with(&mut self) -> Parsed<With> {
        let recursive = self.cursor.take_word("recursive");
        Ok(With { recursive, tables: self.comma_list(Self::common_table)? })
    }

    fn common_table(&mut self) -> Parsed<CommonTable> {
        let name = self.name()?;
        let columns = if self.cursor.is_symbol("(") { self.name_list()? } else { Vec::new() };
        self.cursor.expect_word("as")?;
        let query = self.subquery()?;
        if self.is_maria() && self.cursor.take_word("cycle") {
            self.comma_list(Self::name)?;
            self.cursor.expect_word("restrict")?;
        }
        Ok(CommonTable { name, columns, query, added_columns: Vec::new() })
    }

    /// ORDER BY, LIMIT, locks and INTO of a whole query.
    fn query_tail(&mut self, query: &mut Query) -> Parsed<()> {
        if self.cursor.take_words(&["order", "by"]) {
            query.order_by = self.order_list()?;
        }
        query.limit = self.limit()?;
        if self.cursor.is_word("procedure") {
            return Err(self.cursor.unsupported("`PROCEDURE`"));
        }
        self.locks(query)?;
        if self.cursor.is_word("into") {
            self.outside()?;
            let into = rightmost_select(query).map(|select| select.into.replace(Into::Outside));
            if !matches!(into, Some(None)) {
                return Err(self.cursor.unsupported("`INTO` of this query"));
            }
            self.locks(query)?;
        }
        Ok(())
    }

    /// `a [ASC|DESC], …`
    pub(super) fn order_list(&mut self) -> Parsed<Vec<Expr>> {
        self.comma_list(|g| {
            let expr = g.expr()?;
            if !g.cursor.take_word("asc") {
                g.cursor.take_word("desc");
            }
            Ok(expr)
        })
    }

    /// `LIMIT a [, b | OFFSET b]`, MariaDB's `OFFSET a ROWS FETCH FIRST b ROWS ONLY`.
    pub(super) fn limit(&mut self) -> Parsed<RowLimit> {
        let mut limit = RowLimit::default();
        if self.cursor.take_word("limit") {
            if !self.cursor.are_words(&["rows", "examined"]) {
                let first = self.number()?;
                if self.cursor.take_symbol(",") {
                    limit.push(first);
                    limit.push_count(self.number()?);
                } else {
                    limit.push_count(first);
                    if self.cursor.take_word("offset") {
                        limit.push(self.number()?);
                    }
                }
            }
            if self.cursor.are_words(&["rows", "examined"]) {
                // How far a query comes would depend on rows that a filter hides.
                return Err(self.cursor.unsupported("`ROWS EXAMINED`"));
            }
            return Ok(limit);
        }
        if self.is_mysql() {
            return Ok(limit);
        }
        if self.cursor.take_word("offset") {
            limit.push(self.number()?);
            self.row_or_rows()?;
        }
        if self.cursor.take_word("fetch") {
            if !self.cursor.take_word("first") {
                self.cursor.expect_word("next")?;
            }
            if self.cursor.is_one_of(&["row", "rows"]) {
                limit.count = RowCount::One;
            } else {
                limit.push_count(self.number()?);
            }
            self.row_or_rows()?;
            if !self.cursor.take_word("only") {
                self.cursor.expect_word("with")?;
                self.cursor.expect_word("ties")?;
            }
        }
        Ok(limit)
    }

    fn row_or_rows(&mut self) -> Parsed<()> {
        if self.cursor.take_word("row") { Ok(()) } else { self.cursor.expect_word("rows") }
    }

    /// `FOR UPDATE [OF t] [NOWAIT]`, `LOCK IN SHARE MODE`; MySQL takes several.
    fn locks(&mut self, query: &mut Query) -> Parsed<()> {
        loop {
            let start = self.cursor.at();
            let mut of = Vec::new();
            if self.cursor.take_words(&["lock", "in", "share", "mode"]) {
                if self.is_maria() {
                    self.lock_wait()?;
                }
            } else if self.cursor.take_words(&["for", "update"])
                || (self.is_mysql() && self.cursor.take_words(&["for", "share"]))
            {
                if self.is_mysql() && self.cursor.take_word("of") {
                    of = self.comma_list(Self::table_name)?;
                }
                self.lock_wait()?;
            } else {
                return Ok(());
            }
            query.locking.push(Locking { of, tokens: self.cursor.since(start) });
        }
    }

    fn lock_wait(&mut self) -> Parsed<()> {
        if self.cursor.take_word("nowait") || self.cursor.take_words(&["skip", "locked"]) {
            return Ok(());
        }
        if self.is_maria() && self.cursor.take_word("wait") {
            self.number()?;
        }
        Ok(())
    }

    /// `INTO OUTFILE 'x' …`, `INTO DUMPFILE 'x'`, `INTO @a, @b`
    pub(super) fn outside(&mut self) -> Parsed<()> {
        if !self.into_allowed {
            return Err(self.cursor.unsupported("`INTO`"));
        }
        self.cursor.expect_word("into")?;
        if self.cursor.take_word("dumpfile") {
            return self.string().map(|_| ());
        }
        if self.cursor.take_word("outfile") {
            self.string()?;
            return self.file_format();
        }
        self.comma_list(|g| {
            if g.cursor.kind(0) == Some(TokenKind::Variable) || g.is_name(0) {
                g.cursor.advance();
                return Ok(());
            }
            Err(g.cursor.expected("a variable"))
        })?;
        Ok(())
    }

    fn file_format(&mut self) -> Parsed<()> {
        let mut named = false;
        loop {
            if named || self.cursor.is_word("charset") {
                self.cursor.take_word("charset");
                self.character_set_name()?;
                named = false;
            } else if FILE_FORMAT.iter().any(|word| self.cursor.is_word(word)) {
                named = self.cursor.is_word("set");
                self.cursor.advance();
            } else if matches!(
                self.cursor.kind(0),
                Some(TokenKind::String | TokenKind::HexString | TokenKind::BitString)
            ) {
                self.cursor.advance();
            } else {
                return Ok(());
            }
        }
    }

    /// RETURNING of MariaDB.
    pub(super) fn returning(&mut self) -> Parsed<Vec<SelectItem>> {
        if self.is_maria() && self.cursor.take_word("returning") { self.select_items() } else { Ok(Vec::new()) }
    }
}

/// The SELECT that INTO behind a query belongs to.
fn rightmost_select(query: &mut Query) -> Option<&mut Select> {
    match &mut query.body {
        QueryBody::Select(select) => Some(select),
        QueryBody::SetOperation { right, .. } => rightmost_select(right),
        QueryBody::Nested(nested) => rightmost_select(nested),
        QueryBody::Values(_) | QueryBody::Table(_) | QueryBody::Write(_) => None,
    }
}
