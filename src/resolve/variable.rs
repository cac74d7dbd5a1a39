//! MySQL's variables, `@x` and `@@x`, in expressions.

use super::binder::{Binder, Sources};
use super::column::Nature;
use super::refusal::Refusal;
use super::scope::ScopeId;
use crate::sql::ast::Expr;

impl Binder<'_> {
    /// MySQL's `@x := value`, as drivers write it in select lists about the catalog: only where nothing is evaluated for
    /// rows that the role does not see, and what is assigned is read by the same statement only.
    pub(super) fn assign_variable(
        &mut self,
        expr: &Expr,
        value: &Expr,
        scope: ScopeId,
        sink: &mut Sources,
    ) -> Result<Nature, Refusal> {
        let name = self.token_text(expr.tokens.start).trim_start_matches('@').to_lowercase();
        let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if self.conditions > 0 || !plain || name.is_empty() || name.starts_with("sekisho") {
            return Err(Refusal::unsupported("assigning a user variable is not allowed here")
                .advise("use a common table expression or a window function")
                .at(Some(expr.tokens.start)));
        }
        self.expr(value, scope, sink)?;
        self.rename_variable(expr.tokens.start, &name);
        self.assigned.push(name.into());
        Ok(Nature::COMPUTED)
    }

    /// A client's variable gets a name of its own: what triggers and stored code left in theirs is not its to read, also
    /// where an assignment is not evaluated.
    fn rename_variable(&mut self, token: u32, name: &str) {
        self.edit(token..token + 1, format!("@x_sekisho_{name}"));
    }

    /// A variable that is read.
    pub(super) fn variable(&mut self, system: bool, name: &str, expr: &Expr) -> Result<Nature, Refusal> {
        if !system {
            // Stored queries hold masks as they were written when they were made.
            let stored = self.world.inside_view && name.starts_with("sekisho_key_");
            let own = self.assigned.iter().any(|assigned| **assigned == *name);
            if own {
                self.rename_variable(expr.tokens.start, name);
            }
            if stored || own || self.world.rules.may_read_variable(name) {
                return Ok(Nature::COMPUTED);
            }
            return Err(Refusal::unsupported("user variables are not allowed")
                .advise("use a common table expression or a window function")
                .at(Some(expr.tokens.start)));
        }
        let (scope, setting) = name.rsplit_once('.').unwrap_or(("", name));
        let known_scope = matches!(scope, "" | "session" | "local" | "global");
        if known_scope && self.world.rules.may_read_setting(setting) {
            return Ok(Nature::COMPUTED);
        }
        Err(Refusal::forbidden(format!("system variable `{name}` is not readable by role `{}`", self.world.role))
            .at(Some(expr.tokens.start)))
    }
}
