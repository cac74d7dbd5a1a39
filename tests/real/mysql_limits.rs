//! `[[limit]]` on MySQL and MariaDB, against real servers.

use std::time::{Duration, Instant};

use sekisho::mysql::wire::Capabilities;
use sekisho::net::TlsMode;

use crate::support::mysql_client::{Client, Options};
use crate::support::mysql_proxy::{MySqlProxy, VIEWER, source};
use crate::support::{MySqlDatabase, MySqlServer, mariadb, mysql};

const NUMBERS: &str = "create table numbers(n int primary key, pad varchar(100));
    insert into numbers select a.n * 100 + b.n * 10 + c.n, repeat('x', 100)
      from (select 0 n union select 1 union select 2 union select 3 union select 4 union select 5 union select 6
            union select 7 union select 8 union select 9) a,
           (select 0 n union select 1 union select 2 union select 3 union select 4 union select 5 union select 6
            union select 7 union select 8 union select 9) b,
           (select 0 n union select 1 union select 2 union select 3 union select 4 union select 5 union select 6
            union select 7 union select 8 union select 9) c;
    analyze table numbers";

struct Setting {
    proxy: MySqlProxy,
    database: MySqlDatabase,
}

impl Setting {
    fn on(server: &'static MySqlServer, limit: &str) -> Self {
        let database = server.database(NUMBERS);
        let rules = format!(
            "{VIEWER}[[limit]]\nname = 'small'\nowner = 'data platform'\nroles = ['viewer', 'admin']\n{limit}\n"
        );
        let proxy = MySqlProxy::start(vec![source("shop", server, TlsMode::Disable)], &rules, |_, _| {});
        Self { proxy, database }
    }

    fn connect(&self, user: &str) -> Client {
        let options = match user {
            "admin" => Options::user("admin", "admin-pw"),
            _ => Options::user("viewer", "viewer-pw"),
        };
        Client::connect(self.proxy.port, &options.on(&self.database.name)).unwrap()
    }
}

fn everywhere(limit: &str, test: impl Fn(&Setting)) {
    for server in [Some(mariadb()), mysql()].into_iter().flatten() {
        test(&Setting::on(server, limit));
    }
}

const CUT: &str = "result cut off: it has more than 10 rows, the `max_rows` of limit `small`; rule `small`, owned by \
                   data platform; add a condition or a LIMIT, or ask data platform";

#[test]
fn a_result_over_max_rows_is_cut_off() {
    everywhere("max_rows = 10", |setting| {
        for user in ["viewer", "admin"] {
            let mut client = setting.connect(user);
            for _ in 0..10 {
                let error = client.error("select n from numbers");
                assert_eq!((error.code, error.sqlstate(), &*error.message), (1317, "70100", CUT));
                assert_eq!(client.rows("select n from numbers where n < 10").len(), 10);
                // Few enough rows that the server has sent all before it can be told to stop.
                assert_eq!(client.error("select n from numbers where n < 12").code, 1317);
                assert_eq!(client.rows("select 1"), [["1"]]);
            }
            // Rows that went out before the error, and one error in the place of all that follows.
            client.send(0, b"\x03select n from numbers");
            let mut packets = 0;
            while client.next().is_ok() {
                packets += 1;
            }
            assert!((12..=13).contains(&packets), "{packets} packets: count, definition, rows");
            assert_eq!(client.rows("select 2"), [["2"]]);
            client.query("begin").unwrap();
            assert_eq!(client.error("select n from numbers").code, 1317);
            client.query("rollback").unwrap();
        }
        let records = setting.proxy.records();
        let result = records.iter().find(|r| r["kind"] == "result" && r["limit"] == "max_rows").unwrap();
        assert_eq!((&result["rule"], &result["rows"]), (&"small".into(), &10.into()));
    });
}

#[test]
fn results_of_one_text_are_limited_one_by_one() {
    everywhere("max_rows = 10", |setting| {
        let options = Options::user("viewer", "viewer-pw").on(&setting.database.name);
        let options = Options { capabilities: options.capabilities | Capabilities::MULTI_STATEMENTS, ..options };
        let mut client = Client::connect(setting.proxy.port, &options).unwrap();
        let eight = "select n from numbers where n < 8";
        assert_eq!(client.query(&format!("{eight}; {eight}")).unwrap().len(), 2);
        let error = client.query(&format!("{eight}; select n from numbers; {eight}")).unwrap_err();
        assert_eq!(&*error.message, CUT);
        assert_eq!(client.rows("select 3"), [["3"]]);
    });
}

#[test]
fn prepared_statements_and_their_cursors_are_cut_off() {
    everywhere("max_rows = 10", |setting| {
        for user in ["viewer", "admin"] {
            let mut client = setting.connect(user);
            let number = prepare(&mut client, "select n from numbers");
            assert_eq!(execute(&mut client, number, 0), Err(CUT.to_owned()));
            // With a cursor: fetches are counted together.
            assert_eq!(execute(&mut client, number, 1), Ok(0));
            assert_eq!(fetch(&mut client, number, 6), Ok(6));
            assert_eq!(fetch(&mut client, number, 6), Err(CUT.to_owned()));
            assert_eq!(client.rows("select 4"), [["4"]]);
            assert_eq!(execute(&mut client, number, 1), Ok(0));
            assert_eq!(fetch(&mut client, number, 10), Ok(10));
        }
    });
}

