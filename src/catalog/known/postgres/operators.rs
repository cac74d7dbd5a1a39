//! The names of operators in `pg_catalog`.

/// Sorted. `select distinct oprname from pg_operator where oprnamespace = 'pg_catalog'::regnamespace`, the same on
/// PostgreSQL 14 to 18.
const OPERATORS: &[&str] = &[
    "!!", "!~", "!~*", "!~~", "!~~*", "#", "##", "#-", "#>", "#>>", "%", "&", "&&", "&<", "&<|", "&>", "*", "*<",
    "*<=", "*<>", "*=", "*>", "*>=", "+", "-", "->", "->>", "-|-", "/", "<", "<->", "<<", "<<=", "<<|", "<=", "<>",
    "<@", "<^", "=", ">", ">=", ">>", ">>=", ">^", "?", "?#", "?&", "?-", "?-|", "?|", "?||", "@", "@-@", "@>", "@?",
    "@@", "@@@", "^", "^@", "|", "|&>", "|/", "|>>", "||", "||/", "~", "~*", "~<=~", "~<~", "~=", "~>=~", "~>~", "~~",
    "~~*",
];

/// Whether `pg_catalog` has operators of this name.
pub fn is_operator(symbol: &str) -> bool {
    OPERATORS.binary_search(&symbol).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_are_found_by_name() {
        assert!(OPERATORS.is_sorted());
        assert!(is_operator("=") && is_operator("->>") && !is_operator("!=") && !is_operator("###"));
    }
}
