//! What a role sees of a relation, and what it may do.

use std::sync::Arc;

use super::family;
use super::model::{ColumnAccess, RelationAccess, Role, RuleInfo, Treatment, Verb, Verbs};
use super::pattern::{Case, Name, TableName};
use super::set::{ColumnRule, PolicySet, RoleRules, Ruling};
use crate::catalog::{Relation, RelationKind, Snapshot};

impl PolicySet {
    /// What a role may do with a relation of a source and how it sees it. One entry in `columns` for each column, in
    /// order. For an unrestricted role: all verbs, everything raw.
    ///
    /// Partitions and inheritance children carry the protections and filters of their parents, but not the grants. A
    /// parent carries the masks, denials and filters of its parts too, because its rows are theirs; a `reveal` on a
    /// part reveals nothing in the parent.
    pub fn access(&self, role: &Role, snapshot: &Snapshot, relation: &Relation) -> RelationAccess {
        match self.rules(role) {
            Some(rules) if rules.role.unrestricted => RelationAccess {
                verbs: Verbs::ALL,
                columns: vec![raw(None); relation.columns.len()],
                filters: Vec::new(),
                trusted: None,
            },
            Some(rules) => RelationAccess {
                trusted: self.trusted_view(snapshot, relation),
                ..restricted(rules, snapshot, relation)
            },
            None => RelationAccess {
                verbs: Verbs::NONE,
                columns: vec![denied(None); relation.columns.len()],
                filters: Vec::new(),
                trusted: None,
            },
        }
    }

    /// What a role was granted on a table by name that the catalog does not have, because it is about to be made.
    pub fn verbs(&self, role: &Role, snapshot: &Snapshot, schema: &str, table: &str) -> Verbs {
        self.granted(role, &TableName::table(snapshot, schema, table))
    }

    /// Whether a role was granted `call` on a user-defined function or procedure.
    pub fn may_call(&self, role: &Role, snapshot: &Snapshot, schema: &str, function: &str) -> bool {
        self.granted(role, &TableName::function(snapshot, schema, function)).contains(Verb::Call)
    }

    fn granted(&self, role: &Role, name: &TableName<'_>) -> Verbs {
        match self.rules(role) {
            Some(rules) if rules.role.unrestricted => Verbs::ALL,
            Some(rules) => granted(rules, name),
            None => Verbs::NONE,
        }
    }

    /// The `[[trust]]` rule that declares a function safe to call.
    pub fn trusted_function(&self, snapshot: &Snapshot, schema: &str, function: &str) -> Option<Arc<RuleInfo>> {
        let name = TableName::function(snapshot, schema, function);
        let trust = self.trusts.iter().find(|trust| trust.functions.iter().any(|pattern| pattern.matches(&name)))?;
        Some(Arc::clone(&trust.rule))
    }

    fn trusted_view(&self, snapshot: &Snapshot, relation: &Relation) -> Option<Arc<RuleInfo>> {
        match relation.kind {
            RelationKind::View | RelationKind::MaterializedView => {}
            RelationKind::Table
            | RelationKind::PartitionedTable
            | RelationKind::ForeignTable
            | RelationKind::Sequence => return None,
        }
        let name = TableName::table(snapshot, &relation.schema, &relation.name);
        let trust = self.trusts.iter().find(|trust| trust.views.iter().any(|pattern| pattern.matches(&name)))?;
        Some(Arc::clone(&trust.rule))
    }

    /// Whether a role has any grant in a source.
    pub fn sees_source(&self, role: &Role, source: &str) -> bool {
        self.rules(role)
            .is_some_and(|rules| rules.role.unrestricted || rules.grants.iter().any(|grant| grant.on.in_source(source)))
    }
}

fn raw(rule: Option<Arc<RuleInfo>>) -> ColumnAccess {
    ColumnAccess { treatment: Treatment::Raw, rule, writable: true }
}

fn denied(rule: Option<Arc<RuleInfo>>) -> ColumnAccess {
    ColumnAccess { treatment: Treatment::Denied, rule, writable: false }
}

