//! The process this one takes over from.

use std::env;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::server::Running;
use crate::session::Note;

use super::link::{Link, Said};
use super::succession::SUCCEEDS;

/// One that waits to be told that this process serves.
pub(super) struct Predecessor(Link);

impl Predecessor {
    /// The predecessor, if there is one.
    ///
    /// # Errors
    /// When the environment says so and the link is none.
    pub(super) fn find() -> io::Result<Option<Self>> {
        if env::var_os(SUCCEEDS).is_none() {
            return Ok(None);
        }
        let stream = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
        let mut link = Link::new(stream)?;
        link.patience(Some(SNAPSHOT))?;
        link.is_greeted()?;
        Ok(Some(Self(link)))
    }

    /// Everything it remembers.
    ///
    /// # Errors
    /// When it ends before it has told all.
    pub(super) fn memory(&mut self) -> io::Result<Vec<Note>> {
        let mut notes = Vec::new();
        while let Said::Note(note) = self.0.hear()? {
            notes.push(note);
        }
        Ok(notes)
    }

    /// Tells it that this process serves, and goes on telling and hearing what comes up until it
    /// is gone.
    ///
    /// # Errors
    /// When no thread can be had; that it is gone already is none.
    pub(super) fn relieve(mut self, running: &Running) -> io::Result<()> {
        let (memory, clock) = running.memory();
        self.0.patience(None)?;
        if self.0.greet().is_err() {
            return Ok(());
        }
        // What is remembered here is remembered there, as well.
        let _runs_on = self.0.try_clone()?.tell(memory.clone())?;
        std::thread::Builder::new().name("heir".to_owned()).spawn(move || {
            self.0.listen(&memory, &clock, || {});
        })?;
        Ok(())
    }
}

/// How long the memory of a predecessor may keep us waiting at any one time.
const SNAPSHOT: Duration = Duration::from_secs(10);
