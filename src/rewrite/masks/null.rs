//! `null`: NULL of the column's type. Serves every type.

use super::target::Target;
use crate::sql::Engine;

pub(super) fn render(target: &Target) -> String {
    match target.engine {
        Engine::Postgres => target.postgres_cast("NULL"),
        // The untaken branch gives the type; there is no cast to most of MySQL's types.
        Engine::MySql => format!("IF(FALSE, {}, NULL)", target.sql),
    }
}
