//! `json`: named paths of a document masked or removed, the rest kept. Serves `json`, `jsonb`, and on MySQL text that
//! holds JSON (MariaDB's `json` is text).
//!
//! A path is a row of keys, `customer.card.number`. Where it meets a list, the whole list becomes `null`: what is in it
//! cannot be named. A masked value is a string, number or boolean taken as text; an object or list in its place becomes
//! `null`. `null` stays `null`, absent keys stay absent. Text that is no JSON becomes NULL.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::postgres as pg;
use super::target::{Target, Unservable};
use super::text::Source;
use crate::catalog::{Column, ColumnType, TypeClass, TypeExtra};
use crate::policy::MaskSpec;
use crate::rewrite::literal;
use crate::sql::Engine;

/// The most keys of a path.
const DEEPEST: usize = 16;

/// What becomes of one place in a document.
enum Node<'m> {
    /// It is removed.
    Remove,
    /// It is masked.
    Mask(&'m MaskSpec),
    /// Something within it is masked or removed.
    Within(BTreeMap<&'m str, Node<'m>>),
}

pub(super) fn render(target: &Target, paths: &[(Arc<str>, Option<MaskSpec>)]) -> Result<String, Unservable> {
    let root = tree(target, paths)?;
    match (target.class(), target.engine) {
        (TypeClass::Jsonb, Engine::Postgres) => within(target, target.sql, &root),
        (TypeClass::Json, Engine::MySql) => Ok(format!("JSON_EXTRACT({}, '$')", within(target, target.sql, &root)?)),
        (TypeClass::Json, Engine::Postgres) => {
            let document = format!("({}::pg_catalog.jsonb)", target.sql);
            let masked = within(target, &document, &root)?;
            let readable = readable(&format!("{}::pg_catalog.text", target.sql));
            Ok(format!("(CASE WHEN {readable} THEN {masked} END)::{}", target.cast_type()))
        }
        (TypeClass::Text, Engine::MySql) => {
            target.require_text()?;
            let document = target.text();
            let masked = format!("IF(JSON_VALID({document}), {}, NULL)", within(target, &document, &root)?);
            Ok(target.text_result(&masked, Source::Ascii))
        }
        _ => Err(target.wrong_type("json and jsonb")),
    }
}

/// The paths as one tree, so that each place is visited once.
fn tree<'m>(
    target: &Target,
    paths: &'m [(Arc<str>, Option<MaskSpec>)],
) -> Result<BTreeMap<&'m str, Node<'m>>, Unservable> {
    let mut root = BTreeMap::new();
    for (path, mask) in paths {
        let keys: Vec<&str> = path.split('.').collect();
        if keys.iter().any(|key| key.is_empty()) || keys.len() > DEEPEST {
            return Err(
                target.refuse(format!("`{path}` is no path; write keys with points between them, such as `a.b`"))
            );
        }
        let leaf = mask.as_ref().map_or(Node::Remove, Node::Mask);
        if !plant(&mut root, &keys, leaf) {
            return Err(target.refuse(format!("path `{path}` meets another one; name each place once")));
        }
    }
    if root.is_empty() {
        return Err(target.refuse("it names no path; use `null` to hide the whole document"));
    }
    Ok(root)
}

fn plant<'m>(nodes: &mut BTreeMap<&'m str, Node<'m>>, keys: &[&'m str], leaf: Node<'m>) -> bool {
    match keys {
        [] => false,
        [last] => nodes.insert(last, leaf).is_none(),
        [first, rest @ ..] => match nodes.entry(first).or_insert_with(|| Node::Within(BTreeMap::new())) {
            Node::Within(inner) => plant(inner, rest, leaf),
            Node::Remove | Node::Mask(_) => false,
        },
    }
}

/// A document with what is named within it changed; `document` is an expression that gives it.
fn within(target: &Target, document: &str, nodes: &BTreeMap<&str, Node>) -> Result<String, Unservable> {
    let mut changed = document.to_owned();
    for (key, node) in nodes {
        let place = place(target.engine, document, key);
        let value = match node {
            Node::Remove => {
                changed = remove(target.engine, &changed, key);
                continue;
            }
            Node::Mask(mask) => scalar(target, &place, mask)?,
            Node::Within(inner) => {
                let value = within(target, &place, inner)?;
                match target.engine {
                    Engine::Postgres => value,
                    // Only the result of a JSON function is JSON to MariaDB; others would become strings.
                    Engine::MySql => format!("JSON_EXTRACT({value}, '$')"),
                }
            }
        };
        changed = replace(target.engine, &changed, key, &value);
    }
    Ok(match target.engine {
        Engine::Postgres => {
            let ty = pg::call("jsonb_typeof", &[document]);
            format!(
                "(CASE {ty} WHEN 'object' THEN {changed} WHEN 'array' THEN 'null'::pg_catalog.jsonb ELSE {document} END)"
            )
        }
        Engine::MySql => format!(
            "CASE JSON_TYPE({document}) WHEN 'OBJECT' THEN {changed} WHEN 'ARRAY' THEN 'null' ELSE {document} END"
        ),
    })
}

fn place(engine: Engine, document: &str, key: &str) -> String {
    match engine {
        Engine::Postgres => pg::op(document, "->", &literal::string(engine, key)),
        Engine::MySql => format!("JSON_EXTRACT({document}, {})", mysql_path(key)),
    }
}

