//! The syntax tree that both grammars give: what names a statement mentions, where, and how they are nested.
//!
//! The tree is not a printer's tree. The text for the server is put together from the source's own tokens, so the
//! tree keeps what deciding needs (relations, columns, functions, operators, nesting of queries) and, for every node,
//! the tokens it was read from. What only the server needs to know (frame clauses, type modifiers) is in the tokens.
//!
//! Every operand is in the tree: a walk over [`Expr::children`] and the queries inside reaches every name of the text.

mod definition;

use std::ops::Range;

pub use definition::{ColumnChange, CreateAs, CreateAsKind, Ddl, DdlAction};

/// Numbers of tokens in a [`Script`](super::Script), the second one exclusive.
pub type Tokens = Range<u32>;

/// A name as the server reads it: quotes taken off, folded and cut by the engine's rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// What the server compares.
    pub value: Box<str>,
    /// The token it stands in.
    pub token: u32,
}

/// A name with what qualifies it, outermost first; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectName {
    /// `schema`, `table`.
    pub parts: Vec<Name>,
    /// From the first name to the last.
    pub tokens: Tokens,
}

/// One statement of a script.
#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    /// SELECT, VALUES, TABLE, set operations, with WITH or without.
    Query(Box<Query>),
    /// INSERT, MySQL's REPLACE.
    Insert(Box<Insert>),
    /// UPDATE.
    Update(Box<Update>),
    /// DELETE.
    Delete(Box<Delete>),
    /// MERGE.
    Merge(Box<Merge>),
    /// COPY (PostgreSQL).
    Copy(Box<Copy>),
    /// EXPLAIN of a statement. MySQL's `DESCRIBE table` is [`Show`].
    Explain(Box<Explain>),
    /// DECLARE … CURSOR FOR (PostgreSQL).
    DeclareCursor(Box<DeclareCursor>),
    /// PREPARE name AS statement (PostgreSQL). MySQL's `PREPARE … FROM` is [`Statement::Other`]: its text is a value.
    Prepare(Box<Prepare>),
    /// EXECUTE name (PostgreSQL, MySQL).
    Execute {
        /// The prepared statement.
        name: Name,
        /// Its arguments.
        arguments: Vec<Expr>,
    },
    /// DEALLOCATE; `None` is ALL.
    Deallocate(Option<Name>),
    /// FETCH and MOVE (PostgreSQL).
    Fetch(Name),
    /// CLOSE; `None` is ALL.
    Close(Option<Name>),
    /// CREATE TABLE AS, SELECT INTO's other spelling, CREATE [MATERIALIZED] VIEW: objects that store a query.
    CreateAs(Box<CreateAs>),
    /// Every other CREATE, ALTER, DROP, TRUNCATE, COMMENT, GRANT, REVOKE, REFRESH that the grammar knows.
    Ddl(Box<Ddl>),
    /// LOCK TABLE (PostgreSQL), LOCK TABLES (MySQL).
    LockTables(LockTables),
    /// MySQL's UNLOCK TABLES.
    UnlockTables,
    /// BEGIN, START TRANSACTION, COMMIT, END, ROLLBACK, ABORT, savepoints, SET TRANSACTION.
    Transaction(Transaction),
    /// SET of one or, on MySQL, several settings.
    Set(Vec<Assignment>),
    /// RESET (PostgreSQL); `None` is ALL.
    Reset(Option<Box<str>>),
    /// PostgreSQL's SHOW setting; `None` is ALL.
    ShowSetting(Option<Box<str>>),
    /// MySQL's SHOW and DESCRIBE family.
    Show(Box<Show>),
    /// MySQL's USE.
    Use(Name),
    /// DISCARD.
    Discard(Discarded),
    /// LISTEN, UNLISTEN.
    Listen,
    /// NOTIFY.
    Notify,
    /// MySQL's DO, and CALL of both engines: a procedure's name and arguments.
    Call {
        /// The procedure; `None` for DO expression lists.
        name: Option<ObjectName>,
        /// What is evaluated.
        arguments: Vec<Expr>,
    },
    /// MySQL's KILL.
    Kill {
        /// KILL QUERY: only the running statement.
        query: bool,
        /// The connection.
        id: Expr,
    },
    /// A statement known by its leading words only; never run for a restricted role.
    Other {
        /// `VACUUM`, `LOAD DATA`, `HANDLER` … in upper case.
        words: Box<str>,
    },
}