fn granted(rules: &RoleRules, name: &TableName<'_>) -> Verbs {
    let matching = rules.grants.iter().filter(|grant| grant.on.matches(name));
    matching.fold(Verbs::NONE, |verbs, grant| verbs.union(grant.verbs))
}

fn restricted(rules: &RoleRules, snapshot: &Snapshot, relation: &Relation) -> RelationAccess {
    let named = |relation| table_name(snapshot, relation);
    let lineage: Vec<_> = family::lineage(snapshot, relation).into_iter().map(named).collect();
    let parts: Vec<_> = family::parts(snapshot, relation).into_iter().skip(1).map(named).collect();

    let about = |rule: &ColumnRule| {
        let table = rule.pattern.table();
        lineage.iter().any(|name| table.matches(name))
            || (rule.protect.ruling != Ruling::Reveal && parts.iter().any(|name| table.matches(name)))
    };
    let column_rules: Vec<&ColumnRule> = rules.columns.iter().filter(|rule| about(rule)).collect();
    let case = Case::of_columns(snapshot.engine());
    let columns = relation.columns.iter().map(|column| {
        let name = Name::new(&column.name, case);
        column_access(column_rules.iter().find(|rule| rule.pattern.matches_column(&name)).copied())
    });

    let filters = rules.filters.iter().filter(|filter| {
        lineage.iter().chain(&parts).any(|name| filter.tables.iter().any(|pattern| pattern.matches(name)))
    });
    RelationAccess {
        verbs: granted(rules, &table_name(snapshot, relation)),
        columns: columns.collect(),
        filters: filters.map(|filter| Arc::clone(&filter.filter)).collect(),
        trusted: None,
    }
}

fn table_name<'a>(snapshot: &'a Snapshot, relation: &'a Relation) -> TableName<'a> {
    TableName::table(snapshot, &relation.schema, &relation.name)
}

