//! Startup parameters: which of a client's go to the server, and what the client is told about its settings.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::wire::startup::StartupMessage;
use crate::pipeline::{Denial, Effect, Settings, Verdict, VirtualDatabase};
use crate::session::Source;

/// The setting by which a client chooses one of its user's roles.
const ROLE: &str = "sekisho.role";

/// Settings on which reading statements rests, given to the server with every connection of a restricted role.
const PINNED: &[(&str, &str)] = &[
    ("client_encoding", "UTF8"),
    ("standard_conforming_strings", "on"),
    ("backslash_quote", "safe_encoding"),
    ("transform_null_equals", "off"),
];

/// A parameter that a restricted role may not set, or that is no parameter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// It is not valid.
    #[error("invalid command-line argument for server process: {0}")]
    Invalid(String),
    /// The role may not set it.
    #[error("startup parameter `{name}` may not be set: {reason}")]
    Refused {
        /// The parameter.
        name: String,
        /// Why not.
        reason: String,
    },
}

/// What a client asked for in its startup packet.
#[derive(Debug, Clone, Default)]
pub struct Parameters {
    /// The role asked for.
    pub role: Option<String>,
    // Settings in the order in which the server would apply them: `options` first.
    settings: Vec<(String, Vec<u8>)>,
    // Of `options`, what is no setting: for the server only, and only of unrestricted roles.
    flags: Vec<u8>,
}

/// What is sent to the server, and the settings that decisions rest on.
#[derive(Debug, Clone, Default)]
pub struct ForServer {
    /// Names and values for the startup packet.
    pub parameters: Vec<(String, Vec<u8>)>,
    /// What the pipeline has to know about them.
    pub settings: Settings,
}

impl Parameters {
    /// Reads a startup packet's parameters.
    pub fn read(startup: &StartupMessage) -> Result<Self, ParameterError> {
        let mut parameters = Self::default();
        if let Some(options) = startup.get("options") {
            parameters.read_options(options)?;
        }
        for (name, value) in &startup.parameters {
            match name.as_str() {
                "user" | "database" | "options" | "replication" => {}
                _ => parameters.set(name.clone(), value.clone()),
            }
        }
        Ok(parameters)
    }

    /// Reads `options` word by word, as the server does: `-c name=value`, `--name=value`; a backslash keeps the next
    /// character (`pg_split_opts`).
    fn read_options(&mut self, options: &[u8]) -> Result<(), ParameterError> {
        let mut words = split_options(options).into_iter();
        while let Some(word) = words.next() {
            let setting = match word.as_slice() {
                b"-c" => words.next().ok_or_else(|| ParameterError::Invalid("-c".to_owned()))?,
                [b'-', b'c' | b'-', rest @ ..] => rest.to_vec(),
                _ => {
                    if !self.flags.is_empty() {
                        self.flags.push(b' ');
                    }
                    self.flags.extend(word.iter().flat_map(|b| escape_option(*b)));
                    continue;
                }
            };
            let equals = setting.iter().position(|b| *b == b'=');
            let (name, value) = equals
                .and_then(|at| Some((setting.get(..at)?, setting.get(at + 1..)?)))
                .ok_or_else(|| ParameterError::Invalid(String::from_utf8_lossy(&setting).into_owned()))?;
            // The server takes `-` in names for `_`.
            let name = String::from_utf8_lossy(name).replace('-', "_");
            self.set(name, value.to_vec());
        }
        Ok(())
    }

    fn set(&mut self, name: String, value: Vec<u8>) {
        if name.eq_ignore_ascii_case(ROLE) {
            self.role = Some(String::from_utf8_lossy(&value).into_owned());
        } else {
            self.settings.push((name, value));
        }
    }

    /// The last value given for a setting.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.settings.iter().rev().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }

    /// The name that the client's program gives itself.
    pub fn application(&self) -> Arc<str> {
        Arc::from(String::from_utf8_lossy(self.get("application_name").unwrap_or_default()))
    }