/// BEGIN and its kin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transaction {
    /// BEGIN, START TRANSACTION.
    Begin,
    /// COMMIT, END.
    Commit,
    /// ROLLBACK, ABORT.
    Rollback,
    /// SAVEPOINT.
    Savepoint(Name),
    /// RELEASE.
    Release(Name),
    /// ROLLBACK TO.
    RollbackTo(Name),
    /// SET TRANSACTION, SET SESSION CHARACTERISTICS, SET CONSTRAINTS.
    Characteristics,
    /// PREPARE TRANSACTION, COMMIT PREPARED, ROLLBACK PREPARED, MySQL's XA.
    TwoPhase,
}

/// How far a SET reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetScope {
    /// The session.
    Session,
    /// PostgreSQL's LOCAL: until the transaction ends.
    Local,
    /// MySQL's GLOBAL, PERSIST, PERSIST_ONLY.
    Global,
    /// MySQL's `@name = …`.
    UserVariable,
}

/// One `name = value` of a SET.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    /// How far it reaches.
    pub scope: SetScope,
    /// The setting in lower case: `search_path`, `myapp.tenant`, `time zone` is `timezone`, `names` for SET NAMES,
    /// `session authorization`, `role`, `password`, `character set`.
    pub name: Box<str>,
    /// What it is set to; empty for DEFAULT and for FROM CURRENT.
    pub values: Vec<SetValue>,
    /// The whole assignment.
    pub tokens: Tokens,
}

/// A value of a SET.
#[derive(Debug, Clone, PartialEq)]
pub enum SetValue {
    /// A word or quoted name, folded, as in `SET search_path TO app, "$user"`.
    Word(Box<str>),
    /// The content of a string literal.
    String(Box<str>),
    /// A number with its sign.
    Number(Box<str>),
    /// MySQL takes expressions.
    Expr(Box<Expr>),
}

/// A whole query: everything that can stand in parentheses as a sub-select.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// WITH.
    pub with: Option<With>,
    /// What it selects.
    pub body: QueryBody,
    /// ORDER BY of the whole.
    pub order_by: Vec<Expr>,
    /// LIMIT, OFFSET, FETCH FIRST.
    pub limit: super::row_limit::RowLimit,
    /// FOR UPDATE, FOR SHARE, LOCK IN SHARE MODE.
    pub locking: Vec<Locking>,
    /// Without parentheses around it.
    pub tokens: Tokens,
}

/// What a query selects.
#[derive(Debug, Clone, PartialEq)]
pub enum QueryBody {
    /// SELECT.
    Select(Box<Select>),
    /// VALUES.
    Values(Vec<Vec<Expr>>),
    /// TABLE name; always [`TableRef::Relation`] without alias. `tokens` of the query begin at TABLE.
    Table(Box<TableRef>),
    /// UNION, INTERSECT, EXCEPT. A chain is grouped in halves, so that its length does not become depth; the columns
    /// are those of the first query.
    SetOperation {
        /// First.
        left: Box<Query>,
        /// Second.
        right: Box<Query>,
    },
    /// A query in parentheses, with ORDER BY, LIMIT or WITH of its own.
    Nested(Box<Query>),
    /// INSERT, UPDATE, DELETE, MERGE as a common table expression (PostgreSQL); nowhere else.
    Write(Box<Statement>),
}

/// WITH.
#[derive(Debug, Clone, PartialEq)]
pub struct With {
    /// WITH RECURSIVE: every name is visible in every body.
    pub recursive: bool,
    /// The common table expressions in order.
    pub tables: Vec<CommonTable>,
}

/// A common table expression.
#[derive(Debug, Clone, PartialEq)]
pub struct CommonTable {
    /// Its name.
    pub name: Name,
    /// `(a, b)` behind the name.
    pub columns: Vec<Name>,
    /// What it stands for.
    pub query: Query,
    /// Columns that SEARCH … SET and CYCLE … SET … USING add, in order.
    pub added_columns: Vec<Name>,
}

