//! What is wrong with a configuration, where, and what would be right.

use std::fmt;
use std::io;

/// One finding. Prints as `file:line:column key: what is wrong; what would be right`,
/// and as `VARIABLE key: …` where it is about a variable of the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// A file, or a variable of the environment.
    pub file: String,
    /// Where in the file; a variable has no places.
    pub position: Option<Position>,
    /// The full key, such as `route.orders.upstream`.
    pub key: String,
    pub wrong: String,
    pub instead: String,
}

/// A place in the text: both count from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

/// Why a configuration did not load. Prints one finding a line.
#[derive(Debug)]
pub enum Problems {
    /// It was read and does not hold: every problem and every warning, in the order of the text.
    Found { problems: Vec<Problem>, warnings: Vec<Problem> },
    /// The file itself could not be read, or is not UTF-8.
    Unreadable { file: String, source: io::Error },
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, position, key, wrong, instead } = self;
        match position {
            Some(at) => {
                write!(out, "{file}:{}:{} {key}: {wrong}; {instead}", at.line, at.column)
            }
            None => write!(out, "{file} {key}: {wrong}; {instead}"),
        }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found { problems, .. } => {
                let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
                out.write_str(&lines.join("\n"))
            }
            Self::Unreadable { file, source } => write!(out, "{file}: cannot be read: {source}"),
        }
    }
}

impl std::error::Error for Problems {}
