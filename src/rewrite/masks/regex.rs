//! `regex`: every match of a pattern replaced, in the server's own dialect. Serves text.
//!
//! PostgreSQL: advanced regular expressions, `\1` in the replacement. MySQL: ICU, `$1`; MariaDB: PCRE, `\\1`. Case
//! counts on both, whatever the column's collation; `(?i)` at the beginning of the pattern makes it not count.

use super::postgres as pg;
use super::target::{Target, Unservable};
use super::text::Source;
use crate::rewrite::literal;
use crate::sql::Engine;

pub(super) fn render(target: &Target, pattern: &str, replace: &str) -> Result<String, Unservable> {
    target.require_text()?;
    target.require_writable(replace)?;
    let masked = match target.engine {
        Engine::Postgres => {
            // Classes such as `\w` follow the collation; the database's default is never nondeterministic.
            let text = match target.column.ty.collation() {
                Some(_) => format!("({} COLLATE pg_catalog.\"default\")", target.text()),
                None => target.text(),
            };
            let (pattern, replace) = (literal::string(target.engine, pattern), literal::string(target.engine, replace));
            pg::call("regexp_replace", &[&text, &pattern, &replace, "'g'"])
        }
        Engine::MySql => {
            let pattern = literal::string(target.engine, &format!("(?-i){pattern}"));
            format!("REGEXP_REPLACE({}, {pattern}, {})", target.text(), target.constant(replace))
        }
    };
    Ok(target.text_result(&masked, Source::Column))
}