/// FOR UPDATE and its kin.
#[derive(Debug, Clone, PartialEq)]
pub struct Locking {
    /// OF these; empty is every relation.
    pub of: Vec<ObjectName>,
    /// The whole clause.
    pub tokens: Tokens,
}

/// One SELECT.
#[derive(Debug, Clone, PartialEq)]
pub struct Select {
    /// DISTINCT ON's expressions.
    pub distinct_on: Vec<Expr>,
    /// The select list; may be empty on PostgreSQL.
    pub items: Vec<SelectItem>,
    /// INTO: a table on PostgreSQL; on MySQL OUTFILE, DUMPFILE or variables, which is `Into::Outside`.
    pub into: Option<Into>,
    /// FROM.
    pub from: Vec<TableRef>,
    /// WHERE.
    pub filter: Option<Expr>,
    /// GROUP BY's expressions, those in grouping sets too.
    pub group_by: Vec<Expr>,
    /// Whether GROUP BY has ROLLUP, CUBE, GROUPING SETS or WITH ROLLUP.
    pub grouping_sets: bool,
    /// The token behind the last one of GROUP BY, where more may be put; 0 without GROUP BY.
    pub group_by_end: u32,
    /// HAVING.
    pub having: Option<Expr>,
    /// The expressions in WINDOW definitions.
    pub windows: Vec<Expr>,
    /// From SELECT on.
    pub tokens: Tokens,
}

/// What DISCARD gives up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Discarded {
    /// ALL.
    All,
    /// TEMP.
    Temporary,
    /// PLANS, SEQUENCES.
    Other,
}

/// Where SELECT … INTO puts its rows.
#[derive(Debug, Clone, PartialEq)]
pub enum Into {
    /// A new table.
    Table {
        /// Its name.
        name: ObjectName,
        /// TEMP.
        temporary: bool,
    },
    /// Files or variables (MySQL).
    Outside,
}

/// One entry of a select list or of RETURNING.
#[derive(Debug, Clone, PartialEq)]
pub enum SelectItem {
    /// An expression, perhaps named.
    Expr {
        /// What.
        expr: Expr,
        /// Its label.
        alias: Option<Name>,
    },
    /// `*`
    Star {
        /// The star's token.
        token: u32,
    },
    /// `t.*`, `s.t.*`
    QualifiedStar {
        /// Before the star.
        qualifier: ObjectName,
        /// The star's token.
        token: u32,
    },
}

/// An alias of an entry of FROM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// The name.
    pub name: Name,
    /// `(a, b)` behind it.
    pub columns: Vec<Name>,
}

/// An entry of FROM.
#[derive(Debug, Clone, PartialEq)]
pub enum TableRef {
    /// A table, view or common table expression.
    Relation(Relation),
    /// A sub-select.
    Derived {
        /// LATERAL.
        lateral: bool,
        /// What.
        query: Box<Query>,
        /// PostgreSQL before 16 and MySQL require it.
        alias: Option<Alias>,
    },
    /// Functions: `f(…)`, `ROWS FROM (…)`; XMLTABLE and JSON_TABLE as one [`ExprKind::Special`] with their columns in
    /// `columns`.
    Function(Box<TableFunction>),
    /// A join.
    Join(Box<Join>),
    /// MySQL's `(a, b)`: a list in parentheses.
    List(Vec<TableRef>),
}

/// A relation named in FROM or as a target.
#[derive(Debug, Clone, PartialEq)]
pub struct Relation {
    /// Its name.
    pub name: ObjectName,
    /// ONLY (PostgreSQL).
    pub only: bool,
    /// The alias.
    pub alias: Option<Alias>,
    /// TABLESAMPLE (PostgreSQL); MariaDB's `FOR SYSTEM_TIME` as the method `system_time`.
    pub sample: Option<Sample>,
    /// What replacing the relation replaces: ONLY, parentheses of ONLY, the name, `*`.
    /// The alias, TABLESAMPLE, partitions and index hints are not among them.
    pub tokens: Tokens,
    /// MySQL's PARTITION (…) behind the name; empty without.
    pub partitions: Tokens,
    /// MySQL's index hints behind the alias; empty without.
    pub hints: Tokens,
}

