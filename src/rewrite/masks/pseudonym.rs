//! `pseudonym`: a name out of a list, chosen by the keyed hash of the value: the same value gets the same name, but
//! several values share one. Serves text.

use std::sync::Arc;

use super::key;
use super::target::{Target, Unservable};
use super::text::Source;
use crate::sql::Engine;

pub(super) fn render(target: &Target, list: &[Arc<str>], key_id: Option<&str>) -> Result<String, Unservable> {
    target.require_text()?;
    for name in list {
        target.require_writable(name)?;
    }
    if list.is_empty() {
        return Err(target.refuse("its list is empty"));
    }
    let number = key::number(target, key_id, &target.bytes_of_text())?;
    let names: Vec<String> = list.iter().map(|name| target.constant(name)).collect();
    let (names, count) = (names.join(", "), list.len());
    let masked = match target.engine {
        Engine::Postgres => {
            let at = super::postgres::op(&number, "%", &count.to_string());
            format!("(ARRAY[{names}]::pg_catalog.text[])[{}::integer]", super::postgres::op(&at, "+", "1"))
        }
        Engine::MySql => format!("ELT({number} MOD {count} + 1, {names})"),
    };
    Ok(target.text_result(&masked, Source::Constants))
}
