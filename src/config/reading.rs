//! One reading of a configuration: its texts, what it may look up, and everything found so far.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::DeTable;

use super::Problem;
use super::given::Given;
use super::sources::{Source, Sources};

/// What the sections read from and report to.
pub(super) struct Reading<'t> {
    /// What the whole of it is called.
    pub file: &'t str,
    sources: &'t Sources,
    base: &'t Path,
    environment: &'t dyn Fn(&str) -> Option<String>,
    problems: RefCell<Vec<Finding>>,
    warnings: RefCell<Vec<Finding>>,
}

/// A problem with the place it is sorted by.
type Finding = (usize, Problem);

/// Where something stands in the texts, and under which key.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// In bytes from the beginning.
    pub offset: usize,
    pub key: String,
}

impl<'t> Reading<'t> {
    pub fn new(
        given: &'t Given,
        sources: &'t Sources,
        environment: &'t dyn Fn(&str) -> Option<String>,
    ) -> Self {
        let (problems, warnings) = (RefCell::default(), RefCell::default());
        Self { file: &given.name, sources, base: &given.base, environment, problems, warnings }
    }

    /// The texts.
    pub fn sources(&self) -> &'t Sources {
        self.sources
    }

    /// The document tree of one file; `None` when the text is not TOML, which is reported.
    pub fn parse(&self, source: &'t Source) -> Option<Spanned<DeTable<'t>>> {
        let (document, errors) = DeTable::parse_recoverable(&source.text);
        if errors.is_empty() {
            return Some(document);
        }
        for error in errors {
            let offset = error.span().map_or(source.start, |span| span.start);
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
        self.problems.borrow_mut().push((place.offset, problem));
    }

    pub fn warn(&self, place: &Place, wrong: impl Into<String>, instead: impl Into<String>) {
        let warning = self.finding(place, wrong.into(), instead.into());
        self.warnings.borrow_mut().push((place.offset, warning));
    }

    /// A path as the file means it: relative to the folder the file is in.
    pub fn path(&self, text: &str) -> PathBuf {
        self.base.join(text)
    }

    /// An environment variable.
    pub fn variable(&self, name: &str) -> Option<String> {
        (self.environment)(name)
    }

    /// Where a place is, as people read it.
    pub fn told(&self, offset: usize) -> String {
        self.sources.told(offset)
    }

    /// Whether a place is in a variable of the environment.
    pub fn is_variable(&self, offset: usize) -> bool {
        self.sources.find(offset).1.is_none()
    }

    /// The problems and the warnings, each in the order of the texts.
    pub fn findings(self) -> (Vec<Problem>, Vec<Problem>) {
        let [problems, warnings] = [self.problems, self.warnings].map(|found| {
            let mut found = found.into_inner();
            found.sort_by(|a, b| (a.0, &a.1.key).cmp(&(b.0, &b.1.key)));
            found.dedup();
            found.into_iter().map(|(_, problem)| problem).collect()
        });
        (problems, warnings)
    }

    fn finding(&self, place: &Place, wrong: String, instead: String) -> Problem {
        let (file, position) = self.sources.find(place.offset);
        Problem { file: file.to_owned(), position, key: place.key.clone(), wrong, instead }
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
