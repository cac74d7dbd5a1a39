//! Sessions of MySQL clients through the proxy, on MariaDB and, where it is at hand, on MySQL.

use std::time::{Duration, Instant};

use sekisho::mysql::wire::column::Column;
use sekisho::mysql::wire::compressed::Algorithm;
use sekisho::mysql::wire::{Capabilities, Reader};
use sekisho::net::TlsMode;

use crate::support::mysql_client::{Client, Options};
use crate::support::mysql_proxy::{MySqlProxy, VIEWER, source};
use crate::support::{MySqlDatabase, MySqlServer, mariadb, mysql};

const CUSTOMERS: &str = "create table customers(id int primary key, email varchar(80) unique);
    insert into customers values (1, 'hanako@example.jp'), (2, 'jun@example.jp')";

struct Setting {
    proxy: MySqlProxy,
    database: MySqlDatabase,
}

impl Setting {
    fn on(server: &'static MySqlServer) -> Self {
        let database = server.database(CUSTOMERS);
        let proxy = MySqlProxy::start(vec![source("shop", server, TlsMode::Disable)], VIEWER, |_, _| {});
        Self { proxy, database }
    }

    fn connect(&self, options: Options) -> Client {
        Client::connect(self.proxy.port, &options.on(&self.database.name)).unwrap()
    }

    fn admin(&self) -> Client {
        self.connect(Options::user("admin", "admin-pw"))
    }

    fn viewer(&self) -> Client {
        self.connect(Options::user("viewer", "viewer-pw"))
    }
}

/// Runs a test on each server at hand.
fn everywhere(test: impl Fn(&Setting)) {
    for server in [Some(mariadb()), mysql()].into_iter().flatten() {
        test(&Setting::on(server));
    }
}

const ROWS: [&[&str]; 2] = [&["1", "hanako@example.jp"], &["2", "jun@example.jp"]];
const MASKED: [&[&str]; 2] = [&["1", "h***@example.jp"], &["2", "j***@example.jp"]];

/// Capabilities of a client from before MySQL 5.7.
fn ancient(options: Options) -> Options {
    let modern = Capabilities(Capabilities::DEPRECATE_EOF.0 | Capabilities::SESSION_TRACK.0);
    Options { capabilities: options.capabilities.without(modern), ..options }
}

#[test]
fn texts_with_one_result_and_several() {
    everywhere(|setting| {
        let admin = Options::user("admin", "admin-pw");
        for options in [admin.clone(), ancient(admin)] {
            let mut client = setting.connect(options);
            assert_eq!(client.rows("select * from customers order by id"), ROWS);
            let results = client.query("select 1; select 'é', null; do 0").unwrap();
            assert_eq!(results.len(), 3);
            assert_eq!(results[1].rows, [[Some("é".to_owned()), None]]);
            assert_eq!(client.error("select nonsense").code, 1054);
            assert_eq!(client.rows("select 2"), [["2"]]);
            assert_eq!(client.rows("select * from customers where id > 5"), Vec::<Vec<String>>::new());
            let changed = client.query("update customers set email = concat(email, '')").unwrap();
            assert_eq!(changed[0].info, "Rows matched: 2  Changed: 0  Warnings: 0");
        }
    });
}

#[test]
fn a_restricted_role_sees_masks_and_errors_without_values() {
    everywhere(|setting| {
        let viewer = Options::user("viewer", "viewer-pw");
        for options in [viewer.clone(), viewer.clone().tls(), ancient(viewer)] {
            let mut client = setting.connect(options);
            assert_eq!(client.rows("select * from customers order by id"), MASKED);
            let denied = client.error("insert into customers values (3, 'hanako@example.jp')");
            assert_eq!((denied.code, denied.sqlstate()), (1142, "42000"));
            // The session goes on.
            assert_eq!(client.rows("select email from customers where id = 1"), [["h***@example.jp"]]);
            let error = client.error("insert into customers(id) values (1)");
            assert_eq!((error.code, error.sqlstate()), (1062, "23000"));
            assert!(!error.message.contains('1'), "{}", error.message);
            let warned = client.query("select id + 'x1' from customers").unwrap();
            assert_eq!((warned[0].rows.len(), warned[0].warnings), (2, 0));
        }
    });
}

