//! `keys`: makes the key files a configuration asks for, and touches none that is there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::config::{self, Problems};
use crate::crypto::Random;

use super::Verdict;

/// Makes every missing file of `session.keys` and `vault.keys`, for its owner alone, with 32 random bytes in
/// base64, and prints what it made and what it left.
///
/// # Errors
/// Only when `out` cannot be written.
pub fn keys(path: &Path, random: &Random, out: &mut dyn Write) -> io::Result<Verdict> {
    let files = match config::key_files(path) {
        Ok(files) => files,
        Err(problems) => {
            writeln!(out, "{problems}")?;
            return Ok(match problems {
                Problems::Found { .. } => Verdict::Problems,
                Problems::Unreadable { .. } => Verdict::Unreadable,
            });
        }
    };
    if files.is_empty() {
        writeln!(
            out,
            "{}: session.keys and vault.keys name no file, so there is nothing to make",
            path.display()
        )?;
    }
    let mut verdict = Verdict::Fine;
    for file in files {
        let name = file.path.display();
        match make(&file.path, random) {
            Ok(()) => writeln!(out, "{name}: made")?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                writeln!(out, "{name}: there already, left as it is")?;
            }
            Err(error) => {
                verdict = Verdict::Problems;
                writeln!(out, "{name}: cannot be made: {error}")?;
            }
        }
    }
    Ok(verdict)
}

/// A file that exists is whole: a failed write leaves none behind.
fn make(path: &Path, random: &Random) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    fill(&mut file, random).and_then(|()| sync_folder(path)).inspect_err(|_| {
        let _gone = fs::remove_file(path);
    })
}

fn fill(file: &mut File, random: &Random) -> io::Result<()> {
    let bytes = Zeroizing::new(random.bytes::<32>());
    let line = Zeroizing::new(format!("{}\n", STANDARD.encode(*bytes)));
    file.write_all(line.as_bytes())?;
    file.sync_all()
}

/// Makes the new name itself last (POSIX: an entry is durable once its folder is).
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    #[cfg(unix)]
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    #[cfg(not(unix))]
    let _unused = folder;
    Ok(())
}
