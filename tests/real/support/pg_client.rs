//! A client that sends and reads single messages, and writes what it reads as short lines:
//!
//! ```text
//! T a b        RowDescription with the columns' names     1 2 3 n s I   ParseComplete, BindComplete, CloseComplete,
//! D 1|NULL     DataRow                                                   NoData, PortalSuspended, EmptyQueryResponse
//! C SELECT 1   CommandComplete                            t 2            ParameterDescription with their number
//! E 42P01 …    ErrorResponse: SQLSTATE and message        G H d c        COPY: in, out, data, done
//! N 00000 …    NoticeResponse                             A name text    NotificationResponse
//! Z I          ReadyForQuery                              V              FunctionCallResponse
//! ```

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use postgres_protocol::authentication::sasl::{ChannelBinding, ScramSha256};

/// A connection.
pub struct PostgresClient {
    /// The socket.
    pub tcp: TcpStream,
    /// Settings reported so far.
    pub parameters: Vec<(String, String)>,
    /// Number and secret for cancelling.
    pub key: Vec<u8>,
}

/// A message: type and fields.
pub fn message(tag: u8, fields: &[&[u8]]) -> Vec<u8> {
    let body = fields.concat();
    let mut out = vec![tag];
    out.extend(u32::try_from(body.len() + 4).unwrap().to_be_bytes());
    out.extend(body);
    out
}

/// Query.
pub fn query(text: &str) -> Vec<u8> {
    message(b'Q', &[text.as_bytes(), b"\0"])
}

/// Parse without parameter types.
pub fn parse(name: &str, text: &str) -> Vec<u8> {
    message(b'P', &[name.as_bytes(), b"\0", text.as_bytes(), b"\0\0\0"])
}

/// Bind of text parameters, results as text.
pub fn bind(portal: &str, statement: &str, parameters: &[&str]) -> Vec<u8> {
    let mut values = Vec::new();
    for parameter in parameters {
        values.extend(u32::try_from(parameter.len()).unwrap().to_be_bytes());
        values.extend(parameter.as_bytes());
    }
    let count = u16::try_from(parameters.len()).unwrap().to_be_bytes();
    message(b'B', &[portal.as_bytes(), b"\0", statement.as_bytes(), b"\0\0\0", &count, &values, b"\0\0"])
}

/// Describe: `S` or `P` and a name.
pub fn describe(kind: u8, name: &str) -> Vec<u8> {
    message(b'D', &[&[kind], name.as_bytes(), b"\0"])
}

/// Close: `S` or `P` and a name.
pub fn close(kind: u8, name: &str) -> Vec<u8> {
    message(b'C', &[&[kind], name.as_bytes(), b"\0"])
}

/// Execute.
pub fn execute(portal: &str, rows: u32) -> Vec<u8> {
    message(b'E', &[portal.as_bytes(), b"\0", &rows.to_be_bytes()])
}

/// Sync.
pub fn sync() -> Vec<u8> {
    message(b'S', &[])
}

/// Flush.
pub fn flush() -> Vec<u8> {
    message(b'H', &[])
}

/// A startup packet.
pub fn startup(version: u32, parameters: &[(&str, &str)]) -> Vec<u8> {
    let mut body = version.to_be_bytes().to_vec();
    for (name, value) in parameters {
        body.extend(format!("{name}\0{value}\0").bytes());
    }
    body.push(0);
    let mut out = u32::try_from(body.len() + 4).unwrap().to_be_bytes().to_vec();
    out.extend(body);
    out
}

impl PostgresClient {
    /// Opens a connection and sends nothing.
    pub fn open(port: u16) -> Self {
        let tcp = TcpStream::connect(("127.0.0.1", port)).unwrap();
        tcp.set_nodelay(true).unwrap();
        tcp.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Self { tcp, parameters: Vec::new(), key: Vec::new() }
    }

    /// Logs in as a user with the password `USER-pw`.
    pub fn connect(port: u16, user: &str) -> Self {
        Self::connect_with(port, user, &[])
    }

    /// Logs in with more startup parameters.
    pub fn connect_with(port: u16, user: &str, parameters: &[(&str, &str)]) -> Self {
        let mut client = Self::open(port);
        let all: Vec<_> =
            [("user", user), ("database", "shop")].into_iter().chain(parameters.iter().copied()).collect();
        client.send(&[startup(3 << 16, &all)]);
        client.log_in(&format!("{user}-pw")).unwrap();
        client
    }

    /// Goes through SCRAM up to ReadyForQuery, or gives the error.
    pub fn log_in(&mut self, password: &str) -> Result<(), String> {
        let mut scram = ScramSha256::new(password.as_bytes(), ChannelBinding::unsupported());
        loop {
            let (tag, body) = self.read();
            match (tag, body.first_chunk::<4>().map(|code| u32::from_be_bytes(*code))) {
                (b'R', Some(10)) => {
                    let first = scram.message();
                    let length = u32::try_from(first.len()).unwrap().to_be_bytes();
                    let answer = message(b'p', &[b"SCRAM-SHA-256\0", &length, first]);
                    self.send(&[answer]);
                }
                (b'R', Some(11)) => {
                    scram.update(&body[4..]).unwrap();
                    let answer = message(b'p', &[scram.message()]);
                    self.send(&[answer]);
                }
                (b'R', Some(12)) => scram.finish(&body[4..]).unwrap(),
                (b'K', _) => self.key = body,
                (b'S', _) => self.note_parameter(&body),
                (b'R', Some(0)) | (b'v', _) => {}
                (b'Z', _) => return Ok(()),
                (_, _) => return Err(show(tag, &body)),
            }
        }
    }