    /// What goes to the server for a role.
    pub fn for_server(&self, source: &Source, database: &VirtualDatabase) -> Result<ForServer, ParameterError> {
        let mut settings = Settings::default();
        let restricted = !database.role().unrestricted;
        if restricted && !self.flags.is_empty() {
            return Err(ParameterError::Refused {
                name: "options".to_owned(),
                reason: "only `-c name=value` is allowed for this role".to_owned(),
            });
        }
        let mut parameters = Vec::new();
        if !self.flags.is_empty() {
            parameters.push(("options".to_owned(), self.flags.clone()));
        }
        for (name, value) in &self.settings {
            match check(database, &settings, name, value) {
                Ok(effect @ Effect::SetSearchPath { .. }) => settings.apply(&effect, database.snapshot()),
                Err(error) if restricted => return Err(error),
                Ok(_) | Err(_) => {}
            }
            parameters.push((name.clone(), value.clone()));
        }
        if restricted {
            parameters.extend(PINNED.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())));
        }
        let secrets = source.secret_settings.iter();
        parameters.extend(secrets.map(|(name, value)| (name.clone(), value.expose().as_bytes().to_vec())));
        Ok(ForServer { parameters, settings })
    }

    /// What a client is told about its settings before there is a connection to the server; nothing where only the
    /// server can say.
    pub fn reported(&self, source: &Source) -> Option<BTreeMap<String, String>> {
        let remembered = source.parameters.load();
        if remembered.is_empty() || !self.flags.is_empty() {
            return None;
        }
        let mut reported = BTreeMap::clone(&remembered);
        // The catalog's connection names itself; a client that gives no name has none.
        reported.insert("application_name".to_owned(), String::new());
        for (name, value) in &self.settings {
            let value = std::str::from_utf8(value).ok()?;
            match name.to_ascii_lowercase().as_str() {
                // The server cuts it and replaces what is not printable ASCII.
                "application_name" if value.len() < 64 && value.bytes().all(|b| (32..127).contains(&b)) => {
                    reported.insert("application_name".to_owned(), value.to_owned());
                }
                "client_encoding" if is_utf8(value) => {
                    reported.insert("client_encoding".to_owned(), "UTF8".to_owned());
                }
                "datestyle" if value.eq_ignore_ascii_case("ISO") => {
                    reported.get("DateStyle").filter(|style| style.starts_with("ISO"))?;
                }
                "extra_float_digits" if matches!(value, "0" | "1" | "2" | "3") => {}
                _ => return None,
            }
        }
        Some(reported)
    }
}

/// Asks the pipeline about a setting as if it were set by a statement; the statement itself goes nowhere.
fn check(database: &VirtualDatabase, settings: &Settings, name: &str, value: &[u8]) -> Result<Effect, ParameterError> {
    let refused = |reason: String| ParameterError::Refused { name: name.to_owned(), reason };
    let value = std::str::from_utf8(value).map_err(|_| refused("its value is not UTF-8".to_owned()))?;
    if name.eq_ignore_ascii_case("application_name") {
        return Ok(Effect::None);
    }
    if name.eq_ignore_ascii_case("client_encoding") {
        let reason = || refused("this role's text must be UTF8".to_owned());
        return if is_utf8(value) { Ok(Effect::None) } else { Err(reason()) };
    }
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.')) {
        return Err(refused("it is no name of a setting".to_owned()));
    }
    // A list of schemas is written as in the statement; every other value is one literal.
    let statement = if name.eq_ignore_ascii_case("search_path") {
        format!("SET search_path TO {value}")
    } else {
        format!("SET {name} TO '{}'", value.replace('\'', "''"))
    };
    match database.decide(settings, &statement).verdict {
        Verdict::Permit(permit) => match permit.effects().as_ref() {
            [effect @ (Effect::None | Effect::SetSearchPath { .. })] => Ok(effect.clone()),
            _ => Err(refused("it is more than a setting".to_owned())),
        },
        Verdict::Denial(Denial { message, .. }) => Err(refused(message)),
    }
}

/// Whether a name means UTF8 to the server: it ignores case and everything but letters and digits.
fn is_utf8(name: &str) -> bool {
    let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    ["utf8", "unicode"].iter().any(|utf8| letters.eq_ignore_ascii_case(utf8))
}

fn split_options(options: &[u8]) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut word = Vec::new();
    let mut escaped = false;
    for byte in options {
        if escaped {
            word.push(*byte);
            escaped = false;
        } else if *byte == b'\\' {
            escaped = true;
        } else if byte.is_ascii_whitespace() {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
        } else {
            word.push(*byte);
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

fn escape_option(byte: u8) -> impl Iterator<Item = u8> {
    (byte.is_ascii_whitespace() || byte == b'\\').then_some(b'\\').into_iter().chain([byte])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(parameters: &[(&str, &str)]) -> Result<Parameters, ParameterError> {
        let parameters = parameters.iter().map(|(n, v)| ((*n).to_owned(), v.as_bytes().to_vec())).collect();
        Parameters::read(&StartupMessage { parameters, ..StartupMessage::default() })
    }

    #[test]
    fn options_are_split_as_the_server_does() {
        let options = r"-c geqo=off --work-mem=1MB -cDateStyle=ISO,\ MDY -c sekisho.role=analyst";
        let p = read(&[("user", "u"), ("options", options), ("application_name", "psql")]).unwrap();
        assert_eq!(p.get("geqo"), Some(&b"off"[..]));
        assert_eq!(p.get("work_mem"), Some(&b"1MB"[..]));
        assert_eq!(p.get("datestyle"), Some(&b"ISO, MDY"[..]));
        assert_eq!(p.role.as_deref(), Some("analyst"));
        assert_eq!(&*p.application(), "psql");
        assert!(p.flags.is_empty());
    }

    #[test]
    fn other_flags_are_kept_apart() {
        assert_eq!(read(&[("options", r"-e -B\ 5")]).unwrap().flags, br"-e -B\ 5");
        assert!(read(&[("options", "-c")]).is_err());
        assert!(read(&[("options", "-c geqo")]).is_err());
    }

    #[test]
    fn names_of_utf8() {
        assert!(is_utf8("utf-8") && is_utf8("UTF8") && is_utf8("Unicode"));
        assert!(!is_utf8("LATIN1") && !is_utf8("utf16"));
    }
}