/// TABLESAMPLE.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// `bernoulli`, `system`, …
    pub method: ObjectName,
    /// Its arguments and REPEATABLE's.
    pub arguments: Vec<Expr>,
    /// The whole clause.
    pub tokens: Tokens,
}

/// Functions in FROM.
#[derive(Debug, Clone, PartialEq)]
pub struct TableFunction {
    /// LATERAL.
    pub lateral: bool,
    /// One, or those of ROWS FROM.
    pub functions: Vec<Expr>,
    /// WITH ORDINALITY.
    pub ordinality: bool,
    /// The alias.
    pub alias: Option<Alias>,
    /// Column names from a column definition list, or of XMLTABLE and JSON_TABLE.
    pub columns: Vec<Name>,
    /// Every type named with these columns.
    pub types: Vec<TypeName>,
    /// From the first function to the alias.
    pub tokens: Tokens,
}

/// A join.
#[derive(Debug, Clone, PartialEq)]
pub struct Join {
    /// Before.
    pub left: TableRef,
    /// Behind.
    pub right: TableRef,
    /// Whose rows are kept without a match.
    pub outer: Option<Outer>,
    /// How rows are matched.
    pub constraint: JoinConstraint,
    /// An alias of the whole join in parentheses (PostgreSQL).
    pub alias: Option<Alias>,
}

/// The side of an outer join whose rows are kept where the other has none for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outer {
    /// LEFT.
    Left,
    /// RIGHT.
    Right,
    /// FULL: both.
    Full,
}

/// How a join matches rows.
#[derive(Debug, Clone, PartialEq)]
pub enum JoinConstraint {
    /// CROSS JOIN, MySQL's plain JOIN and STRAIGHT_JOIN.
    None,
    /// ON.
    On(Expr),
    /// USING.
    Using {
        /// The columns.
        columns: Vec<Name>,
        /// `AS alias` behind them (PostgreSQL).
        alias: Option<Name>,
    },
    /// NATURAL.
    Natural,
}

/// An expression and the tokens it was read from, enclosing parentheses left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub tokens: Tokens,
}

/// What an expression is.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// `a`, `t.a`, `s.t.a`, `d.s.t.a`.
    Column(ObjectName),
    /// `count(*)`'s star, `t.*` as an argument; the qualifier is empty for a bare star.
    Star(Option<ObjectName>),
    /// A value.
    Literal(Literal),
    /// `$1`, `?`.
    Parameter,
    /// MySQL's `@x` and `@@session.x`; the name in lower case without the signs.
    Variable {
        /// `@@`.
        system: bool,
        /// `global.x`, `session.x`, `x`.
        name: Box<str>,
    },
    /// A function by name: plain, aggregate, window.
    Call(Box<Call>),
    /// Syntax that only computes and has operands: COALESCE, EXTRACT, TRIM, OVERLAY, POSITION, GREATEST, NULLIF,
    /// CURRENT_TIMESTAMP, XMLELEMENT, JSON_OBJECT, MATCH … AGAINST, INTERVAL, GROUPING … by its name in lower case.
    /// Only names on the grammar's own list come here; everything else is [`ExprKind::Call`].
    Special {
        /// `coalesce`, `extract` …
        name: &'static str,
        /// Every operand.
        operands: Vec<Expr>,
    },
    /// An operator with one or two operands, AND, OR, NOT, IS tests, LIKE, BETWEEN, AT TIME ZONE, COLLATE.
    Operation(Box<Operation>),
    /// `x IN (a, b)`; operands: x, a, b.
    InList(Vec<Expr>),
    /// `x IN (SELECT …)`, `x = ANY (SELECT …)`.
    InQuery {
        /// Before.
        operand: Box<Expr>,
        /// The operator; `=` for IN.
        operator: Operator,
        /// Inside.
        query: Box<Query>,
    },
    /// `x = ANY (array)`, SOME, ALL.
    Quantified {
        /// The operator.
        operator: Operator,
        /// Both operands.
        operands: Vec<Expr>,
    },
    /// EXISTS (SELECT …).
    Exists(Box<Query>),
    /// A scalar sub-select.
    Subquery(Box<Query>),
    /// ARRAY (SELECT …).
    ArrayQuery(Box<Query>),
    /// CASE: operand, conditions, results and ELSE in the text's order.
    Case {
        /// All of them.
        operands: Vec<Expr>,
        /// ELSE's place among them.
        otherwise: Option<usize>,
    },
    /// CAST, `::`, `type 'literal'`, CONVERT, BINARY x.
    Cast {
        /// What.
        operand: Box<Expr>,
        /// To what.
        ty: TypeName,
    },
    /// ROW (…), (a, b).
    Row(Vec<Expr>),
    /// ARRAY […], also nested lists.
    Array(Vec<Expr>),
    /// `(x).field`.
    Field {
        /// Before the point.
        base: Box<Expr>,
        /// Behind it.
        field: Name,
    },
    /// `(x).*`.
    AllFields(Box<Expr>),
    /// `x[i]`, `x[i:j]`: base, then the indices.
    Subscript(Vec<Expr>),
    /// `name => value`, `VARIADIC value`.
    Argument {
        /// The value.
        value: Box<Expr>,
    },
    /// DEFAULT in VALUES and SET; MariaDB's IGNORE there.
    Default,
    /// MySQL's `@x := value`: operand is the value.
    AssignVariable(Box<Expr>),
    /// CURRENT OF cursor.
    CurrentOf(Name),
}

