//! Tables that a restricted role makes on MariaDB and, where it is at hand, on MySQL: temporary ones, copies, indexes;
//! and what it is told about those that are there.

use sekisho::net::TlsMode;

use crate::support::mysql_client::{Client, Options};
use crate::support::mysql_proxy::{MySqlProxy, source};
use crate::support::{MySqlDatabase, MySqlServer, mariadb, mysql};

const SCHEMA: &str = "
    create table customers(id int primary key, Email varchar(80), region varchar(10) not null, salary int);
    insert into customers values (1, 'ann@example.com', 'EU', 10), (2, 'bob@example.com', 'US', 20);
    create table people(id int primary key, email varchar(80));
    insert into people values (1, 'ann@example.com');
    create table orders(id int primary key, amount int);
    insert into orders values (1, 5), (2, 6);
    create view sums as select sum(amount) as total from orders;
    create view mails as select email from customers;";

const RULES: &str = r#"
    [role.viewer]
    grant = [ { on = "*.*.*", allow = ["read", "insert", "update", "create", "alter", "drop"] } ]
    [[protect]]
    name = "mail"
    columns = ["*.*.customers.Email", "*.*.people.email"]
    mask = "email"
    [[protect]]
    name = "pay"
    columns = ["*.*.customers.salary"]
    deny = true
    [[filter]]
    name = "eu"
    tables = ["*.*.customers"]
    where = "region = 'EU'"
"#;

struct Desk {
    proxy: MySqlProxy,
    database: MySqlDatabase,
    client: Client,
}

impl Desk {
    fn on(server: &'static MySqlServer) -> Self {
        let database = server.database(SCHEMA);
        let proxy = MySqlProxy::start(vec![source("shop", server, TlsMode::Disable)], RULES, |_, _| {});
        let client = Self::connect(&proxy, &database);
        Self { proxy, database, client }
    }

    fn connect(proxy: &MySqlProxy, database: &MySqlDatabase) -> Client {
        Client::connect(proxy.port, &Options::user("viewer", "viewer-pw").on(&database.name)).unwrap()
    }

