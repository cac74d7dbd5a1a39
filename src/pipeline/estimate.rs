//! What the server's planner is to be asked about a text before it runs.

use std::ops::Range;

use super::virtual_database::{Settings, VirtualDatabase};
use crate::sql::ast::{Copy, CopySource, CreateAsKind, Statement, Transaction};
use crate::sql::{Engine, Script, TokenKind};

/// The statements of a text of which the planner can say what they will cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Estimable {
    /// These, ready to stand behind EXPLAIN; none where the text reads and writes no table.
    Statements(Vec<String>),
    /// What comes later in the text depends on what comes before, so that the planner cannot be asked ahead.
    OneByOne,
}

impl VirtualDatabase {
    /// What the planner can be asked about a permitted text, as it goes to the server.
    pub fn estimable(&self, settings: &Settings, sent: &str) -> Estimable {
        let Ok(script) = self.read(settings, sent) else { return Estimable::Statements(Vec::new()) };
        let mut statements = Vec::new();
        let (mut makes_objects, mut begins, mut sets_transaction) = (false, false, false);
        for range in &script.statements {
            let Ok(statement) = self.parse(settings, sent, &script, range.clone()) else { continue };
            makes_objects |= matches!(
                statement,
                Statement::Ddl(_) | Statement::CreateAs(_) | Statement::Prepare(_) | Statement::Call { .. }
            );
            let source = Source { engine: self.engine(), text: sent, script: &script };
            begins |= matches!(statement, Statement::Transaction(Transaction::Begin));
            sets_transaction |= !begins && source.sets_transaction(&statement, range.clone());
            statements.extend(source.estimable(&statement, range.clone()));
        }
        if (makes_objects || sets_transaction) && script.statements.len() > 1 && !statements.is_empty() {
            return Estimable::OneByOne;
        }
        Estimable::Statements(statements)
    }
}

#[derive(Clone, Copy)]
struct Source<'a> {
    engine: Engine,
    text: &'a str,
    script: &'a Script,
}

impl Source<'_> {
    /// The text of a statement, or of the one in it that runs, if the planner knows it.
    fn estimable(self, statement: &Statement, range: Range<usize>) -> Option<String> {
        match statement {
            Statement::Query(_) if self.reads_nothing(range.clone()) => None,
            Statement::Query(_)
            | Statement::Insert(_)
            | Statement::Update(_)
            | Statement::Delete(_)
            | Statement::Merge(_)
            | Statement::DeclareCursor(_) => self.slice(range),
            Statement::CreateAs(create) => match (create.kind, &create.source) {
                (CreateAsKind::View, _) => None,
                (CreateAsKind::Table | CreateAsKind::MaterializedView, Statement::Query(query)) => {
                    self.slice(usize::try_from(query.tokens.start).ok()?..usize::try_from(query.tokens.end).ok()?)
                }
                (CreateAsKind::Table | CreateAsKind::MaterializedView, _) => self.slice(range),
            },
            Statement::Copy(copy) if !copy.from => self.copied(copy),
            Statement::Explain(explain) if explain.analyze => {
                let inner = self.behind_explain(range.clone())?..range.end;
                self.estimable(&explain.statement, inner)
            }
            Statement::Execute { .. } if self.engine == Engine::Postgres => self.slice(range),
            Statement::Copy(_)
            | Statement::Explain(_)
            | Statement::Prepare(_)
            | Statement::Execute { .. }
            | Statement::Deallocate(_)
            | Statement::Fetch(_)
            | Statement::Close(_)
            | Statement::Ddl(_)
            | Statement::LockTables(_)
            | Statement::UnlockTables
            | Statement::Transaction(_)
            | Statement::Set(_)
            | Statement::Reset(_)
            | Statement::ShowSetting(_)
            | Statement::Show(_)
            | Statement::Use(_)
            | Statement::Discard { .. }
            | Statement::Listen
            | Statement::Notify
            | Statement::Call { .. }
            | Statement::Kill { .. }
            | Statement::Other { .. } => None,
        }
    }

    /// Whether it is SET TRANSACTION, which PostgreSQL takes only ahead of a transaction's first query, and a question is one.
    fn sets_transaction(self, statement: &Statement, range: Range<usize>) -> bool {
        let second = self.script.tokens.get(range.start + 1).map(|token| token.text(self.text));
        self.engine == Engine::Postgres
            && matches!(statement, Statement::Transaction(Transaction::Characteristics))
            && second.is_some_and(|word| word.eq_ignore_ascii_case("transaction"))
    }

    fn copied(self, copy: &Copy) -> Option<String> {
        match &copy.what {
            CopySource::Query(_) => {
                // Without the parentheses around it.
                let (start, end) = (copy.tokens.start + 1, copy.tokens.end.checked_sub(1)?);
                self.slice(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
            }
            CopySource::Table { name, .. } => {
                let name = usize::try_from(name.tokens.start).ok()?..usize::try_from(name.tokens.end).ok()?;
                Some(format!("SELECT * FROM {}", self.slice(name)?))
            }
        }
    }

    /// The first token of what an EXPLAIN explains.
    fn behind_explain(self, range: Range<usize>) -> Option<usize> {
        const OPTIONS: [&str; 4] = ["analyze", "analyse", "verbose", "extended"];
        let word = |at: usize| self.script.tokens.get(at).map(|token| token.text(self.text));
        let mut at = range.start + 1;
        if word(at)? == "(" {
            while word(at)? != ")" {
                at += 1;
            }
            return Some(at + 1);
        }
        loop {
            let option = word(at)?;
            if option.eq_ignore_ascii_case("format") {
                // `FORMAT = JSON`
                at += 3;
            } else if OPTIONS.iter().any(|known| option.eq_ignore_ascii_case(known)) {
                at += 1;
            } else {
                return Some(at);
            }
        }
    }

    /// Whether no word of a query could bring a table into it. Some of the words mean other things too; then the planner is
    /// asked in vain.
    fn reads_nothing(self, range: Range<usize>) -> bool {
        const READING: [&str; 3] = ["from", "table", "with"];
        let tokens = self.script.tokens.get(range).unwrap_or_default();
        let words = tokens.iter().filter(|token| token.kind == TokenKind::Word).map(|token| token.text(self.text));
        !words.into_iter().any(|word| READING.iter().any(|reading| word.eq_ignore_ascii_case(reading)))
    }

    fn slice(self, tokens: Range<usize>) -> Option<String> {
        let tokens = self.script.tokens.get(tokens)?;
        let (first, last) = (tokens.first()?, tokens.last()?);
        self.text.get(first.start as usize..last.end as usize).map(str::to_owned)
    }
}
