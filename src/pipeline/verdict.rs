//! What was decided about a statement text, as types that make skipping the decision impossible.

use std::sync::Arc;

use crate::audit::{Facts, Ground, Outcome};
use crate::catalog::Relation;
use crate::policy::{LimitKey, LimitMet, RuleInfo};
use crate::resolve::ObjectChanges;
use crate::sql::mysql::SqlMode;

/// Schema and name of a relation.
pub type QualifiedName = (Box<str>, Box<str>);

/// What a statement changes in the session once the server has confirmed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Nothing that the proxy has to know.
    None,
    /// The role of the session changes.
    SetRole(Arc<str>),
    /// The schemas searched change; `None` is back to the default.
    SetSearchPath {
        /// The new schemas.
        path: Option<Arc<[Box<str>]>>,
        /// Only until the end of the transaction (`SET LOCAL`).
        local: bool,
    },
    /// `RESET ALL` or `DISCARD ALL`: every setting is back to its default.
    ResetAll {
        /// Prepared statements and cursors are gone too (`DISCARD ALL`).
        discard: bool,
    },
    /// A savepoint was set.
    Savepoint(Box<str>),
    /// Back to a savepoint, settings too.
    RollbackTo(Box<str>),
    /// A savepoint was forgotten.
    Release(Box<str>),
    /// `PREPARE name AS …`; what was decided holds for each `EXECUTE`.
    Prepare(Box<str>),
    /// MySQL's USE.
    Use(Box<str>),
    /// MySQL: `sql_mode` is now this.
    SetSqlMode(SqlMode),
    /// `EXECUTE name`; allowed only while the named statement's decision is up to date.
    Execute(Box<str>),
    /// `DEALLOCATE name`, or all.
    Deallocate(Option<Box<str>>),
    /// `DECLARE name CURSOR`: the rows that it gives are counted from here.
    Declare(Box<str>),
    /// `FETCH … FROM name`.
    Fetch(Box<str>),
    /// Objects were made, changed or dropped: the catalog must be read again.
    Ddl,
    /// Objects were made, renamed, changed or dropped: the session knows so at once, and the catalog must be read again when
    /// the transaction has ended.
    ChangeObjects(Arc<ObjectChanges>),
    /// A temporary table was made, unless there was one of its name.
    MakeTemporary {
        /// The table.
        table: Arc<Relation>,
        /// It is gone with the transaction.
        drops_on_commit: bool,
    },
    /// Temporary tables were dropped, `None` is all of them.
    DropTemporary(Option<Arc<[QualifiedName]>>),
}

/// Leave to send one text to the server. Only the pipeline makes it.
#[derive(Debug, Clone)]
pub struct Permit {
    sql: Arc<str>,
    effects: Arc<[Effect]>,
    guarded: bool,
}

impl Permit {
    pub(in crate::pipeline) fn new(sql: Arc<str>, effects: Arc<[Effect]>, guarded: bool) -> Self {
        Self { sql, effects, guarded }
    }

    /// A text that every server answers with a syntax error and nothing else. Sent in the place of a refused
    /// statement, it makes the server end the transaction and skip to the next Sync exactly as it would for any
    /// failed statement; the session replaces the error's words by the [`Denial`]'s.
    pub fn refusal() -> Self {
        Self { sql: Arc::from("REFUSED BY SEKISHO"), effects: Arc::from([]), guarded: true }
    }

    /// The text for the server.
    pub fn sql(&self) -> &Arc<str> {
        &self.sql
    }

    /// One effect for each statement in the text, in order.
    pub fn effects(&self) -> &Arc<[Effect]> {
        &self.effects
    }

    /// Whether restricted relations are read: errors and notices must be cleaned of values.
    pub fn guarded(&self) -> bool {
        self.guarded
    }
}

/// A refusal, worded for the person who reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// The SQLSTATE that the client gets: `42501` for what rules refuse, `0A000` for what is not understood.
    pub sqlstate: &'static str,
    /// What was refused, for which role.
    pub message: String,
    /// By which rule, whom to ask.
    pub detail: Option<String>,
    /// What to do.
    pub hint: Option<String>,
    /// Where in the client's text, in characters from 1.
    pub position: Option<u32>,
    /// The rule that refused.
    pub rule: Option<Arc<RuleInfo>>,
    /// By which kind of rule.
    pub ground: Ground,
}

/// Whether a text may run.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// It may, as the permit has it.
    Permit(Permit),
    /// It may not.
    Denial(Denial),
}

