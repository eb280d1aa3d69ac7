//! A process that takes over from this one: the same program, which may be newer, with the same
//! arguments, on the same sockets.

use std::env;
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use command_fds::{CommandFdExt as _, FdMapping};
use tokio::sync::mpsc;

use crate::server::{Listening, Running, passed_name};

use super::link::{Link, Teller};

/// How this process was started. The name is that of the command line, which may lead to a newer
/// program by now.
pub(super) struct Program {
    name: OsString,
    arguments: Vec<OsString>,
}

/// A process that was started to take over.
pub(super) struct Successor {
    started: Started,
    teller: Teller,
    /// Says when it serves; ends when it does not.
    serves: mpsc::Receiver<()>,
}

/// A started process, which is ended with its handle unless it is let go.
struct Started(Option<Child>);

/// Why nobody took over.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotTaken {
    #[error("the new process ended: {0}; its own lines say why")]
    Ended(ExitStatus),
    #[error("the new process cannot be started: {0}")]
    NotStarted(#[from] io::Error),
    #[error("the new process did not serve within {} seconds and was ended", START.as_secs())]
    TooSlow,
}

impl Program {
    /// # Errors
    /// When the system does not say which program this is.
    pub(super) fn this() -> io::Result<Self> {
        let mut arguments = env::args_os();
        let name = match arguments.next() {
            Some(name) => name,
            None => env::current_exe()?.into_os_string(),
        };
        Ok(Self { name, arguments: arguments.collect() })
    }
}

impl Successor {
    /// Starts it, with the listening sockets, and with everything that has to be remembered from
    /// now until this process ends.
    ///
    /// # Errors
    /// [`NotTaken::NotStarted`].
    pub(super) fn start(program: &Program, running: &Running) -> Result<Self, NotTaken> {
        let (ours, theirs) = UnixStream::pair()?;
        let mut link = Link::new(ours)?;
        let started = command(program, running.sockets()?)?
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .spawn()
            .map(|child| Started(Some(child)))?;
        let (memory, clock) = running.memory();
        link.greet()?;
        let teller = link.try_clone()?.tell(memory.clone())?;
        let (say, serves) = mpsc::channel(1);
        std::thread::Builder::new().name("heir".to_owned()).spawn(move || {
            if link.is_greeted().is_ok() {
                link.listen(&memory, &clock, || {
                    let _said_before = say.try_send(());
                });
            }
        })?;
        Ok(Self { started, teller, serves })
    }

    /// Waits until it serves.
    ///
    /// # Errors
    /// [`NotTaken`] when it does not, and is gone.
    pub(super) async fn serves(mut self) -> Result<Teller, NotTaken> {
        match tokio::time::timeout(START, self.serves.recv()).await {
            Ok(Some(())) => {
                self.started.let_go();
                Ok(self.teller)
            }
            Ok(None) => Err(self.started.end().map_or_else(NotTaken::from, NotTaken::Ended)),
            Err(_) => Err(NotTaken::TooSlow),
        }
    }
}

impl Started {
    fn let_go(&mut self) {
        self.0 = None;
    }

    /// Ends it if it has not ended, and says how it did.
    fn end(&mut self) -> io::Result<ExitStatus> {
        let Some(mut child) = self.0.take() else { return Ok(ExitStatus::default()) };
        let _ended_already = child.kill();
        child.wait()
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _nobody_asks = self.end();
    }
}

/// The protocol is systemd's, so that a successor needs no other way to find its sockets.
fn command(program: &Program, sockets: Vec<(String, Listening)>) -> io::Result<Command> {
    let names: Vec<String> = sockets.iter().map(|(name, _)| passed_name(name)).collect();
    let mut command = Command::new(&program.name);
    command
        .args(&program.arguments)
        .env("LISTEN_FDS", sockets.len().to_string())
        .env("LISTEN_FDNAMES", names.join(":"))
        .env_remove("LISTEN_PID")
        .env_remove("LISTEN_FDS_FIRST_FD")
        .env(SUCCEEDS, "stdin");
    let numbered = (FIRST..).zip(sockets);
    let mappings = numbered
        .map(|(child_fd, (_, socket))| FdMapping { parent_fd: socket.into(), child_fd })
        .collect();
    command.fd_mappings(mappings).map_err(io::Error::other)?;
    Ok(command)
}

/// Set for a process that takes over: its standard input is the link.
pub(super) const SUCCEEDS: &str = "SUPERID_GATEWAY_SUCCEEDS";
/// The first descriptor that is passed: `SD_LISTEN_FDS_START`.
const FIRST: i32 = 3;
/// How long a new process may take until it serves.
const START: Duration = Duration::from_secs(60);