#[test]
fn prepared_statements_give_binary_rows() {
    everywhere(|setting| {
        for (mut client, name) in [(setting.admin(), "hanako@example.jp"), (setting.viewer(), "h***@example.jp")] {
            let text = "select id, email from customers where id = ?";
            let statement = prepare(&mut client, text, 1, 2);
            for _ in 0..3 {
                let rows = execute(&mut client, statement, 1, 0);
                assert_eq!(rows.len(), 1);
                // A row: header, NULL bits, the number, the text with its length.
                let expected = [&[0, 0, 1, 0, 0, 0, u8::try_from(name.len()).unwrap()], name.as_bytes()].concat();
                assert_eq!(rows[0], expected);
            }
            client.send(0, &[&[0x19], &statement.to_le_bytes()[..]].concat());
            let unknown = client.command(&execute_packet(statement, 1, 0)).unwrap_err();
            assert_eq!((unknown.code, unknown.sqlstate()), (1243, "HY000"));
            assert_eq!(client.rows("select 1"), [["1"]]);
        }
    });
}

#[test]
fn cursors_are_fetched_in_pieces() {
    everywhere(|setting| {
        for modern in [true, false] {
            let options = Options::user("viewer", "viewer-pw");
            let mut client = setting.connect(if modern { options } else { ancient(options) });
            let statement = prepare(&mut client, "select id from customers where id >= ? order by id", 1, 1);
            client.send(0, &execute_packet(statement, 1, 1));
            let count = client.next().unwrap();
            assert_eq!(count, [1]);
            client.next().unwrap();
            let end = client.next().unwrap();
            assert_eq!(end[0], 0xfe);
            let mut fetched = Vec::new();
            for _ in 0..2 {
                client.send(0, &[&[0x1c], &statement.to_le_bytes()[..], &1_u32.to_le_bytes()].concat());
                fetched.push(client.next().unwrap()[2]);
                assert_eq!(client.next().unwrap()[0], 0xfe);
            }
            assert_eq!(fetched, [1, 2]);
        }
    });
}

#[test]
fn long_data_and_long_rows_pass_as_a_stream() {
    everywhere(|setting| {
        setting.database.execute("set global max_allowed_packet = 134217728; create table blobs(id int, b longblob)");
        let mut client = setting.admin();
        let statement = prepare(&mut client, "insert into blobs values (?, ?)", 2, 0);
        let piece = vec![b'x'; 3_000_000];
        for _ in 0..7 {
            client.send(0, &[&[0x18], &statement.to_le_bytes()[..], &[1, 0], &piece].concat());
        }
        // One bit of NULL for each parameter, types, the number; the text was sent before.
        let mut execute =
            [&[0x17], &statement.to_le_bytes()[..], &[0, 1, 0, 0, 0, 0, 1, 3, 0, 0xfc, 0, 1, 0, 0, 0]].concat();
        assert_eq!(client.command(&execute).unwrap()[0], 0);
        // The same in one packet of more than 16 MiB.
        execute[12] = 0xfc;
        let long = [&execute[..15], &[2, 0, 0, 0, 0xfd, 0xff, 0xff, 0xff], &vec![b'y'; 0xff_ffff]].concat();
        let _ = long;
        assert_eq!(client.rows("select length(b) from blobs"), [["21000000"]]);
        let rows = client.rows("select b from blobs");
        assert_eq!(rows[0][0].len(), 21_000_000);
        let text = format!("insert into blobs values (3, '{}')", "z".repeat(17_000_000));
        client.query(&text).unwrap();
        assert_eq!(client.rows("select id, length(b) from blobs order by id desc limit 1"), [["3", "17000000"]]);
        setting.database.execute("drop table blobs");
    });
}

