//! `keys list`, `keys rotate`, `keys retire` and `keys revoke`: the session keys of a running house.
//!
//! All of them read and write the first file of `session.keys`, whole or not at all, and a running
//! gateway follows when it is told to reload. A rotation has two turns, so that no replica seals with a
//! key that another does not know.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::config::{self, Problems, Rotation};
use crate::crypto::{Key, KeyId, KeyList, Random, Standing, Turn, name_of, named, private_file};

use super::Verdict;

/// What is to become of the session keys.
#[derive(Clone, Debug, Subcommand)]
pub enum SessionKeyCommand {
    /// Show the session keys by their names, how each stands, and when an old one may go
    List {
        /// The TOML file or folder that names the key file
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Take out old session keys that no session can be sealed with any more
    Retire {
        /// The TOML file or folder that names the key file
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// End every session that a key has sealed, and no other
    Revoke {
        /// The key's name, as `keys list` shows it
        name: String,
        /// The TOML file or folder that names the key file
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Take one step of a rotation: add a new key that opens, or let the one that was added seal
    Rotate {
        /// The TOML file or folder that names the key file
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
}

/// Does it, and prints what is to be done next.
///
/// # Errors
/// Only when `out` cannot be written.
pub fn session_keys(
    command: &SessionKeyCommand,
    (random, now): (&Random, Timestamp),
    out: &mut dyn Write,
) -> io::Result<Verdict> {
    let (SessionKeyCommand::List { config }
    | SessionKeyCommand::Retire { config }
    | SessionKeyCommand::Revoke { config, .. }
    | SessionKeyCommand::Rotate { config }) = command;
    let mut file = match Opened::at(config) {
        Ok(file) => file,
        Err((verdict, why)) => {
            writeln!(out, "{why}")?;
            return Ok(verdict);
        }
    };
    let fresh = || Zeroizing::new(random.bytes::<32>());
    let told = match command {
        SessionKeyCommand::List { .. } => return file.list(now, out).map(|()| Verdict::Fine),
        SessionKeyCommand::Retire { .. } => file.retire(now),
        SessionKeyCommand::Revoke { name, .. } => match name_of(name) {
            Some(name) => file.revoke(name, fresh()),
            None => {
                writeln!(out, "{name}: no key is called so; `keys list` shows their names")?;
                return Ok(Verdict::Problems);
            }
        },
        SessionKeyCommand::Rotate { .. } => file.rotate(fresh, now),
    };
    if let Err(error) = private_file::rewrite(&file.path, &file.list.to_text()) {
        writeln!(out, "{}: cannot be written: {error}", file.path.display())?;
        return Ok(Verdict::Problems);
    }
    writeln!(out, "{}: {told}", file.path.display())?;
    Ok(Verdict::Fine)
}

/// The key file, read.
struct Opened {
    path: PathBuf,
    list: KeyList,
    rotation: Rotation,
}

impl Opened {
    fn at(config: &Path) -> Result<Self, (Verdict, String)> {
        let rotation = config::key_rotation(config).map_err(|problems| {
            let verdict = match problems {
                Problems::Found { .. } => Verdict::Problems,
                Problems::Unreadable { .. } => Verdict::Unreadable,
            };
            (verdict, problems.to_string())
        })?;
        let wrong = |why: String| (Verdict::Problems, why);
        let path = rotation.file.clone().ok_or_else(|| {
            let config = config.display();
            wrong(format!("{config}: session.keys names no file, so there is nothing to write to"))
        })?;
        let named = |why: &dyn std::fmt::Display| wrong(format!("{}: {why}", path.display()));
        let text = std::fs::read_to_string(&path).map(Zeroizing::new).map_err(|why| named(&why))?;
        let list = KeyList::read(&text).map_err(|why| named(&why))?;
        Ok(Self { path, list, rotation })
    }

    fn list(&self, now: Timestamp, out: &mut dyn Write) -> io::Result<()> {
        for (name, standing) in self.list.standings() {
            let word = match standing {
                Standing::Next => "opens, and seals after the next turn".to_owned(),
                Standing::Revoked => "revoked: its sessions are over".to_owned(),
                Standing::Sealing => "seals".to_owned(),
                Standing::Old(until) => self.may_go(until, now),
            };
            writeln!(out, "{}  {word}", named(name))?;
        }
        Ok(())
    }

    /// What a session that was sealed with it a moment before says.
    fn may_go(&self, until: u64, now: Timestamp) -> String {
        match (until + self.rotation.absolute).saturating_sub(now.0) {
            0 => "old: may go, `keys retire` takes it out".to_owned(),
            left => format!("old: opens what it sealed, and may go in {}", spelled(left)),
        }
    }

    fn retire(&mut self, now: Timestamp) -> String {
        let gone = self.list.retire(now.0.saturating_sub(self.rotation.absolute));
        match gone.is_empty() {
            true => "no key may go yet".to_owned(),
            false => format!("took out {}; {RELOAD}", names(&gone)),
        }
    }

    fn revoke(&mut self, name: KeyId, fresh: Key) -> String {
        let sealed = self.list.standings()[0].0;
        self.list.revoke(name, fresh);
        let seals = self.list.standings()[0].0;
        let instead = match seals == sealed {
            true => String::new(),
            false => format!(" {} seals instead.", named(seals)),
        };
        let name = named(name);
        format!(
            "{name} is revoked.{instead} Its sessions end as soon as a replica has this file; {RELOAD}"
        )
    }

    /// One gateway that has its sessions alone takes both turns at once.
    fn rotate(&mut self, fresh: impl Fn() -> Key, now: Timestamp) -> String {
        let turn = self.list.turn(fresh(), now.0);
        let turn = match (turn, self.rotation.replicas) {
            (Turn::Known(_), Some(1)) => self.list.turn(fresh(), now.0),
            (turn, _) => turn,
        };
        match turn {
            Turn::Known(new) => format!(
                "{} is new: it opens, and seals nothing yet. {RELOAD}, and when all of them have it, run \
                 `keys rotate` again",
                named(new)
            ),
            Turn::Seals { now: seals, before } => format!(
                "{} seals from now on, and {} opens what it sealed: nobody is signed out. {RELOAD}. {} may \
                 go in {}",
                named(seals),
                named(before),
                named(before),
                spelled(self.rotation.absolute)
            ),
        }
    }
}

fn names(keys: &[KeyId]) -> String {
    keys.iter().map(|key| named(*key)).collect::<Vec<_>>().join(", ")
}

fn spelled(seconds: u64) -> String {
    match (seconds / 3_600, (seconds % 3_600).div_ceil(60)) {
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

const RELOAD: &str = "let every replica have the file, and reload each";
