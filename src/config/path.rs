//! Paths in files are relative to the file that names them.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::policy::diagnostics::{FileId, Finding, Findings, Place};
use crate::policy::reader::Value;

/// A path as a value, relative to the folder of its file.
pub(super) fn relative_to(folder: &Path, value: Value<'_>) -> Option<PathBuf> {
    Some(folder.join(&*value.text()?))
}

/// A file that something else will read: it must be there and readable now.
pub(super) fn readable(folder: &Path, value: Value<'_>) -> Option<PathBuf> {
    let path = relative_to(folder, value)?;
    match std::fs::File::open(&path).and_then(|file| file.metadata()) {
        Ok(metadata) if metadata.is_file() => Some(path),
        Ok(_) => {
            value.error("unreadable", format!("`{}` is no file", shown(&path)));
            None
        }
        Err(error) => {
            value.error("unreadable", format!("cannot read `{}`: {error}", shown(&path)));
            None
        }
    }
}

/// Reads a text file and registers it; a file that cannot be read is noted at `place`, or as a whole.
pub(super) fn open(findings: &Findings, path: &Path, place: Option<Place>) -> Option<(FileId, Arc<str>)> {
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let text: Arc<str> = text.into();
            Some((findings.open(shown(path), Arc::clone(&text)), text))
        }
        Err(error) => {
            let message = format!("cannot read `{}`: {error}", shown(path));
            let place = place.unwrap_or_else(|| Place::whole(findings.open(shown(path), "")));
            findings.add(Finding::error("unreadable", place, message));
            None
        }
    }
}

/// A path as people would write it: `config/../rules/a.toml` is `rules/a.toml`.
pub(super) fn shown(path: &Path) -> String {
    let mut parts: Vec<Component<'_>> = Vec::new();
    for part in path.components() {
        match (part, parts.last()) {
            (Component::ParentDir, Some(Component::Normal(_))) => {
                parts.pop();
            }
            (Component::CurDir, _) => {}
            (_, _) => parts.push(part),
        }
    }
    parts.iter().collect::<PathBuf>().display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_shown_as_people_would_write_them() {
        let of = |path: &str| shown(Path::new(path));
        assert_eq!(of("config/../rules/a.toml"), "rules/a.toml");
        assert_eq!(of("../../rules/./a.toml"), "../../rules/a.toml");
        assert_eq!(of("/etc/sekisho/../x"), "/etc/x");
    }
}
