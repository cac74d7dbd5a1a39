//! What stands in the place of relations and of references to a write's target.

use super::target_text;
use super::virtual_database::VirtualDatabase;
use crate::catalog::Relation;
use crate::resolve::{Appearance, ExpandedView, Refusal, RelationUse, Resolved};
use crate::rewrite::derived;
use crate::rewrite::emit::{Emitted, Replacement, conflict, plain_edits, source_of};
use crate::sql::Script;

/// Everything that has to be changed in the text of a statement.
pub(super) fn replacements(
    database: &VirtualDatabase,
    text: &str,
    script: &Script,
    resolved: &Resolved,
    fence: bool,
) -> Result<Vec<Replacement>, Refusal> {
    let mut all = plain_edits(resolved);
    all.extend(target_text::replacements(database, text, script, resolved)?);
    for used in &resolved.relations {
        let Some(relation) = database.snapshot().relation(used.relation) else {
            return Err(
                Refusal::unsupported("the catalog changed while the statement was read").advise("send it again")
            );
        };
        let moved: Vec<&str> = used.moved.iter().map(|tokens| source_of(text, &script.tokens, tokens)).collect();
        if matches!(used.appearance, Appearance::OfIndex) {
            continue;
        }
        let lock = used.lock.as_ref().map(|tokens| source_of(text, &script.tokens, tokens));
        let appears = appear(database, relation, used, Inside { behind: &moved.join(" "), lock }, fence)?;
        all.push(Replacement::new(&used.tokens, appears));
        all.extend(used.moved.iter().map(|tokens| Replacement::new(tokens, "")));
    }
    match conflict(&all) {
        Some(token) => Err(Refusal::unsupported("the statement would have to be changed twice in one place")
            .advise("please report the statement; it was not run")
            .at(u32::try_from(token).ok())),
        None => Ok(all),
    }
}

/// Parts of the statement that stand inside a derived table.
#[derive(Clone, Copy)]
struct Inside<'a> {
    behind: &'a str,
    lock: Option<&'a str>,
}

/// How a relation is written.
fn appear(
    database: &VirtualDatabase,
    relation: &Relation,
    used: &RelationUse,
    inside: Inside<'_>,
    fence: bool,
) -> Result<String, Refusal> {
    let engine = database.engine();
    let hides_rows = !used.access.filters.is_empty();
    let fenced = fence && hides_rows;
    let options = derived::Options {
        from: None,
        only: used.only,
        fence: fenced,
        behind: inside.behind,
        lock: inside.lock,
        used: used.needed(),
    };
    let derived_table = match &used.appearance {
        Appearance::Plain | Appearance::Target | Appearance::OfIndex => {
            let name = derived::qualified(engine, relation);
            return Ok(if used.only { format!("ONLY {name}") } else { name });
        }
        Appearance::System(view) => match database.system_table(relation, *view, &used.system_columns)? {
            Some(derived) => derived,
            None => return Ok(derived::qualified(engine, relation)),
        },
        Appearance::Protected => database.derived_table(relation, &used.access, options)?,
        Appearance::Expanded(view) => {
            let definition = definition(database, view, fence)?;
            if used.access.is_plain() && !view.barrier {
                format!("({definition})")
            } else {
                let from = format!("({definition}) AS {}", engine.quote_identifier(&relation.name));
                let options = derived::Options {
                    from: Some(&from),
                    // The rows that a view with a security barrier leaves out are hidden like those of a filter.
                    fence: fenced || view.barrier,
                    used: used.needed(),
                    ..derived::Options::default()
                };
                database.derived_table(relation, &used.access, options)?
            }
        }
    };
    Ok(match &used.alias {
        Some(alias) => format!("{derived_table} AS {}", engine.quote_identifier(alias)),
        None => derived_table,
    })
}

/// A view's definition as the role sees it.
fn definition(database: &VirtualDatabase, view: &ExpandedView, fence: bool) -> Result<String, Refusal> {
    let mut emitted = Emitted::default();
    let replacements = replacements(database, &view.text, &view.script, &view.resolved, fence)?;
    emitted.append(&view.text, &view.script, view.tokens.clone(), replacements);
    Ok(emitted.sql)
}
