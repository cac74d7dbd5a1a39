//! Secrets: literal, from the environment, or from a file.

use std::path::Path;

use super::load::Secrets;
use super::path;
use crate::policy::reader::Value;

/// Reads `"literal"`, `{ env = "NAME" }` or `{ file = "PATH" }`. A newline at the end of a file or variable is no part
/// of the secret. Mistakes never show the secret.
pub(super) fn read(value: Value<'_>, folder: &Path, secrets: Secrets) -> Option<Vec<u8>> {
    if !value.raw().is_table() {
        value.hide();
    }
    if value.raw().is_str() {
        return value.text().map(|text| text.as_bytes().to_vec());
    }
    if !value.raw().is_table() {
        return value.wrong_type("a string, `{ env = \"NAME\" }` or `{ file = \"PATH\" }`");
    }
    value.table("the secret", |table| {
        let from = From::read(table.get("env"), table.get("file"), folder);
        if from.is_none() {
            table.error("bad-value", "a secret has either `env` or `file`");
        }
        from?.fetch(secrets)
    })
}

/// Where a secret is.
pub(super) enum From<'a> {
    Environment(Value<'a>),
    File(Value<'a>, &'a Path),
}

impl<'a> From<'a> {
    /// Exactly one of the two keys.
    pub(super) fn read(env: Option<Value<'a>>, file: Option<Value<'a>>, folder: &'a Path) -> Option<Self> {
        match (env, file) {
            (Some(env), None) => Some(Self::Environment(env)),
            (None, Some(file)) => Some(Self::File(file, folder)),
            (Some(_), Some(_)) | (None, None) => None,
        }
    }

    /// The secret itself; a stand-in when secrets are not read.
    pub(super) fn fetch(self, secrets: Secrets) -> Option<Vec<u8>> {
        match self {
            Self::Environment(value) => environment(value, secrets),
            Self::File(value, folder) => file(value, folder, secrets),
        }
    }
}

/// Stands for secrets that are not read. Long enough for every check.
const STAND_IN: &[u8] = b"a secret that was not read, because only the rules are checked";

fn environment(value: Value<'_>, secrets: Secrets) -> Option<Vec<u8>> {
    let name = value.text()?;
    if secrets == Secrets::Skip {
        return Some(STAND_IN.to_vec());
    }
    match std::env::var(&*name) {
        Ok(secret) if secret.trim_end_matches(['\r', '\n']).is_empty() => {
            value.error("missing-secret", format!("the environment variable `{name}` is empty"));
            None
        }
        Ok(secret) => Some(secret.trim_end_matches(['\r', '\n']).as_bytes().to_vec()),
        Err(std::env::VarError::NotPresent) => {
            value.error("missing-secret", format!("the environment variable `{name}` is not set"));
            None
        }
        Err(std::env::VarError::NotUnicode(_)) => {
            value.error("missing-secret", format!("the environment variable `{name}` is no text"));
            None
        }
    }
}

fn file(value: Value<'_>, folder: &Path, secrets: Secrets) -> Option<Vec<u8>> {
    let path = path::relative_to(folder, value)?;
    if secrets == Secrets::Skip {
        return Some(STAND_IN.to_vec());
    }
    match std::fs::read(&path) {
        Ok(mut secret) => {
            while secret.last().is_some_and(|byte| matches!(byte, b'\r' | b'\n')) {
                secret.pop();
            }
            if secret.is_empty() {
                value.error("missing-secret", format!("`{}` is empty", path::shown(&path)));
                return None;
            }
            Some(secret)
        }
        Err(error) => {
            value.error("missing-secret", format!("cannot read `{}`: {error}", path::shown(&path)));
            None
        }
    }
}