/// A verdict with what the audit record says about it.
#[derive(Debug, Clone)]
pub struct Decision {
    /// The leading comment of the text, as BI tools send it, cleaned; at most 1 KiB.
    pub annotation: Option<Box<str>>,
    /// What is known about the text.
    pub facts: Arc<Facts>,
    /// Whether it may run.
    pub verdict: Verdict,
    /// What would have been said if the role were not in observe mode.
    pub observed: Option<Arc<Denial>>,
    /// Rules that met the text and only report.
    pub reported: Vec<Arc<RuleInfo>>,
}

impl Decision {
    /// How it was decided, for the audit record.
    pub fn outcome(&self) -> Outcome<'_> {
        match (&self.verdict, &self.observed) {
            (Verdict::Permit(_), None) => Outcome::Permitted,
            (Verdict::Permit(_), Some(denial)) => denial.observed(),
            (Verdict::Denial(denial), _) => denial.refused(),
        }
    }

    /// Refuses what was permitted. In observe mode the text runs all the same, and the record says what would have been.
    pub fn refuse(&mut self, denial: Denial, observe: bool) {
        if !observe {
            self.verdict = Verdict::Denial(denial);
        } else if self.observed.is_none() {
            self.observed = Some(Arc::new(denial));
        }
    }
}

impl Denial {
    /// The refusal for the audit record.
    pub fn refused(&self) -> Outcome<'_> {
        Outcome::Refused {
            sqlstate: self.sqlstate,
            message: &self.message,
            rule: self.rule.as_ref().map(|rule| &*rule.name),
            ground: self.ground,
        }
    }

    /// The refusal that was not, for the audit record.
    pub fn observed(&self) -> Outcome<'_> {
        Outcome::Observed {
            message: &self.message,
            rule: self.rule.as_ref().map(|rule| &*rule.name),
            ground: self.ground,
        }
    }

    /// Message, detail and hint in one line, for protocols and moments that have room for one.
    pub fn in_one_line(&self) -> String {
        let more = [&self.detail, &self.hint].into_iter().flatten();
        more.fold(self.message.clone(), |line, more| line + "; " + more)
    }

    /// The words for a limit that was met.
    pub fn of_limit(met: &LimitMet) -> Self {
        let LimitMet { limit, rule, allowed, met } = met;
        let name = &rule.name;
        let (sqlstate, message, advice) = match limit {
            LimitKey::StatementTimeout => (
                "57014",
                format!("statement cancelled: it ran longer than {allowed}, the `statement_timeout` of limit `{name}`"),
                "ask for less, or at a quieter time",
            ),
            LimitKey::MaxRows => (
                "57014",
                format!("result cut off: it has {met} rows, the `max_rows` of limit `{name}`"),
                "add a condition or a LIMIT",
            ),
            LimitKey::MaxBytes => (
                "57014",
                format!("result cut off: it has {met} bytes, the `max_bytes` of limit `{name}`"),
                "ask for fewer rows or columns",
            ),
            LimitKey::MaxConcurrent => (
                "53400",
                format!(
                    "statement refused: {met} statements of the role are running, and limit `{name}` has `max_concurrent` {allowed}"
                ),
                "try again when one of them has ended",
            ),
            LimitKey::MaxCost => (
                "54000",
                format!(
                    "statement refused: the planner expects it to cost {met}, and limit `{name}` has `max_cost` {allowed}"
                ),
                "add a condition, or one that an index serves",
            ),
            LimitKey::Hours => (
                "42501",
                format!("refused: it is {met}, and `hours` of limit `{name}` are {allowed}"),
                "come back within these hours",
            ),
            LimitKey::From => (
                "42501",
                format!("refused: you come from {met}, and `from` of limit `{name}` is {allowed}"),
                "connect from one of these networks",
            ),
        };
        let hint = match &rule.owner {
            Some(owner) => format!("{advice}, or ask {owner}"),
            None => format!("{advice}, or ask the owner of the rules"),
        };
        Self {
            sqlstate,
            message,
            detail: Some(by_rule(rule)),
            hint: Some(hint),
            position: None,
            rule: Some(Arc::clone(rule)),
            ground: Ground::Limit(*limit),
        }
    }
}

/// Which rule it was, and whose.
pub(super) fn by_rule(rule: &RuleInfo) -> String {
    let owner = rule.owner.as_ref().map(|owner| format!(", owned by {owner}")).unwrap_or_default();
    format!("rule `{}`{owner}", rule.name)
}
