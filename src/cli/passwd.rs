//! `sekisho passwd`.

use std::io::{self, BufRead, IsTerminal, Write};
use std::num::NonZeroU32;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use ring::rand::{SecureRandom, SystemRandom};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::auth::users::{MIN_ITERATIONS, Verifier, native_password};

/// Make the verifier of a password, for users.toml
///
/// Asks for the password twice, without showing it; when the input is no terminal, its first line is the password.
/// Prints the line for `[user.NAME]`; with a name, the whole table.
#[derive(Debug, Args)]
pub(super) struct Passwd {
    /// The user whose table is printed
    user: Option<String>,
    /// Also print a verifier for `mysql_native_password`, for clients that know nothing better. It is weak: whoever
    /// reads it can log in to MySQL servers that have the same one
    #[arg(long)]
    native: bool,
    /// Iterations of PBKDF2: more make guessing, and each login, slower
    #[arg(long, value_name = "COUNT", default_value_t = MIN_ITERATIONS, value_parser = clap::value_parser!(u32).range(i64::from(MIN_ITERATIONS)..))]
    iterations: u32,
}

/// Bytes of a new salt, as PostgreSQL has it.
const SALT_BYTES: usize = 16;

impl Passwd {
    /// Runs the command.
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let password = if io::stdin().is_terminal() { ask_twice()? } else { read_line()? };
        if password.is_empty() {
            bail!("the password is empty, and nobody could log in with it");
        }
        let mut salt = [0; SALT_BYTES];
        SystemRandom::new().fill(&mut salt).ok().context("the system gives no random numbers")?;
        let iterations = NonZeroU32::new(self.iterations).context("no iterations")?;
        let verifier = Verifier::derive(&password, &salt, iterations);

        let mut out = io::stdout().lock();
        if let Some(user) = &self.user {
            writeln!(out, "[user.{}]", key(user))?;
        }
        writeln!(out, "password = \"{}\"", verifier.to_text())?;
        if self.native {
            writeln!(out, "native_password = \"{}\"", native_password(&password))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A name as a key of TOML: quoted where it must be, which TOML does as JSON does.
fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if bare { name.to_owned() } else { serde_json::Value::from(name).to_string() }
}

fn read_line() -> anyhow::Result<String> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).context("cannot read the password")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn ask_twice() -> anyhow::Result<String> {
    let password = ask("password: ")?;
    if password != ask("again: ")? {
        bail!("the two passwords differ");
    }
    Ok(password)
}

fn ask(prompt: &str) -> anyhow::Result<String> {
    let mut terminal = io::stderr();
    write!(terminal, "{prompt}")?;
    terminal.flush()?;
    let quiet = Quiet::new().context("cannot turn the terminal's echo off")?;
    let line = read_line();
    drop(quiet);
    // The user's own line feed was not echoed either.
    writeln!(terminal)?;
    line
}

/// The terminal without echo, until dropped.
struct Quiet {
    before: Termios,
}

impl Quiet {
    fn new() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &quiet)?;
        Ok(Self { before })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.before);
    }
}