    /// Sends messages in one write.
    pub fn send(&mut self, messages: &[Vec<u8>]) {
        self.tcp.write_all(&messages.concat()).unwrap();
    }

    /// Reads one message.
    pub fn read(&mut self) -> (u8, Vec<u8>) {
        self.read_or_end().unwrap()
    }

    /// Reads one message; nothing at the end of the connection.
    pub fn read_or_end(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut header = [0; 5];
        self.tcp.read_exact(&mut header).ok()?;
        let length = u32::from_be_bytes(header[1..].try_into().unwrap()) as usize - 4;
        let mut body = vec![0; length];
        self.tcp.read_exact(&mut body).ok()?;
        Some((header[0], body))
    }

    /// Reads up to and with the next ReadyForQuery; parameters are noted and not shown.
    pub fn until_ready(&mut self) -> Vec<String> {
        self.until(|line| line.starts_with('Z'))
    }

    /// Reads up to and with the first line that is wanted.
    pub fn until(&mut self, is_last: impl Fn(&str) -> bool) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let (tag, body) = self.read();
            if tag == b'S' {
                self.note_parameter(&body);
                continue;
            }
            let line = show(tag, &body);
            let done = is_last(&line);
            lines.push(line);
            if done {
                return lines;
            }
        }
    }

    /// Runs a text by the simple protocol.
    pub fn run(&mut self, text: &str) -> Vec<String> {
        self.send(&[query(text)]);
        self.until_ready()
    }

    /// Reads the last messages up to the end of the connection.
    pub fn until_end(&mut self) -> Vec<String> {
        let mut rest = Vec::new();
        // A connection that is reset has ended, too.
        let _ = self.tcp.read_to_end(&mut rest);
        let mut lines = Vec::new();
        let mut left = rest.as_slice();
        while left.len() >= 5 {
            let length = u32::from_be_bytes(left[1..5].try_into().unwrap()) as usize;
            if length >= left.len() {
                // No message: an alert of TLS.
                lines.push("?".to_owned());
                break;
            }
            lines.push(show(left[0], &left[5..=length]));
            left = &left[length + 1..];
        }
        lines
    }

    /// Closes the sending side.
    pub fn half_close(&self) {
        // The other side may have closed it by now.
        let _ = self.tcp.shutdown(Shutdown::Write);
    }

    /// The value of a setting as last reported.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().rev().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    fn note_parameter(&mut self, body: &[u8]) {
        let text = String::from_utf8(body.to_vec()).unwrap();
        let mut parts = text.split('\0');
        self.parameters.push((parts.next().unwrap().to_owned(), parts.next().unwrap().to_owned()));
    }
}

/// A message as a line.
pub fn show(tag: u8, body: &[u8]) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned();
    let rest = match tag {
        b'T' => columns(body).join(" "),
        b'D' => values(body).join("|"),
        b'E' | b'N' => format!("{} {}", field(body, b'C'), field(body, b'M')),
        b'C' | b'Z' => text(body),
        b'd' => text(body).trim_end_matches('\n').to_owned(),
        b't' => u16::from_be_bytes([body[0], body[1]]).to_string(),
        b'A' => text(&body[4..]).replace('\0', " "),
        _ => String::new(),
    };
    format!("{} {rest}", char::from(tag)).trim_end().to_owned()
}

/// A field of an error by its letter; empty where it has none.
pub fn field(body: &[u8], letter: u8) -> String {
    let fields = body.split(|b| *b == 0).filter(|f| !f.is_empty());
    fields.filter(|f| f[0] == letter).map(|f| String::from_utf8_lossy(&f[1..]).into_owned()).next().unwrap_or_default()
}

fn columns(body: &[u8]) -> Vec<String> {
    let mut rest = &body[2..];
    let mut names = Vec::new();
    while !rest.is_empty() {
        let end = rest.iter().position(|b| *b == 0).unwrap();
        names.push(String::from_utf8_lossy(&rest[..end]).into_owned());
        rest = &rest[end + 19..];
    }
    names
}

fn values(body: &[u8]) -> Vec<String> {
    let mut rest = &body[2..];
    let mut values = Vec::new();
    while !rest.is_empty() {
        let length = i32::from_be_bytes(rest[..4].try_into().unwrap());
        rest = &rest[4..];
        match usize::try_from(length) {
            Err(_) => values.push("NULL".to_owned()),
            Ok(length) => {
                values.push(String::from_utf8_lossy(&rest[..length]).into_owned());
                rest = &rest[length..];
            }
        }
    }
    values
}
