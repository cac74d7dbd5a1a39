//! Findings as text: with excerpts of the source for people, as JSON for machines.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde::Serialize;

use super::{Diagnostics, FileId, Finding, Place, Severity};

/// Whether text is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// No colours.
    Plain,
    /// ANSI colours.
    Coloured,
}

impl Diagnostics {
    /// All findings for people, each with its file, line, column and an excerpt.
    pub fn render(&self, style: Style) -> String {
        let renderer = match style {
            Style::Plain => Renderer::plain(),
            Style::Coloured => Renderer::styled(),
        };
        let mut out = String::new();
        for finding in self.findings() {
            out.push_str(&renderer.render(&[self.group(finding)]));
            out.push_str("\n\n");
        }
        out
    }

    fn group<'a>(&'a self, finding: &'a Finding) -> Group<'a> {
        let level = match finding.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = Group::with_title(level.primary_title(&*finding.message).id(finding.code));
        let primary = (finding.place, finding.label.as_str(), AnnotationKind::Primary);
        let mut places = vec![primary];
        places.extend(finding.also.iter().map(|(place, label)| (*place, label.as_str(), AnnotationKind::Context)));
        let mut files: Vec<FileId> = Vec::new();
        for (place, ..) in &places {
            if !files.contains(&place.file) {
                files.push(place.file);
            }
        }
        for id in files {
            let Some(file) = self.files.get(id.0) else { continue };
            let here = places.iter().filter(|(place, ..)| place.file == id && place.end <= file.text.len());
            let annotations: Vec<_> = here
                .filter(|(place, ..)| place.end > 0)
                .map(|(place, label, kind)| kind.span(place.start..place.end).label(*label))
                .collect();
            group = if annotations.is_empty() {
                group.element(Origin::path(&*file.path))
            } else {
                group.element(Snippet::source(&*file.text).path(&*file.path).annotations(annotations))
            };
        }
        match &finding.help {
            Some(help) => group.element(Level::HELP.message(&**help)),
            None => group,
        }
    }

    /// All findings for machines: a JSON array of objects with `severity`, `code`, `message`, `file`, `line`, `column`,
    /// `end_line`, `end_column`, and where there is something to say `label`, `help`, `related`. Lines and columns
    /// count from 1, columns in characters.
    pub fn to_json(&self) -> serde_json::Result<String> {
        let entries: Vec<_> = self.findings().iter().map(|finding| self.entry(finding)).collect();
        serde_json::to_string_pretty(&entries)
    }

    fn entry<'a>(&'a self, finding: &'a Finding) -> Entry<'a> {
        let related = finding.also.iter().map(|(place, label)| Related { stretch: self.stretch(*place), label });
        Entry {
            severity: match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            code: finding.code,
            message: &finding.message,
            stretch: self.stretch(finding.place),
            label: &finding.label,
            help: finding.help.as_deref(),
            related: related.collect(),
        }
    }

    fn stretch(&self, place: Place) -> Stretch<'_> {
        let (line, column) = self.position(place.file, place.start);
        let (end_line, end_column) = self.position(place.file, place.end);
        Stretch { file: self.file(place).map_or("", |file| &*file.path), line, column, end_line, end_column }
    }
}

#[derive(Serialize)]
struct Entry<'a> {
    severity: &'static str,
    code: &'static str,
    message: &'a str,
    #[serde(flatten)]
    stretch: Stretch<'a>,
    #[serde(skip_serializing_if = "str::is_empty")]
    label: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related: Vec<Related<'a>>,
}

#[derive(Serialize)]
struct Related<'a> {
    #[serde(flatten)]
    stretch: Stretch<'a>,
    label: &'a str,
}

#[derive(Serialize)]
struct Stretch<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}
