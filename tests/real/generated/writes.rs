//! Writes random INSERT, UPDATE, DELETE and MERGE.

use super::schema::{Table, Treatment};
use super::tree::{Sort, Tree, Type};
use super::writer::{Frame, Item, Writer};

impl Writer<'_> {
    /// A statement that writes.
    pub fn write(&mut self) -> Tree {
        self.names = 0;
        let writable: Vec<Table> = self.schema.tables.iter().filter(|table| table.writable).cloned().collect();
        let table = self.random.pick(&writable).clone();
        let mut tree = Tree::new(Sort::Fixed);
        match self.random.below(if self.postgres() { 10 } else { 8 }) {
            0..3 => self.update(&mut tree, &table),
            3..5 => self.delete(&mut tree, &table),
            5..8 => self.insert(&mut tree, &table),
            8 => self.merge(&mut tree, &table),
            _ => {
                let mut inner = Tree::new(Sort::Fixed);
                self.update(&mut inner, &table);
                tree.text("with w as (").tree(inner).text(" returning *) select count(*) from w");
            }
        }
        tree
    }

    fn target(&mut self, table: &Table) -> (String, String) {
        let alias = if self.random.percent(50) { self.fresh("m") } else { table.name.clone() };
        let text = if alias == table.name { alias.clone() } else { format!("{} as {alias}", table.name) };
        let columns = self.visible(table);
        self.frames.push(Frame { items: vec![Item { name: alias.clone(), columns }], groups: None });
        (alias, text)
    }

    fn settable(&mut self, table: &Table) -> Vec<(String, Type)> {
        let may = |column: &&super::schema::Column| {
            column.treatment != Treatment::Denied && column.name != "id" && column.name != "g"
        };
        let mut columns: Vec<_> =
            table.columns.iter().filter(may).map(|column| (column.name.to_owned(), column.ty)).collect();
        while columns.len() > 2 {
            columns.remove(self.random.below(columns.len()));
        }
        if columns.is_empty() || self.random.percent(10) {
            columns.push(("g".to_owned(), Type::Text));
        }
        columns
    }

    fn assignments(&mut self, table: &Table) -> Tree {
        let mut items = Vec::new();
        for (name, ty) in self.settable(table) {
            let mut item = Tree::of(Sort::Fixed, format!("{name} = "));
            let value = if name == "g" { Tree::of(Sort::Value(ty), "'EU'") } else { self.value(ty, 2) };
            item.tree(value);
            items.push(item);
        }
        let mut tree = Tree::new(Sort::Fixed);
        tree.list(items, ", ");
        tree
    }

    fn returning(&mut self, tree: &mut Tree) {
        if self.postgres() && self.random.percent(50) {
            let star = self.random.percent(30);
            let mut clause = Tree::of(Sort::Optional, " returning ");
            if star {
                clause.text("*");
            } else {
                let ty = self.any_type();
                let value = self.value(ty, 2);
                clause.tree(value);
            }
            tree.tree(clause);
        }
    }

    fn update(&mut self, tree: &mut Tree, table: &Table) {
        let (_, text) = self.target(table);
        let assignments = self.assignments(table);
        tree.text(format!("update {text} set ")).tree(assignments);
        if self.postgres() && self.random.percent(30) {
            let item = self.item_of_from(2);
            tree.tree({
                let mut clause = Tree::of(Sort::Optional, " from ");
                clause.tree(item);
                clause
            });
        }
        let clause = self.clause(" where ", 80, 2);
        tree.tree(clause);
        self.returning(tree);
        self.frames.pop();
    }

    fn delete(&mut self, tree: &mut Tree, table: &Table) {
        let (_, text) = self.target(table);
        tree.text(format!("delete from {text}"));
        if self.postgres() && self.random.percent(30) {
            let item = self.item_of_from(2);
            tree.tree({
                let mut clause = Tree::of(Sort::Optional, " using ");
                clause.tree(item);
                clause
            });
        }
        let clause = self.clause(" where ", 80, 2);
        tree.tree(clause);
        self.returning(tree);
        self.frames.pop();
    }

    fn insert(&mut self, tree: &mut Tree, table: &Table) {
        let mut columns = vec![("id".to_owned(), Type::Int)];
        columns.extend(self.settable(table).into_iter().filter(|(name, _)| name != "g"));
        columns.push(("g".to_owned(), Type::Text));
        let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        tree.text(format!("insert into {} ({}) ", table.name, names.join(", ")));
        let middle: Vec<Type> = columns[1..columns.len() - 1].iter().map(|(_, ty)| *ty).collect();
        let key = 1000 + self.random.below(100);
        if self.random.percent(50) {
            tree.text(format!("values ({key}"));
            for ty in middle {
                let value = self.value(ty, 2);
                tree.text(", ").tree(value);
            }
            tree.text(", 'EU')");
        } else {
            self.frames.push(Frame::default());
            let from = self.from(2);
            let ids = self.frames.last().unwrap().items[0].name.clone();
            tree.text(format!("select {ids}.id + {key}"));
            for ty in middle {
                let value = self.value(ty, 2);
                tree.text(", ").tree(value);
            }
            let filter = self.clause(" where ", 60, 2);
            tree.text(", 'EU'").tree(from).tree(filter);
            self.frames.pop();
        }
        let visible = self.visible(table);
        self.frames.push(Frame { items: vec![Item { name: table.name.clone(), columns: visible }], groups: None });
        if self.random.percent(25) {
            let assignments = self.assignments(table);
            let mut clause = Tree::new(Sort::Optional);
            if self.postgres() {
                clause.text(" on conflict (id) do ");
                if self.random.percent(40) {
                    clause.text("nothing")
                } else {
                    clause.text("update set ").tree(assignments)
                };
            } else {
                clause.text(" on duplicate key update ").tree(assignments);
            }
            tree.tree(clause);
        }
        self.returning(tree);
        self.frames.pop();
    }

    fn merge(&mut self, tree: &mut Tree, table: &Table) {
        let (alias, text) = self.target(table);
        let item = self.item_of_from(2);
        let source = self.frames.last().unwrap().items[1].clone();
        let condition = match source.columns.iter().find(|(_, ty)| *ty == Type::Int) {
            Some((name, _)) => Tree::of(Sort::Value(Type::Bool), format!("{alias}.id = {}.{name}", source.name)),
            None => self.value(Type::Bool, 2),
        };
        let assignments = self.assignments(table);
        let more = self.clause(" and ", 50, 2);
        let action = if self.random.percent(60) {
            Tree::of(Sort::Fixed, "update set ")
        } else {
            Tree::of(Sort::Fixed, "delete")
        };
        let updates = action.sql() != "delete";
        tree.text(format!("merge into {text} using ")).tree(item).text(" on ").tree(condition);
        tree.text(" when matched").tree(more).text(" then ").tree(action);
        if updates {
            tree.tree(assignments);
        }
        self.frames.pop();
    }
}
