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

/// `COM_STMT_EXECUTE` with one parameter that is a number; `types` is whether it says so.
fn execute_with(client: &mut Client, number: u32, types: bool, value: Option<i32>) -> Result<usize, String> {
    let bound: &[u8] = if types { &[1, 3, 0] } else { &[0] };
    let value = value.map(i32::to_le_bytes);
    let head = [&[0x17][..], &number.to_le_bytes(), &[0], &1_u32.to_le_bytes(), &[0], bound].concat();
    client.send(0, &[&head[..], value.as_ref().map_or(&[], |value| &value[..])].concat());
    client.next().map_err(|error| error.message)?;
    client.next().map_err(|error| error.message)?;
    if !client.capabilities.has(Capabilities::DEPRECATE_EOF) {
        client.next().map_err(|error| error.message)?;
    }
    rows(client)
}

fn prepare_with_parameter(client: &mut Client, sql: &str) -> u32 {
    let modern = client.capabilities.has(Capabilities::DEPRECATE_EOF);
    let ready = client.command(&[b"\x16", sql.as_bytes()].concat()).unwrap();
    // The parameter, a column, and what ends each of them.
    for _ in 0..if modern { 2 } else { 4 } {
        client.next().unwrap();
    }
    u32::from_le_bytes(ready[1..5].try_into().unwrap())
}

#[test]
fn executions_that_the_planner_was_not_asked_about_do_not_run_under_max_cost() {
    let unlimited = "max_rows = 100000";
    let unasked = "statement refused: the planner cannot be asked about a text ";
    everywhere(unlimited, |setting| {
        for user in ["viewer", "admin"] {
            let mut client = setting.connect(user);
            let select = "select pad from numbers where n < ?";
            let number = prepare_with_parameter(&mut client, select);
            assert_eq!(execute_with(&mut client, number, true, Some(900)), Ok(900));
            let limit =
                |limit: &str| format!("{VIEWER}[[limit]]\nname = 'small'\nroles = ['viewer', 'admin']\n{limit}\n");
            setting.proxy.reload(&limit("max_cost = 100000"));
            // The types of its parameters were told before, and not to the planner.
            let refused = execute_with(&mut client, number, false, Some(900)).unwrap_err();
            assert!(refused.starts_with(unasked), "{refused}");
            assert_eq!(execute_with(&mut client, number, true, Some(5)), Ok(5));
            assert_eq!(execute_with(&mut client, number, false, Some(6)), Ok(6));
            // A value that came ahead is refused, and is not there for the next execution.
            client.send(0, &[&[0x18][..], &number.to_le_bytes(), &[0, 0], b"900"].concat());
            let refused = execute_with(&mut client, number, true, None).unwrap_err();
            assert!(refused.starts_with(unasked), "{refused}");
            assert_eq!(execute_with(&mut client, number, true, Some(7)), Ok(7));
            setting.proxy.reload(&limit(unlimited));
        }
    });
}

#[test]
fn a_result_that_the_client_does_not_read_is_stopped_in_time() {
    let slow = "select a.pad from numbers a, numbers b";
    let begun_by = |setting: &Setting| {
        let sql = "select count(*) from information_schema.processlist where info like 'select a.pad from%'";
        setting.database.rows(sql)[0][0].parse::<u32>().unwrap()
    };
    everywhere("statement_timeout = '300ms'\nmax_concurrent = 1", |setting| {
        let mut lazy = setting.connect("viewer");
        lazy.send(0, &[b"\x03", slow.as_bytes()].concat());
        std::thread::sleep(Duration::from_millis(1500));
        // Its turn is over, though it has not read a row.
        let mut other = setting.connect("viewer");
        assert_eq!(other.rows("select 1"), [["1"]]);
        let until = Instant::now() + Duration::from_secs(20);
        while begun_by(setting) > 0 {
            assert!(Instant::now() < until, "the server still writes");
            std::thread::sleep(Duration::from_millis(200));
        }
        drop(lazy);
        // One that reads slowly is told.
        let mut slow_reader = setting.connect("viewer");
        slow_reader.send(0, &[b"\x03", slow.as_bytes()].concat());
        std::thread::sleep(Duration::from_millis(1500));
        let error = loop {
            if let Err(error) = slow_reader.next() {
                break error;
            }
        };
        assert_eq!(error.code, 3024, "{error:?}");
        assert_eq!(slow_reader.rows("select 2"), [["2"]]);
    });
}

#[test]
fn cursors_that_are_open_when_the_rules_change_give_no_more_rows_of_the_old_rules() {
    everywhere("max_rows = 100000", |setting| {
        let mut client = setting.connect("viewer");
        let number = prepare(&mut client, "select concat(pad, '') from numbers order by n");
        let other = prepare(&mut client, "select 1 from dual where 1 = 1");
        assert_eq!(execute(&mut client, number, 1), Ok(0));
        assert_eq!(fetch(&mut client, number, 3), Ok(3));
        assert_eq!(execute(&mut client, other, 1), Ok(0));
        setting.proxy.reload(&format!("{VIEWER}[[protect]]\nname = 'pads'\ncolumns = ['*.*.*.pad']\nmask = 'null'\n"));
        let refused = fetch(&mut client, number, 3).unwrap_err();
        assert!(refused.starts_with("cursor was opened under rules that have changed since"), "{refused}");
        assert_eq!(fetch(&mut client, other, 3), Ok(1));
        assert_eq!(client.rows("select 5"), [["5"]]);
    });
}

#[test]
fn a_client_that_went_away_is_noticed_while_the_planner_waits_for_a_lock() {
    everywhere("max_cost = 1000000", |setting| {
        let waiting = || {
            let sql = "select count(*) from information_schema.processlist where info like 'EXPLAIN%numbers%'";
            setting.database.rows(sql)[0][0].parse::<u32>().unwrap()
        };
        let mut locker = setting.connect("admin");
        locker.query("lock tables numbers write").unwrap();
        let mut client = setting.connect("viewer");
        client.send(0, b"\x03select n from numbers where n = 7");
        let asked = Instant::now() + Duration::from_secs(5);
        while waiting() == 0 {
            assert!(Instant::now() < asked, "the planner is asked");
            std::thread::sleep(Duration::from_millis(50));
        }
        drop(client);
        let gone = Instant::now() + Duration::from_secs(5);
        while waiting() > 0 {
            assert!(Instant::now() < gone, "the question is still there");
            std::thread::sleep(Duration::from_millis(50));
        }
        locker.query("unlock tables").unwrap();
    });
}
