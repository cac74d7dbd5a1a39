//! `[audit]` of the configuration.

use std::path::PathBuf;
use std::time::Duration;

/// Where and how records are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `dir`: the folder of the segment files. One proxy writes it.
    pub dir: PathBuf,
    /// `durability`: when a record counts as written. Default `os`.
    pub durability: Durability,
    /// `on_failure`: what happens to statements that cannot be recorded. Default `refuse`.
    pub on_failure: OnFailure,
    /// `statement_text`: how much of a statement's text is recorded. Default `full`.
    pub statement_text: StatementText,
    /// `max_statement_text`: longer texts are cut to this many bytes; their length and SHA-256 are recorded. Default 1 MB.
    pub max_statement_text: usize,
    /// `max_segment_size`: a segment file of at least this many bytes is followed by a new one. Default 256 MB.
    pub max_segment_size: u64,
    /// `max_segment_age`: a segment file that was begun this long ago is followed by a new one. Default one day.
    pub max_segment_age: Duration,
    /// `retain`: segment files that were last written longer ago are removed when a new one is begun. Default: none is.
    pub retain: Option<Duration>,
}

impl Settings {
    /// The defaults for a folder.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            durability: Durability::default(),
            on_failure: OnFailure::default(),
            statement_text: StatementText::default(),
            max_statement_text: 1 << 20,
            max_segment_size: 256 << 20,
            max_segment_age: Duration::from_hours(24),
            retain: None,
        }
    }
}

/// When a record counts as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// `os`: the operating system has it, so it survives the death of the proxy.
    #[default]
    Os,
    /// `disk`: the disk has it (`fdatasync`), so it survives the death of the machine.
    Disk,
}

/// What happens to statements that cannot be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnFailure {
    /// `refuse`: nothing runs until records can be written again.
    #[default]
    Refuse,
    /// `continue`: statements run; a later record says how many are missing.
    Continue,
}

/// How much of a statement's text is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StatementText {
    /// `full`: what the client sent and what the server got.
    #[default]
    Full,
    /// `normalized`: what the client sent with literals removed.
    Normalized,
    /// `off`: the fingerprint only.
    Off,
}