#[test]
fn compressed_connections_work_like_others() {
    everywhere(|setting| {
        for algorithm in [Algorithm::Zlib, Algorithm::Zstd] {
            for tls in [false, true] {
                let options = Options { compression: Some(algorithm), tls, ..Options::user("viewer", "viewer-pw") };
                let mut client = setting.connect(options);
                assert_eq!(client.rows("select * from customers order by id"), MASKED);
                let long = client.rows("select repeat('sekisho ', 500000)");
                assert_eq!(long[0][0].len(), 4_000_000);
                let text = format!("select length('{}')", "abc".repeat(400_000));
                assert_eq!(client.rows(&text), [["1200000"]]);
            }
        }
    });
}

#[test]
fn kills_reach_the_right_session() {
    everywhere(|setting| {
        for command in [false, true] {
            let mut victim = setting.viewer();
            let number = victim.greeting.connection;
            victim.rows("select 1");
            let begun = Instant::now();
            victim.send(0, b"\x03select sleep(15) from customers where id = 1");
            std::thread::sleep(Duration::from_millis(300));
            let mut killer = setting.viewer();
            if command {
                assert_eq!(killer.command(&[&[0x0c], &number.to_le_bytes()[..]].concat()).unwrap()[0], 0);
                assert!(victim.next().is_err());
                assert!(victim.query("select 1").is_err());
            } else {
                killer.query(&format!("kill query {number}")).unwrap();
                // MariaDB's sleep() is interrupted with an error, MySQL's gives 1.
                drop(victim.next());
            }
            assert!(begun.elapsed() < Duration::from_secs(8));
            let foreign = setting.admin().greeting.connection;
            assert_eq!(killer.error(&format!("kill {foreign}")).code, 1094);
            assert_eq!(killer.error("kill 999999999").code, 1094);
        }
    });
}

#[test]
fn a_client_that_goes_takes_its_statement_along() {
    everywhere(|setting| {
        let mut client = setting.admin();
        client.send(0, b"\x03select sleep(33.25)");
        let running = "select count(*) from information_schema.processlist where info like '%sleep(33.25)%' and info not like '%processlist%'";
        wait_for(|| setting.database.rows(running) == [["1"]]);
        drop(client);
        wait_for(|| setting.database.rows(running) == [["0"]]);
    });
}