/// A value in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Literal {
    /// A number.
    Number,
    /// Any string.
    String,
    /// TRUE, FALSE.
    Boolean,
    /// NULL.
    Null,
    /// B'…', X'…', 0x….
    Bits,
}

/// An operator with the schema of `OPERATOR(schema.op)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// The schema.
    pub schema: Option<Name>,
    /// `=`, `~~`; words in lower case: `and`, `or`, `not`, `is null`, `is not null`, `is true`, `is distinct from`,
    /// `like`, `not like`, `ilike`, `similar to`, `between`, `not between`, `at time zone`, `collate`, `in`, `not in`,
    /// `overlaps`, `regexp`, `div`, `mod`, `xor` …
    pub symbol: Box<str>,
    /// Its first token.
    pub token: u32,
}

/// An operator and its operands.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// Which.
    pub operator: Operator,
    /// One to three; with a prefix operator one. A chain of one of `and`, `or`, `||`, `+`, `*` is one operation with
    /// all its operands, which means the same as grouping to the left.
    pub operands: Vec<Expr>,
}

/// A type as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeName {
    /// Its name without modifiers and array brackets: `integer`, `pg_catalog.int4`, `app.tier_t`, `double precision`.
    pub name: ObjectName,
    /// The whole type.
    pub tokens: Tokens,
}

/// A function call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The function.
    pub name: ObjectName,
    /// Its arguments in order.
    pub arguments: Vec<Expr>,
    /// ORDER BY inside, WITHIN GROUP's too.
    pub order_by: Vec<Expr>,
    /// FILTER (WHERE …).
    pub filter: Option<Expr>,
    /// OVER: PARTITION BY, ORDER BY and frame offsets; `None` without OVER.
    pub over: Option<Vec<Expr>>,
}

/// LOCK TABLE.
#[derive(Debug, Clone, PartialEq)]
pub struct LockTables {
    /// The tables.
    pub tables: Vec<ObjectName>,
    /// PostgreSQL's ACCESS SHARE, which every SELECT takes: it keeps nobody but DDL away.
    pub access_share: bool,
}

/// INSERT, REPLACE.
#[derive(Debug, Clone, PartialEq)]
pub struct Insert {
    /// WITH before INSERT.
    pub with: Option<With>,
    /// The table.
    pub target: Relation,
    /// The columns named; empty without a list.
    pub columns: Vec<Name>,
    /// MySQL's REPLACE, which deletes.
    pub replace: bool,
    /// MySQL's IGNORE: errors become warnings.
    pub ignore: bool,
    /// VALUES or SELECT; `None` for DEFAULT VALUES and MySQL's SET form.
    pub source: Option<Box<Query>>,
    /// MySQL's SET form.
    pub assignments: Vec<SetClause>,
    /// ON CONFLICT, ON DUPLICATE KEY UPDATE.
    pub on_conflict: Option<OnConflict>,
    /// RETURNING.
    pub returning: Vec<SelectItem>,
    /// MySQL 8's `AS row_alias (columns)` behind VALUES.
    pub row_alias: Option<Alias>,
}

