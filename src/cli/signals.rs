//! Being told to stop.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Reload,
    /// To open log files anew.
    Reopen,
    Stop,
    Upgrade,
}

/// The signals a serving process listens to.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
    reopen: Signal,
    user: Signal,
}

impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    /// When the handlers cannot be installed.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
            reopen: signal(SignalKind::user_defined1())?,
            user: signal(SignalKind::user_defined2())?,
        })
    }

    /// The next signal: SIGHUP reloads, SIGUSR1 opens logs anew, SIGUSR2 upgrades, SIGTERM and SIGINT stop.
    pub(super) async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.terminate.recv() => Told::Stop,
            _ = self.interrupt.recv() => Told::Stop,
            _ = self.hang_up.recv() => Told::Reload,
            _ = self.reopen.recv() => Told::Reopen,
            _ = self.user.recv() => Told::Upgrade,
        }
    }

    /// Waits to be told to stop; the other signals are kept.
    pub(super) async fn stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Returns at the first SIGTERM or SIGINT.
///
/// # Errors
/// When the handlers cannot be installed.
#[cfg(feature = "emulator")]
pub(super) async fn told_to_stop() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