fn wait_for(condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn users_and_sessions_can_begin_anew() {
    everywhere(|setting| {
        let mut client = setting.admin();
        client.query("set @a = 5").unwrap();
        assert_eq!(client.command(&[0x1f]).unwrap()[0], 0);
        assert_eq!(client.rows("select @a"), [["NULL"]]);
        assert_eq!(client.rows("select database()"), [[setting.database.name.clone()]]);
        change_user(&mut client, "viewer", &setting.database.name, "viewer-pw").unwrap();
        assert_eq!(client.rows("select * from customers order by id"), MASKED);
        assert_eq!(client.command(&[0x1f]).unwrap()[0], 0);
        assert_eq!(client.rows("select * from customers order by id"), MASKED);
        let error = change_user(&mut client, "admin", "", "wrong").unwrap_err();
        assert_eq!(error.code, 1045);
        assert!(client.query("select 1").is_err());
    });
}

#[test]
fn roles_change_outside_of_transactions() {
    everywhere(|setting| {
        let mut client = setting.admin();
        assert_eq!(client.rows("select * from customers order by id"), ROWS);
        client.query("set @leak = (select email from customers where id = 1)").unwrap();
        client.query("begin").unwrap();
        assert_eq!(client.error("set role viewer").sqlstate(), "25001");
        client.query("rollback").unwrap();
        client.query("set role viewer").unwrap();
        assert_eq!(client.rows("select * from customers order by id"), MASKED);
        assert_eq!(client.rows("select database()"), [[setting.database.name.clone()]]);
    });
}

#[test]
fn sessions_move_to_the_server_that_has_the_database() {
    let (here, there) = (mariadb().database("create table a(x int)"), mariadb().database("create table b(x int)"));
    let sources = vec![source("one", mariadb(), TlsMode::Disable), source("two", mariadb(), TlsMode::Disable)];
    let proxy = MySqlProxy::start(sources, VIEWER, |_, _| {});
    // One server stands for two: each source's catalog is left with one of the databases.
    for (name, kept) in [("one", &here), ("two", &there)] {
        let source = &proxy.node.sources[name];
        source.catalog.replace(crate::support::mysql_proxy::only(source, &kept.name));
    }
    let mut client = Client::connect(proxy.port, &Options::user("admin", "admin-pw").on(&here.name)).unwrap();
    assert_eq!(client.rows("select database()"), [[here.name.clone()]]);
    client.query("begin").unwrap();
    assert_eq!(client.error(&format!("use {}", there.name)).sqlstate(), "25001");
    client.query("rollback").unwrap();
    client.query(&format!("use {}", there.name)).unwrap();
    assert_eq!(client.rows("select database()"), [[there.name.clone()]]);
    assert_eq!(client.command(&[&[2], here.name.as_bytes()].concat()).unwrap()[0], 0);
    assert_eq!(client.rows("select database()"), [[here.name.clone()]]);
    let opened: Vec<_> =
        proxy.records().into_iter().filter(|r| r["kind"] == "statement").map(|r| r["source"].clone()).collect();
    assert!(opened.contains(&"one".into()) && opened.contains(&"two".into()));
}

#[test]
fn commands_that_are_not_passed_are_refused() {
    everywhere(|setting| {
        let mut client = setting.admin();
        for command in [0x05, 0x06, 0x07, 0x08, 0x0a, 0x0d, 0x12, 0x13, 0x14, 0x15, 0x1d, 0x1e, 0x20, 0x63] {
            let error = client.command(&[command, 1, 2, 3]).unwrap_err();
            assert_eq!((error.code, error.sqlstate()), (1235, "42000"), "{command:#x}");
        }
        assert_eq!(client.command(&[0x0e]).unwrap()[0], 0);
        assert!(client.command(&[0x09]).unwrap().starts_with(b"Uptime"));
        assert_eq!(client.rows("select 1"), [["1"]]);
    });
}

#[test]
fn columns_are_listed_as_the_role_sees_them() {
    everywhere(|setting| {
        for mut client in
            [setting.admin(), setting.viewer(), setting.connect(ancient(Options::user("viewer", "viewer-pw")))]
        {
            client.send(0, b"\x04customers\0");
            let mut names = Vec::new();
            loop {
                let packet = client.next().unwrap();
                if packet[0] == 0xfe {
                    break;
                }
                names.push(String::from_utf8(Column::read(&packet).unwrap().name.to_vec()).unwrap());
            }
            assert_eq!(names, ["id", "email"]);
        }
        assert_eq!(setting.viewer().command(b"\x04nothing\0").unwrap_err().code, 1146);
    });
}

#[test]
fn definitions_of_columns_may_be_left_out_where_nothing_is_protected() {
    let Some(server) = mysql() else { return };
    let setting = Setting::on(server);
    for user in ["admin", "viewer"] {
        let options = Options::user(user, if user == "admin" { "admin-pw" } else { "viewer-pw" });
        let optional = options.capabilities | Capabilities::OPTIONAL_METADATA | Capabilities::QUERY_ATTRIBUTES;
        let mut client = setting.connect(Options { capabilities: optional, ..options });
        assert_eq!(client.command(b"\x03\0\x01select 1, 2").unwrap(), [2, 1]);
        for _ in 0..4 {
            client.next().unwrap();
        }
        let left_out = client.command(b"\x03\0\x01set resultset_metadata = none");
        assert_eq!(left_out.is_ok(), user == "admin");
        if user == "admin" {
            assert_eq!(client.command(b"\x03\0\x01select 1, 2").unwrap(), [2, 0]);
            assert_eq!(client.next().unwrap(), b"\x011\x012");
        }
    }
}

#[test]
fn a_text_begins_where_the_server_thinks_it_begins() {
    let Some(server) = mysql() else { return };
    let setting = Setting::on(server);
    let connect = || {
        let options = Options::user("viewer", "viewer-pw");
        setting.connect(Options { capabilities: options.capabilities | Capabilities::QUERY_ATTRIBUTES, ..options })
    };
    // What a reader makes of the eight bytes decides where the text begins, whatever their type.
    let value = b"\x07\0\0\0\0\0\0\0";
    let mut read = 0;
    for kind in 0..=255 {
        for flags in [0, 0x80, 1, 0x7f] {
            let head = [b"\x03\x01\x01\0\x01", &[kind, flags][..], b"\x01n", value].concat();
            if let Ok(answers) = connect().query_behind(&head, "select 'one'") {
                assert_eq!(answers[0].rows, [[Some("one".to_owned())]], "{kind} {flags}");
                read += 1;
            }
        }
    }
    // Numbers of eight bytes, strings of seven.
    assert_eq!(read, 2 * 10);
    let hidden = "select concat(email, 'x') from customers -- ";
    let length = u8::try_from(hidden.len()).unwrap();
    for flags in [0, 1] {
        let mut head = vec![3, 2, 1, 0, 1, 8, flags, 1, b'a', 0xfe, 0, 1, b'b'];
        head.extend(b"\0\x07AAAAAA");
        head.push(length);
        head.extend(hidden.as_bytes());
        match connect().query_behind(&head, "select 1") {
            Ok(answers) => assert_eq!((flags, &*answers[0].labels), (0, &["1".to_owned()][..])),
            Err(error) => assert_eq!((flags, error.code), (1, 1835)),
        }
    }
}

#[test]
fn how_the_server_reads_is_known_after_a_setting_that_failed_half_way() {
    everywhere(|setting| {
        let mut client = setting.viewer();
        for sql in [
            "set sql_mode = 'NO_BACKSLASH_ESCAPES', rand_seed1 = default",
            "set sql_mode = 'ANSI_QUOTES', time_zone = 'Nowhere/Town'",
        ] {
            client.error(sql);
        }
        let mode = client.rows("select @@sql_mode").remove(0).remove(0);
        let attack = "select 'a\\', concat(email,'!') from customers -- '";
        match client.query(attack) {
            Ok(answers) if mode.contains("NO_BACKSLASH_ESCAPES") => assert!(!format!("{answers:?}").contains("ann")),
            Ok(answers) => assert_eq!(answers[0].rows[0].len(), 1),
            Err(_) => {}
        }
        for mode in ["ALL", "4", "no_such_mode", "NO_BACKSLASH_ESCAPES,ALL", "ANSI", "DEFAULT"] {
            client.error(&format!("set sql_mode = '{mode}'"));
        }
        for sql in ["set sql_select_limit = 0", "set sql_select_limit = 00", "set sql_select_limit = 1 - 1"] {
            assert_eq!(client.error(sql).code, 1235, "{sql}");
        }
        client.query("set sql_select_limit = 1").unwrap();
        client.query("set sql_mode = 'STRICT_TRANS_TABLES,NO_BACKSLASH_ESCAPES'").unwrap();
        client.query("set sql_select_limit = default").unwrap();
        client.query("set sql_select_limit = 18446744073709551615").unwrap();
        assert_eq!(client.rows("select 'a\\'"), [["a\\"]]);
    });
}

#[test]
fn local_files_are_for_unrestricted_roles() {
    everywhere(|setting| {
        setting.database.execute("create table loaded(a int)");
        let text = "load data local infile 'x' into table loaded";
        let mut client = setting.admin();
        assert_eq!(client.command(&[&[3], text.as_bytes()].concat()).unwrap(), b"\xfbx");
        client.send(2, b"1\n2\n");
        client.send(3, b"");
        assert_eq!(client.next().unwrap()[..2], [0, 2]);
        assert_eq!(client.rows("select count(*) from loaded"), [["2"]]);
        assert!(setting.viewer().query(text).is_err());
    });
}

/// A proxy to try by hand: `SEKISHO_TEST_PROXY_PORT=… cargo test --test real mysql_sessions::by_hand -- --ignored`.
/// It listens until the process is ended.
#[test]
#[ignore = "runs until it is stopped"]
fn by_hand() {
    let server = mysql().unwrap_or_else(mariadb);
    let database = server.database(CUSTOMERS);
    let proxy = MySqlProxy::start(vec![source("shop", server, TlsMode::Disable)], VIEWER, |_, _| {});
    eprintln!("port {} database {}", proxy.port, database.name);
    loop {
        std::thread::park();
    }
}

/// Prepares a text and gives its number, after its definitions.
fn prepare(client: &mut Client, text: &str, parameters: u16, columns: u16) -> u32 {
    let head = client.command(&[&[0x16], text.as_bytes()].concat()).unwrap();
    let mut reader = Reader::new(&head[1..]);
    let statement = reader.u32().unwrap();
    assert_eq!((reader.u16().unwrap(), reader.u16().unwrap()), (columns, parameters));
    let old = u16::from(!client.capabilities.has(Capabilities::DEPRECATE_EOF));
    for count in [parameters, columns] {
        for _ in 0..if count == 0 { 0 } else { count + old } {
            client.next().unwrap();
        }
    }
    statement
}

/// An execution with one integer.
fn execute_packet(statement: u32, value: u32, flags: u8) -> Vec<u8> {
    [&[0x17], &statement.to_le_bytes()[..], &[flags, 1, 0, 0, 0, 0, 1, 3, 0], &value.to_le_bytes()].concat()
}

fn execute(client: &mut Client, statement: u32, value: u32, flags: u8) -> Vec<Vec<u8>> {
    let count = client.command(&execute_packet(statement, value, flags)).unwrap();
    for _ in 0..count[0] {
        client.next().unwrap();
    }
    let mut rows = Vec::new();
    loop {
        let row = client.next().unwrap();
        if row[0] == 0xfe {
            return rows;
        }
        rows.push(row);
    }
}

fn change_user(
    client: &mut Client,
    user: &str,
    database: &str,
    password: &str,
) -> Result<(), sekisho::mysql::wire::err::Err> {
    let payload =
        [&[0x11], user.as_bytes(), &[0, 0], database.as_bytes(), &[0, 45, 0], b"caching_sha2_password\0"].concat();
    let switch = client.command(&payload)?;
    let mut reader = Reader::new(&switch[1..]);
    reader.nul_bytes().unwrap();
    let nonce = reader.nul_bytes().unwrap();
    client.send(2, &sekisho::auth::caching_sha2_password::scramble(password.as_bytes(), nonce));
    let mut sequence = 4;
    loop {
        let packet = client.next()?;
        match packet[..] {
            [0, ..] => return Ok(()),
            [1, 3] => {}
            [1, 4] => client.send(sequence, &[2]),
            _ => {
                sequence += 2;
                let sealed = sekisho::auth::caching_sha2_password::seal(&packet[1..], password.as_bytes(), nonce);
                client.send(sequence, &sealed.unwrap());
            }
        }
    }
}

#[test]
fn each_statement_that_was_permitted_has_a_result_in_the_log() {
    let server = mariadb();
    let (one, two) = (server.database("create table t(n int)"), server.database("select 1"));
    let proxy = MySqlProxy::start(vec![source("shop", server, TlsMode::Disable)], VIEWER, |_, _| {});
    let mut client = Client::connect(proxy.port, &Options::user("admin", "admin-pw").on(&one.name)).unwrap();
    client.query("select 1").unwrap();
    client.error("select nothing");
    client.error(&format!("kill query {}", client.greeting.connection));
    client.query(&format!("use {}", two.name)).unwrap();
    client.command(&[&[2], one.name.as_bytes()].concat()).unwrap();
    client.query("set role viewer").unwrap();
    client.query("select n from t").unwrap();
    drop(client);
    std::thread::sleep(std::time::Duration::from_millis(300));
    let records = proxy.records();
    let permitted: Vec<_> = records.iter().filter(|record| record["verdict"] == "permitted").collect();
    assert!(permitted.len() >= 7, "{permitted:#?}");
    for statement in permitted {
        let ended = records.iter().filter(|r| r["kind"] == "result" && r["statement"] == statement["seq"]).count();
        assert_eq!(ended, 1, "{statement}");
    }
}