fn remove(engine: Engine, document: &str, key: &str) -> String {
    match engine {
        Engine::Postgres => pg::op(document, "-", &format!("{}::pg_catalog.text", literal::string(engine, key))),
        Engine::MySql => format!("JSON_REMOVE({document}, {})", mysql_path(key)),
    }
}

/// Replaces where the key is there.
fn replace(engine: Engine, document: &str, key: &str, value: &str) -> String {
    match engine {
        Engine::Postgres => {
            let value = format!("COALESCE({value}, 'null'::pg_catalog.jsonb)");
            let path = format!("ARRAY[{}]::pg_catalog.text[]", literal::string(engine, key));
            pg::call("jsonb_set", &[document, &path, &value, "false"])
        }
        Engine::MySql => format!("JSON_REPLACE({document}, {}, {value})", mysql_path(key)),
    }
}

fn mysql_path(key: &str) -> String {
    let key = key.replace('\\', "\\\\").replace('"', "\\\"");
    literal::string(Engine::MySql, &format!("$.\"{key}\""))
}

/// One value in the document masked as text, or as a number by the masks that serve numbers.
fn scalar(target: &Target, place: &str, mask: &MaskSpec) -> Result<String, Unservable> {
    let number = match mask {
        MaskSpec::Null => {
            return Ok(match target.engine {
                Engine::Postgres => "'null'::pg_catalog.jsonb".to_owned(),
                Engine::MySql => "JSON_EXTRACT('null', '$')".to_owned(),
            });
        }
        MaskSpec::Round { .. } | MaskSpec::Bucket { .. } | MaskSpec::Noise { .. } => true,
        MaskSpec::Fixed { .. }
        | MaskSpec::Redact { .. }
        | MaskSpec::Keep { .. }
        | MaskSpec::Email
        | MaskSpec::Phone
        | MaskSpec::Card
        | MaskSpec::Regex { .. }
        | MaskSpec::Hash { .. }
        | MaskSpec::Pseudonym { .. }
        | MaskSpec::Ip { .. }
        | MaskSpec::Sql { .. } => false,
        MaskSpec::Trunc { .. } | MaskSpec::Shift { .. } | MaskSpec::Json { .. } => {
            return Err(target.refuse("inside documents it takes masks of text and numbers; use `null` here"));
        }
    };
    match target.engine {
        Engine::Postgres => postgres_scalar(target, place, mask, number),
        Engine::MySql => mysql_scalar(target, place, mask, number),
    }
}

fn postgres_scalar(target: &Target, place: &str, mask: &MaskSpec, number: bool) -> Result<String, Unservable> {
    let text = format!("({})", pg::op(place, "#>>", "'{}'::pg_catalog.text[]"));
    let ty = pg::call("jsonb_typeof", &[place]);
    let (kind, inner, fits) = if number {
        let value = format!("({text}::numeric)");
        (ColumnType::new(0, TypeClass::Numeric, "numeric"), value, pg::op(&ty, "=", "'number'"))
    } else {
        let fits = format!("{ty} IN ('string', 'number', 'boolean')");
        (ColumnType::new(0, TypeClass::Text, "text"), text, fits)
    };
    let masked = masked_part(target, kind, &inner, mask)?;
    Ok(format!("(CASE WHEN {fits} THEN {} END)", pg::call("to_jsonb", &[&masked])))
}

fn mysql_scalar(target: &Target, place: &str, mask: &MaskSpec, number: bool) -> Result<String, Unservable> {
    let ty = format!("JSON_TYPE({place})");
    if number {
        let inner = format!("CAST(JSON_UNQUOTE({place}) AS DOUBLE)");
        let masked = masked_part(target, ColumnType::new(0, TypeClass::Float, "double"), &inner, mask)?;
        let fits = format!("{ty} IN ('INTEGER', 'UNSIGNED INTEGER', 'DOUBLE', 'DECIMAL')");
        return Ok(format!("IF({fits}, {masked}, NULL)"));
    }
    let extra = TypeExtra { collation: Some(Arc::from("utf8mb4_bin")), ..TypeExtra::default() };
    let kind = ColumnType { extra: Some(Arc::new(extra)), ..ColumnType::new(0, TypeClass::Text, "longtext") };
    let masked = masked_part(target, kind, &format!("JSON_UNQUOTE({place})"), mask)?;
    Ok(format!("IF({ty} IN ('OBJECT', 'ARRAY', 'NULL'), NULL, {masked})"))
}

fn masked_part(target: &Target, ty: ColumnType, inner: &str, mask: &MaskSpec) -> Result<String, Unservable> {
    let column = Column { name: target.column.name.clone(), number: 0, ty, not_null: false, generated: None };
    super::render(target.engine, mask, &column, inner, target.context).map_err(|error| target.refuse(error.to_string()))
}

/// Whether a text of type `json` can be read as `jsonb`, which refuses some escapes and numbers that `json` keeps: NUL,
/// halves of surrogate pairs, exponents beyond what `numeric` holds.
fn readable(text: &str) -> String {
    let escapes = pg::call("replace", &[text, r"E'\\\\'", "''"]);
    let pair = r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}";
    let escapes = pg::call("regexp_replace", &[&escapes, &literal::string(Engine::Postgres, pair), "''", "'g'"]);
    let refused = r"\\u(0000|[dD][89a-fA-F])|[0-9][eE][+-]?[0-9]{5}|[0-9]{255}";
    pg::op(&escapes, "!~", &literal::string(Engine::Postgres, refused))
}
