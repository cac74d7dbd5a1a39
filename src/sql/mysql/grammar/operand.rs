//! Operands: what binds tighter than every operator with two of them.

use super::parenthesis::Inside;
use super::{Grammar, Parsed};
use crate::sql::ast::{Expr, ExprKind, Literal, Name, ObjectName, TypeName};
use crate::sql::mysql::keywords::{is_function, is_reserved};
use crate::sql::token::TokenKind;

impl Grammar<'_> {
    /// `[- + ~ ! BINARY] primary [COLLATE name]`
    pub(super) fn operand(&mut self) -> Parsed<Expr> {
        let start = self.pending.as_ref().map_or(self.cursor.at(), |(_, start)| *start);
        if let Some((pending, _)) = self.pending.take() {
            return self.collated(pending, start);
        }
        let symbol = match self.cursor.kind(0) {
            Some(TokenKind::Operator) => match self.cursor.source(0) {
                "-" => "-",
                "+" => "+",
                "~" => "~",
                "!" => "!",
                _ => return Err(self.cursor.expected("an expression")),
            },
            Some(TokenKind::Word) if self.cursor.is_word("binary") => return self.binary(start),
            Some(TokenKind::Word) if self.mode.high_not_precedence && self.cursor.is_word("not") => "not",
            _ => {
                let primary = self.primary(start)?;
                return self.collated(primary, start);
            }
        };
        let level = self.cursor.enter()?;
        let token = self.cursor.at();
        self.cursor.advance();
        let operand = self.operand()?;
        self.cursor.leave(level)?;
        self.operator_node(symbol, token, vec![operand], start)
    }

    /// `BINARY x`
    fn binary(&mut self, start: u32) -> Parsed<Expr> {
        let level = self.cursor.enter()?;
        let token = self.cursor.at();
        self.cursor.advance();
        let ty = TypeName {
            name: ObjectName { parts: vec![Name { value: "binary".into(), token }], tokens: token..token + 1 },
            tokens: token..token + 1,
        };
        let operand = Box::new(self.operand()?);
        self.cursor.leave(level)?;
        self.outer_node(ExprKind::Cast { operand, ty }, start)
    }

    fn collated(&mut self, mut operand: Expr, start: u32) -> Parsed<Expr> {
        while self.cursor.is_word("collate") {
            let token = self.cursor.at();
            self.cursor.advance();
            if !self.cursor.take_word("binary") {
                self.name_or_string()?;
            }
            operand = self.operator_node("collate", token, vec![operand], start)?;
        }
        Ok(operand)
    }

    fn primary(&mut self, start: u32) -> Parsed<Expr> {
        if let Some(literal) = self.literal()? {
            return Ok(literal);
        }
        match self.cursor.kind(0) {
            Some(TokenKind::Parameter) => {
                self.cursor.advance();
                Ok(self.node(ExprKind::Parameter, start))
            }
            Some(TokenKind::Variable) => self.user_variable(start),
            Some(TokenKind::SystemVariable) => self.system_variable(start),
            Some(TokenKind::QuotedWord | TokenKind::PlainName) => self.named(start),
            Some(TokenKind::Word) => self.word_operand(start),
            Some(TokenKind::Punctuation) if self.cursor.is_symbol("(") => self.in_parentheses(start),
            Some(TokenKind::Punctuation) if self.cursor.is_symbol("{") => self.odbc_escape(start),
            _ => Err(self.cursor.expected("an expression")),
        }
    }

    /// `(a)`, `(a, b)`, `(SELECT …)`
    fn in_parentheses(&mut self, start: u32) -> Parsed<Expr> {
        match self.parentheses()? {
            Inside::Query(query) => self.outer_node(ExprKind::Subquery(Box::new(query)), start),
            Inside::Exprs(mut several) => match (several.pop(), several.is_empty()) {
                (Some(one), true) => Ok(one),
                (Some(last), false) => {
                    several.push(last);
                    self.outer_node(ExprKind::Row(several), start)
                }
                (None, _) => Err(self.cursor.expected("an expression")),
            },
        }
    }

    /// `{d '2024-01-31'}`, `{fn now()}`: the word counts only before a string.
    fn odbc_escape(&mut self, start: u32) -> Parsed<Expr> {
        self.cursor.advance();
        let temporal = self.cursor.is_one_of(&["d", "t", "ts"]);
        self.name()?;
        let expr = self.expr()?;
        self.cursor.expect_symbol("}")?;
        if temporal && matches!(expr.kind, ExprKind::Literal(Literal::String)) {
            return Ok(self.node(ExprKind::Literal(Literal::String), start));
        }
        Ok(expr)
    }

    /// `@x`, `@x := value`
    fn user_variable(&mut self, start: u32) -> Parsed<Expr> {
        let name = self.variable_name();
        self.cursor.advance();
        if self.cursor.take_symbol(":=") {
            let value = Box::new(self.expr()?);
            return self.outer_node(ExprKind::AssignVariable(value), start);
        }
        Ok(self.node(ExprKind::Variable { system: false, name }, start))
    }

    /// The name at the current `@x`, in lower case.
    pub(super) fn variable_name(&self) -> Box<str> {
        let source = self.cursor.source(0).trim_start_matches('@');
        let name = match source.chars().next() {
            Some('\'' | '"') => super::literal::string_content(source, self.mode.no_backslash_escapes),
            Some('`') => source.get(1..source.len().saturating_sub(1)).unwrap_or_default().replace("``", "`"),
            _ => source.to_owned(),
        };
        name.to_lowercase().into()
    }

    /// `@@x`, `@@session.x`, `@@cache.x`, `@@session.cache.x`
    fn system_variable(&mut self, start: u32) -> Parsed<Expr> {
        let mut name = String::from(self.variable_name());
        let scope = matches!(name.as_str(), "global" | "session" | "local");
        self.cursor.advance();
        if scope && !self.cursor.is_symbol(".") {
            return Err(self.cursor.expected("`.` and a variable"));
        }
        let mut parts = 1;
        while parts < 3 && self.cursor.is_symbol(".") && self.is_name(1) {
            self.cursor.advance();
            name.push('.');
            name.push_str(&self.any_word().value.to_lowercase());
            parts += 1;
        }
        Ok(self.node(ExprKind::Variable { system: true, name: name.into() }, start))
    }

    /// An operand that begins with a word: syntax of its own, a function or a column.
    fn word_operand(&mut self, start: u32) -> Parsed<Expr> {
        if self.cursor.source(0) == "\\N" {
            self.cursor.advance();
            return Ok(self.node(ExprKind::Literal(Literal::Null), start));
        }
        let lower = self.lower();
        let word = lower.as_str();
        let constant = match word {
            "null" => Some(Literal::Null),
            "true" | "false" => Some(Literal::Boolean),
            "date" | "time" | "timestamp" if self.cursor.kind(1) == Some(TokenKind::String) => {
                self.cursor.advance();
                Some(Literal::String)
            }
            _ => None,
        };
        if let Some(constant) = constant {
            self.cursor.advance();
            return Ok(self.node(ExprKind::Literal(constant), start));
        }
        if let Some(rule) = self.special_form(word) {
            return rule(self, start);
        }
        if self.cursor.is_symbol_ahead(1, "(") {
            return self.word_call(word, start);
        }
        if is_reserved(word, self.flavour) {
            return Err(self.cursor.expected("an expression"));
        }
        self.named(start)
    }

    /// A word directly or loosely before a parenthesis.
    fn word_call(&mut self, word: &str, start: u32) -> Parsed<Expr> {
        if is_function(word, self.flavour) && !self.parenthesis_follows(0) {
            let message = format!("put the parenthesis directly behind `{word}`, or the name in backticks");
            return Err(crate::sql::SyntaxError { message: message.into(), token: Some(start) });
        }
        self.call(word, start)
    }

    /// A column or a function by a qualified or plain name.
    fn named(&mut self, start: u32) -> Parsed<Expr> {
        let quoted = self.cursor.kind(0) == Some(TokenKind::QuotedWord);
        let name = self.column_name()?;
        if self.cursor.is_symbol("(") {
            if name.parts.len() == 1 && quoted {
                self.refuse_quoted_function(&name)?;
            }
            return self.generic_call(name, start);
        }
        let column = self.node(ExprKind::Column(name), start);
        if self.is_mysql() && (self.cursor.is_symbol("->") || self.cursor.is_symbol("->>")) {
            let token = self.cursor.at();
            let symbol = if self.cursor.is_symbol("->") { "->" } else { "->>" };
            self.cursor.advance();
            let path = self.string()?;
            return self.operator_node(symbol, token, vec![column, path], start);
        }
        Ok(column)
    }
}
