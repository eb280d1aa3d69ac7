//! Word to the service manager that started us, by the protocol of systemd's `sd_notify(3)`.

use std::env;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use rustix::time::{ClockId, clock_gettime};

/// This process serves, and is the one to watch from now on.
pub(super) fn serves() {
    notify(&format!("READY=1\nMAINPID={}\nSTATUS=serving", std::process::id()));
}

/// This process was told to read its configuration again, and begins to. Who waits for the end of a
/// reload (`Type=notify-reload`) tells by the time that it is this one's.
pub(super) fn reloads() {
    notify(&format!("RELOADING=1\nMONOTONIC_USEC={}", microseconds()));
}

/// The reload is over; `outcome` is what people are shown.
pub(super) fn reloaded(outcome: &str) {
    notify(&format!("READY=1\nSTATUS={}", one_line(outcome)));
}

/// This process was told to stop.
pub(super) fn stops() {
    notify("STOPPING=1\nSTATUS=stopping: what was begun is finished");
}

/// Since the machine's start, on the clock the manager reads too.
fn microseconds() -> i64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec * 1_000_000 + now.tv_nsec / 1_000
}

/// A line break would begin another assignment.
fn one_line(text: &str) -> String {
    text.chars().take(MOST_STATUS).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Without a service manager, or one that does not listen, nothing happens.
fn notify(state: &str) {
    let Some(path) = env::var_os("NOTIFY_SOCKET") else { return };
    let address = match path.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(&path),
    };
    if let (Ok(address), Ok(socket)) = (address, UnixDatagram::unbound()) {
        let _nobody_listens = socket.send_to_addr(state.as_bytes(), &address);
    }
}

/// Characters of a status: more than a line of a terminal shows.
const MOST_STATUS: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_are_shown_cannot_say_anything_else_to_the_manager() {
        assert_eq!(one_line("no\nMAINPID=1"), "no MAINPID=1");
        assert_eq!(one_line(&"ø".repeat(MOST_STATUS + 1)).chars().count(), MOST_STATUS);
    }
}