fn prepare(client: &mut Client, sql: &str) -> u32 {
    client.send(0, &[b"\x16", sql.as_bytes()].concat());
    let first = client.next().unwrap();
    let number = u32::from_le_bytes(first[1..5].try_into().unwrap());
    // One column, and an EOF packet for clients that want one.
    client.next().unwrap();
    if !client.capabilities.has(Capabilities::DEPRECATE_EOF) {
        client.next().unwrap();
    }
    number
}

/// The number of rows, or the error's words.
fn execute(client: &mut Client, number: u32, cursor: u8) -> Result<usize, String> {
    client.send(0, &[&[0x17][..], &number.to_le_bytes(), &[cursor], &1_u32.to_le_bytes()].concat());
    client.next().map_err(|error| error.message)?;
    client.next().map_err(|error| error.message)?;
    if !client.capabilities.has(Capabilities::DEPRECATE_EOF) {
        let eof = client.next().map_err(|error| error.message)?;
        if cursor != 0 && eof[0] == 0xfe {
            return Ok(0);
        }
    }
    rows(client)
}

fn fetch(client: &mut Client, number: u32, count: u32) -> Result<usize, String> {
    client.send(0, &[&[0x1c][..], &number.to_le_bytes(), &count.to_le_bytes()].concat());
    rows(client)
}

fn rows(client: &mut Client) -> Result<usize, String> {
    let mut rows = 0;
    loop {
        let packet = client.next().map_err(|error| error.message)?;
        if packet[0] == 0xfe {
            return Ok(rows);
        }
        rows += 1;
    }
}

#[test]
fn a_statement_that_runs_too_long_is_killed_and_the_session_goes_on() {
    let slow = "select count(*) from numbers a, numbers b, numbers c where a.pad <> concat(b.pad, c.pad)";
    everywhere("statement_timeout = '300ms'", |setting| {
        for user in ["viewer", "admin"] {
            let mut client = setting.connect(user);
            let begun = Instant::now();
            let error = client.error(slow);
            let late = "statement cancelled: it ran longer than 300ms, the `statement_timeout` of limit `small`";
            assert!(error.code == 3024 && error.message.starts_with(late), "{error:?}");
            assert!((300..5000).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
            let number = prepare(&mut client, slow);
            let error = execute(&mut client, number, 0).unwrap_err();
            assert!(error.starts_with(late), "{error}");
            assert_eq!(client.rows("select 5"), [["5"]]);
            std::thread::sleep(Duration::from_millis(400));
            assert_eq!(client.rows("select 6"), [["6"]]);
        }
        let running = setting.database.rows("select count(*) from information_schema.processlist where info like '%a.pad <>%' and info not like '%processlist%'");
        assert_eq!(running, [["0"]]);
    });
}

#[test]
fn bytes_are_counted_for_each_result() {
    everywhere("max_bytes = '2KB'", |setting| {
        let mut client = setting.connect("viewer");
        let error = client.error("select pad from numbers");
        assert!(error.message.starts_with("result cut off: it has more than 2000 bytes"), "{error:?}");
        assert_eq!(client.rows("select pad from numbers limit 15").len(), 15);
    });
}

#[test]
fn statements_over_max_concurrent_are_refused_and_addresses_and_hours_hold() {
    everywhere("max_concurrent = 1", |setting| {
        let (mut first, mut second, mut third) =
            (setting.connect("admin"), setting.connect("admin"), setting.connect("admin"));
        first.send(0, b"\x03select sleep(1)");
        std::thread::sleep(Duration::from_millis(200));
        second.send(0, b"\x03select 2");
        std::thread::sleep(Duration::from_millis(200));
        let error = third.error("select 3");
        assert!(error.code == 1226 && error.message.contains("`max_concurrent` 1"), "{error:?}");
        third.query("begin").unwrap();
        for client in [&mut first, &mut second] {
            while client.next().unwrap()[0] != 0xfe {}
        }
        assert_eq!(third.rows("select 3"), [["3"]]);
    });
    everywhere("from = '10.0.0.0/8'", |setting| {
        let options = Options::user("viewer", "viewer-pw").on(&setting.database.name);
        let error = Client::connect(setting.proxy.port, &options).err().unwrap();
        let expected = "refused: you come from 127.0.0.1, and `from` of limit `small` is 10.0.0.0/8";
        assert!(error.code == 1045 && error.message.starts_with(expected), "{error:?}");
    });
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let tomorrow = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][usize::try_from((now / 86400 + 1) % 7).unwrap()];
    everywhere(&format!("hours = '{tomorrow} 23:58-23:59'"), |setting| {
        let options = Options::user("viewer", "viewer-pw").on(&setting.database.name);
        let error = Client::connect(setting.proxy.port, &options).err().unwrap();
        assert!(error.message.contains("`hours` of limit `small` are"), "{error:?}");
    });
}
