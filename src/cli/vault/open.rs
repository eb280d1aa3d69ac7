//! From a configuration to its open vault, and from what went wrong there to an exit code.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::cli::Verdict;
use crate::clock::Clock;
use crate::config::{self, Problems, VaultPlace};
use crate::crypto::{Random, install_provider};
use crate::vault::{Vault, VaultFailed};

use super::audited::{Audited, Looks};

/// An open vault, and where it lies.
pub(super) struct Opened {
    pub(super) vault: Vault,
    /// A file, or the address of a server.
    pub(super) place: String,
    /// The file, if it is one.
    pub(super) file: Option<PathBuf>,
    /// Where it is told what was done to it.
    pub(super) audited: Audited,
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
    (making, looks): (Making, Looks),
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
    let (place, file) = match &settings.place {
        VaultPlace::File(path) => (path.display().to_string(), Some(path.clone())),
        VaultPlace::Redis(redis) => (redis.to_string(), None),
        VaultPlace::Memory => {
            let words = "the vault is in the memory of the gateway, where no command can reach it";
            return Err(io::Error::other(words));
        }
    };
    if making == Making::No && file.as_ref().is_some_and(|path| !path.exists()) {
        return Err(io::Error::other(format!("{place}: there is no vault yet")));
    }
    let audited = Audited::open(config, looks)?;
    install_provider();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let opened = Vault::open(&settings, Clock::system(), Random::system());
    let vault = opened.map_err(|failed| told(&place, &failed))?;
    runtime.block_on(work(&Opened { vault, place, file, audited }, out))
}

impl Opened {
    /// The failure with the place's name.
    pub(super) fn failed(&self) -> impl Fn(VaultFailed) -> io::Error {
        |failed| told(&self.place, &failed)
    }
}

fn told(place: &str, failed: &VaultFailed) -> io::Error {
    io::Error::other(format!("{place}: {failed}"))
}
