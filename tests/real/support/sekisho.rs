//! The program itself, as a process of its own, before a database of the test servers.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::postgres::PostgresDatabase;
use super::process::free_port;

/// A running proxy; killed when dropped.
pub struct Sekisho {
    /// Where PostgreSQL's clients connect.
    pub port: u16,
    /// The admin port.
    pub admin: u16,
    folder: PathBuf,
    child: Child,
}

impl Sekisho {
    /// Writes a configuration into a folder: source `shop` is the database; each user's password is its name.
    /// `more` is added to `sekisho.toml`, `prelude` is shell run before the program becomes the shell's process.
    pub fn start(folder: &Path, shop: &PostgresDatabase, rules: &str, users: &[(&str, &str)], prelude: &str) -> Self {
        let (port, admin) = (free_port(), free_port());
        let config = format!(
            "rules = \"rules\"\nusers = \"users.toml\"\nstate = \"state\"\n[listen]\npostgres = \"127.0.0.1:{port}\"\nadmin = \"127.0.0.1:{admin}\"\n\
             [[source]]\nname = \"shop\"\nengine = \"postgres\"\nhost = \"127.0.0.1\"\nport = {}\ndbname = \"{}\"\n\
             user = \"postgres\"\npassword = \"pg-pw\"\ntls = \"disable\"\n[audit]\ndir = \"audit\"\n[server]\nnode = \"test\"\n",
            shop.server.port, shop.name,
        );
        std::fs::create_dir_all(folder.join("rules")).unwrap();
        std::fs::write(folder.join("sekisho.toml"), config).unwrap();
        std::fs::write(folder.join("rules/rules.toml"), rules).unwrap();
        let users: Vec<String> = users.iter().map(|(user, role)| verifier(user, role)).collect();
        std::fs::write(folder.join("users.toml"), users.concat()).unwrap();
        let mut sekisho = Self { port, admin, folder: folder.to_owned(), child: spawn(folder, prelude) };
        sekisho.wait_until_ready();
        sekisho
    }

    /// Starts it again, after [`Sekisho::kill`] or with other files.
    pub fn restart(&mut self) {
        self.kill();
        self.child = spawn(&self.folder, "");
        self.wait_until_ready();
    }

    /// Kills it as `kill -9` does.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Stops it as an operator does, and gives its exit status.
    pub fn stop(&mut self) -> Option<i32> {
        self.signal("TERM");
        self.child.wait().unwrap().code()
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        assert!(Command::new("kill").args(["-s", name, &self.pid()]).status().unwrap().success());
    }

    /// Resident memory in bytes, now and at its highest.
    pub fn memory(&self) -> (u64, u64) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let bytes = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
        };
        (bytes("VmRSS:"), bytes("VmHWM:"))
    }

    /// The value of a metric, labels included in its name.
    pub fn metric(&self, name: &str) -> String {
        let mut http = std::net::TcpStream::connect(("127.0.0.1", self.admin)).unwrap();
        http.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        http.read_to_string(&mut text).unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.map_or_else(|| panic!("no {name} in {text}"), str::to_owned)
    }

    /// Its process id, for `prlimit`.
    pub fn pid(&self) -> String {
        self.child.id().to_string()
    }

    /// Runs a command of the program with this proxy's configuration; gives its exit status and output.
    pub fn command(&self, arguments: &[&str]) -> (i32, String) {
        let output = program(&self.folder).args(arguments).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    }

    /// How a user of this proxy connects.
    pub fn login(&self, user: &str) -> tokio_postgres::Config {
        let mut config = tokio_postgres::Config::new();
        config.host("127.0.0.1").port(self.port).user(user).password(user).dbname("shop");
        config
    }

    /// What it wrote to standard error.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    fn wait_until_ready(&mut self) {
        let begun = Instant::now();
        while self.command(&["health", "--ready"]).0 != 0 {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && begun.elapsed() < Duration::from_secs(30), "not ready: {}", self.log());
            std::thread::sleep(Duration::from_millis(30));
        }
    }
}

impl Drop for Sekisho {
    fn drop(&mut self) {
        self.kill();
    }
}

fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sekisho"));
    command.arg("--config").arg(folder.join("sekisho.toml"));
    command
}

fn spawn(folder: &Path, prelude: &str) -> Child {
    let log = std::fs::File::create(folder.join("log")).unwrap();
    let mut command = Command::new("bash");
    command.args(["-c", &format!("{prelude} exec \"$0\" \"$@\"")]).arg(env!("CARGO_BIN_EXE_sekisho"));
    command.arg("--config").arg(folder.join("sekisho.toml")).arg("serve");
    command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
}

/// A user with its name as password, for `users.toml`.
pub fn verifier(user: &str, role: &str) -> String {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sekisho"))
        .args(["passwd", user])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{user}").unwrap();
    let output = child.wait_with_output().unwrap();
    format!("{}roles = [\"{role}\"]\n", String::from_utf8(output.stdout).unwrap())
}
