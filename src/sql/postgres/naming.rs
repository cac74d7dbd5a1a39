//! The name that the server gives an entry of a select list without a label (`FigureColname` of `parse_target.c`,
//! versions 15 to 18).

use crate::sql::ast::{Expr, ExprKind, Operation, Query, QueryBody, SelectItem, Statement, TypeName};
use crate::sql::token::{Token, TokenKind};

/// What nothing in the expression gives a name to is called.
const UNNAMED: &str = "?column?";

/// How much a name is worth: that of a type or CASE gives way to any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Strength {
    None,
    Weak,
    Strong,
}

/// The name of an output column whose expression has no label; `None` when it is that of the first column of a star
/// in a sub-select, which the tree does not know.
pub fn output_name(expr: &Expr, text: &str, tokens: &[Token]) -> Option<Box<str>> {
    let namer = Namer { text, tokens };
    let (name, _) = namer.expr(expr)?;
    Some(name.into())
}

struct Namer<'t> {
    text: &'t str,
    tokens: &'t [Token],
}

type Named<'e> = Option<(&'e str, Strength)>;

impl<'t> Namer<'t> {
    fn expr<'e>(&self, expr: &'e Expr) -> Named<'e>
    where
        't: 'e,
    {
        let strong = |name: &'e str| Some((name, Strength::Strong));
        match &expr.kind {
            ExprKind::Column(name) => strong(name.object().map_or(UNNAMED, |name| &name.value)),
            ExprKind::Field { field, .. } => strong(&field.value),
            ExprKind::Subscript(parts) => match parts.first() {
                Some(base) => self.expr(base),
                None => Some((UNNAMED, Strength::None)),
            },
            ExprKind::AllFields(base) => self.expr(base),
            ExprKind::Call(call) => strong(call.name.object().map_or(UNNAMED, |name| &name.value)),
            ExprKind::Special { name, .. } => strong(self.special(name, expr)),
            ExprKind::Cast { operand, ty } => match self.expr(operand)? {
                (_, Strength::None | Strength::Weak) => Some((self.type_name(ty), Strength::Weak)),
                named => Some(named),
            },
            ExprKind::Case { operands, otherwise } => {
                match otherwise.and_then(|at| operands.get(at)).map(|otherwise| self.expr(otherwise)) {
                    Some(None) => None,
                    Some(Some(named)) if named.1 == Strength::Strong => Some(named),
                    Some(Some(_)) | None => Some(("case", Strength::Weak)),
                }
            }
            ExprKind::Operation(operation) => self.operation(operation),
            ExprKind::Exists(_) => strong("exists"),
            ExprKind::ArrayQuery(_) | ExprKind::Array(_) => strong("array"),
            ExprKind::Row(_) => strong("row"),
            ExprKind::Subquery(query) => self.first_column(query),
            ExprKind::Literal(_)
            | ExprKind::Star(_)
            | ExprKind::Parameter
            | ExprKind::Variable { .. }
            | ExprKind::InList(_)
            | ExprKind::InQuery { .. }
            | ExprKind::Quantified { .. }
            | ExprKind::Argument { .. }
            | ExprKind::Default
            | ExprKind::AssignVariable(_)
            | ExprKind::CurrentOf(_) => Some((UNNAMED, Strength::None)),
        }
    }

    /// The functions behind operators of words.
    fn operation<'e>(&self, operation: &'e Operation) -> Named<'e>
    where
        't: 'e,
    {
        match &*operation.operator.symbol {
            "collate" => operation.operands.first().map_or(Some((UNNAMED, Strength::None)), |base| self.expr(base)),
            "at time zone" | "at local" => Some(("timezone", Strength::Strong)),
            "overlaps" => Some(("overlaps", Strength::Strong)),
            "is normalized" => Some(("is_normalized", Strength::Strong)),
            _ => Some((UNNAMED, Strength::None)),
        }
    }

    fn special(&self, name: &'static str, expr: &Expr) -> &'static str {
        match name {
            "trim" => match self.source(expr.tokens.start + 2).to_ascii_lowercase().as_str() {
                "leading" => "ltrim",
                "trailing" => "rtrim",
                _ => "btrim",
            },
            "collation for" => "pg_collation_for",
            other => other,
        }
    }

    /// The last part of a type's name, for words of the grammar that of the type they stand for.
    fn type_name<'e>(&self, ty: &'e TypeName) -> &'e str {
        let Some(last) = ty.name.object() else { return UNNAMED };
        let quoted = self.tokens.get(last.token as usize).is_some_and(|token| token.kind == TokenKind::QuotedWord);
        if quoted || ty.name.parts.len() > 1 {
            return &last.value;
        }
        match &*last.value {
            "int" | "integer" => "int4",
            "smallint" => "int2",
            "bigint" => "int8",
            "real" => "float4",
            "float" | "double precision" => "float8",
            "decimal" | "dec" => "numeric",
            "boolean" => "bool",
            "bit varying" => "varbit",
            "char" | "character" | "nchar" | "national character" => "bpchar",
            "character varying" | "national character varying" => "varchar",
            "time with time zone" => "timetz",
            "timestamp with time zone" => "timestamptz",
            other => other,
        }
    }

    fn first_column<'e>(&self, query: &'e Query) -> Named<'e>
    where
        't: 'e,
    {
        let items = match &query.body {
            QueryBody::Select(select) => &select.items,
            QueryBody::Values(_) => return Some(("column1", Strength::Strong)),
            QueryBody::Table(_) => return None,
            QueryBody::SetOperation { left, .. } => return self.first_column(left),
            QueryBody::Nested(inner) => return self.first_column(inner),
            QueryBody::Write(statement) => match &**statement {
                Statement::Insert(insert) => &insert.returning,
                Statement::Update(update) => &update.returning,
                Statement::Delete(delete) => &delete.returning,
                Statement::Merge(merge) => &merge.returning,
                _ => return None,
            },
        };
        match items.first()? {
            SelectItem::Expr { alias: Some(alias), .. } => Some((&alias.value, Strength::Strong)),
            SelectItem::Expr { expr: Expr { kind: ExprKind::AllFields(_), .. }, alias: None }
            | SelectItem::Star { .. }
            | SelectItem::QualifiedStar { .. } => None,
            SelectItem::Expr { expr, alias: None } => self.expr(expr).map(|(name, _)| (name, Strength::Strong)),
        }
    }

    fn source(&self, token: u32) -> &str {
        self.tokens.get(token as usize).map_or("", |token| token.text(self.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::postgres::{lexer, parse};

    fn names(text: &str) -> Vec<Option<String>> {
        let tokens = lexer::tokens(text).unwrap();
        let Statement::Query(query) = parse(text, &tokens, 0..tokens.len()).unwrap() else { panic!("{text}") };
        let QueryBody::Select(select) = query.body else { panic!("{text}") };
        let name = |item: &SelectItem| match item {
            SelectItem::Expr { expr, .. } => output_name(expr, text, &tokens).map(String::from),
            _ => panic!("{text}"),
        };
        select.items.iter().map(name).collect()
    }

    /// Expressions and the names that PostgreSQL 15 and 18 give them (`\gdesc`).
    const NAMED: &[(&str, &str)] = &[
        ("1", "?column?"),
        ("-1", "?column?"),
        ("'x'", "?column?"),
        ("null", "?column?"),
        ("true", "?column?"),
        ("a", "a"),
        ("t.\"A b\"", "A b"),
        ("a + 1", "?column?"),
        ("a::text", "a"),
        ("'1'::int", "int4"),
        ("(-1)::int8", "int8"),
        ("'a'::\"char\"", "char"),
        ("'a'::char", "bpchar"),
        ("'a'::char varying(3)", "varchar"),
        ("1::float", "float8"),
        ("1::float(3)", "float4"),
        ("1::double precision", "float8"),
        ("1::pg_catalog.int4", "int4"),
        ("'{1}'::int[]", "int4"),
        ("date '2020-01-01'", "date"),
        ("interval '1' day", "interval"),
        ("timestamp with time zone '2020-01-01'", "timestamptz"),
        ("b'1'::bit varying", "varbit"),
        ("true::text", "text"),
        ("cast(a as text)", "a"),
        ("cast('1' as decimal(3))", "numeric"),
        ("count(*)", "count"),
        ("pg_catalog.count(*)::text", "count"),
        ("(t).a", "a"),
        ("b[1]", "b"),
        ("(array[1])[1]", "array"),
        ("array[1]", "array"),
        ("array(select 1)", "array"),
        ("row(1, 2)", "row"),
        ("(1, 2)", "row"),
        ("exists (select 1)", "exists"),
        ("case when true then 1 end", "case"),
        ("case when true then 1 else a end", "a"),
        ("case when true then 1 else 2 end", "case"),
        ("case when true then 1 else 2::int end", "case"),
        ("case when true then 1 else 2 end::text", "text"),
        ("coalesce(a, 1)", "coalesce"),
        ("greatest(a, 1)", "greatest"),
        ("nullif(a, 1)", "nullif"),
        ("trim('x')", "btrim"),
        ("trim(leading from 'x')", "ltrim"),
        ("trim(trailing 'y' from 'x')", "rtrim"),
        ("extract(year from date '2020-01-01')", "extract"),
        ("substring('abc' from 2)", "substring"),
        ("overlay('abc' placing 'x' from 2)", "overlay"),
        ("position('a' in 'b')", "position"),
        ("current_date", "current_date"),
        ("current_timestamp(3)", "current_timestamp"),
        ("user", "user"),
        ("current_schema", "current_schema"),
        ("now() at time zone 'utc'", "timezone"),
        ("collation for ('x')", "pg_collation_for"),
        ("'x' collate \"C\"", "?column?"),
        ("c collate \"C\"", "c"),
        ("'x' is normalized", "is_normalized"),
        ("'x' is not normalized", "?column?"),
        ("a is null", "?column?"),
        ("a in (1)", "?column?"),
        ("a in (select 1)", "?column?"),
        ("a = any (array[1])", "?column?"),
        ("(now(), now()) overlaps (now(), now())", "overlaps"),
        ("(select a from t limit 1)", "a"),
        ("(select 1)", "?column?"),
        ("(select 1)::text", "?column?"),
        ("(select 1 as x union select 2 as y)", "x"),
        ("(values (1))", "column1"),
        ("((select max(a) from t))", "max"),
        ("normalize('x')", "normalize"),
        ("xmlelement(name foo)", "xmlelement"),
        ("xmlserialize(content '<a/>' as text)", "xmlserialize"),
        ("grouping(a)", "grouping"),
    ];

    #[test]
    fn names_are_those_of_the_server() {
        for (expr, name) in NAMED {
            assert_eq!(names(&format!("select {expr} from t")), [Some((*name).to_owned())], "{expr}");
        }
        assert_eq!(names("select (select * from t), (select t.* from t), (table t)"), [None, None, None]);
    }
}