/// What an INSERT does with rows that are there.
#[derive(Debug, Clone, PartialEq)]
pub struct OnConflict {
    /// The index columns or expressions.
    pub target: Vec<Expr>,
    /// WHERE behind the target.
    pub target_filter: Option<Expr>,
    /// DO UPDATE SET; empty for DO NOTHING.
    pub assignments: Vec<SetClause>,
    /// WHERE of DO UPDATE.
    pub filter: Option<Expr>,
    /// The token behind the last one of SET, where WHERE stands or could be put (PostgreSQL).
    pub filter_at: Option<u32>,
}

/// `column = value`, `(a, b) = (…)` of UPDATE.
#[derive(Debug, Clone, PartialEq)]
pub struct SetClause {
    /// The columns, perhaps qualified (MySQL) or with a subscript or field (PostgreSQL), which are left out here.
    pub columns: Vec<ObjectName>,
    /// The value, or a row or a sub-select for several columns; subscripts before it.
    pub values: Vec<Expr>,
}

/// UPDATE.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// WITH.
    pub with: Option<With>,
    /// The table; MySQL allows joins.
    pub target: TableRef,
    /// MySQL's IGNORE: errors become warnings.
    pub ignore: bool,
    /// SET.
    pub assignments: Vec<SetClause>,
    /// FROM (PostgreSQL).
    pub from: Vec<TableRef>,
    /// WHERE.
    pub filter: Option<Expr>,
    /// ORDER BY and LIMIT (MySQL).
    pub order_by: Vec<Expr>,
    /// LIMIT (MySQL).
    pub limit: Vec<Expr>,
    /// RETURNING.
    pub returning: Vec<SelectItem>,
    /// The token behind the last one of the target, FROM and SET: where WHERE stands or could be put.
    pub filter_at: u32,
    /// From UPDATE on.
    pub tokens: Tokens,
}

/// DELETE.
#[derive(Debug, Clone, PartialEq)]
pub struct Delete {
    /// WITH.
    pub with: Option<With>,
    /// The tables that lose rows. On PostgreSQL one; MySQL's multi-table forms name them by alias or name.
    pub targets: Vec<Relation>,
    /// USING; in MySQL's multi-table forms the joined tables, the targets among them.
    pub using: Vec<TableRef>,
    /// Whether the targets only name entries of `using` (MySQL's multi-table forms).
    pub multi_table: bool,
    /// WHERE.
    pub filter: Option<Expr>,
    /// ORDER BY (MySQL).
    pub order_by: Vec<Expr>,
    /// LIMIT (MySQL).
    pub limit: Vec<Expr>,
    /// RETURNING.
    pub returning: Vec<SelectItem>,
    /// The token behind the last one of targets and USING: where WHERE stands or could be put.
    pub filter_at: u32,
    /// From DELETE on.
    pub tokens: Tokens,
}

/// MERGE.
#[derive(Debug, Clone, PartialEq)]
pub struct Merge {
    /// WITH.
    pub with: Option<With>,
    /// INTO.
    pub target: Relation,
    /// USING.
    pub source: TableRef,
    /// ON.
    pub on: Expr,
    /// WHEN clauses.
    pub clauses: Vec<MergeClause>,
    /// RETURNING (PostgreSQL 17).
    pub returning: Vec<SelectItem>,
    /// From MERGE on.
    pub tokens: Tokens,
}

/// A WHEN of MERGE.
#[derive(Debug, Clone, PartialEq)]
pub struct MergeClause {
    /// NOT MATCHED BY SOURCE (PostgreSQL 17): rows of the target that the source lacks.
    pub by_source: bool,
    /// AND condition.
    pub condition: Option<Expr>,
    /// THEN.
    pub action: MergeAction,
}

/// What a WHEN does.
#[derive(Debug, Clone, PartialEq)]
pub enum MergeAction {
    /// UPDATE SET.
    Update(Vec<SetClause>),
    /// DELETE.
    Delete,
    /// INSERT (columns) VALUES (…); empty for DEFAULT VALUES.
    Insert {
        /// The columns.
        columns: Vec<Name>,
        /// The values.
        values: Vec<Expr>,
    },
    /// DO NOTHING.
    Nothing,
}

