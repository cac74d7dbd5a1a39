//! A client that shows the packets it gets: what drivers hide, and what they would never send.

use sekisho::auth::{caching_sha2_password, native_password};
use sekisho::mysql::wire::compressed::{Algorithm, Frames};
use sekisho::mysql::wire::err::Err;
use sekisho::mysql::wire::greeting::Greeting;
use sekisho::mysql::wire::login::Login;
use sekisho::mysql::wire::{Capabilities, Extensions, HEADER, Header, MAX_PAYLOAD, Reader, packet};
use sekisho::net::{Address, ClientTls, Stream, TlsMode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Runtime;

/// How to log in.
#[derive(Clone)]
pub struct Options {
    pub user: &'static str,
    pub password: &'static str,
    pub database: String,
    pub plugin: &'static str,
    pub tls: bool,
    pub capabilities: Capabilities,
    pub compression: Option<Algorithm>,
}

impl Options {
    /// A user whose password is its name with `-pw`.
    pub fn user(user: &'static str, password: &'static str) -> Self {
        Self {
            user,
            password,
            database: String::new(),
            plugin: caching_sha2_password::NAME,
            tls: false,
            capabilities: Capabilities::SPOKEN.without(Capabilities(
                Capabilities::QUERY_ATTRIBUTES.0
                    | Capabilities::OPTIONAL_METADATA.0
                    | Capabilities::CONNECT_WITH_DB.0
                    | Capabilities::CONNECT_ATTRS.0,
            )),
            compression: None,
        }
    }

    pub fn on(self, database: &str) -> Self {
        Self { database: database.to_owned(), ..self }
    }

    pub fn tls(self) -> Self {
        Self { tls: true, ..self }
    }

    pub fn plugin(self, plugin: &'static str) -> Self {
        Self { plugin, ..self }
    }
}

/// A connection.
pub struct Client {
    runtime: Runtime,
    stream: Stream,
    frames: Option<Frames>,
    input: Vec<u8>,
    plain: Vec<u8>,
    pub greeting: Greeting,
    pub capabilities: Capabilities,
    /// First bytes of the packets of the authentication, after the login packet.
    pub exchange: Vec<Vec<u8>>,
}

/// One result of a text.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub labels: Vec<String>,
    pub rows: Vec<Vec<Option<String>>>,
    pub warnings: u16,
    pub info: String,
}

impl Client {
    /// Connects and logs in.
    pub fn connect(port: u16, options: &Options) -> Result<Self, Err> {
        let mut client = Self::greet(port);
        client.log_in(options)?;
        Ok(client)
    }

