//! The texts of one reading, one behind the other, so that one number says where anything stands.

use super::Position;
use super::given::{ENVIRONMENT, Given};

/// Every text with the place it has among all.
#[derive(Debug)]
pub(super) struct Sources(Vec<Source>);

/// One of them.
#[derive(Debug)]
pub(super) struct Source {
    pub name: String,
    pub kind: SourceKind,
    /// In bytes from the beginning of the first.
    pub start: usize,
    /// A file's text begins with as many spaces as come before it: what a parser says of it is true
    /// of all. A variable's is its value.
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SourceKind {
    File,
    Variable,
}

impl Sources {
    pub fn new(given: &Given) -> Self {
        let mut sources = Self(Vec::new());
        let mut start = 0;
        for (name, text) in &given.files {
            let text = text.strip_prefix('\u{feff}').unwrap_or(text);
            sources.push(name, SourceKind::File, start, " ".repeat(start) + text);
            start += text.len() + 1;
        }
        if given.files.is_empty() {
            // What is missing is missing there.
            sources.push(ENVIRONMENT, SourceKind::Variable, start, String::new());
            start += 1;
        }
        for (name, value) in &given.variables {
            let value = value.trim_end_matches(['\r', '\n']);
            sources.push(name, SourceKind::Variable, start, value.to_owned());
            start += value.len() + 1;
        }
        sources
    }

    pub fn files(&self) -> impl Iterator<Item = &Source> {
        self.0.iter().filter(|source| source.kind == SourceKind::File)
    }

    pub fn variables(&self) -> impl Iterator<Item = &Source> {
        let named = |source: &&Source| source.name != ENVIRONMENT;
        self.0.iter().filter(|source| source.kind == SourceKind::Variable).filter(named)
    }

    /// What a place is in, and the place in a file.
    pub fn find(&self, offset: usize) -> (&str, Option<Position>) {
        let source = self.0.iter().rev().find(|source| source.start <= offset);
        match source {
            Some(source) if source.kind == SourceKind::File => {
                (&source.name, Some(source.position(offset)))
            }
            Some(source) => (&source.name, None),
            None => (ENVIRONMENT, None),
        }
    }

    /// The same, as people read it: `gateway.toml:12`, or a variable's name.
    pub fn told(&self, offset: usize) -> String {
        match self.find(offset) {
            (name, Some(position)) => format!("{name}:{}", position.line),
            (name, None) => name.to_owned(),
        }
    }

    /// The same to the column, with the file's name where there are several.
    pub fn spot(&self, offset: usize) -> String {
        match self.find(offset) {
            (name, None) => name.to_owned(),
            (_, Some(at)) if self.files().count() == 1 => format!("{}:{}", at.line, at.column),
            (name, Some(at)) => format!("{name}:{}:{}", at.line, at.column),
        }
    }

    fn push(&mut self, name: &str, kind: SourceKind, start: usize, text: String) {
        self.0.push(Source { name: name.to_owned(), kind, start, text });
    }
}

impl Source {
    fn position(&self, offset: usize) -> Position {
        let before = self.text.get(self.start..offset).unwrap_or(&self.text[self.start..]);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Position {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}
