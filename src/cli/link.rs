//! What two processes, of which one follows the other, tell each other.
//!
//! ```text
//! predecessor ──greeting, everything remembered, "ready"──▶ successor
//! predecessor ◀──greeting, "ready" when it serves────────── successor
//! predecessor ◀──what is remembered from here on──────────▶ successor
//! ```

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::clock::Clock;
use crate::session::{Memory, Note};

/// One end.
pub(super) struct Link(UnixStream);

/// Something that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Note(Note),
    Ready,
}

/// The thread that tells the other end what is remembered.
pub(super) struct Teller {
    memory: Memory,
    thread: JoinHandle<()>,
}

impl Link {
    /// Takes an end, on which whoever does not listen is waited for in bounds.
    ///
    /// # Errors
    /// When the socket is none.
    pub(super) fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self(stream))
    }

    /// The same end for another thread.
    ///
    /// # Errors
    /// When there are no descriptors left.
    pub(super) fn try_clone(&self) -> io::Result<Self> {
        Ok(Self(self.0.try_clone()?))
    }

    /// Says that this is one end of such a link.
    ///
    /// # Errors
    /// When the other end is gone.
    pub(super) fn greet(&mut self) -> io::Result<()> {
        self.0.write_all(GREETING)
    }

    /// Hears that the other is one, too: the same version of it.
    ///
    /// # Errors
    /// When it is not.
    pub(super) fn is_greeted(&mut self) -> io::Result<()> {
        let mut greeting = [0; GREETING.len()];
        self.0.read_exact(&mut greeting)?;
        match greeting == *GREETING {
            true => Ok(()),
            false => Err(io::Error::other("the other process speaks another language")),
        }
    }

    /// # Errors
    /// When the other end is gone.
    pub(super) fn say(&mut self, said: Said) -> io::Result<()> {
        match said {
            Said::Note(note) => self.0.write_all(&note.to_bytes()),
            Said::Ready => self.0.write_all(&READY),
        }
    }

    /// # Errors
    /// When the other end is gone, or said what nobody understands.
    pub(super) fn hear(&mut self) -> io::Result<Said> {
        let mut head = READY;
        self.0.read_exact(&mut head)?;
        let unknown = || io::Error::other("a note nobody understands");
        let mut more = vec![0; Note::more(&head).ok_or_else(unknown)?];
        self.0.read_exact(&mut more)?;
        match Note::from_bytes(&head, &more) {
            Some(note) => Ok(Said::Note(note)),
            None if head == READY => Ok(Said::Ready),
            None => Err(unknown()),
        }
    }

    /// Bounds the waiting for what is heard.
    ///
    /// # Errors
    /// When the socket is none.
    pub(super) fn patience(&self, patience: Option<Duration>) -> io::Result<()> {
        self.0.set_read_timeout(patience)
    }

    /// Remembers what is heard until the other end is gone; `ready` is called when that is said.
    pub(super) fn listen(&mut self, memory: &Memory, clock: &Clock, mut ready: impl FnMut()) {
        while let Ok(said) = self.hear() {
            match said {
                Said::Note(note) => memory.inherit(note, clock.now()),
                Said::Ready => ready(),
            }
        }
    }

    /// Tells everything there is to remember, then that this is all, then what comes, on a thread
    /// of its own.
    ///
    /// # Errors
    /// When no thread can be had.
    pub(super) fn tell(mut self, memory: Memory) -> io::Result<Teller> {
        let (heir, comes) = channel();
        let notes = memory.bequeath(&heir);
        drop(heir);
        let thread = std::thread::Builder::new().name("teller".to_owned()).spawn(move || {
            let told = self.tell_all(notes, comes);
            let stuck = |error: &io::Error| {
                matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
            };
            if told.is_err_and(|error| stuck(&error)) {
                tracing::error!(
                    "the other process takes no more notes: sessions that end here may live on there"
                );
            }
        })?;
        Ok(Teller { memory, thread })
    }

    fn tell_all(&mut self, notes: Vec<Note>, comes: Receiver<Note>) -> io::Result<()> {
        let mut bytes = Vec::with_capacity((notes.len() + 1) * Note::HEAD);
        notes.iter().for_each(|note| bytes.extend(note.to_bytes()));
        bytes.extend(READY);
        self.0.write_all(&bytes)?;
        comes.into_iter().try_for_each(|note| self.say(Said::Note(note)))
    }
}

impl Teller {
    /// Returns when everything is told.
    pub(super) fn finish(self) {
        self.memory.disinherit();
        let _panicked = self.thread.join();
    }
}

/// Bytes no note begins with.
const READY: [u8; Note::HEAD] = [0; Note::HEAD];
/// With the version of what follows.
const GREETING: &[u8; 30] = b"superid-gateway succession 1\r\n";
/// How long the other end may take nothing: longer than a new process may take to serve, as it
/// listens only then.
const PATIENCE: Duration = Duration::from_secs(90);
