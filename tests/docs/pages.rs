//! The pages, and what can be picked out of Markdown without understanding all of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A Markdown file of the repository.
pub struct Page {
    /// From the root, with `/`.
    pub path: String,
    pub text: String,
}

/// The root of the repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Whether a file or folder is there, by its path from the root.
pub fn exists(path: &str) -> bool {
    root().join(path).exists()
}

/// Every page there is.
pub fn every_page() -> Vec<Page> {
    let mut paths = Vec::new();
    for folder in ["", "docs", "certs", "tests/long"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".md") {
                let slash = if folder.is_empty() { "" } else { "/" };
                paths.push(format!("{folder}{slash}{name}"));
            }
        }
    }
    assert!(paths.len() >= 10, "{paths:?}");
    paths.iter().map(|path| Page::read(path)).collect()
}

/// Every Rust file under `src` and `tests`, with its text.
pub fn code_files() -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut open: Vec<PathBuf> = ["src", "tests"].map(|folder| root().join(folder)).to_vec();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files
}

impl Page {
    /// Reads a page.
    pub fn read(path: &str) -> Self {
        let text = fs::read_to_string(root().join(path)).unwrap();
        Self { path: path.to_owned(), text }
    }

    /// A path as this page writes it, from the root.
    pub fn beside(&self, file: &str) -> String {
        let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
        for part in file.split('/').filter(|part| !part.is_empty()) {
            match part {
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        parts.join("/")
    }

    /// What links lead to.
    pub fn links(&self) -> impl Iterator<Item = String> {
        let text = self.prose();
        let rests: Vec<String> = text.split("](").skip(1).map(str::to_owned).collect();
        rests.into_iter().map(|rest| rest.split(')').next().unwrap_or_default().to_owned())
    }

    /// What stands between single backticks.
    pub fn spans(&self) -> impl Iterator<Item = String> {
        let spans: Vec<String> =
            self.prose().split('`').skip(1).step_by(2).map(str::to_owned).collect();
        spans.into_iter()
    }

    /// The fenced blocks of a language.
    pub fn blocks(&self, language: &str) -> Vec<String> {
        let mut blocks = Vec::new();
        let mut block: Option<(String, usize)> = None;
        for line in self.text.lines() {
            let indent = line.len() - line.trim_start().len();
            match (&mut block, line.trim_start().strip_prefix("```")) {
                (None, Some(kind)) if kind == language => block = Some((String::new(), indent)),
                (Some(_), Some(_)) => blocks.extend(block.take().map(|(text, _)| text)),
                (Some((text, indent)), None) => {
                    text.push_str(line.get(*indent..).unwrap_or_default());
                    text.push('\n');
                }
                (None, _) => {}
            }
        }
        blocks
    }

    /// Lines of shell blocks, with continued ones joined, and spans.
    pub fn code_lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.spans().collect();
        for block in self.blocks("sh") {
            lines.extend(block.replace("\\\n", " ").lines().map(str::to_owned));
        }
        lines
    }

    /// The headings as links name them: lower case, `-` for blanks, no punctuation.
    pub fn anchors(&self) -> BTreeSet<String> {
        let headings = self.text.lines().filter(|line| line.starts_with('#'));
        headings
            .map(|line| line.trim_start_matches('#').trim().to_lowercase())
            .map(|line| line.replace(' ', "-"))
            .map(|line| line.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect())
            .collect()
    }

    /// The text without fenced blocks.
    fn prose(&self) -> String {
        let mut inside = false;
        let mut prose = String::new();
        for line in self.text.lines() {
            if line.trim_start().starts_with("```") {
                inside = !inside;
            } else if !inside {
                prose.push_str(line);
                prose.push('\n');
            }
        }
        prose
    }
}