    /// Connects and reads the greeting.
    pub fn greet(port: u16) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let stream = runtime.block_on(Address::Tcp("127.0.0.1".into(), port).connect()).unwrap();
        let greeting = Greeting {
            version: String::new(),
            connection: 0,
            scramble: [0; 20],
            capabilities: Capabilities::default(),
            extensions: Extensions::default(),
            collation: 0,
            status: 0,
            plugin: String::new(),
        };
        let mut client = Self {
            runtime,
            stream,
            frames: None,
            input: Vec::new(),
            plain: Vec::new(),
            greeting,
            capabilities: Capabilities::default(),
            exchange: Vec::new(),
        };
        client.greeting = Greeting::read(&client.receive().unwrap().0).unwrap();
        client
    }

    pub fn log_in(&mut self, options: &Options) -> Result<(), Err> {
        let compression = match options.compression {
            Some(Algorithm::Zlib) => Capabilities::COMPRESS,
            Some(Algorithm::Zstd) => Capabilities::ZSTD,
            None => Capabilities::default(),
        };
        let mut capabilities = (options.capabilities & self.greeting.capabilities) | compression;
        if !options.database.is_empty() {
            capabilities = capabilities | Capabilities::CONNECT_WITH_DB;
        }
        let mut nonce = self.greeting.scramble.to_vec();
        let mut sequence = 1;
        let mut login = Login {
            capabilities,
            collation: 45,
            max_packet: 1 << 24,
            user: options.user.as_bytes(),
            database: options.database.as_bytes(),
            plugin: options.plugin.as_bytes(),
            ..Login::default()
        };
        if options.tls {
            login.capabilities = capabilities | Capabilities::SSL;
            let mut out = Vec::new();
            sequence = packet::append_with(&mut out, sequence, |out| login.write_fixed(out));
            self.write(&out);
            let (config, name) = ClientTls::new(TlsMode::Require, "localhost", None).unwrap().handshake().unwrap();
            let stream = std::mem::replace(&mut self.stream, Stream::Closed);
            self.stream = self.runtime.block_on(stream.connect_tls(config, name)).unwrap();
        }
        self.capabilities = login.capabilities;
        let answer = first_answer(options.plugin, options.password, &nonce);
        login.auth = &answer;
        let mut out = Vec::new();
        packet::append_with(&mut out, sequence, |out| login.write(out));
        self.write(&out);
        let mut plugin = options.plugin.to_owned();
        loop {
            let Some((payload, sequence)) = self.receive() else {
                return Result::Err(Err::new(2013, "HY000", "closed"));
            };
            self.exchange.push(payload.iter().take(2).copied().collect());
            match payload[0] {
                0 => break,
                0xff => return Result::Err(Err::read(&payload).unwrap()),
                0xfe => {
                    let mut reader = Reader::new(&payload[1..]);
                    plugin = String::from_utf8(reader.nul_bytes().unwrap().to_vec()).unwrap();
                    nonce = reader.nul_bytes().unwrap().to_vec();
                    let answer = first_answer(&plugin, options.password, &nonce);
                    self.send(sequence.wrapping_add(1), &answer);
                }
                1 if payload[1..] == [3] => {}
                1 if payload[1..] == [4] && options.tls => {
                    self.send(sequence.wrapping_add(1), &[options.password.as_bytes(), &[0]].concat());
                }
                1 if payload[1..] == [4] => self.send(sequence.wrapping_add(1), &[2]),
                1 => {
                    let sealed =
                        caching_sha2_password::seal(&payload[1..], options.password.as_bytes(), &nonce).unwrap();
                    self.send(sequence.wrapping_add(1), &sealed);
                }
                other => panic!("{other:#x} from {plugin}"),
            }
        }
        self.frames = options.compression.map(Frames::new);
        Ok(())
    }

    /// Sends bytes as they are.
    pub fn write(&mut self, bytes: &[u8]) {
        let mut packed = Vec::new();
        let bytes = match &mut self.frames {
            Some(frames) => {
                frames.pack(bytes, &mut packed);
                &packed
            }
            None => bytes,
        };
        let sent = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        // Whoever writes to a closed connection sees it at the next read.
        let _ = self.runtime.block_on(sent);
    }

    /// Sends a payload.
    pub fn send(&mut self, sequence: u8, payload: &[u8]) {
        let mut out = Vec::new();
        packet::append(&mut out, sequence, payload);
        self.write(&out);
    }

    /// A payload and its last sequence number; nothing when the connection is closed.
    pub fn receive(&mut self) -> Option<(Vec<u8>, u8)> {
        let mut payload = Vec::new();
        loop {
            match Header::read(&self.plain) {
                Some(header) if self.plain.len() >= HEADER + header.len => {
                    payload.extend(self.plain.drain(..HEADER + header.len).skip(HEADER));
                    if header.len < MAX_PAYLOAD {
                        return Some((payload, header.sequence));
                    }
                }
                _ => {
                    self.input.reserve(1 << 16);
                    let read = self.stream.read_buf(&mut self.input);
                    let read = self.runtime.block_on(async {
                        tokio::time::timeout(std::time::Duration::from_secs(20), read).await.expect("an answer in 20 s")
                    });
                    if read.unwrap_or(0) == 0 {
                        return None;
                    }
                    match &mut self.frames {
                        None => self.plain.append(&mut self.input),
                        Some(frames) => {
                            while let Some(len) = frames.unpack(&self.input, &mut self.plain).unwrap() {
                                self.input.drain(..len);
                            }
                        }
                    }
                }
            }
        }
    }

    /// Sends a command and gives the first packet of the reply, or the error in it.
    pub fn command(&mut self, payload: &[u8]) -> Result<Vec<u8>, Err> {
        if let Some(frames) = &mut self.frames {
            *frames = frames.again();
        }
        self.send(0, payload);
        self.next()
    }

    /// The next packet of a reply.
    pub fn next(&mut self) -> Result<Vec<u8>, Err> {
        let Some((payload, _)) = self.receive() else { return Result::Err(Err::new(2013, "HY000", "closed")) };
        if payload[0] == 0xff { Result::Err(Err::read(&payload).unwrap()) } else { Ok(payload) }
    }

    /// Runs a text and gives all its results.
    pub fn query(&mut self, sql: &str) -> Result<Vec<Answer>, Err> {
        self.query_behind(&[3], sql)
    }

    /// Runs a text behind bytes of the client's own: the command and query attributes.
    pub fn query_behind(&mut self, head: &[u8], sql: &str) -> Result<Vec<Answer>, Err> {
        let mut head = self.command(&[head, sql.as_bytes()].concat())?;
        let mut answers = Vec::new();
        loop {
            let (answer, status) = self.answer(head)?;
            answers.push(answer);
            if status & 8 == 0 {
                return Ok(answers);
            }
            head = self.next()?;
        }
    }

    /// The rows of a text's only result.
    pub fn rows(&mut self, sql: &str) -> Vec<Vec<String>> {
        let mut answers = self.query(sql).unwrap_or_else(|error| panic!("{error:?}: {sql}"));
        assert_eq!(answers.len(), 1, "{sql}");
        let rows = answers.remove(0).rows;
        rows.into_iter().map(|row| row.into_iter().map(|cell| cell.unwrap_or("NULL".to_owned())).collect()).collect()
    }

    /// The names of the columns of a text's only result.
    pub fn labels(&mut self, sql: &str) -> Vec<String> {
        self.query(sql).unwrap_or_else(|error| panic!("{error:?}: {sql}")).remove(0).labels
    }

    /// The error that a text gives.
    pub fn error(&mut self, sql: &str) -> Err {
        self.query(sql).expect_err(sql)
    }

    fn answer(&mut self, head: Vec<u8>) -> Result<(Answer, u16), Err> {
        use sekisho::mysql::wire::ok::Ok as OkPacket;
        let modern = self.capabilities.has(Capabilities::DEPRECATE_EOF);
        let mut answer = Answer::default();
        let mut end = head;
        if end[0] != 0 {
            let columns = Reader::new(&end).lenenc().unwrap();
            for _ in 0..columns {
                let definition = self.next()?;
                answer.labels.push(label(&definition));
            }
            if !modern {
                self.next()?;
            }
            loop {
                let row = self.next()?;
                if row[0] == 0xfe && row.len() < MAX_PAYLOAD {
                    end = row;
                    break;
                }
                let mut reader = Reader::new(&row);
                let cell = |cell: Option<&[u8]>| cell.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
                answer.rows.push((0..columns).map(|_| cell(reader.nullable_bytes().unwrap())).collect());
            }
            if !modern {
                answer.warnings = u16::from_le_bytes([end[1], end[2]]);
                return Ok((answer, u16::from_le_bytes([end[3], end[4]])));
            }
        }
        let ok = OkPacket::read(&end, self.capabilities).unwrap();
        (answer.warnings, answer.info) = (ok.warnings, String::from_utf8_lossy(ok.info).into_owned());
        Ok((answer, ok.status))
    }
}

/// The name in a column definition: its fifth string.
fn label(definition: &[u8]) -> String {
    let mut reader = Reader::new(definition);
    let strings: Vec<_> = (0..5).map(|_| reader.lenenc_bytes().unwrap()).collect();
    String::from_utf8_lossy(strings[4]).into_owned()
}

fn first_answer(plugin: &str, password: &str, nonce: &[u8]) -> Vec<u8> {
    match plugin {
        caching_sha2_password::NAME => caching_sha2_password::scramble(password.as_bytes(), nonce),
        native_password::NAME => native_password::scramble(password.as_bytes(), nonce),
        "mysql_clear_password" => [password.as_bytes(), &[0]].concat(),
        _ => vec![1, 2, 3],
    }
}