    fn runs(&mut self, sql: &str) {
        self.client.query(sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    fn fails(&mut self, sql: &str) -> u16 {
        self.client.error(sql).code
    }

    /// Names of the columns of a result.
    fn labels(&mut self, sql: &str) -> Vec<String> {
        self.client.labels(sql)
    }
}

fn everywhere(test: impl Fn(&mut Desk)) {
    for server in [Some(mariadb()), mysql()].into_iter().flatten() {
        test(&mut Desk::on(server));
    }
}

#[test]
fn temporary_tables_hold_what_the_role_sees() {
    everywhere(|desk| {
        desk.proxy.keep_current();
        desk.runs("drop temporary table if exists mine");
        desk.runs("create temporary table mine as select * from customers");
        assert_eq!(desk.client.rows("select * from mine"), [["1", "a***@example.com", "EU"]]);
        desk.runs("insert into mine values (5, 'own@x.y', 'US')");
        desk.runs("update mine set region = 'JP' where id = 5");
        let joined = "select m.id, c.email from mine m left join customers c on c.id = m.id order by m.id";
        assert_eq!(desk.client.rows(joined).len(), 2);
        // It is the session's own.
        let mut other = Desk::connect(&desk.proxy, &desk.database);
        assert_eq!(other.error("select * from mine").code, 1146);
        desk.runs("create temporary table numbers(n int, t text)");
        desk.runs("insert into numbers values (1, 'x')");
        desk.runs("create temporary table like_orders like orders");
        desk.runs("insert into like_orders select id, amount from orders");
        assert_eq!(desk.client.rows("select count(*) from like_orders"), [["2"]]);
        desk.runs("create temporary table extra(x int, id int) select id from orders");
        assert_eq!(desk.client.rows("select * from extra where id = 1").len(), 1);
        desk.runs("drop table numbers, extra");
        assert_eq!(desk.fails("select * from numbers"), 1146);
        // The server forgets them, and so does the proxy.
        assert!(desk.client.command(&[0x1f]).is_ok());
        assert_eq!(desk.fails("select * from mine"), 1146);
    });
}

#[test]
fn a_temporary_table_never_stands_for_another() {
    everywhere(|desk| {
        for sql in [
            "create temporary table orders(id int)",
            "create temporary table customers as select 1 as id",
            "create temporary table mails(email text)",
        ] {
            assert_eq!(desk.fails(sql), 1142, "{sql}");
        }
        assert_eq!(desk.fails("create temporary table copy_of like customers"), 1142);
        assert_eq!(desk.fails("create table copy_of like customers"), 1142);
        assert_eq!(desk.fails("create temporary table copy_of like sums"), 1142);
    });
}

#[test]
fn tables_indexes_and_views_by_verb() {
    everywhere(|desk| {
        desk.proxy.keep_current();
        desk.runs("drop table if exists nowhere, nothing");
        desk.runs("drop view if exists nowhere");
        desk.runs("create table made as select id, email from people");
        assert_eq!(desk.database.rows("select email from made"), [["a***@example.com"]]);
        desk.runs("create index made_id on made(id)");
        desk.runs("alter table made add index made_email (email(5)), drop index made_id");
        desk.runs("drop index made_email on made");
        desk.runs("create or replace view seen as select id, email from customers");
        assert_eq!(desk.database.rows("select count(*) from seen"), [["1"]]);
        desk.runs("drop view seen");
        desk.runs("create table copied like people");
        desk.runs("drop table if exists copied, nowhere, made");
        for sql in [
            "create index i on customers(email)",
            "alter table customers add index i (email)",
            "drop index `primary` on customers",
            "drop table customers",
        ] {
            assert_eq!(desk.fails(sql), 1142, "{sql}");
        }
    });
}

#[test]
fn columns_keep_the_spelling_of_the_client() {
    everywhere(|desk| {
        assert_eq!(desk.labels("select ID, (EMAIL), c.Region from customers c"), ["ID", "EMAIL", "Region"]);
        assert_eq!(desk.labels("select ID from (select id from customers) c"), ["id"]);
        assert_eq!(desk.labels("select EMAIL from mails"), ["email"]);
        assert_eq!(desk.labels("select name_const('a b', 1)"), ["a b"]);
        assert_eq!(desk.client.rows("select ID from customers order by ID"), [["1"]]);
    });
}

#[test]
fn variables_are_assigned_where_nothing_hidden_is_evaluated() {
    everywhere(|desk| {
        assert_eq!(
            desk.client.rows("select @x := email, upper(@x) from customers"),
            [["a***@example.com", "A***@EXAMPLE.COM"]]
        );
        for sql in [
            "select @x from customers",
            "select id from customers where (@x := email) is not null",
            "select (select id from customers where (@x := email) > '') from orders",
            "select @sekisho_key_i := 'x', @sekisho_key_i",
            "select @`sekisho_key_i` := 'x'",
            "select @x := 1 from customers having (@y := email) > ''",
        ] {
            assert_eq!(desk.fails(sql), 1235, "{sql}");
        }
    });
}

#[test]
fn what_show_tells_is_about_what_the_role_sees() {
    everywhere(|desk| {
        let status = desk.client.rows("show table status like 'orders'");
        assert_eq!((status.len(), &*status[0][0], &*status[0][4]), (1, "orders", "NULL"));
        assert_eq!(desk.client.rows("show grants"), [["GRANT USAGE ON *.* TO `viewer`@`%`"]]);
        assert_eq!(desk.client.rows("show processlist")[0][1], "viewer");
        for sql in ["show create view sums", "show create table sums"] {
            let definition = desk.client.rows(sql)[0][1].clone();
            assert!(definition.starts_with("CREATE VIEW ") && definition.contains("sum("), "{definition}");
        }
        assert_eq!(desk.fails("show create view mails"), 1142);
        assert_eq!(desk.fails("show create table mails"), 1142);
        assert!(!desk.client.rows("show engines").is_empty());
    });
}

#[test]
fn the_character_set_stays_while_clients_ask_for_its_subset() {
    everywhere(|desk| {
        for sql in ["set names utf8", "set character_set_results = null", "set names default", "set charset utf8"] {
            desk.runs(sql);
            assert_eq!(
                desk.client.rows("select @@character_set_client, @@character_set_results"),
                [["utf8mb4", "utf8mb4"]]
            );
        }
        assert_eq!(desk.fails("set character_set_results = latin1"), 1235);
        assert_eq!(desk.fails("set names gbk"), 1235);
        desk.runs(
            "set sql_mode = (select concat(@@sql_mode, ',PIPES_AS_CONCAT')), names utf8mb4 collate utf8mb4_unicode_ci",
        );
        assert_eq!(desk.client.rows("select 'a' || 'b'"), [["ab"]]);
        assert_eq!(desk.client.rows("select email from customers"), [["a***@example.com"]]);
    });
}

#[test]
fn bytes_in_a_literal_arrive_as_they_are() {
    everywhere(|desk| {
        desk.runs("create temporary table blobs(id int, b blob)");
        let text = [&b"\x03insert into blobs values (1, '\xff\\0''\x80'), (2, _binary'\xfe')"[..]].concat();
        assert!(desk.client.command(&text).is_ok());
        assert_eq!(desk.client.rows("select hex(b) from blobs order by id"), [["FF002780"], ["FE"]]);
        assert_eq!(desk.client.command(b"\x03select `\xff`").unwrap_err().code, 1300);
    });
}
