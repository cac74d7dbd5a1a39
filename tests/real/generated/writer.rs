//! Writes random queries over a schema.

use sekisho::sql::Engine;

use super::random::Random;
use super::schema::{Schema, Table, Treatment};
use super::templates;
use super::tree::{Sort, Tree, Type};

/// Something that FROM brought, as expressions see it.
#[derive(Clone)]
pub(super) struct Item {
    pub(super) name: String,
    pub(super) columns: Vec<(String, Type)>,
}

/// The names that one level of a statement sees, and what it is grouped by.
#[derive(Clone, Default)]
pub(super) struct Frame {
    pub(super) items: Vec<Item>,
    pub(super) groups: Option<Vec<(Type, String)>>,
}

/// A query with the names and types of its columns.
struct Query {
    tree: Tree,
    columns: Vec<(String, Type)>,
}

/// Writes statements.
pub struct Writer<'a> {
    pub(super) schema: &'a Schema,
    pub(super) random: &'a mut Random,
    pub(super) frames: Vec<Frame>,
    common: Vec<Item>,
    pub(super) names: usize,
}

const TYPES: [Type; 5] = [Type::Int, Type::Number, Type::Text, Type::Date, Type::Bool];

impl<'a> Writer<'a> {
    /// A writer over a schema.
    pub fn new(schema: &'a Schema, random: &'a mut Random) -> Self {
        Self { schema, random, frames: Vec::new(), common: Vec::new(), names: 0 }
    }

    pub(super) fn postgres(&self) -> bool {
        self.schema.engine == Engine::Postgres
    }

