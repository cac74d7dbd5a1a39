//! What a restricted role writes on MariaDB and, where it is at hand, on MySQL: rows against hand-written ones.

use sekisho::net::TlsMode;

use crate::support::mysql_client::{Client, Options};
use crate::support::mysql_proxy::{MySqlProxy, source};
use crate::support::{MySqlDatabase, MySqlServer, mariadb, mysql};

const SCHEMA: &str = "
    create table customers(id int primary key, email varchar(80), region varchar(10) not null default 'EU',
        salary int, visits int not null default 0);
    insert into customers values (1, 'ann@example.com', 'EU', 10, 0), (2, 'bob@example.com', 'US', 20, 0),
        (3, 'cid@example.com', 'EU', 30, 0);
    create table people(id int primary key, email varchar(80), code int unique, n int not null default 0);
    insert into people values (1, 'ann@example.com', 11, 0), (2, 'bob@example.com', 12, 0);
    create table members(id int primary key, email varchar(80) unique);
    create table notes(id int primary key, tag varchar(80), unique key(tag(3)));
    create table orders(id int primary key, customer_id int, amount int, note varchar(40));
    insert into orders values (1, 1, 5, null), (2, 1, 6, null), (3, 2, 7, null), (4, 3, 8, null);
    create table parts(id int primary key, v int)
        partition by range(id) (partition p0 values less than (10), partition p1 values less than (100));
    insert into parts values (1, 1), (20, 2);";

