//! One reading of one file: its text, what it may look up, and everything found so far.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::DeTable;

use super::{Position, Problem};

/// What the sections read from and report to.
pub(super) struct Reading<'t> {
    /// What problems call the file.
    pub file: &'t str,
    text: &'t str,
    base: &'t Path,
    environment: &'t dyn Fn(&str) -> Option<String>,
    problems: RefCell<Vec<Problem>>,
    warnings: RefCell<Vec<Problem>>,
}

/// Where something stands in the text, and under which key.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// In bytes from the beginning.
    pub offset: usize,
    pub key: String,
}

impl<'t> Reading<'t> {
    pub fn new(
        text: &'t str,
        file: &'t str,
        base: &'t Path,
        environment: &'t dyn Fn(&str) -> Option<String>,
    ) -> Self {
        let (problems, warnings) = (RefCell::default(), RefCell::default());
        Self { file, text, base, environment, problems, warnings }
    }

    /// The document tree; `None` when the text is not TOML, which is reported.
    pub fn parse(&self) -> Option<Spanned<DeTable<'t>>> {
        let (document, errors) = DeTable::parse_recoverable(self.text);
        if errors.is_empty() {
            return Some(document);
        }
        for error in errors {
            let offset = error.span().map_or(0, |span| span.start);
            let place = Place { offset, key: "toml".to_owned() };
            match error.message().split_once(", expected ") {
                Some((wrong, expected)) => {
                    self.problem(&place, wrong, format!("expected here: {expected}"));
                }
                None => self.problem(&place, error.message(), "see https://toml.io"),
            }
        }
        None
    }

    pub fn problem(&self, place: &Place, wrong: impl Into<String>, instead: impl Into<String>) {
        let problem = self.finding(place, wrong.into(), instead.into());
        self.problems.borrow_mut().push(problem);
    }

    pub fn warn(&self, place: &Place, wrong: impl Into<String>, instead: impl Into<String>) {
        let warning = self.finding(place, wrong.into(), instead.into());
        self.warnings.borrow_mut().push(warning);
    }

    pub fn position(&self, offset: usize) -> Position {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Position {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }

    /// A path as the file means it: relative to the folder the file is in.
    pub fn path(&self, text: &str) -> PathBuf {
        self.base.join(text)
    }

    /// An environment variable.
    pub fn variable(&self, name: &str) -> Option<String> {
        (self.environment)(name)
    }

    /// The problems and the warnings, each in the order of the text.
    pub fn findings(self) -> (Vec<Problem>, Vec<Problem>) {
        let [problems, warnings] = [self.problems, self.warnings].map(|found| {
            let mut found = found.into_inner();
            found.sort_by(|a, b| (a.position, &a.key).cmp(&(b.position, &b.key)));
            found.dedup();
            found
        });
        (problems, warnings)
    }

    fn finding(&self, place: &Place, wrong: String, instead: String) -> Problem {
        Problem {
            file: self.file.to_owned(),
            position: self.position(place.offset),
            key: place.key.clone(),
            wrong,
            instead,
        }
    }
}

/// A value from the file as problems show it: quoted, escaped, and cut when long.
pub(super) fn quoted(text: &str) -> String {
    const SHOWN: usize = 80;
    if text.chars().count() <= SHOWN {
        return format!("{text:?}");
    }
    format!("{:?}…", text.chars().take(SHOWN).collect::<String>())
}
