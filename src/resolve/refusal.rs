//! Why a statement cannot run for a role: what stages after parsing give instead of a result.

use std::sync::Arc;

use crate::policy::RuleInfo;

/// SQLSTATE `insufficient_privilege`.
pub const INSUFFICIENT_PRIVILEGE: &str = "42501";
/// SQLSTATE `feature_not_supported`: the proxy does not understand or does not allow this.
pub const NOT_SUPPORTED: &str = "0A000";
/// SQLSTATE `undefined_table`.
pub const UNDEFINED_TABLE: &str = "42P01";
/// SQLSTATE `undefined_column`.
pub const UNDEFINED_COLUMN: &str = "42703";
/// SQLSTATE `undefined_function`.
pub const UNDEFINED_FUNCTION: &str = "42883";
/// SQLSTATE `undefined_object`: a type, for example.
pub const UNDEFINED_OBJECT: &str = "42704";
/// SQLSTATE `ambiguous_column`.
pub const AMBIGUOUS_COLUMN: &str = "42702";
/// SQLSTATE `syntax_error`.
pub const SYNTAX_ERROR: &str = "42601";

/// A refusal, worded for the person who sent the statement. The pipeline makes the client's error out of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The SQLSTATE that the client gets.
    pub sqlstate: &'static str,
    /// What is refused: a whole sentence without the role.
    pub message: String,
    /// Why.
    pub detail: Option<String>,
    /// What to do.
    pub hint: Option<String>,
    /// The token it is about.
    pub token: Option<u32>,
    /// The rule that refused.
    pub rule: Option<Arc<RuleInfo>>,
}

impl Refusal {
    /// Something that the proxy does not understand, or never allows a restricted role.
    pub fn unsupported(what: impl Into<String>) -> Self {
        Self::with_state(NOT_SUPPORTED, what)
    }

    /// Something that needs a grant or is denied by a rule.
    pub fn forbidden(what: impl Into<String>) -> Self {
        Self::with_state(INSUFFICIENT_PRIVILEGE, what)
    }

    /// A relation that the catalog does not have, worded as the server words it.
    pub fn undefined_table(what: impl Into<String>) -> Self {
        Self::with_state(UNDEFINED_TABLE, what)
    }

    /// A column that nothing in sight has, worded as the server words it.
    pub fn undefined_column(what: impl Into<String>) -> Self {
        Self::with_state(UNDEFINED_COLUMN, what)
    }

    /// A refusal with an SQLSTATE of its own.
    pub fn with_state(sqlstate: &'static str, message: impl Into<String>) -> Self {
        Self { sqlstate, message: message.into(), detail: None, hint: None, token: None, rule: None }
    }

    /// Points at a token.
    #[must_use]
    pub fn at(mut self, token: Option<u32>) -> Self {
        self.token = self.token.or(token);
        self
    }

    /// Says why.
    #[must_use]
    pub fn because(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn advise(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Names the rule that refused, and whom to ask.
    #[must_use]
    pub fn by(mut self, rule: Option<&Arc<RuleInfo>>) -> Self {
        if let Some(rule) = rule {
            let owner = rule.owner.as_ref().map(|owner| format!(", owned by {owner}")).unwrap_or_default();
            self.detail = Some(format!("rule `{}`{owner}", rule.name));
            self.hint.get_or_insert_with(|| match &rule.owner {
                Some(owner) => format!("ask {owner} if you need it"),
                None => "ask the owner of the rules if you need it".to_owned(),
            });
            self.rule = Some(Arc::clone(rule));
        }
        self
    }
}
