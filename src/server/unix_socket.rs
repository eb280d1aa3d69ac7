//! Opens a socket in the file system, in place of one that a killed process left, and of nothing
//! else.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, lchown};
use std::os::unix::net::UnixListener;
use std::path::Path;

use socket2::{Domain, SockAddr, Socket, Type};

use crate::config::UnixSocket;

/// Why a socket in the file system cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SocketFailed {
    #[error("it is no socket, and is left alone")]
    Another,
    #[error("cannot listen there: {0}")]
    Listening(io::Error),
    #[error("its owner, group or mode cannot be set: {0}")]
    Permissions(io::Error),
    #[error("another program listens there")]
    Taken,
}

/// Listens there. Nobody can connect before the permissions are set.
///
/// # Errors
/// [`SocketFailed`]; what was there before still is.
pub(super) fn listen(at: &UnixSocket, backlog: i32) -> Result<UnixListener, SocketFailed> {
    clear(&at.path)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None).map_err(SocketFailed::Listening)?;
    let name = SockAddr::unix(&at.path).map_err(SocketFailed::Listening)?;
    socket.bind(&name).map_err(SocketFailed::Listening)?;
    let ready = permit(at)
        .map_err(SocketFailed::Permissions)
        .and_then(|()| socket.listen(backlog).map_err(SocketFailed::Listening));
    if ready.is_err() {
        // It is ours: bound a moment ago.
        let _stays_behind = fs::remove_file(&at.path);
    }
    ready.map(|()| socket.into())
}

/// Sets its owner, group and mode, in an order that never gives anybody more than in the end.
///
/// # Errors
/// When the system does not allow it.
pub(super) fn permit(at: &UnixSocket) -> io::Result<()> {
    if at.owner.is_some() || at.group.is_some() {
        fs::set_permissions(&at.path, fs::Permissions::from_mode(at.mode & 0o600))?;
        lchown(&at.path, at.owner, at.group)?;
    }
    fs::set_permissions(&at.path, fs::Permissions::from_mode(at.mode))
}

/// Which file a socket is: no other has both numbers while it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    device: u64,
    inode: u64,
}

/// The socket that is at the path, if one is: somebody may have removed or replaced it while it was
/// open.
pub(super) fn found_at(path: &Path) -> Option<Place> {
    let found = fs::symlink_metadata(path).ok().filter(|found| found.file_type().is_socket())?;
    Some(Place { device: found.dev(), inode: found.ino() })
}

/// Removes a socket on which nobody listens.
fn clear(path: &Path) -> Result<(), SocketFailed> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(SocketFailed::Listening(error)),
    };
    if !found.file_type().is_socket() {
        return Err(SocketFailed::Another);
    }
    if is_answered(path)? {
        return Err(SocketFailed::Taken);
    }
    // Another gateway may start at this moment: what is taken away has to be what was looked at.
    let mut aside = path.as_os_str().to_owned();
    aside.push(format!(".{}", std::process::id()));
    let aside = Path::new(&aside);
    fs::rename(path, aside).map_err(SocketFailed::Listening)?;
    let moved = fs::symlink_metadata(aside).map_err(SocketFailed::Listening)?;
    if (moved.dev(), moved.ino()) != (found.dev(), found.ino()) {
        fs::rename(aside, path).map_err(SocketFailed::Listening)?;
        return Err(SocketFailed::Taken);
    }
    fs::remove_file(aside).map_err(SocketFailed::Listening)
}

/// Whether somebody listens on a socket.
fn is_answered(path: &Path) -> Result<bool, SocketFailed> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None).map_err(SocketFailed::Listening)?;
    socket.set_nonblocking(true).map_err(SocketFailed::Listening)?;
    let name = SockAddr::unix(path).map_err(SocketFailed::Listening)?;
    match socket.connect(&name) {
        Ok(()) => Ok(true),
        Err(error) => match error.kind() {
            io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => Ok(false),
            // Its backlog is full.
            io::ErrorKind::WouldBlock => Ok(true),
            _ => Err(SocketFailed::Listening(error)),
        },
    }
}
