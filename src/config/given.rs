//! What a configuration is read from: files, and variables of the environment.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Problems;

/// Texts, before anybody has looked into them.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// What it is called as a whole: the path of the file or the folder.
    pub name: String,
    /// Where relative paths begin.
    pub base: PathBuf,
    /// Names and texts, in the order they are read in.
    pub files: Vec<(String, String)>,
    /// Names and values of the variables that begin with [`PREFIX`].
    pub variables: Vec<(String, String)>,
}

impl Given {
    /// Reads a file, or every `*.toml` of a folder in order of name, and takes the variables of
    /// this process. An empty path stands for the variables alone.
    ///
    /// # Errors
    /// [`Problems::Unreadable`] for the first file that is, for a folder without one, and where there
    /// is nothing at all.
    pub fn read(path: &Path) -> Result<Self, Problems> {
        let variables = variables(env::vars_os())?;
        if path.as_os_str().is_empty() {
            let name = ENVIRONMENT.to_owned();
            return match variables.is_empty() {
                true => Err(unreadable(&name, io::Error::other(NOTHING))),
                false => Ok(Self { name, variables, ..Self::default() }),
            };
        }
        let name = path.display().to_string();
        if !path.is_dir() {
            let base = path.parent().unwrap_or(Path::new("")).to_owned();
            return Ok(Self { files: vec![text(path)?], name, base, variables });
        }
        let paths = toml_files(path).map_err(|error| unreadable(&name, error))?;
        if paths.is_empty() {
            return Err(unreadable(&name, io::Error::other("no file in it ends with .toml")));
        }
        let files = paths.iter().map(|path| text(path)).collect::<Result<_, _>>()?;
        Ok(Self { files, name, base: path.to_owned(), variables })
    }

    /// One file alone.
    pub fn text(text: &str, file: &str, base: &Path) -> Self {
        Self {
            name: file.to_owned(),
            base: base.to_owned(),
            files: vec![(file.to_owned(), text.to_owned())],
            variables: Vec::new(),
        }
    }
}

fn toml_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden && path.extension().is_some_and(|end| end == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn text(path: &Path) -> Result<(String, String), Problems> {
    let name = path.display().to_string();
    match fs::read_to_string(path) {
        Ok(text) => Ok((name, text)),
        Err(error) => Err(unreadable(&name, error)),
    }
}

fn variables(
    all: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Vec<(String, String)>, Problems> {
    let mut ours = Vec::new();
    for (name, value) in all {
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else { continue };
        let not_text = |_| unreadable(name, io::ErrorKind::InvalidData.into());
        ours.push((name.to_owned(), value.into_string().map_err(not_text)?));
    }
    ours.sort();
    Ok(ours)
}

fn unreadable(file: &str, source: io::Error) -> Problems {
    Problems::Unreadable { file: file.to_owned(), source }
}

/// What begins the names of variables that are keys of the configuration.
pub const PREFIX: &str = "SUPERID_GATEWAY__";
/// What a configuration without a file is called.
pub(super) const ENVIRONMENT: &str = "the environment";
const NOTHING: &str =
    "it has no variable that begins with SUPERID_GATEWAY__; name a file by --config";