const RULES: &str = r#"
    [role.viewer]
    grant = [ { on = "*.*.*", allow = ["read", "insert", "update", "delete"] } ]
    [[protect]]
    name = "mail"
    columns = ["*.*.customers.email", "*.*.people.email", "*.*.members.email", "*.*.notes.tag"]
    writable = true
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
        let options = Options::user("viewer", "viewer-pw").on(&database.name);
        let client = Client::connect(proxy.port, &options).unwrap();
        Self { proxy, database, client }
    }

    fn runs(&mut self, sql: &str) {
        self.client.query(sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    fn fails(&mut self, sql: &str) -> u16 {
        self.client.error(sql).code
    }

    /// Rows as the server has them, one line each.
    fn raw(&self, sql: &str) -> Vec<String> {
        self.database.rows(sql).into_iter().map(|row| row.join(" ")).collect()
    }
}

fn everywhere(test: impl Fn(&mut Desk)) {
    for server in [Some(mariadb()), mysql()].into_iter().flatten() {
        let mut desk = Desk::on(server);
        test(&mut desk);
        assert!(!desk.proxy.records().is_empty());
    }
}

#[test]
fn update_of_joined_tables_reaches_visible_rows_and_reads_masks() {
    everywhere(|desk| {
        desk.runs("update orders o join customers c on c.id = o.customer_id set o.note = c.email");
        let notes = desk.raw("select id, note from orders order by id");
        assert_eq!(notes, ["1 a***@example.com", "2 a***@example.com", "3 NULL", "4 c***@example.com"]);
        // Both written, one by a name that only it has; the hidden customer stays.
        desk.runs("update customers c, orders o set visits = 3, note = 'both' where c.id = o.customer_id");
        assert_eq!(desk.raw("select visits from customers order by id"), ["3", "0", "3"]);
        assert_eq!(desk.raw("select note from orders order by id"), ["both", "both", "NULL", "both"]);
        desk.runs(
            "update customers c left join orders o on o.customer_id = c.id and o.amount > 7
             set c.visits = 9 where o.id is null and c.email like 'a%'",
        );
        assert_eq!(desk.raw("select visits from customers order by id"), ["9", "0", "3"]);
        // Values of a protected target are its masks.
        desk.runs("update people p join orders o on o.id = p.id set o.note = p.email where length(p.email) > 0");
        assert_eq!(desk.raw("select note from orders where id < 3"), ["a***@example.com", "b***@example.com"]);
    });
}

#[test]
fn conditions_that_would_be_evaluated_for_hidden_rows_are_refused() {
    everywhere(|desk| {
        for sql in [
            "update orders o left join customers c on c.id = o.customer_id set c.visits = 1",
            "update customers c join orders o on concat(c.id, '') = o.customer_id set c.visits = 1",
            "update customers c join people p using (id) set c.visits = 1",
            "update customers c natural join people p set c.visits = 1",
            "update customers a, customers b set visits = 1 where a.id = b.id",
            "update ignore customers c join orders o on o.customer_id = c.id set c.region = 'US'",
            "update ignore customers set region = 'US'",
            "insert ignore into customers(id, region) values (12, 'US')",
            "replace into customers(id, region) values (2, 'EU')",
        ] {
            assert_eq!(desk.fails(sql), 1235, "{sql}");
        }
        assert_eq!(desk.fails("update customers c join orders o on o.id = c.id set c.salary = 1"), 1142);
        assert_eq!(desk.fails("update orders o join customers c on o.id = c.id set o.note = c.salary"), 1142);
        let unchanged = ["1 EU 0", "2 US 0", "3 EU 0"];
        assert_eq!(desk.raw("select id, region, visits from customers order by id"), unchanged);
    });
}

#[test]
fn delete_from_joined_tables_leaves_hidden_rows() {
    everywhere(|desk| {
        desk.runs("delete c, o from customers c join orders o on o.customer_id = c.id where o.amount >= 7");
        assert_eq!(desk.raw("select id from customers order by id"), ["1", "2"]);
        assert_eq!(desk.raw("select id from orders order by id"), ["1", "2", "3"]);
        desk.runs("delete from customers using customers join orders on customers.id = orders.customer_id");
        assert_eq!(desk.raw("select id from customers"), ["2"]);
        assert_eq!(desk.raw("select count(*) from orders"), ["3"]);
        assert_eq!(desk.fails("delete nobody from customers c join orders o on o.id = c.id"), 1146);
    });
}

#[test]
fn partitions_stay_named() {
    everywhere(|desk| {
        assert_eq!(desk.client.rows("select id from parts partition (p1)"), [["20"]]);
        desk.runs("update parts partition (p0) set v = 7");
        assert_eq!(desk.raw("select v from parts order by id"), ["7", "2"]);
        desk.runs("delete from parts partition (p1)");
        assert_eq!(desk.raw("select id from parts"), ["1"]);
    });
}

#[test]
fn a_row_that_is_there_is_updated_where_it_is_visible() {
    everywhere(|desk| {
        let upsert = "on duplicate key update visits = visits + values(visits)";
        desk.runs(&format!("insert into customers(id, region, visits) values (1, 'EU', 5), (7, 'EU', 1) {upsert}"));
        assert_eq!(desk.raw("select id, visits from customers order by id"), ["1 5", "2 0", "3 0", "7 1"]);
        // Hidden rows, and rows that would be: an error, as for a plain INSERT.
        assert_eq!(
            desk.fails(&format!("insert into customers(id, region, visits) values (2, 'EU', 5) {upsert}")),
            1242
        );
        assert_eq!(desk.fails("insert into customers(id, region) values (8, 'US')"), 1242);
        for (set, code) in [("region = 'US'", 1242), ("region = default", 1142), ("visits = default, id = 1", 1235)] {
            let sql = format!("insert into customers(id, region) values (1, 'EU') on duplicate key update {set}");
            assert_eq!(desk.fails(&sql), code, "{set}");
        }
        desk.runs(
            "insert into customers(id, region) values (1, 'EU') on duplicate key update region = 'EU', visits = 8",
        );
        desk.runs("insert into customers(id, region, visits) select id + 100, 'EU', id from orders where id = 1");
        assert_eq!(desk.fails("insert into customers(id, region) select id + 200, 'US' from orders"), 1242);
        let rows = desk.raw("select id, region, visits from customers order by id");
        assert_eq!(rows, ["1 EU 8", "2 US 0", "3 EU 0", "7 EU 1", "101 EU 1"]);
    });
}

#[test]
fn replace_and_upsert_where_keys_tell_nothing() {
    everywhere(|desk| {
        let upsert = "insert into people(id, email, code) values (2, 'q@x.y', 12) on duplicate key update n = n + 1";
        desk.runs(upsert);
        // Whether a row changes would tell whether the masked value was another one.
        assert_eq!(desk.fails(&format!("{upsert}, email = values(email)")), 1235);
        let rows = desk.raw("select id, email, code, n from people order by id");
        assert_eq!(rows, ["1 ann@example.com 11 0", "2 bob@example.com 12 1"]);
        // What is there is read as its mask.
        desk.runs("insert into people(id, code) values (1, 11) on duplicate key update n = locate('*', email)");
        assert_eq!(desk.raw("select n from people order by id"), ["2", "1"]);
        // A unique key over a masked column would tell its value; REPLACE counts rows by whether they differ.
        for sql in [
            "replace into people(id, email, code, n) values (1, 'new@x.y', 11, 3)",
            "replace into members(id) values (1)",
            "replace into members(id, email) values (1, 'a@b.c')",
            "insert into members(id, email) values (1, 'a@b.c') on duplicate key update id = 1",
            "replace into notes(id, tag) values (1, 'abcd')",
        ] {
            assert_eq!(desk.fails(sql), 1235, "{sql}");
        }
        desk.runs("replace into parts(id, v) values (1, 5)");
    });
}

#[test]
fn the_row_that_was_to_be_inserted_has_a_name_on_mysql() {
    let Some(server) = mysql() else { return };
    let mut desk = Desk::on(server);
    desk.runs("insert into people(id, n) values (1, 4) as new on duplicate key update n = new.n + people.n");
    desk.runs("insert into people(id, n) values (1, 5) as new(a, b) on duplicate key update n = b + n");
    assert_eq!(desk.raw("select n from people order by id"), ["9", "0"]);
}

#[test]
fn rows_are_checked_as_they_will_be_stored() {
    everywhere(|desk| {
        for sql in [
            "update customers set region = cast('\"EU\"' as json) where id = 1",
            "update customers set region = 0 where id = 1",
            "insert into customers(id, region) values (20, 0)",
            "insert into customers(id, region) select 21, 0",
            "insert into customers(id, region) select 22, json_quote('EU')",
        ] {
            desk.fails(sql);
        }
        desk.runs("update customers set region = x'4555' where id = 1");
        // Nor in a mode in which values are changed until they fit.
        desk.runs("set sql_mode = ''");
        for sql in
            ["update customers set region = 'EUR' where id = 1", "insert into customers(id, region) values (23, 'EU')"]
        {
            assert!(desk.client.error(sql).message.contains("STRICT_TRANS_TABLES"));
        }
        desk.runs("update customers set visits = 1 where id = 1");
        assert_eq!(desk.raw("select id, region from customers order by id"), ["1 EU", "2 US", "3 EU"]);
    });
}

#[test]
fn settings_that_masks_and_hidden_rows_depend_on_stay() {
    everywhere(|desk| {
        for sql in ["set max_join_size = 3", "set sql_big_selects = 0", "set div_precision_increment = 0"] {
            desk.fails(sql);
        }
        desk.fails("set timestamp = 1700000000");
        desk.runs("set sql_big_selects = 1");
    });
    let mut desk = Desk::on(mariadb());
    desk.fails("set default_regex_flags = 'UNGREEDY'");
}

#[test]
fn the_first_statement_is_read_as_the_server_reads_it() {
    let server = MySqlServer::with_options(&["--sql-mode=ANSI_QUOTES,STRICT_TRANS_TABLES"]);
    let mut desk = Desk::on(server);
    // A name to this server; read as a string it would be the raw column.
    desk.runs("update people set n = length(\"email\") where id = 1");
    let mut other = Desk::on(server);
    assert_eq!(other.client.rows("select \"email\" from people where id = 1"), [["a***@example.com"]]);
    // `a***@example.com` has 16 characters, the address 15.
    assert_eq!(desk.raw("select n from people where id = 1"), ["16"]);
}

#[test]
fn rules_mean_the_same_in_every_mode_or_the_table_is_refused() {
    for server in [Some(mariadb()), mysql()].into_iter().flatten() {
        let database = server.database(SCHEMA);
        let rules = RULES.replace("region = 'EU'", "not region <> 'EU' || region = 'x'");
        let proxy = MySqlProxy::start(vec![source("shop", server, TlsMode::Disable)], &rules, |_, _| {});
        let mut client = Client::connect(proxy.port, &Options::user("viewer", "viewer-pw").on(&database.name)).unwrap();
        assert_eq!(client.rows("select id from customers order by id"), [["1"], ["3"]]);
        for mode in ["HIGH_NOT_PRECEDENCE", "PIPES_AS_CONCAT"] {
            client.query(&format!("set sql_mode = '{mode},STRICT_TRANS_TABLES'")).unwrap();
            let error = client.error("select id from customers order by id");
            assert!(error.message.contains("in this `sql_mode`"), "{mode}: {error:?}");
            assert_eq!(client.rows("select n from people where id = 1"), [["0"]]);
        }
        client.query("set sql_mode = 'ANSI_QUOTES,STRICT_TRANS_TABLES'").unwrap();
        assert_eq!(client.rows("select id from \"customers\" order by id"), [["1"], ["3"]]);
    }
}

#[test]
fn what_a_write_reads_converts_no_hidden_row() {
    everywhere(|desk| {
        for condition in [
            "c.email",
            "not c.email",
            "c.email or c.id = 1",
            "c.email is true",
            "c.region in (select id from people)",
            "c.id in (select d.id from (select id, region = 'x' as b, region from customers) d where d.b = d.region)",
        ] {
            // A hidden row, and one that is not there.
            let answers = [2, 99].map(|id| {
                let text = format!(
                    "insert into orders(id, note) select 100, c.region from customers c where c.id = {id} and ({condition})"
                );
                format!("{:?}", desk.client.query(&text))
            });
            assert_eq!(answers[0], answers[1], "{condition}");
        }
    });
    let mut desk = Desk::on(mariadb());
    assert!(desk.client.error("select id from customers limit rows examined 2").message.contains("ROWS EXAMINED"));
}

#[test]
fn show_takes_conditions_on_what_it_gives() {
    everywhere(|desk| {
        let database = desk.database.name.clone();
        let count = |desk: &mut Desk, sql: &str| desk.client.rows(sql).len();
        assert_eq!(count(desk, "show variables where variable_name = 'sql_mode' or variable_name = \"autocommit\""), 2);
        assert_eq!(
            count(
                desk,
                "show session variables where variable_name not in ('version') and variable_name in ('version')"
            ),
            0
        );
        assert_eq!(count(desk, "show full tables where table_type = 'VIEW'"), 0);
        let tables = desk.client.rows(&format!(
            "show full tables from {database} where table_type <> 'VIEW' and `Tables_in_{database}` like 'p%'"
        ));
        assert_eq!(tables, [["parts", "BASE TABLE"], ["people", "BASE TABLE"]]);
        assert_eq!(count(desk, "show columns from customers where field in ('id', 'email', 'salary')"), 2);
        assert_eq!(count(desk, "show index from people where key_name = 'PRIMARY'"), 1);
        assert_eq!(count(desk, "show table status where name = 'people'"), 1);
        assert_eq!(count(desk, "show collation where charset = 'utf8mb4' and collation = 'utf8mb4_bin'"), 1);
        for sql in ["show triggers", "show events", "show procedure status", "show function status where db = 'x'"] {
            assert_eq!(count(desk, sql), 0, "{sql}");
        }
        assert_eq!(desk.client.rows(&format!("show create database {database}"))[0][0], database);
        for sql in [
            "show tables where sleep(1)",
            "show variables where (select 1)",
            "show variables where value = @x",
            "show create database nowhere",
        ] {
            desk.fails(sql);
        }
    });
}

#[test]
fn counts_and_words_of_writes_tell_nothing() {
    for server in [Some(mariadb()), mysql()].into_iter().flatten() {
        let schema = format!(
            "{SCHEMA} create table plain(id int primary key, v int);
             create trigger loud before insert on plain for each row
               set @leak = (select email from people where id = 1), new.v = if(new.v < 0, @leak, new.v)"
        );
        let database = server.database(&schema);
        let proxy = MySqlProxy::start(vec![source("shop", server, TlsMode::Disable)], RULES, |_, _| {});
        let mut client = Client::connect(proxy.port, &Options::user("viewer", "viewer-pw").on(&database.name)).unwrap();
        client.query("insert into plain values (1, 1)").unwrap();
        let error = client.error("insert into plain values (2, -1)");
        assert!(!error.message.contains("ann"), "{error:?}");
        for sql in ["select if(0, @leak := 1, 0), @leak", "select @leak"] {
            let answer = format!("{:?}", client.query(sql));
            assert!(!answer.contains("ann"), "{sql}: {answer}");
        }
        assert_eq!(client.rows("select @x := 5, @x + 1 as n"), [["5", "6"]]);
        assert!(
            client.error("replace into people(id, email) values (1, 'ann@example.com')").message.contains("REPLACE")
        );
        for mode in ["PAD_CHAR_TO_FULL_LENGTH", "SIMULTANEOUS_ASSIGNMENT"] {
            client.error(&format!("set sql_mode = '{mode}'"));
        }
    }
}

#[test]
fn locking_reads_lock_the_rows_of_protected_tables() {
    everywhere(|desk| {
        let options = Options::user("viewer", "viewer-pw").on(&desk.database.name);
        let mut other = Client::connect(desk.proxy.port, &options).unwrap();
        other.query("set innodb_lock_wait_timeout = 1").unwrap();
        desk.runs("begin");
        assert_eq!(
            desk.client.rows("select id, email from people where id = 1 for update"),
            [["1", "a***@example.com"]]
        );
        assert_eq!(other.error("select id from people where id = 1 for update nowait").sqlstate(), "HY000");
        assert_eq!(other.error("update people set n = 5 where id = 1").code, 1205);
        assert_eq!(other.rows("select id from people where id = 2 for update"), [["2"]]);
        desk.runs("rollback");
        assert_eq!(other.rows("select c.id from customers c join people p on p.id = c.id lock in share mode"), [["1"]]);
        assert_eq!(other.rows("select id from customers where id > 0 order by id for update"), [["1"], ["3"]]);
    });
}

#[test]
fn updates_in_bulk_do_not_count_what_changed() {
    let mut desk = Desk::on(mariadb());
    let head = desk.client.command(b"\x16update people set email = ? where id = 1").unwrap();
    desk.client.next().unwrap();
    let number = &head[1..5];
    let bulk = [b"\xfa", number, b"\x80\0\xfe\0\0\x0fann@example.com"].concat();
    assert_eq!(desk.client.command(&bulk).unwrap_err().code, 1295);
    let single = [b"\x17", number, b"\0\x01\0\0\0\0\x01\xfe\0\x0fann@example.com"].concat();
    assert_eq!(desk.client.command(&single).unwrap()[..2], [0, 1]);
}

#[test]
fn a_written_tables_columns_are_masked_by_whatever_name_they_go() {
    everywhere(|desk| {
        let schema = desk.database.name.clone();
        let notes = |desk: &Desk| desk.raw("select coalesce(note, '') from orders where id = 1").remove(0);
        desk.runs(&format!(
            "update {schema}.people, {schema}.orders set orders.note = {schema}.people.email where people.id = orders.id"
        ));
        assert_eq!(notes(desk), "a***@example.com");
        desk.runs(&format!("update {schema}.people set email = concat({schema}.people.email, '!') where id = 1"));
        assert_eq!(desk.raw("select email from people where id = 1"), ["a***@example.com!"]);
        let count = format!("update {schema}.people set n = 9 where {schema}.people.email like 'bob%'");
        assert_eq!(desk.client.query(&count).unwrap()[0].info.split("  ").next(), Some("Rows matched: 0"));
        desk.runs(&format!(
            "insert into {schema}.people(id) values (2) on duplicate key update n = locate('*', {schema}.people.email)"
        ));
        assert_eq!(desk.raw("select n from people where id = 2"), ["2"]);
    });
}

#[test]
fn strings_of_rules_hold_the_same_in_every_mode() {
    const RULES: &str = r#"
        [role.viewer]
        grant = [ { on = "*.*.*", allow = ["read"] } ]
        [[filter]]
        name = "patterns"
        tables = ["*.*.codes"]
        where = '''code not like 'a\_b' '''
        [[filter]]
        name = "strings"
        tables = ["*.*.others"]
        where = '''code <> 'a\\b' '''
        [[filter]]
        name = "columns"
        tables = ["*.*.pairs"]
        where = "not code like pattern"
        [[filter]]
        name = "plain"
        tables = ["*.*.plain"]
        where = "code not like 'a%' and code <> 'x'"
    "#;
    for server in [Some(mariadb()), mysql()].into_iter().flatten() {
        let tables = ["codes", "others", "pairs", "plain"].map(|name| {
            format!(
                "create table {name}(code varchar(9), pattern varchar(9)); insert into {name} values
                 (concat('a', char(95), 'b'), 'x'), (concat('a', char(92), 'b'), 'x'), ('z%', concat('z', char(92), '%')),
                 ('n', 'x');"
            )
        });
        let database = server.database(&tables.concat());
        let proxy = MySqlProxy::start(vec![source("shop", server, TlsMode::Disable)], RULES, |_, _| {});
        let mut client = Client::connect(proxy.port, &Options::user("viewer", "viewer-pw").on(&database.name)).unwrap();
        for (table, rows) in [("codes", 3), ("others", 3), ("pairs", 3), ("plain", 2)] {
            assert_eq!(client.rows(&format!("select code from {table}")).len(), rows, "{table}");
        }
        client.query("set sql_mode = 'STRICT_TRANS_TABLES,NO_BACKSLASH_ESCAPES'").unwrap();
        for table in ["codes", "others", "pairs"] {
            assert_eq!(client.error(&format!("select code from {table}")).code, 1142, "{table}");
        }
        assert_eq!(client.rows("select code from plain").len(), 2);
    }
}
