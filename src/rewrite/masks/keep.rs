//! `keep`: characters at both ends kept, the rest replaced one by one; a value not longer than what would be kept is
//! wholly replaced. Serves text.

use super::postgres as pg;
use super::redact::{filled, length, whole};
use super::target::{Target, Unservable};
use super::text::Source;
use crate::sql::Engine;

pub(super) fn render(target: &Target, first: u16, last: u16, with: char) -> Result<String, Unservable> {
    target.require_text()?;
    target.require_writable(with.encode_utf8(&mut [0; 4]))?;
    let (text, length) = (target.text(), length(target));
    let kept = u32::from(first) + u32::from(last);
    let masked = match target.engine {
        Engine::Postgres => {
            let middle = filled(target, with, &pg::op(&length, "-", &kept.to_string()));
            let left = (first > 0).then(|| pg::call("left", &[&text, &first.to_string()]));
            let right = (last > 0).then(|| pg::call("right", &[&text, &last.to_string()]));
            let parts: Vec<&str> = [left.as_deref(), Some(&middle), right.as_deref()].into_iter().flatten().collect();
            let longer = pg::op(&length, ">", &kept.to_string());
            format!("CASE WHEN {longer} THEN {} ELSE {} END", pg::chain("||", &parts), whole(target, with))
        }
        Engine::MySql => {
            let middle = filled(target, with, &format!("{length} - {kept}"));
            format!(
                "IF({length} > {kept}, CONCAT(LEFT({text}, {first}), {middle}, RIGHT({text}, {last})), {})",
                whole(target, with)
            )
        }
    };
    Ok(target.text_result(&masked, Source::Column))
}
