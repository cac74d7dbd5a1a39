//! What a client sees of a statement, as lines that can be compared.

use sekisho::mysql::wire::Capabilities;

use crate::support::mysql_client::{Client, Options};
use crate::support::pg_client::{PostgresClient, query, show, startup};

/// A connection, to a proxy or directly to a server.
pub trait Side {
    /// Runs the texts one after the other, inside a transaction that is rolled back or each on its own.
    fn run(&mut self, texts: &[String], rolled_back: bool) -> Outcome;
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Rows in order of their text, then everything else in its order.
    pub lines: Vec<String>,
    /// SQLSTATE and message of the first error.
    pub error: Option<String>,
}

impl Outcome {
    /// The rows alone.
    pub fn rows(&self) -> Vec<&String> {
        self.lines.iter().filter(|line| line.starts_with("D ")).collect()
    }

    fn of(mut lines: Vec<String>, database: &str) -> Self {
        for line in &mut lines {
            *line = line.replace(database, "DATABASE");
        }
        let error = lines.iter().find(|line| line.starts_with("E ")).cloned();
        let (mut rows, rest): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| line.starts_with("D "));
        rows.sort();
        rows.extend(rest);
        Self { lines: rows, error }
    }
}

/// A connection that speaks PostgreSQL's protocol.
pub struct PostgresSide {
    client: PostgresClient,
    database: String,
}

impl PostgresSide {
    /// To a proxy, as the user `viewer`.
    pub fn proxy(port: u16, database: &str) -> Self {
        Self { client: PostgresClient::connect(port, "viewer"), database: database.to_owned() }
    }

    /// To a server.
    pub fn direct(port: u16, database: &str) -> Self {
        let mut client = PostgresClient::open(port);
        client.send(&[startup(3 << 16, &[("user", "postgres"), ("database", database)])]);
        client.log_in("pg-pw").unwrap();
        Self { client, database: database.to_owned() }
    }

    fn answer(&mut self, text: &str, lines: &mut Vec<String>) {
        self.client.send(&[query(text)]);
        loop {
            let (tag, body) = self.client.read();
            match tag {
                b'Z' => return,
                b'E' | b'N' => lines.push(format!("{} {}", char::from(tag), fault(&body))),
                b'S' => {}
                // Data of COPY is rows, too.
                b'd' => lines.push(format!("D {}", String::from_utf8_lossy(&body))),
                _ => lines.push(show(tag, &body)),
            }
        }
    }
}

impl Side for PostgresSide {
    fn run(&mut self, texts: &[String], rolled_back: bool) -> Outcome {
        let mut lines = Vec::new();
        if rolled_back {
            self.answer("begin", &mut Vec::new());
        }
        for text in texts {
            self.answer(text, &mut lines);
        }
        if rolled_back {
            self.answer("rollback", &mut Vec::new());
        }
        Outcome::of(lines, &self.database)
    }
}

/// An error's or notice's fields but for those that tell where in the server's source it was made.
fn fault(body: &[u8]) -> String {
    let fields = body.split(|byte| *byte == 0).filter(|field| !field.is_empty());
    let told = fields.filter(|field| !b"SVFLR".contains(&field[0]));
    let told: Vec<String> = told.map(|field| String::from_utf8_lossy(&field[1..]).into_owned()).collect();
    told.join(" | ")
}

/// A connection that speaks MySQL's protocol.
pub struct MySqlSide {
    client: Client,
    database: String,
}

impl MySqlSide {
    /// To a proxy as the user `viewer`, or to a server as its `app`.
    pub fn connect(port: u16, user: &'static str, database: &str) -> Self {
        let (password, plugin) = match user {
            "viewer" => ("viewer-pw", "caching_sha2_password"),
            _ => ("app-pw", "mysql_native_password"),
        };
        let options = Options::user(user, password).plugin(plugin).on(database);
        let capabilities = options.capabilities.without(Capabilities::SESSION_TRACK);
        let client = Client::connect(port, &Options { capabilities, ..options }).unwrap();
        let mut side = Self { client, database: database.to_owned() };
        // Columns that are not grouped by would be of any row.
        let mode = "set sql_mode = 'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO'";
        side.client.query(mode).unwrap();
        side
    }

    fn answer(&mut self, text: &str, lines: &mut Vec<String>) {
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
            Err(error) => lines.push(format!("E {} {}", error.code, error.message)),
        }
    }
}

impl Side for MySqlSide {
    fn run(&mut self, texts: &[String], rolled_back: bool) -> Outcome {
        let mut lines = Vec::new();
        if rolled_back {
            self.answer("begin", &mut Vec::new());
        }
        for text in texts {
            self.answer(text, &mut lines);
            let mut warnings = Vec::new();
            self.answer("show warnings", &mut warnings);
            lines.extend(warnings.into_iter().map(|line| format!("W {line}")));
        }
        if rolled_back {
            self.answer("rollback", &mut Vec::new());
        }
        Outcome::of(lines, &self.database)
    }
}
