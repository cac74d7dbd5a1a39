//! Expressions: operators by their precedence.

use super::parenthesis::Inside;
use super::{Grammar, Parsed};
use crate::sql::ast::{Expr, ExprKind, Operation, Operator};
use crate::sql::token::TokenKind;

/// How tightly an operator binds (MySQL manual, "Operator Precedence"; `sql_yacc.yy`).
mod level {
    pub const OR: u8 = 1;
    pub const XOR: u8 = 2;
    pub const AND: u8 = 3;
    pub const NOT: u8 = 4;
    pub const COMPARISON: u8 = 5;
    pub const PREDICATE: u8 = 6;
    pub const BIT_OR: u8 = 7;
    pub const BIT_AND: u8 = 8;
    pub const SHIFT: u8 = 9;
    pub const ADD: u8 = 10;
    pub const MULTIPLY: u8 = 11;
    pub const BIT_XOR: u8 = 12;
    pub const CONCAT: u8 = 13;
}

/// An operator behind its left operand.
#[derive(Debug, Clone, Copy)]
struct Infix {
    level: u8,
    kind: Kind,
    symbol: &'static str,
}

/// How an operator's right side is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Left-associative with an operand of the next level.
    Left,
    /// AND, OR, concatenation, sums, products: a chain is one node.
    Chain,
    /// `=` and its kin, which take ANY and ALL.
    Comparison,
    /// `+`, `-`, which take INTERVAL.
    Additive,
    Is,
    In,
    Between,
    Like,
    Regexp,
    SoundsLike,
    MemberOf,
}

