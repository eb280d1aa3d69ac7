//! Which gateway a long test starts: the one that was built with it, or the one `GATEWAY_BIN` names.

use std::process::Command;

/// The program, with no argument yet. With `GATEWAY_BIN` a driver that was built in seconds tries
/// the very file that is shipped.
pub fn program() -> Command {
    let given = std::env::var_os("GATEWAY_BIN");
    Command::new(given.unwrap_or_else(|| env!("CARGO_BIN_EXE_superid-gateway").into()))
}