    pub(super) fn fresh(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}{}", self.names)
    }

    pub(super) fn any_type(&mut self) -> Type {
        *self.random.pick(&TYPES)
    }

    /// A query as a statement.
    pub fn query(&mut self) -> Tree {
        self.names = 0;
        let depth = 2 + usize::from(self.random.percent(40));
        self.query_of(None, depth).tree
    }

    /// A query that gives columns of these types, or any.
    fn query_of(&mut self, types: Option<&[Type]>, depth: usize) -> Query {
        let common = self.common.len();
        let mut tree = Tree::new(Sort::Query);
        if depth > 1 && self.random.percent(20) {
            tree.tree(self.with(depth - 1));
        }
        let types: Vec<Type> = match types {
            Some(types) => types.to_vec(),
            None => (0..=self.random.below(2)).map(|_| self.any_type()).collect(),
        };
        let star = self.random.percent(10);
        let mut columns;
        if depth > 1 && self.random.percent(12) {
            let first = self.select(&types, false, depth - 1);
            let second = self.select(&types, false, depth - 1);
            let operator = *self.random.pick(&["union", "union all", "except", "intersect"]);
            tree.text("(").tree(first.tree).text(format!(") {operator} (")).tree(second.tree).text(")");
            columns = first.columns;
        } else {
            let select = self.select(&types, star, depth);
            columns = select.columns;
            tree.tree(select.tree);
        }
        // A limit makes sense only with a whole order; places are of columns that can be ordered. A star has more of them
        // for a role to which none is denied.
        if self.random.percent(35) && !columns.is_empty() {
            let order: Vec<String> = (1..=columns.len()).map(|place| place.to_string()).collect();
            let mut clause = Tree::of(Sort::Optional, format!(" order by {}", order.join(", ")));
            if !star && self.random.percent(50) {
                clause.tree(Tree::of(Sort::Optional, format!(" limit {}", self.random.below(6))));
            }
            tree.tree(clause);
        }
        self.common.truncate(common);
        columns.truncate(40);
        Query { tree, columns }
    }

    fn with(&mut self, depth: usize) -> Tree {
        let mut tree = Tree::new(Sort::Optional);
        let recursive = self.random.percent(15);
        tree.text(if recursive { "with recursive " } else { "with " });
        for number in 0..=self.random.below(2) {
            if number > 0 {
                tree.text(", ");
            }
            // A common table expression may go by the name of a table.
            let name = if self.random.percent(20) {
                self.random.pick(&self.schema.tables).name.clone()
            } else {
                self.fresh("w")
            };
            if self.common.iter().any(|item| item.name == name) {
                continue;
            }
            let frames = std::mem::take(&mut self.frames);
            let columns = if recursive && number == 0 {
                let start = self.query_of(Some(&[Type::Int]), 1);
                tree.text(format!("{name} (k) as (select k from (")).tree(start.tree);
                tree.text(format!(") q(k) union all select k + 1 from {name} where k < 4)"));
                vec![("k".to_owned(), Type::Int)]
            } else {
                let query = self.query_of(None, depth);
                let renamed = self.random.percent(30);
                let names: Vec<String> = (0..query.columns.len()).map(|n| format!("c{n}")).collect();
                let list = if renamed { format!(" ({})", names.join(", ")) } else { String::new() };
                let kind = if self.postgres() {
                    *self.random.pick(&["", "", "materialized ", "not materialized "])
                } else {
                    ""
                };
                tree.text(format!("{name}{list} as {kind}(")).tree(query.tree).text(")");
                let types = query.columns.iter().map(|(_, ty)| *ty);
                if renamed { names.into_iter().zip(types).collect() } else { query.columns }
            };
            self.frames = frames;
            self.common.push(Item { name, columns });
        }
        tree.text(" ");
        tree
    }

    fn select(&mut self, types: &[Type], star: bool, depth: usize) -> Query {
        self.frames.push(Frame::default());
        let from = self.from(depth);
        let filter = self.clause(" where ", 60, depth);
        let mut tree = Tree::of(Sort::Query, "select ");
        let mut columns = Vec::new();
        let grouped = !star && self.random.percent(25);
        let mut group_clause = Tree::new(Sort::Optional);
        if grouped {
            group_clause = self.group_by(depth);
        }
        if star {
            let items = self.frames.last().unwrap().items.clone();
            let one = self.random.pick(&items).clone();
            let all = self.random.percent(50) || one.columns.is_empty();
            tree.text(if all { "*".to_owned() } else { format!("{}.*", one.name) });
            columns = if all { items.into_iter().flat_map(|item| item.columns).collect() } else { one.columns };
        } else {
            if self.random.percent(15) {
                tree.tree(Tree::of(Sort::Optional, "distinct "));
            }
            let mut items = Vec::new();
            for (place, ty) in types.iter().enumerate() {
                let windowed = !grouped && self.random.percent(8);
                let value = if windowed { self.window(*ty, depth) } else { self.value(*ty, depth) };
                // Labels may be those of columns.
                let label = if self.random.percent(25) {
                    self.random.pick(&["a", "s", "id", "g"]).to_string()
                } else {
                    format!("c{place}")
                };
                let label = if columns.iter().any(|(name, _)| *name == label) { format!("c{place}") } else { label };
                let mut item = Tree::new(Sort::Fixed);
                item.tree(value).text(format!(" as {label}"));
                items.push(item);
                columns.push((label, *ty));
            }
            tree.list(items, ", ");
        }
        tree.tree(from).tree(filter).tree(group_clause);
        if grouped && self.random.percent(40) {
            tree.tree(self.clause(" having ", 100, depth));
        }
        self.frames.pop();
        Query { tree, columns }
    }

    /// GROUP BY, after which the level is a grouped one.
    fn group_by(&mut self, depth: usize) -> Tree {
        let mut groups = Vec::new();
        let mut trees = Vec::new();
        for _ in 0..self.random.below(3) {
            let ty = self.any_type();
            let value = if self.random.percent(60) { self.leaf(ty) } else { self.value(ty, depth.min(1)) };
            groups.push((ty, value.sql()));
            trees.push(value);
        }
        self.frames.last_mut().unwrap().groups = Some(groups);
        let mut tree = Tree::new(Sort::Optional);
        if !trees.is_empty() {
            let wrap = match (self.random.below(10), self.postgres()) {
                (0, true) => (" group by rollup (", ")"),
                (1, true) => (" group by cube (", ")"),
                (2, true) => (" group by grouping sets ((), (", "))"),
                (0, false) => (" group by ", " with rollup"),
                _ => (" group by ", ""),
            };
            tree.text(wrap.0).list(trees, ", ").text(wrap.1);
        }
        tree
    }

    pub(super) fn clause(&mut self, word: &str, percent: usize, depth: usize) -> Tree {
        let mut tree = Tree::new(Sort::Optional);
        if self.random.percent(percent) {
            let condition = self.value(Type::Bool, depth);
            tree.text(word).tree(condition);
        }
        tree
    }

    pub(super) fn from(&mut self, depth: usize) -> Tree {
        let mut tree = Tree::of(Sort::Fixed, " from ");
        let first = self.item_of_from(depth);
        tree.tree(first);
        while self.frames.last().unwrap().items.len() < 3 && self.random.percent(35) {
            let mut join = Tree::new(Sort::Optional);
            let seen = self.frames.last().unwrap().items.len();
            let kinds: &[&str] = if self.postgres() {
                &["join", "left join", "right join", "full join"]
            } else {
                &["join", "left join", "right join", "straight_join"]
            };
            let kind = *self.random.pick(kinds);
            match self.random.below(10) {
                0 => {
                    join.text(", ").tree(self.item_of_from(depth));
                }
                1 => {
                    join.text(" cross join ").tree(self.item_of_from(depth));
                }
                2 if kind != "full join" && kind != "straight_join" => {
                    join.text(format!(" natural {kind} ")).tree(self.item_of_from(depth));
                }
                3 | 4 if kind != "straight_join" => {
                    let item = self.item_of_from(depth);
                    let shared = self.shared_columns(seen);
                    join.text(format!(" {kind} ")).tree(item);
                    if shared.is_empty() {
                        join.text(" on true");
                    } else {
                        join.text(format!(" using ({})", self.random.pick(&shared)));
                    }
                }
                5 => {
                    let lateral = self.query_of(None, depth.saturating_sub(1).max(1));
                    let name = self.fresh("x");
                    let word = if self.postgres() { "lateral " } else { "" };
                    // Without the word the sub-select does not see its neighbours; then it is an error on both sides.
                    join.text(format!(" join {word}(")).tree(lateral.tree).text(format!(") {name} on true"));
                    self.frames.last_mut().unwrap().items.push(Item { name, columns: lateral.columns });
                }
                _ => {
                    let item = self.item_of_from(depth);
                    let condition = if self.random.percent(50) {
                        self.equal_keys(seen)
                    } else {
                        self.value(Type::Bool, depth.saturating_sub(1))
                    };
                    join.text(format!(" {kind} ")).tree(item).text(" on ").tree(condition);
                }
            }
            tree.tree(join);
        }
        tree
    }

    fn equal_keys(&mut self, seen: usize) -> Tree {
        let items = &self.frames.last().unwrap().items;
        let of = |item: &Item| {
            item.columns.iter().find(|(_, ty)| *ty == Type::Int).map(|(name, _)| format!("{}.{name}", item.name))
        };
        match (items.first().and_then(of), items.get(seen).and_then(of)) {
            (Some(left), Some(right)) => Tree::of(Sort::Value(Type::Bool), format!("{left} = {right}")),
            _ => Tree::of(Sort::Value(Type::Bool), "1 = 1"),
        }
    }

    fn shared_columns(&self, seen: usize) -> Vec<String> {
        let items = &self.frames.last().unwrap().items;
        let before = &items[..seen];
        let Some(last) = items.get(seen) else { return Vec::new() };
        let is_shared = |(name, ty): &&(String, Type)| {
            before.iter().filter(|item| item.columns.iter().any(|(n, t)| n == name && t == ty)).count() == 1
        };
        last.columns.iter().filter(is_shared).map(|(name, _)| name.clone()).collect()
    }

    /// A table, view, common table expression, sub-select or list of values; its name comes in sight.
    pub(super) fn item_of_from(&mut self, depth: usize) -> Tree {
        let mut tree = Tree::new(Sort::From);
        let kind = self.random.below(100);
        let mut name = self.fresh("x");
        let columns = if kind < 12 && !self.common.is_empty() {
            let item = self.random.pick(&self.common).clone();
            tree.text(format!("{} {name}", item.name));
            item.columns
        } else if kind < 27 && depth > 1 {
            let frames = std::mem::take(&mut self.frames);
            let query = self.query_of(None, depth - 1);
            self.frames = frames;
            tree.text("(").tree(query.tree).text(format!(") {name}"));
            query.columns
        } else if kind < 33 && self.postgres() {
            match self.random.below(3) {
                0 => {
                    tree.text(format!("generate_series(1, 3) {name}(id)"));
                    vec![("id".to_owned(), Type::Int)]
                }
                1 => {
                    tree.text(format!("(values (1, 'x'), (2, '7'), (null, 'EU')) {name}(id, s)"));
                    vec![("id".to_owned(), Type::Int), ("s".to_owned(), Type::Text)]
                }
                _ => {
                    tree.text(format!("unnest(array['x', 'EU', '7']) with ordinality {name}(t, o)"));
                    vec![("t".to_owned(), Type::Text)]
                }
            }
        } else {
            let table = self.random.pick(&self.schema.tables).clone();
            let taken = self.frames.last().unwrap().items.iter().any(|item| item.name == table.name)
                || self.common.iter().any(|item| item.name == table.name);
            let only = if self.postgres() && table.writable && self.random.percent(4) { "only " } else { "" };
            let sample = if self.postgres() && table.writable && self.random.percent(3) {
                " tablesample bernoulli (100)"
            } else {
                ""
            };
            let columns = self.visible(&table);
            let renamed: Vec<String> = (0..columns.len()).map(|place| format!("r{place}")).collect();
            if !taken && self.random.percent(40) {
                name.clone_from(&table.name);
                tree.text(format!("{only}{}{sample}", table.name));
                columns
            } else if self.postgres() && self.random.percent(10) && table.columns.len() == columns.len() {
                tree.text(format!("{only}{} as {name}({}){sample}", table.name, renamed.join(", ")));
                renamed.into_iter().zip(columns).map(|(name, (_, ty))| (name, ty)).collect()
            } else {
                tree.text(format!("{only}{} as {name}{sample}", table.name));
                columns
            }
        };
        self.frames.last_mut().unwrap().items.push(Item { name, columns });
        tree
    }

    /// A table's columns that the role may name, and now and then one that it may not.
    pub(super) fn visible(&mut self, table: &Table) -> Vec<(String, Type)> {
        let denied_too = self.random.percent(3);
        let may = |treatment: Treatment| denied_too || treatment != Treatment::Denied;
        table
            .columns
            .iter()
            .filter(|column| may(column.treatment))
            .map(|column| (column.name.to_owned(), column.ty))
            .collect()
    }

    /// An expression.
    pub(super) fn value(&mut self, ty: Type, depth: usize) -> Tree {
        let grouped = self.frames.last().is_some_and(|frame| frame.groups.is_some());
        if grouped && self.random.percent(60) {
            let template = *self.random.pick(templates::aggregate(self.schema.engine, ty));
            let groups = self.frames.last_mut().unwrap().groups.take();
            let tree = self.template(ty, template, depth.saturating_sub(1).min(1));
            self.frames.last_mut().unwrap().groups = groups;
            return tree;
        }
        if depth == 0 || self.random.percent(35) {
            return self.leaf(ty);
        }
        let all = templates::scalar(self.schema.engine, ty);
        let template = *self.random.pick(&all);
        self.template(ty, template, depth - 1)
    }

    fn window(&mut self, ty: Type, depth: usize) -> Tree {
        let template = *self.random.pick(templates::window(self.schema.engine, ty));
        self.template(ty, template, depth.saturating_sub(1).min(1))
    }

    /// A column or a literal.
    fn leaf(&mut self, ty: Type) -> Tree {
        if self.random.percent(12) {
            return Tree::of(Sort::Value(ty), self.literal(ty));
        }
        let level = match self.frames.len() {
            0 => return Tree::of(Sort::Value(ty), self.literal(ty)),
            1 => 0,
            levels if self.random.percent(80) => levels - 1,
            levels => self.random.below(levels),
        };
        let frame = &self.frames[level];
        if let Some(groups) = &frame.groups {
            let fitting: Vec<&String> = groups.iter().filter(|(t, _)| *t == ty).map(|(_, text)| text).collect();
            let text = if fitting.is_empty() { None } else { Some((*self.random.pick(&fitting)).clone()) };
            let text = text.unwrap_or_else(|| self.literal(ty));
            return Tree::of(Sort::Value(ty), text);
        }
        let mut fitting = Vec::new();
        for item in &frame.items {
            for (name, t) in &item.columns {
                if *t == ty {
                    let alone =
                        frame.items.iter().filter(|other| other.columns.iter().any(|(n, _)| n == name)).count() == 1;
                    fitting.push((format!("{}.{name}", item.name), alone.then(|| name.clone())));
                }
            }
        }
        if fitting.is_empty() {
            return Tree::of(Sort::Value(ty), self.literal(ty));
        }
        let (full, bare) = self.random.pick(&fitting).clone();
        let text = bare.filter(|_| self.random.percent(40)).unwrap_or(full);
        Tree::of(Sort::Value(ty), text)
    }

    fn literal(&mut self, ty: Type) -> String {
        match ty {
            Type::Int => self.random.pick(&["0", "1", "2", "7", "12", "null", "-3"]).to_string(),
            Type::Number => self.random.pick(&["0.0", "1.5", "12.25", "-2.0"]).to_string(),
            Type::Text => {
                self.random.pick(&["'x'", "'7'", "''", "'b***@x.example'", "'%'", "'a'", "'EU'", "'zq7'"]).to_string()
            }
            Type::Date => self.random.pick(&["date '2024-05-06'", "date '1961-01-01'", "current_date"]).to_string(),
            Type::Bool => self.random.pick(&["true", "false", "(1 = 1)"]).to_string(),
        }
    }

    /// Writes a template, filling its holes.
    fn template(&mut self, ty: Type, template: &str, depth: usize) -> Tree {
        let mut tree = Tree::new(Sort::Value(ty));
        let mut rest = template;
        let mut last = ty;
        while let Some(start) = rest.find('{') {
            let Some(end) = rest[start..].find('}').map(|end| start + end) else { break };
            tree.text(&rest[..start]);
            let hole = &rest[start + 1..end];
            rest = &rest[end + 1..];
            match self.hole(hole, &mut last, depth) {
                Some(part) => tree.tree(part),
                None => tree.text(format!("{{{hole}}}")),
            };
        }
        tree.text(rest);
        tree
    }

    fn hole(&mut self, hole: &str, last: &mut Type, depth: usize) -> Option<Tree> {
        let (form, word) = hole.split_once(' ').unwrap_or(("", hole));
        let ty = match word {
            "int" => Type::Int,
            "num" => Type::Number,
            "text" => Type::Text,
            "date" => Type::Date,
            "bool" => Type::Bool,
            "like" => *last,
            "any" => {
                *last = self.any_type();
                *last
            }
            "row" => return Some(Tree::of(Sort::Fixed, self.row())),
            "small" => return Some(Tree::of(Sort::Fixed, (self.random.below(4) + 1).to_string())),
            "word" => return Some(Tree::of(Sort::Fixed, self.random.pick(&["'x'", "'b'", "'2'", "'E'"]).to_string())),
            "query" => {
                let query = self.query_of(None, depth.min(1));
                return Some(in_parentheses(query.tree));
            }
            _ => return None,
        };
        match form {
            "" => Some(self.value(ty, depth)),
            "one" if depth == 0 => Some(self.leaf(ty)),
            "one" => {
                let query = self.query_of(Some(&[ty]), depth.min(1));
                let column = query.columns[0].0.clone();
                let name = self.fresh("o");
                let mut tree = Tree::of(Sort::Value(ty), "(select ");
                let function = match (ty, self.postgres()) {
                    (Type::Bool, true) => "bool_or",
                    _ => *self.random.pick(&["max", "min"]),
                };
                let inner = if self.random.percent(80) {
                    format!("{function}({name}.{column})")
                } else {
                    format!("{name}.{column}")
                };
                tree.text(format!("{inner} from (")).tree(query.tree).text(format!(") {name})"));
                Some(tree)
            }
            "many" => {
                let query = self.query_of(Some(&[ty]), depth.min(1));
                Some(in_parentheses(query.tree))
            }
            _ => None,
        }
    }

    fn row(&mut self) -> String {
        let items: Vec<String> = self
            .frames
            .iter()
            .rev()
            .find(|frame| !frame.items.is_empty())
            .map(|frame| frame.items.iter().map(|item| item.name.clone()).collect())
            .unwrap_or_default();
        if items.is_empty() { "row(1)".to_owned() } else { self.random.pick(&items).clone() }
    }
}

fn in_parentheses(query: Tree) -> Tree {
    let mut tree = Tree::of(Sort::Fixed, "(");
    tree.tree(query).text(")");
    tree
}
