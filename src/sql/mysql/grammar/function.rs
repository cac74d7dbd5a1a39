//! Functions, and syntax that looks like one.

use super::{Grammar, Parsed};
use crate::sql::SyntaxError;
use crate::sql::ast::{Call, Expr, ExprKind, Name, ObjectName};
use crate::sql::mysql::keywords::{is_function, is_reserved};
use crate::sql::token::TokenKind;

/// A rule that begins at the current token; it is told the number of the token.
pub(super) type Rule<'t> = fn(&mut Grammar<'t>, u32) -> Parsed<Expr>;

/// Reserved words that are functions before a parenthesis.
const CALLABLE: &[&str] = &[
    "char",
    "character",
    "cume_dist",
    "database",
    "dense_rank",
    "first_value",
    "grouping",
    "if",
    "insert",
    "lag",
    "last_value",
    "lead",
    "left",
    "mod",
    "nth_value",
    "ntile",
    "overlaps",
    "percent_rank",
    "rank",
    "repeat",
    "replace",
    "right",
    "row_number",
    "rownum",
    "schema",
    "sysdate",
];

/// Keywords that may be names and are functions with a rule of their own before a parenthesis: in quotes they would be
/// other functions.
const OWN_RULE: &[&str] = &[
    "ascii",
    "avg",
    "charset",
    "coalesce",
    "collation",
    "column_add",
    "column_check",
    "column_create",
    "column_delete",
    "column_get",
    "column_list",
    "contains",
    "date",
    "day",
    "format",
    "geometrycollection",
    "get_format",
    "hour",
    "json_value",
    "lastval",
    "linestring",
    "log",
    "microsecond",
    "minute",
    "month",
    "multilinestring",
    "multipoint",
    "multipolygon",
    "nextval",
    "password",
    "point",
    "polygon",
    "quarter",
    "reverse",
    "row",
    "row_count",
    "second",
    "setval",
    "time",
    "timestamp",
    "timestampadd",
    "timestampdiff",
    "truncate",
    "user",
    "value",
    "week",
    "weight_string",
    "within",
    "year",
];

/// Functions over sets of rows, which take DISTINCT and ALL.
const AGGREGATES: &[&str] = &[
    "avg",
    "bit_and",
    "bit_or",
    "bit_xor",
    "count",
    "group_concat",
    "json_arrayagg",
    "json_objectagg",
    "max",
    "min",
    "st_collect",
    "std",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "sum",
    "var_pop",
    "var_samp",
    "variance",
];

/// Units of time (MySQL manual, "Temporal Intervals").
const UNITS: &[&str] = &[
    "day",
    "day_hour",
    "day_microsecond",
    "day_minute",
    "day_second",
    "hour",
    "hour_microsecond",
    "hour_minute",
    "hour_second",
    "microsecond",
    "minute",
    "minute_microsecond",
    "minute_second",
    "month",
    "quarter",
    "second",
    "second_microsecond",
    "sql_tsi_day",
    "sql_tsi_hour",
    "sql_tsi_minute",
    "sql_tsi_month",
    "sql_tsi_quarter",
    "sql_tsi_second",
    "sql_tsi_week",
    "sql_tsi_year",
    "week",
    "year",
    "year_month",
];

