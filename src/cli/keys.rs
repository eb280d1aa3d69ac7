//! `keys`: makes the key files a configuration asks for, and touches none that is there.

use std::io::{self, Write};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::config::{self, Holds, Problems};
use crate::crypto::{Es256Key, Random};

use super::Verdict;
use crate::crypto::private_file;

/// Makes every missing file of `session.keys`, `vault.keys`, `admin.tokens` and `assertion.keys`, for its owner
/// alone, with 32 random bytes in base64 or, for the last, a private key in PEM, and prints what it made and what it left.
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
            "{}: session.keys, vault.keys, admin.tokens and assertion.keys name no file, so there is nothing to make",
            path.display()
        )?;
    }
    let mut verdict = Verdict::Fine;
    for file in files {
        let name = file.path.display();
        match make(&file.path, file.holds, random) {
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

fn make(path: &Path, holds: Holds, random: &Random) -> io::Result<()> {
    if holds == Holds::Es256 {
        let pem = Es256Key::new_pem().map_err(io::Error::other)?;
        return private_file::create(path, &pem);
    }
    let bytes = Zeroizing::new(random.bytes::<32>());
    let line = Zeroizing::new(format!("{}\n", STANDARD.encode(*bytes)));
    private_file::create(path, &line)
}
