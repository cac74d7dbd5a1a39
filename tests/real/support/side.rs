//! What a client sees of a statement, as lines that can be compared: `D ` before a row, `E ` before an error, other
//! letters before the rest.

use sekisho::mysql::wire::Capabilities;

use super::mysql_client::{Client, Options};
use super::pg_client::{PostgresClient, bind, describe, execute, parse, query, show, startup, sync};

/// A connection, to a proxy or directly to a server.
pub trait Side {
    /// Runs a text as it is.
    fn run(&mut self, text: &str) -> Vec<String>;
    /// Runs a text by the messages for prepared statements.
    fn run_prepared(&mut self, text: &str, parameters: &[String]) -> Vec<String>;
    /// Ends the transaction and takes settings back; false when the connection is of no use any more.
    fn reset(&mut self) -> bool;
}

/// A connection that speaks PostgreSQL's protocol.
pub struct PostgresSide {
    client: PostgresClient,
    database: String,
    gone: bool,
}

impl PostgresSide {
    /// To a proxy before a database.
    pub fn proxy(port: u16, user: &str, database: &str) -> Self {
        Self { client: PostgresClient::connect(port, user), database: database.to_owned(), gone: false }
    }

    /// To a server, as its superuser.
    pub fn direct(port: u16, database: &str) -> Self {
        let mut client = PostgresClient::open(port);
        client.send(&[startup(3 << 16, &[("user", "postgres"), ("database", database)])]);
        client.log_in("pg-pw").unwrap();
        Self { client, database: database.to_owned(), gone: false }
    }

    fn answer(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let Some((tag, body)) = self.client.read_or_end() else {
                self.gone = true;
                lines.push("E the connection is closed".to_owned());
                return lines;
            };
            match tag {
                b'Z' => return lines,
                b'E' | b'N' => lines.push(format!("{} {}", char::from(tag), fault(&body))),
                b'S' => {}
                // Data of COPY is rows, too.
                b'd' => lines.push(format!("D {}", String::from_utf8_lossy(&body))),
                // The client has nothing to copy in.
                b'G' => self.client.send(&[super::pg_client::message(b'f', &[b"\0"])]),
                _ => lines.push(show(tag, &body).replace(&self.database, "DATABASE")),
            }
        }
    }
}

impl Side for PostgresSide {
    fn run(&mut self, text: &str) -> Vec<String> {
        self.client.send(&[query(text)]);
        self.answer()
    }

    fn run_prepared(&mut self, text: &str, parameters: &[String]) -> Vec<String> {
        let parameters: Vec<&str> = parameters.iter().map(String::as_str).collect();
        self.client.send(&[parse("", text), bind("", "", &parameters), describe(b'P', ""), execute("", 0), sync()]);
        self.answer()
    }

    fn reset(&mut self) -> bool {
        if !self.gone {
            self.run("rollback");
            self.run("discard all");
        }
        !self.gone
    }
}

/// An error's or notice's fields but for those that tell where in the text or in the server's source it was made.
fn fault(body: &[u8]) -> String {
    let fields = body.split(|byte| *byte == 0).filter(|field| !field.is_empty());
    let told = fields.filter(|field| !b"SVFLRP".contains(&field[0]));
    let told: Vec<String> = told.map(|field| String::from_utf8_lossy(&field[1..]).into_owned()).collect();
    told.join(" | ")
}

/// A connection that speaks MySQL's protocol.
pub struct MySqlSide {
    client: Client,
    database: String,
    gone: bool,
}

impl MySqlSide {
    /// To a proxy as one of its users, or to a server as its `app`.
    pub fn connect(port: u16, user: &'static str, database: &str) -> Self {
        let (password, plugin) = match user {
            "viewer" => ("viewer-pw", "caching_sha2_password"),
            "admin" => ("admin-pw", "caching_sha2_password"),
            _ => ("app-pw", "mysql_native_password"),
        };
        let options = Options::user(user, password).plugin(plugin).on(database);
        let capabilities = options.capabilities.without(Capabilities::SESSION_TRACK);
        let client = Client::connect(port, &Options { capabilities, ..options }).unwrap();
        Self { client, database: database.to_owned(), gone: false }
    }

    fn failed(&mut self, error: &sekisho::mysql::wire::err::Err) -> String {
        self.gone |= error.code == 2013;
        format!("E {} {}", error.code, error.message)
    }

    /// Reads a prepared statement's rows, which are shown as far as they are text.
    fn binary_rows(&mut self, head: &[u8], lines: &mut Vec<String>) -> Result<(), sekisho::mysql::wire::err::Err> {
        let modern = self.client.capabilities.has(Capabilities::DEPRECATE_EOF);
        for _ in 0..usize::from(head[0]) + usize::from(!modern) {
            self.client.next()?;
        }
        loop {
            let row = self.client.next()?;
            if row[0] == 0xfe {
                return Ok(());
            }
            lines.push(format!("D {}", String::from_utf8_lossy(&row[1..])));
        }
    }

    fn prepared(&mut self, text: &str, parameters: &[String]) -> Result<Vec<String>, sekisho::mysql::wire::err::Err> {
        let ready = self.client.command(&[&[0x16], text.as_bytes()].concat())?;
        let modern = self.client.capabilities.has(Capabilities::DEPRECATE_EOF);
        let number = |at: usize| usize::from(u16::from_le_bytes([ready[at], ready[at + 1]]));
        for definitions in [number(7), number(5)].into_iter().filter(|count| *count > 0) {
            for _ in 0..definitions + usize::from(!modern) {
                self.client.next()?;
            }
        }
        let mut command = [&[0x17][..], &ready[1..5], &[0, 1, 0, 0, 0]].concat();
        if !parameters.is_empty() {
            command.extend(vec![0; parameters.len().div_ceil(8)]);
            command.push(1);
            command.extend([253, 0].repeat(parameters.len()));
            for parameter in parameters {
                command.push(u8::try_from(parameter.len()).unwrap());
                command.extend(parameter.bytes());
            }
        }
        let mut lines = Vec::new();
        let head = self.client.command(&command)?;
        if head[0] == 0 {
            lines.push(format!("C {:?}", &head[1..]));
        } else {
            self.binary_rows(&head, &mut lines)?;
        }
        self.client.send(0, &[&[0x19], &ready[1..5]].concat());
        Ok(lines)
    }
}

impl Side for MySqlSide {
    fn run(&mut self, text: &str) -> Vec<String> {
        let mut lines = Vec::new();
        match self.client.query(text) {
            Ok(answers) => {
                for answer in answers {
                    for row in answer.rows {
                        let cells: Vec<String> =
                            row.into_iter().map(|cell| cell.unwrap_or("NULL".to_owned())).collect();
                        lines.push(format!("D {}", cells.join("|")));
                    }
                    lines.push(format!("C {} warnings {}", answer.warnings, answer.info));
                }
            }
            Err(error) => lines.push(self.failed(&error)),
        }
        lines
    }

    fn run_prepared(&mut self, text: &str, parameters: &[String]) -> Vec<String> {
        let answer = self.prepared(text, parameters);
        answer.unwrap_or_else(|error| vec![self.failed(&error)])
    }

    fn reset(&mut self) -> bool {
        // COM_RESET_CONNECTION rolls back, too; the database in use stays.
        let database = [&[2], self.database.as_bytes()].concat();
        !self.gone && self.client.command(&[0x1f]).is_ok() && self.client.command(&database).is_ok()
    }
}
