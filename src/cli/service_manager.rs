//! Word to the service manager that started us, by the protocol of systemd's `sd_notify(3)`.

use std::env;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// This process serves, and is the one to watch from now on.
pub(super) fn serves() {
    notify(&format!("READY=1\nMAINPID={}", std::process::id()));
}

/// This process was told to stop.
pub(super) fn stops() {
    notify("STOPPING=1");
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
