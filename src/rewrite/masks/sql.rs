//! `sql`: an expression of the rule's author over `{column}`. Serves every type; the result is cast to the column's.

use super::target::{Target, Unservable};
use crate::catalog::TypeClass;
use crate::rewrite::fragment;
use crate::sql::Engine;

/// What stands for the column.
const COLUMN: &str = "{column}";

pub(super) fn render(target: &Target, postgres: Option<&str>, mysql: Option<&str>) -> Result<String, Unservable> {
    let written = match target.engine {
        Engine::Postgres => postgres,
        Engine::MySql => mysql,
    };
    let written = written
        .ok_or_else(|| target.refuse(format!("it has no expression for {0}; add `{0} = …`", target.engine.name())))?;
    let expression = written.replace(COLUMN, &format!("({})", target.sql));
    let expression = fragment::expression(target.engine, &expression)
        .map_err(|error| target.refuse(format!("its expression is wrong: {error}")))?;
    Ok(match (target.engine, target.class()) {
        (Engine::Postgres, _) => target.postgres_cast(&format!("({expression})")),
        (Engine::MySql, TypeClass::Text) => target.mysql_expression_result(&format!("({expression})")),
        (Engine::MySql, _) => format!("({expression})"),
    })
}