/// COPY.
#[derive(Debug, Clone, PartialEq)]
pub struct Copy {
    /// What is copied.
    pub what: CopySource,
    /// FROM rather than TO.
    pub from: bool,
    /// STDIN or STDOUT rather than a file or program.
    pub client: bool,
    /// WHERE (COPY FROM).
    pub filter: Option<Expr>,
    /// What a query in parentheses replaces: the name and its column list, or the query with its parentheses.
    pub tokens: Tokens,
}

/// What COPY copies.
#[derive(Debug, Clone, PartialEq)]
pub enum CopySource {
    /// A table.
    Table {
        /// Its name.
        name: ObjectName,
        /// Its columns; empty for all.
        columns: Vec<Name>,
    },
    /// A query, or INSERT, UPDATE, DELETE with RETURNING.
    Query(Box<Statement>),
}

/// EXPLAIN.
#[derive(Debug, Clone, PartialEq)]
pub struct Explain {
    /// ANALYZE: the statement runs.
    pub analyze: bool,
    /// What.
    pub statement: Statement,
}

/// DECLARE CURSOR.
#[derive(Debug, Clone, PartialEq)]
pub struct DeclareCursor {
    /// Its name.
    pub name: Name,
    /// WITH HOLD.
    pub hold: bool,
    /// What it reads.
    pub query: Query,
}

/// PREPARE.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepare {
    /// Its name.
    pub name: Name,
    /// Its parameters' types.
    pub types: Vec<TypeName>,
    /// What it runs.
    pub statement: Statement,
}

/// MySQL's SHOW and DESCRIBE.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Show {
    /// The words in upper case without modifiers: `TABLES`, `COLUMNS`, `INDEX`, `CREATE TABLE`, `VARIABLES`, `STATUS`,
    /// `DATABASES`, `WARNINGS`, `PROCESSLIST`, `GRANTS`, `ENGINES` …
    pub what: Box<str>,
    /// FULL, EXTENDED, GLOBAL, SESSION in upper case.
    pub modifiers: Vec<Box<str>>,
    /// The object it is about: table of COLUMNS, INDEX, CREATE TABLE.
    pub object: Option<ObjectName>,
    /// FROM or IN a database.
    pub database: Option<Name>,
    /// LIKE's pattern, DESCRIBE's column.
    pub pattern: Option<Expr>,
    /// The pattern's content, where it is one plain string or name.
    pub pattern_text: Option<Box<str>>,
    /// WHERE.
    pub filter: Option<Expr>,
}

impl Expr {
    /// The expressions directly inside, without those of sub-selects.
    pub fn children(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Column(_)
            | ExprKind::Star(_)
            | ExprKind::Literal(_)
            | ExprKind::Parameter
            | ExprKind::Variable { .. }
            | ExprKind::Default
            | ExprKind::Exists(_)
            | ExprKind::Subquery(_)
            | ExprKind::ArrayQuery(_)
            | ExprKind::CurrentOf(_) => Vec::new(),
            ExprKind::Call(call) => {
                let inside = call.arguments.iter().chain(&call.order_by).chain(&call.filter);
                inside.chain(call.over.iter().flatten()).collect()
            }
            ExprKind::Operation(operation) => operation.operands.iter().collect(),
            ExprKind::Special { operands, .. }
            | ExprKind::InList(operands)
            | ExprKind::Quantified { operands, .. }
            | ExprKind::Case { operands, .. }
            | ExprKind::Row(operands)
            | ExprKind::Array(operands)
            | ExprKind::Subscript(operands) => operands.iter().collect(),
            ExprKind::InQuery { operand, .. } | ExprKind::Cast { operand, .. } => vec![operand],
            ExprKind::Field { base, .. } | ExprKind::AllFields(base) => vec![base],
            ExprKind::Argument { value } | ExprKind::AssignVariable(value) => vec![value],
        }
    }
}

impl ObjectName {
    /// The last part: the object itself.
    pub fn object(&self) -> Option<&Name> {
        self.parts.last()
    }

    /// The part before the last: the schema of a relation, the relation of a column.
    pub fn qualifier(&self) -> Option<&Name> {
        self.parts.len().checked_sub(2).and_then(|at| self.parts.get(at))
    }
}