/// What the deciding rule gives; a column that no rule speaks of is seen as it is.
fn column_access(rule: Option<&ColumnRule>) -> ColumnAccess {
    let Some(rule) = rule else { return raw(None) };
    let info = Some(Arc::clone(&rule.protect.rule));
    match &rule.protect.ruling {
        Ruling::Deny => denied(info),
        Ruling::Reveal => raw(info),
        Ruling::Mask { spec, writable } => {
            ColumnAccess { treatment: Treatment::Masked(Arc::clone(spec)), rule: info, writable: *writable }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Column, ColumnType, SnapshotBuilder, TypeClass};
    use crate::policy::{MaskSpec, Surroundings, parse};
    use crate::sql::Engine;

    const RULES: &str = r#"
        [role.viewer]
        grant = { on = "shop.public.*", allow = "read" }
        [role.creator]
        extends = ["viewer"]
        grant = [{ on = "shop.dwh.*", allow = ["write", "define"] }, { on = "shop.app.fiscal_*", allow = "call" }]
        [role.dpo]
        grant = { on = "*.*.*", allow = "read" }
        [role.admin]
        unrestricted = true
        [tag.mail]
        columns = ["*.*.*.email", "shop.public.customers.contact"]
    "#;

    fn policy(rules: &str) -> PolicySet {
        let sources = Surroundings::new([("shop", Engine::Postgres), ("legacy", Engine::MySql)]);
        match parse(&[("base.toml", RULES), ("rules.toml", rules)], &sources, 1) {
            Ok((set, _)) => set,
            Err(mistakes) => panic!("{mistakes}"),
        }
    }

    fn relation(name: &str, columns: &[&str]) -> Relation {
        let columns = columns.iter().zip(1..).map(|(name, number)| Column {
            name: (*name).into(),
            number,
            ty: ColumnType::new(25, TypeClass::Text, "text"),
            not_null: false,
            generated: None,
        });
        let (schema, name) = name.split_once('.').unwrap();
        Relation { schema: schema.into(), name: name.into(), columns: columns.collect(), ..Relation::default() }
    }

    fn snapshot(relations: impl IntoIterator<Item = Relation>) -> Snapshot {
        let mut builder = SnapshotBuilder::new(1, "shop", Engine::Postgres, 150_000);
        for relation in relations {
            builder.relation(relation);
        }
        builder.build()
    }

    /// What a role sees of `public.customers (id, email, contact)`, as `column=treatment/rule`.
    fn seen(rules: &str, role: &str) -> Vec<String> {
        let snapshot = snapshot([relation("public.customers", &["id", "email", "contact"])]);
        let policy = policy(rules);
        let role = policy.role(role).unwrap();
        let table = snapshot.find("public", "customers").unwrap();
        describe(table, &policy.access(role, &snapshot, table))
    }

    fn describe(table: &Relation, access: &RelationAccess) -> Vec<String> {
        let columns = table.columns.iter().zip(&access.columns);
        let words = columns.filter_map(|(column, access)| {
            let treatment = match &access.treatment {
                Treatment::Raw => "raw".to_owned(),
                Treatment::Denied => "denied".to_owned(),
                Treatment::Masked(mask) => format!("{mask:?}"),
            };
            access.rule.as_ref().map(|rule| format!("{}={treatment}/{}", column.name, rule.name))
        });
        words.collect()
    }

    #[test]
    fn deny_beats_reveal_beats_mask_however_exact_the_patterns_are() {
        let mask = "[[protect]]\nname='m'\ncolumns='shop.public.customers.email'\nmask='email'\n";
        let reveal = "[[protect]]\nname='r'\ntags='mail'\nroles='viewer'\nreveal=true\n";
        let deny = "[[protect]]\nname='d'\ncolumns='*.*.*.e*'\nroles='viewer'\ndeny=true\n";
        assert_eq!(seen(mask, "viewer"), ["email=Email/m"]);
        assert_eq!(seen(&[mask, reveal].concat(), "viewer"), ["email=raw/r", "contact=raw/r"]);
        assert_eq!(seen(&[mask, reveal].concat(), "creator"), ["email=Email/m"]);
        assert_eq!(seen(&[mask, reveal, deny].concat(), "viewer"), ["email=denied/d", "contact=raw/r"]);
    }

    #[test]
    fn within_a_kind_columns_beat_tags_then_the_longer_pattern_then_the_first() {
        let tag = "[[protect]]\nname='tag'\ntags='mail'\nmask='null'\n";
        let wide = "[[protect]]\nname='wide'\ncolumns='*.*.*.*'\nmask='redact'\n";
        let exact = "[[protect]]\nname='exact'\ncolumns='shop.public.customers.contact'\nmask='hash'\n";
        let again = "[[protect]]\nname='again'\ncolumns='shop.public.customers.contact'\nmask='email'\n";
        let wide_redact = "Redact { with: '*' }/wide";
        assert_eq!(
            seen(&[tag, wide].concat(), "viewer"),
            ["id", "email", "contact"].map(|column| format!("{column}={wide_redact}"))
        );
        let all = seen(&[tag, wide, exact, again].concat(), "viewer");
        assert_eq!(all[2], "contact=Hash { length: 32, key_id: None }/exact");
        let all = seen(&[tag, wide, again, exact].concat(), "viewer");
        assert_eq!(all[2], "contact=Email/again");
    }

    #[test]
    fn rules_are_about_every_restricted_role_unless_they_name_some() {
        let rules = "[[protect]]\nname='m'\ntags='mail'\nexcept='dpo'\nmask='null'\n";
        assert_eq!(seen(rules, "viewer"), ["email=Null/m", "contact=Null/m"]);
        assert_eq!(seen(rules, "dpo"), Vec::<String>::new());
        assert_eq!(seen(rules, "admin"), Vec::<String>::new());
    }

    #[test]
    fn a_role_that_is_in_no_rule_file_sees_nothing() {
        let policy = policy("");
        let snapshot = snapshot([relation("public.customers", &["id"])]);
        let table = snapshot.find("public", "customers").unwrap();
        let stranger = Role { name: "stranger".into(), unrestricted: true, ..Role::default() };
        let access = policy.access(&stranger, &snapshot, table);
        assert_eq!((access.verbs, &access.columns[0].treatment), (Verbs::NONE, &Treatment::Denied));
        assert!(!policy.sees_source(&stranger, "shop"));
    }

    #[test]
    fn grants_are_inherited_and_go_no_further_than_their_patterns() {
        let policy = policy("");
        let snapshot = snapshot([]);
        let verbs = |role: &str, schema: &str| policy.verbs(policy.role(role).unwrap(), &snapshot, schema, "t");
        assert_eq!(verbs("viewer", "public"), Verbs::NONE.with(Verb::Read));
        assert_eq!(verbs("viewer", "dwh"), Verbs::NONE);
        assert_eq!(verbs("creator", "public"), Verbs::NONE.with(Verb::Read));
        assert_eq!(verbs("creator", "dwh"), Verbs::WRITE.union(Verbs::DEFINE));
        assert_eq!(verbs("admin", "dwh"), Verbs::ALL);
        let may_call = |role: &str, name: &str| policy.may_call(policy.role(role).unwrap(), &snapshot, "app", name);
        assert!(may_call("creator", "fiscal_year"));
        assert!(!may_call("creator", "wipe"));
        assert!(!may_call("dpo", "fiscal_year"), "`read` on everything is no `call`");
        let sees = |role: &str, source: &str| policy.sees_source(policy.role(role).unwrap(), source);
        assert_eq!([sees("viewer", "shop"), sees("viewer", "legacy")], [true, false]);
        assert_eq!([sees("dpo", "legacy"), sees("admin", "legacy")], [true, true]);
    }

    /// `public.orders` with the partition `public.orders_2026`, which has one of its own.
    fn partitioned() -> Snapshot {
        let mut builder = SnapshotBuilder::new(1, "shop", Engine::Postgres, 150_000);
        let mut parent = builder.relation(relation("public.orders", &["id", "card"]));
        for name in ["public.orders_2026", "public.orders_2026_11"] {
            parent = builder.relation(Relation { parents: vec![parent], ..relation(name, &["id", "card"]) });
        }
        builder.build()
    }

    fn family(rules: &str) -> Vec<String> {
        let (policy, snapshot) = (policy(rules), partitioned());
        let role = policy.role("creator").unwrap();
        let relations = snapshot.relations().iter().map(|table| {
            let access = policy.access(role, &snapshot, table);
            let filters = access.filters.iter().map(|filter| &*filter.rule.name).collect::<Vec<_>>().join("+");
            format!("{}: {} {filters}", table.name, describe(table, &access).join(" "))
        });
        relations.collect()
    }

    #[test]
    fn protections_and_filters_hold_for_the_parts_of_a_table() {
        let rules = "[[protect]]\nname='m'\ncolumns='shop.public.orders.card'\nmask='card'\n
                     [[filter]]\nname='f'\ntables='shop.public.orders'\nwhere='id > 1'\n";
        assert_eq!(
            family(rules),
            ["orders: card=Card/m f", "orders_2026: card=Card/m f", "orders_2026_11: card=Card/m f"]
        );
    }

    #[test]
    fn what_is_hidden_in_a_part_is_hidden_in_the_whole_but_not_beside_it() {
        let rules = "[[protect]]\nname='m'\ncolumns='shop.public.orders_2026.card'\nmask='card'\n
                     [[filter]]\nname='f'\ntables='shop.public.orders_2026_11'\nwhere='id > 1'\n";
        assert_eq!(
            family(rules),
            ["orders: card=Card/m f", "orders_2026: card=Card/m f", "orders_2026_11: card=Card/m f"]
        );
        let rules = "[[protect]]\nname='m'\ncolumns='shop.public.orders.card'\nmask='card'\n
                     [[protect]]\nname='r'\ncolumns='shop.public.orders_2026.card'\nreveal=true\n";
        assert_eq!(family(rules), ["orders: card=Card/m ", "orders_2026: card=raw/r ", "orders_2026_11: card=raw/r "]);
    }

    #[test]
    fn a_grant_on_a_table_is_no_grant_on_its_parts() {
        let rules = "[role.clerk]\ngrant = { on = 'shop.public.orders', allow = 'read' }\n";
        let (policy, snapshot) = (policy(rules), partitioned());
        let clerk = policy.role("clerk").unwrap();
        let verbs: Vec<_> =
            snapshot.relations().iter().map(|table| policy.access(clerk, &snapshot, table).verbs).collect();
        assert_eq!(verbs, [Verbs::NONE.with(Verb::Read), Verbs::NONE, Verbs::NONE]);
    }

    #[test]
    fn only_views_can_be_trusted() {
        let rules = "[[trust]]\nname='t'\nviews='shop.public.daily_*'\nfunctions='shop.app.fiscal_*'\n";
        let policy = policy(rules);
        let view = Relation { kind: RelationKind::View, ..relation("public.daily_sales", &["id"]) };
        let snapshot = snapshot([view, relation("public.daily_table", &["id"])]);
        let viewer = policy.role("viewer").unwrap();
        let trusted: Vec<_> = snapshot
            .relations()
            .iter()
            .map(|relation| policy.access(viewer, &snapshot, relation).trusted.map(|rule| rule.name.to_string()))
            .collect();
        assert_eq!(trusted, [Some("t".to_owned()), None]);
        assert!(policy.trusted_function(&snapshot, "app", "fiscal_year").is_some());
        assert!(policy.trusted_function(&snapshot, "app", "wipe").is_none());
    }

    #[test]
    fn filters_that_name_the_person_make_a_role_personal() {
        let rules = "[[filter]]\nname='a'\ntables='shop.public.t'\nroles='viewer'\nwhere='region = :region'\n
                     [[filter]]\nname='b'\ntables='shop.public.t'\nroles='creator'\nwhere='role = :role'\n
                     [[filter]]\nname='c'\ntables='shop.public.t'\nroles='dpo'\nwhere='login = :user'\n";
        let policy = policy(rules);
        let personal = |role: &str| policy.is_personal(policy.role(role).unwrap());
        assert_eq!(
            [personal("viewer"), personal("creator"), personal("dpo"), personal("admin")],
            [true, false, true, false]
        );
    }

    #[test]
    fn mysql_columns_have_no_case() {
        let policy = policy("[[protect]]\nname='m'\ncolumns='legacy.app.users.Email'\nmask='null'\n");
        let mut builder = SnapshotBuilder::new(1, "legacy", Engine::MySql, 0);
        builder.relation(relation("app.users", &["EMAIL"]));
        let snapshot = builder.build();
        let table = snapshot.find("app", "users").unwrap();
        let access = policy.access(policy.role("dpo").unwrap(), &snapshot, table);
        assert_eq!(access.columns[0].treatment, Treatment::Masked(Arc::new(MaskSpec::Null)));
    }

    #[test]
    fn limits_and_blocks_bind_an_unrestricted_role_only_where_they_name_it() {
        let rules = "[[limit]]\nname='all'\nmax_rows=10\n
                     [[limit]]\nname='named'\nroles=['admin','viewer']\nmax_concurrent=2\n
                     [[block]]\nname='b'\nexcept='viewer'\nstatements='drop'\n
                     [[learn]]\nname='l'\nroles='dpo'\nmode='record'\nfile='x'\n
                     [[alert]]\nname='a'\non='leak'\n";
        let policy = policy(rules);
        let names = |role: &str| {
            let role = policy.role(role).unwrap();
            let limits = policy.limits(role).iter().map(|limit| &limit.rule);
            let blocks = policy.blocks(role).iter().map(|block| &block.rule);
            let learns = policy.learns(role).iter().map(|learn| &learn.rule);
            limits.chain(blocks).chain(learns).map(|rule| rule.name.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(names("viewer"), ["all", "named"]);
        assert_eq!(names("creator"), ["all", "b"]);
        assert_eq!(names("dpo"), ["all", "b", "l"]);
        assert_eq!(names("admin"), ["named"]);
        assert_eq!(policy.alerts().len(), 1);
    }
}
