//! The requests of a load: a file of them, one behind the other, none with a body.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// What is sent, each in turn.
pub struct Requests {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Requests {
    /// Writes the file.
    pub fn write(path: &Path, requests: impl Iterator<Item = Vec<u8>>) {
        let mut file = BufWriter::new(File::create(path).expect("a new file"));
        for request in requests {
            file.write_all(&request).expect("room for it");
        }
        file.flush().expect("room for it");
    }

    /// Reads it.
    pub fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).expect("the file is there");
        let ends = memchr::memmem::find_iter(&bytes, END).map(|at| at + END.len()).collect();
        Self { bytes, ends }
    }

    /// The one whose turn it is, when so many had theirs.
    pub fn at(&self, turn: usize) -> &[u8] {
        let number = turn % self.ends.len();
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start..self.ends[number]]
    }
}

/// Where a run keeps its files, until it ends.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(format!("scaling-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a new folder");
        Self(path)
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _left_behind = std::fs::remove_dir_all(&self.0);
    }
}

const END: &[u8] = b"\r\n\r\n";