impl<'t> Grammar<'t> {
    /// The rule for syntax of its own that begins with this word; `None` when the word is none here.
    ///
    /// The rule is handed out and not called here, so that the stack that nested rules need does not hold the room for
    /// all of them.
    pub(super) fn special_form(&self, word: &str) -> Option<Rule<'t>> {
        let before_parenthesis = self.cursor.is_symbol_ahead(1, "(");
        let directly = before_parenthesis && self.parenthesis_follows(0);
        Some(match word {
            "case" => Self::case,
            "match" => Self::match_against,
            "interval" if !self.is_interval_function() => Self::interval_first,
            "next" | "previous" if self.is_sequence_value() => Self::sequence_value,
            "cast" if directly => Self::cast,
            "date_add" | "date_sub" | "adddate" | "subdate" if directly => Self::date_arithmetic,
            "extract" if directly => Self::extract,
            "position" if directly => Self::position,
            "trim" if directly => Self::trim,
            "substring" | "substr" | "mid" if directly => Self::substring,
            _ if !before_parenthesis => return Self::constant_form(word, self.is_maria()),
            "exists" => Self::exists,
            "convert" => Self::convert,
            "interval" => Self::interval_function,
            "row" => Self::row,
            "default" => |g, start| g.of_column("default", start),
            "values" => |g, start| g.of_column("values", start),
            "value" if self.is_maria() => |g, start| g.of_column("values", start),
            "char" | "character" => Self::char_using,
            "weight_string" => Self::weight_string,
            "get_format" => |g, start| g.unit_first("get_format", start),
            "timestampadd" => |g, start| g.unit_first("timestampadd", start),
            "timestampdiff" => |g, start| g.unit_first("timestampdiff", start),
            "json_value" => Self::json_value,
            _ => return Self::constant_form(word, self.is_maria()),
        })
    }

    /// `EXISTS (SELECT …)`
    fn exists(&mut self, start: u32) -> Parsed<Expr> {
        self.cursor.advance();
        let query = Box::new(self.subquery()?);
        self.outer_node(ExprKind::Exists(query), start)
    }

    /// `INTERVAL (a, b, c)`, the function.
    fn interval_function(&mut self, start: u32) -> Parsed<Expr> {
        self.cursor.advance();
        let operands = self.parenthesized_list(Self::expr)?;
        self.outer_node(ExprKind::Special { name: "interval", operands }, start)
    }

    /// `ROW (a, b)`
    fn row(&mut self, start: u32) -> Parsed<Expr> {
        self.cursor.advance();
        let fields = self.parenthesized_list(Self::expr)?;
        self.outer_node(ExprKind::Row(fields), start)
    }

    /// The rule for CURRENT_TIMESTAMP and its kin, with or without parentheses.
    fn constant_form(word: &str, maria: bool) -> Option<Rule<'t>> {
        Some(match word {
            "current_date" => |g, start| g.constant("current_date", start),
            "current_time" => |g, start| g.constant("current_time", start),
            "current_timestamp" => |g, start| g.constant("current_timestamp", start),
            "localtime" => |g, start| g.constant("localtime", start),
            "localtimestamp" => |g, start| g.constant("localtimestamp", start),
            "utc_date" => |g, start| g.constant("utc_date", start),
            "utc_time" => |g, start| g.constant("utc_time", start),
            "utc_timestamp" => |g, start| g.constant("utc_timestamp", start),
            "current_user" => |g, start| g.constant("current_user", start),
            "current_role" if maria => |g, start| g.constant("current_role", start),
            _ => return None,
        })
    }

    fn constant(&mut self, name: &'static str, start: u32) -> Parsed<Expr> {
        self.cursor.advance();
        if self.cursor.take_symbol("(") {
            if self.cursor.kind(0) == Some(TokenKind::Integer) {
                self.cursor.advance();
            }
            self.cursor.expect_symbol(")")?;
        }
        Ok(self.node(ExprKind::Special { name, operands: Vec::new() }, start))
    }

    /// `word (…)` by the rule for the word.
    pub(super) fn call(&mut self, word: &str, start: u32) -> Parsed<Expr> {
        if is_reserved(word, self.flavour) && CALLABLE.binary_search(&word).is_err() {
            return Err(self.cursor.expected("an expression"));
        }
        let name = self.any_word();
        let name = ObjectName { parts: vec![name], tokens: self.cursor.since(start) };
        if AGGREGATES.binary_search(&word).is_ok() {
            return self.aggregate_call(name, start);
        }
        self.generic_call(name, start)
    }

    /// `name (a, b)`
    pub(super) fn generic_call(&mut self, name: ObjectName, start: u32) -> Parsed<Expr> {
        let arguments = self.arguments()?;
        let call = Call { name, arguments, order_by: Vec::new(), filter: None, over: None };
        self.windowed(call, start)
    }

    /// `()`, `(a, b)`
    fn arguments(&mut self) -> Parsed<Vec<Expr>> {
        if self.cursor.is_symbol("(") && self.cursor.is_symbol_ahead(1, ")") {
            self.cursor.advance_by(2);
            return Ok(Vec::new());
        }
        self.parenthesized_list(Self::expr)
    }

    /// `count(*)`, `sum(DISTINCT x)`, `group_concat(x ORDER BY y SEPARATOR ', ' LIMIT 3)`
    fn aggregate_call(&mut self, name: ObjectName, start: u32) -> Parsed<Expr> {
        self.cursor.expect_symbol("(")?;
        if !self.cursor.take_word("distinct") {
            self.cursor.take_word("all");
        }
        let star = self.cursor.at();
        let arguments = if self.cursor.take_symbol("*") {
            vec![self.node(ExprKind::Star(None), star)]
        } else {
            self.comma_list(Self::expr)?
        };
        let mut order_by = Vec::new();
        if self.cursor.take_words(&["order", "by"]) {
            order_by = self.order_list()?;
        }
        if self.cursor.take_word("separator") {
            self.string()?;
        }
        if self.is_maria() && self.cursor.is_word("limit") {
            order_by.extend(self.limit()?.exprs);
        }
        if self.cursor.take_words(&["null", "on", "null"]) || self.cursor.take_words(&["absent", "on", "null"]) {
            // Whether an array keeps NULLs.
        }
        self.cursor.expect_symbol(")")?;
        let call = Call { name, arguments, order_by, filter: None, over: None };
        self.windowed(call, start)
    }

    /// A function whose unquoted name would be read by a rule of its own is another function in quotes.
    pub(super) fn refuse_quoted_function(&self, name: &ObjectName) -> Parsed<()> {
        let Some(only) = name.object() else { return Ok(()) };
        let lower = only.value.to_ascii_lowercase();
        let own = OWN_RULE.binary_search(&&*lower).is_ok();
        if own || is_function(&lower, self.flavour) || is_reserved(&lower, self.flavour) {
            let message = format!("function name `{}` is a keyword; take its quotes off or qualify it", only.value);
            return Err(SyntaxError { message: message.into(), token: Some(only.token) });
        }
        Ok(())
    }

    /// `CASE [x] WHEN a THEN b … [ELSE c] END`
    fn case(&mut self, start: u32) -> Parsed<Expr> {
        self.cursor.advance();
        let mut operands = Vec::new();
        if !self.cursor.is_word("when") {
            operands.push(self.expr()?);
        }
        self.cursor.expect_word("when")?;
        loop {
            operands.push(self.expr()?);
            self.cursor.expect_word("then")?;
            operands.push(self.expr()?);
            if !self.cursor.take_word("when") {
                break;
            }
        }
        let mut otherwise = None;
        if self.cursor.take_word("else") {
            otherwise = Some(operands.len());
            operands.push(self.expr()?);
        }
        self.cursor.expect_word("end")?;
        self.outer_node(ExprKind::Case { operands, otherwise }, start)
    }

    /// `CAST (x AS type [ARRAY])`
    fn cast(&mut self, start: u32) -> Parsed<Expr> {
        self.cursor.advance();
        self.cursor.expect_symbol("(")?;
        let operand = Box::new(self.expr()?);
        if self.is_mysql() && self.cursor.take_words(&["at", "time", "zone"]) {
            self.cursor.take_word("interval");
            self.string()?;
        }
        self.cursor.expect_word("as")?;
        let ty = self.cast_type()?;
        if self.is_mysql() {
            self.cursor.take_word("array");
        }
        self.cursor.expect_symbol(")")?;
        self.outer_node(ExprKind::Cast { operand, ty }, start)
    }

    /// `CONVERT (x, type)`, `CONVERT (x USING charset)`
    fn convert(&mut self, start: u32) -> Parsed<Expr> {
        self.cursor.advance();
        self.cursor.expect_symbol("(")?;
        let operand = self.expr()?;
        let kind = if self.cursor.take_word("using") {
            self.character_set_name()?;
            ExprKind::Special { name: "convert", operands: vec![operand] }
        } else {
            self.cursor.expect_symbol(",")?;
            ExprKind::Cast { operand: Box::new(operand), ty: self.cast_type()? }
        };
        self.cursor.expect_symbol(")")?;
        self.outer_node(kind, start)
    }

    /// `MATCH (a, b) AGAINST ('x' IN BOOLEAN MODE)`, also without the first parentheses.
    fn match_against(&mut self, start: u32) -> Parsed<Expr> {
        self.cursor.advance();
        let open = self.cursor.take_symbol("(");
        let mut operands = self.comma_list(|g| {
            let at = g.cursor.at();
            let name = g.column_name()?;
            Ok(g.node(ExprKind::Column(name), at))
        })?;
        if open {
            self.cursor.expect_symbol(")")?;
        }
        self.cursor.expect_word("against")?;
        self.cursor.expect_symbol("(")?;
        operands.push(self.against()?);
        self.cursor.expect_symbol(")")?;
        self.outer_node(ExprKind::Special { name: "match", operands }, start)
    }

    /// What is sought, and the mode, whose IN is no operator.
    fn against(&mut self) -> Parsed<Expr> {
        let sought = self.bit_expr()?;
        let modes: [&[&str]; 2] = [&["in", "boolean", "mode"], &["in", "natural", "language", "mode"]];
        let boolean = self.cursor.take_words(modes[0]);
        if !boolean {
            self.cursor.take_words(modes[1]);
            self.cursor.take_words(&["with", "query", "expansion"]);
        }
        Ok(sought)
    }

    /// Whether INTERVAL is the function here: a list follows.
    pub(super) fn is_interval_function(&self) -> bool {
        if !self.cursor.is_symbol_ahead(1, "(") {
            return false;
        }
        let mut depth = 0_u32;
        let mut ahead = 1;
        while self.cursor.peek(ahead).is_some() {
            if self.cursor.is_symbol_ahead(ahead, "(") {
                depth += 1;
            } else if self.cursor.is_symbol_ahead(ahead, ")") {
                depth -= 1;
                if depth == 0 {
                    return false;
                }
            } else if depth == 1 && self.cursor.is_symbol_ahead(ahead, ",") {
                return true;
            }
            ahead += 1;
        }
        false
    }

    /// `INTERVAL x unit`
    pub(super) fn interval(&mut self) -> Parsed<Expr> {
        let start = self.cursor.at();
        self.cursor.expect_word("interval")?;
        let operands = vec![self.expr()?];
        self.unit()?;
        self.outer_node(ExprKind::Special { name: "interval", operands }, start)
    }

    /// `INTERVAL x unit + y`, the one place where an interval comes first.
    fn interval_first(&mut self, start: u32) -> Parsed<Expr> {
        let interval = self.interval()?;
        let token = self.cursor.at();
        self.cursor.expect_symbol("+")?;
        let level = self.cursor.enter()?;
        let rest = self.expr_above_and()?;
        self.cursor.leave(level)?;
        self.operator_node("+", token, vec![interval, rest], start)
    }

    fn unit(&mut self) -> Parsed<()> {
        if UNITS.binary_search(&self.lower().as_str()).is_err() {
            return Err(self.cursor.expected("a unit of time"));
        }
        self.cursor.advance();
        Ok(())
    }

    /// `DEFAULT (a)`, `VALUES (a)`
    fn of_column(&mut self, name: &'static str, start: u32) -> Parsed<Expr> {
        self.cursor.advance();
        self.cursor.expect_symbol("(")?;
        let at = self.cursor.at();
        let column = self.column_name()?;
        let operands = vec![self.node(ExprKind::Column(column), at)];
        self.cursor.expect_symbol(")")?;
        self.outer_node(ExprKind::Special { name, operands }, start)
    }

    /// `DATE_ADD (a, INTERVAL 1 DAY)`, `ADDDATE (a, 1)`
    fn date_arithmetic(&mut self, start: u32) -> Parsed<Expr> {
        let name = self.any_word();
        let name = ObjectName { parts: vec![name], tokens: self.cursor.since(start) };
        self.cursor.expect_symbol("(")?;
        let mut arguments = vec![self.expr()?];
        self.cursor.expect_symbol(",")?;
        let interval = self.cursor.is_word("interval") && !self.is_interval_function();
        arguments.push(if interval { self.interval()? } else { self.expr()? });
        self.cursor.expect_symbol(")")?;
        let call = Call { name, arguments, order_by: Vec::new(), filter: None, over: None };
        self.outer_node(ExprKind::Call(Box::new(call)), start)
    }

    /// `EXTRACT (unit FROM x)`
    fn extract(&mut self, start: u32) -> Parsed<Expr> {
        self.cursor.advance_by(2);
        self.unit()?;
        self.cursor.expect_word("from")?;
        let operands = vec![self.expr()?];
        self.cursor.expect_symbol(")")?;
        self.outer_node(ExprKind::Special { name: "extract", operands }, start)
    }

    /// `POSITION (a IN b)`
    fn position(&mut self, start: u32) -> Parsed<Expr> {
        self.cursor.advance_by(2);
        let mut operands = vec![self.bit_expr()?];
        self.cursor.expect_word("in")?;
        operands.push(self.expr()?);
        self.cursor.expect_symbol(")")?;
        self.outer_node(ExprKind::Special { name: "position", operands }, start)
    }

    /// `TRIM ([LEADING|TRAILING|BOTH] [a] [FROM] b)`
    fn trim(&mut self, start: u32) -> Parsed<Expr> {
        self.cursor.advance_by(2);
        let sided = ["leading", "trailing", "both"].iter().any(|side| self.cursor.take_word(side));
        let mut operands = Vec::new();
        if !(sided && self.cursor.is_word("from")) {
            operands.push(self.expr()?);
        }
        if self.cursor.take_word("from") {
            operands.push(self.expr()?);
        } else if sided {
            return Err(self.cursor.expected("`FROM`"));
        }
        self.cursor.expect_symbol(")")?;
        self.outer_node(ExprKind::Special { name: "trim", operands }, start)
    }

    /// `SUBSTRING (a FROM b FOR c)`, `SUBSTRING (a, b, c)`
    fn substring(&mut self, start: u32) -> Parsed<Expr> {
        self.cursor.advance_by(2);
        let mut operands = vec![self.expr()?];
        if self.cursor.take_word("from") {
            operands.push(self.expr()?);
            if self.cursor.take_word("for") {
                operands.push(self.expr()?);
            }
        } else {
            self.cursor.expect_symbol(",")?;
            operands.extend(self.comma_list(Self::expr)?);
        }
        self.cursor.expect_symbol(")")?;
        self.outer_node(ExprKind::Special { name: "substring", operands }, start)
    }

    /// `CHAR (a, b USING charset)`
    fn char_using(&mut self, start: u32) -> Parsed<Expr> {
        self.cursor.advance_by(2);
        let operands = self.comma_list(Self::expr)?;
        if self.cursor.take_word("using") {
            self.character_set_name()?;
        }
        self.cursor.expect_symbol(")")?;
        self.outer_node(ExprKind::Special { name: "char", operands }, start)
    }

    /// `WEIGHT_STRING (x AS CHAR (4) LEVEL 1)`
    fn weight_string(&mut self, start: u32) -> Parsed<Expr> {
        self.cursor.advance_by(2);
        let mut operands = self.comma_list(Self::expr)?;
        if self.cursor.take_word("as") {
            if !self.cursor.take_word("char") {
                self.cursor.expect_word("binary")?;
            }
            self.cursor.expect_symbol("(")?;
            operands.push(self.number()?);
            self.cursor.expect_symbol(")")?;
        }
        if self.is_maria() && self.cursor.take_word("level") {
            while self.cursor.kind(0) == Some(TokenKind::Integer)
                || self.cursor.is_one_of(&["asc", "desc", "reverse"])
                || self.cursor.is_symbol(",")
                || self.cursor.is_symbol("-")
            {
                self.cursor.advance();
            }
        }
        self.cursor.expect_symbol(")")?;
        self.outer_node(ExprKind::Special { name: "weight_string", operands }, start)
    }

    /// `TIMESTAMPADD (unit, a, b)`, `GET_FORMAT (DATE, a)`
    fn unit_first(&mut self, name: &'static str, start: u32) -> Parsed<Expr> {
        self.cursor.advance_by(2);
        if name == "get_format" && self.cursor.is_one_of(&["date", "time", "datetime", "timestamp"]) {
            self.cursor.advance();
        } else {
            self.unit()?;
        }
        self.cursor.expect_symbol(",")?;
        let operands = self.comma_list(Self::expr)?;
        self.cursor.expect_symbol(")")?;
        self.outer_node(ExprKind::Special { name, operands }, start)
    }

    /// `JSON_VALUE (x, '$.a' RETURNING type NULL ON EMPTY)`
    fn json_value(&mut self, start: u32) -> Parsed<Expr> {
        self.cursor.advance_by(2);
        let operands = self.comma_list(Self::expr)?;
        if self.is_mysql() {
            if self.cursor.take_word("returning") {
                self.cast_type()?;
            }
            self.json_responses()?;
        }
        self.cursor.expect_symbol(")")?;
        self.outer_node(ExprKind::Special { name: "json_value", operands }, start)
    }

    fn is_sequence_value(&self) -> bool {
        self.is_maria() && self.cursor.is_word_ahead(1, "value") && self.cursor.is_word_ahead(2, "for")
    }

    /// MariaDB's `NEXT VALUE FOR s`, as the function that does the same.
    fn sequence_value(&mut self, start: u32) -> Parsed<Expr> {
        let function = if self.cursor.is_word("next") { "nextval" } else { "lastval" };
        self.cursor.advance_by(3);
        let at = self.cursor.at();
        let sequence = self.table_name()?;
        let arguments = vec![self.node(ExprKind::Column(sequence), at)];
        let name = Name { value: function.into(), token: start };
        let name = ObjectName { parts: vec![name], tokens: start..at };
        let call = Call { name, arguments, order_by: Vec::new(), filter: None, over: None };
        self.outer_node(ExprKind::Call(Box::new(call)), start)
    }

    /// A character set where one is named.
    pub(super) fn character_set_name(&mut self) -> Parsed<()> {
        if self.cursor.take_word("binary") { Ok(()) } else { self.name_or_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_can_be_searched() {
        for list in [CALLABLE, OWN_RULE, AGGREGATES, UNITS] {
            assert!(list.is_sorted());
        }
    }
}
