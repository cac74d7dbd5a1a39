//! SET in its many forms.

use super::{Grammar, Parsed};
use crate::sql::ast::{Assignment, Expr, ExprKind, Literal, SetScope, SetValue, Statement, Transaction};
use crate::sql::token::TokenKind;

impl Grammar<'_> {
    /// `SET a = 1, @b := 2, GLOBAL c = 3`, `SET NAMES …`, `SET TRANSACTION …`, `SET PASSWORD …`
    pub(super) fn set(&mut self) -> Parsed<Statement> {
        let start = self.cursor.at();
        self.cursor.advance();
        let scope = self.scope_ahead();
        let behind = usize::from(scope.is_some());
        if self.cursor.is_word_ahead(behind, "transaction") {
            return self.set_transaction(scope, start);
        }
        if self.cursor.is_word("password") && !self.is_assignment(1) || self.cursor.are_words(&["password", "for"]) {
            return Ok(self.whole("password", SetScope::Session, start));
        }
        for (words, name) in [(&["default", "role"][..], "default role"), (&["resource", "group"], "resource group")] {
            if self.cursor.are_words(words) && !self.is_assignment(words.len()) {
                return Ok(self.whole(name, SetScope::Session, start));
            }
        }
        if self.cursor.is_word("role") && !self.is_assignment(1) {
            return self.set_role(start);
        }
        if self.is_maria() && self.cursor.is_word("statement") && !self.is_assignment(1) {
            self.pass_rest();
            return Ok(Statement::Other { words: "SET STATEMENT".into() });
        }
        Ok(Statement::Set(self.comma_list(Self::assignment)?))
    }

    /// `SET ROLE name`, `SET ROLE DEFAULT`; lists and exceptions are known by their words only.
    fn set_role(&mut self, start: u32) -> Parsed<Statement> {
        self.cursor.advance();
        let values = self.character_set_value()?;
        if self.cursor.peek(0).is_some() {
            self.pass_rest();
            return Ok(Statement::Other { words: "SET ROLE".into() });
        }
        let tokens = self.cursor.since(start);
        Ok(Statement::Set(vec![Assignment { scope: SetScope::Session, name: "role".into(), values, tokens }]))
    }

    /// A form that is known by its words only.
    fn whole(&mut self, name: &str, scope: SetScope, start: u32) -> Statement {
        self.pass_rest();
        let tokens = self.cursor.since(start);
        Statement::Set(vec![Assignment { scope, name: name.into(), values: Vec::new(), tokens }])
    }

    fn set_transaction(&mut self, scope: Option<SetScope>, start: u32) -> Parsed<Statement> {
        if scope == Some(SetScope::Global) {
            return Ok(self.whole("transaction", SetScope::Global, start));
        }
        self.cursor.advance_by(1 + usize::from(scope.is_some()));
        self.comma_list(|g| {
            let modes: [&[&str]; 6] = [
                &["read", "only"],
                &["read", "write"],
                &["isolation", "level", "repeatable", "read"],
                &["isolation", "level", "read", "committed"],
                &["isolation", "level", "read", "uncommitted"],
                &["isolation", "level", "serializable"],
            ];
            if modes.iter().any(|words| g.cursor.take_words(words)) {
                return Ok(());
            }
            Err(g.cursor.expected("`READ ONLY`, `READ WRITE` or `ISOLATION LEVEL`"))
        })?;
        Ok(Statement::Transaction(Transaction::Characteristics))
    }

    /// The scope that a word at the current token says; the word is not passed.
    fn scope_ahead(&self) -> Option<SetScope> {
        if self.is_assignment(1) {
            return None;
        }
        match self.lower().as_str() {
            "session" | "local" => Some(SetScope::Session),
            "global" => Some(SetScope::Global),
            "persist" | "persist_only" if self.is_mysql() => Some(SetScope::Global),
            _ => None,
        }
    }

    fn is_assignment(&self, ahead: usize) -> bool {
        self.cursor.is_symbol_ahead(ahead, "=") || self.cursor.is_symbol_ahead(ahead, ":=")
    }

    fn assignment(&mut self) -> Parsed<Assignment> {
        let start = self.cursor.at();
        match self.cursor.kind(0) {
            Some(TokenKind::Variable) => {
                let name = self.variable_name();
                self.cursor.advance();
                self.equals()?;
                let value = SetValue::Expr(Box::new(self.expr()?));
                let tokens = self.cursor.since(start);
                return Ok(Assignment { scope: SetScope::UserVariable, name, values: vec![value], tokens });
            }
            Some(TokenKind::SystemVariable) => return self.marked_variable(start),
            _ => {}
        }
        if self.cursor.is_word("names") && !self.is_assignment(1) {
            return self.names(start);
        }
        let character_set = self.cursor.take_words(&["character", "set"])
            || self.cursor.take_words(&["char", "set"])
            || (self.cursor.is_word("charset") && !self.is_assignment(1) && self.cursor.take_word("charset"));
        if character_set {
            let value = self.character_set_value()?;
            let tokens = self.cursor.since(start);
            return Ok(Assignment { scope: SetScope::Session, name: "character set".into(), values: value, tokens });
        }
        let scope = self.scope_ahead();
        if scope.is_some() {
            self.cursor.advance();
        }
        let name = self.setting_name()?;
        self.equals()?;
        let values = self.setting_value()?;
        let tokens = self.cursor.since(start);
        Ok(Assignment { scope: scope.unwrap_or(SetScope::Session), name, values, tokens })
    }

    /// `@@x = 1`, `@@global.x = 1`
    fn marked_variable(&mut self, start: u32) -> Parsed<Assignment> {
        let first = self.variable_name();
        self.cursor.advance();
        let scope = match &*first {
            _ if !self.cursor.is_symbol(".") => None,
            "session" | "local" => Some(SetScope::Session),
            "global" => Some(SetScope::Global),
            "persist" | "persist_only" if self.is_mysql() => Some(SetScope::Global),
            _ => None,
        };
        let name = if scope.is_some() {
            self.cursor.advance();
            self.setting_name()?
        } else if self.cursor.take_symbol(".") {
            let rest = self.setting_name()?;
            format!("{first}.{rest}").into()
        } else {
            first
        };
        self.equals()?;
        let values = self.setting_value()?;
        let tokens = self.cursor.since(start);
        Ok(Assignment { scope: scope.unwrap_or(SetScope::Session), name, values, tokens })
    }

    fn equals(&mut self) -> Parsed<()> {
        if self.cursor.take_symbol(":=") { Ok(()) } else { self.cursor.expect_symbol("=") }
    }

    /// `sql_mode`, `hot_cache.key_buffer_size`, in lower case.
    fn setting_name(&mut self) -> Parsed<Box<str>> {
        let name = self.object_name(2)?;
        let parts: Vec<String> = name.parts.iter().map(|part| part.value.to_lowercase()).collect();
        Ok(parts.join(".").into())
    }

    /// `NAMES 'utf8mb4' [COLLATE x]`, `NAMES DEFAULT`
    fn names(&mut self, start: u32) -> Parsed<Assignment> {
        self.cursor.advance();
        let mut values = self.character_set_value()?;
        if self.cursor.take_word("collate") {
            values.extend(self.character_set_value()?);
        }
        let tokens = self.cursor.since(start);
        Ok(Assignment { scope: SetScope::Session, name: "names".into(), values, tokens })
    }

    /// The name of a character set or role as a word or string; nothing for DEFAULT.
    fn character_set_value(&mut self) -> Parsed<Vec<SetValue>> {
        if self.cursor.take_word("default") {
            return Ok(Vec::new());
        }
        let token = self.cursor.at();
        if self.cursor.kind(0) == Some(TokenKind::String) {
            let value = self.string_value(token);
            self.cursor.advance();
            return Ok(vec![SetValue::String(value)]);
        }
        if self.cursor.is_word("binary") {
            return Ok(vec![SetValue::Word(self.any_word().value)]);
        }
        Ok(vec![SetValue::Word(self.name()?.value)])
    }

    /// What a setting is set to; nothing for DEFAULT.
    fn setting_value(&mut self) -> Parsed<Vec<SetValue>> {
        if self.cursor.is_word("default") && !self.cursor.is_symbol_ahead(1, "(") {
            self.cursor.advance();
            return Ok(Vec::new());
        }
        let ends = self.cursor.peek(1).is_none() || self.cursor.is_symbol_ahead(1, ",");
        if ends && self.cursor.is_one_of(&["on", "all", "binary", "row", "system"]) {
            return Ok(vec![SetValue::Word(self.any_word().value)]);
        }
        let value = self.expr()?;
        Ok(vec![self.plain_value(value)])
    }

    /// An expression as a plain value if it is one.
    fn plain_value(&self, value: Expr) -> SetValue {
        let tokens = value.tokens.clone();
        match &value.kind {
            ExprKind::Column(name) if name.parts.len() == 1 => match name.object() {
                Some(name) => SetValue::Word(name.value.clone()),
                None => SetValue::Expr(Box::new(value)),
            },
            ExprKind::Literal(Literal::Boolean) => SetValue::Word(self.cursor.source_of(tokens.start).into()),
            ExprKind::Literal(Literal::String)
                if tokens.len() == 1 && self.cursor.source_of(tokens.start).starts_with(['\'', '"']) =>
            {
                SetValue::String(self.string_value(tokens.start))
            }
            ExprKind::Literal(Literal::Number) => SetValue::Number(self.cursor.source_of(tokens.start).into()),
            ExprKind::Operation(operation)
                if *operation.operator.symbol == *"-"
                    && matches!(&operation.operands[..], [Expr { kind: ExprKind::Literal(Literal::Number), .. }]) =>
            {
                SetValue::Number(format!("-{}", self.cursor.source_of(tokens.end - 1)).into())
            }
            _ => SetValue::Expr(Box::new(value)),
        }
    }
}
