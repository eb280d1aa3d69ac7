//! From a configuration to its open vault, and from what went wrong there to an exit code.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::cli::Verdict;
use crate::clock::Clock;
use crate::config::{self, Problems, VaultPlace};
use crate::crypto::Random;
use crate::vault::{Vault, VaultFailed};

/// An open vault and its file.
pub(super) struct Opened {
    pub(super) vault: Vault,
    pub(super) path: PathBuf,
}

/// Whether a vault that is not there is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Making {
    No,
    Yes,
}

/// Opens the vault of a configuration for one piece of work.
///
/// # Errors
/// There is no vault to be had, or the work came to an error.
pub(super) fn run(
    config: &Path,
    making: Making,
    out: &mut dyn Write,
    work: impl AsyncFnOnce(&Opened, &mut dyn Write) -> io::Result<Verdict>,
) -> io::Result<Verdict> {
    let settings = match config::load_vault(config) {
        Ok(Some(settings)) => settings,
        Ok(None) => {
            writeln!(out, "{}: there is no [vault]", config.display())?;
            return Ok(Verdict::Problems);
        }
        Err(problems) => {
            writeln!(out, "{problems}")?;
            return Ok(match problems {
                Problems::Found { .. } => Verdict::Problems,
                Problems::Unreadable { .. } => Verdict::Unreadable,
            });
        }
    };
    let VaultPlace::File(path) = settings.place.clone() else {
        let words = "the vault is in the memory of the gateway, where no command can reach it";
        return Err(io::Error::other(words));
    };
    if making == Making::No && !path.exists() {
        return Err(io::Error::other(format!("{}: there is no vault yet", path.display())));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let opened = Vault::open(&settings, Clock::system(), Random::system());
    let vault = opened.map_err(|failed| told(&path, &failed))?;
    runtime.block_on(work(&Opened { vault, path }, out))
}

impl Opened {
    /// The failure with the file's name.
    pub(super) fn failed(&self) -> impl Fn(VaultFailed) -> io::Error {
        |failed| told(&self.path, &failed)
    }
}

fn told(path: &Path, failed: &VaultFailed) -> io::Error {
    io::Error::other(format!("{}: {failed}", path.display()))
}