impl Grammar<'_> {
    /// An expression.
    pub(super) fn expr(&mut self) -> Parsed<Expr> {
        let level = self.cursor.enter()?;
        let expr = self.operation(level::OR)?;
        self.cursor.leave(level)?;
        Ok(expr)
    }

    /// What the server calls `bit_expr`: no comparison, no boolean operator outside parentheses.
    pub(super) fn bit_expr(&mut self) -> Parsed<Expr> {
        let level = self.cursor.enter()?;
        let expr = self.operation(level::BIT_OR)?;
        self.cursor.leave(level)?;
        Ok(expr)
    }

    /// What may stand behind `INTERVAL … unit +`: everything that binds tighter than AND.
    pub(super) fn expr_above_and(&mut self) -> Parsed<Expr> {
        self.operation(level::NOT)
    }

    /// An operation of this level or a higher one.
    fn operation(&mut self, lowest: u8) -> Parsed<Expr> {
        let start = self.pending.as_ref().map_or(self.cursor.at(), |(_, start)| *start);
        let mut left = if self.pending.is_none() && lowest <= level::NOT && self.is_low_not() {
            self.negation(start)?
        } else {
            self.operand()?
        };
        // The operand of a higher level than the operator that made it would need parentheses.
        let mut ceiling = u8::MAX;
        let mut chain = None;
        while let Some(infix) = self.infix() {
            if infix.level < lowest || infix.level > ceiling {
                break;
            }
            let token = self.cursor.at();
            left = match left {
                Expr { kind: ExprKind::Operation(mut operation), .. } if chain == Some(infix.symbol) => {
                    self.cursor.advance();
                    operation.operands.push(self.right_operand(infix)?);
                    self.node(ExprKind::Operation(operation), start)
                }
                left => self.infix_operation(infix, left, start, token)?,
            };
            let chains = infix.kind == Kind::Chain || infix.symbol == "+";
            chain = chains.then_some(infix.symbol);
            ceiling = self.ceiling(infix, &left);
        }
        Ok(left)
    }

    /// The highest level that may follow. On MySQL what `IS TRUE` gives is no operand of a comparison, and what LIKE and
    /// its kin give is none of theirs.
    fn ceiling(&self, infix: Infix, left: &Expr) -> u8 {
        let test = infix.kind == Kind::Is && self.is_mysql();
        let null = |operation: &Operation| operation.operator.symbol.ends_with("null");
        match &left.kind {
            ExprKind::Operation(operation) if test && !null(operation) => level::NOT,
            _ if self.is_mysql() && infix.level == level::PREDICATE => level::COMPARISON,
            _ => infix.level,
        }
    }

    fn is_low_not(&self) -> bool {
        !self.mode.high_not_precedence && self.cursor.is_word("not")
    }

    /// `NOT x`, below the comparisons.
    fn negation(&mut self, start: u32) -> Parsed<Expr> {
        let level = self.cursor.enter()?;
        let token = self.cursor.at();
        self.cursor.advance();
        let operand = self.operation(level::NOT)?;
        self.cursor.leave(level)?;
        self.operator_node("not", token, vec![operand], start)
    }

    /// The operator at the current token, if there is one.
    fn infix(&self) -> Option<Infix> {
        let infix = |level, kind, symbol| Some(Infix { level, kind, symbol });
        match self.cursor.kind(0)? {
            TokenKind::Operator => self.infix_sign(),
            TokenKind::Word => {
                let not = usize::from(self.cursor.is_word("not"));
                match self.lower_ahead(not).as_str() {
                    "or" if not == 0 => infix(level::OR, Kind::Chain, "or"),
                    "xor" if not == 0 => infix(level::XOR, Kind::Chain, "xor"),
                    "and" if not == 0 => infix(level::AND, Kind::Chain, "and"),
                    "is" if not == 0 => infix(level::COMPARISON, Kind::Is, "is"),
                    "in" => infix(level::PREDICATE, Kind::In, if not == 0 { "=" } else { "<>" }),
                    "between" => {
                        infix(level::PREDICATE, Kind::Between, if not == 0 { "between" } else { "not between" })
                    }
                    "like" => infix(level::PREDICATE, Kind::Like, if not == 0 { "like" } else { "not like" }),
                    "regexp" | "rlike" => {
                        infix(level::PREDICATE, Kind::Regexp, if not == 0 { "regexp" } else { "not regexp" })
                    }
                    "sounds" if not == 0 && self.cursor.is_word_ahead(1, "like") => {
                        infix(level::PREDICATE, Kind::SoundsLike, "sounds like")
                    }
                    "member" if not == 0 && self.is_member_of() => infix(level::PREDICATE, Kind::MemberOf, "member of"),
                    "div" if not == 0 => infix(level::MULTIPLY, Kind::Left, "div"),
                    "mod" if not == 0 => infix(level::MULTIPLY, Kind::Left, "mod"),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn infix_sign(&self) -> Option<Infix> {
        let (level, kind, symbol) = match self.cursor.source(0) {
            "||" if self.mode.pipes_as_concat => (level::CONCAT, Kind::Chain, "||"),
            "||" => (level::OR, Kind::Chain, "or"),
            "&&" => (level::AND, Kind::Chain, "and"),
            "=" => (level::COMPARISON, Kind::Comparison, "="),
            "<=>" => (level::COMPARISON, Kind::Comparison, "<=>"),
            "<" => (level::COMPARISON, Kind::Comparison, "<"),
            "<=" => (level::COMPARISON, Kind::Comparison, "<="),
            ">" => (level::COMPARISON, Kind::Comparison, ">"),
            ">=" => (level::COMPARISON, Kind::Comparison, ">="),
            "<>" => (level::COMPARISON, Kind::Comparison, "<>"),
            "!=" => (level::COMPARISON, Kind::Comparison, "!="),
            "|" => (level::BIT_OR, Kind::Left, "|"),
            "&" => (level::BIT_AND, Kind::Left, "&"),
            "<<" => (level::SHIFT, Kind::Left, "<<"),
            ">>" => (level::SHIFT, Kind::Left, ">>"),
            "+" => (level::ADD, Kind::Additive, "+"),
            "-" => (level::ADD, Kind::Additive, "-"),
            "*" => (level::MULTIPLY, Kind::Chain, "*"),
            "/" => (level::MULTIPLY, Kind::Left, "/"),
            "%" => (level::MULTIPLY, Kind::Left, "%"),
            "^" => (level::BIT_XOR, Kind::Left, "^"),
            _ => return None,
        };
        Some(Infix { level, kind, symbol })
    }

    fn is_member_of(&self) -> bool {
        let of = usize::from(self.cursor.is_word_ahead(1, "of"));
        self.is_mysql() && self.cursor.is_symbol_ahead(1 + of, "(")
    }

    /// From the operator on.
    fn infix_operation(&mut self, infix: Infix, left: Expr, start: u32, token: u32) -> Parsed<Expr> {
        if infix.kind == Kind::Is {
            return self.is_test(left, start);
        }
        self.cursor.take_word("not");
        self.cursor.advance();
        let mut operands = vec![left];
        match infix.kind {
            Kind::Left | Kind::Chain | Kind::Additive => operands.push(self.right_operand(infix)?),
            Kind::Comparison if self.is_quantified() => return self.quantified(infix, operands, start, token),
            Kind::Comparison => operands.push(self.operation(level::PREDICATE)?),
            Kind::In => return self.in_operation(infix, operands, start, token),
            Kind::Between => self.between_operands(&mut operands)?,
            Kind::Like => self.like_operands(&mut operands)?,
            Kind::Regexp => operands.push(self.predicate_operand(level::BIT_OR)?),
            Kind::SoundsLike => {
                self.cursor.expect_word("like")?;
                operands.push(self.predicate_operand(level::BIT_OR)?);
            }
            Kind::MemberOf => {
                self.cursor.take_word("of");
                self.cursor.expect_symbol("(")?;
                operands.push(self.bit_expr()?);
                self.cursor.expect_symbol(")")?;
            }
            Kind::Is => {}
        }
        self.operator_node(infix.symbol, token, operands, start)
    }

    /// The right operand of an operator that groups to the left.
    fn right_operand(&mut self, infix: Infix) -> Parsed<Expr> {
        if infix.kind == Kind::Additive && self.cursor.is_word("interval") && !self.is_interval_function() {
            return self.interval();
        }
        self.operation(infix.level + 1)
    }

    /// `x BETWEEN y AND z`, where z can be a BETWEEN again.
    fn between_operands(&mut self, operands: &mut Vec<Expr>) -> Parsed<()> {
        let level = self.cursor.enter()?;
        let middle = if self.is_maria() { level::PREDICATE } else { level::BIT_OR };
        operands.push(self.operation(middle)?);
        self.cursor.expect_word("and")?;
        operands.push(self.operation(level::PREDICATE)?);
        self.cursor.leave(level)
    }

    /// `x [NOT] LIKE y [ESCAPE z]`; MySQL takes no arithmetic on the right.
    fn like_operands(&mut self, operands: &mut Vec<Expr>) -> Parsed<()> {
        let level = if self.is_maria() { level::BIT_OR } else { level::CONCAT };
        operands.push(self.predicate_operand(level)?);
        if self.cursor.take_word("escape") {
            operands.push(self.predicate_operand(level)?);
        }
        Ok(())
    }

    /// The right operand of LIKE and REGEXP. MariaDB's NOT binds tighter than these: `a LIKE b NOT IN (c)` is
    /// `a LIKE (b NOT IN (c))`.
    fn predicate_operand(&mut self, lowest: u8) -> Parsed<Expr> {
        let start = self.cursor.at();
        let mut operand = self.operation(lowest)?;
        while self.is_maria()
            && self.cursor.is_word("not")
            && let Some(infix) = self.infix()
        {
            let level = self.cursor.enter()?;
            let token = self.cursor.at();
            operand = self.infix_operation(infix, operand, start, token)?;
            self.cursor.leave(level)?;
        }
        Ok(operand)
    }

    /// `x IS [NOT] NULL`, TRUE, FALSE, UNKNOWN.
    fn is_test(&mut self, left: Expr, start: u32) -> Parsed<Expr> {
        let token = self.cursor.at();
        self.cursor.advance();
        let not = self.cursor.take_word("not");
        let symbol = match (self.lower().as_str(), not) {
            ("null", false) => "is null",
            ("null", true) => "is not null",
            ("true", false) => "is true",
            ("true", true) => "is not true",
            ("false", false) => "is false",
            ("false", true) => "is not false",
            ("unknown", false) => "is unknown",
            ("unknown", true) => "is not unknown",
            _ => return Err(self.cursor.expected("`NULL`, `TRUE`, `FALSE` or `UNKNOWN`")),
        };
        self.cursor.advance();
        self.operator_node(symbol, token, vec![left], start)
    }

    /// Whether ANY, SOME or ALL and a query follow.
    fn is_quantified(&self) -> bool {
        self.cursor.is_one_of(&["any", "some", "all"]) && self.cursor.is_symbol_ahead(1, "(")
    }

    fn quantified(&mut self, infix: Infix, operands: Vec<Expr>, start: u32, token: u32) -> Parsed<Expr> {
        self.cursor.advance();
        let query = Box::new(self.subquery()?);
        self.query_operation(infix, operands, query, start, token)
    }

    /// `IN (SELECT …)`, `IN (a, b)`
    fn in_operation(&mut self, infix: Infix, mut operands: Vec<Expr>, start: u32, token: u32) -> Parsed<Expr> {
        match self.parentheses()? {
            Inside::Query(query) => self.query_operation(infix, operands, Box::new(query), start, token),
            Inside::Exprs(list) => {
                operands.extend(list);
                self.outer_node(ExprKind::InList(operands), start)
            }
        }
    }

    fn query_operation(
        &mut self,
        infix: Infix,
        operands: Vec<Expr>,
        query: Box<crate::sql::ast::Query>,
        start: u32,
        token: u32,
    ) -> Parsed<Expr> {
        let Some(operand) = operands.into_iter().next() else { return Err(self.cursor.expected("an operand")) };
        let operator = Operator { schema: None, symbol: infix.symbol.into(), token };
        self.outer_node(ExprKind::InQuery { operand: Box::new(operand), operator, query }, start)
    }

    /// An operator around its operands.
    pub(super) fn operator_node(&mut self, symbol: &str, token: u32, operands: Vec<Expr>, start: u32) -> Parsed<Expr> {
        let operator = Operator { schema: None, symbol: symbol.into(), token };
        self.outer_node(ExprKind::Operation(Box::new(Operation { operator, operands })), start)
    }
}
