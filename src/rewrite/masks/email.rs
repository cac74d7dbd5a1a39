//! `email`: first character, `***`, and the domain from `@` on. Serves text.
//!
//! An address has exactly one `@`, something before it, something behind it, and no space. Everything else is
//! wholly replaced: the part behind an `@` of free text is no domain.

use super::postgres as pg;
use super::redact::whole;
use super::target::{Target, Unservable};
use super::text::Source;
use crate::sql::Engine;

pub(super) fn render(target: &Target) -> Result<String, Unservable> {
    target.require_text()?;
    let (text, searchable, whole) = (target.text(), target.searchable(), whole(target, '*'));
    let masked = match target.engine {
        Engine::Postgres => {
            let at = pg::call("strpos", &[&searchable, "'@'"]);
            let address = [
                pg::op(&at, ">", "1"),
                pg::op(&pg::call("split_part", &[&searchable, "'@'", "3"]), "=", "''"),
                pg::op(&pg::call("right", &[&text, "1"]), "<>", "'@'"),
                pg::op(&pg::call("strpos", &[&searchable, "' '"]), "=", "0"),
            ];
            let first = pg::call("left", &[&text, "1"]);
            let domain = pg::call("split_part", &[&searchable, "'@'", "2"]);
            let masked = pg::chain("||", &[&first, "'***@'", &domain]);
            format!("CASE WHEN {} THEN {masked} ELSE {whole} END", address.join(" AND "))
        }
        Engine::MySql => {
            let address = [
                format!("LOCATE('@', {searchable}) BETWEEN 2 AND CHAR_LENGTH({text}) - 1"),
                format!("LOCATE('@', {searchable}, LOCATE('@', {searchable}) + 1) = 0"),
                format!("LOCATE(' ', {searchable}) = 0"),
            ];
            let domain = format!("SUBSTRING({text}, LOCATE('@', {searchable}))");
            format!("IF({}, CONCAT(LEFT({text}, 1), '***', {domain}), {whole})", address.join(" AND "))
        }
    };
    Ok(target.text_result(&masked, Source::Column))
}
